# SPDX-License-Identifier: MIT
"""What happens in a chat, as values: the shapes that parsers produce and clients receive.

The structs are the wire schema: msgspec encodes them as they stand, so field names, field order
and optionality here are what a client sees.  Fields that default to `UNSET` are left out of the
JSON when nothing was put into them; they are additions to the specification unless it names them.

Ground floor: imports nothing of ours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

#: Every kind of `event` that a platform may report; a client asks for them by name.
EVENT_KINDS: dict[str, str] = {
    "announcement": "A moderator's or the platform's announcement.",
    "deletion": "One message, or the whole chat, was removed.",
    "donation": "A donation to charity.",
    "follow": "Somebody followed the channel.",
    "gift": "A gift: a subscription or membership for others, or a platform's virtual gift.",
    "goal": "A goal of the stream, and how far it is.",
    "join": "Somebody entered the stream.",
    "like": "Likes were given.",
    "membership": "A channel membership began, was upgraded or reached a milestone.",
    "milestone": "A viewer reached a milestone (watch streak, bits badge, moderator anniversary).",
    "notice": "A notice of the platform that has no kind of its own.",
    "pin": "A message was pinned or unpinned.",
    "poll": "A poll opened, moved or closed.",
    "question": "A question was asked or answered.",
    "raid": "Viewers were sent from or to another channel.",
    "room": "The rules of the room: slow mode, subscribers only, and so on.",
    "share": "Somebody shared the stream.",
    "stream": "The stream itself: title, intro, pause.",
    "subscription": "A paid subscription began, went on or was upgraded.",
    "timeout": "A user was timed out or banned; their messages are gone.",
    "viewers": "How many are watching.",
}


#: One bit for each kind of publication, so that what a subscriber asked for is one number.
CHAT_BIT = 1
ALL_KINDS = -1
_KIND_BITS = {kind: 2 << index for index, kind in enumerate(sorted(EVENT_KINDS))} | {
    "chat": CHAT_BIT
}
_UNLISTED_BIT = 1 << 62


def add_event_kind(kind: str, meaning: str) -> None:
    """Let clients ask for a kind of event that a platform from outside adds."""
    if kind not in EVENT_KINDS:
        EVENT_KINDS[kind] = meaning
        _KIND_BITS[kind] = 2 << len(_KIND_BITS)


def kind_bit(kind: str) -> int:
    """The bit of a kind.  One that is not listed is sent to those only who asked for everything."""
    return _KIND_BITS.get(kind, _UNLISTED_BIT)


@lru_cache(maxsize=256)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def iso_time(milliseconds: int) -> str:
    """Milliseconds since 1970 as ISO 8601 UTC with milliseconds and `Z`.

    :raises ValueError: the time lies outside the years 1970 to 9999.
    """
    seconds, rest = divmod(milliseconds, 1000)
    if not 0 <= seconds < 253_402_300_800:
        raise ValueError(f"time out of range: {milliseconds}")
    return f"{_whole_second(seconds)}.{rest:03d}Z"


class ChannelKey(Struct, frozen=True):
    """What makes two requests mean one chat: canonical, safe in URLs, lines, keys and logs."""

    platform: str
    identifier_type: str
    identifier: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.identifier}"


class LiveInfo(Struct, frozen=True):
    """What a watcher learnt when its chat began to flow.

    :ivar live_id: YouTube video id, Twitch login or TikTok room id.
    :ivar live: whether the streamer is on air; None means not known; UNSET where the chat exists
        only while the stream is live.
    :ivar feed: YouTube: `all` messages or the filtered `top` chat.
    :ivar receiving: TikTok: whether the room has sent anything since we entered it.  A quiet room
        has; False is a connection that is open and blind so far.
    """

    live_id: str
    live: bool | UnsetType | None = UNSET
    feed: str | UnsetType = UNSET
    receiving: bool | UnsetType = UNSET


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


class ChannelEvent(Struct, frozen=True):
    """Anything else that happens in a chat; sent only to clients that asked for its kind.

    :ivar type: one of `EVENT_KINDS`.
    :ivar event_id: unique within the channel and kind; equal when the platform repeats itself.
    :ivar data: what the kind needs; documented per kind in `docs/protocol.md`.
    """

    type: str
    platform: str
    timestamp: str
    event_id: str
    room_id: str
    data: dict[str, Any]


Event = ChatMessage | ChannelEvent


class UserTally(Struct):
    """How often one user wrote, and who they are as last seen."""

    id: str
    username: str
    display_name: str
    roles: Roles
    message_count: int = field(name="messageCount")


class Tally(Struct):
    """What was counted since the last time somebody asked: added to a store, then begun anew.

    :ivar events: how many of each event kind.
    :ivar money: what was paid, in millionths, by currency or unit (see `Money`).
    :ivar minutes: messages by the minute in which they were received, counted from 1970.
    :ivar first: the earliest time that a message bears, as in `ChatMessage`; empty for none.
    :ivar last: the latest one.
    """

    total: int = 0
    users: dict[str, UserTally] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    money: dict[str, int] = field(default_factory=dict)
    minutes: dict[int, int] = field(default_factory=dict)
    first: str = ""
    last: str = ""

    def date(self, now: float) -> None:
        """Say in which minute the messages came, if that is not known.

        :param now: seconds since 1970.
        """
        if self.total and not self.minutes:
            self.minutes[int(now // 60)] = self.total


class StatsData(Struct, frozen=True):
    """The `data` of a `stats` message.  Everything after `totalMessages` is an addition.

    :ivar unique_user_count: exact, or an estimate where `unique_user_count_estimated` is true.
    :ivar message_count_error: by how much a user's `messageCount` may be wrong at most; UNSET: 0.
    :ivar messages_per_minute: of the last sixty seconds.
    :ivar peak_messages_per_minute: the most in one minute of the clock.
    :ivar money: what was paid, by currency (ISO 4217) or unit (`BITS`, `DIAMONDS`, `JEWELS`).
    :ivar events: how many of each event kind.
    """

    unique_users: list[UserTally] = field(name="uniqueUsers")
    total_messages: int = field(name="totalMessages")
    unique_user_count: int = field(name="uniqueUserCount")
    unique_user_count_estimated: bool | UnsetType = field(
        default=UNSET, name="uniqueUserCountEstimated"
    )
    message_count_error: int | UnsetType = field(default=UNSET, name="messageCountError")
    messages_per_minute: int | UnsetType = field(default=UNSET, name="messagesPerMinute")
    peak_messages_per_minute: int | UnsetType = field(default=UNSET, name="peakMessagesPerMinute")
    first_message_time: str | UnsetType = field(default=UNSET, name="firstMessageTime")
    last_message_time: str | UnsetType = field(default=UNSET, name="lastMessageTime")
    money: dict[str, int | float] | UnsetType = UNSET
    events: dict[str, int] | UnsetType = UNSET
