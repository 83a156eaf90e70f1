# SPDX-License-Identifier: MIT
"""The author of an item: name, picture, badges, and the roles that follow from the badges."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import UNSET
from msgspec.structs import replace

from livechat.model.chat import Author, Badge, Roles
from livechat.model.event_data import Person, person
from livechat.platforms.youtube.parse.innertube import Json, children, dig, picture, string, text_of

_NOBODY: Final = Roles()
_ICON_TYPES: Final[dict[str, Literal["moderator", "verified"]]] = {
    "MODERATOR": "moderator",
    "VERIFIED": "verified",
}


def read_author(item: dict[str, Json]) -> Author:
    """The author of a classic renderer (docs/wire/youtube.md#items).

    Without a channel id the name stands for it.

    :raises ValueError: the item names nobody.
    """
    name = text_of(item.get("authorName"))
    channel = string(item.get("authorExternalChannelId")) or name
    if not channel:
        raise ValueError("no author")
    entries = item.get("authorBadges")
    badges, roles = _standing(entries) if entries else ([], _NOBODY)
    if buttons := item.get("beforeContentButtons"):
        badges += _ranks(buttons)
    name = name or channel
    # The `@` marks a handle and is no part of it.
    username = name.removeprefix("@") or name
    return Author(channel, username, name, picture(item.get("authorPhoto")), roles, badges)


def read_person(item: dict[str, Json]) -> Person:
    """Whom an event is about: the author, whose id is null where the item has no channel id.

    :raises ValueError: the item names nobody.
    """
    author = person(read_author(item))
    return author if string(item.get("authorExternalChannelId")) else replace(author, id=None)


def name_only(name: str, avatar_url: str | None = None) -> Person | None:
    """A person of whom at most name and picture are known; None without either."""
    if not name:
        return None if avatar_url is None else Person(None, None, None, avatar_url)
    return Person(None, name.removeprefix("@"), name, UNSET if avatar_url is None else avatar_url)


def _standing(entries: Json) -> tuple[list[Badge], Roles]:
    """One badge per badge shown, in that order, and the roles that they stand for."""
    badges: list[Badge] = []
    icons: list[str] = []
    is_member = False
    for entry in children(entries):
        badge = dig(entry, "liveChatAuthorBadgeRenderer")
        if not isinstance(badge, dict):
            continue
        icon = string(dig(badge.get("icon"), "iconType"))
        label = string(badge.get("tooltip"))
        own_picture = badge.get("customThumbnail")
        url = None if own_picture is None else picture(own_picture)
        if own_picture is not None and not icon:
            # Members' badges have no icon, only a picture of the channel's own.
            is_member = True
            badges.append(Badge("subscriber", label, url))
        elif icon or label:
            # The owner's badge is custom too: it has a role of its own, but no badge type.
            icons.append(icon)
            badges.append(Badge(_ICON_TYPES.get(icon, "custom"), label or icon.capitalize(), url))
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
