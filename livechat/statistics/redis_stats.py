# SPDX-License-Identifier: MIT
"""Statistics that outlive the process: counted here, added up in Redis, answered from here.

For each open channel `RedisStats` holds what Redis holds, as far as it knows, and everything that
was counted since.  So an answer never waits for Redis, and an outage changes nothing but that
counts wait.  What waits is bounded: it is kept by user, not by message.

    counted -> unsent -> sent (a numbered batch, repeated until it is answered) -> stored

A Redis that comes back with less than it had (emptied, or restored from an older copy) is given
what is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from math import inf
from typing import Final, Literal

from msgspec import MsgspecError, Struct
from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from livechat.core.ports import IStatsStore
from livechat.model.events import ChannelKey, StatsData, Tally
from livechat.redis.link import RedisDown, RedisLink, RedisRefused
from livechat.statistics.redis_layout import (
    SCRIPT,
    Reply,
    batch_of,
    keys_of,
    read_reply,
    read_totals,
    request,
    topic_of,
)
from livechat.statistics.totals import MAX_USERS, ChannelTotals

_log = Logger()

#: Seconds between two batches of one channel.
FLUSH_INTERVAL: Final = 0.25

#: Seconds for which a first answer waits for Redis.
PATIENCE: Final = 0.5

#: Seconds after which keys that are not ours, or not as ours should be, are looked at again.
FAULT_INTERVAL: Final = 5.0

#: Seconds between two readings of a channel to which another process adds as well.
RELOAD_INTERVAL: Final = 1.0

#: Seconds after which what is held of a quiet channel is compared with Redis before it is told.
COMPARE_INTERVAL: Final = 5.0

#: Batches on their way at once: keeps a node with many channels from stalling between messages.
MAX_PARALLEL: Final = 16

#: Channels that nobody watches any more whose counts wait for Redis.
MAX_FORGOTTEN: Final = 1000

#: Seconds that storing the last counts may take when the daemon stops.
STOP_PATIENCE: Final = 1.5


class _Batch(Struct):
    """Counts on their way, in a form that does not change until they have arrived.

    :ivar counts: what would be lost if it did not arrive.
    """

    mode: Literal["add", "restore"]
    number: int
    counts: ChannelTotals
    content: bytes


class _Kept:
    """One channel.

    :ivar totals: what Redis holds, as far as known, and all that was counted here.
    :ivar stored: messages that Redis holds; None before it was ever asked.
    :ivar reload: whether Redis holds something that is not known here.
    :ivar reloaded: when that was last read, in seconds of the clock.
    :ivar answered: when Redis last answered.
    :ivar fault: why this channel's keys cannot be used.
    """

    def __init__(self, max_users: int) -> None:
        self._max_users = max_users
        self.totals = ChannelTotals(max_users)
        self.unsent: ChannelTotals | None = None
        self.sent: _Batch | None = None
        self.stored: int | None = None
        self.reload = True
        self.reloaded = -inf
        self.answered = -inf
        self.busy = False
        self.forgotten = False
        self.fault = ""
        self.retry = 0.0
        self.waiting: list[Callable[[], None]] = []

    @property
    def settled(self) -> bool:
        """Whether Redis has everything."""
        return self.sent is None and self.unsent is None

    def add(self, tally: Tally) -> None:
        """Count."""
        if self.unsent is None:
            self.unsent = ChannelTotals(self._max_users)
        self.unsent.add(tally)
        self.totals.add(tally)

    def take_batch(self, number: int) -> _Batch | None:
        """What to send: the last batch, if it was not answered, or what has come since."""
        if self.sent is None and self.unsent is not None:
            unsent, self.unsent = self.unsent, None
            self.sent = _Batch("add", number, unsent, batch_of(unsent))
        return self.sent

    def learn(self, reply: Reply, number: int, *, whole: bool) -> None:
        """Take in what Redis answered.

        :param number: for a batch that may become necessary.
        :param whole: whether everything was asked for.
        :raises ValueError: Redis holds something that is not ours.
        """
        sent, known = self.sent, self.stored or 0
        if reply.outcome == "behind" or (reply.outcome == "read" and reply.total < known):
            self._restore(number)
            return
        if reply.outcome == "present":
            assert sent is not None
            self.sent = _Batch("add", number, sent.counts, batch_of(sent.counts))
            self.reload = True
            return
        if whole or self.stored is None:
            self._load(reply)
        elif sent is None or sent.mode == "add":
            self.reload |= reply.total != known + (sent.counts.total if sent else 0)
        self.sent = None
        self.stored = reply.total

    def _load(self, reply: Reply) -> None:
        totals = read_totals(reply, self._max_users)
        if self.unsent is not None:
            totals.merge(self.unsent)
        totals.uniques.merge(self.totals.uniques.registers.items())
        self.totals = totals
        self.reload = False

    def _restore(self, number: int) -> None:
        """Put everything back that is known here, unless another process does so first."""
        counts = ChannelTotals(self._max_users)
        if self.sent is not None:
            counts.merge(self.sent.counts)
        if self.unsent is not None:
            counts.merge(self.unsent)
        self.unsent = None
        self.sent = _Batch("restore", number, counts, batch_of(self.totals))


@implementer(IStatsStore)
class RedisStats(Service):
    """Statistics in Redis.

    :param link: is started and stopped with this service.
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
        link.watch(self._link_changed)
        self._clock = clock
        self._now = now
        self._writer = writer
        self._max_users = max_users
        self._numbers = count(1)
        self._channels: dict[ChannelKey, _Kept] = {}
        self._changed: dict[ChannelKey, Callable[[], None]] = {}
        # Those that have something to say to Redis, in order: after the interval, and next.
        self._due: dict[ChannelKey, None] = {}
        self._queue: dict[ChannelKey, None] = {}
        self._forgotten: dict[ChannelKey, None] = {}
        self._running = 0
        self._flush_call: IDelayedCall | None = None
        self._last_flush = 0.0
        self._settled: Deferred[None] | None = None
        self._faults = LoopingCall(self._retry_faults)
        self._faults.clock = clock

    @property
    def storage_type(self) -> str:
        """Where counts go at this moment."""
        return "redis" if self._link.up else "memory"

    def storage_of(self, key: ChannelKey) -> str:
        """See `IStatsStore`."""
        kept = self._channels.get(key)
        return "memory" if kept is not None and kept.fault else self.storage_type

    @property
    def health(self) -> Mapping[str, object]:
        """How Redis is; `waiting` channels have counts that it was not told of."""
        channels = self._channels.values()
        state = {
            "up": self._link.up,
            "reason": self._link.reason or None,
            "listening": self._link.listening,
            "waiting": sum(not kept.settled for kept in channels),
            "refused": sum(bool(kept.fault) for kept in channels),
        }
        return {"redis": state}

    def startService(self) -> None:
        """Begin to connect."""
        super().startService()
        self._faults.start(FAULT_INTERVAL, now=False)
        self._link.startService()

    def stopService(self) -> Deferred[None]:
        """Store what waits, if Redis is there and answers soon; close the connection."""
        super().stopService()
        self._faults.stop()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._link.up and not self._all_settled():
            self._settled = Deferred(lambda done: done.callback(None))
            self._settled.addTimeout(STOP_PATIENCE, self._clock, _gave_up)
            self._queue_all()
            await self._settled
        if self._flush_call is not None:
            self._flush_call.cancel()
            self._flush_call = None
        lost = sum(
            total
            for kept in self._channels.values()
            for total in (
                kept.unsent.total if kept.unsent else 0,
                kept.sent.counts.total if kept.sent else 0,
            )
        )
        if lost:
            _log.warn("{lost} messages were counted that Redis was not told of", lost=lost)
        self._link.stopService()

    def open(self, key: ChannelKey, changed: Callable[[], None]) -> None:
        """See `IStatsStore`."""
        self._kept(key)
        self._changed[key] = changed
        self._link.listen(topic_of(key), lambda writer: self._heard(key, writer))
        self._enqueue(key)

    def add(self, key: ChannelKey, tally: Tally) -> Deferred[None]:
        """See `IStatsStore`."""
        if tally.total or tally.events:
            tally.date(self._now())
            self._kept(key).add(tally)
            self._expect_flush(key)
        return succeed(None)

    def snapshot(self, key: ChannelKey, limit: int) -> Deferred[StatsData]:
        """See `IStatsStore`."""
        kept = self._channels.get(key)
        if kept is None:
            return Deferred.fromCoroutine(self._read(key, limit))
        silent = self._clock.seconds() - kept.answered
        if self._link.up and not kept.fault and not 0 <= silent < COMPARE_INTERVAL:
            return self._compared(key, kept, limit)
        return succeed(kept.totals.snapshot(limit, self._now()))

    def forget(self, key: ChannelKey, changed: Callable[[], None]) -> Deferred[None]:
        """See `IStatsStore`."""
        self._changed.pop(key, None)
        kept = self._channels.get(key)
        if kept is not None:
            self._link.ignore(topic_of(key))
            kept.forgotten = True
            self._forgotten[key] = None
            self._let_go(key, kept)
            if len(self._forgotten) > MAX_FORGOTTEN:
                oldest = next(iter(self._forgotten))
                del self._channels[oldest], self._forgotten[oldest]
                _log.warn("too many channels wait for Redis: the oldest one's counts are dropped")
        return succeed(None)

    def _kept(self, key: ChannelKey) -> _Kept:
        kept = self._channels.get(key)
        if kept is None:
            kept = self._channels[key] = _Kept(self._max_users)
        elif kept.forgotten:
            kept.forgotten = False
            del self._forgotten[key]
        return kept

    def _let_go(self, key: ChannelKey, kept: _Kept) -> None:
        if kept.forgotten and kept.settled and not kept.busy and self._channels.get(key) is kept:
            del self._channels[key], self._forgotten[key]

    async def _read(self, key: ChannelKey, limit: int) -> StatsData:
        """What Redis holds of a channel that is not held here."""
        question = request("read", 0, expected=0, max_users=self._max_users, named=limit)
        try:
            answer = self._link.run(SCRIPT, keys_of(key, self._writer), question)
            answer.addTimeout(PATIENCE, self._clock)
            totals = read_totals(read_reply(await answer), self._max_users)
        except (RedisDown, RedisRefused, TimeoutError, MsgspecError, ValueError):
            return StatsData([], 0, 0)
        return totals.snapshot(limit, self._now())

    def _compared(self, key: ChannelKey, kept: _Kept, limit: int) -> Deferred[StatsData]:
        """An answer that waits, within reason, until it is known what Redis holds."""
        answer: Deferred[StatsData] = Deferred()

        def tell() -> None:
            if late.active():
                late.cancel()
            if not answer.called:
                answer.callback(kept.totals.snapshot(limit, self._now()))

        late = self._clock.callLater(PATIENCE, tell)
        kept.waiting.append(tell)
        self._enqueue(key)
        return answer

    def _link_changed(self) -> None:
        if self._link.up:
            self._queue_all()
            return
        self._due.clear()
        self._queue.clear()
        for kept in self._channels.values():
            _tell_waiting(kept)
        if self._settled is not None:
            self._finish_stop()

    def _heard(self, key: ChannelKey, writer: bytes) -> None:
        """A process has added to a channel: when it was another one, see what is stored now."""
        if writer.decode("utf-8", "replace") not in keys_of(key, self._writer):
            self._channels[key].reload = True
            self._expect_flush(key)

    def _queue_all(self) -> None:
        """Everything is sent; a channel with nothing to send sees whether Redis lost any of it."""
        self._due.clear()
        self._queue.update(dict.fromkeys(self._channels))
        self._pump()

    def _retry_faults(self) -> None:
        for key in [key for key, kept in self._channels.items() if kept.fault]:
            self._enqueue(key)

    def _enqueue(self, key: ChannelKey) -> None:
        """Talk to Redis about a channel as soon as may be; while it is down that waits."""
        if self._link.up:
            self._queue[key] = None
            self._pump()

    def _expect_flush(self, key: ChannelKey) -> None:
        """The same with the interval between two batches."""
        if not self._link.up:
            return
        self._due[key] = None
        if self._flush_call is None:
            wait = self._last_flush + FLUSH_INTERVAL - self._clock.seconds()
            self._flush_call = self._clock.callLater(
                min(max(0.0, wait), FLUSH_INTERVAL), self._flush
            )

    def _flush(self) -> None:
        self._flush_call = None
        self._last_flush = self._clock.seconds()
        self._queue.update(self._due)
        self._due.clear()
        self._pump()

    def _pump(self) -> None:
        """Start as many exchanges as may be on their way."""
        now = self._clock.seconds()
        while self._queue and self._running < MAX_PARALLEL and self._link.up:
            key = next(iter(self._queue))
            del self._queue[key]
            kept = self._channels.get(key)
            if kept is None or (kept.fault and now < kept.retry):
                continue
            too_early = kept.reload and kept.settled and not self._may_reload(kept)
            if kept.busy or (too_early and not kept.waiting):
                self._expect_flush(key)
                continue
            kept.busy = True
            self._running += 1
            exchange = Deferred.fromCoroutine(self._exchange(key, kept))
            exchange.addErrback(lambda reason: _log.failure("statistics in Redis", reason))
            exchange.addCallback(self._exchanged, key, kept)

    async def _exchange(self, key: ChannelKey, kept: _Kept) -> None:
        """One request: add what waits, or see how things stand."""
        batch = kept.take_batch(next(self._numbers))
        named = 0
        if self._may_reload(kept):
            kept.reloaded = self._clock.seconds()
            named = self._max_users
        question = request(
            batch.mode if batch else "read",
            batch.number if batch else 0,
            batch.content if batch else b"",
            expected=kept.stored or 0,
            max_users=self._max_users,
            named=named,
            ears=int(self._link.hears(topic_of(key))),
        )
        try:
            answer = await self._link.run(SCRIPT, keys_of(key, self._writer), question)
            kept.learn(read_reply(answer), next(self._numbers), whole=named > 0)
            kept.answered = self._clock.seconds()
        except RedisDown:
            return
        except (RedisRefused, MsgspecError, ValueError) as error:
            self._fault(key, kept, str(error))
            return
        if kept.fault:
            kept.fault = ""
            _log.info("statistics of {key} are kept in Redis again", key=str(key))

    def _exchanged(self, _: object, key: ChannelKey, kept: _Kept) -> None:
        kept.busy = False
        self._running -= 1
        if self._link.up and not kept.fault and kept.waiting and self._may_reload(kept):
            self._enqueue(key)
            return
        _tell_waiting(kept)
        if key in self._changed:
            self._changed[key]()
        self._let_go(key, kept)
        if self._link.up and not kept.fault and (kept.reload or not kept.settled):
            # It came meanwhile, has to be put back, or may be read only a little later.
            self._expect_flush(key)
        if self._settled is not None:
            if self._all_settled():
                self._finish_stop()
            else:
                self._queue.update(self._due)
        self._pump()

    def _may_reload(self, kept: _Kept) -> bool:
        passed = self._clock.seconds() - kept.reloaded
        return kept.reload and not 0 <= passed < RELOAD_INTERVAL

    def _fault(self, key: ChannelKey, kept: _Kept, reason: str) -> None:
        kept.retry = self._clock.seconds() + FAULT_INTERVAL / 2
        if not kept.fault:
            _log.warn(
                "statistics of {key} are kept in memory: its keys in Redis cannot be used"
                " ({reason})",
                key=str(key),
                reason=reason[:200],
            )
        kept.fault = reason

    def _all_settled(self) -> bool:
        return all(kept.settled or kept.fault for kept in self._channels.values())

    def _finish_stop(self) -> None:
        if self._settled is not None and not self._settled.called:
            self._settled.callback(None)


def _tell_waiting(kept: _Kept) -> None:
    waiting, kept.waiting = kept.waiting, []
    for tell in waiting:
        tell()


def _gave_up(result: object, seconds: float) -> None:
    """When storing the last counts took too long: the daemon ends all the same."""
