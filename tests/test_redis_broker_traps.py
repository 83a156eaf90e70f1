# SPDX-License-Identifier: MIT
"""What is easy to get wrong between nodes and Redis, one test for each, with a real redis-server.

Some are in `tests.test_redis_broker`: batches whose connection was lost come back in order
(`OrderTests.test_commands_cut`), and where nothing is kept the script of a claim reads no log
(`NoHistoryTests.test_followed`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from livechat.brokers.redis.broker import RedisBroker
from livechat.brokers.redis.layout import CLAIM, PASS
from livechat.core.ports import IMembership, Live, Start
from livechat.redis.link import RedisDown
from tests.contracts.broker import INFO, KEY, Member, places, publish, stopped
from tests.support.cluster import Way
from tests.support.redis import settled
from tests.test_redis_broker import BrokersCase, Remembering

reactor: Any = _reactor

ORDER = "livechat:1:{twitch:ann}:order"


class TrapCase(BrokersCase):
    """Members of nodes, told what they are told."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Nothing is published yet."""
        await super().setUp()
        self.sent: list[tuple[str, bytes]] = []

    async def joined(self, node: RedisBroker) -> tuple[Member, IMembership]:
        """A member of a node that knows its role."""
        member, membership = self.joining(node)
        await settled(reactor, lambda: bool(member.roles))
        return member, membership

    def joining(self, node: RedisBroker) -> tuple[Member, IMembership]:
        """A member that does not know it yet."""
        member = Remembering(node)
        membership = node.join(KEY, member)
        places[membership] = member
        return member, membership

    def say(self, membership: IMembership, count: int) -> None:
        """Publish so many messages, each by itself."""
        for _ in range(count):
            one = ("chat", b"%d" % len(self.sent))
            self.sent.append(one)
            publish(membership, [one])

    async def received(self, *members: Member) -> None:
        """Wait until they have everything; once, and in order."""
        for member in members:
            await settled(reactor, lambda: len(member.before_and_since) >= len(self.sent))  # noqa: B023
            self.assertEqual(member.before_and_since, self.sent)

    def answers_late(
        self, node: RedisBroker, script: object
    ) -> tuple[list[str], Callable[..., Any]]:
        """The answers to a script reach this node only when they are let through.

        :return: a word for each answer that Redis has given, and what lets all through.
        """
        run, given, through = node._link.run, list[str](), Deferred[None]()

        async def late(name: Any, *arguments: Any) -> bytes:
            answer = await run(name, *arguments)
            if name is script and not through.called:
                given.append("given")
                waits: Deferred[None] = Deferred()
                through.chainDeferred(waits)
                await waits
            return answer

        node._link.run = lambda *them: Deferred.fromCoroutine(late(*them))  # type: ignore[method-assign]
        return given, lambda: through.callback(None)

    def loses_an_answer(self, node: RedisBroker) -> list[bytes]:
        """The answer to the next claim does not reach this node; it is in this list then."""
        run, lost = node._link.run, list[bytes]()

        async def lose(script: Any, *arguments: Any) -> bytes:
            answer = await run(script, *arguments)
            if script is CLAIM and not lost:
                lost.append(answer)
                raise RedisDown("the answer is lost")
            return answer

        node._link.run = lambda *them: Deferred.fromCoroutine(lose(*them))  # type: ignore[method-assign]
        return lost


class OvertakenTests(TrapCase):
    """What is heard overtakes the answer to what was asked."""

    async def test_role_is_told_once(self) -> None:
        """That a node leads is announced before it has the answer: it is told so once."""
        node = await self.node()
        given, let_through = self.answers_late(node, CLAIM)
        member, _ = self.joining(node)
        await settled(reactor, lambda: bool(given))
        await deferLater(reactor, 0.05)
        let_through()
        await self.at_rest()
        self.assertEqual((member.roles, len(member.starts)), (["lead"], 1))

    async def test_role_before_state(self) -> None:
        """What the leader tells and says before the answer comes after the role, in its order."""
        leader, leading = await self.joined(await self.node())
        node = await self.node()
        given, let_through = self.answers_late(node, CLAIM)
        member, _ = self.joining(node)
        said: list[str] = []
        member.upon = said.append
        await settled(reactor, lambda: bool(given))
        self.say(leading, 2)
        leading.tell(Live(INFO))
        self.say(leading, 1)
        await deferLater(reactor, 0.05)
        self.assertEqual(said, [])
        let_through()
        await self.received(leader, member)
        self.assertEqual((said[0], set(member.states)), ("follow", {Live(INFO)}))
        self.assertEqual(said.count("follow"), 1)


class DrainTests(TrapCase):
    """A node that stops."""

    async def test_waits_for_the_script(self) -> None:
        """It has not handed a channel over before Redis says so."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        heir, following = await self.joined(second)
        given, let_through = self.answers_late(first, PASS)
        drained = first.drain(10)
        await settled(reactor, lambda: "prepare" in heir.asked)
        self.say(leading, 3)
        following.prepared()
        await settled(reactor, lambda: bool(given))
        await deferLater(reactor, 0.1)
        self.assertFalse(drained.called)
        let_through()
        self.assertEqual(await drained, 0)
        self.assertEqual(heir.roles, ["follow", "lead"])
        self.assertEqual(heir.starts[-1].why, "handed")
        await self.received(leader, heir)


class SilentLeaderTests(TrapCase):
    """A leader that has taken over and published nothing yet, as its upstream does not flow."""

    lease = 1.0

    async def setUp(self) -> None:  # type: ignore[override]
        """The first leader has died, the second one leads, the third one follows it."""
        await super().setUp()
        self.first, self.second, self.third = [await self.node(lease=1.0) for _ in range(3)]
        _, leading = await self.joined(self.first)
        self.successor, self.succeeding = await self.joined(self.second)
        self.say(leading, 3)
        await self.received(self.successor)
        self.die(self.first)
        await settled(reactor, lambda: self.successor.roles == ["follow", "lead"])
        self.block = self.successor.starts[-1].seq
        self.assertEqual(self.block, 2 << 20)
        self.follower, self.following = await self.joined(self.third)
        await self.received(self.follower)

    def die(self, node: Any) -> None:
        """It gives no sign of life any more."""
        node._lease.stop()
        node._link.stopService()
        self.addCleanup(node._link.startService)

    async def test_handed_over(self) -> None:
        """The heir begins where the leader would have: else the leader took that for old."""
        released = self.succeeding.release()
        await settled(reactor, lambda: "prepare" in self.follower.asked)
        self.following.prepared()
        await released
        await settled(reactor, lambda: self.follower.roles == ["follow", "lead"])
        start = self.follower.starts[-1]
        self.assertEqual((start.why, start.seq), ("handed", self.block))
        await self.at_rest_of(self.second, self.third)
        self.say(self.following, 3)
        await self.received(self.successor, self.follower)
        self.assertEqual((self.successor.missed_until, self.follower.missed_until), ([], []))

    async def test_dies(self) -> None:
        """What it gave its own, and Redis never had, has numbers that are not given again."""
        queue: Any = self.second._node.queue
        queue._is_flying = True
        publish(self.succeeding, [("chat", b"to its own")])
        self.die(self.second)
        await settled(reactor, lambda: self.follower.roles == ["follow", "lead"])
        self.assertGreater(self.follower.starts[-1].seq, self.successor.place[1])
        self.assertEqual(self.follower.missed_until, [])

    async def at_rest_of(self, *nodes: RedisBroker) -> None:
        """Wait until these have a part that lasts."""
        lasting = ("Following", "Leading")
        await settled(reactor, lambda: all(one.state in lasting for one in self.shares(*nodes)))


class MeanwhileTests(TrapCase):
    """Another node has led while this one could not know it, and is gone."""

    async def test_another_has_led(self) -> None:
        """This one leads again, and knows since when nobody else was given anything."""
        leader, leading = await self.joined(await self.node())
        follower, _ = await self.joined(await self.node())
        self.say(leading, 3)
        await self.received(leader, follower)
        place = f"{2 << 20} 2027-01-01T00:00:00.000Z room"
        self.server.command("HDEL", ORDER, "leader")
        self.server.command("HINCRBY", ORDER, "term", "5")
        self.server.command("HSET", ORDER, "place", place)
        publish(leading, [("chat", b"to its own")])
        await settled(reactor, lambda: leader.roles == ["lead", "lead"])
        start = leader.starts[-1]
        self.assertEqual((start.why, start.seq), ("failover", 2 << 20))
        self.assertEqual(start.until, "2027-01-01T00:00:00.000Z")

    async def test_the_answer_was_lost(self) -> None:
        """It led again already when it asked once more: that it had not led all the time shows."""
        node = await self.node()
        leader, leading = await self.joined(node)
        follower, _ = await self.joined(await self.node())
        self.say(leading, 3)
        await self.received(leader, follower)
        lost = self.loses_an_answer(node)
        self.server.command("HSET", ORDER, "leader", "gone/1")
        self.server.command("HINCRBY", ORDER, "term", "5")
        publish(leading, [("chat", b"to its own")])
        await settled(reactor, lambda: leader.roles == ["lead", "lead"])
        start = leader.starts[-1]
        self.assertEqual((start.why, start.seq, len(lost)), ("failover", 2 << 20, 1))

    async def test_asks_once(self) -> None:
        """It does not ask again before it has an answer."""
        node = await self.node()
        _, leading = await self.joined(node)
        given, let_through = self.answers_late(node, CLAIM)
        self.server.command("HINCRBY", ORDER, "term", "5")
        publish(leading, [("chat", b"to its own")])
        await settled(reactor, lambda: bool(given))
        share: Any = leading
        for _ in range(3):
            share.turn("again")
        await deferLater(reactor, 0.05)
        self.assertEqual((share.state, len(given)), ("Doubting", 1))
        let_through()
        await self.at_rest()
        self.assertEqual(share.state, "Leading")

    async def test_nobody_has(self) -> None:
        """Where Redis only lost everything there is nothing to tell."""
        leader, leading = await self.joined(await self.node())
        self.say(leading, 3)
        self.server.command("FLUSHALL")
        await self.at_rest()
        self.say(leading, 1)
        await self.at_rest()
        self.assertEqual(leader.roles, ["lead"])


class UnansweredTests(TrapCase):
    """A question that had no answer, though Redis can be used."""

    async def test_asked_again(self) -> None:
        """A node that could not show in time that it lives asks again who leads."""
        node = await self.node()
        lease: Any = node._lease
        renew, asked = lease.renew, list[str]()

        async def late() -> None:
            asked.append("renew")
            if len(asked) == 1:
                lease._deadline = -inf
            else:
                await renew()

        lease.renew = lambda: Deferred.fromCoroutine(late())
        lease._deadline = -inf
        member, _ = await self.joined(node)
        self.assertEqual((member.roles, asked[:1]), (["lead"], ["renew"]))


class UnknowingLeaderTests(TrapCase):
    """A node that leads in Redis, and whose member leaves before it knows."""

    async def test_leaves(self) -> None:
        """It gives the channel back: others would follow a node that does not lead."""
        node = await self.node()
        lost = self.loses_an_answer(node)
        _, membership = self.joining(node)
        await settled(reactor, lambda: bool(lost))
        await membership.leave(stopped)
        await settled(reactor, lambda: self.server.command("HGET", ORDER, "leader") is None)

    async def test_leaves_in_doubt(self) -> None:
        """The same where it had led before, until another one did that is gone."""
        node = await self.node()
        _, leading = await self.joined(node)
        self.say(leading, 3)
        await self.at_rest()
        lost = self.loses_an_answer(node)
        self.server.command("HSET", ORDER, "leader", "gone/1")
        self.server.command("HINCRBY", ORDER, "term", "5")
        publish(leading, [("chat", b"to its own")])
        await settled(reactor, lambda: bool(lost))
        await leading.leave(stopped)
        self.assertIsNone(self.server.command("HGET", ORDER, "leader"))


class LeavingHeirTests(TrapCase):
    """A node that is to take a channel over leaves it."""

    async def test_handed_meanwhile(self) -> None:
        """It gives back what was handed to it: nobody waits for a node that does not lead."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        heir, following = await self.joined(second)
        self.say(leading, 3)
        await self.received(leader, heir)
        run, left = first._link.run, list[Deferred[None]]()

        def leave(script: Any, *arguments: Any) -> Any:
            if script is PASS:
                left.append(following.leave(stopped))
            return run(script, *arguments)

        first._link.run = leave  # type: ignore[method-assign,assignment]
        released = leading.release()
        await settled(reactor, lambda: "prepare" in heir.asked)
        following.prepared()
        await released
        await left[0]
        await settled(reactor, lambda: leader.roles == ["lead", "follow", "lead"])
        self.assertEqual(leader.starts[-1].why, "first")

    async def test_not_needed(self) -> None:
        """Its leader goes on after all: it leaves the upstream and follows."""
        first, second = [await self.node() for _ in range(2)]
        _, leading = await self.joined(first)
        heir, following = await self.joined(second)
        released = leading.release()
        released.addErrback(lambda reason: reason.trap(CancelledError) and None)
        await settled(reactor, lambda: "prepare" in heir.asked)
        told = len(heir.starts)
        released.cancel()
        share: Any = following
        await settled(reactor, lambda: share.state == "Following")
        self.assertEqual((heir.roles, len(heir.starts)), (["follow"], told + 1))

    async def test_declined(self) -> None:
        """Its leader asks another one at once."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        heir, following = await self.joined(second)
        released = leading.release()
        released.addErrback(lambda reason: reason.trap(CancelledError) and None)
        await settled(reactor, lambda: "prepare" in heir.asked)
        offering: Any = leading
        answers: list[Any] = []
        offering.offering.answered = answers.append
        left = following.leave(stopped)
        await settled(reactor, lambda: bool(answers))
        self.assertEqual([one.able for one in answers], [False])
        await left
        released.cancel()
        self.assertEqual(leader.roles, ["lead"])


class LeavingTests(TrapCase):
    """A leader leaves in order."""

    async def test_redis_has_not_everything(self) -> None:
        """Numbers that only its own subscribers were given are not given again by the next one."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        follower, following = await self.joined(second)
        self.say(leading, 3)
        await self.received(leader, follower)
        # Redis is slow: it is not given the rest in time.
        queue: Any = first._node.queue
        queue._is_flying = True
        for _ in range(5):
            publish(leading, [("chat", b"to its own")])
        given = leader.place[1]
        await leading.leave(stopped)
        await settled(reactor, lambda: follower.roles == ["follow", "lead"])
        self.assertGreater(follower.starts[-1].seq, given)
        publish(following, [("chat", b"next")])
        self.assertEqual(follower.received[-1], ("chat", b"next"))

    async def test_redis_is_away(self) -> None:
        """What was left while Redis could not be told is led by others once it can be."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        follower, _ = await self.joined(second)
        self.say(leading, 3)
        await self.received(leader, follower)
        self.server.command("CLIENT", "KILL", "TYPE", "normal")
        await leading.leave(stopped)
        self.assertIn(KEY, first._node.farewells)
        await settled(reactor, lambda: follower.roles == ["follow", "lead"])
        # Not because the lease had run out.
        self.assertEqual((first.counts["leaseLosses"], follower.starts[-1].why), (0, "first"))
        self.assertEqual(first._node.farewells, {})


class BacklogTests(TrapCase):
    """Much was said while Redis was away."""

    async def test_not_cut(self) -> None:
        """More than fits into one message or one call reaches the others, in order."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        follower, _ = await self.joined(second)
        self.server.kill()
        self.say(leading, 450)
        await self.server.start(reactor)
        await self.received(leader, follower)
        self.assertEqual(follower.missed_until, [])


class LostDataTests(TrapCase):
    """Redis loses everything."""

    async def test_follower_is_faster(self) -> None:
        """A follower that sees it before the leader has written anything leads nothing."""
        first, second = [await self.node() for _ in range(2)]
        leader, leading = await self.joined(first)
        follower, following = await self.joined(second)
        self.say(leading, 5)
        await self.received(leader, follower)
        still: Any = first
        still._looks.stop()
        still._lease.stop()
        self.server.command("FLUSHALL")
        share: Any = following
        await settled(reactor, lambda: share.state == "Waiting")
        await deferLater(reactor, 0.6)
        self.say(leading, 5)
        await self.received(leader, follower)
        self.assertEqual((leader.roles, follower.roles), (["lead"], ["follow"]))
        still._looks.start(60, now=False)


class PausedTests(TrapCase):
    """A node was stopped for longer than its lease."""

    async def test_generation(self) -> None:
        """Its first sign of life after that does not make valid what it led before."""
        first, second = [await self.node() for _ in range(2)]
        lease: Any = first._lease
        held = ["HSET", ORDER, "leader", lease.me, "term", "5", "epoch", "1", "place", "9  "]
        self.server.command(*held)
        claims: Any = second._node.claims
        self.assertEqual((await claims.claim(KEY, "", "never", Start("", 0), 0)).role, "follow")
        now = lease._now
        lease._now = lambda: now() + 60
        await lease.beat()
        self.assertTrue(lease.is_held)
        self.assertEqual((await claims.claim(KEY, "", "never", Start("", 0), 0)).role, "wait")
        claimed = await claims.claim(KEY, "", "", Start("", 0), 0)
        self.assertEqual((claimed.role, claimed.start.seq), ("failover", 9))


class UnusableTests(TrapCase):
    """What lies under the keys of a channel is not ours."""

    async def test_a_script_that_fails_has_written_nothing(self) -> None:
        """Where the log is none, nobody leads in Redis either."""
        self.server.command("SET", "livechat:1:{twitch:ann}:log", "a text")
        member, _ = await self.joined(await self.node())
        self.assertEqual(member.roles, ["lead"])
        self.assertEqual(self.server.command("EXISTS", ORDER), 0)


class LoneTests(TrapCase):
    """A node that has led for its own subscribers while it did not reach Redis."""

    lease = 3.0

    async def test_later_epoch(self) -> None:
        """Its epoch is later than that of all; what all publish is not old for that."""
        first = await self.node(lease=self.lease)
        way = Way(self.server.port)
        port = reactor.listenTCP(0, way, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(way.cut)
        url = self.server.url.replace(str(self.server.port), str(port.getHost().port))
        second = await self.node(url=url, lease=self.lease, fallback=True)
        leader, leading = await self.joined(first)
        lone, alone = await self.joined(second)
        self.say(leading, 3)
        await self.received(leader, lone)
        way.cut()
        await settled(reactor, lambda: lone.roles == ["follow", "lead"])
        self.assertGreater(lone.starts[-1].epoch, leader.starts[0].epoch)
        publish(alone, [("chat", b"to its own")])
        self.say(leading, 2)
        way.heal()
        await settled(reactor, lambda: lone.roles == ["follow", "lead", "follow"])
        self.say(leading, 2)
        await settled(reactor, lambda: lone.place == leader.place)
        self.assertEqual(lone.before_and_since[-2:], self.sent[-2:])
        self.assertEqual(lone.before_and_since.count(("chat", b"to its own")), 1)
        self.assertEqual(leader.before_and_since, self.sent)
        self.assertEqual(leader.roles, ["lead"])
