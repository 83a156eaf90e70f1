# SPDX-License-Identifier: MIT
"""The start of a chat: resolved and opened, again and again until it works or the time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.pacing import Backoff
from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.chat import Signal
from livechat.platforms.youtube.poll import Doubt, Opening, open_chat
from livechat.platforms.youtube.resolve import resolve
from livechat.platforms.youtube.site import Budget, Site
from livechat.platforms.youtube.verdict import Live, Reason, Refusal

#: How often a video is looked at that asks to sign in: most are private, but YouTube also asks
#: when it doubts our address, and then only now and then.
SIGN_IN_TRIES: Final = 2

#: How often a chat is opened anew whose first answer says that there is none.
DOUBTED_TRIES: Final = 3


async def start(
    site: Site, key: ChannelKey, now: Callable[[], float], budget: Budget, backoff: Backoff
) -> Opening:
    """The chat of a channel or video, opened.

    :param budget: the time in which passing troubles are tried again.
    :raises ChatError: there is none, or it could not be had in time.
    """
    doubts = 0
    tries = 0
    while True:
        tries += 1
        wait = 0.0
        found: Live | Refusal | None = None
        try:
            found = await resolve(site, key, budget)
            if isinstance(found, Live):
                opening = await open_chat(site, found, now, budget)
                if isinstance(opening, Opening):
                    return opening
                if isinstance(opening, Doubt):
                    doubts += 1
                    error = _doubted(opening)
                else:
                    wait = opening.wait or 0.0
                    error = unavailable(Reason.RATE_LIMITED if opening.limited else opening.reason)
            else:
                error = found.error()
        except FetchError as failure:
            error = unavailable(str(failure))
        if not error.temporary or doubts >= DOUBTED_TRIES:
            raise error
        asks_to_sign_in = isinstance(found, Refusal) and found.reason is Reason.LOGIN_REQUIRED
        if asks_to_sign_in and tries >= SIGN_IN_TRIES:
            raise error
        # Half a second at least: whoever answers at once must not be asked in a circle.
        wait = max(wait, site.rest, 0.5 + backoff.delay(tries))
        if wait >= budget.left:
            raise error
        await budget.sleep(wait)


def unavailable(details: str) -> ChatError:
    """YouTube did not answer, or not with what was asked for."""
    return ChatError(
        ErrorCode.UPSTREAM_UNAVAILABLE, "YouTube cannot be read", details, temporary=True
    )


def _doubted(doubt: Doubt) -> ChatError:
    if doubt.poll.signal is Signal.REFUSED:
        return Refusal(Reason.CHAT_DISABLED).error()
    return unavailable(doubt.reason)
