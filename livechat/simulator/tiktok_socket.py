# SPDX-License-Identifier: MIT
"""The simulated push socket: handshake, what readers send, and what is pushed to them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionRequest
from google.protobuf.message import DecodeError
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import NOT_DONE_YET, Request

from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.simulator.tiktok_faults import TikTokFault, frame, gzipped
from livechat.simulator.tiktok_messages import Written, batch
from livechat.simulator.tiktok_room import LiveRoom

_COOKIE: Final = re.compile(r"(?:^|;\s*)ttwid=([^;]+)")

#: Status and words with which an upgrade is refused (docs/wire/tiktok.md#upgrade).
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"DEVICE_BLOCKED": "415", "illegal secret key": "417", "illegal app_id": "417"}
)


class Server(Protocol):
    """The simulator, as a socket sees it."""

    clock: IReactorTime
    faults: set[TikTokFault]
    sockets: list[PushConnection]

    def knows(self, cookie: str) -> bool:
        """Whether this identity was given out and is still good."""

    def use(self, cookie: str) -> bool:
        """Whether this signed identity was given out and is used for the first time."""

    def room_of(self, room_id: int) -> LiveRoom | None:
        """The room with this id, if somebody has asked for its account."""


class PushConnection(WebSocketServerProtocol):
    """One reader.

    :ivar room: where it is, once it has entered.
    :ivar heard: kinds of the frames that it sent.
    :ivar acknowledged: the `log_id` of every acknowledgement.
    """

    factory: PushFactory
    # A TCP transport; Autobahn's annotation knows less.
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self.room: LiveRoom | None = None
        self.heard: deque[str] = deque(maxlen=1000)
        self.beats: list[int] = []
        self.acknowledged: list[int] = []
        self.cookie = ""
        self._pushed = 0

    def onConnect(self, request: ConnectionRequest) -> Any:
        """Send the interval of heartbeats."""
        self.cookie = request.headers.get("cookie", "")
        return None, {"Handshake-Options": "ping-interval=10;", "Handshake-Status": "0"}

    def onOpen(self) -> None:
        """A reader has come."""
        self.factory.simulator.sockets.append(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """One frame of the reader; any may be nonsense."""
        try:
            said = schema.PushFrame.FromString(payload) if isBinary else schema.PushFrame()
        except DecodeError:
            said = schema.PushFrame()
        kind = said.payload_type.decode("latin-1")
        self.heard.append(kind)
        faults = self.factory.simulator.faults
        if TikTokFault.DEAD in faults:
            return
        try:
            if kind == "im_enter_room":
                self._enter(schema.EnterRoom.FromString(said.payload))
            elif kind == "hb":
                beat = schema.Heartbeat.FromString(said.payload)
                self.beats.append(beat.send_packet_seq_id)
                self.write(frame(gzipped(said.payload), "hb"))
            elif kind == "ack":
                self.acknowledged.append(said.log_id)
        except DecodeError:
            self.heard.append("unreadable")

    def _enter(self, wish: schema.EnterRoom) -> None:
        # Without these the real server says nothing, either.
        if wish.live_id != 12 or wish.identity != "audience" or self.room is not None:
            return
        server = self.factory.simulator
        self.room = server.room_of(wish.room_id)
        if self.room is None or self.silent:
            return
        self._push_batch(
            batch(
                self.room.greeting(),
                list(self.room.history),
                heartbeat_duration=15,
                is_first=True,
            ),
            "im_enter_room_resp",
        )
        self.room.enter(self)

    @property
    def silent(self) -> bool:
        """It receives no messages."""
        faults = self.factory.simulator.faults
        dumb = self.room is not None and self.room.handle.startswith("restricted")
        return dumb or TikTokFault.BLIND in faults or TikTokFault.DEAD in faults

    def push(self, written: Sequence[Written]) -> None:
        """Messages of the room."""
        if self.silent:
            return
        payload = batch(list(written), need_ack=True)
        for _ in range(2 if TikTokFault.DUPLICATES in self.factory.simulator.faults else 1):
            self._push_batch(payload, "msg")

    def _push_batch(self, payload: bytes, kind: str) -> None:
        self._pushed += 1
        if TikTokFault.UNCOMPRESSED not in self.factory.simulator.faults:
            payload = gzipped(payload)
        self.write(frame(payload, kind, self._pushed))

    def write(self, data: bytes) -> None:
        """One frame, exactly as given."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(data, isBinary=True)

    def drop(self) -> None:
        """End the connection at once."""
        self.transport.abortConnection()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The reader is gone."""
        if self in self.factory.simulator.sockets:
            self.factory.simulator.sockets.remove(self)
        if self.room is not None:
            self.room.leave(self)


class PushFactory(WebSocketServerFactory):
    """Makes a connection for every reader that is admitted."""

    protocol = PushConnection  # type: ignore[assignment]

    def __init__(self, server: Server) -> None:
        super().__init__(server="simulated", reactor=server.clock)
        self.simulator = server
        # Autobahn's own timers know only the global reactor; nothing here needs one.
        self.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, failByDrop=True)


class PushSocket:
    """Admits readers, or refuses them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._resource = WebSocketResource(PushFactory(server))

    def render(self, request: Request) -> bytes | int:
        """The upgrade, or why there is none."""
        faults = self._server.faults
        if TikTokFault.SOCKET_HANG in faults:
            return NOT_DONE_YET
        if TikTokFault.SOCKET_403 in faults:
            request.setResponseCode(403)
            return b""
        if TikTokFault.SOCKET_GARBAGE in faults:
            request.channel.transport.write(b"\xff\xfe\x00 garbage\r\n\r\n")  # type: ignore[union-attr]
            request.channel.transport.loseConnection()  # type: ignore[union-attr]
            return NOT_DONE_YET
        refusal = self._refusal(request)
        if refusal:
            request.setHeader("Handshake-Msg", refusal)
            request.setHeader("Handshake-Status", _WORDS[refusal])
            return b""
        if (request.getHeader("upgrade") or "").lower() != "websocket":
            request.setResponseCode(426)
            return b""
        rendered: bytes | int = self._resource.render(request)
        return rendered

    def _refusal(self, request: Request) -> str:
        found = _COOKIE.search(request.getHeader("cookie") or "")
        cookie = found[1] if found else ""
        args = request.args or {}
        if not request.getHeader("user-agent"):
            return "DEVICE_BLOCKED"
        if args.get(b"aid") != [b"1988"] or b"room_id" not in args:
            return "illegal app_id"
        if cookie.startswith("signed"):
            good = self._server.use(cookie) and TikTokFault.ILLEGAL_KEY not in self._server.faults
            return "" if good else "illegal secret key"
        if TikTokFault.ILLEGAL_KEY in self._server.faults:
            return "illegal secret key"
        blocked = TikTokFault.DEVICE_BLOCKED in self._server.faults
        return "DEVICE_BLOCKED" if blocked or not self._server.knows(cookie) else ""
