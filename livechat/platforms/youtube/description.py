# SPDX-License-Identifier: MIT
"""What YouTube says about itself."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from livechat.platforms.description import Page, PlatformDescription
from livechat.platforms.youtube.platform import YouTube
from livechat.platforms.youtube.settings import YouTubeSettings


def _in_demo(settings: YouTubeSettings, addresses: Any) -> YouTubeSettings:
    return replace(settings, url=addresses.youtube_url)


DESCRIPTION = PlatformDescription(
    name="youtube",
    settings=YouTubeSettings,
    make=YouTube,
    page=Page(
        title="YouTube",
        placeholder="Channel name or URL",
        hint="A channel\u2019s name, its id (UC…), a video id, or any YouTube URL.",
        mark=(
            "M4 5h16a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3V8a3 3 0 0 1 3-3zm6 3.5v7l6-3.5z"
        ),
        color="#e02f2f",
        color_on_dark="#ff5a52",
        rank=1,
        roles={
            "broadcaster": ("Owner", "The owner of this channel"),
            "subscriber": ("Member", "Member of this channel"),
        },
        identifier_types={
            "username": "Username",
            "channelId": "Channel id (UC…)",
            "liveId": "Video id (watch?v=…)",
        },
    ),
    event_kinds_sent=frozenset(
        {
            "deletion",
            "donation",
            "gap",
            "gift",
            "goal",
            "notice",
            "pin",
            "poll",
            "question",
            "raid",
            "room",
            "stream",
            "subscription",
            "timeout",
            "viewers",
        }
    ),
    demo=_in_demo,
    replaced_by_demo=frozenset({"url"}),
)
