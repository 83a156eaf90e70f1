# SPDX-License-Identifier: MIT
"""What of a reloaded chat is new: its answer begins with some 75 messages, minutes old at times.

They are passed on only as far as they were written since the chat has been watched; the others are
remembered, so that they do not arrive later in another answer (docs/wire/youtube.md#get_live_chat).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from livechat.model.chat import ChatMessage
from livechat.model.events import Event, iso_time

#: Kinds of events that describe the present state.  Everything else stands in the chat among the
#: messages, so that what has no time of its own is as old as the message before it.
_STANDING: Final = frozenset({"goal", "pin", "poll", "question"})


class Backlog:
    """What was already there.

    :param since_ms: since when the chat is watched, in milliseconds since 1970.
    """

    __slots__ = ("_old", "_since")

    def __init__(self, since_ms: int) -> None:
        self._since = iso_time(since_ms)
        self._old: set[str] = set()

    def reloaded(self, events: Sequence[Event], received_ms: int) -> list[Event]:
        """What of an answer that repeats the past is new.

        :param received_ms: when it came; the time of whatever brings none.
        """
        untimed = iso_time(received_ms)
        before = self._old
        self._old = set()
        is_old = True
        news: list[Event] = []
        for event in events:
            in_order = isinstance(event, ChatMessage) or event.type not in _STANDING
            if in_order and event.timestamp != untimed:
                is_old = event.timestamp < self._since
            name = _name(event)
            if (in_order and is_old) or name in before:
                self._old.add(name)
            else:
                news.append(event)
        return news

    def continued(self, events: Sequence[Event]) -> Sequence[Event]:
        """What of an answer that goes on where the last one ended is new: nearly always all."""
        if not self._old:
            return events
        return [event for event in events if _name(event) not in self._old]


def _name(event: Event) -> str:
    if isinstance(event, ChatMessage):
        return event.message_id
    return f"{event.type} {event.event_id}"
