# SPDX-License-Identifier: MIT
"""Which chats a filter lets through, against an oracle made of the contract's sentences."""

from __future__ import annotations

import re
from typing import Any
from unicodedata import category

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.core import filters
from livechat.core.filters import ChatFilter, Facts, chat_filter
from livechat.model.chat import Author, ChatData, ChatMessage, ChatMetadata, Roles
from livechat.model.text import Emote, Piece, content
from livechat.protocol.filters import Filter

bounded = settings(deadline=None, database=None, max_examples=1000)

PICTURE = "https://pictures.example/1.png"


def written(
    *pieces: Piece,
    username: str = "bob",
    display_name: str = "Bob",
    type: Any = "chat",
    **roles: Any,
) -> ChatMessage:
    """A message of these pieces."""
    author = Author("7", username, display_name, None, Roles(**roles), [])
    data = ChatData(author, content(pieces), ChatMetadata(type))
    return ChatMessage("twitch", "2026-01-02T03:04:05.678Z", "1", "42", data)


def passes(message: ChatMessage, **conditions: Any) -> bool:
    """Whether a message comes through, also after a journey as JSON."""
    found = chat_filter(msgspec.convert(conditions, Filter))
    received = msgspec.json.decode(msgspec.json.encode(message), type=ChatMessage)
    answers = {found is None or found.passes(Facts(one)) for one in (message, received)}
    assert len(answers) == 1
    return answers.pop()


class Oracle:
    """The sentences of the contract, one after the other, without regard to what they cost."""

    def __init__(self, message: ChatMessage) -> None:
        self.message = message.data

    def __call__(self, filter: Filter) -> bool:
        """Whether all given conditions hold."""
        author, raw = self.message.author, self.message.content.raw
        names = (author.username, author.display_name)
        text = raw.casefold()
        roles = msgspec.to_builtins(author.roles)
        given = msgspec.to_builtins(filter)
        rules = {
            "only_types": lambda types: self.message.metadata.type in types,
            "only_roles": lambda wanted: any(roles[role] for role in wanted),
            "only_users": lambda users: any(self.is_user(user, names) for user in users),
            "exclude_users": lambda users: not any(self.is_user(user, names) for user in users),
            "only_words": lambda words: any(self.has(word) for word in words),
            "exclude_words": lambda words: not any(self.has(word) for word in words),
            "exclude_prefixes": lambda texts: (
                not any(text[: len(prefix.casefold())] == prefix.casefold() for prefix in texts)
            ),
            "max_length": lambda most: len([*raw]) <= most,
        }
        assert set(rules) == set(given)
        return all(rules[name](value) for name, value in given.items() if value is not None)

    def is_user(self, entry: str, names: tuple[str, ...]) -> bool:
        """A name is meant with or without `@`."""
        plain = [name[1:] if name[:1] == "@" else name for name in (entry, *names)]
        wanted, *there = [name.casefold() for name in plain]
        return wanted in [name for name in there if name]

    def has(self, entry: str) -> bool:
        """A text has an entry between borders of words; or an emote has it in its code."""
        renderings = (self.message.content.raw, self.message.content.formatted)
        return any(self.stands_in(entry.casefold(), text.casefold()) for text in renderings)

    def stands_in(self, entry: str, text: str) -> bool:
        """Wherever it stands, its ends lie inside of no word."""
        inside = self.inside_of_words(text)
        return any(
            text[at : at + len(entry)] == entry and not {at, at + len(entry)} & inside
            for at in range(len(text))
        )

    def inside_of_words(self, text: str) -> set[int]:
        """All places with a character of a word on either side: maximal runs have none outside."""
        return {
            at
            for at in range(1, len(text))
            if self.is_of_word(text[at - 1]) and self.is_of_word(text[at])
        }

    def is_of_word(self, character: str) -> bool:
        """Letters, digits, marks and underscore."""
        return category(character) in (
            "Ll", "Lu", "Lt", "Lm", "Lo", "Nd", "Mn", "Mc", "Me",
        ) or character == "_"  # fmt: skip


#: Few characters, so that much is found: letters that fold oddly, marks, digits, what is no word.
_TEXT = st.text("aAbsSßẞ\u017fİiée\u0301_1²½!:@ .😀\u0e40\u0e34", min_size=1, max_size=6)
_LIST = st.none() | st.lists(_TEXT, max_size=3)
_EMOTE = st.builds(lambda value, code: Emote(value, PICTURE, "alt", code), _TEXT, st.none() | _TEXT)
_MESSAGE = st.builds(
    lambda pieces, username, display_name, type, roles: written(
        *pieces, username=username, display_name=display_name, type=type, **roles
    ),
    st.lists(_TEXT | _EMOTE, max_size=5),
    _TEXT | st.just("") | st.just("bob"),
    _TEXT | st.just("@Bob"),
    st.sampled_from(["chat", "super_chat"]),
    st.dictionaries(st.sampled_from(Roles.__struct_fields__), st.booleans()),
)
_FILTER = st.builds(
    Filter,
    only_types=st.none() | st.lists(st.sampled_from(["chat", "super_chat"]), max_size=2),
    only_roles=st.none() | st.lists(st.sampled_from(Roles.__struct_fields__), max_size=3),
    only_users=_LIST | st.just(["@BOB"]),
    exclude_users=_LIST | st.just(["bob"]),
    only_words=_LIST,
    exclude_words=_LIST,
    exclude_prefixes=_LIST,
    max_length=st.none() | st.integers(0, 20),
)
_ONE_CONDITION = st.one_of(
    st.builds(Filter, only_words=_LIST),
    st.builds(Filter, exclude_words=_LIST),
    st.builds(Filter, exclude_prefixes=_LIST),
    st.builds(Filter, only_users=_LIST),
)


class OracleTests(SynchronousTestCase):
    """The filter does what the contract says."""

    @bounded
    @given(_MESSAGE, _FILTER | _ONE_CONDITION)
    def test_as_the_contract_says(self, message: ChatMessage, asked: Filter) -> None:
        """Any message and any filter: the outcome is that of the sentences."""
        found = chat_filter(asked)
        passed = found is None or found.passes(Facts(message))
        self.assertEqual(passed, Oracle(message)(asked))

    @bounded
    @given(_FILTER)
    def test_same_conditions(self, asked: Filter) -> None:
        """Filters that say the same are one, whatever the order, case and spelling of entries."""

        def other(values: Any) -> Any:
            if not isinstance(values, list):
                return values
            return [*reversed(values), *values[:1]]

        given = {name: other(value) for name, value in msgspec.to_builtins(asked).items()}
        for name in ("only_users", "exclude_users"):
            if given[name] is not None:
                given[name] = [re.sub("^@(?!@|$)", "", entry) for entry in given[name]]
        once, again = chat_filter(asked), chat_filter(Filter(**given))
        self.assertEqual(once, again)
        self.assertEqual(hash(once), hash(again))


class ConditionTests(SynchronousTestCase):
    """Each condition by itself."""

    def test_nothing_asked(self) -> None:
        """No condition, and conditions that leave nothing out, are no filter."""
        nothing: list[dict[str, Any]] = [
            {},
            {"exclude_words": []},
            {"exclude_users": [], "only_words": None},
        ]
        for conditions in nothing:
            self.assertIsNone(chat_filter(msgspec.convert(conditions, Filter)))
        self.assertIsNone(chat_filter(None))
        self.assertIsInstance(chat_filter(Filter(max_length=5)), ChatFilter)

    def test_empty_list(self) -> None:
        """Nothing is among none: an empty list of what alone is wanted lets nothing through."""
        for name in ("only_types", "only_roles", "only_users", "only_words"):
            self.assertFalse(passes(written("hi", moderator=True), **{name: []}), name)

    def test_types(self) -> None:
        """Ordinary messages, or those that were paid for."""
        self.assertTrue(passes(written("hi"), only_types=["chat"]))
        self.assertFalse(passes(written("hi"), only_types=["super_chat"]))
        self.assertTrue(passes(written("hi", type="super_chat"), only_types=["super_chat"]))
        self.assertTrue(passes(written("hi"), only_types=["super_chat", "chat"]))

    def test_roles(self) -> None:
        """Any of the roles that are named is enough."""
        for role in Roles.__struct_fields__:
            has: dict[str, Any] = {role: True}
            self.assertTrue(passes(written("hi", **has), only_roles=[role]))
            self.assertFalse(passes(written("hi"), only_roles=[role]))
        self.assertTrue(passes(written("hi", verified=True), only_roles=["moderator", "verified"]))

    def test_users(self) -> None:
        """Login, handle or display name, with or without `@`, in any case; no part of it."""
        message = written("hi", username="straße", display_name="@Bob Ross")
        for entry in ("STRASSE", "@straße", "bob ross", "@BOB ROSS"):
            self.assertTrue(passes(message, only_users=["x", entry]), entry)
            self.assertFalse(passes(message, exclude_users=["x", entry]), entry)
        for entry in ("strass", "bob", "ross", "@", "7", "@@straße"):
            self.assertFalse(passes(message, only_users=[entry]), entry)
            self.assertTrue(passes(message, exclude_users=[entry]), entry)
        self.assertTrue(passes(written("hi", username=""), exclude_users=["@"]))

    def test_words(self) -> None:
        """Whole words, whatever their case and script; what has blanks or punctuation, as it is."""
        for text, entry, is_found in (
            ("Hello World", "hello", True),
            ("Hello World", "HELLO", True),
            ("Hello World", "hell", False),
            ("Hello World", "o w", False),
            ("Hello World", "hello world", True),
            ("Hello  World", "hello world", False),
            ("snake_case", "snake", False),
            ("snake-case", "snake", True),
            ("b2b", "b", False),
            ("don't", "don", True),
            ("don't", "don't", True),
            ("c++ rocks", "c++", True),
            ("objc++ rocks", "c++", False),
            ("go !lurk", "!lurk", True),
            ("go !lurking", "!lurk", False),
            ("STRASSE", "straße", True),
            ("cafe\u0301", "cafe", False),
            ("สวัสดี ชาวโลก", "สวัสดี", True),
            ("สวัสดี", "สวัสด", False),
            ("привет, мир", "МИР", True),
            ("こんにちは世界", "世界", False),
            ("😀 fine", "😀", True),
            ("😀😀", "😀", True),
            ("a😀b", "😀", True),
            ("", "a", False),
        ):
            self.assertEqual(passes(written(text), only_words=[entry]), is_found, (text, entry))
            self.assertNotEqual(passes(written(text), exclude_words=[entry]), is_found)

    def test_emotes(self) -> None:
        """The code of an emote is found, between colons or not, and so is what stands for it."""
        message = written(
            "hi ",
            Emote("😀", PICTURE, "grin", ":grinning:"),
            " x",
        )
        for entry in ("grinning", ":grinning:", "GRINNING", "😀", "hi 😀 x", "hi :grinning: x"):
            self.assertTrue(passes(message, only_words=[entry]), entry)
        self.assertFalse(passes(message, only_words=["grin"]))
        message = written("Kappa", Emote("Kappa", PICTURE, "Kappa", "Kappa"))
        self.assertFalse(passes(written("Kappas"), only_words=["kappa"]))
        self.assertTrue(passes(message, only_words=["kappa"]))

    def test_prefixes(self) -> None:
        """How the text begins, in any case."""
        for text, prefix, is_excluded in (
            ("!play", "!", True),
            ("!play", "!P", True),
            (" !play", "!", False),
            ("play!", "!", False),
            ("", "!", False),
            ("straße", "STRAS", True),
        ):
            self.assertNotEqual(passes(written(text), exclude_prefixes=["#", prefix]), is_excluded)

    def test_length(self) -> None:
        """Code points of `raw`, the last one included."""
        self.assertTrue(passes(written("😀" * 5), max_length=5))
        self.assertFalse(passes(written("😀" * 6), max_length=5))
        self.assertTrue(passes(written(), max_length=0))
        emote = Emote("😀", PICTURE, "grin", ":a_long_code:")
        self.assertTrue(passes(written(emote), max_length=1))

    def test_all_must_hold(self) -> None:
        """Of several conditions every one must hold."""
        conditions = {"only_words": ["hi"], "exclude_users": ["ann"], "max_length": 5}
        self.assertTrue(passes(written("hi"), **conditions))
        self.assertFalse(passes(written("hi there"), **conditions))
        self.assertFalse(passes(written("hi", username="ann"), **conditions))
        self.assertFalse(passes(written("ho"), **conditions))

    def test_many_characters(self) -> None:
        """Whatever characters come, what is remembered of them is bounded."""
        for begin in range(0x20000, 0x30000, 0x1000):
            text = "".join(map(chr, range(begin, begin + 0x1000)))
            passes(written(text), only_words=["a"])
        self.assertLessEqual(len(filters._words), 1 << 14)
        self.assertTrue(passes(written("\U0002ffff a"), only_words=["a"]))
