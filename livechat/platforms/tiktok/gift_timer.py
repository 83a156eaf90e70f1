# SPDX-License-Identifier: MIT
"""Looks now and then for gifts whose end was lost: a quiet room gives no other context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.platforms.steps import Steps

#: Seconds between two looks.
GIFT_LOOK: Final = 5.0


class GiftTimer:
    """Calls a look every few seconds; one that fails is followed by the next.

    :param channel: whose gifts they are, for the log.
    """

    def __init__(self, clock: IReactorTime, steps: Steps, channel: str) -> None:
        self._clock = clock
        self._steps = steps
        self._channel = channel
        self._call: IDelayedCall | None = None

    def start(self, look: Callable[[], None]) -> None:
        """Begin, unless it has begun."""
        if self._call is None:
            self._wait(look)

    def stop(self) -> None:
        """No more looks; idempotent."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _wait(self, look: Callable[[], None]) -> None:
        self._call = self._clock.callLater(GIFT_LOOK, self._look, look)

    def _look(self, look: Callable[[], None]) -> None:
        self._wait(look)
        self._steps.run(self._channel, look)
