# SPDX-License-Identifier: MIT
"""One connection to a provider's socket: what it says, and noticing that it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.pacing import TokenBucket
from livechat.platforms.emotes.limits import (
    BTTV_CHANNELS,
    MESSAGE_BYTES,
    MESSAGES,
    MESSAGES_AT_ONCE,
)
from livechat.platforms.emotes.parse import bttv, seventv_events
from livechat.platforms.emotes.parse.emote_set import Change, Unreadable
from livechat.platforms.emotes.parse.messages import Alive, Goodbye, Hello, Message, Stale
from livechat.platforms.kept_socket import PausingSocket

#: Seconds between two looks whether the server is still there, until it says how often it beats.
INTERVAL: Final = 30.0

#: So many intervals without a sign of life, and the connection is given up.
SILENT: Final = 3


class Dialect(Struct, frozen=True):
    """What is said to a provider's socket, and what it says.

    :ivar greets: whether it says first how often it beats and how much it lets us ask for;
        otherwise we send pings, and it beats by answering them.
    :ivar most: topics on one connection.
    :ivar longest: bytes of a message.
    :ivar pause_after: least seconds until the next connection, by the code of a close.
    """

    subscription: Callable[[str], bytes]
    unsubscription: Callable[[str], bytes]
    read: Callable[[bytes], Message]
    greets: bool
    most: int
    longest: int
    pause_after: Callable[[int | None], float] = lambda _: 0.0


SEVEN_TV: Final = Dialect(
    seventv_events.subscription,
    seventv_events.unsubscription,
    seventv_events.read_message,
    greets=True,
    most=seventv_events.MOST,
    longest=seventv_events.MAX_MESSAGE,
    pause_after=seventv_events.pause_after,
)

BTTV: Final = Dialect(
    bttv.subscription,
    bttv.unsubscription,
    bttv.read_message,
    greets=False,
    most=BTTV_CHANNELS,
    longest=bttv.MAX_MESSAGE,
)


class EventSocket(PausingSocket):
    """One connection.

    :param ready: told once that it takes subscriptions, and how many.
    :param told: given what concerns a topic.
    :param unreadable: told of each message that could not be read.
    """

    def __init__(
        self,
        dialect: Dialect,
        clock: IReactorTime,
        ready: Callable[[int], None],
        told: Callable[[Change | Stale], None],
        unreadable: Callable[[], None],
    ) -> None:
        super().__init__(clock)
        self._dialect = dialect
        self._ready: Callable[[int], None] | None = ready
        self._told = told
        self._unreadable = unreadable
        self._interval = INTERVAL
        self._heard = clock.seconds()
        self._looking: IDelayedCall | None = None
        self._allowed = TokenBucket(MESSAGES, MESSAGES_AT_ONCE, clock.seconds)

    def subscribe(self, topic: str) -> None:
        """Ask to be told of a topic; it must be ready."""
        self._say(self._dialect.subscription(topic))

    def unsubscribe(self, topic: str) -> None:
        """Ask to be told of it no more."""
        self._say(self._dialect.unsubscription(topic))

    def _say(self, payload: bytes) -> None:
        if self.state == self.STATE_OPEN:
            self.sendMessage(payload)

    # ClientSocket

    def entered(self) -> None:
        """See `ClientSocket`."""
        self._heard = self.clock.seconds()
        self._looking = self.clock.callLater(self._interval, self._look)
        if not self._dialect.greets:
            self._is_ready(self._dialect.most)

    def left(self) -> None:
        """See `ClientSocket`."""
        if self._looking is not None and self._looking.active():
            self._looking.cancel()

    # Autobahn

    def onPong(self, payload: bytes) -> None:
        """The server is there."""
        if not self._dialect.greets:
            self._heard = self.clock.seconds()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Something is said."""
        self._heard = self.clock.seconds()
        if not self._allowed.take(1 + len(payload) / MESSAGE_BYTES):
            self.drop("too many messages")
            return
        try:
            message = self._dialect.read(payload)
        except Unreadable:
            self._unreadable()
            return
        match message:
            case Hello():
                self._interval = message.interval
                self._is_ready(min(message.most, self._dialect.most))
            case Goodbye():
                self.pause = max(self.pause, message.pause)
                self.drop(message.reason)
            case Alive():
                pass
            case _:
                self._told(message)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection is gone."""
        self.pause = max(self.pause, self._dialect.pause_after(code))
        super().onClose(wasClean, code, reason)

    def _is_ready(self, most: int) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            ready(most)

    def _look(self) -> None:
        self._looking = self.clock.callLater(self._interval, self._look)
        if self.clock.seconds() - self._heard >= SILENT * self._interval:
            self.drop(f"nothing heard for {SILENT * self._interval:g} s")
        elif not self._dialect.greets:
            self.sendPing(b"there?")
