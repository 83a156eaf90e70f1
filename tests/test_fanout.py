# SPDX-License-Identifier: MIT
"""One message to many: who gets it, when, in how many writes, and what is left on the clock."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from livechat.core import fanout
from livechat.core.fanout import (
    CREDIT,
    GROUP_SIZE,
    JOINED_REST,
    MAX_HOLD,
    MAX_PARTS,
    SMALLEST_PART,
    SPREAD_INTERVAL,
    TURN,
    Fanout,
    Interest,
)
from livechat.core.ports import ISubscriber, Requester
from livechat.core.stats import PUSH_INTERVAL
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.protocol.messages import deflated_frame, frame
from livechat.transports.writers import EachWriter
from tests.support.sockets import everything, pair

bounded = settings(deadline=None, database=None, max_examples=150)

ALL = Interest(None)
CHATS = Interest()
RAIDS = Interest(frozenset({"raid"}))


@implementer(ISubscriber)
class Listener:
    """A subscriber that keeps its deliveries and may do something at each.

    :ivar upon: called at each delivery with the frames, after they were kept.
    """

    def __init__(self, deflate: bool = False) -> None:
        self.pending: int = 0
        self.direct: int = -1
        self.deflate: bool = deflate
        self.requester: Requester = Requester()
        self.deliveries: list[bytes] = []
        self.upon: Callable[[], object] = lambda: None

    def deliver(self, frames: bytes) -> None:
        """See `ISubscriber`."""
        self.deliveries.append(frames)
        self.upon()

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""


def joined(*payloads: bytes) -> bytes:
    """The frames of these payloads, joined."""
    return b"".join(frame(payload) for payload in payloads)


class FanoutCase(SynchronousTestCase):
    """A fan-out on a clock."""

    def setUp(self) -> None:
        """A fan-out without subscribers at some time of day."""
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.metrics = Metrics()
        self.fanout = Fanout(self.clock, EachWriter(), self.metrics.deliveries)

    def listener(self, interest: Interest = CHATS) -> Listener:
        """A subscriber that was added."""
        made = Listener()
        self.fanout.add(made, interest)
        return made

    def chat(self, *payloads: bytes) -> None:
        """Publish chat messages, as one batch."""
        self.fanout.publish([("chat", payload) for payload in payloads])

    def due_in(self) -> float:
        """Seconds until the one call that is on the clock."""
        (call,) = self.clock.getDelayedCalls()
        return call.getTime() - self.clock.seconds()

    def delivered(self) -> float | None:
        """What the delivery counter says."""
        return self.metrics.registry.get_sample_value("livechat_deliveries_total")

    def costing(self, seconds: float) -> Callable[[], None]:
        """Something that takes so long."""

        def spend() -> None:
            self.clock.rightNow += seconds

        return spend


class InterestTests(SynchronousTestCase):
    """Which kinds a subscriber is sent."""

    def test_default(self) -> None:
        """Without a wish: messages, no events."""
        self.assertTrue(Interest().wants("chat"))
        self.assertFalse(Interest().wants("raid"))
        self.assertFalse(Interest().wants(""))

    def test_everything(self) -> None:
        """None is every kind, also one that nobody has heard of."""
        for kind in ("chat", "raid", "new kind"):
            self.assertTrue(Interest(None).wants(kind))

    def test_some(self) -> None:
        """Named kinds come beside what all receive."""
        interest = Interest(frozenset({"raid", "poll"}))
        wanted = [kind for kind in ("chat", "raid", "poll", "gift") if interest.wants(kind)]
        self.assertEqual(wanted, ["chat", "raid", "poll"])

    def test_equal(self) -> None:
        """Equal wishes are one group, whatever their order."""
        one, other = Interest(frozenset(["a", "b"])), Interest(frozenset(["b", "a"]))
        self.assertEqual({one: 1, other: 2}, {one: 2})


class GatherTests(FanoutCase):
    """What is joined into one write."""

    def test_next_turn(self) -> None:
        """An idle channel writes in the next turn, not in this one and not later."""
        listener = self.listener()
        self.chat(b"one")
        self.assertEqual(listener.deliveries, [])
        self.assertEqual(self.due_in(), 0.0)
        self.clock.advance(0)
        self.assertEqual(listener.deliveries, [joined(b"one")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_write(self) -> None:
        """What one turn brings, in however many batches, is one write per subscriber, in order."""
        listeners = [self.listener(), self.listener(ALL), self.listener(RAIDS)]
        self.chat(b"1", b"2")
        self.chat(b"3")
        self.fanout.publish([])
        self.chat(b"4", b"5")
        self.clock.advance(0)
        for listener in listeners:
            self.assertEqual(listener.deliveries, [joined(b"1", b"2", b"3", b"4", b"5")])
        self.assertEqual(self.delivered(), 15)

    def test_shared(self) -> None:
        """Subscribers of one interest are given the very same bytes: one copy for all."""
        one, other = self.listener(), self.listener()
        self.chat(b"1", b"2")
        self.clock.advance(0)
        self.assertIs(one.deliveries[0], other.deliveries[0])

    def test_framed_once(self) -> None:
        """A message is framed once, however many interests there are."""
        framed: list[bytes] = []

        def framing(payload: bytes) -> bytes:
            framed.append(payload)
            return frame(payload)

        self.patch(fanout, "frame", framing)
        for interest in (CHATS, ALL, RAIDS):
            self.listener(interest)
            self.listener(interest)
        self.fanout.publish([("chat", b"c"), ("poll", b"p"), ("raid", b"r")])
        self.clock.advance(0)
        self.assertEqual(framed, [b"c", b"p", b"r"])
        self.assertEqual(self.delivered(), 6 + 2 + 4)

    def test_turns_apart(self) -> None:
        """What the next turn brings is another write."""
        listener = self.listener()
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(0)
        self.assertEqual(listener.deliveries, [joined(b"1"), joined(b"2")])

    def test_interests(self) -> None:
        """Each receives what it asked for, in the order in which it happened."""
        everything, chats, raids = self.listener(ALL), self.listener(), self.listener(RAIDS)
        self.fanout.publish([("poll", b"p"), ("chat", b"c"), ("raid", b"r"), ("chat", b"d")])
        self.clock.advance(0)
        self.assertEqual(everything.deliveries, [joined(b"p", b"c", b"r", b"d")])
        self.assertEqual(chats.deliveries, [joined(b"c", b"d")])
        self.assertEqual(raids.deliveries, [joined(b"c", b"r", b"d")])
        self.assertEqual(self.delivered(), 4 + 2 + 3)

    def test_nobody_asked(self) -> None:
        """An event that nobody asked for is no write and no delivery."""
        listener = self.listener()
        self.fanout.publish([("raid", b"r")])
        self.clock.advance(0)
        self.assertEqual(listener.deliveries, [])
        self.assertEqual(self.delivered(), 0)

    def test_nobody_there(self) -> None:
        """Without subscribers nothing is kept for later ones."""
        self.chat(b"1")
        self.clock.advance(0)
        listener = self.listener()
        self.clock.advance(1)
        self.assertEqual(listener.deliveries, [])
        self.assertEqual(self.delivered(), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flush_now(self) -> None:
        """A flush writes at once, and what was due then has nothing left to do."""
        listener = self.listener()
        self.chat(b"1")
        self.fanout.flush()
        self.assertEqual(listener.deliveries, [joined(b"1")])
        self.fanout.flush()
        self.clock.advance(1)
        self.assertEqual(listener.deliveries, [joined(b"1")])
        self.assertEqual(self.delivered(), 1)

    def test_large(self) -> None:
        """Frames of every header size are joined whole."""
        listener = self.listener()
        payloads = (b"a" * 125, b"b" * 126, b"c" * 70_000, b"")
        self.chat(*payloads)
        self.clock.advance(0)
        self.assertEqual(listener.deliveries, [joined(*payloads)])


class HoldTests(FanoutCase):
    """How long messages wait to be joined with the next."""

    def indebted(self, seconds: float, *others: bytes) -> Listener:
        """A subscriber of a channel in which writing took so much longer than was rested.

        Writing takes no time from now on.

        :param others: what was written in one go with the message that took so long.
        """
        listener = self.listener()
        listener.upon = self.costing(CREDIT + seconds)
        self.clock.advance(10 * CREDIT)
        self.chat(b"first", *others)
        self.clock.advance(0)
        listener.upon = lambda: None
        listener.deliveries.clear()
        return listener

    def test_burst(self) -> None:
        """After a rest nothing is held until writing has taken as long as the credit."""
        listener = self.listener()
        listener.upon = self.costing(CREDIT / 10)
        for number in range(11):
            self.chat(b"%d" % number)
            self.assertAlmostEqual(self.due_in(), 0.0)
            self.clock.advance(1e-9)
        self.assertEqual(len(listener.deliveries), 11)
        self.chat(b"held")
        self.assertAlmostEqual(self.due_in(), CREDIT / 10)

    def test_debt(self) -> None:
        """Writing that took 8 ms longer than was rested is followed by a rest of 8 ms."""
        listener = self.indebted(0.008)
        self.chat(b"1")
        self.assertAlmostEqual(self.due_in(), 0.008)
        self.clock.advance(0.0075)
        self.chat(b"2")
        self.assertEqual(listener.deliveries, [])
        self.clock.advance(0.001)
        self.assertEqual(listener.deliveries, [joined(b"1", b"2")])

    def test_joined(self) -> None:
        """What was joined anyway is followed by a somewhat longer rest."""
        self.indebted(0.0, b"second")
        self.chat(b"1")
        owed = CREDIT * (JOINED_REST - 1)
        self.assertAlmostEqual(self.due_in(), min(MAX_HOLD, owed))

    def test_part_of_the_debt(self) -> None:
        """The wait counts from the end of the last write."""
        self.indebted(0.008)
        self.clock.advance(0.005)
        self.chat(b"1")
        self.assertAlmostEqual(self.due_in(), 0.003)

    def test_rested(self) -> None:
        """When the debt has been rested there is no wait."""
        self.indebted(0.008)
        self.clock.advance(0.009)
        self.chat(b"1")
        self.assertEqual(self.due_in(), 0.0)

    def test_at_most(self) -> None:
        """However long writing took, the wait is 10 ms."""
        self.assertEqual(MAX_HOLD, 0.01)
        for cost in (0.0201, 0.5, 3600.0):
            listener = self.indebted(cost)
            self.chat(b"1")
            self.assertAlmostEqual(self.due_in(), 0.01, places=9)
            self.clock.advance(0.011)
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.fanout.remove(listener)

    def test_busy(self) -> None:
        """A channel whose writing takes less than half of the time holds nothing, ever."""
        listener = self.listener()
        listener.upon = self.costing(0.0045)
        for _ in range(1000):
            self.chat(b"x")
            self.assertEqual(self.due_in(), 0.0)
            self.clock.advance(0)
            self.clock.advance(0.0055)
        self.assertEqual(len(listener.deliveries), 1000)

    def test_all_subscribers(self) -> None:
        """What counts is the time for all subscribers together, of whichever interest."""
        listeners = [self.listener(), self.listener(), self.listener(ALL)]
        for listener in listeners:
            listener.upon = self.costing(CREDIT / 3 + 0.001)
        self.clock.advance(10 * CREDIT)
        self.chat(b"1")
        self.clock.advance(0)
        self.clock.advance(0)
        self.chat(b"2")
        self.assertAlmostEqual(self.due_in(), 0.003)

    def test_empty_flush(self) -> None:
        """A flush that had nothing to write changes nothing."""
        self.indebted(0.008)
        self.fanout.flush()
        self.chat(b"1")
        self.assertAlmostEqual(self.due_in(), 0.008)

    def test_set_back(self) -> None:
        """A clock that is set back by an hour holds nothing for longer than the hold."""
        listener = self.indebted(0.5)
        self.clock.rightNow -= 3600.0
        self.chat(b"1")
        self.assertAlmostEqual(self.due_in(), 0.01)
        self.clock.advance(0.011)
        self.assertEqual(listener.deliveries, [joined(b"1")])

    def test_set_back_during_write(self) -> None:
        """A write that ends before it began has cost nothing."""
        self.indebted(-3600.0)
        self.chat(b"1")
        self.assertEqual(self.due_in(), 0.0)

    def test_set_forward(self) -> None:
        """A clock that is set forward between two messages makes no wait."""
        self.indebted(0.008)
        self.clock.rightNow += 3600.0
        self.chat(b"1")
        self.assertEqual(self.due_in(), 0.0)

    def test_saturated(self) -> None:
        """At 1 ms per write and a message each 100 µs, less than half the time is spent on it."""
        listener = self.indebted(0.0)
        listener.upon = self.costing(0.001)
        began = self.clock.seconds()
        before = self.delivered() or 0
        for _ in range(1000):
            self.chat(b"x")
            self.clock.advance(0.0001)
        self.clock.advance(1)
        spent = 0.001 * len(listener.deliveries)
        self.assertEqual(b"".join(listener.deliveries), joined(*[b"x"] * 1000))
        self.assertLess(spent / (self.clock.seconds() - 1 - began), 0.5)
        self.assertEqual((self.delivered() or 0) - before, 1000)


class GroupTests(FanoutCase):
    """Channels with more subscribers than are written to at once."""

    def crowd(self, count: int) -> list[Listener]:
        """So many subscribers."""
        return [self.listener() for _ in range(count)]

    def test_one_turn(self) -> None:
        """While writing is quick, one turn serves them all, with the very same bytes."""
        listeners = self.crowd(2 * GROUP_SIZE + 1)
        self.chat(b"1", b"2")
        self.clock.advance(0)
        for listener in listeners:
            self.assertEqual(listener.deliveries, [joined(b"1", b"2")])
        self.assertEqual(self.delivered(), 2 * len(listeners))

    def test_turns(self) -> None:
        """When it takes long, the others wait for the next turn and get what came meanwhile."""
        listeners = self.crowd(2 * GROUP_SIZE)
        first, second = listeners[:GROUP_SIZE], listeners[GROUP_SIZE:]

        def spend() -> None:
            first[0].upon = lambda: None
            self.clock.rightNow += 1.5 * TURN
            self.clock.callLater(0, self.chat, b"2")

        first[0].upon = spend
        self.chat(b"1")
        self.clock.advance(0)
        for listener in first:
            self.assertEqual(listener.deliveries, [joined(b"1"), joined(b"2")])
        for listener in second:
            self.assertEqual(listener.deliveries, [joined(b"1", b"2")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_hold_of_all(self) -> None:
        """The groups together hold a message no longer than one group alone would."""
        listeners = self.crowd(4 * GROUP_SIZE)
        self.clock.advance(10 * CREDIT)
        for listener in listeners[::GROUP_SIZE]:
            listener.upon = self.costing(2 * CREDIT)
        self.chat(b"1")
        self.clock.advance(0)
        self.assertAlmostEqual(self.due_in(), MAX_HOLD / 4)

    def test_places(self) -> None:
        """Who comes takes the place of one who left."""
        listeners = self.crowd(GROUP_SIZE + 1)
        for number in range(100):
            self.fanout.remove(listeners[number])
        self.crowd(100)
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual(len(self.fanout._groups), 2)
        self.assertEqual(self.delivered(), GROUP_SIZE + 1)

    def test_newcomer_waits_for_nobody(self) -> None:
        """A newcomer makes only its own group's messages be written early."""
        everything = self.listener(ALL)
        chats = self.listener()
        self.chat(b"1")
        self.listener(ALL)
        self.assertEqual((len(everything.deliveries), len(chats.deliveries)), (1, 0))
        self.clock.advance(0)
        self.assertEqual(chats.deliveries, [joined(b"1")])

    def test_newcomer_after_the_last(self) -> None:
        """Who comes while the only other one leaves at its delivery is not forgotten."""
        leaver = self.listener()
        leaver.upon = lambda: self.fanout.remove(leaver)
        self.chat(b"1")
        newcomer = self.listener()
        self.chat(b"2")
        self.clock.advance(0)
        self.assertEqual(leaver.deliveries, [joined(b"1")])
        self.assertEqual(newcomer.deliveries, [joined(b"2")])
        self.assertEqual(len(self.fanout), 1)


class SpreadTests(FanoutCase):
    """What is in no hurry: statistics."""

    def through(self) -> None:
        """Time enough for a spread."""
        for _ in range(MAX_PARTS + 1):
            self.clock.advance(SPREAD_INTERVAL)

    def test_few(self) -> None:
        """A few subscribers are told in the next turn, whatever they asked for."""
        listeners = [self.listener(), self.listener(ALL), self.listener(RAIDS)]
        self.fanout.spread(b"s")
        self.assertEqual(listeners[0].deliveries, [])
        self.clock.advance(0)
        for listener in listeners:
            self.assertEqual(listener.deliveries, [joined(b"s")])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.delivered(), 3)

    def test_after_what_it_counts(self) -> None:
        """What was published before, and is not held, comes before it."""
        listener = self.listener()
        self.chat(b"1")
        self.fanout.spread(b"s")
        self.clock.advance(0)
        self.assertEqual(b"".join(listener.deliveries), joined(b"1", b"s"))

    def test_many(self) -> None:
        """Many are told in parts, so that a message waits for one part and not for all."""
        listeners = [self.listener() for _ in range(10 * SMALLEST_PART)]
        self.fanout.spread(b"s")
        self.clock.advance(0)
        told = [one for one in listeners if one.deliveries]
        self.assertEqual(len(told), SMALLEST_PART)
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual(told[0].deliveries, [joined(b"s"), joined(b"1")])
        self.through()
        for listener in listeners:
            self.assertEqual(sorted(listener.deliveries), sorted([joined(b"s"), joined(b"1")]))
        self.assertEqual(self.delivered(), 2 * len(listeners))

    def test_in_time(self) -> None:
        """However many there are, all are told before the next statistics are due."""
        self.assertLess(MAX_PARTS * SPREAD_INTERVAL, PUSH_INTERVAL)
        listeners = [self.listener() for _ in range(MAX_PARTS * SMALLEST_PART + 1)]
        self.fanout.spread(b"s")
        self.clock.advance(0)
        for _ in range(MAX_PARTS - 1):
            self.clock.advance(SPREAD_INTERVAL)
        self.assertTrue(all(one.deliveries == [joined(b"s")] for one in listeners))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_turns(self) -> None:
        """Where turns take long the parts are larger; nobody is left out again and again."""
        listeners = [self.listener() for _ in range(MAX_PARTS * SMALLEST_PART + 1)]
        for push in range(5):
            self.fanout.spread(b"%d" % push)
            self.clock.advance(0)
            for _ in range(20):
                self.clock.advance(PUSH_INTERVAL / 20)
        self.assertEqual({len(one.deliveries) for one in listeners}, {5})

    def test_left_over_first(self) -> None:
        """Who was not told the last time is told first this time."""
        listeners = [self.listener() for _ in range(3 * SMALLEST_PART)]
        for push in range(3):
            self.fanout.spread(b"%d" % push)
            self.clock.advance(SPREAD_INTERVAL if push else 0)
        self.assertEqual({len(one.deliveries) for one in listeners}, {1})

    def test_newer(self) -> None:
        """Who was not told the last one is told the newer one only."""
        listeners = [self.listener() for _ in range(3 * SMALLEST_PART)]
        self.fanout.spread(b"old")
        self.clock.advance(0)
        self.fanout.spread(b"new")
        self.through()
        told = [b"".join(one.deliveries) for one in listeners]
        self.assertEqual(told.count(joined(b"old", b"new")), SMALLEST_PART)
        self.assertEqual(told.count(joined(b"new")), 2 * SMALLEST_PART)

    def test_leaver_and_newcomer(self) -> None:
        """Who leaves meanwhile is told nothing more, who comes meanwhile nothing of before."""
        listeners = [self.listener() for _ in range(2 * SMALLEST_PART)]
        self.fanout.spread(b"s")
        self.clock.advance(0)
        (leaver, *_) = (one for one in listeners if not one.deliveries)
        self.fanout.remove(leaver)
        newcomer = self.listener()
        self.through()
        self.assertEqual((leaver.deliveries, newcomer.deliveries), ([], []))
        self.assertEqual(self.delivered(), len(listeners) - 1)

    def test_asked_meanwhile(self) -> None:
        """Who was told newer statistics meanwhile is not told the older ones after them."""
        listeners = [self.listener() for _ in range(2 * SMALLEST_PART)]
        self.chat(b"1")
        self.fanout.spread(b"s")
        self.fanout.catch_up(listeners[0])
        self.assertEqual(listeners[0].deliveries, [joined(b"1")])
        self.through()
        self.assertEqual(listeners[0].deliveries, [joined(b"1")])
        self.assertEqual(listeners[1].deliveries, [joined(b"1"), joined(b"s")])
        self.fanout.catch_up(Listener())

    def test_packed_once(self) -> None:
        """It is compressed once, for those who read that."""
        packed: list[bytes] = []

        def pack(payload: bytes) -> bytes:
            packed.append(payload)
            return deflated_frame(payload)

        self.patch(fanout, "deflated_frame", pack)
        listeners = [Listener(deflate=bool(number % 2)) for number in range(4 * SMALLEST_PART)]
        for listener in listeners:
            self.fanout.add(listener, CHATS)
        large = b"again and " * 100
        self.fanout.spread(large)
        self.through()
        self.assertEqual(packed, [large])
        for listener in listeners:
            expected = deflated_frame(large) if listener.deflate else frame(large)
            self.assertEqual(listener.deliveries, [expected])

    def test_close(self) -> None:
        """At the end all are told at once, and nothing is left on the clock."""
        listeners = [self.listener() for _ in range(3 * SMALLEST_PART)]
        self.chat(b"1")
        self.fanout.spread(b"s")
        self.fanout.close()
        for listener in listeners:
            self.assertEqual(b"".join(listener.deliveries), joined(b"1", b"s"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody(self) -> None:
        """With nobody there it is nothing."""
        self.fanout.spread(b"s")
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.delivered(), 0)


class MembershipTests(FanoutCase):
    """Who is there when."""

    def test_length(self) -> None:
        """The length is the number of subscribers."""
        one, _ = self.listener(), self.listener(ALL)
        self.assertEqual(len(self.fanout), 2)
        self.fanout.remove(one)
        self.assertEqual(len(self.fanout), 1)

    def test_newcomer(self) -> None:
        """A newcomer gets nothing that was published before; the others get it at once."""
        before = self.listener()
        self.chat(b"old")
        after = self.listener()
        self.assertEqual(before.deliveries, [joined(b"old")])
        self.chat(b"new")
        self.clock.advance(0)
        self.assertEqual(before.deliveries, [joined(b"old"), joined(b"new")])
        self.assertEqual(after.deliveries, [joined(b"new")])

    def test_leaver(self) -> None:
        """Who leaves gets what was published so far, at once, and nothing more."""
        leaver, other = self.listener(), self.listener()
        self.chat(b"old")
        self.fanout.remove(leaver)
        self.assertEqual(leaver.deliveries, [joined(b"old")])
        self.chat(b"new")
        self.clock.advance(0)
        self.assertEqual(leaver.deliveries, [joined(b"old")])
        self.assertEqual(other.deliveries, [joined(b"old"), joined(b"new")])
        self.assertEqual(self.delivered(), 3)

    def test_unknown_leaver(self) -> None:
        """Who was never there, or has left, can be removed without harm."""
        leaver, other = self.listener(), self.listener()
        self.fanout.remove(leaver)
        self.fanout.remove(leaver)
        self.fanout.remove(Listener())
        self.assertEqual(len(self.fanout), 1)
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual(other.deliveries, [joined(b"1")])

    def test_back_again(self) -> None:
        """Who left and comes back with another interest has only the new one."""
        listener = self.listener(ALL)
        self.fanout.remove(listener)
        self.fanout.add(listener, CHATS)
        self.fanout.publish([("raid", b"r"), ("chat", b"c")])
        self.clock.advance(0)
        self.assertEqual(listener.deliveries, [joined(b"c")])

    def test_added_twice(self) -> None:
        """Who is added again with another interest still gets each message once."""
        listener = self.listener(CHATS)
        self.fanout.add(listener, ALL)
        self.fanout.publish([("chat", b"c"), ("raid", b"r")])
        self.clock.advance(0)
        self.assertEqual(listener.deliveries, [joined(b"c", b"r")])
        self.fanout.remove(listener)
        self.chat(b"late")
        self.clock.advance(0)
        self.assertEqual(listener.deliveries, [joined(b"c", b"r")])


class ReentrancyTests(FanoutCase):
    """Subscribers that change who is there while they are being written to."""

    def test_removes_itself(self) -> None:
        """Who leaves at its delivery gets that one and no more; the others get all."""
        first, leaver, last = self.listener(), self.listener(), self.listener()
        leaver.upon = lambda: self.fanout.remove(leaver)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(0)
        for listener in (first, last):
            self.assertEqual(listener.deliveries, [joined(b"1"), joined(b"2")])
        self.assertEqual(leaver.deliveries, [joined(b"1")])
        self.assertEqual(self.delivered(), 5)

    def test_last_one_removes_itself(self) -> None:
        """When the only one leaves at its delivery, nobody is left and nothing is kept."""
        leaver = self.listener(ALL)
        leaver.upon = lambda: self.fanout.remove(leaver)
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual(len(self.fanout), 0)
        self.chat(b"2")
        self.clock.advance(0)
        self.assertEqual(leaver.deliveries, [joined(b"1")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_removes_a_later_one(self) -> None:
        """Who is removed before its turn gets what was published before, once, and no more."""
        remover, removed, other = self.listener(), self.listener(), self.listener(ALL)
        remover.upon = lambda: self.fanout.remove(removed)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(0)
        self.assertEqual(removed.deliveries, [joined(b"1")])
        for listener in (remover, other):
            self.assertEqual(listener.deliveries, [joined(b"1"), joined(b"2")])
        self.assertEqual(self.delivered(), 5)

    def test_removes_an_earlier_one(self) -> None:
        """Who was written to before may be removed by a later one."""
        removed, remover = self.listener(), self.listener()
        remover.upon = lambda: self.fanout.remove(removed)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(0)
        self.assertEqual(removed.deliveries, [joined(b"1")])
        self.assertEqual(remover.deliveries, [joined(b"1"), joined(b"2")])
        self.assertEqual(self.delivered(), 3)

    def test_removes_one_of_another_interest(self) -> None:
        """It makes no difference whether the other has the same interest."""
        remover, removed = self.listener(CHATS), self.listener(ALL)
        remover.upon = lambda: self.fanout.remove(removed)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(0)
        self.assertEqual(removed.deliveries, [joined(b"1")])
        self.assertEqual(remover.deliveries, [joined(b"1"), joined(b"2")])
        self.assertEqual(self.delivered(), 3)

    def test_adds(self) -> None:
        """Who is added at another's delivery gets what comes after it."""
        adder, other, added = self.listener(), self.listener(ALL), Listener()

        def add() -> None:
            self.fanout.add(added, ALL)
            adder.upon = lambda: None

        adder.upon = add
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(0)
        self.assertEqual(added.deliveries, [joined(b"2")])
        for listener in (adder, other):
            self.assertEqual(listener.deliveries, [joined(b"1"), joined(b"2")])
        self.assertEqual(self.delivered(), 5)

    def test_publishes(self) -> None:
        """What is published at a delivery reaches all, once and in order."""
        publisher, same, other = self.listener(), self.listener(), self.listener(ALL)

        def publish() -> None:
            publisher.upon = lambda: None
            self.chat(b"2")

        publisher.upon = publish
        self.chat(b"1")
        self.clock.advance(0)
        self.clock.advance(MAX_HOLD)
        for listener in (publisher, same, other):
            self.assertEqual(b"".join(listener.deliveries), joined(b"1", b"2"))
        self.assertEqual(self.delivered(), 6)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flushes(self) -> None:
        """A flush within a flush writes nothing twice."""
        first, second = self.listener(), self.listener(ALL)
        first.upon = self.fanout.flush
        second.upon = self.fanout.flush
        self.chat(b"1")
        self.clock.advance(0)
        for listener in (first, second):
            self.assertEqual(listener.deliveries, [joined(b"1")])
        self.assertEqual(self.delivered(), 2)


class DeflateTests(FanoutCase):
    """Subscribers that read compressed frames."""

    LARGE = b'{"text":"' + b"again and " * 100 + b'"}'

    def test_both(self) -> None:
        """Each gets the frames that it reads, with the same messages in the same order."""
        plain, packed = Listener(), Listener(deflate=True)
        for listener in (plain, packed):
            self.fanout.add(listener, CHATS)
        self.chat(b"1", self.LARGE, b"2")
        self.clock.advance(0)
        self.assertEqual(plain.deliveries, [joined(b"1", self.LARGE, b"2")])
        expected = frame(b"1") + deflated_frame(self.LARGE) + frame(b"2")
        self.assertEqual(packed.deliveries, [expected])
        self.assertLess(len(expected), 200)
        self.assertEqual(self.delivered(), 6)

    def test_shared(self) -> None:
        """A message is compressed once for all who want the same."""
        listeners = [Listener(deflate=True) for _ in range(3)]
        for listener in listeners:
            self.fanout.add(listener, CHATS)
        self.chat(self.LARGE)
        self.clock.advance(0)
        for listener in listeners:
            self.assertIs(listener.deliveries[0], listeners[0].deliveries[0])

    def test_interests(self) -> None:
        """What they asked for is told apart from how they read it."""
        wishes = [(CHATS, False), (CHATS, True), (ALL, False), (ALL, True)]
        listeners = []
        for interest, deflate in wishes:
            listeners.append(Listener(deflate))
            self.fanout.add(listeners[-1], interest)
        self.fanout.publish([("raid", self.LARGE), ("chat", b"c")])
        self.clock.advance(0)
        packed = deflated_frame(self.LARGE)
        self.assertEqual(
            [listener.deliveries for listener in listeners],
            [
                [joined(b"c")],
                [joined(b"c")],
                [joined(self.LARGE, b"c")],
                [packed + frame(b"c")],
            ],
        )
        for listener in listeners:
            self.fanout.remove(listener)
        self.assertEqual(len(self.fanout), 0)


class DirectTests(FanoutCase):
    """Subscribers with nothing queued are written to without being asked."""

    def direct(self, interest: Interest = CHATS) -> tuple[Listener, socket.socket]:
        """A subscriber with a descriptor, which keeps what it is given, and the far end."""
        near, far = pair(self)
        listener = self.listener(interest)
        listener.direct = near.fileno()
        return listener, far

    def test_written(self) -> None:
        """The frames are there, and the subscriber was not asked; the count is the same."""
        ends = [self.direct() for _ in range(3)]
        self.chat(b"1", b"2")
        self.clock.advance(0)
        for listener, far in ends:
            self.assertEqual(everything(far), joined(b"1", b"2"))
            self.assertEqual(listener.deliveries, [])
        self.assertEqual(self.delivered(), 6)

    def test_mixed(self) -> None:
        """Those with a descriptor and those without get the same, wherever they stand."""
        listeners = [self.listener()]
        ends = [self.direct()]
        listeners.append(self.listener())
        ends.append(self.direct())
        listeners.append(self.listener())
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual([listener.deliveries for listener in listeners], [[joined(b"1")]] * 3)
        self.assertEqual([everything(far) for _, far in ends], [joined(b"1")] * 2)
        self.assertEqual([listener.deliveries for listener, _ in ends], [[], []])
        self.assertEqual(self.delivered(), 5)

    def test_asked_anew(self) -> None:
        """A descriptor is used only as long as the subscriber names it."""
        listener, far = self.direct()
        descriptor = listener.direct
        for payload, direct in ((b"1", descriptor), (b"2", -1), (b"3", descriptor)):
            listener.direct = direct
            self.chat(payload)
            self.clock.advance(0)
        self.assertEqual(everything(far), joined(b"1", b"3"))
        self.assertEqual(listener.deliveries, [joined(b"2")])

    def test_part(self) -> None:
        """What does not fit is given to the subscriber, from the very byte on."""
        ends = [self.direct() for _ in range(3)]
        payload = os.urandom(1_000_000)
        self.chat(payload)
        self.clock.advance(0)
        for listener, far in ends:
            (rest,) = listener.deliveries
            begun = everything(far)
            self.assertGreater(len(begun), 0)
            self.assertEqual(begun + rest, joined(payload))
        self.assertEqual(self.delivered(), 3)

    def test_full_or_broken(self) -> None:
        """Who cannot be written to at all is given everything; it costs no other a byte."""
        ends = [self.direct() for _ in range(8)]
        full, broken, closed = {0, 3}, {4}, {7}
        for index in full:
            descriptor = ends[index][0].direct
            while True:
                try:
                    os.write(descriptor, b"x" * 4096)
                except BlockingIOError:
                    break
        for index in broken:
            ends[index][1].close()
        for index in closed:
            spare = os.dup(ends[index][0].direct)
            os.close(spare)
            ends[index][0].direct = spare
        self.chat(b"1")
        self.clock.advance(0)
        for index, (listener, far) in enumerate(ends):
            if index in full | broken | closed:
                self.assertEqual(listener.deliveries, [joined(b"1")])
            else:
                self.assertEqual(listener.deliveries, [])
                self.assertEqual(everything(far), joined(b"1"))
        self.assertEqual(self.delivered(), 8)

    def test_newcomer_and_leaver(self) -> None:
        """A newcomer gets nothing of before, who leaves nothing of after, here as well."""
        leaver, leavers = self.direct()
        self.chat(b"1")
        _, news = self.direct()
        self.chat(b"2")
        self.fanout.remove(leaver)
        self.chat(b"3")
        self.clock.advance(0)
        self.assertEqual(everything(leavers), joined(b"1", b"2"))
        self.assertEqual(everything(news), joined(b"2", b"3"))


class CloseTests(FanoutCase):
    """The end of a channel."""

    def test_close(self) -> None:
        """What waits is written at once, and nothing is left on the clock."""
        listener = self.listener()
        self.chat(b"1")
        self.fanout.close()
        self.assertEqual(listener.deliveries, [joined(b"1")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_idle(self) -> None:
        """Nothing waits: nothing is written."""
        listener = self.listener()
        self.fanout.close()
        self.assertEqual(listener.deliveries, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_twice(self) -> None:
        """A second time does nothing."""
        listener = self.listener()
        self.chat(b"1")
        self.fanout.close()
        self.fanout.close()
        self.assertEqual(listener.deliveries, [joined(b"1")])

    def test_goodbyes(self) -> None:
        """After the close subscribers can still be taken out."""
        listener = self.listener()
        self.fanout.close()
        self.fanout.remove(listener)
        self.assertEqual(len(self.fanout), 0)


class AnyStoryTests(SynchronousTestCase):
    """Whatever happens in whatever order, everybody gets exactly what was theirs."""

    @bounded
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("toggle"), st.integers(0, 3)),
                st.tuples(st.sampled_from(["chat", "raid", "poll"]), st.integers(1, 3)),
                st.tuples(st.just("time"), st.integers(0, 30)),
                st.tuples(st.just("flush"), st.just(0)),
            ),
            max_size=40,
        )
    )
    def test_story(self, story: list[tuple[str, int]]) -> None:
        """Deliveries and their count are those of a model that writes each message by itself."""
        clock, metrics = Clock(), Metrics()
        fanout = Fanout(clock, EachWriter(), metrics.deliveries)
        wishes = (CHATS, ALL, RAIDS, CHATS)
        listeners = [Listener() for _ in wishes]
        for listener in listeners:
            listener.upon = lambda: setattr(clock, "rightNow", clock.rightNow + 0.03)
        expected: list[list[bytes]] = [[] for _ in wishes]
        present: set[int] = set()
        number = 0
        for action, argument in story:
            if action == "toggle":
                if argument in present:
                    fanout.remove(listeners[argument])
                else:
                    fanout.add(listeners[argument], wishes[argument])
                present ^= {argument}
            elif action == "time":
                clock.advance(argument / 1000)
            elif action == "flush":
                fanout.flush()
            else:
                payloads = [b"%d" % (number + n) for n in range(argument)]
                number += argument
                fanout.publish([(action, payload) for payload in payloads])
                for index in present:
                    if action == "chat" or wishes[index] in (
                        ALL,
                        Interest(frozenset({action})),
                    ):
                        expected[index] += payloads
            self.assertEqual(len(fanout), len(present))
            self.assertLessEqual(len(clock.getDelayedCalls()), 1)
        fanout.close()
        self.assertEqual(clock.getDelayedCalls(), [])
        for listener, payloads in zip(listeners, expected, strict=True):
            self.assertEqual(b"".join(listener.deliveries), joined(*payloads))
        self.assertEqual(
            metrics.registry.get_sample_value("livechat_deliveries_total"),
            sum(map(len, expected)),
        )
