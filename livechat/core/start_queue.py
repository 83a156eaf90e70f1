# SPDX-License-Identifier: MIT
"""The starts of one platform: a bounded number is under way, the others wait for their turn.

A start that waits here has no channel and no watcher yet, so that ten thousand of them cost little.
Whoever asks for little begins in a reserve that the others cannot take.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.clients import Requester
from livechat.core.subscription import QUEUED_EVERY
from livechat.fair import Demand, FairQueue
from livechat.model.events import ChannelKey

#: Most starts under way, and how many more there may be of addresses that ask for little.  So many
#: are enough to use up the budgets of each platform.
AT_ONCE: Final = 64
RESERVE: Final = 256

#: Most starts of an address that asks for little.
LITTLE: Final = 2

#: Seconds after which a start does not count as under way any more, whatever has become of it.
LONGEST: Final = 60.0

#: Seconds of waiting after which it is told.
QUEUED_AFTER: Final = 2.0

#: Most starts that are begun, and most that are told that they wait, in one turn of the event loop.
BEGUN_AT_ONCE: Final = 16
TOLD_AT_ONCE: Final = 64


class StartQueue:
    """Starts of one platform, each known by the key that was asked for.

    :param demand: how much the clients ask for in all.
    :param begin: called with a key when it is its turn.
    :param queued: called with a key that waits, after two seconds and then every ten.
    """

    def __init__(
        self,
        clock: IReactorTime,
        demand: Demand,
        begin: Callable[[ChannelKey], None],
        queued: Callable[[ChannelKey], None],
    ) -> None:
        self._clock = clock
        self._demand = demand
        self._begin = begin
        self._queued = queued
        self._queue: FairQueue[ChannelKey] = FairQueue(demand)
        self._waiting: dict[ChannelKey, Requester] = {}
        # Those that wait since the last turn of the event loop.
        self._arrived: list[ChannelKey] = []
        self._under_way: dict[ChannelKey, tuple[Requester, IDelayedCall]] = {}
        # When each is to be told that it waits, the next one first: those that were not told yet,
        # and the others.
        self._new: dict[ChannelKey, float] = {}
        self._told: dict[ChannelKey, float] = {}
        self._telling: IDelayedCall | None = None
        self._handing_out: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, key: ChannelKey, requester: Requester) -> None:
        """A start is asked for that is neither waiting nor under way: it begins now or later."""
        self._demand.add(requester)
        if len(self._under_way) < AT_ONCE and not self._waiting:
            self._start(key, requester)
            return
        self._waiting[key] = requester
        self._queue.put(key, requester, first=True)
        self._arrived.append(key)
        self._hand_out_later()
        self._new[key] = self._clock.seconds() + QUEUED_AFTER
        self._tell_later()

    def over(self, key: ChannelKey) -> None:
        """A start has succeeded, has failed or is not wanted any more; others are ignored."""
        requester = self._waiting.pop(key, None)
        if requester is not None:
            self._queue.remove(key)
            self._demand.remove(requester)
            self._is_not_waiting(key)
            return
        requester, timer = self._under_way.pop(key, (None, None))
        if requester is not None and timer is not None:
            if timer.active():
                timer.cancel()
            self._demand.remove(requester)
            self._hand_out_later()

    def _start(self, key: ChannelKey, requester: Requester) -> None:
        timer = self._clock.callLater(LONGEST, self.over, key)
        self._under_way[key] = requester, timer
        self._begin(key)

    def _hand_out_later(self) -> None:
        if self._handing_out is None and self._waiting:
            self._handing_out = self._clock.callLater(0, self._hand_out)

    def _hand_out(self) -> None:
        """Begin what may begin now; what is over at once makes room for others."""
        self._handing_out = None
        arrived, self._arrived = self._arrived, []
        for key in arrived:
            # Now it is known what else the client asked for in the same breath.
            if self._asks_little(key) and len(self._under_way) < AT_ONCE + RESERVE:
                self._queue.remove(key)
                self._begin_waiting(key)
        for _ in range(BEGUN_AT_ONCE):
            if not self._waiting or len(self._under_way) >= AT_ONCE:
                return
            self._begin_waiting(self._queue.take())
        self._hand_out_later()

    def _asks_little(self, key: ChannelKey) -> bool:
        """Whether a start waits whose address asks for little."""
        requester = self._waiting.get(key)
        return requester is not None and self._demand.of_address(requester.address) <= LITTLE

    def _begin_waiting(self, key: ChannelKey) -> None:
        requester = self._waiting.pop(key)
        self._is_not_waiting(key)
        self._start(key, requester)

    def _is_not_waiting(self, key: ChannelKey) -> None:
        """Nothing more is to be told of it; when nobody waits, nothing is to be done."""
        self._new.pop(key, None)
        self._told.pop(key, None)
        if self._waiting:
            return
        for call in (self._telling, self._handing_out):
            if call is not None and call.active():
                call.cancel()
        self._telling = self._handing_out = None

    def _next_due(self) -> tuple[float, ChannelKey]:
        """When who is to be told next that it waits."""
        heads = (next(iter(due.items()), None) for due in (self._new, self._told))
        key, when = min(filter(None, heads), key=itemgetter(1))
        return when, key

    def _tell_later(self) -> None:
        when, _ = self._next_due()
        seconds = max(0.0, when - self._clock.seconds())
        if self._telling is None:
            self._telling = self._clock.callLater(seconds, self._tell)
        elif when < self._telling.getTime():
            self._telling.reset(seconds)

    def _tell(self) -> None:
        """Tell those whose time has come, some at a time, that they wait."""
        self._telling = None
        now = self._clock.seconds()
        for _ in range(TOLD_AT_ONCE):
            when, key = self._next_due()
            if when > now:
                break
            self._new.pop(key, None)
            self._told.pop(key, None)
            self._told[key] = now + QUEUED_EVERY
            self._queued(key)
        self._tell_later()
