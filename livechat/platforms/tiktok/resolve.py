# SPDX-License-Identifier: MIT
"""Short links to accounts; passing troubles are tried again until the start deadline."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from livechat.core.ports import Requester
from livechat.pacing import Backoff, sleep
from livechat.platforms.budget import Claim, Deadline
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.refusals import VERDICTS, error_of

#: Seconds between two tries: the least, the first ceiling of what is added, and the highest.
_PAUSE: Final = 0.5
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


class ShortLinks:
    """Finds the accounts to which short links lead.

    :param start_timeout: seconds in which that must succeed.
    """

    def __init__(
        self, lookup: Lookup, clock: IReactorTime, random: Random, start_timeout: float
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._backoff = Backoff(random, _FIRST_PAUSE, _LONGEST_PAUSE)
        self._start_timeout = start_timeout
        self._running: set[Deferred[str]] = set()

    def account(self, link: str, requester: Requester, queued: Callable[[], None]) -> Deferred[str]:
        """The handle to which a link leads; fails with a `ChatError`.  It can be cancelled.

        :param link: in canonical form.
        :param queued: see `IPlatform.resolve`.
        """
        running = Deferred.fromCoroutine(self._find(link, requester, queued))
        self._running.add(running)

        def over(result: str | Failure) -> str | Failure:
            self._running.discard(running)
            return result

        return running.addBoth(over)

    def stop(self) -> None:
        """Give up everything that is being asked."""
        for running in list(self._running):
            running.cancel()

    async def _find(self, link: str, requester: Requester, queued: Callable[[], None]) -> str:
        # Only looked at between two tries: each try has a deadline of its own.
        deadline = Deadline(self._clock, self._start_timeout, lambda: None)
        claim = Claim(self._clock, requester, queued=queued, deadline=deadline)
        lookup = self._lookup.claimed_by(claim)
        failures = 0
        try:
            while True:
                found = await lookup.account_of_link(link)
                if isinstance(found, str):
                    return found
                failures += 1
                wait = max(found.wait, _PAUSE + self._backoff.delay(failures))
                if found.reason in VERDICTS or wait >= deadline.left:
                    raise error_of(found)
                await sleep(self._clock, wait)
        finally:
            deadline.cancel()
