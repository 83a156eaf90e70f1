# SPDX-License-Identifier: MIT
"""Who does something in a room: webcast users to authors, with roles, badges and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, Literal

from livechat.model.chat import Author, Badge, Roles
from livechat.model.event_data import Person, person
from livechat.model.image_address import https_url
from livechat.platforms.tiktok.webcast_pb2 import Image, User, UserBadge, UserIdentity

#: Most addresses of one picture, and most badges of one user, that are looked at.
_MAX_URLS: Final = 16
_MAX_BADGES: Final = 32

# Badge scenes (docs/wire/tiktok.md#values).
_MODERATOR: Final = 1
_SUBSCRIBER: Final = frozenset({4, 7})

#: What a badge is called that shows neither a text nor a level.
_SCENES: Final = {
    1: "moderator",
    2: "new gifter",
    3: "friend",
    4: "subscriber",
    5: "activity",
    6: "top gifter",
    7: "new subscriber",
    8: "gifter level",
    9: "state media",
    10: "fan club",
    11: "live pro",
    12: "host",
    13: "class rank",
    14: "enigma",
}

# How a badge is drawn.
_IMAGE: Final = 1
_TEXT: Final = 2
_STRING: Final = 3
_COMBINED: Final = 4

_BadgeType = Literal["subscriber", "moderator", "verified", "custom"]

_VERIFIED_BADGE: Final = Badge("verified", "Verified")
_STRANGER: Final = UserIdentity()


def author(user: User, owner_id: int, identity: UserIdentity = _STRANGER) -> Author:
    """A user as the author of a message or the one who did something.

    :param owner_id: user id of the room's owner, 0 when not known.
    :param identity: what the message says about the user's part in this room, if it does.
    """
    badges, scenes = _badges(user.badge_list) if user.badge_list else ([], _NO_SCENES)
    if user.verified:
        badges.append(_VERIFIED_BADGE)
    user_id = user.id
    roles = Roles(
        broadcaster=identity.is_anchor or (user_id == owner_id and user_id != 0),
        moderator=identity.is_moderator_of_anchor
        or user.user_attr.is_admin
        or _MODERATOR in scenes,
        subscriber=identity.is_subscriber_of_anchor
        or user.subscribe_info.is_subscribed_to_anchor
        or not _SUBSCRIBER.isdisjoint(scenes),
        verified=user.verified,
    )
    username = user.display_id
    return Author(
        str(user_id) if user_id else "",
        username,
        user.nickname or username,
        image_url(user.avatar_thumb),
        roles,
        badges,
    )


def user_person(user: User, owner_id: int, identity: UserIdentity = _STRANGER) -> Person | None:
    """A user as the one who did something; null where the message names nobody.

    The parameters are those of `author`.
    """
    if not (user.id or user.display_id or user.nickname):
        return None
    return person(author(user, owner_id, identity))


def image_url(image: Image) -> str | None:
    """The address of a picture that browsers can show, if there is one.

    The same picture is offered in several formats, webp first; HEIC is taken only when nothing else
    is there (docs/wire/tiktok.md#meaning).
    """
    last_resort = None
    for candidate in islice(image.url_list, _MAX_URLS):
        url = https_url(candidate)
        if url is None:
            continue
        if ".heic" not in url.partition("?")[0]:
            return url
        last_resort = last_resort or url
    return last_resort


class _Shown:
    """What the badges of one scene show together."""

    __slots__ = ("level", "text", "url")

    def __init__(self) -> None:
        self.text = ""
        self.level = ""
        self.url: str | None = None


_NO_SCENES: Final[dict[int, _Shown]] = {}


def _badges(badges: Iterable[UserBadge]) -> tuple[list[Badge], dict[int, _Shown]]:
    """One badge per scene: the same badge often comes once as text and once as text and picture."""
    scenes: dict[int, _Shown] = {}
    for badge in islice(badges, _MAX_BADGES):
        scene = badge.scene_type
        shown = scenes.get(scene)
        if shown is None:
            shown = scenes[scene] = _Shown()
        text, image = _parts(badge)
        shown.text = shown.text or text
        shown.level = shown.level or badge.privilege_log_extra.level
        if shown.url is None and image is not None:
            shown.url = image_url(image)
    return [_badge(scene, shown) for scene, shown in scenes.items()], scenes


def _parts(badge: UserBadge) -> tuple[str, Image | None]:
    drawn = badge.display_type
    if drawn == _COMBINED:
        combined = badge.combine
        return combined.label or combined.text.default_pattern, combined.icon
    if drawn == _TEXT:
        return badge.text.default_pattern, None
    if drawn == _IMAGE:
        return "", badge.image.image
    return (badge.string.label, None) if drawn == _STRING else ("", None)


def _badge(scene: int, shown: _Shown) -> Badge:
    kind: _BadgeType = "custom"
    if scene == _MODERATOR:
        kind = "moderator"
    elif scene in _SUBSCRIBER:
        kind = "subscriber"
    level = shown.level if shown.level != "0" else ""
    return Badge(kind, shown.text or level or _SCENES.get(scene, "badge"), shown.url)
