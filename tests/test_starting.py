# SPDX-License-Identifier: MIT
"""Every way of starting the daemon: it serves, or says in one line why it cannot."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support.program import (
    BACKGROUND,
    COMMAND,
    PATIENCE,
    TWIST,
    TWISTD,
    Program,
    get,
    run,
)
from tests.support.sockets import kept_port

TOKEN = "a" * 16


class StartCase(SynchronousTestCase):
    """A directory to start in, and ports."""

    def setUp(self) -> None:
        """An empty directory."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def taken_port(self, host: str = "") -> int:
        """A port on which somebody else listens."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        taken = socket.create_server((host, 0), family=family)
        self.addCleanup(taken.close)
        number: int = taken.getsockname()[1]
        return number


class TakenPortTests(StartCase):
    """A taken port is one line on stderr and exit code 1; no process and no pid file stay."""

    def refused(self, sentence: str, *command: str) -> None:
        """The command fails with this sentence."""
        done = run(self.directory, *command)
        self.assertEqual((done.returncode, done.stderr), (1, f"livechat: {sentence}\n"))
        self.assertEqual(done.stdout, "")
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_command(self) -> None:
        """`livechat`."""
        port = self.taken_port()
        sentence = f"cannot listen on port {port}: Address already in use"
        self.refused(sentence, *COMMAND, f"--port={port}")

    def test_foreground(self) -> None:
        """`twistd --nodaemon livechat`."""
        where = f"tcp:{self.taken_port('127.0.0.1')}:interface=127.0.0.1"
        sentence = f"cannot listen on {where}: Address already in use"
        self.refused(sentence, *TWISTD, f"--listen={where}")

    def test_background(self) -> None:
        """`twistd livechat`: the command itself fails, there is no background to look into."""
        port = self.taken_port()
        sentence = f"cannot listen on port {port}: Address already in use"
        self.refused(sentence, *BACKGROUND, f"--port={port}")

    def test_twist(self) -> None:
        """`twist livechat`."""
        port = self.taken_port()
        sentence = f"cannot listen on port {port}: Address already in use"
        self.refused(sentence, *TWIST, f"--port={port}")

    def test_socket_of_another_in_the_background(self) -> None:
        """A UNIX socket stays with the daemon that listens on it, and goes with it."""
        command = (*BACKGROUND[:-1], "--pidfile=first.pid", "--logfile=first.log", BACKGROUND[-1])
        done = run(self.directory, *command, "--listen=unix:chat.sock")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        watched = os.pidfd_open(int((self.directory / "first.pid").read_text()))
        self.addCleanup(os.close, watched)
        try:
            # In the foreground, where it could not outlive the test.
            second = run(self.directory, *TWISTD, "--listen=unix:chat.sock")
        finally:
            signal.pidfd_send_signal(watched, signal.SIGTERM)
        line = "livechat: cannot listen on unix:chat.sock: Cannot acquire lock\n"
        self.assertEqual((second.returncode, second.stderr), (1, line))
        self.assertEqual(select.select([watched], [], [], PATIENCE)[0], [watched])
        self.assertEqual([file.name for file in self.directory.iterdir()], ["first.log"])

    def test_second_port(self) -> None:
        """One of several ports is enough."""
        where = f"tcp:{self.taken_port('127.0.0.1')}:interface=127.0.0.1"
        listen = ("--listen=tcp:0:interface=127.0.0.1", f"--listen={where}")
        sentence = f"cannot listen on {where}: Address already in use"
        self.refused(sentence, *BACKGROUND, *listen)

    def test_intake(self) -> None:
        """The TikTok intake's port is no less a port."""
        where = f"tcp:{self.taken_port('127.0.0.1')}:interface=127.0.0.1"
        more = (f"--tiktok-intake={where}", f"--tiktok-intake-token={TOKEN}")
        sentence = f"cannot listen on {where}: Address already in use"
        self.refused(sentence, *BACKGROUND, "--listen=tcp:0:interface=127.0.0.1", *more)


class SimulatorTests(StartCase):
    """The simulator is a service of its own, and is started in the same ways."""

    def test_background(self) -> None:
        """A taken port is one line on stderr and exit code 1."""
        port = self.taken_port("127.0.0.1")
        command = (*BACKGROUND[:-1], "livechat-simulator", "--twitch-irc-port=0")
        done = run(self.directory, *command, f"--http-port={port}")
        line = f"livechat-simulator: cannot listen on port {port}: Address already in use\n"
        self.assertEqual((done.returncode, done.stderr, done.stdout), (1, line, ""))
        self.assertEqual(list(self.directory.iterdir()), [])


class WayTests(StartCase):
    """Each way of starting serves, and stops when it is told to."""

    def check_foreground(self, *command: str) -> Program:
        """It answers and ends by SIGTERM, without a traceback and without leaving files."""
        program = Program(self, self.directory, *command, "--port=0")
        line = program.until("listening on IPv4")
        found = re.search(r"port=(\d+)", line)
        assert found
        self.assertIn('"status":"ok"', get(int(found[1])))
        program.send(signal.SIGTERM)
        self.assertIn(program.ended(), (0, -signal.SIGTERM))
        self.assertNotIn("Traceback", program.log)
        self.assertEqual(list(self.directory.iterdir()), [])
        return program

    def test_command(self) -> None:
        """`livechat`."""
        self.check_foreground(*COMMAND)

    def test_foreground(self) -> None:
        """`twistd --nodaemon livechat`."""
        self.check_foreground(*TWISTD)

    def test_twist(self) -> None:
        """`twist livechat`."""
        self.check_foreground(*TWIST)

    def test_background(self) -> None:
        """`twistd livechat` returns when it serves; the process that the pid file names does."""
        self.check_background(*BACKGROUND)

    def test_background_asyncio(self) -> None:
        """So it is with the other reactor that the documentation names."""
        self.check_background(*BACKGROUND[:-1], "--reactor=asyncio", BACKGROUND[-1])

    def check_background(self, *command: str) -> None:
        """It serves in the background, ends by SIGTERM, and its pid file goes with it."""
        port = kept_port(self)
        done = run(self.directory, *command, f"--listen=tcp:{port}:interface=127.0.0.1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        pid = int((self.directory / "twistd.pid").read_text())
        watched = os.pidfd_open(pid)
        self.addCleanup(os.close, watched)
        try:
            self.assertIn('"status":"ok"', get(port))
        finally:
            os.kill(pid, signal.SIGTERM)
        ended, _, _ = select.select([watched], [], [], PATIENCE)
        self.assertEqual(ended, [watched])
        log = (self.directory / "twistd.log").read_text()
        self.assertIn("stopped", log)
        self.assertNotIn("Traceback", log)
        self.assertFalse((self.directory / "twistd.pid").exists())
