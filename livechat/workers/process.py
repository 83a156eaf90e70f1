# SPDX-License-Identifier: MIT
"""One worker as its supervisor sees it: a process, a link to it, and what it logs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.logger import Logger, eventFromJSON, globalLogPublisher
from twisted.python.failure import Failure

from livechat.workers.messages import Link, Message
from livechat.workers.ports import Inherited

_log = Logger()

#: The number of the link's descriptor in a worker; those of its ports follow.
LINK: Final = 3

#: Characters of one line of a worker's log; a longer one is cut.
MAX_LINE: Final = 1 << 20


class Orders(Struct):
    """What a worker is told at its start, as JSON on its command line.

    :ivar index: its number, from 1.
    :ivar name: what its node is called.
    :ivar reactor: the module of the reactor that it is to run.
    :ivar ports: what it inherits, by the numbers of its own descriptors.
    :ivar words: the options of the daemon, as on the command line.
    """

    index: int
    name: str
    reactor: str
    ports: Sequence[Inherited]
    words: Sequence[str]


class WorkerProcess(ProcessProtocol):
    """A worker, from its start to its end.

    :ivar link: to the worker.
    :param received: given each of its messages.
    :param ended: called once with its exit code, or the negative number of the signal.
    """

    def __init__(
        self,
        name: str,
        received: Callable[[Message], object],
        ended: Callable[[int], object],
    ) -> None:
        self.link = Link(received, lambda: None)
        self._name = name
        self._ended = ended
        self._lines = b""

    def spawn(
        self, reactor: Any, command: Sequence[str], orders: Orders, environ: dict[str, str]
    ) -> None:
        """Start it.

        :param command: to which the orders are added.
        """
        ours, theirs = socket.socketpair()
        descriptors = {LINK: theirs.fileno()}
        ports = []
        for number, inherited in enumerate(orders.ports, LINK + 1):
            descriptors[number] = inherited.descriptor
            ports.append(Inherited(inherited.description, number))
        told = msgspec.structs.replace(orders, ports=ports)
        with ours, theirs:
            ours.setblocking(False)
            factory = Factory.forProtocol(lambda: self.link)
            reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
            reactor.spawnProcess(
                self,
                command[0],
                [*command, msgspec.json.encode(told).decode()],
                env=environ,
                childFDs={0: "w", 1: "r", 2: "r", **descriptors},
            )

    def signal(self, name: str) -> None:
        """Send it a signal; one that has ended gets none."""
        if self.transport is not None and self.transport.pid is not None:
            self.transport.signalProcess(name)

    def outReceived(self, data: bytes) -> None:
        """What it logs: events as JSON, one on each line."""
        *lines, rest = (self._lines + data).split(b"\n")
        self._lines = rest[:MAX_LINE]
        for line in lines:
            self._relay(line)

    def errReceived(self, data: bytes) -> None:
        """What it says before it can log, or what the interpreter itself says."""
        for line in data.decode("utf-8", "replace").splitlines():
            if line.strip():
                _log.error("{line}", line=line, log_system=self._name)

    def processEnded(self, reason: Failure) -> None:
        """It has ended, and everything it said was read."""
        value: Any = reason.value
        code = -value.signal if value.signal else value.exitCode or 0
        if self.link.transport is not None:
            self.link.transport.loseConnection()
        self._ended(code)

    def _relay(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip("\x1e\r")
        if not text:
            return
        try:
            event = eventFromJSON(text)
        except ValueError:
            _log.info("{line}", line=text, log_system=self._name)
            return
        event["log_system"] = self._name
        globalLogPublisher(event)
