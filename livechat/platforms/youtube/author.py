# SPDX-License-Identifier: MIT
"""Who wrote an item: name, picture, badges, and the roles that the badges tell."""

from __future__ import annotations

from typing import Final, Literal

from livechat.model.events import Author, Badge, Roles
from livechat.platforms.youtube.innertube import Json, children, dig, picture, string, text_of

_NOBODY: Final = Roles()
_ICON_TYPES: Final[dict[str, Literal["moderator", "verified"]]] = {
    "MODERATOR": "moderator",
    "VERIFIED": "verified",
}


def read_author(item: dict[str, Json]) -> Author:
    """The author of a classic renderer (sheet `youtube` section 6).

    Without a channel id the name stands for it.

    :raises ValueError: the item names nobody.
    """
    name = text_of(item.get("authorName"))
    channel = string(item.get("authorExternalChannelId")) or name
    if not channel:
        raise ValueError("no author")
    badges, roles = _standing(item.get("authorBadges"))
    badges += _ranks(item.get("beforeContentButtons"))
    return make_author(channel, name or channel, picture(item.get("authorPhoto")), badges, roles)


def make_author(
    channel: str,
    name: str,
    avatar_url: str | None,
    badges: list[Badge] | None = None,
    roles: Roles = _NOBODY,
) -> Author:
    """An author; `username` is the name without the `@` that marks it as a handle."""
    return Author(channel, name.removeprefix("@") or name, name, avatar_url, roles, badges or [])


def name_only(names: list[str]) -> dict[str, str] | None:
    """Somebody of whom only the name is told, if that: the first of the names."""
    if not names or not names[0]:
        return None
    return {"username": names[0].removeprefix("@"), "display_name": names[0]}


def _standing(entries: Json) -> tuple[list[Badge], Roles]:
    """One badge per badge shown, in that order, and the roles that they stand for."""
    badges: list[Badge] = []
    icons: list[str] = []
    is_member = False
    for entry in children(entries):
        badge = dig(entry, "liveChatAuthorBadgeRenderer")
        icon = string(dig(badge, "icon", "iconType"))
        label = string(dig(badge, "tooltip"))
        own_picture = dig(badge, "customThumbnail")
        if own_picture is not None:
            # Members only have a picture of the channel's own.
            is_member = True
            badges.append(Badge("subscriber", label, picture(own_picture)))
        elif icon or label:
            # The owner's badge is custom too: it has a role of its own, but no badge type.
            icons.append(icon)
            badges.append(Badge(_ICON_TYPES.get(icon, "custom"), label or icon.capitalize()))
    if not badges:
        return badges, _NOBODY
    return badges, Roles("OWNER" in icons, "MODERATOR" in icons, is_member, "VERIFIED" in icons)


def _ranks(buttons: Json) -> list[Badge]:
    """The rank on the viewers' leaderboard.

    On an answer to a super chat the same place holds the other's name, without a crown.
    """
    found = [dig(button, "buttonViewModel") for button in children(buttons)]
    ranks = [
        text_of(dig(button, "title")) for button in found if dig(button, "iconName") == "CROWN"
    ]
    return [Badge("custom", rank) for rank in ranks if rank]
