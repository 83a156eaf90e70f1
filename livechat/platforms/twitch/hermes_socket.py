# SPDX-License-Identifier: MIT
"""One connection to Hermes: what it says, and noticing that it says nothing."""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.pacing import TokenBucket
from livechat.platforms.kept_socket import PausingSocket
from livechat.platforms.twitch.limits import (
    HERMES_MESSAGES,
    HERMES_MESSAGES_AT_ONCE,
    HERMES_REST,
)
from livechat.platforms.twitch.parse.hermes import (
    KEEPALIVE,
    Alive,
    Answer,
    Goodbye,
    Told,
    Unknown,
    Unreadable,
    Welcome,
    read_message,
)

#: So many times the pause between two signs of life without one, and the connection is given up.
SILENT: Final = 2

#: Statuses of an upgrade that say that it will not be granted the next time either.
_REFUSALS: Final = range(400, 500)


class Owner(Protocol):
    """Who is told what the connection says."""

    def ready(self) -> None:
        """It takes subscriptions; said once."""

    def answered(self, answer: Answer) -> None:
        """A subscription was accepted or refused."""

    def told(self, told: Told) -> None:
        """Something has happened in a channel."""

    def unreadable(self, what: str) -> None:
        """Something could not be read, or is not known."""


class HermesSocket(PausingSocket):
    """One connection."""

    def __init__(self, clock: IReactorTime, owner: Owner) -> None:
        super().__init__(clock)
        self._owner = owner
        self._is_ready = False
        self._keepalive = KEEPALIVE
        self._heard = clock.seconds()
        self._looking: IDelayedCall | None = None
        self._allowed = TokenBucket(HERMES_MESSAGES, HERMES_MESSAGES_AT_ONCE, clock.seconds)

    def say(self, payload: bytes) -> None:
        """Send a message, unless it is too late for that."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(payload)

    def refuse(self, reason: str) -> None:
        """End it, and leave the service alone for long: it does not want us."""
        self.pause = HERMES_REST
        self.drop(reason)

    # ClientSocket

    def entered(self) -> None:
        """See `ClientSocket`."""
        self._heard = self.clock.seconds()
        self._look_later()

    def left(self) -> None:
        """See `ClientSocket`."""
        if self._looking is not None and self._looking.active():
            self._looking.cancel()

    def refusal(self, why: str) -> Exception:
        """See `ClientSocket`."""
        status = str(getattr(self, "http_status_line", "")).split()[1:2]
        if status and status[0].isdigit() and int(status[0]) in _REFUSALS:
            self.pause = HERMES_REST
        return super().refusal(why)

    # Autobahn

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Something is said."""
        if not self._allowed.take():
            self.drop("too many messages")
            return
        self._heard = self.clock.seconds()
        try:
            message = read_message(payload)
        except Unreadable:
            self._owner.unreadable("hermes message")
            return
        match message:
            case Welcome():
                self._keepalive = message.keepalive
                self._look_later()
                if not self._is_ready:
                    self._is_ready = True
                    self._owner.ready()
            case Answer():
                self._owner.answered(message)
            case Told():
                self._owner.told(message)
            case Goodbye():
                self.drop(message.reason)
            case Unknown():
                self._owner.unreadable(f"hermes {message.name}")
            case Alive():
                pass

    # Silence

    def _look_later(self) -> None:
        self.left()
        due = self._heard + SILENT * self._keepalive - self.clock.seconds()
        self._looking = self.clock.callLater(max(0.0, due), self._look)

    def _look(self) -> None:
        silence = self.clock.seconds() - self._heard
        if not self._is_ready:
            self.drop("no welcome")
        elif silence >= SILENT * self._keepalive:
            self.drop(f"nothing heard for {silence:.0f} s")
        else:
            self._look_later()
