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

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from livechat.model.chat import ChatMessage, Roles
from livechat.model.event_data import KINDS, EventData, meaning

#: Every kind of `event` that a platform may report, and what it is; a client asks for them by name.
EVENT_KINDS: dict[str, str] = {kind: meaning(data) for kind, data in sorted(KINDS.items())}


#: One bit for each kind of publication, so that what a subscriber asked for is one number.
CHAT_BIT = 1
ALL_KINDS = -1
_KIND_BITS = {kind: 2 << index for index, kind in enumerate(sorted(EVENT_KINDS))} | {
    "chat": CHAT_BIT
}
_UNLISTED_BIT = 1 << 62

#: What is mirrored from another room of a shared chat has its kind's bit, so many places higher.
_MIRRORED = 64
_OWN_ROOM = (1 << _MIRRORED) - 1


def add_event_kind(data: type[EventData]) -> None:
    """Let clients ask for a kind of event that a platform from outside adds.

    :raises ValueError: the struct names no kind, or one that another struct has.
    """
    kind = data.kind
    if not kind or KINDS.setdefault(kind, data) is not data:
        raise ValueError(
            f"kind of event {kind!r} of {data.__name__}: no name, or one that is taken"
        )
    if kind not in EVENT_KINDS:
        EVENT_KINDS[kind] = meaning(data)
        _KIND_BITS[kind] = 2 << len(_KIND_BITS)


def kind_bit(kind: str) -> int:
    """The bit of a kind.  One that is not listed is sent to those only who asked for everything."""
    return _KIND_BITS.get(kind, _UNLISTED_BIT)


def with_mirrored(kinds: int) -> int:
    """These kinds, whether mirrored or not."""
    return kinds | kinds << _MIRRORED


def without_mirrored(kinds: int) -> int:
    """These kinds, except what is mirrored."""
    return kinds & _OWN_ROOM


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


def seconds_of(time: str) -> float:
    """The seconds since 1970 of a time as `iso_time` writes it."""
    return datetime.fromisoformat(time).timestamp()


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
    :ivar lives: of a channel whose lives are all watched at once the ids of those on air, in the
        order in which they were found; else none.
    """

    live_id: str
    live: bool | UnsetType | None = UNSET
    feed: str | UnsetType = UNSET
    receiving: bool | UnsetType = UNSET
    lives: tuple[str, ...] = ()

    @property
    def each(self) -> list[LiveInfo]:
        """What is known of each live."""
        return [replace(self, live_id=one) for one in self.lives] or [self]


class ChannelEvent(Struct, frozen=True):
    """Anything else that happens in a chat; sent only to clients that asked for its kind.

    :ivar type: which kind of event it is.
    :ivar platform: where it happened.
    :ivar timestamp: when it happened, ISO 8601 UTC with milliseconds.
    :ivar event_id: unique within the channel and kind; equal when the platform repeats itself.
    :ivar room_id: the platform's id of the chat.
    :ivar data: what happened, by the kind of event.
    """

    type: str
    platform: str
    timestamp: str
    event_id: str
    room_id: str
    data: EventData

    @classmethod
    def of(
        cls, data: EventData, platform: str, timestamp: str, event_id: str, room_id: str
    ) -> ChannelEvent:
        """An event of the kind that its data is of."""
        return cls(data.kind, platform, timestamp, event_id, room_id, data)


Event = ChatMessage | ChannelEvent


def item_of(event: Event) -> str:
    """What names an event within its channel: equal when the platform repeats itself."""
    if isinstance(event, ChatMessage):
        return event.message_id
    return f"{event.type} {event.event_id}"


def event_bit(event: Event) -> int:
    """The bit by which subscribers take this event or do not."""
    source: object
    if isinstance(event, ChatMessage):
        bit, source = CHAT_BIT, event.data.metadata.source_room_id
    else:
        bit, source = kind_bit(event.type), event.data.source_room_id
    return bit << _MIRRORED if source and source != event.room_id else bit


class UserTally(Struct):
    """How often one user wrote, and who they are as last seen.

    :ivar id: the platform's stable id of the user.
    :ivar username: login, handle without `@`, or unique id.
    :ivar display_name: the name as it is shown.
    :ivar roles: what the user is in this channel.
    :ivar message_count: how many messages the user wrote.
    """

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
    :ivar epoch: the order of what was counted; empty where that is not known.
    :ivar since: the number after which everything that was published is counted here.
    :ivar until: the number up to which.
    """

    total: int = 0
    users: dict[str, UserTally] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    money: dict[str, int] = field(default_factory=dict)
    minutes: dict[int, int] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    epoch: str = ""
    since: int = 0
    until: int = 0

    def date(self, now: float) -> None:
        """Say in which minute the messages came, if that is not known.

        :param now: seconds since 1970.
        """
        if self.total and not self.minutes:
            self.minutes[int(now // 60)] = self.total


class LiveStats(Struct, frozen=True):
    """The statistics of one live of a channel whose lives are all watched at once.

    :ivar total_messages: how many messages were written, exactly.
    :ivar unique_user_count: how many users wrote.
    """

    total_messages: int = field(name="totalMessages")
    unique_user_count: int = field(name="uniqueUserCount")


class StatsData(Struct, frozen=True):
    """The statistics of one channel.

    :ivar unique_users: the most active users, most active first.
    :ivar total_messages: how many messages were written, exactly.
    :ivar unique_user_count: how many users wrote.
    :ivar unique_user_count_estimated: `uniqueUserCount` is an estimate.
    :ivar message_count_error: by how much `messageCount` may be wrong at most; 0 if absent.
    :ivar messages_per_minute: messages of the last sixty seconds.
    :ivar peak_messages_per_minute: the most messages in one minute of the clock.
    :ivar first_message_time: the earliest time that a message bears, ISO 8601 UTC.
    :ivar last_message_time: the latest one.
    :ivar money: what was paid, by currency (ISO 4217) or unit (`BITS`, `DIAMONDS`, `JEWELS`).
    :ivar events: how many of each event kind.
    :ivar lives: with `lives: all`, those of each live since the channel is watched, by its id.
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
    lives: dict[str, LiveStats] | UnsetType = UNSET
