# SPDX-License-Identifier: MIT
"""A stand-in for systemd: it holds a port, passes it to daemons, and hears how they are."""

from __future__ import annotations

import shutil
import socket
import sys
from tempfile import mkdtemp
from typing import Any

from twisted.internet.threads import deferToThread

from tests.support.daemon import PATIENCE, Daemon
from tests.support.program import environment

#: Becomes the daemon; the number of the process, which systemd names, is known only inside of it.
_LAUNCHER = """
import os, sys
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "livechat", *sys.argv[1:]])
"""


class Notified:
    """A socket that takes what a daemon says of itself.

    :ivar address: its path.
    """

    def __init__(self) -> None:
        self._directory = mkdtemp()
        self.address = f"{self._directory}/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
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

    def close(self) -> None:
        """Listen no more."""
        self.socket.close()
        shutil.rmtree(self._directory)


class Activation(Notified):
    """Daemons on one port, one after the other.

    :ivar number: of the port.
    :ivar admin: the path of a socket that is passed under the name `admin`; empty: there is none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.port = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.number: int = self.port.getsockname()[1]
        self.admin = ""
        self._passed = {"livechat.socket": self.port}

    def open_admin(self) -> None:
        """Open a UNIX socket for operators, too."""
        self.admin = f"{self._directory}/admin.sock"
        made = self._passed["admin"] = socket.socket(socket.AF_UNIX)
        made.bind(self.admin)
        made.listen()

    def passes(self, other: socket.socket) -> None:
        """Pass this in place of the port."""
        self.port.close()
        self.port = self._passed["livechat.socket"] = other

    def start(self, reactor: Any, *options: str) -> Daemon:
        """Start the next one, as systemd does."""
        daemon = Daemon()
        daemon.listening.addErrback(lambda _: None)
        passed = {3 + index: one.fileno() for index, one in enumerate(self._passed.values())}
        reactor.spawnProcess(
            daemon,
            sys.executable,
            [sys.executable, "-c", _LAUNCHER, *options],
            env=environment(
                {
                    "NOTIFY_SOCKET": self.address,
                    "WATCHDOG_USEC": "1000000",
                    "LISTEN_FDS": str(len(self._passed)),
                    "LISTEN_FDNAMES": ":".join(self._passed),
                }
            ),
            path="/",
            childFDs={0: "w", 1: "r", 2: "r", **passed},
        )
        return daemon

    async def restart(self, reactor: Any, daemon: Daemon, *options: str) -> Daemon:
        """Stop one, and start the next when it has ended."""
        # The system keeps few datagrams that nobody reads, and drops what comes then.
        self.told()
        stopped = daemon.terminate()
        await self.until("STOPPING=1")
        await stopped
        next_one = self.start(reactor, *options)
        await self.until("READY=1")
        return next_one

    def close(self) -> None:
        """Give the ports up."""
        for one in self._passed.values():
            one.close()
        super().close()
