# SPDX-License-Identifier: MIT
"""Queries of addresses, as the commands that they stand for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ChatError, ErrorCode
from livechat.protocol.commands import Since, SubscribeOptions, decode_command, read_options
from livechat.protocol.filters import Filter
from livechat.protocol.queries import place_of, subscribes

bounded = settings(deadline=None, database=None, max_examples=200)


class QueryCase(SynchronousTestCase):
    """Queries that name chats."""

    def one(self, query: str, last_event_id: str = "") -> dict[str, Any]:
        """The only command of a query, without its type."""
        (command,) = subscribes(query, last_event_id)
        self.assertEqual(command.pop("type"), "subscribe")
        return command

    def options(self, query: str) -> SubscribeOptions:
        """The options that a query stands for."""
        command = {"type": "subscribe", **self.one(query)}
        return read_options(decode_command(msgspec.json.encode(command)))

    def wrong(self, query: str) -> str | None:
        """The option that is wrong in a query."""
        with self.assertRaises(ChatError) as caught:
            self.options(query)
        self.assertIs(caught.exception.code, ErrorCode.INVALID_OPTION)
        details: str | None = caught.exception.details
        return details


class ChatTests(QueryCase):
    """Which chats a query names."""

    def test_one(self) -> None:
        """Names are decoded; what is not given is not there."""
        self.assertEqual(
            self.one("platform=twitch&identifier=%40Ann"),
            {"platform": "twitch", "identifier": "@Ann"},
        )
        self.assertEqual(
            self.one("identifier=x&identifierType=channelId&x=1&token=t"),
            {"identifier": "x", "identifierType": "channelId"},
        )
        self.assertEqual(self.one("identifier=a+b%2Bc%C3%A9%ff"), {"identifier": "a b+cé�"})

    def test_none(self) -> None:
        """A query without an identifier is a command without one."""
        self.assertEqual(self.one(""), {})
        self.assertEqual(self.one("platform=twitch"), {"platform": "twitch"})
        self.assertEqual(self.one("identifier="), {"identifier": ""})

    def test_several(self) -> None:
        """Pairs in their order, in whatever order their halves come."""
        expected = [
            {"type": "subscribe", "platform": "twitch", "identifier": "ann"},
            {"type": "subscribe", "platform": "youtube", "identifier": "bob"},
        ]
        for query in (
            "platform=twitch&identifier=ann&platform=youtube&identifier=bob",
            "platform=twitch&platform=youtube&identifier=ann&identifier=bob",
        ):
            self.assertEqual(subscribes(query), expected)

    def test_once_for_all(self) -> None:
        """One platform or identifierType holds for all, like every option."""
        commands = subscribes("platform=twitch&identifier=ann&identifier=bob&stats=false")
        self.assertEqual([c["platform"] for c in commands], ["twitch", "twitch"])
        self.assertEqual([c["stats"] for c in commands], [False, False])

    def test_no_pairs(self) -> None:
        """Two platforms for three identifiers are answered with the name of the option."""
        for name in ("platform", "identifierType"):
            query = f"{name}=a&{name}=b&identifier=1&identifier=2&identifier=3"
            with self.assertRaises(ChatError) as caught:
                subscribes(query)
            self.assertEqual(
                (caught.exception.code, caught.exception.details), (ErrorCode.INVALID_OPTION, name)
            )


class OptionTests(QueryCase):
    """Options in a query."""

    def test_values(self) -> None:
        """Booleans, numbers, lists by commas, and texts."""
        self.assertEqual(
            self.options("events=raid,gift&stats=5&mirrored=false&history=10&id=7"),
            SubscribeOptions(
                events=["raid", "gift"], stats=5.0, mirrored=False, history=10, id="7"
            ),
        )
        self.assertIs(self.options("events=true&stats=false").events, True)
        self.assertEqual(
            self.options("wait=true&lives=all"), SubscribeOptions(wait=True, lives="all")
        )
        asked = quote('{"only_words":["a b","é"],"max_length":5}')
        self.assertEqual(
            self.options(f"filter={asked}&hold=2.5"),
            SubscribeOptions(filter=Filter(only_words=["a b", "é"], max_length=5), hold=2.5),
        )
        self.assertEqual(self.options("events=raid").events, ["raid"])
        self.assertIs(self.options("events=false").events, False)

    def test_empty(self) -> None:
        """An option that is empty is as if it were absent; no kinds of event are none."""
        self.assertEqual(
            self.options("stats=&mirrored=&history=&since=&id=&filter=&hold="),
            SubscribeOptions(id=""),
        )
        self.assertEqual(self.options("events=").events, [])

    def test_last_counts(self) -> None:
        """Of an option that comes twice the last one counts."""
        self.assertEqual(self.options("history=1&history=2").history, 2)

    def test_wrong(self) -> None:
        """Wrong values are left to be refused like those of a command."""
        for query, name in (
            ("stats=often", "stats"),
            ("stats=0", "stats"),
            ("mirrored=1", "mirrored"),
            ("wait=1", "wait"),
            ("lives=both", "lives"),
            ("lives=true", "lives"),
            ("filter=spam", "filter"),
            ("filter={", "filter"),
            ("filter=%7B%22words%22:[]%7D", "filter.words"),
            ("hold=61", "hold"),
            ("hold=long", "hold"),
            ("history=-1", "history"),
            ("history=01", "history"),
            ("events=5", "events"),
            ("since=5", "since"),
            ("since=-,-", "since"),
            ("since=a:1,b:2", "since"),
            ("since=a:-1", "since"),
            ("since=a:b", "since"),
            ("id=" + "x" * 65, "id"),
        ):
            self.assertEqual(self.wrong(query), name, query)


class PlaceTests(QueryCase):
    """Where a client goes on."""

    def test_since(self) -> None:
        """A place for the chat, or none."""
        self.assertEqual(self.options("since=e1:5").since, Since("e1", 5))
        self.assertIsNone(self.options("since=-").since)

    def test_last_event_id(self) -> None:
        """What a browser says it has wins over the address; what cannot be read does not count."""
        self.assertEqual(self.one("since=e1:5", "e2:7")["since"], {"epoch": "e2", "seq": 7})
        for odd in ("", "x", "e1:2,e1:3", "e1:", "e1:1 "):
            self.assertEqual(self.one("since=e1:5", odd)["since"], {"epoch": "e1", "seq": 5}, odd)
            self.assertNotIn("since", self.one("", odd))

    def test_of_several(self) -> None:
        """One place for each chat, in their order; nowhere is no place."""
        commands = subscribes("identifier=a&identifier=b&identifier=c", "e1:5,-,e3:6")
        self.assertEqual(
            [c["since"] for c in commands],
            [{"epoch": "e1", "seq": 5}, None, {"epoch": "e3", "seq": 6}],
        )

    def test_place(self) -> None:
        """An epoch without blanks and commas, a colon, and digits."""
        self.assertEqual(place_of("a:b:007"), {"epoch": "a:b", "seq": 7})
        self.assertEqual(place_of(":0"), {"epoch": "", "seq": 0})
        for text in (
            "",
            ":",
            "a",
            "a:",
            "a:\N{ARABIC-INDIC DIGIT ONE}",
            "a:1.5",
            "a\n:1",
            "a:1\n",
            "a,:1",
            "a:" + "9" * 19,
        ):
            self.assertIsNone(place_of(text), text)


class AnyTests(QueryCase):
    """Whatever stands in an address."""

    @bounded
    @given(st.text(max_size=200), st.text(max_size=40))
    def test_any_text(self, query: str, last_event_id: str) -> None:
        """It is some commands that can be sent, or one error."""
        self.check(query, last_event_id)

    def check(self, query: str, last_event_id: str = "") -> None:
        """The query stands for commands, or is refused."""
        try:
            commands = subscribes(query, last_event_id)
        except ChatError as error:
            self.assertIs(error.code, ErrorCode.INVALID_OPTION)
            return
        self.assertGreaterEqual(len(commands), 1)
        for command in commands:
            decode_command(msgspec.json.encode(command))

    @bounded
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["identifier", "platform", "events", "since", "stats", "history"]),
                st.text(alphabet="a1:,-{}[]\"'tfe%&=.", max_size=12),
            ),
            max_size=8,
        )
    )
    def test_any_fields(self, given_fields: list[tuple[str, str]]) -> None:
        """So it is with the fields that we know."""
        self.check("&".join(f"{name}={value}" for name, value in given_fields))
