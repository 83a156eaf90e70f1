# SPDX-License-Identifier: MIT
"""What Twitch says about itself."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from livechat.platforms.description import Page, PlatformDescription
from livechat.platforms.twitch.platform import Twitch
from livechat.platforms.twitch.settings import TwitchSettings


def _in_demo(settings: TwitchSettings, addresses: Any) -> TwitchSettings:
    """A demonstration shows every outcome: channels that are not live, and ones that end."""
    return replace(
        settings,
        irc=addresses.twitch_irc,
        gql_url=addresses.twitch_gql_url,
        history_url=addresses.twitch_history_url,
        hermes_url=addresses.twitch_hermes_url,
        require_live=True,
        live_poll=1.0,
        offline_grace=0.0,
    )


DESCRIPTION = PlatformDescription(
    name="twitch",
    settings=TwitchSettings,
    make=Twitch,
    page=Page(
        title="Twitch",
        placeholder="Channel name or URL",
        hint="A channel\u2019s name as in twitch.tv/name, or its URL.",
        mark=("M5 2h17v12l-5 5h-4l-3 3H8v-3H3V6zm5 5v6h2V7zm6 0v6h2V7z"),
        color="#7a3cff",
        color_on_dark="#b08bff",
        rank=2,
        roles={"broadcaster": ("Streamer", "The broadcaster of this channel")},
    ),
    why_useless=TwitchSettings.why_useless,
    event_kinds_sent=frozenset(
        {
            "announcement",
            "deletion",
            "donation",
            "gap",
            "gift",
            "milestone",
            "notice",
            "raid",
            "room",
            "stream",
            "subscription",
            "timeout",
        }
    ),
    demo=_in_demo,
    replaced_by_demo=frozenset(
        {
            "irc",
            "gql_url",
            "history_url",
            "hermes_url",
            "require_live",
            "live_poll",
            "offline_grace",
        }
    ),
)
