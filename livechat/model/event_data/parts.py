# SPDX-License-Identifier: MIT
"""What the data of several kinds of event consists of."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType

from livechat.model.chat import Author, Badge, Roles


class Person(Struct, frozen=True):
    """Somebody, as far as the platform says who.

    :ivar id: the platform's stable id; null where it is not told.  Never a name in its place.
    :ivar username: login, handle without `@`, or unique id; null where it is not told.
    :ivar display_name: as shown; null where it is not told.
    :ivar avatar_url: address of the picture; null where there is none.
    :ivar roles: as in a chat message.
    :ivar badges: as in a chat message.
    :ivar color: of the name, as in a chat message.
    """

    id: str | None
    username: str | None
    display_name: str | None
    avatar_url: str | UnsetType | None = UNSET
    roles: Roles | UnsetType = UNSET
    badges: list[Badge] | UnsetType = UNSET
    color: str | UnsetType = UNSET


def person(author: Author) -> Person:
    """The author of a message as a person; what is empty there is not known."""
    return Person(
        author.id or None,
        author.username or None,
        author.display_name or None,
        author.avatar_url,
        author.roles,
        author.badges,
        author.color,
    )


class Price(Struct, frozen=True):
    """What something cost.

    :ivar value: how much; null where it is not known.
    :ivar currency: ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`; null where it is not known.
    :ivar formatted: as the platform shows it; null where it shows nothing.
    """

    value: float | int | None
    currency: str | None
    formatted: str | None


class EventData(Struct, frozen=True, kw_only=True):
    """What every kind of event may have.

    :ivar user: who did it; null where the platform hides it.
    :ivar text: the platform's own sentence about it, plain text.
    :ivar message_id: the `chat` that holds the user's own words.
    :ivar platform_kind: the platform's own name of it, for example `resub`.
    :ivar source_room_id: Twitch shared chat: it happened in this other room.
    :ivar source_message_id: Twitch shared chat: its id in that room.
    """

    #: What clients call the kind; empty: not a kind.
    kind: ClassVar[str] = ""

    user: Person | UnsetType | None = UNSET
    text: str | UnsetType = UNSET
    message_id: str | UnsetType = UNSET
    platform_kind: str | UnsetType = UNSET
    source_room_id: str | UnsetType = UNSET
    source_message_id: str | UnsetType = UNSET


def meaning(data: type[EventData]) -> str:
    """What a kind of event is: the first sentence of its struct's documentation."""
    return " ".join((data.__doc__ or "").strip().partition("\n\n")[0].split())
