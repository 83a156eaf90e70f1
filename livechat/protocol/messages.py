# SPDX-License-Identifier: MIT
"""The client protocol: the messages of the server, as JSON.

Pure: encodes, and knows no connection.  What clients send is in `livechat.protocol.commands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.event_data import KINDS
from livechat.model.events import ChannelEvent, ChannelKey, LiveInfo, StatsData
from livechat.protocol.commands import Id

_encoder: Final = msgspec.json.Encoder()


class Status(Struct, frozen=True, tag_field="type", tag="status"):
    """The state of one subscription.

    :ivar status: the state. `subscribed` and `started` answer a subscribe that succeeds.
    :ivar live_id: of the stream: YouTube video id, Twitch login or TikTok room id.
    :ivar identifier: what the client sent.
    :ivar platform: of the chat.
    :ivar channel: the canonical identifier, which the `chat`, `event` and `stats` messages of this
        subscription carry.
    :ivar storage_type: where statistics are stored at this moment: `memory` or `redis`.
    :ivar live: whether the streamer is on air; null where that could not be found out.
    :ivar feed: YouTube: `all` messages, or `top` where it gives only its filtered Top chat.
    :ivar receiving: TikTok: whether the room has sent anything since it was entered.
    :ivar reason: of `reconnecting`: why the upstream was lost.
    :ivar details: of `waiting`: what is waited for, or why the channel is not live; of `ended`: why
        the stream has ended, where that is known.
    :ivar scheduled_start: of `waiting`: when the stream is announced to begin, ISO 8601 UTC.
    :ivar epoch: of `started`: which order the `seq` of messages belongs to.
    :ivar seq: of `started`: the number of the last message before it; 0 for none.
    :ivar recovered: of `started`, where `since` was given: whether everything after it follows.
    :ivar id: what the client called the command that this answers.
    """

    status: Literal["subscribed", "started", "reconnecting", "unsubscribed", "waiting", "ended"]
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
    scheduled_start: str | UnsetType = msgspec.field(default=UNSET, name="scheduledStart")
    epoch: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    recovered: bool | UnsetType = UNSET
    id: Id | UnsetType = UNSET


class Failure(Struct, frozen=True, tag_field="type", tag="error"):
    """Why something that a client asked for was not done, or has ended.

    :ivar error: one English sentence, for people; it may change.
    :ivar code: what happened, for programs.
    :ivar details: a reason for programs, or a short explanation.
    :ivar platform: of the chat that it is about.
    :ivar identifier: of the chat that it is about, as the client sent it.
    :ivar scheduled_start: when a stream that has not begun is announced to begin, ISO 8601 UTC.
    :ivar temporary: whether the same command may succeed later; absent where the command itself is
        wrong.
    :ivar id: what the client called the command that this answers.
    """

    error: str
    code: ErrorCode
    details: str | UnsetType = UNSET
    platform: str | UnsetType = UNSET
    identifier: str | UnsetType = UNSET
    scheduled_start: str | UnsetType = msgspec.field(default=UNSET, name="scheduledStart")
    temporary: bool | UnsetType = UNSET
    id: Id | UnsetType = UNSET


class Chat(Struct, frozen=True, tag_field="type", tag="chat"):
    """A message that a user wrote.

    :ivar data: the message.
    :ivar platform: of the channel.
    :ivar identifier: of the channel, canonical.
    :ivar seq: its number in the order of everything that the channel publishes.
    """

    data: ChatMessage
    platform: str
    identifier: str
    seq: int


class EventMessage(Struct, frozen=True, tag_field="type", tag="event"):
    """Something that happened and is no user's message; only for those who asked for events.

    :ivar data: what happened.
    :ivar platform: of the channel.
    :ivar identifier: of the channel, canonical.
    :ivar seq: its number in the order of everything that the channel publishes.
    """

    data: ChannelEvent
    platform: str
    identifier: str
    seq: int


class Stats(Struct, frozen=True, tag_field="type", tag="stats"):
    """The statistics of one channel.

    :ivar data: the statistics.
    :ivar platform: of the channel.
    :ivar identifier: of the channel, canonical.
    :ivar id: what the client called the command that this answers.
    """

    data: StatsData
    platform: str
    identifier: str
    id: Id | UnsetType = UNSET


class Pong(Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to `ping`.

    :ivar id: what the client called the command that this answers.
    """

    id: Id | UnsetType = UNSET


class History(Struct, frozen=True):
    """What is kept of a channel (`GET /history`): no message of the protocol, but full of them.

    :ivar epoch: which order the `seq` of messages belongs to.
    :ivar seq: the number of the last message that was published.
    :ivar messages: oldest first.
    :ivar recovered: where `since` was given: whether nothing after it is missing.
    """

    epoch: str
    seq: int
    messages: list[Chat | EventMessage]
    recovered: bool | UnsetType = UNSET


ServerMessage = Status | Failure | Chat | EventMessage | Stats | Pong


class _Happening(Struct):
    """A `ChannelEvent` whose data has not been decoded, since the kind says how."""

    type: str
    platform: str
    timestamp: str
    event_id: str
    room_id: str
    data: msgspec.Raw


_chat_decoder: Final = msgspec.json.Decoder(ChatMessage)
_happening_decoder: Final = msgspec.json.Decoder(_Happening)


def encode(message: ServerMessage) -> bytes:
    """The JSON bytes of a server message."""
    return _encoder.encode(message)


def history(epoch: str, seq: int, frames: Sequence[bytes], recovered: bool | None) -> bytes:
    """What is kept of a channel, as `History` describes it."""
    head = History(epoch, seq, [], UNSET if recovered is None else recovered)
    before, after = _encoder.encode(head).split(b"[]")
    return before + b"[" + b",".join(frames) + b"]" + after


def with_id(message: bytes, command_id: Id | None) -> bytes:
    """An encoded message with the `id` of the command that it answers."""
    if command_id is None:
        return message
    return message[:-1] + b',"id":' + _encoder.encode(command_id) + b"}"


def encode_event(key: ChannelKey, event: ChatMessage | ChannelEvent, seq: int = 1) -> bytes:
    """The JSON of a `chat` or `event` message."""
    kind = "chat" if isinstance(event, ChatMessage) else event.type
    return envelope(kind, encode_payload(event), key, seq)


def encode_payload(event: ChatMessage | ChannelEvent) -> bytes:
    """The JSON of one event, which `envelope` completes for each identifier."""
    return _encoder.encode(event)


def decode_payload(kind: str, payload: bytes) -> ChatMessage | ChannelEvent:
    """The event whose JSON this is.

    :param kind: `chat` or the kind of the event.
    :raises msgspec.MsgspecError: it is none, or of a kind that nobody has described.
    """
    if kind == "chat":
        return _chat_decoder.decode(payload)
    data = KINDS.get(kind)
    if data is None:
        raise msgspec.ValidationError(f"an unknown kind of event: {kind}")
    event = _happening_decoder.decode(payload)
    return ChannelEvent(
        event.type,
        event.platform,
        event.timestamp,
        event.event_id,
        event.room_id,
        msgspec.json.decode(event.data, type=data),
    )


def envelope(kind: str, payload: bytes, key: ChannelKey, seq: int) -> bytes:
    """The JSON of a `chat` or `event` message, as `Chat` and `EventMessage` describe it.

    Joined from parts, so that an event is encoded once for all identifiers of its channel.
    """
    head = _CHAT_HEAD if kind == "chat" else _EVENT_HEAD
    return b"".join((head, payload, _tail(key), b"%d}" % seq))


_CHAT_HEAD: Final = b'{"type":"chat","data":'
_EVENT_HEAD: Final = b'{"type":"event","data":'


@lru_cache(maxsize=4096)
def _tail(key: ChannelKey) -> bytes:
    names = _encoder.encode({"platform": key.platform, "identifier": key.identifier})
    return b"," + names[1:-1] + b',"seq":'


def started(
    identifier: str,
    key: ChannelKey,
    info: LiveInfo,
    epoch: str,
    seq: int,
    command_id: Id | None = None,
) -> Status:
    """`started` for one subscriber, after the publication with this number."""
    return Status(
        "started",
        live_id=info.live_id,
        identifier=identifier,
        platform=key.platform,
        channel=key.identifier,
        live=info.live,
        feed=info.feed,
        receiving=info.receiving,
        epoch=epoch,
        seq=seq,
        id=UNSET if command_id is None else command_id,
    )


def failure(
    error: ChatError,
    platform: str | None = None,
    identifier: str | None = None,
    command_id: Id | None = None,
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
        UNSET if command_id is None else command_id,
    )


#: Codes that say by themselves whether asking again may help.
_TEMPORARY: Final = {
    ErrorCode.STREAM_NOT_LIVE: True,
    ErrorCode.STREAM_ENDED: True,
    ErrorCode.STREAM_NOT_FOUND: False,
    ErrorCode.RATE_LIMITED: True,
}
_DEPENDS: Final = frozenset(
    {ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.TOO_MANY_CHATS, ErrorCode.TOO_MANY_FILTERS}
)


def _is_temporary(error: ChatError) -> bool | UnsetType:
    """Whether the same command may succeed later; UNSET where the command is what is wrong."""
    return error.temporary if error.code in _DEPENDS else _TEMPORARY.get(error.code, UNSET)
