# SPDX-License-Identifier: MIT
"""Looks at one watched channel that come sooner, because more is told of it than looks have seen.

What looks see may follow later than what is told, so they go on for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.platforms.twitch.limits import TOLD_LASTS


class Sooner:
    """See above.

    :param every: least seconds between two such looks.
    :param look: makes one; fires when what it saw is known, and never fails.
    :param live: whether the channel is live, as far as looks have seen.
    """

    def __init__(
        self,
        clock: IReactorTime,
        every: float,
        look: Callable[[], Deferred[None]],
        live: Callable[[], bool | None],
    ) -> None:
        self._clock = clock
        self._every = every
        self._look = look
        self._live = live
        # What was told last, and until when looks are made because of it.
        self._told: bool | None = None
        self._until = -inf
        self._free_from = -inf
        # The next look; after it began it stands for that look, until it has been answered.
        self._call: IDelayedCall | None = None

    def told(self, is_live: bool) -> None:
        """It is told that the channel is live, or that it is not."""
        now = self._clock.seconds()
        if is_live is self._told and now < self._until:
            return
        self._told = is_live
        self._until = now + TOLD_LASTS
        if self._call is None:
            self._go_on()

    def stop(self) -> None:
        """Look no more."""
        self._until = -inf
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None

    def _go_on(self) -> None:
        """Plan the next look, as long as looks have not seen what is told."""
        now = self._clock.seconds()
        self._call = None
        if now < self._until and self._live() is not self._told:
            self._call = self._clock.callLater(max(0.0, self._free_from - now), self._begin)

    def _begin(self) -> None:
        self._free_from = self._clock.seconds() + self._every
        call = self._call
        self._look().addCallback(lambda _: self._answered(call))

    def _answered(self, call: IDelayedCall | None) -> None:
        # Meanwhile the channel may have been left.
        if self._call is call and call is not None:
            self._go_on()
