# SPDX-License-Identifier: MIT
"""What single tags of a line say: numbers, sums, when, and who (docs/wire/twitch.md#messages)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from livechat.model.chat import Author, Badge, Roles
from livechat.model.event_data import Person

Tags = dict[str, str]

#: The stand-in accounts of those who gift or cheer without their name, by login and id
#: (docs/wire/twitch.md#anonymous).
_ANONYMOUS: Final = frozenset({"ananonymousgifter", "274598607", "ananonymouscheerer", "407665396"})

#: Badge sets that mean one of the specification's badge types; every other set is `custom`.
#: Twitch titles `partner` "Verified"; lead moderators carry `lead_moderator` only.
_BADGE_TYPES: Final[dict[str, Literal["subscriber", "moderator", "verified"]]] = {
    "subscriber": "subscriber",
    "founder": "subscriber",
    "moderator": "moderator",
    "lead_moderator": "moderator",
    "partner": "verified",
}

#: Badge sets from which something is read.
BADGES_READ: Final = frozenset({*_BADGE_TYPES, "broadcaster"})

#: Badge sets whose version is a step of the subscription's months, in thousands its tier.
_SUBSCRIBER_SETS: Final = ("subscriber", "founder")

#: The last millisecond of the year 9999, after which ISO 8601 has no form.
_LAST_MS: Final = 253_402_300_799_999

#: Longest value that is kept in a cache.
_CACHED: Final = 512

_HEX: Final = frozenset("0123456789abcdefABCDEF")

#: Neither moderator nor subscriber nor owner.
_NOBODY: Final = (False, False, False)

Standing = tuple[Roles, tuple[Badge, ...]]


def number(text: str | None) -> int | None:
    """A number without sign, of at most 15 digits so that any JSON reader can hold it, or None."""
    if text and len(text) <= 15 and text.isascii() and text.isdecimal():
        return int(text)
    return None


def scaled(amount: str | None, exponent: str | None) -> tuple[str, int | float] | None:
    """A sum of money given in its smallest unit, as a decimal and as a number; None if unreadable.

    :param exponent: how many decimal places the currency has: 2 for USD, 0 for JPY.
    """
    units, places = number(amount), number(exponent)
    if units is None or places is None or places > 6:
        return None
    if not places:
        return str(units), units
    whole, rest = divmod(units, 10**places)
    return f"{whole}.{rest:0{places}d}", units / 10**places


def in_bits(bits: int) -> str:
    """A sum of bits as it is shown."""
    return f"{bits} bit" if bits == 1 else f"{bits} bits"


def sent_ms(tags: Tags) -> int | None:
    """When the line was sent, in ms since 1970; None if it does not say."""
    for name in ("tmi-sent-ts", "rm-received-ts"):
        sent = number(tags.get(name))
        if sent is not None and sent <= _LAST_MS:
            return sent
    return None


def source_room(tags: Tags, room_id: str) -> str | None:
    """Shared chat: the channel in which the line was written, if not in this one."""
    source = tags.get("source-room-id")
    return source if source and source != room_id else None


def person(user_id: str | None, login: str | None, name: str | None) -> Person | None:
    """Somebody of whom at most these three are known.

    :return: None if nothing is known, and for the stand-in account of those who hide.
    """
    shown = display_name(name or "", login or "")
    if not (user_id or shown) or is_anonymous(user_id or "", login or ""):
        return None
    return Person(user_id or None, login or None, shown or None)


def sender(tags: Tags, login: str, room_id: str) -> Person | None:
    """Whom a notice is about, as in a message: its tags are those of that user.

    :return: None if the line names nobody, and for the stand-in account of those who hide.
    """
    found = person(tags.get("user-id"), login, tags.get("display-name"))
    if found is None:
        return None
    seen = author(tags, login, room_id)
    return Person(
        found.id,
        found.username,
        found.display_name,
        seen.avatar_url,
        seen.roles,
        seen.badges,
        seen.color,
    )


def display_name(name: str, login: str) -> str:
    """The name to show: Twitch allows blanks around it, and none at all."""
    return name.strip() or login


def is_anonymous(user_id: str, login: str) -> bool:
    """Whether this is the stand-in account of somebody who hides."""
    return user_id in _ANONYMOUS or login in _ANONYMOUS


def author(tags: Tags, login: str, room_id: str) -> Author:
    """Who wrote a message.

    A line without `user-id` gives the login as id, so that its writer stays one person.  The badges
    of a mirrored message are those of the room in which it was written, the roles are not.

    :param login: the writer's login; may be empty in a broken line.
    :param room_id: the channel's id, which is its broadcaster's user id.
    """
    get = tags.get
    user_id = get("user-id") or login
    standing = (
        get("badges", ""),
        get("badge-info", ""),
        get("mod") == "1" or get("user-type") == "mod",
        get("subscriber") == "1",
        user_id == room_id != "",
    )
    short = len(standing[0]) + len(standing[1]) <= _CACHED
    read = _standing if short else _standing.__wrapped__
    roles, badges = read(*standing)
    if "source-badges" in tags and source_room(tags, room_id):
        _, badges = _standing(get("source-badges", ""), get("source-badge-info", ""), *_NOBODY)
    return Author(
        user_id,
        login,
        display_name(get("display-name", ""), login),
        None,
        roles,
        [*badges],
        _color(get("color", "")),
    )


@lru_cache(maxsize=4096)
def _standing(
    badges_tag: str, info_tag: str, moderator: bool, subscriber: bool, owner: bool
) -> Standing:
    """Roles and badges.  `mod` is 0 for the broadcaster and for lead moderators."""
    badges: list[Badge] = []
    sets: set[str] = set()
    for badge in badges_tag.split(","):
        name, slash, version = badge.partition("/")
        if name and slash:
            sets.add(name)
            paid = name in _SUBSCRIBER_SETS
            badges.append(
                Badge(
                    _BADGE_TYPES.get(name, "custom"),
                    badge,
                    None,
                    _months(info_tag, name) if paid else UNSET,
                    _tier(version) if paid else UNSET,
                )
            )
    roles = Roles(
        broadcaster=owner or "broadcaster" in sets,
        moderator=moderator or not sets.isdisjoint(("moderator", "lead_moderator")),
        subscriber=subscriber or not sets.isdisjoint(("subscriber", "founder")),
        verified="partner" in sets,
    )
    return roles, tuple(badges)


def _months(info_tag: str, badge_set: str) -> int | UnsetType:
    """The exact months that `badge-info` gives beside a subscriber's badge."""
    for info in info_tag.split(","):
        name, _, months = info.partition("/")
        if name == badge_set:
            return number(months) or UNSET
    return UNSET


def _tier(version: str) -> str | UnsetType:
    """The tier of a subscriber's badge: `3012` is the badge for 12 months of tier 3."""
    step = number(version) or 0
    return str(step // 1000 * 1000) if 2000 <= step < 4000 else UNSET


def _color(tag: str) -> str | UnsetType:
    return tag if len(tag) == 7 and tag[0] == "#" and _HEX.issuperset(tag[1:]) else UNSET
