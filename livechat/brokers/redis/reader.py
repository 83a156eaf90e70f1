# SPDX-License-Identifier: MIT
"""What is heard of a channel that another node leads, put into order.

What is published comes by the topic.  What did not come is read from the log: each batch says what
was published before it.  Everything else that is said under the topic keeps its place among the
batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import MsgspecError, Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from livechat.brokers.redis.messages import Batch, Message
from livechat.core.ports import Start
from livechat.core.publication import Publication
from livechat.redis.link import RedisDown, RedisRefused

_log = Logger()

#: Bytes that are kept while a hole is being filled.
MAX_KEPT = 1 << 20


class Heard(Struct):
    """What followers of a node heard.

    :ivar bytes: that came by topics.
    :ivar filled: how many holes were filled from the log.
    :ivar missed: how many could not be.
    """

    bytes: int = 0
    filled: int = 0
    missed: int = 0


class Listener(Protocol):
    """Who is given what was heard, in order."""

    def deliver(self, publications: Sequence[Publication]) -> None:
        """What was published."""

    def hear(self, message: Message) -> None:
        """Anything else."""

    def miss(self, start: Start) -> None:
        """Everything up to there, after what was delivered, is gone."""

    def read(self, epoch: str, after: int) -> Deferred[list[Batch]]:
        """What the log holds after a number."""

    def lose_place(self) -> None:
        """What comes is of an order that is not the one that is followed."""


class Reader:
    """What is heard of one channel.

    :ivar place: what was delivered last; its epoch is empty before there is anything.
    """

    def __init__(self, listener: Listener, heard: Heard) -> None:
        self._listener = listener
        self._heard = heard
        self._kept: list[Message] = []
        self._size = 0
        self._is_waiting = True
        self._entered = 0
        self.place = Start("", 0)

    @property
    def lag(self) -> int:
        """How many publications are missing before the last that was heard."""
        last = next((one for one in reversed(self._kept) if isinstance(one, Batch)), None)
        if last is None or last.epoch != self.place.epoch or not last.items:
            return 0
        return max(0, last.items[-1].seq - self.place.seq)

    def wait(self) -> None:
        """Keep what comes until it is known where to begin."""
        self._kept.clear()
        self._size = 0
        self._is_waiting = True
        # A reading that is under way is of no use any more.
        self._entered += 1

    def begin(self) -> None:
        """Go on with what has come meanwhile."""
        self._is_waiting = False
        self._drain()

    def hear(self, message: Message, size: int) -> None:
        """Something came by the topic.

        :param size: its bytes.
        """
        if not self._is_waiting and not self._kept:
            self._take(message)
        elif self._size + size <= MAX_KEPT or not isinstance(message, Batch):
            # What does not fit is a hole again, which shows at the next batch.
            self._kept.append(message)
            self._size += size

    def take(self, batch: Batch) -> None:
        """Deliver what is new of a batch, whatever is missing before it."""
        publications = batch.publications(self.place.seq)
        if publications:
            self.place = Start(batch.epoch, publications[-1].seq, batch.until, batch.room_id)
            self._listener.deliver(publications)

    def _take(self, message: Message) -> None:
        if not isinstance(message, Batch):
            self._listener.hear(message)
        elif message.epoch != self.place.epoch:
            self._listener.lose_place()
        elif message.previous > self.place.seq:
            self._kept.insert(0, message)
            self._is_waiting = True
            Deferred.fromCoroutine(self._fill(message.previous)).addErrback(
                lambda reason: _log.failure("a hole was not filled", reason)
            )
        else:
            self.take(message)

    async def _fill(self, until: int) -> None:
        """Read what is missing up to a number, and go on."""
        entered = self._entered
        try:
            while self.place.seq < until:
                entries = await self._listener.read(self.place.epoch, self.place.seq)
                if entered != self._entered:
                    return
                before = self.place.seq
                for entry in entries:
                    self.go_to(entry.previous)
                    self.take(entry)
                if self.place.seq == before:
                    break
        except RedisDown:
            # Entering anew begins where this has stopped.
            return
        except (RedisRefused, MsgspecError, ValueError) as error:
            _log.warn("the log of a channel cannot be read: {error}", error=str(error))
        if entered == self._entered:
            self._heard.filled += 1
            self.go_to(until)
            self.begin()

    def go_to(self, previous: int) -> None:
        """What follows comes after this number: what is missing before it is told."""
        place = self.place
        if previous > place.seq:
            self._heard.missed += 1
            self.place = Start(place.epoch, previous, place.until, place.room_id)
            self._listener.miss(self.place)

    def _drain(self) -> None:
        while self._kept and not self._is_waiting:
            self._take(self._kept.pop(0))
        if not self._kept:
            self._size = 0
