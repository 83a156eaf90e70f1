# SPDX-License-Identifier: MIT
"""Gifts are told once: streaks in any order, with lost ends, stragglers and repetitions."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import ChannelEvent, Event
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.parse.counts import Counts
from livechat.platforms.tiktok.parse.gifts import STREAK_IDLE
from livechat.platforms.tiktok.parse.webcast import Envelope
from tests.support.events import fields_of
from tests.support.tiktok_payloads import NOW, ROOM, kinds_of, wire

ROSE = [(5, 5655), (11, 1), (12, 1), (16, "Rose")]


def sent(
    count: int,
    *,
    ends: bool = False,
    user: int = 1,
    group: int = 1_700_000_000_000,
    gift: list[tuple[int, int | str]] | None = None,
) -> Envelope:
    """One message of a streak."""
    payload = wire(
        [
            (2, 5655),
            (5, count),
            (7, [(1, user), (38, f"user{user}")]),
            (9, int(ends)),
            (11, group),
            (15, ROSE if gift is None else gift),
        ]
    )
    return Envelope("WebcastGiftMessage", payload)


def told(events: list[Event]) -> list[tuple[str, int, int | None]]:
    """Who gave how many, worth what, of gifts."""
    gifts = []
    for event in events:
        assert isinstance(event, ChannelEvent)
        data = fields_of(event)
        price = data.price
        gifts.append((data.user.username, data.count, price and price.value))
    return gifts


class Room:
    """A translator, and its gifts in the order in which they were told."""

    def __init__(self) -> None:
        self.translator = Translator(ROOM)
        self.events: list[Event] = []

    def hear(self, *envelopes: Envelope, at: float = 0.0) -> list[tuple[str, int, int | None]]:
        """What these messages tell."""
        translation = self.translator.translate(envelopes, NOW, at)
        assert translation.counts == Counts(), translation.counts
        self.events += translation.events
        return told(translation.events)

    def wait(self, until: float) -> list[tuple[str, int, int | None]]:
        """What the passing of time tells."""
        events = self.translator.overdue(until)
        self.events += events
        return told(events)


class StreakTests(SynchronousTestCase):
    """From the first message of a streak to its one event."""

    def test_whole_streak(self) -> None:
        """A streak is told when it ends, with its last count, and never again."""
        room = Room()
        self.assertEqual(room.hear(sent(1), sent(2), sent(5)), [])
        self.assertEqual(room.hear(sent(5, ends=True), at=3.0), [("user1", 5, 5)])
        self.assertEqual(room.hear(sent(5, ends=True), sent(5), at=4.0), [])
        self.assertEqual(room.wait(1000.0), [])

    def test_single(self) -> None:
        """Even a single rose comes twice and is told once."""
        room = Room()
        self.assertEqual(room.hear(sent(1), sent(1, ends=True)), [("user1", 1, 1)])

    def test_end_alone(self) -> None:
        """An end whose beginning we did not hear tells the whole streak."""
        self.assertEqual(Room().hear(sent(9, ends=True)), [("user1", 9, 9)])

    def test_lost_end(self) -> None:
        """A streak whose end is lost is told after 15 silent seconds; a late end adds nothing."""
        room = Room()
        room.hear(sent(3), at=0.0)
        room.hear(sent(4), at=10.0)
        self.assertEqual(room.wait(10.0 + STREAK_IDLE - 0.001), [])
        self.assertEqual(room.wait(10.0 + STREAK_IDLE), [("user1", 4, 4)])
        self.assertEqual(room.wait(26.0), [])
        self.assertEqual(room.hear(sent(4, ends=True), at=27.0), [])

    def test_told_by_the_next_message(self) -> None:
        """Any later message brings along the gifts that have gone silent, after its own events."""
        room = Room()
        room.hear(sent(3), at=0.0)
        self.assertEqual(
            room.hear(sent(1, ends=True, user=2), at=20.0), [("user2", 1, 1), ("user1", 3, 3)]
        )

    def test_end_of_the_stream(self) -> None:
        """When the stream is over, gifts under way are told at once."""
        room = Room()
        end = Envelope("WebcastControlMessage", wire([(2, 3)]))
        self.assertEqual(room.hear(sent(3), end, sent(4)), [("user1", 4, 4)])
        self.assertEqual(room.wait(100.0), [])

    def test_out_of_order(self) -> None:
        """A lower count that comes later does not take anything back."""
        room = Room()
        self.assertEqual(room.hear(sent(7), sent(3), sent(6, ends=True)), [("user1", 7, 7)])

    def test_interleaved(self) -> None:
        """Two streaks of one user, and of two users in the same millisecond, are kept apart."""
        room = Room()
        messages = [
            sent(1, group=10),
            sent(1, group=11),
            sent(1, group=10, user=2),
            sent(2, group=10),
            sent(3, group=11),
            sent(2, group=10, ends=True),
            sent(1, group=10, user=2, ends=True),
            sent(3, group=11, ends=True),
        ]
        self.assertEqual(room.hear(*messages), [("user1", 2, 2), ("user2", 1, 1), ("user1", 3, 3)])
        ids = {event.event_id for event in room.events if isinstance(event, ChannelEvent)}
        self.assertEqual(ids, {"10-1-5655", "10-2-5655", "11-1-5655"})

    def test_whole_in_one_message(self) -> None:
        """A gift that does not streak is told at once, each time."""
        room = Room()
        heart: list[tuple[int, int | str]] = [(11, 4), (12, 5)]
        for group in (0, 1_700_000_000_000):
            envelope = sent(2, group=group, gift=heart)
            self.assertEqual(room.hear(envelope, envelope), [("user1", 2, 10)] * 2)
        self.assertEqual(room.hear(sent(1, group=0)), [("user1", 1, 1)])

    def test_price_unknown(self) -> None:
        """Without the gift its price is not known, and the streak is one all the same."""
        room = Room()
        self.assertEqual(room.hear(sent(2, gift=[])), [])
        self.assertEqual(room.hear(sent(2, gift=[], ends=True)), [("user1", 2, None)])

    def test_count_missing(self) -> None:
        """A count that is missing or negative is one gift."""
        room = Room()
        self.assertEqual(room.hear(sent(0, ends=True)), [("user1", 1, 1)])
        self.assertEqual(room.hear(sent(-5, ends=True, user=2)), [("user2", 1, 1)])

    def test_history(self) -> None:
        """A streak that a new connection repeats as history is not told twice."""
        room = Room()
        room.hear(sent(2), sent(2, ends=True))
        again = sent(2, ends=True)
        self.assertEqual(room.hear(Envelope(again.method, again.payload, 9, True), at=5.0), [])

    def test_bounded(self) -> None:
        """Many thousands of streaks without an end are all told, the oldest first."""
        room = Room()
        for user in range(1, 3001):
            room.hear(sent(1, user=user))
        self.assertEqual(len(room.events), 3000 - 1024)
        room.wait(100.0)
        self.assertEqual(
            [name for name, _, _ in told(room.events)], [f"user{n}" for n in range(1, 3001)]
        )

    def test_remembered(self) -> None:
        """A straggler is known as one for two minutes."""
        room = Room()
        room.hear(sent(2, ends=True), at=0.0)
        self.assertEqual(room.hear(sent(2, ends=True), at=119.0), [])
        room.wait(121.0)
        self.assertEqual(room.hear(sent(2, ends=True), at=121.0), [("user1", 2, 2)])

    @settings(deadline=None, database=None, max_examples=150)
    @given(
        st.lists(
            st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.booleans()),
            max_size=40,
        ),
    )
    def test_any_order(self, messages: list[tuple[int, int, int, bool]]) -> None:
        """Whatever is lost, repeated or out of order: a streak that is heard of is told once."""
        room = Room()
        for number, (user, group, count, ends) in enumerate(messages):
            room.hear(sent(count, user=user, group=group, ends=ends), at=number * 0.5)
        room.wait(1000.0)
        heard = {(user, group) for user, group, _, _ in messages}
        ids = Counter(e.event_id for e in room.events if isinstance(e, ChannelEvent))
        self.assertEqual(ids, Counter(f"{group}-{user}-5655" for user, group in heard))
        self.assertEqual(set(kinds_of(room.events)), {"gift"} if heard else set())
