# SPDX-License-Identifier: MIT
"""What happens in a room besides comments and gifts: webcast messages to events.

Each function takes one decoded message and the occasion of it, and returns the events that it
means: None when it means nothing that has a kind.  `user` is always an author object.  The `data`
of each kind (field numbers and meanings: sheet `tiktok` sections 9 and 10):

* `deletion`: `message_id`.  `timeout`: `user_id`.
* `follow`: `user`, `followers`.  `share`: `user`, `shares`, `friends` (with how many, if said).
* `goal`: `goal_id`, `description`, `parts` (`gift_id`, `name`, `image_url`, `progress`, `target`),
  `contributor` (`id`, `username`) or null.
* `join`: `user` (null for a viewer without account), `name`, `viewers` (null when not said).
* `milestone`: `milestone` (`level` or `fan_level`), `user`, `level`.
* `notice`: `notice` (its key), `text`, and for a treasure box `sender`, `diamonds`, `people`.
* `pin`: `action` (`pinned`, `unpinned`), `message_id`, `message` (a comment as in `chat`, or null),
  `by` (user id), `seconds` (how long it stays).
* `poll`: `poll_id`, `action` (`opened`, `updated`, `closed`), `title`, `options` (`text`, `votes`).
* `question`: `question_id`, `text`, `user`.
* `stream`: `action` (`intro`), `text`, `user`.
* `subscription`: `user`, `months` (null when not said), `gifted`.
* `viewers`: `viewers` (now), `total_viewers` (ever).
"""

from __future__ import annotations

import re
from typing import Final

from livechat.events import Event
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
        return [occasion.event("follow", {"user": user, "followers": message.follow_count})]
    if action == _SHARED or "share" in key:
        data: dict[str, object] = {"user": user, "shares": message.share_count}
        if friends := _FRIENDS.search(key):
            data["friends"] = int(friends[1])
        return [occasion.event("share", data)]
    return None


def member(message: schema.MemberMessage, occasion: Occasion) -> list[Event] | None:
    """Somebody entered, or subscribed."""
    user = author(message.user, occasion.room.owner_id)
    if message.action == _JOINED:
        data = {"user": user, "name": user.display_name, "viewers": message.member_count}
        return [occasion.event("join", data)]
    if message.action == _SUBSCRIBED:
        return _subscription(message.user, occasion, None)
    return None


def visitor(message: schema.UnauthorizedMemberMessage, occasion: Occasion) -> list[Event]:
    """A viewer without account entered."""
    prefix = rendered(message.nick_name_prefix)
    number = message.nick_name[:64]
    name = prefix.replace("%s", number) if "%s" in prefix else prefix + number
    return [occasion.event("join", {"user": None, "name": name, "viewers": None})]


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
        return [occasion.event("subscription", {"user": giver, "months": None, "gifted": True})]
    if kind in (_BARRAGE_LEVEL, _BARRAGE_FAN_LEVEL):
        data = {
            "milestone": "fan_level" if fan else "level",
            "user": author(user, occasion.room.owner_id),
            "level": praised.level,
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
        "user": author(asked.user, occasion.room.owner_id),
    }
    return [occasion.event("question", data, question_id)]


def pin(message: schema.RoomPinMessage, occasion: Occasion) -> list[Event] | None:
    """A message was pinned or unpinned; the pinned one is an old one, not a new comment."""
    actions = {_PINNED: "pinned", _UNPINNED: "unpinned"}
    if message.action not in actions:
        return None
    chat = message.chat_message
    inner = next(
        common
        for common in (
            chat.common,
            message.social_message.common,
            message.gift_message.common,
            message.member_message.common,
            message.like_message.common,
            message.common,
        )
        if common.msg_id or common is message.common
    )
    data = {
        "action": actions[message.action],
        "message_id": str(inner.msg_id),
        "message": comment_data(chat, occasion.room) if chat.content or chat.emotes else None,
        "by": str(message.operator.id) if message.operator.id else None,
        "seconds": message.display_duration,
    }
    return [occasion.event("pin", data)]


def intro(message: schema.LiveIntroMessage, occasion: Occasion) -> list[Event] | None:
    """The streamer's introduction, repeated at every connect."""
    if not message.content:
        return None
    user = author(message.user, occasion.room.owner_id)
    data = {"action": "intro", "text": message.content, "user": user}
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
        "diamonds": box.diamond_count,
        "people": box.people_count,
    }
    return [occasion.event("notice", data, box.envelope_id)]


def poll(message: schema.PollMessage, occasion: Occasion) -> list[Event] | None:
    """A poll opened, moved or closed: what the message holds says which."""
    if message.HasField("start_content"):
        action, title, options = (
            "opened",
            message.start_content.title,
            message.start_content.options,
        )
    elif message.HasField("end_content"):
        action, title, options = "closed", "", message.end_content.options
    elif message.HasField("update_votes_content"):
        action, title, options = "updated", "", message.update_votes_content.options
    else:
        return None
    data = {
        "poll_id": str(message.poll_id),
        "action": action,
        "title": title,
        "options": [
            {"text": option.text, "votes": option.votes} for option in options[:_MAX_OPTIONS]
        ],
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
        "description": aim.description,
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
    data = {
        "user": author(user, occasion.room.owner_id),
        "months": months,
        "gifted": False,
    }
    return [occasion.event("subscription", data, str(user.id) if user.id else "")]
