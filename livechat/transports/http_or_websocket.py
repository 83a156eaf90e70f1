# SPDX-License-Identifier: MIT
"""The door of the port: reads a request's head and lets the connection in at the right place.

A WebSocket upgrade on `/`, `/ws` or `/ws/` goes to the WebSocket factory, everything else to the
site, each as if it had been there from the first byte.  That costs a subscriber neither
twisted.web's objects nor its second reading of the request, and gives every connection one
wall-clock deadline for its first request, however slowly its bytes drip.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, Final

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure

from livechat.alpn import SpeaksHttp

#: Bytes of the longest request head.
MAX_HEAD: Final = 16384

#: Paths on which a WebSocket may be opened.
UPGRADE_PATHS: Final = frozenset({b"/", b"/ws", b"/ws/"})

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)


class Door(Protocol):
    """One connection whose first request has not been read to its end."""

    transport: Any

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._head = b""

    def connectionMade(self) -> None:
        """The clock begins to run."""
        self._doors.came(self)

    def dataReceived(self, data: bytes) -> None:
        """Gather the head; then step aside."""
        if self not in self._doors.waiting:
            # It was answered, and is on its way out.
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) <= MAX_HEAD:
            return
        del self._doors.waiting[self]
        if end < 0 or end > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.loseConnection()
            self._head = b""
            return
        factory = self._doors.factory_for(self._head[:end])
        inside = factory.buildProtocol(self.transport.getPeer())
        if inside is None:
            self.transport.abortConnection()
            return
        # From here on the transport speaks to the other protocol; this one is forgotten.
        transport = self.transport
        if isinstance(transport, ProtocolWrapper):
            # TLS is a protocol around ours, and calls it by another name.
            transport.wrappedProtocol = inside
        else:
            transport.protocol = inside
        inside.makeConnection(transport)
        inside.dataReceived(self._head)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Gone before it said what it wanted."""
        self._doors.waiting.pop(self, None)


def _close_now(transport: Any) -> None:
    """Close a connection and give its descriptor back before this returns.

    `abortConnection` does so in the reactor's next turn, and many connections are accepted in one.
    """
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    transport.connectionLost(Failure(ConnectionAborted()))


class Doors(SpeaksHttp, ServerFactory):
    """The factory of the listening port.

    :param websocket: for upgrades.
    :param site: for everything else.
    :param deadline: seconds, by the wall, in which a first request must be read.
    :param room: connections at once; one more displaces an older one that is no WebSocket.
        0: as many as come.
    """

    noisy = False

    def __init__(
        self,
        websocket: Any,
        site: Any,
        clock: IReactorTime,
        deadline: float,
        room: int = 0,
    ) -> None:
        self._websocket = websocket
        self._site = site
        self._clock = clock
        self._deadline = deadline
        self._room = room
        #: In order of arrival, with the time.
        self.waiting: dict[Door, float] = {}
        self._call: IDelayedCall | None = None
        self.now: Callable[[], float] = clock.seconds

    def buildProtocol(self, addr: IAddress | None) -> Door:
        """A connection at the door."""
        if self._call is None:
            self._call = self._clock.callLater(1.0, self._look)
        return Door(self)

    def came(self, door: Door) -> None:
        """A connection is there; where there are too many it takes the place of an older one.

        The oldest that has asked for nothing goes first, then the oldest that is being answered:
        whoever asks for `/health` is answered in a moment.
        """
        if self._room and self._connections() >= self._room:
            oldest = next(chain(self.waiting, self._site.open), None)
            if oldest is not None:
                _close_now(oldest.transport)
        self.waiting[door] = self.now()

    def _connections(self) -> int:
        upgraded: int = self._websocket.countConnections
        return len(self.waiting) + len(self._site.open) + upgraded

    def startFactory(self) -> None:
        """The port is open: so are both rooms behind it."""
        self._websocket.doStart()
        self._site.doStart()

    def stopFactory(self) -> None:
        """The port is closed; who still stands at the door is sent away."""
        self._websocket.doStop()
        self._site.doStop()
        for door in list(self.waiting):
            door.transport.abortConnection()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def factory_for(self, head: bytes) -> Any:
        """Where a request with this head belongs."""
        line, _, headers = head.partition(b"\r\n")
        words = line.split(b" ")
        if (
            len(words) == 3
            and words[0] == b"GET"
            and words[1].partition(b"?")[0] in UPGRADE_PATHS
            and b"websocket" in headers.lower()
            and any(
                name.strip().lower() == b"upgrade"
                and b"websocket" in (word.strip() for word in value.lower().split(b","))
                for name, _, value in (h.partition(b":") for h in headers.split(b"\r\n"))
            )
        ):
            return self._websocket
        return self._site

    def _look(self) -> None:
        """Once a second: send those away whose time is up."""
        self._call = None
        now = self.now()
        for door, since in list(self.waiting.items()):
            # A clock that was set back must not keep anybody longer than the deadline.
            if 0 <= now - since < self._deadline:
                break
            del self.waiting[door]
            door.transport.abortConnection()
        if self.waiting:
            self._call = self._clock.callLater(1.0, self._look)
