# SPDX-License-Identifier: MIT
"""Asking a chat what is new, and what the answer amounts to: news, trouble, or doubt.

Trouble passes and says nothing about the stream; doubt means that the stream may be over, which
only its watch page can tell (sheet `youtube` section 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from twisted.logger import Logger

from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.chat import Poll, Signal, read_poll
from livechat.platforms.youtube.continuation import Continuation, Feed, feed
from livechat.platforms.youtube.pace import retry_after
from livechat.platforms.youtube.site import Site, TimeLeft
from livechat.platforms.youtube.verdict import Live

_log = Logger()

#: Statuses that say something about the stream or the token rather than about the moment.
_DOUBTS: Final = frozenset({400, 401, 403, 404, 410})


class News(Struct, frozen=True):
    """The chat goes on.

    :ivar received_ms: when the answer came, in milliseconds since 1970.
    """

    poll: Poll
    continuation: Continuation
    received_ms: int


class Trouble(Struct, frozen=True):
    """No usable answer; the same question may be asked again.

    :ivar wait: seconds that YouTube asks us to wait.
    :ivar limited: YouTube says that we ask too often.
    """

    reason: str
    wait: float | None = None
    limited: bool = False


class Doubt(Struct, frozen=True):
    """The chat, or our place in it, may be gone; `poll` may still hold its last events."""

    reason: str
    poll: Poll
    received_ms: int


class Opening(Struct, frozen=True):
    """A chat whose first answer has come.

    :ivar news: that answer.
    :ivar feed: which messages it has.
    """

    live: Live
    news: News
    feed: Feed


async def ask(
    site: Site, live: Live, token: str, now: Callable[[], float], budget: TimeLeft
) -> News | Trouble | Doubt:
    """What is new since the token was given out; never fails."""
    try:
        answer = await site.chat(live.client, token, budget)
    except FetchError as error:
        return Trouble(str(error))
    status = answer.status
    wall = now()
    if status != 200 and status not in _DOUBTS:
        wait = retry_after(answer.headers.get("retry-after"), wall)
        return Trouble(f"HTTP {status}", wait, limited=status == 429)
    received_ms = int(wall * 1000)
    poll = read_poll(answer.body, live.video_id, received_ms)
    if status != 200:
        # An answer of 403 and the like is no chat, whatever it says.
        return Doubt(" ".join(filter(None, (f"HTTP {status}", poll.reason))), Poll(), received_ms)
    if poll.signal is Signal.UNREADABLE:
        return Trouble("the answer cannot be read")
    if poll.signal is not None or poll.continuation is None:
        said = ": ".join(filter(None, (poll.signal or Signal.EXHAUSTED, poll.reason)))
        return Doubt(said, poll, received_ms)
    return News(poll, poll.continuation, received_ms)


async def open_chat(
    site: Site, live: Live, now: Callable[[], float], budget: TimeLeft
) -> Opening | Trouble | Doubt:
    """The first answer of a chat: of all messages if they can be had, else of Top chat.

    The page's token is rewritten; where that is refused, the page's own token leads to an answer
    that offers one for all messages (sheet `youtube` section 4).
    """
    token = live.all_token
    answer = await ask(site, live, token, now, budget)
    if isinstance(answer, Doubt) and live.top_token != token:
        token = live.top_token
        answer = await ask(site, live, token, now, budget)
    if not isinstance(answer, News):
        return answer
    told = answer.poll.feed or feed(token)
    offered = answer.poll.all_token
    if told != "all" and offered and offered != live.all_token:
        better = await ask(site, live, offered, now, budget)
        if isinstance(better, News) and better.poll.feed != "top":
            return Opening(live, better, "all")
    if told != "all":
        _log.info("YouTube gives only Top chat of {video}", video=live.video_id)
    return Opening(live, answer, told or "top")
