# SPDX-License-Identifier: MIT
"""How fast and how often: back-off with jitter, token buckets, waiting on a handed-in clock.

Ground floor: imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Backoff:
    """Exponential back-off with full jitter: each delay is drawn from zero to a doubling ceiling.

    Full jitter keeps thousands of clients that lost the same server from returning together.

    :param initial: first ceiling, in seconds.
    :param cap: highest ceiling, in seconds.
    """

    def __init__(self, random: Random, initial: float = 1.0, cap: float = 30.0) -> None:
        self._random = random
        self._initial = initial
        self._cap = cap

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (0 or 1: the first ceiling)."""
        doublings = min(max(failures - 1, 0), 32)
        return self._random.uniform(0.0, min(self._cap, self._initial * 2.0**doublings))


class Pauses(Struct, frozen=True):
    """How long to wait between two attempts; full jitter below a doubling ceiling.

    :ivar first: first ceiling, in seconds.
    :ivar longest: highest ceiling, in seconds.
    """

    first: float = 1.0
    longest: float = 30.0


class TokenBucket:
    """So many at once, so many per second in the long run.

    :param rate: tokens that come back per second.
    :param burst: tokens that a rested bucket holds.
    :param seconds: the clock, in seconds.
    """

    __slots__ = ("_burst", "_rate", "_seconds", "_tokens", "_when")

    def __init__(self, rate: float, burst: float, seconds: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._seconds = seconds
        self._tokens = burst
        self._when = seconds()

    def take(self, tokens: float = 1.0) -> bool:
        """Take tokens if they are there."""
        self._refill()
        # Half a millionth of slack: float time that adds up to a whole token must give one.
        if self._tokens + 5e-7 < tokens:
            return False
        self._tokens -= tokens
        return True

    def wait(self, tokens: float = 1.0) -> float:
        """Seconds until so many tokens will be there."""
        self._refill()
        return max(0.0, (tokens - self._tokens) / self._rate)

    def _refill(self) -> None:
        now = self._seconds()
        # A clock that was set back brings no tokens, and takes none.
        passed = max(0.0, now - self._when)
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self._when = now


def sleep(clock: IReactorTime, seconds: float) -> Deferred[None]:
    """Fires after so many seconds; cancelling it takes the timer off the clock."""
    done: Deferred[None] = Deferred(lambda _: call.cancel())
    call = clock.callLater(seconds, done.callback, None)
    return done
