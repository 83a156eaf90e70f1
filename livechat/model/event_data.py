# SPDX-License-Identifier: MIT
"""What is in the events of a chat: one struct for each kind, the same on all platforms.

A field that does not apply is left out (UNSET).  One that applies and is not known is null (None).
The structs are the wire schema: the contract files and the tables of the documentation are made
from them, their docstrings included.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType, field

from livechat.model.chat import Author, Badge, Content, Roles

__all__ = [
    "KINDS",
    "Announcement",
    "Choice",
    "Deletion",
    "Donation",
    "EventData",
    "Follow",
    "Gap",
    "Gift",
    "Goal",
    "GoalPart",
    "Join",
    "Like",
    "Milestone",
    "Notice",
    "Person",
    "Pin",
    "Poll",
    "Price",
    "Question",
    "Raid",
    "Room",
    "Share",
    "Stream",
    "Subscription",
    "Timeout",
    "Viewers",
    "meaning",
    "person",
]


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
    """The author of a message as a person."""
    return Person(
        author.id,
        author.username,
        author.display_name,
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


class Announcement(EventData, frozen=True, kw_only=True):
    """A moderator's or the platform's announcement.

    :ivar color: `PRIMARY`, `BLUE`, `GREEN`, `ORANGE` or `PURPLE`.
    """

    kind: ClassVar[str] = "announcement"

    color: str | UnsetType = UNSET


class Deletion(EventData, frozen=True, kw_only=True):
    """One message, or the whole chat, was removed.

    :ivar scope: what was removed; `message_id` names a message.
    :ivar author: who wrote the message; null where it is not told.
    :ivar shown: a text that the platform shows in its place.
    :ivar removed_text: what the message said.
    """

    kind: ClassVar[str] = "deletion"

    scope: Literal["message", "chat"]
    author: Person | UnsetType | None = UNSET
    shown: str | UnsetType = UNSET
    removed_text: str | UnsetType = UNSET


class Donation(EventData, frozen=True, kw_only=True):
    """A donation to charity.

    :ivar charity: its name; null where it is not told.
    :ivar price: what was given.
    """

    kind: ClassVar[str] = "donation"

    charity: str | UnsetType | None = UNSET
    price: Price | None = None


class Follow(EventData, frozen=True, kw_only=True):
    """Somebody followed the channel.

    :ivar count: followers so far.
    """

    kind: ClassVar[str] = "follow"

    count: int | UnsetType = UNSET


class Gap(EventData, frozen=True, kw_only=True):
    """Part of the chat was not received.

    :ivar start: `from`, the last moment before it, ISO 8601 UTC.
    :ivar end: `to`, when messages flowed again, ISO 8601 UTC.
    :ivar reason: the upstream was lost; nobody watched; or the node that read the chat failed.
    :ivar filled: the platform gave everything of that time afterwards.
    """

    kind: ClassVar[str] = "gap"

    start: str = field(name="from")
    end: str = field(name="to")
    reason: Literal["upstream", "unwatched", "failover"]
    filled: bool


class Gift(EventData, frozen=True, kw_only=True):
    """A gift: a subscription or membership for others, or a virtual gift of the platform.

    :ivar gift_type: `subscription` for subscriptions and memberships, `virtual` for all else.
    :ivar recipient: who got it; null where it is not told, or where it was for many.
    :ivar count: how many; null where it is not told.
    :ivar name: what the platform calls it.
    :ivar image_url: its picture; null where there is none.
    :ivar price: of all together; null where it is not told.
    :ivar months: how many months were given.
    :ivar tier: of the subscription, by the platform's name.
    :ivar tier_name: the channel's own name of that tier.
    :ivar gift_id: equal for the parts of one large gift.
    :ivar total: how many this user has ever given here.
    :ivar item_id: the platform's id of the thing that was given.
    :ivar recipient_months: for how many months the recipient has subscribed, all together.
    :ivar domain: which event of the platform the reward belongs to.
    :ivar trigger: what set the reward off.
    :ivar trigger_amount: how much of it.
    :ivar total_count: how many rewards there were in all.
    """

    kind: ClassVar[str] = "gift"

    gift_type: Literal["subscription", "virtual"]
    recipient: Person | UnsetType | None = UNSET
    count: int | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    image_url: str | UnsetType | None = UNSET
    price: Price | UnsetType | None = UNSET
    months: int | UnsetType = UNSET
    tier: str | UnsetType | None = UNSET
    tier_name: str | UnsetType = UNSET
    gift_id: str | UnsetType = UNSET
    total: int | UnsetType = UNSET
    item_id: str | UnsetType = UNSET
    recipient_months: int | UnsetType = UNSET
    domain: str | UnsetType = UNSET
    trigger: str | UnsetType = UNSET
    trigger_amount: int | UnsetType = UNSET
    total_count: int | UnsetType = UNSET


class GoalPart(Struct, frozen=True):
    """One part of a goal.

    :ivar item_id: the platform's id of what is collected.
    :ivar name: what the platform calls it.
    :ivar image_url: its picture; null where there is none.
    :ivar progress: how many there are.
    :ivar target: how many it takes.
    """

    item_id: str
    name: str
    image_url: str | None
    progress: int
    target: int


class Goal(EventData, frozen=True, kw_only=True):
    """A goal of the stream, and how far it is; `user` is who brought it further.

    :ivar goal_id: the platform's id of the goal.
    :ivar progress: how far it is; null where it is not told.
    :ivar target: what is to be reached; null where it is not told.
    :ivar unit: what is counted; null where it is not told.
    :ivar parts: what it consists of.
    """

    kind: ClassVar[str] = "goal"

    goal_id: str
    progress: int | UnsetType | None = UNSET
    target: int | UnsetType | None = UNSET
    unit: str | UnsetType | None = UNSET
    parts: list[GoalPart] | UnsetType = UNSET


class Join(EventData, frozen=True, kw_only=True):
    """Somebody entered the stream.

    :ivar count: entrances so far.
    :ivar viewers: how many are watching; null where it is not told.
    """

    kind: ClassVar[str] = "join"

    count: int | UnsetType = UNSET
    viewers: int | UnsetType | None = UNSET


class Like(EventData, frozen=True, kw_only=True):
    """Likes were given.

    :ivar count: how many.
    :ivar total: of the whole stream; never falls.
    """

    kind: ClassVar[str] = "like"

    count: int
    total: int | UnsetType | None = UNSET


class Milestone(EventData, frozen=True, kw_only=True):
    """A viewer reached a milestone.

    :ivar category: which kind of milestone.
    :ivar value: which one: streams, bits, months or the level; null where it is not told.
    :ivar reward_points: points of the channel that the viewer got for it.
    :ivar milestone_id: the platform's id of it.
    """

    kind: ClassVar[str] = "milestone"

    category: Literal[
        "watch_streak", "bits_badge", "moderator_anniversary", "level", "fan_level", "sharing"
    ]
    value: int | None = None
    reward_points: int | UnsetType = UNSET
    milestone_id: str | UnsetType = UNSET


class Notice(EventData, frozen=True, kw_only=True):
    """A notice of the platform that has no kind of its own.

    :ivar params: everything that the platform sent with it, as strings.
    """

    kind: ClassVar[str] = "notice"

    params: dict[str, str] = {}


class Pin(EventData, frozen=True, kw_only=True):
    """A message was pinned or unpinned; `user` is who pinned it.

    :ivar status: which of the two.
    :ivar pin_id: equal in both.
    :ivar author: who wrote the message.
    :ivar content: the message, as in `chat`.
    :ivar seconds: for how long it is pinned; null where it is not told.
    :ivar gift: the gift that is pinned, where it is no message.
    """

    kind: ClassVar[str] = "pin"

    status: Literal["pinned", "unpinned"]
    pin_id: str
    author: Person | UnsetType | None = UNSET
    content: Content | UnsetType = UNSET
    seconds: int | UnsetType | None = UNSET
    gift: Gift | UnsetType = UNSET


class Choice(Struct, frozen=True):
    """One choice of a poll.

    :ivar text: what it says.
    :ivar votes: how many chose it; null where it is not told.
    :ivar ratio: its share, 0 to 1; null where it is not told.
    """

    text: str
    votes: int | None
    ratio: float | None


class Poll(EventData, frozen=True, kw_only=True):
    """A poll opened, moved or closed.

    :ivar status: which of these.
    :ivar poll_id: the platform's id of the poll; null where it is not told.
    :ivar question: what is asked; null where it is not told.
    :ivar choices: what can be chosen.
    :ivar votes: of all choices; null where it is not told.
    """

    kind: ClassVar[str] = "poll"

    status: Literal["opened", "updated", "closed"]
    poll_id: str | None
    question: str | UnsetType | None = UNSET
    choices: list[Choice] | UnsetType = UNSET
    votes: int | UnsetType | None = UNSET


class Question(EventData, frozen=True, kw_only=True):
    """A question was asked or answered; `text` is the question.

    :ivar status: `opened`: the streamer calls for questions; `asked`: a viewer asks one.
    :ivar question_id: the platform's id of it.
    """

    kind: ClassVar[str] = "question"

    status: Literal["opened", "asked", "answered"]
    question_id: str


class Raid(EventData, frozen=True, kw_only=True):
    """Viewers were sent from or to another channel; `user` is the other channel.

    :ivar direction: where they go, or that they stay.
    :ivar viewers: how many; null where it is not told.
    :ivar room_id: of the other channel.
    :ivar live_id: of the other stream.
    :ivar pin_id: of the banner that tells it; a `pin` event with this id takes it down.
    """

    kind: ClassVar[str] = "raid"

    direction: Literal["incoming", "outgoing", "cancelled"]
    viewers: int | UnsetType | None = UNSET
    room_id: str | UnsetType = UNSET
    live_id: str | UnsetType = UNSET
    pin_id: str | UnsetType = UNSET


class Room(EventData, frozen=True, kw_only=True):
    """The rules of the chat, all together; each is null where it is not told.

    :ivar emote_only: only emotes may be written.
    :ivar followers_only: minutes that one must have followed; null also where there is no such
        rule.
    :ivar slow: seconds between two messages of one user; 0: no limit.
    :ivar subscribers_only: only subscribers may write.
    :ivar unique: every message must differ from the others.
    """

    kind: ClassVar[str] = "room"

    emote_only: bool | None = None
    followers_only: int | None = None
    slow: int | None = None
    subscribers_only: bool | None = None
    unique: bool | None = None


class Share(EventData, frozen=True, kw_only=True):
    """Somebody shared the stream.

    :ivar count: shares so far.
    :ivar friends: with how many friends, where that is told.
    """

    kind: ClassVar[str] = "share"

    count: int | UnsetType = UNSET
    friends: int | UnsetType = UNSET


class Stream(EventData, frozen=True, kw_only=True):
    """The stream itself: it went live or offline, paused, went on, or what it says has changed.

    :ivar status: which of these.
    :ivar title: of the stream.
    :ivar category: of the stream.
    :ivar started_at: when it went live, ISO 8601 UTC.
    :ivar live_id: of the stream.
    """

    kind: ClassVar[str] = "stream"

    status: Literal["live", "offline", "paused", "resumed", "changed"]
    title: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    live_id: str | UnsetType = UNSET


class Subscription(EventData, frozen=True, kw_only=True):
    """A paid subscription or membership began, went on, was upgraded or reached a milestone.

    :ivar status: which of these.
    :ivar months: all together; null where it is not told.
    :ivar streak_months: without a break.
    :ivar tier: by the platform's name: `Prime`, `1000`, a membership level, `super fan`; null where
        it is not told.
    :ivar tier_name: the channel's own name of that tier.
    :ivar gifted: it was a present.
    :ivar gifter: who gave it, or gave the one before; null where they hide.
    :ivar recipient: whom the subscriber gives one in turn; null where it is not told.
    :ivar duration_months: for how many months it was bought at once.
    :ivar tenure_months: how many of those have passed.
    :ivar gift_months: for how many months it was given.
    :ivar gift_month: which of those begins.
    :ivar end_month: the month of the year in which it ends.
    :ivar promotion: the offer under which it was bought.
    :ivar promotion_total: how many subscriptions were given under that offer.
    """

    kind: ClassVar[str] = "subscription"

    status: Literal["new", "renewed", "upgraded", "milestone"]
    months: int | UnsetType | None = UNSET
    streak_months: int | UnsetType = UNSET
    tier: str | UnsetType | None = UNSET
    tier_name: str | UnsetType = UNSET
    gifted: bool | UnsetType = UNSET
    gifter: Person | UnsetType | None = UNSET
    recipient: Person | UnsetType | None = UNSET
    duration_months: int | UnsetType = UNSET
    tenure_months: int | UnsetType = UNSET
    gift_months: int | UnsetType = UNSET
    gift_month: int | UnsetType = UNSET
    end_month: int | UnsetType = UNSET
    promotion: str | UnsetType = UNSET
    promotion_total: int | UnsetType = UNSET


class Timeout(EventData, frozen=True, kw_only=True):
    """A user was timed out or banned; `user` is who, and their messages are gone.

    :ivar seconds: for how long; null: for good, or not told.
    :ivar reason: why, where that is told.
    :ivar shown: a text that the platform shows in place of the messages.
    """

    kind: ClassVar[str] = "timeout"

    seconds: int | None = None
    reason: str | UnsetType = UNSET
    shown: str | UnsetType = UNSET


class Viewers(EventData, frozen=True, kw_only=True):
    """How many are watching.

    :ivar viewers: now.
    :ivar total_viewers: ever, where that is told.
    """

    kind: ClassVar[str] = "viewers"

    viewers: int
    total_viewers: int | UnsetType = UNSET


def meaning(data: type[EventData]) -> str:
    """What a kind of event is: the first sentence of its struct's documentation."""
    return (data.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")


#: The struct of each kind.  A platform from outside may add to it (`events.add_event_kind`).
KINDS: dict[str, type[EventData]] = {
    data.kind: data
    for data in (
        Announcement, Deletion, Donation, Follow, Gap, Gift, Goal, Join, Like, Milestone, Notice,
        Pin, Poll, Question, Raid, Room, Share, Stream, Subscription, Timeout, Viewers,
    )
}  # fmt: skip
