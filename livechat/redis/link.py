# SPDX-License-Identifier: MIT
"""Two connections to Redis, up or known to be down, and never waited for.

One is for commands, the other for subscribing: on one that subscribes Redis takes no commands.
Both are made anew for as long as the service runs, whatever Redis answers.  The first is up once
Redis has shown on it that it does all that will be asked of it, and while every command is answered
in time.  Commands are never queued for a connection that is not there: they fail at once.

Importing this module installs a reactor, see `livechat.redis.wire`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from random import Random
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger
from txredisapi import RedisError, ResponseError

from livechat.redis.address import RedisAddress
from livechat.redis.connection import Connection, Unusable
from livechat.redis.names import LAYOUT, Names
from livechat.redis.rights import Probe, advice, is_server_trouble, missing, probes_of
from livechat.redis.script import Script
from livechat.redis.wire import MAX_REPLY

_log = Logger()


class RedisDown(Exception):
    """Redis cannot be used now; whether the command was carried out is not known."""


class RedisRefused(Exception):
    """Redis did not carry the command out, for a reason that lies in the keys it names."""


class RedisLink(Service):
    """Both connections.

    Several parts may share a link: each of them starts it, and it ends when all have stopped it.

    :param endpoint: where Redis is.
    :param probes: commands that will be used: they are tried whenever a connection was made.
    :param max_reply: bytes of the longest answer that may be expected.
    :ivar names: what keys and topics are called.
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
        probes: Sequence[Probe] = (),
        max_reply: int = MAX_REPLY,
        names: Names | None = None,
    ) -> None:
        self.names = names or Names(database=address.db)
        advised: dict[object, str] = {}
        self._commands = _Commands(address, endpoint, clock, random, max_reply, advised, self.names)
        self._commands.probes = tuple(
            probe.on(self.names.key("probe")) for probe in dict.fromkeys(probes)
        )
        self._topics = _Topics(address, endpoint, clock, random, max_reply, advised, self.names)
        self._owners = 0

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

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell somebody after each change of `up`, and after the first try."""
        self._commands.owners.append(changed)

    def watch_topics(self, changed: Callable[[], None]) -> None:
        """Tell somebody after each change of `listening`, and after the first try."""
        self._topics.owners.append(changed)

    def startService(self) -> None:
        """Connect, now and whenever a connection is lost."""
        self._owners += 1
        if self._owners == 1:
            super().startService()
            self._commands.startService()
            self._topics.startService()

    def stopService(self) -> None:
        """Close the connections, if nobody else uses them."""
        self._owners -= 1
        if self._owners == 0:
            super().stopService()
            self._commands.stopService()
            self._topics.stopService()

    def run(self, script: Script, keys: Sequence[str], *arguments: str | bytes) -> Deferred[bytes]:
        """Run a script; answers its one reply.

        :raises RedisDown: now, or when no answer came in time; whether it ran is not known.
        :raises RedisRefused: it did not run.
        """
        return Deferred.fromCoroutine(self._commands.run(script, keys, arguments))

    def ask(self, *command: str | bytes) -> Deferred[object]:
        """Run one command; answers its reply.

        :raises RedisDown: see `run`.
        :raises RedisRefused: see `run`.
        """
        return Deferred.fromCoroutine(self._commands.exchange(*command))

    def hears(self, topic: str) -> bool:
        """Whether what is published under a topic is heard here now."""
        return self._topics.hears(topic)

    def listen(self, topic: str, heard: Callable[[bytes], None]) -> None:
        """Hear what is published under a topic, on this connection and on later ones."""
        self._topics.listen(topic, heard)

    def heard(self) -> Deferred[None]:
        """Fires when everything is heard that Redis was told so far to let us hear.

        :raises RedisDown: there is no connection for it, or there was.
        """
        return Deferred.fromCoroutine(self._topics.all_heard())

    def ignore(self, topic: str) -> None:
        """Hear no more of a topic."""
        self._topics.ignore(topic)


class _Owned(Connection):
    """A connection whose owners are told of changes."""

    @cached_property
    def owners(self) -> list[Callable[[], None]]:
        """Who is told."""
        return []

    def changed(self) -> None:
        """Tell them."""
        for owner in self.owners:
            try:
                owner()
            except Exception:
                _log.failure("a change of the connection to Redis was not taken")


class _Commands(_Owned):
    """The connection for commands."""

    probes: Sequence[Probe] = ()
    # On the keys of a command that was refused for want of rights, which no other one has shown.
    _suspicious: Sequence[Probe] = ()

    async def greet(self, wire: Any) -> None:
        """Log in, choose the database, and try everything that will be used."""
        await super().greet(wire)
        await self.ask(wire, "PING")
        if self.address.db:
            await self.ask(wire, "SELECT", self.address.db)
        probes = [*self.probes, *self._suspicious]
        answers = [maybeDeferred(wire.execute_command, *probe.command) for probe in probes]
        wanting: dict[bool, list[str]] = {False: [], True: []}
        trouble: list[Exception] = []
        tried: Any = await DeferredList(answers, consumeErrors=True)
        for probe, (fine, answer) in zip(probes, tried, strict=True):
            if fine:
                if not probe.takes(answer):
                    trouble.append(RedisError(f"{probe.command[0]} was not answered as by Redis"))
            elif not isinstance(answer.value, ResponseError):
                raise answer.value
            elif rule := missing(probe.command[0], str(answer.value), self.names):
                wanting[probe.optional].append(rule)
            # A node of a cluster that keeps other keys is well all the same.
            elif "MOVED" not in str(answer.value) and (
                probe.expected or is_server_trouble(str(answer.value))
            ):
                trouble.append(answer.value)
        if wanting[False]:
            raise Unusable(advice(self.address.username, wanting[False]))
        if trouble:
            raise trouble[0]
        self._suspicious = ()
        # One answer too many, or too few, shows here.
        await self.ask(wire, "PING")
        await self._agree(wire)
        self.advise(advice(self.address.username, wanting[True]))

    def changed(self) -> None:
        """One line in the log, and the owners are told."""
        if self.up:
            _log.info("Redis at {address} is ready", address=self.address)
        else:
            _log.warn(
                "Redis at {address} cannot be used ({reason}): it is tried again until it can",
                address=self.address,
                reason=self.reason,
            )
            self.advise(self.reason, said=True)
        super().changed()

    async def _agree(self, wire: Any) -> None:
        """See to it that what lies under the prefix is of our layout.

        :raises Unusable: it is of another one.
        """
        key = self.names.layout
        found = await self.ask(wire, "GET", key)
        if found is None:
            await self.ask(wire, "SET", key, LAYOUT, "NX")
            return
        if found != LAYOUT.encode():
            shown = repr(found)[:40]
            raise Unusable(
                f"what lies under the prefix {self.names.prefix} has layout {shown}, and this"
                f" program needs {LAYOUT}: give it another --redis-prefix, or delete {key} with"
                " everything under the prefix"
            )

    async def run(
        self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes]
    ) -> bytes:
        """See `RedisLink.run`."""
        try:
            answer = await self.exchange("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except RedisRefused as error:
            if "NOSCRIPT" not in str(error):
                raise
            answer = await self.exchange("EVAL", script.text, len(keys), *keys, *arguments)
        if isinstance(answer, bytes):
            return answer
        text = "a script was answered by something that Redis does not answer"
        self.drop(self.wire, text)
        raise RedisDown(text)

    async def exchange(self, *command: object) -> object:
        """See `RedisLink.ask`."""
        wire = self.wire
        if not self.up:
            raise RedisDown(self.reason)
        try:
            return await wire.execute_command(*command)
        except RedisError as error:
            text = self.shown(error, wire)
            if isinstance(error, ResponseError) and not is_server_trouble(text):
                raise RedisRefused(text) from None
            if missing(str(command[0]), text, self.names) == self.names.key_rule:
                self._suspicious = probes_of(command)
            self.drop(wire, text)
            raise RedisDown(text) from None


class _Topics(_Owned):
    """The connection that subscribes."""

    @cached_property
    def _wanted(self) -> dict[str, Callable[[bytes], None]]:
        """Topics that are to be heard, and who hears them."""
        return {}

    @cached_property
    def _said(self) -> set[str]:
        """Those that this connection was told to hear."""
        return set()

    def heard(self, topic: str, payload: bytes) -> None:
        """Something was published."""
        if topic in self._wanted:
            self._wanted[topic](payload)

    def hears(self, topic: str) -> bool:
        """See `RedisLink.hears`."""
        return self.up and topic in self._said

    async def greet(self, wire: Any) -> None:
        """Log in and subscribe to everything that is wanted."""
        await super().greet(wire)
        self._said = set(self._wanted)
        answers = [
            Deferred.fromCoroutine(self.ask(wire, "SUBSCRIBE", topic)) for topic in self._said
        ]
        # Where this is forbidden, the connection for commands says what to do.
        answers.append(maybeDeferred(wire.ping))
        tried: Any = await DeferredList(answers, consumeErrors=True)
        for fine, answer in tried:
            if not fine:
                raise answer.value

    def changed(self) -> None:
        """What has become wanted, or unwanted, while it was greeted is said now."""
        for topic in self._wanted.keys() ^ self._said:
            self._say(topic)
        super().changed()

    def listen(self, topic: str, heard: Callable[[bytes], None]) -> None:
        """See `RedisLink.listen`."""
        self._wanted[topic] = heard
        self._say(topic)

    async def all_heard(self) -> None:
        """Redis answers in order: a ping is answered when what was said before has been done."""
        wire = self.wire
        try:
            if self.up:
                await wire.ping()
        except RedisError as error:
            self.drop(wire, self.shown(error, wire))
        if not self.up or wire is not self.wire:
            raise RedisDown(self.reason)

    def ignore(self, topic: str) -> None:
        """See `RedisLink.ignore`."""
        self._wanted.pop(topic, None)
        self._say(topic)

    def _say(self, topic: str) -> None:
        """Subscribe or unsubscribe, if that is not how things are.

        One topic at a time: txredisapi expects one answer to each command.
        """
        if self.up and (topic in self._wanted) != (topic in self._said):
            self._said ^= {topic}
            self.must_answer("SUBSCRIBE" if topic in self._said else "UNSUBSCRIBE", topic)
