# SPDX-License-Identifier: MIT
"""One message to many subscribers: framed once, gathered per turn, written once per subscriber.

What one reactor turn brings is joined and written together.  Under load a flush waits until as
much time has passed since the last one as that one took (at most 20 ms), which halves the work of
a saturated channel and costs an idle one nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from prometheus_client import Counter
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.interfaces import ISubscriber
from livechat.messages import frame

#: Longest time, in seconds, that a message is held to be joined with the next.
MAX_HOLD: Final = 0.02

#: Kinds that every subscriber of a channel receives.
_FOR_ALL: Final = frozenset({"chat", "stats"})


class Interest(Struct, frozen=True):
    """Which kinds of event a subscriber asked for, beside the messages that all receive.

    :ivar kinds: names of kinds, or None for every kind.
    """

    kinds: frozenset[str] | None = frozenset()

    def wants(self, kind: str) -> bool:
        """Whether publications of this kind are for this subscriber."""
        return kind in _FOR_ALL or self.kinds is None or kind in self.kinds


class _Group(Struct):
    """Subscribers of one interest, and the frames that wait for the next flush."""

    subscribers: dict[ISubscriber, None]
    pending: list[bytes]


class Fanout:
    """The subscribers of one channel.

    :param clock: when to flush, and how long a flush took.
    :param deliveries: counts messages times subscribers.
    """

    def __init__(self, clock: IReactorTime, deliveries: Counter) -> None:
        self._clock = clock
        self._deliveries = deliveries
        self._groups: dict[Interest, _Group] = {}
        self._interest: dict[ISubscriber, Interest] = {}
        self._call: IDelayedCall | None = None
        self._last = clock.seconds()
        self._cost = 0.0

    def __len__(self) -> int:
        return len(self._interest)

    def add(self, subscriber: ISubscriber, interest: Interest) -> None:
        """Deliver to this subscriber from now on: nothing that was published before."""
        self.remove(subscriber)
        self._interest[subscriber] = interest
        group = self._groups.setdefault(interest, _Group({}, []))
        group.subscribers[subscriber] = None

    def remove(self, subscriber: ISubscriber) -> None:
        """Deliver what was published so far, and nothing more.  Unknown subscribers are ignored."""
        self.flush()
        interest = self._interest.pop(subscriber, None)
        if interest is None:
            return
        group = self._groups[interest]
        del group.subscribers[subscriber]
        if not group.subscribers:
            del self._groups[interest]

    def publish(self, publications: Sequence[tuple[str, bytes]]) -> None:
        """Frame each message once and put it where the next flush finds it."""
        for kind, payload in publications:
            framed = None
            for interest, group in self._groups.items():
                if interest.wants(kind):
                    framed = framed or frame(payload)
                    group.pending.append(framed)
        if self._call is None:
            # A clock that was set back must not hold messages for longer than the hold.
            since = max(0.0, self._clock.seconds() - self._last)
            hold = max(0.0, min(MAX_HOLD, self._cost) - since)
            self._call = self._clock.callLater(hold, self._flush_due)

    def flush(self) -> None:
        """Write what waits, now."""
        began = self._clock.seconds()
        delivered = 0
        for group in list(self._groups.values()):
            if group.pending:
                delivered += len(group.pending) * len(group.subscribers)
                frames = b"".join(group.pending)
                group.pending.clear()
                for subscriber in list(group.subscribers):
                    subscriber.deliver(frames)
        if delivered:
            self._deliveries.inc(delivered)
            self._last = self._clock.seconds()
            self._cost = max(0.0, self._last - began)

    def close(self) -> None:
        """Flush and leave nothing on the clock."""
        self.flush()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _flush_due(self) -> None:
        self._call = None
        self.flush()
