# SPDX-License-Identifier: MIT
"""A node's sign of life, which holds everything that it leads.

One key per node, whatever it leads.  The key names a generation of the node, and so does the leader
of a channel: when a node has lost its lease it begins a new generation, so that nothing that it led
before looks led.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import Random
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from livechat.redis.connection import LONGEST_WAIT
from livechat.redis.link import RedisDown, RedisLink, RedisRefused

_log = Logger()

#: Parts of a lease: for how long the key lives, and how often it is written.
LIFETIME: Final = 0.8
INTERVAL: Final = 0.2


class Lease:
    """The lease of this node.

    :param now: seconds by a clock that goes on while the machine sleeps.
    :param lapsed: called when it has run out, once for each time.
    :ivar seconds: how long a lease is.
    :ivar losses: how often it has run out.
    """

    def __init__(
        self,
        link: RedisLink,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Random,
        node: str,
        seconds: float,
        lapsed: Callable[[], None],
    ) -> None:
        self._link = link
        self._now = now
        self._lapsed = lapsed
        self._born = f"{random.getrandbits(48):012x}"
        self._generation = 0
        # Before the first answer nothing is held, and nothing can be lost.
        self._deadline = -inf
        self._renewing: list[Deferred[None]] = []
        self._beats = LoopingCall(self.beat)
        self._beats.clock = clock
        self.node = node
        self.seconds = seconds
        self.losses = 0

    @property
    def generation(self) -> str:
        """The present one; no other process has the same."""
        return f"{self._born}.{self._generation}"

    @property
    def me(self) -> str:
        """By what name this node leads."""
        return f"{self.node}/{self.generation}"

    @property
    def key(self) -> str:
        """The key."""
        return self._link.names.key(f"node:{self.node}")

    @property
    def lifetime(self) -> float:
        """Seconds for which the key lives."""
        return LIFETIME * self.seconds

    @property
    def patience(self) -> float:
        """Seconds in which all nodes have found a Redis again that was away, and show that they
        live.
        """
        return max(self.seconds, LONGEST_WAIT + 1)

    @property
    def is_held(self) -> bool:
        """Whether nobody else can lead what this node leads."""
        return self._now() < self._deadline

    def start(self) -> None:
        """Write the key again and again."""
        self._beats.start(INTERVAL * self.seconds, now=False)

    def set_length(self, seconds: float) -> None:
        """Be so long from now on, as that of the other nodes is: also write it as often as that."""
        self.seconds = seconds
        # Others may see it end that soon, however long it was when it was last written.
        self._deadline = min(self._deadline, self._now() + self.lifetime)
        if self._beats.running:
            self._beats.stop()
            self._beats.start(INTERVAL * seconds)

    def rename(self, node: str) -> None:
        """Hold everything under another name, since another node has this one."""
        self.node = node
        self._deadline = -inf
        self.beat()
        self._lapsed()

    def stop(self) -> None:
        """Write it no more."""
        if self._beats.running:
            self._beats.stop()

    def beat(self) -> Deferred[None]:
        """Write it now; fires when it is known whether that went well."""
        return Deferred.fromCoroutine(self._beat())

    def renew(self) -> Deferred[None]:
        """The same, together with everybody else who wants it at this moment."""
        renewed: Deferred[None] = Deferred()
        self._renewing.append(renewed)
        if len(self._renewing) == 1:
            self.beat().addBoth(self._renewed)
        return renewed

    def _renewed(self, _: object) -> None:
        renewing, self._renewing = self._renewing, []
        for renewed in renewing:
            renewed.callback(None)

    async def _beat(self) -> None:
        sent = self._now()
        if sent >= self._deadline > -inf:
            self._deadline = -inf
            self._generation += 1
            self.losses += 1
            _log.warn("{node}: the lease has run out", node=self.node)
            self._lapsed()
        generation = self.generation
        milliseconds = str(round(self.lifetime * 1000))
        try:
            await self._link.ask("SET", self.key, generation, "PX", milliseconds)
        except (RedisDown, RedisRefused):
            return
        if generation == self.generation:
            # From when it was sent: it may have lain about before Redis saw it.
            self._deadline = max(self._deadline, sent + self.lifetime)

    def resign(self) -> Deferred[object]:
        """Take the key away: who looks need not wait until it has run out."""
        self.stop()
        self._deadline = -inf
        return self._link.ask("DEL", self.key)
