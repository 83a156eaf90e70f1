# SPDX-License-Identifier: MIT
"""One channel whose statistics are in Redis, and when it is time to ask Redis about it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from twisted.internet.defer import DeferredLock

from livechat.statistics.redis_account import Account

#: Seconds after which keys that are not ours, or not as ours should be, are looked at again.
FAULT_INTERVAL: Final = 5.0

#: Seconds between two readings of a channel to which another process adds as well.
RELOAD_INTERVAL: Final = 1.0

#: Seconds after which what is held of a quiet channel is compared with Redis before it is told.
COMPARE_INTERVAL: Final = 5.0


class Channel:
    """One channel.

    :param seconds: the clock.
    :ivar answered: when Redis last answered.
    :ivar read: when everything was last read.
    :ivar fault: why its keys cannot be used; empty while they can.
    :ivar turn: one question at a time.
    :ivar watchers: who is told when the totals may have changed.
    """

    def __init__(self, account: Account, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.account = account
        self.answered = -inf
        self.read = -inf
        self.fault = ""
        self.turn = DeferredLock()
        self.watchers: list[Callable[[], None]] = []

    def changed(self) -> None:
        """Tell the watchers."""
        for changed in tuple(self.watchers):
            changed()

    def may_be_asked_about(self) -> bool:
        """Whether it is time: a fault, or what others add, is not looked at in each round."""
        if self.fault:
            return self._passed(self.answered, FAULT_INTERVAL)
        return self.may_be_read() or not self.account.stale or not self.account.settled

    def may_be_read(self) -> bool:
        """Whether everything may be read again."""
        return self._passed(self.read, RELOAD_INTERVAL)

    def is_fresh(self) -> bool:
        """Whether Redis has just answered."""
        return not self._passed(self.answered, COMPARE_INTERVAL)

    def _passed(self, since: float, interval: float) -> bool:
        return not 0 <= self._seconds() - since < interval
