# SPDX-License-Identifier: MIT
"""Who watches what on this node: one channel per key, kept a little after the last one left."""

from __future__ import annotations

from msgspec import UNSET
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.channel import Channel
from livechat.core.lifecycle import Subscription
from livechat.core.ports import IBroker, IPlatform, IStatsStore, IWriter
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, StatsData
from livechat.protocol.messages import Stats, encode


class Hub:
    """The channels of this node.

    :param linger: seconds a channel is kept after its last subscriber left, so that a reloaded
        page costs no new upstream; 0 stops at once.
    :param stats_limit: how many users a statistics message names.
    :param max_channels: most channels watched at once.
    """

    def __init__(
        self,
        clock: IReactorTime,
        broker: IBroker,
        store: IStatsStore,
        writer: IWriter,
        metrics: Metrics,
        *,
        linger: float,
        stats_limit: int,
        max_channels: int,
    ) -> None:
        self._clock = clock
        self._broker = broker
        self._store = store
        self._writer = writer
        self._metrics = metrics
        self._linger = linger
        self._stats_limit = stats_limit
        self._max_channels = max_channels
        self._channels: dict[ChannelKey, Channel] = {}
        self._lingering: dict[ChannelKey, IDelayedCall] = {}
        self._departing: set[Deferred[None]] = set()

    @property
    def active_streams(self) -> int:
        """Channels that have an upstream or are getting one, the lingering ones included."""
        return len(self._channels)

    @property
    def storage_type(self) -> str:
        """Where statistics go at this moment."""
        return self._store.storage_type

    def subscribe(self, platform: IPlatform, subscription: Subscription) -> None:
        """Add a subscriber to its channel, which is made for the first one.

        :raises ChatError: `TOO_MANY_CHATS`, this node watches as many channels as it may.
        """
        key = subscription.key
        channel = self._channels.get(key)
        if channel is None:
            if len(self._channels) >= self._max_channels:
                raise ChatError(
                    ErrorCode.TOO_MANY_CHATS,
                    "This server watches as many chats as it may; try again later",
                    f"limit {self._max_channels} per server",
                    temporary=True,
                )
            channel = self._channels[key] = Channel(
                key,
                platform,
                self._broker,
                self._store,
                self._writer,
                self._clock,
                self._metrics,
                self._stats_limit,
                self._gone,
            )
            self._metrics.channels.inc()
        lingering = self._lingering.pop(key, None)
        if lingering is not None:
            lingering.cancel()
        channel.subscribe(subscription)

    def resubscribe(self, subscription: Subscription) -> None:
        """Somebody asks again for what they watch."""
        self._channels[subscription.key].resubscribe(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take a subscriber out; the last one leaves the channel lingering."""
        channel = self._channels.get(subscription.key)
        if channel is None:
            return
        channel.unsubscribe(subscription)
        if not channel.empty or subscription.key in self._lingering:
            return
        if self._linger > 0:
            self._lingering[subscription.key] = self._clock.callLater(
                self._linger, self._lingered, subscription.key
            )
        else:
            channel.release()

    def stats(self, subscription: Subscription) -> Deferred[bytes]:
        """The encoded `stats` message of a channel, for somebody who watches it."""
        return self._channels[subscription.key].ask_stats(subscription.subscriber)

    def read_stats(self, key: ChannelKey) -> Deferred[bytes]:
        """The same of any channel, for anybody: one that nobody watches may have totals, too.

        :raises ChatError: `STREAM_NOT_FOUND`, through the Deferred: there are none.
        """
        if key in self._channels:
            return self._channels[key].stats.snapshot()

        def told(data: StatsData) -> bytes:
            if not data.total_messages and data.events is UNSET:
                raise ChatError(ErrorCode.STREAM_NOT_FOUND, "Nothing is known of this channel")
            return encode(Stats(data, key.platform, key.identifier))

        return self._store.snapshot(key, self._stats_limit).addCallback(told)

    def flush(self) -> None:
        """Write everything that waits to be gathered."""
        for channel in self._channels.values():
            channel.flush()

    def shutdown(self) -> Deferred[None]:
        """Stop every channel; subscribers are told nothing.  Fires when all upstreams are left."""
        for channel in list(self._channels.values()):
            channel.release()
        if not self._departing:
            return succeed(None)
        return DeferredList(list(self._departing)).addCallback(lambda _: None)

    def _lingered(self, key: ChannelKey) -> None:
        del self._lingering[key]
        self._channels[key].release()

    def _gone(self, channel: Channel) -> None:
        del self._channels[channel.key]
        self._metrics.channels.dec()
        lingering = self._lingering.pop(channel.key, None)
        if lingering is not None:
            lingering.cancel()
        departed = channel.departed
        self._departing.add(departed)
        departed.addCallback(lambda _: self._departing.discard(departed))
