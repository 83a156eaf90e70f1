# SPDX-License-Identifier: MIT
"""How much goes out to a platform: one budget for each kind of request, shared fairly.

A budget lets so many requests begin in any stretch of so many seconds, and so many be under way at
once.  Who waits for a turn is told so, and its start deadline stands still meanwhile: that time is
spent by us, not by the platform.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Final, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from livechat.core.ports import Requester
from livechat.fair import Demand, FairQueue
from livechat.metrics import Metrics

_log = Logger()

#: Seconds of waiting for a turn after which a start is told so, and between two times.
QUEUED_AFTER: Final = 2.0
QUEUED_EVERY: Final = 10.0


class Limit(Struct, frozen=True):
    """At most `count` requests begin in any `period` seconds, at most `at_once` are under way.

    :ivar at_once: 0: no limit.
    """

    count: int
    period: float
    at_once: int = 0


class Gate(Protocol):
    """Who else must let a request begin, where several processes share a budget."""

    def enter(self) -> Deferred[None]:
        """Fires when one request may begin; never fails."""

    def leave(self) -> None:
        """A request that was let in is over."""


class Dismissed(Exception):
    """The platform takes no requests of this kind at the moment; decide anew."""


class Deadline:
    """Acts once, after so many seconds in which it was not paused.

    :param due: what to do then.
    """

    def __init__(self, clock: IReactorTime, seconds: float, due: Callable[[], None]) -> None:
        self._clock = clock
        self._due = due
        self._left = seconds
        self._call: IDelayedCall | None = None
        self._is_over = False
        self.resume()

    @property
    def left(self) -> float:
        """Seconds until it acts, if it is not paused; 0 when it has acted or was cancelled."""
        if self._call is None:
            return self._left
        return max(0.0, self._call.getTime() - self._clock.seconds())

    def pause(self) -> None:
        """Time does not count from now on."""
        if self._call is not None:
            self._left = self.left
            self._call.cancel()
            self._call = None

    def resume(self) -> None:
        """Time counts again."""
        if self._call is None and not self._is_over:
            self._call = self._clock.callLater(self._left, self._act)

    def cancel(self) -> None:
        """Never act; idempotent."""
        self.pause()
        self._is_over = True
        self._left = 0.0

    def _act(self) -> None:
        self._call = None
        self._left = 0.0
        self._is_over = True
        self._due()


class Claim:
    """In whose name turns are waited for: one start, or a chat that is sought again.

    :param requester: whose share a turn is.
    :param queued: told after two seconds of waiting and then every ten seconds.
    :param deadline: stands still while a turn is waited for.
    :param first: whether somebody waits for this to begin.
    :param is_look: whether this only looks whether something has begun; platforms have budgets of
        their own for that.
    """

    def __init__(
        self,
        clock: IReactorTime,
        requester: Requester | None = None,
        *,
        queued: Callable[[], None] | None = None,
        deadline: Deadline | None = None,
        first: bool = True,
        is_look: bool = False,
    ) -> None:
        self.requester = requester or Requester()
        self.first = first
        self.is_look = is_look
        self._clock = clock
        self._queued = queued
        self._deadline = deadline
        self._told = -inf
        self._waits = 0
        self._call: IDelayedCall | None = None

    @property
    def left(self) -> float:
        """Seconds until the deadline, waiting for turns not counted; infinite without one."""
        return inf if self._deadline is None else self._deadline.left

    @property
    def is_waiting(self) -> bool:
        """Whether a turn is waited for at this moment."""
        return self._waits > 0

    def begin(self) -> None:
        """A wait begins."""
        self._waits += 1
        if self._waits > 1:
            return
        if self._deadline is not None:
            self._deadline.pause()
        if self._queued is not None:
            since_told = self._clock.seconds() - self._told
            self._call = self._clock.callLater(
                max(QUEUED_AFTER, min(QUEUED_EVERY, QUEUED_EVERY - since_told)), self._tell
            )

    def end(self) -> None:
        """A wait is over, in whichever way."""
        self._waits -= 1
        if self._waits:
            return
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if self._deadline is not None:
            self._deadline.resume()

    def tell(self) -> None:
        """Tell that it waits, unless that was told in the last ten seconds."""
        now = self._clock.seconds()
        # With a little slack, for sums of floating-point seconds.
        if self._queued is None or 0 <= now - self._told < QUEUED_EVERY - 0.01:
            return
        self._told = now
        try:
            self._queued()
        except Exception:
            _log.failure("somebody who waits for a turn could not be told so")

    def _tell(self) -> None:
        self._call = self._clock.callLater(QUEUED_EVERY, self._tell)
        self.tell()


class Budget:
    """Turns for one kind of request to one platform.

    :param platform: its name, for metrics.
    :param kind: of request, for metrics.
    :param gate: asked for each request, too.
    :param demand: how much the clients ask for in all.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limit: Limit,
        metrics: Metrics,
        platform: str,
        kind: str,
        gate: Gate | None = None,
        demand: Demand | None = None,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self.demand = demand
        self._queue: FairQueue[_Wait] = FairQueue(demand)
        self._begun: deque[float] = deque(maxlen=limit.count)
        self._under_way = 0
        self._timer: IDelayedCall | None = None
        self._is_handing_out = False
        self._gate = gate
        self._is_asking = False
        self._taken = metrics.budget_taken.labels(platform, kind)
        metrics.budget_waiting.labels(platform, kind).set_function(lambda: len(self._queue))
        metrics.budget_left.labels(platform, kind).set_function(lambda: self.left)

    @property
    def left(self) -> int:
        """Requests that may begin at this moment."""
        now = self._now()
        recent = sum(began + self._limit.period > now for began in self._begun)
        left = self._limit.count - recent
        return min(left, self._limit.at_once - self._under_way) if self._limit.at_once else left

    @asynccontextmanager
    async def turn(self, claim: Claim) -> AsyncIterator[None]:
        """What is done within is one request.

        :raises Dismissed: see `dismiss`.
        """
        await self.wait(claim)
        try:
            yield
        finally:
            self.finish()

    def wait(self, claim: Claim) -> Deferred[None]:
        """Fires when it is this claim's turn; `finish` ends a turn.

        Cancelling it gives the place up.  Fails with `Dismissed`.
        """
        turn: Deferred[None] = Deferred(lambda _: self._give_up(wait))
        wait = _Wait(claim, turn)
        claim.begin()
        self._queue.put(wait, claim.requester, first=claim.first)
        self._hand_out()
        return turn

    def finish(self) -> None:
        """A turn is over."""
        self._under_way -= 1
        if self._gate is not None:
            self._gate.leave()
        self._hand_out()

    def dismiss(self) -> None:
        """Fail all who wait, because nobody's turn will come soon."""
        waits = [self._queue.take() for _ in range(len(self._queue))]
        self._stop_timer()
        for wait in waits:
            wait.claim.end()
        for wait in waits:
            if not wait.turn.called:
                wait.turn.errback(Dismissed())

    def _give_up(self, wait: _Wait) -> None:
        self._queue.remove(wait)
        wait.claim.end()
        if not self._queue:
            self._stop_timer()

    def _hand_out(self) -> None:
        """Give out turns as long as there are some to give and somebody waits."""
        if self._is_handing_out or self._timer is not None:
            return
        self._is_handing_out = True
        try:
            while self._queue and not self._is_busy() and not self._is_asking:
                seconds = self._seconds_to_wait()
                if seconds > 0:
                    self._timer = self._clock.callLater(seconds, self._is_due)
                    break
                if self._gate is None:
                    self._begin()
                else:
                    self._is_asking = True
                    self._gate.enter().addCallback(self._let_in)
        finally:
            self._is_handing_out = False

    def _begin(self) -> None:
        """It is the turn of whoever is next."""
        self._begun.append(self._clock.seconds())
        self._under_way += 1
        self._taken.inc()
        wait = self._queue.take()
        wait.claim.end()
        wait.turn.callback(None)

    def _let_in(self, _: None) -> None:
        """The gate lets one request begin; whoever waited for it may have gone."""
        self._is_asking = False
        if not self._queue:
            assert self._gate is not None
            self._gate.leave()
            return
        self._begin()
        self._hand_out()

    def _is_busy(self) -> bool:
        return 0 < self._limit.at_once <= self._under_way

    def _seconds_to_wait(self) -> float:
        """Seconds until another request may begin."""
        now = self._now()
        if len(self._begun) < self._limit.count:
            return 0.0
        return self._begun[0] + self._limit.period - now

    def _now(self) -> float:
        """The time; what began later than that, on a clock that was set back, began just now."""
        now = self._clock.seconds()
        ahead = self._begun[-1] - now if self._begun else 0.0
        if ahead > 0:
            self._begun = deque((began - ahead for began in self._begun), self._limit.count)
        return now

    def _is_due(self) -> None:
        self._timer = None
        self._hand_out()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


class _Wait:
    """One place in the queue."""

    __slots__ = ("claim", "turn")

    def __init__(self, claim: Claim, turn: Deferred[None]) -> None:
        self.claim = claim
        self.turn = turn
