# SPDX-License-Identifier: MIT
"""The start of a chat: a stream is found and its chat opened; passing troubles are tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.pacing import Backoff
from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.chat import Signal
from livechat.platforms.youtube.poll import Opening, Trouble, open_chat
from livechat.platforms.youtube.resolve import resolve
from livechat.platforms.youtube.site import Site, TimeLeft
from livechat.platforms.youtube.verdict import PASSING, Live, Reason, Refusal

#: How often a video is looked at that asks to sign in: most are private, but YouTube also asks
#: when it doubts our address, and then only now and then.
SIGN_IN_TRIES: Final = 2

#: How often a chat is opened anew whose first answer says that there is none.
DOUBTED_TRIES: Final = 3


#: Seconds for which what was found is as good as new; then the page is asked for again.
FRESH: Final = 60.0


class Found(Struct, frozen=True):
    """A stream that was looked for before its chat is opened.

    :ivar at: when that was, on the clock of the platform.
    :ivar left: seconds of the start deadline that are left.
    :ivar since_ms: since when somebody waits for its messages, in milliseconds since 1970.
    """

    live: Live
    at: float
    left: float
    since_ms: int


class Attempts:
    """Tries of one start: how many there were, and the time that is left for more.

    :param budget: the time in which passing troubles are tried again.
    """

    def __init__(self, site: Site, budget: TimeLeft, backoff: Backoff) -> None:
        self.budget = budget
        self._site = site
        self._backoff = backoff
        self._tries = 0

    async def wait(self, error: ChatError, wait: float = 0.0) -> None:
        """Wait for the next try.

        :param error: what the last try failed with; it may pass.
        :param wait: seconds that YouTube asks us to wait.
        :raises ChatError: this one; another try would come too late.
        """
        self._tries += 1
        if error.details == Reason.LOGIN_REQUIRED and self._tries >= SIGN_IN_TRIES:
            raise error
        # Half a second at least: whoever answers at once must not be asked in a circle.
        wait = max(wait, self._site.rest, 0.5 + self._backoff.delay(self._tries))
        if wait >= self.budget.left:
            raise error
        await self.budget.sleep(wait)


async def locate(site: Site, key: ChannelKey, attempts: Attempts) -> Live:
    """The stream that a channel or video is live with.

    :raises ChatError: there is none, or it could not be found in time.
    """
    while True:
        try:
            found = await resolve(site, key, attempts.budget)
        except FetchError as failure:
            await attempts.wait(unavailable(str(failure)))
        else:
            if isinstance(found, Live):
                return found
            if found.reason not in PASSING:
                raise found.error()
            await attempts.wait(found.error())


async def start(
    site: Site,
    key: ChannelKey,
    now: Callable[[], float],
    attempts: Attempts,
    found: Live | None = None,
) -> Opening:
    """The chat of a channel or video, opened.

    :param found: its stream, where that is known already.
    :raises ChatError: there is none, or it could not be had in time.
    """
    doubts = 0
    while True:
        live = found or await locate(site, key, attempts)
        found = None
        opening = await open_chat(site, live, now, attempts.budget)
        if isinstance(opening, Opening):
            return opening
        if isinstance(opening, Trouble):
            reason = Reason.RATE_LIMITED if opening.limited else opening.reason
            await attempts.wait(unavailable(reason), opening.wait or 0.0)
            continue
        if opening.poll.signal is Signal.REFUSED:
            raise Refusal(Reason.CHAT_DISABLED).error()
        doubts += 1
        error = unavailable(opening.reason)
        if doubts >= DOUBTED_TRIES:
            raise error
        await attempts.wait(error)


def unavailable(details: str) -> ChatError:
    """YouTube did not answer, or not with what was asked for."""
    return ChatError(
        ErrorCode.UPSTREAM_UNAVAILABLE, "YouTube cannot be read", details, temporary=True
    )
