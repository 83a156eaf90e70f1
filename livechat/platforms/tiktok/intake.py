# SPDX-License-Identifier: MIT
"""The frame intake: somebody who may watch a room relays its push frames to us, as they are.

Off unless the operator opens it.  It makes TikTok work on the days when servers are blocked: a
browser is not.  One WebSocket is one room: the address names it, every binary message is one push
frame exactly as TikTok sent it, and nothing is answered (docs/tiktok.md).
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from livechat.alpn import SpeaksHttp
from livechat.model.errors import ChatError
from livechat.platforms.tiktok.connection import SILENCE_TIMEOUT, FrameReceiver
from livechat.platforms.tiktok.identifier import handle_of
from livechat.platforms.tiktok.parse.answers import Live
from livechat.platforms.tiktok.parse.webcast import MAX_FRAME, Push, Unread, read_push
from livechat.upgrades import MustRead, Refusals, UpgradedConnection

_log = Logger()

#: Most relays at once, and seconds for the upgrade.
MAX_RELAYS: Final = 200
OPEN_TIMEOUT: Final = 10.0

#: Most frames that wait for somebody to watch their room, and seconds for which they are worth it:
#: the first one of a room holds its last comments and does not come again.
MAX_WAITING: Final = 16
RECENT: Final = 10.0


class Feed:
    """One relay's frames on their way to one receiver."""

    def __init__(self, relay: Relay) -> None:
        self.lost: Deferred[str] = Deferred()
        self._relay = relay

    def drop(self, reason: str) -> None:
        """See `FrameSource`: the relay stays, its frames go nowhere."""
        self._relay.part(self)
        if not self.lost.called:
            self.lost.callback(reason)


class Relay(UpgradedConnection):
    """One connection of somebody who relays a room."""

    factory: Intake
    # A TCP transport; Autobahn's annotation knows less.
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self.handle = ""
        self.live = Live("0")
        self._feed: Feed | None = None
        self._room: FrameReceiver | None = None
        self._heard = 0.0
        self._waiting: deque[tuple[float, Push]] = deque(maxlen=MAX_WAITING)
        self._watch: IDelayedCall | None = None

    def attach(self, room: FrameReceiver) -> Feed:
        """Send the frames there from now on, those of the last moments first."""
        if self._feed is not None:
            self._feed.drop("taken over")
        self._room = room
        self._feed = Feed(self)
        recent = self.factory.clock.seconds() - RECENT
        waiting = [push for when, push in self._waiting if when >= recent]
        self._waiting.clear()
        for push in waiting:
            room.frame_received(push)
        return self._feed

    def part(self, feed: Feed) -> None:
        """This feed is not wanted any more."""
        if self._feed is feed:
            self._feed = self._room = None

    # Called by Autobahn and Twisted.

    def connectionMade(self) -> None:
        """Autobahn's own timer knows only the global reactor."""
        self._watch = self.factory.clock.callLater(OPEN_TIMEOUT, self._give_up)
        super().connectionMade()

    def admit(self, request: ConnectionRequest) -> None:
        """Let in who knows the token and names a room."""
        given = {name: values[0] for name, values in request.params.items() if values}
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.factory.admits(given.get("token") or bearer):
            raise ConnectionDeny(403, "wrong token")
        try:
            self.handle = handle_of(given.get("unique_id", ""))
        except ChatError:
            raise ConnectionDeny(400, "unique_id is not an account") from None
        room_id, owner_id = given.get("room_id", ""), given.get("owner_id", "0")
        if not (_is_id(room_id) and int(room_id) and _is_id(owner_id)):
            raise ConnectionDeny(400, "room_id or owner_id is not a number")
        self.live = Live(room_id, int(owner_id))

    def onOpen(self) -> None:
        """Offer the room to whoever watches it."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(MustRead(self._give_up), True)
        self._heard = self.factory.clock.seconds()
        self._rearm(SILENCE_TIMEOUT)
        self.factory.came(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """One push frame."""
        now = self._heard = self.factory.clock.seconds()
        push = read_push(payload) if isBinary else Unread("text frame")
        try:
            if self._room is not None:
                self._room.raw_received(payload)
            if self._room is None:
                if not isinstance(push, Unread):
                    self._waiting.append((now, push))
            elif isinstance(push, Unread):
                self._room.unreadable(push.name)
            else:
                self._room.frame_received(push)
        except Exception:
            _log.failure("tiktok:{handle}: a relayed frame failed", handle=self.handle)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The relay is gone."""
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        self.factory.went(self)
        if self._feed is not None:
            self._feed.drop("the relay is gone")

    def _rearm(self, seconds: float) -> None:
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        self._watch = self.factory.clock.callLater(seconds, self._look)

    def _look(self) -> None:
        silent = self.factory.clock.seconds() - self._heard
        if silent >= SILENCE_TIMEOUT:
            self._give_up()
        else:
            self._rearm(SILENCE_TIMEOUT - silent)

    def _give_up(self) -> None:
        self.transport.abortConnection()


class Intake(SpeaksHttp, WebSocketServerFactory):
    """The relays that are connected, by the account they relay.

    :param token: what a relay must know; at least 16 characters.
    :param came: told the account when a relay has come.
    """

    protocol = Relay  # type: ignore[assignment]

    def __init__(self, token: str, clock: IReactorTime, came: Callable[[str], None]) -> None:
        super().__init__(server="livechat", reactor=clock)
        self.clock = clock
        self.noisy = False
        self.refusals = Refusals(clock.seconds)
        self._token = token.encode()
        self._came = came
        self._relays: dict[str, list[Relay]] = {}
        self.setProtocolOptions(**PROTOCOL_OPTIONS)

    def admits(self, token: str) -> bool:
        """Whether this is the token; takes the same time whatever it is."""
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token)

    def relayed(self, handle: str) -> Live | None:
        """The room of this account, if somebody relays it."""
        relays = self._relays.get(handle)
        return relays[-1].live if relays else None

    def relay(self, handle: str, room: FrameReceiver) -> Feed | None:
        """The frames of the newest relay of this account."""
        relays = self._relays.get(handle)
        return relays[-1].attach(room) if relays else None

    def came(self, relay: Relay) -> None:
        """From a relay: it is ready."""
        self._relays.setdefault(relay.handle, []).append(relay)
        _log.info("tiktok:{handle}: a relay has connected", handle=relay.handle)
        self._came(relay.handle)

    def went(self, relay: Relay) -> None:
        """From a relay: it is gone."""
        relays = self._relays.get(relay.handle, [])
        if relay in relays:
            relays.remove(relay)
            if not relays:
                del self._relays[relay.handle]

    @property
    def count(self) -> int:
        """Relays that are connected."""
        return sum(map(len, self._relays.values()))

    def stop(self) -> None:
        """Send every relay away."""
        for relays in list(self._relays.values()):
            for relay in list(relays):
                relay.transport.abortConnection()


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 1 << 63


#: Every option that Autobahn's server knows, none left to its default.
PROTOCOL_OPTIONS: Final[Mapping[str, Any]] = {
    "versions": [13],
    "webStatus": False,
    "utf8validateIncoming": True,
    "maskServerFrames": False,
    "requireMaskedClientFrames": True,
    "applyMask": True,
    "maxFramePayloadSize": MAX_FRAME,
    "maxMessagePayloadSize": MAX_FRAME,
    "autoFragmentSize": 0,
    # A relay has no use for reasons, and nothing must wait for its consent.
    "failByDrop": True,
    "echoCloseCodeReason": False,
    "openHandshakeTimeout": 0,
    "closeHandshakeTimeout": 0,
    "tcpNoDelay": True,
    "perMessageCompressionAccept": lambda offers: None,
    "autoPingInterval": 0,
    "autoPingTimeout": 0,
    "autoPingSize": 12,
    "autoPingRestartOnAnyTraffic": False,
    "serveFlashSocketPolicy": False,
    "flashSocketPolicy": "",
    # The token decides: a browser extension's origin is its own.
    "allowedOrigins": ["*"],
    "allowNullOrigin": True,
    "maxConnections": MAX_RELAYS,
    "trustXForwardedFor": 0,
}
