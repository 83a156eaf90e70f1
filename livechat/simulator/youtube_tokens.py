# SPDX-License-Identifier: MIT
"""Continuation tokens of the simulated YouTube, laid out like the real ones.

URL-safe base64 of protobuf, in which the chat type stands at 16.1: 4 is Top chat, 1 is all messages
(docs/wire/youtube.md#top-chat).  Where the real ones hold a time, these hold how far one has read.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

TOP: Final = 4
ALL: Final = 1

#: The two tokens of a watch page's menu: they name no stream and are answered with 400.
STUB_TOP: Final = "0ofMyAMSGgAwAYIBCAgEGAAgACgBqAEB"
STUB_ALL: Final = "0ofMyAMSGgAwAYIBCAgBGAAgACgBqAEB"

_LIVE_CHAT: Final = 119693434
_VIDEO: Final = 48687757


@dataclass(frozen=True, slots=True)
class Place:
    """The contents of a token.

    :ivar position: how many things of the stream were read; -1: nothing, begin with the past.
    :ivar generation: how often tokens had been made void when it was given out.
    :ivar offered: an answer's menu offered it, or one that led to it.
    """

    channel_id: str
    video_id: str
    kind: int = TOP
    position: int = -1
    generation: int = 0
    offered: int = 0


def token(place: Place) -> str:
    """A place as a token."""
    ids = _text(1, place.channel_id) + _text(2, place.video_id)
    inner = _message(1, _message(5, ids)) + _message(3, _message(_VIDEO, _text(1, place.video_id)))
    inner += _number(4, 1) + _number(6, 0)
    target = quote(urlsafe_b64encode(inner))
    chat = _text(3, target) + _number(6, 1)
    chat += _message(16, _number(1, place.kind) + _number(3, 2) + _number(4, 0) + _number(5, 0))
    chat += _number(17, 1) + _number(20, place.position + 1) + _number(21, place.generation)
    chat += _text(22, "") + _number(23, place.offered)
    return quote(urlsafe_b64encode(_message(_LIVE_CHAT, chat)))


def place(text: str) -> Place | None:
    """The contents of a token; None if it is none, or names no stream."""
    try:
        chat = _fields(_bytes(_fields(urlsafe_b64decode(unquote(text)))[_LIVE_CHAT]))
        inner = _fields(urlsafe_b64decode(unquote(_bytes(chat[3]).decode())))
        ids = _fields(_bytes(_fields(_bytes(inner[1]))[5]))
        kind = _int(_fields(_bytes(chat[16]))[1])
        position, generation, offered = (_int(chat[field]) for field in (20, 21, 23))
        owner, video_id = (_bytes(ids[field]).decode() for field in (1, 2))
        return Place(owner, video_id, kind, position - 1, generation, offered)
    except (ValueError, LookupError):
        return None


def _int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("a string")
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number")
    return value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _fields(data: bytes) -> dict[int, int | bytes]:
    """The fields of a message that has numbers and strings only.

    :raises ValueError: it has something else.
    :raises IndexError: it is cut off.
    """
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        value, at = _read_varint(data, at)
        if tag & 7 == 0:
            fields[tag >> 3] = value
        elif tag & 7 == 2:
            if at + value > len(data):
                raise ValueError("cut off")
            fields[tag >> 3] = data[at : at + value]
            at += value
        else:
            raise ValueError("another kind of field")
    return fields


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
