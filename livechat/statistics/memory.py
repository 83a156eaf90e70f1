# SPDX-License-Identifier: MIT
"""Statistics that are kept in the memory of this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import inf

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from livechat.core.ports import IStatsStore
from livechat.model.events import ChannelKey, StatsData, Tally
from livechat.statistics.totals import MAX_USERS, ChannelTotals


@implementer(IStatsStore)
class MemoryStats:
    """Statistics that live as long as their channel is watched.

    :param max_users: users of one channel that are counted exactly.
    :param now: seconds since 1970; for rates.
    """

    storage_type: str = "memory"
    health: Mapping[str, object] = {}
    interval: float = inf

    def __init__(self, max_users: int = MAX_USERS, now: Callable[[], float] = time.time) -> None:
        self._max_users = max_users
        self._now = now
        self._channels: dict[ChannelKey, ChannelTotals] = {}
        self._listeners: dict[ChannelKey, list[Callable[[], None]]] = {}

    def storage_of(self, key: ChannelKey) -> str:
        """See `IStatsStore`."""
        return self.storage_type

    def open(self, key: ChannelKey, changed: Callable[[], None]) -> None:
        """See `IStatsStore`."""
        self._listeners.setdefault(key, []).append(changed)

    def add(self, key: ChannelKey, tally: Tally) -> Deferred[None]:
        """See `IStatsStore`."""
        totals = self._channels.get(key)
        if totals is None:
            totals = self._channels[key] = ChannelTotals(self._max_users)
        tally.date(self._now())
        totals.add(tally)
        for changed in tuple(self._listeners.get(key, ())):
            changed()
        return succeed(None)

    def seal(self, key: ChannelKey, epoch: str, seq: int) -> Deferred[int]:
        """See `IStatsStore`: nobody else counts."""
        return succeed(seq)

    def snapshot(self, key: ChannelKey, limit: int) -> Deferred[StatsData]:
        """See `IStatsStore`."""
        totals = self._channels.get(key)
        if totals is None:
            return succeed(StatsData([], 0, 0))
        return succeed(totals.snapshot(limit, self._now()))

    def forget(self, key: ChannelKey, changed: Callable[[], None]) -> Deferred[None]:
        """See `IStatsStore`."""
        listeners = self._listeners.get(key, [])
        if changed in listeners:
            listeners.remove(changed)
        if not listeners:
            self._listeners.pop(key, None)
            self._channels.pop(key, None)
        return succeed(None)
