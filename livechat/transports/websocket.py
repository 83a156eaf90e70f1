# SPDX-License-Identifier: MIT
"""WebSocket connections: Autobahn's frames on one side, a `Session` and the fan-out on the other.

Autobahn has no limits by default and swallows what its callbacks raise; here every limit is set,
and a failed callback is logged and closes the connection with 1011.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from msgspec import Struct
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from livechat.core.ports import ISubscriber, Requester
from livechat.core.session import Session
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.transports.direct import DirectServer

_log = Logger()

#: Seconds between two pings of one client, and how long it may take to answer.
PING_INTERVAL: Final = 25
PING_TIMEOUT: Final = 10

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
    :ivar origins: allowed `Origin` values or patterns; `*` for all.
    :ivar handshake: seconds for the opening handshake.
    :ivar compression: whether clients may ask for compressed frames.
    """

    message: int = 65536
    pending: int = 1 << 20
    connections: int = 0
    origins: tuple[str, ...] = ("*",)
    handshake: float = 10.0
    compression: bool = True


_numbers = itertools.count(1)


@implementer(ISubscriber, IPushProducer)
class ClientConnection(WebSocketServerProtocol):
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
        self.deflate: bool = False
        self.requester: Requester = Requester()

    def onConnect(self, request: ConnectionRequest) -> None:
        """Refuse the upgrade while shutting down, and pages of other origins than allowed."""
        if self.factory.draining:
            raise ConnectionDeny(503, "shutting down")
        if not self.factory.allows(request.headers.get("origin")):
            raise ConnectionDeny(403, "origin not allowed")

    def onOpen(self) -> None:
        """The handshake is done: become a subscriber."""
        try:
            # Autobahn leaves Nagle's algorithm on under a bare factory; it costs 30 ms at p99.
            self.transport.setTcpNoDelay(True)
            self.transport.registerProducer(self, True)
            self._shed()
            self.deflate = bool(self.websocket_extensions_in_use)
            address = str(getattr(self.transport.getPeer(), "host", ""))
            self.requester = Requester(address, next(_numbers))
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

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A client's command."""
        self.factory.wheel.heard(self)
        if self._session is None or self.state != self.STATE_OPEN:
            return
        if isBinary:
            self._session.rejected(
                ChatError(
                    ErrorCode.INVALID_MESSAGE_TYPE, "Messages must be text, not binary", "JSON"
                )
            )
        else:
            self._session.received(payload)

    def onPing(self, payload: bytes) -> None:
        """A sign of life, too; Autobahn answers it."""
        self.factory.wheel.heard(self)
        super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        """Proof of life."""
        self.factory.wheel.heard(self)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection is gone, in whichever way."""
        session, self._session = self._session, None
        self._waiting = None
        self.pending = 0
        if session is not None:
            try:
                session.closed()
            finally:
                self.factory.left(self)

    def deliver(self, frames: bytes) -> None:
        """See `ISubscriber`."""
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


class PingWheel:
    """Pings every client once per interval and drops those that do not answer.

    One timer for all clients instead of several per client: clients are spread over as many slots
    as the interval has seconds; every second one slot is pinged, and the slot that was pinged
    `PING_TIMEOUT` seconds ago is looked through for silence.
    """

    def __init__(self, clock: IReactorTime, silent: Callable[[ClientConnection], None]) -> None:
        self._clock = clock
        self._silent = silent
        self._slots: list[dict[ClientConnection, None]] = [{} for _ in range(PING_INTERVAL)]
        self._slot_of: dict[ClientConnection, int] = {}
        self._unheard: set[ClientConnection] = set()
        self._hand = 0
        self._call: IDelayedCall | None = None

    def add(self, client: ClientConnection) -> None:
        """Watch over a client; its first ping comes after a whole interval."""
        slot = (self._hand - 1) % PING_INTERVAL
        self._slots[slot][client] = None
        self._slot_of[client] = slot
        if self._call is None:
            self._call = self._clock.callLater(1.0, self._turn)

    def remove(self, client: ClientConnection) -> None:
        """Stop watching over a client."""
        slot = self._slot_of.pop(client, None)
        if slot is not None:
            del self._slots[slot][client]
            self._unheard.discard(client)
        if not self._slot_of and self._call is not None:
            self._call.cancel()
            self._call = None

    def heard(self, client: ClientConnection) -> None:
        """A client gave a sign of life."""
        self._unheard.discard(client)

    def _turn(self) -> None:
        self._call = self._clock.callLater(1.0, self._turn)
        overdue = self._slots[(self._hand - PING_TIMEOUT) % PING_INTERVAL]
        for client in [client for client in overdue if client in self._unheard]:
            self._silent(client)
        for client in self._slots[self._hand]:
            self._unheard.add(client)
            client.sendPing()
        self._hand = (self._hand + 1) % PING_INTERVAL


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
        self._clients: dict[ClientConnection, None] = {}
        self._origins = [_origin_pattern(origin) for origin in limits.origins]
        self.draining = False
        self._drained: Deferred[None] | None = None
        self.wheel = PingWheel(self._clock, self._drop_silent)
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

    def allows(self, origin: str | None) -> bool:
        """Whether a page of this origin may connect; what is not a browser sends none."""
        if origin is None:
            return True
        return any(pattern.fullmatch(origin.strip().lower()) for pattern in self._origins)

    def opened(self, client: ClientConnection) -> Session:
        """A client has finished its handshake."""
        session = self._make_session(client)
        self._clients[client] = None
        self.metrics.clients.inc()
        self.wheel.add(client)
        return session

    def left(self, client: ClientConnection) -> None:
        """A client is gone."""
        del self._clients[client]
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
        self.wheel.remove(client)
        client.transport.abortConnection()


def _origin_pattern(origin: str) -> re.Pattern[str]:
    """`*` alone is every origin, `null` included; inside a pattern it is part of a host name."""
    if origin == "*":
        return re.compile(".*", re.DOTALL)
    return re.compile("[^/:]*".join(re.escape(part) for part in origin.lower().split("*")))


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
        if not offer.request_max_window_bits:
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
        "openHandshakeTimeout": limits.handshake,
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
