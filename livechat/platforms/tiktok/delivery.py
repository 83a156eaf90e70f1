# SPDX-License-Identifier: MIT
"""What one watch passes on to its sink: nothing before the start, each loss and return once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from livechat.core.ports import IEventSink
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo
from livechat.platforms.steps import Steps

#: Most events that are kept while the chat is not started or lost.
MAX_EARLY: Final = 2000


class Delivery:
    """The way to a sink.

    :ivar info: what the sink knows of the chat; None before the start and while the room is lost.

    :param channel: what is watched, for the log.
    :param steps: a sink that fails costs what it was given, and nothing else.
    :param dropped: told how many events are dropped because there are too many to keep.
    """

    def __init__(
        self, sink: IEventSink, channel: str, steps: Steps, dropped: Callable[[int], None]
    ) -> None:
        self.info: LiveInfo | None = None
        self._sink = sink
        self._channel = channel
        self._steps = steps
        self._dropped = dropped
        self._early: list[Event] = []

    def begin(self, info: LiveInfo, started: Callable[[LiveInfo], object]) -> None:
        """The chat has started; what came before follows.

        :param started: is called before that.
        """
        self.info = info
        started(info)
        self._flush()

    def resume(self, info: LiveInfo) -> None:
        """The chat flows, again or still; said when that is new."""
        before, self.info = self.info, info
        if before != info:
            self._steps.run(self._channel, self._sink.resumed, info)
        self._flush()

    def interrupt(self, why: str) -> None:
        """The room is lost."""
        if self.info is not None:
            self.info = None
            self._steps.run(self._channel, self._sink.interrupted, why)

    def pass_on(self, events: Sequence[Event]) -> None:
        """Events of the chat, now or as soon as it flows."""
        if not events:
            return
        if self.info is not None:
            self._steps.run(self._channel, self._sink.received, events)
            return
        room = MAX_EARLY - len(self._early)
        self._early += events[:room]
        if len(events) > room:
            self._dropped(len(events) - room)

    def end(self, rest: Sequence[Event], error: ChatError) -> None:
        """The chat is over; what is left comes first."""
        events = [*self._early, *rest]
        self.close()
        if events:
            self._steps.run(self._channel, self._sink.received, events)
        self._sink.ended(error)

    def close(self) -> None:
        """Nothing more is passed on."""
        self.info = None
        self._early = []

    def _flush(self) -> None:
        # Being told of the start may have ended the watch.
        early, self._early = self._early, []
        if self.info is not None:
            self.pass_on(early)
