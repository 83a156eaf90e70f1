# SPDX-License-Identifier: MIT
"""Which chats a filter lets through (pure).

Texts compare after Unicode case folding.  A word is a maximal run of letters, digits, marks and
underscores.  An entry that is one word is equal to a word of the text.  Any other entry stands in
the text as it is, and cuts no word of the text at its ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final
from unicodedata import category

from msgspec import Struct

from livechat.model.chat import ChatMessage
from livechat.protocol.filters import Filter

#: Characters of which it is remembered whether they belong to words.
_MAX_KNOWN: Final = 1 << 14


class _WordCharacters(dict[int, int]):
    """Maps a character that belongs to words to itself, and any other to a blank."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        kind = category(character)
        belongs = kind[0] in "LM" or kind == "Nd" or character == "_"
        value = code if belongs else _BLANK
        if len(self) < _MAX_KNOWN:
            self[code] = value
        return value


_BLANK: Final = ord(" ")
_words: Final = _WordCharacters()


def _belongs(character: str) -> bool:
    """Whether a character belongs to words."""
    return _words[ord(character)] != _BLANK


class Facts:
    """What filters look at in one message; found out once for all of them."""

    def __init__(self, message: ChatMessage) -> None:
        self._message = message
        content = message.data.content
        self.type: str = message.data.metadata.type
        self.length = len(content.raw)
        self.text = content.raw.casefold()

    @cached_property
    def roles(self) -> frozenset[str]:
        """What the author is."""
        roles = self._message.data.author.roles
        return frozenset(name for name in roles.__struct_fields__ if getattr(roles, name))

    @cached_property
    def names(self) -> frozenset[str]:
        """What the author is called: login or handle, and display name."""
        author = self._message.data.author
        return frozenset(map(_name, (author.username, author.display_name))) - {""}

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text as it was written, and, where that differs, with the codes of its emotes."""
        formatted = self._message.data.content.formatted.casefold()
        return (self.text,) if formatted == self.text else (self.text, formatted)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of the text, codes of emotes included."""
        return frozenset(word for text in self.texts for word in text.translate(_words).split())


class Words(Struct, frozen=True):
    """Words that are looked for.

    :ivar single: entries that are one word, folded.
    :ivar others: the other entries, folded.
    """

    single: frozenset[str]
    others: frozenset[str]

    def found(self, facts: Facts) -> bool:
        """Whether a text has any of them."""
        return not self.single.isdisjoint(facts.words) or any(
            _stands_in(entry, text) for text in facts.texts for entry in self.others
        )


class ChatFilter(Struct, frozen=True, cache_hash=True):
    """Which chats are let through.  Filters are equal if their conditions are.

    :ivar types: None: all of them; so with `roles`, `users` and `words`.
    :ivar users: names, folded and without `@`.
    """

    types: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    users: frozenset[str] | None = None
    words: Words | None = None
    max_length: int | None = None
    without_users: frozenset[str] = frozenset()
    without_words: Words | None = None
    without_prefixes: tuple[str, ...] = ()

    def passes(self, facts: Facts) -> bool:
        """Whether a message fulfils every condition."""
        return (
            (self.max_length is None or facts.length <= self.max_length)
            and (self.types is None or facts.type in self.types)
            and (self.roles is None or not self.roles.isdisjoint(facts.roles))
            and (self.users is None or not self.users.isdisjoint(facts.names))
            and self.without_users.isdisjoint(facts.names)
            and not facts.text.startswith(self.without_prefixes)
            and (self.words is None or self.words.found(facts))
            and (self.without_words is None or not self.without_words.found(facts))
        )


def chat_filter(asked: Filter | None) -> ChatFilter | None:
    """The filter that somebody asked for; None if it lets everything through."""
    if asked is None:
        return None
    found = ChatFilter(
        None if asked.only_types is None else frozenset(asked.only_types),
        None if asked.only_roles is None else frozenset(asked.only_roles),
        None if asked.only_users is None else frozenset(map(_name, asked.only_users)),
        None if asked.only_words is None else _looked_for(asked.only_words),
        asked.max_length,
        frozenset(map(_name, asked.exclude_users or ())),
        _looked_for(asked.exclude_words) if asked.exclude_words else None,
        tuple(sorted({prefix.casefold() for prefix in asked.exclude_prefixes or ()})),
    )
    return None if found == _EVERYTHING else found


_EVERYTHING: Final = ChatFilter()


def _name(name: str) -> str:
    return name.removeprefix("@").casefold()


def _looked_for(entries: Iterable[str]) -> Words:
    folded = {entry.casefold() for entry in entries}
    single = frozenset(entry for entry in folded if all(map(_belongs, entry)))
    return Words(single, frozenset(folded - single))


def _stands_in(entry: str, text: str) -> bool:
    """Whether an entry stands in a text without cutting a word at its ends."""
    return any(
        not _cuts(text, at) and not _cuts(text, at + len(entry)) for at in _places(entry, text)
    )


def _places(entry: str, text: str) -> Iterator[int]:
    at = text.find(entry)
    while at >= 0:
        yield at
        at = text.find(entry, at + 1)


def _cuts(text: str, at: int) -> bool:
    """Whether a word goes on across this place."""
    return 0 < at < len(text) and _belongs(text[at - 1]) and _belongs(text[at])
