# SPDX-License-Identifier: MIT
"""Which words and badges have pictures: values, looked up by whole words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from msgspec import Struct

from livechat.model.text import Emote, Image, image

V = TypeVar("V")


class BadgePicture(Struct, frozen=True):
    """A badge as it is shown.

    :ivar url: its picture, https.
    :ivar title: what is written where it is pointed at; empty: nothing.
    """

    url: str
    title: str = ""


class Cheermote(Struct, frozen=True):
    """A word that stands for bits when a number follows it.

    :ivar tiers: the least bits of each tier and the address of its picture, highest first.
    :ivar is_custom: it belongs to a channel.
    """

    tiers: tuple[tuple[int, str], ...]
    is_custom: bool = False


class Dictionary(Struct, frozen=True, eq=False):
    """What one source knows about one room, or about all; or what all sources know about a room.

    The mappings are not changed after they were given: who learns more gives another dictionary.
    Give the same objects again for whatever is the same, and they are held in memory once.

    :ivar emotes: by the word that stands for each, as it is written.
    :ivar badges: by the label of a badge (Twitch: `set/version`); the first that knows one counts.
        They are few in a message and many in a room, so those of several sources are not merged.
    :ivar cheermotes: by the word in small letters, without the number.
    :ivar colors: the least bits of each tier and the colour in which it is shown, highest first.
    """

    emotes: Mapping[str, Image] = {}
    badges: tuple[Mapping[str, BadgePicture], ...] = ()
    cheermotes: Mapping[str, Cheermote] = {}
    colors: tuple[tuple[int, str], ...] = ()


EMPTY: Final = Dictionary()


def third_party(
    name: str, url: str, provider: str, *, animated: bool = False, zero_width: bool = False
) -> Image | None:
    """An emote of a provider, for `Dictionary.emotes` under its name.

    :param name: the word that stands for it.
    :param url: its picture; `//host/path` counts as https.
    :return: None if it cannot be shown: the name is no word, or the address is not https.
    """
    if name.split() != [name]:
        return None
    return image(
        Emote(
            name,
            url,
            name,
            name,
            is_custom=True,
            provider=provider,
            animated=animated,
            zero_width=zero_width,
        )
    )


def joined(parts: Iterable[Dictionary]) -> Dictionary:
    """One dictionary for all; where several know a word the first one counts.

    What only one of them has is not copied.
    """
    some = [part for part in parts if part is not EMPTY]
    if len(some) < 2:
        return some[0] if some else EMPTY
    return Dictionary(
        _first_of([part.emotes for part in some]),
        tuple(known for part in some for known in part.badges),
        _first_of([part.cheermotes for part in some]),
        next((part.colors for part in some if part.colors), ()),
    )


def _first_of(mappings: Iterable[Mapping[str, V]]) -> Mapping[str, V]:
    some = [mapping for mapping in mappings if mapping]
    if len(some) < 2:
        return some[0] if some else {}
    merged: dict[str, V] = {}
    for mapping in reversed(some):
        merged.update(mapping)
    return merged
