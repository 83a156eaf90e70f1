# SPDX-License-Identifier: MIT
"""Counting one channel: when statistics are stored and told, with quick stores and slow ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import inf
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from livechat.core.ports import IStatsStore, Start
from livechat.core.publication import Publication
from livechat.core.stats import PUSH_INTERVAL, ChannelStats
from livechat.history.memory import MemoryHistory
from livechat.model.chat import Author, ChatData, ChatMessage, ChatMetadata, Roles
from livechat.model.events import CHAT_BIT, ChannelKey, StatsData, Tally
from livechat.model.text import content
from livechat.statistics.memory import MemoryStats
from tests.support.fakes import chats, happening
from tests.support.schema import frames

bounded = settings(deadline=None, database=None, max_examples=100)

KEY = ChannelKey("twitch", "username", "ann")
MEMBER = Roles(subscriber=True)


def said(
    user: str = "bob", *, name: str | None = None, roles: Roles | None = None, **metadata: Any
) -> ChatMessage:
    """A message of somebody."""
    shown = user.title() if name is None else name
    return ChatMessage(
        "twitch",
        "2026-01-02T03:04:05.678Z",
        "id",
        "room",
        ChatData(
            Author(f"id-{user}", shown.lower(), shown, None, roles or Roles(), []),
            content(["hi"]),
            ChatMetadata(**metadata),
        ),
    )


@implementer(IStatsStore)
class SlowStore:
    """Statistics in memory that are there at once but told only when the test says so.

    What is answered is what was true when the question came.
    """

    storage_type: str = "redis"
    health: Mapping[str, object] = {}
    interval: float = inf

    def __init__(self) -> None:
        self._memory = MemoryStats()
        self.calls: list[str] = []
        self.waiting: list[tuple[Deferred[StatsData], StatsData]] = []

    def storage_of(self, key: ChannelKey) -> str:
        """See `IStatsStore`."""
        return self.storage_type

    def open(self, key: ChannelKey, changed: Callable[[], None]) -> None:
        """See `IStatsStore`."""

    def add(self, key: ChannelKey, tally: Tally) -> Deferred[None]:
        """See `IStatsStore`; never answered."""
        self.calls.append(f"add {tally.total}")
        self._memory.add(key, tally)
        return Deferred()

    def seal(self, key: ChannelKey, epoch: str, seq: int) -> Deferred[int]:
        """See `IStatsStore`."""
        return self._memory.seal(key, epoch, seq)

    def snapshot(self, key: ChannelKey, limit: int) -> Deferred[StatsData]:
        """See `IStatsStore`."""
        self.calls.append("snapshot")
        answer: Deferred[StatsData] = Deferred()
        self._memory.snapshot(key, limit).addCallback(
            lambda data: self.waiting.append((answer, data))
        )
        return answer

    def forget(self, key: ChannelKey, changed: Callable[[], None]) -> Deferred[None]:
        """See `IStatsStore`; never answered."""
        self.calls.append("forget")
        return Deferred()

    def answer(self, index: int = 0) -> None:
        """Answer the oldest question, or another one."""
        answer, data = self.waiting.pop(index)
        answer.callback(data)


class SealingStore(MemoryStats):
    """A store that knows up to which number everything is counted.

    :ivar sealed: what it was told of; `covered`: of which numbers the counts were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sealed: list[tuple[str, int]] = []
        self.covered: list[tuple[str, int, int]] = []

    def add(self, key: ChannelKey, tally: Tally) -> Deferred[None]:
        """See `IStatsStore`."""
        self.covered.append((tally.epoch, tally.since, tally.until))
        return super().add(key, tally)

    def seal(self, key: ChannelKey, epoch: str, seq: int) -> Deferred[int]:
        """See `IStatsStore`."""
        self.sealed.append((epoch, seq))
        return succeed(2)


class StatsCase(SynchronousTestCase):
    """One channel's statistics on a clock."""

    def setUp(self) -> None:
        """Nothing counted, some time of day."""
        self.clock = Clock()
        self.clock.advance(5000.0)
        self.pushed: list[bytes] = []

    def stats(self, store: IStatsStore, limit: int = 100) -> ChannelStats:
        """Statistics that are kept in a store and pushed into `pushed`."""
        return ChannelStats(
            KEY,
            store,
            self.clock,
            limit,
            lambda snapshot: self.pushed.append(snapshot.message(KEY)),
        )

    def data(self, payload: bytes) -> dict[str, Any]:
        """The `data` of an encoded `stats` message of our channel."""
        message = frames().read(payload)
        data: dict[str, Any] = message.pop("data")
        self.assertEqual(message, {"type": "stats", "platform": "twitch", "identifier": "ann"})
        return data

    def totals(self) -> list[int]:
        """The totals of everything that was pushed."""
        return [self.data(payload)["totalMessages"] for payload in self.pushed]

    def counts(self, payload: bytes) -> list[tuple[str, int]]:
        """Names and counts in an encoded message, in its order."""
        users = self.data(payload)["uniqueUsers"]
        return [(user["display_name"], user["messageCount"]) for user in users]


class QuickStoreTests(StatsCase):
    """With a store that answers at once."""

    def setUp(self) -> None:
        """Statistics in memory."""
        super().setUp()
        self.store = MemoryStats()
        self.channel = self.stats(self.store)

    def snapshot(self) -> bytes:
        """The statistics as of now."""
        return self.successResultOf(self.channel.snapshot()).message(KEY)

    def test_nothing(self) -> None:
        """Before the first message there are zeros, and nothing is pushed or on the clock."""
        self.assertEqual(
            self.data(self.snapshot()),
            {"uniqueUsers": [], "totalMessages": 0, "uniqueUserCount": 0},
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(100)
        self.assertEqual(self.pushed, [])

    def test_exact_bytes(self) -> None:
        """The message begins as the specification writes it; additions come after that."""
        self.channel.count(said("bob", roles=MEMBER))
        self.clock.advance(0)
        expected = (
            b'{"type":"stats","data":{"uniqueUsers":[{"id":"id-bob","username":"bob",'
            b'"display_name":"Bob","roles":{"broadcaster":false,"moderator":false,'
            b'"subscriber":true,"verified":false},"messageCount":1}],"totalMessages":1,'
            b'"uniqueUserCount":1'
        )
        (payload,) = self.pushed
        self.assertEqual(payload[: len(expected)], expected)
        self.assertTrue(payload.endswith(b'},"platform":"twitch","identifier":"ann"}'))
        self.assertEqual(self.snapshot(), payload)

    def test_first_push(self) -> None:
        """The first message of a quiet channel is told in the next turn, not in this one."""
        self.channel.count(said())
        self.assertEqual(self.pushed, [])
        self.clock.advance(0)
        self.assertEqual(self.totals(), [1])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_once_a_second(self) -> None:
        """However many messages come, statistics are pushed once a second."""
        times: list[float] = []
        channel = ChannelStats(
            KEY, self.store, self.clock, 100, lambda _: times.append(self.clock.seconds())
        )
        for _ in range(5000):
            channel.count(said())
            self.clock.advance(0.001)
        self.clock.pump([0.001] * 1001)
        self.assertEqual(PUSH_INTERVAL, 1.0)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        self.assertEqual(len(times), 6)
        self.assertGreaterEqual(min(gaps), 0.999999)
        self.assertLess(max(gaps), 1.01)

    def test_last_push_is_whole(self) -> None:
        """After the last message everything is told within a second."""
        for number in range(7):
            self.channel.count(said(f"user{number}"))
            self.clock.advance(0.3)
        self.clock.advance(1)
        self.assertEqual(self.totals()[-1], 7)
        self.assertEqual(self.totals(), sorted(set(self.totals())))

    def test_only_if_changed(self) -> None:
        """When nobody writes nothing is pushed."""
        self.channel.count(said())
        self.clock.advance(0)
        for _ in range(100):
            self.clock.advance(1)
        self.assertEqual(self.totals(), [1])
        self.channel.count(said())
        self.clock.advance(0)
        self.assertEqual(self.totals(), [1, 2])

    def test_waits_out_the_second(self) -> None:
        """A message 0.4 s after a push is told 0.6 s later."""
        self.channel.count(said())
        self.clock.advance(0)
        self.clock.advance(0.4)
        self.channel.count(said())
        (call,) = self.clock.getDelayedCalls()
        self.assertAlmostEqual(call.getTime() - self.clock.seconds(), 0.6)
        self.clock.advance(0.59)
        self.assertEqual(self.totals(), [1])
        self.clock.advance(0.02)
        self.assertEqual(self.totals(), [1, 2])

    def test_clock_set_back(self) -> None:
        """A clock that is set back by a day makes no wait longer than a second."""
        self.channel.count(said())
        self.clock.advance(0)
        self.clock.rightNow -= 86_400
        self.channel.count(said())
        self.clock.advance(1.0)
        self.assertEqual(self.totals(), [1, 2])

    def test_clock_set_forward(self) -> None:
        """A clock that is set forward makes no wait at all."""
        self.channel.count(said())
        self.clock.advance(0)
        self.clock.rightNow += 86_400
        self.channel.count(said())
        self.clock.advance(0)
        self.assertEqual(self.totals(), [1, 2])

    def test_snapshot_is_last_push(self) -> None:
        """When nothing has changed a snapshot is byte for byte what was pushed last."""
        for user in ("bob", "eve", "bob"):
            self.channel.count(said(user))
        self.clock.advance(0)
        for _ in range(3):
            self.assertEqual(self.snapshot(), self.pushed[-1])
            self.clock.advance(10)

    def test_snapshot_between_pushes(self) -> None:
        """A snapshot tells what the next push will, without waiting for it."""
        self.channel.count(said())
        self.clock.advance(0)
        self.channel.count(said())
        early = self.snapshot()
        self.assertEqual(self.data(early)["totalMessages"], 2)
        self.assertEqual(self.totals(), [1])
        self.clock.advance(1)
        self.assertEqual(self.pushed[-1], early)
        self.assertEqual(self.totals(), [1, 2])

    def test_snapshot_and_one_more(self) -> None:
        """What comes between a snapshot and the push is in the push, and in the next snapshot."""
        self.channel.count(said())
        self.snapshot()
        self.channel.count(said())
        self.assertEqual(self.data(self.snapshot())["totalMessages"], 2)
        self.channel.count(said())
        self.clock.advance(0)
        self.assertEqual(self.totals(), [3])

    def test_users(self) -> None:
        """Users are told most active first, each with the number of their messages."""
        for user in ("ann", "bob", "bob", "eve", "bob", "eve"):
            self.channel.count(said(user))
        self.clock.advance(0)
        self.channel.count(said("ann"))
        self.channel.count(said("ann"))
        self.channel.count(said("ann"))
        self.clock.advance(1)
        self.assertEqual(self.counts(self.pushed[0]), [("Bob", 3), ("Eve", 2), ("Ann", 1)])
        self.assertEqual(self.counts(self.pushed[1]), [("Ann", 4), ("Bob", 3), ("Eve", 2)])

    def test_limit(self) -> None:
        """At most so many users are named; the numbers are of all."""
        channel = self.stats(MemoryStats(), limit=2)
        for user in ("ann", "bob", "bob", "eve", "eve", "eve"):
            channel.count(said(user))
        self.clock.advance(0)
        self.assertEqual(self.counts(self.pushed[0]), [("Eve", 3), ("Bob", 2)])
        data = self.data(self.pushed[0])
        self.assertEqual((data["totalMessages"], data["uniqueUserCount"]), (6, 3))

    def test_anonymous(self) -> None:
        """The platform's stand-in for somebody who hides counts as messages, not as a user."""
        self.channel.count(said("ananonymouscheerer", anonymous=True))
        self.channel.count(said("bob"))
        data = self.data(self.snapshot())
        self.assertEqual((data["totalMessages"], data["uniqueUserCount"]), (2, 1))
        self.assertEqual(self.counts(self.snapshot()), [("Bob", 1)])

    def test_said_not_to_be_anonymous(self) -> None:
        """A message that says that its author does not hide is that author's."""
        self.channel.count(said("bob", anonymous=False))
        self.assertEqual(self.counts(self.snapshot()), [("Bob", 1)])

    def test_roles_last_seen(self) -> None:
        """Roles are the last seen: within a push, and from one to the next."""
        moderator = Roles(moderator=True)
        for roles in (Roles(), MEMBER):
            self.channel.count(said("bob", roles=roles))
        self.clock.advance(0)
        self.channel.count(said("bob", roles=moderator))
        self.clock.advance(1)
        seen = [self.data(payload)["uniqueUsers"][0]["roles"] for payload in self.pushed]
        self.assertEqual(seen, [msgspec.to_builtins(MEMBER), msgspec.to_builtins(moderator)])

    def test_names_last_seen(self) -> None:
        """So are names: from one push to the next, and within a push."""
        self.channel.count(said("bob", name="Bob"))
        self.clock.advance(0)
        self.channel.count(said("bob", name="Bobby"))
        self.clock.advance(1)
        self.assertEqual(self.counts(self.pushed[-1]), [("Bobby", 2)])
        self.channel.count(said("bob", name="Robert"))
        self.channel.count(said("bob", name="Bert"))
        self.clock.advance(1)
        self.assertEqual(self.counts(self.pushed[-1]), [("Bert", 4)])
        self.assertEqual(self.data(self.pushed[-1])["uniqueUsers"][0]["username"], "bert")

    def test_one_user_two_names(self) -> None:
        """A user is known by id: two of one name are two."""
        self.channel.count(said("one", name="Same"))
        self.channel.count(said("other", name="Same"))
        self.assertEqual(self.counts(self.snapshot()), [("Same", 1), ("Same", 1)])

    def test_close(self) -> None:
        """At the end nothing is pushed, nothing is on the clock, and memory is let go of."""
        self.channel.count(said())
        self.channel.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(10)
        self.assertEqual(self.pushed, [])
        self.assertEqual(self.successResultOf(self.store.snapshot(KEY, 10)), StatsData([], 0, 0))

    def test_close_idle(self) -> None:
        """A channel in which nobody wrote can be closed, too; also twice."""
        self.channel.close()
        self.channel.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_second_life(self) -> None:
        """A channel that is watched again counts on in a store that remembers, at once."""
        self.channel.count(said())
        self.snapshot()
        other = self.stats(self.store)
        other.count(said())
        self.clock.advance(0)
        self.assertEqual(max(self.totals()), 2)

    def test_storage_type(self) -> None:
        """The storage is said as it is at that moment."""
        self.assertEqual(self.channel.storage_type, "memory")
        slow = SlowStore()
        channel = self.stats(slow)
        self.assertEqual(channel.storage_type, "redis")
        slow.storage_type = "memory"
        self.assertEqual(channel.storage_type, "memory")

    @bounded
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("said"), st.integers(0, 4)),
                st.tuples(st.just("time"), st.integers(0, 1500)),
                st.tuples(st.just("asked"), st.just(0)),
            ),
            max_size=60,
        )
    )
    def test_any_story(self, story: list[tuple[str, int]]) -> None:
        """Whatever happens: counts are exact, pushes a second apart, and no two the same."""
        clock = Clock()
        pushes: list[tuple[float, bytes]] = []
        channel = ChannelStats(
            KEY,
            MemoryStats(),
            clock,
            100,
            lambda snapshot: pushes.append((clock.seconds(), snapshot.message(KEY))),
        )
        counts: dict[str, int] = {}

        def right(payload: bytes) -> bool:
            data = self.data(payload)
            users = {user["display_name"]: user["messageCount"] for user in data["uniqueUsers"]}
            return (users, data["totalMessages"]) == (counts, sum(counts.values()))

        for action, argument in story:
            if action == "said":
                channel.count(said(f"user{argument}"))
                name = f"User{argument}"
                counts[name] = counts.get(name, 0) + 1
            elif action == "time":
                clock.advance(argument / 1000)
            else:
                self.assertTrue(right(self.successResultOf(channel.snapshot()).message(KEY)))
        clock.advance(PUSH_INTERVAL)
        if counts:
            self.assertTrue(right(pushes[-1][1]))
        payloads = [payload for _, payload in pushes]
        self.assertEqual(len(set(payloads)), len(payloads))
        for (earlier, _), (later, _) in pairwise(pushes):
            self.assertGreaterEqual(later - earlier, PUSH_INTERVAL - 1e-9)


class SlowStoreTests(StatsCase):
    """With a store that takes its time."""

    def setUp(self) -> None:
        """Statistics in a store that answers when the test says so."""
        super().setUp()
        self.store = SlowStore()
        self.channel = self.stats(self.store)

    def asked(self) -> list[bytes]:
        """A list into which the answer to a snapshot of now will come."""
        answers: list[bytes] = []
        self.channel.snapshot().addCallback(lambda snapshot: answers.append(snapshot.message(KEY)))
        return answers

    def total(self, answers: list[bytes]) -> int:
        """The total in the one answer."""
        (payload,) = answers
        total: int = self.data(payload)["totalMessages"]
        return total

    def test_the_store(self) -> None:
        """The slow store is a store."""
        self.assertTrue(verifyObject(IStatsStore, self.store))

    def test_pushed_when_answered(self) -> None:
        """A push goes out when the store has answered."""
        self.channel.count(said())
        self.clock.advance(0)
        self.assertEqual(self.pushed, [])
        self.store.answer()
        self.assertEqual(self.totals(), [1])

    def test_batches(self) -> None:
        """The store is given one tally per push, not one per message; nothing when nothing came."""
        for _ in range(3):
            for _ in range(100):
                self.channel.count(said())
            self.clock.advance(1)
        self.asked()
        self.assertEqual(self.store.calls, ["add 100", "snapshot"] * 3 + ["snapshot"])

    def test_impatient_store(self) -> None:
        """A store that wants counts early is given them so; subscribers are told once a second."""
        self.store.interval = 0.25
        for _ in range(40):
            self.channel.count(said())
            self.clock.advance(0.05)
        self.clock.advance(1)
        calls = self.store.calls
        self.assertEqual(calls.count("snapshot"), 3)
        added = [int(call.split()[1]) for call in calls if call != "snapshot"]
        self.assertEqual(sum(added), 40)
        self.assertIn(len(added), range(8, 11))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_impatient_store_and_events(self) -> None:
        """Events alone are handed over as early, and are told to nobody."""
        self.store.interval = 0.25
        for _ in range(10):
            self.channel.count_event(happening("like"))
        self.clock.advance(0.25)
        self.assertEqual(self.store.calls, ["add 0"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.channel.count(said())
        self.clock.advance(0)
        self.assertEqual(self.store.calls, ["add 0", "add 1", "snapshot"])

    def test_answer_is_kept(self) -> None:
        """After an answer, snapshots do not ask the store again until something has changed."""
        self.channel.count(said())
        self.clock.advance(0)
        self.store.answer()
        self.assertEqual(self.asked(), self.pushed)
        self.assertEqual(self.store.calls, ["add 1", "snapshot"])
        self.channel.count(said())
        answers = self.asked()
        self.assertEqual(answers, [])
        self.store.answer()
        self.assertEqual(self.total(answers), 2)

    def test_counted_before_the_answer(self) -> None:
        """A message that comes while the store thinks is in the next push and snapshot."""
        self.channel.count(said())
        self.clock.advance(0)
        self.channel.count(said())
        self.store.answer()
        self.assertEqual(self.totals(), [1])
        answers = self.asked()
        self.store.answer()
        self.assertEqual(self.total(answers), 2)
        self.clock.advance(1)
        while self.store.waiting:
            self.store.answer()
        self.assertEqual(self.totals(), [1, 2])

    def test_old_answer_is_not_kept(self) -> None:
        """An answer that was overtaken by a message is not taken for the state of now."""
        self.channel.count(said())
        self.clock.advance(0)
        self.channel.count(said())
        newer = self.asked()
        # The first answer knows nothing of the second message, which the store has by now.
        self.store.answer()
        newest = self.asked()
        while self.store.waiting:
            self.store.answer()
        self.assertEqual(self.total(newer), 2)
        self.assertEqual(self.total(newest), 2)

    def test_answers_out_of_order(self) -> None:
        """An old answer that comes after a newer one does not replace it."""
        self.channel.count(said())
        older = self.asked()
        self.channel.count(said())
        newer = self.asked()
        self.store.answer(1)
        self.store.answer(0)
        self.assertEqual((self.total(older), self.total(newer)), (1, 2))
        newest = self.asked()
        while self.store.waiting:
            self.store.answer()
        self.assertEqual(self.total(newest), 2)

    def test_silent_store(self) -> None:
        """A store that never answers costs one question a second, and counting goes on."""
        for _ in range(1000):
            self.channel.count(said())
            self.clock.advance(0.01)
        self.clock.advance(1)
        self.assertEqual(self.pushed, [])
        self.assertLessEqual(self.store.calls.count("snapshot"), 12)
        added = sum(int(call.split()[1]) for call in self.store.calls if call != "snapshot")
        self.assertEqual(added, 1000)

    def test_close(self) -> None:
        """What was counted goes to the store before the channel is let go of."""
        self.channel.count(said())
        self.clock.advance(0)
        self.channel.count(said())
        self.channel.count(said())
        self.channel.close()
        self.assertEqual(self.store.calls, ["add 1", "snapshot", "add 2", "forget"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_answer_after_close(self) -> None:
        """A push that is answered when the channel is gone reaches nobody."""
        self.channel.count(said())
        self.clock.advance(0)
        self.channel.close()
        self.store.answer()
        self.assertEqual(self.pushed, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_snapshot_answered_after_close(self) -> None:
        """Who asked before the end still gets the answer."""
        self.channel.count(said())
        answers = self.asked()
        self.channel.close()
        self.store.answer()
        self.assertEqual(self.total(answers), 1)
        self.assertEqual(self.pushed, [])


class TakeOverTests(StatsCase):
    """A node leads a channel whose leader is gone."""

    def setUp(self) -> None:
        """Five messages and an event were published; two are counted."""
        super().setUp()
        self.store = SealingStore()
        self.counted = self.stats(self.store)
        self.history = MemoryHistory(self.clock)
        events = [*chats(5), happening("raid")]
        published = [Publication.of("e", number, one) for number, one in enumerate(events, 1)]
        published.append(Publication("e", 7, "chat", "m", "u", "", "", CHAT_BIT, b"no JSON"))
        published.append(Publication.of("e", 9, chats(9)[-1]))
        self.history.append(KEY, published)

    def total(self) -> tuple[int, object]:
        """Messages and events."""
        data = self.successResultOf(self.counted.snapshot()).data
        return data.total_messages, data.events

    def test_counted(self) -> None:
        """What is not counted is counted now, but for what nobody can read, or came later."""
        self.counted.take_over(Start("e", 8, why="failover"), self.history)
        self.assertEqual(self.store.sealed, [("e", 8)])
        self.assertEqual(self.total(), (3, {"raid": 1}))

    def test_no_death(self) -> None:
        """A leader that leaves has counted everything."""
        for why in ("first", "handed", "again"):
            self.counted.take_over(Start("e", 8, why=why), self.history)
        self.assertEqual((self.store.sealed, self.total()[0]), ([], 0))

    def test_covered(self) -> None:
        """Counts say which numbers they are of, in one order."""
        for epoch, since, until in (("e", 0, 2), ("e", 2, 3), ("f", 0, 1)):
            self.counted.count_event(happening("raid"))
            self.counted.covers(epoch, since, until)
            if until > 2:
                self.counted.snapshot()
        self.counted.snapshot()
        self.assertEqual(self.store.covered, [("e", 0, 3), ("f", 0, 1)])
