# SPDX-License-Identifier: MIT
"""One anonymous connection to Twitch's chat that comes back when it is lost.

The connection is sought again for as long as it is wanted, with full jitter; the back-off starts
anew only when a welcomed connection has lasted, not when TCP connects
(docs/wire/twitch.md#back-off).
Twisted's `ClientService` is not used because it cannot lose a connection between TCP and welcome:
its `prepareConnection` then leaves the state machine with a transition it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, Final
from typing import Protocol as Typing

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from livechat.metrics import Metrics
from livechat.pacing import Backoff, sleep
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.parse import irc
from livechat.platforms.twitch.welcome import Waiting
from livechat.platforms.twitch.wire import ChatProtocol, LoginRefused

_log = Logger()

#: Seconds for TCP, TLS and the welcome together.
LOGIN_TIMEOUT: Final = 15.0

#: Seconds after which a connection counts as good, so that the back-off starts anew.
STABLE: Final = 30.0


class IConnectionOwner(Typing):
    """Who a connection reports to."""

    def failing(self, connection: ChatConnection, reason: str) -> None:
        """An attempt to connect failed; the next one follows."""

    def down(self, connection: ChatConnection, reason: str) -> None:
        """A welcomed connection was lost; it is being sought again."""

    def read(self, connection: ChatConnection, lines: Sequence[irc.Line]) -> None:
        """What one read brought, without what the connection deals with itself."""

    def leaving(self, connection: ChatConnection) -> None:
        """The server will close this connection soon (docs/wire/twitch.md#reconnect)."""


class ChatConnection:
    """A connection to Twitch's chat that is kept for as long as it is wanted.

    :param logins: turns to connect and log in.
    :param failures: see `failures`; of the connection that this one replaces.

    :ivar nick: the name under which it logged in last.
    :ivar trouble: why the last attempt failed, for error messages; empty when it did not.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        owner: IConnectionOwner,
        clock: IReactorTime,
        random: Random,
        metrics: Metrics,
        logins: Budget,
        steps: Steps,
        failures: int = 0,
    ) -> None:
        self._endpoint = endpoint
        self._logins = logins
        self._steps = steps
        self._failures = failures
        self._owner = owner
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._backoff = Backoff(random, initial=1.0, cap=30.0)
        self._protocol: ChatProtocol | None = None
        self._last_received = 0.0
        self.nick = ""
        self.trouble = ""
        self._waiting = Waiting()
        self._welcomed_at = 0.0
        self._loop: Deferred[None] | None = None

    def start(self) -> None:
        """Connect, and go on connecting until stopped."""
        self._loop = Deferred.fromCoroutine(self._keep())
        self._loop.addErrback(_stopped)

    @property
    def failures(self) -> int:
        """How many attempts in a row failed or did not last; 0 when it has lasted."""
        if self.welcomed and self._clock.seconds() - self._welcomed_at >= STABLE:
            return 0
        return self._failures + 1

    @property
    def welcomed(self) -> bool:
        """Whether lines can be sent."""
        return self._protocol is not None

    @property
    def silence(self) -> float:
        """Seconds since the server sent anything on it, also when it has just been lost."""
        protocol = self._protocol
        last = self._last_received if protocol is None else protocol.last_received
        return self._clock.seconds() - last

    def welcome(self, claim: Claim) -> Deferred[None]:
        """Fires when lines can be sent; it can be cancelled."""
        return succeed(None) if self.welcomed else self._waiting.wait(claim)

    def join(self, logins: Iterable[str]) -> None:
        """Ask to be let into channels; ignored while there is no connection."""
        if self._protocol is not None:
            self._protocol.transport.write(irc.join(logins))

    def part(self, login: str) -> None:
        """Leave a channel; ignored while there is no connection."""
        if self._protocol is not None:
            self._protocol.transport.write(irc.part([login]))

    def stop(self) -> None:
        """Close the connection and never open it again; idempotent."""
        if self._loop is not None:
            self._loop.cancel()

    def read(self, lines: Sequence[irc.Line]) -> None:
        """See `ILinesOwner`."""
        self._steps.run("connection", self._owner.read, self, lines)

    def leaving(self) -> None:
        """See `ILinesOwner`."""
        self._steps.run("connection", self._owner.leaving, self)

    def dropped(self, protocol: ChatProtocol, reason: str) -> None:
        """See `ILinesOwner`."""
        if protocol is self._protocol:
            self._protocol = None
            self._last_received = protocol.last_received
            self.trouble = reason
            _log.info("Twitch chat: connection lost: {reason}", reason=reason)
            self._steps.run("connection", self._owner.down, self, reason)

    def count_unparsed(self, kind: str, amount: int = 1) -> None:
        """See `ILinesOwner`."""
        self._metrics.count_unparsed("twitch", kind, amount)

    async def _keep(self) -> None:
        while True:
            if self._failures:
                await sleep(self._clock, self._backoff.delay(self._failures))
            try:
                await self._be_connected()
            except CancelledError:
                raise
            except Exception as error:
                self._failures += 1
                self.trouble = _sentence(error)
                if not isinstance(error, (ConnectError, LoginRefused, DNSLookupError)):
                    self._steps.failed("connection")
                self._steps.run("connection", self._owner.failing, self, self.trouble)
                _log.info("Twitch chat: {trouble}; trying again soon", trouble=self.trouble)

    async def _be_connected(self) -> None:
        """Log in when there is a turn for it, and be there until the connection is lost."""
        first = self._waiting.first
        requester = None if first is None else first.requester
        # In the name of the first who waits to start, if anybody does.
        turn = self._logins.wait(Claim(self._clock, requester, first=first is not None))
        if self._failures:
            # The server's trouble is what takes the time now, not the queue.
            await turn
        else:
            with self._waiting.queued():
                await turn
        protocol = await self._log_in()
        self.trouble = ""
        self._protocol = protocol
        self._welcomed_at = self._clock.seconds()
        self._waiting.release()
        try:
            await protocol.lost
        finally:
            self._protocol = None
            protocol.close()
        # A server that welcomes and soon drops must not be hammered either.
        has_lasted = self._clock.seconds() - self._welcomed_at >= STABLE
        self._failures = 1 if has_lasted else self._failures + 1

    async def _log_in(self) -> ChatProtocol:
        """A connection that was welcomed.

        :raises ConnectError, DNSLookupError: nobody answers.
        :raises LoginRefused: no welcome, or not in time.
        """
        self.nick = f"justinfan{self._random.randint(10_000, 999_999)}"
        factory = Factory.forProtocol(lambda: ChatProtocol(self.nick, self, self._clock))
        factory.noisy = False
        self._metrics.connects.labels("twitch").inc()
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        timer = self._clock.callLater(LOGIN_TIMEOUT, connecting.cancel)
        try:
            protocol: ChatProtocol = await connecting
        except (CancelledError, ConnectingCancelledError):
            # Twisted's endpoints have a cancellation of their own.
            if timer.active():
                raise CancelledError from None
            raise LoginRefused("no connection in time") from None
        finally:
            if timer.active():
                timer.cancel()
        timer = self._clock.callLater(LOGIN_TIMEOUT, protocol.welcomed.cancel)
        try:
            await protocol.welcomed
        except BaseException as error:
            protocol.transport.abortConnection()
            if isinstance(error, CancelledError) and not timer.active():
                raise LoginRefused("no welcome in time") from None
            raise
        finally:
            if timer.active():
                timer.cancel()
        return protocol


def _stopped(reason: Failure) -> None:
    reason.trap(CancelledError)


def _sentence(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
