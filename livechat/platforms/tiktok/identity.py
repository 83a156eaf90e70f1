# SPDX-License-Identifier: MIT
"""The anonymous viewer that we are: a browser and its cookie (docs/wire/tiktok.md#identity).

One for all rooms, kept in memory, fetched when it is first needed and changed when it is refused.
"""

from __future__ import annotations

from typing import Final

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from livechat.pacing import sleep
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.fetch import FetchError, fetch
from livechat.platforms.tiktok.query import Browser, identity_of, identity_url
from livechat.platforms.tiktok.refusals import Reason, refused, upstream_error
from livechat.platforms.upstream_error import UpstreamError

_log = Logger()

#: Browsers that we are in turn.
BROWSERS: Final = (
    Browser(),
    Browser(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36"
        " (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "MacIntel",
    ),
    Browser(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
        " (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "Linux x86_64",
    ),
)

#: How often the page is asked when it gives no cookie, and seconds between two times.
TRIES: Final = 3
PAUSE: Final = 2.0

#: Seconds for one answer, and bytes of it that are read: the page does not matter, its head does.
DEADLINE: Final = 10.0
LIMIT: Final = 4 * 1024 * 1024


class Identity:
    """A browser and its cookie.

    :ivar browser: whose headers go with everything that is asked.

    :param site: base of pages.
    :param budget: turns for requests.
    """

    def __init__(self, site: str, http: HTTPClient, clock: IReactorTime, budget: Budget) -> None:
        self._budget = budget
        self.browser = BROWSERS[0]
        self._site = site
        self._http = http
        self._clock = clock
        self._changes = 0
        self._cookie = ""
        self._waiting: list[Deferred[str]] = []
        self._fetching: Deferred[None] | None = None

    def cookie(self) -> Deferred[str]:
        """The cookie as `name=value`; all who wait share one request.

        Fails with `UpstreamError`.
        """
        answered: Deferred[str] = Deferred()
        if self._cookie:
            answered.callback(self._cookie)
            return answered
        self._waiting.append(answered)
        if self._fetching is None:
            fetching: Deferred[None] = Deferred.fromCoroutine(self._fetch())
            self._fetching = None if fetching.called else fetching
        return answered

    def discard(self, cookie: str) -> None:
        """This cookie was refused: be somebody else, unless that has happened already."""
        if cookie == self._cookie and cookie:
            self._cookie = ""
            self._changes += 1
            self.browser = BROWSERS[self._changes % len(BROWSERS)]
            _log.info("TikTok refused our anonymous identity; getting another")

    def stop(self) -> None:
        """Give up what is being asked."""
        if self._fetching is not None:
            self._fetching.cancel()

    async def _fetch(self) -> None:
        outcome: str | Failure
        try:
            outcome = self._cookie = await self._ask()
        except (UpstreamError, CancelledError):
            outcome = Failure()
        except Exception:
            _log.failure("unexpected failure to get an identity from TikTok")
            outcome = Failure(upstream_error(refused(Reason.UPSTREAM, "no identity")))
        self._fetching = None
        waiting, self._waiting = self._waiting, []
        for answered in waiting:
            # One that was cancelled has its result already and takes no other.
            if isinstance(outcome, str):
                answered.callback(outcome)
            else:
                answered.errback(outcome)

    async def _ask(self) -> str:
        for attempt in range(TRIES):
            if attempt:
                await sleep(self._clock, PAUSE)
            try:
                async with self._budget.turn(Claim(self._clock)):
                    answer = await fetch(
                        self._http,
                        self._clock,
                        "GET",
                        identity_url(self._site),
                        limit=LIMIT,
                        deadline=DEADLINE,
                        headers=self.browser.headers(),
                    )
            except FetchError as error:
                raise upstream_error(refused(Reason.UPSTREAM, error)) from error
            cookie = identity_of(answer.set_cookies)
            if cookie is not None:
                return cookie
            if answer.status != 200:
                break
        raise upstream_error(refused(Reason.BLOCKED, f"no identity, HTTP {answer.status}"))
