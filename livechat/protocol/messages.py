# SPDX-License-Identifier: MIT
"""The client protocol: what a client may say, what it is told, and the bytes of both.

Pure: decodes commands, encodes server messages, makes WebSocket frames (RFC 6455 section 5.2;
server frames are not masked, so one frame serves every subscriber).
"""

from __future__ import annotations

import zlib
from struct import Struct as Packer
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelEvent, ChannelKey, ChatMessage, LiveInfo, StatsData


class Command(Struct, frozen=True):
    """What a client sent, before anybody asked whether it makes sense.

    Every field may hold any JSON value: the session answers a wrong one with a code of its own,
    which a schema violation could not.  UNSET means the field was not there.
    """

    type: object = UNSET
    platform: object = UNSET
    identifier: object = UNSET
    identifier_type: object = msgspec.field(default=UNSET, name="identifierType")
    events: object = UNSET


_command_decoder: Final = msgspec.json.Decoder(Command)
_encoder: Final = msgspec.json.Encoder()


def decode_command(payload: bytes) -> Command:
    """One client message.

    :raises ChatError: `INVALID_MESSAGE_TYPE`, the payload is not a JSON object.
    """
    try:
        return _command_decoder.decode(payload)
    # Nesting beyond the interpreter's depth is a RecursionError; bad UTF-8 inside a string is
    # reported as such.
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise ChatError(
            ErrorCode.INVALID_MESSAGE_TYPE,
            "A message must be a JSON object with a type",
            "subscribe, unsubscribe or get_stats",
        ) from None


class Status(Struct, frozen=True, tag_field="type", tag="status"):
    """`status`: the state of one subscription.

    `identifier` is what the client sent.  `channel` (addition) is the canonical identifier that
    the shared messages (`chat`, `event`, `stats`) of this subscription carry.
    """

    status: Literal["subscribed", "started", "reconnecting", "unsubscribed", "waiting"]
    live_id: str | UnsetType = msgspec.field(default=UNSET, name="liveId")
    identifier: str | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    storage_type: str | UnsetType = UNSET
    live: bool | UnsetType | None = UNSET
    feed: str | UnsetType = UNSET
    receiving: bool | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    details: str | UnsetType = UNSET


class Failure(Struct, frozen=True, tag_field="type", tag="error"):
    """`error`: a code, a sentence, and perhaps a machine-readable detail.

    `temporary` is absent from errors about a command itself.
    """

    error: str
    code: str
    details: str | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    identifier: str | UnsetType = UNSET
    scheduled_start: str | UnsetType = msgspec.field(default=UNSET, name="scheduledStart")
    temporary: bool | UnsetType = UNSET


class Chat(Struct, frozen=True, tag_field="type", tag="chat"):
    """`chat`: one message in its envelope."""

    data: ChatMessage
    platform: str
    identifier: str


class Happening(Struct, frozen=True, tag_field="type", tag="event"):
    """`event`: what is not a user's message, for those who asked."""

    data: ChannelEvent
    platform: str
    identifier: str


class Stats(Struct, frozen=True, tag_field="type", tag="stats"):
    """`stats`: the statistics of one channel."""

    data: StatsData
    platform: str
    identifier: str


ServerMessage = Status | Failure | Chat | Happening | Stats


def encode(message: ServerMessage) -> bytes:
    """The JSON bytes of a server message."""
    return _encoder.encode(message)


def encode_event(key: ChannelKey, event: ChatMessage | ChannelEvent) -> bytes:
    """The JSON bytes of what all subscribers of a channel receive for one event."""
    envelope = Chat if isinstance(event, ChatMessage) else Happening
    return _encoder.encode(envelope(event, key.platform, key.identifier))  # type: ignore[arg-type]


def started(identifier: str, key: ChannelKey, info: LiveInfo) -> Status:
    """`started` for one subscriber."""
    return Status(
        "started",
        live_id=info.live_id,
        identifier=identifier,
        platform=key.platform,
        channel=key.identifier,
        live=info.live,
        feed=info.feed,
        receiving=info.receiving,
    )


def failure(
    error: ChatError, platform: str | None = None, identifier: str | None = None
) -> Failure:
    """A `ChatError` as the message a client receives."""
    return Failure(
        error.error,
        error.code,
        error.details or UNSET,
        platform or UNSET,
        UNSET if identifier is None else identifier,
        error.scheduled_start or UNSET,
        _is_temporary(error),
    )


#: Codes that say by themselves whether asking again may help.
_TEMPORARY: Final = {
    ErrorCode.STREAM_NOT_LIVE: True,
    ErrorCode.STREAM_ENDED: True,
    ErrorCode.STREAM_NOT_FOUND: False,
    ErrorCode.RATE_LIMITED: True,
}
_DEPENDS: Final = frozenset({ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.TOO_MANY_CHATS})


def _is_temporary(error: ChatError) -> bool | UnsetType:
    """Whether the same command may succeed later; UNSET where the command is what is wrong."""
    return error.temporary if error.code in _DEPENDS else _TEMPORARY.get(error.code, UNSET)


_TEXT: Final = 0x81  # FIN and opcode 1
_DEFLATED: Final = 0x40  # RSV1 (RFC 7692 section 6)
_medium = Packer("!BBH").pack
_large = Packer("!BBQ").pack

#: Smaller payloads are sent as they are: compressing them saves next to nothing.
MIN_DEFLATED: Final = 256

#: The window with which all is compressed.  What repeats in a message is near, and several
#: libraries ask for a window that is no larger than this.
WINDOW_BITS: Final = 12

#: Fast levels of zlib lose a tenth of the ratio and cost a third of the time.
_LEVEL: Final = 3


def frame(payload: bytes, first: int = _TEXT) -> bytes:
    """A complete, unmasked WebSocket text frame."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return _medium(first, 126, size) + payload
    return _large(first, 127, size) + payload


def deflated_frame(payload: bytes) -> bytes:
    """The frame with its payload compressed, for clients that agreed to that.

    No context is kept from one message to the next, so one frame serves all of them; a payload
    that does not get smaller is sent as it is, which RFC 7692 allows for each message.
    """
    if len(payload) < MIN_DEFLATED:
        return frame(payload)
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -WINDOW_BITS)
    # The four bytes that end a flushed block are left out on the wire (section 7.2.1).
    deflated = (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
    return frame(deflated, _TEXT | _DEFLATED) if len(deflated) < len(payload) else frame(payload)
