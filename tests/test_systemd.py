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
from tests.support.systemd import Activation, Notified

ROOT = Path(__file__).resolve().parents[1]
UNITS = ROOT / "packaging" / "systemd"


class NotifierTests(SynchronousTestCase):
    """What is said, on a clock of our own."""

    def setUp(self) -> None:
        """Listen."""
        self.systemd = Notified()
        self.addCleanup(self.systemd.close)

    def notifier(self, **environ: str) -> Notifier:
        """One for this environment."""
        self.clock = Clock()
        named = {"NOTIFY_SOCKET": self.systemd.address, **environ}
        return Notifier.of(self.clock, named, 7, lambda: "2 chats")

    def test_life(self) -> None:
        """Ready, signs of life at half of the period, reading again, stopping, the end."""
        notifier = self.notifier(WATCHDOG_USEC="30000000")
        self.assertEqual(self.systemd.told(), [])
        notifier.ready()
        self.assertEqual(self.systemd.told(), ["READY=1", "WATCHDOG=1", "STATUS=2 chats"])
        self.clock.advance(14.9)
        self.assertEqual(self.systemd.told(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.systemd.told(), ["WATCHDOG=1", "STATUS=2 chats"])
        notifier.reloading()
        notifier.ready()
        self.assertEqual(self.systemd.told(), ["RELOADING=1", "READY=1"])
        notifier.stopping()
        self.clock.advance(15)
        self.assertEqual(self.systemd.told(), ["STOPPING=1", "WATCHDOG=1", "STATUS=2 chats"])
        notifier.stopped()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_watchdog(self) -> None:
        """Without a watchdog, or with another process's, only the status is told now and then."""
        for environ in ({}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}):
            notifier = self.notifier(**environ)
            notifier.ready()
            self.clock.advance(STATUS_EVERY)
            self.assertEqual(self.systemd.told(), ["READY=1", "STATUS=2 chats", "STATUS=2 chats"])
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
        os.remove(self.systemd.address)
        notifier = self.notifier()
        notifier.ready()
        notifier.stopped()


class ActivatedCase(TestCase):
    """Daemons on a socket that the test has opened, one after the other."""

    def setUp(self) -> None:
        """Open the port."""
        self.systemd = Activation()
        self.addCleanup(self.systemd.close)

    def start(self, *options: str) -> Daemon:
        """Start the next one."""
        daemon = self.systemd.start(reactor, "--demo", *options)
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
        await self.systemd.until("READY=1")
        self.assertIn(f"port={self.systemd.number}", daemon.log)
        client = await Client.open(self.systemd.number)
        await client.send(type="subscribe", platform="twitch", identifier="demo")
        await client.until("started")
        await self.systemd.until("STATUS=1 chats, 1 clients")
        await self.systemd.until("WATCHDOG=1")
        assert daemon.transport is not None
        daemon.transport.signalProcess("HUP")
        await self.systemd.until("RELOADING=1")
        await self.systemd.until("READY=1")
        daemon.terminate()
        await self.systemd.until("STOPPING=1")
        self.assertEqual(await client.closed_with(), 1001)
        await daemon.ended

    async def test_restarts(self) -> None:
        """While it is restarted no client is refused: those who come wait for the next one."""
        daemon = self.start()
        await self.systemd.until("READY=1")
        outcomes: list[str] = []
        running = True

        async def come_and_go() -> None:
            while running:
                try:
                    client = await Client.open(self.systemd.number)
                    await client.close()
                    outcomes.append("opened")
                except Exception as error:
                    outcomes.append(repr(error))

        clients = [Deferred.fromCoroutine(come_and_go()) for _ in range(4)]
        for _ in range(6):
            # What nobody reads fills the socket, and what comes then is dropped.
            self.systemd.told()
            stopped = daemon.terminate()
            await self.systemd.until("STOPPING=1")
            # Systemd starts the next one when this one has ended.
            await stopped
            daemon = self.start()
            await self.systemd.until("READY=1")
            await Client.open(self.systemd.number)
        running = False
        for client in clients:
            await client
        self.assertEqual(set(outcomes), {"opened"})
        self.assertGreater(len(outcomes), 8)

    async def test_no_listening_socket(self) -> None:
        """A passed descriptor that is no listening socket is one line and exit code 1."""
        with socket.socket() as idle:
            self.systemd.passes(idle)
            daemon = self.start()
            self.assertEqual(await daemon.ended, 1)
        self.assertIn("livechat: the passed socket 3 does not listen\n", daemon.log)

    async def test_admin_socket(self) -> None:
        """A passed socket of the name `admin` is for operators, through restarts, too."""
        self.systemd.open_admin()
        daemon = self.start()
        await self.systemd.until("READY=1")
        await self.is_apart()
        daemon = await self.systemd.restart(reactor, daemon, "--demo")
        self.addCleanup(self.ended, daemon)
        await self.is_apart()
        self.assertIn("port for operators on UNIXAddress", daemon.log)

    async def is_apart(self) -> None:
        """Metrics are on the socket for operators only, and the page of clients is not there."""
        found = [
            await deferToThread(status_of, where, path)
            for where in (self.systemd.admin, self.systemd.number)
            for path in ("/metrics", "/health", "/test")
        ]
        self.assertEqual(found, [200, 200, 404, 404, 200, 200])


def status_of(where: str | int, path: str) -> int:
    """The HTTP status of a page.

    :param where: the path of a UNIX socket, or a number of a port.
    """
    with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as client:
        client.settimeout(PATIENCE)
        client.connect(where if isinstance(where, str) else ("127.0.0.1", where))
        client.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        return int(client.makefile("rb").readline().split()[1])


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
        for name in ("livechat.service", "livechat@.service"):
            text = (UNITS / name).read_text()
            # The command must exist on the machine that looks at it.
            text = text.replace("/opt/livechat/bin/livechat", sys.executable)
            (directory / name).write_text(text)
        shutil.copy(UNITS / "livechat.socket", directory)
        names = ("livechat.service", "livechat.socket", "livechat@.service")
        self.assertEqual(self.analyze("verify", *(directory / name for name in names)), "")

    def test_template(self) -> None:
        """A node of several is run like one that is alone, but for its port and its names."""
        alone, several = (
            (UNITS / name).read_text().splitlines()
            for name in ("livechat.service", "livechat@.service")
        )
        options = [line.split("=")[0] for line in several if line not in alone and "=" in line]
        self.assertEqual(options, ["Description", "After", "ExecStart", "User"])
        self.assertEqual(len(set(alone) - set(several)), 4)

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
