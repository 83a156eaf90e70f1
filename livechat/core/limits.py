# SPDX-License-Identifier: MIT
"""How many new chats one client address may ask for in a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from livechat.model import error_catalogue

#: Seconds over which starts are counted.
PERIOD: Final = 60.0


class StartLimit:
    """Counts the chats that are started for each address; joining one that runs costs nothing.

    :param seconds: the clock.
    :param limit: starts of one address within any minute; 0: no limit.
    :param counts_private: whether loopback and private addresses are counted, too: behind one of
        them may stand a proxy with all clients.
    """

    def __init__(
        self, seconds: Callable[[], float], limit: int, *, counts_private: bool = True
    ) -> None:
        self._seconds = seconds
        self._limit = limit
        self._counts_private = counts_private
        # When each address started something; the address that started last stands last.
        self._starts: dict[str, deque[float]] = {}

    def take(self, address: str) -> None:
        """One more start for an address.

        :raises ChatError: `RATE_LIMITED`.
        """
        if not self._limit or not (self._counts_private or _is_public(address)):
            return
        now = self._seconds()
        self._forget(now)
        starts = self._starts.pop(address, None)
        if starts is None:
            starts = deque(maxlen=self._limit)
        self._starts[address] = starts
        if len(starts) == self._limit and 0 <= now - starts[0] < PERIOD:
            raise error_catalogue.TOO_MANY_STARTS.error(
                f"{self._limit} new chats per minute and address"
            )
        starts.append(now)

    def _forget(self, now: float) -> None:
        """Drop addresses that have started nothing for a minute; a few each time are enough."""
        for _ in range(2):
            address = next(iter(self._starts), None)
            if address is None or 0 <= now - self._starts[address][-1] < PERIOD:
                return
            del self._starts[address]


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
