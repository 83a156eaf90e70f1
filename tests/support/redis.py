# SPDX-License-Identifier: MIT
"""A real redis-server on a free loopback port, and what can happen to one.

It is stopped, continued and killed by its own pid only; its files are in a directory of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from tests.support.sockets import number_of, reserved

#: Seconds that a server may take to answer.
PATIENCE = 20.0


def require_redis() -> None:
    """Skip the test where there is no server, unless it is demanded."""
    if shutil.which("redis-server") is None and os.environ.get("LIVECHAT_REQUIRE_REDIS") != "1":
        raise SkipTest("redis-server is not installed")


class RedisServer:
    """One server, not yet started.

    :ivar port: the same for all its lives.
    :ivar directory: where its files are.
    """

    def __init__(self, *options: str) -> None:
        require_redis()
        self._held = reserved()
        self.port = number_of(self._held)
        self._options = options
        self.directory = tempfile.mkdtemp(prefix="livechat-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How a daemon is told of it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def launch(self, *options: str) -> None:
        """Start it; more options may follow those that it was made with."""
        assert self._process is None
        arguments = [
            "redis-server",
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory),
            *("--save", "", "--appendonly", "no", "--loglevel", "warning"),
            *self._options,
            *options,
        ]
        log = Path(self.directory, "log").open("ab")  # noqa: SIM115 - the server's from now on
        with log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log)

    async def start(self, reactor: Any, *options: str) -> None:
        """Start it and wait until it answers, whatever it answers."""
        self.launch(*options)
        await self.come_true(reactor, self.answers)

    async def come_true(self, reactor: Any, what: Callable[[], bool]) -> None:
        """Wait, bounded."""
        for _ in range(int(PATIENCE / 0.02)):
            if what():
                return
            await deferLater(reactor, 0.02)
        raise AssertionError(f"redis-server: {Path(self.directory, 'log').read_text()}")

    def answers(self) -> bool:
        """Whether it answers at all."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return bool(connection.recv(1))
        except OSError:
            return False

    def command(self, *arguments: str | bytes, database: int = 0) -> Any:
        """Send one command on a connection of its own, blocking; its decoded answer."""
        parts = [a.encode() if isinstance(a, str) else a for a in arguments]
        sent = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(b"SELECT %d\r\n" % database + sent)
            with connection.makefile("rb") as answer:
                _read(answer)
                return _read(answer)

    def key_names(self) -> list[str]:
        """Every key there is."""
        return sorted(key.decode() for key in self.command("KEYS", "*"))

    def pause(self) -> None:
        """Make it hang."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Make it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, losing what it did not save."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def close(self) -> None:
        """End it and remove its files."""
        self.kill()
        self._held.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def _read(answer: Any) -> Any:
    line = answer.readline().rstrip(b"\r\n")
    mark, rest = line[:1], line[1:]
    if mark == b"+":
        return rest.decode()
    if mark == b"-":
        return RuntimeError(rest.decode())
    if mark == b":":
        return int(rest)
    if mark == b"$":
        if int(rest) < 0:
            return None
        data = answer.read(int(rest))
        answer.readline()
        return data
    assert mark == b"*", line
    return None if int(rest) < 0 else [_read(answer) for _ in range(int(rest))]


def settled(reactor: Any, what: Callable[[], bool]) -> Deferred[None]:
    """Fires when something has become true; fails after some time."""

    async def wait() -> None:
        for _ in range(int(PATIENCE / 0.01)):
            if what():
                return
            await deferLater(reactor, 0.01)
        raise AssertionError("it did not come true")

    return Deferred.fromCoroutine(wait())
