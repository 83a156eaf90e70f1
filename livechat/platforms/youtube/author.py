# SPDX-License-Identifier: MIT
"""Who wrote an item: name, picture, badges, and the roles that the badges tell."""

from __future__ import annotations

from typing import Final, Literal

from livechat.events import Author, Badge, Roles
from livechat.platforms.youtube.innertube import Json, children, dig, picture, string, text_of

_NOBODY: Final = Roles()
_ICON_TYPES: Final[dict[str, Literal["moderator", "verified"]]] = {
    "MODERATOR": "moderator",
    "VERIFIED": "verified",
}


def read_author(item: Json) -> Author:
    """The author of a classic renderer (sheet `youtube` section 6).

    Without a channel id the name stands for it.

    :raises ValueError: the item names nobody.
    """
    name = text_of(dig(item, "authorName"))
    channel = string(dig(item, "authorExternalChannelId")) or name
    if not channel:
        raise ValueError("no author")
    badges = read_badges(item)
    return make_author(
        channel, name or channel, picture(dig(item, "authorPhoto")), badges, _roles(item)
    )


def make_author(
    channel: str,
    name: str,
    avatar_url: str | None,
    badges: list[Badge] | None = None,
    roles: Roles = _NOBODY,
) -> Author:
    """An author; `username` is the name without the `@` that marks it as a handle."""
    return Author(channel, name.removeprefix("@") or name, name, avatar_url, roles, badges or [])


def read_badges(item: Json) -> list[Badge]:
    """One badge per badge shown, and the rank of the viewers' leaderboard as one more."""
    badges = []
    for entry in children(dig(item, "authorBadges")):
        badge = dig(entry, "liveChatAuthorBadgeRenderer")
        icon = string(dig(badge, "icon", "iconType"))
        label = string(dig(badge, "tooltip"))
        if dig(badge, "customThumbnail") is not None:
            badges.append(Badge("subscriber", label, picture(dig(badge, "customThumbnail"))))
        elif icon or label:
            # The owner's badge too: `broadcaster` is a role, not one of the four badge types.
            badges.append(Badge(_ICON_TYPES.get(icon, "custom"), label or icon.capitalize()))
    for entry in children(dig(item, "beforeContentButtons")):
        button = dig(entry, "buttonViewModel")
        # On an answer to a super chat the same place holds the other's name, without a crown.
        if dig(button, "iconName") == "CROWN" and (rank := text_of(dig(button, "title"))):
            badges.append(Badge("custom", rank))
    return badges


def _roles(item: Json) -> Roles:
    entries = children(dig(item, "authorBadges"))
    if not entries:
        return _NOBODY
    badges = [dig(entry, "liveChatAuthorBadgeRenderer") for entry in entries]
    icons = {string(dig(badge, "icon", "iconType")) for badge in badges}
    return Roles(
        broadcaster="OWNER" in icons,
        moderator="MODERATOR" in icons,
        # A picture of the channel's own is given to members only.
        subscriber=any(dig(badge, "customThumbnail") is not None for badge in badges),
        verified="VERIFIED" in icons,
    )
