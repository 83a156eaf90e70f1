# SPDX-License-Identifier: MIT
"""Webcast messages to events: the translator of one room.

Total: whatever arrives, nothing here raises.  A message that cannot be read, is of an unknown
method or means nothing that has a kind costs itself and is counted by its method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

from google.protobuf.message import Message
from msgspec import Struct

from livechat.model.events import Event
from livechat.platforms.tiktok import comments, happenings
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.gifts import Gift, GiftStreaks, gift_event
from livechat.platforms.tiktok.occasion import Occasion, Room, occasion
from livechat.platforms.tiktok.people import author
from livechat.platforms.tiktok.webcast import Envelope, decode

#: A message's schema and what it means; None where it means nothing that has a kind.
_Reading = tuple[type[Message], Callable[[Any, Occasion], "list[Event] | None"]]

#: What means the same whatever came before it, by method.
_READINGS: Final[Mapping[str, _Reading]] = {
    "RoomMessage": (schema.SystemMessage, happenings.system),
    "WebcastBarrageMessage": (schema.BarrageMessage, happenings.barrage),
    "WebcastChatMessage": (schema.ChatMessage, comments.comment),
    "WebcastEmoteChatMessage": (schema.EmoteChatMessage, comments.sticker),
    "WebcastEnvelopeMessage": (schema.EnvelopeMessage, happenings.treasure_box),
    "WebcastGoalUpdateMessage": (schema.GoalUpdateMessage, happenings.goal),
    "WebcastImDeleteMessage": (schema.ImDeleteMessage, happenings.deletion),
    "WebcastLiveIntroMessage": (schema.LiveIntroMessage, happenings.intro),
    "WebcastMemberMessage": (schema.MemberMessage, happenings.member),
    "WebcastNoticeMessage": (schema.NoticeMessage, happenings.notice),
    "WebcastPollMessage": (schema.PollMessage, happenings.poll),
    "WebcastQuestionNewMessage": (schema.QuestionNewMessage, happenings.question),
    "WebcastRoomMessage": (schema.RoomMessage, happenings.room),
    "WebcastRoomPinMessage": (schema.RoomPinMessage, happenings.pin),
    "WebcastRoomUserSeqMessage": (schema.RoomUserSeqMessage, happenings.viewers),
    "WebcastSocialMessage": (schema.SocialMessage, happenings.social),
    "WebcastSubNotifyMessage": (schema.SubNotifyMessage, happenings.subscriber),
    "WebcastSystemMessage": (schema.SystemMessage, happenings.system),
    "WebcastUnauthorizedMemberMessage": (schema.UnauthorizedMemberMessage, happenings.visitor),
}


_CONTROL: Final = "WebcastControlMessage"


class StreamState(Enum):
    """What the platform says about the stream itself: the action of its control message."""

    PAUSED = 1
    RESUMED = 2
    ENDED = 3
    SUSPENDED = 4

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self is StreamState.ENDED or self is StreamState.SUSPENDED


_STATES: Final = {state.value: state for state in StreamState}


class Translation(Struct):
    """What a batch means.

    :ivar events: in the order of the batch, then gifts whose streaks are over.
    :ivar dropped: how many messages meant nothing to us, by method; for those that could not be
        read the name ends in ` unreadable`.
    :ivar state: what became of the stream, if the batch says; an end outlasts what follows it.
    """

    events: list[Event]
    dropped: dict[str, int]
    state: StreamState | None = None


class Translator:
    """Translates the messages of one room, remembering gift streaks and the number of likes.

    One translator lives as long as the room is watched, over reconnects: then a gift whose end was
    lost with a connection is still told, and told once.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._streaks = GiftStreaks()
        self._likes = 0
        self._readings: Mapping[str, _Reading] = {
            **_READINGS,
            _CONTROL: (schema.ControlMessage, _pause),
            "WebcastGiftMessage": (schema.GiftMessage, self._gift),
            "WebcastLikeMessage": (schema.LikeMessage, self._like),
        }

    def translate(self, messages: Iterable[Envelope], now: int, seconds: float) -> Translation:
        """What these messages mean, together with gifts whose streaks have gone silent.

        The gifts under way are told when the stream is over.

        :param now: wall time in milliseconds, for messages that do not say when they were sent.
        :param seconds: monotonic time.
        """
        translation = Translation([], {})
        for envelope in messages:
            self._add(translation, envelope, now, seconds)
        translation.events += self.overdue(seconds)
        if translation.state is not None and translation.state.over:
            translation.events += map(gift_event, self._streaks.rest(seconds))
        return translation

    def overdue(self, seconds: float) -> list[Event]:
        """The gifts whose streaks have gone silent; to be asked for now and then in a quiet room.

        :param seconds: monotonic time.
        """
        return [gift_event(gift) for gift in self._streaks.idle(seconds)]

    def _add(self, translation: Translation, envelope: Envelope, now: int, seconds: float) -> None:
        method = envelope.method
        reading = self._readings.get(method)
        # What was said before we came tells nothing about the stream as it is now.
        if reading is None or (envelope.is_history and method == _CONTROL):
            _count(translation.dropped, method)
            return
        kind, meaning = reading
        message: Any = decode(kind, envelope.payload)
        if message is None:
            _count(translation.dropped, f"{method} unreadable")
            return
        said = occasion(self._room, envelope, message.common, now, seconds)
        events = meaning(message, said)
        if events is None:
            _count(translation.dropped, method)
            return
        translation.events += events
        over = translation.state is not None and translation.state.over
        if method == _CONTROL and not over:
            translation.state = _STATES[message.action]

    def _gift(self, message: schema.GiftMessage, said: Occasion) -> list[Event]:
        """Gifts that are whole now: none in the middle of a streak."""
        return [gift_event(gift) for gift in self._streaks.take(Gift(said, message))]

    def _like(self, message: schema.LikeMessage, said: Occasion) -> list[Event]:
        """Likes: `author`, `count` and `total`.

        The platform's total jumps back and forth between its machines; ours only grows.
        """
        self._likes = max(self._likes, message.total)
        data = {
            "author": author(message.user, said.room.owner_id),
            "count": message.count,
            "total": self._likes,
        }
        return [said.event("like", data)]


def _pause(message: schema.ControlMessage, said: Occasion) -> list[Event] | None:
    """`stream` events: `status` (`paused` or `resumed`).  The end is no event of its own."""
    state = _STATES.get(message.action)
    if state is None:
        return None
    return [] if state.over else [said.event("stream", {"status": state.name.lower()})]


def _count(dropped: dict[str, int], name: str) -> None:
    dropped[name] = dropped.get(name, 0) + 1
