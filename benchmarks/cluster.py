# SPDX-License-Identifier: MIT
"""What it costs to share channels through Redis: processes of their own, one real server.

`python -m benchmarks cluster`: CPU per message of the node that publishes (less what the same takes
without Redis), of one that follows, and of Redis; and what followed channels cost that are idle.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from livechat.brokers.local import LocalBroker
from livechat.brokers.redis.nobody import Nobody
from livechat.core.ports import IBroker, IMembership, Start
from livechat.core.publication import Publication
from livechat.model.events import CHAT_BIT, ChannelKey
from tests.support.redis import RedisServer

#: Seconds of each measurement, and bytes of a message: the mean of a recorded Twitch chat.
SECONDS = 5.0
PAYLOAD = b'{"text":"' + b"x" * 831 + b'"}'

#: Channels, messages a second in all of them.
LOADS = ((1, 1000), (1, 3000), (200, 500), (1000, 3000))

#: Seconds between two ticks of the made-up upstreams.
TICK = 0.002


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


async def lead(reactor: Any, node: IBroker, channels: int, rate: int) -> dict[str, float]:
    """Publish at a steady rate."""
    parts, memberships = await joined(reactor, node, channels)
    print("ready", flush=True)
    await deferLater(reactor, 0.01 if isinstance(node, LocalBroker) else 1.5)
    seqs = [part.start.seq if part.start else 0 for part in parts]
    sent, random = 0, Random(1)
    began, used = time.monotonic(), time.process_time()
    while (passed := time.monotonic() - began) < SECONDS:
        while sent < passed * rate:
            at = random.randrange(channels)
            start = parts[at].start
            assert start is not None
            seqs[at] += 1
            one = Publication(
                start.epoch, seqs[at], "chat", f"id {sent}", "u", "", "", CHAT_BIT, PAYLOAD
            )
            memberships[at].publish([one])
            sent += 1
        await deferLater(reactor, TICK)
    spent = time.process_time() - used
    # What was published last is still on its way.
    await deferLater(reactor, 0.2)
    return {"messages": sent, "us": spent / sent * 1e6}


async def follow(reactor: Any, node: IBroker, channels: int) -> dict[str, float]:
    """Receive until nothing comes any more."""
    parts, _ = await joined(reactor, node, channels)
    print("ready", flush=True)
    while not any(part.received for part in parts):
        await deferLater(reactor, 0.01)
    used, last = time.process_time(), -1
    while (count := sum(part.received for part in parts)) != last:
        last = count
        await deferLater(reactor, 0.5)
    return {"messages": count, "us": (time.process_time() - used) / max(1, count) * 1e6}


async def idle(reactor: Any, node: IBroker, channels: int) -> dict[str, float]:
    """Follow channels in which nothing happens."""
    await joined(reactor, node, channels)
    print("ready", flush=True)
    await deferLater(reactor, 1.0)
    used, began = time.process_time(), time.monotonic()
    await deferLater(reactor, SECONDS)
    return {"core": (time.process_time() - used) / (time.monotonic() - began) * 100}


async def child(reactor: Any, role: str, url: str, channels: int, rate: int) -> None:
    """One node."""
    node: Any
    if url == "local":
        node = LocalBroker(reactor, time.time, Random(1))
    else:
        # Importing it installs a reactor.
        from tests.support.redis_brokers import broker  # noqa: PLC0415

        node = broker(reactor, url, f"{role}{Random().random()}")
        node.startService()
    steps = {
        "lead": lambda: lead(reactor, node, channels, rate),
        "follow": lambda: follow(reactor, node, channels),
        "idle": lambda: idle(reactor, node, channels),
        "hold": lambda: joined(reactor, node, channels),
    }
    found = await steps[role]()
    if role == "hold":
        print("ready", flush=True)
        await deferLater(reactor, SECONDS + 4)
    else:
        print(json.dumps(found), flush=True)


def node_process(role: str, url: str, channels: int, rate: int = 0) -> subprocess.Popen[str]:
    """A node in a process of its own, with its roles."""
    command = [sys.executable, "-m", "benchmarks.cluster", role, url, str(channels), str(rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError(f"{role} did not begin")
    return process


def result(process: subprocess.Popen[str]) -> dict[str, float]:
    """What a process measured."""
    assert process.stdout is not None
    found: dict[str, float] = json.loads(process.stdout.readline())
    process.wait()
    return found


def redis_cpu(server: RedisServer) -> float:
    """Seconds that Redis has used."""
    info = server.command("INFO", "cpu").decode()
    return sum(map(float, re.findall(r"used_cpu_(?:user|sys):([0-9.]+)", info)))


def main() -> None:
    """Print a table."""
    print("cluster, us CPU per message: channels, per second, publishing, following, Redis")
    for channels, rate in LOADS:
        alone = result(node_process("lead", "local", channels, rate))
        with_server(lambda server, c=channels, r=rate, a=alone: _load(server, c, r, a))
    with_server(_idle)


def _load(server: RedisServer, channels: int, rate: int, alone: dict[str, float]) -> None:
    leader = node_process("lead", server.url, channels, rate)
    followers = [node_process("follow", server.url, channels) for _ in range(2)]
    used = redis_cpu(server)
    led, followed = result(leader), [result(one) for one in followers]
    redis = (redis_cpu(server) - used) / led["messages"] * 1e6
    lost = sum(led["messages"] - one["messages"] for one in followed)
    print(
        f"{channels:5} {rate:6} {led['us'] - alone['us']:6.1f} {followed[0]['us']:6.1f}"
        f" {redis:6.1f}" + (f"   {lost:.0f} not received" if lost else "")
    )


def _idle(server: RedisServer) -> None:
    holder = node_process("hold", server.url, 1000)
    found = result(node_process("idle", server.url, 1000))
    holder.kill()
    holder.wait()
    print(f"1,000 idle followed channels: {found['core']:.2f} % of a core")


def with_server(step: Any) -> None:
    """Do something with a server of its own."""
    server = RedisServer()
    try:
        server.launch()
        while not server.answers():
            time.sleep(0.02)
        server.command("SET", "livechat:1:marker", "5")
        step(server)
    finally:
        server.close()


if __name__ == "__main__":
    name, address, *numbers = sys.argv[1:]

    def _run(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(child(reactor, name, address, *map(int, numbers)))

    react(_run)
