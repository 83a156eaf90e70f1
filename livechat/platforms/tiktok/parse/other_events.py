# SPDX-License-Identifier: MIT
"""Events of a room besides comments, gifts and subscriptions: webcast messages to events.

Each function takes one decoded message and its context, and returns the events that it means.
Where there are none it says why: unknown, or left out (docs/wire/tiktok.md#values).

The `data` of events; `author` is as in a chat message:

============ ==================================================================================
deletion     `message_id`
follow       `author`, `followers`
goal         `goal_id`, `text`, `parts` (`gift_id`, `name`, `image_url`, `progress`, `target`),
             `contributor` (`id`, `username`; null when nobody gave)
join         `author` (null for a viewer without account), `name`, `viewers` (null if not told)
notice       `notice` (its kind), `text`
pin          `status` (`pinned` or `unpinned`), `pin_id`, `message_id`; if pinned `seconds` and the
             `author` of what is pinned; of a comment its `content` as in a chat message, of a gift
             `gift` (`gift_id`, `name`, `image_url`, `count`, `recipient`, `price`)
poll         `status` (`opened`, `updated` or `closed`), `poll_id`, `question` (null if not told),
             `choices` (`text`, `votes`, `ratio` 0 to 1 or null), `votes`
question     `question_id`, `text`, `author`
share        `author`, `shares`; `friends`, if it was with so many
stream       `intro`, `author`: the streamer introduces the stream
timeout      `user_id`, all of whose messages are gone
viewers      `viewers` (now), `total_viewers` (ever)
============ ==================================================================================
"""

from __future__ import annotations

import re
from typing import Final

from livechat.model.events import Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.authors import author, image_url
from livechat.platforms.tiktok.parse.comments import comment_data
from livechat.platforms.tiktok.parse.gifts import gift_data
from livechat.platforms.tiktok.parse.message_context import MessageContext, digest, rendered

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
    user = author(message.user, context.room.owner_id)
    key = message.common.display_text.key
    action = message.action
    shared = _SHARE_KEY.fullmatch(key)
    known = action in (_FOLLOWED, _SHARED)
    if not known:
        context.unknown("action", action)
    if action == _FOLLOWED or (not known and _FOLLOW_KEY.fullmatch(key)):
        return [context.event("follow", {"author": user, "followers": message.follow_count})]
    if action == _SHARED or shared:
        data: dict[str, object] = {"author": user, "shares": message.share_count}
        if shared and shared[1]:
            data["friends"] = int(shared[1])
        return [context.event("share", data)]
    if key:
        context.unknown("key", key)
    return []


def visitor(message: schema.UnauthorizedMemberMessage, context: MessageContext) -> list[Event]:
    """A viewer without account entered."""
    prefix = rendered(message.nick_name_prefix)
    number = message.nick_name[:64]
    name = prefix.replace("%s", number) if "%s" in prefix else prefix + number
    return [context.event("join", {"author": None, "name": name, "viewers": None})]


def viewers(message: schema.RoomUserSeqMessage, context: MessageContext) -> list[Event]:
    """How many watch now and how many ever came; the field names say otherwise."""
    data = {"viewers": message.total, "total_viewers": message.total_user}
    return [context.event("viewers", data)]


def deletion(message: schema.ImDeleteMessage, context: MessageContext) -> list[Event]:
    """Messages were removed, or all messages of some users."""
    removed: list[Event] = [
        context.event("deletion", {"message_id": str(number)}, str(number))
        for number in message.delete_msg_ids[:_MAX_IDS]
    ]
    removed += [
        context.event("timeout", {"user_id": str(number)}, f"{context.message_id}-{number}")
        for number in message.delete_user_ids[:_MAX_IDS]
    ]
    if not removed:
        context.leave_out("empty")
    return removed


def question(message: schema.QuestionNewMessage, context: MessageContext) -> list[Event]:
    """Somebody asked the streamer a question."""
    asked = message.data
    question_id = str(asked.question_id or context.message_id)
    data = {
        "question_id": question_id,
        "text": asked.content,
        "author": author(asked.user, context.room.owner_id),
    }
    return [context.event("question", data, question_id)]


def pin(message: schema.RoomPinMessage, context: MessageContext) -> list[Event]:
    """A message was pinned or unpinned; the pinned one is an old one, not a new comment."""
    if message.action not in (_PINNED, _UNPINNED):
        context.unknown("action", message.action)
        return []
    chat, gift = message.chat_message, message.gift_message
    parts = (chat, message.social_message, gift, message.member_message, message.like_message)
    part = next((part for part in parts if part.common.msg_id), None)
    data: dict[str, object] = {
        "status": "pinned" if message.action == _PINNED else "unpinned",
        "pin_id": str(message.pin_msg_id or context.message_id),
        "message_id": str(part.common.msg_id if part is not None else 0),
    }
    if message.action == _PINNED:
        data["seconds"] = message.display_duration
        if chat.content or chat.emotes:
            comment = comment_data(chat, context.room)
            data |= {"author": comment.author, "content": comment.content}
        elif part is not None and part.user.id:
            data["author"] = author(part.user, context.room.owner_id)
        if part is gift:
            data["gift"] = gift_data(gift, context.room)
    return [context.event("pin", data)]


def intro(message: schema.LiveIntroMessage, context: MessageContext) -> list[Event]:
    """The streamer's introduction, repeated at every connect."""
    if not message.content:
        context.leave_out("empty")
        return []
    data = {"intro": message.content, "author": author(message.user, context.room.owner_id)}
    return [context.event("stream", data, str(message.id or context.message_id))]


def system(message: schema.SystemMessage, context: MessageContext) -> list[Event]:
    """The platform's own words, repeated at every connect under another id."""
    text = message.message.strip()
    return _notice("system", text, context, digest(text.encode()))


def room(message: schema.RoomMessage, context: MessageContext) -> list[Event]:
    """A line of the platform about the room."""
    shown = message.common.display_text
    text = message.content.strip() or rendered(shown)
    return _notice(message.scene or shown.key or "room", text, context)


def notice(message: schema.NoticeMessage, context: MessageContext) -> list[Event]:
    """A notice of the platform."""
    shown = message.display_text if message.display_text.default_pattern else message.title
    text = message.content.strip() or rendered(shown)
    return _notice(shown.key or "notice", text, context)


def poll(message: schema.PollMessage, context: MessageContext) -> list[Event]:
    """A poll opened, moved or closed: what the message holds says which."""
    question: str | None = None
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
    data = {
        "status": status,
        "poll_id": str(message.poll_id),
        "question": question,
        "choices": [
            {
                "text": option.text,
                "votes": option.votes,
                "ratio": round(option.votes / votes, 6) if votes else None,
            }
            for option in shown
        ],
        "votes": votes,
    }
    return [context.event("poll", data)]


def goal(message: schema.GoalUpdateMessage, context: MessageContext) -> list[Event]:
    """How far a goal of the stream is."""
    aim = message.goal
    if not aim.id:
        context.leave_out("empty")
        return []
    contributor = None
    if message.contributor_id:
        contributor = {
            "id": str(message.contributor_id),
            "username": message.contributor_display_id,
        }
    data = {
        "goal_id": str(aim.id),
        "text": aim.description,
        "parts": [
            {
                "gift_id": str(part.gift_id),
                "name": part.gift.name,
                "image_url": image_url(part.gift.icon),
                "progress": part.progress,
                "target": part.target,
            }
            for part in aim.parts[:_MAX_OPTIONS]
        ],
        "contributor": contributor,
    }
    return [context.event("goal", data)]


def _notice(key: str, text: str, context: MessageContext, event_id: str = "") -> list[Event]:
    if not text:
        context.leave_out("empty")
        return []
    return [context.event("notice", {"notice": key[:64], "text": text}, event_id)]
