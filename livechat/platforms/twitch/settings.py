# SPDX-License-Identifier: MIT
"""What an operator may choose about Twitch."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from livechat.choices import Choice, endpoint, flag, number, optional, url


class TwitchSettings(Struct, frozen=True):
    """What an operator may choose about Twitch."""

    irc: Annotated[str, Choice(endpoint, "Client endpoint string of Twitch's chat.")] = (
        "tls:irc.chat.twitch.tv:6697"
    )
    gql_url: Annotated[
        str,
        Choice(
            optional(url("https", "http")),
            "Where to ask whether a Twitch channel exists and is live, and which badges and"
            " cheermotes it has; empty: never.",
        ),
    ] = "https://gql.twitch.tv/gql"
    history_url: Annotated[
        str,
        Choice(
            optional(url("https", "http")),
            "Base address of a service that keeps recent messages, which is asked for what was"
            " missed; empty: never.",
        ),
    ] = ""
    hermes_url: Annotated[
        str,
        Choice(
            optional(url("wss", "ws")),
            "Twitch's push service, which tells at once that a channel goes live or offline;"
            " empty: channels are only looked at.",
        ),
    ] = ""
    require_live: Annotated[
        bool,
        Choice(
            flag, "An offline Twitch channel is STREAM_NOT_LIVE, and going offline is STREAM_ENDED."
        ),
    ] = False
    live_poll: Annotated[
        float, Choice(number(1, 3600), "Seconds between two looks at who is live.")
    ] = 60.0
    offline_grace: Annotated[
        float,
        Choice(
            number(0, 86400),
            "Seconds a Twitch channel may be offline before its stream has ended.",
        ),
    ] = 240.0

    def why_useless(self, field: str) -> str:
        """Why a choice has no effect beside the others; empty: it has one."""
        if field == "hermes_url" and not self.gql_url:
            return "--twitch-gql-url is empty"
        return ""
