# SPDX-License-Identifier: MIT
"""What a room says of the time before we entered it: its last comments.

They fill the time for which a room was lost or not watched.  At a first start they are history, and
nothing new (docs/wire/tiktok.md#history).
"""

from __future__ import annotations

from collections.abc import Iterable

from livechat.core.ports import Extent
from livechat.core.recent_ids import RecentIds
from livechat.model.chat import ChatMessage
from livechat.model.events import Event, item_of


class Past:
    """The history that one connection to a room brings.

    :param comments: the last comments of the room that were passed on.
    :param entered: when the room was entered, ISO 8601 UTC.
    :param missed: whether part of the room's chat may have been missed, because it was watched
        before.
    """

    def __init__(self, comments: RecentIds, entered: str, *, missed: bool) -> None:
        self._comments = comments
        self._entered = entered
        self._missed = missed
        self._events: dict[str, Event] = {}
        self._reaches_back = False

    @property
    def missed(self) -> bool:
        """Whether it is worth waiting for."""
        return self._missed

    def __bool__(self) -> bool:
        """Whether the room has given any."""
        return bool(self._events) or self._reaches_back

    def add(self, events: Iterable[Event]) -> None:
        """What the room said of the time before, until messages flow."""
        for event in events:
            if self._missed and self._knows(event):
                self._reaches_back = True
            else:
                self._events.setdefault(item_of(event), event)

    def taken(self) -> tuple[list[Event], Extent]:
        """What is new of it, oldest first, and how much of what was missed it is.

        A room gives its last comments without a hole.  So where one of them is known, all that
        were made after that one are there.
        """
        events = sorted(self._events.values(), key=_time)
        self._events = {}
        self.pass_on(events)
        return events, "all" if self._reaches_back else "latest"

    def late(self, events: Iterable[Event]) -> list[Event]:
        """What to pass on of history that comes when messages already flow.

        At a first start that is what was said since the room was entered.
        """
        found = [
            event
            for event in events
            if not self._knows(event) and (self._missed or event.timestamp >= self._entered)
        ]
        self.pass_on(found)
        return found

    def pass_on(self, events: Iterable[Event]) -> None:
        """Remember comments that are passed on."""
        for event in events:
            if isinstance(event, ChatMessage):
                self._comments.seen(event.message_id)

    def _knows(self, event: Event) -> bool:
        return isinstance(event, ChatMessage) and event.message_id in self._comments


def _time(event: Event) -> str:
    return event.timestamp
