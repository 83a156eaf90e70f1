# SPDX-License-Identifier: MIT
"""One push socket: upgrade, entering the room, heartbeats, acknowledgements, and noticing silence.

Twisted's `ClientService` is not used: a socket whose address and cookies were signed is good for
one attempt, so there is nothing to retry at that level (docs/wire/tiktok.md#socket).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from autobahn.websocket.types import ConnectionResponse
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from livechat.platforms.client_socket import ClientSocket, Connect, SocketError, connected
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

_log = Logger()

#: Seconds between heartbeats unless the server asks for others (docs/wire/tiktok.md#heartbeats).
HEARTBEAT: Final = 10.0

#: Seconds without any frame after which a socket is dead: the server answers heartbeats.
SILENCE_TIMEOUT: Final = 45.0

#: Seconds without a message from the room after which we are blind: since entering, and later on.
#: Rooms tell their number of viewers every few seconds, however quiet their chat is.
NO_DATA_TIMEOUT: Final = 60.0
STALLED_TIMEOUT: Final = 180.0

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


class PushSocket(ClientSocket):
    """One connection to the push server, for one room; `opened` fails with `UpstreamError`."""

    def __init__(self, room_id: str, room: FrameReceiver, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._room_id = room_id
        self._room = room
        self._interval = HEARTBEAT
        self._beats = 0
        self._beating: IDelayedCall | None = None
        self._said_frame = self._said_batch = clock.seconds()
        self._seeing = False

    def onConnect(self, response: ConnectionResponse) -> None:
        """The server may ask for an interval of heartbeats."""
        found = _PING_INTERVAL.search(response.headers.get("handshake-options", ""))
        if found and int(found[1]):
            self._interval = min(max(float(found[1]), 5.0), 60.0)

    def entered(self) -> None:
        """Enter the room; without that the socket stays silent."""
        self._said_frame = self._said_batch = self.clock.seconds()
        self.sendMessage(enter_room(self._room_id), isBinary=True)
        self._beat()

    def left(self) -> None:
        """See `ClientSocket`."""
        if self._beating is not None and self._beating.active():
            self._beating.cancel()

    def refusal(self, why: str) -> Exception:
        """See `ClientSocket`: what the server said, or that it said nothing."""
        return upstream_error(self._verdict(why))

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """One push frame."""
        now = self._said_frame = self.clock.seconds()
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

    def _verdict(self, why: str) -> Refused:
        line = str(getattr(self, "http_status_line", "")).split()
        if len(line) < 2 or not line[1].isdigit():
            return refused(Reason.UPSTREAM, f"socket: {why}")
        verdict = read_handshake(int(line[1]), self.http_headers)
        return verdict or refused(Reason.UPSTREAM, "socket: broken upgrade")

    def _beat(self) -> None:
        """A heartbeat, after a look at how long nothing was heard."""
        now = self.clock.seconds()
        if now - self._said_frame >= SILENCE_TIMEOUT:
            self.drop(f"nothing heard for {SILENCE_TIMEOUT:g} s")
            return
        patience = STALLED_TIMEOUT if self._seeing else NO_DATA_TIMEOUT
        if now - self._said_batch >= patience:
            self.drop(f"blind: heartbeats but no message for {patience:g} s")
            return
        self._beats += 1
        self.sendMessage(heartbeat(self._room_id, self._beats), isBinary=True)
        self._beating = self.clock.callLater(self._interval, self._beat)


async def open_socket(
    connect: Connect, clock: IReactorTime, opening: Opening, room: FrameReceiver
) -> PushSocket:
    """A socket that is open and has asked to be let into the room.

    :raises UpstreamError: nobody answers, or the upgrade is refused.
    """
    socket = PushSocket(opening.room_id, room, clock)
    try:
        return await connected(
            connect, clock, opening.url, socket, headers=opening.headers, longest=MAX_FRAME
        )
    except SocketError as error:
        raise upstream_error(refused(Reason.UPSTREAM, f"socket: {error}")) from error
