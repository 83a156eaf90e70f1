# SPDX-License-Identifier: MIT
"""What filters and held chats cost: 10,000 connections with and without them, in one run.

Two measurements of the fan-out, in CPU time of this process.  In the first one nobody is written
to: what is measured is judging and choosing.  In the second one every delivery is one `send` to a
local socket, which is read at once: as in the daemon, most of the time goes there.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from math import inf
from statistics import median
from typing import Final

from twisted.internet.task import Clock
from zope.interface import implementer

from benchmarks.lists import KEY, Nobody, Nowhere
from livechat.core.audience import Audience
from livechat.core.clients import IEncoding, ISubscriber, Place
from livechat.core.filters import ChatFilter, chat_filter
from livechat.core.options import Options
from livechat.core.publication import Publication
from livechat.core.stats import ChannelStats
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.protocol.filters import Filter
from tests.support.fakes import chat, services_on

SUBSCRIBERS: Final = 10_000
MESSAGES: Final = 60
ROUNDS: Final = 3
HOLD: Final = 5.0


@implementer(IEncoding)
class Sending:
    """Sends what is written to one end of a pair of sockets, once for each subscriber."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ours.setblocking(False)

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        return message

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""
        send, receive = self._ours.send, self._theirs.recv
        for _ in subscribers:
            send(data)
            receive(65536)

    def close(self) -> None:
        """Leave nothing open."""
        self._ours.close()
        self._theirs.close()


def different(count: int) -> list[ChatFilter | None]:
    """So many different filters that let nearly everything through, and look at everything."""
    return [
        chat_filter(
            Filter(
                exclude_users=[f"bot{n}", "nightbot"],
                exclude_words=[f"spoiler{n}", "bad word"],
                exclude_prefixes=["!"],
                max_length=400 + n,
            )
        )
        for n in range(count)
    ]


#: What is measured: the options of the subscribers, taken in turn.
KINDS: Final[dict[str, Sequence[Options]]] = {
    "plain": [Options(stats=inf)],
    "one filter": [Options(stats=inf, filter=one) for one in different(1)],
    "100 filters": [Options(stats=inf, filter=one) for one in different(100)],
    "500 filters": [Options(stats=inf, filter=one) for one in different(500)],
    "hold": [Options(stats=inf, hold=HOLD)],
    "hold, 100 filters": [Options(stats=inf, hold=HOLD, filter=one) for one in different(100)],
}


def cost(options: Sequence[Options], encoding: Nowhere | Sending) -> float:
    """CPU microseconds for one message to all subscribers."""
    clock = Clock()
    services = services_on(clock, Metrics())
    stats = ChannelStats(KEY, services.store, clock, 100, lambda snapshot: None)
    audience = Audience(KEY, services, stats, lambda *_: None)
    for number in range(SUBSCRIBERS):
        asked = options[number % len(options)]
        subscription = Subscription(KEY, Nobody(encoding), "bench", asked, lambda _: None)
        audience.admit(subscription, asked)
        audience.greet(subscription)
    text = "an ordinary message of some words that somebody has written KEKW"
    made = [Publication.of("bench", n + 1, chat(str(n), text, f"user{n}")) for n in range(MESSAGES)]
    began = time.process_time()
    for one in made:
        audience.published([one], [one])
        # In small steps, so that what was held is not joined for want of time.
        clock.pump([0.01] * 5)
    clock.pump([0.01] * 600)
    return (time.process_time() - began) / MESSAGES * 1e6


def measured(name: str, encoding: Callable[[], Nowhere | Sending]) -> None:
    """One measurement of all kinds, in turn."""
    costs: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(ROUNDS):
        kinds = list(KINDS)
        for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
            wire = encoding()
            costs[kind].append(cost(KINDS[kind], wire))
            if isinstance(wire, Sending):
                wire.close()
    print(f"\n{SUBSCRIBERS:,} subscribers, {name}: us of CPU per message, medians of {ROUNDS}\n")
    for kind, values in costs.items():
        ratios = [value / plain for value, plain in zip(values, costs["plain"], strict=True)]
        print(f"{kind:20}{median(values):10,.0f}{median(ratios):8.2f} x plain")


def main() -> None:
    """Measure and print."""
    measured("nobody is written to", Nowhere)
    measured("one send for each", Sending)
