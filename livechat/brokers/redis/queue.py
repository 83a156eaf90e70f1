# SPDX-License-Identifier: MIT
"""What this node publishes, on its way to Redis: one call at a time for all channels that have any.

A call begins at once where none was made lately, otherwise some time after the last one began: the
more was in that, the longer, since it is calls that are dear.
What was sent stands in its channel's queue until Redis has taken it, so nothing is ever sent in
another order than it was published in.
"""

from __future__ import annotations

from typing import Final, Protocol

from msgspec import Struct, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from livechat.brokers.redis.layout import ORDER_TTL, PUBLISH
from livechat.redis.link import RedisDown, RedisLink, RedisRefused

_log = Logger()

#: Seconds from one call to the next: at least, for each publication in the former, and at most.
PAUSE: Final = 0.004
PAUSE_EACH: Final = 0.0015
LONGEST_PAUSE: Final = 0.020

#: Most parts and bytes of one call.
MAX_PARTS: Final = 500
MAX_BYTES: Final = 1 << 20


class Part(Struct):
    """One message of one channel, as the script takes it.

    :ivar keys: of the channel: order and log.
    :ivar arguments: topic; term; the id of its entry in the log, or `state` or `end` for a state
        that is to be kept or to be forgotten; seq, until and room of what was
        published last, with spaces between; the message.
    :ivar taken: how much of the channel's queue it is.
    """

    keys: tuple[str, str]
    arguments: tuple[str | bytes, ...]
    taken: int


class Publisher(Protocol):
    """A channel that has something to publish."""

    def parts(self) -> list[Part]:
        """What is to be published next, in order."""

    def taken(self, count: int) -> None:
        """Redis has so much of the queue."""

    def refused(self) -> None:
        """Another node leads."""

    def unusable(self) -> None:
        """The keys of the channel hold something that is not ours."""


class Sent(Struct):
    """What was sent.

    :ivar calls: how many calls.
    :ivar bytes: how many bytes of messages.
    :ivar refused: how many parts were refused, because another one leads.
    """

    calls: int = 0
    bytes: int = 0
    refused: int = 0


class Queue(Struct, eq=False):
    """The channels with something to publish.

    :ivar size: publications that a log keeps; 0: there are no logs.
    :ivar ttl: seconds for which it keeps them.
    """

    link: RedisLink
    clock: IReactorTime
    size: int
    ttl: float
    sent: Sent = field(default_factory=Sent)
    _due: dict[Publisher, None] = field(default_factory=dict)
    _call: IDelayedCall | None = None
    _next: float = 0.0
    _is_flying: bool = False

    def add(self, publisher: Publisher) -> None:
        """A channel has something to publish."""
        self._due[publisher] = None
        self._schedule()

    def drop(self, publisher: Publisher) -> None:
        """A channel has nothing to publish any more."""
        self._due.pop(publisher, None)

    def stop(self) -> None:
        """Send nothing more."""
        self._due.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _schedule(self) -> None:
        if self._call is None and not self._is_flying and self._due:
            wait = self._next - self.clock.seconds()
            self._call = self.clock.callLater(min(LONGEST_PAUSE, max(0.0, wait)), self._flush)

    def _flush(self) -> None:
        self._call = None
        keys: list[str] = []
        arguments: list[str | bytes] = []
        parts: list[tuple[Publisher, Part]] = []
        size = count = 0
        due, self._due = self._due, {}
        for publisher in due:
            if len(parts) >= MAX_PARTS or size >= MAX_BYTES:
                self._due[publisher] = None
                continue
            for part in publisher.parts():
                parts.append((publisher, part))
                keys += part.keys
                arguments += part.arguments
                size += len(part.arguments[-1])
                count += part.taken
        if not parts:
            return
        pause = min(LONGEST_PAUSE, max(PAUSE, PAUSE_EACH * count))
        self._next = self.clock.seconds() + pause
        self.sent.calls += 1
        self.sent.bytes += size
        self._is_flying = True
        keep = max(1, round(self.ttl * 1000))
        size_of_log = self.size if self.ttl > 0 else 0
        answer = self.link.run(
            PUBLISH, keys, str(size_of_log), str(keep), str(ORDER_TTL), *arguments
        )
        Deferred.fromCoroutine(self._settle(answer, parts)).addErrback(
            lambda reason: _log.failure("what was published was not settled", reason)
        )

    async def _settle(self, answer: Deferred[bytes], parts: list[tuple[Publisher, Part]]) -> None:
        try:
            outcomes = await answer
        except RedisDown:
            # Whoever leads asks, when Redis is back, what it has.
            return
        except RedisRefused as error:
            _log.error("Redis takes nothing that is published: {error}", error=str(error))
            outcomes = b"x" * len(parts)
        finally:
            self._is_flying = False
        stopped: set[Publisher] = set()
        for (publisher, part), outcome in zip(parts, outcomes.decode("latin1"), strict=False):
            if publisher in stopped:
                continue
            if outcome == "1":
                publisher.taken(part.taken)
                continue
            stopped.add(publisher)
            if outcome == "0":
                self.sent.refused += 1
                publisher.refused()
            else:
                publisher.unusable()
        self._schedule()
