# SPDX-License-Identifier: MIT
"""Sets of emotes: what may be in one, and what becomes of one that changes.

A set is a dictionary from the word that people write to the emote that stands for it.  Every entry
of an answer is read for itself, so that one that is wrong costs itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import DecodeError, Raw, Struct, json

from livechat.model.image_address import https_url
from livechat.model.text import Image
from livechat.platforms.enrichment.dictionary import third_party

#: Words and the emotes that stand for them.
EmoteSet = Mapping[str, Image]

#: Longest word; a message of Twitch has up to 500 characters.  The longest that was recorded has
#: 79.
MAX_WORD: Final = 128

#: Most emotes of one set.  A large one that was recorded has 837, where 1,000 is what a channel is
#: usually given.
MAX_EMOTES: Final = 10_000

#: Commas in one answer; each emote of 7TV has some 80 of them.
MAX_VALUES: Final = 500_000

#: What may stand behind the host of an address.
_HOST_END: Final = re.compile("[:/?#]")

_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")

T = TypeVar("T")


class Unreadable(ValueError):
    """An answer or a message that is not what its provider is known to send."""


class Entries(Struct, frozen=True):
    """The emotes that an answer lists, each of which is still to be read.

    :ivar read: reads one; None: it is not to be used; raises `DecodeError` or `ValueError`.
    """

    raw: Sequence[Raw]
    read: Callable[[Raw], Image | None]

    def into(self, emotes: dict[str, Image]) -> Iterator[None]:
        """Read them into a set, one at each step; of two with one name the first one counts.

        What comes after `MAX_EMOTES` entries is not read.
        """
        for entry in islice(self.raw, MAX_EMOTES):
            try:
                emote = self.read(entry)
            except (DecodeError, ValueError):
                emote = None
            if emote is not None:
                emotes.setdefault(emote.value, emote)
            yield


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
    removed: Set[str] = frozenset()
    renamed: Sequence[Renamed] = ()
    added: Sequence[Image] = ()

    def applied(self, emotes: EmoteSet) -> dict[str, Image]:
        """What becomes of a set."""
        changed = dict(emotes)
        names = dict(self.renamed)
        # They are looked for in one pass: a server may name thousands.
        taken = list(_of_ids(emotes, names.keys() | self.removed))
        for word, _ in taken:
            del changed[word]
        for word, emote_id in taken:
            if emote_id in names and emote_id not in self.removed:
                name = names[emote_id]
                changed[name] = renamed(emotes[word], name)
        for emote in self.added:
            if len(changed) < MAX_EMOTES:
                changed[emote.value] = emote
        return changed


def _of_ids(emotes: EmoteSet, ids: Set[str]) -> Iterator[tuple[str, str]]:
    """Words whose emotes have one of these ids, which stands in the address of the picture."""
    if not ids:
        return
    for word, emote in emotes.items():
        for part in emote.metadata.url.split("/")[3:]:
            if part in ids:
                yield word, part
                break


def decoded(decoder: json.Decoder[T], body: bytes | Raw) -> T:
    """A JSON text, or a part of one.

    :raises Unreadable: it is none, of another shape, or has too many values.
    """
    # What is made of an answer has a fixed shape but for lists, whose values stand behind commas.
    # The whole was counted before its part.
    if not isinstance(body, Raw) and body.count(b",") >= MAX_VALUES:
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


def picture(url: Any, domains: tuple[str, ...]) -> str | None:
    """The address of a picture if it is within one of the provider's own domains.

    :param url: as it was sent; one without a scheme (`//host/path`) counts as https.
    :param domains: each with a dot before it.
    """
    found = https_url(url)
    if found is None:
        return None
    # An address that may be passed on names its host right behind the scheme.
    host = "." + _HOST_END.split(found[len("https://") :], maxsplit=1)[0].lower()
    return found if host.endswith(domains) else None


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
