# SPDX-License-Identifier: MIT
"""What happens in a room besides comments and gifts: webcast messages to events.

Each function takes one decoded message and the occasion of it, and returns the events that it
means: None when it means nothing that has a kind (fields and meanings: sheet `tiktok` sections 9
and 10).

The `data` of events; `author` is as in a chat message:

============ ==================================================================================
deletion     `message_id`
follow       `author`, `followers`
goal         `goal_id`, `text`, `parts` (`gift_id`, `name`, `image_url`, `progress`, `target`),
             `contributor` (`id`, `username`; null when nobody gave)
join         `author` (null for a viewer without account), `name`, `viewers` (null if not told)
milestone    `category` (`level` or `fan_level`), `level`, `author`
notice       `notice` (its kind), `text`; of a `treasure_box` also `sender` (`id`, `username`),
             `value`, `currency` (`DIAMONDS`) and `people`, among how many it is shared
pin          `status` (`pinned` or `unpinned`), `pin_id`, `message_id`; if a comment is pinned
             `author` and `content` as in a chat message; if pinned `seconds`
poll         `status` (`opened`, `updated` or `closed`), `poll_id`, `question` (null if not told),
             `choices` (`text`, `votes`, `ratio` 0 to 1 or null), `votes`
question     `question_id`, `text`, `author`
share        `author`, `shares`; `friends`, if it was with so many
stream       `intro`, `author`: the streamer introduces the stream
subscription `author`, `gifted` (to others); `months`, if told
timeout      `user_id`, all of whose messages are gone
viewers      `viewers` (now), `total_viewers` (ever)
============ ==================================================================================
"""

from __future__ import annotations

import re
from typing import Final

from livechat.model.events import Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.comments import comment_data
from livechat.platforms.tiktok.occasion import Occasion, digest, rendered
from livechat.platforms.tiktok.people import author, image_url

#: Most ids, options and parts that are taken out of one message.
_MAX_IDS: Final = 256
_MAX_OPTIONS: Final = 32

_FOLLOWED: Final = 1
_SHARED: Final = 3
_FRIENDS: Final = re.compile(r"viewer_(\d{1,6})_share")

_JOINED: Final = 1
_SUBSCRIBED: Final = 3

_PINNED: Final = 1
_UNPINNED: Final = 2

_BARRAGE_SUBSCRIBED: Final = 4
_BARRAGE_GIFTED: Final = 7
_BARRAGE_LEVEL: Final = 8
_BARRAGE_FAN_LEVEL: Final = 10
_SUPER_FAN: Final = "ttlive_superfan"

_BOX_SHOWN: Final = 1


def social(message: schema.SocialMessage, occasion: Occasion) -> list[Event] | None:
    """Somebody followed or shared: the action decides, where it is unknown the text's key."""
    user = author(message.user, occasion.room.owner_id)
    key = message.common.display_text.key
    action = message.action
    if action == _FOLLOWED or (action != _SHARED and "follow" in key):
        return [occasion.event("follow", {"author": user, "followers": message.follow_count})]
    if action == _SHARED or "share" in key:
        data: dict[str, object] = {"author": user, "shares": message.share_count}
        if friends := _FRIENDS.search(key):
            data["friends"] = int(friends[1])
        return [occasion.event("share", data)]
    return None


def member(message: schema.MemberMessage, occasion: Occasion) -> list[Event] | None:
    """Somebody entered, or subscribed."""
    user = author(message.user, occasion.room.owner_id)
    if message.action == _JOINED:
        data = {"author": user, "name": user.display_name, "viewers": message.member_count}
        return [occasion.event("join", data)]
    if message.action == _SUBSCRIBED:
        return _subscription(message.user, occasion, None)
    return None


def visitor(message: schema.UnauthorizedMemberMessage, occasion: Occasion) -> list[Event]:
    """A viewer without account entered."""
    prefix = rendered(message.nick_name_prefix)
    number = message.nick_name[:64]
    name = prefix.replace("%s", number) if "%s" in prefix else prefix + number
    return [occasion.event("join", {"author": None, "name": name, "viewers": None})]


def subscriber(message: schema.SubNotifyMessage, occasion: Occasion) -> list[Event]:
    """Somebody subscribed, or told for how long."""
    return _subscription(message.user, occasion, message.sub_month or None)


def barrage(message: schema.BarrageMessage, occasion: Occasion) -> list[Event] | None:
    """A banner that celebrates somebody; entrances are left out, they are told as `join`."""
    kind = message.msg_type
    fan = kind == _BARRAGE_FAN_LEVEL
    praised = message.fans_level_param if fan else message.user_grade_param
    user = message.user if message.user.id else praised.user
    keys = message.content.key, message.common_barrage_content.key
    if kind == _BARRAGE_SUBSCRIBED or any(_SUPER_FAN in key for key in keys):
        return _subscription(user, occasion, None)
    if kind == _BARRAGE_GIFTED:
        giver = author(user, occasion.room.owner_id)
        return [occasion.event("subscription", {"author": giver, "gifted": True})]
    if kind in (_BARRAGE_LEVEL, _BARRAGE_FAN_LEVEL):
        data = {
            "category": "fan_level" if fan else "level",
            "level": praised.level,
            "author": author(user, occasion.room.owner_id),
        }
        return [occasion.event("milestone", data)]
    return None


def viewers(message: schema.RoomUserSeqMessage, occasion: Occasion) -> list[Event]:
    """How many watch now and how many ever came; the field names say otherwise."""
    data = {"viewers": message.total, "total_viewers": message.total_user}
    return [occasion.event("viewers", data)]


def deletion(message: schema.ImDeleteMessage, occasion: Occasion) -> list[Event] | None:
    """Messages were removed, or all messages of some users."""
    removed: list[Event] = [
        occasion.event("deletion", {"message_id": str(number)}, str(number))
        for number in message.delete_msg_ids[:_MAX_IDS]
    ]
    removed += [
        occasion.event("timeout", {"user_id": str(number)}, f"{occasion.message_id}-{number}")
        for number in message.delete_user_ids[:_MAX_IDS]
    ]
    return removed or None


def question(message: schema.QuestionNewMessage, occasion: Occasion) -> list[Event]:
    """Somebody asked the streamer a question."""
    asked = message.data
    question_id = str(asked.question_id or occasion.message_id)
    data = {
        "question_id": question_id,
        "text": asked.content,
        "author": author(asked.user, occasion.room.owner_id),
    }
    return [occasion.event("question", data, question_id)]


def pin(message: schema.RoomPinMessage, occasion: Occasion) -> list[Event] | None:
    """A message was pinned or unpinned; the pinned one is an old one, not a new comment."""
    if message.action not in (_PINNED, _UNPINNED):
        return None
    chat = message.chat_message
    parts = (
        chat,
        message.social_message,
        message.gift_message,
        message.member_message,
        message.like_message,
    )
    pinned = next((part.common.msg_id for part in parts if part.common.msg_id), 0)
    pin_id = str(message.pin_msg_id or occasion.message_id)
    if message.action == _UNPINNED:
        data = {"status": "unpinned", "pin_id": pin_id, "message_id": str(pinned)}
        return [occasion.event("pin", data)]
    data = {"status": "pinned", "pin_id": pin_id, "message_id": str(pinned)}
    shown: dict[str, object] = {"seconds": message.display_duration}
    if chat.content or chat.emotes:
        comment = comment_data(chat, occasion.room)
        shown |= {"author": comment.author, "content": comment.content}
    return [occasion.event("pin", data | shown)]


def intro(message: schema.LiveIntroMessage, occasion: Occasion) -> list[Event] | None:
    """The streamer's introduction, repeated at every connect."""
    if not message.content:
        return None
    data = {"intro": message.content, "author": author(message.user, occasion.room.owner_id)}
    return [occasion.event("stream", data, str(message.id or occasion.message_id))]


def system(message: schema.SystemMessage, occasion: Occasion) -> list[Event] | None:
    """The platform's own words, repeated at every connect under another id."""
    text = message.message.strip()
    return _notice("system", text, occasion, digest(text.encode()))


def room(message: schema.RoomMessage, occasion: Occasion) -> list[Event] | None:
    """A line of the platform about the room."""
    shown = message.common.display_text
    text = message.content.strip() or rendered(shown)
    return _notice(message.scene or shown.key or "room", text, occasion)


def notice(message: schema.NoticeMessage, occasion: Occasion) -> list[Event] | None:
    """A notice of the platform."""
    shown = message.display_text if message.display_text.default_pattern else message.title
    text = message.content.strip() or rendered(shown)
    return _notice(shown.key or "notice", text, occasion)


def treasure_box(message: schema.EnvelopeMessage, occasion: Occasion) -> list[Event] | None:
    """A box of diamonds for those who are there; its removal is left out."""
    box = message.envelope_info
    if message.display != _BOX_SHOWN:
        return None
    data = {
        "notice": "treasure_box",
        "text": rendered(message.common.display_text),
        "sender": {"id": box.send_user_id, "username": box.send_user_name},
        "value": box.diamond_count,
        "currency": "DIAMONDS",
        "people": box.people_count,
    }
    return [occasion.event("notice", data, box.envelope_id)]


def poll(message: schema.PollMessage, occasion: Occasion) -> list[Event] | None:
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
        return None
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
    return [occasion.event("poll", data)]


def goal(message: schema.GoalUpdateMessage, occasion: Occasion) -> list[Event] | None:
    """How far a goal of the stream is."""
    aim = message.goal
    if not aim.id:
        return None
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
    return [occasion.event("goal", data)]


def _notice(key: str, text: str, occasion: Occasion, event_id: str = "") -> list[Event] | None:
    if not text:
        return None
    return [occasion.event("notice", {"notice": key[:64], "text": text}, event_id)]


def _subscription(user: schema.User, occasion: Occasion, months: int | None) -> list[Event]:
    """One subscription is told by up to three kinds of message: its id is the subscriber."""
    data: dict[str, object] = {"author": author(user, occasion.room.owner_id), "gifted": False}
    if months is not None:
        data["months"] = months
    return [occasion.event("subscription", data, str(user.id) if user.id else "")]
