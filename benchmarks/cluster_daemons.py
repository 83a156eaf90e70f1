# SPDX-License-Identifier: MIT
"""What sharing channels through Redis costs whole daemons, each beside the one it is compared with.

Those that are compared read the same simulated chat at the same time, so what else the machine does
falls on both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater, react
from twisted.internet.threads import deferToThread

from benchmarks.bars import Bar, show
from benchmarks.listeners import listeners
from tests.support.cluster import Cluster
from tests.support.daemon import Daemon, start_daemon
from tests.support.witness import Witness

#: Names the checkout of an earlier version with its `.venv`, to compare `--broker local` with.
BEFORE = "LIVECHAT_BEFORE"

#: Seconds of one measurement, and how many of them; the median is shown.
SECONDS = 2.5
ROUNDS = 4

#: Seconds between two ticks of the simulated chat.
TICK = 0.002

CHANNEL = "ann"


class Scene:
    """A cluster in whose one channel somebody speaks at a steady rate, and who listens."""

    def __init__(self, reactor: Any, rate: float) -> None:
        self.reactor = reactor
        self.cluster = Cluster(reactor, [CHANNEL], 0.0)
        self.said = 0
        self.rate = rate
        self._owed = 0.0
        self._speaking = LoopingCall.withCount(self._speak)
        self._listeners: list[subprocess.Popen[str]] = []
        self._others: list[Daemon] = []

    def _speak(self, ticks: int) -> None:
        self._owed = min(self._owed + ticks * TICK * self.rate, self.rate / 10)
        while self._owed >= 1:
            self._owed -= 1
            self.said += 1
            self.cluster.say(CHANNEL)

    async def start(self) -> None:
        """Start Redis and the simulator."""
        await self.cluster.start(0)

    def speak(self) -> None:
        """Somebody speaks from now on."""
        self._speaking.start(TICK)

    async def node(self, name: str, *options: str) -> Daemon:
        """One more daemon, which goes straight to Redis."""
        direct = f"--redis-url={self.cluster.redis.url}"
        return (await self.cluster.add(name, direct, *options)).daemon

    async def other(self, *options: str, checkout: Path | None = None) -> Daemon:
        """A daemon of another checkout, or one without Redis."""
        daemon = start_daemon(
            self.reactor,
            f"--twitch-irc=tcp:127.0.0.1:{self.cluster.irc}",
            "--twitch-gql-url=",
            *options,
            checkout=checkout,
        )
        self._others.append(daemon)
        await daemon.listening
        return daemon

    async def listen(self, daemon: Daemon, count: int) -> None:
        """So many clients that throw away what they are sent."""
        process = listeners(daemon.port, count, CHANNEL)
        self._listeners.append(process)
        assert process.stdout is not None
        await deferToThread(process.stdout.readline)

    async def costs(self, daemons: Mapping[str, Daemon]) -> dict[str, float]:
        """Microseconds of CPU per message of each daemon: medians."""
        found: dict[str, list[float]] = {name: [] for name in daemons}
        for _ in range(ROUNDS):
            said, used = self.said, {name: cpu(one) for name, one in daemons.items()}
            await deferLater(self.reactor, SECONDS)
            count = self.said - said
            for name, one in daemons.items():
                found[name].append((cpu(one) - used[name]) / count * 1e6)
        if any(one.poll() is not None for one in self._listeners):
            raise RuntimeError("a listener was too slow: the machine is too busy to measure")
        return {name: median(values) for name, values in found.items()}

    async def close(self) -> None:
        """End everything."""
        if self._speaking.running:
            self._speaking.stop()
        for process in self._listeners:
            process.kill()
            process.wait()
        for daemon in self._others:
            daemon.kill()
            await daemon.ended
        await self.cluster.close()


def _print(load: str, us: Mapping[str, float]) -> None:
    costs = ", ".join(f"{name} {value:.0f}" for name, value in us.items())
    print(f"daemons at {load}, us CPU per message: {costs}", flush=True)


def cpu(daemon: Daemon) -> float:
    """Seconds of CPU that a daemon has used."""
    return int(Path(f"/proc/{pid(daemon)}/schedstat").read_text().split()[0]) / 1e9


def pid(daemon: Daemon) -> int:
    """The id of its process."""
    assert daemon.transport is not None
    return int(daemon.transport.pid)


async def shared(reactor: Any) -> list[Bar]:
    """A leader and two followers, and two nodes that are alone."""
    scene = Scene(reactor, 1000)
    try:
        await scene.start()
        nodes = {"leader": await scene.node("leader")}
        await scene.listen(nodes["leader"], 100)
        counts = {"alone": 100, "follower of one": 1, "alone with one": 1}
        for name, count in counts.items():
            node = name.replace(" ", "-")
            # It keeps statistics in Redis, too, but its own.
            alone = ["--broker=local", "--stats-storage=redis", f"--redis-prefix={node}"]
            nodes[name] = await scene.node(node, *(alone if name.startswith("alone") else ()))
            await scene.listen(nodes[name], count)
        scene.speak()
        await deferLater(reactor, 1.0)
        us = await scene.costs(nodes)
        _print("1,000 msg/s", us)
        # A whole audience at the other node, too.
        nodes["follower"] = nodes.pop("follower of one")
        scene.rate = 300
        await scene.listen(nodes["follower"], 99)
        both = await scene.costs(nodes)
        _print("300 msg/s", both)
        return [
            Bar("leader with followers, of a node that is alone", us["leader"] / us["alone"], 1.10),
            Bar(
                "follower of one subscriber, of a node with an upstream",
                us["follower of one"] / us["alone with one"],
                0.40,
            ),
            Bar(
                "fan-out of two nodes, of one (by CPU)",
                both["alone"] / both["leader"] + both["alone"] / both["follower"],
                1.9,
                at_least=True,
            ),
        ]
    finally:
        await scene.close()


async def latency(reactor: Any) -> list[Bar]:
    """How much later messages come from a follower than from the leader.

    Each node writes to its own clients when its own rule says so, so a single message may come
    first from either.  What is compared is how late each of them is after a message was said.
    """
    scene = Scene(reactor, 500)
    try:
        await scene.start()
        leader = scene.cluster.watch(await scene.cluster.add("leader", *_direct(scene)))
        await scene.cluster.greeted()
        follower = scene.cluster.watch(await scene.cluster.add("follower", *_direct(scene)))
        await scene.cluster.greeted()
        scene.speak()
        await deferLater(reactor, 1 + ROUNDS * SECONDS)
        truth = scene.cluster.truth[CHANNEL]
        said = dict(zip(truth.ids, truth.times, strict=True))
        here, there = (
            # What came in the first second found everything cold.
            [(at - said[each]) * 1e3 for each, at in _came(one)][500:]
            for one in (leader, follower)
        )
        print(
            f"at 500 msg/s, ms after it was said, median and p99: leader {median(here):.1f}"
            f" {_p99(here):.1f}, follower {median(there):.1f} {_p99(there):.1f}",
            flush=True,
        )
        return [
            Bar("added latency at 500 msg/s, median, ms", median(there) - median(here), 3.0),
            Bar("added latency at 500 msg/s, p99, ms", _p99(there) - _p99(here), 10.0),
        ]
    finally:
        await scene.close()


def _came(witness: Witness) -> Iterator[tuple[str, float]]:
    heard = witness.heard[CHANNEL]
    return zip(heard.given, heard.times, strict=True)


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


def _direct(scene: Scene) -> Sequence[str]:
    return [f"--redis-url={scene.cluster.redis.url}"]


async def before(reactor: Any) -> list[Bar]:
    """`--broker local` beside an earlier version: CPU and system calls per delivery."""
    checkout = os.environ.get(BEFORE)
    if not checkout:
        print(f"--broker local against an earlier version: not measured; {BEFORE} names a checkout")
        return []
    scene = Scene(reactor, 200)
    try:
        await scene.start()
        nodes = {
            "now": await scene.other("--broker=local"),
            "before": await scene.other(checkout=Path(checkout)),
        }
        for one in nodes.values():
            await scene.listen(one, 100)
        scene.speak()
        await deferLater(reactor, 1.0)
        us = await scene.costs(nodes)
        bars = [Bar("--broker local: CPU, of before", us["now"] / us["before"], 1.03)]
        if shutil.which("perf"):
            # Slowly enough that each message is a reading of its own, whatever else there is.
            scene.rate = 20
            await deferLater(reactor, 1.0)
            now, then = await deferToThread(lambda: system_calls(list(nodes.values())))
            # Signs of life of the clients, and timers, fall anywhere.
            bars.append(Bar("--broker local: system calls, of before", now / then, 1.01))
        return bars
    finally:
        await scene.close()


def system_calls(daemons: Sequence[Daemon]) -> list[int]:
    """How many system calls each makes in the same seconds."""
    perf = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter"]
    counts = [
        subprocess.Popen(
            [*perf, "-p", str(pid(one)), "--", "sleep", str(2 * SECONDS)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in daemons
    ]
    return [int(one.communicate()[1].split(",")[0]) for one in counts]


#: Each is a process of its own.
SCENES = {"shared": shared, "latency": latency, "before": before}


def main() -> None:
    """Print what each of them finds."""
    for name in SCENES:
        subprocess.run([sys.executable, "-m", "benchmarks.cluster_daemons", name], check=False)


async def _play(reactor: Any, name: str) -> None:
    show(await SCENES[name](reactor))


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(_play(reactor, sys.argv[1])))
