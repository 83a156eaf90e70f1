# SPDX-License-Identifier: MIT
"""Events as values: times, keys, and the rule that what is not known is not in the JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_type_hints

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model import chat, events
from livechat.model.chat import (
    Author,
    Badge,
    ChatMessage,
    ChatMetadata,
    Element,
    EmoteMetadata,
    Roles,
)
from livechat.model.event_data import moderation, paid, parts, stream, viewers
from livechat.model.events import (
    EVENT_KINDS,
    ChannelEvent,
    ChannelKey,
    Event,
    LiveInfo,
    StatsData,
    Tally,
    UserTally,
    iso_time,
)

bounded = settings(deadline=None, database=None, max_examples=200)

#: The last millisecond of the year 9999.
LAST = 253_402_300_799_999


class IsoTimeTests(SynchronousTestCase):
    """Milliseconds become ISO 8601 UTC."""

    def test_table(self) -> None:
        """Known moments, with the milliseconds always written."""
        for milliseconds, text in (
            (0, "1970-01-01T00:00:00.000Z"),
            (1, "1970-01-01T00:00:00.001Z"),
            (999, "1970-01-01T00:00:00.999Z"),
            (1_000, "1970-01-01T00:00:01.000Z"),
            (951_782_400_050, "2000-02-29T00:00:00.050Z"),
            (1_710_938_096_789, "2024-03-20T12:34:56.789Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
        ):
            self.assertEqual(iso_time(milliseconds), text)

    def test_out_of_range(self) -> None:
        """A time that ISO 8601 cannot show in four digits, or from before 1970, is refused."""
        for milliseconds in (-1, -1_000, LAST + 1, 10**18, -(10**18), 10**400):
            with self.assertRaises(ValueError, msg=str(milliseconds)):
                iso_time(milliseconds)

    @bounded
    @given(st.integers(0, LAST))
    def test_any_time(self, milliseconds: int) -> None:
        """Read back by other code, every time is the one it was made from."""
        text = iso_time(milliseconds)
        self.assertRegex(text, re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII))
        read = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
        self.assertEqual(read, timedelta(milliseconds=milliseconds))


class ChannelKeyTests(SynchronousTestCase):
    """What makes two requests mean the same chat."""

    def test_equal(self) -> None:
        """Equal parts make equal keys, and one dictionary entry."""
        one = ChannelKey("twitch", "username", "ann")
        other = ChannelKey("twitch", "username", "ann")
        self.assertEqual(one, other)
        self.assertEqual({one: 1, other: 2}, {one: 2})

    def test_different(self) -> None:
        """Platform, type and identifier each make a difference."""
        keys = {
            ChannelKey("twitch", "username", "ann"),
            ChannelKey("tiktok", "username", "ann"),
            ChannelKey("youtube", "username", "ann"),
            ChannelKey("youtube", "channelId", "ann"),
            ChannelKey("youtube", "liveId", "ann"),
            ChannelKey("youtube", "liveId", "Ann"),
        }
        self.assertEqual(len(keys), 6)

    def test_text(self) -> None:
        """In a log a key is its platform and identifier."""
        self.assertEqual(str(ChannelKey("youtube", "liveId", "abc")), "youtube:abc")


class ShapeTests(SynchronousTestCase):
    """The structs are the wire schema."""

    def json(self, value: object) -> str:
        """The JSON text of a value."""
        return msgspec.json.encode(value).decode()

    def test_unset_is_absent(self) -> None:
        """Optional fields into which nothing was put do not appear."""
        roles = '{"broadcaster":false,"moderator":false,"subscriber":false,"verified":false}'
        for value, text in (
            (LiveInfo("x"), '{"live_id":"x","lives":[]}'),
            (Roles(), roles),
            (Badge("custom", "Turbo"), '{"type":"custom","label":"Turbo","image_url":null}'),
            (
                Author("1", "ann", "Ann", None, Roles(), []),
                '{"id":"1","username":"ann","display_name":"Ann","avatar_url":null,'
                f'"roles":{roles},"badges":[]}}',
            ),
            (EmoteMetadata("u", "a", False), '{"url":"u","alt":"a","is_custom":false}'),
            (Element("text", "v", (0, 1)), '{"type":"text","value":"v","position":[0,1]}'),
            (ChatMetadata(), '{"type":"chat"}'),
        ):
            self.assertEqual(self.json(value), text)

    def test_known_nothing_is_present(self) -> None:
        """Not known is null where it is said, which is not the same as not said."""
        self.assertEqual(
            self.json(LiveInfo("x", None, "top")),
            '{"live_id":"x","live":null,"feed":"top","lives":[]}',
        )

    def test_statistics_names(self) -> None:
        """The fields of statistics have the specification's names and order."""
        user = UserTally("1", "ann", "Ann", Roles(moderator=True), 3)
        self.assertEqual(
            self.json(StatsData([user], 4, 2)),
            '{"uniqueUsers":[{"id":"1","username":"ann","display_name":"Ann","roles":'
            '{"broadcaster":false,"moderator":true,"subscriber":false,"verified":false},'
            '"messageCount":3}],"totalMessages":4,"uniqueUserCount":2}',
        )

    def test_tallies_share_nothing(self) -> None:
        """Each new tally has users of its own."""
        one, other = Tally(), Tally()
        one.users["1"] = UserTally("1", "a", "A", Roles(), 1)
        self.assertEqual((other.total, other.users), (0, {}))

    def test_values_are_fixed(self) -> None:
        """What was said stays said: everything that reaches a client is frozen, tallies are not."""
        mutable = {Tally, UserTally}
        structs: list[Any] = [
            value
            for module in (events, chat, parts, paid, viewers, moderation, stream)
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, msgspec.Struct)
            and value.__module__ == module.__name__
        ]
        self.assertEqual({s for s in structs if not s.__struct_config__.frozen}, mutable)
        self.assertEqual(len(structs), 6 + 12 + 27)

    def test_event_is_either(self) -> None:
        """A platform reports chat messages and channel events, nothing else."""
        self.assertEqual(get_args(Event), (ChatMessage, ChannelEvent))

    def test_kinds(self) -> None:
        """Every kind that the wire contract names is known, each with a sentence, in order."""
        promised = {
            "announcement",
            "deletion",
            "follow",
            "gift",
            "join",
            "like",
            "pin",
            "poll",
            "raid",
            "room",
            "share",
            "subscription",
            "timeout",
            "viewers",
        }
        self.assertLessEqual(promised, EVENT_KINDS.keys())
        self.assertEqual(list(EVENT_KINDS), sorted(EVENT_KINDS))
        for kind, sentence in EVENT_KINDS.items():
            self.assertRegex(kind, r"\A[a-z]+\Z")
            self.assertRegex(sentence, r"\A[A-Z].+\.\Z")
        # These are message types of the protocol, which no kind may be mistaken for.
        self.assertFalse({"chat", "stats", "status", "error", "event"} & EVENT_KINDS.keys())

    def test_specified_words(self) -> None:
        """Badge and message types are the specification's."""
        self.assertEqual(
            get_args(get_type_hints(Badge)["type"]),
            ("subscriber", "moderator", "verified", "custom"),
        )
        self.assertEqual(get_args(get_type_hints(ChatMetadata)["type"]), ("chat", "super_chat"))
