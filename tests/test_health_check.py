# SPDX-License-Identifier: MIT
"""`livechat health` asks the daemon wherever its options make it listen."""

from __future__ import annotations

import signal
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from livechat.health_check import Target, daemon_arguments, target
from tests.support.certificates import Authority
from tests.support.program import COMMAND, Program, run
from tests.support.sockets import kept_port


class TargetTests(SynchronousTestCase):
    """Where the server of an endpoint string can be asked."""

    def test_all(self) -> None:
        """Every kind that the documentation names, and what cannot be known."""
        for description, expected in (
            ("tcp:3000", Target("127.0.0.1", 3000)),
            ("tcp:3000:interface=0.0.0.0", Target("127.0.0.1", 3000)),
            ("tcp:port=3000:interface=10.0.0.7:backlog=9", Target("10.0.0.7", 3000)),
            ("tcp6:3000", Target("::1", 3000)),
            (r"tcp6:3000:interface=\:\:", Target("::1", 3000)),
            (r"tcp6:3000:interface=fd00\:\:7", Target("fd00::7", 3000)),
            ("ssl:443:privateKey=k:certKey=c", Target("127.0.0.1", 443, tls=True)),
            ("unix:/run/livechat.sock:mode=660", Target(path="/run/livechat.sock")),
            (r"unix:/run/a\:b", Target(path="/run/a:b")),
            ("tcp:0", None),
            ("tcp:http", None),
            ("systemd:domain=INET:index=0", None),
            ("unix:", None),
            ("", None),
        ):
            self.assertEqual(target(description), expected, description)


class ContainerTests(SynchronousTestCase):
    """The options of a container's first process."""

    def test_all(self) -> None:
        """Started by either name, with an init before it or without, or another program."""
        for line, expected in (
            (b"python\0/bin/twistd\0--pidfile=\0livechat\0--port\x008\0", "--port 8"),
            (b"/opt/livechat/bin/python\0/opt/livechat/bin/livechat\0--demo\0", "--demo"),
            (b"/sbin/docker-init\0--\0twistd\0-n\0livechat\0--port=1\0", "--port=1"),
            (b"python\0-m\0livechat\0", ""),
            (b"/sbin/init\0splash\0", ""),
            (b"", ""),
        ):
            self.assertEqual(daemon_arguments(line), expected.split(), line)


class CommandTests(SynchronousTestCase):
    """The command beside a running daemon."""

    def setUp(self) -> None:
        """A directory for its files, with a short name: a socket's address may not be long."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()
        self.port = kept_port(self)

    def check(self, *options: str, **variables: str) -> None:
        """Healthy while it runs; not so afterwards."""
        program = Program(self, self.directory, *COMMAND, *options, **variables)
        program.until("listening on")
        done = run(self.directory, *COMMAND, "health", *options, **variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn('"status":"ok"', done.stdout)
        program.send(signal.SIGTERM)
        program.ended()
        done = run(self.directory, *COMMAND, "health", *options, **variables)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Alivechat: no answer on .+\n\Z")

    def test_port(self) -> None:
        """By the variable that containers use."""
        self.check(PORT=str(self.port))

    def test_tls(self) -> None:
        """A TLS port, whose certificate is for another name than this machine's own address."""
        authority = Authority(self.directory)
        authority.give_out()
        files = f"privateKey={authority.key}:certKey={authority.certificate}"
        self.check(f"--listen=ssl:{self.port}:interface=127.0.0.1:{files}")

    def test_unix(self) -> None:
        """A UNIX socket."""
        # Relative: the address of a socket has room for some hundred bytes only.
        self.check("--listen=unix:socket")

    def test_unknown(self) -> None:
        """A port that only the daemon's log knows, and options that are wrong."""
        done = run(self.directory, *COMMAND, "health", "--port=0")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "livechat: no address for a request in tcp:0\n")
        done = run(self.directory, *COMMAND, "health", "--port=x")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--port must be", done.stderr)
