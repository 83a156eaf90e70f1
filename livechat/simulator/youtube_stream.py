# SPDX-License-Identifier: MIT
"""One simulated stream on YouTube: the past messages of its chat, and the next ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime

from livechat.simulator.actions import Action
from livechat.simulator.youtube_items import actions, is_plain
from livechat.simulator.youtube_tokens import TOP

#: How much of the past somebody gets who comes anew.
BACKLOG: Final = 75

#: How much is kept for those who read slowly.
_KEPT: Final = 2000

#: A chat that nobody has read for so many seconds does not make up for more than that.
MAX_LAG: Final = 60.0

Json = dict[str, Any]


class Stream:
    """A stream on air.

    What happens in it is made up when somebody asks, up to that moment; it began some seconds ago,
    so that there is a past.

    :ivar written: how many things have happened.
    :ivar gone_once: the next answer has no chat in it.
    :ivar garbage_once: the next answer is not JSON.

    :param script: what happens, each with the seconds that pass before it.
    :param clock: says when it happens.
    :param now: the time of day, seconds since 1970; only dates what happens.
    :param past: seconds of chat before somebody came first, at most `MAX_LAG`.
    """

    def __init__(
        self,
        name: str,
        number: int,
        script: Iterator[tuple[float, Action | list[Json]]],
        clock: IReactorTime,
        now: Callable[[], float],
        past: float,
    ) -> None:
        self.name = name
        self.number = number
        self._clock = clock
        self.ended = False
        self.gone_once = False
        self.garbage_once = False
        self.written = 0
        self._script = script
        self._now = now
        self._next = next(script, None)
        self._due = clock.seconds() - past + (self._next[0] if self._next else 0.0)
        self._read = clock.seconds()
        self._said: deque[tuple[bool, list[Json]]] = deque(maxlen=_KEPT)

    @property
    def is_read(self) -> bool:
        """Whether it has a reader: the last answer is not old."""
        return self._clock.seconds() - self._read < MAX_LAG

    def say(self, what: Action | Json) -> None:
        """Something happens now: an action, or an InnerTube action as it is."""
        self._catch_up()
        micros = round(self._now() * 1e6)
        if isinstance(what, Action):
            self._add(is_plain(what), actions(what, self.name, micros))
        else:
            self._add(True, [what])

    def read(self, kind: int, position: int) -> list[Json]:
        """What happened since, in Top chat or in all of it; from -1: the last of the past."""
        self._read = self._clock.seconds()
        self._catch_up()
        if position < 0:
            position = self.written - BACKLOG
        missing = min(max(0, self.written - position), len(self._said))
        recent = list(self._said)[len(self._said) - missing :]
        return [one for plain, some in recent for one in some if plain or kind != TOP]

    def _catch_up(self) -> None:
        now = self._clock.seconds()
        self._due = max(self._due, now - MAX_LAG)
        while self._next is not None and self._due <= now and not self.ended:
            action = self._next[1]
            if isinstance(action, Action):
                micros = round((self._now() - (now - self._due)) * 1e6)
                self._add(is_plain(action), actions(action, self.name, micros))
            else:
                self._add(True, action)
            self._next = next(self._script, None)
            self._due += self._next[0] if self._next else 0.0

    def _add(self, plain: bool, some: list[Json]) -> None:
        self._said.append((plain, some))
        self.written += 1
