# SPDX-License-Identifier: MIT
"""Nodes that die, leave and come back at random, on a Redis that does the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec import Struct, field
from twisted.internet.defer import Deferred

from tests.support.cluster import LEASE, Cluster, time_of
from tests.support.witness import Verdict

#: Seconds from one thing that happens to the next.
LEAST, MOST = 3.0, 7.0

#: Seconds for everything to be well again at the end.
PEACE: Final = 4 * LEASE

#: Seconds more, at most, until it is so.
PATIENCE: Final = 60.0

#: What happens, and how often beside the others.
ACTS: Final = {"kill": 3, "drain": 3, "redis": 2, "subscriptions": 1, "commands": 1, "roam": 2}


class Outcome(Struct):
    """What came of it.

    :ivar acts: what happened, in order.
    :ivar times: when that was, by the clock of the test.
    :ivar verdict: what all witnesses were given.
    :ivar complaints: a line for everybody to whom something is missing, or came twice.
    :ivar upstreams: channels that have not exactly one upstream at the end.
    :ivar totals: how many different totals the witnesses of one channel were told last, at most.
    """

    acts: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    complaints: list[str] = field(default_factory=list)
    upstreams: list[str] = field(default_factory=list)
    totals: int = 0

    @property
    def is_good(self) -> bool:
        """Whether everything is as it must be."""
        return self.verdict.is_good and not self.upstreams and self.totals == 1


async def play(
    reactor: Any,
    seed: int,
    seconds: float,
    channels: int = 40,
    rate: float = 5.0,
    keep: Path | None = None,
) -> Outcome:
    """Let it happen.

    :param rate: messages per second and channel.
    :param keep: where it is written what happened, and what each node logged, if anything is not as
        it must be; None: nowhere.
    """
    random = Random(seed)
    names = [f"chat{number}" for number in range(channels)]
    cluster = Cluster(reactor, names, rate, "--max-chats=100")
    outcome = Outcome()
    try:
        await cluster.start(3)
        for _ in range(6):
            cluster.watch()
        await cluster.greeted()
        await cluster.pass_time(1)
        begin = reactor.seconds()
        while reactor.seconds() < begin + seconds:
            await cluster.pass_time(random.uniform(LEAST, MOST))
            act = random.choices(list(ACTS), list(ACTS.values()))[0]
            outcome.acts.append(act)
            outcome.times.append(reactor.seconds())
            await _happen(cluster, act, random)
        await cluster.pass_time(PEACE)
        # A busy machine takes longer.
        await _until(cluster, lambda: _is_well(cluster))
        await cluster.pass_time(1)
        cluster.silence()
        end = reactor.seconds()
        await cluster.pass_time(LEASE)
        await _until(
            cluster, lambda: _is_well(cluster) and reactor.seconds() - _newest(cluster) > LEASE
        )
        outcome.verdict = cluster.judge(begin, end)
        outcome.complaints = cluster.complaints(begin, end)
        outcome.upstreams = [name for name in names if cluster.upstreams(name) != 1]
        for name in names:
            told = {witness.heard[name].totals for witness in cluster.witnesses}
            outcome.totals = max(outcome.totals, len(told))
        if keep is not None and not outcome.is_good:
            cluster.keep(keep, begin, end)
            acts = zip(outcome.times, outcome.acts, strict=True)
            lines = [f"{time_of(at)} {act}\n" for at, act in acts]
            Path(keep, "acts").write_text("".join(lines))
    finally:
        await cluster.close()
    return outcome


async def _until(cluster: Cluster, what: Callable[[], bool]) -> None:
    """Wait, bounded; what has not come true by then shows in the outcome."""
    until = cluster.reactor.seconds() + PATIENCE
    while not what() and cluster.reactor.seconds() < until:
        await cluster.pass_time(0.1)


def _is_well(cluster: Cluster) -> bool:
    """Whether each channel has one upstream, and everybody was told that it flows."""
    return all(cluster.upstreams(name) == 1 for name in cluster.truth) and all(
        heard.statuses and heard.statuses[-1][1] == "started" for heard in cluster.all_heard()
    )


def _newest(cluster: Cluster) -> float:
    """When anybody was given anything last."""
    return max((heard.times[-1] for heard in cluster.all_heard() if heard.times), default=0.0)


async def _happen(cluster: Cluster, act: str, random: Random) -> None:
    runs = [node for node in cluster.nodes if node.runs]
    match act:
        case "kill":
            await random.choice(runs).kill()
            await cluster.add()
        case "drain":
            # As in a rolling update: the next one is there before the old one leaves.
            leaves = random.choice(runs)
            await cluster.add()
            await leaves.stop()
        case "redis":
            cluster.redis.kill()
            await cluster.pass_time(random.uniform(0.5, 2 * LEASE))
            await Deferred.fromCoroutine(cluster.redis.start(cluster.reactor))
        case "subscriptions":
            cluster.redis.command("CLIENT", "KILL", "TYPE", "pubsub")
        case "commands":
            cluster.redis.command("CLIENT", "KILL", "TYPE", "normal")
        case "roam":
            random.choice(cluster.witnesses).roam()
