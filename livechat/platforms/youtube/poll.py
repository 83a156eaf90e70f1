# SPDX-License-Identifier: MIT
"""Asking a chat what is new, and what the answer amounts to.

A transient error passes and says nothing about the stream; an answer without a chat means that the
stream may have ended, which only its watch page can tell (docs/wire/youtube.md#end-and-trouble).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from twisted.logger import Logger

from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.pace import retry_after
from livechat.platforms.youtube.parse.chat import Poll, Signal, read_poll
from livechat.platforms.youtube.parse.continuation import Continuation, Feed, feed
from livechat.platforms.youtube.parse.verdict import LiveStream

_log = Logger()

#: Statuses that say something about the stream or the token rather than about the moment.
_OF_THE_CHAT: Final = frozenset({400, 401, 403, 404, 410})


class PollOk(Struct, frozen=True):
    """The chat goes on.

    :ivar received_ms: when the answer came, in milliseconds since 1970.
    """

    poll: Poll
    continuation: Continuation
    received_ms: int


class TransientError(Struct, frozen=True):
    """No usable answer; the same question may be asked again.

    :ivar retry_after: seconds that YouTube asks us to wait.
    :ivar limited: YouTube says that we ask too often.
    """

    reason: str
    retry_after: float = 0.0
    limited: bool = False


class PossiblyEnded(Struct, frozen=True):
    """The chat, or our place in it, may be gone; `poll` may still hold its last events."""

    reason: str
    poll: Poll
    received_ms: int


class OpenChat(Struct, frozen=True):
    """A chat whose first answer has come.

    :ivar answer: that answer; while the chat is followed, its newest one.
    :ivar feed: which messages it has.
    """

    live: LiveStream
    answer: PollOk
    feed: Feed


async def ask(
    client: YouTubeClient, live: LiveStream, token: str, now: Callable[[], float]
) -> PollOk | TransientError | PossiblyEnded:
    """What is new since the token was given out; never fails."""
    try:
        answer = await client.chat(live, token)
    except FetchError as error:
        return TransientError(str(error))
    status = answer.status
    wall = now()
    if status != 200 and status not in _OF_THE_CHAT:
        wait = retry_after(answer.headers.get("retry-after"), wall)
        return TransientError(f"HTTP {status}", wait or 0.0, limited=status == 429)
    received_ms = int(wall * 1000)
    poll = read_poll(answer.body, live.video_id, received_ms)
    if status != 200:
        # An answer of 403 and the like is no chat, whatever it says.
        reason = " ".join(filter(None, (f"HTTP {status}", poll.reason)))
        return PossiblyEnded(reason, Poll(), received_ms)
    if poll.signal is Signal.UNREADABLE:
        return TransientError("the answer cannot be read")
    if poll.signal is not None or poll.continuation is None:
        reason = ": ".join(filter(None, (poll.signal or Signal.EXHAUSTED, poll.reason)))
        return PossiblyEnded(reason, poll, received_ms)
    return PollOk(poll, poll.continuation, received_ms)


async def open_chat(
    client: YouTubeClient, live: LiveStream, now: Callable[[], float]
) -> OpenChat | TransientError | PossiblyEnded:
    """The first answer of a chat: of all messages if they can be had, else of Top chat.

    The page's token is rewritten; where that is refused, the page's own token leads to an answer
    that offers one for all messages (docs/wire/youtube.md#ways-to-all-messages).
    """
    token = live.all_token
    answer = await ask(client, live, token, now)
    if isinstance(answer, PossiblyEnded) and live.top_token != token:
        token = live.top_token
        answer = await ask(client, live, token, now)
    if not isinstance(answer, PollOk):
        return answer
    got = answer.poll.feed or feed(token)
    offered = answer.poll.all_token
    if got != "all" and offered and offered != live.all_token:
        better = await ask(client, live, offered, now)
        if isinstance(better, PollOk) and better.poll.feed != "top":
            return OpenChat(live, better, "all")
    if got != "all":
        _log.info("youtube:{video}: only Top chat is available", video=live.video_id)
    return OpenChat(live, answer, got or "top")
