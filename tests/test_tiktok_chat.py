# SPDX-License-Identifier: MIT
"""Webcast messages to events: one of every kind, their ids and times, the state of the stream."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import EVENT_KINDS
from livechat.platforms.tiktok.parse.chat import StreamState, Translation, Translator
from livechat.platforms.tiktok.parse.counts import Counts
from livechat.platforms.tiktok.parse.message_context import digest, timestamp
from livechat.platforms.tiktok.parse.webcast import Envelope
from tests.support.events import fields_of
from tests.support.golden import check_whole
from tests.support.tiktok_payloads import (
    NOW,
    ROOM,
    chat_of,
    event_of,
    kinds_of,
    translated,
    wire,
)
from tests.support.tiktok_written import LEFT_OUT, UNKNOWN, WRITTEN, comment, user

#: What is unknown in the written payloads.
STRANGE = {
    "chat of a moderator with badges": {
        "UserBadge.display_type=7": 1,
        "UserBadge.scene_type=99": 1,
    }
}


class KindTests(SynchronousTestCase):
    """Every message that is read."""

    def test_golden(self) -> None:
        """Each written payload becomes what somebody once looked at and agreed with."""
        made = {name: translated(*payload) for name, payload in WRITTEN.items()}
        for name, translation in made.items():
            self.assertEqual(translation.counts, Counts(STRANGE.get(name, {})), name)
        check_whole(self, "tiktok/kinds", made)

    def test_kinds_are_documented(self) -> None:
        """Every event is of a kind that clients can ask for."""
        kinds = {
            kind for payload in WRITTEN.values() for kind in kinds_of(translated(*payload).events)
        }
        self.assertEqual(kinds - EVENT_KINDS.keys(), {"chat"})
        self.assertEqual(
            kinds - {"chat"},
            {
                "deletion",
                "follow",
                "gift",
                "goal",
                "join",
                "like",
                "milestone",
                "notice",
                "pin",
                "poll",
                "question",
                "share",
                "stream",
                "subscription",
                "timeout",
                "viewers",
            },
        )

    def test_left_out(self) -> None:
        """What is known and means nothing that has a kind is counted as left out."""
        for name, (method, payload, why) in LEFT_OUT.items():
            expected = Translation([], Counts(ignored={f"{method}{why}": 1}))
            self.assertEqual(translated(method, payload), expected, name)

    def test_unknown_values(self) -> None:
        """A value that nobody knows is counted by message, field and value."""
        for name, (method, payload, names) in UNKNOWN.items():
            unparsed = dict.fromkeys((f"{method}.{one}" for one in names), 1)
            self.assertEqual(translated(method, payload).counts.unparsed, unparsed, name)

    def test_unknown_and_unreadable(self) -> None:
        """Unknown methods and unreadable payloads cost themselves and are counted apart."""
        good = Envelope("WebcastChatMessage", comment("hi"), 1)
        messages = [
            good,
            Envelope("WebcastCaptionMessage", b"\x08\x01"),
            Envelope("WebcastNeverSeen", b"\xff"),
            Envelope("WebcastNeverSeen", b""),
            Envelope("WebcastChatMessage", b"\xff", 2),
            Envelope("WebcastGiftMessage", b"\x0a\x09x", 3),
            good,
        ]
        translation = Translator(ROOM).translate(messages, NOW, 0.0)
        self.assertEqual(kinds_of(translation.events), ["chat", "chat"])
        self.assertEqual(
            translation.counts,
            Counts(
                {
                    "WebcastNeverSeen": 2,
                    "WebcastChatMessage unreadable": 1,
                    "WebcastGiftMessage unreadable": 1,
                },
                {"WebcastCaptionMessage": 1},
            ),
        )

    def test_empty_payloads(self) -> None:
        """A message without any field is told or left out, and never raises."""
        for method, _ in WRITTEN.values():
            translation = translated(method, b"")
            accounted = bool(translation.events) or translation.counts != Counts()
            self.assertTrue(accounted, method)
            msgspec.json.encode(translation.events)


class IdentityTests(SynchronousTestCase):
    """Ids and times of messages."""

    def test_message_id(self) -> None:
        """The envelope's id counts before the message's own; without both the bytes decide."""
        payload = comment("hi")
        bare = wire([(3, "hi")])
        table = [
            (Envelope("WebcastChatMessage", payload, 5), "5"),
            (Envelope("WebcastChatMessage", payload), "7300000000000000111"),
            (Envelope("WebcastChatMessage", bare), digest(bare)),
        ]
        for envelope, expected in table:
            translation = Translator(ROOM).translate([envelope], NOW, 0.0)
            self.assertEqual(chat_of(translation).message_id, expected)

    def test_repeated_at_every_connect(self) -> None:
        """What the platform repeats under new ids keeps its own."""
        for name in ("system", "introduction", "question", "goal"):
            method, payload = WRITTEN[name]
            ids = {
                event_of(
                    Translator(ROOM).translate([Envelope(method, payload, n)], NOW, 0)
                ).event_id
                for n in (1, 2)
            }
            self.assertEqual(len(ids), 2 if name == "goal" else 1, name)

    def test_one_subscription(self) -> None:
        """A subscription that three kinds of message tell has one id."""
        names = ("subscription", "subscription told by a member message", "super fan")
        ids = {event_of(translated(*WRITTEN[name])).event_id for name in names}
        self.assertEqual(ids, {"6820914516086834"})

    def test_times(self) -> None:
        """Milliseconds and seconds are understood; nonsense and the far future become now."""
        now = 1_800_000_000_000
        table = {
            1_700_000_000_123: "2023-11-14T22:13:20.123Z",
            1_700_000_000: "2023-11-14T22:13:20.000Z",
            now + 3_600_000: "2027-01-15T09:00:00.000Z",
        }
        odd = (0, -1, 5, 10**9 - 1, 1_700_000_000_123_456, -(1 << 63), (1 << 63) - 1, now + 10**9)
        table |= dict.fromkeys(odd, "2027-01-15T08:00:00.000Z")
        self.assertEqual({time: timestamp(time, now) for time in table}, table)


class StateTests(SynchronousTestCase):
    """What a batch says about the stream."""

    def control(self, *actions: int) -> list[Envelope]:
        """Control messages with these actions."""
        return [Envelope("WebcastControlMessage", wire([(2, action)]), 9) for action in actions]

    def test_states(self) -> None:
        """Each action has its state; the last word counts, and an end outlasts it."""
        table: dict[tuple[int, ...], StreamState | None] = {
            (): None,
            (12,): None,
            (1,): StreamState.PAUSED,
            (2,): StreamState.RESUMED,
            (1, 2): StreamState.RESUMED,
            (3,): StreamState.ENDED,
            (4,): StreamState.SUSPENDED,
            (1, 3, 2): StreamState.ENDED,
            (4, 3): StreamState.SUSPENDED,
        }
        for actions, state in table.items():
            translation = Translator(ROOM).translate(self.control(*actions), NOW, 0.0)
            self.assertEqual(translation.state, state, actions)

    def test_last_words(self) -> None:
        """Comments of the batch that ends the stream arrive, also those after the end."""
        chat = Envelope("WebcastChatMessage", comment("bye"), 1)
        translation = Translator(ROOM).translate([chat, *self.control(3), chat], NOW, 0.0)
        self.assertEqual(kinds_of(translation.events), ["chat", "chat"])
        self.assertIs(translation.state, StreamState.ENDED)

    def test_history(self) -> None:
        """A past end is not an end; past comments are comments of their time."""
        ended = translated("WebcastControlMessage", wire([(2, 3)]), is_history=True)
        left_out = Counts(ignored={"WebcastControlMessage history": 1})
        self.assertEqual(ended, Translation([], left_out))
        chat = chat_of(translated("WebcastChatMessage", comment("old"), is_history=True))
        self.assertEqual(chat.timestamp, "2023-11-14T22:13:20.123Z")

    def test_said_again(self) -> None:
        """An end that was said before is said again: whoever did not believe it hears it twice."""
        translator = Translator(ROOM)
        for _ in range(2):
            translation = translator.translate(self.control(3), NOW, 0.0)
            self.assertIs(translation.state, StreamState.ENDED)

    def test_likes_only_grow(self) -> None:
        """The total of likes never falls, though the platform's does."""
        translator = Translator(ROOM)
        totals = []
        for total in (100, 90, 101, 0, 95, 120):
            envelope = Envelope(
                "WebcastLikeMessage", wire([(2, 3), (3, total), (5, user())]), total
            )
            event = event_of(translator.translate([envelope], NOW, 0.0))
            self.assertEqual(fields_of(event).count, 3)
            totals.append(fields_of(event).total)
        self.assertEqual(totals, [100, 100, 101, 101, 101, 120])
