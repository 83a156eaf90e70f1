# SPDX-License-Identifier: MIT
"""Who is joined next: Twitch allows 20 JOINs per 10 s and closes a connection that asks for more.

One budget for the whole process, and new subscriptions go ahead of rooms that are joined again
after a loss (sheet `twitch` section 1.4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.pacing import TokenBucket

#: JOINs at once, and seconds in which as many come back.
BURST: Final = 18
PERIOD: Final = 12.0


class JoinQueue:
    """Logins that wait for their JOIN.

    :param send: given the logins that may be joined now.
    """

    def __init__(self, clock: IReactorTime, send: Callable[[list[str]], None]) -> None:
        self._clock = clock
        self._send = send
        self._bucket = TokenBucket(BURST / PERIOD, BURST, clock.seconds)
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
        now: list[str] = []
        while (self._new or self._again) and self._bucket.take():
            queue = self._new or self._again
            login = next(iter(queue))
            del queue[login]
            now.append(login)
        if self._new or self._again:
            self._call = self._clock.callLater(max(0.05, self._bucket.wait()), self._pump)
        if now:
            self._send(now)
