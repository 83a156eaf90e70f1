# SPDX-License-Identifier: MIT
"""The sockets on which the simulated 7TV and BetterTTV tell of changes.

See docs/wire/emotes.md#seven-tv-events.
"""

from __future__ import annotations

import json
from typing import Any, Final, Protocol

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.server import Request

from livechat.simulator.emote_faults import EmoteFault

#: Seconds between heartbeats of 7TV, and subscriptions of one connection.
BEAT: Final = 25.0
LIMIT: Final = 100

_FLOOD: Final = 5000


class Server(Protocol):
    """The simulator, as a socket sees it."""

    clock: IReactorTime
    faults: set[EmoteFault]
    sockets: list[EventConnection]


class EventConnection(WebSocketServerProtocol):
    """One reader.

    :ivar topics: what it has asked for.
    """

    factory: _Factory
    # A TCP transport; Autobahn's annotation knows less.
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self.topics: set[str] = set()
        self._beating: IDelayedCall | None = None

    def onOpen(self) -> None:
        """A reader has come."""
        server = self.factory.server_side
        server.sockets.append(self)
        if EmoteFault.SOCKET_MUTE in server.faults:
            return
        if EmoteFault.SOCKET_GARBAGE in server.faults:
            self.sendMessage(b'{"op":', isBinary=False)
            self.sendMessage(b"\xff\x00", isBinary=True)
        if self.factory.provider == "7tv":
            ms = int(BEAT * 1000)
            hello = {"heartbeat_interval": ms, "session_id": "s", "subscription_limit": LIMIT}
            self.say({"op": 1, "t": 1, "d": hello})
            self._beat(0)
        if EmoteFault.SOCKET_FLOOD in server.faults:
            for _ in range(_FLOOD):
                self.say({"op": 2, "name": "nothing", "d": {"count": 0}})

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """What a reader wants; any message may be nonsense."""
        if EmoteFault.SOCKET_MUTE in self.factory.server_side.faults:
            return
        try:
            said = json.loads(payload)
        except ValueError:
            return
        match said:
            case {"op": 35, "d": {"type": str(kind), "condition": {"object_id": str(name)}}}:
                self._subscribe(f"{kind}:{name}")
            case {"op": 36, "d": {"type": str(kind), "condition": {"object_id": str(name)}}}:
                self.topics.discard(f"{kind}:{name}")
            case {"name": "join_channel", "data": {"name": str(name)}}:
                self.topics.add(name)
            case {"name": "part_channel", "data": {"name": str(name)}}:
                self.topics.discard(name)

    def onPing(self, payload: bytes) -> None:
        """Answer, unless nothing is said at all."""
        if EmoteFault.SOCKET_MUTE not in self.factory.server_side.faults:
            super().onPing(payload)

    def say(self, message: dict[str, Any]) -> None:
        """One message, unless nothing is said at all."""
        muted = EmoteFault.SOCKET_MUTE in self.factory.server_side.faults
        if self.state == self.STATE_OPEN and not muted:
            self.sendMessage(json.dumps(message).encode(), isBinary=False)

    def drop(self) -> None:
        """End the connection at once."""
        self.transport.abortConnection()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The reader is gone."""
        if self._beating is not None and self._beating.active():
            self._beating.cancel()
        if self in self.factory.server_side.sockets:
            self.factory.server_side.sockets.remove(self)

    def _subscribe(self, topic: str) -> None:
        if len(self.topics) >= LIMIT:
            self.say({"op": 7, "d": {"code": 4010, "message": "too many subscriptions"}})
            self.sendClose(4010)
            return
        self.topics.add(topic)
        self.say({"op": 5, "d": {"command": "SUBSCRIBE"}})

    def _beat(self, count: int) -> None:
        if count:
            self.say({"op": 2, "d": {"count": count}})
        clock = self.factory.server_side.clock
        self._beating = clock.callLater(BEAT, self._beat, count + 1)


class _Factory(WebSocketServerFactory):
    """Makes a connection for every reader that is admitted."""

    protocol = EventConnection  # type: ignore[assignment]

    def __init__(self, server: Server, provider: str) -> None:
        super().__init__(server="simulated", reactor=server.clock)
        self.server_side = server
        self.provider = provider
        # Autobahn's own timers know only the global reactor; nothing here needs one.
        self.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, failByDrop=True)


class EventSockets:
    """Admits readers, or refuses them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._resources = {
            provider: WebSocketResource(_Factory(server, provider)) for provider in ("7tv", "bttv")
        }

    def render(self, provider: str, request: Request) -> bytes | int:
        """The upgrade, or why there is none."""
        if EmoteFault.SOCKET_DOWN in self._server.faults:
            request.setResponseCode(503)
            return b""
        if (request.getHeader("upgrade") or "").lower() != "websocket":
            request.setResponseCode(426)
            return b""
        rendered: bytes | int = self._resources[provider].render(request)
        return rendered
