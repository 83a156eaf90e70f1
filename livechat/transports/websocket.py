# SPDX-License-Identifier: MIT
"""WebSocket connections: Autobahn's frames on one side, a `Session` and the fan-out on the other.

Autobahn has no limits by default and swallows what its callbacks raise; here every limit is set,
and a failed callback is logged and closes the connection with 1011.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from msgspec import Struct
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from livechat.addresses import Addresses, Network
from livechat.core.ports import IEncoding, ISubscriber, Requester
from livechat.core.session import Session
from livechat.metrics import Metrics
from livechat.model import error_catalogue
from livechat.model.errors import CloseCode
from livechat.pacing import TokenBucket
from livechat.transports.direct import DirectServer
from livechat.transports.encodings import DEFLATED, PLAIN
from livechat.transports.frames import WINDOW_BITS, frame
from livechat.transports.origins import ANY, Origins
from livechat.transports.ping_wheel import PingWheel
from livechat.upgrades import Refusals, UpgradedConnection

_log = Logger()

#: Bytes of a client's frame that cost as much as a frame.
_BYTES_PER_FRAME: Final = 2048

_PING: Final = b"\x89\x00"

#: What Autobahn keeps of a handshake for whoever may ask.
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

#: Seconds for a client to answer our close frame; then the connection is dropped.
CLOSE_TIMEOUT: Final = 3.0


class Limits(Struct, frozen=True):
    """What one client, and all together, may cost.

    :ivar message: bytes of the largest client message, after decompression.
    :ivar pending: bytes held for a client that does not read.
    :ivar connections: open at once; 0 for no limit.
    :ivar per_address: open at once from one address; 0 for no limit.
    :ivar trusted_proxies: networks whose word about a client's address is taken.
    :ivar origins: allowed `Origin` values or patterns; `*` for all.
    :ivar handshake: seconds for the opening handshake.
    :ivar compression: whether clients may ask for compressed frames.
    :ivar frames_per_second: frames of any kind that a client may send in the long run; a large one
        costs as much as several.
    :ivar frames_burst: at once.
    """

    message: int = 65536
    pending: int = 1 << 20
    connections: int = 0
    per_address: int = 0
    trusted_proxies: tuple[Network, ...] = ()
    origins: tuple[str, ...] = (ANY,)
    handshake: float = 10.0
    compression: bool = True
    frames_per_second: float = 100.0
    frames_burst: float = 256.0


_numbers = itertools.count(1)


@implementer(ISubscriber, IPushProducer)
class ClientConnection(UpgradedConnection):
    """One client.

    While the transport has more than it wants to hold, frames wait here, bounded; control frames
    go out between them, so a slow client is still pinged and can be closed.
    """

    # Read for each delivery: from here it costs two looks into memory, from a dictionary four.
    __slots__ = ("direct",)

    factory: ClientFactory
    # A TCP transport with its producer side; Autobahn's annotation knows less.
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        # Made when it is needed: an empty deque is dearer than all else here together.
        self._waiting: deque[bytes] | None = None
        self._paused = False
        self.pending: int = 0
        self.direct: int = -1
        self.encoding: IEncoding = PLAIN
        self.compressed: bool = False
        self.requester: Requester = Requester()
        # What it may still send; made with its first frame.
        self._allowance: TokenBucket | None = None
        self._muted = False

    def admit(self, request: ConnectionRequest) -> None:
        """Refuse it while shutting down, to other origins, and to too many of one address."""
        if self.factory.draining:
            raise ConnectionDeny(503, "shutting down")
        peer = str(getattr(self.transport.getPeer(), "host", ""))
        address = self.factory.addresses.of(peer, request.headers)
        if not self.factory.has_place_for(address):
            raise ConnectionDeny(503, "too many connections from this address")
        self.requester = Requester(address, next(_numbers))
        if not self.factory.origins.allows(request.headers.get("origin")):
            raise ConnectionDeny(403, "origin not allowed")

    def onOpen(self) -> None:
        """The handshake is done: become a subscriber."""
        try:
            # Autobahn leaves Nagle's algorithm on under a bare factory; it costs 30 ms at p99.
            self.transport.setTcpNoDelay(True)
            self.transport.registerProducer(self, True)
            self._shed()
            self.compressed = bool(self.websocket_extensions_in_use)
            self.encoding = DEFLATED if self.compressed else PLAIN
            self._session = self.factory.opened(self)
            if isinstance(self.transport, DirectServer):
                self.transport.own(self)
        except Exception:
            _log.failure("a connection could not be set up")
            self.close(CloseCode.INTERNAL, "internal error")

    def _shed(self) -> None:
        """Let go of what only the handshake needed: a third of an idle connection's memory."""
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
        size = min(self.current_frame.length, self.factory.limits.message)
        self._charge(1.0 + size / _BYTES_PER_FRAME)

    def _charge(self, frames: float) -> None:
        """Take from what the client may send; beyond it the connection is closed."""
        limits = self.factory.limits
        if self._allowance is None:
            self._allowance = TokenBucket(
                limits.frames_per_second, limits.frames_burst, self.factory.seconds
            )
        if self._allowance.take(frames) or self._muted:
            return
        self.factory.metrics.closed.labels("flood").inc()
        self.close(CloseCode.POLICY, "too many frames")
        # Nothing more is read, and nothing more of what Autobahn has read already.
        self._muted = True
        self.data = b""
        self.transport.pauseProducing()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A client's command."""
        self.factory.wheel.heard(self)
        if self.compressed:
            # Its frames cost little and have grown.
            self._charge(len(payload) / _BYTES_PER_FRAME)
        if self._session is None or self.state != self.STATE_OPEN:
            return
        if isBinary:
            self._session.rejected(error_catalogue.NOT_TEXT.error())
        else:
            self._session.received(payload)

    def onPing(self, payload: bytes) -> None:
        """A sign of life, too.  Autobahn answers it, unless the client does not read.

        An answer would only make what is held for it longer.
        """
        self.factory.wheel.heard(self)
        if not self._paused:
            super().onPing(payload)

    def ping(self) -> None:
        """See `Pinged`."""
        if self.state == self.STATE_OPEN:
            self.transport.write(_PING)

    def onPong(self, payload: bytes) -> None:
        """Proof of life."""
        self.factory.wheel.heard(self)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection is gone, in whichever way."""
        session, self._session = self._session, None
        if self.failedByMe:
            self.factory.metrics.closed.labels("invalid").inc()
        self._waiting = None
        self.pending = 0
        if session is not None:
            try:
                session.closed()
            finally:
                self.factory.left(self)

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""
        self.write_frames(frame(message))

    def write_frames(self, frames: bytes) -> None:
        """See `FrameWriter`."""
        if self.state != self.STATE_OPEN:
            return
        if self.direct >= 0:
            try:
                written = os.write(self.direct, frames)
            except OSError:
                # Full, or broken: the transport finds out which.
                written = 0
            if written < len(frames):
                self.transport.write(frames[written:])
        elif self._paused:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(frames)
            self.pending += len(frames)
            if self.pending > self.factory.limits.pending:
                self.factory.metrics.closed.labels("slow").inc()
                self.close(CloseCode.SLOW, "slow")
        else:
            self.transport.write(frames)

    def queued(self) -> None:
        """See `transport.Owner`."""
        self.direct = -1

    def drained(self, descriptor: int) -> None:
        """See `transport.Owner`; after a close frame nothing more is written."""
        if self.state == self.STATE_OPEN:
            self.direct = descriptor

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`.

        What waits for a slow client is let go of, unless it is we who go: then nothing that was
        accepted is lost to whoever still reads.
        """
        if code is CloseCode.GOING_AWAY and self._waiting and self.state == self.STATE_OPEN:
            self.transport.write(b"".join(self._waiting))
        self._waiting = None
        self.pending = 0
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(int(code), reason.encode(), isReply=False)
            # Over TLS a registered producer would keep the connection from closing.
            self.transport.unregisterProducer()
            self._paused = False

    def pauseProducing(self) -> None:
        """See `IPushProducer`; called again at every write while the transport is full."""
        self._paused = True

    def resumeProducing(self) -> None:
        """See `IPushProducer`: write what waited until the transport is full again."""
        self._paused = False
        while self._waiting and not self._paused and self.state == self.STATE_OPEN:
            frames = self._waiting.popleft()
            self.pending -= len(frames)
            self.transport.write(frames)

    def stopProducing(self) -> None:
        """See `IPushProducer`: the connection is gone; `onClose` follows."""


class ClientFactory(WebSocketServerFactory):
    """Makes a `ClientConnection` with a `Session` for every client, and counts them.

    :param make_session: given a subscriber, its conversation.
    """

    def __init__(
        self,
        reactor: Any,
        limits: Limits,
        metrics: Metrics,
        make_session: Callable[[ISubscriber], Session],
    ) -> None:
        super().__init__(server="livechat", reactor=reactor)
        self.limits = limits
        self.metrics = metrics
        self._make_session = make_session
        self._clock: IReactorTime = reactor
        self.seconds = self._clock.seconds
        self._clients: dict[ClientConnection, None] = {}
        self._of_address: Counter[str] = Counter()
        self.addresses = Addresses(limits.trusted_proxies)
        self.origins = Origins(limits.origins)
        self.refusals = Refusals(
            self.seconds, lambda status: metrics.refused.labels(str(status)).inc()
        )
        self.draining = False
        self._drained: Deferred[None] | None = None
        self.wheel: PingWheel[ClientConnection] = PingWheel(self._clock, self._drop_silent)
        options = protocol_options(limits)
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
        made: Any = type("ClientConnection", (ClientConnection,), options)
        self.protocol = made

    @property
    def clients(self) -> int:
        """Open connections."""
        return len(self._clients)

    def has_place_for(self, address: str) -> bool:
        """Whether one more client may connect from an address."""
        limit = self.limits.per_address
        return not limit or self._of_address[address] < limit

    def opened(self, client: ClientConnection) -> Session:
        """A client has finished its handshake."""
        session = self._make_session(client)
        self._clients[client] = None
        self._of_address[client.requester.address] += 1
        self.metrics.clients.inc()
        self.wheel.add(client)
        return session

    def left(self, client: ClientConnection) -> None:
        """A client is gone."""
        del self._clients[client]
        address = client.requester.address
        self._of_address[address] -= 1
        if not self._of_address[address]:
            del self._of_address[address]
        self.metrics.clients.dec()
        self.wheel.remove(client)
        if self._drained is not None and not self._clients:
            drained, self._drained = self._drained, None
            drained.callback(None)

    def drain(self, deadline: float) -> Deferred[None]:
        """Close every client with 1001 and take no new ones.

        :param deadline: seconds after which clients that have not closed are dropped.
        :return: fires when no client is left; never fails.
        """
        self.draining = True
        if not self._clients:
            return succeed(None)
        drained: Deferred[None] = Deferred()
        self._drained = drained
        call = self._clock.callLater(deadline, self._drop_all)
        for client in list(self._clients):
            client.close(CloseCode.GOING_AWAY, "server is shutting down")

        def finished(result: None) -> None:
            if call.active():
                call.cancel()

        return drained.addCallback(finished)

    def _drop_all(self) -> None:
        for client in list(self._clients):
            client.transport.abortConnection()

    def _drop_silent(self, client: ClientConnection) -> None:
        self.metrics.closed.labels("silent").inc()
        client.transport.abortConnection()


class _SharedFrames(PerMessageDeflateOfferAccept):
    """Says that we keep no context also to clients that did not ask (RFC 7692 section 7.1.1.1)."""

    def get_extension_string(self) -> str:
        """The answer to the offer."""
        said: str = super().get_extension_string()
        ours = "; server_no_context_takeover"
        return said if ours in said else said + ours


def _accept_compression(
    offers: Sequence[PerMessageDeflateOffer],
) -> PerMessageDeflateOfferAccept | None:
    """Permessage-deflate without context on our side, so that one compressed frame serves all.

    An offer that wants a smaller window than the one with which all are compressed is passed over.
    """
    for offer in offers:
        if not 0 < offer.request_max_window_bits < WINDOW_BITS:
            return _SharedFrames(
                offer,
                request_no_context_takeover=offer.accept_no_context_takeover,
                no_context_takeover=True,
            )
    return None


def _decline(offers: Sequence[PerMessageDeflateOffer]) -> None:
    """No compression."""


def protocol_options(limits: Limits) -> dict[str, Any]:
    """Every option that Autobahn's server knows, none left to its default."""
    return {
        "versions": [13],
        "webStatus": False,
        "utf8validateIncoming": True,
        "maskServerFrames": False,
        "requireMaskedClientFrames": True,
        "applyMask": True,
        "maxFramePayloadSize": limits.message,
        "maxMessagePayloadSize": limits.message,
        "autoFragmentSize": 0,
        # Tell the peer why, rather than dropping it.
        "failByDrop": False,
        "echoCloseCodeReason": False,
        # The request has been read, under a deadline, before Autobahn sees the connection.
        "openHandshakeTimeout": 0,
        "closeHandshakeTimeout": CLOSE_TIMEOUT,
        "tcpNoDelay": True,
        "perMessageCompressionAccept": _accept_compression if limits.compression else _decline,
        # The ping wheel does it for all with one timer.
        "autoPingInterval": 0,
        "autoPingTimeout": 0,
        "autoPingSize": 12,
        "autoPingRestartOnAnyTraffic": False,
        "serveFlashSocketPolicy": False,
        "flashSocketPolicy": "",
        # `ClientFactory.allows` decides: Autobahn compares with a port that browsers do not send,
        # and answers 400.
        "allowedOrigins": ["*"],
        "allowNullOrigin": True,
        "maxConnections": limits.connections,
        "trustXForwardedFor": 0,
    }
