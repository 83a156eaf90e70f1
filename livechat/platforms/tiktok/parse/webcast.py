# SPDX-License-Identifier: MIT
"""The push socket's bytes: frames to batches to envelopes, and the few frames we send.

Total: whatever bytes arrive, nothing here raises; what cannot be read is named.  Sizes are bounded
before and after inflating, and each message is decoded on its own, so a bad one costs nothing but
itself (docs/wire/tiktok.md#frames).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message
from msgspec import Struct

from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.drift import unknown_fields
from livechat.platforms.tiktok.parse.repair import repaired

#: Longest frame that is read, in bytes.
MAX_FRAME: Final = 1024 * 1024

#: Longest batch after inflating, in bytes; the largest seen have some 120 KB.
MAX_BATCH: Final = 2 * 1024 * 1024

#: Most messages that are taken out of one batch.
MAX_MESSAGES: Final = 1024

#: Longest envelope that is read, in bytes; the largest recorded has 50 KB.
MAX_MESSAGE: Final = 256 * 1024

#: Most parameters of the socket's address that are taken out of one batch.
_MAX_PARAMS: Final = 64

_GZIP: Final = b"\x1f\x8b\x08"
_WITH_BATCH: Final = frozenset({"msg", "im_enter_room_resp"})
_HEARTBEAT_ANSWER: Final = "hb"
_WEB_LIVE: Final = 12

_Schema = TypeVar("_Schema", bound=Message)


class Envelope(Struct, frozen=True):
    """One message as it came: its method says what the payload is.

    :ivar message_id: unique within the room, not ordered by time; 0 when not said.
    :ivar is_history: said before we came.
    """

    method: str
    payload: bytes
    message_id: int = 0
    is_history: bool = False


class Batch(Struct, frozen=True):
    """What one read brought.

    :ivar heartbeat: seconds between heartbeats that the server asks for; None when it does not.
    :ivar dropped: how many pieces could not be taken out, by name.
    :ivar acknowledgement: `internal_ext` byte for byte, as the server wants it back.
    """

    messages: list[Envelope]
    dropped: dict[str, int]
    cursor: str = ""
    internal_ext: str = ""
    push_server: str = ""
    route_params: Mapping[str, str] = {}
    heartbeat: float | None = None
    need_ack: bool = False
    acknowledgement: bytes = b""


class Push(Struct, frozen=True):
    """One frame of the server.

    :ivar kind: its `payload_type`.
    :ivar batch: empty when the kind carries none.
    :ivar reply: the acknowledgement to be sent at once, if the server wants one.
    """

    kind: str
    batch: Batch
    reply: bytes | None = None

    @property
    def carries(self) -> bool:
        """Whether it is of a kind that carries messages, rather than a sign of life."""
        return self.kind in _WITH_BATCH


class Unread(Struct, frozen=True):
    """Bytes that could not be read, and what they were taken for."""

    name: str


def read_push(data: bytes) -> Push | Unread:
    """One binary WebSocket message of the server."""
    if len(data) > MAX_FRAME:
        return Unread("frame too large")
    frame = decode(schema.PushFrame, data)
    if frame is None:
        return Unread("frame unreadable")
    kind = _text(frame.payload_type)
    if kind not in _WITH_BATCH:
        known = kind == _HEARTBEAT_ANSWER
        return Push(kind, Batch([], {} if known else {f"frame {kind[:32]}": 1}))
    batch = read_batch(frame.payload)
    if isinstance(batch, Unread):
        return batch
    for name in unknown_fields(frame, "PushFrame", len(data)):
        _count(batch.dropped, name)
    reply = None
    if batch.need_ack:
        reply = _frame("ack", batch.acknowledgement or b"-", frame.log_id)
    return Push(kind, batch, reply)


def read_batch(payload: bytes) -> Batch | Unread:
    """The payload of a frame, or a signer's first answer; inflated if need be.

    The first bytes decide whether it is gzip: no batch begins with them, and the header that says
    so is now and then missing.
    """
    if payload.startswith(_GZIP):
        inflated = _inflate(payload)
        if isinstance(inflated, Unread):
            return inflated
        payload = inflated
    elif len(payload) > MAX_BATCH:
        return Unread("batch too large")
    batch = decode(schema.Batch, payload)
    if batch is None:
        return Unread("batch unreadable")
    messages: list[Envelope] = []
    dropped: dict[str, int] = {}
    count = len(batch.messages)
    if count > MAX_MESSAGES:
        dropped["envelope beyond the limit"] = count - MAX_MESSAGES
    for name in unknown_fields(batch, "Batch", len(payload)):
        _count(dropped, name)
    for data in batch.messages[:MAX_MESSAGES]:
        envelope = read_envelope(data, dropped)
        if isinstance(envelope, Unread):
            _count(dropped, envelope.name)
        else:
            messages.append(envelope)
    return Batch(
        messages,
        dropped,
        _text(batch.cursor),
        _text(batch.internal_ext),
        _text(batch.push_server),
        {_text(param.name): _text(param.value) for param in batch.route_params[:_MAX_PARAMS]},
        _heartbeat_seconds(batch.heartbeat_duration),
        batch.need_ack,
        batch.internal_ext,
    )


def read_envelope(data: bytes, dropped: dict[str, int]) -> Envelope | Unread:
    """One message of a batch.

    :param dropped: where fields that nobody knows are counted.
    """
    if len(data) > MAX_MESSAGE:
        return Unread("envelope too large")
    envelope = decode(schema.Envelope, data)
    if envelope is None:
        return Unread("envelope unreadable")
    for name in unknown_fields(envelope, "Envelope", len(data)):
        _count(dropped, name)
    return Envelope(_text(envelope.method), envelope.payload, envelope.msg_id, envelope.is_history)


def decode(kind: type[_Schema], data: bytes) -> _Schema | None:
    """The bytes as a message of that kind, its texts mended; None when they are not one."""
    try:
        return kind.FromString(data)
    except DecodeError:
        return repaired(kind, data)


def enter_room(room_id: str) -> bytes:
    """The frame that asks for a room's messages; without it the socket stays silent.

    :param room_id: decimal, below 2^63.
    """
    payload = schema.EnterRoom(
        room_id=int(room_id), live_id=_WEB_LIVE, identity="audience", filter_welcome_msg="0"
    )
    return _frame("im_enter_room", payload.SerializeToString())


def heartbeat(room_id: str, sequence: int) -> bytes:
    """The frame that keeps a room's messages coming.

    :param sequence: 1 for the first of a connection, then counting up.
    """
    payload = schema.Heartbeat(room_id=int(room_id), send_packet_seq_id=sequence)
    return _frame("hb", payload.SerializeToString())


def _count(names: dict[str, int], name: str) -> None:
    names[name] = names.get(name, 0) + 1


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _frame(kind: str, payload: bytes, log_id: int = 0) -> bytes:
    frame = schema.PushFrame(
        log_id=log_id, payload_encoding=b"pb", payload_type=kind.encode(), payload=payload
    )
    return frame.SerializeToString()


def _inflate(payload: bytes) -> bytes | Unread:
    inflater = zlib.decompressobj(wbits=31)
    try:
        data = inflater.decompress(payload, MAX_BATCH + 1)
    except zlib.error:
        return Unread("gzip unreadable")
    if len(data) > MAX_BATCH:
        return Unread("batch too large")
    return data if inflater.eof else Unread("gzip unreadable")


def _heartbeat_seconds(duration: int) -> float | None:
    """Seconds; the field is recorded as seconds (15), the query of the socket as milliseconds."""
    if duration <= 0:
        return None
    seconds = duration / 1000 if duration >= 1000 else float(duration)
    return min(max(seconds, 5.0), 60.0)
