# SPDX-License-Identifier: MIT
"""A chat message as a value: author, text and what kind of message it is.

The structs are the wire schema (see `livechat.model.events`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field


class Roles(Struct, frozen=True):
    """What the author is in this channel."""

    broadcaster: bool = False
    moderator: bool = False
    subscriber: bool = False
    verified: bool = False


class Badge(Struct, frozen=True):
    """One badge beside a name; `label` is the platform's own name for it.

    :ivar months: of subscription, exactly (addition); the badge itself shows only a step.
    :ivar tier: of the subscription, by the platform's name, where the badge shows one (addition).
    """

    type: Literal["subscriber", "moderator", "verified", "custom"]
    label: str
    image_url: str | None = None
    months: int | UnsetType = UNSET
    tier: str | UnsetType = UNSET


class Author(Struct, frozen=True):
    """Who wrote a message.  `color` (addition) is the name's colour as `#RRGGBB`."""

    id: str
    username: str
    display_name: str
    avatar_url: str | None
    roles: Roles
    badges: list[Badge]
    color: str | UnsetType = UNSET


class EmoteMetadata(Struct, frozen=True):
    """The picture behind an emote.  All fields after `is_custom` are additions.

    :ivar bits: what a cheermote is worth.
    :ivar gif: it is a GIF that stands for a caption, not an emote.
    """

    url: str
    alt: str
    is_custom: bool
    bits: int | UnsetType = UNSET
    gif: bool | UnsetType = UNSET


class Element(Struct, frozen=True):
    """A run of text or one emote; `position` is `[start, end)` in UTF-16 code units of `raw`."""

    type: Literal["text", "emote"]
    value: str
    position: tuple[int, int]
    metadata: EmoteMetadata | UnsetType = UNSET


class Content(Struct, frozen=True):
    """A message's text in five renderings; built by `livechat.model.text` and nowhere else."""

    raw: str
    formatted: str
    sanitized: str
    raw_html: str = field(name="rawHtml")
    elements: list[Element]


class Money(Struct, frozen=True):
    """What was paid: as the platform shows it, and (additions) as a number with its currency.

    `currency` is ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`.
    """

    amount: str
    formatted: str
    color: str
    value: float | int
    currency: str


class Sticker(Struct, frozen=True):
    """The picture of a paid sticker."""

    url: str
    alt: str


class Reply(Struct, frozen=True):
    """The message that a message answers (addition)."""

    message_id: str
    user_id: str
    username: str
    display_name: str
    text: str


class ChatMetadata(Struct, frozen=True):
    """What kind of message it is.  All fields after `sticker` are additions.

    :ivar action: written with `/me`.
    :ivar first_message: the author's first in this channel.
    :ivar highlighted: shown emphasised by the platform.
    :ivar anonymous: the platform's stand-in account for somebody who hides; not a chatter.
    :ivar notice: kind of the event that this text came with, for example `resub`.
    :ivar source_room_id: shared chat: the room in which the message was written.
    :ivar effect: the platform's name of a power-up that was used for this message.
    :ivar animation: which animation that is.
    """

    type: Literal["chat", "super_chat"] = "chat"
    monetary_data: Money | UnsetType = UNSET
    sticker: Sticker | UnsetType = UNSET
    action: bool | UnsetType = UNSET
    first_message: bool | UnsetType = UNSET
    highlighted: bool | UnsetType = UNSET
    anonymous: bool | UnsetType = UNSET
    notice: str | UnsetType = UNSET
    reward_id: str | UnsetType = UNSET
    reply: Reply | UnsetType = UNSET
    source_room_id: str | UnsetType = UNSET
    source_message_id: str | UnsetType = UNSET
    effect: str | UnsetType = UNSET
    animation: str | UnsetType = UNSET


class ChatData(Struct, frozen=True):
    """Author, content and metadata: the inner object of a chat message."""

    author: Author
    content: Content
    metadata: ChatMetadata


class ChatMessage(Struct, frozen=True, tag_field="type", tag="chat"):
    """One message of one user."""

    platform: str
    timestamp: str
    message_id: str
    room_id: str
    data: ChatData
