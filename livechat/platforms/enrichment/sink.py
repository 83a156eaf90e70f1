# SPDX-License-Identifier: MIT
"""The enrichment stage of one watched chat: between its watcher and its channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zope.interface import implementer

from livechat.core.ports import IEventSink, Recovery
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo
from livechat.platforms.enrichment.enrich import enriched
from livechat.platforms.enrichment.rooms import Room, Rooms
from livechat.platforms.steps import Steps

#: Most rooms of one chat that are held at once: its own, and those whose messages are mirrored.
MAX_ROOMS: Final = 10


def room_of(event: Event) -> str:
    """The room in which something was written: of a mirrored message its source; empty: unknown."""
    if isinstance(event, ChatMessage):
        return event.data.metadata.source_room_id or event.room_id
    return event.data.source_room_id or event.room_id


@implementer(IEventSink)
class EnrichingSink:
    """Passes on what the watcher reports, in the same order and at once, with pictures.

    :param channel: for logs.
    :param find_room: whose pictures an event has: a room's id, or empty for those of all rooms.
    """

    def __init__(
        self,
        channel: str,
        sink: IEventSink,
        rooms: Rooms,
        steps: Steps,
        find_room: Callable[[Event], str] = room_of,
    ) -> None:
        self._channel = channel
        self._sink = sink
        self._rooms = rooms
        self._steps = steps
        self._find_room = find_room
        # Those that are held; the one that was used last stands last.
        self._held: dict[str, Room] = {}
        self._is_closed = False

    def close(self) -> None:
        """Hold no room any more; idempotent."""
        self._is_closed = True
        held, self._held = self._held, {}
        for room in held.values():
            self._rooms.release(room)

    # IEventSink

    @property
    def received_until(self) -> float | None:
        """See `IEventSink`."""
        return self._sink.received_until

    def queued(self) -> None:
        """See `IEventSink`."""
        self._sink.queued()

    def recovered(self, recovery: Recovery) -> None:
        """See `IEventSink`."""
        self._sink.recovered(Recovery(self._all(recovery.events), recovery.extent))

    def received(self, events: Sequence[Event]) -> None:
        """See `IEventSink`."""
        self._sink.received(self._all(events))

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        self._sink.interrupted(reason, since)

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self._sink.resumed(info)

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self._sink.ended(error)

    def _all(self, events: Sequence[Event]) -> Sequence[Event]:
        return [self._one(event) for event in events]

    def _one(self, event: Event) -> Event:
        """The event with its pictures; a mistake of ours costs no more than these."""
        try:
            room_id = self._find_room(event)
            if not room_id:
                return enriched(event, self._rooms.dictionary)
            room = self._held.get(room_id) or self._hold(room_id)
            return event if room is None else enriched(event, room.dictionary)
        except Exception:
            self._steps.failed(self._channel)
            return event

    def _hold(self, room_id: str) -> Room | None:
        if self._is_closed:
            return None
        if len(self._held) >= MAX_ROOMS:
            # Not the first: that is the chat's own.
            second = list(self._held)[1]
            self._rooms.release(self._held.pop(second))
        self._held[room_id] = room = self._rooms.hold(room_id)
        return room
