# SPDX-License-Identifier: MIT
"""Who watches what on this node: one channel per chat, kept a little after the last one left.

A client names a chat by an identifier; several identifiers may mean one chat.  The platform says
which chat is meant (`IPlatform.resolve`), and then all who meant the same one share its channel.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from msgspec import UNSET, Struct
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from livechat.core.channel import Channel
from livechat.core.clients import Place
from livechat.core.failures import coded
from livechat.core.limits import StartLimit
from livechat.core.options import Options
from livechat.core.overview import ChannelView, overview
from livechat.core.ports import IPlatform, Located, Past
from livechat.core.services import Services
from livechat.core.stats import Snapshot
from livechat.core.subscription import Subscription
from livechat.model import error_catalogue
from livechat.model.events import ALL_KINDS, ChannelKey, StatsData, iso_time
from livechat.protocol.commands import Since

#: Identifiers of channels that are gone of which it is known what they meant.
MAX_MEANT: Final = 1024


class _Resolution(Struct, eq=False):
    """An identifier whose chat is being looked for, and who waits for it."""

    platform: IPlatform
    waiting: dict[Subscription, None]
    since: str
    resolving: Deferred[Located] | None = None


class Hub:
    """The channels of this node.

    :param linger: seconds a channel is kept after its last subscriber left, so that a reloaded
        page costs no new upstream; 0 stops at once.
    :param max_channels: most channels watched at once.
    :param starts: how many channels each client address may start; None: any number.
    """

    def __init__(
        self,
        services: Services,
        *,
        linger: float,
        max_channels: int,
        starts: StartLimit | None = None,
    ) -> None:
        self._services = services
        self._linger = linger
        self._max_channels = max_channels
        self._starts = starts
        self._resolutions: dict[ChannelKey, _Resolution] = {}
        self._channels: dict[ChannelKey, Channel] = {}
        # The channel that an identifier means, while that channel lasts, and the reverse.
        self._channel_of: dict[ChannelKey, Channel] = {}
        self._keys_of: dict[Channel, set[ChannelKey]] = {}
        self._channel_with: dict[Subscription, Channel] = {}
        self._lingering: dict[Channel, IDelayedCall] = {}
        self._departing: set[Deferred[None]] = set()
        # The channels that identifiers meant which are gone; the last one to go stands last.
        self._meant: OrderedDict[ChannelKey, ChannelKey] = OrderedDict()

    @property
    def active_streams(self) -> int:
        """Channels that have an upstream or are getting one, the lingering ones included."""
        return len(self._channels) + len(self._resolutions)

    @property
    def storage_type(self) -> str:
        """Where statistics go at this moment."""
        return self._services.store.storage_type

    def subscribe(self, platform: IPlatform, subscription: Subscription) -> None:
        """Add a subscriber to its channel, which is made for the first one.

        :raises ChatError: `TOO_MANY_CHATS`, this node watches as many channels as it may;
            `RATE_LIMITED`, the client's address or token has started too many.
        """
        key = subscription.key
        channel = self._channel_of.get(key)
        if channel is not None:
            self._join(channel, subscription)
            return
        resolution = self._resolutions.get(key)
        if resolution is None:
            if self.active_streams >= self._max_channels:
                raise error_catalogue.SERVER_FULL.error(f"limit {self._max_channels} per server")
            if self._starts is not None:
                subscriber = subscription.subscriber
                self._starts.take(subscriber.requester.address, subscriber.grant)
            self._resolve(key, platform, subscription)
        else:
            resolution.waiting[subscription] = None

    def change(self, subscription: Subscription, identifier: str, options: Options) -> None:
        """Somebody asks again for what they hold: from now on by these options."""
        channel = self._channel_with.get(subscription)
        if channel is None:
            subscription.overtake()
            subscription.identifier = identifier
            subscription.options = options
        else:
            channel.change(subscription, identifier, options)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take a subscriber out; the last one leaves the channel lingering."""
        channel = self._channel_with.pop(subscription, None)
        if channel is None:
            self._give_up(subscription)
            return
        channel.unsubscribe(subscription)
        if not channel.empty or channel in self._lingering:
            return
        if self._linger > 0:
            self._lingering[channel] = self._services.clock.callLater(
                self._linger, self._lingered, channel
            )
        else:
            channel.release()

    def stats(self, subscription: Subscription) -> Deferred[bytes]:
        """The `stats` message of a chat, for somebody who holds it."""
        channel = self._channel_with.get(subscription)
        if channel is None:
            return self._stored(subscription.key).addCallback(
                lambda data: Snapshot(data).message(subscription.key)
            )
        return channel.ask_stats(subscription).addCallback(
            lambda snapshot: snapshot.message(subscription.key)
        )

    def read_stats(self, key: ChannelKey) -> Deferred[bytes]:
        """The same of any channel, for anybody: one that nobody watches may have totals, too.

        :raises ChatError: `STREAM_NOT_FOUND`, through the Deferred: there are none.
        """
        channel = self._channel_of.get(key)
        if channel is not None:
            return channel.stats.snapshot().addCallback(lambda snapshot: snapshot.message(key))

        def found(data: StatsData) -> bytes:
            if not data.total_messages and data.events is UNSET:
                raise error_catalogue.NO_DATA.error()
            return Snapshot(data).message(key)

        return self._stored(key).addCallback(found)

    def last(self, key: ChannelKey) -> Place | None:
        """Where the order of a channel has come that is watched, or was a while ago.

        :param key: any that means the channel.
        """
        channel = self._channel_of.get(key)
        if channel is not None and channel.last.epoch:
            return Place(channel.key, channel.last.epoch, channel.last.seq)
        # Nobody watches, or the broker has not said yet where the order goes on.
        meant = self._meant.get(key, key) if channel is None else channel.key
        return self._services.history.latest(meant)

    def past(self, place: Place, since: Since | None, limit: int) -> Past:
        """What is kept of a channel's order.

        :param place: where it has come, from `last`.
        :param since: what came before is left out; if it is of another order, nothing is.
        :param limit: the first so many after `since`, or else the last so many.
        """
        history = self._services.history
        if since is None:
            return Past(history.last(place.key, place.epoch, limit, ALL_KINDS), complete=True)
        known = since.epoch == place.epoch and since.seq <= place.seq
        past = history.after(place.key, place.epoch, since.seq if known else 0, ALL_KINDS)
        if past is None:
            # Nothing was published, or nothing of it is kept.
            return Past((), complete=known and since.seq == place.seq)
        return Past(past.publications[:limit], known and past.complete)

    def overview(self) -> bytes:
        """What operators see: every channel that is looked for or watched, as JSON."""
        views = [
            channel.view(sorted({key.identifier for key in keys} - {channel.key.identifier}))
            for channel, keys in self._keys_of.items()
        ]
        views += [
            ChannelView(
                platform=key.platform,
                identifier=key.identifier,
                state="waiting",
                since=resolution.since,
                subscribers=len(resolution.waiting),
            )
            for key, resolution in self._resolutions.items()
        ]
        return overview(self._services.node(), views)

    def flush(self) -> None:
        """Write everything that is pending."""
        for channel in self._channels.values():
            channel.flush()

    def shutdown(self) -> Deferred[None]:
        """Stop every channel; subscribers are told nothing.  Fires when all upstreams are left."""
        for key in list(self._resolutions):
            self._cancel(key)
        for channel in list(self._channels.values()):
            channel.release()
        if not self._departing:
            return succeed(None)
        return DeferredList(list(self._departing)).addCallback(lambda _: None)

    def _stored(self, key: ChannelKey) -> Deferred[StatsData]:
        return self._services.store.snapshot(key, self._services.stats_limit)

    # From an identifier to its channel.

    def _resolve(self, key: ChannelKey, platform: IPlatform, first: Subscription) -> None:
        since = iso_time(round(self._services.now() * 1000))
        resolution = _Resolution(platform, {first: None}, since)
        self._resolutions[key] = resolution
        self._services.metrics.channels.inc()

        def queued() -> None:
            for subscription in list(resolution.waiting):
                subscription.tell_queued()

        resolving = maybeDeferred(platform.resolve, key, first.subscriber.requester, queued)
        resolution.resolving = resolving
        resolving.addCallbacks(
            self._resolved, self._unresolved, callbackArgs=(key,), errbackArgs=(key,)
        )

    def _resolved(self, located: Located, key: ChannelKey) -> None:
        resolution = self._taken(key)
        channel = self._channels.get(located.key)
        if channel is None:
            channel = Channel(located, resolution.platform, self._services, self._gone)
            self._channels[located.key] = channel
            self._keys_of[channel] = set()
            self._services.metrics.channels.inc()
        for name in (located.key, key):
            self._channel_of[name] = channel
            self._keys_of[channel].add(name)
        for subscription in resolution.waiting:
            self._join(channel, subscription)

    def _unresolved(self, reason: Failure, key: ChannelKey) -> None:
        if key not in self._resolutions:
            # Cancelled, because nobody waits any more.
            return
        resolution = self._taken(key)
        error = coded(reason, key)
        self._services.metrics.starts.labels(key.platform, error.code).inc()
        self._services.log.failed(key, error)
        for subscription in resolution.waiting:
            subscription.fail(error)

    def _taken(self, key: ChannelKey) -> _Resolution:
        self._services.metrics.channels.dec()
        return self._resolutions.pop(key)

    def _give_up(self, subscription: Subscription) -> None:
        resolution = self._resolutions.get(subscription.key)
        if resolution is not None and subscription in resolution.waiting:
            del resolution.waiting[subscription]
            if not resolution.waiting:
                self._cancel(subscription.key)

    def _cancel(self, key: ChannelKey) -> None:
        resolution = self._taken(key)
        if resolution.resolving is not None:
            resolution.resolving.cancel()

    # From a channel's first subscriber to its end.

    def _join(self, channel: Channel, subscription: Subscription) -> None:
        lingering = self._lingering.pop(channel, None)
        if lingering is not None:
            lingering.cancel()
        self._channel_with[subscription] = channel
        channel.subscribe(subscription)

    def _lingered(self, channel: Channel) -> None:
        del self._lingering[channel]
        channel.release()

    def _gone(self, channel: Channel) -> None:
        del self._channels[channel.key]
        for subscription in channel.subscriptions:
            del self._channel_with[subscription]
        for key in self._keys_of.pop(channel):
            del self._channel_of[key]
            if key != channel.key:
                self._meant.pop(key, None)
                self._meant[key] = channel.key
        while len(self._meant) > MAX_MEANT:
            self._meant.popitem(last=False)
        self._services.metrics.channels.dec()
        lingering = self._lingering.pop(channel, None)
        if lingering is not None:
            lingering.cancel()
        departed = channel.departed
        self._departing.add(departed)
        departed.addCallback(lambda _: self._departing.discard(departed))
