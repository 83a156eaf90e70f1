# SPDX-License-Identifier: MIT
"""One message to many subscribers: framed once, gathered per turn, written once per subscriber.

Subscribers with nothing queued are written to by one loop in C over their descriptors; what does
not fit, and everybody else, goes through `ISubscriber.deliver`.  Which is which is asked anew at
every flush, so no descriptor outlives its connection here.

What one reactor turn brings is joined and written together.  Under load a flush waits until as
much time has passed since the last one as that one took (at most 20 ms), which halves the work of
a saturated channel and costs an idle one nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import repeat
from typing import Final

from msgspec import Struct
from prometheus_client import Counter
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.interfaces import ISubscriber
from livechat.messages import deflated_frame, frame

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
    """Subscribers to whom the same bytes go, and the frames that wait for the next flush."""

    interest: Interest
    deflate: bool
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
        self._groups: dict[tuple[Interest, bool], _Group] = {}
        self._group_of: dict[ISubscriber, _Group] = {}
        self._call: IDelayedCall | None = None
        self._last = clock.seconds()
        self._cost = 0.0

    def __len__(self) -> int:
        return len(self._group_of)

    def add(self, subscriber: ISubscriber, interest: Interest) -> None:
        """Deliver to this subscriber from now on: nothing that was published before."""
        self.remove(subscriber)
        key = (interest, subscriber.deflate)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(interest, subscriber.deflate, {}, [])
        group.subscribers[subscriber] = None
        self._group_of[subscriber] = group

    def remove(self, subscriber: ISubscriber) -> None:
        """Deliver what was published so far, and nothing more.  Unknown subscribers are ignored."""
        self.flush()
        group = self._group_of.pop(subscriber, None)
        if group is None:
            return
        del group.subscribers[subscriber]
        if not group.subscribers:
            del self._groups[group.interest, group.deflate]

    def publish(self, publications: Sequence[tuple[str, bytes]]) -> None:
        """Frame each message once and put it where the next flush finds it."""
        for kind, payload in publications:
            plain = deflated = None
            for group in self._groups.values():
                if not group.interest.wants(kind):
                    continue
                if group.deflate:
                    deflated = deflated or deflated_frame(payload)
                    group.pending.append(deflated)
                else:
                    plain = plain or frame(payload)
                    group.pending.append(plain)
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
                _write(list(group.subscribers), frames)
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


def _write(subscribers: list[ISubscriber], frames: bytes) -> None:
    descriptors = [subscriber.direct for subscriber in subscribers]
    busy: list[ISubscriber] = []
    if min(descriptors, default=0) < 0:
        busy = [subscriber for subscriber in subscribers if subscriber.direct < 0]
        subscribers = [subscriber for subscriber in subscribers if subscriber.direct >= 0]
        descriptors = [descriptor for descriptor in descriptors if descriptor >= 0]
    size = len(frames)
    written = _write_directly(descriptors, frames)
    if written.count(size) != len(written):
        for subscriber, count in zip(subscribers, written, strict=True):
            if count != size:
                subscriber.deliver(frames[count:])
    for subscriber in busy:
        subscriber.deliver(frames)


def _write_directly(descriptors: Sequence[int], frames: bytes) -> list[int]:
    """Write the same bytes to many descriptors; how many of them each one took."""
    written: list[int] = []
    writing = map(os.write, descriptors, repeat(frames))
    while len(written) < len(descriptors):
        try:
            written.extend(writing)
        except OSError:
            # Full, or broken: its transport finds out which when it is given the rest.
            written.append(0)
    return written
