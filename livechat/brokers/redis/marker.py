# SPDX-License-Identifier: MIT
"""The key that shows that Redis still has what it had.

It holds the lease in seconds and a token of who wrote it.  Where it is missing, Redis has lost
everything, or never had anything.  Where the token is another one, Redis has lost everything, and
another node has seen that before.
"""

from __future__ import annotations

from random import Random

from twisted.logger import Logger

from livechat.brokers.redis.lease import Lease
from livechat.redis.link import RedisLink

_log = Logger()


class Marker:
    """The key, as this node has seen it last."""

    def __init__(self, link: RedisLink, random: Random, lease: Lease) -> None:
        self._link = link
        self._random = random
        self._lease = lease
        self._seen = b""

    @property
    def key(self) -> str:
        """The key."""
        return self._link.names.key("marker")

    def is_as_before(self, found: object) -> bool:
        """Whether this is what the key held when this node has seen it last."""
        return found == self._seen

    async def see(self) -> bool:
        """Look at the key, and write it where it is missing; take the lease that stands in it.

        :return: whether Redis has lost what it had, or never had anything.
        :raises RedisDown, RedisRefused: there is no answer.
        """
        mine = f"{self._lease.seconds:g} {self._random.getrandbits(48):012x}".encode()
        if await self._link.ask("SET", self.key, mine, "NX") is not None:
            self._seen = mine
            return True
        found = await self._link.ask("GET", self.key)
        if not isinstance(found, bytes):
            return True
        is_another = self._seen not in (b"", found)
        self._seen = found
        self._take_lease(found)
        return is_another

    def _take_lease(self, found: bytes) -> None:
        try:
            seconds = float(found.split()[0])
        except (ValueError, IndexError):
            return
        if seconds != self._lease.seconds and 1 <= seconds <= 60:
            self._lease.set_length(seconds)
            _log.warn("--lease is {seconds:g}, as for the other nodes", seconds=seconds)
