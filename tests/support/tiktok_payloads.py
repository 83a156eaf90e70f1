# SPDX-License-Identifier: MIT
"""Payloads of TikTok for tests: the recorded ones by name, and a wire writer for our own.

The writer takes field numbers, as the sheet gives them, and knows nothing of the schema under test.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelEvent, Event
from livechat.platforms.tiktok.parse.chat import Translation, Translator
from livechat.platforms.tiktok.parse.message_context import Room
from livechat.platforms.tiktok.parse.webcast import Envelope
from tests.support.corpus import corpus

#: Recordings of 2023 with the day of each.
RECORDINGS = (
    "2023-10-04_many_rooms",
    "2023-10-12_one_room_unordered_fields",
    "2023-11-13_small_room_pause_resume",
    "2023-12-05_one_room_link",
)

#: Wall time of all translations, in ms: later than every recording.
NOW = 1_800_000_000_000

#: Room of all translations, and the user id of its owner.
ROOM = Room("7300000000000000001", 6800000000000000001)

#: One value of a field: an integer, a text, bytes, or the fields of a message.
Value = int | str | bytes | Sequence[tuple[int, Any]]


class Recorded(Struct, frozen=True):
    """One recorded payload, and what somebody else's decoder reads in it."""

    method: str
    payload: bytes
    expected: dict[str, Any]


def recorded() -> dict[str, Recorded]:
    """The recorded payloads of 2023, by recording, method and number."""
    found: dict[str, Recorded] = {}
    for recording in RECORDINGS:
        payloads = json.loads(corpus(f"tiktok/recorded/{recording}.json").read_bytes())
        expected = json.loads(corpus(f"tiktok/expected/{recording}.json").read_bytes())
        for method, records in payloads.items():
            for number, record in enumerate(records):
                payload = base64.b64decode(record["eventData"])
                name = f"{recording[:10]}/{method}/{number}"
                found[name] = Recorded(method, payload, expected[method][number])
    return found


def varint(number: int) -> bytes:
    """A protobuf varint; negative numbers as 64-bit two's complement."""
    number &= (1 << 64) - 1
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def wire(fields: Iterable[tuple[int, Value]]) -> bytes:
    """A message of these fields, in this order."""
    parts: list[bytes] = []
    for number, value in fields:
        if isinstance(value, int):
            parts += (varint(number << 3), varint(value))
            continue
        if isinstance(value, str):
            data = value.encode()
        else:
            data = value if isinstance(value, bytes) else wire(value)
        parts += (varint(number << 3 | 2), varint(len(data)), data)
    return b"".join(parts)


def batch(envelopes: Iterable[tuple[str, bytes]], *more: tuple[int, Value]) -> bytes:
    """A batch of methods and payloads, numbered from 1, and what else it shall hold."""
    messages = [
        (1, [(1, method), (2, payload), (3, number)])
        for number, (method, payload) in enumerate(envelopes, 1)
    ]
    return wire([*messages, *more])


def push(payload: bytes, kind: str = "msg", log_id: int = 77) -> bytes:
    """A push frame of the server."""
    return wire([(1, 1), (2, log_id), (3, 8888), (4, 8), (6, "pb"), (7, kind), (8, payload)])


def gzipped(data: bytes) -> bytes:
    """The data compressed as the server does it."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def common(
    method: str, *, text: Value | None = None, create_time: int = 1_700_000_000_123
) -> Value:
    """The head that nearly all messages have in field 1."""
    shown = [] if text is None else [(8, text)]
    return [(1, method), (2, 7300000000000000111), (3, int(ROOM.room_id)), (4, create_time), *shown]


def translated(method: str, payload: bytes, *, is_history: bool = False) -> Translation:
    """What a new translator makes of one message whose id is 5."""
    envelope = Envelope(method, payload, 5, is_history)
    return Translator(ROOM).translate([envelope], NOW, 0.0)


def chat_of(translation: Translation) -> ChatMessage:
    """The one event, which is a message."""
    (event,) = translation.events
    assert isinstance(event, ChatMessage), event
    return event


def event_of(translation: Translation) -> ChannelEvent:
    """The one event, which is not a message."""
    (event,) = translation.events
    assert isinstance(event, ChannelEvent), event
    return event


def kinds_of(events: Iterable[Event]) -> list[str]:
    """What kinds of events these are."""
    return [event.type if isinstance(event, ChannelEvent) else "chat" for event in events]
