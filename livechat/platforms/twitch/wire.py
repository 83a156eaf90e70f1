# SPDX-License-Identifier: MIT
"""The lines of one TCP connection to Twitch: login, answers to PING, and noticing silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from typing import Protocol as Typing

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.platforms.twitch.parse import irc
from livechat.platforms.twitch.parse.replies import capabilities_refused, is_welcome, login_failed

_log = Logger()

#: Seconds of silence after which the server is asked whether it lives, and for its answer
#: (docs/wire/twitch.md#keep-alive).
IDLE: Final = 20.0
GRACE: Final = 8.0


class ILinesOwner(Typing):
    """The owner of the connection, which acts on what happens on it."""

    @property
    def welcomed(self) -> bool:
        """Whether it has taken the connection into use."""

    def read(self, lines: Sequence[irc.Line]) -> None:
        """One read's lines."""

    def leaving(self) -> None:
        """RECONNECT."""

    def dropped(self, protocol: ChatProtocol, reason: str) -> None:
        """The connection is gone."""

    def count_unparsed(self, kind: str, amount: int = 1) -> None:
        """Something could not be read."""


class LoginRefused(Exception):
    """The server did not welcome us."""


@implementer(IPushProducer)
class ChatProtocol(Protocol):
    """The lines of one TCP connection.

    While the server does not read what we wrote, its PINGs are not answered: our answers would only
    pile up in the transport.

    :ivar last_received: when the server sent anything last, on the clock.
    """

    def __init__(self, nick: str, owner: ILinesOwner, clock: IReactorTime) -> None:
        self._nick = nick
        self._owner = owner
        self._clock = clock
        self._reader = irc.LineReader()
        self._overflows = 0
        self.last_received = clock.seconds()
        self._watch: IDelayedCall | None = None
        # Since when the server has not read, and the PING to answer when it does.
        self._stuck: float | None = None
        self._owed: str | None = None
        #: Fires with the server's welcome, fails when there will be none.
        self.welcomed: Deferred[None] = Deferred()
        #: Fires when the connection is gone.
        self.lost: Deferred[None] = Deferred()

    transport: Any

    def connectionMade(self) -> None:
        """Log in, anonymously."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, True)
        self.transport.write(irc.login_lines(self._nick))
        self._watch = self._clock.callLater(IDLE, self._probe)

    def dataReceived(self, data: bytes) -> None:
        """Cut into lines; answer PING; hand on the rest as one batch."""
        self.last_received = self._clock.seconds()
        lines: list[irc.Line] = []
        for raw in self._reader.feed(data):
            line = irc.parse_line(raw)
            if line is None:
                self._owner.count_unparsed("line")
            elif line.command == "PING":
                self._answer(line.params[-1] if line.params else "")
            elif not self._about_connection(line):
                lines.append(line)
        if self._reader.overflows > self._overflows:
            self._owner.count_unparsed("overlong line", self._reader.overflows - self._overflows)
            self._overflows = self._reader.overflows
        if lines:
            self._owner.read(lines)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whoever waits."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        said = reason.getErrorMessage()
        if not self.welcomed.called:
            self.welcomed.errback(LoginRefused(f"connection lost before the welcome: {said}"))
        # First to the owner, who may then want no connection at all any more.
        self._owner.dropped(self, said)
        self.lost.callback(None)

    def pauseProducing(self) -> None:
        """See `IPushProducer`: the server does not read."""
        self._stuck = self._clock.seconds()

    def resumeProducing(self) -> None:
        """See `IPushProducer`: it has read everything."""
        self._stuck = None
        if self._owed is not None:
            owed, self._owed = self._owed, None
            self._answer(owed)

    def stopProducing(self) -> None:
        """See `IPushProducer`; `connectionLost` does what there is to do."""

    def close(self) -> None:
        """End the connection; what the server does not read is dropped."""
        self.transport.unregisterProducer()
        if self._stuck is None:
            self.transport.loseConnection()
        else:
            self.transport.abortConnection()

    def _answer(self, token: str) -> None:
        if self._stuck is None:
            self.transport.write(irc.pong(token))
        else:
            self._owed = token

    def _about_connection(self, line: irc.Line) -> bool:
        """Deal with lines about the connection itself."""
        if is_welcome(line):
            if not self.welcomed.called:
                self.welcomed.callback(None)
        elif line.command == "RECONNECT":
            if self._owner.welcomed:
                self._owner.leaving()
            else:
                self._refused("told to reconnect before the welcome")
        elif capabilities_refused(line):
            self._refused("capabilities refused")
        elif login_failed(line):
            self._refused("login refused")
        else:
            return line.command == "PONG"
        return True

    def _refused(self, why: str) -> None:
        if not self.welcomed.called:
            self.welcomed.errback(LoginRefused(why))
        self.transport.abortConnection()

    def _probe(self) -> None:
        now = self._clock.seconds()
        if self._stuck is not None and now - self._stuck >= IDLE:
            self._watch = None
            _log.warn("Twitch chat does not read; dropping the connection")
            self.transport.abortConnection()
            return
        silent = now - self.last_received
        if silent < IDLE:
            self._watch = self._clock.callLater(IDLE - max(0.0, silent), self._probe)
            return
        self.transport.write(irc.ping())
        self._watch = self._clock.callLater(GRACE, self._give_up, self.last_received)

    def _give_up(self, last_received: float) -> None:
        self._watch = None
        if self.last_received != last_received:
            self._watch = self._clock.callLater(IDLE, self._probe)
            return
        _log.warn("Twitch chat does not answer; dropping the connection")
        self.transport.abortConnection()
