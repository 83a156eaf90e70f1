# SPDX-License-Identifier: MIT
"""What metrics and limits cost where one message goes to many: `python -m benchmarks overhead`.

Three times the same part of the daemon in one process, from what a platform reports to the writes,
each with its own subscribers over TCP: one with all metrics and limits, a second one that is the
same, and one without.  They take turns, message by message.  What the second one costs in the first
one's measure says how sure the figure is.  Another process reads what is sent.
"""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any, Final

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from benchmarks.attackers import masked
from benchmarks.campaign.raw import PONG, Raw
from livechat.core.hub import Hub
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.transports.client_registry import ClientRegistry, Limits
from livechat.transports.direct import prepare_port
from livechat.transports.http_or_websocket import PortFactory
from livechat.transports.websocket import ClientFactory
from tests.support.fakes import ScriptedPlatform, chat, services_on

reactor: Any = _reactor

SUBSCRIBERS: Final = 500

#: Messages of a round, and rounds.
MESSAGES: Final = 12
ROUNDS: Final = 200

#: Rounds before the first one that counts.
WARM: Final = 10

#: Seconds between two pongs of the subscribers.
ALIVE: Final = 5.0

#: Seconds of rest after each round, in which the other process reads.
REST: Final = 0.1

#: Limits that never bite: as much as the types allow.
NO_LIMITS: Final = Limits(
    pending=1 << 62, frames_per_second=1e12, frames_burst=1e12, handshake=1e6, message=1 << 40
)


class NoMetrics:
    """In place of `Metrics`: whatever is counted is forgotten.

    :ivar registry: as the real one.
    """

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Whatever is done with it."""
        return self

    def delivered(self, messages: int, size: int) -> None:
        """See `Metrics`."""


class World:
    """A channel with its subscribers.

    :ivar costs: seconds of CPU of each round.
    """

    def __init__(self, metrics: Any, limits: Limits) -> None:
        self.costs: list[float] = []
        self._said = 0
        self._platform = ScriptedPlatform()
        services = services_on(reactor, metrics)
        self._hub = Hub(services, linger=0.0, max_channels=10)
        platforms = {"twitch": self._platform}

        def session(subscriber: Any) -> Session:
            return Session(subscriber, self._hub, platforms, Quotas(), reactor, metrics)

        self._clients = ClientRegistry(reactor, limits, metrics, session)
        clients = ClientFactory(reactor, self._clients)
        public = PortFactory([clients], Factory(), reactor, limits.handshake)
        self._listening = reactor.listenTCP(0, public, backlog=4096, interface="127.0.0.1")
        prepare_port(self._listening)
        self.port: int = self._listening.getHost().port

    async def fill(self) -> None:
        """Wait for all subscribers, and begin."""
        while len(self._clients) < SUBSCRIBERS or not self._platform.watchers:
            await deferLater(reactor, 0.05)
        self._platform.watchers[0].live()
        await deferLater(reactor, 1.0)

    def say(self) -> float:
        """Say one thing; seconds of CPU that it took."""
        self._said += 1
        message = chat(f"m{self._said}")
        report = self._platform.watchers[0].sink.received
        began = time.process_time()
        report([message])
        self._hub.flush()
        return time.process_time() - began

    @property
    def is_read(self) -> bool:
        """Whether nothing waits for somebody who does not read."""
        return not any(client.pending for client in self._clients.clients)


def ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """What each round cost in the measure of another one of the same moment."""
    return [one / other for one, other in zip(ones, others, strict=True)]


def describe(name: str, found: Sequence[float]) -> str:
    """A line of the table: the median, how sure it is, and the middle half of the rounds."""
    low, middle, high = statistics.quantiles(found, n=4)
    random = Random(1)
    again = sorted(statistics.median(random.choices(found, k=len(found))) for _ in range(2000))
    return (
        f"{name:<44} {middle:>7.4f}   {again[50]:.4f} to {again[-51]:.4f}   {low:.4f} to {high:.4f}"
    )


async def run() -> None:
    """Measure and print."""
    worlds = [World(Metrics(), Limits()), World(Metrics(), Limits())]
    worlds.append(World(NoMetrics(), NO_LIMITS))
    ports = [str(world.port) for world in worlds]
    reader = subprocess.Popen([sys.executable, "-m", "benchmarks.overhead", *ports])
    try:
        for world in worlds:
            await world.fill()
        for _ in range(WARM + ROUNDS):
            for world in worlds:
                world.costs.append(0.0)
            for number in range(MESSAGES):
                first = number % len(worlds)
                for world in (*worlds[first:], *worlds[:first]):
                    world.costs[-1] += world.say()
            await deferLater(reactor, REST)
            while not all(world.is_read for world in worlds):
                await deferLater(reactor, REST)
    finally:
        reader.kill()
        reader.wait()
    whole, same, bare = (world.costs[WARM:] for world in worlds)
    deliveries = SUBSCRIBERS * MESSAGES
    print(f"\nOne message to {SUBSCRIBERS} subscribers over TCP, {ROUNDS} rounds of {MESSAGES}\n")
    for name, costs in (("with metrics and limits", whole), ("without", bare)):
        print(f"{name:<44} {statistics.median(costs) / deliveries * 1e6:.2f} us per delivery")
    print(f"\n{'ratio':<44}  median   of the median (95 %)   half of the rounds")
    print(describe("with metrics and limits / without", ratios(whole, bare)))
    print(describe("the same twice (says the noise)", ratios(whole, same)))


def main() -> None:
    """Measure and print."""

    def begin() -> None:
        done = Deferred.fromCoroutine(run())
        done.addErrback(lambda reason: reason.printTraceback(sys.stderr))
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


def read(ports: Sequence[int]) -> None:
    """Subscribe so often at each port, and read whatever comes."""
    command: dict[str, Any] = {"stats": False, "events": True}
    poll = select.epoll()
    clients = {}
    for port in ports:
        for _ in range(SUBSCRIBERS):
            client = Raw(port)
            client.subscribe("bench", **command)
            clients[client.socket.fileno()] = client.socket
            poll.register(client.socket, select.EPOLLIN)
    buffer = bytearray(1 << 20)
    parent = os.getppid()
    alive = time.monotonic()
    while os.getppid() == parent:
        if time.monotonic() > alive + ALIVE:
            alive = time.monotonic()
            for one in clients.values():
                one.sendall(masked(b"", PONG))
        for number, _ in poll.poll(1.0):
            with suppress(OSError):
                clients[number].recv_into(buffer)


if __name__ == "__main__":
    read([int(port) for port in sys.argv[1:]])
