# SPDX-License-Identifier: MIT
"""What of a reloaded chat is new: its answer begins with some 75 messages, minutes old at times.

They are passed on only as far as they were written since the chat has been followed; the others are
remembered, so that they do not arrive later in another answer (docs/wire/youtube.md#get_live_chat).
Messages stand in the answer in their order, so that one which was known before proves that nothing
is missing after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from livechat.core.ports import Extent
from livechat.model.chat import ChatMessage
from livechat.model.event_data import Notice, Poll
from livechat.model.events import Event, iso_time, item_of

#: Kinds of events that describe the present state.  Everything else stands in the chat among the
#: messages, so that what has no time of its own is as old as the message before it.
_STANDING: Final = frozenset({"goal", "pin", "poll", "question"})

#: Kinds that may come with every answer that repeats the past: they do not prove that it reaches
#: back.
_REPEATED: Final = _STANDING | {"notice", "raid"}

#: How many messages an answer that repeats the past holds at least, if there are so many.
_LEAST: Final = 50

#: How many of the last things are known again.
_KNOWN: Final = 500

#: How many of those that may be repeated long after.
_KNOWN_REPEATED: Final = 100

#: Where only the time of the last publication is known: seconds by which a message may be older
#: that was not received: the longest time between two polls, and what YouTube takes to show it.
SLACK: Final = 15.0

#: Seconds after which it is not known whether those messages were received.
_SURE: Final = 60.0

#: Seconds for which a backlog is kept after its chat was left, and how many at most.
KEPT_FOR: Final = 900.0
_MOST_KEPT: Final = 256


class Reload(Struct, frozen=True):
    """An answer that repeats the past.

    :ivar news: what of it is new, in YouTube's order.
    :ivar extent: how much it holds of what was written since the chat was last received: `all`, or
        the `latest`.
    :ivar has_hole: something is certainly missing.
    """

    news: Sequence[Event]
    extent: Extent
    has_hole: bool = False

    @property
    def written(self) -> list[Event]:
        """What of the news has its place among the messages."""
        return [event for event in self.news if not _is_one_of(event, _REPEATED)]

    @property
    def repeated(self) -> list[Event]:
        """The rest."""
        return [event for event in self.news if _is_one_of(event, _REPEATED)]


class Backlog:
    """What was already there.

    :param since_ms: since when the chat is followed, in milliseconds since 1970.
    :param again: it was followed before.
    :param is_sure: all that was written before was received, or comes again.
    """

    __slots__ = ("_again", "_is_sure", "_known", "_old", "_repeated", "_since", "_was_empty")

    def __init__(self, since_ms: int, again: bool = False, is_sure: bool = True) -> None:
        self._since = iso_time(since_ms)
        self._again = again
        self._is_sure = is_sure
        self._old: set[str] = set()
        self._known: deque[str] = deque(maxlen=_KNOWN)
        self._repeated: deque[str] = deque(maxlen=_KNOWN_REPEATED)
        # Whether nobody had written when the chat was opened.
        self._was_empty = False

    @classmethod
    def after(cls, until: float, now: float) -> Backlog:
        """That of a chat of which only the time of the last publication is known.

        What was published within `SLACK` seconds before comes again: the core recognises it, unless
        that was so long ago that it has forgotten it.

        :param until: seconds since 1970, as `now`.
        """
        if now - until <= _SURE:
            return cls(int((until - SLACK) * 1000), again=True)
        return cls(int(until * 1000) + 1, again=True, is_sure=False)

    @property
    def is_followed(self) -> bool:
        """Whether its chat was ever opened."""
        return self._again

    def reloaded(self, events: Sequence[Event], received_ms: int) -> Reload:
        """What an answer that repeats the past brings.

        :param received_ms: when it came; the time of whatever brings none.
        """
        untimed = iso_time(received_ms)
        before, known = self._old, {*self._known, *self._repeated}
        self._old = set()
        is_old = True
        news: list[Event] = []
        written = 0
        reaches_back = False
        for event in events:
            in_order = not _is_one_of(event, _STANDING)
            if in_order and event.timestamp != untimed:
                is_old = event.timestamp < self._since
            name = item_of(event)
            if isinstance(event, ChatMessage):
                written += 1
                reaches_back = reaches_back or is_old or name in known
            if (in_order and is_old) or name in before or (self._again and _is_greeting(event)):
                self._old.add(name)
            elif name not in known:
                news.append(event)
        is_full = written >= _LEAST
        # A chat in which nobody had written can be whole without reaching back.
        is_whole = reaches_back or (self._was_empty and not self._known and not is_full)
        extent: Extent = "latest" if not is_whole else "all" if self._is_sure else "some"
        if not self._again:
            self._was_empty = not written
        self._again = self._is_sure = True
        self._remember(events)
        return Reload(news, extent, is_full and not is_whole)

    def continued(self, events: Sequence[Event]) -> Sequence[Event]:
        """What of an answer that goes on where the last one ended is new: nearly always all."""
        self._remember(events)
        if not self._old:
            return events
        return [event for event in events if item_of(event) not in self._old]

    def _remember(self, events: Sequence[Event]) -> None:
        for event in events:
            lasting = _is_one_of(event, _REPEATED) and not _is_update(event)
            (self._repeated if lasting else self._known).append(item_of(event))


class Backlogs:
    """Those of chats that nobody follows at the moment; kept, bounded, for those who come back.

    :param clock: seconds of a clock that is never set.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, Backlog]] = {}

    def keep(self, chat: str, backlog: Backlog) -> None:
        """Nobody follows the chat any more."""
        self.take(chat)
        now = self._clock()
        self._kept[chat] = now, backlog
        # Oldest first.
        for name, (left, _) in list(self._kept.items()):
            if len(self._kept) <= _MOST_KEPT and now - left < KEPT_FOR:
                break
            del self._kept[name]

    def take(self, chat: str) -> Backlog | None:
        """That of a chat which somebody follows again; None if it is not kept."""
        left, backlog = self._kept.pop(chat, (0.0, None))
        return backlog if self._clock() - left < KEPT_FOR else None


def _is_update(event: Event) -> bool:
    """Whether it tells how a poll stands, of which there are many."""
    data = None if isinstance(event, ChatMessage) else event.data
    return isinstance(data, Poll) and data.status == "updated"


def _is_one_of(event: Event, kinds: frozenset[str]) -> bool:
    return not isinstance(event, ChatMessage) and event.type in kinds


def _is_greeting(event: Event) -> bool:
    """Whether it is what YouTube says to everybody who comes, under another id each time."""
    if isinstance(event, ChatMessage) or not isinstance(event.data, Notice):
        return False
    return event.data.platform_kind == "engagement"
