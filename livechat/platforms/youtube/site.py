# SPDX-License-Identifier: MIT
"""YouTube's site as we ask it: pages seldom and in turn, InnerTube as often as need be.

Pages are what YouTube counts: they are asked for a few per second, and not at all for a while when
it says that it has had enough.  Fixed cookies are sent and none is kept: cookies carried from one
request to the next have been seen to lead into a circle of consent pages (sheet `youtube`
section 2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Final

from treq.client import HTTPClient
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.core.ports import Requester
from livechat.metrics import Metrics
from livechat.pacing import sleep
from livechat.platforms.budget import Budget, Claim, Dismissed
from livechat.platforms.fetch import Fetched, fetch
from livechat.platforms.youtube.identifier import HOSTS
from livechat.platforms.youtube.limits import PAGES
from livechat.platforms.youtube.pace import retry_after
from livechat.platforms.youtube.page import Client, Page
from livechat.platforms.youtube.verdict import Reason, Refusal, opened

_log = Logger()

#: Seconds and bytes for a page (1 to 2 MB) and for an answer of InnerTube (up to 0.4 MB).
PAGE_DEADLINE: Final = 15.0
PAGE_LIMIT: Final = 12 << 20
CALL_DEADLINE: Final = 10.0
CALL_LIMIT: Final = 8 << 20

#: Seconds without pages after YouTube has refused one: doubled each time up to the first limit,
#: and from the sixth time on the second (sheet `youtube` section 2.1).
_SHORT_REST: Final = 10.0
_LONG_REST: Final = 60.0
_PATIENT_TIMES: Final = 6

_USER_AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
_COOKIES: Final = "SOCS=CAI; CONSENT=YES+cb.20210328-17-p0.en+FX+111; PREF=hl=en&gl=US"
_LANGUAGE: Final = "en-US,en;q=0.9"

_PAGE_HEADERS: Final = {
    "User-Agent": _USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": _LANGUAGE,
    "Cookie": _COOKIES,
}
_CALL_HEADERS: Final = {
    "User-Agent": _USER_AGENT,
    "Accept-Language": _LANGUAGE,
    "Content-Type": "application/json",
    "Cookie": _COOKIES,
    "Origin": "https://www.youtube.com",
    "Referer": "https://www.youtube.com/",
    "X-YouTube-Client-Name": "1",
}

_BLOCKS: Final = frozenset({Reason.RATE_LIMITED, Reason.BLOCKED})


class TimeLeft:
    """Seconds that may be spent on something; waiting for one's turn costs nothing.

    :ivar claim: in whose name turns are waited for.
    """

    def __init__(self, clock: IReactorTime, seconds: float, claim: Claim | None = None) -> None:
        self._clock = clock
        self.left = seconds
        self.claim = claim or Claim(clock, first=False)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """What is done within costs its time."""
        began = self._clock.seconds()
        try:
            yield
        finally:
            self.left -= self._clock.seconds() - began

    async def sleep(self, seconds: float) -> None:
        """Spend them on waiting."""
        with self.spending():
            await sleep(self._clock, seconds)

    def deadline(self, usual: float) -> float:
        """Seconds that one request may take."""
        return max(0.0, min(usual, self.left))


class Site:
    """What is asked of YouTube.

    :param url: the base of pages and InnerTube, `https://www.youtube.com` in real life.
    :param now: wall time in seconds.
    """

    def __init__(
        self,
        http: HTTPClient,
        clock: IReactorTime,
        now: Callable[[], float],
        url: str,
        metrics: Metrics,
    ) -> None:
        self._http = http
        self._clock = clock
        self._now = now
        self._url = url.rstrip("/")
        self._pages = Budget(clock, PAGES, metrics, "youtube", "pages")
        self._reading = DeferredLock()
        self._resting_until = clock.seconds()
        self._block = Refusal(Reason.RATE_LIMITED)
        self._blocks = 0

    @property
    def rest(self) -> float:
        """Seconds for which no page is asked for, because YouTube has refused some."""
        return max(0.0, self._resting_until - self._clock.seconds())

    async def page(self, path: str, budget: TimeLeft) -> Page | Refusal:
        """A page, or why it is none.

        :raises FetchError: no complete answer.
        """
        while True:
            rest = self.rest
            if rest >= budget.left:
                return self._block
            if rest:
                await budget.sleep(rest)
            try:
                async with self._pages.turn(budget.claim):
                    return await self._page(path, budget)
            except Dismissed:
                continue

    async def _page(self, path: str, budget: TimeLeft) -> Page | Refusal:
        with budget.spending():
            answer = await fetch(
                self._http,
                self._clock,
                "GET",
                self._url + path,
                limit=PAGE_LIMIT,
                deadline=budget.deadline(PAGE_DEADLINE),
                headers=_PAGE_HEADERS,
                hosts=HOSTS,
            )
            page = await self._read(answer)
        if isinstance(page, Refusal) and page.reason in _BLOCKS:
            self._rest(page, retry_after(answer.headers.get("retry-after"), self._now()))
        else:
            self._blocks = 0
        return page

    async def _read(self, answer: Fetched) -> Page | Refusal:
        # A page takes some milliseconds: never two of them in one turn of the loop.
        await self._reading.acquire()
        try:
            await sleep(self._clock, 0)
            return opened(answer.status, answer.url, answer.body)
        finally:
            self._reading.release()

    def _rest(self, block: Refusal, asked: float | None) -> None:
        self._block = block
        if not self.rest:
            self._blocks += 1
        longest = _SHORT_REST if self._blocks < _PATIENT_TIMES else _LONG_REST
        rest = asked if asked is not None else min(2.0 ** (self._blocks - 1), longest)
        self._resting_until = max(self._resting_until, self._clock.seconds() + rest)
        self._pages.dismiss()
        _log.warn(
            "YouTube refuses pages ({reason}); none for {rest:.0f} s",
            reason=block.reason,
            rest=rest,
        )

    def budget(
        self,
        seconds: float = inf,
        requester: Requester | None = None,
        queued: Callable[[], None] | None = None,
    ) -> TimeLeft:
        """Time to spend here: for a start, in the name of its requester; else for a known chat."""
        claim = Claim(self._clock, requester, queued=queued, first=requester is not None)
        return TimeLeft(self._clock, seconds, claim)

    async def chat(self, client: Client, token: str, budget: TimeLeft) -> Fetched:
        """The answer to a poll of a chat (sheet `youtube` section 3).

        :raises FetchError: no complete answer.
        """
        body = client.body(continuation=token)
        return await self._call("live_chat/get_live_chat", client, body, budget)

    async def metadata(self, client: Client, video_id: str) -> Fetched:
        """What is told beside a stream: viewers, title (sheet `youtube` section 8).

        :raises FetchError: no complete answer.
        """
        body = client.body(videoId=video_id)
        return await self._call("updated_metadata", client, body, self.budget())

    async def _call(self, name: str, client: Client, body: bytes, budget: TimeLeft) -> Fetched:
        headers = {**_CALL_HEADERS, "X-YouTube-Client-Version": client.version}
        if client.visitor_data:
            headers["X-Goog-Visitor-Id"] = client.visitor_data
        with budget.spending():
            return await fetch(
                self._http,
                self._clock,
                "POST",
                f"{self._url}/youtubei/v1/{name}?prettyPrint=false",
                limit=CALL_LIMIT,
                deadline=budget.deadline(CALL_DEADLINE),
                headers=headers,
                data=body,
            )
