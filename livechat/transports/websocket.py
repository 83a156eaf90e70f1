# SPDX-License-Identifier: MIT
"""WebSocket connections: Autobahn's frames on one side, a `Session` and the fan-out on the other.

Autobahn has no limits by default and swallows what its callbacks raise; here every limit is set,
and a failed callback is logged and closes the connection with 1011.
"""

from __future__ import annotations

from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from livechat.core.ports import IEncoding, ISubscriber, Requester
from livechat.core.session import Session
from livechat.model import error_catalogue
from livechat.model.errors import CloseCode
from livechat.pacing import TokenBucket
from livechat.transports.buffered import BufferedConnection
from livechat.transports.client_registry import AdmissionError, ClientRegistry
from livechat.transports.encodings import DEFLATED, PLAIN
from livechat.transports.frames import frame
from livechat.transports.ping_wheel import PingWheel
from livechat.transports.websocket_options import protocol_options
from livechat.upgrades import Refusals, UpgradedConnection

_log = Logger()

#: Paths on which a WebSocket may be opened.
UPGRADE_PATHS: Final = frozenset({b"/", b"/ws", b"/ws/"})

#: Bytes of a client's frame that cost as much as a frame.
_BYTES_PER_FRAME: Final = 2048

_PING: Final = b"\x89\x00"

#: Attributes in which Autobahn keeps a handshake that is over.
_HANDSHAKE_ONLY: Final = frozenset(
    {
        "_wskey",
        "http_headers",
        "http_request_data",
        "http_request_host",
        "http_request_params",
        "http_request_path",
        "http_request_uri",
        "http_response_data",
        "http_status_line",
        "websocket_extensions",
        "websocket_origin",
        "websocket_protocols",
    }
)


@implementer(ISubscriber)
class ClientConnection(BufferedConnection, UpgradedConnection):  # type: ignore[misc]
    """One client."""

    factory: ClientFactory

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self.encoding: IEncoding = PLAIN
        self.compressed: bool = False
        self.requester: Requester = Requester()
        # What it may still send; made with its first frame.
        self._allowance: TokenBucket | None = None
        self._muted = False

    @property
    def can_send(self) -> bool:
        """See `BufferedConnection`."""
        return bool(self.state == self.STATE_OPEN)

    def admit(self, request: ConnectionRequest) -> None:
        """See `UpgradedConnection`."""
        peer = str(getattr(self.transport.getPeer(), "host", ""))
        try:
            self.grant = self.registry.permit(
                request.headers, next(iter(request.params.get("token", [])), "")
            )
            self.requester = self.registry.admit(peer, request.headers, self.grant)
        except AdmissionError as error:
            self.refused_for = error.word
            raise ConnectionDeny(error.status, error.reason) from None

    def onOpen(self) -> None:
        """The handshake is done: become a subscriber."""
        try:
            self.start_sending()
            self._shed()
            self.compressed = bool(self.websocket_extensions_in_use)
            self.encoding = DEFLATED if self.compressed else PLAIN
            self._session = self.factory.opened(self)
            self.allow_direct_writes()
        except Exception:
            _log.failure("a connection could not be set up")
            self.close(CloseCode.INTERNAL, "internal error")

    def _shed(self) -> None:
        """Drop what only the handshake needed: a third of an idle connection's memory."""
        kept = {name: value for name, value in vars(self).items() if name not in _HANDSHAKE_ONLY}
        # Nothing is sent in pieces here, and an empty deque is large.
        kept["send_queue"] = ()
        # A new dictionary, because one from which much was taken stays as large as it was.
        self.__dict__ = kept

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes came; nothing is read of a client that has sent too much."""
        if not self._muted:
            super().dataReceived(data)

    def onFrameBegin(self) -> None:
        """Autobahn: the head of a frame was read.  Frames of every kind cost, empty ones too."""
        super().onFrameBegin()
        size = min(self.current_frame.length, self.registry.limits.message)
        self._charge(1.0 + size / _BYTES_PER_FRAME)

    def _charge(self, frames: float) -> None:
        """Take from what the client may send; beyond it the connection is closed."""
        limits = self.registry.limits
        if self._allowance is None:
            self._allowance = TokenBucket(
                limits.frames_per_second, limits.frames_burst, self.factory.seconds
            )
        if self._allowance.take(frames) or self._muted:
            return
        self.registry.metrics.closed.labels("flood").inc()
        self.close(CloseCode.POLICY, "too many frames")
        # Nothing more is read, and nothing more of what Autobahn has read already.
        self._muted = True
        self.data = b""
        self.transport.pauseProducing()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Autobahn: a message came, which is a command."""
        self.factory.wheel.answered(self)
        if self.compressed:
            # Its frames cost little and have grown.
            self._charge(len(payload) / _BYTES_PER_FRAME)
        if self._session is None or not self.can_send:
            return
        if isBinary:
            self._session.rejected(error_catalogue.NOT_TEXT.error())
        else:
            self._session.received(payload)

    def onPing(self, payload: bytes) -> None:
        """Autobahn: a ping came, so the client is alive.  It is answered unless it does not read.

        An answer would only add to what is held for it.
        """
        self.factory.wheel.answered(self)
        if not self._paused:
            super().onPing(payload)

    def ping(self) -> None:
        """See `Pinged`."""
        if self.can_send:
            self.transport.write(_PING)

    def onPong(self, payload: bytes) -> None:
        """Autobahn: a pong came, so the client is alive."""
        self.factory.wheel.answered(self)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Autobahn: the connection has ended, cleanly or not."""
        session, self._session = self._session, None
        if self.failedByMe:
            self.registry.metrics.closed.labels("invalid").inc()
        self.stop_sending()
        if session is not None:
            try:
                session.closed()
            finally:
                self.factory.left(self)

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""
        data = frame(message)
        self.registry.metrics.sent.inc(len(data))
        self.write_encoded(data)

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`.

        What waits for a slow client is dropped, except at a shutdown: then a client that still
        reads loses nothing.
        """
        self.stop_sending(flush=code is CloseCode.GOING_AWAY)
        if self.can_send:
            self.sendCloseFrame(int(code), reason.encode(), isReply=False)
            # Over TLS a registered producer would keep the connection from closing.
            self.transport.unregisterProducer()
            self._paused = False


class ClientFactory(WebSocketServerFactory):
    """Makes a `ClientConnection` for every client that asks for a WebSocket.

    :param registry: admits the clients and makes their sessions.
    """

    def __init__(self, reactor: Any, registry: ClientRegistry) -> None:
        super().__init__(server="livechat", reactor=reactor)
        self.registry = registry
        clock: IReactorTime = reactor
        self.seconds = clock.seconds
        metrics = registry.metrics
        self.refusals = Refusals(
            self.seconds, lambda status, why: metrics.refused.labels(str(status), why).inc()
        )
        self.wheel: PingWheel[ClientConnection] = PingWheel(clock, self._drop_silent)
        options = protocol_options(registry.limits)
        self.setProtocolOptions(**options)
        # Autobahn copies every option into every connection, and formats them all for a log line
        # that nobody reads: half the cost of an accept.  Here a connection has them through its
        # class, and there is nothing to copy.
        options["CONFIG_ATTRS"] = ()
        options["allowedOriginsPatterns"] = self.allowedOriginsPatterns
        options |= {"logOctets": False, "logFrames": False, "trackTimings": False}
        options["perMessageCompressionAccept"] = staticmethod(
            options["perMessageCompressionAccept"]
        )
        options["registry"] = registry
        made: Any = type("ClientConnection", (ClientConnection,), options)
        self.protocol = made

    @property
    def connections(self) -> int:
        """See `Transport`: also those whose upgrade is being answered or was refused."""
        count: int = self.countConnections
        return count

    def takes(self, head: bytes) -> bool:
        """See `Transport`."""
        return is_upgrade(head)

    def opened(self, client: ClientConnection) -> Session:
        """A client has finished its handshake."""
        session = self.registry.opened(client)
        self.wheel.add(client)
        return session

    def left(self, client: ClientConnection) -> None:
        """A client is gone."""
        self.wheel.remove(client)
        self.registry.left(client)

    def _drop_silent(self, client: ClientConnection) -> None:
        self.registry.metrics.closed.labels("silent").inc()
        client.abort()


def is_upgrade(head: bytes) -> bool:
    """Whether the head of a request asks for a WebSocket on one of our paths."""
    line, _, headers = head.partition(b"\r\n")
    words = line.split(b" ")
    return (
        len(words) == 3
        and words[0] == b"GET"
        and words[1].partition(b"?")[0] in UPGRADE_PATHS
        and b"websocket" in headers.lower()
        and any(
            name.strip().lower() == b"upgrade"
            and b"websocket" in (word.strip() for word in value.lower().split(b","))
            for name, _, value in (header.partition(b":") for header in headers.split(b"\r\n"))
        )
    )
