# SPDX-License-Identifier: MIT
"""Two connections to Redis, up or known to be down, and never waited for.

One is for commands, the other for subscribing: on one that subscribes Redis takes no commands.
Both are made anew for as long as the service runs, whatever Redis answers.  The first is up once
Redis has taken a write on it, and while every command is answered in time.  Commands are never
queued for a connection that is not there: they fail at once.

Importing this room installs a reactor (txredisapi does), so only the room that puts a daemon
together does so, and late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from random import Random
from typing import Any, Final, NoReturn

from twisted.application.service import Service
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    fail,
    maybeDeferred,
)
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ConnectionError as ConnectionLost
from txredisapi import RedisError, RedisProtocol, ResponseError, SubscriberProtocol
from txredisapi import TimeoutError as ReplyTimeout

from livechat.pacing import Backoff, sleep
from livechat.statistics.redis_layout import PROBE_KEY, RedisAddress, is_server_trouble

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
    """Both connections.

    :param endpoint: where Redis is.
    :param changed: told after each change of `up`.
    :param heard: told the topic and the payload of what was published.
    :ivar up: whether Redis takes commands now.
    :ivar reason: why not; empty while it does and before the first try.
    :ivar listening: whether what is published is heard.
    """

    name = "redis"

    def __init__(
        self,
        address: RedisAddress,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        random: Random,
        changed: Callable[[], None],
        heard: Callable[[str, bytes], None],
    ) -> None:
        self._commands = _Commands(address, endpoint, clock, random, changed)
        self._topics = _Topics(address, endpoint, clock, random, heard)

    @property
    def up(self) -> bool:
        """See above."""
        return self._commands.up

    @property
    def reason(self) -> str:
        """See above."""
        return self._commands.reason

    @property
    def listening(self) -> bool:
        """See above."""
        return self._topics.up

    def startService(self) -> None:
        """Connect, now and whenever a connection is lost."""
        super().startService()
        self._commands.startService()
        self._topics.startService()

    def stopService(self) -> None:
        """Close the connections."""
        super().stopService()
        self._commands.stopService()
        self._topics.stopService()

    def run(self, script: str, keys: Sequence[str], argument: bytes) -> Deferred[bytes]:
        """Run a script; answers its one reply.

        :raises RedisDown: now, or when no answer came in time; whether it ran is not known.
        :raises RedisRefused: it did not run.
        """
        return self._commands.run(script, keys, argument)

    def listen(self, topic: str) -> None:
        """Hear what is published under a topic, on this connection and on later ones."""
        self._topics.listen(topic)

    def ignore(self, topic: str) -> None:
        """Hear no more of a topic."""
        self._topics.ignore(topic)


class _Connection(Service):
    """One connection, kept.

    :param told: what the link's owner wants to be told by this connection.
    :ivar up: whether it is there and has been greeted.
    :ivar reason: why not; empty while it is up and before the first try.
    """

    def __init__(
        self,
        address: RedisAddress,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        random: Random,
        told: Callable[..., None],
    ) -> None:
        self.address = address
        self.up = False
        self.reason = ""
        self._endpoint = endpoint
        self.clock = clock
        self._backoff = Backoff(random, 0.5, LONGEST_WAIT)
        self._told = told
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

    def make_protocol(self) -> Any:
        """What speaks on a new connection."""
        raise NotImplementedError

    async def greet(self, protocol: Any) -> None:
        """What is said first; the connection is up when it has been answered.

        :raises RedisError: it is of no use.
        """
        if self.address.password:
            await protocol.auth(self.address.password, self.address.username or None)

    def changed(self) -> None:
        """It has come up, or has fallen, or the first try has failed."""

    async def _keep(self) -> None:
        failures = 0
        while True:
            was_up = await self._connection()
            if not self.running:
                # An endpoint that is cancelled while it connects fails as if it had been refused.
                return
            failures = 1 if was_up else failures + 1
            await sleep(self.clock, self._backoff.delay(failures))

    async def _connection(self) -> bool:
        """One connection from beginning to end; whether it was ever up."""
        try:
            protocol: Any = await self._endpoint.connect(_Factory(self))
        except CancelledError:
            raise
        except Exception as error:  # whatever an endpoint, a resolver or TLS may fail with
            if self.running:
                self._fall(self.shown(error))
            return False
        lost: Deferred[object] = protocol.whenDisconnected()
        try:
            await self.greet(protocol)
        except RedisError as error:
            protocol.transport.abortConnection()
            self._fall(self.shown(error))
            return False
        except CancelledError:
            protocol.transport.abortConnection()
            raise
        self._protocol = protocol
        self.up = True
        self.reason = ""
        self.changed()
        pings = LoopingCall(self._ping, protocol)
        pings.clock = self.clock
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

    def _ping(self, protocol: Any) -> None:
        self.must_answer(protocol, protocol.ping)

    def must_answer(self, protocol: Any, command: Callable[..., object], *arguments: str) -> None:
        """Send a command; a connection on which it fails is given up."""

        def failed(failure: Failure) -> None:
            self.drop(protocol, self.shown(failure.value))

        maybeDeferred(command, *arguments).addErrback(failed)

    def drop(self, protocol: Any, reason: str) -> None:
        """Give a connection up; a new one will be made."""
        if protocol is self._protocol and self.up:
            self._fall(reason)
            protocol.transport.abortConnection()

    def _fall(self, reason: str) -> None:
        # Once for each change, and for the first try.
        changed = self.up or not self.reason
        self.up = False
        self.reason = reason
        if changed:
            self.changed()

    def shown(self, error: BaseException | None) -> str:
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
            _log.failure("a connection to Redis ended", failure)


class _Commands(_Connection):
    """The connection for commands."""

    def make_protocol(self) -> Any:
        """Bytes in, bytes out."""
        return RedisProtocol(charset=None, replyTimeout=REPLY_TIMEOUT, convertNumbers=False)

    async def greet(self, protocol: Any) -> None:
        """Log in, choose the database, and see whether Redis takes a write."""
        await super().greet(protocol)
        if self.address.db:
            await protocol.select(self.address.db)
        try:
            await protocol.set(PROBE_KEY, b"1", expire=60)
        except ResponseError as error:
            # A node of a cluster that keeps other keys is well all the same.
            if "MOVED" not in str(error):
                raise

    def changed(self) -> None:
        """One line in the log."""
        if self.up:
            _log.info(
                "Redis at {address} is there: statistics are kept in it", address=self.address
            )
        else:
            _log.warn(
                "Redis at {address} cannot be used ({reason}): statistics are kept in memory"
                " until it can",
                address=self.address,
                reason=self.reason,
            )
        self._told()

    def run(self, script: str, keys: Sequence[str], argument: bytes) -> Deferred[bytes]:
        """See `RedisLink.run`."""
        if not self.up:
            return fail(RedisDown(self.reason))
        protocol = self._protocol
        answer = maybeDeferred(protocol.eval, script, list(keys), [argument])
        return answer.addErrback(self._judge, protocol)

    def _judge(self, failure: Failure, protocol: Any) -> NoReturn:
        failure.trap(RedisError)
        error = failure.value
        text = self.shown(error)
        if isinstance(error, ResponseError) and not is_server_trouble(text):
            raise RedisRefused(text)
        self.drop(protocol, text)
        raise RedisDown(text)


class _Topics(_Connection):
    """The connection that subscribes.  What goes wrong with it changes nothing that is counted."""

    @cached_property
    def _wanted(self) -> set[str]:
        """Topics that are to be heard."""
        return set()

    @cached_property
    def _said(self) -> set[str]:
        """Those that this connection was told to hear."""
        return set()

    def make_protocol(self) -> Any:
        """Bytes in, bytes out."""
        return _Listener(self._told)

    async def greet(self, protocol: Any) -> None:
        """Log in and subscribe to everything that is wanted."""
        await super().greet(protocol)
        self._said = set(self._wanted)
        answers = [maybeDeferred(protocol.subscribe, topic) for topic in self._said]
        # Only this one is given up when no answer comes, and the connection with it.
        answers.append(maybeDeferred(protocol.ping))
        for fine, answer in await DeferredList(answers, consumeErrors=True):
            if not fine:
                answer.raiseException()

    def changed(self) -> None:
        """What has become wanted, or unwanted, while it was greeted is said now."""
        for topic in self._wanted ^ self._said:
            self._say(topic)

    def listen(self, topic: str) -> None:
        """See `RedisLink.listen`."""
        self._wanted.add(topic)
        self._say(topic)

    def ignore(self, topic: str) -> None:
        """See `RedisLink.ignore`."""
        self._wanted.discard(topic)
        self._say(topic)

    def _say(self, topic: str) -> None:
        """Subscribe or unsubscribe, if that is not how things are.

        One topic at a time: txredisapi expects one answer to each command.
        """
        protocol = self._protocol
        if self.up and topic in self._wanted and topic not in self._said:
            self._said.add(topic)
            self.must_answer(protocol, protocol.subscribe, topic)
        elif self.up and topic in self._said and topic not in self._wanted:
            self._said.discard(topic)
            self.must_answer(protocol, protocol.unsubscribe, topic)


class _Listener(SubscriberProtocol):  # type: ignore[misc]
    """Hands on what was published."""

    def __init__(self, heard: Callable[[str, bytes], None]) -> None:
        super().__init__(charset=None, replyTimeout=REPLY_TIMEOUT, convertNumbers=False)
        self._heard = heard
        self._rest = b""

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """A whole read in one turn: txredisapi takes a turn for each element of an answer."""
        while data and self.connected:
            self._rest = b""
            super().dataReceived(data)
            data = self._rest

    def setLineMode(self, extra: bytes = b"") -> None:
        """txredisapi: an element is complete, and this came behind it."""
        self.line_mode = 1
        self._rest = extra

    def messageReceived(self, pattern: object, channel: bytes, message: bytes) -> None:
        """txredisapi: something was published."""
        self._heard(channel.decode("utf-8", "replace"), message)


class _Factory(Factory):
    """Makes the one protocol of a connection."""

    noisy = False

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """The protocol; its time-outs are on the clock of the link."""
        protocol = self._connection.make_protocol()
        protocol.factory = self
        protocol.callLater = self._connection.clock.callLater
        return protocol
