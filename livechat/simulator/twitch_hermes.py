# SPDX-License-Identifier: MIT
"""Hermes, on which the simulated Twitch tells what goes live (docs/wire/twitch.md#hermes)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Request

from livechat.simulator.twitch_faults import Fault

#: Seconds between two signs of life, and topics that one connection takes.
KEEPALIVE: Final = 10
LIMIT: Final = 50

_FLOOD: Final = 5000
_PREFIX: Final = "video-playback-by-id."


class Server(Protocol):
    """The simulator, as a connection sees it."""

    clock: IReactorTime
    faults: set[Fault]
    pushes: list[HermesConnection]

    def now(self) -> float:
        """The time of day, seconds since 1970."""


class HermesConnection(WebSocketServerProtocol):
    """One reader.

    :ivar topics: what it has asked for, by the id of its subscription.
    :ivar asked: every message that it has sent.
    """

    factory: _Factory
    # A TCP transport; Autobahn's annotation knows less.
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self.topics: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self._count = 0
        self._beating: IDelayedCall | None = None

    def onOpen(self) -> None:
        """A reader has come."""
        server = self.factory.server_side
        server.pushes.append(self)
        if Fault.HERMES_GARBAGE in server.faults:
            self.sendMessage(b'{"type":', isBinary=False)
            self.sendMessage(b"\xff\x00", isBinary=True)
            self.sendMessage(b'{"type":"welcome","welcome":{"keepaliveSec":"x"}}', isBinary=False)
        welcome = {
            "keepaliveSec": KEEPALIVE,
            "recoveryUrl": "wss://elsewhere.test/v1?recovery=1",
            "sessionId": "simulated",
        }
        self.say("welcome", welcome=welcome)
        self._beat()
        if Fault.HERMES_FLOOD in server.faults:
            for _ in range(_FLOOD):
                self.say("keepalive")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """What a reader wants; any message may be nonsense."""
        try:
            said = json.loads(payload)
        except ValueError:
            return
        if isinstance(said, dict):
            self.asked.append(said)
        match said:
            case {
                "type": "subscribe",
                "id": str(parent),
                "timestamp": str(),
                "subscribe": {
                    "id": str(name),
                    "type": "pubsub",
                    "pubsub": {"topic": str(topic)},
                },
            }:
                self._subscribe(parent, name, topic)
            case {"type": "unsubscribe", "id": str(parent), "unsubscribe": {"id": str(name)}}:
                known = self.topics.pop(name, None) is not None
                result = {"result": "ok" if known else "error", "subscription": {"id": name}}
                self.say("unsubscribeResponse", parentId=parent, unsubscribeResponse=result)

    def _subscribe(self, parent: str, name: str, topic: str) -> None:
        refusal = ""
        if Fault.HERMES_REFUSES in self.factory.server_side.faults:
            refusal = "not authorized"
        elif len(self.topics) >= LIMIT:
            refusal = "too many subscriptions"
        result: dict[str, Any] = {"result": "ok", "subscription": {"id": name}}
        if refusal:
            result |= {"result": "error", "error": refusal, "errorCode": "SUB000"}
        else:
            self.topics[name] = topic
        self.say("subscribeResponse", parentId=parent, subscribeResponse=result)

    def tell(self, number: str, kind: str) -> None:
        """Something has happened in a channel; only those who asked for it are told."""
        told: dict[str, Any] = {"type": kind, "server_time": self.factory.server_side.now()}
        if kind == "stream-up":
            told["play_delay"] = 0
        elif kind == "viewcount":
            told["viewers"] = 7
        for name, topic in self.topics.items():
            if topic == _PREFIX + number:
                body = {"subscription": {"id": name}, "type": "pubsub", "pubsub": json.dumps(told)}
                self.say("notification", notification=body)

    def say(self, kind: str, **more: Any) -> None:
        """One message, unless nothing is said at all."""
        server = self.factory.server_side
        if self.state != self.STATE_OPEN or Fault.HERMES_MUTE in server.faults:
            return
        self._count += 1
        time = datetime.fromtimestamp(server.now(), UTC).isoformat()
        message = {**more, "id": f"m{self._count}", "type": kind, "timestamp": time}
        self.sendMessage(json.dumps(message).encode(), isBinary=False)

    def reconnect(self) -> None:
        """Ask the reader to come again, at an address that it should not use."""
        self.say("reconnect", reconnect={"url": "wss://elsewhere.test/v1"})

    def drop(self) -> None:
        """End the connection at once."""
        self.transport.abortConnection()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The reader is gone."""
        if self._beating is not None and self._beating.active():
            self._beating.cancel()
        if self in self.factory.server_side.pushes:
            self.factory.server_side.pushes.remove(self)

    def _beat(self) -> None:
        if self._beating is not None:
            self.say("keepalive")
        self._beating = self.factory.server_side.clock.callLater(KEEPALIVE, self._beat)


class _Factory(WebSocketServerFactory):
    """Makes a connection for every reader that is admitted."""

    protocol = HermesConnection  # type: ignore[assignment]

    def __init__(self, server: Server) -> None:
        super().__init__(server="simulated", reactor=server.clock)
        self.server_side = server
        # Autobahn's own timers know only the global reactor; nothing here needs one.
        self.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, failByDrop=True)


class Hermes(Resource):
    """Admits readers, or refuses them."""

    isLeaf = True

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._socket = WebSocketResource(_Factory(server))

    def render_GET(self, request: Request) -> bytes | int:
        """The upgrade, or why there is none."""
        for fault, status in ((Fault.HERMES_DOWN, 503), (Fault.HERMES_FORBIDDEN, 403)):
            if fault in self._server.faults:
                request.setResponseCode(status)
                return b""
        if (request.getHeader("upgrade") or "").lower() != "websocket":
            request.setResponseCode(426)
            return b""
        if not (request.args or {}).get(b"clientId"):
            request.setResponseCode(400)
            return b""
        rendered: bytes | int = self._socket.render(request)
        return rendered
