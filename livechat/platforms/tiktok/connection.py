# SPDX-License-Identifier: MIT
"""One push socket: upgrade, entering the room, heartbeats, acknowledgements, and noticing silence.

The WebSocket is Autobahn's.  Its limits are all set here; its timers are switched off because they
know only the global reactor, and ours take their place.  Twisted's `ClientService` is not used: a
socket whose address and cookies were signed is good for one attempt, so there is nothing to retry
at that level (docs/wire/tiktok.md#socket).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.types import ConnectionResponse
from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.logger import Logger

from livechat.platforms.tiktok.parse.webcast import (
    MAX_FRAME,
    Batch,
    Push,
    Unread,
    enter_room,
    heartbeat,
    read_push,
)
from livechat.platforms.tiktok.refusals import (
    Reason,
    Refused,
    read_handshake,
    refused,
    upstream_error,
)
from livechat.platforms.upstream_error import UpstreamError
from livechat.upgrades import MustRead, SilentLog

_log = Logger()

#: Seconds for TCP, TLS and the upgrade together.
OPEN_TIMEOUT: Final = 15.0

#: Longest answer to the upgrade, in bytes.
MAX_HEAD: Final = 64 * 1024

#: Seconds between heartbeats unless the server asks for others (docs/wire/tiktok.md#heartbeats).
HEARTBEAT: Final = 10.0

#: Seconds without any frame after which a socket is dead: the server answers heartbeats.
SILENCE_TIMEOUT: Final = 45.0

#: Seconds without a message from the room after which we are blind: since entering, and later on.
#: Rooms tell their number of viewers every few seconds, however quiet their chat is.
NO_DATA_TIMEOUT: Final = 60.0
STALLED_TIMEOUT: Final = 180.0

#: Seconds for the server to answer our close frame; then the connection is dropped.
CLOSE_TIMEOUT: Final = 3.0

#: Given host, port and whether with TLS: where to connect.
Connect = Callable[[str, int, bool], IStreamClientEndpoint]

_PING_INTERVAL: Final = re.compile(r"(?:^|;)\s*ping-interval=(\d{1,4})\s*(?:;|$)")


class Opening(Struct, frozen=True):
    """What one attempt to open a socket needs.

    :ivar room_id: decimal, below 2^63.
    :ivar headers: of the upgrade.
    :ivar first: messages that came before the socket.
    """

    room_id: str
    url: str
    headers: Mapping[str, str]
    first: Batch | None = None


class FrameReceiver(Protocol):
    """What takes the frames of a room."""

    def raw_received(self, data: bytes) -> None:
        """One message of the socket as it came, before it is read."""

    def frame_received(self, push: Push) -> None:
        """A frame of the room, or a sign of life."""

    def batch_received(self, batch: Batch) -> None:
        """Messages that came before the feed."""

    def unreadable(self, name: str) -> None:
        """Something could not be read."""


class FrameSource(Protocol):
    """Where a room's frames come from.

    :ivar lost: fires with the reason when no more will come; never fails.
    """

    lost: Deferred[str]

    def drop(self, reason: str) -> None:
        """End it; idempotent."""


class PushSocket(WebSocketClientProtocol):
    """One connection to the push server, for one room.

    :ivar opened: fires when the upgrade has succeeded; fails with `UpstreamError`.
    """

    # A TCP transport; Autobahn's annotation knows less.
    transport: Any

    log: Any = SilentLog()

    def __init__(self, room_id: str, room: FrameReceiver, clock: IReactorTime) -> None:
        super().__init__()
        self.opened: Deferred[None] = Deferred()
        self.lost: Deferred[str] = Deferred()
        self._room_id = room_id
        self._room = room
        self._clock = clock
        self._interval = HEARTBEAT
        self._beats = 0
        self._beating: IDelayedCall | None = None
        self._closing: IDelayedCall | None = None
        self._head = 0
        self._said_frame = self._said_batch = clock.seconds()
        self._seeing = False
        self._reason = ""

    def drop(self, reason: str) -> None:
        """See `FrameSource`."""
        self._reason = self._reason or reason
        if self.transport is not None:
            self.transport.abortConnection()

    # Called by Autobahn and Twisted.

    def dataReceived(self, data: bytes) -> None:
        """Keep what Autobahn makes of a stranger's bytes from getting out of hand."""
        if self.state == self.STATE_CONNECTING:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self.drop("the answer to the upgrade is too large")
                return
            try:
                super().dataReceived(data)
            except ValueError as error:
                # Autobahn decodes the head of the answer without asking whether it is text.
                self.drop(f"unreadable answer to the upgrade: {error}")
        else:
            super().dataReceived(data)
        if self.state == self.STATE_CLOSING:
            self._watch_closing()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Browsers leave the usual port out of `Host`; Autobahn never does."""
        if self.state == self.STATE_CONNECTING:
            usual = b":443\r\nUpgrade:" if self.factory.isSecure else b":80\r\nUpgrade:"
            data = data.replace(usual, b"\r\nUpgrade:", 1)
        super().sendData(data, sync, chopsize)

    def onConnect(self, response: ConnectionResponse) -> None:
        """The server may ask for an interval of heartbeats."""
        found = _PING_INTERVAL.search(response.headers.get("handshake-options", ""))
        if found and int(found[1]):
            self._interval = min(max(float(found[1]), 5.0), 60.0)

    def onOpen(self) -> None:
        """Enter the room; without that the socket stays silent."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        # Otherwise our answers to pings and frames could pile up without end.
        deaf = MustRead(lambda: self.drop("the server does not read"))
        self.transport.registerProducer(deaf, True)
        self._said_frame = self._said_batch = self._clock.seconds()
        self.opened.callback(None)
        if self.state == self.STATE_OPEN:
            self.sendMessage(enter_room(self._room_id), isBinary=True)
            self._beat()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """One push frame."""
        now = self._said_frame = self._clock.seconds()
        self._room.raw_received(payload)
        push = read_push(payload) if isBinary else Unread("text frame")
        if isinstance(push, Unread):
            self._room.unreadable(push.name)
            return
        if push.reply is not None:
            self.sendMessage(push.reply, isBinary=True)
        if push.batch.heartbeat is not None:
            self._interval = push.batch.heartbeat
        if push.carries:
            self._said_batch = now
            self._seeing = True
        try:
            self._room.frame_received(push)
        except Exception:
            # Autobahn would drop the connection, and the same frame would come again.
            _log.failure("TikTok room {room}: a frame failed", room=self._room_id)
            self._room.unreadable("frame failed")

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection is gone, in whichever way."""
        for call in (self._beating, self._closing):
            if call is not None and call.active():
                call.cancel()
        why = self._reason or (f"closed by the server ({code})" if wasClean else "connection lost")
        if not self.opened.called:
            self.opened.errback(upstream_error(self._verdict(why)))
        if not self.lost.called:
            self.lost.callback(why)

    def _verdict(self, why: str) -> Refused:
        """Why there was no upgrade: what the server said, or that it said nothing."""
        line = str(getattr(self, "http_status_line", "")).split()
        if len(line) < 2 or not line[1].isdigit():
            return refused(Reason.UPSTREAM, f"socket: {why}")
        verdict = read_handshake(int(line[1]), self.http_headers)
        return verdict or refused(Reason.UPSTREAM, "socket: broken upgrade")

    def _beat(self) -> None:
        """A heartbeat, after a look at how long nothing was heard."""
        now = self._clock.seconds()
        if now - self._said_frame >= SILENCE_TIMEOUT:
            self.drop(f"nothing heard for {SILENCE_TIMEOUT:g} s")
            return
        patience = STALLED_TIMEOUT if self._seeing else NO_DATA_TIMEOUT
        if now - self._said_batch >= patience:
            self.drop(f"blind: heartbeats but no message for {patience:g} s")
            return
        self._beats += 1
        self.sendMessage(heartbeat(self._room_id, self._beats), isBinary=True)
        self._beating = self._clock.callLater(self._interval, self._beat)

    def _watch_closing(self) -> None:
        if self._closing is None:
            self._closing = self._clock.callLater(CLOSE_TIMEOUT, self.drop, "close not answered")


async def open_socket(
    connect: Connect, clock: IReactorTime, opening: Opening, room: FrameReceiver
) -> PushSocket:
    """A socket that is open and has asked to be let into the room.

    :raises UpstreamError: nobody answers, or the upgrade is refused.
    """
    parts = urlsplit(opening.url)
    tls = parts.scheme == "wss"
    factory = _SocketFactory(opening, room, clock)
    endpoint = connect(parts.hostname or "", parts.port or (443 if tls else 80), tls)
    connecting: Deferred[Any] = endpoint.connect(factory)
    timer = clock.callLater(OPEN_TIMEOUT, connecting.cancel)
    socket: PushSocket | None = None
    try:
        socket = await connecting
        timer.cancel()
        timer = clock.callLater(OPEN_TIMEOUT, socket.drop, "no answer to the upgrade")
        await socket.opened
    except BaseException as error:
        if socket is not None:
            socket.drop("given up")
        if isinstance(error, UpstreamError) or not isinstance(error, Exception):
            raise
        note: object = error
        if isinstance(error, CancelledError | ConnectingCancelledError):
            if timer.active():
                raise CancelledError from None
            note = "no connection in time"
        raise upstream_error(refused(Reason.UPSTREAM, f"socket: {note}")) from error
    finally:
        if timer.active():
            timer.cancel()
    return socket


class _SocketFactory(WebSocketClientFactory):
    """Makes the one protocol of one attempt."""

    noisy = False

    def __init__(self, opening: Opening, room: FrameReceiver, clock: IReactorTime) -> None:
        # The User-Agent stands among the headers, so that all are in the order of a browser.
        super().__init__(opening.url, useragent=None, headers=dict(opening.headers), reactor=clock)
        self.setProtocolOptions(**PROTOCOL_OPTIONS)
        self._made = PushSocket(opening.room_id, room, clock)

    def buildProtocol(self, addr: IAddress | None) -> PushSocket:
        """The protocol of this attempt."""
        self._made.factory = self
        return self._made


#: Every option that Autobahn's client knows, none left to its default.
PROTOCOL_OPTIONS: Final[Mapping[str, Any]] = {
    "version": 18,
    "utf8validateIncoming": True,
    "acceptMaskedServerFrames": False,
    "maskClientFrames": True,
    "applyMask": True,
    "maxFramePayloadSize": MAX_FRAME,
    "maxMessagePayloadSize": MAX_FRAME,
    "autoFragmentSize": 0,
    # Tell the server why, rather than dropping it; `PushSocket` sees to it that this ends.
    "failByDrop": False,
    "echoCloseCodeReason": False,
    "serverConnectionDropTimeout": 0,
    "openHandshakeTimeout": 0,
    "closeHandshakeTimeout": 0,
    "tcpNoDelay": True,
    "perMessageCompressionOffers": [],
    "perMessageCompressionAccept": lambda offer: None,
    # The server does not answer them (docs/wire/tiktok.md#heartbeats).
    "autoPingInterval": 0,
    "autoPingTimeout": 0,
    "autoPingSize": 12,
    "autoPingRestartOnAnyTraffic": False,
}
