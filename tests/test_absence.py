# SPDX-License-Identifier: MIT
"""The time in which a chat is not received: what is published of it, and where in the order."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.absence import Absence
from livechat.core.hub import Hub
from livechat.core.options import Options
from livechat.core.ports import Extent, Recovery
from livechat.core.subscription import Subscription
from livechat.history.memory import TTL
from livechat.metrics import Metrics
from livechat.model.event_data import Gap
from livechat.model.events import ALL_KINDS, ChannelKey, Event, LiveInfo
from tests.support.fakes import KeptMessages, ScriptedPlatform, chat, happening, hub_on

INFO = LiveInfo("live-ann")


class AbsenceTests(SynchronousTestCase):
    """What is known of an absence, without a channel."""

    def over(self, absence: Absence, known: set[str] | None = None) -> list[str]:
        """What is published when it is over, a word each."""
        missed = absence.over(
            "twitch", "T5", "live-ann", "e-1", lambda event: _name(event) in (known or set())
        )
        words = [_name(event) for event in missed.events]
        return words if missed.counted or not words else ["uncounted", *words]

    def test_none(self) -> None:
        """Without an absence there is nothing to say, and nothing is said twice."""
        absence = Absence()
        self.assertEqual(self.over(absence), [])
        absence.begins("upstream", "T1")
        self.assertEqual(self.over(absence), ["gap T1 T5 upstream False"])
        self.assertEqual(self.over(absence), [])

    def test_first_reason(self) -> None:
        """An absence that goes on keeps its reason and its beginning."""
        absence = Absence()
        absence.begins("unwatched", "T1")
        absence.begins("upstream", "T2")
        self.assertEqual(self.over(absence), ["gap T1 T5 unwatched False"])

    def test_clock_ahead(self) -> None:
        """A platform whose clock is ahead of ours makes no gap that ends before it begins."""
        absence = Absence()
        absence.begins("upstream", "T9")
        self.assertEqual(self.over(absence), ["gap T5 T5 upstream False"])

    def test_filled(self) -> None:
        """A gap is filled if the platform gave everything, or everything back to what is known."""
        cases: tuple[tuple[Extent, set[str], bool], ...] = (
            ("all", set(), True),
            ("some", {"m1"}, False),
            ("latest", set(), False),
            ("latest", {"m1"}, True),
        )
        for extent, known, filled in cases:
            absence = Absence()
            absence.begins("upstream", "T1")
            absence.recovered(Recovery([chat("m1"), chat("m2")], extent))
            self.assertEqual(
                self.over(absence, known), [f"gap T1 T5 upstream {filled}", "m1", "m2"], extent
            )

    def test_older_than_what_is_known(self) -> None:
        """Where nothing is recognised, what is older than the newest message is left out."""
        old, new = chat("m1"), replace(chat("m2"), timestamp="2026-01-02T03:04:06.000Z")
        for extent, filled in (("latest", True), ("some", False), ("all", True)):
            absence = Absence()
            absence.begins("unwatched", "2026-01-02T03:04:05.999Z", is_remembered=False)
            absence.recovered(Recovery([old, new], extent))  # type: ignore[arg-type]
            gap, *rest = self.over(absence)
            self.assertEqual((gap.split()[-1], rest), (str(filled), ["m2"]))

    def test_history_only(self) -> None:
        """What was written before anybody watched is no gap and counts nowhere."""
        absence = Absence()
        absence.recovered(Recovery([chat("m1")], "latest"))
        self.assertEqual(self.over(absence), ["uncounted", "m1"])


class ChannelTests(SynchronousTestCase):
    """The same in a channel that is watched."""

    def setUp(self) -> None:
        """Somebody watches and has been greeted."""
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.hub: Hub = hub_on(self.clock, Metrics())
        self.platform = ScriptedPlatform()
        self.subscriber = KeptMessages()
        self.key = ChannelKey("twitch", "username", "ann")
        self.subscribe(self.subscriber)
        self.watcher.live(live=True)
        self.turn()
        self.subscriber.taken()

    @property
    def watcher(self) -> Any:
        """The watcher that was made last."""
        return self.platform.watchers[-1]

    def subscribe(self, subscriber: KeptMessages, history: int = 0) -> None:
        """Ask for the chat, with all events."""
        options = Options(kinds=ALL_KINDS, history=history)
        self.subscription = Subscription(self.key, subscriber, "ann", options, lambda _: None)
        self.hub.subscribe(self.platform, self.subscription)
        self.turn()

    def turn(self) -> None:
        """Let the fan-out write."""
        self.clock.advance(0)
        self.clock.advance(0.1)

    def words(self) -> list[str]:
        """What the subscriber was sent, a word and a number each."""
        self.turn()
        words = []
        for message in self.subscriber.taken():
            if message["type"] == "stats":
                continue
            data = message.get("data", {})
            name = message.get("status") or data.get("message_id") or data["type"]
            if name == "gap":
                name = f"gap {data['data']['reason']} {data['data']['filled']}"
            words.append(f"{name} {message.get('seq', '-')}")
        return words

    def test_loss(self) -> None:
        """The gap, then what fills it, then `started` with the number of the last, then the new."""
        sink = self.watcher.sink
        sink.received([chat("m1")])
        sink.interrupted("lost")
        self.assertEqual(self.words(), ["m1 1", "reconnecting -"])
        sink.recovered(Recovery([chat("m1"), chat("m2"), chat("m3")], "latest"))
        self.assertEqual(self.words(), [])
        sink.resumed(INFO)
        sink.received([chat("m3"), chat("m4")])
        expected = ["gap upstream True 2", "m2 3", "m3 4", "started 4", "m4 5"]
        self.assertEqual(self.words(), expected)

    def test_times(self) -> None:
        """The gap reaches from when the chat was certainly received to when it flows again."""
        sink = self.watcher.sink
        sink.interrupted("lost", self.clock.seconds() - 20)
        self.clock.advance(10)
        sink.resumed(INFO)
        self.turn()
        gap = next(m for m in self.subscriber.taken() if m["type"] == "event")
        self.assertEqual(gap["data"]["room_id"], "live-ann")
        told = gap["data"]["data"]
        self.assertEqual(told["from"][14:19], "13:00")
        self.assertEqual(told["to"][14:19], "13:30")

    def test_room(self) -> None:
        """The gap names the room as the messages around it do, whatever the stream is called."""
        sink = self.watcher.sink

        def room() -> str:
            sink.interrupted("lost")
            sink.resumed(INFO)
            self.turn()
            events = [m for m in self.subscriber.taken() if m["type"] == "event"]
            return str(events[-1]["data"]["room_id"])

        self.assertEqual(room(), "live-ann")
        sink.received([replace(chat("m1"), room_id="4242")])
        self.assertEqual(room(), "4242")
        sink.interrupted("lost")
        sink.recovered(Recovery([replace(chat("m2"), room_id="4343")], "all"))
        sink.resumed(INFO)
        self.turn()
        self.assertEqual(
            {
                m["data"]["room_id"]
                for m in self.subscriber.taken()
                if m["type"] in ("chat", "event")
            },
            {"4343"},
        )

    def test_unwatched_and_quiet(self) -> None:
        """What is missed of a chat in which nothing was written before is a gap as well."""
        self.hub.unsubscribe(self.subscription)
        self.clock.advance(30)
        self.subscribe(self.subscriber, history=10)
        sink = self.watcher.sink
        self.assertEqual(sink.received_until, 1_700_000_000.1)
        sink.recovered(Recovery([chat("m1")], "all"))
        self.watcher.live(live=True)
        expected = ["subscribed -", "started 2", "gap unwatched True 1", "m1 2"]
        self.assertEqual(self.words(), expected)

    def test_unwatched_and_known(self) -> None:
        """What was published is recognised as long as its order goes on, kept or not."""
        self.watcher.sink.received([chat("m1")])
        self.clock.advance(2 * TTL)
        for number in (2, 3):
            self.hub.unsubscribe(self.subscription)
            self.clock.advance(TTL / 2)
            self.subscriber.taken()
            self.subscribe(self.subscriber, history=10)
            recovered = [chat("m1"), chat("m2"), chat(f"m{number}")]
            self.watcher.sink.recovered(Recovery(recovered, "all"))
            self.watcher.live(live=True)
            self.assertNotIn("m1", " ".join(self.words()))
        expected = ["gap unwatched True 2", "m2 3", "gap unwatched True 4", "m3 5"]
        last = Options(kinds=ALL_KINDS, history=10)
        again = Subscription(self.key, KeptMessages(), "ann", last, lambda _: None)
        self.hub.subscribe(self.platform, again)
        self.subscriber = again.subscriber  # type: ignore[assignment]
        self.assertEqual(self.words()[2:], expected)

    def test_unread(self) -> None:
        """What had not been read when all left is missed, though newer things were published."""
        sink = self.watcher.sink
        sink.received([replace(happening("viewers"), timestamp="2026-01-02T03:04:06.000Z")])
        self.hub.unsubscribe(self.subscription)
        self.clock.advance(1)
        self.subscribe(self.subscriber, history=10)
        self.watcher.sink.recovered(Recovery([chat("m1")], "all"))
        self.watcher.live(live=True)
        expected = ["viewers 1", "gap unwatched True 2", "m1 3"]
        self.assertEqual(self.words()[-3:], expected)

    def test_room_after_unwatched_time(self) -> None:
        """It names the room of what was published before everybody left."""
        self.watcher.sink.received([replace(chat("m1"), room_id="4242")])
        self.hub.unsubscribe(self.subscription)
        self.clock.advance(30)
        self.subscribe(self.subscriber, history=1)
        self.watcher.live(live=True)
        self.turn()
        (gap,) = [m for m in self.subscriber.taken() if m["type"] == "event"]
        self.assertEqual(gap["data"]["room_id"], "4242")

    def test_change(self) -> None:
        """What only changes about a stream is no gap."""
        self.watcher.sink.resumed(LiveInfo("live-ann", live=False))
        self.assertEqual(self.words(), ["started 0"])

    def test_counted(self) -> None:
        """What fills a gap counts in the statistics; the gap counts as the event that it is."""
        sink = self.watcher.sink
        sink.received([chat("m1")])
        sink.interrupted("lost")
        sink.recovered(Recovery([chat("m1"), chat("m2")], "all"))
        sink.resumed(INFO)
        self.clock.advance(5)
        stats = [m["data"] for m in self.subscriber.taken() if m["type"] == "stats"][-1]
        self.assertEqual((stats["totalMessages"], stats["events"]), (2, {"gap": 1}))

    def test_received_until(self) -> None:
        """The watcher can ask up to which time the chat is known."""
        sink = self.watcher.sink
        self.assertIsNone(sink.received_until)
        sink.received([chat("m1")])
        self.assertIsInstance(sink.received_until, float)


def _name(event: Event) -> str:
    """A word for an event."""
    if hasattr(event, "message_id"):
        return str(event.message_id)
    data = event.data
    assert isinstance(data, Gap)
    return f"gap {data.start} {data.end} {data.reason} {data.filled}"
