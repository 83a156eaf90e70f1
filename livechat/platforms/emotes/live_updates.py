# SPDX-License-Identifier: MIT
"""Changes of sets as a provider's socket tells them, for all channels of the process.

Topics share connections, as many as the provider allows on one.  A connection that was lost comes
back by itself; meanwhile, and after it, sets are asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

from msgspec import Struct
from prometheus_client import Counter, Gauge
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.pacing import TokenBucket
from livechat.platforms.client_socket import Connect
from livechat.platforms.emotes.event_socket import Dialect, EventSocket
from livechat.platforms.emotes.kept_set import Listener
from livechat.platforms.emotes.limits import CONNECTIONS
from livechat.platforms.emotes.parse.emote_set import Change
from livechat.platforms.emotes.parse.messages import Stale
from livechat.platforms.kept_socket import KeptSocket, Place
from livechat.platforms.steps import Steps

_log = Logger()

_HEADERS: Final = {"User-Agent": "livechat"}

#: Seconds between a set's being asked for and its changes being told in which none is missed
#: usually.
CLOSE: Final = 5.0


class Socket(Struct, frozen=True):
    """Where a provider's socket is and what all connections to it share.

    :ivar provider: its name, for logs.
    :ivar open: the connections that are open.
    """

    provider: str
    url: str
    dialect: Dialect
    connect: Connect
    clock: IReactorTime
    random: Random
    metrics: Metrics
    steps: Steps
    open: Gauge
    changes: Counter

    def place(self) -> Place:
        """The same, for one connection."""
        return Place(
            url=self.url,
            connect=self.connect,
            clock=self.clock,
            random=self.random,
            headers=_HEADERS,
            longest=self.dialect.longest,
            open=self.open,
        )


class LiveUpdates:
    """See `kept_set.Updates`."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._listeners: dict[str, list[Listener]] = {}
        self._lines: list[_Line] = []
        self._homes: dict[str, _Line] = {}
        self._log_lines = TokenBucket(0.05, 3, socket.clock.seconds)

    def listen(self, topic: str, listener: Listener) -> None:
        """See `Updates`."""
        listeners = self._listeners.setdefault(topic, [])
        listeners.append(listener)
        if len(listeners) == 1:
            self._place(topic, self._socket.clock.seconds())

    def ignore(self, topic: str, listener: Listener) -> None:
        """See `Updates`."""
        listeners = self._listeners[topic]
        listeners.remove(listener)
        if listeners:
            return
        del self._listeners[topic]
        line = self._homes.pop(topic, None)
        if line is None:
            return
        line.remove(topic)
        if not line.topics:
            self._lines.remove(line)
            line.stop()

    def tells(self, topic: str) -> bool:
        """See `Updates`."""
        line = self._homes.get(topic)
        return line is not None and line.is_ready

    def stop(self) -> None:
        """Close all connections."""
        lines, self._lines = self._lines, []
        self._homes.clear()
        for line in lines:
            line.stop()

    # What a connection says.

    def told(self, message: Change | Stale) -> None:
        """Something about a topic."""
        if isinstance(message, Change):
            self._socket.changes.inc()
        for listener in self._listening(message.topic):
            if isinstance(message, Change):
                self._socket.steps.run(message.topic, listener.changed, message)
            else:
                self._socket.steps.run(message.topic, listener.stale)

    def missed(self, topics: Iterable[str]) -> None:
        """Changes of these may have been missed."""
        for topic in topics:
            for listener in self._listening(topic):
                self._socket.steps.run(topic, listener.missed)

    def lost(self, topics: Iterable[str], reason: str) -> None:
        """Changes of these are not told for a while."""
        if self._log_lines.take():
            _log.info(
                "changes of emotes of {provider} are not told: {reason}",
                provider=self._socket.provider,
                reason=reason,
            )
        for topic in topics:
            for listener in self._listening(topic):
                self._socket.steps.run(topic, listener.lost)

    def unreadable(self) -> None:
        """A message could not be read."""
        self._socket.metrics.count_unparsed(self._socket.provider, "socket message")

    def move(self, topics: dict[str, float]) -> None:
        """These have no room where they are."""
        for topic, since in topics.items():
            del self._homes[topic]
            self._place(topic, since)

    def _listening(self, topic: str) -> list[Listener]:
        return list(self._listeners.get(topic, ()))

    def _place(self, topic: str, since: float) -> None:
        line = next((line for line in self._lines if len(line.topics) < line.most), None)
        if line is None:
            if len(self._lines) >= CONNECTIONS:
                return
            line = _Line(self._socket, self)
            self._lines.append(line)
            line.start()
        self._homes[topic] = line
        line.add(topic, since)


class _Line:
    """A connection that comes back, with the topics on it: a `Keeper`.

    :ivar topics: with the time since which somebody wants to know of each.
    :ivar most: how many may be on it.
    :ivar is_ready: whether they are told at present.
    """

    def __init__(self, socket: Socket, owner: LiveUpdates) -> None:
        self.topics: dict[str, float] = {}
        self.most = socket.dialect.most
        self.is_ready = False
        self._parts = socket
        self._owner = owner
        self._kept: KeptSocket[EventSocket] = KeptSocket(socket.place(), self)
        self._socket: EventSocket | None = None
        self._was_ready = False

    def start(self) -> None:
        """Connect, and again whenever it is lost."""
        self._kept.start()

    def stop(self) -> None:
        """Close it for good."""
        self._kept.stop()

    def add(self, topic: str, since: float) -> None:
        """Tell of this, too."""
        self.topics[topic] = since
        if self.is_ready and self._socket is not None:
            self._socket.subscribe(topic)

    def remove(self, topic: str) -> None:
        """Tell of this no more."""
        del self.topics[topic]
        if self.is_ready and self._socket is not None:
            self._socket.unsubscribe(topic)

    # Keeper

    def made(self) -> EventSocket:
        """See `Keeper`."""
        dialect, clock, owner = self._parts.dialect, self._parts.clock, self._owner
        self._socket = EventSocket(dialect, clock, self._ready, owner.told, owner.unreadable)
        return self._socket

    def closed(self) -> None:
        """See `Keeper`."""
        self._socket = None
        self._was_ready, self.is_ready = self.is_ready, False

    def lost(self, reason: str) -> None:
        """See `Keeper`."""
        if self._was_ready or reason:
            self._owner.lost(list(self.topics) if self._was_ready else (), reason)

    def failed(self) -> None:
        """See `Keeper`."""
        self._parts.steps.failed(self._parts.provider)

    def _ready(self, most: int) -> None:
        assert self._socket is not None
        self.is_ready = True
        self.most = most
        beyond = dict(list(self.topics.items())[most:])
        for topic in beyond:
            del self.topics[topic]
        for topic in self.topics:
            self._socket.subscribe(topic)
        long_ago = self._parts.clock.seconds() - CLOSE
        self._owner.missed([topic for topic, since in self.topics.items() if since < long_ago])
        self._owner.move(beyond)
