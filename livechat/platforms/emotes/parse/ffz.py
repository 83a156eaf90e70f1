# SPDX-License-Identifier: MIT
"""FrankerFaceZ: sets of emotes (docs/wire/emotes.md#frankerfacez).

It tells nobody of changes: its sets are asked for again and again.
"""

from __future__ import annotations

from typing import Final

from msgspec import Raw, Struct, json

from livechat.model.text import Image
from livechat.platforms.emotes.parse.emote_set import (
    Entries,
    decoded,
    is_word,
    picture,
)
from livechat.platforms.enrichment.dictionary import third_party

PROVIDER: Final = "ffz"

_DOMAINS: Final = (".frankerfacez.com",)

#: Sizes of a picture, the one that is wanted first.
_SCALES: Final = ("2", "1", "4")


class _Entry(Struct):
    name: str
    urls: dict[str, str | None] = {}
    animated: dict[str, str | None] | None = None
    # Such a word changes the emote before it, and is none itself.
    modifier: bool = False


class _Set(Struct):
    emoticons: list[Raw] = []


class _Room(Struct):
    set: int | str | None = None


class _RoomAnswer(Struct):
    room: _Room
    sets: dict[str, _Set] = {}


class _GlobalAnswer(Struct):
    default_sets: list[int | str]
    sets: dict[str, _Set] = {}


_read_room: Final = json.Decoder(_RoomAnswer)
_read_global: Final = json.Decoder(_GlobalAnswer)
_read_entry: Final = json.Decoder(_Entry)


def read_global(body: bytes) -> Entries:
    """The emotes that everybody has: those of the default sets; the others are some users'.

    :raises Unreadable: it is no such answer.
    """
    answer = decoded(_read_global, body)
    return _entries(answer.sets, answer.default_sets)


def read_channel(body: bytes) -> Entries:
    """The emotes of a room.

    :raises Unreadable: it is no such answer.
    """
    answer = decoded(_read_room, body)
    return _entries(answer.sets, [] if answer.room.set is None else [answer.room.set])


def _entries(sets: dict[str, _Set], wanted: list[int | str]) -> Entries:
    chosen = [sets[str(name)] for name in wanted if str(name) in sets]
    return Entries([entry for one in chosen for entry in one.emoticons], _emote)


def _emote(raw: Raw) -> Image | None:
    entry = _read_entry.decode(raw)
    if entry.modifier or not is_word(entry.name):
        return None
    moving = _best(entry.animated or {})
    url = moving or _best(entry.urls)
    if url is None:
        return None
    return third_party(entry.name, url, PROVIDER, animated=moving is not None)


def _best(urls: dict[str, str | None]) -> str | None:
    """The picture of the best size there is: an entry may be null or missing."""
    found = (picture(urls.get(scale), _DOMAINS) for scale in _SCALES)
    return next(filter(None, found), None)
