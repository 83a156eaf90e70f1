# SPDX-License-Identifier: MIT
"""The real daemon as a process of its own, and a client that is neither ours nor Autobahn.

Both are used from trial's reactor: the daemon through `spawnProcess`, the client (`websockets`, in
its threaded form) through `deferToThread`, so that a test may at the same time serve a simulated
platform from this process.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.schema import frames

_CHECKOUT = Path(__file__).resolve().parents[2]

#: Seconds that anything here may take before the test fails; the machine may be slow.
PATIENCE = 60.0


class Daemon(ProcessProtocol):
    """A running daemon.

    :ivar port: where it listens.
    :ivar log: everything it wrote.
    """

    def __init__(self) -> None:
        self.log = ""
        self.port = 0
        self.listening: Deferred[None] = Deferred()
        self.ended: Deferred[int | str] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Look for the line that says where it listens."""
        self.log += data.decode("utf-8", "replace")
        found = re.search(r"listening on .*port=(\d+)", self.log)
        if found and not self.port:
            self.port = int(found[1])
            self.listening.callback(None)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """Its exit code, or the name of the signal that ended it."""
        value = reason.value
        code: int | str = 0
        if not isinstance(value, ProcessDone):
            number = getattr(value, "signal", None)
            code = signal.Signals(number).name if number else getattr(value, "exitCode", -1)
        if not self.listening.called:
            self.listening.errback(AssertionError(f"the daemon ended ({code}):\n{self.log}"))
        self.ended.callback(code)

    async def metrics(self) -> str:
        """What /metrics answers."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        body: bytes = await deferToThread(lambda: urlopen(url, timeout=PATIENCE).read())
        return body.decode()

    def terminate(self) -> Deferred[int | str]:
        """Send SIGTERM; fires with the exit code or the signal's name."""
        if self.transport is not None and self.transport.pid is not None:
            self.transport.signalProcess("TERM")
        return self.ended

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self.transport is not None and self.transport.pid is not None:
            self.transport.signalProcess("KILL")

    def rss(self) -> int:
        """Resident memory, in bytes."""
        assert self.transport is not None
        status = Path(f"/proc/{self.transport.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


def start_daemon(
    reactor: Any,
    *options: str,
    beside: Path | None = None,
    checkout: Path | None = None,
    command: Sequence[str] = ("livechat",),
) -> Daemon:
    """Start `twistd livechat` on a free loopback port; wait for `listening`.

    :param command: the module that is run, and what stands before the options.
    :param beside: a directory into which packages were installed that it may use, too.
    :param checkout: another one whose code is run, with the interpreter of its `.venv`.
    """
    daemon = Daemon()
    python = str(checkout / ".venv/bin/python") if checkout else sys.executable
    places = [str(checkout or _CHECKOUT), str(beside or ""), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, places))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("LIVECHAT_")}
    if "--demo" not in options:
        # Nobody beyond this machine is asked for emotes; a test that wants some says where.
        environ["LIVECHAT_EMOTES"] = ""
    for name in ("PORT", "REDIS_URL", "STATS_STORAGE"):
        environ.pop(name, None)
    arguments = [python, "-m", *command, "--listen=tcp:0:interface=127.0.0.1", *options]
    reactor.spawnProcess(daemon, python, arguments, env={**environ, "PYTHONPATH": path}, path="/")
    daemon.listening.addTimeout(PATIENCE, reactor)
    return daemon


class Client:
    """One WebSocket client of the daemon; every method's Deferred runs in a thread.

    :ivar frames: what it holds the daemon's frames to.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.frames = frames()

    @classmethod
    async def open(cls, port: int, path: str = "/", **options: Any) -> Client:
        """Connect."""
        url = f"ws://127.0.0.1:{port}{path}"
        options.setdefault("compression", None)
        options |= {"open_timeout": PATIENCE, "ping_interval": None, "max_queue": None}
        connection = await deferToThread(lambda: connect(url, **options).__enter__())
        return cls(connection)

    async def send(self, **command: Any) -> None:
        """Send a command."""
        await deferToThread(self._connection.send, msgspec.json.encode(command).decode())

    async def send_raw(self, payload: str | bytes) -> None:
        """Send a message as it is: text, or binary for bytes."""
        await deferToThread(self._connection.send, payload)

    async def subscribe(self, identifier: str, **more: Any) -> None:
        """Subscribe to a Twitch channel, without waiting for the answer."""
        await self.send(
            **{"type": "subscribe", "platform": "twitch", "identifier": identifier, **more}
        )

    async def next(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        message = await deferToThread(self._connection.recv, PATIENCE)
        return self.frames.read(message)

    async def until(self, kind: str, seen: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """The next message of a kind: a status, an error code, or a message type.

        :param seen: what came before it, if the test wants to know.
        """
        while True:
            message = await self.next()
            if kind in (message.get("status"), message.get("code"), message["type"]):
                return message
            if seen is not None:
                seen.append(message)

    async def settled(self) -> list[dict[str, Any]]:
        """Everything up to the answer to an unknown command: nothing more was on its way."""
        seen: list[dict[str, Any]] = []
        await self.send(type="are you there?")
        await self.until("INVALID_MESSAGE_TYPE", seen)
        return seen

    async def close(self) -> None:
        """Close the connection."""
        await deferToThread(self._connection.close)

    async def closed_with(self) -> int | None:
        """Read until the other side closes; its close code."""

        def drain() -> int | None:
            try:
                while True:
                    self._connection.recv(PATIENCE)
            except ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None

        code: int | None = await deferToThread(drain)
        return code
