# SPDX-License-Identifier: MIT
"""One message to many subscribers: framed once, gathered per turn, written once per subscriber.

Subscribers with nothing queued are written to together (`IWriter`); what does not fit, and
everybody else, goes through `ISubscriber.deliver`.  Which is which is asked anew at every write, so
no descriptor outlives its connection here.

Subscribers stand in groups, and a turn writes to so many groups as a few milliseconds allow, to
each what was published up to that moment.  So a large channel does not stop the others.  Where
writing takes more than half of the time, the next group waits until it takes less: a saturated
channel does half the work, and one that is merely busy waits for nothing.

Statistics are as large as twenty messages and in no hurry.  They are spread: to a few subscribers
at a time, so that no message waits behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from prometheus_client import Counter
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.ports import ISubscriber, IWriter
from livechat.protocol.messages import deflated_frame, frame

#: Most subscribers that are written to at once.
GROUP_SIZE: Final = 512

#: Seconds of writing after which a turn leaves the other groups to the next turn.
TURN: Final = 0.005

#: Longest time, in seconds, that a message is held to be joined with the next.
MAX_HOLD: Final = 0.01

#: Seconds by which writing may take longer than the rests between before messages are held.
CREDIT: Final = 0.1

#: Rest that is owed for writing several messages at once, by the time that took.
JOINED_REST: Final = 1.4

#: Seconds between two parts of the subscribers to whom something is spread.
SPREAD_INTERVAL: Final = 0.01

#: A part is this many subscribers, or as many as it takes to be through in the time of so many.
SMALLEST_PART: Final = 50
MAX_PARTS: Final = 50


class Interest(Struct, frozen=True):
    """Which kinds of event a subscriber asked for, beside the messages that all receive.

    :ivar kinds: names of kinds, or None for every kind.
    """

    kinds: frozenset[str] | None = frozenset()

    def wants(self, kind: str) -> bool:
        """Whether publications of this kind are for this subscriber."""
        return kind == "chat" or self.kinds is None or kind in self.kinds


class _Group(Struct, eq=False):
    """Subscribers to whom the same bytes go, and the frames that they have not been given."""

    interest: Interest
    deflate: bool
    subscribers: dict[ISubscriber, None]
    pending: list[bytes]


class _Spread(Struct):
    """What is being spread.

    :ivar frames: the message, by whether it is deflated.
    :ivar waiting: who has not been given it yet; the last one is the next.
    :ivar until: when all should have it, in seconds of the clock.
    """

    frames: dict[bool, bytes]
    waiting: dict[ISubscriber, None]
    until: float


class Fanout:
    """The subscribers of one channel.

    :param clock: when to write, and how long that took.
    :param writer: writes to many subscribers.
    :param deliveries: counts messages times subscribers.
    """

    def __init__(self, clock: IReactorTime, writer: IWriter, deliveries: Counter) -> None:
        self._clock = clock
        self._writer = writer
        self._deliveries = deliveries
        self._groups: list[_Group] = []
        self._group_of: dict[ISubscriber, _Group] = {}
        # Groups with something pending, in the order in which they are written to.
        self._due: dict[_Group, None] = {}
        self._call: IDelayedCall | None = None
        self._last = clock.seconds()
        # Seconds by which writing took longer than the rests between; negative: shorter.
        self._debt = -CREDIT
        self._spread: _Spread | None = None
        self._spread_call: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._group_of)

    def add(self, subscriber: ISubscriber, interest: Interest) -> None:
        """Deliver to this subscriber from now on: nothing that was published before."""
        self.remove(subscriber)
        # What is delivered may change who is there, and what is pending.
        while (group := self._group_for(interest, subscriber.deflate)).pending:
            self._write(group)
        group.subscribers[subscriber] = None
        self._group_of[subscriber] = group

    def remove(self, subscriber: ISubscriber) -> None:
        """Deliver what was published so far, and nothing more.  Unknown subscribers are ignored."""
        group = self._group_of.get(subscriber)
        if group is None:
            return
        self._write(group)
        if self._group_of.pop(subscriber, None) is not None:
            del group.subscribers[subscriber]
            if not group.subscribers:
                self._groups.remove(group)

    def publish(self, publications: Sequence[tuple[str, bytes]]) -> None:
        """Frame each message once and put it where the next writes find it."""
        for kind, payload in publications:
            plain = deflated = None
            for group in self._groups:
                if not group.interest.wants(kind):
                    continue
                if group.deflate:
                    deflated = deflated or deflated_frame(payload)
                    group.pending.append(deflated)
                else:
                    plain = plain or frame(payload)
                    group.pending.append(plain)
                self._due[group] = None
        self._expect_write()

    def spread(self, payload: bytes) -> None:
        """Deliver one message to all, in a moment, to a part of them at a time.

        Who has not been given the last one that was spread is given this one only, and first.  What
        was published before comes before it, unless it is held.
        """
        waiting = dict.fromkeys(self._group_of)
        for subscriber in self._spread.waiting if self._spread is not None else ():
            if waiting.pop(subscriber, self) is None:
                waiting[subscriber] = None
        deflating = {group.deflate for group in self._groups}
        frames = {some: deflated_frame(payload) if some else frame(payload) for some in deflating}
        until = self._clock.seconds() + (MAX_PARTS - 1) * SPREAD_INTERVAL
        self._spread = _Spread(frames, waiting, until)
        if self._spread_call is None:
            self._spread_call = self._clock.callLater(0, self._spread_due)

    def catch_up(self, subscriber: ISubscriber) -> None:
        """Deliver what was published so far; what is being spread is old news to it from here."""
        group = self._group_of.get(subscriber)
        if group is not None:
            self._write(group)
        if self._spread is not None:
            self._spread.waiting.pop(subscriber, None)

    def flush(self) -> None:
        """Write what is pending, now."""
        while self._due:
            self._write(next(iter(self._due)))

    def close(self) -> None:
        """Write everything, now, and leave nothing on the clock."""
        self.flush()
        if self._spread is not None:
            self._spread_part(self._spread, len(self._spread.waiting))
        for call in (self._call, self._spread_call):
            if call is not None:
                call.cancel()
        self._call = self._spread_call = None

    def _group_for(self, interest: Interest, deflate: bool) -> _Group:
        for group in self._groups:
            if (
                len(group.subscribers) < GROUP_SIZE
                and group.deflate is deflate
                and group.interest == interest
            ):
                return group
        group = _Group(interest, deflate, {}, [])
        self._groups.append(group)
        return group

    def _expect_write(self) -> None:
        if self._due and self._call is None:
            # A clock that was set back must not hold messages for longer than the hold.
            since = max(0.0, self._clock.seconds() - self._last)
            self._call = self._clock.callLater(max(0.0, self._debt - since), self._write_due)

    def _write_due(self) -> None:
        self._call = None
        began = self._clock.seconds()
        try:
            while self._due:
                self._write(next(iter(self._due)))
                if self._debt > 0 or not 0 <= self._last - began < TURN:
                    break
        finally:
            self._expect_write()

    def _write(self, group: _Group) -> None:
        self._due.pop(group, None)
        if not group.pending:
            return
        began = self._clock.seconds()
        pending, group.pending = group.pending, []
        self._deliveries.inc(len(pending) * len(group.subscribers))
        self._write_to(list(group.subscribers), b"".join(pending))
        rested = max(0.0, began - self._last)
        self._last = self._clock.seconds()
        spent = max(0.0, self._last - began)
        # What is joined anyway may be joined with more.
        owed = spent * JOINED_REST if len(pending) > 1 else spent
        debt = max(-CREDIT, self._debt - rested) + owed
        # All groups together hold a message no longer than that.
        self._debt = min(debt, MAX_HOLD / max(1, len(self._groups)))

    def _spread_due(self) -> None:
        self._spread_call = None
        if self._spread is not None:
            left = (self._spread.until - self._clock.seconds()) / SPREAD_INTERVAL
            parts = 1 + max(0, min(MAX_PARTS - 1, round(left)))
            size = max(SMALLEST_PART, -(-len(self._spread.waiting) // parts))
            self._spread_part(self._spread, size)
        if self._spread is not None:
            self._spread_call = self._clock.callLater(SPREAD_INTERVAL, self._spread_due)

    def _spread_part(self, spread: _Spread, size: int) -> None:
        waiting = spread.waiting
        part = [waiting.popitem()[0] for _ in range(min(size, len(waiting)))]
        if not waiting:
            self._spread = None
        for deflate, frames in spread.frames.items():
            # Some may have left meanwhile.
            takers = [one for one in part if one.deflate is deflate and one in self._group_of]
            self._deliveries.inc(len(takers))
            self._write_to(takers, frames)

    def _write_to(self, subscribers: list[ISubscriber], frames: bytes) -> None:
        descriptors = [subscriber.direct for subscriber in subscribers]
        busy: list[ISubscriber] = []
        if min(descriptors, default=0) < 0:
            busy = [subscriber for subscriber in subscribers if subscriber.direct < 0]
            subscribers = [subscriber for subscriber in subscribers if subscriber.direct >= 0]
            descriptors = [descriptor for descriptor in descriptors if descriptor >= 0]
        size = len(frames)
        written = self._writer.write(descriptors, frames)
        if written.count(size) != len(written):
            for subscriber, count in zip(subscribers, written, strict=True):
                if count != size:
                    subscriber.deliver(frames[count:])
        for subscriber in busy:
            subscriber.deliver(frames)
