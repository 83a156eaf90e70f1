# SPDX-License-Identifier: MIT
"""Who comes, subscribes, rises or gives to all: entrances, subscriptions, banners and boxes.

Each function takes one decoded message and its context, and returns the events that it means.
Where there are none it says why: unknown, or left out (docs/wire/tiktok.md#values).
"""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from livechat.model.event_data import Gift, Join, Milestone, Notice, Person, Subscription
from livechat.model.events import Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.authors import user_person
from livechat.platforms.tiktok.parse.message_context import MessageContext, person_in, rendered

_JOINED: Final = 1
_SUBSCRIBED: Final = 3

_BARRAGE_SUBSCRIBED: Final = 4
_BARRAGE_GIFTED: Final = 7
_BARRAGE_LEVEL: Final = 8
_BARRAGE_FAN_LEVEL: Final = 10
_ENTRANCES: Final = frozenset({9, 11})
_OF_FANS: Final = frozenset({10, 11})

# Keys of banners, in small letters.
_BECAME_SUPER_FAN: Final = "ttlive_superfan_commentnotif_someonebecamesuperfan"
_SUPER_FAN_CAME: Final = "ttlive_superfan_commentnotif_superfanjoined"
_ENTRANCE_KEYS: Final = frozenset({"pm_mt_fan_live_join", "pm_mt_alp_join_animation"})
SUPER_FAN: Final = "super fan"

# What an envelope is for: a user's diamonds or TikTok's, subscriptions, or things worth nothing
# here (portals, shells, merchandise, boxes of fan clubs).
_DIAMOND_BOXES: Final = frozenset({1, 2})
_OTHER_BOXES: Final = frozenset({3, 4, 6, 7})
_SUPER_FAN_BOX: Final = 19

_BOX_SHOWN: Final = 1
_BOX_HIDDEN: Final = 2


def member(message: schema.MemberMessage, context: MessageContext) -> list[Event]:
    """Somebody entered, or subscribed."""
    if message.action == _JOINED:
        return [_join(message.user, context, message.member_count or None)]
    if message.action == _SUBSCRIBED:
        return _subscription(message.user, context)
    context.unknown("action", message.action)
    return []


def subscriber(message: schema.SubNotifyMessage, context: MessageContext) -> list[Event]:
    """Somebody subscribed, or told for how long."""
    return _subscription(message.user, context, message.sub_month or None)


def barrage(message: schema.BarrageMessage, context: MessageContext) -> list[Event]:
    """A banner that celebrates somebody; entrances other than super fans' are told as `join`.

    An entrance is never a subscription, whatever its key says.
    """
    kind = message.msg_type
    praised = message.fans_level_param if kind in _OF_FANS else message.user_grade_param
    user = _celebrated(message, praised)
    keys = [text.key for text in (message.content, message.common_barrage_content) if text.key]
    known = {key.casefold() for key in keys}
    entrance = kind in _ENTRANCES
    if _SUPER_FAN_CAME in known or (entrance and _BECAME_SUPER_FAN in known):
        return [_join(user, context, None)]
    if _BECAME_SUPER_FAN in known:
        return _subscription(user, context, tier=SUPER_FAN)
    if kind == _BARRAGE_SUBSCRIBED:
        return _subscription(user, context)
    if kind == _BARRAGE_GIFTED:
        giver = user_person(user, context.room.owner_id)
        return [_given(giver, None, None, rendered(message.content), context)]
    if kind in (_BARRAGE_LEVEL, _BARRAGE_FAN_LEVEL):
        milestone = Milestone(
            category="fan_level" if kind in _OF_FANS else "level",
            value=praised.level,
            user=user_person(user, context.room.owner_id),
        )
        return [context.event(milestone)]
    if entrance:
        context.leave_out("entrance")
    strange = [key for key in keys if key.casefold() not in _ENTRANCE_KEYS]
    for key in dict.fromkeys(strange):
        context.unknown("key", key)
    if not entrance and not strange:
        context.unknown("msg_type", kind)
    return []


def envelope(message: schema.EnvelopeMessage, context: MessageContext) -> list[Event]:
    """A box for those who are there; its removal is left out."""
    box = message.envelope_info
    if message.display == _BOX_HIDDEN:
        context.leave_out("hidden")
        return []
    if message.display != _BOX_SHOWN:
        context.unknown("display", message.display)
        return []
    text = rendered(message.common.display_text)
    giver = _box_giver(message, context)
    if box.business_type == _SUPER_FAN_BOX:
        count = box.super_fan_count or None
        return [_given(giver, count, SUPER_FAN, text, context, box.envelope_id)]
    params = {"people": str(box.people_count)}
    if box.business_type in _DIAMOND_BOXES:
        kind = "treasure_box"
        params |= {"value": str(box.diamond_count), "currency": "DIAMONDS"}
    else:
        if box.business_type not in _OTHER_BOXES:
            context.unknown("business_type", box.business_type)
        kind = context.method
        params["business_type"] = str(box.business_type)
    data = Notice(user=giver, text=text, platform_kind=kind, params=params)
    return [context.event(data, box.envelope_id)]


def _box_giver(message: schema.EnvelopeMessage, context: MessageContext) -> Person | None:
    """Who gave a box: the person of its text, or else an id and a handle."""
    user = person_in(message.common.display_text)
    if user is not None:
        return user_person(user, context.room.owner_id)
    box = message.envelope_info
    if not (box.send_user_id or box.send_user_name):
        return None
    return Person(box.send_user_id or None, box.send_user_name or None, None)


def _celebrated(message: schema.BarrageMessage, praised: schema.BarrageUser) -> schema.User:
    """Whom a banner celebrates; now and then only its text says so."""
    for user in (message.user, praised.user):
        if user.id:
            return user
    texts = message.content, message.common_barrage_content, message.common.display_text
    return person_in(*texts) or message.user


def _join(user: schema.User, context: MessageContext, viewers: int | None) -> Event:
    return context.event(Join(user=user_person(user, context.room.owner_id), viewers=viewers))


def _subscription(
    user: schema.User, context: MessageContext, months: int | None = None, tier: str | None = None
) -> list[Event]:
    """One subscription is told by up to three kinds of message: its id is the subscriber."""
    data = Subscription(
        user=user_person(user, context.room.owner_id),
        status="renewed" if months is not None and months > 1 else "new",
        months=months,
        tier=tier,
        gifted=False,
    )
    return [context.event(data, str(user.id) if user.id else "")]


def _given(
    giver: Person | None,
    count: int | None,
    tier: str | None,
    text: str,
    context: MessageContext,
    event_id: str = "",
) -> Event:
    """Subscriptions for others; their price is not told."""
    data = Gift(
        gift_type="subscription",
        user=giver,
        text=text or UNSET,
        recipient=None,
        count=count,
        tier=tier,
    )
    return context.event(data, event_id)
