# SPDX-License-Identifier: MIT
"""The start of a chat: its stream is found and its chat opened, in as many attempts as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from livechat.model.events import ChannelKey
from livechat.platforms.budget import Claim
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.locate import LEAST_PAUSE, Search, unavailable
from livechat.platforms.youtube.parse.chat import Signal
from livechat.platforms.youtube.parse.verdict import LiveStream, Reason, Refusal
from livechat.platforms.youtube.poll import OpenChat, TransientError, open_chat

#: How often a chat is opened whose first answer says that there is none.
OPEN_TRIES: Final = 3


class Start:
    """The attempts to open one chat.

    :param now: wall time in seconds.
    :param found: its stream, where that is known already.
    """

    def __init__(
        self,
        client: YouTubeClient,
        key: ChannelKey,
        now: Callable[[], float],
        found: LiveStream | None = None,
    ) -> None:
        self._client = client
        self._now = now
        self._search = Search(client, key)
        self._found = found
        self._without_chat = 0

    async def attempt(self, claim: Claim) -> OpenChat:
        """The chat, opened.

        :raises UpstreamError: it cannot be had at this moment.
        :raises ChatError: there is none, or it is refused again and again.
        """
        found, self._found = self._found, None
        live = found or await self._search.attempt(claim)
        chat = await open_chat(self._client, live, self._now)
        if isinstance(chat, OpenChat):
            return chat
        if isinstance(chat, TransientError):
            reason = Reason.RATE_LIMITED if chat.limited else chat.reason
            raise unavailable(reason, max(LEAST_PAUSE, chat.retry_after))
        if chat.poll.signal is Signal.REFUSED:
            raise Refusal(Reason.CHAT_DISABLED).error()
        self._without_chat += 1
        trouble = unavailable(chat.reason)
        if self._without_chat >= OPEN_TRIES:
            raise trouble.as_chat_error()
        raise trouble
