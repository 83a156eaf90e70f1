# SPDX-License-Identifier: MIT
"""One of several lives of a channel that are watched at once: the sink of its watch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from zope.interface import implementer

from livechat.core.ports import IEventSink, IWatcher, Recovery
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError
from livechat.model.event_data import Gap
from livechat.model.events import ChannelEvent, Event, LiveInfo, iso_time, item_of
from livechat.platforms.watch import State, Watch

#: How many of the last messages and events are known again.
_KNOWN: Final = 500

_NOTHING: Final = Recovery((), "some")


class Owner(Protocol):
    """All lives of the channel."""

    @property
    def watch(self) -> Watch:
        """What they report to."""

    @property
    def sink(self) -> IEventSink:
        """Where it all goes in the end."""

    def changed(self) -> None:
        """Something has changed about one of them."""

    def ended(self, live: Live, error: ChatError) -> None:
        """One of them is over."""

    def told(self) -> None:
        """Its chat has told of another stream."""


@implementer(IEventSink)
class Live:
    """One live.

    :ivar watcher: reads its chat.
    :ivar info: what is known of it; None until its chat flows.
    :ivar lost: why its chat cannot be read, and since when; None: it can.
    :param until: see `IEventSink.received_until`.
    :param now: wall time in seconds.
    """

    watcher: IWatcher

    def __init__(
        self, live_id: str, owner: Owner, until: float | None, now: Callable[[], float]
    ) -> None:
        self.live_id = live_id
        self.info: LiveInfo | None = None
        self.lost: tuple[str, float] | None = None
        self.received_until = until
        self._owner = owner
        self._now = now
        self._recovery: Recovery | None = None
        self._known: deque[str] = deque(maxlen=_KNOWN)

    def started(self, info: LiveInfo) -> None:
        """Its chat flows for the first time."""
        self.info = info
        recovery, self._recovery = self._recovery, None
        self._owner.changed()
        if recovery is not None and recovery.events:
            # Others began before: for these there is no time any more that was missed.
            self.received(recovery.events)

    # IEventSink

    def queued(self) -> None:
        """See `IEventSink`."""
        self._owner.sink.queued()

    def recovered(self, recovery: Recovery) -> None:
        """See `IEventSink`."""
        if self._owner.watch.state is State.FLOWING:
            self._recovery = recovery
        else:
            self._owner.watch.recovered(recovery.events, recovery.extent)

    def received(self, events: Sequence[Event]) -> None:
        """See `IEventSink`."""
        self._know(events)
        self._owner.watch.received(events)
        if any(not isinstance(event, ChatMessage) and event.type == "raid" for event in events):
            self._owner.told()

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        self.lost = (reason, self._now() if since is None else since)
        self._owner.changed()

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self.info = info
        lost, self.lost = self.lost, None
        recovery, self._recovery = self._recovery, None
        if lost is not None and self._owner.watch.state is State.FLOWING:
            self._owner.watch.received(self._missed(lost[1], recovery or _NOTHING))
        self._owner.changed()

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self._owner.ended(self, error)

    def _missed(self, since: float, recovery: Recovery) -> list[Event]:
        """The time in which only this chat could not be read, and what was recovered of it."""
        now = iso_time(round(self._now() * 1000))
        begin = min(iso_time(round(since * 1000)), now)
        known = set(self._known)
        reaches_back = any(item_of(event) in known for event in recovery.events)
        filled = recovery.extent == "all" or (recovery.extent == "latest" and reaches_back)
        gap = Gap(start=begin, end=now, reason="upstream", filled=filled)
        event_id = f"{self.live_id}-{round(self._now() * 1000)}"
        self._know(recovery.events)
        return [ChannelEvent.of(gap, "youtube", now, event_id, self.live_id), *recovery.events]

    def _know(self, events: Sequence[Event]) -> None:
        self._known.extend(map(item_of, events))
