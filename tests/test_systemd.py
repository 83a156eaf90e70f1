# SPDX-License-Identifier: MIT
"""The daemon under systemd: signs of life, passed sockets, the units, the environment file."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from livechat.command_line import declared_options
from livechat.environment_file import environment_file
from livechat.platforms.description import installed
from livechat.systemd import STATUS_EVERY, Notifier
from tests.support.daemon import PATIENCE, Client, Daemon
from tests.support.golden import rewriting

ROOT = Path(__file__).resolve().parents[1]
UNITS = ROOT / "packaging" / "systemd"

#: Becomes the daemon; the number of the process, which systemd names, is known only inside of it.
LAUNCHER = """
import os, sys
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "livechat", *sys.argv[1:]])
"""


class NotifyCase(TestCase):
    """A stand-in for systemd: a socket that takes what it is told."""

    def setUp(self) -> None:
        """Listen."""
        directory = mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        self.address = f"{directory}/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(self.address)
        self.socket.settimeout(PATIENCE)

    def told(self) -> list[str]:
        """What has been said and not been read yet, each name with its value."""
        self.socket.setblocking(False)
        lines: list[str] = []
        try:
            while True:
                lines += self.socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            self.socket.settimeout(PATIENCE)
            return lines

    async def until(self, line: str) -> list[str]:
        """Read on until this is said; what was said before it."""
        before: list[str] = []
        while True:
            told = (await deferToThread(self.socket.recv, 4096)).decode().split("\n")
            if line in told:
                return before
            before += told


class NotifierTests(NotifyCase):
    """What is said, on a clock of our own."""

    def notifier(self, **environ: str) -> Notifier:
        """One for this environment."""
        self.clock = Clock()
        named = {"NOTIFY_SOCKET": self.address, **environ}
        return Notifier.of(self.clock, named, 7, lambda: "2 chats")

    def test_life(self) -> None:
        """Ready, signs of life at half of the period, reading again, stopping, the end."""
        notifier = self.notifier(WATCHDOG_USEC="30000000")
        self.assertEqual(self.told(), [])
        notifier.ready()
        self.assertEqual(self.told(), ["READY=1", "WATCHDOG=1", "STATUS=2 chats"])
        self.clock.advance(14.9)
        self.assertEqual(self.told(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.told(), ["WATCHDOG=1", "STATUS=2 chats"])
        notifier.reloading()
        notifier.ready()
        self.assertEqual(self.told(), ["RELOADING=1", "READY=1"])
        notifier.stopping()
        self.clock.advance(15)
        self.assertEqual(self.told(), ["STOPPING=1", "WATCHDOG=1", "STATUS=2 chats"])
        notifier.stopped()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_watchdog(self) -> None:
        """Without a watchdog, or with another process's, only the status is told now and then."""
        for environ in ({}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}):
            notifier = self.notifier(**environ)
            notifier.ready()
            self.clock.advance(STATUS_EVERY)
            self.assertEqual(self.told(), ["READY=1", "STATUS=2 chats", "STATUS=2 chats"])
            notifier.stopped()

    def test_odd_period(self) -> None:
        """A period that is no number is none."""
        self.assertEqual(self.notifier(WATCHDOG_USEC="soon").period, STATUS_EVERY)

    def test_nobody(self) -> None:
        """Elsewhere nothing is sent and nothing waits on the clock."""
        clock = Clock()
        notifier = Notifier.of(clock, {}, 7, lambda: "")
        for say in (notifier.ready, notifier.reloading, notifier.stopping, notifier.stopped):
            say()
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_nameless(self) -> None:
        """An address that begins with `@` has no file."""
        name = f"livechat-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(f"\0{name}")
            listening.settimeout(PATIENCE)
            notifier = Notifier.of(Clock(), {"NOTIFY_SOCKET": f"@{name}"}, 7, lambda: "")
            notifier.stopping()
            self.assertEqual(listening.recv(100), b"STOPPING=1")

    def test_gone(self) -> None:
        """A systemd that does not listen any more costs nothing but a line in the log."""
        os.remove(self.address)
        notifier = self.notifier()
        notifier.ready()
        notifier.stopped()


class ActivatedCase(NotifyCase):
    """Daemons on a socket that the test has opened, one after the other."""

    def setUp(self) -> None:
        """Open the port."""
        super().setUp()
        self.port = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.addCleanup(self.port.close)
        self.number = self.port.getsockname()[1]

    def start(self, *options: str) -> Daemon:
        """Start the next one, as systemd does."""
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LIVECHAT_") and name not in ("PORT", "STATS_STORAGE")
        }
        environ |= {
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "NOTIFY_SOCKET": self.address,
            "WATCHDOG_USEC": "1000000",
            "LISTEN_FDS": "1",
            "LISTEN_FDNAMES": "livechat.socket",
        }
        daemon = Daemon()
        daemon.listening.addErrback(lambda _: None)
        reactor.spawnProcess(
            daemon,
            sys.executable,
            [sys.executable, "-c", LAUNCHER, "--demo", *options],
            env=environ,
            path="/",
            childFDs={0: "w", 1: "r", 2: "r", 3: self.port.fileno()},
        )
        self.addCleanup(self.ended, daemon)
        return daemon

    def ended(self, daemon: Daemon) -> Deferred[int | str]:
        """It has ended, whatever it did before."""
        daemon.kill()
        return daemon.ended


class ActivationTests(ActivatedCase):
    """The whole daemon."""

    async def test_life(self) -> None:
        """It is ready when it listens, gives signs of life, reads again, and says that it stops."""
        daemon = self.start()
        await self.until("READY=1")
        self.assertIn(f"port={self.number}", daemon.log)
        client = await Client.open(self.number)
        await client.send(type="subscribe", platform="twitch", identifier="demo")
        await client.until("started")
        await self.until("STATUS=1 chats, 1 clients")
        await self.until("WATCHDOG=1")
        assert daemon.transport is not None
        daemon.transport.signalProcess("HUP")
        await self.until("RELOADING=1")
        await self.until("READY=1")
        daemon.terminate()
        await self.until("STOPPING=1")
        self.assertEqual(await client.closed_with(), 1001)
        await daemon.ended

    async def test_restarts(self) -> None:
        """While it is restarted no client is refused: those who come wait for the next one."""
        daemon = self.start()
        await self.until("READY=1")
        outcomes: list[str] = []
        running = True

        async def come_and_go() -> None:
            while running:
                try:
                    client = await Client.open(self.number)
                    await client.close()
                    outcomes.append("opened")
                except Exception as error:
                    outcomes.append(repr(error))

        clients = [Deferred.fromCoroutine(come_and_go()) for _ in range(4)]
        for _ in range(6):
            stopped = daemon.terminate()
            await self.until("STOPPING=1")
            # Systemd starts the next one when this one has ended.
            await stopped
            daemon = self.start()
            await self.until("READY=1")
            await Client.open(self.number)
        running = False
        for client in clients:
            await client
        self.assertEqual(set(outcomes), {"opened"})
        self.assertGreater(len(outcomes), 8)

    async def test_no_listening_socket(self) -> None:
        """A passed descriptor that is no listening socket is one line and exit code 1."""
        with socket.socket() as idle:
            self.port = idle
            daemon = self.start()
            self.assertEqual(await daemon.ended, 1)
        self.assertIn("livechat: the passed socket 3 does not listen\n", daemon.log)


class UnitTests(SynchronousTestCase):
    """The units and the environment file."""

    def analyze(self, *words: str | Path) -> str:
        """What `systemd-analyze` says."""
        program = shutil.which("systemd-analyze")
        if program is None:
            raise SkipTest("systemd-analyze is not installed")
        done = subprocess.run(
            [program, *words],
            check=False,
            timeout=PATIENCE,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_valid(self) -> None:
        """Systemd finds nothing wrong with the units."""
        directory = Path(mkdtemp())
        self.addCleanup(shutil.rmtree, directory)
        text = (UNITS / "livechat.service").read_text()
        # The command must exist on the machine that looks at it.
        text = text.replace("/opt/livechat/bin/livechat", sys.executable)
        (directory / "livechat.service").write_text(text)
        shutil.copy(UNITS / "livechat.socket", directory)
        found = self.analyze(
            "verify", directory / "livechat.service", directory / "livechat.socket"
        )
        self.assertEqual(found, "")

    def test_exposure(self) -> None:
        """The service may do so little that systemd's own measure says at most 2.0."""
        found = self.analyze("security", "--offline=true", UNITS / "livechat.service")
        level = re.search(r"Overall exposure level for livechat.service: ([0-9.]+)", found)
        assert level is not None
        self.assertLessEqual(float(level[1]), 2.0)

    def test_environment(self) -> None:
        """The environment file names every variable, with its default."""
        path = UNITS / "livechat.env"
        text = environment_file(declared_options(installed()))
        if rewriting():
            path.write_text(text)
        self.assertEqual(path.read_text(), text)
