# SPDX-License-Identifier: MIT
"""One simulated TikTok room while it runs: its members, and what is pushed to them next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.simulator.actions import Action, stable_id
from livechat.simulator.tiktok_messages import (
    Room,
    Written,
    control,
    greeting,
    messages,
    viewers,
)

#: Seconds between two tellings of how many watch.
VIEWERS_EVERY: Final = 10.0

#: Comments that whoever enters is shown.
HISTORY: Final = 6

#: Most messages that are pushed together, and seconds for which they are gathered.
_MOST: Final = 50
_GATHER: Final = 0.1

#: A room that is so many seconds late does not catch up any further.
_MAX_LAG: Final = 10.0

_COMMENTS: Final = frozenset({"WebcastChatMessage", "WebcastEmoteChatMessage"})
_ENDED: Final = 3
_SUSPENDED: Final = 4


class Member(Protocol):
    """A reader, as a room sees it."""

    def push(self, written: Sequence[Written]) -> None:
        """Take messages."""


class LiveRoom:
    """A room.

    It has one timer for what is said next and one for what is always told, and none while there is
    nobody.  It goes on where it stopped when somebody comes again.

    :ivar members: who is in it.

    :param feed: what happens, each with the seconds that pass before it: an action, or a message
        exactly as given.
    :param now: the time of day, seconds since 1970.
    :param ends: the seconds at which its stream ends; None: never.
    :param suspended: it is the platform that ends it.
    :param whole: whether gift streaks end as they should.
    """

    def __init__(
        self,
        handle: str,
        feed: Iterator[tuple[float, Action | Written]],
        *,
        clock: IReactorTime,
        now: Callable[[], float],
        ends: float | None,
        suspended: bool,
        whole: Callable[[], bool],
    ) -> None:
        self.handle = handle
        self.members: list[Member] = []
        self.history: deque[Written] = deque(maxlen=HISTORY)
        self._feed = feed
        self._clock = clock
        self._now = now
        self._suspended = suspended
        self._whole = whole
        self._next = next(feed, None)
        self._due = 0.0
        self._timer: IDelayedCall | None = None
        self._telling: IDelayedCall | None = None
        self._number = stable_id(handle) << 20
        self._ending: IDelayedCall | None = None
        self._ends = ends

    @property
    def over(self) -> bool:
        """Whether the stream has ended."""
        return self._ends is not None and self._clock.seconds() >= self._ends

    def enter(self, member: Member) -> None:
        """A viewer enters; the first one starts the chat."""
        self.members.append(member)
        if len(self.members) == 1:
            self._due = self._clock.seconds() + (self._next[0] if self._next else 0.0)
            self._telling = self._clock.callLater(0.5, self._tell)
            if self._ends is not None:
                left = max(0.0, self._ends - self._clock.seconds())
                self._ending = self._clock.callLater(left, self._end)
        self._wake()

    def leave(self, member: Member) -> None:
        """A viewer leaves; the last one stops the chat."""
        if member in self.members:
            self.members.remove(member)
        if not self.members:
            for call in (self._timer, self._telling, self._ending):
                if call is not None and call.active():
                    call.cancel()
            self._timer = self._telling = self._ending = None

    def say(self, what: Action | Written) -> list[Written]:
        """Let an action happen now; what every viewer receives."""
        written = self._written(what)
        self.send(written)
        return written

    def send(self, written: Sequence[Written]) -> None:
        """Send the same messages to every viewer."""
        self.history.extend(one for one in written if one.method in _COMMENTS)
        if written:
            for member in list(self.members):
                member.push(written)

    def greeting(self) -> list[Written]:
        """What a viewer receives who enters."""
        return greeting(self._room(), self._count(2))

    def end(self, *, suspended: bool = False) -> None:
        """The stream is over."""
        self._ends = self._clock.seconds()
        action = _SUSPENDED if suspended else _ENDED
        self.send([control(self._room(), action, self._count())])

    def _end(self) -> None:
        self._ending = None
        self.end(suspended=self._suspended)

    def _tell(self) -> None:
        self._telling = self._clock.callLater(VIEWERS_EVERY, self._tell)
        if not self.over:
            watching = 10 + stable_id(self.handle) % 5000
            self.send([viewers(self._room(), watching, self._count())])

    def _wake(self) -> None:
        if self._timer is None and self._next is not None and self.members and not self.over:
            wait = max(0.0, self._due - self._clock.seconds())
            self._timer = self._clock.callLater(max(wait, _GATHER if wait else 0.0), self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        self._due = max(self._due, now - _MAX_LAG)
        written: list[Written] = []
        while self._next is not None and self._due <= now and len(written) < _MOST:
            written += self._written(self._next[1])
            self._next = next(self._feed, None)
            self._due += self._next[0] if self._next else 0.0
        if not self.over:
            self.send(written)
        self._wake()

    def _written(self, what: Action | Written) -> list[Written]:
        if isinstance(what, Written):
            return [what]
        return messages(what, self._room(), whole=self._whole())

    def _room(self) -> Room:
        return Room(self.handle, round(self._now() * 1000))

    def _count(self, amount: int = 1) -> int:
        self._number += amount
        return self._number
