# SPDX-License-Identifier: MIT
"""Continuations: how to ask on, which messages one asks for, and how to ask for all of them.

The token of a watch page asks for Top chat, from which YouTube leaves messages out.  Its chat type
is one byte of a protobuf message; setting that byte gives all messages
(docs/wire/youtube.md#top-chat).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from livechat.platforms.youtube.parse.innertube import Json, children, dig, named, whole_number

#: What `timeoutMs` is kept within: asking too often would burden YouTube, too seldom our users.
TIMEOUT_RANGE: Final = (1_000, 30_000)
_USUAL_TIMEOUT: Final = 10_000

Feed = Literal["all", "top"]

#: The type of the chat, in field 16.1 and, in some tokens, 13.
_ALL: Final = 1
_TOP: Final = 4

_LIVE_CHAT: Final = 119693434
_TARGET: Final = 3
_OLD_TYPE: Final = 13
_FILTER: Final = 16
_TYPE: Final = 1

_VARINT: Final = 0
_LENGTH: Final = 2
_FIXED: Final = {1: 8, 5: 4}

_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]+)((?:=|%3[Dd]){0,2})")


class Continuation(Struct, frozen=True):
    """How to ask on.

    :ivar token: opaque, to be sent verbatim.
    :ivar kind: InnerTube's name of it, `invalidationContinuationData` for example.
    :ivar timeout_ms: the longest one may wait before asking, in milliseconds, within
        `TIMEOUT_RANGE`; the usual 10 seconds where YouTube does not say.
    """

    token: str
    kind: str
    timeout_ms: int


def read_continuation(continuations: Json) -> Continuation | None:
    """The first of a list of continuations that has a token, whatever its kind."""
    for entry in children(continuations):
        kind, data = named(entry)
        token = dig(data, "continuation")
        if isinstance(token, str) and token:
            wanted = whole_number(dig(data, "timeoutMs"))
            lowest, highest = TIMEOUT_RANGE
            timeout = min(max(wanted, lowest), highest) if wanted is not None else _USUAL_TIMEOUT
            return Continuation(token, kind, timeout)
    return None


def all_messages(token: str) -> str:
    """The token that asks for all messages; the same token where it cannot be rewritten."""
    raw = _bytes(token)
    if raw is None or not (places := _type_places(raw)):
        return token
    changed = bytearray(raw)
    for place in places:
        changed[place] = _ALL
    body = _body(changed)
    return body + token[len(body) :]


def feed(token: str) -> Feed | None:
    """Which messages the token asks for; None when it does not say."""
    raw = _bytes(token)
    types = {raw[place] for place in _type_places(raw)} if raw is not None else set()
    if types == {_ALL}:
        return "all"
    return "top" if types == {_TOP} else None


def is_stub(token: str) -> bool:
    """Whether the token names no stream.

    The menu of a watch page holds such tokens since October 2025; they are answered with 400 and
    must never be sent (docs/wire/youtube.md#top-chat).
    """
    raw = _bytes(token)
    if raw is None:
        return False
    try:
        return any(
            (field, wire, start) == (_TARGET, _LENGTH, end)
            for field, wire, start, end in _inside(raw)
        )
    except ValueError:
        return False


def _bytes(token: str) -> bytes | None:
    match = _TOKEN.fullmatch(token)
    if match is None or len(match[1]) % 4 == 1:
        return None
    raw = urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
    # Stray bits in the last character would be lost in rewriting.
    return raw if _body(raw) == match[1] else None


def _body(raw: bytes | bytearray) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _type_places(raw: bytes) -> list[int]:
    """Where the one-byte chat types stand; empty unless all of the token could be read."""
    places = []
    try:
        for field, wire, start, end in _inside(raw):
            if field == _OLD_TYPE and wire == _VARINT:
                places.append((start, end))
            elif field == _FILTER and wire == _LENGTH:
                places += [
                    (first, last)
                    for inner, kind, first, last in _fields(raw, start, end)
                    if (inner, kind) == (_TYPE, _VARINT)
                ]
    except ValueError:
        return []
    return (
        [start for start, end in places] if all(end - start == 1 for start, end in places) else []
    )


def _inside(raw: bytes) -> Iterator[tuple[int, int, int, int]]:
    """The fields of the live chat message.

    :raises ValueError: the bytes are not protobuf.
    """
    for field, wire, start, end in _fields(raw, 0, len(raw)):
        if (field, wire) == (_LIVE_CHAT, _LENGTH):
            yield from _fields(raw, start, end)


def _fields(raw: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type, start and end of the value of each field between two places.

    :raises ValueError: the bytes are not protobuf.
    """
    while at < end:
        tag, at = _varint(raw, at, end)
        wire = tag & 7
        start = at
        if wire == _VARINT:
            _, at = _varint(raw, at, end)
        elif wire == _LENGTH:
            size, start = _varint(raw, at, end)
            at = start + size
        elif wire in _FIXED:
            at += _FIXED[wire]
        else:
            raise ValueError(f"wire type {wire}")
        if at > end:
            raise ValueError("cut short")
        yield tag >> 3, wire, start, at


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and the place after it.

    :raises ValueError: it is cut short or longer than ten bytes.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("not a number")
