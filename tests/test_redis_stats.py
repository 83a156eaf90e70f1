# SPDX-License-Identifier: MIT
"""`RedisStats` with a real redis-server: the contract, restarts, repeats, losses, bad keys."""

from __future__ import annotations

import re
import time
from collections import Counter
from functools import partial
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase

from livechat.model.chat import Roles
from livechat.model.events import ChannelKey, StatsData, Tally, UserTally
from livechat.redis.address import RedisAddress
from livechat.redis.connection import endpoint_of
from livechat.redis.link import RedisDown, RedisLink
from livechat.redis.script import Script
from livechat.redis.wire import Wire
from livechat.statistics import redis_channel, redis_stats
from livechat.statistics.redis_layout import PROBES, TTL, Reply
from livechat.statistics.redis_stats import RedisStats
from tests.contracts.stats_store import KEY, StatsStoreContract, counted, tally
from tests.support.fakes import nobody
from tests.support.redis import PATIENCE, RedisServer, settled

STEM = "livechat:1:{twitch:ann}:"
KINDS = ("minutes", "profiles", "totals", "uniques", "users")


class RedisCase(TestCase):
    """One server, and stores that use it."""

    timeout = 60
    writers = 0

    async def setUp(self) -> None:  # type: ignore[override]
        """An empty server, and a store on it; a busy machine may keep both waiting."""
        self.patch(redis_stats, "PATIENCE", PATIENCE)
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        await self.server.start(reactor)
        self.redis = await self.store_on()

    def new_store(self, max_users: int = 10_000, address: RedisAddress | None = None) -> RedisStats:
        """A store of another process, as far as Redis can tell; stopped at the end."""
        address = address or RedisAddress.parse(self.server.url)
        RedisCase.writers += 1

        store = RedisStats(
            RedisLink(address, endpoint_of(reactor, address), reactor, Random(1), PROBES),
            reactor,
            time.time,
            f"writer{RedisCase.writers}",
            max_users,
        )
        store.startService()
        self.addCleanup(lambda: store.stopService() if store.running else None)
        return store

    async def store_on(self, max_users: int = 10_000) -> RedisStats:
        """The same, connected."""
        store = self.new_store(max_users)
        await self.storage(store, "redis")
        return store

    async def storage(self, store: RedisStats, kind: str) -> None:
        """Wait until a store says that it keeps counts there."""
        await settled(reactor, lambda: store.storage_type == kind)

    async def stored(self, *stores: RedisStats) -> None:
        """Wait until Redis has everything."""
        for store in stores or (self.redis,):
            await settled(reactor, partial(self._has_all, store))

    def _has_all(self, store: RedisStats) -> bool:
        return bool(self.state(store)["waiting"] == 0)

    def state(self, store: RedisStats) -> dict[str, Any]:
        """What a store says of Redis."""
        state = store.health["redis"]
        assert isinstance(state, dict)
        return state

    def total(self) -> int:
        """Messages of our channel that Redis holds."""
        return int(self.server.command("HGET", f"{STEM}totals", "total") or 0)

    async def fresh(self, limit: int = 100) -> StatsData:
        """What a process reads that has just begun."""
        store = await self.store_on()
        return await store.snapshot(KEY, limit)


class RedisStatsContractTests(StatsStoreContract, RedisCase):
    """`RedisStats` is a statistics store."""

    kept_when_forgotten = 3

    async def setUp(self) -> None:  # type: ignore[override]
        """An empty store."""
        await super().setUp()
        self.store = self.redis


class ReadElsewhereContractTests(RedisStatsContractTests):
    """What one process counts another one reads: the memory of the first one answers nothing."""

    async def snapshot(self, key: ChannelKey = KEY, limit: int = 100) -> StatsData:
        """A channel's statistics, as Redis has them."""
        await self.stored()
        return await (await self.store_on()).snapshot(key, limit)


class SealTests(RedisCase):
    """A node leads after one that is gone."""

    def count(self, store: RedisStats, since: int, until: int, epoch: str = "e") -> None:
        """A leader has counted one message for each number."""
        number = until - since
        store.add(KEY, Tally(number, epoch=epoch, since=since, until=until))

    async def total_after(self, store: RedisStats) -> int:
        """What Redis holds when it has everything of this one."""
        await settled(reactor, lambda: not store.health["redis"]["waiting"])  # type: ignore[index]
        return self.total()

    async def test_sealed(self) -> None:
        """It learns what is counted; what the former leader counts of that is dropped later."""
        self.redis.open(KEY, nobody)
        self.count(self.redis, 0, 3)
        self.count(self.redis, 3, 5)
        await self.total_after(self.redis)
        other = await self.store_on()
        self.assertEqual(await other.seal(KEY, "e", 100), 5)
        self.assertEqual(await other.seal(KEY, "f", 100), 0)
        self.assertEqual(await other.seal(KEY, "e", 100), 5)
        # Both have these.
        self.count(other, 100, 104)
        self.count(self.redis, 5, 9)
        await self.total_after(other)
        self.assertEqual(await self.total_after(self.redis), 9)
        self.assertEqual((await self.redis.snapshot(KEY, 1)).total_messages, 9)
        # Later it leads again, and others another order.
        self.count(self.redis, 200, 203)
        self.assertEqual(await self.total_after(self.redis), 12)
        self.assertEqual(await other.seal(KEY, "e", 300), 203)
        self.count(self.redis, 0, 2, "g")
        self.assertEqual(await self.total_after(self.redis), 14)

    async def test_no_redis(self) -> None:
        """What cannot be asked is taken for counted."""
        self.server.kill()
        await settled(reactor, lambda: self.redis.storage_type == "memory")
        self.assertEqual(await self.redis.seal(KEY, "e", 7), 7)


class LifeTests(RedisCase):
    """What is kept, where, for how long, and what a later life makes of it."""

    async def test_everything_survives(self) -> None:
        """A later process finds every number as it was, and goes on from there."""
        tallied = Tally(
            3,
            {"7": UserTally("7", "bob", "Böb", Roles(moderator=True), 3)},
            {"raid": 2},
            {"USD": 5_990_000, "BITS": 100_000_000},
            {int(time.time() // 60): 3},
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:09.000Z",
        )
        self.redis.add(KEY, tallied)
        before = await self.redis.snapshot(KEY, 10)
        await self.redis.stopService()
        store = await self.store_on()
        store.open(KEY, nobody)
        self.assertEqual(await store.snapshot(KEY, 10), before)
        self.assertEqual(before.money, {"USD": 5.99, "BITS": 100})
        self.assertEqual(before.peak_messages_per_minute, 3)
        store.add(KEY, Tally(1, {}, {"raid": 1}, {"USD": 10_000}))
        after = await store.snapshot(KEY, 10)
        self.assertEqual((after.total_messages, after.events), (4, {"raid": 3}))
        self.assertEqual(after.money, {"USD": 6, "BITS": 100})

    async def test_keys(self) -> None:
        """The keys are those of the layout, with one hash tag, and all of them will expire."""
        self.redis.add(KEY, tally({"1": 1}, None, 1))
        self.redis.add(KEY, Tally(1, minutes={29_000_000: 1}))
        await self.stored()
        ours = ("livechat:1:probe", "livechat:layout")
        keys = [key for key in self.server.key_names() if key not in ours]
        writer = f"{STEM}writer:writer{RedisCase.writers}"
        self.assertEqual(keys, sorted([*(STEM + kind for kind in KINDS), writer]))
        for key in keys:
            self.assertIn(self.server.command("TTL", key), range(TTL - 20, TTL + 1))
        self.assertIn(self.server.command("TTL", "livechat:1:probe"), range(1, 61))

    async def test_life_is_renewed(self) -> None:
        """Each batch gives all keys of its channel their full time again."""
        self.redis.add(KEY, Tally(1, minutes={29_000_000: 1}))
        self.redis.add(KEY, tally({"1": 1}))
        await self.stored()
        for kind in KINDS:
            self.server.command("EXPIRE", STEM + kind, "5")
        self.redis.add(KEY, tally({"2": 1}))
        await self.stored()
        for kind in KINDS:
            self.assertGreater(self.server.command("TTL", STEM + kind), TTL - 20)

    async def test_no_listing(self) -> None:
        """Neither adding nor reading ever lists keys or reads without a range."""
        self.redis.open(KEY, nobody)
        self.redis.add(KEY, tally({"1": 1}))
        await self.stored()
        await self.fresh()
        used = self.server.command("INFO", "commandstats").decode()
        for command in ("keys", "scan", "smembers", "hscan", "zrange"):
            self.assertNotIn(f"cmdstat_{command}:", used)

    async def test_types_of_identifiers_apart(self) -> None:
        """A video, a channel and a user of one spelling are three channels; braces are written."""
        keys = [ChannelKey("youtube", kind, "abc") for kind in ("username", "liveId", "channelId")]
        keys.append(ChannelKey("youtube", "username", "a}{b"))
        for number, key in enumerate(keys, 1):
            self.redis.add(key, tally({"1": number}))
        await self.stored()
        names = [key for key in self.server.key_names() if key.endswith(":totals")]
        self.assertEqual(
            names,
            sorted(
                f"livechat:1:{{youtube:{name}}}:totals"
                for name in ("abc", "liveId:abc", "channelId:abc", "a%7D%7Bb")
            ),
        )

    async def test_stop_stores(self) -> None:
        """What was counted last is stored before the service has stopped."""
        for number in range(50):
            self.redis.add(ChannelKey("twitch", "username", f"c{number}"), tally({"1": 2}))
        self.redis.add(KEY, tally({"1": 5}))
        await self.redis.stopService()
        self.assertEqual(self.total(), 5)
        names = [key for key in self.server.key_names() if key.endswith(":totals")]
        self.assertEqual(len(names), 51)

    async def test_forgotten_leave_nothing(self) -> None:
        """Channels that nobody watches leave the process when Redis has their counts."""
        for number in range(100):
            key = ChannelKey("twitch", "username", f"c{number}")
            self.redis.open(key, nobody)
            self.redis.add(key, tally({"1": 1}))
            self.redis.forget(key, nobody)
        await self.stored()
        self.assertEqual(self.redis._channels, {})
        self.assertEqual(self.redis._forgotten, {})

    async def test_asking_keeps_nothing(self) -> None:
        """Asking for channels that nobody watches takes no memory."""
        for number in range(20):
            await self.redis.snapshot(ChannelKey("twitch", "username", str(number)), 10)
        self.assertEqual(self.redis._channels, {})

    async def test_quiet_watcher(self) -> None:
        """A process that counts nothing itself still tells what another one counts."""
        self.patch(redis_channel, "COMPARE_INTERVAL", 0.0)
        self.patch(redis_channel, "RELOAD_INTERVAL", 0.0)
        other = await self.store_on()
        other.open(KEY, nobody)
        for number in range(1, 4):
            self.redis.add(KEY, tally({"1": 1, "2": 1}))
            await self.stored()
            data = await other.snapshot(KEY, 10)
            self.assertEqual(data.total_messages, 2 * number)


class ListeningTests(RedisCase):
    """The second connection: what other processes count is known without asking."""

    async def listening(self, store: RedisStats, whether: bool = True) -> None:
        """Wait until a store hears what others do, or does not."""
        await settled(reactor, lambda: self.state(store)["listening"] is whether)

    async def knows(self, store: RedisStats, total: int, key: ChannelKey = KEY) -> None:
        """Wait until a store knows of so many messages, while nobody asks it."""
        await settled(reactor, lambda: store._channels[key].account.totals.total == total)

    async def test_hears_others(self) -> None:
        """What one process adds the other one knows soon, again and again; its own is no news."""
        self.patch(redis_channel, "RELOAD_INTERVAL", 0.1)
        other = await self.store_on()
        await self.listening(other)
        for key in (KEY, ChannelKey("youtube", "liveId", "a}{b")):
            self.redis.open(key, nobody)
            other.open(key, nobody)
            for number in range(1, 4):
                self.redis.add(key, tally({"1": 1, "2": 1}))
                await self.knows(other, 2 * number, key)
                self.assertFalse(self.redis._channels[key].account.stale)

    async def test_watchers_are_told(self) -> None:
        """Somebody who watches learns that another process has added."""
        self.patch(redis_channel, "RELOAD_INTERVAL", 0.1)
        told: list[int] = []
        self.redis.open(KEY, lambda: told.append(self.redis._channels[KEY].account.totals.total))
        await self.listening(self.redis)
        await self.stored()
        other = await self.store_on()
        other.add(KEY, tally({"1": 2}))
        await settled(reactor, lambda: told[-1:] == [2])

    async def test_soon_is_not_at_once(self) -> None:
        """Changes that come faster than a channel may be read again are read a little later."""
        self.patch(redis_channel, "RELOAD_INTERVAL", 0.6)
        other = await self.store_on()
        await self.listening(other)
        other.open(KEY, nobody)
        for _ in range(4):
            self.redis.add(KEY, tally({"1": 1}))
            await self.stored()
        await self.knows(other, 4)

    async def test_ignores(self) -> None:
        """Of a channel that nobody watches any more nothing is heard."""
        await self.listening(self.redis)
        self.redis.open(KEY, nobody)
        await settled(reactor, lambda: self.subscriptions() == 1)
        self.redis.forget(KEY, nobody)
        await settled(reactor, lambda: self.subscriptions() == 0)

    def subscriptions(self) -> int:
        """To how many topics somebody listens."""
        return len(self.server.command("PUBSUB", "CHANNELS"))

    async def test_lost(self) -> None:
        """Losing this connection alone changes nothing but that others are heard later."""
        self.redis.open(KEY, nobody)
        await settled(reactor, lambda: self.subscriptions() == 1)
        self.server.command("CLIENT", "KILL", "TYPE", "pubsub")
        await self.listening(self.redis, whether=False)
        self.assertEqual(self.redis.storage_type, "redis")
        self.redis.add(KEY, tally({"1": 3}))
        await self.stored()
        self.assertEqual(self.total(), 3)
        await self.listening(self.redis)
        await settled(reactor, lambda: self.subscriptions() == 1)

    async def test_opened_while_greeted(self) -> None:
        """What is opened, or let go of, while the connection is being made is not overlooked."""
        other = ChannelKey("twitch", "username", "other")
        self.server.pause()
        store = self.new_store()
        store.open(other, nobody)
        await settled(reactor, lambda: store._link._topics._said != set())
        store.forget(other, nobody)
        store.open(KEY, nobody)
        self.server.resume()
        await self.listening(store)
        numsub = ("PUBSUB", "NUMSUB", "livechat:1:0:{twitch:ann}:changed")
        await settled(reactor, lambda: self.server.command(*numsub)[1] == 1)
        await settled(reactor, lambda: self.subscriptions() == 1)

    async def test_alone(self) -> None:
        """Where nobody else listens nothing is announced."""
        self.redis.open(KEY, nobody)
        await settled(reactor, lambda: self.subscriptions() == 1)
        self.redis.add(KEY, tally({"1": 3}))
        await self.stored()
        self.assertNotIn(
            "cmdstat_publish:calls=2", self.server.command("INFO", "commandstats").decode()
        )

    async def test_no_endless_questions(self) -> None:
        """An announcement behind which nothing is found is asked about once."""
        self.patch(redis_channel, "RELOAD_INTERVAL", 0.1)
        self.redis.open(KEY, nobody)
        await settled(reactor, lambda: self.subscriptions() == 1)
        await self.stored()
        before = self.evaluations()
        self.server.command("PUBLISH", "livechat:1:0:{twitch:ann}:changed", "another process")
        await settled(reactor, lambda: self.evaluations() > before)
        await settled(reactor, lambda: not self.redis._channels[KEY].turn.locked)
        self.assertFalse(self.redis._channels[KEY].account.stale)
        self.assertEqual(self.redis._due, {})

    def evaluations(self) -> int:
        """How often scripts were run."""
        used = self.server.command("INFO", "commandstats").decode()
        return sum(map(int, re.findall(r"cmdstat_eval(?:sha)?:calls=(\d+)", used)))

    async def test_stopped_while_connecting(self) -> None:
        """A service that is stopped before it has connected never connects."""
        store = self.new_store()
        await store.stopService()
        await deferLater(reactor, 0.0)
        for connection in (store._link._commands, store._link._topics):
            keeping = connection._keeping
            assert keeping is not None
            self.assertTrue(keeping.called)
            self.assertFalse(connection.up)

    async def test_hung(self) -> None:
        """A server that hangs is noticed here as well, and is listened to again afterwards."""
        self.redis.open(KEY, nobody)
        await self.listening(self.redis)
        self.server.pause()
        await self.listening(self.redis, whether=False)
        self.server.resume()
        await self.listening(self.redis)
        await settled(reactor, lambda: self.subscriptions() == 1)

    async def test_not_allowed(self) -> None:
        """Where publishing and subscribing are forbidden, statistics are kept all the same."""
        await self.redis.stopService()
        self.server.command(
            *("ACL", "SETUSER", "chat", "on", ">secret", "~livechat:*", "+@all", "resetchannels")
        )
        address = RedisAddress.parse(self.server.url.replace("//", "//chat:secret@"))
        store = self.new_store(address=address)
        store.open(KEY, nobody)
        await self.storage(store, "redis")
        store.add(KEY, tally({"1": 3}))
        await self.stored(store)
        self.assertEqual(self.total(), 3)
        self.assertFalse(self.state(store)["listening"])


class AnnouncementTests(SynchronousTestCase):
    """What comes on the second connection."""

    @given(st.lists(st.integers(1, 40), max_size=60))
    def test_read_at_once(self, cuts: list[int]) -> None:
        """However reads are cut, all that is complete is heard in the turn in which it came."""
        heard: list[tuple[str, bytes]] = []
        listener = Wire(lambda *what: heard.append(what))
        listener.makeConnection(StringTransport())
        expected = [(f"topic{number}", b"\r\n" * (number % 3)) for number in range(20)]
        stream = b"".join(
            b"*3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n"
            % (len(topic), topic.encode(), len(payload), payload)
            for topic, payload in expected
        )
        for cut in cuts:
            listener.dataReceived(stream[:cut])
            stream = stream[cut:]
        listener.dataReceived(stream)
        self.assertEqual(heard, expected)


class ManyUsersTests(RedisCase):
    """More users than there is place for."""

    async def test_bounded(self) -> None:
        """Redis holds no more users than it may; the most active are right, the error is stated."""
        store = await self.store_on(max_users=100)
        random = Random(5)
        people = [f"user{number}" for number in range(2000)]
        weights = [1 / (rank * rank) for rank in range(1, 2001)]
        truth = Counter[str]()
        for _ in range(40):
            counts = Counter(random.choices(people, weights, k=500))
            truth.update(counts)
            store.add(KEY, tally(counts))
            await self.stored(store)
        self.assertEqual(self.server.command("ZCARD", f"{STEM}users"), 100)
        self.assertEqual(self.server.command("HLEN", f"{STEM}profiles"), 100)
        for data in (await store.snapshot(KEY, 10), await self.fresh(10)):
            self.assertEqual(data.total_messages, 20_000)
            self.assertEqual(
                [user.id for user in data.unique_users],
                [user for user, _ in truth.most_common(10)],
            )
            error = data.message_count_error
            assert isinstance(error, int)
            for user in data.unique_users:
                self.assertIn(user.message_count - truth[user.id], range(error + 1))
            self.assertIs(data.unique_user_count_estimated, True)
            self.assertLessEqual(abs(data.unique_user_count / len(truth) - 1), 0.03)

    async def test_named_only(self) -> None:
        """A range is read: a channel of thousands costs as many users as were asked for."""
        self.redis.add(KEY, tally({str(number): number for number in range(1, 5001)}))
        await self.stored()
        data = await self.fresh(3)
        self.assertEqual(counted(data), [("5000", 5000), ("4999", 4999), ("4998", 4998)])
        self.assertEqual(data.unique_user_count, 5000)


class ExactlyOnceTests(RedisCase):
    """Every message counts once, whatever is lost on the way."""

    async def test_two_processes(self) -> None:
        """Two processes that count one channel add up to the message, and see each other's."""
        other = await self.store_on()
        for number in range(200):
            self.redis.add(KEY, tally({"1": 3, f"a{number}": 1}))
            other.add(KEY, tally({"1": 2, f"b{number}": 1}))
            if number % 20 == 0:
                await self.stored(self.redis, other)
        await self.stored(self.redis, other)
        self.assertEqual(self.total(), 200 * 7)
        data = await self.fresh()
        self.assertEqual((data.total_messages, data.unique_user_count), (1400, 401))
        self.assertEqual(counted(data)[0], ("1", 1000))

    async def test_hung_while_adding(self) -> None:
        """A batch that was given up unanswered, and is carried out later, is not counted again."""
        self.redis.add(KEY, tally({"1": 10}))
        await self.stored()
        self.server.pause()
        self.redis.add(KEY, tally({"1": 5}))
        await self.storage(self.redis, "memory")
        self.redis.add(KEY, tally({"1": 2}))
        self.assertEqual((await self.redis.snapshot(KEY, 1)).total_messages, 17)
        self.assertEqual(self.state(self.redis)["reason"], "no answer within 2 s")
        self.server.resume()
        await self.storage(self.redis, "redis")
        await self.stored()
        self.assertEqual(self.total(), 17)
        self.assertEqual(counted(await self.fresh()), [("1", 17)])

    async def test_answer_lost(self) -> None:
        """A batch whose answer is lost is sent again as it was, and known by its number."""
        self.redis.add(KEY, tally({"1": 1}))
        await self.stored()
        run = self.redis._link.run
        asked: list[bytes] = []

        def deaf(script: Script, keys: list[str], argument: bytes) -> Any:
            asked.append(argument)
            answer = run(script, keys, argument)

            def lose(result: bytes) -> bytes:
                if len(asked) < 4:
                    raise RedisDown("lost on the way back")
                return result

            return answer.addCallback(lose)

        self.patch(self.redis._link, "run", deaf)
        self.redis.add(KEY, tally({"1": 5}))
        await self.stored()
        self.assertEqual(len(asked), 4)
        self.assertEqual(len(set(asked)), 1)
        self.assertEqual(self.total(), 6)

    async def test_scripts_flushed(self) -> None:
        """A server that forgets its scripts is given ours again."""
        for number in range(1, 4):
            self.server.command("SCRIPT", "FLUSH")
            self.redis.add(KEY, tally({"1": 1}))
            await self.stored()
            self.assertEqual(self.total(), number)

    async def test_emptied(self) -> None:
        """What somebody deleted while the channel is watched is put back with the next message."""
        self.redis.open(KEY, nobody)
        self.redis.add(KEY, tally({"1": 7, "2": 3}))
        await self.stored()
        self.server.command("FLUSHALL")
        self.redis.add(KEY, tally({"2": 1}))
        await self.stored()
        self.assertEqual(counted(await self.fresh()), [("1", 7), ("2", 4)])
        self.assertEqual(self.total(), 11)

    async def test_emptied_under_two(self) -> None:
        """Two processes put back once what both know."""
        other = await self.store_on()
        for number in range(5):
            self.redis.add(KEY, tally({"1": 7, str(number + 10): 1}))
            other.add(KEY, tally({"2": 3}))
            await self.stored(self.redis, other)
        self.server.command("FLUSHALL")
        self.redis.add(KEY, tally({"1": 1}))
        other.add(KEY, tally({"2": 1}))
        await self.stored(self.redis, other)
        self.assertLessEqual(self.total(), 57)
        self.assertGreaterEqual(self.total(), 50)

    async def test_restarted_empty(self) -> None:
        """A server that comes back with nothing is given everything, also of a quiet channel."""
        self.redis.open(KEY, nobody)
        self.redis.add(KEY, tally({"1": 7}))
        await self.stored()
        self.server.kill()
        await self.storage(self.redis, "memory")
        await self.server.start(reactor)
        await self.storage(self.redis, "redis")
        await settled(reactor, lambda: self.total() == 7)
        self.assertEqual(counted(await self.fresh()), [("1", 7)])

    async def test_restarted_from_an_older_copy(self) -> None:
        """A server that comes back with less than it had is given what it lost, once."""
        self.redis.open(KEY, nobody)
        self.redis.add(KEY, tally({"1": 7, "2": 1}))
        await self.stored()
        self.server.command("SAVE")
        self.redis.add(KEY, tally({"1": 5}))
        await self.stored()
        self.server.kill()
        await self.storage(self.redis, "memory")
        self.redis.add(KEY, tally({"3": 2}))
        await self.server.start(reactor)
        await self.storage(self.redis, "redis")
        await self.stored()
        self.assertEqual(counted(await self.fresh()), [("1", 12), ("3", 2), ("2", 1)])
        self.assertEqual(self.total(), 15)


class OutageTests(RedisCase):
    """Redis cannot be used; counting goes on, and is made up for."""

    async def test_down_at_start(self) -> None:
        """Without a server statistics are in memory; when it comes they are added to its own."""
        self.redis.add(KEY, tally({"1": 4}))
        await self.redis.stopService()
        self.server.command("SAVE")
        self.server.kill()
        store = self.new_store()
        store.open(KEY, nobody)
        store.add(KEY, tally({"1": 2}))
        await settled(reactor, lambda: self.state(store)["reason"] is not None)
        self.assertEqual(store.storage_type, "memory")
        self.assertEqual((await store.snapshot(KEY, 1)).total_messages, 2)
        await self.server.start(reactor)
        await self.storage(store, "redis")
        await self.stored(store)
        self.assertEqual((await store.snapshot(KEY, 1)).total_messages, 6)
        self.assertEqual(self.total(), 6)

    async def test_waiting_is_bounded(self) -> None:
        """What waits is kept by user, and no more users than there is place for."""
        store = await self.store_on(max_users=100)
        self.server.kill()
        await self.storage(store, "memory")
        for number in range(1000):
            store.add(KEY, tally({"loyal": 5, f"new{number}": 1}))
        account = store._channels[KEY].account
        (unsent,) = account._pending()
        self.assertEqual(len(unsent.users), 100)
        self.assertEqual(len(account.totals.users), 100)
        await self.server.start(reactor)
        await self.storage(store, "redis")
        await self.stored(store)
        data = await store.snapshot(KEY, 1)
        self.assertEqual((counted(data), data.total_messages), ([("loyal", 5000)], 6000))
        self.assertEqual(self.total(), 6000)
        self.assertLessEqual(abs(data.unique_user_count - 1001), 30)

    async def test_forgotten_are_bounded(self) -> None:
        """Channels that nobody watches wait for Redis, but not without end."""
        self.patch(redis_stats, "MAX_FORGOTTEN", 10)
        self.server.kill()
        await self.storage(self.redis, "memory")
        for number in range(30):
            key = ChannelKey("twitch", "username", f"c{number}")
            self.redis.add(key, tally({"1": 1}))
            self.redis.forget(key, nobody)
        self.assertEqual(len(self.redis._channels), 10)
        await self.server.start(reactor)
        await self.storage(self.redis, "redis")
        await settled(reactor, lambda: not self.redis._channels)
        names = [key for key in self.server.key_names() if key.endswith(":totals")]
        self.assertEqual(len(names), 10)

    async def test_answers_at_once(self) -> None:
        """While it is known to be down nothing waits for Redis, and what was known is answered."""
        self.redis.open(KEY, nobody)
        self.redis.add(KEY, tally({"1": 4}))
        await self.stored()
        self.server.kill()
        await self.storage(self.redis, "memory")
        self.redis.add(KEY, tally({"1": 1}))
        for key, total in ((KEY, 5), (ChannelKey("twitch", "username", "other"), 0)):
            data = self.successResultOf(self.redis.snapshot(key, 10))
            self.assertEqual(data.total_messages, total)

    async def test_stop_while_hung(self) -> None:
        """A server that hangs does not keep the service from stopping."""
        self.redis.add(KEY, tally({"1": 4}))
        self.server.pause()
        self.redis.add(KEY, tally({"1": 4}))
        await self.redis.stopService().addTimeout(PATIENCE, reactor)


class SupervisionTests(RedisCase):
    """An exception that nobody foresaw costs one step of one channel."""

    async def test_one_channel(self) -> None:
        """It is logged with the channel, the other channels go on, and it is tried again."""
        self.patch(redis_channel, "FAULT_INTERVAL", 0.3)
        other = ChannelKey("twitch", "username", "bob")
        self.redis.open(KEY, nobody)
        await self.stored()
        account = self.redis._channels[KEY].account
        learn = account.learn
        calls: list[Reply] = []

        def broken(reply: Reply, *, whole: bool) -> None:
            calls.append(reply)
            if len(calls) < 3:
                raise LookupError("a mistake of ours")
            learn(reply, whole=whole)

        self.patch(account, "learn", broken)
        self.redis.add(KEY, tally({"1": 2}))
        self.redis.add(other, tally({"1": 3}))
        await settled(reactor, lambda: self.redis.storage_of(KEY) == "memory")
        await settled(reactor, lambda: self.redis._channels[other].account.settled)
        await self.stored()
        self.assertEqual(self.redis.storage_of(KEY), "redis")
        self.assertEqual(self.total(), 2)
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 2)

    async def test_whole_round(self) -> None:
        """A round that fails as a whole is logged, and the next one comes."""
        ask_each = self.redis._ask_each
        failing = [True]

        async def broken(keys: Any) -> None:
            if failing:
                failing.clear()
                raise LookupError("a mistake of ours")
            await ask_each(keys)

        self.patch(self.redis, "_ask_each", broken)
        self.redis.add(KEY, tally({"1": 2}))
        await settled(reactor, lambda: not failing)
        await self.stored()
        self.assertEqual(self.total(), 2)
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 1)


class BadKeysTests(RedisCase):
    """Something that is not ours stands where ours should."""

    OTHER = ChannelKey("twitch", "username", "bob")

    async def is_refused(self, *command: str) -> None:
        """The channel is counted in memory, its neighbour in Redis, and the key stays as it is."""
        self.server.command(*command)
        key = command[1]
        before = self.server.command("DUMP", key)
        self.redis.open(KEY, nobody)
        for _ in range(3):
            self.redis.add(KEY, tally({"1": 2}))
            self.redis.add(self.OTHER, tally({"1": 1}))
        await settled(reactor, lambda: self.state(self.redis)["refused"] == 1)
        await settled(reactor, lambda: self.state(self.redis)["waiting"] == 1)
        self.assertEqual((await self.redis.snapshot(KEY, 1)).total_messages, 6)
        self.assertEqual(self.redis.storage_of(KEY), "memory")
        self.assertEqual(self.redis.storage_of(self.OTHER), "redis")
        self.assertEqual(self.server.command("DUMP", key), before)
        kept = [name for name in self.server.key_names() if name.startswith(STEM)]
        self.assertEqual(kept, [key])
        # When the key is gone the counts are added, at the next look.
        self.server.command("DEL", key)
        self.redis._channels[KEY].answered -= redis_channel.FAULT_INTERVAL
        await self.stored()
        self.assertEqual(self.redis.storage_of(KEY), "redis")
        self.assertEqual(self.total(), 6)

    async def test_wrong_totals(self) -> None:
        """A text instead of the totals."""
        await self.is_refused("SET", f"{STEM}totals", "1")

    async def test_wrong_users(self) -> None:
        """A list instead of the users."""
        await self.is_refused("RPUSH", f"{STEM}users", "1")

    async def test_wrong_profiles(self) -> None:
        """A set instead of the profiles."""
        await self.is_refused("SADD", f"{STEM}profiles", "1")

    async def test_wrong_minutes(self) -> None:
        """A text instead of the minutes."""
        await self.is_refused("SET", f"{STEM}minutes", "1")

    async def test_wrong_uniques(self) -> None:
        """A hash instead of the registers."""
        await self.is_refused("HSET", f"{STEM}uniques", "1", "1")

    async def test_not_a_number(self) -> None:
        """A total that is no number."""
        await self.is_refused("HSET", f"{STEM}totals", "total", "many")

    async def test_foreign_users(self) -> None:
        """Users and profiles that nobody can read cost this channel only."""
        self.server.command("ZADD", f"{STEM}users", "5", b"\xff\xfe")
        self.redis.open(KEY, nobody)
        self.redis.add(KEY, tally({"1": 2}))
        await settled(reactor, lambda: self.state(self.redis)["refused"] == 1)
        self.assertEqual((await self.redis.snapshot(KEY, 1)).total_messages, 2)

    async def test_huge(self) -> None:
        """Beside a hundred thousand foreign users a range is read, not all of them."""
        pairs = [part for n in range(100_000) for part in (str(n % 1000), f"foreign{n}")]
        for start in range(0, len(pairs), 20_000):
            self.server.command("ZADD", f"{STEM}users", *pairs[start : start + 20_000])
        before = self.sent()
        data = await self.redis.snapshot(KEY, 100)
        self.assertLess(self.sent() - before, 100_000)
        self.assertEqual(len(data.unique_users), 100)

    def sent(self) -> int:
        """Bytes that Redis has sent to anybody."""
        stats = self.server.command("INFO", "stats").decode()
        (number,) = re.findall(r"total_net_output_bytes:(\d+)", stats)
        return int(number)
