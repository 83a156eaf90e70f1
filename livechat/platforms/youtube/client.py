# SPDX-License-Identifier: MIT
"""Requests to YouTube: pages, which are limited and take turns, and calls of InnerTube.

YouTube limits how many pages an address may load: we load a few per second, and none for a while
after it has refused one.  Fixed cookies are sent and none is kept: cookies that are sent back can
lead into a circle of consent pages (docs/wire/youtube.md#headers-and-cookies).
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from livechat.pacing import sleep
from livechat.platforms.budget import Claim, Dismissed
from livechat.platforms.description import PlatformContext
from livechat.platforms.fetch import Fetched, fetch
from livechat.platforms.youtube.identifier import HOSTS, PLATFORM
from livechat.platforms.youtube.limits import LOOK_PAGES, PAGES
from livechat.platforms.youtube.pace import retry_after
from livechat.platforms.youtube.parse.page import ClientContext, Page
from livechat.platforms.youtube.parse.verdict import LiveStream, Reason, Refusal, opened

_log = Logger()

#: Seconds and bytes for a page (1 to 2 MB) and for an answer of InnerTube (up to 0.4 MB).
PAGE_DEADLINE: Final = 15.0
PAGE_LIMIT: Final = 12 << 20
CALL_DEADLINE: Final = 10.0
CALL_LIMIT: Final = 8 << 20

#: Seconds without pages after YouTube has refused one: doubled each time up to the first limit,
#: and from the sixth time on the second (docs/wire/youtube.md#blocked).
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


class YouTubeClient:
    """What is asked of YouTube.

    :param url: the base of pages and InnerTube.
    """

    def __init__(self, context: PlatformContext, url: str) -> None:
        self._http = context.http
        self._clock = context.clock
        self._now = context.now
        self._tap = context.tap
        self._url = url.rstrip("/")
        self._pages = context.budget(PAGES, PLATFORM, "pages")
        self._look_pages = context.budget(LOOK_PAGES, PLATFORM, "look_pages")
        self._reading = DeferredLock()
        self._resting_until = context.clock.seconds()
        self._block = Refusal(Reason.RATE_LIMITED)
        self._blocks = 0

    @property
    def rest(self) -> float:
        """Seconds for which no page is asked for, because YouTube has refused some."""
        return max(0.0, self._resting_until - self._clock.seconds())

    async def page(self, path: str, claim: Claim) -> Page | Refusal:
        """A page, or why it is none.

        :raises FetchError: no complete answer.
        """
        pages = self._look_pages if claim.is_look else self._pages
        while True:
            rest = self.rest
            if rest >= claim.left:
                return self._block
            if rest:
                await sleep(self._clock, rest)
            try:
                async with pages.turn(claim):
                    return await self._page(path)
            except Dismissed:
                continue

    async def _page(self, path: str) -> Page | Refusal:
        answer = await fetch(
            self._http,
            self._clock,
            "GET",
            self._url + path,
            limit=PAGE_LIMIT,
            deadline=PAGE_DEADLINE,
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
        for pages in (self._pages, self._look_pages):
            pages.dismiss()
        _log.warn(
            "YouTube refuses pages ({reason}); none for {rest:.0f} s",
            reason=block.reason,
            rest=rest,
        )

    async def chat(self, live: LiveStream, token: str) -> Fetched:
        """The answer to a poll of a chat (docs/wire/youtube.md#get_live_chat).

        :raises FetchError: no complete answer.
        """
        body = live.client.body(continuation=token)
        answer = await self._call("live_chat/get_live_chat", live.client, body)
        self._tap(PLATFORM, live.video_id, answer.body)
        return answer

    async def metadata(self, live: LiveStream) -> Fetched:
        """Viewers and title of a stream (docs/wire/youtube.md#viewers-and-title).

        :raises FetchError: no complete answer.
        """
        body = live.client.body(videoId=live.video_id)
        return await self._call("updated_metadata", live.client, body)

    async def _call(self, name: str, context: ClientContext, body: bytes) -> Fetched:
        headers = {**_CALL_HEADERS, "X-YouTube-Client-Version": context.version}
        if context.visitor_data:
            headers["X-Goog-Visitor-Id"] = context.visitor_data
        return await fetch(
            self._http,
            self._clock,
            "POST",
            f"{self._url}/youtubei/v1/{name}?prettyPrint=false",
            limit=CALL_LIMIT,
            deadline=CALL_DEADLINE,
            headers=headers,
            data=body,
        )
