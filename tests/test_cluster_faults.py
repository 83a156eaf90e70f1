# SPDX-License-Identifier: MIT
"""Several real daemons on a real Redis: whatever happens to them, nobody misses anything untold.

With `LIVECHAT_FIGURES` each test adds a line of JSON to the file of that name: what its witnesses
were given.  `python -m benchmarks faults` makes a table of them.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from tests.support.cluster import LEASE, Cluster, Node
from tests.support.daemon import PATIENCE
from tests.support.witness import Heard, Witness, unexplained

reactor: Any = _reactor

CHANNEL: Final = "ann"

#: Seconds for what is on its way behind the last message.
SETTLE: Final = 1.5


class ClusterCase(TestCase):
    """Nodes, and a witness at each of them who stays there."""

    timeout = 240
    nodes = 3
    rate = 100.0
    channels = (CHANNEL,)
    # More than is said while Redis is away.
    options: tuple[str, ...] = ("--history-size=2000", "--linger=1")

    async def setUp(self) -> None:  # type: ignore[override]
        """Everybody watches; the first node leads."""
        self.cluster = Cluster(reactor, self.channels, self.rate, *self.options)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.cluster.close()))
        await self.cluster.start(self.nodes)
        self.witnesses: list[Witness] = []
        for node in self.cluster.nodes:
            self.witnesses.append(self.cluster.watch(node))
            await self.cluster.greeted()
        await self.cluster.pass_time(0.5)
        self.begin = reactor.seconds()
        await self.cluster.pass_time(0.5)

    @property
    def first(self) -> Node:
        """The node that leads at first."""
        return self.cluster.nodes[0]

    def heard(self, number: int) -> Heard:
        """What the witness at a node was given."""
        return self.witnesses[number].heard[CHANNEL]

    async def settle(self) -> None:
        """Nothing more is said, and what is on its way arrives."""
        self.cluster.silence()
        self.end = reactor.seconds()
        await self.cluster.arrived()
        await self.cluster.pass_time(SETTLE)
        if figures := os.environ.get("LIVECHAT_FIGURES"):
            with Path(figures).open("ab") as lines:
                lines.write(msgspec.json.encode(self.figures()) + b"\n")

    def figures(self) -> dict[str, object]:
        """What the witnesses were given since the beginning, and how long each heard nothing."""
        silences = []
        for heard in self.cluster.all_heard():
            times = [at for at in heard.times if at > self.begin] or [self.begin]
            silences.append(max((b - a for a, b in pairwise(times)), default=0.0))
        return {
            "row": f"{type(self).__name__}.{self._testMethodName}",
            "title": self.shortDescription(),
            "silences": silences,
            "epochs": max(heard.epochs for heard in self.cluster.all_heard()),
            **msgspec.structs.asdict(self.cluster.judge(self.begin, self.end)),
        }

    def missed(self, number: int) -> list[float]:
        """When that was said which a witness has not got, in seconds since the beginning."""
        truth = self.cluster.truth[CHANNEL]
        return [
            at - self.begin for at in unexplained(self.heard(number), truth, self.begin, self.end)
        ]

    def assert_nothing_lost(self) -> None:
        """Everybody was given everything once, in one unbroken order."""
        self.assert_told()
        for number, witness in enumerate(self.witnesses):
            heard = witness.heard[CHANNEL]
            self.assertEqual(self.missed(number), [], f"lost at {number}: {heard.statuses}")
            self.assertEqual((heard.epochs, heard.jumps, heard.gaps), (1, 0, []))

    def assert_told(self) -> None:
        """Nobody was given anything twice, or misses something without having been told."""
        verdict = self.cluster.judge(self.begin, self.end)
        self.assertTrue(verdict.is_good, self.cluster.complaints(self.begin, self.end))
        self.assertGreater(verdict.due, 0)

    async def assert_served(self, *numbers: int) -> None:
        """The witnesses at these nodes are given what is said now."""
        before = {number: len(self.heard(number).chats) for number in numbers}
        await self.cluster.come_true(
            lambda: all(len(self.heard(one).chats) > count for one, count in before.items())
        )

    async def assert_counted(self) -> None:
        """Everybody is told the same total: every message that anybody was given, once."""
        given = {one for heard in self.cluster.all_heard() for one in heard.chats}
        await self.cluster.come_true(
            lambda: {heard.totals for heard in self.cluster.all_heard()} == {len(given)}
        )

    async def assert_published_is_counted(self) -> None:
        """All count what has reached other nodes than the first, each message once.

        What that one alone gave to its subscribers, when it was gone, is counted nowhere.
        """
        truth = self.cluster.truth[CHANNEL]
        early = {one for one, at in zip(truth.ids, truth.times, strict=True) if at < self.begin}
        published = early & {*self.heard(0).chats}
        published.update(*(heard.chats for heard in (self.heard(1), self.heard(2))))
        await self.cluster.come_true(
            lambda: {heard.totals for heard in self.cluster.all_heard()} == {len(published)}
        )


class TogetherTests(ClusterCase):
    """Nothing happens."""

    async def test_one_upstream(self) -> None:
        """One upstream for all nodes; the same numbers, the same totals, one leader."""
        self.assertEqual(self.cluster.upstreams(CHANNEL), 1)
        await self.settle()
        self.assert_nothing_lost()
        for number in (1, 2):
            both = zip(self.heard(0).given[::-1], self.heard(number).given[::-1], strict=False)
            self.assertTrue(all(one == other for one, other in both))
            self.assertEqual(self.heard(number).seq, self.heard(0).seq)
        await self.assert_counted()
        roles = [(await node.channels())[CHANNEL]["role"] for node in self.cluster.nodes]
        self.assertEqual(roles, ["leading", "following", "following"])
        leaders = {(await node.channels())[CHANNEL]["leader"] for node in self.cluster.nodes}
        self.assertEqual(leaders, {self.first.name})
        said = [await node.health() for node in self.cluster.nodes]
        self.assertEqual([one["leading"] for one in said], [1, 0, 0])
        self.assertEqual([one["node"] for one in said], [n.name for n in self.cluster.nodes])


class HandOverTests(ClusterCase):
    """A leader goes, and says so."""

    async def test_drained(self) -> None:
        """A leader that is stopped hands over: nothing lost, nothing twice, no gap, no break."""
        self.cluster.dismiss(self.witnesses[0])
        await self.first.stop()
        await self.cluster.pass_time(1)
        await self.settle()
        self.assertEqual(self.cluster.upstreams(CHANNEL), 1)
        for number in (1, 2):
            heard = self.heard(number)
            self.assertEqual((self.missed(number), heard.gaps, heard.jumps), ([], [], 0))
            self.assertEqual([what for _, what, _ in heard.statuses], ["subscribed", "started"])
        self.assert_told()
        await self.cluster.come_true(lambda: self.heard(1).totals == self.heard(2).totals)

    async def test_last_watcher(self) -> None:
        """The leader's last subscriber leaves while others watch: it hands over, loses nothing."""
        self.cluster.dismiss(self.witnesses[0])
        await self.cluster.come_true(lambda: _leads(self.cluster.nodes[1:]))
        await self.settle()
        for number in (1, 2):
            heard = self.heard(number)
            self.assertEqual((self.missed(number), heard.gaps, heard.jumps), ([], [], 0))
        self.assert_told()
        self.assertEqual(self.cluster.upstreams(CHANNEL), 1)
        self.assertEqual(self.first.runs, True)

    async def test_rolling_restart(self) -> None:
        """All nodes are replaced one after the other: clients that move lose nothing."""
        for witness in self.witnesses:
            self.cluster.dismiss(witness)
        self.witnesses = [self.cluster.watch() for _ in range(6)]
        await self.cluster.greeted()
        await self.cluster.pass_time(0.5)
        self.begin = reactor.seconds()
        for node in list(self.cluster.nodes):
            await node.stop()
            await self.cluster.add()
            await self.cluster.pass_time(1)
        await self.settle()
        self.assert_nothing_lost()


async def _leads(nodes: list[Node]) -> bool:
    """Whether one of these leads."""
    seen = await gatherResults([Deferred.fromCoroutine(node.channels()) for node in nodes])
    return any(one.get(CHANNEL, {}).get("role") == "leading" for one in seen)


class DeathTests(ClusterCase):
    """A node dies."""

    async def test_leader(self) -> None:
        """The leader dies: another one leads when its lease is over, behind a gap; one epoch.

        How long that takes is measured elsewhere.
        """
        self.cluster.dismiss(self.witnesses[0])
        await self.first.kill()
        await self.cluster.come_true(lambda: self.heard(1).gaps and self.heard(2).gaps)
        await self.cluster.pass_time(1)
        await self.settle()
        self.assert_told()
        for number in (1, 2):
            heard = self.heard(number)
            self.assertEqual((heard.epochs, heard.jumps), (1, 1))
            self.assertEqual([gap["reason"] for gap in heard.gaps], ["failover"])
            words = [what for _, what, _ in heard.statuses[2:]]
            self.assertEqual(words, ["reconnecting", "started"])
        self.assertEqual(self.cluster.upstreams(CHANNEL), 1)
        await self.assert_published_is_counted()

    async def test_follower(self) -> None:
        """A follower dies: nobody else notices."""
        self.cluster.dismiss(self.witnesses[2])
        await self.cluster.nodes[2].kill()
        await self.cluster.pass_time(LEASE + 1)
        await self.settle()
        for number in (0, 1):
            heard = self.heard(number)
            self.assertEqual((self.missed(number), heard.gaps, heard.jumps), ([], [], 0))

    async def test_paused_leader(self) -> None:
        """A leader that sleeps is replaced, and publishes nothing under another's name after it."""
        self.first.pause()
        await self.cluster.come_true(lambda: self.heard(1).gaps and self.heard(2).gaps)
        await self.cluster.pass_time(2)
        self.first.resume()
        await self.cluster.come_true(self._follows)
        await self.cluster.pass_time(1)
        await self.settle()
        self.assert_told()
        self.assertEqual(self.cluster.upstreams(CHANNEL), 1)
        self.assertEqual({heard.epochs for heard in self.cluster.all_heard()}, {1})
        await self.assert_published_is_counted()

    async def _follows(self) -> bool:
        return bool((await self.first.channels())[CHANNEL]["role"] == "following")


class RedisTests(ClusterCase):
    """Redis is away, slow, or has lost what it had."""

    async def test_restarted_empty(self) -> None:
        """Redis is away for two seconds and comes back empty: nobody loses anything."""
        self.cluster.redis.kill()
        await self.cluster.pass_time(2)
        await self.cluster.redis.start(reactor)
        await self.cluster.pass_time(LEASE + 3)
        await self.settle()
        self.assert_nothing_lost()
        await self.assert_counted()

    async def test_restarted_with_data(self) -> None:
        """Redis is away for two seconds and has what it had before: nobody loses anything."""
        self.cluster.redis.command("SAVE")
        self.cluster.redis.kill()
        await self.cluster.pass_time(2)
        await self.cluster.redis.start(reactor)
        self.assertTrue(self.cluster.redis.key_names())
        await self.cluster.pass_time(LEASE + 3)
        await self.settle()
        self.assert_nothing_lost()
        await self.assert_counted()

    async def test_away_for_long(self) -> None:
        """Redis is away beyond the lease: followers say so, and are given everything after it."""
        self.cluster.redis.kill()
        await self.cluster.pass_time(LEASE + 4)
        told = ("reconnecting", "BROKER")
        await self.cluster.come_true(lambda: all(told in _words(self.heard(n)) for n in (1, 2)))
        self.assertNotIn("reconnecting", [what for what, _ in _words(self.heard(0))])
        # The leader's own subscribers are served on.
        await self.assert_served(0)
        await self.cluster.redis.start(reactor)
        await self.cluster.pass_time(LEASE + 4)
        await self.settle()
        self.assert_told()
        self.assertEqual(self.missed(0), [])
        self.assertEqual({heard.epochs for heard in self.cluster.all_heard()}, {1})
        await self.assert_counted()

    async def test_hangs(self) -> None:
        """Redis hangs for five seconds: nobody loses anything."""
        self.cluster.redis.pause()
        await self.cluster.pass_time(5)
        self.cluster.redis.resume()
        await self.cluster.pass_time(LEASE + 3)
        await self.settle()
        self.assert_nothing_lost()
        await self.assert_counted()

    async def test_slow(self) -> None:
        """Redis answers only now and then: nobody loses anything."""
        for _ in range(8):
            self.cluster.redis.pause()
            await self.cluster.pass_time(0.4)
            self.cluster.redis.resume()
            await self.cluster.pass_time(0.1)
        await self.cluster.pass_time(2)
        await self.settle()
        self.assert_nothing_lost()
        self.assertIs(await self.cluster.leader(CHANNEL), self.first)
        await self.assert_counted()

    async def test_output_buffer_limit(self) -> None:
        """Redis drops the followers' subscriptions: they are made again, and read on."""
        before = self.subscriptions()
        self.cluster.redis.command("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1 0 0")
        # What is published at once after that is more than goes straight to the sockets.
        self.cluster.redis.pause()
        await self.cluster.pass_time(1.5)
        self.cluster.redis.resume()
        await self.cluster.come_true(lambda: len(before - self.subscriptions()) == 2)
        self.cluster.redis.command("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0")
        await self.cluster.pass_time(LEASE)
        await self.settle()
        self.assert_nothing_lost()

    def subscriptions(self) -> set[str]:
        """The ids of the connections on which nodes hear."""
        clients = self.cluster.redis.command("CLIENT", "LIST", "TYPE", "pubsub").splitlines()
        return {line.split()[0] for line in clients}

    async def test_emptied(self) -> None:
        """Everything in Redis is deleted: the leader puts it back, and stays the leader."""
        self.cluster.redis.command("FLUSHALL")
        await self.cluster.pass_time(LEASE + 2)
        await self.settle()
        self.assert_nothing_lost()
        self.assertIs(await self.cluster.leader(CHANNEL), self.first)
        await self.assert_counted()

    async def test_subscriptions_cut(self) -> None:
        """All subscriptions are cut: followers read what they have not heard."""
        self.cluster.redis.command("CLIENT", "KILL", "TYPE", "pubsub")
        await self.cluster.pass_time(3)
        await self.settle()
        self.assert_nothing_lost()

    async def test_commands_cut(self) -> None:
        """All other connections are cut: what was not answered is sent again, and comes once."""
        self.cluster.redis.command("CLIENT", "KILL", "TYPE", "normal")
        await self.cluster.pass_time(3)
        await self.settle()
        self.assert_nothing_lost()
        await self.assert_counted()


class RightsTests(ClusterCase):
    """What Redis lets its user do is changed while nodes run."""

    nodes = 2
    options = (*ClusterCase.options, "--lease=1")

    async def test_taken_and_given_back(self) -> None:
        """Without PUBLISH it is as if Redis were away, and the log says what is missing."""
        self.cluster.redis.command("ACL", "SETUSER", "default", "-publish")
        await self.cluster.come_true(lambda: ("reconnecting", "BROKER") in _words(self.heard(1)))
        self.assertEqual([what for what, _ in _words(self.heard(0))], ["subscribed", "started"])
        self.assertLess(reactor.seconds() - self.heard(0).times[-1], 1.5)
        for node in self.cluster.nodes:
            self.assertIs((await node.health())["broker"]["up"], False)
            self.assertEqual(node.daemon.log.count("ACL SETUSER default +publish"), 1)
        self.assertEqual(self.cluster.upstreams(CHANNEL), 1)
        self.cluster.redis.command("ACL", "SETUSER", "default", "+publish")
        await self.cluster.come_true(lambda: _words(self.heard(1))[-1][0] == "started")
        for node in self.cluster.nodes:
            await self.cluster.come_true(lambda: _is_well(node))  # noqa: B023
        await self.cluster.pass_time(0.5)
        await self.settle()
        self.assert_told()
        self.assertEqual([self.missed(0), self.missed(1)], [[], []])
        self.assertEqual({heard.epochs for heard in self.cluster.all_heard()}, {1})
        await self.assert_counted()


class FallbackTests(ClusterCase):
    """Nodes that watch for themselves while Redis is away (`--broker-fallback local`)."""

    options = (*ClusterCase.options, "--broker-fallback=local")

    async def test_away(self) -> None:
        """Each node gets an upstream of its own, and gives it up when Redis is back."""
        self.cluster.redis.kill()
        await self.cluster.come_true(lambda: self.cluster.upstreams(CHANNEL) == 3)
        await self.cluster.pass_time(2)
        await self.assert_served(0, 1, 2)
        await self.cluster.redis.start(reactor)
        await self.cluster.come_true(lambda: self.cluster.upstreams(CHANNEL) == 1)
        await self.cluster.pass_time(2)
        await self.settle()
        self.assert_told()
        last = {(heard.epoch, heard.seq) for heard in self.cluster.all_heard()}
        self.assertEqual(len(last), 1)


class CutOffTests(ClusterCase):
    """One node does not reach Redis, though Redis is there."""

    async def test_follower(self) -> None:
        """A follower is cut off: its subscribers are told, and are given everything after it."""
        self.cluster.nodes[1].way.cut()
        await self.cluster.pass_time(2 * LEASE)
        self.cluster.nodes[1].way.heal()
        await self.cluster.pass_time(LEASE + 2)
        await self.settle()
        self.assert_told()
        self.assertEqual([self.missed(0), self.missed(2)], [[], []])
        self.assertIs(await self.cluster.leader(CHANNEL), self.first)

    async def test_leader(self) -> None:
        """A leader is cut off: its own lose nothing, the others get another one behind a gap."""
        self.first.way.cut()
        await self.cluster.come_true(lambda: self.heard(1).gaps and self.heard(2).gaps)
        await self.cluster.pass_time(3)
        self.assertEqual(self.cluster.upstreams(CHANNEL), 2)
        self.first.way.heal()
        await self.cluster.come_true(lambda: self.cluster.upstreams(CHANNEL) == 1)
        await self.cluster.pass_time(2)
        await self.settle()
        self.assert_told()
        self.assertEqual({heard.epochs for heard in self.cluster.all_heard()}, {1})
        for number in (1, 2):
            self.assertEqual([gap["reason"] for gap in self.heard(number).gaps], ["failover"])
        await self.assert_published_is_counted()


async def _is_well(node: Node) -> bool:
    """Whether a node hears what it says through Redis."""
    broker = (await node.health())["broker"]
    return bool(broker["up"] and broker["listening"])


def _words(heard: Heard) -> list[tuple[str, object]]:
    """What was told of the channel, in order, without the times."""
    return [(what, more) for _, what, more in heard.statuses]


class PlatformTests(ClusterCase):
    """The leader loses the platform."""

    async def test_upstream_lost(self) -> None:
        """Everybody is told, and everybody gets the gap; nobody else becomes the leader."""
        self.cluster.twitch.drop()
        await self.cluster.come_true(lambda: all(h.gaps for h in self.cluster.all_heard()))
        await self.cluster.pass_time(1)
        await self.settle()
        self.assert_told()
        for heard in self.cluster.all_heard():
            words = [what for _, what, _ in heard.statuses[2:]]
            self.assertEqual(words, ["reconnecting", "started"])
            self.assertEqual([gap["reason"] for gap in heard.gaps], ["upstream"])
        self.assertIs(await self.cluster.leader(CHANNEL), self.first)


class AfterwardsTests(ClusterCase):
    """Who comes back, at another node."""

    nodes = 2

    async def test_resume_elsewhere(self) -> None:
        """A client that changes nodes goes on where it was."""
        roamer = self.cluster.watch()
        self.witnesses.append(roamer)
        await self.cluster.greeted()
        statuses = roamer.heard[CHANNEL].statuses
        for greetings in range(2, 8):
            await self.cluster.pass_time(0.4)
            roamer.roam()
            await self.cluster.come_true(
                lambda: sum(what == "started" for _, what, _ in statuses) == greetings  # noqa: B023
            )
        await self.cluster.pass_time(1)
        await self.settle()
        self.assert_nothing_lost()
        resumed = [more for _, what, more in statuses if what == "started"]
        self.assertEqual(resumed[1:], [True] * 6)

    async def test_history_of_a_new_node(self) -> None:
        """A node that is new to a channel has its history."""
        node = await self.cluster.add()
        await self.cluster.come_true(lambda: _is_well(node))
        kept = await node.history(CHANNEL)
        self.assertGreater(len(kept["messages"]), 30)
        self.assertEqual(await node.channels(), {})
        newcomer = self.cluster.watch(node, history=100)
        await self.cluster.come_true(lambda: len(newcomer.heard[CHANNEL].given) >= 100, PATIENCE)
        self.assertEqual((newcomer.heard[CHANNEL].jumps, newcomer.heard[CHANNEL].backwards), (0, 0))
