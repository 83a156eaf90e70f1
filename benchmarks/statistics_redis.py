# SPDX-License-Identifier: MIT
"""Measurements of statistics that need a real Redis and a running reactor, each in a process.

`python -m benchmarks.statistics_redis redis|hang|outage`
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from benchmarks.statistics import KEY, MESSAGES, RATE, ROUNDS, stream
from livechat.brokers.local import LocalBroker
from livechat.core.channel import Channel
from livechat.core.options import Options
from livechat.core.ports import IStatsStore, Located
from livechat.core.stats import ChannelStats
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey
from livechat.redis.address import RedisAddress
from livechat.redis.connection import endpoint_of
from livechat.redis.link import RedisLink
from livechat.statistics.memory import MemoryStats
from livechat.statistics.redis_layout import PROBES
from livechat.statistics.redis_stats import RedisStats
from tests.support.fakes import KeptMessages, ScriptedPlatform, chat, services_on
from tests.support.redis import RedisServer, settled

reactor: Any = _reactor

#: Seconds of the outage, and of each part of the comparison with a hanging Redis.
OUTAGE = float(os.environ.get("LIVECHAT_BENCH_SECONDS", "30"))
PART = min(OUTAGE, 10.0)


def store_on(server: RedisServer) -> RedisStats:
    """A store on a server, started."""
    address = RedisAddress.parse(server.url)

    store = RedisStats(
        RedisLink(address, endpoint_of(reactor, address), reactor, random.Random(1), PROBES),
        reactor,
        time.time,
        f"{random.getrandbits(64):x}",
    )
    store.startService()
    return store


async def connected(store: RedisStats) -> None:
    """Wait until counts go to Redis."""
    await settled(reactor, lambda: store.storage_type == "redis")


def waiting(store: RedisStats) -> int:
    """Channels with counts that Redis has not."""
    state = store.health["redis"]
    assert isinstance(state, dict)
    return int(state["waiting"])


async def cpu(server: RedisServer) -> None:
    """CPU of this process per message: count, store, push, encode, send, read the answers."""
    messages = stream()
    for number in range(ROUNDS):
        store = store_on(server)
        await connected(store)
        key = ChannelKey("twitch", "username", f"bench{number}")
        began = time.process_time()
        channel = ChannelStats(key, store, reactor, 100, lambda _: None)
        for start in range(0, len(messages), RATE):
            for message in messages[start : start + RATE]:
                channel.count(message)
            # What would be a second's push and flush; waiting costs no CPU.
            await channel.snapshot()
            await store._round()
        spent = time.process_time() - began
        channel.close()
        await store.stopService()
        print(spent / MESSAGES * 1e6)


class Timed(KeptMessages):
    """A subscriber that notes when each chat reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def write(self, data: bytes) -> None:
        """Bytes of its encoding."""
        now = time.perf_counter()
        self.times.extend([now] * data.count(b'"message_id"'))


class Load:
    """One watched channel at a steady rate."""

    def __init__(self, store: IStatsStore) -> None:
        self.platform = ScriptedPlatform()
        self.subscriber = Timed()
        broker = LocalBroker(reactor, time.time, Random(1))
        services = services_on(reactor, Metrics(), broker, store)
        self.channel = Channel(
            Located(KEY), self.platform, services, lambda _: None, lambda *_: None
        )
        subscription = Subscription(KEY, self.subscriber, "bench", Options(), lambda _: None)
        self.channel.subscribe(subscription)
        self.sent: list[float] = []

    async def start(self) -> None:
        """Make it live."""
        await settled(reactor, lambda: bool(self.platform.watchers))
        self.platform.watchers[0].live()

    async def run(self, seconds: float, rate: float = RATE) -> list[float]:
        """Send evenly for so long; the latencies in milliseconds, sorted."""
        first = len(self.sent)
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            while len(self.sent) - first < passed * rate:
                number = len(self.sent)
                message = chat(f"m{number}", f"text {number}", f"user{number * number % 3001}")
                self.sent.append(time.perf_counter())
                self.platform.watchers[0].sink.received([message])
            await deferLater(reactor, 0.001)
        await settled(reactor, lambda: len(self.subscriber.times) == len(self.sent))
        pairs = zip(self.subscriber.times[first:], self.sent[first:], strict=True)
        return sorted((there - here) * 1000 for there, here in pairs)


def quantile(latencies: list[float], share: float) -> float:
    """Of sorted latencies."""
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))]


async def hang(server: RedisServer) -> None:
    """Chat latency without Redis, while it is well and while it hangs, by turns."""
    store = store_on(server)
    load, plain = Load(store), Load(MemoryStats())
    for each in (load, plain):
        await each.start()
        await each.run(1.0)
    print(f"Chat latency through one channel at {RATE}/s\n")
    print(f"{'':12}{'messages':>9}{'p50 ms':>9}{'p99 ms':>9}{'worst':>9}")
    well: list[float] = []
    hung: list[float] = []
    without: list[float] = []
    for _ in range(3):
        without += await plain.run(PART / 2)
        await connected(store)
        well += await load.run(PART / 2)
        server.pause()
        hung += await load.run(PART / 2)
        server.resume()
    for latencies in (without, well, hung):
        latencies.sort()
    for name, latencies in (("in memory", without), ("Redis well", well), ("Redis hangs", hung)):
        print(
            f"{name:12}{len(latencies):>9}{quantile(latencies, 0.5):>9.3f}"
            f"{quantile(latencies, 0.99):>9.3f}{latencies[-1]:>9.3f}"
        )
    for name, others in (("well", well), ("in memory", without)):
        change = quantile(hung, 0.99) / quantile(others, 0.99) - 1
        print(f"p99 while it hangs, against {name}: {change:+.1%} (bar: less than +10 %)")
    plain.channel.release()
    load.channel.release()
    await settled(reactor, lambda: not waiting(store))
    await store.stopService()


async def outage(server: RedisServer) -> None:
    """Redis is killed for a while under load; the totals before, during and after."""
    store = store_on(server)
    await connected(store)
    load = Load(store)
    await load.start()
    await load.run(2.0)
    server.command("SAVE")
    server.kill()
    during = await load.run(OUTAGE)
    told = (await store.snapshot(KEY, 1)).total_messages
    await server.start(reactor)
    back = time.perf_counter()
    await settled(reactor, lambda: store.storage_type == "redis")
    await load.run(2.0)
    load.channel.release()
    await settled(reactor, lambda: not waiting(store))
    total = int(server.command("HGET", "livechat:1:{twitch:bench}:totals", "total"))
    users = server.command("ZRANGE", "livechat:1:{twitch:bench}:users", "0", "-1", "WITHSCORES")
    print(f"Redis killed for {OUTAGE:g} s at {RATE}/s\n")
    print(f"messages sent                      {len(load.sent):>8}")
    print(f"total in Redis                     {total:>8}")
    print(f"sum of all users' counts in Redis  {sum(map(int, users[1::2])):>8}")
    print(f"total told at the end of the outage{told:>8}")
    print(f"chat p99 during the outage         {quantile(during, 0.99):>8.3f} ms")
    print(f"used again after                   {time.perf_counter() - back:>8.1f} s, load included")
    await store.stopService()
    assert total == len(load.sent)


MEASUREMENTS: dict[str, Callable[[RedisServer], Coroutine[Deferred[Any], Any, None]]] = {
    "redis": cpu,
    "hang": hang,
    "outage": outage,
}


def main() -> None:
    """Run the one that is named."""

    async def run(_: object) -> None:
        server = RedisServer()
        try:
            await server.start(reactor)
            await MEASUREMENTS[sys.argv[1]](server)
        finally:
            server.close()

    react(lambda _: Deferred.fromCoroutine(run(_)), [], _reactor=reactor)


if __name__ == "__main__":
    main()
