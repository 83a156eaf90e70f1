# SPDX-License-Identifier: MIT
"""A chat message as a value: author, text and what kind of message it is.

The structs are the wire schema (see `livechat.model.events`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field


class Roles(Struct, frozen=True):
    """What the author is in this channel.

    :ivar broadcaster: it is their channel.
    :ivar moderator: may remove messages and users.
    :ivar subscriber: pays for a subscription or membership.
    :ivar verified: the platform vouches for who they are; on Twitch: a partner.
    """

    broadcaster: bool = False
    moderator: bool = False
    subscriber: bool = False
    verified: bool = False


class Badge(Struct, frozen=True):
    """One badge beside a name.

    :ivar type: what it stands for; `custom` for everything without a word of its own.
    :ivar label: the platform's own name for it.
    :ivar image_url: address of its picture; null where it is not known.
    :ivar months: of subscription, exactly; the badge itself shows only a step.
    :ivar tier: of the subscription, by the platform's name, where the badge shows one.
    :ivar title: what the platform writes where the badge is pointed at, for example
        `6-Month Subscriber`, if that is not the label.
    """

    type: Literal["subscriber", "moderator", "verified", "custom"]
    label: str
    image_url: str | None = None
    months: int | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    title: str | UnsetType = UNSET


class Author(Struct, frozen=True):
    """Who wrote a message.

    :ivar id: the platform's stable id of the user.
    :ivar username: login, handle without `@`, or unique id.
    :ivar display_name: the name as it is shown.
    :ivar avatar_url: address of the picture; null where there is none.
    :ivar roles: what the author is in this channel.
    :ivar badges: the badges beside the name, in the platform's order.
    :ivar color: of the name, as `#RRGGBB`.
    """

    id: str
    username: str
    display_name: str
    avatar_url: str | None
    roles: Roles
    badges: list[Badge]
    color: str | UnsetType = UNSET


class EmoteMetadata(Struct, frozen=True, gc=False):
    """The picture behind an emote.

    :ivar url: address of the picture, always https.
    :ivar alt: what to show or read where the picture cannot be seen.
    :ivar is_custom: it belongs to a channel or user rather than to the platform.
    :ivar bits: what a cheermote is worth.
    :ivar gif: it is a GIF that stands for a caption, not an emote.
    :ivar provider: whose emote it is, where it is not the platform's: `7tv`, `bttv` or `ffz`.
    :ivar animated: of an emote of a provider: it moves.
    :ivar zero_width: of an emote of a provider: it is drawn upon the emote before it, if only
        blanks are between the two.
    """

    url: str
    alt: str
    is_custom: bool
    bits: int | UnsetType = UNSET
    gif: bool | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    animated: bool | UnsetType = UNSET
    zero_width: bool | UnsetType = UNSET


class Element(Struct, frozen=True, gc=False):
    """A run of text or one emote.

    :ivar type: which of the two.
    :ivar value: the text, or what stands for the emote in `raw`.
    :ivar position: start and end in `raw` in UTF-16 code units: `raw.slice(start, end)` is `value`.
    :ivar metadata: of an emote: its picture.
    """

    type: Literal["text", "emote"]
    value: str
    position: tuple[int, int]
    metadata: EmoteMetadata | UnsetType = UNSET


class Content(Struct, frozen=True):
    """The text of a message in five renderings.

    :ivar raw: as it was written.
    :ivar formatted: with every emote as its code between a pair of colons.
    :ivar sanitized: the text alone, without emotes.
    :ivar raw_html: as HTML: text in `<span class="text">`, emotes as `<img class="emote">`, every
        value escaped.
    :ivar elements: runs of text and emotes; together they are `raw`, without gaps.
    """

    raw: str
    formatted: str
    sanitized: str
    raw_html: str = field(name="rawHtml")
    elements: list[Element]


class Money(Struct, frozen=True):
    """What was paid.

    :ivar amount: how much, as the platform writes the number.
    :ivar formatted: amount and currency, as the platform shows them.
    :ivar color: the colour in which the platform shows the message, as `#rrggbb`.
    :ivar value: how much, as a number.
    :ivar currency: ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`.
    """

    amount: str
    formatted: str
    color: str
    value: float | int
    currency: str


class Sticker(Struct, frozen=True):
    """The picture of a paid sticker.

    :ivar url: address of the picture.
    :ivar alt: what to show or read where the picture cannot be seen.
    """

    url: str
    alt: str


class Reply(Struct, frozen=True):
    """The message that a message answers.

    :ivar message_id: its id.
    :ivar user_id: id of its author.
    :ivar username: login of its author.
    :ivar display_name: name of its author, as it is shown.
    :ivar text: what it says.
    """

    message_id: str
    user_id: str
    username: str
    display_name: str
    text: str


class ChatMetadata(Struct, frozen=True):
    """What kind of message it is.

    :ivar type: `super_chat` for a paid message.
    :ivar monetary_data: what was paid for it.
    :ivar sticker: the paid sticker that it shows.
    :ivar action: it was written with `/me`, which is not part of `raw`.
    :ivar first_message: it is the author's first in this channel.
    :ivar highlighted: the platform shows it emphasised.
    :ivar anonymous: it was sent by the platform's account for users who hide; that one is not
        counted as a user.
    :ivar notice: the platform's name of the event that this text came with, for example `resub`.
    :ivar reward_id: the channel-point reward that was redeemed with it.
    :ivar reply: the message that it answers.
    :ivar source_room_id: Twitch shared chat: the room in which it was written.
    :ivar source_message_id: Twitch shared chat: its id in that room.
    :ivar effect: Twitch: the power-up or reward with which it was sent:
        `gigantified-emote-message`, `animated-message` or `skip-subs-mode-message`.
    :ivar animation: Twitch: which animation that was.
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
    """Who wrote a message, what, and what kind of message it is.

    :ivar author: who wrote it.
    :ivar content: what it says.
    :ivar metadata: what kind of message it is.
    """

    author: Author
    content: Content
    metadata: ChatMetadata


class ChatMessage(Struct, frozen=True, tag_field="type", tag="chat"):
    """One message of one user.

    :ivar platform: where it was written.
    :ivar timestamp: when it was written, ISO 8601 UTC with milliseconds.
    :ivar message_id: the platform's id of it.
    :ivar room_id: the platform's id of the chat.
    :ivar data: who wrote it, what, and what kind of message it is.
    """

    platform: str
    timestamp: str
    message_id: str
    room_id: str
    data: ChatData
