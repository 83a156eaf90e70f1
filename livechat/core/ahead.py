# SPDX-License-Identifier: MIT
"""Subscribers who come back with more than their node has received.

A leader gives its own subscribers what it publishes at once; a node that follows receives it later,
by seconds where the broker was away.  Whoever changes from the one to the other is ahead of its new
node.  It is greeted when the node has what it has: nothing comes twice, and it is known whether
anything is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.ports import Start
from livechat.core.standing import BROKER
from livechat.core.subscription import Subscription

#: Seconds after which a number that no leader has published yet is taken for one of another order,
#: unless the node knows that it hears nothing.
PATIENCE: Final = 10.0


class Ahead:
    """Those of one channel who wait for their node.

    :ivar follows: whether another node leads; what the leader itself has not published is nowhere.
    :param last: the place of what this node has received last.
    :param hears: whether the node receives what is published, as far as it knows.
    :param greet: called with each of them, once, when its time has come.
    """

    def __init__(
        self,
        clock: IReactorTime,
        last: Callable[[], Start],
        hears: Callable[[], bool],
        greet: Callable[[Subscription], None],
    ) -> None:
        self.follows = False
        self._clock = clock
        self._last = last
        self._hears = hears
        self._greet = greet
        self._waiting: dict[Subscription, None] = {}
        self._call: IDelayedCall | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def keeps(self, subscription: Subscription) -> bool:
        """Keep this one if it is ahead; whether that is so."""
        if not self._is_ahead(subscription):
            return False
        self._waiting[subscription] = None
        if self._call is None:
            self._call = self._clock.callLater(PATIENCE, self._lose_patience)
        return True

    def remove(self, subscription: Subscription) -> None:
        """It waits no more.  Unknown ones are ignored."""
        self._waiting.pop(subscription, None)
        if not self._waiting:
            self.close()

    def look(self) -> None:
        """The node has received something, or has another part: greet whoever is not ahead now."""
        for subscription in list(self._waiting):
            if not self._is_ahead(subscription):
                self.remove(subscription)
                self._greet(subscription)

    def close(self) -> None:
        """Leave nothing on the clock."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _is_ahead(self, subscription: Subscription) -> bool:
        since, last = subscription.options.since, self._last()
        return (
            self.follows
            and since is not None
            and since.epoch == last.epoch
            and since.seq > last.seq
        )

    def _lose_patience(self) -> None:
        self._call = None
        if not self._hears():
            for subscription in self._waiting:
                subscription.tell_waiting(BROKER)
            self._call = self._clock.callLater(PATIENCE, self._lose_patience)
            return
        waiting, self._waiting = self._waiting, {}
        for subscription in waiting:
            self._greet(subscription)
