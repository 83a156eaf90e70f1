# SPDX-License-Identifier: MIT
"""What different lists of events cost: 10,000 subscribers with one list, and with one each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from twisted.internet.task import Clock
from zope.interface import implementer

from livechat.core.clients import IEncoding, ISubscriber, Requester
from livechat.core.fanout import COALESCE, Fanout
from livechat.core.options import Options
from livechat.core.publication import Publication
from livechat.core.subscription import Subscription
from livechat.model.errors import CloseCode
from livechat.model.events import CHAT_BIT, EVENT_KINDS, ChannelKey, kind_bit
from tests.support.fakes import chats, happening

SUBSCRIBERS: Final = 10_000
ROUNDS: Final = 7
KEY: Final = ChannelKey("twitch", "username", "bench")


@implementer(IEncoding)
class Nowhere:
    """Encodes, and writes to nobody: what is measured is choosing who receives what."""

    def encode(self, message: bytes) -> bytes:
        """See `IEncoding`."""
        return message

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""


@implementer(ISubscriber)
class Nobody:
    """A subscriber that receives nothing."""

    pending: int = 0
    requester: Requester = Requester()

    def __init__(self, encoding: IEncoding) -> None:
        self.encoding = encoding

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""


def kinds_of(number: int) -> int:
    """A list of events of its own for each number."""
    bits = [kind_bit(kind) for kind in sorted(EVENT_KINDS)]
    return CHAT_BIT | sum(bit for index, bit in enumerate(bits) if number >> index & 1)


def cost(different: bool) -> tuple[float, float]:
    """CPU microseconds for adding a subscriber, and for publishing a chat and an event."""
    clock = Clock()
    deliveries = Counter("bench", "Deliveries", registry=CollectorRegistry())
    fanout = Fanout(clock, COALESCE, deliveries)
    encoding = Nowhere()
    began = time.process_time()
    for number in range(SUBSCRIBERS):
        options = Options(kinds_of(number if different else 7))
        fanout.add(Subscription(KEY, Nobody(encoding), "bench", options, lambda _: None))
    added = (time.process_time() - began) / SUBSCRIBERS * 1e6
    events = [*chats(200), *(happening("raid", str(n)) for n in range(200))]
    publications = [Publication.of("bench", n, event) for n, event in enumerate(events)]
    began = time.process_time()
    for first, second in zip(publications[:200], publications[200:], strict=True):
        fanout.publish([first, second])
        clock.advance(COALESCE)
    return added, (time.process_time() - began) / 200 * 1e6


def main() -> None:
    """Measure and print."""
    rows = {
        name: [cost(different) for _ in range(ROUNDS)]
        for name, different in (("one list", False), ("a list each", True))
    }
    print(f"\n{SUBSCRIBERS:,} subscribers, CPU time in us, medians of {ROUNDS}\n")
    print(f"{'':14}{'add one':>10}{'publish two':>14}")
    for name, costs in rows.items():
        added, published = (median(column) for column in zip(*costs, strict=True))
        print(f"{name:14}{added:10.2f}{published:14.1f}")
