# SPDX-License-Identifier: MIT
"""What options cost: subscribers who all ask for the same, and who each ask for something else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf
from statistics import median
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from livechat.access import EVERYTHING, Grant
from livechat.core.clients import IEncoding, ISubscriber, Place, Requester
from livechat.core.fanout import COALESCE, Fanout
from livechat.core.options import Options
from livechat.core.publication import Publication
from livechat.core.spread import MAX_PARTS, SPREAD_INTERVAL
from livechat.core.stats import PUSH_INTERVAL
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.model.events import CHAT_BIT, EVENT_KINDS, ChannelKey, kind_bit, with_mirrored
from tests.support.fakes import chats, happening

ROUNDS: Final = 7
KEY: Final = ChannelKey("twitch", "username", "bench")


@implementer(IEncoding)
class Nowhere:
    """Encodes, and writes to nobody: what is measured is choosing who receives what."""

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        return message

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""


@implementer(ISubscriber)
class Nobody:
    """A subscriber that receives nothing."""

    pending: int = 0
    requester: Requester = Requester()
    grant: Grant = EVERYTHING

    def __init__(self, encoding: IEncoding) -> None:
        self.encoding = encoding

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""

    def when_below(self, size: int) -> Deferred[None]:
        """See `ISubscriber`."""
        return succeed(None)

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""


def options_of(number: int) -> Options:
    """A set of options of its own for each number."""
    bits = [kind_bit(kind) for kind in sorted(EVENT_KINDS)]
    kinds = CHAT_BIT | sum(bit for index, bit in enumerate(bits) if number >> index & 1)
    return Options(
        kinds if number % 2 else with_mirrored(kinds),
        id=number,
        stats=(0.0, inf, 1.0 + number % 3600)[number % 3],
    )


def cost(subscribers: int, sets: int) -> tuple[float, float, float]:
    """CPU microseconds for adding one, publishing a chat and an event, pushing statistics."""
    clock = Clock()
    fanout = Fanout(clock, COALESCE, Metrics())
    encoding = Nowhere()
    options = [options_of(6 if sets == 1 else number) for number in range(sets)]
    began = time.process_time()
    for number in range(subscribers):
        asked = options[number % sets]
        fanout.add(Subscription(KEY, Nobody(encoding), "bench", asked, lambda _: None))
    added = (time.process_time() - began) / subscribers * 1e6
    events = [*chats(200), *(happening("raid", str(n)) for n in range(200))]
    publications = [Publication.of("bench", n, event) for n, event in enumerate(events)]
    began = time.process_time()
    for first, second in zip(publications[:200], publications[200:], strict=True):
        fanout.publish([first, second])
        clock.advance(COALESCE)
    published = (time.process_time() - began) / 200 * 1e6
    began = time.process_time()
    for _ in range(20):
        fanout.spread(lambda _: b"")
        for _ in range(MAX_PARTS):
            clock.advance(SPREAD_INTERVAL)
        clock.advance(PUSH_INTERVAL - MAX_PARTS * SPREAD_INTERVAL)
    return added, published, (time.process_time() - began) / 20 * 1e6


def main() -> None:
    """Measure and print."""
    cost(1000, 20)
    print(f"\nCPU time in us, medians of {ROUNDS}\n")
    print(f"{'subscribers':>11}{'sets':>8}{'add one':>10}{'publish two':>14}{'statistics':>13}")
    for subscribers, sets in ((20, 1), (20, 20), (10_000, 1), (10_000, 20), (10_000, 10_000)):
        costs = [cost(subscribers, sets) for _ in range(ROUNDS)]
        added, published, pushed = (median(column) for column in zip(*costs, strict=True))
        print(f"{subscribers:11,}{sets:8,}{added:10.2f}{published:14.1f}{pushed:13.1f}")
