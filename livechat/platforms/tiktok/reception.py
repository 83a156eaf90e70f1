# SPDX-License-Identifier: MIT
"""What one connection to a room brings: the state of the room, and its frames as events.

    state      answer     message    patience over
    Waiting    Answered   Seeing     Overdue
    Answered   Answered   Seeing     Blind
    Overdue    Blind      Seeing     Overdue
    Blind      Blind      Seeing     Blind
    Seeing     Seeing     Seeing     Seeing

A start succeeds when the room is seen, or when it turns out to be blind: the server answers our
heartbeats and shows nothing.  A watch that has started is not resumed by a blind room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.metrics import Metrics
from livechat.model.events import LiveInfo
from livechat.platforms.tiktok.connection import FrameSource
from livechat.platforms.tiktok.parse.answers import Live
from livechat.platforms.tiktok.parse.chat import StreamState, Translator
from livechat.platforms.tiktok.parse.webcast import Batch, Push
from livechat.platforms.watch import Watch
from livechat.platforms.watch_states import State

#: Seconds after which an open socket that has only answered heartbeats is as good as it gets; and
#: how long before the start's deadline that is decided at the latest.
QUIET_START: Final = 10.0
MARGIN: Final = 0.5


class Sight(Enum):
    """What is seen of a room."""

    WAITING = "waiting"
    ANSWERED = "answered"
    OVERDUE = "overdue"
    BLIND = "blind"
    SEEING = "seeing"


class Sign(Enum):
    """What changes that."""

    ANSWER = "answer"
    MESSAGE = "message"
    PATIENCE_OVER = "patience over"


#: By state and sign: the next state.
TRANSITIONS: Final[Mapping[tuple[Sight, Sign], Sight]] = {
    (Sight.WAITING, Sign.ANSWER): Sight.ANSWERED,
    (Sight.WAITING, Sign.MESSAGE): Sight.SEEING,
    (Sight.WAITING, Sign.PATIENCE_OVER): Sight.OVERDUE,
    (Sight.ANSWERED, Sign.ANSWER): Sight.ANSWERED,
    (Sight.ANSWERED, Sign.MESSAGE): Sight.SEEING,
    (Sight.ANSWERED, Sign.PATIENCE_OVER): Sight.BLIND,
    (Sight.OVERDUE, Sign.ANSWER): Sight.BLIND,
    (Sight.OVERDUE, Sign.MESSAGE): Sight.SEEING,
    (Sight.OVERDUE, Sign.PATIENCE_OVER): Sight.OVERDUE,
    (Sight.BLIND, Sign.ANSWER): Sight.BLIND,
    (Sight.BLIND, Sign.MESSAGE): Sight.SEEING,
    (Sight.BLIND, Sign.PATIENCE_OVER): Sight.BLIND,
    (Sight.SEEING, Sign.ANSWER): Sight.SEEING,
    (Sight.SEEING, Sign.MESSAGE): Sight.SEEING,
    (Sight.SEEING, Sign.PATIENCE_OVER): Sight.SEEING,
}


class Reception:
    """One connection to a room, from entering it until it is lost (`FrameReceiver`).

    :param translator: of the room, which outlives the connection.
    :param tap: given each frame as it came.
    :param history: whether messages that were said before we came are passed on.
    :ivar live: the room.
    :ivar announced: the end of the stream, if the room has announced it.
    """

    def __init__(
        self,
        watch: Watch,
        live: Live,
        translator: Translator,
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
        self._feed: FrameSource | None = None
        self._patience: IDelayedCall | None = None

    @property
    def is_seeing(self) -> bool:
        """Whether the room has shown something."""
        return self._sight is Sight.SEEING

    async def listen(self, feed: FrameSource) -> str:
        """Take what a feed brings until it is lost, and say why it was."""
        self._feed = feed
        seconds = max(0.0, min(QUIET_START, self._watch.claim.left - MARGIN))
        self._patience = self._clock.callLater(seconds, self._on, Sign.PATIENCE_OVER)
        if self.announced is not None:
            # By what came before the feed was ready.
            feed.drop("the stream has ended")
        try:
            return await feed.lost
        finally:
            self._feed = None
            if self._patience.active():
                self._patience.cancel()
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
            self._on(Sign.MESSAGE)
            self.batch_received(push.batch)
        else:
            self._count(self._metrics.count_unparsed, push.batch.dropped)
            self._on(Sign.ANSWER)

    def batch_received(self, batch: Batch) -> None:
        """See `FrameReceiver`."""
        if self._watch.state is State.OVER:
            return
        messages = batch.messages
        if not self._history:
            messages = [message for message in messages if not message.is_history]
        translation = self._translator.translate(
            messages, int(self._now() * 1000), self._clock.seconds()
        )
        self._count(self._metrics.count_unparsed, batch.dropped)
        self._count(self._metrics.count_unparsed, translation.counts.unparsed)
        self._count(self._metrics.count_ignored, translation.counts.ignored)
        self._watch.received(translation.events)
        if translation.state is not None and translation.state.over:
            self.announced = translation.state
            self.drop("the stream has ended")

    def unreadable(self, name: str) -> None:
        """See `FrameReceiver`."""
        self._metrics.count_unparsed(self._watch.key.platform, name)
        self._on(Sign.ANSWER)

    def _on(self, sign: Sign) -> None:
        before, self._sight = self._sight, TRANSITIONS[self._sight, sign]
        if self._sight is before:
            return
        is_news = self._sight is Sight.BLIND and not self._watch.has_started
        if self.is_seeing or is_news:
            self._watch.flows(LiveInfo(self.live.room_id, receiving=self.is_seeing))

    def _count(self, count: Callable[[str, str, int], None], names: Mapping[str, int]) -> None:
        for name, amount in names.items():
            count(self._watch.key.platform, name, amount)
