# SPDX-License-Identifier: MIT
"""One connection to Redis that is made anew whenever it is lost.

Importing this module installs a reactor, see `livechat.redis.wire`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ConnectionError as ConnectionLost
from txredisapi import RedisError, ResponseError
from txredisapi import TimeoutError as ReplyTimeout

from livechat.pacing import Backoff, sleep
from livechat.redis.address import RedisAddress
from livechat.redis.names import Names
from livechat.redis.rights import advice, missing
from livechat.redis.wire import REPLY_TIMEOUT, WireFactory

_log = Logger()

#: Seconds in which a connection must be made.
CONNECT_TIMEOUT: Final = 3.0

#: Seconds between two questions whether Redis is still there.
PING_INTERVAL: Final = 3.0

#: Longest wait before a connection is tried anew, in seconds.
LONGEST_WAIT: Final = 4.0

#: Seconds that a connection must have lasted for the next wait to be a short one again.
STABLE: Final = 10.0

#: Answers that are known beforehand; a connection that subscribes answers a ping by a list.
_EXPECTED: Final[Mapping[str, Sequence[object]]] = {
    "PING": ("PONG", b"PONG", [b"pong", b""]),
    "SELECT": ("OK", b"OK"),
}


class Unusable(Exception):
    """What is there does not do what is needed; a sentence says what is missing."""


def endpoint_of(reactor: Any, address: RedisAddress) -> IStreamClientEndpoint:
    """How to connect to an address."""
    if address.path:
        return UNIXClientEndpoint(reactor, address.path, timeout=CONNECT_TIMEOUT)
    endpoint: IStreamClientEndpoint = HostnameEndpoint(
        reactor, address.host, address.port, timeout=CONNECT_TIMEOUT
    )
    if address.tls:
        endpoint = wrapClientTLS(optionsForClientTLS(address.host), endpoint)
    return endpoint


class Connection(Service):
    """One connection, made anew whenever it is lost.

    :param advised: what each of several connections last said that an administrator can do.
    :ivar up: whether it is there and has been greeted.
    :ivar reason: why not; empty while it is up and before the first try.
    """

    def __init__(
        self,
        address: RedisAddress,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        random: Random,
        max_reply: int,
        advised: dict[object, str],
        names: Names,
    ) -> None:
        self.address = address
        self.names = names
        self.up = False
        self.reason = ""
        self._endpoint = endpoint
        self._clock = clock
        self._backoff = Backoff(random, 0.5, LONGEST_WAIT)
        self._factory = WireFactory(clock, self.heard, max_reply)
        self.wire: Any = None
        self._keeping: Deferred[None] | None = None
        self._advised = advised

    def startService(self) -> None:
        """Connect, now and whenever the connection is lost."""
        super().startService()
        self._keeping = Deferred.fromCoroutine(self._keep())
        self._keeping.addErrback(lambda reason: reason.trap(CancelledError) and None)

    def stopService(self) -> None:
        """Close the connection."""
        super().stopService()
        self.up = False
        if self._keeping is not None:
            self._keeping.cancel()

    def heard(self, topic: str, payload: bytes) -> None:
        """Something was published."""

    def changed(self) -> None:
        """It has come up, or has fallen, or the first try has failed."""

    async def greet(self, wire: Any) -> None:
        """What is said first; the connection is up when it has been answered.

        :raises RedisError: it is of no use.
        :raises Unusable: the same, for want of rights or commands.
        """
        if self.address.password:
            await wire.auth(self.address.password, self.address.username or None)

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = self._clock.seconds()
            await self._connect()
            if not self.running:
                # An endpoint that is cancelled while it connects fails as if it had been refused.
                return
            # To have come up is no merit: what fails at the first use comes up again at once.
            stable = self._clock.seconds() - began >= STABLE
            failures = 1 if stable else failures + 1
            await sleep(self._clock, self._backoff.delay(failures))

    async def _connect(self) -> None:
        """One connection from beginning to end, whatever happens on it."""
        try:
            wire: Any = await self._endpoint.connect(self._factory)
        except CancelledError:
            raise
        except Exception as error:  # whatever an endpoint, a resolver or TLS may fail with
            if self.running:
                self.fall(self.shown(error))
            return
        try:
            await self._use(wire)
        except CancelledError:
            raise
        except RedisError as error:
            self.fall(self.shown(error, wire))
        except Unusable as error:
            self.fall(str(error))
            self.advise(str(error))
        except Exception as error:
            _log.failure("a connection to Redis at {address} failed", address=self.address)
            self.fall(f"an error of this program: {type(error).__name__}")
        finally:
            self.wire = None
            self.up = False
            wire.transport.abortConnection()

    async def _use(self, wire: Any) -> None:
        lost: Deferred[object] = wire.whenDisconnected()
        await self.greet(wire)
        self.wire = wire
        self.up = True
        self.reason = ""
        self.changed()
        pings = LoopingCall(self.must_answer, "PING")
        pings.clock = self._clock
        pings.start(PING_INTERVAL, now=False)
        try:
            await lost
        finally:
            pings.stop()
        if self.up:
            self.fall(wire.reason)

    async def ask(self, wire: Any, *command: object) -> object:
        """Send a command and check its answer as far as is known what it must be.

        :raises RedisError: it failed.
        :raises Unusable: it is not allowed, or not known.
        """
        name = str(command[0])
        try:
            answer = await wire.execute_command(*command)
        except ResponseError as error:
            if rule := missing(name, str(error), self.names):
                raise Unusable(advice(self.address.username, [rule])) from None
            raise
        expected = _EXPECTED.get(name)
        if expected is not None and answer not in expected:
            raise RedisError(f"{name} was answered by something that Redis does not answer")
        return answer

    def must_answer(self, *command: object) -> None:
        """Send a command; a connection on which it fails is given up."""
        wire = self.wire

        def failed(failure: Failure) -> None:
            self.drop(wire, self.shown(failure.value, wire))
            if failure.check(Unusable):
                self.advise(str(failure.value))

        Deferred.fromCoroutine(self.ask(wire, *command)).addErrback(failed)

    def drop(self, wire: Any, reason: str) -> None:
        """Give a connection up; a new one will be made."""
        if wire is self.wire and self.up:
            self.fall(reason)
            wire.give_up(reason)

    def advise(self, advice: str, said: bool = False) -> None:
        """Say what an administrator can do, once for both connections.

        :param said: whether somebody has said so already.
        """
        if advice and not said and advice not in self._advised.values():
            _log.warn("Redis at {address}: {advice}", address=self.address, advice=advice)
        self._advised[self] = advice

    def fall(self, reason: str) -> None:
        # Once for each change, and for the first try.
        changed = self.up or not self.reason
        self.up = False
        self.reason = reason
        if changed:
            self.changed()

    def shown(self, error: BaseException | None, wire: Any = None) -> str:
        """What went wrong, fit for a log."""
        if isinstance(error, ReplyTimeout) and wire is not None:
            hint = ": is TLS spoken on this port?" if self.address.tls and wire.silent else ""
            return f"no answer within {REPLY_TIMEOUT:g} s{hint}"
        if isinstance(error, ConnectionLost) and wire is not None:
            text: str = wire.reason or "the connection was lost"
            return text
        # Redis repeats what it was sent when it does not know a command.
        text = " ".join(str(error).partition("with args")[0].split())[:400] or type(error).__name__
        secret = self.address.password
        return text.replace(secret, "***") if len(secret) > 3 else text
