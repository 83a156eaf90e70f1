# SPDX-License-Identifier: MIT
"""Budgets for requests to platforms: their rate, who is next, and who is told that they wait."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.ports import Requester
from livechat.fair import AGAIN_EVERY, MEMORY, Demand, FairQueue
from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Claim, Deadline, Dismissed, Limit

bounded = settings(deadline=None, database=None, max_examples=100)


class FairQueueTests(SynchronousTestCase):
    """Round robin by address and connection; who asks for least is served soon."""

    def setUp(self) -> None:
        """Nobody waits."""
        self.queue: FairQueue[str] = FairQueue()

    def put(self, name: str, address: str, connection: int, *, first: bool = True) -> None:
        """One more waits."""
        self.queue.put(name, Requester(address, connection), first=first)

    def taken(self, amount: int) -> list[str]:
        """The next ones."""
        return [self.queue.take() for _ in range(amount)]

    def test_order_of_one(self) -> None:
        """One connection gets what it asked for in the order in which it asked."""
        for name in "abcde":
            self.put(name, "192.0.2.1", 1)
        self.assertEqual(self.taken(5), list("abcde"))
        self.assertEqual(len(self.queue), 0)

    def test_addresses_before_connections(self) -> None:
        """An address with ten connections gets no more than an address with one."""
        for connection in range(10):
            for number in range(3):
                self.put(f"many {connection} {number}", "192.0.2.1", connection)
        for number in range(30):
            self.put(f"one {number}", "192.0.2.2", 99)
        shares = Counter(name.split()[0] for name in self.taken(20))
        self.assertEqual(shares, {"many": 10, "one": 10})

    def test_connections_of_an_address(self) -> None:
        """Connections of one address have equal shares, however much each asks for."""
        for connection, amount in ((1, 30), (2, 10), (3, 20)):
            for number in range(amount):
                self.put(f"{connection} {number}", "192.0.2.1", connection)
        shares = Counter(name.split()[0] for name in self.taken(24))
        self.assertTrue(all(7 <= share <= 10 for share in shares.values()), shares)

    def test_newcomer_with_one(self) -> None:
        """Behind 50 connections that want 32 each, one that wants one is next or next but one."""
        for connection in range(50):
            for number in range(32):
                self.put(f"{connection} {number}", "192.0.2.1", connection)
        self.taken(9)
        self.put("newcomer", "192.0.2.1", 1000)
        self.assertIn("newcomer", self.taken(2))

    def test_newcomer_behind_many_that_come_back(self) -> None:
        """Connections that had turns and ask for one thing after another do not get ahead."""
        for connection in range(50):
            self.put(f"{connection} x", "192.0.2.1", connection)
        for _ in range(100):
            self.put(f"{self.queue.take().split()[0]} x", "192.0.2.1", 0)
        for connection in range(1, 50):
            self.queue.remove(f"{connection} x")
            self.put(f"{connection} x", "192.0.2.1", connection)
        self.put("newcomer", "192.0.2.1", 1000)
        self.assertIn("newcomer", self.taken(4))

    def test_light_ones_do_not_starve_heavy_ones(self) -> None:
        """However many come with one wish each, every second turn goes round the ring."""
        for number in range(32):
            self.put(f"heavy {number}", "192.0.2.1", 1)
        served = 0
        for connection in range(100, 400):
            self.put(f"light {connection}", "192.0.2.1", connection)
            served += self.queue.take().startswith("heavy")
        self.assertGreaterEqual(served, 2)

    def test_again_after_first(self) -> None:
        """What is sought again waits for first questions, but never for more than a few of them."""
        for number in range(20):
            self.put(f"again {number}", "", 0, first=False)
            self.put(f"first {number}", "192.0.2.1", 1)
        taken = self.taken(20)
        self.assertTrue(taken[0].startswith("first"))
        self.assertEqual(sum(name.startswith("again") for name in taken), 20 // AGAIN_EVERY)
        self.assertEqual(len(self.taken(20)), 20)

    def test_remove(self) -> None:
        """Whoever leaves is not served, and nothing of it is kept."""
        for connection in range(1000):
            self.put(f"{connection}", f"192.0.2.{connection}", connection)
            self.queue.remove(f"{connection}")
        self.queue.remove("unknown")
        self.assertEqual(len(self.queue), 0)
        first = self.queue._first
        kept = (first._lines, first._where, first._asked_by_address, first._asked_by_connection)
        self.assertEqual([len(part) for part in kept], [0, 0, 0, 0])

    def test_memory_is_bounded(self) -> None:
        """How much somebody had is forgotten after a while."""
        for connection in range(3 * MEMORY):
            self.put("x", f"192.0.2.{connection}", connection)
            self.queue.take()
        self.assertLessEqual(len(self.queue._first._asked_by_connection), MEMORY)

    @bounded
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=60))
    def test_everybody_is_served_once(self, asked: list[tuple[int, int, bool]]) -> None:
        """Whoever waits is handed out exactly once."""
        queue: FairQueue[int] = FairQueue()
        for number, (address, connection, first) in enumerate(asked):
            queue.put(number, Requester(str(address), 4 * address + connection), first=first)
        self.assertEqual(sorted(queue.take() for _ in asked), list(range(len(asked))))


class DemandTests(SynchronousTestCase):
    """Who asks for how much is counted over all queues."""

    def test_least_over_all_queues(self) -> None:
        """Who waits with one item here and many elsewhere is behind one who has one in all."""
        demand = Demand()
        queue: FairQueue[str] = FairQueue(demand)
        for number in range(40):
            greedy = Requester(f"192.0.2.{number}", number)
            for _ in range(32):
                demand.add(greedy)
            queue.put(f"greedy {number}", greedy, first=True)
        newcomer = Requester("198.51.100.1", 99)
        demand.add(newcomer)
        queue.put("newcomer", newcomer, first=True)
        self.assertIn("newcomer", [queue.take() for _ in range(2)])

    def test_connections_of_an_address(self) -> None:
        """Behind one address, the connection that asks for least is served soon."""
        demand = Demand()
        queue: FairQueue[str] = FairQueue(demand)
        for connection in range(40):
            requester = Requester("192.0.2.1", connection)
            for _ in range(32 if connection < 39 else 1):
                demand.add(requester)
            queue.put(str(connection), requester, first=True)
        self.assertIn("39", [queue.take() for _ in range(2)])


class DeadlineTests(SynchronousTestCase):
    """Time counts only while it is not paused."""

    def test_pause(self) -> None:
        """A pause puts it off by as long as it lasts; pausing twice changes nothing."""
        clock, acted = Clock(), []
        deadline = Deadline(clock, 30.0, lambda: acted.append(clock.seconds()))
        clock.advance(10)
        deadline.pause()
        deadline.pause()
        clock.advance(100)
        self.assertEqual(deadline.left, 20)
        deadline.resume()
        deadline.resume()
        clock.advance(19)
        self.assertEqual((acted, deadline.left), ([], 1))
        clock.advance(1)
        self.assertEqual((acted, deadline.left), ([130.0], 0))
        deadline.pause()
        deadline.resume()
        clock.advance(100)
        self.assertEqual(acted, [130.0])

    def test_cancel(self) -> None:
        """A cancelled one never acts, whatever comes after."""
        for paused in (False, True):
            clock = Clock()
            deadline = Deadline(clock, 30.0, lambda: self.fail("it acted"))
            if paused:
                deadline.pause()
            deadline.cancel()
            deadline.resume()
            clock.advance(100)
            self.assertEqual(clock.getDelayedCalls(), [])


class HeldGate:
    """A gate that opens when the test says so.

    :ivar asked: those who wait before it.
    :ivar left: how many have left.
    """

    def __init__(self) -> None:
        self.asked: list[Deferred[None]] = []
        self.left = 0

    def enter(self) -> Deferred[None]:
        """See `Gate`."""
        self.asked.append(Deferred())
        return self.asked[-1]

    def leave(self) -> None:
        """See `Gate`."""
        self.left += 1


class GateTests(SynchronousTestCase):
    """A budget that is shared with other processes."""

    def setUp(self) -> None:
        """A budget of two at once, behind a gate."""
        self.clock = Clock()
        self.gate = HeldGate()
        limit = Limit(5, 10.0, at_once=2)
        self.budget = Budget(self.clock, limit, Metrics(), "twitch", "joins", self.gate)

    def wait(self) -> Deferred[None]:
        """Somebody waits."""
        return self.budget.wait(Claim(self.clock))

    def test_both(self) -> None:
        """A request begins when the gate lets it in, one after another, within the own limit."""
        turns = [self.wait() for _ in range(3)]
        self.assertEqual(len(self.gate.asked), 1)
        self.assertNoResult(turns[0])
        self.gate.asked[0].callback(None)
        self.successResultOf(turns[0])
        self.gate.asked[1].callback(None)
        self.successResultOf(turns[1])
        self.assertEqual(len(self.gate.asked), 2)
        self.budget.finish()
        self.assertEqual((len(self.gate.asked), self.gate.left), (3, 1))
        self.assertNoResult(turns[2])

    def test_nobody_waits_any_more(self) -> None:
        """Who gives up while the gate is asked costs the others nothing: what was let in leaves."""
        turn = self.wait()
        turn.cancel()
        self.failureResultOf(turn, CancelledError)
        self.gate.asked[0].callback(None)
        self.assertEqual((self.gate.left, self.budget.left), (1, 2))
        later = self.wait()
        self.gate.asked[1].callback(None)
        self.successResultOf(later)


class BudgetTests(SynchronousTestCase):
    """So many in any stretch of so many seconds, so many at once."""

    def setUp(self) -> None:
        """A clock, and nobody who waits."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.metrics = Metrics()
        self.queued: list[float] = []

    def budget(self, count: int, period: float, at_once: int = 0) -> Budget:
        """A budget."""
        limit = Limit(count, period, at_once)
        return Budget(self.clock, limit, self.metrics, "twitch", "joins")

    def claim(self, connection: int = 1, deadline: Deadline | None = None) -> Claim:
        """A claim that notes when it is told that it waits."""
        return Claim(
            self.clock,
            Requester("192.0.2.1", connection),
            queued=lambda: self.queued.append(self.clock.seconds() - 1_767_000_000),
            deadline=deadline,
        )

    def series(self, name: str) -> float | None:
        """One value of the metrics."""
        labels = {"platform": "twitch", "kind": "joins"}
        return self.metrics.registry.get_sample_value(name, labels)

    def test_any_stretch(self) -> None:
        """A rested budget gives at once what it has; no stretch ever has more than that."""
        budget = self.budget(9, 5.25)
        begun: list[float] = []
        self.clock.advance(100)
        for step in range(400):
            if step % 3 == 0:
                wait = budget.wait(self.claim())
                wait.addCallback(lambda _: begun.append(self.clock.seconds()))
            self.clock.advance(0.125)
        for began in begun:
            self.assertLessEqual(sum(began <= other < began + 5.25 for other in begun), 9)
            # Which is also what Twitch counts.
            self.assertLessEqual(sum(began <= other < began + 10.5 for other in begun), 18)
        self.assertGreaterEqual(len(begun), 80)

    def test_time_left(self) -> None:
        """A claim says how much time its start has left, which waiting for a turn does not cost."""
        budget = self.budget(1, 10.0)
        claim = self.claim(deadline=Deadline(self.clock, 30.0, lambda: None))
        self.successResultOf(budget.wait(self.claim()))
        self.clock.advance(4.0)
        self.assertEqual(claim.left, 26.0)
        wait = budget.wait(claim)
        self.clock.advance(5.0)
        self.assertEqual(claim.left, 26.0)
        self.clock.advance(1.0)
        self.successResultOf(wait)
        self.clock.advance(1.0)
        self.assertEqual(claim.left, 25.0)
        self.assertEqual(self.claim().left, float("inf"))

    def test_at_once(self) -> None:
        """No more are under way than may be, whether they end well or not."""
        budget = self.budget(100, 1.0, at_once=2)
        ends: list[Deferred[None]] = []

        async def request() -> None:
            async with budget.turn(self.claim()):
                ends.append(Deferred())
                await ends[-1]

        requests = [Deferred.fromCoroutine(request()) for _ in range(5)]
        self.assertEqual(len(ends), 2)
        ends[0].callback(None)
        self.assertEqual(len(ends), 3)
        ends[1].errback(ValueError())
        self.failureResultOf(requests[1], ValueError)
        self.assertEqual(len(ends), 4)
        requests[2].cancel()
        self.failureResultOf(requests[2], CancelledError)
        self.assertEqual((len(ends), budget.left), (5, 0))

    def test_cancelled(self) -> None:
        """Whoever gives up takes no turn, and leaves no timer behind."""
        budget = self.budget(1, 10.0)
        budget.wait(self.claim())
        waits = [budget.wait(self.claim()) for _ in range(3)]
        for wait in waits:
            wait.cancel()
            self.failureResultOf(wait, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(10)
        self.successResultOf(budget.wait(self.claim()))

    def test_dismissed(self) -> None:
        """All who wait are sent to decide anew; a turn that is under way goes on."""
        budget = self.budget(1, 10.0)
        self.successResultOf(budget.wait(self.claim()))
        waits = [budget.wait(self.claim()) for _ in range(3)]
        budget.dismiss()
        for wait in waits:
            self.failureResultOf(wait, Dismissed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        later = budget.wait(self.claim())
        self.clock.advance(10)
        self.successResultOf(later)

    def test_told(self) -> None:
        """Who waits is told after two seconds and then every ten; nobody else is."""
        budget = self.budget(1, 30.0)
        for connection in (1, 2):
            budget.wait(self.claim(connection))
        self.clock.pump([0.5] * 59)
        self.assertEqual(self.queued, [2.0, 12.0, 22.0])
        self.clock.pump([0.5] * 60)
        self.assertEqual(self.queued, [2.0, 12.0, 22.0])

    def test_told_once_in_ten_seconds(self) -> None:
        """A start that waits several times is told no more often than one that waits once."""
        budget = self.budget(1, 3.0)
        claim = self.claim()
        for _ in range(20):
            budget.wait(claim)
            self.clock.pump([0.25] * 10)
        self.assertGreaterEqual(len(self.queued), 3)
        gaps = [b - a for a, b in zip(self.queued, self.queued[1:], strict=False)]
        self.assertTrue(all(gap >= 10 for gap in gaps), self.queued)

    def test_telling_may_fail(self) -> None:
        """One who cannot be told waits all the same, and so do the others."""
        budget = self.budget(1, 30.0)
        budget.wait(self.claim())

        def broken() -> None:
            raise ValueError("broken")

        wait = budget.wait(Claim(self.clock, queued=broken))
        self.clock.pump([0.5] * 60)
        self.successResultOf(wait)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 3)

    def test_deadline_stands_still(self) -> None:
        """A start's deadline does not run while the start waits for its turn."""
        budget = self.budget(1, 60.0)
        budget.wait(self.claim())
        acted: list[float] = []
        deadline = Deadline(self.clock, 30.0, lambda: acted.append(self.clock.seconds()))
        self.clock.advance(10)
        wait = budget.wait(self.claim(2, deadline))
        self.clock.advance(50)
        self.successResultOf(wait)
        self.clock.advance(19)
        self.assertEqual(acted, [])
        self.clock.advance(1)
        self.assertEqual(len(acted), 1)

    def test_clock_set_back(self) -> None:
        """A clock that was set back keeps nobody for longer than one stretch."""
        budget = self.budget(2, 10.0)
        for _ in range(2):
            budget.wait(self.claim())
        self.clock.rightNow -= 3600
        wait = budget.wait(self.claim())
        self.assertEqual(budget.left, 0)
        self.clock.advance(10)
        self.successResultOf(wait)

    def test_clock_set_forward(self) -> None:
        """A clock that was set forward gives at most one more helping."""
        budget = self.budget(2, 10.0)
        for _ in range(2):
            budget.wait(self.claim())
        self.clock.rightNow += 3600
        for _ in range(2):
            self.successResultOf(budget.wait(self.claim()))
        self.assertNoResult(budget.wait(self.claim()))

    def test_metrics(self) -> None:
        """Who waits, what is left and what was taken can be read."""
        budget = self.budget(2, 10.0)
        for _ in range(5):
            budget.wait(self.claim())
        self.assertEqual(self.series("livechat_budget_waiting"), 3)
        self.assertEqual(self.series("livechat_budget_left"), 0)
        self.assertEqual(self.series("livechat_budget_taken_total"), 2)
        self.clock.advance(100)
        self.assertIn(b"livechat_budget_waiting", generate_latest(self.metrics.registry))

    def test_turns_from_within_a_turn(self) -> None:
        """Whoever asks for another turn when it gets one neither loops nor takes too many."""
        budget = self.budget(3, 10.0)
        taken: list[int] = []

        def again(_: None) -> None:
            taken.append(1)
            budget.finish()
            budget.wait(self.claim()).addCallback(again)

        budget.wait(self.claim()).addCallback(again)
        self.assertEqual(len(taken), 3)
        self.clock.advance(10)
        self.assertEqual(len(taken), 6)
