# SPDX-License-Identifier: MIT
"""A Redis that answers what a test says, on a fake wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

Answer = Callable[[list[bytes]], bytes]


def well(command: list[bytes]) -> bytes:
    """What a Redis answers that does everything, as far as a link asks."""
    name = command[0].upper()
    if name == b"PING":
        return b"+PONG\r\n"
    if name == b"EVAL":
        return b"$2\r\n\xa11\r\n"
    if name == b"GET":
        return b"$1\r\n1\r\n"
    if name == b"EVALSHA":
        return b"-NOSCRIPT No matching script.\r\n"
    if name in (b"SUBSCRIBE", b"UNSUBSCRIBE"):
        return b"*3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:1\r\n" % (
            len(name),
            name.lower(),
            len(command[1]),
            command[1],
        )
    return b"+OK\r\n"


def commands_in(data: bytes) -> list[list[bytes]]:
    """The commands of a whole number of requests."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n")
        command = []
        for _ in range(int(head[1:])):
            size, _, data = data.partition(b"\r\n")
            command.append(data[: int(size[1:])])
            data = data[int(size[1:]) + 2 :]
        found.append(command)
    return found


class Conversation(StringTransport):
    """One connection.

    :ivar asked: the commands that came.
    """

    def __init__(self, server: ScriptedRedis, protocol: IProtocol) -> None:
        super().__init__()
        self.asked: list[list[bytes]] = []
        self.over = False
        self._server = server
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        """Answers come in a later turn, as from a network."""
        for command in commands_in(data):
            self.asked.append(command)
            if answer := self._server.answer(command):
                self.send(answer)

    def send(self, data: bytes) -> None:
        """Something comes from the server."""
        self._server.clock.callLater(0, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if not self.over:
            self._protocol.dataReceived(data)

    def abortConnection(self) -> None:
        """The client ends the connection."""
        self.disconnecting = True
        self._server.clock.callLater(0, self.end, ConnectionAborted())

    def end(self, error: Exception | None = None) -> None:
        """It ends."""
        if not self.over:
            self.over = True
            self._protocol.connectionLost(Failure(error or ConnectionDone()))


@implementer(IStreamClientEndpoint)
class ScriptedRedis:
    """A server that is its own endpoint.

    :ivar answer: from a command to the bytes that come back.
    :ivar conversations: all connections, oldest first.
    """

    def __init__(self, clock: Clock, answer: Answer = well) -> None:
        self.clock = clock
        self.answer = answer
        self.conversations: list[Conversation] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """See `IStreamClientEndpoint`."""
        protocol: Any = protocolFactory.buildProtocol(None)  # type: ignore[arg-type]
        conversation = Conversation(self, protocol)
        self.conversations.append(conversation)
        protocol.makeConnection(conversation)
        return succeed(protocol)
