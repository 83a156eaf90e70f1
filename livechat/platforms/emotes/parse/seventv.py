# SPDX-License-Identifier: MIT
"""7TV: users and sets of emotes (docs/wire/emotes.md#seven-tv)."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import UNSET, Raw, Struct, UnsetType, json

from livechat.model.text import Image
from livechat.platforms.emotes.parse.emote_set import (
    Entries,
    Unreadable,
    decoded,
    is_id,
    is_word,
    picture,
)
from livechat.platforms.enrichment.dictionary import third_party

PROVIDER: Final = "7tv"

_DOMAINS: Final = (".7tv.app", ".7tv.io")

#: Flag of an emote within a set: it lies over the emote before it.
_ZERO_WIDTH: Final = 1 << 0

#: Flag of an emote itself: Twitch does not allow what it shows.
_DISALLOWED: Final = 1 << 24

#: Files of a picture, the one that is wanted first.
_FILES: Final = ("2x.webp", "1x.webp", "3x.webp", "4x.webp", "2x.gif", "2x.png", "2x.avif")


class _File(Struct):
    name: str


class _Host(Struct):
    url: str
    files: list[_File] = []


class _Data(Struct):
    host: _Host
    flags: int = 0
    listed: bool = True
    animated: bool = False


class _Entry(Struct):
    id: str
    name: str
    data: _Data
    flags: int = 0


class _Set(Struct):
    # A set that is empty may come without.
    emotes: list[Raw] | None = None
    id: str = ""


class _Owner(Struct):
    id: str = ""


class _User(Struct):
    emote_set: _Set | UnsetType | None = UNSET
    emote_set_id: str | UnsetType | None = UNSET
    user: _Owner | None = None


class User(NamedTuple):
    """What 7TV knows of a channel.

    :ivar user_id: its id at 7TV; empty: not told.
    :ivar set_id: the set that it uses; empty: none.
    :ivar entries: what is in that set, where it was told at once.
    """

    user_id: str
    set_id: str
    entries: Entries | None


_read_set: Final = json.Decoder(_Set)
_read_user: Final = json.Decoder(_User)
_read_entry: Final = json.Decoder(_Entry)


def read_set(body: bytes) -> Entries:
    """The emotes of a set.

    :raises Unreadable: it is none.
    """
    answer = decoded(_read_set, body)
    if not answer.id and answer.emotes is None:
        raise Unreadable("no set")
    return Entries(answer.emotes or (), read_entry)


def read_user(body: bytes) -> User:
    """A channel, in both shapes: until August 2026 its set came with it.

    :raises Unreadable: it is none.
    """
    answer = decoded(_read_user, body)
    if answer.emote_set is UNSET and answer.emote_set_id is UNSET:
        raise Unreadable("no user")
    user_id = answer.user.id if answer.user is not None else ""
    told = answer.emote_set or _Set()
    set_id = answer.emote_set_id or told.id
    entries = None if told.emotes is None else Entries(told.emotes, read_entry)
    return User(user_id if is_id(user_id) else "", set_id if is_id(set_id) else "", entries)


def read_entry(raw: Raw | bytes) -> Image | None:
    """One emote of a set; None: it is not to be shown.

    :raises DecodeError: it is none.
    """
    entry = _read_entry.decode(raw)
    data = entry.data
    if data.flags & _DISALLOWED or not data.listed:
        return None
    if not is_id(entry.id) or not is_word(entry.name):
        return None
    names = {file.name for file in data.host.files}
    name = next((name for name in _FILES if name in names), None)
    url = picture(f"{data.host.url}/{name}", _DOMAINS) if name else None
    if url is None or f"/{entry.id}/" not in url:
        return None
    return third_party(
        entry.name,
        url,
        PROVIDER,
        animated=data.animated,
        zero_width=bool(entry.flags & _ZERO_WIDTH),
    )
