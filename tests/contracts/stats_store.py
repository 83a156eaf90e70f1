# SPDX-License-Identifier: MIT
"""What every `IStatsStore` does: totals to the message, users in order, nothing mixed up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from livechat.core.ports import IStatsStore
from livechat.model.chat import Roles
from livechat.model.events import ChannelKey, StatsData, Tally, UserTally
from tests.support.fakes import nobody

if TYPE_CHECKING:
    _Case = TestCase
else:
    _Case = object

KEY = ChannelKey("twitch", "username", "ann")


def tally(counts: Mapping[str, int], roles: Roles | None = None, hidden: int = 0) -> Tally:
    """Messages of these users by id, and of people who hide."""
    users = {
        user: UserTally(user, f"{user}-login", f"{user}-name", roles or Roles(), count)
        for user, count in counts.items()
    }
    return Tally(sum(counts.values()) + hidden, users)


def counted(data: StatsData) -> list[tuple[str, int]]:
    """Ids and counts, in order."""
    return [(user.id, user.message_count) for user in data.unique_users]


def numbers(data: StatsData) -> tuple[list[tuple[str, int]], int, int]:
    """Ids and counts in order, the total, and the number of users."""
    return counted(data), data.total_messages, data.unique_user_count


class StatsStoreContract(_Case):
    """Mixin for a `TestCase` of one store.

    :ivar store: empty; made by the `setUp` of the test case.
    :ivar kept_when_forgotten: how many of three messages are still counted when their channel was
        forgotten: 0 or 3.
    """

    store: IStatsStore
    kept_when_forgotten: int

    def result(self, deferred: Deferred[Any]) -> Deferred[Any]:
        """Bring about what an answer waits for; to be extended where that takes something."""
        return deferred

    async def add(self, key: ChannelKey, counts: Mapping[str, int], hidden: int = 0) -> None:
        """Add to a channel; a store answers nothing to that."""
        self.assertIsNone(await self.result(self.store.add(key, tally(counts, hidden=hidden))))

    async def forget(self, key: ChannelKey) -> None:
        """Forget a channel; a store answers nothing to that, either."""
        self.assertIsNone(await self.result(self.store.forget(key, nobody)))

    async def snapshot(self, key: ChannelKey = KEY, limit: int = 100) -> StatsData:
        """A channel's statistics."""
        data: StatsData = await self.result(self.store.snapshot(key, limit))
        return data

    def test_interface(self) -> None:
        """The store is one by its interface, and says what kind it is."""
        self.assertTrue(verifyObject(IStatsStore, self.store))
        self.assertIn(self.store.storage_type, ("memory", "redis"))

    async def test_unknown(self) -> None:
        """An unknown channel has zeros, also when it is asked for again."""
        for _ in range(2):
            self.assertEqual(numbers(await self.snapshot()), ([], 0, 0))

    async def test_totals(self) -> None:
        """Totals and counts add up to the message, over any number of tallies."""
        for number in range(1, 21):
            await self.add(KEY, {"1": 1, "2": number})
        data = await self.snapshot()
        self.assertEqual(counted(data), [("2", 210), ("1", 20)])
        self.assertEqual((data.total_messages, data.unique_user_count), (230, 2))

    async def test_hidden(self) -> None:
        """Messages of nobody in particular count as messages only."""
        await self.add(KEY, {}, hidden=4)
        self.assertEqual(numbers(await self.snapshot()), ([], 4, 0))
        await self.add(KEY, {"1": 1}, hidden=2)
        data = await self.snapshot()
        self.assertEqual(counted(data), [("1", 1)])
        self.assertEqual((data.total_messages, data.unique_user_count), (7, 1))

    async def test_nothing(self) -> None:
        """A tally of nothing changes nothing."""
        await self.add(KEY, {})
        self.assertEqual(numbers(await self.snapshot()), ([], 0, 0))
        await self.add(KEY, {"1": 2})
        before = await self.snapshot()
        await self.add(KEY, {})
        self.assertEqual(numbers(await self.snapshot()), numbers(before))

    async def test_order(self) -> None:
        """The most active users come first, whoever came when and in which tally."""
        await self.add(KEY, {"low": 1, "high": 50, "mid": 7})
        await self.add(KEY, {"late": 20, "low": 2})
        self.assertEqual(
            counted(await self.snapshot()), [("high", 50), ("late", 20), ("mid", 7), ("low", 3)]
        )
        await self.add(KEY, {"low": 100})
        self.assertEqual(counted(await self.snapshot())[0], ("low", 103))

    async def test_order_is_of_numbers(self) -> None:
        """Counts are ordered as numbers, not as texts."""
        await self.add(KEY, {"a": 9, "b": 10, "c": 100, "d": 2, "e": 11})
        self.assertEqual(
            [count for _, count in counted(await self.snapshot())], [100, 11, 10, 9, 2]
        )

    async def test_limit(self) -> None:
        """A snapshot names as many users as were asked for; its numbers are of all."""
        await self.add(KEY, {str(number): number for number in range(1, 31)})
        for limit, named in ((1, 1), (10, 10), (29, 29), (30, 30), (31, 30), (10_000, 30)):
            data = await self.snapshot(limit=limit)
            self.assertEqual(
                counted(data), [(str(number), number) for number in range(30, 30 - named, -1)]
            )
            self.assertEqual((data.total_messages, data.unique_user_count), (465, 30))

    async def test_equal_counts(self) -> None:
        """Of users who wrote equally much, each is named once."""
        await self.add(KEY, {str(number): 5 for number in range(40)})
        data = await self.snapshot(limit=40)
        self.assertEqual(sorted(counted(data)), sorted((str(n), 5) for n in range(40)))

    async def test_last_seen(self) -> None:
        """Names and roles are those of the last tally; other users keep theirs."""
        await self.add(KEY, {"1": 1, "2": 5})
        roles = Roles(True, True, True, True)
        later = Tally(2, {"1": UserTally("1", "new", "Néw ✨", roles, 2)})
        await self.result(self.store.add(KEY, later))
        self.assertEqual(
            (await self.snapshot()).unique_users,
            [
                UserTally("2", "2-login", "2-name", Roles(), 5),
                UserTally("1", "new", "Néw ✨", roles, 3),
            ],
        )

    async def test_each_role(self) -> None:
        """Each role comes back by itself."""
        everyone = [Roles(*(place == held for place in range(4))) for held in range(4)]
        for count, roles in enumerate(everyone, 1):
            await self.result(self.store.add(KEY, tally({str(count): count}, roles)))
        data = await self.snapshot()
        self.assertEqual([user.roles for user in data.unique_users], everyone[::-1])

    async def test_odd_users(self) -> None:
        """Ids and names with colons, stars, spaces, quotes or any other script come back whole."""
        ids = [
            "a:b",
            "a",
            ":",
            "*",
            "?[x]",
            "{a}",
            "a b",
            "a\r\nb",
            "\0",
            '"',
            "'",
            "ü😀",
            "",
            "%s",
        ]
        await self.add(KEY, {user: count for count, user in enumerate(ids, 1)})
        await self.add(KEY, dict.fromkeys(ids, 100))
        data = await self.snapshot()
        self.assertEqual(
            counted(data), [(user, count + 100) for count, user in enumerate(ids, 1)][::-1]
        )
        self.assertEqual(
            [user.display_name for user in data.unique_users],
            [f"{user}-name" for user in ids[::-1]],
        )

    async def test_channels_apart(self) -> None:
        """Channels are told apart by platform and by identifier, however alike they look."""
        keys = [
            ChannelKey("twitch", "username", "ann"),
            ChannelKey("tiktok", "username", "ann"),
            ChannelKey("youtube", "username", "ann"),
            ChannelKey("twitch", "username", "anna"),
            ChannelKey("twitch", "username", "an"),
            ChannelKey("twitch", "username", "users"),
            ChannelKey("twitch", "username", "*"),
            ChannelKey("twitch", "username", "ann:users"),
        ]
        for number, key in enumerate(keys, 1):
            await self.add(key, {f"user{number}": number})
        for number, key in enumerate(keys, 1):
            data = await self.snapshot(key)
            self.assertEqual(counted(data), [(f"user{number}", number)])
            self.assertEqual((data.total_messages, data.unique_user_count), (number, 1))

    async def test_interleaved(self) -> None:
        """Adding to two channels by turns, with questions between, mixes nothing up."""
        other = ChannelKey("youtube", "liveId", "abcdefghijk")
        for number in range(1, 11):
            await self.add(KEY, {"1": 1})
            await self.add(other, {"1": 2, "2": 1})
            self.assertEqual(counted(await self.snapshot()), [("1", number)])
            data = await self.snapshot(other)
            self.assertEqual(counted(data), [("1", 2 * number), ("2", number)])
            self.assertEqual(data.total_messages, 3 * number)

    async def test_not_waited_for(self) -> None:
        """A snapshot holds what was added before it was asked for, answered or not."""
        added = [self.store.add(KEY, tally({"1": 1, str(n): 1})) for n in range(2, 12)]
        data = await self.snapshot()
        self.assertEqual((data.total_messages, data.unique_user_count), (20, 11))
        self.assertEqual(counted(data)[0], ("1", 10))
        for deferred in added:
            self.assertIsNone(await self.result(deferred))
        self.assertEqual((await self.snapshot()).total_messages, 20)

    async def test_snapshot_stays(self) -> None:
        """A snapshot that was given does not change when more is counted."""
        await self.add(KEY, {"1": 1})
        data = await self.snapshot()
        await self.add(KEY, {"1": 5, "2": 1})
        self.assertEqual(counted(data), [("1", 1)])
        self.assertEqual((data.total_messages, data.unique_user_count), (1, 1))

    async def test_many(self) -> None:
        """Thousands of users in one tally are counted, and the right ones named."""
        await self.add(KEY, {str(number): number for number in range(1, 3001)})
        data = await self.snapshot(limit=100)
        self.assertEqual(counted(data), [(str(n), n) for n in range(3000, 2900, -1)])
        self.assertEqual((data.total_messages, data.unique_user_count), (4_501_500, 3000))

    async def test_large_counts(self) -> None:
        """Counts beyond 32 bits stay exact."""
        for _ in range(2):
            await self.add(KEY, {"1": 5_000_000_001})
        data = await self.snapshot()
        self.assertEqual(counted(data), [("1", 10_000_000_002)])
        self.assertEqual(data.total_messages, 10_000_000_002)

    async def test_forget(self) -> None:
        """A forgotten channel keeps what need outlive it, and counts on from there."""
        other = ChannelKey("tiktok", "username", "ann")
        for key in (KEY, other):
            await self.add(key, {"1": 2}, hidden=1)
        await self.forget(KEY)
        kept = self.kept_when_forgotten
        self.assertEqual((await self.snapshot()).total_messages, kept)
        await self.add(KEY, {"2": 1})
        data = await self.snapshot()
        self.assertEqual(data.total_messages, kept + 1)
        self.assertEqual(counted(data), [("1", 2), ("2", 1)] if kept else [("2", 1)])
        self.assertEqual((await self.snapshot(other)).total_messages, 3)

    async def test_watchers(self) -> None:
        """Whoever opened a channel is told of changes until it takes that back."""
        told: list[str] = []

        def first() -> None:
            told.append("first")

        def second() -> None:
            told.append("second")

        self.store.open(KEY, first)
        self.store.open(KEY, second)
        await self.add(KEY, {"1": 1})
        self.assertEqual(set(told), {"first", "second"})
        self.assertIsNone(await self.result(self.store.forget(KEY, first)))
        await self.snapshot()
        told.clear()
        await self.add(KEY, {"1": 1})
        self.assertEqual(set(told), {"second"})
        self.assertEqual((await self.snapshot()).total_messages, 2)

    async def test_forget_unknown(self) -> None:
        """An unknown channel can be forgotten, also twice."""
        for _ in range(2):
            await self.forget(KEY)
        self.assertEqual(numbers(await self.snapshot()), ([], 0, 0))

    async def test_forget_right_after_adding(self) -> None:
        """What was added just before is not lost to a channel that outlives being forgotten."""
        added = self.store.add(KEY, tally({"1": 3}))
        forgotten = self.store.forget(KEY, nobody)
        await self.result(added)
        await self.result(forgotten)
        self.assertEqual((await self.snapshot()).total_messages, self.kept_when_forgotten)
