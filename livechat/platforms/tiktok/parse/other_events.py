# SPDX-License-Identifier: MIT
"""Events of a room besides comments, gifts and subscriptions: webcast messages to events.

Each function takes one decoded message and its context, and returns the events that it means.
Where there are none it says why: unknown, or left out (docs/wire/tiktok.md#values).
"""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import UNSET

from livechat.model.event_data import (
    Choice,
    Deletion,
    Follow,
    Goal,
    GoalPart,
    Join,
    Notice,
    Person,
    Pin,
    Poll,
    Question,
    Share,
    Stream,
    Timeout,
    Viewers,
    person,
)
from livechat.model.events import Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.authors import image_url, user_person
from livechat.platforms.tiktok.parse.comments import comment_data
from livechat.platforms.tiktok.parse.gifts import gift_data
from livechat.platforms.tiktok.parse.message_context import (
    MessageContext,
    digest,
    person_in,
    rendered,
)

#: Most ids, options and parts that are taken out of one message.
_MAX_IDS: Final = 256
_MAX_OPTIONS: Final = 32

_FOLLOWED: Final = 1
_SHARED: Final = 3

# Keys of texts are compared whole and whatever their case: a part of one says too little, and
# their case has changed before.
_FOLLOW_KEY: Final = re.compile(r"pm_main_follow_message_viewer_\d{1,3}", re.ASCII | re.IGNORECASE)
_SHARE_KEY: Final = re.compile(
    r"pm_mt_guidance(?:_viewer_(\d{1,6}))?_share", re.ASCII | re.IGNORECASE
)

_PINNED: Final = 1
_UNPINNED: Final = 2


def social(message: schema.SocialMessage, context: MessageContext) -> list[Event]:
    """Somebody followed or shared: the action decides, where it is unknown the text's key."""
    user = user_person(message.user, context.room.owner_id)
    key = message.common.display_text.key
    action = message.action
    shared = _SHARE_KEY.fullmatch(key)
    known = action in (_FOLLOWED, _SHARED)
    if not known:
        context.unknown("action", action)
    if action == _FOLLOWED or (not known and _FOLLOW_KEY.fullmatch(key)):
        return [context.event(Follow(user=user, count=message.follow_count or UNSET))]
    if action == _SHARED or shared:
        friends = int(shared[1]) if shared and shared[1] else UNSET
        count = message.share_count or UNSET
        return [context.event(Share(user=user, count=count, friends=friends))]
    if key:
        context.unknown("key", key)
    return []


def visitor(message: schema.UnauthorizedMemberMessage, context: MessageContext) -> list[Event]:
    """A viewer without account entered."""
    prefix = rendered(message.nick_name_prefix)
    number = message.nick_name[:64]
    name = prefix.replace("%s", number) if "%s" in prefix else prefix + number
    return [context.event(Join(user=Person(None, None, name or None), viewers=None))]


def viewers(message: schema.RoomUserSeqMessage, context: MessageContext) -> list[Event]:
    """How many watch now and how many ever came; the field names say otherwise."""
    data = Viewers(viewers=message.total, total_viewers=message.total_user)
    return [context.event(data)]


def deletion(message: schema.ImDeleteMessage, context: MessageContext) -> list[Event]:
    """Messages were removed, or all messages of some users."""
    removed: list[Event] = []
    for message_id in map(str, message.delete_msg_ids[:_MAX_IDS]):
        data = Deletion(scope="message", message_id=message_id, author=None)
        removed.append(context.event(data, message_id))
    for user_id in map(str, message.delete_user_ids[:_MAX_IDS]):
        gone = Timeout(user=Person(user_id, None, None))
        removed.append(context.event(gone, f"{context.message_id}-{user_id}"))
    if not removed:
        context.leave_out("empty")
    return removed


def question(message: schema.QuestionNewMessage, context: MessageContext) -> list[Event]:
    """Somebody asked the streamer a question."""
    asked = message.data
    question_id = str(asked.question_id or context.message_id)
    data = Question(
        status="asked",
        question_id=question_id,
        user=user_person(asked.user, context.room.owner_id),
        text=asked.content,
    )
    return [context.event(data, question_id)]


def pin(message: schema.RoomPinMessage, context: MessageContext) -> list[Event]:
    """A message was pinned or unpinned; the pinned one is an old one, not a new comment."""
    if message.action not in (_PINNED, _UNPINNED):
        context.unknown("action", message.action)
        return []
    chat, gift = message.chat_message, message.gift_message
    parts = (chat, message.social_message, gift, message.member_message, message.like_message)
    part = next((part for part in parts if part.common.msg_id), None)
    pin_id = str(message.pin_msg_id or context.message_id)
    message_id = str(part.common.msg_id) if part is not None else UNSET
    who = user_person(message.operator, context.room.owner_id)
    if message.action == _UNPINNED:
        data = Pin(status="unpinned", pin_id=pin_id, message_id=message_id, user=who)
        return [context.event(data)]
    shown = comment_data(chat, context.room) if chat.content or chat.emotes else None
    if shown is not None:
        writer: Person | None = person(shown.author)
    else:
        writer = user_person(part.user, context.room.owner_id) if part is not None else None
    data = Pin(
        status="pinned",
        pin_id=pin_id,
        message_id=message_id,
        user=who,
        author=writer,
        content=shown.content if shown is not None else UNSET,
        seconds=message.display_duration or None,
        gift=gift_data(gift, context.room) if part is gift else UNSET,
    )
    return [context.event(data)]


def intro(message: schema.LiveIntroMessage, context: MessageContext) -> list[Event]:
    """The streamer's introduction, repeated at every connect."""
    if not message.content:
        context.leave_out("empty")
        return []
    user = user_person(message.user, context.room.owner_id)
    data = Stream(status="changed", user=user, text=message.content)
    return [context.event(data, str(message.id or context.message_id))]


def system(message: schema.SystemMessage, context: MessageContext) -> list[Event]:
    """The platform's own words, repeated at every connect under another id."""
    text = message.message.strip()
    return _notice("system", text, None, context, digest(text.encode()))


def room(message: schema.RoomMessage, context: MessageContext) -> list[Event]:
    """A line of the platform about the room."""
    shown = message.common.display_text
    text = message.content.strip() or rendered(shown)
    return _notice(message.scene or shown.key or "room", text, person_in(shown), context)


def notice(message: schema.NoticeMessage, context: MessageContext) -> list[Event]:
    """A notice of the platform."""
    shown = message.display_text if message.display_text.default_pattern else message.title
    text = message.content.strip() or rendered(shown)
    return _notice(shown.key or "notice", text, person_in(shown), context)


def poll(message: schema.PollMessage, context: MessageContext) -> list[Event]:
    """A poll opened, moved or closed: what the message holds says which."""
    question: str | None = None
    status: Literal["opened", "updated", "closed"]
    if message.HasField("start_content"):
        status, options = "opened", message.start_content.options
        question = message.start_content.title or None
    elif message.HasField("end_content"):
        status, options = "closed", message.end_content.options
    elif message.HasField("update_votes_content"):
        status, options = "updated", message.update_votes_content.options
    else:
        context.unknown("message_type", message.message_type)
        return []
    shown = options[:_MAX_OPTIONS]
    votes = sum(option.votes for option in shown)
    choices = [
        Choice(option.text, option.votes, round(option.votes / votes, 6) if votes else None)
        for option in shown
    ]
    data = Poll(
        status=status,
        poll_id=str(message.poll_id),
        question=question,
        choices=choices,
        votes=votes,
    )
    return [context.event(data)]


def goal(message: schema.GoalUpdateMessage, context: MessageContext) -> list[Event]:
    """How far a goal of the stream is."""
    aim = message.goal
    if not aim.id:
        context.leave_out("empty")
        return []
    contributor = None
    if message.contributor_id:
        username = message.contributor_display_id or None
        contributor = Person(str(message.contributor_id), username, None)
    parts = [
        GoalPart(
            str(part.gift_id), part.gift.name, image_url(part.gift.icon), part.progress, part.target
        )
        for part in aim.parts[:_MAX_OPTIONS]
    ]
    # More of one gift does not stand in for another.
    progress = sum(min(part.progress, part.target) for part in parts)
    data = Goal(
        goal_id=str(aim.id),
        user=contributor,
        text=aim.description or UNSET,
        progress=progress if parts else None,
        target=sum(part.target for part in parts) if parts else None,
        unit="gifts" if parts else None,
        parts=parts,
    )
    return [context.event(data)]


def _notice(
    key: str, text: str, user: schema.User | None, context: MessageContext, event_id: str = ""
) -> list[Event]:
    if not text:
        context.leave_out("empty")
        return []
    who = UNSET if user is None else user_person(user, context.room.owner_id)
    return [context.event(Notice(platform_kind=key[:64], user=who, text=text), event_id)]
