# SPDX-License-Identifier: MIT
"""livechat as people get it: installed from its wheel, or from a checkout, far from the sources.

Each way of installing gets an empty environment that borrows its libraries from the environment
that runs the tests, so no network is needed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZipFile

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from twisted.trial.unittest import SynchronousTestCase

from livechat.web_files import web_directory
from tests.test_architecture import imported, python_files

ROOT = Path(__file__).resolve().parents[1]
NAME = "microservice-livechat"
PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[0-9][A-Za-z0-9.]*)")
ELSEWHERE = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"})


def run(directory: Path, *command: str | Path) -> str:
    """Run a command in a directory, without what the surroundings say about Python or pip.

    :return: what it wrote.
    :raises AssertionError: it failed; the message holds what it wrote.
    """
    surroundings = {
        name: value
        for name, value in os.environ.items()
        if name not in ELSEWHERE and not name.startswith("PIP_")
    }
    done = subprocess.run(
        command,
        cwd=directory,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@cache
def built_wheel() -> Path:
    """The wheel of the sources as they are now."""
    target = Path(mkdtemp(dir=Path.cwd()))
    options = ("--wheel", "--no-isolation", "--outdir", target)
    run(target, sys.executable, "-m", "build", *options, ROOT)
    (wheel,) = target.glob("*.whl")
    return wheel


class Environment(NamedTuple):
    """An environment with livechat in it."""

    directory: Path
    """Where it is."""

    neutral: Path
    """An empty directory outside of everything, to work in."""

    def program(self, name: str) -> Path:
        """The path of a command that was installed."""
        return self.directory / "bin" / name

    def python(self, code: str) -> str:
        """What a piece of Python prints here, without the end of the last line."""
        return run(self.neutral, self.program("python"), "-c", code).removesuffix("\n")

    def twistd(self, *arguments: str) -> str:
        """What `twistd` writes here."""
        line = ["twistd", *arguments]
        code = f"import sys; from twisted.scripts.twistd import run; sys.argv = {line!r}; run()"
        return self.python(code)


@cache
def environment(*source: str | Path) -> Environment:
    """An environment into which `pip install <source>` was made.  One per source and process."""
    top = Path(mkdtemp(dir=Path.cwd()))
    made = Environment(top / "environment", top / "neutral")
    made.neutral.mkdir()
    venv.create(made.directory, with_pip=False, symlinks=True)
    borrowed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    own = Path(sysconfig.get_path("purelib", "venv", {"base": str(made.directory)}))
    (own / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    pip = (sys.executable, "-m", "pip", "--python", made.program("python"), "install")
    offline = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed")
    run(made.neutral, *pip, *offline, *source)
    return made


if TYPE_CHECKING:
    Case = SynchronousTestCase
else:
    Case = object


class InstalledMixin(Case):
    """What must hold however livechat was installed."""

    def installed(self) -> Environment:
        """The environment under test."""
        raise NotImplementedError

    def pages(self) -> Path:
        """Where the pages must be found."""
        raise NotImplementedError

    def test_plugins(self) -> None:
        """`twistd` lists the daemon and the simulator."""
        listed = self.installed().twistd("--help")
        self.assertRegex(listed, r"(?m)^ +livechat +\S")
        self.assertRegex(listed, r"(?m)^ +livechat-simulator +\S")

    def test_plugin_options(self) -> None:
        """`twistd livechat` and `twistd livechat-simulator` load, and say what they can be told."""
        self.assertIn("--demo", self.installed().twistd("livechat", "--help"))
        self.assertIn("--twitch-lines", self.installed().twistd("livechat-simulator", "--help"))

    def test_command(self) -> None:
        """There is a command `livechat`, which takes the options of `twistd livechat`."""
        installed = self.installed()
        written = run(installed.neutral, installed.program("livechat"), "--help")
        self.assertIn("--demo", written)
        self.assertRegex(written, r"\AUsage: livechat ")
        self.assertEqual(list(installed.neutral.iterdir()), [])

    def test_pages(self) -> None:
        """The pages are found from any working directory."""
        code = "from livechat.web_files import web_directory; print(web_directory())"
        self.assertEqual(Path(self.installed().python(code)), self.pages())

    def test_twisted_is_whole(self) -> None:
        """Our plugin joins Twisted's package and does not stand before it."""
        installed = self.installed()
        version = installed.python("import twisted; print(twisted.__version__)")
        self.assertEqual(version, metadata.version("twisted"))
        plugins = Path(installed.python("import twisted.plugins; print(twisted.plugins.__file__)"))
        self.assertNotIn(installed.directory, plugins.parents)
        self.assertEqual(list(installed.directory.rglob("twisted/**/__init__.py")), [])
        self.assertEqual(list((ROOT / "twisted").rglob("__init__.py")), [])


class WheelTests(InstalledMixin, SynchronousTestCase):
    """Installed from the wheel."""

    def installed(self) -> Environment:
        """The environment under test."""
        return environment(built_wheel())

    def pages(self) -> Path:
        """Inside the package."""
        code = "import livechat; print(livechat.__path__[0])"
        package = Path(self.installed().python(code))
        self.assertIn(self.installed().directory, package.parents)
        return package / "web"

    def test_content(self) -> None:
        """The wheel holds the package with its data, the plugin, the pages and the licence only."""
        with ZipFile(built_wheel()) as archive:
            names = set(archive.namelist())
        pages = {
            f"livechat/web/{path.relative_to(ROOT / 'web').as_posix()}"
            for path in (ROOT / "web").rglob("*")
            if path.is_file()
        }
        self.assertTrue(pages)
        self.assertEqual({name for name in names if name.startswith("livechat/web/")}, pages)
        self.assertEqual(
            {name for name in names if name.startswith("twisted/")},
            {"twisted/plugins/livechat_plugin.py"},
        )
        observed = {
            f"livechat/simulator/observed/{path.name}"
            for path in (ROOT / "livechat/simulator/observed").iterdir()
        }
        self.assertTrue(observed)
        self.assertLessEqual(observed, names)
        self.assertIn("livechat/statistics/redis.lua", names)
        about = f"{NAME.replace('-', '_')}-{project()['version']}.dist-info"
        self.assertIn(f"{about}/licenses/LICENSE", names)
        tops = {name.split("/")[0] for name in names}
        self.assertEqual(tops, {"livechat", "twisted", about})


class EditableTests(InstalledMixin, SynchronousTestCase):
    """Installed from a checkout that stays where it is."""

    def installed(self) -> Environment:
        """The environment under test."""
        return environment("--editable", ROOT)

    def pages(self) -> Path:
        """Beside the package, in the checkout."""
        return ROOT / "web"


class WebDirectoryTests(SynchronousTestCase):
    """Where the pages are looked for."""

    def setUp(self) -> None:
        """A package without pages."""
        self.place = Path(self.mktemp()).resolve()
        self.package = self.place / "livechat"
        self.package.mkdir(parents=True)

    def test_inside_before_beside(self) -> None:
        """Pages that came with the package win over those beside it."""
        (self.place / "pyproject.toml").touch()
        (self.place / "web").mkdir()
        self.assertEqual(web_directory(self.package), self.place / "web")
        (self.package / "web").mkdir()
        self.assertEqual(web_directory(self.package), self.package / "web")

    def test_missing(self) -> None:
        """Without pages the error says where they were looked for."""
        error = self.assertRaises(FileNotFoundError, web_directory, self.package)
        self.assertIn(str(self.package / "web"), str(error))

    def test_somebody_else(self) -> None:
        """A `web` beside an installed package is another package and not our pages."""
        (self.place / "web").mkdir()
        self.assertRaises(FileNotFoundError, web_directory, self.package)


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def requirements() -> list[Requirement]:
    """Everything that pyproject.toml names, extras included, the project itself left out."""
    table = project()
    named = chain(table["dependencies"], *table["optional-dependencies"].values())
    return [known for known in map(Requirement, named) if known.name != NAME]


def closure(wanted: list[Requirement]) -> Iterator[str]:
    """Canonical names of requirements and of all that they require in turn, where installed."""
    seen = set()
    waiting = [(known.name, known.extras) for known in wanted]
    while waiting:
        name, extras = waiting.pop()
        if (canonicalize_name(name), *sorted(extras)) in seen:
            continue
        seen.add((canonicalize_name(name), *sorted(extras)))
        yield canonicalize_name(name)
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for known in map(Requirement, required):
            asked = ({"extra": extra} for extra in ("", *extras))
            if known.marker is None or any(map(known.marker.evaluate, asked)):
                waiting.append((known.name, known.extras))


class RequirementsTests(SynchronousTestCase):
    """What pyproject.toml says we need."""

    def test_imports_are_named(self) -> None:
        """Every library that the daemon imports is named, also one that another brings along."""
        trees = python_files("livechat", "twisted").values()
        tops = {name.split(".")[0] for tree in trees for _, name in imported(tree)}
        libraries = tops - sys.stdlib_module_names - {"livechat"}
        self.assertIn("twisted", libraries)
        named = {canonicalize_name(Requirement(line).name) for line in project()["dependencies"]}
        origins = metadata.packages_distributions()
        unnamed = {
            library
            for library in libraries
            if named.isdisjoint(map(canonicalize_name, origins.get(library, [])))
        }
        self.assertEqual(unnamed, set())


class ConstraintsTests(SynchronousTestCase):
    """The file of exact versions."""

    def pins(self) -> dict[str, str]:
        """Versions by canonical name."""
        lines = (ROOT / "constraints.txt").read_text().splitlines()
        found = [(line, PIN.fullmatch(line)) for line in lines if line and line[0] != "#"]
        self.assertEqual([line for line, match in found if match is None], [])
        return {canonicalize_name(match["name"]): match["version"] for _, match in found if match}

    def test_names_and_versions_only(self) -> None:
        """The file says which versions, and nothing of where they come from."""
        self.assertGreater(len(self.pins()), 30)
        self.assertNotIn("://", (ROOT / "constraints.txt").read_text())

    def test_everything_named_is_pinned(self) -> None:
        """Every requirement of the project and of its extras has a pin that satisfies it."""
        pins = self.pins()
        unmet = [
            str(known)
            for known in requirements()
            for version in [pins.get(canonicalize_name(known.name))]
            if version is None or version not in known.specifier
        ]
        self.assertEqual(unmet, [])

    def test_everything_required_in_turn_is_pinned(self) -> None:
        """What our requirements require is pinned as well, so that two installs are alike."""
        self.assertEqual(sorted(set(closure(requirements())) - set(self.pins())), [])


class LowestTests(SynchronousTestCase):
    """The file of lowest versions, with which most tests are run once more."""

    def test_lower_bounds(self) -> None:
        """It names what livechat needs to run, each at the lower bound that is declared."""
        lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
        named = (line.split("==") for line in lines if line and line[0] != "#")
        pins = {canonicalize_name(name): version for name, version in named}
        for text in project()["dependencies"]:
            known = Requirement(text)
            (floor,) = (one.version for one in known.specifier if one.operator == ">=")
            pin = pins.pop(canonicalize_name(known.name))
            self.assertTrue(pin == floor or pin.startswith(f"{floor}."), (text, pin))
        self.assertEqual(pins, {})


def interpolated(text: str, **variables: str) -> str:
    """What Docker Compose makes of `${NAME:+text}`, `${NAME:-text}` and `${NAME}`."""

    def replaced(found: re.Match[str]) -> str:
        value = variables.get(found[1], "")
        if found[2] == ":+":
            return found[3] if value else ""
        return value or found[3] or ""

    text = re.sub(r"\$\{(\w+)(?:(:-)([^${}]*))?\}", replaced, text)
    return re.sub(r"\$\{(\w+)(:\+)([^${}]*)\}", replaced, text)


class ComposeTests(SynchronousTestCase):
    """The compose file, as far as it can be read without Docker."""

    def services(self, **variables: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The daemon and its Redis, in an environment."""
        text = interpolated((ROOT / "compose.yaml").read_text(), **variables)
        found = yaml.safe_load(text)["services"]
        return found["microservice-livechat"], found["redis"]

    def test_as_specified(self) -> None:
        """The service and its Redis are set up as the specification shows them."""
        daemon, redis = self.services()
        self.assertEqual(
            daemon["environment"], ["REDIS_URL=redis://redis:6379", "STATS_STORAGE=redis"]
        )
        self.assertRegex(redis["image"], r"\Aredis:7\.[0-9]+\.[0-9]+-alpine\Z")
        self.assertEqual(
            redis["command"].split(), ["redis-server", "--save", "60", "1", "--loglevel", "warning"]
        )
        self.assertEqual(redis["volumes"], ["redis-data:/data"])
        self.assertIn("redis-data", yaml.safe_load((ROOT / "compose.yaml").read_text())["volumes"])

    def test_password(self) -> None:
        """One variable gives Redis a password, the daemon and the health check use it."""
        daemon, redis = self.services(REDIS_PASSWORD="hunter2")
        self.assertIn("REDIS_URL=redis://:hunter2@redis:6379", daemon["environment"])
        self.assertTrue(redis["command"].endswith(" --requirepass hunter2"))
        self.assertEqual(redis["environment"], ["REDISCLI_AUTH=hunter2"])

    def test_bounds(self) -> None:
        """Memory and logs are bounded, and the daemon waits for a Redis that answers."""
        daemon, redis = self.services()
        self.assertEqual(daemon["deploy"]["resources"]["limits"]["memory"], "512M")
        for service in (daemon, redis):
            self.assertEqual(service["logging"]["options"], {"max-size": "10m", "max-file": "3"})
        self.assertEqual(daemon["depends_on"], {"redis": {"condition": "service_healthy"}})
        self.assertIn("redis-cli", redis["healthcheck"]["test"])

    def test_rights(self) -> None:
        """Neither has capabilities, can gain any, or writes outside its volume; Redis is alone."""
        for service in self.services():
            self.assertEqual(service["cap_drop"], ["ALL"])
            self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
            self.assertIs(service["read_only"], True)
        _, redis = self.services()
        self.assertEqual((redis["user"], redis["networks"]), ("999:1000", ["redis"]))
        self.assertNotIn("ports", redis)

    def test_exact_images(self) -> None:
        """No image's tag moves: ours is built here, the others have three numbers."""
        daemon, _ = self.services()
        self.assertEqual(daemon["image"], "microservice-livechat:local")
        (base,) = re.findall(r"(?m)^ARG PYTHON=(\S+)$", (ROOT / "Dockerfile").read_text())
        self.assertRegex(base, r"\Apython:3\.[0-9]+\.[0-9]+-slim-[a-z]+\Z")


class ClusterTests(SynchronousTestCase):
    """The compose file of three nodes, as far as it can be read without Docker."""

    def services(self) -> dict[str, Any]:
        """Its services, by name."""
        text = interpolated((ROOT / "compose.cluster.yaml").read_text())
        found: dict[str, Any] = yaml.safe_load(text)["services"]
        return found

    def test_nodes(self) -> None:
        """Three nodes share one Redis and differ only in their names."""
        services = self.services()
        nodes = {name: one for name, one in services.items() if name.startswith("node-")}
        self.assertEqual(len(nodes), 3)
        for name, node in nodes.items():
            environment = node.pop("environment")
            self.assertEqual(environment.pop("LIVECHAT_NODE"), name)
            self.assertEqual(environment["REDIS_URL"], "redis://redis:6379")
            self.assertEqual(environment["LIVECHAT_BROKER"], "redis")
            self.assertEqual(node["cap_drop"], ["ALL"])
            self.assertIs(node["read_only"], True)
            self.assertNotIn("ports", node)
        self.assertEqual(len({str(node) for node in nodes.values()}), 1)
        for name in ("redis", "balancer"):
            self.assertRegex(services[name]["image"], r"\A[a-z]+:[0-9]+\.[0-9]+\.[0-9]+-alpine\Z")

    def test_one_redis(self) -> None:
        """Redis is set up as in the file of one node."""
        alone = yaml.safe_load(interpolated((ROOT / "compose.yaml").read_text()))
        self.assertEqual(self.services()["redis"], alone["services"]["redis"])

    def test_balancer(self) -> None:
        """The balancer knows every node by the name of its service."""
        services = self.services()
        text = (ROOT / "packaging" / "nginx" / "cluster.conf").read_text()
        named = re.findall(r"(?m)^  server (\S+):3000 ", text)
        self.assertEqual(named, services["balancer"]["depends_on"])
        self.assertIn("./packaging/nginx/cluster.conf:", services["balancer"]["volumes"][0])


class DockerfileTests(SynchronousTestCase):
    """The image, as far as it can be read without Docker."""

    def test_instructions(self) -> None:
        """A numeric user, a health check that follows the options, and no other event loop."""
        text = (ROOT / "Dockerfile").read_text()
        self.assertRegex(text, r"(?m)^USER [1-9][0-9]*:[1-9][0-9]*$")
        self.assertRegex(text, r'(?m)^HEALTHCHECK .*CMD \["livechat", "health"\]$')
        self.assertEqual(set(re.findall(r"(?m)^FROM (\S+)", text)), {"${PYTHON}"})
        self.assertNotIn("PORT=", text)
        # Every extra that it installs exists.
        self.assertEqual(re.findall(r"\.\[[^\]]+\]", text), [])

    def test_labels(self) -> None:
        """The image says what it is, in the words of the package."""
        text = (ROOT / "Dockerfile").read_text()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', text))
        self.assertEqual(labels["title"], project["name"])
        self.assertEqual(labels["description"], project["description"])
        self.assertEqual(labels["licenses"], project["license"])
