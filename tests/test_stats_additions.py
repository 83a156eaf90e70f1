# SPDX-License-Identifier: MIT
"""Counting one channel: money, events, rates and times."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from livechat.model.chat import ChatMessage, Money
from livechat.model.event_data import Price
from livechat.model.events import ChannelEvent
from livechat.statistics.memory import MemoryStats
from tests.support.fakes import happening
from tests.test_stats import KEY, SlowStore, StatsCase, said


class PaidTests(StatsCase):
    """What was paid, and events."""

    def setUp(self) -> None:
        """Statistics in memory, on one clock."""
        super().setUp()
        self.channel = self.stats(MemoryStats(now=self.clock.seconds))

    def snapshot(self) -> dict[str, Any]:
        """The statistics as of now."""
        return self.data(self.successResultOf(self.channel.snapshot()).message(KEY))

    def paid(self, value: float, currency: str) -> ChatMessage:
        """A paid message."""
        return said(monetary_data=Money("", "", "", value, currency))

    def given(self, value: Any, currency: Any) -> ChannelEvent:
        """A gift of this worth."""
        return happening("gift", price=Price(value, currency, None))

    def test_messages(self) -> None:
        """Paid messages add up by currency, to the cent."""
        for value, currency in ((4.99, "USD"), (0.01, "USD"), (100, "BITS"), (0.1, "EUR")):
            self.channel.count(self.paid(value, currency))
        self.assertEqual(self.snapshot()["money"], {"USD": 5, "BITS": 100, "EUR": 0.1})

    def test_gifts(self) -> None:
        """Gifts and donations count with what they are worth, where that is known."""
        self.channel.count_event(self.given(500, "DIAMONDS"))
        self.channel.count_event(self.given(None, "JEWELS"))
        self.channel.count_event(happening("gift", price=None))
        self.channel.count_event(happening("gift", price=UNSET))
        self.channel.count_event(happening("donation", price=Price(2.5, "EUR", "2.50 EUR")))
        params = {"value": "10", "currency": "DIAMONDS"}
        self.channel.count_event(happening("notice", params=params))
        data = self.snapshot()
        self.assertEqual(data["money"], {"DIAMONDS": 500, "EUR": 2.5})
        self.assertEqual(data["events"], {"gift": 4, "donation": 1, "notice": 1})
        self.assertEqual(data["totalMessages"], 0)

    def test_shared_chat(self) -> None:
        """From another room of a shared chat a message is counted, its money and events are not."""
        bits = Money("500", "500 bits", "", 500, "BITS")
        self.channel.count(said(monetary_data=bits, source_room_id="77"))
        for kind in ("gift", "donation"):
            paid = happening(kind, price=Price(25, "USD", None), source_room_id="77")
            self.channel.count_event(paid)
        for kind in ("raid", "subscription", "notice"):
            self.channel.count_event(happening(kind, source_room_id="77"))
        data = self.snapshot()
        self.assertEqual(data["totalMessages"], 1)
        self.assertNotIn("money", data)
        self.assertNotIn("events", data)

    def test_nonsense(self) -> None:
        """What cannot have been paid is not counted as money."""
        for value in (0, -1, 1e12, float("inf"), float("nan"), None):
            self.channel.count_event(self.given(value, "EUR"))
        for currency in ("", None):
            self.channel.count_event(self.given(5, currency))
        self.assertNotIn("money", self.snapshot())

    def test_what_pushes(self) -> None:
        """Something paid is pushed; other events are told with the next push, or when asked for."""
        self.channel.count_event(happening("like"))
        self.clock.advance(5)
        self.assertEqual(self.pushed, [])
        self.assertEqual(self.snapshot()["events"], {"like": 1})
        self.channel.count_event(happening("like"))
        self.channel.count_event(self.given(5, "JEWELS"))
        self.clock.advance(0)
        (payload,) = self.pushed
        self.assertEqual(self.data(payload)["events"], {"like": 2, "gift": 1})
        self.assertEqual(self.data(payload)["money"], {"JEWELS": 5})

    def test_events_are_stored(self) -> None:
        """Events that nothing pushed are stored at the end."""
        store = SlowStore()
        channel = self.stats(store)
        channel.count_event(happening("like"))
        channel.close()
        self.assertEqual(store.calls, ["add 0", "forget"])


class RateTests(StatsCase):
    """How many messages in a minute, and when."""

    def setUp(self) -> None:
        """Statistics in memory, on one clock, at the beginning of a minute."""
        super().setUp()
        self.clock.rightNow = 6000.0
        self.channel = self.stats(MemoryStats(now=self.clock.seconds))

    def rate(self) -> int:
        """Messages of the last minute."""
        rate: int = self.data(self.successResultOf(self.channel.snapshot()).message(KEY))[
            "messagesPerMinute"
        ]
        return rate

    def test_rate(self) -> None:
        """The rate rises with every message, and falls when nobody writes any more."""
        for _ in range(60):
            self.channel.count(said())
            self.clock.advance(1)
        self.assertEqual(self.rate(), 60)
        self.clock.advance(30)
        self.assertEqual(self.rate(), 30)
        self.clock.advance(60)
        self.assertEqual(self.rate(), 0)

    def test_one_answer_a_second(self) -> None:
        """Asking again within a second costs the store nothing."""
        store = SlowStore()
        channel = self.stats(store)
        channel.count(said())
        self.clock.advance(0)
        store.answer()
        for _ in range(100):
            self.successResultOf(channel.snapshot())
            self.clock.advance(0.01)
        self.assertEqual(store.calls, ["add 1", "snapshot"])

    def test_peak_and_times(self) -> None:
        """The busiest minute, and the first and last time that a message bears."""
        for number in range(90):
            self.clock.advance(1 if 30 <= number < 80 else 4)
            self.channel.count(said())
            self.clock.advance(0)
        data = self.data(self.successResultOf(self.channel.snapshot()).message(KEY))
        self.assertEqual(data["peakMessagesPerMinute"], 53)
        self.assertEqual(data["firstMessageTime"], "2026-01-02T03:04:05.678Z")
        self.assertEqual(data["lastMessageTime"], "2026-01-02T03:04:05.678Z")

    def test_out_of_order(self) -> None:
        """Times are the earliest and the latest, in whatever order messages come."""
        for second in (30, 10, 50, 20):
            message = said()
            self.channel.count(
                msgspec.structs.replace(message, timestamp=f"2026-01-02T03:04:{second}.000Z")
            )
        data = self.data(self.successResultOf(self.channel.snapshot()).message(KEY))
        self.assertEqual(data["firstMessageTime"], "2026-01-02T03:04:10.000Z")
        self.assertEqual(data["lastMessageTime"], "2026-01-02T03:04:50.000Z")
