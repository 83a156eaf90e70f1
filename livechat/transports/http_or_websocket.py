# SPDX-License-Identifier: MIT
"""The port of the clients: reads the head of a connection's first request and hands it over.

A connection goes to the transport that takes its request, such as WebSocket, everything else to the
site, each as if it had been there from the first byte.  That costs a subscriber neither
twisted.web's objects nor its second reading of the request, and gives every connection one deadline
for its first request, however slowly its bytes come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final, Protocol

from twisted.internet import protocol as twisted_protocol
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure

from livechat.alpn import SpeaksHttp

#: Bytes of the longest request head.
MAX_HEAD: Final = 16384

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)


class Transport(Protocol):
    """The factory of a transport that shares the port."""

    @property
    def connections(self) -> int:
        """Open connections, whatever their state."""

    def takes(self, head: bytes) -> bool:
        """Whether a connection belongs here whose first request has this head."""

    def buildProtocol(self, addr: Any) -> Any:
        """See `IProtocolFactory`."""

    def doStart(self) -> None:
        """See `IProtocolFactory`."""

    def doStop(self) -> None:
        """See `IProtocolFactory`."""


class HeadReader(twisted_protocol.Protocol):
    """One connection whose first request has not been read to the end of its head."""

    transport: Any

    def __init__(self, port: PortFactory) -> None:
        self._port = port
        self._head = b""

    def connectionMade(self) -> None:
        """Twisted: the connection is there; its time begins."""
        self._port.came(self)

    def dataReceived(self, data: bytes) -> None:
        """Twisted: gather the head; then give the transport to another protocol."""
        if self not in self._port.waiting:
            # It was answered and is being closed.
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) <= MAX_HEAD:
            return
        del self._port.waiting[self]
        if end < 0 or end > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.loseConnection()
            self._head = b""
            return
        factory = self._port.factory_for(self._head[:end])
        protocol = factory.buildProtocol(self.transport.getPeer())
        if protocol is None:
            self.transport.abortConnection()
            return
        # From here on the transport speaks to the other protocol; this one is forgotten.
        transport = self.transport
        if isinstance(transport, ProtocolWrapper):
            # TLS is a protocol around ours, and calls it by another name.
            transport.wrappedProtocol = protocol
        else:
            transport.protocol = protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(self._head)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: it ended before its request was read."""
        self._port.waiting.pop(self, None)


def _close_now(transport: Any) -> None:
    """Close a connection and give its descriptor back before this returns.

    `abortConnection` does so in the reactor's next turn, and many connections are accepted in one.
    """
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    transport.connectionLost(Failure(ConnectionAborted()))


class PortFactory(SpeaksHttp, ServerFactory):
    """The factory of the listening port.

    :param transports: asked in turn whether they take a request.
    :param site: for every other request.
    :param deadline: seconds in which the head of a first request must be read.
    :param limit: connections at once; one more displaces an older one of the site.  0: no limit.
    """

    noisy = False

    def __init__(
        self,
        transports: Sequence[Transport],
        site: Any,
        clock: IReactorTime,
        deadline: float,
        limit: int = 0,
    ) -> None:
        self._transports = transports
        self._site = site
        self._clock = clock
        self._deadline = deadline
        self._limit = limit
        #: In order of arrival, with the time.
        self.waiting: dict[HeadReader, float] = {}
        self._call: IDelayedCall | None = None
        self.now: Callable[[], float] = clock.seconds

    def buildProtocol(self, addr: IAddress | None) -> HeadReader:
        """Twisted: a connection was accepted."""
        if self._call is None:
            self._call = self._clock.callLater(1.0, self._look)
        return HeadReader(self)

    def came(self, reader: HeadReader) -> None:
        """A connection was made; beyond the limit it takes the place of an older one.

        The oldest without a request is closed first, then the oldest that is being answered: a
        request such as `/health` takes a moment only.
        """
        if self._limit and self._connections() >= self._limit:
            oldest = next(chain(self.waiting, self._site.open), None)
            if oldest is not None:
                _close_now(oldest.transport)
        self.waiting[reader] = self.now()

    def _connections(self) -> int:
        handed_over = sum(transport.connections for transport in self._transports)
        return len(self.waiting) + len(self._site.open) + handed_over

    def startFactory(self) -> None:
        """Twisted: the port is open."""
        for factory in (*self._transports, self._site):
            factory.doStart()

    def stopFactory(self) -> None:
        """Twisted: the port is closed; connections without a request are dropped."""
        for factory in (*self._transports, self._site):
            factory.doStop()
        for reader in list(self.waiting):
            reader.transport.abortConnection()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def factory_for(self, head: bytes) -> Any:
        """The factory of the connection whose first request has this head."""
        for transport in self._transports:
            if transport.takes(head):
                return transport
        return self._site

    def _look(self) -> None:
        """Once a second: drop connections whose time is up."""
        self._call = None
        now = self.now()
        for reader, since in list(self.waiting.items()):
            # A clock that was set back must not keep anybody longer than the deadline.
            if 0 <= now - since < self._deadline:
                break
            del self.waiting[reader]
            reader.transport.abortConnection()
        if self.waiting:
            self._call = self._clock.callLater(1.0, self._look)
