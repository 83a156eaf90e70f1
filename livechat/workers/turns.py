# SPDX-License-Identifier: MIT
"""Budgets that all workers of a machine share, since platforms count by address.

The supervisor keeps them.  A worker asks for each request; who is next within a worker is the
worker's own matter, among the workers turns go round robin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from livechat.core.ports import Requester
from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Claim, Gate, Limit
from livechat.workers.messages import Enter, Entered, Leave, Message

_Kind = tuple[str, str]


class SharedBudgets:
    """The supervisor's side."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._metrics = Metrics()
        self._budgets: dict[_Kind, Budget] = {}
        self._waiting: dict[int, set[Deferred[None]]] = {}
        self._under_way: dict[int, Counter[_Kind]] = {}

    def enter(self, worker: int, message: Enter, answer: Callable[[Message], object]) -> None:
        """A worker asks whether a request may begin; it is answered when it may."""
        kind = message.platform, message.kind
        budget = self._budgets.get(kind)
        if budget is None:
            limit = Limit(message.count, message.period, message.at_once)
            budget = Budget(self._clock, limit, self._metrics, *kind)
            self._budgets[kind] = budget
        waiting = self._waiting.setdefault(worker, set())

        def granted(_: None) -> None:
            waiting.discard(turn)
            self._under_way.setdefault(worker, Counter())[kind] += 1
            answer(Entered(message.number))

        turn = budget.wait(Claim(self._clock, Requester(f"worker {worker}")))
        waiting.add(turn)
        turn.addCallback(granted)
        turn.addErrback(lambda reason: reason.trap(CancelledError))

    def leave(self, worker: int, message: Leave) -> None:
        """A request of a worker is over."""
        kind = message.platform, message.kind
        under_way = self._under_way.get(worker, Counter[_Kind]())
        if under_way[kind] > 0:
            under_way[kind] -= 1
            self._budgets[kind].finish()

    def gone(self, worker: int) -> None:
        """A worker has ended, and all its requests with it."""
        for turn in list(self._waiting.pop(worker, ())):
            turn.cancel()
        for kind, amount in self._under_way.pop(worker, Counter[_Kind]()).items():
            for _ in range(amount):
                self._budgets[kind].finish()


class SharedGates:
    """The worker's side.

    :param send: to the supervisor.
    """

    def __init__(self, send: Callable[[Message], object]) -> None:
        self._send = send
        self._asked: dict[int, Deferred[None]] = {}
        self._number = 0

    def gate(self, platform: str, kind: str, limit: Limit) -> Gate:
        """The gate of one budget."""
        return _SharedGate(self, platform, kind, limit)

    def ask(self, platform: str, kind: str, limit: Limit) -> Deferred[None]:
        """Fires when one request may begin."""
        self._number += 1
        asked = self._asked[self._number] = Deferred()
        self._send(Enter(self._number, platform, kind, limit.count, limit.period, limit.at_once))
        return asked

    def entered(self, message: Entered) -> None:
        """The supervisor lets a request begin."""
        self._asked.pop(message.number).callback(None)

    def leave(self, platform: str, kind: str) -> None:
        """A request is over."""
        self._send(Leave(platform, kind))


class _SharedGate:
    """See `Gate`."""

    def __init__(self, gates: SharedGates, platform: str, kind: str, limit: Limit) -> None:
        self._gates = gates
        self._platform = platform
        self._kind = kind
        self._limit = limit

    def enter(self) -> Deferred[None]:
        """See `Gate`."""
        return self._gates.ask(self._platform, self._kind, self._limit)

    def leave(self) -> None:
        """See `Gate`."""
        self._gates.leave(self._platform, self._kind)
