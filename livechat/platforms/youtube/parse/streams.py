# SPDX-License-Identifier: MIT
"""A channel's `/streams` tab: its live streams, for when `/live` shows something else.

Entries come in two layouts, which YouTube serves side by side (docs/wire/youtube.md#streams-tab).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from livechat.platforms.youtube.identifier import VIDEO_ID
from livechat.platforms.youtube.parse.innertube import (
    Json,
    children,
    count,
    dig,
    named,
    string,
    text_of,
    whole_number,
)
from livechat.platforms.youtube.parse.page import Page

State = Literal["live", "upcoming", "unsure", "over"]

_DURATION: Final = re.compile(r"[0-9]{1,3}(:[0-9]{2})+")
_STYLES: Final[dict[str, State]] = {"LIVE": "live", "UPCOMING": "upcoming"}
_MEMBERS_ONLY: Final = "MEMBERS_ONLY"

#: How many entries that may be live are worth a look at their watch pages.
MAX_UNSURE: Final = 3


class Entry(Struct, frozen=True):
    """One stream of the list.

    :ivar state: `unsure` where the layout does not tell in any language whether it is live.
    :ivar viewers: how many watch or wait, where it says so.
    :ivar members_only: marked as for members; such a stream has no public chat.
    """

    video_id: str
    state: State
    viewers: int | None = None
    scheduled_ms: int | None = None
    members_only: bool = False


def read_streams(page: Page) -> list[Entry]:
    """All entries of the tab; none if the channel has no such tab and another came instead."""
    tabs = children(dig(page.data, "contents", "twoColumnBrowseResultsRenderer", "tabs"))
    for tab in tabs:
        renderer = dig(tab, "tabRenderer")
        url = string(dig(renderer, "endpoint", "commandMetadata", "webCommandMetadata", "url"))
        # Not by its title, which is translated.
        if dig(renderer, "selected") is True and url.partition("?")[0].endswith("/streams"):
            return list(_entries(dig(renderer, "content", "richGridRenderer", "contents")))
    return []


def candidates(entries: list[Entry]) -> list[str]:
    """Video ids whose watch pages are worth a look: live ones by viewers, then the unsure ones.

    The first of several streams at once is often a vertical copy with an empty chat.
    """
    public = [entry for entry in entries if not entry.members_only]
    live = [entry for entry in public if entry.state == "live"]
    live.sort(key=lambda entry: -1 if entry.viewers is None else entry.viewers, reverse=True)
    unsure = [entry for entry in public if entry.state == "unsure"]
    return [entry.video_id for entry in (*live, *unsure[:MAX_UNSURE])]


def _entries(contents: Json) -> Iterator[Entry]:
    for content in children(contents):
        layout, node = named(dig(content, "richItemRenderer", "content"))
        if layout == "videoRenderer":
            entry = _video(node)
        elif layout == "lockupViewModel":
            entry = _lockup(node)
        else:
            continue
        if VIDEO_ID.fullmatch(entry.video_id):
            yield entry


def _video(node: Json) -> Entry:
    styles = [
        string(dig(overlay, "thumbnailOverlayTimeStatusRenderer", "style"))
        for overlay in children(dig(node, "thumbnailOverlays"))
    ]
    badges = {
        string(dig(badge, "metadataBadgeRenderer", "style"))
        for badge in children(dig(node, "badges"))
    }
    state: State = next((_STYLES[style] for style in styles if style in _STYLES), "over")
    seconds = whole_number(dig(node, "upcomingEventData", "startTime"))
    return Entry(
        string(dig(node, "videoId")),
        state,
        count(text_of(dig(node, "viewCountText"))),
        None if seconds is None else seconds * 1000,
        any(style.endswith(_MEMBERS_ONLY) for style in badges),
    )


def _lockup(node: Json) -> Entry:
    if dig(node, "contentType") != "LOCKUP_CONTENT_TYPE_VIDEO":
        return Entry("", "over")
    badges = [
        dig(badge, "thumbnailBadgeViewModel")
        for overlay in children(dig(node, "contentImage", "thumbnailViewModel", "overlays"))
        for badge in children(dig(overlay, "thumbnailBottomOverlayViewModel", "badges"))
    ]
    metadata = dig(node, "metadata", "lockupMetadataViewModel", "metadata")
    rows = children(dig(metadata, "contentMetadataViewModel", "metadataRows"))
    texts = [
        text_of(dig(part, "text")) for row in rows for part in children(dig(row, "metadataParts"))
    ]
    # Where the layout marks members' streams is unverified: any badge of a row that says so counts.
    marks = {
        string(dig(badge, "badgeViewModel", "badgeStyle"))
        for row in rows
        for badge in children(dig(row, "badges"))
    }
    return Entry(
        string(dig(node, "contentId")),
        _lockup_state(badges),
        next((number for text in texts if (number := count(text)) is not None), None),
        members_only=any(mark.endswith(_MEMBERS_ONLY) for mark in marks),
    )


def _lockup_state(badges: list[Json]) -> State:
    """By the style of its badge; else only what has a length is surely over.

    An upcoming stream was seen with the plain style and a translated text; the style of a live one
    is expected, not seen.
    """
    if any(string(dig(badge, "badgeStyle")).endswith("_STYLE_LIVE") for badge in badges):
        return "live"
    if any(_DURATION.fullmatch(text_of(dig(badge, "text"))) for badge in badges):
        return "over"
    return "unsure"
