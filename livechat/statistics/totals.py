# SPDX-License-Identifier: MIT
"""The totals of one channel in bounded memory; pure.

Up to a bound every user is counted exactly.  Beyond it a newcomer takes the place and the count of
the least active user ("space-saving", Metwally 2005): no count is ever too low, none is too high by
more than `error`, and the most active users stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heapreplace
from operator import attrgetter
from sys import maxsize
from typing import Final

from msgspec import UNSET

from livechat.model.events import StatsData, Tally, UserTally
from livechat.statistics.hyperloglog import Uniques

#: Users of one channel that are counted exactly unless the operator chooses another number.
MAX_USERS: Final = 10_000

#: Minutes whose messages are remembered: enough for a rate, and for counts that arrive late.
MINUTES: Final = 16

#: Most currencies and units, and most event kinds, that one channel tells apart.
MAX_NAMES: Final = 64

#: What one unit of money is counted in: a total of hundredths must not suffer from floats.
MILLIONTHS: Final = 1_000_000

_by_count: Final = attrgetter("message_count")


class ChannelTotals:
    """Everything that is counted about one channel.

    The `UserTally` objects in `users` are never changed once they are there, only replaced, so
    that snapshots and other totals may share them.

    :ivar error: by how much the count of a user may be too high; 0 as long as there was place for
        everybody.
    :ivar unnamed: users that were counted elsewhere and are not in `users`.
    :ivar peak: the most messages in one minute of the clock.
    :ivar epoch: the order of what was counted last; `since` and `until` as in `Tally`.
    """

    def __init__(self, max_users: int = MAX_USERS) -> None:
        self._max_users = max_users
        self.users: dict[str, UserTally] = {}
        self.unnamed = 0
        self.uniques = Uniques()
        self.total = 0
        self.error = 0
        self.events: dict[str, int] = {}
        self.money: dict[str, int] = {}
        self.minutes: dict[int, int] = {}
        self.peak = 0
        self.first = ""
        self.last = ""
        self.epoch, self.since, self.until = "", 0, 0
        # (count, id) of all users once there is no place left; counts may be out of date and are
        # brought up to date when they come up.
        self._least: list[tuple[int, str]] = []
        # Everybody whose count may be among the `_named` largest: those whom a snapshot named, and
        # whoever has overtaken the last of them since.
        self._named = 0
        self._front: dict[str, UserTally] = {}
        self._floor = maxsize

    def add(self, tally: Tally) -> None:
        """Add what was counted."""
        self.total += tally.total
        users = self.users
        for user in tally.users.values():
            known = users.get(user.id)
            if known is not None:
                self._hold(_recounted(user, user.message_count + known.message_count))
            elif len(users) < self._max_users:
                self.uniques.add(user.id)
                self._hold(user)
            else:
                self.uniques.add(user.id)
                self._displace(user)
        _add_up(self.events, tally.events.items())
        _add_up(self.money, tally.money.items())
        if tally.minutes:
            self._add_minutes(tally.minutes)
        if tally.first and (not self.first or tally.first < self.first):
            self.first = tally.first
        self.last = max(self.last, tally.last)
        if tally.epoch:
            if tally.epoch != self.epoch:
                self.epoch, self.since = tally.epoch, tally.since
            self.until = tally.until

    def merge(self, other: ChannelTotals) -> None:
        """Add the totals of other messages of the same channel."""
        self.add(other.tally())
        self.error += other.error
        self.peak = max(self.peak, other.peak)
        self.uniques.merge(other.uniques.registers.items())

    def tally(self) -> Tally:
        """The totals as counts to be added elsewhere; shares what it holds."""
        return Tally(
            self.total,
            self.users,
            self.events,
            self.money,
            self.minutes,
            self.first,
            self.last,
            self.epoch,
            self.since,
            self.until,
        )

    @property
    def unique_users(self) -> int:
        """How many users wrote: exact while `error` is 0, else an estimate."""
        held = len(self.users) + self.unnamed
        return max(held, self.uniques.estimate()) if self.error else held

    def snapshot(self, limit: int, now: float) -> StatsData:
        """The totals and the `limit` most active users.

        :param now: seconds since 1970.
        """
        timed = bool(self.first)
        return StatsData(
            self._top(limit),
            self.total,
            self.unique_users,
            True if self.error else UNSET,
            self.error or UNSET,
            self.rate(now) if timed else UNSET,
            self.peak if timed else UNSET,
            self.first or UNSET,
            self.last or UNSET,
            {name: _units(amount) for name, amount in self.money.items()} or UNSET,
            dict(self.events) or UNSET,
        )

    def rate(self, now: float) -> int:
        """Messages of the sixty seconds before a time (seconds since 1970).

        The minute before the one that has begun counts by the share of it that is not yet sixty
        seconds ago.
        """
        minute, seconds = divmod(now, 60)
        before = self.minutes.get(int(minute) - 1, 0) * (1 - seconds / 60)
        return round(self.minutes.get(int(minute), 0) + before)

    def _hold(self, user: UserTally) -> None:
        self.users[user.id] = user
        if user.message_count > self._floor:
            self._front[user.id] = user

    def _displace(self, newcomer: UserTally) -> None:
        """Give the place and the count of the least active user to a newcomer."""
        least, users = self._least, self.users
        if not least:
            least.extend((user.message_count, user.id) for user in users.values())
            heapify(least)
        while True:
            count, user_id = least[0]
            now = users[user_id].message_count
            if now == count:
                break
            heapreplace(least, (now, user_id))
        del users[user_id]
        self._front.pop(user_id, None)
        self.error = max(self.error, count)
        inherited = newcomer.message_count + count
        heapreplace(least, (inherited, newcomer.id))
        self._hold(_recounted(newcomer, inherited))

    def _top(self, limit: int) -> list[UserTally]:
        if limit > self._named:
            self._named = limit
            self._front = self.users
        ranked = sorted(self._front.values(), key=_by_count, reverse=True)
        top = ranked[: self._named]
        self._front = {user.id: user for user in top}
        self._floor = top[-1].message_count if len(top) == self._named else 0
        return top[:limit]

    def _add_minutes(self, minutes: dict[int, int]) -> None:
        for minute, count in minutes.items():
            now = self.minutes[minute] = self.minutes.get(minute, 0) + count
            self.peak = max(self.peak, now)
        if len(self.minutes) > MINUTES:
            # Seen from the newest that were added: a clock that was set back leaves later ones.
            newest = max(minutes)
            for minute in [m for m in self.minutes if not newest - MINUTES < m <= newest + 1]:
                del self.minutes[minute]


def _recounted(user: UserTally, count: int) -> UserTally:
    return UserTally(user.id, user.username, user.display_name, user.roles, count)


def _add_up(sums: dict[str, int], amounts: Iterable[tuple[str, int]]) -> None:
    for name, amount in amounts:
        if name in sums:
            sums[name] += amount
        elif len(sums) < MAX_NAMES:
            sums[name] = amount


def _units(millionths: int) -> int | float:
    whole, rest = divmod(millionths, MILLIONTHS)
    return millionths / MILLIONTHS if rest else whole
