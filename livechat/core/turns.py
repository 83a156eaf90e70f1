# SPDX-License-Identifier: MIT
"""Sharing the event loop among those to whom much is to be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: Seconds of writing after which the event loop gets its turn.
TURN: Final = 0.005


class Turns:
    """Whose turn it is to write much, over all channels of a node."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._due: deque[Callable[[], object]] = deque()
        self._call: IDelayedCall | None = None

    def take(self, write: Callable[[], object]) -> None:
        """Write at once if nobody has written in this turn of the loop, otherwise later."""
        self._due.append(write)
        if self._call is None:
            self._run()

    def _run(self) -> None:
        self._call = self._clock.callLater(0, self._called)
        began = self._clock.seconds()
        while self._due and self._clock.seconds() - began < TURN:
            self._due.popleft()()

    def _called(self) -> None:
        self._call = None
        if self._due:
            self._run()
