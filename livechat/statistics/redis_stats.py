# SPDX-License-Identifier: MIT
"""Statistics that outlive the process: counted here, added up in Redis, answered from here.

For each open channel there is an `Account`: what Redis holds, as far as it is known, and everything
that was counted since.  So an answer never waits for Redis, and an outage changes nothing but that
counts wait.  What waits is bounded: it is kept by user, not by message.

A round every `FLUSH_INTERVAL` asks one question for each channel that has something to say to Redis
or to learn from it.  While Redis is down there are no questions; when it is back all channels have
one, which shows whether Redis lost anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Final

from msgspec import MsgspecError
from twisted.application.service import Service
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    TimeoutError,
    succeed,
)
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IStatsStore
from livechat.model.events import ChannelKey, StatsData, Tally
from livechat.pacing import sleep
from livechat.redis.link import RedisDown, RedisLink, RedisRefused
from livechat.statistics.redis_account import Account
from livechat.statistics.redis_channel import Channel
from livechat.statistics.redis_layout import (
    SCRIPT,
    SEAL,
    TTL,
    keys_of,
    read_place,
    read_reply,
    read_totals,
    request,
    topic_of,
)
from livechat.statistics.totals import MAX_USERS

_log = Logger()

#: Seconds between two batches of one channel.
FLUSH_INTERVAL: Final = 0.25

#: Seconds for which a first answer waits for Redis.
PATIENCE: Final = 0.5

#: Questions of a round on their way at once: many channels must not stall the chat.
MAX_PARALLEL: Final = 16

#: Channels that nobody watches any more whose counts wait for Redis.
MAX_FORGOTTEN: Final = 1000

#: Seconds that storing the last counts may take when the daemon stops.
STOP_PATIENCE: Final = 1.5


@implementer(IStatsStore)
class RedisStats(Service):
    """Statistics in Redis.

    :param link: is started with this service, and stopped with the last of those that share it.
    :param now: seconds since 1970; for rates.
    :param writer: a name that no other process has.
    """

    name = "statistics"
    interval: float = FLUSH_INTERVAL

    def __init__(
        self,
        link: RedisLink,
        clock: IReactorTime,
        now: Callable[[], float],
        writer: str,
        max_users: int = MAX_USERS,
    ) -> None:
        self._link = link
        link.watch(self._ask_all_again)
        self._clock = clock
        self._now = now
        self._writer = writer
        self._max_users = max_users
        self._numbers = count(1)
        self._channels: dict[ChannelKey, Channel] = {}
        # Channels with a question for the next round, and those that go when theirs are answered.
        self._due: dict[ChannelKey, None] = {}
        self._forgotten: dict[ChannelKey, None] = {}
        self._rounds: Deferred[None] = succeed(None)

    @property
    def storage_type(self) -> str:
        """Where counts go at this moment."""
        return "redis" if self._link.up else "memory"

    def storage_of(self, key: ChannelKey) -> str:
        """See `IStatsStore`."""
        channel = self._channels.get(key)
        return "memory" if channel is not None and channel.fault else self.storage_type

    @property
    def health(self) -> Mapping[str, object]:
        """How Redis is; `waiting` channels have counts that it was not told of."""
        channels = self._channels.values()
        state = {
            "up": self._link.up,
            "reason": self._link.reason or None,
            "listening": self._link.listening,
            "waiting": sum(not channel.account.settled for channel in channels),
            "refused": sum(bool(channel.fault) for channel in channels),
        }
        return {"redis": state}

    def startService(self) -> None:
        """Begin to connect."""
        super().startService()
        self._rounds = Deferred.fromCoroutine(self._run())
        self._rounds.addErrback(Failure.trap, CancelledError)
        self._link.startService()

    def stopService(self) -> Deferred[None]:
        """Store what waits, if Redis is there and answers soon; close the connection."""
        super().stopService()
        self._rounds.cancel()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        storing = Deferred.fromCoroutine(self._store_all())
        storing.addTimeout(STOP_PATIENCE, self._clock)
        await storing
        if lost := sum(channel.account.waiting for channel in self._channels.values()):
            _log.warn("shutdown: {lost} messages were not stored in Redis", lost=lost)
        self._link.stopService()

    async def _store_all(self) -> None:
        end = self._clock.seconds() + STOP_PATIENCE
        while self._link.up and self._clock.seconds() < end:
            waiting = [
                key
                for key, channel in self._channels.items()
                if not channel.account.settled and not channel.fault
            ]
            if not waiting:
                return
            await self._ask_each(waiting)

    def open(self, key: ChannelKey, changed: Callable[[], None]) -> None:
        """See `IStatsStore`."""
        self._channel(key).watchers.append(changed)
        self._due[key] = None
        self._link.listen(self._topic(key), lambda writer: self._heard(key, writer))

    def add(self, key: ChannelKey, tally: Tally) -> Deferred[None]:
        """See `IStatsStore`."""
        if tally.total or tally.events:
            tally.date(self._now())
            channel = self._channel(key)
            channel.account.add(tally)
            channel.changed()
            self._due[key] = None
        return succeed(None)

    def seal(self, key: ChannelKey, epoch: str, seq: int) -> Deferred[int]:
        """See `IStatsStore`."""
        return Deferred.fromCoroutine(self._seal(key, epoch, seq))

    async def _seal(self, key: ChannelKey, epoch: str, seq: int) -> int:
        try:
            keys = self._keys(key)[:1]
            answer = await self._link.run(SEAL, keys, epoch, str(seq), str(TTL))
            places = [read_place(answer.decode())]
        except (RedisDown, RedisRefused, ValueError):
            return seq
        channel = self._channels.get(key)
        if channel is not None:
            # Redis may have lost what it is given again from here.
            places.append((channel.account.totals.epoch, channel.account.totals.until))
        return max((number for named, number in places if named == epoch), default=0)

    def snapshot(self, key: ChannelKey, limit: int) -> Deferred[StatsData]:
        """See `IStatsStore`."""
        channel = self._channels.get(key)
        if channel is None:
            return Deferred.fromCoroutine(self._read(key, limit))
        told = succeed(None)
        if self._link.up and not channel.fault and not channel.is_fresh():
            told = Deferred.fromCoroutine(self._compare(key, channel))
            told.addTimeout(PATIENCE, self._clock)
            told.addErrback(Failure.trap, TimeoutError)
        return told.addCallback(lambda _: channel.account.totals.snapshot(limit, self._now()))

    def forget(self, key: ChannelKey, changed: Callable[[], None]) -> Deferred[None]:
        """See `IStatsStore`."""
        channel = self._channels.get(key)
        if channel is not None and changed in channel.watchers:
            channel.watchers.remove(changed)
        if channel is not None and not channel.watchers:
            self._link.ignore(self._topic(key))
            self._forgotten[key] = None
            self._let_go(key, channel)
            if len(self._forgotten) > MAX_FORGOTTEN:
                oldest = next(iter(self._forgotten))
                del self._channels[oldest], self._forgotten[oldest]
                self._due.pop(oldest, None)
                _log.warn("too many channels wait for Redis: the oldest one's counts are dropped")
        return succeed(None)

    def _keys(self, key: ChannelKey) -> list[str]:
        return keys_of(self._link.names, key, self._writer)

    def _topic(self, key: ChannelKey) -> str:
        return topic_of(self._link.names, key)

    def _channel(self, key: ChannelKey) -> Channel:
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(
                Account(self._max_users, self._numbers), self._clock.seconds
            )
        self._forgotten.pop(key, None)
        return channel

    def _let_go(self, key: ChannelKey, channel: Channel) -> None:
        """Drop a channel that nobody watches when Redis has everything of it."""
        if key in self._forgotten and channel.account.settled:
            del self._channels[key], self._forgotten[key]
            self._due.pop(key, None)

    def _ask_all_again(self) -> None:
        """Whatever was asked and answered before, see how things stand."""
        self._due.update(dict.fromkeys(self._channels))

    def _heard(self, key: ChannelKey, writer: bytes) -> None:
        """A process has added to a channel: when it was another one, see what is stored now."""
        if writer.decode("utf-8", "replace") not in self._keys(key):
            self._channels[key].account.stale = True
            self._due[key] = None

    async def _run(self) -> None:
        """Rounds; what fails in one costs that one."""
        spent = 0.0
        while self.running:
            await sleep(self._clock, min(max(0.0, FLUSH_INTERVAL - spent), FLUSH_INTERVAL))
            began = self._clock.seconds()
            try:
                await self._round()
            except Exception:
                _log.failure("a round of statistics failed")
                self._ask_all_again()
            spent = self._clock.seconds() - began

    async def _round(self) -> None:
        if self._link.up and self._due:
            due, self._due = self._due, {}
            await self._ask_each(due)

    async def _ask_each(self, keys: Iterable[ChannelKey]) -> None:
        """Ask about channels, some at a time."""
        left = iter(keys)
        works = [Deferred.fromCoroutine(self._work(left)) for _ in range(MAX_PARALLEL)]
        await DeferredList(works, consumeErrors=True)

    async def _work(self, left: Iterator[ChannelKey]) -> None:
        for key in left:
            channel = self._channels.get(key)
            if channel is None:
                continue
            if self._link.up and channel.may_be_asked_about():
                await self._ask(key, channel)
            else:
                self._due[key] = None

    async def _compare(self, key: ChannelKey, channel: Channel) -> None:
        """See what Redis holds; what others have added is read at once, if it may be."""
        await self._ask(key, channel)
        if channel.account.stale and not channel.fault and channel.may_be_asked_about():
            await self._ask(key, channel)

    async def _ask(self, key: ChannelKey, channel: Channel) -> None:
        """One question and its answer; whatever fails is tried again."""
        async with channel.turn:
            try:
                await self._exchange(key, channel)
            except RedisDown:
                pass
            except (RedisRefused, MsgspecError, ValueError) as error:
                self._fault(key, channel, str(error))
            except CancelledError:
                raise
            except Exception as error:
                _log.failure("statistics of {key} in Redis failed", key=str(key))
                self._fault(key, channel, type(error).__name__)
            finally:
                if self._channels.get(key) is channel:
                    if channel.account.stale or not channel.account.settled or channel.fault:
                        self._due[key] = None
                    self._let_go(key, channel)

    async def _exchange(self, key: ChannelKey, channel: Channel) -> None:
        account = channel.account
        whole = account.stale and channel.may_be_read()
        if whole:
            channel.read = self._clock.seconds()
        topic = self._topic(key)
        question = account.question(whole=whole, ears=int(self._link.hears(topic)), topic=topic)
        answer = await self._link.run(SCRIPT, self._keys(key), question)
        account.learn(read_reply(answer), whole=whole)
        channel.answered = self._clock.seconds()
        if whole:
            channel.changed()
        if channel.fault:
            channel.fault = ""
            _log.info("statistics of {key} are kept in Redis again", key=str(key))

    async def _read(self, key: ChannelKey, limit: int) -> StatsData:
        """What Redis holds of a channel that is not held here."""
        question = request(max_users=self._max_users, named=limit)
        try:
            answer = self._link.run(SCRIPT, self._keys(key), question)
            answer.addTimeout(PATIENCE, self._clock)
            totals = read_totals(read_reply(await answer), self._max_users)
        except (RedisDown, RedisRefused, TimeoutError, MsgspecError, ValueError):
            return StatsData([], 0, 0)
        return totals.snapshot(limit, self._now())

    def _fault(self, key: ChannelKey, channel: Channel, reason: str) -> None:
        channel.answered = self._clock.seconds()
        if not channel.fault:
            _log.warn(
                "statistics of {key} are kept in memory: its keys in Redis cannot be used"
                " ({reason})",
                key=str(key),
                reason=reason[:200],
            )
        channel.fault = reason or "unknown"
