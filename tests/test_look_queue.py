# SPDX-License-Identifier: MIT
"""In which order channels are looked at, and how often: `LookQueue` and `LookPace`."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.look_pace import LookPace, Next
from livechat.core.look_queue import LookQueue
from livechat.core.look_rate import Bearing
from livechat.core.ports import LookRate
from livechat.model import error_catalogue
from livechat.model.events import iso_time


class QueueCase(SynchronousTestCase):
    """A queue of names on a fake clock; a turn lasts until the test ends it."""

    rate = LookRate(2.0, at_once=2)
    every = 60.0

    def setUp(self) -> None:
        """Nothing planned."""
        self.clock = Clock()
        self.queue: LookQueue[str] = LookQueue(self.clock, self.rate, self.turn, self.every)
        self.turns: list[tuple[float, str]] = []
        self.is_quick = True

    def turn(self, name: str) -> None:
        """It is somebody's turn."""
        self.turns.append((self.clock.seconds(), name))
        if self.is_quick:
            self.queue.finished()

    def run_until(self, seconds: float) -> None:
        """Let time pass in small steps."""
        while self.clock.seconds() < seconds:
            self.clock.advance(0.25)

    def names(self) -> str:
        """Who had a turn since the last call."""
        turns, self.turns = self.turns, []
        return "".join(name for _, name in turns)


class TurnTests(QueueCase):
    """Who has a turn, and when."""

    def test_due(self) -> None:
        """In the order in which they are due, each once."""
        self.queue.plan("b", 2)
        self.queue.plan("a", 1)
        self.run_until(0.75)
        self.assertEqual(self.turns, [])
        self.run_until(10)
        self.assertEqual(self.turns, [(1, "a"), (2, "b")])
        self.assertEqual(len(self.queue), 0)

    def test_rate(self) -> None:
        """Those who are due together have their turns one after the other."""
        for name in "abcde":
            self.queue.plan(name, 1)
        self.run_until(10)
        self.assertEqual([when for when, _ in self.turns], [1, 1.5, 2, 2.5, 3])

    def test_at_once(self) -> None:
        """So many turns at once; the end of one is the beginning of the next."""
        self.is_quick = False
        for name in "abc":
            self.queue.plan(name, 0)
        self.run_until(10)
        self.assertEqual(self.names(), "ab")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.queue.finished()
        self.assertEqual(self.names(), "c")

    def test_replaced(self) -> None:
        """A new plan replaces the old one, sooner or later."""
        self.queue.plan("a", 1)
        self.queue.plan("a", 5)
        self.queue.plan("b", 9)
        self.queue.plan("b", 3)
        self.run_until(20)
        self.assertEqual(self.turns, [(3, "b"), (5, "a")])

    def test_replaced_by_a_sooner_one(self) -> None:
        """When that has had its turn, nothing stays on the clock of the plan before it."""
        self.queue.plan("a", 60)
        self.queue.plan("a", 1)
        self.run_until(2)
        self.assertEqual(self.turns, [(1, "a")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_removed(self) -> None:
        """Who was removed has no turn; without anybody nothing is on the clock."""
        self.queue.plan("a", 1, urgent_from=2)
        self.queue.plan("b", 3)
        self.queue.remove("a")
        self.queue.remove("a")
        self.run_until(2)
        self.queue.remove("b")
        self.assertEqual((self.turns, self.clock.getDelayedCalls()), ([], []))

    def test_urgent_first(self) -> None:
        """Who is urgent is before the others, but for one turn in four."""
        for name in "ABCDEF":
            self.queue.plan(name, 0.5, urgent_from=0.5)
        for name in "abc":
            self.queue.plan(name, 0.25)
        self.run_until(10)
        self.assertEqual(self.names(), "aABbCDEcF")

    def test_becomes_urgent(self) -> None:
        """Who waits for a turn and becomes urgent is before those who have waited as long."""
        for name in "abcdefgh":
            self.queue.plan(name, 0)
        self.queue.plan("x", 0, urgent_from=1.25)
        self.run_until(10)
        self.assertEqual(self.names(), "abcdxefgh")

    def test_far_urgency(self) -> None:
        """What becomes urgent only in months leaves nothing behind with every plan."""
        for second in range(100):
            self.queue.plan("a", second, urgent_from=1e7)
            self.run_until(second + 0.5)
        self.assertLess(len(self.queue._later), 3)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from("abcdef"),
                st.one_of(st.none(), st.floats(0, 50)),
                st.one_of(st.just(inf), st.floats(0, 60)),
                st.floats(0, 5),
            ),
            max_size=40,
        )
    )
    def test_any_plans(self, steps: list[tuple[str, float | None, float, float]]) -> None:
        """Whatever is planned and removed: each plan is one turn, not too early and in the rate."""
        self.setUp()
        due: dict[str, float] = {}
        begun: list[float] = []

        def turn(name: str) -> None:
            self.assertGreaterEqual(self.clock.seconds() + 1e-9, due.pop(name))
            begun.append(self.clock.seconds())
            self.queue.finished()

        self.queue = LookQueue(self.clock, self.rate, turn, self.every)
        for name, wait, urgent, passes in steps:
            now = self.clock.seconds()
            if wait is None:
                due.pop(name, None)
                self.queue.remove(name)
            else:
                due[name] = now + wait
                self.queue.plan(name, now + wait, now + urgent)
            self.clock.advance(passes)
        self.clock.pump([0.5] * 200)
        self.assertEqual((due, len(self.queue), self.clock.getDelayedCalls()), ({}, 0, []))
        for one, following in pairwise(begun):
            self.assertGreaterEqual(following - one, 0.5 - 1e-9)


class SpreadTests(QueueCase):
    """Few items do not come together, although the platform bears it."""

    rate = LookRate(16.0, at_once=100, spread_from=2.0)
    every = 10.0

    def planned(self, count: int, urgent_from: float = inf) -> None:
        """So many items are due together; each has its turn once."""
        for number in range(count):
            self.queue.plan(str(number), 1, urgent_from)
        self.clock.pump([1 / 64] * 64 * 30)
        self.assertEqual(len(self.turns), count)

    def lasted(self) -> float:
        """Seconds between the first turn and the last."""
        return self.turns[-1][0] - self.turns[0][0]

    def test_few(self) -> None:
        """A few are given out as slowly as that."""
        self.planned(5)
        self.assertAlmostEqual(self.lasted(), 4 * 0.5, 1)

    def test_spread(self) -> None:
        """So many that they need more have it, and not much more."""
        for number in range(80):
            self.queue.plan(str(number), 1)
        begun: list[float] = []
        for _ in range(3000):
            self.clock.advance(0.01)
            for when, name in self.turns:
                begun.append(when)
                self.queue.plan(name, when + self.every)
            self.turns.clear()
        rounds = [sum(since <= when < since + self.every for when in begun) for since in (1, 11)]
        self.assertEqual(rounds, [80, 80])
        in_a_second = max(sum(at <= when < at + 1 for when in begun) for at in range(30))
        self.assertLessEqual(in_a_second, 80 / 10 * 1.25 + 1)

    def test_many(self) -> None:
        """More than the platform bears: as many as it bears."""
        for number in range(400):
            self.queue.plan(str(number), 1)
        self.clock.pump([1 / 64] * 64 * 11)
        self.assertEqual([when for when, _ in self.turns], [1 + n / 16 for n in range(160 + 1)])

    def test_urgent(self) -> None:
        """What is urgent is not held up."""
        self.planned(5, urgent_from=1)
        self.assertAlmostEqual(self.lasted(), 4 / 16, 1)


class BearingTests(SynchronousTestCase):
    """What a platform bears that has refused."""

    def test_never_refused(self) -> None:
        """All of it, at any time."""
        self.assertEqual([Bearing(18).per_second(now) for now in (0, 1e9)], [18, 18])

    def test_refused(self) -> None:
        """Half of it, then slowly more, up to all of it."""
        bearing = Bearing(18)
        bearing.refused(99, 100)
        self.assertEqual(bearing.per_second(100), 9)
        self.assertAlmostEqual(bearing.per_second(400), 9 + 18 / 4)
        self.assertEqual(bearing.per_second(1000), 18)

    def test_at_once(self) -> None:
        """Looks that are refused together count once, one that begins after that again."""
        bearing = Bearing(16)
        for _ in range(5):
            bearing.refused(99, 100)
        bearing.refused(100.5, 101)
        self.assertAlmostEqual(bearing.per_second(101), 4, 1)

    def test_for_ever(self) -> None:
        """However often it refuses, it is looked again."""
        bearing = Bearing(16)
        for now in range(1, 1000):
            bearing.refused(now - 0.5, now)
        self.assertAlmostEqual(bearing.per_second(999), 0.25, 1)


class RefusedTests(QueueCase):
    """Turns after a refusal."""

    def test_slower(self) -> None:
        """They come half as often."""
        for name in "abcd":
            self.queue.plan(name, 1)
        self.run_until(1)
        self.queue.refused(1)
        self.run_until(10)
        gaps = [after - before for (before, _), (after, _) in pairwise(self.turns)]
        self.assertEqual([round(gap) for gap in gaps[1:]], [1, 1])


class PaceTests(SynchronousTestCase):
    """How soon a channel is looked at again."""

    def setUp(self) -> None:
        """The ordinary pace."""
        self.pace = LookPace(Random(1))

    def after(self, announced: float | None, now: float = 10_000.0) -> Next:
        """After a look at a channel that is not live, or is announced for so many seconds ahead."""
        start = None if announced is None else iso_time(round((now + announced) * 1000))
        return self.pace.after(error_catalogue.UPCOMING.error(scheduled_start=start), now)

    def between(self, found: float, least: float) -> None:
        """Never sooner than it may be, and hardly later."""
        self.assertGreaterEqual(found, least * 1.005)
        self.assertLessEqual(found, least * 1.02)

    def test_ordinary(self) -> None:
        """Once in a minute, and not all together."""
        found = [self.after(None).wait for _ in range(100)]
        for wait in found:
            self.between(wait, 60)
        self.assertGreater(len(set(found)), 90)
        self.assertEqual(self.after(None).urgent, inf)

    def test_announced(self) -> None:
        """Once in 15 s from five minutes before to thirty minutes after the announced start."""
        for announced in (300, 0, -1800):
            found = self.after(announced)
            self.between(found.wait, 15)
            self.assertEqual(found.urgent, 0)
        self.between(self.after(-1801).wait, 60)
        self.between(self.after(86400 * 300).wait, 60)

    def test_the_next_look_is_not_late(self) -> None:
        """Shortly before those five minutes begin, the next look is when they begin."""
        self.assertEqual(self.after(330), Next(30, 30))
        self.between(self.after(310).wait, 15)

    def test_own_pace(self) -> None:
        """Another pace holds around an announced start, too, where it is a shorter one."""
        self.pace = LookPace(Random(1), 2)
        self.between(self.after(None).wait, 2)
        self.between(self.after(0).wait, 2)
        self.pace = LookPace(Random(1), 600)
        self.between(self.after(0).wait, 15)

    def test_missing(self) -> None:
        """What is there no more is looked at seldom; what may only be hidden from us is not."""
        self.between(self.pace.after(error_catalogue.MISSING.error(), 0).wait, 600)
        self.between(self.pace.after(error_catalogue.HIDDEN.error(), 0).wait, 60)

    def test_after_end(self) -> None:
        """A stream that has ended may be started again at once."""
        found = [self.pace.after_end().wait for _ in range(100)]
        self.assertLessEqual(max(found), 10)
        self.assertGreater(max(found) - min(found), 5)
        self.assertLessEqual(LookPace(Random(1), 1).after_end().wait, 1)
