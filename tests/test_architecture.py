# SPDX-License-Identifier: MIT
"""Rules about the source that no type checker sees.

Each rule is a function from a syntax tree to what breaks it there, and is shown a breach first:
a rule that finds nothing would otherwise look like one that is kept everywhere.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[1]
GENERATED = "_pb2.py"

# Modules that may know the reactor, because they put everything together.
COMPOSITION = (
    "livechat/service.py",
    "livechat/worker.py",
    "livechat/terminal/watch.py",
    "livechat/simulator/service.py",
)

# The modules of a platform that do I/O.  All its others are pure.
PLATFORM_IO = (
    "catch_up",
    "client",
    "connection",
    "event_socket",
    "gift_timer",
    "hermes",
    "hermes_line",
    "hermes_socket",
    "identity",
    "intake",
    "kept_set",
    "live_updates",
    "live_search",
    "liveness",
    "lives",
    "locate",
    "lookup",
    "platform",
    "poll",
    "live_poll",
    "pictures",
    "placement",
    "pool",
    "provider",
    "providers",
    "reception",
    "recent_messages",
    "resolve",
    "signer",
    "sooner",
    "source",
    "start",
    "transports",
    "upstream",
    "viewers",
    "welcome",
    "wire",
)

# What would let a pure module know a clock, chance, the network, a logger or a Deferred.
IMPURE = frozenset(
    {
        "asyncio",
        "autobahn",
        "klein",
        "logging",
        "os",
        "random",
        "secrets",
        "select",
        "selectors",
        "socket",
        "ssl",
        "subprocess",
        "threading",
        "time",
        "treq",
        "twisted",
        "txredisapi",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)
CLOCK_READINGS = frozenset({"now", "utcnow", "today"})

# Lines that a module may have.  Generated code does not count.
MAX_LINES = 350

# Names that say nothing about what is in a module.
EMPTY_NAMES = ("handler", "manager", "engine", "base", "util", "common", "helper")

# Written in two halves, so that this file passes its own test.
REGISTRY_HOSTS = tuple(
    f"{name}.{domain}"
    for name, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("golang", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("anaconda", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("deb.debian", "org"),
    )
)


def python_files(*directories: str) -> dict[str, ast.Module]:
    """The syntax trees of the files below some directories, by path relative to the root."""
    paths = (path for name in directories for path in sorted((ROOT / name).rglob("*.py")))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_bytes(), str(path))
        for path in paths
        if not path.name.endswith(GENERATED)
    }


def pure_modules() -> list[str]:
    """The modules that turn bytes into events and events into bytes."""
    ground = sorted(
        path.relative_to(ROOT).as_posix()
        for package in ("contract", "model", "protocol")
        for path in (ROOT / "livechat" / package).glob("*.py")
    )
    # Parsers are pure, whatever they are called.
    parsers = (ROOT / "livechat/platforms").glob("*/parse/*.py")
    platforms = (ROOT / "livechat/platforms").glob("*/*.py")
    ground += sorted(path.relative_to(ROOT).as_posix() for path in parsers)
    return ground + [
        path.relative_to(ROOT).as_posix()
        for path in sorted(platforms)
        if path.stem not in PLATFORM_IO and not path.name.endswith(GENERATED)
    ]


def project_files() -> list[Path]:
    """Every file that is or would be under version control; every file where git cannot tell."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=30)
        paths = [ROOT / os.fsdecode(line) for line in listed.stdout.splitlines()]
    except (OSError, subprocess.CalledProcessError):
        paths = [
            path
            for path in ROOT.rglob("*")
            for inside in [path.relative_to(ROOT)]
            if not any(part.startswith((".", "_")) for part in inside.parts[:-1] if part != ".ci")
        ]
    return [path for path in paths if path.is_file()]


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What is imported anywhere in a tree, also inside functions: line and full dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def reactor_imports(tree: ast.Module) -> list[int]:
    """Lines that import the global reactor."""
    reactor = "twisted.internet.reactor"
    return [line for line, name in imported(tree) if f"{name}.".startswith(f"{reactor}.")]


def asyncio_imports(tree: ast.Module) -> list[int]:
    """Lines that import asyncio, or a part of a library that is made for it."""
    return [line for line, name in imported(tree) if "asyncio" in name.split(".")]


def relative_imports(tree: ast.Module) -> list[int]:
    """Lines that import relatively."""
    nodes = ast.walk(tree)
    return [node.lineno for node in nodes if isinstance(node, ast.ImportFrom) and node.level]


def impurities(tree: ast.Module) -> list[int]:
    """Lines that import something impure, or read the wall clock."""
    lines = [
        line
        for line, name in imported(tree)
        if any(f"{name}.".startswith(f"{impure}.") for impure in IMPURE)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).split(".")[-1]
            if node.func.attr in CLOCK_READINGS and owner in {"date", "datetime"}:
                lines.append(node.lineno)
    return lines


SLEEPING = {"time.sleep", "asyncio.sleep"}


def sleeps(tree: ast.Module) -> list[int]:
    """Lines that sleep or import something to sleep with."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    # Our own `pacing.sleep` waits on a clock that is handed in.
    return [call.lineno for call in calls if ast.unparse(call) in SLEEPING] + [
        line for line, name in imported(tree) if name in SLEEPING
    ]


def unexplained_tests(tree: ast.Module) -> list[int]:
    """Lines of test classes and test methods without a docstring."""
    lines = []
    for case in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        tests = [
            node
            for node in case.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test")
        ]
        explained: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [*tests]
        if tests:
            explained.append(case)
        lines += [node.lineno for node in explained if not ast.get_docstring(node)]
    return lines


def undescribed(tree: ast.Module) -> list[int]:
    """The first line, where a module does not say what it is for."""
    return [] if ast.get_docstring(tree) else [1]


class SourceRulesTests(SynchronousTestCase):
    """Rules about what a source file may say."""

    def check(self, rule: Callable[[ast.Module], list[int]], breach: str, *places: str) -> None:
        """The rule finds the last line of a breach, and nothing in the files of these places."""
        found = rule(ast.parse(breach))
        self.assertIn(breach.count("\n") + 1, found, "the rule overlooks a plain breach")
        files = python_files(*places)
        self.assertTrue(files)
        self.broken(rule, files)

    def broken(self, rule: Callable[[ast.Module], list[int]], files: dict[str, ast.Module]) -> None:
        """Fail, naming every place where a rule is broken."""
        places = [f"{name}:{line}" for name, tree in files.items() for line in rule(tree)]
        self.assertEqual(places, [], rule.__doc__)

    def test_reactor(self) -> None:
        """Only the composition modules import the reactor; everybody else is handed a clock."""
        for breach in (
            "from twisted.internet import reactor",
            "import twisted.internet.reactor",
            "def late():\n    from twisted.internet.reactor import callLater",
        ):
            self.assertEqual(reactor_imports(ast.parse(breach)), [breach.count("\n") + 1])
        files = python_files("livechat", "twisted")
        for name in COMPOSITION:
            files.pop(name, None)
        self.broken(reactor_imports, files)

    def test_asyncio(self) -> None:
        """No module knows asyncio: which event loop runs is the command line's choice."""
        self.check(asyncio_imports, "def late():\n    from autobahn import asyncio", "livechat")

    def test_relative_imports(self) -> None:
        """Imports name the whole path, so that they show where they go."""
        self.check(relative_imports, "import os\nfrom . import events", "livechat", "tests")

    def test_purity(self) -> None:
        """Modules that turn bytes into events know no clock, chance, network or Deferred."""
        for breach in (
            "import time",
            "from random import Random",
            "from twisted.internet.defer import Deferred",
            "def stamp():\n    return datetime.now(UTC)",
            "def stamp():\n    return datetime.datetime.utcnow()",
        ):
            self.assertEqual(impurities(ast.parse(breach)), [breach.count("\n") + 1])
        modules = pure_modules()
        self.assertIn("livechat/platforms/twitch/parse/irc.py", modules)
        files = python_files("livechat")
        self.broken(impurities, {name: files[name] for name in modules})

    def test_sleep(self) -> None:
        """No test sleeps: each waits for what it is waiting for, or moves its own clock."""
        self.check(sleeps, "def test():\n    time.sleep(1)", "tests")

    def test_tests_say_their_intent(self) -> None:
        """Every test and every class of tests has a docstring."""
        breach = "class Tests:\n    '''Some tests.'''\n    def test_it(self): pass"
        self.check(unexplained_tests, breach, "tests")

    def test_modules_say_what_they_are_for(self) -> None:
        """Every source file begins with a sentence about itself."""
        self.check(undescribed, "import os", "livechat", "tests", "tools", "twisted")

    def test_licence_line(self) -> None:
        """Every source file with code in it begins with its licence."""
        files = python_files("livechat", "tests", "tools", "twisted")
        missing = [
            name
            for name in files
            if not name.endswith("__init__.py")
            and not (ROOT / name).read_text().startswith("# SPDX-License-Identifier: MIT\n")
        ]
        self.assertEqual(missing, [])

    def test_names(self) -> None:
        """No module has a name that says nothing."""
        names = python_files("livechat")
        empty = [
            name for name in names if any(word in Path(name).stem.lower() for word in EMPTY_NAMES)
        ]
        self.assertEqual(empty, [])

    def test_size(self) -> None:
        """No module has more than 350 lines: such a module has two purposes."""
        sizes = {
            name: len((ROOT / name).read_text().splitlines()) for name in python_files("livechat")
        }
        self.assertEqual({name: size for name, size in sizes.items() if size > MAX_LINES}, {})


class ProjectTests(SynchronousTestCase):
    """Rules about the project's files as a whole."""

    def test_no_registry_hosts(self) -> None:
        """No file names a package registry: where packages come from is the user's choice."""
        files = project_files()
        self.assertIn(Path(__file__).resolve(), files)
        named = [
            f"{path.relative_to(ROOT)}: {host}"
            for path in files
            for text in [path.read_bytes().lower()]
            for host in REGISTRY_HOSTS
            if host.encode() in text
        ]
        self.assertEqual(named, [])

    def test_reading_needs_no_reactor(self) -> None:
        """Importing the plugin file and the pure modules installs no reactor."""
        modules = [name.removesuffix(".py").replace("/", ".") for name in pure_modules()]
        plugin = ROOT / "twisted/plugins/livechat_plugin.py"
        script = (
            "import importlib, runpy, sys\n"
            f"for name in {modules!r}: importlib.import_module(name)\n"
            f"runpy.run_path({str(plugin)!r})\n"
            "print('twisted.internet.reactor' in sys.modules)"
        )
        python = [sys.executable, "-c", script]
        run = subprocess.run(
            python, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((run.stdout, run.stderr), ("False\n", ""))
