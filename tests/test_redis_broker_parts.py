# SPDX-License-Identifier: MIT
"""The parts of the broker one at a time, on a virtual clock: lease, queue, tail and reader."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.brokers.redis.lease import INTERVAL, LIFETIME, Lease
from livechat.brokers.redis.messages import (
    Batch,
    Item,
    Left,
    Message,
    Ready,
    Told,
    encode,
    read_message,
    state_bytes,
)
from livechat.brokers.redis.node import Node
from livechat.brokers.redis.offering import GATHER, Offering
from livechat.brokers.redis.queue import LONGEST_PAUSE, MAX_PARTS, PAUSE, Part, Queue
from livechat.brokers.redis.reader import MAX_KEPT, Heard, Reader
from livechat.brokers.redis.tail import MAX_BYTES, MAX_ITEMS, Tail
from livechat.core.ports import Interrupted, Live, Start
from livechat.core.publication import Publication
from livechat.model.events import CHAT_BIT, ChannelKey, LiveInfo
from livechat.redis.address import RedisAddress
from livechat.redis.link import RedisDown, RedisLink
from tests.support.scripted_redis import ScriptedRedis, well

SECONDS = 10.0


def publication(seq: int, epoch: str = "e", size: int = 1) -> Publication:
    """A chat message with this number."""
    return Publication(epoch, seq, "chat", f"m{seq}", "u", "", "", CHAT_BIT, b"x" * size)


def batch(first: int, last: int, epoch: str = "e", size: int = 1) -> Batch:
    """What was published from one number to another."""
    items = [
        Item(seq, "chat", f"m{seq}", "u", False, b"x" * size) for seq in range(first, last + 1)
    ]
    return Batch(epoch, first - 1, "", "", items)


class LinkCase(SynchronousTestCase):
    """A link that is up, to a server that answers what a test says."""

    def setUp(self) -> None:
        """Both connections are made."""
        self.clock = Clock()
        self.server = ScriptedRedis(self.clock)
        address = RedisAddress.parse("redis://h/0")
        self.link = RedisLink(address, self.server, self.clock, Random(1))
        self.link.startService()
        self.addCleanup(self.link.stopService)
        self.clock.pump([0.01] * 10)
        self.assertTrue(self.link.up)


class LeaseTests(LinkCase):
    """How long a node may lead."""

    def setUp(self) -> None:
        """A lease that has just been written for the first time."""
        super().setUp()
        self.delay = 0.0
        self.lapsed = 0
        self.lease = Lease(
            self.link, self.clock, self.clock.seconds, Random(1), "n", SECONDS, self._lapsed
        )
        self.lease.start()
        self.addCleanup(self.lease.stop)
        self.lease.beat()
        self.clock.advance(0)

    def _lapsed(self) -> None:
        self.lapsed += 1

    def be_silent(self) -> None:
        """The server answers pings, and nothing that is written."""
        self.server.answer = lambda command: b"" if command[0] == b"SET" else well(command)

    def written(self) -> int:
        """How often it has been written."""
        asked = [one for each in self.server.conversations for one in each.asked]
        return sum(command[0] == b"SET" for command in asked)

    def test_renewed(self) -> None:
        """It is held for as long as it is written, under one name."""
        me = self.lease.me
        for _ in range(20):
            self.clock.advance(INTERVAL * SECONDS)
            self.clock.advance(0)
            self.assertTrue(self.lease.is_held)
        self.assertEqual((self.lease.me, self.lease.losses, self.lapsed), (me, 0, 0))

    def test_counts_from_sending(self) -> None:
        """An answer that is late does not make it longer than the key lives."""
        self.be_silent()
        self.clock.advance(INTERVAL * SECONDS)
        sent = self.clock.seconds()
        self.clock.advance(1.9)
        for conversation in self.server.conversations:
            if any(command[0] == b"SET" for command in conversation.asked):
                conversation.send(b"+OK\r\n")
        self.clock.advance(0)
        self.clock.advance(sent + LIFETIME * SECONDS - self.clock.seconds() - 0.01)
        self.assertTrue(self.lease.is_held)
        self.clock.advance(0.02)
        self.assertFalse(self.lease.is_held)

    def test_lost(self) -> None:
        """Without an answer it runs out, once; then it begins under another name."""
        me = self.lease.me
        self.server.answer = lambda command: (
            b"-ERR no\r\n" if command[0] == b"SET" else well(command)
        )
        self.clock.pump([INTERVAL * SECONDS] * 10)
        self.assertFalse(self.lease.is_held)
        self.assertEqual((self.lease.losses, self.lapsed), (1, 1))
        self.assertNotEqual(self.lease.me, me)
        self.server.answer = well
        self.clock.advance(INTERVAL * SECONDS)
        self.clock.advance(0)
        self.assertTrue(self.lease.is_held)
        self.assertEqual(self.lease.losses, 1)

    def test_slept(self) -> None:
        """A machine that slept longer than the lease lost it, though the next writing goes well."""
        me = self.lease.me
        self.clock.rightNow += 3 * SECONDS
        self.lease.beat()
        self.clock.advance(0)
        self.assertEqual((self.lease.losses, self.lapsed), (1, 1))
        self.assertNotEqual(self.lease.me, me)
        self.assertTrue(self.lease.is_held)

    def test_another_length(self) -> None:
        """One that is as long as those of other nodes is written as often as that needs."""
        for seconds in (1.0, 60.0):
            self.lease.set_length(seconds)
            self.clock.advance(0)
            before = self.written()
            for _ in range(20):
                self.clock.advance(INTERVAL * seconds)
                self.clock.advance(0)
                self.assertTrue(self.lease.is_held)
            self.assertEqual((self.written() - before, self.lease.losses), (20, 0))

    def test_shorter(self) -> None:
        """From when it is shorter it is over that soon, though it was written before."""
        self.be_silent()
        self.lease.set_length(1.0)
        self.clock.advance(LIFETIME - 0.01)
        self.assertTrue(self.lease.is_held)
        self.clock.advance(0.02)
        self.assertFalse(self.lease.is_held)

    def test_renewed_together(self) -> None:
        """All who want it at one moment share one writing."""
        before = self.written()
        waiting = [self.lease.renew() for _ in range(5)]
        self.clock.advance(0)
        self.assertEqual([self.successResultOf(one) for one in waiting], [None] * 5)
        self.assertEqual(self.written(), before + 1)


class Channel:
    """Something that publishes.

    :ivar left: how many messages are to be sent.
    """

    def __init__(self, queue: Queue, name: str, left: int = 0) -> None:
        self.queue = queue
        self.name = name
        self.left = left
        self.told: list[str] = []

    def publish(self, count: int = 1) -> None:
        """So many messages more."""
        self.left += count
        self.queue.add(self)

    def parts(self) -> list[Part]:
        """See `Publisher`."""
        return [Part((self.name, self.name), (self.name, b"message"), 1)] * self.left

    def taken(self, count: int) -> None:
        """See `Publisher`."""
        self.left -= count
        self.told.append("taken")

    def refused(self) -> None:
        """See `Publisher`."""
        self.told.append("refused")

    def unusable(self) -> None:
        """See `Publisher`."""
        self.told.append("unusable")


class QueueTests(LinkCase):
    """When what is sent, and what becomes of it."""

    def setUp(self) -> None:
        """A server that takes everything."""
        super().setUp()
        self.calls: list[tuple[float, int]] = []
        self.outcome = b"1"
        self.is_silent = False
        self.server.answer = self._answer
        self.queue = Queue(self.link, self.clock, 500, 300.0)

    def _answer(self, command: list[bytes]) -> bytes:
        if command[0] != b"EVALSHA":
            return well(command)
        parts = int(command[2]) // 2
        self.calls.append((self.clock.seconds(), parts))
        if self.is_silent:
            return b""
        return b"$%d\r\n%b\r\n" % (parts, self.outcome * parts)

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.pump([0.001] * round(seconds * 1000))

    def test_at_once(self) -> None:
        """After a while without anything the first message is sent in this turn of the loop."""
        channel = Channel(self.queue, "a")
        now = self.clock.seconds()
        channel.publish()
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual(self.calls, [(now, 1)])
        self.assertEqual(channel.told, ["taken"])

    def test_pause(self) -> None:
        """What comes soon after a call waits, and goes together."""
        first, second = Channel(self.queue, "a"), Channel(self.queue, "b")
        first.publish()
        self.clock.advance(0.001)
        first.publish()
        second.publish(2)
        self.run_for(0.02)
        self.assertEqual([parts for _, parts in self.calls], [1, 3])
        self.assertAlmostEqual(self.calls[1][0], self.calls[0][0] + PAUSE)
        self.assertEqual((first.left, second.left), (0, 0))

    def test_busy(self) -> None:
        """Many messages make the pause longer, up to a limit."""
        channel = Channel(self.queue, "a")
        for _ in range(200):
            channel.publish(3)
            self.clock.advance(0.001)
        waits = [later - sooner for (sooner, _), (later, _) in pairwise(self.calls)]
        self.assertAlmostEqual(waits[-1], LONGEST_PAUSE)
        self.assertLessEqual(max(waits), LONGEST_PAUSE + 0.0011)

    def test_one_at_a_time(self) -> None:
        """Nothing is sent while an answer is outstanding: an order cannot be turned around."""
        self.is_silent = True
        channel = Channel(self.queue, "a")
        channel.publish()
        self.run_for(0.1)
        channel.publish()
        self.run_for(0.1)
        self.assertEqual(len(self.calls), 1)

    def test_refused(self) -> None:
        """Another node leads: whoever published is told once, and nothing counts as taken."""
        self.outcome = b"0"
        channel = Channel(self.queue, "a")
        channel.publish(3)
        self.run_for(0.01)
        self.assertEqual((channel.told, channel.left), (["refused"], 3))
        self.assertEqual(self.queue.sent.refused, 1)

    def test_not_ours(self) -> None:
        """What lies under the keys is of another kind."""
        self.outcome = b"x"
        channel = Channel(self.queue, "a")
        channel.publish()
        self.run_for(0.01)
        self.assertEqual(channel.told, ["unusable"])

    def test_too_many(self) -> None:
        """A call is bounded; the rest goes in the next one."""
        channels = [Channel(self.queue, f"c{number}") for number in range(MAX_PARTS + 10)]
        for channel in channels:
            channel.publish()
        self.run_for(0.03)
        self.assertEqual([parts for _, parts in self.calls], [MAX_PARTS, 10])
        self.assertEqual({channel.left for channel in channels}, {0})

    def test_dropped(self) -> None:
        """Who has left sends nothing; neither does a queue that has stopped."""
        channel, other = Channel(self.queue, "a"), Channel(self.queue, "b")
        channel.publish()
        self.queue.drop(channel)
        self.run_for(0.01)
        other.publish()
        self.queue.stop()
        self.run_for(0.01)
        self.assertEqual(self.calls, [])


class OfferingTests(LinkCase):
    """How a leader that wants to go chooses who comes after it."""

    def setUp(self) -> None:
        """A leader that has just said that it wants to go."""
        super().setUp()
        unused: Any = None
        lease = Lease(
            self.link, self.clock, self.clock.seconds, Random(1), "n", SECONDS, lambda: None
        )
        node = Node(
            link=self.link,
            clock=self.clock,
            now=self.clock.seconds,
            random=Random(1),
            lease=lease,
            queue=unused,
            claims=unused,
            history=unused,
            patience=lambda: "",
            leading=lambda: 1,
            is_draining=lambda: False,
        )
        self.ready = 0
        self.offering = Offering(node, ChannelKey("twitch", "username", "ann"), self._ready, {})
        self.addCleanup(self.offering.end)
        self.offering.begin()

    def _ready(self) -> None:
        self.ready += 1

    def prepared(self) -> list[str]:
        """The nodes that were told to be ready, in order."""
        self.clock.advance(0)
        return [
            command[1].decode().rpartition(":")[2]
            for conversation in self.server.conversations
            for command in conversation.asked
            if command[0] == b"PUBLISH"
        ]

    def test_all_have_come(self) -> None:
        """When all who were asked have come forward, the one that leads least is chosen at once."""
        self.offering.candidate("b/1", 3)
        self.offering.asked(3)
        self.offering.candidate("c/1", 2)
        self.assertEqual(self.prepared(), [])
        self.offering.candidate("d/1", 5)
        self.assertEqual(self.prepared(), ["c"])
        self.clock.advance(GATHER)
        self.assertEqual(self.prepared(), ["c"])
        self.offering.answered(Ready("", "c/1", able=True))
        self.clock.advance(0)
        self.assertEqual(self.ready, 1)

    def test_what_lies_there_is_read_first(self) -> None:
        """That the heir is ready counts one turn later: it lacks what this node has not read."""
        self.offering.asked(1)
        self.offering.candidate("b/1", 3)
        self.offering.answered(Ready("", "b/1", able=True))
        self.assertEqual(self.ready, 0)
        self.clock.advance(0)
        self.assertEqual(self.ready, 1)

    def test_answers_before(self) -> None:
        """They may come forward before it is known how many were asked."""
        self.offering.candidate("b/1", 3)
        self.offering.candidate("c/1", 2)
        self.offering.asked(2)
        self.assertEqual(self.prepared(), ["c"])

    def test_some_never_come(self) -> None:
        """Whoever was asked and does not answer is waited for, but not for long."""
        self.offering.asked(2)
        self.offering.candidate("b/1", 3)
        self.assertEqual(self.prepared(), [])
        self.clock.advance(GATHER)
        self.assertEqual(self.prepared(), ["b"])

    def test_next_one(self) -> None:
        """One that cannot is followed by the next best, and nobody is asked twice."""
        self.offering.asked(2)
        self.offering.candidate("b/1", 1)
        self.offering.candidate("c/1", 2)
        self.offering.answered(Ready("", "b/1", able=False))
        self.assertEqual(self.prepared(), ["b", "c"])
        self.offering.answered(Ready("", "c/1", able=False))
        self.offering.candidate("b/1", 1)
        self.clock.advance(GATHER)
        self.assertEqual(self.prepared(), ["b", "c"])
        self.assertEqual(self.ready, 0)


class TailTests(SynchronousTestCase):
    """What Redis lacks of one channel."""

    def setUp(self) -> None:
        """Nothing is lacking after 10."""
        self.tail = Tail(("order", "log"), "topic")
        self.tail.begin(10, ())

    def parts(self, seq: int = 0) -> list[tuple[object, ...]]:
        """Id, place and message of each part."""
        found = self.tail.parts(7, Start("e", seq, "until", "room 1"))
        self.assertEqual({part.keys for part in found} - {("order", "log")}, set())
        self.assertEqual({part.arguments[:2] for part in found} - {("topic", "7")}, set())
        return [
            (*part.arguments[2:4], read_message(bytes(part.arguments[4])))  # type: ignore[arg-type]
            for part in found
        ]

    def test_batch(self) -> None:
        """Publications go together; the batch says what came before it."""
        self.tail.add([publication(11), publication(12)])
        ((entry, place, message),) = self.parts(12)
        self.assertEqual((entry, place), (f"{int('e', 36)}-12", "12 until room 1"))
        assert isinstance(message, Batch)
        self.assertEqual(
            (message.previous, message.until, message.room_id), (10, "until", "room 1")
        )
        self.assertEqual([item.seq for item in message.items], [11, 12])

    def test_states_keep_their_place(self) -> None:
        """A state between publications stays there, and one that ends the chat is not kept."""
        self.tail.add([publication(11)])
        self.tail.tell(Interrupted("UPSTREAM"))
        self.tail.add([publication(12)])
        first, state, second = self.parts(12)
        self.assertEqual(state[:2], ("state", "11 until room 1"))
        self.assertEqual(state[2], Told(state_bytes(Interrupted("UPSTREAM"))))
        assert isinstance(first[2], Batch)
        assert isinstance(second[2], Batch)
        self.assertEqual((first[2].previous, second[2].previous), (10, 11))

    def test_sent_again(self) -> None:
        """What is not known to be taken is sent again, the same; what is taken is not."""
        self.tail.add([publication(11), publication(12)])
        self.assertEqual(self.parts(12), self.parts(12))
        self.tail.taken(2)
        self.assertEqual((len(self.tail), self.tail.previous, self.parts(12)), (0, 12, []))

    def test_epochs_apart(self) -> None:
        """No message is of two orders."""
        self.tail.add([publication(11), publication(1, "f")])
        self.assertEqual([message.epoch for *_, message in self.parts()], ["e", "f"])  # type: ignore[attr-defined]

    def test_bounded(self) -> None:
        """A message holds so many publications, and so many bytes and one more."""
        self.tail.add([publication(seq) for seq in range(11, 11 + MAX_ITEMS + 5)])
        sizes = [len(message.items) for *_, message in self.parts()]  # type: ignore[attr-defined]
        self.assertEqual(sizes, [MAX_ITEMS, 5])
        self.tail.begin(10, [publication(seq, size=MAX_BYTES // 2) for seq in range(11, 16)])
        sizes = [len(message.items) for *_, message in self.parts()]  # type: ignore[attr-defined]
        self.assertEqual(sizes, [2, 2, 1])


class ReaderTests(SynchronousTestCase):
    """What is heard, put into order."""

    def setUp(self) -> None:
        """A reader that has everything up to 10."""
        self.given: list[object] = []
        self.log: dict[int, Deferred[list[Batch]]] = {}
        self.heard = Heard()
        self.reader = Reader(self, self.heard)
        self.reader.place = Start("e", 10)
        self.reader.begin()

    # What a `Listener` is told.

    def deliver(self, publications: Sequence[Publication]) -> None:
        """See `Listener`."""
        self.given += [one.seq for one in publications]

    def hear(self, message: Message) -> None:
        """See `Listener`."""
        self.given.append(message)

    def miss(self, start: Start) -> None:
        """See `Listener`."""
        self.given.append(f"missed up to {start.seq}")

    def read(self, epoch: str, after: int) -> Deferred[list[Batch]]:
        """See `Listener`."""
        return self.log.setdefault(after, Deferred())

    def lose_place(self) -> None:
        """See `Listener`."""
        self.given.append("lost")

    def said(self, *messages: Message) -> None:
        """Something came by the topic."""
        for message in messages:
            self.reader.hear(message, len(encode(message)))

    def test_in_order(self) -> None:
        """What follows is given at once; what is known already is not given again."""
        self.said(batch(11, 12), batch(11, 13), batch(13, 13))
        self.assertEqual((self.given, self.reader.lag), ([11, 12, 13], 0))

    def test_hole(self) -> None:
        """What is missing is read first; everything else keeps its place meanwhile."""
        told = Told(state_bytes(Live(LiveInfo("x"))))
        self.said(batch(14, 14), told, batch(15, 16))
        self.assertEqual((self.given, self.reader.lag), ([], 6))
        self.log[10].callback([batch(11, 13)])
        self.assertEqual(self.given, [11, 12, 13, 14, told, 15, 16])
        self.assertEqual((self.heard.filled, self.heard.missed, self.reader.lag), (1, 0, 0))

    def test_hole_in_parts(self) -> None:
        """A log that does not answer everything at once is asked again."""
        self.said(batch(14, 14))
        self.log[10].callback([batch(11, 11)])
        self.log[11].callback([batch(12, 13)])
        self.assertEqual(self.given, [11, 12, 13, 14])

    def test_nowhere(self) -> None:
        """What the log does not have either is told, once, where it is missing."""
        self.said(batch(14, 14))
        self.log[10].callback([])
        self.assertEqual(self.given, ["missed up to 13", 14])
        self.assertEqual(self.heard.missed, 1)

    def test_hole_in_the_log(self) -> None:
        """What the log lacks between its entries is told there."""
        self.said(batch(16, 16))
        self.log[10].callback([batch(11, 11), batch(14, 15)])
        self.assertEqual(self.given, [11, "missed up to 13", 14, 15, 16])

    def test_redis_goes_away(self) -> None:
        """A hole that cannot be filled now is filled after entering anew."""
        self.said(batch(14, 14))
        self.log.pop(10).errback(RedisDown("away"))
        self.assertEqual(self.given, [])
        self.reader.wait()
        self.reader.begin()
        self.said(batch(14, 14))
        self.log[10].callback([batch(11, 13)])
        self.assertEqual(self.given, [11, 12, 13, 14])

    def test_entered_anew_meanwhile(self) -> None:
        """An answer to a question of before is of no use."""
        self.said(batch(14, 14))
        self.reader.wait()
        self.log[10].callback([batch(11, 13)])
        self.assertEqual(self.given, [])
        self.reader.begin()
        self.said(batch(11, 11))
        self.assertEqual(self.given, [11])

    def test_another_order(self) -> None:
        """What is of another order is not given: who follows must ask where it stands."""
        self.said(batch(1, 1, "f"))
        self.assertEqual(self.given, ["lost"])

    def test_waiting(self) -> None:
        """What comes before it is known where to begin is kept, and what is over is skipped."""
        self.reader.wait()
        left = Left()
        self.said(batch(9, 11), left, batch(12, 12))
        self.assertEqual(self.given, [])
        self.reader.begin()
        self.assertEqual(self.given, [11, left, 12])

    def test_bounded(self) -> None:
        """Batches for which there is no room are a hole again; states are never thrown away."""
        self.said(batch(12, 12))
        told = Told(state_bytes(Live(LiveInfo("x"))))
        half = MAX_KEPT // 2 + 1
        self.said(batch(13, 13, size=half), batch(14, 14, size=half), told)
        self.log[10].callback([batch(11, 11)])
        self.assertEqual(self.given, [11, 12, 13, told])
        self.said(batch(15, 15))
        self.log[13].callback([batch(14, 14)])
        self.assertEqual(self.given, [11, 12, 13, told, 14, 15])
