# SPDX-License-Identifier: MIT
"""TikTok's JSON and pages, asked over HTTP: who is live, in which room, and is it still on air.

Never fails: whatever goes wrong is a refusal among the answers of `room`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from treq.client import HTTPClient
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.platforms.fetch import Fetched, FetchError, fetch
from livechat.platforms.tiktok.identity import Identity
from livechat.platforms.tiktok.query import alive_url, info_url, stream_page_url, user_room_url
from livechat.platforms.tiktok.refusals import Reason, Refused, refused, seconds_to_wait
from livechat.platforms.tiktok.room import (
    MAX_BODY,
    Answer,
    Unclear,
    merged,
    read_alive,
    read_info,
    read_page,
    read_user_room,
    with_alive,
)

_log = Logger()

#: Seconds for one answer (sheet `tiktok` section 2.1).
DEADLINE: Final = 10.0


class Lookup:
    """Asks about accounts and rooms, as the browser that the identity is.

    :param site: base of pages and `api-live`, without a slash at its end.
    :param webcast: base of `webcast/...`, likewise.
    :param now: wall time in seconds.
    """

    def __init__(
        self,
        site: str,
        webcast: str,
        http: HTTPClient,
        clock: IReactorTime,
        now: Callable[[], float],
        identity: Identity,
    ) -> None:
        self._site = site
        self._webcast = webcast
        self._http = http
        self._clock = clock
        self._now = now
        self._identity = identity

    async def find(self, handle: str) -> Answer:
        """Whether an account is live and where: by one source, and others where it does not say."""
        answer = await self._ask(user_room_url(self._site, handle), read_user_room)
        if isinstance(answer, Refused):
            page = await self._ask(stream_page_url(self._site, handle), read_page)
            _log.info(
                "TikTok did not tell about an account: {first}; its page: {second}",
                first=_said(answer),
                second=_said(page),
            )
            answer = merged(answer, page)
        if isinstance(answer, Unclear):
            answer = with_alive(answer, await self.alive(answer.live.room_id))
        return answer

    async def alive(self, room_id: str) -> bool | None:
        """Whether a room is on air; None when that could not be found out."""
        try:
            answer = await self._fetch(alive_url(self._webcast, [room_id]))
        except FetchError:
            return None
        rooms = read_alive(answer.status, answer.body, [room_id])
        return None if isinstance(rooms, Refused) else rooms.get(room_id)

    async def restriction(self, room_id: str) -> Reason | None:
        """What may keep the chat of a room empty for us, if something may."""
        info = await self._ask(info_url(self._webcast, room_id), read_info)
        if isinstance(info, Refused) and info.reason in (
            Reason.AGE_RESTRICTED,
            Reason.LOGIN_REQUIRED,
        ):
            return info.reason
        return None

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
