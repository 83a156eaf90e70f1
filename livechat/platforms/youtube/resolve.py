# SPDX-License-Identifier: MIT
"""From a channel or video to the stream that is on air, or to the reason why there is none.

`/live` shows the stream that YouTube picks: it may be an announced one although another is on air,
so everything but a live verdict is held against the channel's list of streams (sheet `youtube`
section 2.2).
"""

from __future__ import annotations

from typing import Final

from livechat.model.events import ChannelKey
from livechat.platforms.youtube.identifier import pages, watch_page
from livechat.platforms.youtube.page import Page
from livechat.platforms.youtube.site import Site, TimeLeft
from livechat.platforms.youtube.streams import candidates, read_streams
from livechat.platforms.youtube.verdict import PASSING, Live, Reason, Refusal, verdict

#: How many streams of a list are looked at, at most.
MAX_CANDIDATES: Final = 4


async def resolve(site: Site, key: ChannelKey, budget: TimeLeft) -> Live | Refusal:
    """The stream of a channel or video.

    :raises FetchError: YouTube did not answer.
    """
    found, streams = await _of_channel(site, key, budget)
    if isinstance(found, Live) or key.identifier_type == "liveId" or not _worth_more(found):
        return found
    listed = await site.page(streams, budget)
    if isinstance(listed, Refusal):
        # Without the list nobody knows that nothing is on air.
        return listed if listed.reason in PASSING else found
    return await _of_list(site, listed, found, budget)


async def look(site: Site, video_id: str, budget: TimeLeft) -> Live | Refusal:
    """The stream of a video.

    :raises FetchError: YouTube did not answer.
    """
    return _judged(await site.page(watch_page(video_id), budget))


async def _of_channel(site: Site, key: ChannelKey, budget: TimeLeft) -> tuple[Live | Refusal, str]:
    """What the first page says that is there, and the path of its list of streams."""
    found: Live | Refusal = Refusal(Reason.NOT_FOUND)
    for path, streams in zip(pages(key), pages(key, "streams"), strict=True):
        found = _judged(await site.page(path, budget))
        if isinstance(found, Live) or found.reason is not Reason.NOT_FOUND or found.video_id:
            return found, streams
    return found, ""


async def _of_list(site: Site, page: Page, found: Refusal, budget: TimeLeft) -> Live | Refusal:
    """The best stream of a list, or what was found before."""
    unknown: Refusal | None = None
    for video_id in candidates(read_streams(page))[:MAX_CANDIDATES]:
        if video_id == found.video_id:
            continue
        other = await look(site, video_id, budget)
        if isinstance(other, Live):
            return other
        if other.reason in PASSING:
            unknown = other
    return unknown or found


def _judged(page: Page | Refusal) -> Live | Refusal:
    return page if isinstance(page, Refusal) else verdict(page)


def _worth_more(found: Refusal) -> bool:
    """Whether the channel is there, and something else of it may be on air."""
    if found.reason is Reason.NOT_FOUND:
        return bool(found.video_id)
    return found.reason is Reason.LOGIN_REQUIRED or found.reason not in PASSING
