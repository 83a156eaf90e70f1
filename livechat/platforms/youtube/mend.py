# SPDX-License-Identifier: MIT
"""What to do about a chat that seems to be over, and about a token that may have died unseen."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.chat import read_answer
from livechat.platforms.youtube.continuation import all_messages, is_stub
from livechat.platforms.youtube.identifier import chat_page
from livechat.platforms.youtube.poll import Doubt, Opening, Trouble, open_chat
from livechat.platforms.youtube.resolve import look
from livechat.platforms.youtube.site import Site
from livechat.platforms.youtube.verdict import PASSING, Live, Refusal


class Over(Struct, frozen=True):
    """The stream is over, or cannot be read any more; its page says so."""

    refusal: Refusal


class Unsure(Struct, frozen=True):
    """The page could not be asked, or asks to sign in."""

    refusal: Refusal


async def check(
    site: Site, live: Live, now: Callable[[], float]
) -> Opening | Trouble | Doubt | Over | Unsure:
    """Whether a stream is still on air, opened anew if it is; never fails."""
    budget = site.budget()
    try:
        found = await look(site, live.video_id, budget)
    except FetchError as error:
        return Trouble(str(error))
    if isinstance(found, Live):
        return await open_chat(site, found, now, budget)
    return Unsure(found) if found.reason in PASSING else Over(found)


class Renewal(Struct, frozen=True):
    """A fresh token, and who asks with it."""

    live: Live
    token: str


async def renew(site: Site, opening: Opening) -> Renewal | None:
    """A fresh token from the page of the chat, the lightest there is; None if it has none.

    Never fails: the token that is there may go on working.
    """
    live = opening.live
    try:
        page = await site.page(chat_page(live.video_id), site.budget())
    except FetchError:
        return None
    if isinstance(page, Refusal):
        return None
    # The page's messages come once more with the token's first answer, and are read then.
    poll = read_answer(page.data, live.video_id, 0)
    if poll.signal is not None or poll.continuation is None:
        return None
    token = poll.continuation.token
    if opening.feed == "all":
        token = poll.all_token or all_messages(token)
    if is_stub(token):
        return None
    return Renewal(replace(live, client=page.client()), token)
