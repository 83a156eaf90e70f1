# SPDX-License-Identifier: MIT
"""The structs of the events, as the wire schema that they are."""

from __future__ import annotations

import re
from typing import ClassVar

from msgspec import UNSET, Struct, json, structs
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import Author, Badge, Roles
from livechat.model.event_data import (
    KINDS,
    Choice,
    EventData,
    Gap,
    GoalPart,
    Person,
    Price,
    Raid,
    Timeout,
    person,
)
from livechat.model.events import EVENT_KINDS, ChannelEvent, add_event_kind

PARTS: tuple[type[Struct], ...] = (Person, Price, Choice, GoalPart)


class StructTests(SynchronousTestCase):
    """What holds for every kind."""

    def test_documented(self) -> None:
        """Every kind has a sentence, and every field of its own is documented."""
        every: list[type[Struct]] = [EventData, *KINDS.values(), *PARTS]
        for struct in every:
            documented = set(re.findall(r":ivar (\w+):", struct.__doc__ or ""))
            inherited = {field.name for field in structs.fields(EventData)}
            own = {field.name for field in structs.fields(struct)}
            if struct is not EventData and issubclass(struct, EventData):
                own -= inherited
            self.assertEqual(documented, own, struct.__name__)

    def test_kinds(self) -> None:
        """Each struct stands under its own kind, and each kind has a meaning."""
        for kind, struct in KINDS.items():
            self.assertEqual(struct.kind, kind)
            self.assertTrue(EVENT_KINDS[kind].endswith("."), EVENT_KINDS[kind])

    def test_absent_and_unknown(self) -> None:
        """What does not apply is left out, what is not known is null."""
        event = ChannelEvent.of(
            Raid(direction="incoming", user=None, viewers=None), "p", "t", "e", "r"
        )
        told = json.decode(json.encode(event))
        self.assertEqual(told["type"], "raid")
        self.assertEqual(told["data"], {"user": None, "direction": "incoming", "viewers": None})

    def test_words_of_the_language(self) -> None:
        """`from` and `to` of a gap are called so on the wire."""
        gap = Gap(start="a", end="b", reason="upstream", filled=False)
        told = {"from": "a", "to": "b", "reason": "upstream", "filled": False}
        self.assertEqual(json.decode(json.encode(gap)), told)

    def test_timeout(self) -> None:
        """`seconds` is always there: null is for good, or not told."""
        self.assertEqual(
            json.decode(json.encode(Timeout(user=None))), {"user": None, "seconds": None}
        )


class PersonTests(SynchronousTestCase):
    """The author of a message as a person."""

    def test_author(self) -> None:
        """Nothing of an author is lost."""
        badge = Badge("custom", "VIP")
        author = Author("1", "ann", "Ann", None, Roles(moderator=True), [badge], "#FF0000")
        self.assertEqual(json.encode(person(author)), json.encode(author))
        self.assertIs(person(Author("1", "a", "A", None, Roles(), [])).color, UNSET)


class AddedTests(SynchronousTestCase):
    """Kinds from outside."""

    def test_taken(self) -> None:
        """A kind that there is, and one without a name, are refused."""

        class Second(EventData, frozen=True, kw_only=True):
            """A raid by another author."""

            kind: ClassVar[str] = "raid"

        for struct in (Second, EventData):
            self.assertRaises(ValueError, add_event_kind, struct)
        self.assertIs(KINDS["raid"], Raid)
        self.assertNotIn("", KINDS)
