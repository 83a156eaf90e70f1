# SPDX-License-Identifier: MIT
"""The broker of several nodes on one Redis: each channel is led by one of them.

Everything about one channel is in `share`.  Here is what all channels of a node share: the sign of
life, looking after those of others, what nodes say to one another, and what an operator sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from math import inf
from random import Random
from typing import Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from livechat.brokers.redis.claiming import Claims, Patience
from livechat.brokers.redis.lease import Lease
from livechat.brokers.redis.marker import Marker
from livechat.brokers.redis.messages import Draining
from livechat.brokers.redis.node import Node, node_of
from livechat.brokers.redis.queue import Queue
from livechat.brokers.redis.recalling import recall
from livechat.brokers.redis.share import Share
from livechat.brokers.redis.share_states import LEADS
from livechat.brokers.redis.talk import Talk
from livechat.core.clients import Place
from livechat.core.history import IHistory
from livechat.core.ports import IBroker, IMember, IMembership
from livechat.model.error_catalogue import NO_LEADER
from livechat.model.events import ChannelKey
from livechat.pacing import sleep
from livechat.redis.link import RedisDown, RedisLink, RedisRefused

_log = Logger()

#: Seconds from one look at the other nodes to the next.
LOOK: Final = 0.5

#: Most seconds, drawn at random, after which a channel is claimed whose leader is gone.
SPREAD: Final = 0.3

#: Seconds for which a process that has just begun leaves an empty Redis to others.
FIRST_PATIENCE: Final = 1.5

#: Seconds from one word to those who wait to the next, and before the first.
WAITING: Final = 10.0
EARLY: Final = 2.0

#: Seconds from one try to hand everything over to the next look.
DRAIN_LOOK: Final = 0.02


@implementer(IBroker)
class RedisBroker(Service):
    """The part of one node.

    :param now: wall time in seconds.
    :param awake: seconds by a clock that goes on while the machine sleeps.
    :param node: its name, which no other node has.
    :param seconds: how long a lease is.
    :param size: publications that a log keeps.
    :param ttl: seconds for which it keeps them.
    :param fallback: whether this node leads for its own subscribers while Redis is away.
    :param start_timeout: seconds in which somebody must be found who leads.
    """

    name = "broker"

    def __init__(
        self,
        link: RedisLink,
        clock: IReactorTime,
        now: Callable[[], float],
        awake: Callable[[], float],
        random: Random,
        history: IHistory,
        node: str,
        *,
        seconds: float,
        size: int,
        ttl: float,
        fallback: bool,
        start_timeout: float,
    ) -> None:
        self.invited: Callable[[ChannelKey], None] = lambda key: None
        self._link = link
        self._clock = clock
        self._random = random
        self._fallback = fallback
        self._start_timeout = start_timeout
        self._shares: dict[ChannelKey, list[Share]] = {}
        self._promised: dict[str, int] = {}
        self._patient_until = -inf
        # When Redis could be used last, or this node was started, and when it was reached first.
        self._well_at = self._reached_at = inf
        self._was_up, self._is_draining = False, False
        self._waits_said: dict[Share, float] = {}
        self._lease = Lease(
            link, clock, awake, random, node, seconds, partial(self._turn_all, "lapsed")
        )
        self._marker = Marker(link, random, self._lease)
        claims = Claims(link, now, random, lambda: self._lease.me, size, ttl)
        self._node = Node(
            link,
            clock,
            now,
            random,
            self._lease,
            Queue(link, clock, size, ttl),
            claims,
            history,
            self._patience,
            lambda: self.leading,
            lambda: self._is_draining,
        )
        self._talk = Talk(self._node, self._shares, self._invite)
        self._node.was_chosen = self._talk.was_chosen
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock
        link.watch(self._changed)
        link.watch_topics(self._changed)

    # IBroker

    @property
    def leading(self) -> int:
        """How many channels this node leads."""
        return sum(share.state in LEADS for share in self._all())

    @property
    def health(self) -> Mapping[str, object]:
        """See `IBroker`."""
        return {"node": self._lease.node, "leading": self.leading, "broker": self.counts}

    @property
    def counts(self) -> Mapping[str, float]:
        """What an operator sees of the broker."""
        node = self._node
        return {
            "up": self._link.up,
            "listening": self._talk.is_heard,
            "delay": round(self._talk.delay, 4),
            "lag": max((share.lag for share in self._all()), default=0),
            "lease": self._lease.is_held,
            "leaseLosses": self._lease.losses,
            "refused": node.queue.sent.refused,
            "holesFilled": node.heard.filled,
            "holesMissed": node.heard.missed,
            "bytesOut": node.queue.sent.bytes,
            "bytesIn": node.heard.bytes,
        }

    def join(self, key: ChannelKey, member: IMember, have: Place | None = None) -> IMembership:
        """See `IBroker`."""
        share = Share(self._node, key, member, have, self._promised)
        shares = self._shares.setdefault(key, [])
        shares.append(share)
        share.departed.addCallback(lambda _: self._departed(share))
        if len(shares) == 1:
            self._clock.callLater(0, self._begin, share)
        return share

    def recall(self, key: ChannelKey) -> Deferred[Place | None]:
        """See `IBroker`."""
        return Deferred.fromCoroutine(recall(self._node, key, lambda: key in self._shares))

    def drain(self, seconds: float) -> Deferred[int]:
        """See `IBroker`."""
        return Deferred.fromCoroutine(self._drain(seconds))

    async def _drain(self, seconds: float) -> int:
        self._is_draining = True
        until = self._clock.seconds() + seconds
        self._promised.clear()
        self._turn_all("offer")
        if self.leading:
            topic = self._link.names.topic("nodes")
            others = await self._node.say(topic, Draining(self._lease.node)) - 1
            if others == 0:
                return self.leading
            for share in self._all():
                share.offering.asked(others)
        while self.leading and self._link.up and self._clock.seconds() < until:
            await sleep(self._clock, DRAIN_LOOK)
        return self.leading

    def startService(self) -> None:
        """Be a node from now on."""
        super().startService()
        self._link.listen(self._node.topic(self._lease.node), self._talk.said)
        self._link.listen(self._link.names.topic("nodes"), self._talk.said)
        self._link.startService()
        self._lease.start()
        self._well_at = self._clock.seconds()
        self._looks.start(LOOK, now=False)

    def stopService(self) -> Deferred[None]:
        """Be none any more."""
        super().stopService()
        self._looks.stop()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        with suppress(RedisDown, RedisRefused):
            await self._lease.resign()
        self._node.queue.stop()
        self._link.stopService()

    # The link.

    def _changed(self) -> None:
        """A connection has come or gone."""
        was_up, self._was_up = self._was_up, self._link.up
        if not self._link.up:
            self._turn_all("down")
        elif not was_up:
            Deferred.fromCoroutine(self._came_up()).addErrback(
                lambda reason: _log.failure("the connection to Redis was not used", reason)
            )
        elif not self._link.listening:
            self._turn_all("deaf")
        else:
            self._enter_all()

    async def _came_up(self) -> None:
        is_first = self._reached_at == inf
        if not is_first:
            # The signs of life of others may have run out while Redis was away.
            self._patient_until = self._clock.seconds() + self._lease.patience
        try:
            await self._lease.beat()
            await self._node.say_farewells()
            await self._see_marker(is_first)
        except (RedisDown, RedisRefused):
            return
        self._well_at = self._clock.seconds()
        self._reached_at = min(self._reached_at, self._well_at)
        self._turn_all("up")
        self._enter_all()

    async def _see_marker(self, is_first: bool) -> None:
        """Whether Redis still has what it had; else leaders put it back first."""
        if await self._marker.see():
            patience = FIRST_PATIENCE if is_first else self._lease.patience
            self._patient_until = self._clock.seconds() + patience

    def _enter_all(self) -> None:
        for share in self._all():
            self._begin(share)

    def _begin(self, share: Share) -> None:
        if self._link.up and self._link.listening and self._reached_at < inf:
            share.turn("hearing")

    def _invite(self, key: ChannelKey) -> None:
        self.invited(key)

    def _departed(self, share: Share) -> None:
        shares = self._shares[share.key]
        shares.remove(share)
        self._waits_said.pop(share, None)
        if not shares:
            del self._shares[share.key]
        elif len(shares) == 1:
            self._clock.callLater(0, self._begin, shares[0])

    def _all(self) -> list[Share]:
        """The share of each channel that is at its turn."""
        return [shares[0] for shares in self._shares.values()]

    def _turn_all(self, upon: str) -> None:
        for share in self._all():
            share.turn(upon)

    def _patience(self) -> Patience:
        if self._is_draining:
            return "never"
        return "some" if self._clock.seconds() < self._patient_until else ""

    # Once in a while.

    def _look(self) -> Deferred[None]:
        looking = Deferred.fromCoroutine(self._look_around())
        return looking.addErrback(
            lambda reason: _log.failure("the other nodes were not looked at", reason)
        )

    async def _look_around(self) -> None:
        now = self._clock.seconds()
        if self._link.up and self._link.listening:
            self._well_at = now if self._reached_at < inf else self._well_at
            self._talk.echo()
            await self._look_after_leaders()
        elif now - self._well_at > self._lease.seconds:
            for share in self._all():
                share.told_deaf()
                if self._fallback:
                    share.turn("alone")
        for share in self._all():
            share.turn("again")
            if not share.has_role:
                self._let_wait(share, now)

    def _let_wait(self, share: Share, now: float) -> None:
        """Somebody waits for a leader."""
        waited = now - share.joined
        if now - max(share.joined, self._reached_at) > self._start_timeout:
            share.fail(NO_LEADER.error())
        elif waited > EARLY and now - self._waits_said.get(share, -inf) >= WAITING:
            self._waits_said[share] = now
            share.say_waiting()

    async def _look_after_leaders(self) -> None:
        """Which leaders are gone, and whether Redis still has its data."""
        led: dict[str, list[Share]] = {}
        for share in self._all():
            if share.leader and share.state in ("Following", "Preparing"):
                led.setdefault(share.leader, []).append(share)
        names = self._link.names
        keys = [names.key(f"node:{node_of(leader)}") for leader in led]
        try:
            found = await self._link.ask("MGET", self._marker.key, *keys)
            if not isinstance(found, list):
                return
            if not self._marker.is_as_before(found[0]):
                # This node lives: whoever comes now must not take its channels for led by nobody.
                await self._lease.beat()
                await self._see_marker(is_first=False)
                self._turn_all("refused")
                return
        except (RedisDown, RedisRefused):
            return
        for (leader, shares), alive in zip(led.items(), found[1:], strict=True):
            if alive is None or alive.decode() != leader.rpartition("/")[2]:
                for share in shares:
                    wait = self._random.random() * SPREAD
                    self._clock.callLater(wait, self._vacant, share, leader)

    def _vacant(self, share: Share, leader: str) -> None:
        if share.leader == leader and share.state in ("Following", "Preparing"):
            share.turn("vacant")
