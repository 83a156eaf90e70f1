# SPDX-License-Identifier: MIT
"""Joining with history and resuming: what follows `started`, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock

from livechat.core.hub import Hub
from livechat.core.options import Options, taking_removals
from livechat.core.replay import LOOK, PART
from livechat.core.subscription import Subscription
from livechat.core.turns import TURN, Turns
from livechat.history.memory import TTL, MemoryHistory
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.model.events import (
    ALL_KINDS,
    CHAT_BIT,
    ChannelKey,
    Event,
    LiveInfo,
    kind_bit,
    with_mirrored,
)
from livechat.protocol.commands import Since
from tests.contracts.history import deletion, texts, timeout
from tests.support.fakes import KeptMessages, chat, happening, services_on
from tests.test_hub import HubCase

CHATS = with_mirrored(CHAT_BIT)
SIZE = 20

#: The text of a message that fills a part; it stands in a message five times.
LONG = "x" * (PART // 5)


def numbers(messages: Sequence[dict[str, Any]]) -> list[int]:
    """The numbers of chats and events."""
    return [one["seq"] for one in messages if one["type"] in ("chat", "event")]


class ReplayCase(HubCase):
    """A channel that keeps twenty publications."""

    size = SIZE

    def setUp(self) -> None:
        """A hub with a small history."""
        super().setUp()
        services = services_on(
            self.clock, self.metrics, history=MemoryHistory(self.clock, size=self.size)
        )
        self.hub = Hub(services, linger=self.linger, max_channels=100)

    def begin(self, *events: Event) -> str:
        """A channel that has published these events; its first subscriber stays.

        :return: its epoch.
        """
        self.first, _ = self.subscribe(options=Options(ALL_KINDS))
        self.turn()
        self.watcher.live()
        self.turn()
        (epoch,) = [m["epoch"] for m in self.first.taken() if "epoch" in m]
        self.publish(*events)
        return str(epoch)

    def publish(self, *events: Event) -> None:
        """The platform brings events."""
        if events:
            self.watcher.sink.received(events)
            self.turn(0.02)

    def come(
        self,
        *,
        history: int = 0,
        since: tuple[str, int] | None = None,
        kinds: int = CHATS,
        reads: bool = True,
    ) -> tuple[KeptMessages, Subscription]:
        """Somebody subscribes who wants what was published before."""
        subscriber = KeptMessages()
        subscriber.reads = reads
        asked = Options(kinds, history=history, since=None if since is None else Since(*since))
        key = ChannelKey("twitch", "username", "ann")
        subscription = Subscription(
            key, subscriber, "ann", taking_removals(asked), self.lost.append
        )
        self.hub.subscribe(self.platform, subscription)
        return subscriber, subscription

    def came(self, **asked: Any) -> list[dict[str, Any]]:
        """What such a one is sent, after a turn."""
        subscriber, _ = self.come(**asked)
        self.turn()
        return subscriber.taken()

    def started(self, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The one `started` among them."""
        (started,) = [m for m in messages if m.get("status") == "started"]
        return started


class HistoryTests(ReplayCase):
    """`history`: the last publications."""

    def test_order(self) -> None:
        """subscribed, started, the replay oldest first, stats; then what is new."""
        epoch = self.begin(*texts(5))
        subscriber, _ = self.come(history=3)
        self.turn()
        messages = subscriber.taken()
        kinds = [m.get("status") or m["type"] for m in messages]
        self.assertEqual(kinds, ["subscribed", "started", "chat", "chat", "chat", "stats"])
        started = messages[1]
        self.assertEqual((started["epoch"], started["seq"]), (epoch, 5))
        self.assertNotIn("recovered", started)
        self.assertEqual(numbers(messages), [3, 4, 5])
        self.publish(chat("m6"))
        self.assertEqual(numbers(subscriber.taken()), [6])

    def test_same_frames(self) -> None:
        """A replayed message is byte for byte what others were sent."""
        self.begin()
        self.publish(chat("m1", "Grüße"))
        live = b"".join(self.first.writes)
        subscriber, _ = self.come(history=1)
        self.assertIn(live.splitlines()[-1], b"".join(subscriber.writes).splitlines())

    def test_fewer(self) -> None:
        """More than is kept: everything that is kept."""
        self.begin(*texts(30))
        self.assertEqual(numbers(self.came(history=1000)), list(range(11, 31)))

    def test_kinds(self) -> None:
        """It counts what the subscription takes, and gives nothing else."""
        self.begin(chat("m1"), happening("raid", "r"), chat("m3"), happening("poll", "p"))
        self.assertEqual(numbers(self.came(history=2)), [1, 3])
        raids = CHATS | with_mirrored(kind_bit("raid"))
        self.assertEqual(numbers(self.came(history=2, kinds=raids)), [2, 3])

    def test_mirrored(self) -> None:
        """Without what is mirrored where that is not wanted."""
        self.begin(chat("m1"), chat("m2", source_room_id="next door"), chat("m3"))
        self.assertEqual(numbers(self.came(history=9, kinds=CHAT_BIT)), [1, 3])

    def test_removed(self) -> None:
        """What was removed, and what removed it, is left out and counts for nothing."""
        self.begin(*texts(4), deletion("m4"), timeout("nobody"), chat("m7"))
        self.assertEqual(numbers(self.came(history=3, kinds=ALL_KINDS)), [2, 3, 7])

    def test_cleared(self) -> None:
        """After a chat was cleared there is nothing before that."""
        self.begin(*texts(4), deletion(), chat("m6"))
        self.assertEqual(numbers(self.came(history=9)), [6])

    def test_removals_follow(self) -> None:
        """Whoever was given history is told what is removed later, asked for or not."""
        self.begin(*texts(3))
        subscriber, _ = self.come(history=3)
        self.turn()
        subscriber.taken()
        self.publish(deletion("m1"), happening("raid", "r"), timeout("ann"))
        self.assertEqual(numbers(subscriber.taken()), [4, 6])
        plain, _ = self.subscribe()
        plain.taken()
        self.publish(deletion("m2"))
        self.assertEqual(numbers(plain.taken()), [])

    def test_none(self) -> None:
        """Whoever asks for neither gets what comes, and the place in the order."""
        self.begin(*texts(3))
        messages = self.came()
        self.assertEqual(numbers(messages), [])
        self.assertEqual(self.started(messages)["seq"], 3)

    def test_pending(self) -> None:
        """What is published and not written to others yet comes once to the newcomer."""
        self.begin(*texts(2))
        self.watcher.sink.received([chat("m3")])
        self.watcher.sink.received([chat("m4")])
        subscriber, _ = self.come(history=9)
        self.watcher.sink.received([chat("m5")])
        self.turn(0.02)
        self.assertEqual(numbers(subscriber.taken()), [1, 2, 3, 4, 5])


class SinceTests(ReplayCase):
    """`since`: what was missed."""

    def test_missed(self) -> None:
        """Exactly what came after the place, and then what is new."""
        epoch = self.begin(*texts(6))
        subscriber, _ = self.come(since=(epoch, 4))
        self.turn()
        messages = subscriber.taken()
        self.assertTrue(self.started(messages)["recovered"])
        self.assertEqual(numbers(messages), [5, 6])
        self.publish(chat("m7"))
        self.assertEqual(numbers(subscriber.taken()), [7])

    def test_nothing_missed(self) -> None:
        """Nothing happened meanwhile."""
        epoch = self.begin(*texts(3))
        messages = self.came(since=(epoch, 3), history=9)
        self.assertTrue(self.started(messages)["recovered"])
        self.assertEqual(numbers(messages), [])

    def test_before_anything(self) -> None:
        """Somebody who was greeted before the first message resumes from there."""
        epoch = self.begin()
        self.publish(*texts(2))
        messages = self.came(since=(epoch, 0))
        self.assertTrue(self.started(messages)["recovered"])
        self.assertEqual(numbers(messages), [1, 2])

    def test_border(self) -> None:
        """The oldest place that nothing is missing after, and the one before it."""
        epoch = self.begin(*texts(30))
        for seq, recovered in ((9, False), (10, True), (11, True)):
            messages = self.came(since=(epoch, seq), history=2)
            self.assertIs(self.started(messages)["recovered"], recovered)
            self.assertEqual(numbers(messages), list(range(max(seq, 10) + 1, 31)))

    def test_other_order(self) -> None:
        """Another epoch, or a number that was not given yet: not recovered, and the history."""
        epoch = self.begin(*texts(4))
        for since in (("other", 2), (epoch, 5)):
            messages = self.came(since=since, history=2)
            self.assertIs(self.started(messages)["recovered"], False)
            self.assertEqual(numbers(messages), [3, 4])
            self.assertEqual(numbers(self.came(since=since)), [])

    def test_removals(self) -> None:
        """What was removed is left out; what removed it is given, also to who wants chats only."""
        epoch = self.begin(*texts(4), deletion("m3"), happening("raid", "r"), timeout("bob"))
        messages = self.came(since=(epoch, 1))
        self.assertTrue(self.started(messages)["recovered"])
        self.assertEqual(numbers(messages), [2, 4, 5, 7])

    def test_mirrored_removals(self) -> None:
        """Who wants nothing mirrored is told no mirrored removals."""
        epoch = self.begin(chat("m1"), timeout("bob", "next door"), timeout("eve"))
        self.assertEqual(numbers(self.came(since=(epoch, 0), kinds=CHAT_BIT)), [1, 3])

    def test_expired(self) -> None:
        """What is older than the ttl is missing, and said to be."""
        epoch = self.begin(*texts(3))
        self.turn(TTL)
        self.publish(chat("m4"))
        for seq, recovered in ((2, False), (3, True)):
            messages = self.came(since=(epoch, seq))
            self.assertIs(self.started(messages)["recovered"], recovered)
            self.assertEqual(numbers(messages), [4])

    def test_nothing_kept(self) -> None:
        """Everything has expired: recovered is who has missed nothing."""
        epoch = self.begin(*texts(3))
        self.turn(TTL)
        self.assertTrue(self.started(self.came(since=(epoch, 3)))["recovered"])
        self.assertFalse(self.started(self.came(since=(epoch, 2)))["recovered"])

    def test_unwatched(self) -> None:
        """Nobody watched for a while: the order goes on, and a gap says what was not received."""
        epoch = self.begin(*texts(3))
        self.hub.unsubscribe(next(iter(self.hub._channel_with)))
        self.turn(self.linger + 1)
        subscriber, _ = self.come(since=(epoch, 2), kinds=ALL_KINDS)
        self.turn()
        self.watcher.live()
        self.turn()
        messages = subscriber.taken()
        self.assertEqual(self.started(messages)["epoch"], epoch)
        self.assertEqual(self.started(messages)["seq"], 4)
        self.assertTrue(self.started(messages)["recovered"])
        self.assertEqual(numbers(messages), [3, 4])
        self.assertEqual([m["data"]["type"] for m in messages if m["type"] == "event"], ["gap"])

    def test_repeated(self) -> None:
        """What the platform repeats to a new watcher of the same order is not published again."""
        self.begin(*texts(3), deletion("m2"))
        self.hub.unsubscribe(next(iter(self.hub._channel_with)))
        self.turn(self.linger + 1)
        subscriber, _ = self.come(history=9)
        self.turn()
        self.watcher.live()
        self.publish(*texts(4))
        self.assertEqual(numbers(subscriber.taken()), [1, 3, 6])

    def test_too_late(self) -> None:
        """Longer than the ttl: a new order."""
        epoch = self.begin(*texts(3))
        self.hub.unsubscribe(next(iter(self.hub._channel_with)))
        self.turn(self.linger)
        self.turn(TTL + 1)
        subscriber, _ = self.come(since=(epoch, 2), history=9)
        self.turn()
        self.watcher.live()
        self.turn()
        messages = subscriber.taken()
        started = self.started(messages)
        self.assertNotEqual(started["epoch"], epoch)
        self.assertEqual((started["seq"], started["recovered"]), (0, False))
        self.assertEqual(numbers(messages), [])


class StandingTests(ReplayCase):
    """What is said besides the replay while there is something to say."""

    def test_interrupted(self) -> None:
        """A chat that is lost at the moment: the replay all the same, then `reconnecting`."""
        epoch = self.begin(*texts(3))
        self.watcher.sink.interrupted("LOST")
        self.turn()
        messages = self.came(since=(epoch, 1))
        kinds = [m.get("status") or m["type"] for m in messages]
        self.assertEqual(kinds, ["subscribed", "started", "chat", "chat", "reconnecting", "stats"])
        self.assertEqual(messages[-2]["reason"], "LOST")

    def test_changes_meanwhile(self) -> None:
        """What changes while somebody does not read is told when everything was given."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.turn()
        self.watcher.sink.interrupted("LOST")
        self.turn()
        for _ in range(4):
            subscriber.read()
            self.turn()
        kinds = [m.get("status") or m["type"] for m in subscriber.taken()]
        self.assertEqual(
            kinds, ["subscribed", "started", "chat", "chat", "chat", "reconnecting", "stats"]
        )
        self.watcher.sink.resumed(LiveInfo("live-ann"))
        self.assertEqual(subscriber.kinds()[-1:], ["started"])

    def test_comes_and_goes_meanwhile(self) -> None:
        """A loss that is over before everything was given is told by the replay alone."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False, kinds=ALL_KINDS)
        self.watcher.sink.interrupted("LOST")
        self.watcher.sink.resumed(LiveInfo("live-ann"))
        for _ in range(5):
            subscriber.read()
            self.turn()
        messages = subscriber.taken()
        self.assertEqual(numbers(messages), [1, 2, 3, 4])
        self.assertEqual(messages[-2]["data"]["type"], "gap")
        self.assertEqual(
            [m["status"] for m in messages if "status" in m], ["subscribed", "started"]
        )

    def test_asked_again(self) -> None:
        """Who asks again before everything was given is answered then, with the new options."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, subscription = self.come(since=(epoch, 0), reads=False)
        self.hub.change(subscription, "Ann", Options(id=1))
        self.hub.change(subscription, "@Ann", Options(ALL_KINDS, id=2, since=Since(epoch, 0)))
        self.publish(happening("raid", "r"))
        for _ in range(5):
            subscriber.read()
            self.turn()
        messages = subscriber.taken()
        kinds = [m.get("status") or m["type"] for m in messages]
        self.assertEqual(
            kinds,
            [
                *("subscribed", "started", "chat", "chat", "chat", "event"),
                *("subscribed", "started", "subscribed", "started", "stats"),
            ],
        )
        answers = [(m["identifier"], m["id"]) for m in messages[-5:-1]]
        self.assertEqual(answers, [("Ann", 1), ("Ann", 1), ("@Ann", 2), ("@Ann", 2)])

    def test_ended(self) -> None:
        """The stream ends before everything was given: first the rest, then the error."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        kinds = [m.get("status") or m.get("code") or m["type"] for m in subscriber.taken()]
        self.assertEqual(kinds, ["subscribed", "started", "chat", "chat", "chat", "STREAM_ENDED"])
        self.turn(2.0)
        self.turn(2.0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_leaves(self) -> None:
        """Who leaves before everything was given is sent nothing more."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, subscription = self.come(since=(epoch, 0), reads=False)
        self.turn()
        subscriber.taken()
        self.hub.unsubscribe(subscription)
        subscriber.read()
        self.turn()
        self.publish(chat("m9"))
        self.assertEqual(subscriber.taken(), [])

    def test_leaves_as_it_is_written_to(self) -> None:
        """Who leaves in the very moment in which it is given the last part is not delivered to."""
        epoch = self.begin(*texts(3))
        subscriber = KeptMessages()
        key = ChannelKey("twitch", "username", "ann")
        options = taking_removals(Options(CHATS, since=Since(epoch, 1)))
        subscription = Subscription(key, subscriber, "ann", options, self.lost.append)
        subscriber.upon = lambda: (
            self.hub.unsubscribe(subscription) if len(subscriber.writes) == 3 else None
        )
        self.hub.subscribe(self.platform, subscription)
        self.turn()
        self.publish(chat("m4"))
        self.assertEqual(numbers(subscriber.taken()), [2, 3])

    def test_stays(self) -> None:
        """A channel stays as long as somebody is being given what was published before."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.hub.unsubscribe(next(iter(self.hub._channel_with)))
        self.turn(self.linger + 1)
        self.assertEqual(self.watcher.stops, 0)
        for _ in range(4):
            subscriber.read()
            self.turn()
        self.publish(chat("m9"))
        self.assertEqual(numbers(subscriber.taken()), [1, 2, 3, 4])


class PartsTests(ReplayCase):
    """A large replay, in parts."""

    def test_parts(self) -> None:
        """Parts of 64 KiB, each when the one before was read."""
        epoch = self.begin(*[chat(f"m{n}", "x" * 5000) for n in range(15)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.turn()
        writes: list[list[int]] = []
        for _ in range(20):
            writes.append(numbers(subscriber.taken()))
            subscriber.read()
            self.turn()
        parts = [part for part in writes if part]
        self.assertGreater(len(parts), 3)
        self.assertEqual([seq for part in parts for seq in part], list(range(1, 16)))

    def test_published_meanwhile(self) -> None:
        """What is published before everything was given follows, each once, without a hole."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(8)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        got: list[int] = []
        for number in range(100, 112):
            self.publish(chat(f"m{number}"))
            subscriber.read()
            got += numbers(subscriber.taken())
        self.turn(1.0)
        got += numbers(subscriber.taken())
        self.assertEqual(got, list(range(1, 21)))

    def test_falls_off(self) -> None:
        """Who reads so slowly that what it needs is gone is closed with 4008."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(3)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.turn()
        for number in range(SIZE + 3):
            self.publish(chat(f"n{number}"))
        self.turn(LOOK)
        self.publish(chat("last"))
        self.assertEqual(subscriber.closed, (CloseCode.SLOW, "slow"))
        self.assertEqual(len(numbers(self.first.taken())), 3 + SIZE + 4)

    def test_much_is_published_meanwhile(self) -> None:
        """Who reads gets everything, though more was published meanwhile than is kept."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(2)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.turn()
        self.watcher.sink.received(texts(SIZE + 5, 100))
        for _ in range(4):
            subscriber.read()
            self.turn()
        self.assertIsNone(subscriber.closed)
        self.assertEqual(numbers(subscriber.taken()), list(range(1, SIZE + 8)))

    def test_turn_comes_late(self) -> None:
        """Whose turn comes late gets everything, too: it is not to blame."""
        epoch = self.begin(*texts(3))
        busy, _ = self.come(since=(epoch, 0))
        waits, _ = self.come(since=(epoch, 1))
        self.assertEqual(numbers(waits.taken()), [])
        self.watcher.sink.received(texts(SIZE * 2, 100))
        self.turn(0.02)
        self.assertEqual(numbers(waits.taken()), list(range(2, 4 + SIZE * 2)))
        self.assertEqual(numbers(busy.taken()), list(range(1, 4 + SIZE * 2)))

    def test_removed_meanwhile(self) -> None:
        """What is removed before it was written is left out."""
        epoch = self.begin(*[chat(f"m{n}", LONG) for n in range(1, 5)])
        subscriber, _ = self.come(since=(epoch, 0), reads=False)
        self.turn()
        self.publish(deletion("m3"))
        for _ in range(6):
            subscriber.read()
            self.turn()
        self.assertEqual(numbers(subscriber.taken()), [1, 2, 4, 5])

    def test_encoded_once(self) -> None:
        """Many who missed the same are given the same bytes, encoded once."""
        epoch = self.begin(*texts(10))
        encoded = self.first.encoding.encoded  # type: ignore[attr-defined]
        before = len(encoded)
        for _ in range(50):
            self.assertEqual(numbers(self.came(since=(epoch, 2))), list(range(3, 11)))
        self.assertEqual(len(encoded) - before, 8)

    def test_nothing_stays(self) -> None:
        """Frames for those who come back are dropped after a while; nothing stays on the clock."""
        epoch = self.begin(*texts(10))
        self.come(since=(epoch, 2))
        for _ in range(4):
            self.turn(1.0)
        channel = next(iter(self.hub._channels.values()))
        replays = channel._audience._replays
        self.assertEqual((replays._frames, replays._older), ({}, {}))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class TurnsTests(ReplayCase):
    """Sharing the event loop."""

    def test_bounded(self) -> None:
        """Writing ends when a turn's time is used up, and goes on in the next."""
        clock = Clock()
        turns = Turns(clock)
        done: list[int] = []

        def write(number: int) -> None:
            done.append(number)
            clock.rightNow += TURN

        for number in range(5):
            turns.take(lambda number=number: write(number))  # type: ignore[misc]
        self.assertEqual(done, [0])
        clock.callLater(0, done.append, 99)
        clock.advance(0)
        self.assertEqual((done, clock.getDelayedCalls()), ([0, 1, 99, 2, 3, 4], []))

    def test_metrics(self) -> None:
        """What is replayed counts as delivered."""
        self.begin(*texts(3))
        before = self.counter("livechat_deliveries_total")
        self.came(history=2)
        self.assertEqual(self.counter("livechat_deliveries_total") - before, 2)
