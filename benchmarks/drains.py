# SPDX-License-Identifier: MIT
"""Leaders that leave and leaders that die, again and again, under 100 messages a second.

Three real nodes on a real Redis; a witness at each node, and two that move to another node when
theirs closes.  `LIVECHAT_DRAINS` (100) and `LIVECHAT_DEATHS` (10) say how often.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, react

from tests.support.cluster import LEASE, Cluster, Node
from tests.support.witness import Heard, Verdict, Witness, judge

CHANNEL = "ann"


class Relay:
    """A cluster whose leader leaves or dies, and what that cost those who watch.

    :ivar verdict: what all were given whose node did not end.
    :ivar hand_overs: seconds from the order to stop to the moment when only another one watches.
    :ivar silences: the longest time without a message around each end, of any who stayed.
    """

    def __init__(self, reactor: Any) -> None:
        self.cluster = Cluster(reactor, [CHANNEL], 100.0, "--history-size=2000")
        self.verdict = Verdict()
        self.hand_overs: list[float] = []
        self.silences: list[float] = []
        self.epochs: set[str] = set()
        self._reactor = reactor
        self._at: dict[str, Witness] = {}
        self._movers: list[Witness] = []
        self._since = 0.0

    async def start(self) -> None:
        """Three nodes, and everybody watches."""
        await self.cluster.start(3)
        for node in self.cluster.nodes:
            await self._watched(node)
        self._movers = [self.cluster.watch() for _ in range(2)]
        await self.cluster.greeted()
        self._since = self._reactor.seconds() + 0.5
        await self.cluster.pass_time(1)

    async def end_leader(self, how: str) -> None:
        """The leader ends, and one more node takes its place among the three.

        :param how: `stop` (it hands over) or `kill`.
        """
        await self._watched(await self.cluster.add())
        leader = await self.cluster.leader(CHANNEL)
        witness = self._at.pop(leader.name)
        now = self._reactor.seconds()
        self._judge(witness, now - 0.5)
        self.cluster.dismiss(witness)
        before = self.cluster.twitch.joined(CHANNEL)
        watching = LoopingCall(self._look, now, before, handed := Deferred[None]())
        watching.start(0.002)
        await (leader.stop() if how == "stop" else leader.kill())
        await handed
        watching.stop()
        await self.cluster.pass_time(1.0)
        self.silences.append(max(map(self._silence(now), self._stayed())))

    def close_books(self) -> None:
        """Count what those were given who are still there."""
        end = self._reactor.seconds() - 1
        for witness in [*self._at.values(), *self._movers]:
            self._judge(witness, end)

    def _look(self, since: float, before: Sequence[object], handed: Deferred[None]) -> None:
        now = self.cluster.twitch.joined(CHANNEL)
        if now and not set(map(id, now)) & set(map(id, before)) and not handed.called:
            self.hand_overs.append(self._reactor.seconds() - since)
            handed.callback(None)

    def _stayed(self) -> list[Heard]:
        return [witness.heard[CHANNEL] for witness in self._at.values()]

    def _silence(self, since: float) -> Any:
        def longest(heard: Heard) -> float:
            times = [at for at in heard.times[-2000:] if at > since - 0.5]
            return max((b - a for a, b in pairwise(times)), default=0.0)

        return longest

    async def _watched(self, node: Node) -> None:
        self._at[node.name] = self.cluster.watch(node)
        await self.cluster.greeted()

    def _judge(self, witness: Witness, end: float) -> None:
        heard = witness.heard[CHANNEL]
        self.verdict += judge(heard, self.cluster.truth[CHANNEL], self._since, end)
        self.epochs.add(heard.epoch)


def quantiles(figures: Sequence[float]) -> str:
    """The middle one, the one of a hundred, and the greatest, in seconds."""
    ordered = sorted(figures)
    last = len(ordered) - 1
    return (
        f"{ordered[last // 2]:.3f} in the middle, {ordered[int(last * 0.99)]:.3f} p99,"
        f" {ordered[-1]:.3f} at most"
    )


async def _play(reactor: Any, how: str, times: int) -> None:
    if not times:
        return
    relay = Relay(reactor)
    try:
        await relay.start()
        for _ in range(times):
            await relay.end_leader(how)
        await relay.cluster.pass_time(1)
        relay.close_books()
    finally:
        await relay.cluster.close()
    verdict = relay.verdict
    what = "drains" if how == "stop" else f"deaths (lease {LEASE} s)"
    print(
        f"{times} {what}: due {verdict.due}, doubled {verdict.doubled}, backwards"
        f" {verdict.backwards}, missing untold {verdict.missing}, missing and told"
        f" {verdict.covered}, errors {verdict.errors}, epochs {len(relay.epochs)}"
    )
    print(f"  the next leader alone watches after {quantiles(relay.hand_overs)}")
    print(f"  longest silence of who stays: {quantiles(relay.silences)}", flush=True)


async def _both(reactor: Any) -> None:
    await _play(reactor, "stop", int(os.environ.get("LIVECHAT_DRAINS", "100")))
    await _play(reactor, "kill", int(os.environ.get("LIVECHAT_DEATHS", "10")))


def main() -> None:
    """Drains, then deaths."""
    react(lambda reactor: Deferred.fromCoroutine(_both(reactor)))


if __name__ == "__main__":
    main()
