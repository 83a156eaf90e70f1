# SPDX-License-Identifier: MIT
"""What every webcast message has in common: the room, its id, when it was said, how it reads."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from livechat.model.event_data import EventData
from livechat.model.events import ChannelEvent, iso_time
from livechat.platforms.tiktok.parse.counts import Counts
from livechat.platforms.tiktok.parse.webcast import Envelope
from livechat.platforms.tiktok.webcast_pb2 import Common, Text, TextPiece, User

PLATFORM: Final = "tiktok"

#: Times before this are seconds or nonsense: 2001 in milliseconds, the year 33,658 in seconds.
_FIRST_MILLISECOND: Final = 10**12
_DAY: Final = 86_400_000

# A text is a pattern with places for its pieces.  Both are bounded: a pattern of many places times
# a long piece would be a bomb.
_PLACE: Final = re.compile(r"\{(\d{1,2})(?::[a-z_]{0,16})?\}")
_MAX_PATTERN: Final = 1024
_MAX_PIECES: Final = 16
_MAX_PIECE: Final = 256

#: Longest value that is counted by name.
_MAX_VALUE: Final = 64


class Room(Struct, frozen=True):
    """The room that is watched.

    :ivar room_id: decimal.
    :ivar owner_id: user id of its owner, 0 when not known.
    """

    room_id: str
    owner_id: int = 0


class MessageContext(Struct, frozen=True):
    """The context of one message: its room, id, time and method.

    :ivar message_id: unique within the room, equal when the platform repeats itself.
    :ivar seconds: monotonic time at which it came.
    :ivar method: the platform's name of the message.
    :ivar counts: where to say what of it is unknown or left out.
    """

    room: Room
    message_id: str
    timestamp: str
    seconds: float
    method: str
    counts: Counts

    def unknown(self, field: str, value: object) -> None:
        """A field of the message has a value that nobody here knows."""
        self.counts.unknown(f"{self.method}.{field}={str(value)[:_MAX_VALUE]}")

    def leave_out(self, what: str) -> None:
        """The message is known and means nothing that has a kind, for this reason."""
        self.counts.leave_out(f"{self.method} {what}")

    def event(self, data: EventData, event_id: str = "") -> ChannelEvent:
        """An event of this message; its id is the message's unless it has a better one."""
        return ChannelEvent.of(
            data, PLATFORM, self.timestamp, event_id or self.message_id, self.room.room_id
        )


def context_of(
    room: Room, envelope: Envelope, common: Common, now: int, seconds: float, counts: Counts
) -> MessageContext:
    """The context of a message.

    A message without an id gets one from its bytes.

    :param now: wall time in milliseconds.
    :param seconds: monotonic time.
    """
    number = envelope.message_id or common.msg_id
    message_id = str(number) if number else digest(envelope.payload)
    when = timestamp(common.create_time, now)
    return MessageContext(room, message_id, when, seconds, envelope.method, counts)


def timestamp(create_time: int, now: int) -> str:
    """ISO 8601 of a message's time, which is milliseconds or, seldom, seconds (both recorded).

    A time that is missing or more than a day ahead becomes `now`.

    :param now: wall time in milliseconds.
    """
    milliseconds = create_time * 1000 if 10**9 <= create_time < 10**11 else create_time
    if not _FIRST_MILLISECOND <= milliseconds <= now + _DAY:
        milliseconds = now
    return iso_time(milliseconds)


def digest(data: bytes) -> str:
    """A short name for some bytes, equal for equal bytes."""
    return blake2b(data, digest_size=12).hexdigest()


def rendered(text: Text) -> str:
    """A text of the platform as its viewers read it, in the platform's English."""
    pattern = text.default_pattern[:_MAX_PATTERN]
    if "{" not in pattern:
        return pattern
    pieces = text.pieces[:_MAX_PIECES]

    def piece(place: re.Match[str]) -> str:
        number = int(place[1])
        return _piece(pieces[number]) if number < len(pieces) else ""

    # A place that stays empty, such as a picture's, leaves no gap.
    return " ".join(_PLACE.sub(piece, pattern).split())


def person_in(*texts: Text) -> User | None:
    """The first person that texts of the platform name."""
    for text in texts:
        for piece in text.pieces[:_MAX_PIECES]:
            if piece.user_value.user.id:
                return piece.user_value.user
    return None


def _piece(piece: TextPiece) -> str:
    text = (
        piece.string_value
        or piece.user_value.user.nickname
        or piece.gift_value.name_ref.default_pattern
    )
    return text[:_MAX_PIECE]
