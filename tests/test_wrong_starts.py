# SPDX-License-Identifier: MIT
"""Wrong starts: each is one line that says what to do, exit code 1, no traceback and no secret."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from livechat.command_line import Options
from tests.support.certificates import Authority
from tests.support.program import COMMAND, TWISTD, run

#: What stands in wrong values and must never be shown.
SECRET = "Hush1234567890"

#: Options, environment, and what the line must hold: the name of what is wrong, and why.
WRONG: Sequence[tuple[Sequence[str], Mapping[str, str], Sequence[str]]] = (
    (["--port=70000"], {}, ["--port must be", "65535"]),
    (["--port=http"], {}, ["--port must be", "'http'"]),
    (["--port"], {}, ["port", "argument"]),
    ([], {"PORT": "3000x"}, ["PORT must be"]),
    (["--prot=3000"], {}, ["prot"]),
    (["3000"], {}, ["'3000' is one word too many"]),
    (["--listen=3000"], {}, ["--listen must be an endpoint string"]),
    (["--admin-listen=9090"], {}, ["--admin-listen must be an endpoint string"]),
    (["--stats-storage=file"], {}, ["--stats-storage must be memory or redis"]),
    (["--stats-storage=redis"], {}, ["needs --redis-url", "REDIS_URL"]),
    (["--broker=redis"], {}, ["--redis-url"]),
    (["--broker=kafka"], {}, ["--broker must be"]),
    ([f"--redis-url=http://ann:{SECRET}@host"], {}, ["--redis-url"]),
    ([], {"REDIS_URL": f"redis://ann:{SECRET}@host:port/0"}, ["REDIS_URL"]),
    (["--linger=-1"], {}, ["--linger must be a number from 0"]),
    (["--linger=soon"], {}, ["--linger must be a number"]),
    (["--max-channels=0"], {}, ["--max-channels must be a whole number from 1"]),
    (["--coalesce=5000"], {}, ["--coalesce must be", "1000"]),
    (["--no-compression=yes"], {}, ["no-compression"]),
    ([], {"LIVECHAT_NO_COMPRESSION": "maybe"}, ["LIVECHAT_NO_COMPRESSION must be 1 or 0"]),
    (["--origins="], {}, ["--origins must be an origin"]),
    (["--trusted-proxies=10.0.0.0/33"], {}, ["--trusted-proxies must be an address or a network"]),
    (["--log-format=xml"], {}, ["--log-format must be text or json"]),
    ([], {"LIVECHAT_LOG_LEVEL": "loud"}, ["LIVECHAT_LOG_LEVEL must be debug"]),
    (["--youtube-url=ftp://x"], {}, ["--youtube-url must be a URL"]),
    (["--twitch-gql-url=localhost"], {}, ["--twitch-gql-url must be a URL"]),
    (["--tiktok-transport=signer"], {}, ["--tiktok-signer-url"]),
    (["--tiktok-intake=tcp:0"], {}, ["--tiktok-intake-token"]),
    (["--tiktok-intake=tcp:0", "--tiktok-intake-token=Hush12345"], {}, ["--tiktok-intake-token"]),
    (["--config=/nonexistent.toml"], {}, ["/nonexistent.toml cannot be read", "No such file"]),
    ([], {"LIVECHAT_CONFIG": "/"}, ["/ cannot be read"]),
)

#: Lines of a configuration file, and what is said of them.
WRONG_FILES: Mapping[str, Sequence[str]] = {
    "port 3000": ["is not TOML"],
    "prot = 3000": ["prot is no option", "did you mean port?"],
    "[twitch]\nirk = 'tcp:x:1'": ["twitch-irk", "twitch-irc"],
    "port = 3000.5": ["port in", "must be a whole number"],
    "origins = [{}]": ["origins in", "must be"],
    f"redis-url = 'ftp://ann:{SECRET}@x'": ["redis-url in"],
}


class WrongCase(SynchronousTestCase):
    """One line."""

    def check(self, line: str, code: object, said: Sequence[str]) -> None:
        """It is one line that says so, without a secret or a traceback."""
        self.assertEqual(code, 1, line)
        self.assertRegex(line, r"\Alivechat: [^\n]{5,1000}\n\Z")
        for words in said:
            self.assertIn(words, line)
        self.assertNotIn(SECRET, line)
        self.assertNotIn("Hush12345", line)
        self.assertNotIn("Traceback", line)


class OptionTests(WrongCase):
    """Values, combinations and files, as the parser of the options finds them."""

    def refused(
        self, words: Sequence[str], environ: Mapping[str, str], said: Sequence[str]
    ) -> None:
        """The options end the start."""
        errors, out = io.StringIO(), io.StringIO()
        self.patch(sys, "stderr", errors)
        self.patch(sys, "stdout", out)
        end = self.assertRaises(SystemExit, Options(environ).parseOptions, list(words))
        self.check(errors.getvalue(), end.code, said)
        self.assertEqual(out.getvalue(), "")

    def test_options(self) -> None:
        """Each wrong value, word and combination."""
        for words, environ, said in WRONG:
            self.refused(words, environ, said)

    def test_files(self) -> None:
        """Each wrong configuration file."""
        path = Path(self.mktemp())
        for text, said in WRONG_FILES.items():
            path.write_text(text)
            self.refused([f"--config={path}"], {}, said)


class ProcessTests(WrongCase):
    """What only a start finds: ports, certificates, files."""

    def setUp(self) -> None:
        """A directory."""
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()

    def refused(self, said: Sequence[str], *options: str, before: Sequence[str] = ()) -> None:
        """The daemon does not start."""
        command = [*TWISTD[:-1], *before, TWISTD[-1]] if before else COMMAND
        done = run(self.directory, *command, *options)
        self.check(done.stderr, done.returncode, said)
        self.assertEqual(done.stdout, "")

    def test_ports(self) -> None:
        """A port that is taken, of another machine, of no kind, or that nobody passed."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        where = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        free = "--listen=tcp:0:interface=127.0.0.1"
        self.refused([where, "Address already in use"], f"--listen={where}")
        self.refused([where, "Address already in use"], free, f"--admin-listen={where}")
        self.refused(["203.0.113.9", "assign"], "--listen=tcp:0:interface=203.0.113.9")
        self.refused(["nosuch:1"], "--listen=nosuch:1")
        self.refused(["systemd has passed no such socket"], "--listen=systemd:domain=INET:index=0")
        self.refused(["No such file"], "--listen=unix:/nonexistent/livechat.sock")

    def test_certificates(self) -> None:
        """A key that is not there, a file that is none, a key of another certificate."""
        ours = Authority(self.directory)
        ours.give_out()
        certificate = self.directory / "first.pem"
        certificate.write_bytes(ours.certificate.read_bytes())
        ours.give_out()
        none = self.directory / "none.pem"
        none.write_text(SECRET)
        for key, said in (
            (self.directory / "absent.pem", "No such file"),
            (none, "not a certificate and its key in PEM format"),
            (ours.key, "public and private key"),
        ):
            files = f"privateKey={key}:certKey={certificate}"
            self.refused([said], f"--listen=ssl:0:interface=127.0.0.1:{files}")

    def test_files(self) -> None:
        """Tokens that are not there, are no text or are wrong; a log that cannot be written."""
        tokens = self.directory / "tokens"
        listen = "--listen=tcp:0:interface=127.0.0.1"
        self.refused(["--tokens", "No such file"], listen, f"--tokens={tokens}")
        for text, said in (
            (b"\xff\xfe", "is not text"),
            (f"{SECRET} reed".encode(), "line 1: a scope is"),
            (f"ok-1234567\n{SECRET} clients=many".encode(), "line 2: a limit is"),
        ):
            tokens.write_bytes(text)
            self.refused(["--tokens", said], listen, f"--tokens={tokens}")
        log = "--logfile=/nonexistent/x.log"
        self.refused(["--logfile /nonexistent/x.log: No such file"], listen, before=[log])
        self.refused(["--twitch-irc"], listen, "--twitch-irc=nosuch:endpoint")
