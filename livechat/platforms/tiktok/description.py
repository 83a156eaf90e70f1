# SPDX-License-Identifier: MIT
"""What TikTok says about itself."""

from __future__ import annotations

from typing import Any

from livechat.platforms.description import Page, PlatformDescription, Port
from livechat.platforms.tiktok.platform import TikTok
from livechat.platforms.tiktok.settings import TikTokSettings


def _ports(platform: TikTok, settings: TikTokSettings) -> list[Port]:
    return [Port(settings.intake, platform.intake, "TikTok intake")] if settings.intake else []


def _in_demo(settings: TikTokSettings, addresses: Any) -> TikTokSettings:
    return TikTokSettings(
        url=addresses.tiktok_url,
        webcast_url=addresses.tiktok_url,
        socket_url=addresses.tiktok_socket_url,
        no_history=settings.no_history,
        intake=settings.intake,
        intake_token=settings.intake_token,
    )


DESCRIPTION = PlatformDescription(
    name="tiktok",
    settings=TikTokSettings,
    make=TikTok,
    page=Page(
        title="TikTok",
        placeholder="Username or URL",
        hint="A username as in tiktok.com/@name, or its URL.",
        mark=(
            "M12 2h4a5 5 0 0 0 5 5v4a9 9 0 0 1-5-1.5V16a6.5 6.5 0 1 1-6.5-6.5h.5v4.1"
            "a2.5 2.5 0 1 0 2 2.4z"
        ),
        color="#0d8f8b",
        color_on_dark="#35e0d9",
        rank=3,
        words={
            "SIGNER_REQUIRED": "TikTok asks for a signature, and no signer is set up.",
            "SIGNER_DOWN": "The signer does not answer.",
            "SIGNER_REJECTED": "The signer rejected the request.",
            "SIGNER_QUOTA": "The signer\u2019s quota is used up.",
        },
    ),
    problem=TikTokSettings.problem,
    why_useless=TikTokSettings.why_useless,
    ports=_ports,
    event_kinds_sent=frozenset(
        {
            "deletion",
            "follow",
            "gap",
            "gift",
            "goal",
            "join",
            "like",
            "milestone",
            "notice",
            "pin",
            "poll",
            "question",
            "share",
            "stream",
            "subscription",
            "timeout",
            "viewers",
        }
    ),
    demo=_in_demo,
    replaced_by_demo=frozenset(
        {
            "url",
            "webcast_url",
            "socket_url",
            "transport",
            "signer_url",
            "signer_key",
            "signer_budget",
            "socket_hosts",
        }
    ),
)
