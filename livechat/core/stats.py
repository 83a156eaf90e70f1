# SPDX-License-Identifier: MIT
"""Counting one channel, and when the counts are stored and sent.

Counting is a dict update per message.  Once a second, if anything changed, one snapshot goes to all
subscribers.  The counts go to the store then, or earlier where the store wants that.  Only the node
that watches the upstream counts; the others send what the store says when it has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from msgspec import MsgspecError
from msgspec.structs import replace
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.history import IHistory, Kept
from livechat.core.ports import IStatsStore, Start
from livechat.model.chat import ChatMessage
from livechat.model.event_data import Donation, Gift, Price
from livechat.model.events import (
    ChannelEvent,
    ChannelKey,
    LiveStats,
    StatsData,
    Tally,
    UserTally,
)
from livechat.protocol.messages import Stats, decode_payload, encode

#: Seconds between two pushes of a channel's statistics, and for which an answer stays good when
#: nothing was counted.
PUSH_INTERVAL: Final = 1.0

#: Most that one payment may be in its currency; what claims to be more is not counted.
MAX_PAYMENT: Final = 1e9

#: Most lives of one channel that are counted by themselves, too.
MAX_LIVES: Final = 32


class Snapshot:
    """The statistics of one moment, encoded once for each identifier."""

    __slots__ = ("_encoded", "data")

    def __init__(self, data: StatsData) -> None:
        self.data = data
        self._encoded: dict[ChannelKey, bytes] = {}

    def message(self, key: ChannelKey) -> bytes:
        """The `stats` message for those who subscribed by one identifier."""
        message = self._encoded.get(key)
        if message is None:
            message = encode(Stats(self.data, key.platform, key.identifier))
            self._encoded[key] = message
        return message


class ChannelStats:
    """The statistics of one channel, from its first subscriber to its last.

    :param limit: how many users a snapshot names.
    :param push: given the snapshot when it is time to send it to all subscribers.
    """

    def __init__(
        self,
        key: ChannelKey,
        store: IStatsStore,
        clock: IReactorTime,
        limit: int,
        push: Callable[[Snapshot], None],
    ) -> None:
        self._counting = True
        # Of a channel with several lives at once, what was written in each.
        self._lives: dict[str, ChannelStats] = {}
        self._key = key
        self._store = store
        self._clock = clock
        self._limit = limit
        self._push = push
        self._tally = Tally()
        # How often counts were handed over; tells an answer of the store from an older one.
        self._handed = 0
        self._latest: Snapshot | None = None
        self._latest_time = 0.0
        self._call: IDelayedCall | None = None
        self._last_push = clock.seconds() - PUSH_INTERVAL
        self._last_handed = clock.seconds()
        # Whether the store knows something that subscribers are to be sent.
        self._unsent = False
        # Whether what is counted may turn out to be another node's to count.
        self._is_doubted = False
        store.open(key, self._changed)

    @property
    def counting(self) -> bool:
        """Whether this node watches the upstream and counts.

        Then what the store learns is known here already.
        """
        return self._counting

    @counting.setter
    def counting(self, counting: bool) -> None:
        self._counting = counting
        for live in self._lives.values():
            live.counting = counting

    def watch(self, lives: Iterable[str]) -> None:
        """Count each of these lives by itself, too."""
        for live_id in lives:
            if live_id not in self._lives and len(self._lives) < MAX_LIVES:
                key = ChannelKey(self._key.platform, "lives", f"{self._key.identifier}/{live_id}")
                live = ChannelStats(key, self._store, self._clock, 1, _nobody)
                live.counting = self._counting
                self._lives[live_id] = live

    @property
    def storage_type(self) -> str:
        """Where the counts of this channel go at this moment."""
        return self._store.storage_of(self._key)

    def count(self, message: ChatMessage) -> None:
        """Count one message (already free of duplicates)."""
        if self._lives and message.room_id in self._lives:
            self._lives[message.room_id].count(message)
        self._count(message)

    def covers(self, epoch: str, since: int, until: int) -> None:
        """What was just counted is all that was published between these numbers."""
        tally = self._tally
        if tally.epoch != epoch:
            tally.epoch, tally.since = epoch, since
        tally.until = until

    def take_over(self, start: Start, history: IHistory) -> None:
        """Count what a former leader that is gone has published, and has not counted."""

        def sealed(number: int) -> None:
            for kept in history.everything_after(self._key, start.epoch, number):
                if kept.seq <= start.seq:
                    self._count_kept(kept)

        if start.why == "failover":
            self._store.seal(self._key, start.epoch, start.seq).addCallback(sealed)

    def _count_kept(self, kept: Kept) -> None:
        # Whether its life has counted it is not known.
        try:
            event = decode_payload(kept.kind, kept.payload)
        except MsgspecError:
            return
        if isinstance(event, ChatMessage):
            self._count(event)
        else:
            self.count_event(event)

    def _count(self, message: ChatMessage) -> None:
        tally = self._tally
        tally.total += 1
        data = message.data
        metadata = data.metadata
        # The platform's stand-in for people who hide is many people, or nobody: not a chatter.
        if not metadata.anonymous:
            author = data.author
            user = tally.users.get(author.id)
            if user is None:
                tally.users[author.id] = UserTally(
                    author.id, author.username, author.display_name, author.roles, 1
                )
            else:
                user.message_count += 1
                user.username = author.username
                user.display_name = author.display_name
                user.roles = author.roles
        # In a shared chat, what was paid in another room belongs to that room's streamer.
        if metadata.monetary_data and not metadata.source_room_id:
            self._paid(metadata.monetary_data.currency, metadata.monetary_data.value)
        written = message.timestamp
        if written > tally.last:
            tally.last = written
            if not tally.first:
                tally.first = written
        elif written < tally.first:
            tally.first = written
        if self._call is None:
            self._expect()

    def count_event(self, event: ChannelEvent) -> None:
        """Count one event by its kind, and what was paid with it.

        An event alone pushes nothing, unless something was paid: likes and joins come by hundreds.
        What happened in another room of a shared chat is counted in that room only.
        """
        data = event.data
        if data.source_room_id:
            return
        events = self._tally.events
        events[event.type] = events.get(event.type, 0) + 1
        if isinstance(data, Gift | Donation) and isinstance(data.price, Price):
            self._paid(data.price.currency, data.price.value)
        if self._call is None:
            self._expect()

    def doubt(self) -> None:
        """What is counted from now on may be another node's to count: keep it aside."""
        if not self._is_doubted:
            self._hand_over()
            self._is_doubted = True

    def settle(self, *, ours: bool) -> None:
        """It was this node's to count, or else it is dropped.  Without a doubt nothing happens."""
        if self._is_doubted:
            self._is_doubted = False
            if not ours:
                self._tally = Tally()
            if self._call is None:
                self._expect()

    def snapshot(self) -> Deferred[Snapshot]:
        """The statistics as of now; never fails."""
        if self._latest is not None and not self._counted:
            age = self._clock.seconds() - self._latest_time
            if 0 <= age <= PUSH_INTERVAL:
                return succeed(self._latest)
        self._hand_over()
        asked = self._store.snapshot(self._key, self._limit)
        if self._lives:
            asked.addCallback(self._with_lives)
        return asked.addCallback(self._taken, self._handed)

    def close(self) -> None:
        """Store what was counted and let the channel go."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        # A slow store may still answer a push that nobody waits for any more.
        self._push = _nobody
        self._hand_over()
        self._store.forget(self._key, self._changed)
        for live in self._lives.values():
            live.close()

    def _with_lives(self, data: StatsData) -> Deferred[StatsData]:
        """The statistics with those of each live."""
        names = list(self._lives)

        def taken(snapshots: list[Snapshot]) -> StatsData:
            lives = {
                name: LiveStats(one.data.total_messages, one.data.unique_user_count)
                for name, one in zip(names, snapshots, strict=True)
            }
            return replace(data, lives=lives)

        return gatherResults([self._lives[name].snapshot() for name in names]).addCallback(taken)

    @property
    def _counted(self) -> bool:
        """Whether anything was counted that the store does not know."""
        return bool(self._tally.total or self._tally.events)

    def _paid(self, currency: str | None, value: float | None) -> None:
        if currency and value is not None and 0 < value <= MAX_PAYMENT:
            money = self._tally.money
            money[currency] = money.get(currency, 0) + round(value * 1_000_000)

    def _expect(self) -> None:
        """Put on the clock what is next: a push, or only a hand-over."""
        now = self._clock.seconds()
        wait = inf
        is_ours = not self._is_doubted
        if self._unsent or (is_ours and _is_sent(self._tally)):
            wait = self._last_push + PUSH_INTERVAL - now
        if self._unsent or (is_ours and self._counted):
            # More may be counted while a push is awaited.
            wait = min(wait, self._last_handed + self._store.interval - now)
        if wait < inf:
            # A clock that was set back must not make it longer.
            self._call = self._clock.callLater(min(max(0.0, wait), PUSH_INTERVAL), self._due)

    def _due(self) -> None:
        self._call = None
        now = self._clock.seconds()
        self._hand_over()
        # Times that are added up and taken apart again are not quite the same.
        if self._unsent and not 0 <= now - self._last_push < PUSH_INTERVAL - 1e-6:
            self._last_push = now
            self._unsent = False
            self.snapshot().addCallback(self._pushed)
        self._expect()

    def _hand_over(self) -> None:
        self._last_handed = self._clock.seconds()
        if self._counted and not self._is_doubted:
            tally, self._tally = self._tally, Tally()
            self._unsent = self._unsent or _is_sent(tally)
            self._handed += 1
            self._latest = None
            self._store.add(self._key, tally)

    def _changed(self) -> None:
        """The store has learnt something, perhaps from another node."""
        if not self._counting:
            self._latest = None
            self._unsent = True
            if self._call is None:
                self._expect()

    def _taken(self, data: StatsData, handed: int) -> Snapshot:
        snapshot = Snapshot(data)
        if handed == self._handed and not self._counted:
            self._latest = snapshot
            self._latest_time = self._clock.seconds()
        return snapshot

    def _pushed(self, snapshot: Snapshot) -> None:
        # Looked up now: the channel may have gone while the store was asked.
        self._push(snapshot)


def _is_sent(tally: Tally) -> bool:
    """Whether subscribers are sent these counts: events alone push nothing."""
    return bool(tally.total or tally.money)


def _nobody(snapshot: Snapshot) -> None:
    """Where a push goes when the channel is gone."""
