# SPDX-License-Identifier: MIT
"""From a channel or video to the stream that is live, or to the reason why there is none.

`/live` shows the stream that YouTube picks: it may be an announced one although another is live.
So unless it is live, the channel's list of streams is read, too
(docs/wire/youtube.md#which-page).
"""

from __future__ import annotations

from typing import Final

from livechat.model.events import ChannelKey
from livechat.platforms.budget import Claim
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.identifier import pages, watch_page
from livechat.platforms.youtube.parse.page import Page
from livechat.platforms.youtube.parse.streams import candidates, read_streams
from livechat.platforms.youtube.parse.verdict import TEMPORARY, LiveStream, Reason, Refusal, verdict

#: How many streams of a list are looked at, at most.
MAX_CANDIDATES: Final = 4


async def resolve(
    client: YouTubeClient, key: ChannelKey, claim: Claim, *, is_quick: bool = False
) -> LiveStream | Refusal:
    """The stream of a channel or video.

    :param is_quick: the list is not read where the first page shows no stream at all.
    :raises FetchError: YouTube did not answer.
    """
    found, streams = await _of_channel(client, key, claim)
    if isinstance(found, LiveStream) or key.identifier_type == "liveId" or not _worth_more(found):
        return found
    if is_quick and found.reason is Reason.OFFLINE:
        return found
    listed = await client.page(streams, claim)
    if isinstance(listed, Refusal):
        # Without the list it is not known whether anything is live.
        return listed if listed.reason in TEMPORARY else found
    return await _of_list(client, listed, found, claim)


async def look(client: YouTubeClient, video_id: str, claim: Claim) -> LiveStream | Refusal:
    """The stream of a video.

    :raises FetchError: YouTube did not answer.
    """
    return _judged(await client.page(watch_page(video_id), claim))


async def _of_channel(
    client: YouTubeClient, key: ChannelKey, claim: Claim
) -> tuple[LiveStream | Refusal, str]:
    """What the first page says that is there, and the path of its list of streams."""
    found: LiveStream | Refusal = Refusal(Reason.NOT_FOUND)
    for path, streams in zip(pages(key), pages(key, "streams"), strict=True):
        found = _judged(await client.page(path, claim))
        if isinstance(found, LiveStream) or found.reason is not Reason.NOT_FOUND or found.video_id:
            return found, streams
    return found, ""


async def _of_list(
    client: YouTubeClient, page: Page, found: Refusal, claim: Claim
) -> LiveStream | Refusal:
    """The best stream of a list, or what was found before."""
    unknown: Refusal | None = None
    for video_id in candidates(read_streams(page))[:MAX_CANDIDATES]:
        if video_id == found.video_id:
            continue
        other = await look(client, video_id, claim)
        if isinstance(other, LiveStream):
            return other
        if other.reason in TEMPORARY:
            unknown = other
    return unknown or found


def _judged(page: Page | Refusal) -> LiveStream | Refusal:
    return page if isinstance(page, Refusal) else verdict(page)


def _worth_more(found: Refusal) -> bool:
    """Whether the channel is there, and another stream of it may be live."""
    if found.reason is Reason.NOT_FOUND:
        return bool(found.video_id)
    return found.reason is Reason.LOGIN_REQUIRED or found.reason not in TEMPORARY
