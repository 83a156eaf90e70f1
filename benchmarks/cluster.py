# SPDX-License-Identifier: MIT
"""What it costs to share channels through Redis: processes of their own, one real server.

`python -m benchmarks cluster`: CPU per message of the node that publishes (less what the same takes
without Redis), of one that follows, and of Redis; what followed channels cost that are idle; and
whole daemons (`cluster_daemons`).  Each row shows what it must reach.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from statistics import median
from typing import Any, NamedTuple, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react
from twisted.internet.threads import deferToThread

from benchmarks import cluster_daemons
from benchmarks.bars import Bar, show
from livechat.brokers.local import LocalBroker
from livechat.brokers.redis.nobody import Nobody
from livechat.core.ports import IBroker, IMembership, Start
from livechat.core.publication import Publication
from livechat.model.events import CHAT_BIT, ChannelKey
from tests.support.redis import RedisServer

#: Seconds of one measurement, and how many of them: the median is shown.
SECONDS = 1.2
ROUNDS = 5

#: A message: its length is the mean of a recorded Twitch chat.
PAYLOAD = b'{"text":"' + b"x" * 831 + b'"}'


class Load(NamedTuple):
    """What is published.

    :ivar rate: messages a second in all channels.
    :ivar run: how many one after the other in one channel, as one reading of an upstream has them.
    """

    channels: int
    rate: int
    run: int


class Costs(NamedTuple):
    """Microseconds of CPU per message: of who publishes, who follows, and Redis."""

    publishing: float
    following: float
    redis: float


MANY = Load(1000, 3000, 1)
THREES = Load(1000, 3000, 3)
ONE = Load(1, 1000, 1)
LOADS = (ONE, Load(1, 3000, 1), Load(200, 500, 1), MANY, THREES)

#: Seconds between two ticks of the made-up upstreams.
TICK = 0.002

Found = TypeVar("Found")


class Part(Nobody):
    """A member that counts what it is given."""

    def __init__(self) -> None:
        self.start: Start | None = None
        self.leads = False
        self.received = 0

    def lead(self, start: Start) -> None:
        """See `IMember`."""
        self.start, self.leads = start, True

    def follow(self, start: Start) -> None:
        """See `IMember`."""
        self.start, self.leads = start, False

    def published(self, publications: Sequence[Publication]) -> None:
        """See `IMember`."""
        self.received += len(publications)


async def joined(
    reactor: Any, node: IBroker, channels: int
) -> tuple[list[Part], list[IMembership]]:
    """So many channels whose roles are known."""
    parts = [Part() for _ in range(channels)]
    memberships = [
        node.join(ChannelKey("twitch", "username", f"bench{number}"), part)
        for number, part in enumerate(parts)
    ]
    while not all(part.start for part in parts):
        await deferLater(reactor, 0.01)
    return parts, memberships


async def _told_to_begin() -> None:
    """Say that everything is ready, and wait until somebody writes a line."""
    print("ready", flush=True)
    await deferToThread(sys.stdin.readline)


async def lead(reactor: Any, node: IBroker, load: Load) -> None:
    """Publish at a steady rate; print after each round what it took."""
    parts, memberships = await joined(reactor, node, load.channels)
    await _told_to_begin()
    seqs = [part.start.seq if part.start else 0 for part in parts]
    sent, random = 0, Random(1)
    for _ in range(ROUNDS):
        first, began, used = sent, time.monotonic(), time.process_time()
        while (passed := time.monotonic() - began) < SECONDS:
            while sent - first < passed * load.rate:
                at = random.randrange(load.channels)
                start = parts[at].start
                assert start is not None
                for _ in range(load.run):
                    seqs[at] += 1
                    sent += 1
                    one = Publication(
                        start.epoch, seqs[at], "chat", f"id {sent}", "u", "", "", CHAT_BIT, PAYLOAD
                    )
                    memberships[at].publish([one])
            await deferLater(reactor, TICK)
        us = (time.process_time() - used) / (sent - first) * 1e6
        print(json.dumps({"messages": sent - first, "us": us}), flush=True)
    # What was published last is still on its way.
    await deferLater(reactor, 0.5)
    print(json.dumps({"messages": sent}), flush=True)


async def follow(reactor: Any, node: IBroker, load: Load) -> None:
    """Receive until nothing comes any more."""
    parts, _ = await joined(reactor, node, load.channels)
    await _told_to_begin()
    used, count, last = time.process_time(), 0, -1
    while not count or count != last:
        last = count
        await deferLater(reactor, 1.0)
        count = sum(part.received for part in parts)
    us = (time.process_time() - used) / max(1, count) * 1e6
    print(json.dumps({"messages": count, "us": us}), flush=True)


async def idle(reactor: Any, node: IBroker, load: Load) -> None:
    """Follow channels in which nothing happens."""
    await joined(reactor, node, load.channels)
    await _told_to_begin()
    found = []
    for _ in range(ROUNDS):
        used, began = time.process_time(), time.monotonic()
        await deferLater(reactor, SECONDS)
        found.append((time.process_time() - used) / (time.monotonic() - began) * 100)
    print(json.dumps({"core": median(found)}), flush=True)


async def hold(reactor: Any, node: IBroker, load: Load) -> None:
    """Lead channels in which nothing happens."""
    await joined(reactor, node, load.channels)
    await _told_to_begin()


ROLES = {"lead": lead, "follow": follow, "idle": idle, "hold": hold}


async def child(reactor: Any, role: str, url: str, load: Load) -> None:
    """One node."""
    node: Any
    if url == "local":
        node = LocalBroker(reactor, time.time, Random(1))
    else:
        # Importing it installs a reactor.
        from tests.support.redis_brokers import broker  # noqa: PLC0415

        node = broker(reactor, url, f"{role}{Random().random()}")
        node.startService()
    await ROLES[role](reactor, node, load)


class Process:
    """A node in a process of its own, with its roles; it begins when it is told to."""

    def __init__(self, role: str, url: str, load: Load) -> None:
        numbers = map(str, (load.channels, load.rate, load.run))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cluster", role, url, *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._line().strip() != "ready":
            raise RuntimeError(f"{role} did not begin")

    def begin(self) -> None:
        """Tell it to."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def read(self) -> dict[str, float]:
        """What it says next."""
        found: dict[str, float] = json.loads(self._line())
        return found

    def end(self) -> None:
        """It ends by itself, or is made to."""
        self._process.kill()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def redis_cpu(server: RedisServer) -> float:
    """Seconds that Redis has used."""
    info = server.command("INFO", "cpu").decode()
    return sum(map(float, re.findall(r"used_cpu_(?:user|sys):([0-9.]+)", info)))


def main() -> None:
    """Print everything."""
    print(f"load of the machine: {os.getloadavg()[0]:.1f}; with much more than 1 all is dearer")
    print("us CPU per message: channels, per second, in a run; publishing, following, Redis")
    costs = {load: with_server(partial(_costs, load)) for load in LOADS}
    many, threes, one = costs[MANY], costs[THREES], costs[ONE]
    show(
        [
            Bar("publishing, 1,000 channels, 3,000 msg/s, us", many.publishing, 16),
            Bar("the same in runs of three messages, us", threes.publishing, 16),
            Bar("publishing, one channel, 1,000 msg/s, us", one.publishing, 28),
            Bar("Redis with two followers, 1,000 channels, us", many.redis, 15),
            Bar("the same in runs of three messages, us", threes.redis, 15),
            Bar("1,000 idle followed channels, % of a core", with_server(_idle), 0.5),
        ]
    )
    cluster_daemons.main()


def _costs(load: Load, server: RedisServer) -> Costs:
    alone = Process("lead", "local", load)
    alone.begin()
    without = median(alone.read()["us"] for _ in range(ROUNDS))
    alone.end()
    leader = Process("lead", server.url, load)
    followers = [Process("follow", server.url, load) for _ in range(2)]
    for one in (*followers, leader):
        one.begin()
    used = redis_cpu(server)
    published, redis = [], []
    for _ in range(ROUNDS):
        found = leader.read()
        before, used = used, redis_cpu(server)
        published.append(found["us"] - without)
        redis.append((used - before) / found["messages"] * 1e6)
    sent = leader.read()["messages"]
    followed = [one.read() for one in followers]
    lost = sum(sent - one["messages"] for one in followed)
    for one in (*followers, leader):
        one.end()
    costs = Costs(median(published), median(one["us"] for one in followed), median(redis))
    print(
        f"{load.channels:5} {load.rate:6} {load.run:3} {costs.publishing:7.1f}"
        f" {costs.following:6.1f} {costs.redis:6.1f}"
        + (f"   {lost:.0f} not received" if lost else ""),
        flush=True,
    )
    return costs


def _idle(server: RedisServer) -> float:
    load = Load(1000, 0, 0)
    holder = Process("hold", server.url, load)
    follower = Process("idle", server.url, load)
    time.sleep(1.0)
    follower.begin()
    found = follower.read()["core"]
    follower.end()
    holder.end()
    return found


def with_server(step: Callable[[RedisServer], Found]) -> Found:
    """Do something with a server of its own."""
    server = RedisServer()
    try:
        server.launch()
        while not server.answers():
            time.sleep(0.02)
        server.command("SET", "livechat:1:marker", "5")
        return step(server)
    finally:
        server.close()


if __name__ == "__main__":
    name, address, *numbers = sys.argv[1:]

    def _run(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(child(reactor, name, address, Load(*map(int, numbers))))

    react(_run)
