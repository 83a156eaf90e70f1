# SPDX-License-Identifier: MIT
"""What one node has to do with one channel: it leads, follows, or is on the way to either.

What it does next stands in `share_states`.  What is published goes straight from the leader to its
own member and into the tail, and from the topic through the reader to the member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from zope.interface import implementer

from livechat.brokers.redis.messages import (
    Ready,
)
from livechat.brokers.redis.nobody import NOBODY
from livechat.brokers.redis.share_asking import cancel
from livechat.brokers.redis.share_states import LEADS, SENDS
from livechat.brokers.redis.share_turns import TurningShare
from livechat.core.ports import (
    ChannelState,
    Failed,
    IMembership,
    Interrupted,
    Live,
    Start,
)
from livechat.core.publication import Publication, latest
from livechat.model.errors import ChatError
from livechat.model.events import iso_time

#: Seconds for which an heir may be looked for.
RELEASE_TIMEOUT: Final = 10.0


@implementer(IMembership)
class Share(TurningShare):
    """One node's part in one channel, as its member and the broker see it."""

    # What the member does (`IMembership`).

    @property
    def certain(self) -> bool:
        """See `IMembership`."""
        return self.state == "Alone" or self._node.lease.is_held

    @property
    def lag(self) -> int:
        """See `IMembership`."""
        return len(self._tail) if self._leads else self._reader.lag

    def publish(self, publications: Sequence[Publication]) -> None:
        """See `IMembership`."""
        if self.state not in LEADS:
            return
        last = publications[-1]
        until = latest(self._reader.place.until, publications)
        self._reader.place = Start(last.epoch, last.seq, until, last.room_id)
        if self.state in SENDS:
            self._tail.add(publications)
            self._node.queue.add(self)
        self._member.published(publications)

    def tell(self, state: ChannelState) -> None:
        """See `IMembership`."""
        if self.state not in LEADS:
            return
        if isinstance(state, Live) and not self._reader.place.until:
            now = iso_time(round(self._node.now() * 1000))
            self._reader.place = replace(self._reader.place, until=now)
        self._present = state
        if self.state in SENDS:
            self._tail.tell(state)
            self._node.queue.add(self)
        self._member.told(state)

    def look(self) -> None:
        """See `IMembership`."""
        if not self._node.lease.is_held:
            self.turn("lapsed")
        self.turn("again")

    def prepared(self) -> None:
        """See `IMembership`."""
        if self.state == "Preparing":
            self._node.say_to(self.leader, Ready(self.tag, self._node.lease.me, able=True))

    def unprepared(self) -> None:
        """See `IMembership`."""
        self.turn("unable")

    def release(self) -> Deferred[None]:
        """See `IMembership`."""
        released: Deferred[None] = Deferred(lambda _: self._stay())
        self._release = released
        self._release_limit = self._node.clock.callLater(RELEASE_TIMEOUT, self._released)
        self.turn("offer")
        return released

    def leave(self, stop: Callable[[], Deferred[None]]) -> Deferred[None]:
        """See `IMembership`."""
        if self._stop is None:
            self._stop = stop
            self._member = NOBODY
            self.turn("leave")
        left: Deferred[None] = Deferred()
        self.departed.addCallback(left.callback)
        return left

    def _stay(self) -> None:
        self._release = None
        cancel(self._release_limit)
        self.turn("stay")

    # What the broker sees to.

    def told_deaf(self) -> None:
        """Nothing has been heard from Redis for long."""
        if self.has_role and not self._leads and not self.is_deaf:
            self.is_deaf = True
            self._member.told(Interrupted("BROKER"))

    def say_waiting(self) -> None:
        """Nobody can say who leads."""
        self._member.waits("BROKER")

    def fail(self, error: ChatError) -> None:
        """No leader is found."""
        self._member.told(Failed(error))
