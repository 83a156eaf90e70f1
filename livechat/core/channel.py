# SPDX-License-Identifier: MIT
"""One watched chat of this node: joins watcher, broker, statistics and fan-out.

A channel is made for its first subscriber and released by the hub when nobody has watched for the
linger.  Its states are in `lifecycle`; messages go straight from `Channel.received` to the fan-out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.fanout import Fanout
from livechat.core.lifecycle import Life, Subscription, machine
from livechat.core.ports import (
    IBroker,
    IEventSink,
    IMember,
    IMembership,
    IPlatform,
    IStatsStore,
    ISubscriber,
    IWatcher,
    IWriter,
    Located,
    Requester,
)
from livechat.core.stats import ChannelStats
from livechat.metrics import Metrics
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, ChatMessage, Event, LiveInfo
from livechat.protocol.messages import encode_event

_log = Logger()

#: How many ids a channel remembers at least, to recognise a repeated item: what a platform sends
#: twice, it sends twice within seconds, and hardly any chat has more in ten of them.
REMEMBERED_IDS = 4096


class RecentIds:
    """Remembers at least the last `size` ids, at most twice as many."""

    __slots__ = ("_new", "_old", "_size")

    def __init__(self, size: int = REMEMBERED_IDS) -> None:
        self._size = size
        # A set of so many takes a quarter more memory than a dictionary.
        self._new: dict[str, None] = {}
        self._old: dict[str, None] = {}

    def seen(self, item: str) -> bool:
        """Whether the id is known; from now on it is."""
        if item in self._new:
            return True
        if len(self._new) >= self._size:
            self._old, self._new = self._new, {}
        self._new[item] = None
        return item in self._old


@implementer(IEventSink, IMember)
class Channel:
    """One watched chat of this node.

    :param gone: told once, when the channel has failed, ended or was released.
    """

    def __init__(
        self,
        key: ChannelKey,
        platform: IPlatform,
        broker: IBroker,
        store: IStatsStore,
        writer: IWriter,
        clock: IReactorTime,
        metrics: Metrics,
        stats_limit: int,
        gone: Callable[[Channel], None],
    ) -> None:
        self.key = key
        self._platform = platform
        self._metrics = metrics
        self._duplicates = metrics.duplicates.labels(key.platform)
        self._events = metrics.events.labels(key.platform)
        self._messages = metrics.messages.labels(key.platform)
        self._gone = gone
        self._recent = RecentIds()
        self._fanout = Fanout(clock, writer, metrics.deliveries)
        self.stats = ChannelStats(key, store, clock, stats_limit, self._push_stats)
        self._life = Life(key, self, self._fanout, self.stats)
        self._inputs = machine(self._life)
        self._watcher: IWatcher | None = None
        #: Fires when the upstream has been left for good.
        self.departed: Deferred[None] = Deferred()
        self._membership: IMembership = broker.join(key, self)

    @property
    def empty(self) -> bool:
        """Whether nobody watches."""
        return not self._life.waiting and not self._life.told

    def subscribe(self, subscription: Subscription) -> None:
        """Add a subscriber, greeted as soon as the chat flows, or told why it does not."""
        self._inputs.subscribe(subscription)

    def resubscribe(self, subscription: Subscription) -> None:
        """Greet a subscriber again who asked again; changes nothing."""
        self._inputs.resubscribe(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take a subscriber out; unknown ones are ignored."""
        self._life.drop(subscription)

    def release(self) -> None:
        """Stop watching; the subscribers, if any, are told nothing."""
        self._inputs.release()

    def ask_stats(self, subscriber: ISubscriber) -> Deferred[bytes]:
        """The encoded `stats` message for one subscriber, who has been given all that it counts."""

        def answered(payload: bytes) -> bytes:
            self._fanout.catch_up(subscriber)
            return payload

        return self.stats.snapshot().addCallback(answered)

    def flush(self) -> None:
        """Write what waits for the next flush."""
        self._fanout.flush()

    def lead(self) -> None:
        """See `IMember`."""
        self._inputs.lead()

    def follow(self) -> None:
        """See `IMember`."""
        self._inputs.follow()

    def published(self, publications: Sequence[tuple[str, bytes]]) -> None:
        """See `IMember`."""
        self._fanout.publish(publications)

    def queued(self) -> None:
        """See `IEventSink`."""
        self._life.tell_queued()

    def received(self, events: Sequence[Event]) -> None:
        """See `IEventSink`: drop what was seen, count, encode once, publish."""
        publications: list[tuple[str, bytes]] = []
        chats = others = duplicates = 0
        for event in events:
            if isinstance(event, ChatMessage):
                kind, item = "chat", event.message_id
            else:
                kind, item = event.type, f"{event.type} {event.event_id}"
            if self._recent.seen(item):
                duplicates += 1
                continue
            try:
                payload = encode_event(self.key, event)
            except (ValueError, TypeError, OverflowError):
                # Whatever a translator let through: it costs this item only.
                self._metrics.count_unparsed(self.key.platform, "unencodable")
                continue
            if isinstance(event, ChatMessage):
                chats += 1
                self.stats.count(event)
            else:
                others += 1
                self.stats.count_event(event)
            publications.append((kind, payload))
        if duplicates:
            self._duplicates.inc(duplicates)
        if others:
            self._events.inc(others)
        if chats:
            self._messages.inc(chats)
        if publications:
            self._membership.publish(publications)

    def interrupted(self, reason: str) -> None:
        """See `IEventSink`."""
        self._metrics.interruptions.labels(self.key.platform).inc()
        self._inputs.interrupted(reason)

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self._inputs.resumed(info)

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self._inputs.ended(error)

    def start_watching(self) -> Deferred[LiveInfo]:
        """Start the upstream; for the machine."""
        first = next(iter(self._life.waiting), None)
        requester = Requester() if first is None else first.requester
        self._watcher = self._platform.watch(Located(self.key), self, requester)
        return self._watcher.start().addBoth(self._count_start)

    def depart(self) -> None:
        """Leave the upstream, then the broker; for the machine."""
        self._fanout.close()
        self.stats.close()
        self._gone(self)
        stopped = succeed(None) if self._watcher is None else maybeDeferred(self._watcher.stop)
        stopped.addErrback(lambda reason: _log.failure("a watcher failed to stop", reason))
        stopped.addCallback(self._leave)

    def _leave(self, _: object) -> None:
        self._membership.leave()
        self.departed.callback(None)

    def _count_start(self, result: LiveInfo | Failure) -> LiveInfo | Failure:
        outcome = "live"
        if isinstance(result, Failure):
            value = result.value
            outcome = value.code if isinstance(value, ChatError) else "INTERNAL"
        self._metrics.starts.labels(self.key.platform, outcome).inc()
        return result

    def _push_stats(self, payload: bytes) -> None:
        self._fanout.spread(payload)
