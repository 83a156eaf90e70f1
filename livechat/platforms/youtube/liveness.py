# SPDX-License-Identifier: MIT
"""Whether a stream is still live, and a fresh token for its chat: its pages have both."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from livechat.platforms.budget import Claim
from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.identifier import chat_page
from livechat.platforms.youtube.parse.chat import read_answer
from livechat.platforms.youtube.parse.continuation import all_messages, is_stub
from livechat.platforms.youtube.parse.verdict import TEMPORARY, LiveStream, Refusal
from livechat.platforms.youtube.poll import OpenChat, PossiblyEnded, TransientError, open_chat
from livechat.platforms.youtube.resolve import look


class StreamEnded(Struct, frozen=True):
    """The stream is over, or cannot be read any more; its page says so."""

    refusal: Refusal


class Inconclusive(Struct, frozen=True):
    """The page could not be had, or asks to sign in."""

    refusal: Refusal


async def check_liveness(
    client: YouTubeClient, live: LiveStream, now: Callable[[], float], claim: Claim
) -> OpenChat | TransientError | PossiblyEnded | StreamEnded | Inconclusive:
    """Whether a stream is still live; its chat is opened anew if it is.  Never fails."""
    try:
        found = await look(client, live.video_id, claim)
    except FetchError as error:
        return TransientError(str(error))
    if isinstance(found, LiveStream):
        return await open_chat(client, found, now)
    return Inconclusive(found) if found.reason in TEMPORARY else StreamEnded(found)


class FreshToken(Struct, frozen=True):
    """A fresh token, and the stream as whom its page lets us ask."""

    live: LiveStream
    token: str


async def refresh_token(client: YouTubeClient, chat: OpenChat, claim: Claim) -> FreshToken | None:
    """A fresh token from the page of the chat, the lightest there is; None if it has none.

    Never fails: the token that is there may go on working.
    """
    live = chat.live
    try:
        page = await client.page(chat_page(live.video_id), claim)
    except FetchError:
        return None
    if isinstance(page, Refusal):
        return None
    # The page's messages come once more with the token's first answer, and are read then.
    poll = read_answer(page.data, live.video_id, 0)
    if poll.signal is not None or poll.continuation is None:
        return None
    token = poll.continuation.token
    if chat.feed == "all":
        token = poll.all_token or all_messages(token)
    if is_stub(token):
        return None
    return FreshToken(replace(live, client=page.client()), token)
