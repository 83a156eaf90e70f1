# SPDX-License-Identifier: MIT
"""Webcast messages to events: the translator of one room.

Total: whatever arrives, nothing here raises.  A message that cannot be read or is of an unknown
method costs itself and is counted by name, and so are parts of known messages that nobody knows;
what is known and left out on purpose is counted apart from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

from google.protobuf.message import Message
from msgspec import Struct

from livechat.model.event_data import Like, Stream
from livechat.model.events import Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse import comments, other_events, subscriptions
from livechat.platforms.tiktok.parse.authors import user_person
from livechat.platforms.tiktok.parse.counts import LEFT_OUT, Counts
from livechat.platforms.tiktok.parse.drift import MAX_LOOK, unknown_parts
from livechat.platforms.tiktok.parse.gifts import GiftSeen, GiftStreaks, gift_event
from livechat.platforms.tiktok.parse.message_context import MessageContext, Room, context_of
from livechat.platforms.tiktok.parse.webcast import Envelope, decode

#: A message's schema and what it means.
_Reading = tuple[type[Message], Callable[[Any, MessageContext], "list[Event]"]]

#: So many messages of a method are looked through for what is new in them, and then one in so many.
SAMPLE_FIRST: Final = 8
SAMPLE_EVERY: Final = 128

#: What means the same whatever came before it, by method.
_READINGS: Final[Mapping[str, _Reading]] = {
    "RoomMessage": (schema.SystemMessage, other_events.system),
    "WebcastBarrageMessage": (schema.BarrageMessage, subscriptions.barrage),
    "WebcastChatMessage": (schema.ChatMessage, comments.comment),
    "WebcastEmoteChatMessage": (schema.EmoteChatMessage, comments.sticker),
    "WebcastEnvelopeMessage": (schema.EnvelopeMessage, subscriptions.envelope),
    "WebcastGoalUpdateMessage": (schema.GoalUpdateMessage, other_events.goal),
    "WebcastImDeleteMessage": (schema.ImDeleteMessage, other_events.deletion),
    "WebcastLiveIntroMessage": (schema.LiveIntroMessage, other_events.intro),
    "WebcastMemberMessage": (schema.MemberMessage, subscriptions.member),
    "WebcastNoticeMessage": (schema.NoticeMessage, other_events.notice),
    "WebcastPollMessage": (schema.PollMessage, other_events.poll),
    "WebcastQuestionNewMessage": (schema.QuestionNewMessage, other_events.question),
    "WebcastRoomMessage": (schema.RoomMessage, other_events.room),
    "WebcastRoomPinMessage": (schema.RoomPinMessage, other_events.pin),
    "WebcastRoomUserSeqMessage": (schema.RoomUserSeqMessage, other_events.viewers),
    "WebcastSocialMessage": (schema.SocialMessage, other_events.social),
    "WebcastSubNotifyMessage": (schema.SubNotifyMessage, subscriptions.subscriber),
    "WebcastSystemMessage": (schema.SystemMessage, other_events.system),
    "WebcastUnauthorizedMemberMessage": (schema.UnauthorizedMemberMessage, other_events.visitor),
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
    :ivar counts: what was unknown, unreadable or left out.
    :ivar state: what became of the stream, if the batch says; an end outlasts what follows it.
    """

    events: list[Event]
    counts: Counts
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
        self._seen: dict[str, int] = {}
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
        translation = Translation([], Counts())
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
        method, counts = envelope.method, translation.counts
        reading = self._readings.get(method)
        if reading is None:
            (counts.leave_out if method in LEFT_OUT else counts.unknown)(method)
            return
        if envelope.is_history and method == _CONTROL:
            # What was said before we came tells nothing about the stream as it is now.
            counts.leave_out(f"{method} history")
            return
        kind, meaning = reading
        message: Any = decode(kind, envelope.payload)
        if message is None:
            counts.unknown(f"{method} unreadable")
            return
        if len(envelope.payload) <= MAX_LOOK:
            self._look_for_news(message, method, counts)
        context = context_of(self._room, envelope, message.common, now, seconds, counts)
        translation.events += meaning(message, context)
        over = translation.state is not None and translation.state.over
        if method == _CONTROL and not over:
            translation.state = _STATES.get(message.action, translation.state)

    def _look_for_news(self, message: Message, method: str, counts: Counts) -> None:
        """Count what is unknown in a message, if it belongs to the sample."""
        seen = self._seen[method] = self._seen.get(method, 0) + 1
        if seen <= SAMPLE_FIRST or seen % SAMPLE_EVERY == 0:
            for name in sorted(unknown_parts(message, method)):
                counts.unknown(name)

    def _gift(self, message: schema.GiftMessage, context: MessageContext) -> list[Event]:
        """Gifts that are whole now: none in the middle of a streak."""
        return [gift_event(gift) for gift in self._streaks.take(GiftSeen(context, message))]

    def _like(self, message: schema.LikeMessage, context: MessageContext) -> list[Event]:
        """Likes.

        The platform's total jumps back and forth between its machines; ours only grows.
        """
        self._likes = max(self._likes, message.total)
        user = user_person(message.user, context.room.owner_id)
        return [context.event(Like(user=user, count=message.count, total=self._likes))]


def _pause(message: schema.ControlMessage, context: MessageContext) -> list[Event]:
    """The stream paused or went on.  Its end is no event of its own."""
    state = _STATES.get(message.action)
    if state is None:
        context.unknown("action", message.action)
        return []
    if state.over:
        return []
    paused = state is StreamState.PAUSED
    return [context.event(Stream(status="paused" if paused else "resumed"))]
