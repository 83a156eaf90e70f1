# SPDX-License-Identifier: MIT
"""TikTok's JSON and pages, asked over HTTP: who is live, in which room, and is it still on air.

Several sources answer that, and each has been seen to be wrong (docs/wire/tiktok.md#accounts).  So
one source alone never overrules the others.  Never fails: whatever goes wrong is a refusal among
the answers of `room`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import copy
from typing import Final

import msgspec
from treq.client import HTTPClient
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.platforms.budget import Budget, Claim
from livechat.platforms.fetch import Fetched, FetchError, fetch
from livechat.platforms.tiktok.identity import Identity
from livechat.platforms.tiktok.links import MAX_REDIRECTS, link_url, read_link
from livechat.platforms.tiktok.parse.answers import (
    MAX_BODY,
    Answer,
    Live,
    NotLive,
    Unclear,
    merged,
    read_alive,
    read_info,
    read_page,
    read_user_room,
)
from livechat.platforms.tiktok.query import alive_url, info_url, stream_page_url, user_room_url
from livechat.platforms.tiktok.refusals import Reason, Refused, refused, seconds_to_wait

_log = Logger()

#: Seconds for one answer (docs/wire/tiktok.md#user-room).
DEADLINE: Final = 10.0

#: A room that cannot exist.  `check_alive` is asked about it together with every other room: in
#: July 2026 it began to call every room alive now and then, this one included.
IMPOSSIBLE_ROOM: Final = "123"


class Lookup:
    """Asks about accounts and rooms, as the browser that the identity is.

    :param site: base of pages and `api-live`, without a slash at its end.
    :param webcast: base of `webcast/...`, likewise.
    :param now: wall time in seconds.
    :param count: told the name of what no longer means what it should.
    :param budget: turns for requests.
    """

    def __init__(
        self,
        site: str,
        webcast: str,
        http: HTTPClient,
        clock: IReactorTime,
        now: Callable[[], float],
        identity: Identity,
        count: Callable[[str], None],
        budget: Budget,
    ) -> None:
        self._site = site
        self._webcast = webcast
        self._http = http
        self._clock = clock
        self._now = now
        self._identity = identity
        self._count = count
        self._budget = budget
        self._claim = Claim(clock)
        # Empty as long as `check_alive` is believed; shared by all copies.
        self._false_alive: set[str] = set()

    def claimed_by(self, claim: Claim, budget: Budget | None = None) -> Lookup:
        """The same look-ups, whose turns are waited for in the name of a claim.

        :param budget: other turns than the usual ones.
        """
        lookup = copy(self)
        lookup._claim = claim
        lookup._budget = budget or self._budget
        return lookup

    async def find(self, handle: str) -> Answer:
        """Whether an account is live and where: by one source, and others where it does not say."""
        answer = await self.account(handle)
        others: list[Callable[[], Awaitable[Answer]]] = [lambda: self._page(handle)]
        if isinstance(answer, Refused):
            page = await others.pop()()
            _log.info(
                "tiktok:{handle}: no answer from the API: {first}; from the page: {second}",
                handle=handle,
                first=_said(answer),
                second=_said(page),
            )
            answer = merged(answer, page)
        if not isinstance(answer, Unclear):
            return answer
        # A room id without a status may be an old one; `check_alive` alone never makes it live.
        live = answer.live
        if await self.alive(live.room_id) is False:
            return NotLive()
        for other in (lambda: self.info(live.room_id), *others):
            found = await other()
            if isinstance(found, NotLive):
                return found
            if isinstance(found, Live):
                return live if found.room_id == live.room_id else found
        return answer

    async def alive(self, room_id: str) -> bool | None:
        """Whether `check_alive` calls a room alive; None when it does not say or is not believed.

        Once it has called an impossible room alive it is not asked again.
        """
        if self._false_alive:
            return None
        asked = [room_id, IMPOSSIBLE_ROOM]
        try:
            answer = await self._fetch(alive_url(self._webcast, asked))
        except FetchError:
            return None
        rooms = read_alive(answer.status, answer.body, asked)
        if isinstance(rooms, Refused):
            return None
        if rooms.get(IMPOSSIBLE_ROOM):
            if not self._false_alive:
                _log.warn(
                    "TikTok's check_alive calls a room alive that cannot exist;"
                    " it is ignored from now on"
                )
            self._false_alive.add(IMPOSSIBLE_ROOM)
            self._count("check_alive impossible room")
            return None
        return rooms.get(room_id)

    async def account_of_link(self, link: str) -> str | Refused:
        """The handle to which a short link leads; only TikTok's own hosts are asked.

        :param link: in canonical form.
        """
        url = link_url(self._site, link)
        for _ in range(MAX_REDIRECTS):
            try:
                answer = await self._fetch(url)
            except FetchError as error:
                return refused(Reason.UPSTREAM, error)
            found = read_link(answer.status, answer.headers, url, self._site)
            if isinstance(found, Refused):
                wait = seconds_to_wait(answer.headers, self._now())
                return msgspec.structs.replace(found, wait=wait)
            if isinstance(found, str):
                return found
            url = found.url
        return refused(Reason.NOT_FOUND)

    async def restriction(self, room_id: str) -> Reason | None:
        """What may keep the chat of a room empty for us, if something may."""
        info = await self.info(room_id)
        if isinstance(info, Refused) and info.reason in (
            Reason.AGE_RESTRICTED,
            Reason.LOGIN_REQUIRED,
        ):
            return info.reason
        return None

    async def account(self, handle: str) -> Answer:
        """What `api-live` says about an account."""
        return await self._ask(user_room_url(self._site, handle), read_user_room)

    async def _page(self, handle: str) -> Answer:
        return await self._ask(stream_page_url(self._site, handle), read_page)

    async def info(self, room_id: str) -> Answer:
        """What `room/info` says about a room."""
        return await self._ask(info_url(self._webcast, room_id), read_info)

    async def check_alive(self, room_id: str) -> Answer:
        """What `check_alive` says about a room, as an answer like the others."""
        alive = await self.alive(room_id)
        if alive is None:
            return refused(Reason.UNCLEAR)
        return Live(room_id) if alive else NotLive()

    async def _ask(self, url: str, read: Callable[[int, bytes], Answer]) -> Answer:
        try:
            answer = await self._fetch(url)
        except FetchError as error:
            return refused(Reason.UPSTREAM, error)
        found = read(answer.status, answer.body)
        if isinstance(found, Refused):
            wait = seconds_to_wait(answer.headers, self._now())
            return msgspec.structs.replace(found, wait=wait)
        return found

    async def _fetch(self, url: str) -> Fetched:
        async with self._budget.turn(self._claim):
            return await fetch(
                self._http,
                self._clock,
                "GET",
                url,
                limit=MAX_BODY,
                deadline=DEADLINE,
                headers=self._identity.browser.headers(),
            )


def _said(answer: Answer) -> str:
    if isinstance(answer, Refused):
        return f"{answer.reason} {answer.note}".rstrip()
    return type(answer).__name__
