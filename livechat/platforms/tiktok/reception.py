# SPDX-License-Identifier: MIT
"""What one connection to a room brings: the state of the room, and its frames as events.

    state      answer     message    whole      patience over
    Waiting    Answered   Entered    Seeing     Overdue
    Answered   Answered   Entered    Seeing     Blind
    Overdue    Blind      Entered    Seeing     Overdue
    Blind      Blind      Entered    Seeing     Blind
    Entered    Entered    Seeing     Seeing     Seeing
    Seeing     Seeing     Seeing     Seeing     Seeing

A message is whole when no history is awaited with it: it has come, or nothing was missed.  A room
that we have entered and whose history is awaited is resumed with its next message, or soon.

A start succeeds when the room is seen, or when it turns out to be blind: the server answers our
heartbeats and shows nothing.  A watch that has started is not resumed by a blind room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.recent_ids import RecentIds
from livechat.metrics import Metrics
from livechat.model.events import LiveInfo, iso_time
from livechat.platforms.tiktok.connection import FrameSource
from livechat.platforms.tiktok.parse.answers import Live
from livechat.platforms.tiktok.parse.chat import StreamState, Translation, Translator
from livechat.platforms.tiktok.parse.webcast import Batch, Envelope, Push
from livechat.platforms.tiktok.past import Past
from livechat.platforms.watch import Watch
from livechat.platforms.watch_states import State

#: Seconds after which an open socket that has only answered heartbeats is as good as it gets; and
#: how long before the start's deadline that is decided at the latest.
QUIET_START: Final = 10.0
MARGIN: Final = 0.5

#: Seconds for which the history of a room is awaited that was missed: it is not known in which
#: frame it comes.
HISTORY_WAIT: Final = 2.0


class Sight(Enum):
    """What is seen of a room."""

    WAITING = "waiting"
    ANSWERED = "answered"
    OVERDUE = "overdue"
    BLIND = "blind"
    ENTERED = "entered"
    SEEING = "seeing"


class Sign(Enum):
    """What changes that."""

    ANSWER = "answer"
    MESSAGE = "message"
    WHOLE = "whole message"
    PATIENCE_OVER = "patience over"


#: By state and sign: the next state.
TRANSITIONS: Final[Mapping[tuple[Sight, Sign], Sight]] = {
    (Sight.WAITING, Sign.ANSWER): Sight.ANSWERED,
    (Sight.WAITING, Sign.MESSAGE): Sight.ENTERED,
    (Sight.WAITING, Sign.WHOLE): Sight.SEEING,
    (Sight.WAITING, Sign.PATIENCE_OVER): Sight.OVERDUE,
    (Sight.ANSWERED, Sign.ANSWER): Sight.ANSWERED,
    (Sight.ANSWERED, Sign.MESSAGE): Sight.ENTERED,
    (Sight.ANSWERED, Sign.WHOLE): Sight.SEEING,
    (Sight.ANSWERED, Sign.PATIENCE_OVER): Sight.BLIND,
    (Sight.OVERDUE, Sign.ANSWER): Sight.BLIND,
    (Sight.OVERDUE, Sign.MESSAGE): Sight.ENTERED,
    (Sight.OVERDUE, Sign.WHOLE): Sight.SEEING,
    (Sight.OVERDUE, Sign.PATIENCE_OVER): Sight.OVERDUE,
    (Sight.BLIND, Sign.ANSWER): Sight.BLIND,
    (Sight.BLIND, Sign.MESSAGE): Sight.ENTERED,
    (Sight.BLIND, Sign.WHOLE): Sight.SEEING,
    (Sight.BLIND, Sign.PATIENCE_OVER): Sight.BLIND,
    (Sight.ENTERED, Sign.ANSWER): Sight.ENTERED,
    (Sight.ENTERED, Sign.MESSAGE): Sight.SEEING,
    (Sight.ENTERED, Sign.WHOLE): Sight.SEEING,
    (Sight.ENTERED, Sign.PATIENCE_OVER): Sight.SEEING,
    (Sight.SEEING, Sign.ANSWER): Sight.SEEING,
    (Sight.SEEING, Sign.MESSAGE): Sight.SEEING,
    (Sight.SEEING, Sign.WHOLE): Sight.SEEING,
    (Sight.SEEING, Sign.PATIENCE_OVER): Sight.SEEING,
}


class Reception:
    """One connection to a room, from entering it until it is lost (`FrameReceiver`).

    :param translator: of the room, which outlives the connection.
    :param comments: the last comments of the room that were passed on; they outlive it, too.
    :param tap: given each frame as it came.
    :param history: whether messages that were said before we came are passed on.
    :ivar live: the room.
    :ivar announced: the end of the stream, if the room has announced it.
    :ivar heard: when the room sent messages last, in seconds since 1970; None: never.
    """

    def __init__(
        self,
        watch: Watch,
        live: Live,
        translator: Translator,
        comments: RecentIds,
        *,
        clock: IReactorTime,
        now: Callable[[], float],
        metrics: Metrics,
        tap: Callable[[bytes], None],
        history: bool,
    ) -> None:
        self.announced: StreamState | None = None
        self._sight = Sight.WAITING
        self._watch = watch
        self.live = live
        self._translator = translator
        self._clock = clock
        self._now = now
        self._metrics = metrics
        self._tap = tap
        self._history = history
        missed = watch.has_started or watch.received_until is not None
        entered = iso_time(round(now() * 1000))
        self._past = Past(comments, entered, missed=missed and history)
        self.heard: float | None = None
        self._feed: FrameSource | None = None
        self._patience: IDelayedCall | None = None

    @property
    def is_seeing(self) -> bool:
        """Whether the room has shown something."""
        return self._sight in (Sight.ENTERED, Sight.SEEING)

    async def listen(self, feed: FrameSource) -> str:
        """Take what a feed brings until it is lost, and say why it was."""
        self._feed = feed
        if not self.is_seeing:
            self._have_patience(QUIET_START)
        if self.announced is not None:
            # By what came before the feed was ready.
            feed.drop("the stream has ended")
        try:
            return await feed.lost
        finally:
            self._feed = None
            self._lose_patience()
            feed.drop("left")

    def drop(self, reason: str) -> None:
        """End the connection, if it is open."""
        if self._feed is not None:
            self._feed.drop(reason)

    # What the source brings (`FrameReceiver`).

    def raw_received(self, data: bytes) -> None:
        """See `FrameReceiver`."""
        self._tap(data)

    def frame_received(self, push: Push) -> None:
        """See `FrameReceiver`."""
        if push.carries:
            self.heard = self._now()
            self._take(push.batch, self._frame_is_whole)
        else:
            self._count(self._metrics.count_unparsed, push.batch.dropped)
            self._on(Sign.ANSWER)

    def batch_received(self, batch: Batch) -> None:
        """See `FrameReceiver`."""
        self._take(batch, lambda: None)

    def unreadable(self, name: str) -> None:
        """See `FrameReceiver`."""
        self._metrics.count_unparsed(self._watch.key.platform, name)
        self._on(Sign.ANSWER)

    def _take(self, batch: Batch, entered: Callable[[], None]) -> None:
        """Pass on what a batch brings: what was said before we came first.

        :param entered: called in between.
        """
        if self._watch.state is State.OVER:
            return
        self._count(self._metrics.count_unparsed, batch.dropped)
        present = batch.messages
        past = [message for message in present if message.is_history]
        if past:
            present = [message for message in present if not message.is_history]
            if self._history:
                self._take_past(past)
        entered()
        translation = self._translate(present)
        self._past.pass_on(translation.events)
        self._watch.received(translation.events)
        if translation.state is not None and translation.state.over:
            self.announced = translation.state
            self.drop("the stream has ended")

    def _take_past(self, messages: list[Envelope]) -> None:
        events = self._translate(messages).events
        if self._watch.state is State.FLOWING:
            self._watch.received(self._past.late(events))
        else:
            self._past.add(events)

    def _translate(self, messages: list[Envelope]) -> Translation:
        translation = self._translator.translate(
            messages, int(self._now() * 1000), self._clock.seconds()
        )
        self._count(self._metrics.count_unparsed, translation.counts.unparsed)
        self._count(self._metrics.count_ignored, translation.counts.ignored)
        return translation

    def _frame_is_whole(self) -> None:
        """The room has shown something, and perhaps its history."""
        awaited = self._past.missed and not self._past and self._watch.state is not State.FLOWING
        self._on(Sign.MESSAGE if awaited else Sign.WHOLE)

    def _on(self, sign: Sign) -> None:
        before, self._sight = self._sight, TRANSITIONS[self._sight, sign]
        if self._sight is before:
            return
        match self._sight:
            case Sight.ENTERED:
                self._have_patience(HISTORY_WAIT)
            case Sight.SEEING:
                if self._past or self._past.missed:
                    self._watch.recovered(*self._past.taken())
                self._watch.flows(LiveInfo(self.live.room_id, receiving=True))
            case Sight.BLIND if not self._watch.has_started:
                self._watch.flows(LiveInfo(self.live.room_id, receiving=False))

    def _have_patience(self, seconds: float) -> None:
        self._lose_patience()
        left = max(0.0, min(seconds, self._watch.claim.left - MARGIN))
        self._patience = self._clock.callLater(left, self._on, Sign.PATIENCE_OVER)

    def _lose_patience(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()

    def _count(self, count: Callable[[str, str, int], None], names: Mapping[str, int]) -> None:
        for name, amount in names.items():
            count(self._watch.key.platform, name, amount)
