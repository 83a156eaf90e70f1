# SPDX-License-Identifier: MIT
"""When which channel is looked at: those that are due, within what their platform bears.

A stream that was announced for about now comes before the others; one turn in four is never its.
The others are spread over the time within which all of them should have had a turn, so that those
who began to wait together are not looked at together every time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Final, Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.look_rate import Bearing
from livechat.core.ports import LookRate

T = TypeVar("T", bound=Hashable)

#: One turn in so many is an ordinary one, however many urgent ones there are.
ORDINARY_EVERY: Final = 4

#: So many times as many turns are given out as all items need to have one within `every` seconds.
SPARE: Final = 1.25

#: Seconds after its time within which an item surely has its turn: what becomes urgent only later
#: need not be noted.
HORIZON: Final = 7200.0


class LookQueue(Generic[T]):
    """The items of one platform, each planned once.

    :param turn: called with an item whose turn it is; `finished` ends the turn.
    :param every: seconds within which all should have had a turn, where the platform bears it.
    """

    def __init__(
        self, clock: IReactorTime, rate: LookRate, turn: Callable[[T], None], every: float
    ) -> None:
        self._clock = clock
        self._bearing = Bearing(rate.per_second)
        self._spread_from = rate.spread_from or rate.per_second
        self._at_once = rate.at_once
        self._every = every
        self._turn = turn
        self._numbers = count()
        # The number of each item's plan; a plan that was replaced has another one.
        self._planned: dict[T, int] = {}
        # When, number of the plan, whether it is urgent then.
        self._later: list[tuple[float, int, bool, T]] = []
        self._urgent: deque[tuple[int, T]] = deque()
        self._ordinary: deque[tuple[int, T]] = deque()
        self._taken = 0
        # When the next turn can be, and the next one of an item that is not urgent.
        self._free_from = -inf
        self._ordinary_from = -inf
        self._under_way = 0
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._planned)

    def plan(self, item: T, due: float, urgent_from: float = inf) -> None:
        """Give an item a turn at a time of the clock or later; replaces what was planned.

        :param urgent_from: from when on its turn comes before others.
        """
        number = next(self._numbers)
        self._planned[item] = number
        heappush(self._later, (due, number, urgent_from <= due, item))
        if due < urgent_from < due + HORIZON:
            heappush(self._later, (urgent_from, number, True, item))
        self._go_on()

    def remove(self, item: T) -> None:
        """Give an item no turn; idempotent."""
        self._planned.pop(item, None)
        if not self._planned:
            self._later.clear()
            self._urgent.clear()
            self._ordinary.clear()
            self._stop_timer()

    def finished(self) -> None:
        """A turn is over."""
        self._under_way -= 1
        self._go_on()

    def refused(self, began: float) -> None:
        """The platform has refused a turn, because it is asked too often.

        :param began: when that turn began.
        """
        self._bearing.refused(began, self._clock.seconds())

    def _go_on(self) -> None:
        """Give out the turns that can be given out, and come back for the next one."""
        self._stop_timer()
        now = self._clock.seconds()
        self._gather(now)
        while self._under_way < self._at_once and self._free_from <= now:
            item = self._take(now)
            if item is None:
                break
            self._under_way += 1
            self._turn(item)
        if self._timer is not None or self._under_way >= self._at_once:
            return
        when = self._later[0][0] if self._later else inf
        if self._urgent:
            when = self._free_from
        elif self._ordinary:
            when = min(when, max(self._free_from, self._ordinary_from))
        if when < inf:
            self._timer = self._clock.callLater(max(0.0, when - now), self._due)

    def _gather(self, now: float) -> None:
        """Move what is due from the plan to the queues, and drop plans that were replaced."""
        while self._later:
            due, number, is_urgent, item = self._later[0]
            is_planned = self._planned.get(item) == number
            if is_planned and due > now:
                break
            heappop(self._later)
            if is_planned:
                (self._urgent if is_urgent else self._ordinary).append((number, item))

    def _take(self, now: float) -> T | None:
        """The next item, which has no plan from now on; None: nobody's turn has come."""
        queues = [self._urgent, self._ordinary]
        if (self._taken + 1) % ORDINARY_EVERY == 0:
            queues.reverse()
        for queue in queues:
            while queue and (queue is self._urgent or self._ordinary_from <= now):
                number, item = queue.popleft()
                if self._planned.get(item) == number:
                    self._took(now, queue)
                    del self._planned[item]
                    return item
        return None

    def _took(self, now: float, queue: deque[tuple[int, T]]) -> None:
        """Count a turn, and see when the next ones can be."""
        self._taken += 1
        borne = self._bearing.per_second(now)
        self._free_from = now + 1.0 / borne
        if queue is self._ordinary:
            needed = SPARE * len(self._planned) / self._every
            self._ordinary_from = now + 1.0 / min(borne, max(self._spread_from, needed))

    def _due(self) -> None:
        self._timer = None
        self._go_on()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
