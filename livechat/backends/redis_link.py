# SPDX-License-Identifier: MIT
"""One connection to Redis that is up, or known to be down, and never waited for.

It is made anew for as long as the service runs, whatever Redis answers.  A connection is up once
Redis has taken a write on it, and while every command is answered in time.  Commands are never
queued for a connection that is not there: they fail at once.

Importing this room installs a reactor (txredisapi does), so only the room that puts a daemon
together does so, and late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, NoReturn

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ConnectionError as ConnectionLost
from txredisapi import RedisError, RedisProtocol, ResponseError
from txredisapi import TimeoutError as ReplyTimeout

from livechat.backends.redis_layout import PROBE_KEY, RedisAddress, is_server_trouble
from livechat.pacing import Backoff, sleep

_log = Logger()

#: Seconds in which a connection must be made.
CONNECT_TIMEOUT: Final = 3.0

#: Seconds in which Redis must answer; otherwise the connection is given up.
REPLY_TIMEOUT: Final = 2.0

#: Seconds between two questions whether Redis is still there.
PING_INTERVAL: Final = 3.0

#: Longest wait before a connection is tried anew, in seconds.
LONGEST_WAIT: Final = 4.0


class RedisDown(Exception):
    """Redis cannot be used now; whether the command was carried out is not known."""


class RedisRefused(Exception):
    """Redis did not carry the command out, for a reason that lies in the keys it names."""


class RedisLink(Service):
    """The connection.

    :param endpoint: where Redis is.
    :param changed: told after each change of `up`.
    :ivar up: whether Redis can be used now.
    :ivar reason: why not; empty while it is up and before the first try.
    """

    name = "redis"

    def __init__(
        self,
        address: RedisAddress,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        random: Random,
        changed: Callable[[], None],
    ) -> None:
        self.address = address
        self.up = False
        self.reason = ""
        self._endpoint = endpoint
        self._clock = clock
        self._backoff = Backoff(random, 0.5, LONGEST_WAIT)
        self._changed = changed
        self._protocol: Any = None
        self._keeping: Deferred[None] | None = None

    def startService(self) -> None:
        """Connect, now and whenever the connection is lost."""
        super().startService()
        self._keeping = Deferred.fromCoroutine(self._keep())
        self._keeping.addErrback(self._ended)

    def stopService(self) -> None:
        """Close the connection."""
        super().stopService()
        self.up = False
        if self._keeping is not None:
            self._keeping.cancel()

    def run(self, script: str, keys: Sequence[str], argument: bytes) -> Deferred[bytes]:
        """Run a script; answers its one reply.

        :raises RedisDown: now, or when no answer came in time; whether it ran is not known.
        :raises RedisRefused: it did not run.
        """
        if not self.up:
            return fail(RedisDown(self.reason))
        protocol = self._protocol
        answer = maybeDeferred(protocol.eval, script, list(keys), [argument])
        return answer.addErrback(self._judge, protocol)

    def _judge(self, failure: Failure, protocol: Any) -> NoReturn:
        failure.trap(RedisError)
        error = failure.value
        text = self._shown(error)
        if isinstance(error, ResponseError) and not is_server_trouble(text):
            raise RedisRefused(text)
        self._drop(protocol, text)
        raise RedisDown(text)

    async def _keep(self) -> None:
        failures = 0
        while True:
            was_up = await self._connection()
            failures = 1 if was_up else failures + 1
            await sleep(self._clock, self._backoff.delay(failures))

    async def _connection(self) -> bool:
        """One connection from beginning to end; whether it was ever up."""
        try:
            protocol: Any = await self._endpoint.connect(_Factory(self._clock))
        except CancelledError:
            raise
        except Exception as error:  # whatever an endpoint, a resolver or TLS may fail with
            self._fall(self._shown(error))
            return False
        lost: Deferred[object] = protocol.whenDisconnected()
        try:
            await self._greet(protocol)
        except RedisError as error:
            protocol.transport.abortConnection()
            self._fall(self._shown(error))
            return False
        except CancelledError:
            protocol.transport.abortConnection()
            raise
        self._protocol = protocol
        self._rise()
        pings = LoopingCall(self._ping, protocol)
        pings.clock = self._clock
        pings.start(PING_INTERVAL, now=False)
        try:
            await lost
        finally:
            pings.stop()
            self._protocol = None
            protocol.transport.abortConnection()
        if self.up:
            self._fall("the connection was lost")
        return True

    async def _greet(self, protocol: Any) -> None:
        """Log in, choose the database, and see whether Redis takes a write."""
        address = self.address
        if address.password:
            await protocol.auth(address.password, address.username or None)
        if address.db:
            await protocol.select(address.db)
        try:
            await protocol.set(PROBE_KEY, b"1", expire=60)
        except ResponseError as error:
            # A node of a cluster that keeps other keys is well all the same.
            if "MOVED" not in str(error):
                raise

    def _ping(self, protocol: Any) -> None:
        def unanswered(failure: Failure) -> None:
            self._drop(protocol, self._shown(failure.value))

        maybeDeferred(protocol.ping).addErrback(unanswered)

    def _drop(self, protocol: Any, reason: str) -> None:
        """Give a connection up; a new one will be made."""
        if protocol is self._protocol and self.up:
            self._fall(reason)
            protocol.transport.abortConnection()

    def _rise(self) -> None:
        self.up = True
        self.reason = ""
        _log.info("Redis at {address} is there: statistics are kept in it", address=self.address)
        self._changed()

    def _fall(self, reason: str) -> None:
        # One line for each change, and one for the first try.
        changed = self.up or not self.reason
        self.up = False
        self.reason = reason
        if changed:
            _log.warn(
                "Redis at {address} cannot be used ({reason}): statistics are kept in memory"
                " until it can",
                address=self.address,
                reason=reason,
            )
            self._changed()

    def _shown(self, error: BaseException | None) -> str:
        """What went wrong, fit for a log."""
        if isinstance(error, ReplyTimeout):
            return f"no answer within {REPLY_TIMEOUT:g} s"
        if isinstance(error, ConnectionLost):
            return "the connection was lost"
        text = " ".join(str(error).split())[:200] or type(error).__name__
        # Redis repeats what it was sent when it does not know a command.
        secret = self.address.password
        return text.replace(secret, "***") if secret else text

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            _log.failure("the link to Redis ended", failure)


class _Factory(Factory):
    """Makes the one protocol of a connection."""

    noisy = False

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Bytes in, bytes out; time-outs on the clock of the link."""
        protocol = RedisProtocol(charset=None, replyTimeout=REPLY_TIMEOUT, convertNumbers=False)
        protocol.factory = self
        protocol.callLater = self._clock.callLater
        return protocol
