# SPDX-License-Identifier: MIT
"""How many new chats one client address, or one token, may ask for in a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, Generic, TypeVar

from livechat.access import EVERYTHING, Grant
from livechat.model import error_catalogue
from livechat.model.error_catalogue import ErrorEntry
from livechat.model.errors import ChatError

K = TypeVar("K", str, bytes)

#: Seconds over which starts are counted.
PERIOD: Final = 60.0


class StartLimit:
    """Counts the chats that are started for each; joining one that runs costs nothing.

    :param seconds: the clock.
    :param limit: starts of one address within any minute; 0: no limit.
    :param counts_private: whether loopback and private addresses are counted, too: behind one of
        them may stand a proxy with all clients.
    """

    def __init__(
        self, seconds: Callable[[], float], limit: int, *, counts_private: bool = True
    ) -> None:
        self._limit = limit
        self._counts_private = counts_private
        self._of_address: _Starts[str] = _Starts(seconds)
        self._of_token: _Starts[bytes] = _Starts(seconds)

    def take(self, address: str, grant: Grant = EVERYTHING) -> None:
        """One more start for an address, and for the token that was given.

        :raises ChatError: `RATE_LIMITED`; then it counts for neither.
        """
        is_counted = self._limit and (self._counts_private or _is_public(address))
        if is_counted and self._of_address.are_many(address, self._limit):
            raise _too_many(error_catalogue.TOO_MANY_STARTS, self._limit, "address")
        if grant.starts:
            if self._of_token.are_many(grant.holder, grant.starts):
                raise _too_many(error_catalogue.TOO_MANY_STARTS_OF_TOKEN, grant.starts, "token")
            self._of_token.add(grant.holder, grant.starts)
        if is_counted:
            self._of_address.add(address, self._limit)


class _Starts(Generic[K]):
    """When each of many has started something."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        # Who has started something last stands last.
        self._starts: dict[K, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._starts)

    def are_many(self, who: K, limit: int) -> bool:
        """Whether somebody has started as many within a minute as they may."""
        starts = self._starts.get(who, ())
        return len(starts) >= limit and 0 <= self._seconds() - starts[-limit] < PERIOD

    def add(self, who: K, limit: int) -> None:
        """One more."""
        now = self._seconds()
        self._forget(now)
        starts = self._starts.pop(who, None)
        if starts is None or starts.maxlen != limit:
            # The limit of a token may change while we run.
            starts = deque(starts or (), limit)
        self._starts[who] = starts
        starts.append(now)

    def _forget(self, now: float) -> None:
        """Drop those who have started nothing for a minute; a few each time are enough."""
        for _ in range(2):
            who = next(iter(self._starts), None)
            if who is None or 0 <= now - self._starts[who][-1] < PERIOD:
                return
            del self._starts[who]


def _too_many(entry: ErrorEntry, limit: int, whose: str) -> ChatError:
    return entry.error(f"{limit} new chats per minute and {whose}")


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
