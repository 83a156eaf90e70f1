# SPDX-License-Identifier: MIT
"""Pings for all clients by one timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_log = Logger()

#: Seconds between two pings of one client, and how long it may take to answer.
PING_INTERVAL: Final = 25
PING_TIMEOUT: Final = 10

#: Steps of the wheel in a second.  With so many, 8,000 clients are pinged 40 at a time.
STEPS: Final = 8

_SLOTS: Final = PING_INTERVAL * STEPS
_STEP: Final = 1.0 / STEPS


#: Seconds that the wheel may be late and still makes up for; more is skipped.
_LATE: Final = 1.0


class Pinged(Protocol):
    """A connection that is pinged; hashable by identity."""

    def ping(self) -> None:
        """Send a ping."""


T = TypeVar("T", bound=Pinged)


class PingWheel(Generic[T]):
    """Pings every client once per interval and reports those that do not answer.

    Clients are spread over slots one after the other as they come, so that those who come all at
    once are not pinged all at once.  Each step pings the clients of one slot and looks for silence
    in the slot that was pinged `PING_TIMEOUT` seconds ago.

    :param silent: called with a client that has not answered, or that could not be pinged.
    :param answers: whether clients answer at all.
    """

    def __init__(
        self, clock: IReactorTime, silent: Callable[[T], None], *, answers: bool = True
    ) -> None:
        self._clock = clock
        self._silent = silent
        self._answers = answers
        self._slots: list[dict[T, None]] = [{} for _ in range(_SLOTS)]
        self._slot_of: dict[T, int] = {}
        self._unanswered: set[T] = set()
        self._next_slot = 0
        self._hand = 0
        self._due = 0.0
        self._call: IDelayedCall | None = None

    def add(self, client: T) -> None:
        """Watch over a client; its first ping comes within one interval."""
        slot = self._next_slot
        self._next_slot = (slot + 1) % _SLOTS
        self._slots[slot][client] = None
        self._slot_of[client] = slot
        if self._call is None:
            self._due = self._clock.seconds() + _STEP
            self._call = self._clock.callLater(_STEP, self._step)

    def remove(self, client: T) -> None:
        """Stop watching over a client."""
        slot = self._slot_of.pop(client, None)
        if slot is not None:
            del self._slots[slot][client]
            self._unanswered.discard(client)
        if not self._slot_of and self._call is not None:
            self._call.cancel()
            self._call = None

    def answered(self, client: T) -> None:
        """A client sent something, so it is alive."""
        self._unanswered.discard(client)

    def _step(self) -> None:
        now = self._clock.seconds()
        self._due = max(self._due + _STEP, now - _LATE)
        self._call = self._clock.callLater(max(0.0, self._due - now), self._step)
        overdue = self._slots[(self._hand - PING_TIMEOUT * STEPS) % _SLOTS]
        for client in [client for client in overdue if client in self._unanswered]:
            self._give_up(client)
        for client in list(self._slots[self._hand]):
            try:
                client.ping()
            except Exception:
                _log.failure("a client could not be pinged")
                self._give_up(client)
            else:
                if self._answers:
                    self._unanswered.add(client)
        self._hand = (self._hand + 1) % _SLOTS

    def _give_up(self, client: T) -> None:
        self.remove(client)
        try:
            self._silent(client)
        except Exception:
            _log.failure("a client that does not answer could not be dropped")
