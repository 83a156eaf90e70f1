# SPDX-License-Identifier: MIT
"""`RedisBroker` with a real redis-server: the contract, and how an order could get lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from livechat.brokers.redis.broker import RedisBroker
from livechat.core.history import IHistory
from livechat.core.ports import IBroker, IMembership, Start
from livechat.core.publication import Publication
from livechat.model.events import ALL_KINDS, ChannelKey
from tests.contracts.broker import KEY, OTHER, BrokerContract, Member, places, publish
from tests.support.redis import RedisServer, settled
from tests.support.redis_brokers import broker

#: States in which a share waits for nothing.
AT_REST = ("Following", "Leading", "Gone")

#: Seconds for which an order is kept that all have left, where a test waits until it is forgotten.
TTL = 0.3


class BrokersCase(TestCase):
    """Nodes on one server."""

    timeout = 120
    ttl = 300.0
    lease = 5.0

    async def setUp(self) -> None:  # type: ignore[override]
        """An empty server, and no node yet."""
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        await self.server.start(reactor)
        # It has had data before: nobody waits for those who would put them back.
        self.server.command("SET", "livechat:1:marker", f"{self.lease:g}")
        self.nodes: list[RedisBroker] = []

    async def node(self, name: str = "", **options: Any) -> RedisBroker:
        """Another node, connected."""
        made = self.started(name, **options)
        await settled(reactor, lambda: self.is_well(made))
        return made

    def started(self, name: str = "", url: str = "", **options: Any) -> RedisBroker:
        """Another node, not connected yet.

        :param url: of its way to the server; empty: straight.
        """
        name = name or f"node{len(self.nodes)}"
        chosen: dict[str, Any] = {"ttl": self.ttl, **options}
        made = broker(reactor, url or self.server.url, name, **chosen)
        self.nodes.append(made)
        made.startService()
        self.addCleanup(lambda: made.stopService() if made.running else None)
        return made

    def is_well(self, node: RedisBroker) -> bool:
        """Whether it is connected and has been seen."""
        return bool(node.health["broker"]["listening"])  # type: ignore[index]

    def shares(self, *nodes: RedisBroker) -> list[Any]:
        """All shares of these nodes, or of all."""
        held: list[Any] = list(nodes or self.nodes)
        return [share for node in held for shares in node._shares.values() for share in shares]

    async def at_rest(self) -> None:
        """Wait until everything that is on its way has arrived."""
        for _ in range(2):
            await settled(reactor, self._is_at_rest)
            await deferLater(reactor, 0.02)
        await settled(reactor, self._is_at_rest)

    def _is_at_rest(self) -> bool:
        return all(share.state in AT_REST and not len(share._tail) for share in self.shares())


class ContractTests(BrokerContract, BrokersCase):
    """Brokers on one Redis are a broker."""

    async def setUp(self) -> None:  # type: ignore[override]
        """As many nodes as any test needs at once for one channel."""
        await super().setUp()
        if self._testMethodName == "test_new_epoch":
            self.ttl = TTL
        for _ in range(4):
            self.started()
        await settled(reactor, lambda: all(map(self.is_well, self.nodes)))

    def broker(self) -> IBroker:
        """A node that takes no part in any channel."""
        return next((node for node in self.nodes if not self.shares(node)), None) or self.started()

    async def settled(self, count: int) -> list[tuple[Member, IMembership]]:
        """So many members; the first is the first at Redis, too."""
        members = []
        for _ in range(count):
            members.append(self.joined())
            await self.at_rest()
        return members

    def settle(self) -> Deferred[None]:
        """Until everything is at rest."""
        return Deferred.fromCoroutine(self.at_rest())

    def forget(self) -> Deferred[None]:
        """As long as an order is kept."""
        return deferLater(reactor, 2 * TTL)


class Remembering(Member):
    """A member that keeps what was published in its node's history, as a channel does."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._history: IHistory = node._node.history

    def published(self, publications: Sequence[Publication]) -> None:
        """See `IMember`."""
        self._history.append(KEY, publications)
        super().published(publications)


class OrderCase(BrokersCase):
    """A leader and a follower."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Both, the leader first."""
        await super().setUp()
        self.first, self.second = [await self.node(lease=self.lease) for _ in range(2)]
        self.leader, self.leading = await self.joined(self.first)
        self.follower, self.following = await self.joined(self.second)
        self.sent: list[tuple[str, bytes]] = []

    async def joined(self, node: RedisBroker) -> tuple[Member, IMembership]:
        """A member of a node that knows its role."""
        member = Remembering(node)
        membership = node.join(KEY, member)
        places[membership] = member
        await settled(reactor, lambda: bool(member.roles))
        return member, membership

    def say(self, count: int, membership: IMembership | None = None) -> None:
        """Publish so many messages, each by itself."""
        for _ in range(count):
            one = ("chat", b"%d" % len(self.sent))
            self.sent.append(one)
            publish(membership or self.leading, [one])

    async def received(self, *members: Member) -> None:
        """Wait until they have everything; once, and in order."""
        for member in members or (self.leader, self.follower):
            await settled(reactor, lambda: len(member.before_and_since) >= len(self.sent))  # noqa: B023
            self.assertEqual(member.before_and_since, self.sent)

    def kill_connections(self, kind: str) -> None:
        """Let Redis close all connections of a kind."""
        self.server.command("CLIENT", "KILL", "TYPE", kind)


class OrderTests(OrderCase):
    """Whatever happens to Redis, all is received once and in order."""

    async def test_commands_cut(self) -> None:
        """The connection for commands is lost while much is on its way: it arrives in order."""
        for _ in range(5):
            # All of it together is less than a history keeps.
            self.say(45)
            await deferLater(reactor, 0.002)
            self.kill_connections("normal")
            self.say(45)
            await settled(reactor, lambda: self.first.health["broker"]["up"])  # type: ignore[index]
        await self.received()
        self.assertEqual((self.leader.roles, self.follower.roles), (["lead"], ["follow"]))

    async def test_subscriptions_cut(self) -> None:
        """A follower that heard nothing for a moment reads what it missed."""
        self.say(10)
        await self.received()
        self.kill_connections("pubsub")
        self.say(100)
        await self.received()
        self.assertEqual(self.follower.missed_until, [])

    async def test_emptied(self) -> None:
        """Redis loses everything: the leader puts it back, and goes on in the same order."""
        self.say(50)
        await self.received()
        self.server.command("FLUSHALL")
        self.say(50)
        await self.received()
        late, _ = await self.joined(await self.node())
        await self.received(late)
        self.assertEqual((self.leader.roles, self.follower.roles), (["lead"], ["follow"]))
        epochs = {one.epoch for one in (*self.leader.starts, *self.follower.starts, *late.starts)}
        self.assertEqual(len(epochs), 1)

    async def test_not_put_back_yet(self) -> None:
        """Who asks before the leader has put everything back misses nothing; no number is lost."""
        self.say(50)
        await self.received()
        self.server.command("FLUSHALL")
        claims: Any = self.first._node.claims
        place = Start(self.leader.starts[0].epoch, 50, "2026", "room")
        ours = await claims.claim(KEY, "first/1", "", place, 0)
        self.assertEqual((ours.role, ours.start.seq, ours.given), ("ours", 0, 50))
        self.assertEqual((ours.start.until, ours.start.room_id), ("2026", "room"))
        again = await claims.claim(KEY, "", "", Start("", 0), 0)
        self.assertEqual((again.start.seq, again.given), (0, 50))
        await self.received()
        self.assertEqual(self.follower.missed_until, [])

    async def test_emptied_and_led_by_nobody(self) -> None:
        """Redis has lost everything, and the leader is gone: numbers of its order mean nothing."""
        self.say(5)
        await self.received()
        self.server.command("FLUSHALL")
        claims: Any = self.second._node.claims
        place = Start(self.leader.starts[0].epoch, 5, "2026", "room")
        claimed = await claims.claim(KEY, "", "", place, 0)
        self.assertEqual((claimed.role, claimed.given), ("failover", 0))
        self.assertNotEqual(claimed.start.epoch, place.epoch)
        self.assertEqual(claimed.start.until, "2026")

    async def test_restarted_empty(self) -> None:
        """The same when it was killed, and comes back with nothing."""
        self.say(50)
        await self.received()
        self.server.kill()
        self.say(50)
        await self.server.start(reactor)
        self.say(50)
        await self.received()
        self.assertEqual((self.leader.roles, self.follower.roles), (["lead"], ["follow"]))

    async def test_hand_over(self) -> None:
        """A leader that wants to go: the heir is prepared, and numbers on without a hole."""
        self.say(10)
        released = self.leading.release()
        await settled(reactor, lambda: "prepare" in self.follower.asked)
        self.say(10)
        self.following.prepared()
        await released
        await settled(reactor, lambda: self.follower.roles == ["follow", "lead"])
        self.assertEqual(self.leader.roles, ["lead", "follow"])
        start = self.follower.starts[-1]
        self.assertEqual((start.why, start.seq), ("handed", 20))
        self.say(10, self.following)
        await self.received()

    async def test_nobody_to_hand_over_to(self) -> None:
        """A leader alone may go at once."""
        await self.following.leave(lambda: self.fail("there is nothing to stop"))
        await self.leading.release()
        self.assertEqual(self.leader.roles, ["lead"])

    async def test_fence(self) -> None:
        """Who leads no more and does not know it reaches nobody, and follows."""
        self.say(5)
        await self.received()
        # As if it had been stopped until its lease ran out, and another one had taken over.
        order = "livechat:1:{twitch:ann}:order"
        third = await self.node("third")
        self.server.command("HSET", order, "leader", f"third/{third._lease.generation}")
        self.server.command("HINCRBY", order, "term", "5")
        publish(self.leading, [("chat", b"nobody's")])
        await settled(reactor, lambda: self.leader.roles == ["lead", "follow"])
        await deferLater(reactor, 0.1)
        self.assertEqual(self.follower.before_and_since, self.sent)
        self.assertIn("doubted", self.leader.asked)
        self.assertEqual(self.first.health["broker"]["refused"], 1)  # type: ignore[index]

    async def test_foreign_keys(self) -> None:
        """What lies under a channel's keys is not ours: the node leads it by itself."""
        other = ChannelKey("twitch", "username", "bob")
        self.server.command("SET", "livechat:1:{twitch:bob}:order", "a text")
        member = Member()
        self.first.join(other, member)
        await settled(reactor, lambda: member.roles == ["lead"])
        self.assertEqual(self.server.command("GET", "livechat:1:{twitch:bob}:order"), b"a text")

    async def test_apart(self) -> None:
        """Another prefix and another database are another service."""
        apart: tuple[dict[str, Any], ...] = ({"prefix": "other"}, {"database": 3})
        for number, options in enumerate(apart):
            member, _ = await self.joined(await self.node(f"apart{number}", **options))
            self.assertEqual(member.roles, ["lead"])
        self.say(3)
        await self.received()
        self.assertEqual(member.before_and_since, [])


class RecallTests(OrderCase):
    """A node that has no part in a channel is asked what was published in it."""

    async def setUp(self) -> None:  # type: ignore[override]
        """It is on the same Redis."""
        await super().setUp()
        self.third: Any = await self.node("third", lease=self.lease)
        self.history = self.third._node.history

    def numbers(self) -> list[int]:
        """What it has of the order."""
        (epoch,) = {start.epoch for start in self.leader.starts}
        return [one.seq for one in self.history.everything_after(KEY, epoch, 0)]

    async def test_recalled(self) -> None:
        """It has all that is kept, whenever it is asked, once; and still leads nothing."""
        self.say(3)
        await self.received()
        for count in (0, 3, 1, 250):
            self.say(count)
            await self.received()
            # Also when several ask at once.
            places = await gatherResults([self.third.recall(KEY) for _ in range(3)])
            self.assertEqual({place.seq for place in places}, {len(self.sent)})
            self.assertEqual(self.numbers(), list(range(1, len(self.sent) + 1)))
        self.assertEqual((self.leader.roles, self.third.leading), (["lead"], 0))

    async def test_quiet(self) -> None:
        """Of a channel in which nothing was said it knows the order."""
        place = await self.third.recall(KEY)
        self.assertEqual((place.epoch, place.seq), (self.leader.starts[0].epoch, 0))

    async def test_unknown(self) -> None:
        """Of one that nobody watches it knows nothing; nor where Redis has something else."""
        self.assertIsNone(await self.third.recall(OTHER))
        self.server.command("SET", "livechat:1:{tiktok:ann}:order", "a text")
        self.assertIsNone(await self.third.recall(OTHER))
        self.assertIsNone(await self.second.recall(KEY))

    async def test_redis_is_away(self) -> None:
        """Without Redis it has what it had."""
        self.say(3)
        await self.received()
        await self.third.recall(KEY)
        self.server.kill()
        await settled(reactor, lambda: not self.is_well(self.third))
        self.assertIsNone(await self.third.recall(KEY))
        self.assertEqual(self.numbers(), [1, 2, 3])

    async def test_jump(self) -> None:
        """What was left out when a leader died is no loss; what is not kept any more is one."""
        self.say(2)
        await self.received()
        epoch = self.leader.starts[0].epoch
        self.leader.place = (epoch, 1 << 20)
        publish(self.leading, [("chat", b"a"), ("chat", b"b")])
        await settled(reactor, lambda: len(self.follower.before_and_since) == 4)
        self.server.command("XTRIM", "livechat:1:{twitch:ann}:log", "MAXLEN", "1")
        await self.third.recall(KEY)
        for after, complete in ((2, True), (1, False)):
            past = self.history.after(KEY, epoch, after, ALL_KINDS)
            assert past is not None
            self.assertIs(past.complete, complete)


class NeverReachedTests(BrokersCase):
    """A node that was started before Redis was."""

    async def test_deadline(self) -> None:
        """The start deadline runs from when Redis was reached: nobody is told that there is none.

        An empty Redis is left to others first.
        """
        self.server.kill()
        node: Any = self.started()
        member = Member()
        node.join(KEY, member)
        node._shares[KEY][0].joined -= node._start_timeout
        await self.server.start(reactor)
        await settled(reactor, lambda: bool(member.roles or member.states))
        self.assertEqual((member.roles, member.states), (["lead"], []))

    async def test_alone(self) -> None:
        """With the fallback it leads for its own after a lease, and goes on so in Redis."""
        self.server.kill()
        node = self.started(fallback=True, lease=1.0)
        member = Member()
        membership = node.join(KEY, member)
        places[membership] = member
        await settled(reactor, lambda: member.roles == ["lead"])
        publish(membership, [("chat", b"to its own")])
        await self.server.start(reactor)
        await settled(reactor, lambda: "settled" in member.asked)
        self.assertEqual((member.roles, member.received), (["lead"], [("chat", b"to its own")]))


class SameNameTests(BrokersCase):
    """Two nodes were given one name."""

    lease = 1.0

    async def test_renamed(self) -> None:
        """The later one takes another, says so, and both go on as one service."""
        lines: list[str] = []

        @implementer(ILogObserver)
        def observer(event: LogEvent) -> None:
            lines.append(formatEvent(event))

        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        options: dict[str, Any] = {"lease": self.lease}
        first = await self.node("same", **options)
        earlier = Member()
        first.join(KEY, earlier)
        await settled(reactor, lambda: earlier.roles == ["lead"])
        second: Any = self.started("same", seed="other", **options)
        await settled(reactor, lambda: str(second.health["node"]).startswith("same~"))
        self.assertEqual(sum("another node is called same, too" in line for line in lines), 1)
        later, own = Member(), Member()
        second.join(KEY, later)
        second.join(OTHER, own)
        await settled(reactor, lambda: bool(later.roles and own.roles))
        await deferLater(reactor, 2 * self.lease)
        self.assertEqual(first.health["node"], "same")
        self.assertEqual((earlier.roles, later.roles, own.roles), (["lead"], ["follow"], ["lead"]))
        self.assertTrue(self.is_well(first) and self.is_well(second))


class Slow:
    """Waits longer than a short lease."""

    def delay(self, failures: int) -> float:
        """See `Backoff`."""
        return 3.0


class LateLeaderTests(OrderCase):
    """Redis was away, and the leader reaches it later than the lease is long."""

    lease = 1.0

    async def test_leader_comes_back_late(self) -> None:
        """It is waited for."""
        self.say(10)
        await self.received()
        node: Any = self.first
        self.patch(node._link._commands, "_backoff", Slow())
        self.server.kill()
        await self.server.start(reactor)
        self.say(10)
        await self.received()
        self.assertEqual((self.leader.roles, self.follower.roles), (["lead"], ["follow"]))


class DeathTests(OrderTests):
    """The same with a short lease, and what happens when the leader has gone without a word.

    The lease is longer than Redis takes to start where the machine is busy.
    """

    lease = 3.0

    async def test_leader_dies(self) -> None:
        """Another one takes over when the lease has run out, and numbers in a later block."""
        self.say(10)
        await self.received()
        node: Any = self.first
        node._lease.stop()
        node._link.stopService()
        await settled(reactor, lambda: self.follower.roles == ["follow", "lead"])
        start = self.follower.starts[-1]
        self.assertEqual((start.why, start.seq), ("failover", 2 << 20))
        node._link.startService()


class NoHistoryTests(BrokersCase):
    """Where nothing is kept, everything is received all the same."""

    async def test_followed(self) -> None:
        """There is no log, and the answer to a claim has none."""
        nodes = [await self.node(size=0) for _ in range(2)]
        members = []
        for node in nodes:
            member = Member()
            places[node.join(KEY, member)] = member
            await settled(reactor, lambda: bool(member.roles))  # noqa: B023
            members.append(member)
        leading = next(each for each, member in places.items() if member is members[0])
        for number in range(10):
            publish(leading, [("chat", b"%d" % number)])
        await settled(reactor, lambda: len(members[1].received) == 10)
        self.assertEqual(members[1].received, members[0].received)
        self.assertNotIn(b"livechat:1:{twitch:ann}:log", self.server.command("KEYS", "*"))
