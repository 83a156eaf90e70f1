# SPDX-License-Identifier: MIT
"""Gifts: each told once, when its streak is over, also when the message that ends it is lost.

A streak repeats its message with a rising count and ends with one that says so, one to four seconds
after the last (docs/wire/tiktok.md#gifts).  Time is handed in; nothing here waits.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from msgspec import UNSET, Struct

from livechat.model.event_data import Gift, Price
from livechat.model.events import ChannelEvent
from livechat.platforms.tiktok.parse.authors import image_url, user_person
from livechat.platforms.tiktok.parse.message_context import MessageContext, Room, rendered
from livechat.platforms.tiktok.webcast_pb2 import GiftMessage

#: Seconds without a sign after which a streak is over.
STREAK_IDLE: Final = 15.0

#: Seconds for which a finished streak is remembered, so that a straggler does not begin it anew.
_REMEMBERED: Final = 120.0

#: Most streaks that are held open, and most finished ones that are remembered.
_MAX_OPEN: Final = 1024
_MAX_FINISHED: Final = 4096

#: Kind of gift that streaks; others are whole in one message.
_STREAKABLE: Final = 1

_Key = tuple[int, int, int]


class GiftSeen(Struct, frozen=True):
    """One gift message in its context."""

    context: MessageContext
    message: GiftMessage


class _Open(Struct):
    """A streak under way: its message with the highest count, and when it last moved."""

    gift: GiftSeen
    touched: float


class GiftStreaks:
    """The streaks of one room: takes gift messages, gives finished gifts."""

    def __init__(self) -> None:
        # Both in order of time, oldest first.
        self._open: OrderedDict[_Key, _Open] = OrderedDict()
        self._finished: OrderedDict[_Key, float] = OrderedDict()

    def take(self, gift: GiftSeen) -> list[GiftSeen]:
        """The gifts that this message finished: none in the middle of a streak."""
        seconds = gift.context.seconds
        key = _streak(gift.message)
        if key is None:
            return [gift]
        if key in self._finished:
            return []
        streak = self._open.pop(key, None)
        if streak is not None and streak.gift.message.repeat_count > gift.message.repeat_count:
            best = streak.gift
        else:
            best = gift
        if gift.message.repeat_end:
            self._finish(key, seconds)
            return [best]
        self._open[key] = _Open(best, seconds)
        return [self._finish_oldest(seconds)] if len(self._open) > _MAX_OPEN else []

    def idle(self, seconds: float) -> list[GiftSeen]:
        """The gifts whose streaks have been silent for too long: their end was lost.

        :param seconds: monotonic time.
        """
        finished: list[GiftSeen] = []
        while self._open and seconds - next(iter(self._open.values())).touched >= STREAK_IDLE:
            finished.append(self._finish_oldest(seconds))
        while self._finished and (
            len(self._finished) > _MAX_FINISHED
            or seconds - next(iter(self._finished.values())) >= _REMEMBERED
        ):
            self._finished.popitem(last=False)
        return finished

    def rest(self, seconds: float) -> list[GiftSeen]:
        """All gifts under way: the stream is over."""
        return [self._finish_oldest(seconds) for _ in range(len(self._open))]

    def _finish_oldest(self, seconds: float) -> GiftSeen:
        key, streak = self._open.popitem(last=False)
        self._finish(key, seconds)
        return streak.gift

    def _finish(self, key: _Key, seconds: float) -> None:
        self._finished[key] = seconds


def gift_event(seen: GiftSeen) -> ChannelEvent:
    """A finished gift."""
    message = seen.message
    key = _streak(message)
    data = gift_data(message, seen.context.room)
    return seen.context.event(data, "-".join(map(str, key)) if key else "")


def gift_data(message: GiftMessage, room: Room) -> Gift:
    """What was given, by whom and to whom, how many, and the price of all together.

    The recipient is a guest of the stream; a gift to the streamer has none.  Viewers see diamonds
    as coins.
    """
    kind = message.gift
    value = _value(message)
    shown = rendered(message.common.display_text)
    return Gift(
        gift_type="virtual",
        user=user_person(message.user, room.owner_id, message.user_identity),
        text=shown or UNSET,
        recipient=user_person(message.to_user, room.owner_id) if message.to_user.id else None,
        count=max(message.repeat_count, 1),
        name=kind.name or None,
        image_url=image_url(kind.image) or image_url(kind.icon),
        price=Price(value, "DIAMONDS", None) if value else None,
        item_id=str(message.gift_id or kind.id),
    )


def _value(message: GiftMessage) -> int:
    """Diamonds of all together; 0 when the message does not name the price."""
    count = max(message.repeat_count, 1)
    return message.gift.diamond_count * count * max(message.group_count, 1)


def _streak(message: GiftMessage) -> _Key | None:
    """What the messages of one streak have in common; None when the gift is whole in one message.

    The group is a time in milliseconds, so two people can have the same.
    """
    if not message.group_id or message.gift.type not in (0, _STREAKABLE):
        return None
    return message.group_id, message.user.id, message.gift_id
