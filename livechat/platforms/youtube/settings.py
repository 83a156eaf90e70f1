# SPDX-License-Identifier: MIT
"""What an operator may choose about YouTube."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from livechat.choices import Choice, number, url


class YouTubeSettings(Struct, frozen=True):
    """What an operator may choose about YouTube."""

    url: Annotated[
        str, Choice(url("https", "http"), "Base of YouTube's pages and of InnerTube.")
    ] = "https://www.youtube.com"
    viewers_every: Annotated[
        float,
        Choice(
            number(0, 3600),
            "Seconds between two looks at a YouTube stream's viewers and title; 0: never.",
        ),
    ] = 30.0
