# SPDX-License-Identifier: MIT
"""Who is joined next: Twitch allows 20 JOINs per 10 s and closes a connection that asks for more.

One budget for the whole process, and new subscriptions go ahead of rooms that are joined again
after a loss (sheet `twitch` section 1.4).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: Most JOINs within any so many seconds; a little less than Twitch allows.
BURST: Final = 18
PERIOD: Final = 10.5


class JoinQueue:
    """Logins that wait for their JOIN.

    :param send: given the logins that may be joined now.
    """

    def __init__(self, clock: IReactorTime, send: Callable[[list[str]], None]) -> None:
        self._clock = clock
        self._send = send
        # When the last JOINs were sent.  A token bucket would not do: full, and refilled while it
        # is emptied, it lets nearly twice as many through in one period.
        self._sent: deque[float] = deque(maxlen=BURST)
        self._new: dict[str, None] = {}
        self._again: dict[str, None] = {}
        self._call: IDelayedCall | None = None

    def __contains__(self, login: str) -> bool:
        return login in self._new or login in self._again

    def put(self, login: str, *, new: bool) -> None:
        """Ask for a JOIN; a login waits once, and never behind where it already is."""
        if new:
            self._again.pop(login, None)
            self._new[login] = None
        elif login not in self._new:
            self._again[login] = None
        if self._call is None:
            self._call = self._clock.callLater(0, self._pump)

    def remove(self, login: str) -> None:
        """Do not join this one after all."""
        self._new.pop(login, None)
        self._again.pop(login, None)
        if not self._new and not self._again and self._call is not None:
            self._call.cancel()
            self._call = None

    def _pump(self) -> None:
        self._call = None
        now = self._clock.seconds()
        logins: list[str] = []
        while (self._new or self._again) and self._wait(now) <= 0:
            queue = self._new or self._again
            login = next(iter(queue))
            del queue[login]
            logins.append(login)
            self._sent.append(now)
        if self._new or self._again:
            self._call = self._clock.callLater(self._wait(now), self._pump)
        if logins:
            self._send(logins)

    def _wait(self, now: float) -> float:
        """Seconds until another JOIN may be sent."""
        if len(self._sent) < BURST:
            return 0.0
        # A clock that was set back must not make us wait for longer than a period.
        return min(PERIOD, self._sent[0] + PERIOD - now)
