# SPDX-License-Identifier: MIT
"""Sets of emotes: what may be in one, and what becomes of one that changes.

A set is a dictionary from the word that people write to the emote that stands for it.  Every entry
of an answer is read for itself, so that one that is wrong costs itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from msgspec import DecodeError, Raw, Struct, json

from livechat.model.image_address import https_url
from livechat.model.text import Image
from livechat.platforms.enrichment.dictionary import third_party
from livechat.platforms.json_values import count_values

#: Words and the emotes that stand for them.
EmoteSet = Mapping[str, Image]

#: Longest word; a message of Twitch has up to 500 characters.  The longest that was recorded has
#: 79.
MAX_WORD: Final = 128

#: Most emotes of one set.  A large one that was recorded has 837, where 1,000 is what a channel is
#: usually given.
MAX_EMOTES: Final = 10_000

#: Values in one answer; each emote of 7TV has some 90 of them.
MAX_VALUES: Final = 500_000

_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")

T = TypeVar("T")


class Unreadable(ValueError):
    """An answer or a message that is not what its provider is known to send."""


class Found(NamedTuple):
    """What an answer brought.

    :ivar left_out: how many entries could not be read or used.
    """

    emotes: dict[str, Image]
    left_out: int = 0


class Renamed(NamedTuple):
    """An emote is called otherwise from now on."""

    emote_id: str
    word: str


class Change(Struct, frozen=True):
    """A set was changed.

    :ivar topic: which one, as it was subscribed to.
    :ivar removed: ids of emotes that it has no more.
    :ivar renamed: emotes that it has under another name.
    :ivar added: emotes that it has now.
    """

    topic: str
    removed: Sequence[str] = ()
    renamed: Sequence[Renamed] = ()
    added: Sequence[Image] = ()

    def applied(self, emotes: EmoteSet) -> dict[str, Image]:
        """What becomes of a set."""
        changed = dict(emotes)
        for emote_id in self.removed:
            _taken(changed, emote_id)
        for emote_id, word in self.renamed:
            for emote in _taken(changed, emote_id):
                changed[word] = renamed(emote, word)
        for emote in self.added:
            if len(changed) < MAX_EMOTES:
                changed[emote.value] = emote
        return changed


def _taken(emotes: dict[str, Image], emote_id: str) -> list[Image]:
    """Take an emote out of a set; its id stands in the address of its picture."""
    part = f"/{emote_id}/"
    found = [word for word, emote in emotes.items() if part in emote.metadata.url]
    return [emotes.pop(word) for word in found]


def gathered(entries: Iterable[Raw], read: Callable[[Raw], Image | None]) -> Found:
    """The emotes of a list; of two with one name the first one counts.

    What comes after `MAX_EMOTES` entries is not read.

    :param read: reads one entry; None: it is not to be used; raises `DecodeError` or `ValueError`.
    """
    emotes: dict[str, Image] = {}
    left_out = 0
    for entry in islice(entries, MAX_EMOTES):
        try:
            emote = read(entry)
        except (DecodeError, ValueError):
            emote = None
        if emote is None or emote.value in emotes:
            left_out += 1
        else:
            emotes[emote.value] = emote
    return Found(emotes, left_out)


def decoded(decoder: json.Decoder[T], body: bytes | Raw) -> T:
    """A JSON text, or a part of one.

    :raises Unreadable: it is none, of another shape, or has too many values.
    """
    # The whole was counted before its part.
    if not isinstance(body, Raw) and count_values(body) > MAX_VALUES:
        raise Unreadable("too many values")
    try:
        return decoder.decode(body)
    except (DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)[:200]) from None


def is_id(emote_id: str) -> bool:
    """Whether an id may be put into an address."""
    return _ID.fullmatch(emote_id) is not None


def is_word(code: str) -> bool:
    """Whether people can write this between two blanks."""
    return 0 < len(code) <= MAX_WORD and code.isprintable() and code.split() == [code]


def picture(url: Any, domains: Sequence[str]) -> str | None:
    """The address of a picture if it is within one of the provider's own domains.

    :param url: as it was sent; one without a scheme (`//host/path`) counts as https.
    """
    found = https_url(url)
    if found is None:
        return None
    host = urlsplit(found).hostname or ""
    inside = any(host == domain or host.endswith("." + domain) for domain in domains)
    return found if inside else None


def renamed(known: Image, word: str) -> Image:
    """The same emote under another name."""
    metadata = known.metadata
    found = third_party(
        word,
        metadata.url,
        metadata.provider or "",
        animated=metadata.animated is True,
        zero_width=metadata.zero_width is True,
    )
    return found or known
