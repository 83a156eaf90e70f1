# SPDX-License-Identifier: MIT
"""Statistics and brokerage within one process: the contracts, and what is theirs alone."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from livechat.brokers.local import LocalBroker
from livechat.core.ports import LEAVE_TIMEOUT, IBroker, IMembership, Live
from livechat.history.memory import TTL
from livechat.model.events import ChannelKey, LiveInfo, StatsData
from livechat.statistics.memory import MemoryStats
from tests.contracts.broker import KEY, OTHER, BrokerContract, Member, publish, stopped
from tests.contracts.stats_store import StatsStoreContract, counted, numbers, tally
from tests.support.fakes import nobody

bounded = settings(deadline=None, database=None, max_examples=150)

#: Tallies of few users, of whom even fewer are held.
_STREAMS = st.lists(
    st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(1, 9), max_size=12), max_size=25
)


class MemoryStatsContractTests(StatsStoreContract, TestCase):
    """`MemoryStats` is a statistics store."""

    kept_when_forgotten = 0

    def setUp(self) -> None:
        """An empty store."""
        self.store = MemoryStats()

    def result(self, deferred: Deferred[Any]) -> Deferred[Any]:
        """Memory answers at once."""
        return succeed(self.successResultOf(deferred))


class MemoryStatsTests(SynchronousTestCase):
    """Counting in bounded memory."""

    def snapshot(self, store: MemoryStats, key: ChannelKey = KEY, limit: int = 10**6) -> StatsData:
        """A channel's statistics; of everybody that the store holds."""
        return self.successResultOf(store.snapshot(key, limit))

    def test_storage_type(self) -> None:
        """It is memory, and says so."""
        self.assertEqual(MemoryStats().storage_type, "memory")

    def test_default_bound(self) -> None:
        """Ten thousand users of a channel are counted exactly."""
        store = MemoryStats()
        store.add(KEY, tally({str(number): 1 + number % 7 for number in range(10_000)}))
        data = self.snapshot(store)
        self.assertEqual(len(data.unique_users), 10_000)
        self.assertEqual(data.unique_user_count, 10_000)
        store.add(KEY, tally({"one more": 1}))
        self.assertEqual(len(self.snapshot(store).unique_users), 10_000)

    def test_newcomer(self) -> None:
        """Beyond the bound a newcomer takes place and count of the least active."""
        store = MemoryStats(max_users=3)
        store.add(KEY, tally({"a": 5, "b": 2, "c": 9}))
        store.add(KEY, tally({"d": 1}))
        data = self.snapshot(store)
        self.assertEqual(counted(data), [("c", 9), ("a", 5), ("d", 3)])
        self.assertEqual((data.total_messages, data.unique_user_count), (17, 4))

    def test_least_active_is_of_now(self) -> None:
        """Who has become active is not displaced for having been the least active once."""
        store = MemoryStats(max_users=2)
        store.add(KEY, tally({"a": 1, "b": 2}))
        store.add(KEY, tally({"a": 10}))
        store.add(KEY, tally({"c": 1}))
        self.assertEqual(counted(self.snapshot(store)), [("a", 11), ("c", 3)])

    def test_displaced_and_back(self) -> None:
        """Who was displaced and comes back is never counted too low."""
        store = MemoryStats(max_users=2)
        for counts in ({"a": 4, "b": 3}, {"c": 1}, {"b": 1}):
            store.add(KEY, tally(counts))
        counts = dict(counted(self.snapshot(store)))
        self.assertEqual(counts.keys(), {"b", "c"} if "c" in counts else {"a", "b"})
        self.assertGreaterEqual(counts["b"], 4)

    def test_newcomers_in_one_tally(self) -> None:
        """More newcomers in one tally than places: the bound holds, the total is exact."""
        store = MemoryStats(max_users=3)
        store.add(KEY, tally({str(number): 1 for number in range(100)}))
        data = self.snapshot(store)
        self.assertEqual(len(data.unique_users), 3)
        self.assertEqual((data.total_messages, data.unique_user_count), (100, 100))
        self.assertEqual(sum(count for _, count in counted(data)), 100)

    def test_one_place(self) -> None:
        """Even a single place works."""
        store = MemoryStats(max_users=1)
        for user in "abab":
            store.add(KEY, tally({user: 1}))
        self.assertEqual(counted(self.snapshot(store)), [("b", 4)])

    def test_bound_is_per_channel(self) -> None:
        """A crowd in one channel displaces nobody in another."""
        store = MemoryStats(max_users=3)
        store.add(OTHER, tally({"a": 1, "b": 1, "c": 1}))
        store.add(KEY, tally({str(number): 1 for number in range(100)}))
        self.assertEqual(
            sorted(counted(self.snapshot(store, OTHER))), [("a", 1), ("b", 1), ("c", 1)]
        )

    def test_bookkeeping_is_bounded(self) -> None:
        """What is kept to find the least active does not grow, either."""
        store = MemoryStats(max_users=10)
        random = Random(3)

        def many(times: int) -> int:
            for _ in range(times):
                store.add(KEY, tally({str(random.randrange(40)): random.randrange(1, 5)}))
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = many(500)
            after = many(3000)
        finally:
            tracemalloc.stop()
        self.assertLess(after - before, 5000)

    def test_forgotten(self) -> None:
        """A forgotten channel leaves nothing behind."""
        store = MemoryStats()
        store.add(KEY, tally({"a": 1}))
        store.forget(KEY, nobody)
        self.assertEqual(numbers(self.snapshot(store)), ([], 0, 0))
        self.assertEqual(store._channels, {})

    def test_asking_keeps_nothing(self) -> None:
        """Asking for unknown channels takes no memory."""
        store = MemoryStats()
        for number in range(100):
            self.snapshot(store, ChannelKey("twitch", "username", str(number)))
        self.assertEqual(store._channels, {})

    @bounded
    @given(_STREAMS, st.integers(1, 6))
    def test_space_saving(self, stream: list[dict[str, int]], places: int) -> None:
        """No count is too low, none too high by more than the least one; the total is exact."""
        store = MemoryStats(max_users=places)
        truth = Counter[str]()
        for counts in stream:
            truth.update(counts)
            store.add(KEY, tally(counts))
            data = self.snapshot(store)
            held = dict(counted(data))
            total = sum(truth.values())
            self.assertEqual(data.total_messages, total)
            self.assertEqual(len(held), min(places, len(truth)))
            self.assertGreaterEqual(data.unique_user_count, len(truth))
            # Nothing is lost: every message is counted for somebody.
            self.assertEqual(sum(held.values()), total)
            least = min(held.values(), default=0)
            for user, count in held.items():
                self.assertGreaterEqual(count, truth[user])
                if len(truth) > places:
                    self.assertLessEqual(count - truth[user], least)
                else:
                    self.assertEqual(count, truth[user])
            for user in truth.keys() - held.keys():
                self.assertLessEqual(truth[user], least)
            self.assertEqual([c for _, c in counted(data)], sorted(held.values(), reverse=True))

    @bounded
    @given(_STREAMS)
    def test_exact_within_the_bound(self, stream: list[dict[str, int]]) -> None:
        """As long as there is place for everybody, every number is exact."""
        store = MemoryStats(max_users=12)
        truth = Counter[str]()
        for counts in stream:
            truth.update(counts)
            store.add(KEY, tally(counts))
        data = self.snapshot(store)
        self.assertEqual(dict(counted(data)), truth)
        self.assertEqual(data.unique_user_count, len(truth))

    @bounded
    @given(_STREAMS, st.integers(1, 12), st.lists(st.integers(1, 5), min_size=1, max_size=4))
    def test_few_asked_for(
        self, stream: list[dict[str, int]], places: int, limits: list[int]
    ) -> None:
        """Asked only for a few, again and again, it names the same as when asked for all."""
        asked, unasked = MemoryStats(max_users=places), MemoryStats(max_users=places)
        for number, counts in enumerate(stream):
            for store in (asked, unasked):
                store.add(KEY, tally(counts))
            limit = limits[number % len(limits)]
            few = counted(self.snapshot(asked, limit=limit))
            fresh = MemoryStats(max_users=places)
            for earlier in stream[: number + 1]:
                fresh.add(KEY, tally(earlier))
            everybody = dict(counted(self.snapshot(fresh)))
            self.assertEqual(
                [count for _, count in few], sorted(everybody.values(), reverse=True)[:limit]
            )
            self.assertEqual(dict(few).items() - everybody.items(), set())
        self.assertEqual(
            sorted(counted(self.snapshot(asked))), sorted(counted(self.snapshot(unasked)))
        )

    def test_zipf(self) -> None:
        """Of a crowd ten times as large as there are places, the hundred most active are named."""
        random = Random(5)
        people = [str(number) for number in range(20_000)]
        weights = [1 / rank for rank in range(1, 20_001)]
        stream = random.choices(people, weights, k=200_000)
        store = MemoryStats(max_users=2000)
        truth = Counter[str]()
        for start in range(0, len(stream), 500):
            counts = Counter(stream[start : start + 500])
            truth.update(counts)
            store.add(KEY, tally(counts))
        data = self.snapshot(store, limit=100)
        named = {user for user, _ in counted(data)}
        right = {user for user, _ in truth.most_common(100)}
        self.assertGreaterEqual(len(named & right), 99)
        self.assertEqual(data.total_messages, 200_000)
        # The most active ones were there from the start, so their counts are exact.
        self.assertEqual(counted(data)[:20], truth.most_common(20))


class LocalBrokerContractTests(BrokerContract, TestCase):
    """`LocalBroker` is a broker."""

    def setUp(self) -> None:
        """One broker for all members, as there is one in a process."""
        self.clock = Clock()
        self._broker = LocalBroker(self.clock, self.clock.seconds, Random(1), ttl=TTL)

    def tearDown(self) -> None:
        """When everything has settled nothing is left on the clock."""
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def broker(self) -> IBroker:
        """The one there is."""
        return self._broker

    def settle(self) -> Deferred[None]:
        """Two turns of the clock: one member may be told because of another."""
        for _ in range(2):
            self.clock.advance(0)
        return succeed(None)

    def forget(self) -> Deferred[None]:
        """As long as an order is kept."""
        self.clock.advance(TTL)
        return succeed(None)


class LocalBrokerTests(SynchronousTestCase):
    """A plain call through."""

    def setUp(self) -> None:
        """A broker on a clock."""
        self.clock = Clock()
        self.broker = LocalBroker(self.clock, self.clock.seconds, Random(1))

    def test_next_turn(self) -> None:
        """Roles are told in the next turn."""
        member = Member()
        self.broker.join(KEY, member)
        self.assertEqual([call.getTime() for call in self.clock.getDelayedCalls()], [0.0])
        self.clock.advance(0)
        self.assertEqual(member.roles, ["lead"])

    def test_call_through(self) -> None:
        """A publication has arrived when the call returns, as the very batch."""
        member = Member()
        membership = self.broker.join(KEY, member)
        self.clock.advance(0)
        publish(membership, [("chat", b"1"), ("raid", b"2")])
        self.assertEqual(member.batches, [[("chat", b"1"), ("raid", b"2")]])

    def test_oldest_succeeds(self) -> None:
        """The one that has waited longest succeeds."""
        members = [Member() for _ in range(4)]
        memberships = [self.broker.join(KEY, member) for member in members]
        self.clock.advance(0)
        for index in range(3):
            memberships[index].leave(stopped)
            self.clock.advance(0)
            self.assertEqual(members[index + 1].roles, ["follow", "lead"])

    def test_nobody_there(self) -> None:
        """A publication of somebody who was the last to leave goes nowhere."""
        member = Member()
        membership = self.broker.join(KEY, member)
        self.clock.advance(0)
        membership.leave(stopped)
        publish(membership, [("chat", b"late")])
        self.assertEqual(member.batches, [])

    def test_stop_takes_too_long(self) -> None:
        """An upstream that does not stop holds a channel up for five seconds and no longer."""
        for stop in (Deferred, lambda: fail(ValueError("no")), lambda: 1 / 0):
            first, second = Member(), Member()
            leading = self.broker.join(KEY, first)
            following = self.broker.join(KEY, second)
            self.clock.advance(0)
            left = leading.leave(stop)  # type: ignore[arg-type]
            self.clock.advance(LEAVE_TIMEOUT)
            self.clock.advance(0)
            self.assertEqual(second.roles, ["follow", "lead"])
            self.assertTrue(left.called)
            following.leave(stopped)
            self.flushLoggedErrors()

    def test_nothing_kept(self) -> None:
        """Channels that all have left are let go of."""
        for number in range(10):
            key = ChannelKey("twitch", "username", str(number))
            membership = self.broker.join(key, Member())
            self.clock.advance(0)
            membership.leave(stopped)
        self.assertEqual((self.broker._topics, dict(self.broker._abandoned)), ({}, {}))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_times_are_wall_times(self) -> None:
        """Until when a quiet chat was received is wall time, whatever the timers run by."""
        broker = LocalBroker(self.clock, lambda: 1_700_000_000.0, Random(1), ttl=4.0)
        for until in ("", "2023-11-14T22:13:20.000Z"):
            member = Member()
            membership = broker.join(KEY, member)
            self.clock.advance(0)
            self.assertEqual(member.starts[0].until, until)
            membership.tell(Live(LiveInfo("live-ann")))
            membership.leave(stopped)

    def test_kept_for_a_while(self) -> None:
        """Orders of left channels are kept as long as was said, and then let go of."""
        broker = LocalBroker(self.clock, self.clock.seconds, Random(1), ttl=4.0)
        epochs = []
        for wait in (0.0, 3.9, 3.9, 4.0, 4.0):
            self.clock.advance(wait)
            member = Member()
            membership = broker.join(KEY, member)
            self.clock.advance(0)
            epochs.append(member.starts[0].epoch)
            membership.tell(Live(LiveInfo("live-ann")))
            membership.leave(stopped)
        self.assertEqual(epochs[:3], [epochs[0]] * 3)
        self.assertEqual(len(set(epochs)), 3)
        self.assertEqual(list(broker._abandoned), [KEY])
        self.clock.advance(4.0)
        broker.join(OTHER, Member()).leave(stopped)
        self.assertEqual(list(broker._abandoned), [])

    def test_never_live(self) -> None:
        """Of a channel that was never live nothing is kept: nobody was told of an order."""
        broker = LocalBroker(self.clock, self.clock.seconds, Random(1), ttl=4.0)
        membership = broker.join(KEY, Member())
        self.clock.advance(0)
        membership.leave(stopped)
        self.assertEqual((broker._topics, dict(broker._abandoned)), ({}, {}))

    @bounded
    @given(st.lists(st.sampled_from([-1, -1, -2, 0, 0, 1, 2]), max_size=40))
    def test_any_order(self, story: list[int]) -> None:
        """Joins (-1), turns (-2) and leaves in any order: never two leaders, or none for long."""
        clock = Clock()
        broker = LocalBroker(clock, clock.seconds, Random(1))
        present: list[tuple[Member, IMembership]] = []
        gone: list[tuple[Member, list[str]]] = []
        for action in [*story, -2]:
            if action == -1:
                member = Member()
                present.append((member, broker.join(KEY, member)))
            elif action == -2:
                clock.advance(0)
                clock.advance(0)
                self.assertEqual(clock.getDelayedCalls(), [])
            elif action < len(present):
                member, membership = present.pop(action)
                membership.leave(stopped)
                gone.append((member, list(member.roles)))
            leaders = sum("lead" in member.roles for member, _ in present)
            self.assertLessEqual(leaders, 1)
            if action == -2:
                self.assertEqual(leaders, min(1, len(present)))
            for member, _ in present:
                self.assertIn(member.roles, ([], ["lead"], ["follow"], ["follow", "lead"]))
            for member, roles in gone:
                self.assertEqual(member.roles, roles)
