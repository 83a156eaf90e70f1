# SPDX-License-Identifier: MIT
"""The search for further lives of a channel: its list of streams, and the pages of new entries.

An entry that may be live is looked at by its own page, because one layout of the list does not tell
(docs/wire/youtube.md#streams-tab).  What that page has said of it is remembered for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from livechat.platforms.budget import Budget, Claim
from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.parse.streams import candidates, read_streams
from livechat.platforms.youtube.parse.verdict import TEMPORARY, LiveStream, Reason, Refusal
from livechat.platforms.youtube.resolve import look

#: Seconds for which an entry is not looked at again that was not live, and the same for one without
#: a chat, which streamers turn on later.
NOT_LIVE_FOR: Final = 600.0
NO_CHAT_FOR: Final = 100.0

#: Seconds before its announced start from which an entry is looked at every time.
SOON: Final = 600.0


class LiveSearch:
    """The search for one channel.

    :param path: of its list of streams.
    :param budget: of all such searches.
    :param seconds: a clock.
    :param now: wall time in seconds.
    """

    def __init__(
        self,
        client: YouTubeClient,
        path: str,
        budget: Budget,
        seconds: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._client = client
        self._path = path
        self._budget = budget
        self._seconds = seconds
        self._now = now
        # Until when each entry need not be looked at again.
        self._known: dict[str, float] = {}

    async def new(self, claim: Claim, known: Container[str]) -> list[LiveStream] | None:
        """The lives that are on air besides the known ones; None where YouTube does not say."""
        try:
            async with self._budget.turn(claim):
                page = await self._client.page(self._path, claim)
        except FetchError:
            return None
        if isinstance(page, Refusal):
            return None if page.reason in TEMPORARY else []
        listed = candidates(read_streams(page))
        self._known = {one: until for one, until in self._known.items() if one in listed}
        found: list[LiveStream] = []
        for video_id in listed:
            if video_id not in known and self._known.get(video_id, 0.0) <= self._seconds():
                live = await self._looked_at(video_id, claim)
                if live is not None:
                    found.append(live)
        return found

    async def _looked_at(self, video_id: str, claim: Claim) -> LiveStream | None:
        try:
            answer = await look(self._client, video_id, claim)
        except FetchError:
            return None
        if isinstance(answer, LiveStream):
            return answer
        self._known[video_id] = self._seconds() + self._pause(answer)
        return None

    def _pause(self, refusal: Refusal) -> float:
        """For how many seconds what is not live need not be looked at again."""
        if refusal.reason in TEMPORARY:
            return 0.0
        if refusal.reason is Reason.CHAT_DISABLED:
            return NO_CHAT_FOR
        if refusal.reason is Reason.UPCOMING:
            announced = (refusal.scheduled_ms or 0) / 1000
            return max(0.0, min(NOT_LIVE_FOR, announced - SOON - self._now()))
        return NOT_LIVE_FOR
