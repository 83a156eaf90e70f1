# SPDX-License-Identifier: MIT
"""Events about messages and the rules of a chat."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType, field

from livechat.model.chat import Content
from livechat.model.event_data.paid import Gift
from livechat.model.event_data.parts import EventData, Person


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


class Notice(EventData, frozen=True, kw_only=True):
    """A notice of the platform that has no kind of its own.

    :ivar params: everything that the platform sent with it, as strings.
    """

    kind: ClassVar[str] = "notice"

    params: dict[str, str] = field(default_factory=dict)


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
