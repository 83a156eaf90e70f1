# SPDX-License-Identifier: MIT
"""Chats that are held for a while before they are delivered, so that moderators can act first.

All chats of a channel that anybody is still to be given stand in one queue, in their order.
Subscribers that hold chats equally long are on one line.  A line passes through the queue; what it
passes is delivered to the groups of the fan-out on that line, but for what was removed meanwhile.

Whoever comes has a place of its own, up to which chats are not for it any more.  Until its line has
come there it is on `WITHOUT_CHATS`, where only events are delivered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import inf
from typing import Final, Protocol

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.group import AT_ONCE
from livechat.core.publication import Publication
from livechat.core.removals import REMOVALS, remove
from livechat.core.subscription import Subscription

#: The line of those who are not given chats yet.
WITHOUT_CHATS: Final = inf

#: Bytes of JSON that are held of one channel; what is beyond it is delivered before its time.
MEMORY: Final = 8 << 20

#: Seconds from one look at what is due to the next, at least.
LOOK_INTERVAL: Final = 0.02

#: Times that are added up differ from their sum by less than this, in seconds.
_SLACK: Final = 1e-6


class Delivery(Protocol):
    """The fan-out, as this module sees it."""

    def publish(self, publications: Sequence[Publication], line: float) -> None:
        """Deliver to those on a line."""

    def move(self, subscription: Subscription, line: float) -> None:
        """Put this one on a line; what was published so far it is given as before."""


class _Held(Struct, eq=False):
    """One chat in the queue, and when it came, in seconds of the clock."""

    chat: Publication
    at: float


class _Line(Struct, eq=False):
    """Those who hold chats for equally long.

    :ivar passed: the number up to which chats were delivered.
    :ivar members: everybody on it, also those who are not in the fan-out yet.
    :ivar joining: who is given chats after the one with that number, and none before.
    """

    hold: float
    passed: int
    members: set[Subscription]
    joining: dict[int, dict[Subscription, None]]


class Holds:
    """The chats of one channel that are held.

    :param last: gives the number of what was published last.
    :param recent: gives the chats that came in the last so many seconds, and when, as far as they
        are kept.
    """

    def __init__(
        self,
        clock: IReactorTime,
        fanout: Delivery,
        last: Callable[[], int],
        recent: Callable[[float], Sequence[tuple[Publication, float]]],
    ) -> None:
        self._clock = clock
        self._fanout = fanout
        self._last = last
        self._recent = recent
        self._queue: list[_Held] = []
        self._size = 0
        self._lines: dict[float, _Line] = {}
        self._line_of: dict[Subscription, _Line] = {}
        # The places of those who are given the past first, and of those who join.
        self._reserved: dict[Subscription, int] = {}
        self._joining: dict[Subscription, int] = {}
        self._call: IDelayedCall | None = None

    # Who comes and goes.

    def reserve(self, subscription: Subscription, after: int, hold: float) -> None:
        """Keep the chats after this number for somebody who is given the past first."""
        self._enter(subscription, hold)
        self._reserved[subscription] = after

    def join(self, subscription: Subscription, hold: float) -> tuple[float, Sequence[Publication]]:
        """Somebody is delivered to from now on, or holds chats for another time than before.

        :return: its line in the fan-out, and the chats that it is to be given at once.
        """
        if not hold and subscription not in self._line_of:
            return AT_ONCE, ()
        after = self.place(subscription, self._last())
        if not hold:
            owed = self.held(after)
            self.leave(subscription)
            return AT_ONCE, owed
        line = self._enter(subscription, hold)
        ahead = self._last_ahead(after, line)
        if ahead is not None:
            line.joining.setdefault(ahead, {})[subscription] = None
            self._joining[subscription] = ahead
            return WITHOUT_CHATS, ()
        return hold, [chat for chat in self.held(after) if chat.seq <= line.passed]

    def place(self, subscription: Subscription, last: int) -> int:
        """The number up to which chats are not for somebody any more.

        :param last: the number of what was published last, for whoever holds nothing.
        """
        for places in (self._reserved, self._joining):
            if subscription in places:
                return places[subscription]
        line = self._line_of.get(subscription)
        return last if line is None else line.passed

    def held(self, after: int) -> Sequence[Publication]:
        """What is held after a number, but for what was removed."""
        return [one.chat for one in self._queue[self._index(after) :] if not one.chat.removed]

    def leave(self, subscription: Subscription) -> None:
        """Somebody is given nothing more; unknown ones are ignored."""
        self._unplace(subscription)
        line = self._line_of.pop(subscription, None)
        if line is None:
            return
        line.members.discard(subscription)
        if not line.members:
            del self._lines[line.hold]
            if not self._lines:
                self._drop(len(self._queue))
                self.close()

    # What comes and what is due.

    def published(self, publications: Sequence[Publication]) -> None:
        """Hold the chats, and deliver everything else to those who hold chats."""
        if not self._lines:
            return
        now = self._clock.seconds()
        events: dict[float, list[Publication]] = {line: [] for line in self._lines}
        events[WITHOUT_CHATS] = []
        joining = min((place for line in self._lines.values() for place in line.joining), default=0)
        for publication in publications:
            if publication.kind == "chat":
                self._queue.append(_Held(publication, now))
                self._size += len(publication.payload)
                continue
            if publication.kind in REMOVALS:
                remove([one.chat for one in self._queue], publication)
            for hold, of_line in events.items():
                passed = joining if hold == WITHOUT_CHATS else self._lines[hold].passed
                of_line.append(self._resuming(publication, passed))
        for hold, of_line in events.items():
            if of_line:
                self._fanout.publish(of_line, hold)
        if self._size > MEMORY:
            self._pass(self._queue[len(self._queue) // 4].chat.seq)
        self._schedule()

    def release(self, last: int) -> None:
        """Deliver everything that is held, as nothing that comes can remove any of it.

        :param last: the number after which whatever comes next comes, perhaps in another order.
        """
        if self._queue:
            self._pass(self._queue[-1].chat.seq)
            self._drop(len(self._queue))
        self._reserved.clear()
        for line in self._lines.values():
            line.passed = last

    def close(self) -> None:
        """Leave nothing on the clock."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _enter(self, subscription: Subscription, hold: float) -> _Line:
        """Put somebody on a line, without a place; it leaves the one that it was on."""
        known = self._line_of.get(subscription)
        line = self._lines.get(hold)
        if line is None:
            line = self._open(hold)
        if known is line:
            self._unplace(subscription)
            return line
        self.leave(subscription)
        line.members.add(subscription)
        self._line_of[subscription] = line
        return line

    def _open(self, hold: float) -> _Line:
        """A line that nobody was on; what came a while ago may be wanted there."""
        first = self._queue[0].chat.seq if self._queue else inf
        recent = [_Held(chat, at) for chat, at in self._recent(hold) if chat.seq < first]
        if recent:
            # What is owed to the others stands in the queue already.
            for other in self._lines.values():
                other.passed = max(other.passed, recent[-1].chat.seq)
        self._queue[:0] = recent
        self._size += sum(len(one.chat.payload) for one in recent)
        at = bisect_right(self._queue, self._clock.seconds() - hold + _SLACK, key=_at)
        passed = self._queue[at].chat.seq - 1 if at < len(self._queue) else self._last()
        line = self._lines[hold] = _Line(hold, passed, set(), {})
        self._schedule()
        return line

    def _unplace(self, subscription: Subscription) -> None:
        self._reserved.pop(subscription, None)
        joined = self._joining.pop(subscription, None)
        if joined is not None:
            del self._line_of[subscription].joining[joined][subscription]

    def _index(self, seq: float) -> int:
        """Where in the queue stands what comes after a number."""
        return bisect_right(self._queue, seq, key=_seq)

    def _last_ahead(self, after: int, line: _Line) -> int | None:
        """The number of the last chat up to `after` that a line has not passed; None: it has."""
        at = self._index(after)
        if not at or self._queue[at - 1].chat.seq <= line.passed:
            return None
        return self._queue[at - 1].chat.seq

    def _due(self, hold: float) -> int:
        """The number of the last chat that came so long ago; 0 for none."""
        at = bisect_right(self._queue, self._clock.seconds() - hold + _SLACK, key=_at)
        return self._queue[at - 1].chat.seq if at else 0

    def _resuming(self, event: Publication, passed: int) -> Publication:
        """An event for those to whom the chats after some number are still to be delivered."""
        at = self._index(passed)
        return event if at == len(self._queue) else event.resuming(self._queue[at].chat.seq - 1)

    def _look(self) -> None:
        """Deliver what is due."""
        self._call = None
        for line in list(self._lines.values()):
            self._move(line, self._due(line.hold))
        self._tidy()
        self._schedule()

    def _pass(self, seq: int) -> None:
        """Deliver everything up to a number, on all lines."""
        for line in list(self._lines.values()):
            self._move(line, seq)
        self._tidy()

    def _move(self, line: _Line, seq: int) -> None:
        """Deliver what a line has not passed, up to a number."""
        part: list[Publication] = []
        for one in self._queue[self._index(line.passed) : self._index(seq)]:
            if not one.chat.removed:
                part.append(one.chat)
            line.passed = one.chat.seq
            if line.passed in line.joining:
                self._deliver(part, line)
                part = []
                for subscription in list(line.joining.pop(line.passed)):
                    del self._joining[subscription]
                    self._fanout.move(subscription, line.hold)
        self._deliver(part, line)

    def _deliver(self, chats: Sequence[Publication], line: _Line) -> None:
        if chats:
            self._fanout.publish(chats, line.hold)

    def _tidy(self) -> None:
        """Drop what nobody is to be given any more."""
        passed = [line.passed for line in self._lines.values()]
        self._drop(self._index(min([*passed, *self._reserved.values()], default=inf)))

    def _drop(self, count: int) -> None:
        """Drop so many of the oldest."""
        self._size -= sum(len(one.chat.payload) for one in self._queue[:count])
        del self._queue[:count]

    def _schedule(self) -> None:
        """Look again when the next one is due."""
        due = min(
            (
                self._queue[at].at + line.hold
                for line in self._lines.values()
                if (at := self._index(line.passed)) < len(self._queue)
            ),
            default=inf,
        )
        if self._call is not None and self._call.getTime() > due:
            self.close()
        if self._call is None and due < inf:
            wait = max(LOOK_INTERVAL, due - self._clock.seconds())
            self._call = self._clock.callLater(wait, self._look)


def _seq(held: _Held) -> int:
    return held.chat.seq


def _at(held: _Held) -> float:
    return held.at
