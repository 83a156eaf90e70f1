# SPDX-License-Identifier: MIT
"""One simulated Twitch channel while it runs: its members, its modes, and its next messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.simulator.actions import Action, Rule
from livechat.simulator.twitch_lines import Room, lines

#: Most that is written to a channel's readers in one turn, in bytes.
_CHUNK: Final = 32 * 1024
#: A channel that is so many seconds late does not catch up any further.
_MAX_LAG: Final = 10.0


class Member(Protocol):
    """A reader, as a channel sees it."""

    @property
    def paused(self) -> bool:
        """It does not read fast enough at present."""

    def deliver(self, chat: Sequence[bytes], joined: bytes) -> None:
        """Take lines; `joined` are the same with their ends."""


class Channel:
    """A channel.

    It has one timer however many members there are, and none while there is nobody or nothing to
    say.  It goes on where it stopped when somebody comes again.

    :ivar room: its name and rules.
    :ivar members: who is in it, in the order in which they came.

    :param feed: what is said, each with the seconds that pass before it: an action, or a line
        exactly as given.
    :param now: the time of day, seconds since 1970.
    :param is_over: whether nothing is said any more.
    :param repeats: how often each line is sent.
    :param enough: `any`: one member that reads keeps the chat going; `all`: it waits for the
        slowest.
    """

    def __init__(
        self,
        login: str,
        feed: Iterator[tuple[float, Action | bytes]],
        *,
        clock: IReactorTime,
        now: Callable[[], float],
        is_over: Callable[[], bool],
        repeats: Callable[[], int],
        enough: Callable[[Iterable[bool]], bool],
    ) -> None:
        self.room = Room(login)
        self.members: list[Member] = []
        self._feed = feed
        self._clock = clock
        self._now = now
        self._is_over = is_over
        self._repeats = repeats
        self._enough = enough
        self._next = next(feed, None)
        self._due = 0.0
        self._timer: IDelayedCall | None = None

    def enter(self, member: Member) -> None:
        """A reader joins; the first one starts the chat."""
        self.members.append(member)
        if len(self.members) == 1 and self._next is not None:
            self._due = self._clock.seconds() + self._next[0]
        self.wake()

    def leave(self, member: Member) -> None:
        """A reader leaves; the last one stops the chat."""
        self.members.remove(member)
        if self.members:
            self.wake()
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wake(self) -> None:
        """Schedule the next message, if there is one."""
        if self._timer is None and self._can_go_on():
            wait = max(0.0, self._due - self._clock.seconds())
            self._timer = self._clock.callLater(wait, self._go_on)

    def _can_go_on(self) -> bool:
        if self._next is None or not self.members or self._is_over():
            return False
        return self._enough(not member.paused for member in self.members)

    def send(self, chat: Sequence[bytes]) -> None:
        """The same lines to every member."""
        joined = b"".join(line + b"\r\n" for line in chat)
        for member in list(self.members):
            member.deliver(chat, joined)

    def written(self, what: Action | bytes) -> list[bytes]:
        """An action as lines, of which the last one is the action itself; a line as it is."""
        if isinstance(what, bytes):
            return [what]
        if isinstance(what, Rule):
            self.room = Room(self.room.login, {**self.room.rules, what.name: what.value})
        return lines(what, self.room, round(self._now() * 1000))

    def _go_on(self) -> None:
        self._timer = None
        if not self._can_go_on():
            return
        now = self._clock.seconds()
        self._due = max(self._due, now - _MAX_LAG)
        chat: list[bytes] = []
        size = 0
        while self._next is not None and self._due <= now and size < _CHUNK:
            written = self.written(self._next[1]) * self._repeats()
            chat += written
            size += sum(map(len, written))
            self._next = next(self._feed, None)
            self._due += self._next[0] if self._next else 0.0
        self.send(chat)
        self.wake()
