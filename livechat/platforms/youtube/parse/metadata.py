# SPDX-License-Identifier: MIT
"""Answers of `updated_metadata`: how many are watching, and what the stream is called now
(docs/wire/youtube.md#viewers-and-title).
"""

from __future__ import annotations

from msgspec import Struct

from livechat.model.event_data import Stream, Viewers
from livechat.model.events import ChannelEvent
from livechat.platforms.youtube.parse.continuation import Continuation, read_continuation
from livechat.platforms.youtube.parse.innertube import (
    Json,
    children,
    count,
    decode,
    dig,
    text_of,
    whole_number,
)
from livechat.platforms.youtube.parse.origin import Origin, event


class Metadata(Struct, frozen=True):
    """What one answer says; None where it does not.

    :ivar live: whether the count is of people watching; False means that the stream is over, for
        then it counts all views ever.  A waiting room is live in this sense.
    """

    live: bool | None = None
    viewers: int | None = None
    title: str | None = None
    continuation: Continuation | None = None


def read_metadata(body: bytes) -> Metadata:
    """What an answer says; nothing where it cannot be read."""
    try:
        answer = decode(body)
    except ValueError:
        return Metadata()
    live: bool | None = None
    viewers: int | None = None
    title: str | None = None
    for action in children(dig(answer, "actions")):
        shown = dig(action, "updateViewershipAction", "viewCount", "videoViewCountRenderer")
        if isinstance(shown, dict):
            live = shown.get("isLive") is True
            viewers = _viewers(shown) if live else None
        title = text_of(dig(action, "updateTitleAction", "title")) or title
    continuation = read_continuation([dig(answer, "continuation")])
    return Metadata(live, viewers, title, continuation)


def changes(before: Metadata, now: Metadata, video_id: str, received_ms: int) -> list[ChannelEvent]:
    """What changed between two answers, the first of which may be empty."""
    origin = Origin(video_id, received_ms)
    events: list[ChannelEvent] = []
    if now.viewers is not None and now.viewers != before.viewers:
        events.append(event(Viewers(viewers=now.viewers), f"viewers@{received_ms}", origin))
    if now.title is not None and now.title != before.title:
        stream = Stream(status="changed", title=now.title, live_id=video_id)
        events.append(event(stream, f"title@{received_ms}", origin))
    return events


def _viewers(shown: dict[str, Json]) -> int | None:
    number = whole_number(shown.get("originalViewCount"))
    return number if number is not None else count(text_of(shown.get("viewCount")))
