# SPDX-License-Identifier: MIT
"""TikTok rooms that were lost or not watched: what was missed comes from the room's history."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.options import Options
from livechat.core.recent_ids import RecentIds
from livechat.core.subscription import Subscription
from livechat.history.memory import SIZE
from livechat.model.chat import ChatMessage
from livechat.model.events import ALL_KINDS, ChannelEvent, ChannelKey, Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.last_comments import MAX_ROOMS, REMEMBERED, LastComments
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.parse.message_context import Room
from livechat.platforms.tiktok.parse.webcast import Batch, read_batch
from livechat.platforms.tiktok.past import Past
from livechat.platforms.tiktok.reception import HISTORY_WAIT
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap, frame, gzipped
from livechat.simulator.tiktok_messages import Room as SimulatedRoom
from livechat.simulator.tiktok_messages import batch, messages
from livechat.simulator.tiktok_room import HISTORY
from tests.support.corpus import corpus
from tests.support.events import fields_of
from tests.support.fakes import KeptMessages, happening, hub_on
from tests.support.fakes import chat as a_chat
from tests.support.tiktok_payloads import NOW
from tests.support.tiktok_wire import BASE, SETTINGS, KeptEvents, TikTokCase, say
from tests.test_tiktok_watcher import ROSES

KEY = ChannelKey("tiktok", "username", "ann")


def comment(message_id: str, timestamp: str = "2026-01-02T03:04:05.000Z") -> ChatMessage:
    """A comment of a time."""
    return msgspec.structs.replace(a_chat(message_id, platform="tiktok"), timestamp=timestamp)


def ids(events: list[Event]) -> list[str]:
    """The ids of comments."""
    return [event.message_id for event in events if isinstance(event, ChatMessage)]


class PastTests(SynchronousTestCase):
    """What is made of a room's history."""

    ENTERED = "2026-01-02T03:00:00.000Z"

    def past(self, *known: str, missed: bool = True) -> Past:
        """The history of a room of which these comments were passed on."""
        comments = RecentIds()
        for message_id in known:
            comments.seen(message_id)
        return Past(comments, self.ENTERED, missed=missed)

    def test_reaches_back(self) -> None:
        """History with a known comment holds all that were made after that one."""
        past = self.past("1", "2")
        past.add([comment("2"), comment("3"), comment("4")])
        events, extent = past.taken()
        self.assertEqual((ids(events), extent), (["3", "4"], "all"))

    def test_nothing_new(self) -> None:
        """Nothing was said meanwhile: known comments alone prove it."""
        past = self.past("1")
        past.add([comment("1")])
        self.assertTrue(past)
        self.assertEqual(past.taken(), ([], "all"))

    def test_does_not_reach_back(self) -> None:
        """Without a known one, or without any, nobody knows what is missing."""
        past = self.past("1")
        past.add([comment("8"), comment("9")])
        events, extent = past.taken()
        self.assertEqual((ids(events), extent), (["8", "9"], "latest"))
        past = self.past("1")
        self.assertFalse(past)
        self.assertEqual(past.taken(), ([], "latest"))

    def test_order(self) -> None:
        """Oldest first, each once, however it comes."""
        past = self.past()
        old, new = comment("1", "2026-01-01T00:00:00.000Z"), comment("2")
        past.add([new])
        past.add([old, new])
        self.assertEqual(ids(past.taken()[0]), ["1", "2"])

    def test_first_start(self) -> None:
        """At a first start all of it is history, whatever was known of the room long ago."""
        past = self.past("1", missed=False)
        past.add([comment("1"), comment("2")])
        events, extent = past.taken()
        self.assertEqual((ids(events), extent), (["1", "2"], "latest"))

    def test_late(self) -> None:
        """Late history: of what was missed all, at a first start only what was said since."""
        old = comment("1", "2026-01-02T02:59:59.999Z")
        new = comment("2", "2026-01-02T03:00:00.000Z")
        self.assertEqual(self.past(missed=False).late([old, new]), [new])
        self.assertEqual(self.past().late([old, new]), [old, new])
        for missed in (True, False):
            self.assertEqual(self.past("2", missed=missed).late([new]), [])

    def test_passed_on(self) -> None:
        """What has been passed on is known when the room is entered again; events are not."""
        comments = RecentIds()
        past = Past(comments, self.ENTERED, missed=True)
        past.add([comment("1")])
        past.taken()
        past.late([comment("2")])
        past.pass_on([comment("3"), happening("like")])
        again = Past(comments, self.ENTERED, missed=True)
        again.add([comment(number) for number in "1234"])
        self.assertEqual(ids(again.taken()[0]), ["4"])

    def test_recorded(self) -> None:
        """The recorded history of 2026: six comments, in order; a second time it is known."""
        batch = read_batch(corpus("tiktok/recorded/2026-08-10_first_batch.pb").read_bytes())
        assert isinstance(batch, Batch)
        told = [message for message in batch.messages if message.is_history]
        translator = Translator(Room("7672380630475000596"))
        comments = RecentIds()
        for expected, extent in ((6, "latest"), (0, "all")):
            past = Past(comments, self.ENTERED, missed=True)
            past.add(translator.translate(told, NOW, 0.0).events)
            events, told_extent = past.taken()
            self.assertEqual((len(events), told_extent), (expected, extent))
            times = [event.timestamp for event in events]
            self.assertEqual(times, sorted(times))


class LastCommentsTests(SynchronousTestCase):
    """What is remembered of rooms."""

    def test_bounded(self) -> None:
        """The rooms that were entered last, and of each more comments than its history has."""
        self.assertGreater(REMEMBERED, HISTORY)
        last = LastComments()
        last.of("kept").seen("1")
        last.of("dropped").seen("1")
        for number in range(MAX_ROOMS - 1):
            last.of(str(number))
            last.of("kept")
        self.assertIn("1", last.of("kept"))
        self.assertNotIn("1", last.of("dropped"))


class LostRoomTests(TikTokCase):
    """A room that is lost and entered again."""

    def lose(self, sink: KeptEvents, *meanwhile: str, first: int = 100) -> None:
        """Lose the room while this is said in it, and find it again."""
        sink.given()
        self.simulator.drop()
        self.run_for(0)
        for number, text in enumerate(meanwhile, first):
            self.simulator.say("ann", say(text, number))
            self.run_for(0.01)
        self.run_for(4)

    def test_filled(self) -> None:
        """What was said meanwhile comes before the rest, oldest first, without the known."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        self.lose(sink, "two", "three")
        self.assertEqual(sink.given(), [(["two", "three"], "all")])
        self.assertEqual(sink.take(), ["one", "interrupted", "resumed"])

    def test_not_filled(self) -> None:
        """More than the room gives: its last ones come, and not as all."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        said = [f"missed {number}" for number in range(HISTORY + 2)]
        self.lose(sink, *said)
        self.assertEqual(sink.given(), [(said[2:], "latest")])

    def test_nothing_said(self) -> None:
        """If nothing was said meanwhile, the known comments prove it."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        self.lose(sink)
        self.assertEqual(sink.given(), [([], "all")])

    def test_no_history(self) -> None:
        """A room in which nothing was ever said has no history: it is awaited for a moment."""
        _, sink = self.watching("ann")
        self.lose(sink)
        self.assertEqual(sink.given(), [([], "latest")])
        self.assertEqual(sink.take(), ["interrupted", "resumed"])

    def test_again_and_again(self) -> None:
        """Over many losses everything comes once and in order."""
        _, sink = self.watching("ann")
        said = []
        for loss in range(5):
            text = f"live {loss}"
            self.simulator.say("ann", say(text, 10 * loss + 1))
            self.run_for(0)
            meanwhile = [f"missed {loss} {number}" for number in range(3)]
            self.lose(sink, *meanwhile, first=10 * loss + 2)
            self.run_for(30)
            self.assertEqual(sink.given(), [(meanwhile, "all")])
            said.append(text)
        self.assertEqual(
            [one for one in sink.take() if one not in ("interrupted", "resumed")], said
        )

    def test_since(self) -> None:
        """The time that was missed begins with the last message of the room."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        heard = self.clock.seconds()
        self.simulator.faults.add(TikTokFault.DEAD)
        self.run_for(60)
        self.assertEqual(sink.sinces, [heard])

    def test_late_history(self) -> None:
        """History in a later frame than the first two is passed on, without the known."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        sink.take()
        self.simulator.room("ann").history.clear()
        self.lose(sink)
        self.assertEqual(sink.given(), [([], "latest")])
        old = [("one", 1), ("two", 2)]
        self.tell_history(old)
        self.assertEqual(sink.take(), ["interrupted", "resumed", "two"])

    def test_late_history_at_a_start(self) -> None:
        """At a first start it is older than the watch, and nothing new."""
        _, sink = self.watching("ann")
        self.tell_history([("old", 1)])
        self.assertEqual(sink.take(), [])

    def tell_history(self, comments: list[tuple[str, int]]) -> None:
        """A frame of history for who is in the room, made an hour ago."""
        before = SimulatedRoom("ann", round((self.clock.seconds() - 3600) * 1000))
        written = [one for text, number in comments for one in messages(say(text, number), before)]
        (member,) = self.simulator.watching("ann")
        member.write(frame(gzipped(batch([], written))))
        self.run_for(0)

    def test_streak_over_a_loss(self) -> None:
        """A streak that a loss cuts in two is one gift, with the count that was reached."""
        _, sink = self.watching("ann")
        room = self.simulator.room("ann")
        streak = messages(ROSES, SimulatedRoom("ann", round(self.clock.seconds() * 1000)))
        room.send(streak[:2])
        self.run_for(0)
        self.lose(sink)
        room.send(streak[3:])
        self.run_for(30)
        room.send(streak[-1:])
        self.run_for(30)
        (gift,) = [
            event
            for event in sink.events
            if isinstance(event, ChannelEvent) and event.type == "gift"
        ]
        self.assertEqual(fields_of(gift).count, ROSES.amount)

    def test_another_room(self) -> None:
        """The history of another room proves nothing of the one that was lost."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        self.simulator.restart("ann")
        self.simulator.say("ann", say("here", 2))
        self.lose(sink)
        self.assertEqual(sink.given(), [(["here"], "latest")])


class SignedRoomTests(LostRoomTests):
    """The same through a signer, whose answer holds the history as well."""

    settings = msgspec.structs.replace(
        SETTINGS, transport="signer", signer_url=f"{BASE}/signer", signer_key="hunter2"
    )


class LeftRoomTests(TikTokCase):
    """A room that nobody watched for a while."""

    def test_filled(self) -> None:
        """What was said meanwhile is known from what was not: by what was passed on before."""
        watcher, _ = self.watching("ann")
        for number in range(1, 4):
            self.simulator.say("ann", say(f"seen {number}", number))
        self.run_for(0)
        watcher.stop()
        self.run_for(1)
        self.simulator.say("ann", say("missed", 4))
        self.run_for(1)
        _, sink, started = self.start("ann", until=self.clock.seconds() - 2)
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(sink.given(), [(["missed"], "all")])
        self.assertEqual(sink.take(), [])

    def test_forgotten(self) -> None:
        """When nothing is known of the channel any more, all of it is history."""
        watcher, _ = self.watching("ann")
        self.simulator.say("ann", say("seen", 1))
        self.run_for(0)
        watcher.stop()
        _, sink, started = self.start("ann")
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(sink.given(), [(["seen"], "latest")])

    def test_no_history(self) -> None:
        """A start waits for it only where something may have been missed, and in time."""
        _, sink, started = self.start("ann", until=self.clock.seconds() - 2)
        self.run_for(HISTORY_WAIT + 1)
        self.successResultOf(started)
        self.assertEqual(sink.given(), [([], "latest")])
        _, _, started = self.start("bob")
        self.run_for(0.25)
        self.successResultOf(started)


class ChannelTests(TikTokCase):
    """What subscribers of a channel are sent."""

    def setUp(self) -> None:
        """Somebody watches and was told so."""
        super().setUp()
        self.hub = hub_on(self.clock, self.metrics)
        self.client = KeptMessages()
        self.subscription = self.subscribe()
        self.run_for(1)
        self.taken = 0
        self.told()

    def subscribe(self) -> Subscription:
        """Ask for the chat, with all events."""
        options = Options(kinds=ALL_KINDS)
        subscription = Subscription(KEY, self.client, "ann", options, lambda _: None)
        self.hub.subscribe(self.tiktok, subscription)
        return subscription

    def told(self) -> list[Any]:
        """What the client was sent since the last time (`words`)."""
        return self.words(self.client.taken())

    def published(self, key: ChannelKey = KEY) -> list[Any]:
        """All that is kept of what the channel has published (`words`)."""
        place = self.successResultOf(self.hub.last(key))
        assert place is not None
        kept = self.hub.past(place, None, 1000).publications
        self.taken = kept[0].seq - 1
        return self.words([msgspec.json.decode(one.message(key)) for one in kept])

    def words(self, messages: list[dict[str, Any]]) -> list[Any]:
        """Comments by their text, gaps by what they say, states by their name.

        The numbers of comments and events rise by one.
        """
        words: list[Any] = []
        for message in messages:
            data = message.get("data", {})
            if message["type"] in ("chat", "event"):
                self.taken += 1
                self.assertEqual(message["seq"], self.taken)
            if message["type"] == "chat":
                words.append(data["data"]["content"]["raw"])
            elif message["type"] == "status":
                words.append(message["status"])
            elif data.get("type") == "gap":
                words.append((data["data"]["reason"], data["data"]["filled"]))
        return words

    def test_in_order(self) -> None:
        """The gap, what fills it, that messages flow, and what is new."""
        self.simulator.say("ann", say("one", 1))
        self.run_for(0.25)
        self.simulator.drop()
        self.run_for(0)
        self.simulator.say("ann", say("two", 2))
        self.run_for(6)
        self.simulator.say("ann", say("three", 3))
        self.run_for(0.25)
        expected = ["one", "reconnecting", ("upstream", True), "two", "started", "three"]
        self.assertEqual(self.told(), expected)

    def test_unfilled(self) -> None:
        """A gap that the room does not fill says so, and what the room gave follows."""
        self.simulator.say("ann", say("one", 1))
        self.run_for(0.25)
        self.simulator.drop()
        self.run_for(0)
        for number in range(10, 20):
            self.simulator.say("ann", say(str(number), number))
        self.run_for(6)
        expected = ["one", "reconnecting", ("upstream", False), *map(str, range(14, 20)), "started"]
        self.assertEqual(self.told(), expected)

    def leave_and_return(self, *meanwhile: str) -> None:
        """Nobody watches while this is said; then the client comes back."""
        self.hub.unsubscribe(self.subscription)
        self.run_for(5)
        self.assertEqual(self.simulator.sockets, [])
        for number, text in enumerate(meanwhile, 100):
            self.simulator.say("ann", say(text, number))
            self.run_for(1)
        self.subscription = self.subscribe()
        self.run_for(4)

    def test_unwatched(self) -> None:
        """What nobody watched follows its gap, and only once."""
        self.simulator.say("ann", say("one", 1))
        self.run_for(0.25)
        self.leave_and_return("two", "three")
        expected = ["one", ("unwatched", True), "two", "three"]
        self.assertEqual(self.published(), expected)
        self.leave_and_return()
        self.assertEqual(self.published(), [*expected, ("unwatched", True)])

    def test_unwatched_among_many_events(self) -> None:
        """Comments that are older than all that is kept are not published again."""
        for number in range(1, 4):
            self.simulator.say("ann", say(str(number), number))
        self.run_for(0.25)
        for number in range(SIZE + 10):
            like = schema.LikeMessage(count=1, total=number)
            room = SimulatedRoom("ann", round(self.clock.seconds() * 1000))
            self.simulator.say("ann", room.written("WebcastLikeMessage", like, 10_000 + number))
        self.run_for(0.25)
        self.leave_and_return("missed")
        self.assertEqual(self.published(), [("unwatched", True), "missed"])

    def test_unwatched_for_long(self) -> None:
        """More than the room gives, and the gap says so."""
        self.simulator.say("ann", say("one", 1))
        self.run_for(0.25)
        said = [str(number) for number in range(HISTORY + 2)]
        self.leave_and_return(*said)
        self.assertEqual(self.published(), ["one", ("unwatched", False), *said[2:]])

    def test_first_start(self) -> None:
        """What was said before a first start is history: kept, sent to nobody, not counted."""
        self.hub.unsubscribe(self.subscription)
        self.simulator.say("bob", say("before", 1))
        key = ChannelKey("tiktok", "username", "bob")
        bob = Subscription(key, self.client, "bob", Options(kinds=ALL_KINDS), lambda _: None)
        self.client.taken()
        self.hub.subscribe(self.tiktok, bob)
        self.run_for(4)
        messages = self.client.taken()
        self.assertNotIn("chat", {message["type"] for message in messages})
        stats = [message for message in messages if message["type"] == "stats"]
        self.assertEqual(stats[-1]["data"]["totalMessages"], 0)
        self.assertEqual(self.published(key), ["before"])

    def test_many_losses(self) -> None:
        """Cut in all sorts of ways, every comment comes once and in order."""
        said = []
        for loss, mishap in enumerate((*TikTokMishap, *TikTokMishap)):
            for number in range(3):
                said.append(f"{loss} {number}")
                self.simulator.say("ann", say(said[-1], 10 * loss + number + 1))
                self.run_for(0.25)
                if number == 0:
                    self.simulator.strike(mishap)
            self.run_for(90, 1)
        self.assertEqual([one for one in self.told() if one in said], said)
