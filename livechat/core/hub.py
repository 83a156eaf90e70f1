# SPDX-License-Identifier: MIT
"""Who watches what on this node: one channel per chat, kept a little after the last one left.

A client names a chat by an identifier; several identifiers may mean one chat.  The platform says
which chat is meant (`IPlatform.resolve`), and then all who meant the same one share its channel.
Whoever waits for a channel that is not live is in `livechat.core.waiting` until it is.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from random import Random
from typing import Final

from msgspec import UNSET
from twisted.internet.defer import Deferred, DeferredList, succeed

from livechat.core.channel import Channel
from livechat.core.clients import Place
from livechat.core.history import past
from livechat.core.limits import StartLimit
from livechat.core.lingering import Lingering
from livechat.core.look_pace import LookPace
from livechat.core.options import Options
from livechat.core.overview import overview
from livechat.core.ports import IPlatform, Located, Past
from livechat.core.resolving import Resolving
from livechat.core.services import Services
from livechat.core.stats import Snapshot
from livechat.core.subscription import Subscription, Told
from livechat.core.waiting import Waiting, may_come
from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, StatsData
from livechat.protocol.commands import Since

#: Seconds for which a channel is kept at least that another node has handed over.
LEAST_LINGER: Final = 10.0

#: Identifiers of channels that are gone of which it is known what they meant.
MAX_MEANT: Final = 1024


class Hub:
    """The channels of this node.

    :param linger: seconds a channel is kept after its last subscriber left, so that a reloaded
        page costs no new upstream; 0 stops at once.
    :param max_channels: most channels watched at once, and most that are waited for.
    :param starts: how many channels each client address may start; None: any number.
    :param pace: how soon a channel that is waited for is looked at again.
    """

    def __init__(
        self,
        services: Services,
        *,
        linger: float,
        max_channels: int,
        starts: StartLimit | None = None,
        pace: LookPace | None = None,
    ) -> None:
        self._services = services
        self._linger = linger
        self._max_channels = max_channels
        self._starts = starts
        self._waiting = Waiting(services, pace or LookPace(Random()), self._found)
        services.metrics.waiting.set_function(self._waiting.__len__)
        self._platforms: dict[str, IPlatform] = {}
        self._resolving = Resolving(services, self._resolved, self._dismissed)
        self._channels: dict[ChannelKey, Channel] = {}
        # The channel that an identifier means, while that channel lasts, and the reverse.
        self._channel_of: dict[ChannelKey, Channel] = {}
        self._keys_of: dict[Channel, set[ChannelKey]] = {}
        self._channel_with: dict[Subscription, Channel] = {}
        self._lingering = Lingering(services.clock)
        self._departing: set[Deferred[None]] = set()
        # The channels that identifiers meant which are gone; the last one to go stands last.
        self._meant: OrderedDict[ChannelKey, ChannelKey] = OrderedDict()

    @property
    def active_streams(self) -> int:
        """Channels that have an upstream or are getting one, the lingering ones included."""
        return len(self._channels) + len(self._resolving)

    @property
    def waiting_streams(self) -> int:
        """Channels that are waited for."""
        return len(self._waiting)

    @property
    def storage_type(self) -> str:
        """Where statistics go at this moment."""
        return self._services.store.storage_type

    def subscribe(self, platform: IPlatform, subscription: Subscription) -> None:
        """Add a subscriber to its channel, which is made for the first one.

        :raises ChatError: `TOO_MANY_CHATS`, this node watches as many channels as it may;
            `RATE_LIMITED`, the client's address or token has started too many.
        """
        self._platforms[platform.name] = platform
        options = subscription.options
        target = _target(platform, subscription.key, options)
        self._admit(subscription, target, waits=options.wait)
        self._seek(platform, subscription, target)

    def _admit(self, subscription: Subscription, key: ChannelKey, *, waits: bool) -> None:
        """Count a start, where asking for this key would be one.

        :raises ChatError: the limits forbid it.
        """
        if key in self._channel_of or key in self._resolving or (waits and key in self._waiting):
            return
        if self.active_streams >= self._max_channels:
            raise self._full()
        if self._starts is not None:
            subscriber = subscription.subscriber
            self._starts.take(subscriber.requester.address, subscriber.grant)

    def _seek(self, platform: IPlatform, subscription: Subscription, key: ChannelKey) -> None:
        """Find or make the channel of a key for somebody, or let it wait with others."""
        subscription.target = key
        channel = self._channel_of.get(key)
        if channel is not None:
            self._join(channel, subscription)
        elif key in self._resolving:
            self._resolving.join(subscription)
        elif subscription.options.wait and key in self._waiting:
            self._waiting.join(subscription)
        else:
            self._resolving.begin(platform, subscription)

    def change(self, subscription: Subscription, identifier: str, options: Options) -> None:
        """Somebody asks again for what they hold: by these options, or `TOO_MANY_FILTERS`."""
        channel = self._channel_with.get(subscription)
        platform = self._platforms[subscription.key.platform]
        if _target(platform, subscription.key, options) != subscription.target:
            self._move(platform, subscription, identifier, options)
        elif channel is not None:
            channel.change(subscription, identifier, options)
        else:
            subscription.overtake()
            subscription.identifier = identifier
            subscription.options = options
            reason = None if options.wait else self._waiting.remove(subscription)
            if reason is None:
                subscription.repeat(self._services.store.storage_of(subscription.target))
            else:
                subscription.fail(reason)

    def _move(
        self, platform: IPlatform, subscription: Subscription, identifier: str, options: Options
    ) -> None:
        """Somebody who holds one channel asks for another one.

        :raises ChatError: as `subscribe`; it keeps what it has.
        """
        target = _target(platform, subscription.key, options)
        self._admit(subscription, target, waits=options.wait)
        self.unsubscribe(subscription)
        subscription.move(identifier, options)
        self._seek(platform, subscription, target)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take a subscriber out; the last one leaves the channel lingering."""
        channel = self._channel_with.pop(subscription, None)
        if channel is None:
            self._resolving.give_up(subscription)
            self._waiting.remove(subscription)
            return
        channel.unsubscribe(subscription)
        if channel.empty:
            self._lingering.begin(channel, self._linger)

    def invite(self, platform: IPlatform, key: ChannelKey) -> None:
        """Take part in a channel that nobody here watches: another node wants to hand it over.

        It is kept as if somebody had just left.  Nothing happens at the limit of channels.
        """
        if key not in self._channels and self.active_streams < self._max_channels:
            self._platforms[platform.name] = platform
            channel = self._open(Located(key), platform)
            self._lingering.begin(channel, max(self._linger, LEAST_LINGER))

    def stats(self, subscription: Subscription) -> Deferred[bytes]:
        """The `stats` message of a chat, for somebody who holds it."""
        channel = self._channel_with.get(subscription)
        if channel is None:
            # Those of the chat that it meant last, if there is one.
            meant = self._meant.get(subscription.target, subscription.target)
            return self._stored(meant).addCallback(
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

    def last(self, key: ChannelKey) -> Deferred[Place | None]:
        """Where the order of a channel has come that any node watches, or did a while ago, by any
        key that means it.
        """
        channel = self._channel_of.get(key)
        if channel is not None and channel.last.epoch:
            return succeed(Place(channel.key, channel.last.epoch, channel.last.seq))
        # Nobody watches here, or the broker has not said yet where the order goes on.
        meant = self._meant.get(key, key) if channel is None else channel.key
        recalled = self._services.broker.recall(meant)
        return recalled.addCallback(lambda place: place or self._services.history.latest(meant))

    def past(self, place: Place, since: Since | None, limit: int) -> Past:
        """What is kept of a channel's order.

        :param place: where it has come, from `last`.
        :param since: what came before is left out; if it is of another order, nothing is.
        :param limit: the first so many after `since`, or else the last so many.
        """
        return past(self._services.history, place, since, limit)

    def overview(self) -> bytes:
        """What operators see: every channel that is looked for, watched or waited for, as JSON."""
        views = [
            channel.view(sorted({key.identifier for key in keys} - {channel.key.identifier}))
            for channel, keys in self._keys_of.items()
        ]
        views += [*self._resolving.views(), *self._waiting.views()]
        return overview(self._services.node(), views)

    def upstreams(self) -> Counter[tuple[str, str]]:
        """How many upstreams this node has, by platform and state (`UPSTREAM_STATES`)."""
        ours = ((one.key.platform, one.upstream) for one in self._channels.values())
        found = [(platform, state) for platform, state in ours if state is not None]
        return Counter([*found, *((one.platform, "waiting") for one in self._resolving.views())])

    def flush(self) -> None:
        """Write everything that is pending."""
        for channel in self._channels.values():
            channel.flush()

    def shutdown(self) -> Deferred[None]:
        """Stop every channel; subscribers are told nothing.  Fires when all upstreams are left."""
        self._waiting.stop()
        self._resolving.stop()
        for channel in list(self._channels.values()):
            channel.release()
        if not self._departing:
            return succeed(None)
        return DeferredList(list(self._departing)).addCallback(lambda _: None)

    def _stored(self, key: ChannelKey) -> Deferred[StatsData]:
        return self._services.store.snapshot(key, self._services.stats_limit)

    # From an identifier to its channel.

    def _resolved(
        self, platform: IPlatform, located: Located, key: ChannelKey, asked: list[Subscription]
    ) -> Deferred[None]:
        """Watch a chat that was found, for those who meant it; fires when its start is over."""
        channel = self._channels.get(located.key)
        if channel is None:
            channel = self._open(located, platform)
        for name in (located.key, key):
            self._channel_of[name] = channel
            self._keys_of[channel].add(name)
        for subscription in [*asked, *self._waiting.take(key)]:
            self._join(channel, subscription)
        return channel.start_over

    def _open(self, located: Located, platform: IPlatform) -> Channel:
        channel = Channel(located, platform, self._services, self._gone, self._dismissed)
        self._channels[located.key] = channel
        self._channel_of[located.key] = channel
        self._keys_of[channel] = {located.key}
        self._services.metrics.channels.inc()
        return channel

    def _found(
        self, platform: IPlatform, located: Located, key: ChannelKey, waited: list[Subscription]
    ) -> None:
        """A channel that was waited for is live."""
        if located.key in self._channels or self.active_streams < self._max_channels:
            self._resolved(platform, located, key, waited)
        else:
            for subscription in waited:
                self._dismissed(subscription, self._full())

    def _dismissed(self, subscription: Subscription, error: ChatError, live_id: str = "") -> None:
        """There is no channel for somebody, or not any more: it waits if it wants to.

        :param live_id: of the stream that the channel had.
        """
        key, told = subscription.target, subscription.told
        is_first = told is Told.NOTHING
        if not subscription.options.wait or (is_first and not may_come(error, key)):
            subscription.fail(error)
        elif is_first and key not in self._waiting and len(self._waiting) >= self._max_channels:
            subscription.fail(self._full())
        else:
            platform = self._platforms[key.platform]
            watched = live_id if told is Told.STARTED else ""
            self._waiting.add(platform, subscription, error, watched)

    def _full(self) -> ChatError:
        return error_catalogue.SERVER_FULL.error(f"limit {self._max_channels} per server")

    # From a channel's first subscriber to its end.

    def _join(self, channel: Channel, subscription: Subscription) -> None:
        self._lingering.end(channel)
        if channel.admit(subscription):
            self._channel_with[subscription] = channel
            channel.subscribe(subscription)

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
        self._lingering.end(channel)
        departed = channel.departed
        self._departing.add(departed)
        departed.addCallback(lambda _: self._departing.discard(departed))


def _target(platform: IPlatform, key: ChannelKey, options: Options) -> ChannelKey:
    """By which key the channel is found that gives what somebody asks for."""
    return platform.all_lives(key) if options.all_lives else key
