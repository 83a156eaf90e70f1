# SPDX-License-Identifier: MIT
"""`--config FILE` and `--check-config`: where values come from, and what is said of wrong ones."""

from __future__ import annotations

import io
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from livechat.command_line import DaemonOptions, Options
from livechat.options import Unset

EVERYTHING = """\
port = 4000
command-rate = 2.5
no-compression = true
origins = ["https://a.example", "null"]
stats-storage = "redis"
redis-url = "redis://ann:very-secret@localhost:6379/1"
twitch-live-poll = 30

[twitch]
require-live = true
gql-url = ""
"""


class FileCase(SynchronousTestCase):
    """Options read from a file."""

    def file(self, text: str | bytes) -> str:
        """A file that holds this."""
        path = Path(self.mktemp())
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def read(self, text: str, *words: str, **environ: str) -> DaemonOptions:
        """Read a file, the command line and the environment."""
        options = Options(environ)
        options.parseOptions(["--config", self.file(text), *words])
        return options

    def ended(self, *words: str, **environ: str) -> tuple[object, str, str]:
        """The exit code of a start that ends at once, and what it wrote on stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            end = self.assertRaises(SystemExit, Options(environ).parseOptions, words)
        return end.code, out.getvalue(), err.getvalue()

    def refusal(self, text: str | bytes) -> str:
        """What is said about a wrong file, without its name; the exit code is 1."""
        path = self.file(text)
        code, out, err = self.ended("--config", path)
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(err.count("\n"), 1)
        return err.replace(path, "FILE").strip()


class FileTests(FileCase):
    """What a file may hold."""

    def test_everything(self) -> None:
        """Every kind of value, and tables of the platforms."""
        chosen = self.read(EVERYTHING).chosen
        daemon, twitch = chosen.daemon, chosen.platforms["twitch"]
        self.assertEqual((daemon.port, daemon.command_rate), (4000, 2.5))
        self.assertIs(daemon.no_compression, True)
        self.assertEqual(daemon.origins, ("https://a.example", "null"))
        self.assertEqual(daemon.redis_url, "redis://ann:very-secret@localhost:6379/1")
        self.assertEqual((twitch.live_poll, twitch.require_live, twitch.gql_url), (30, True, ""))

    def test_precedence(self) -> None:
        """The command line wins over the environment, that over the file, that over the default."""
        text = "port = 1\nmax-chats = 2\nlinger = 3\n"
        environ = {"PORT": "11", "LIVECHAT_MAX_CHATS": "12"}
        daemon = self.read(text, "--port", "21", **environ).chosen.daemon
        self.assertEqual((daemon.port, daemon.max_chats, daemon.linger), (21, 12, 3))
        self.assertEqual(daemon.stats_top, 100)

    def test_variable(self) -> None:
        """The file may be named in the environment, which is not an unknown variable."""
        options = Options({"LIVECHAT_CONFIG": self.file("port = 5")})
        options.parseOptions([])
        self.assertEqual(options.chosen.daemon.port, 5)
        self.assertEqual(list(options.warnings()), [])

    def test_default_that_knows_itself(self) -> None:
        """A value that is given is told from the default that it equals."""
        starts = self.read("max-starts-per-address = 60").chosen.daemon.max_starts_per_address
        self.assertNotIsInstance(starts, Unset)

    def test_useless(self) -> None:
        """A choice without effect is a warning that says where it stands."""
        options = self.read("demo-rate = 5")
        (line,) = options.warnings()
        self.assertRegex(line, r"^demo-rate in .* has no effect: --demo is not given$")


class RefusalTests(FileCase):
    """One line and exit code 1."""

    def test_refused(self) -> None:
        """What is wrong, and where."""
        for text, said in (
            ("prot = 1", "--config FILE: prot is no option; did you mean port?"),
            ("[twitch]\nirk = 'x'", "--config FILE: twitch-irk is no option"),
            ("[tvitch]\nirc = 'x'", "--config FILE: tvitch is no option"),
            ("port = ", "--config FILE is not TOML: Invalid value"),
            (b"port = '\xff'", "--config FILE is not TOML: 'utf-8' codec can't decode"),
            ("port = 'x'", "port in FILE must be a whole number from 0 to 65535, not 'x'"),
            ("port = 70000", "port in FILE must be a whole number from 0 to 65535, not '70000'"),
            ("port = [1]", "port in FILE must be text, a number, true or false, or a list"),
            ("port = 1979-05-27", "port in FILE must be text, a number, true or false, or a list"),
            ("demo = 2", "demo in FILE must be 1 or 0, not '2'"),
            ("origins = ['']", "origins in FILE must be an origin such as"),
            ("stats-storage = 'redis'", "--stats-storage=redis needs --redis-url"),
        ):
            refusal = self.refusal(text)
            self.assertTrue(refusal.startswith(f"livechat: {said}"), refusal)

    def test_no_file(self) -> None:
        """A file that is not there."""
        code, _, err = self.ended("--config", "/nowhere/livechat.toml")
        self.assertEqual(code, 1)
        said = "/nowhere/livechat.toml cannot be read: No such file or directory"
        self.assertEqual(err, f"livechat: --config {said}\n")

    def test_no_secret(self) -> None:
        """A wrong secret is not repeated."""
        self.assertNotIn("hush", self.refusal("redis-url = 'hush://hush'"))


class CheckTests(FileCase):
    """`--check-config`."""

    def test_effective(self) -> None:
        """Every value with where it stands; secrets are masked; exit code 0."""
        path = self.file(EVERYTHING)
        code, out, err = self.ended(
            "--config", path, "--check-config", "--linger", "7", LIVECHAT_MAX_CHATS="9"
        )
        self.assertEqual((code, err), (0, ""))
        told: dict[str, tuple[str, str]] = {}
        for line in out.splitlines():
            setting, _, where = line.partition("  # ")
            name, _, value = setting.partition(" = ")
            told[name.lstrip("#")] = value.strip(), where
        self.assertEqual(told["port"], ("4000", path))
        self.assertEqual(told["linger"], ("7", "command line"))
        self.assertEqual(told["max-chats"], ("9", "environment, LIVECHAT_MAX_CHATS"))
        self.assertEqual(told["demo"], ("false", "default"))
        self.assertEqual(told["redis-url"], ('"***"', path))
        self.assertEqual(told["twitch-require-live"], ("true", path))
        self.assertNotIn("very-secret", out)
        self.assertEqual(set(told), {option.name for option in Options({}).declared})

    def test_is_a_file(self) -> None:
        """What it prints is a configuration file with the same effect."""
        _, out, _ = self.ended("--check-config", "--port", "5", "--origins", "null")
        read = self.read(out).chosen
        plain = Options({})
        plain.parseOptions(["--port", "5", "--origins", "null"])
        self.assertEqual(read, plain.chosen)
        self.assertIsInstance(read.daemon.max_starts_per_address, Unset)
        self.assertEqual(tomllib.loads(out)["port"], 5)

    def test_password_in_an_address(self) -> None:
        """A password that stands in an address is masked, too."""
        url = "http://ann:very-secret@signer.example"
        _, out, _ = self.ended("--check-config", "--tiktok-signer-url", url)
        self.assertIn('tiktok-signer-url = "http://***@signer.example"', out)

    def test_warnings(self) -> None:
        """What has no effect is said on stderr."""
        code, _, err = self.ended("--check-config", LIVECHAT_POTR="1", LIVECHAT_DEMO_RATE="5")
        self.assertEqual(code, 0)
        self.assertEqual(
            err,
            "livechat: warning: LIVECHAT_DEMO_RATE has no effect: --demo is not given\n"
            "livechat: warning: 'LIVECHAT_POTR' is no variable of livechat; did you mean PORT?\n",
        )

    def test_wrong(self) -> None:
        """A wrong choice is said, and nothing else."""
        code, out, err = self.ended("--check-config", "--port", "x")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("--port must be", err)
