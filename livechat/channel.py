# SPDX-License-Identifier: MIT
"""The life of one watched chat: joins watcher, broker, statistics and fan-out.

A channel is made for its first subscriber and released by the hub when nobody has watched for the
linger.  Its states and what moves it are the table at the end of `_build_machine`; messages do not pass
through the machine but straight from `Channel.received` to the fan-out.

    Joining ---lead---> Starting --live--> Live --interrupted--> Interrupted
       |                 ^   |               ^---- resumed ---------'
       '-follow-> Following  '-failed-> Gone
                    (lead)
    Live, Interrupted --ended--> Gone          any --release--> Gone

Entering Gone stops the upstream and then leaves the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from automat import TypeMachineBuilder
from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.errors import ChatError, ErrorCode
from livechat.events import ChannelKey, ChatMessage, Event, LiveInfo
from livechat.fanout import Fanout, Interest
from livechat.interfaces import (
    IBroker,
    IEventSink,
    IMember,
    IMembership,
    IPlatform,
    IStatsStore,
    ISubscriber,
    IWatcher,
)
from livechat.messages import ServerMessage, Status, encode, encode_event, failure, frame, started
from livechat.metrics import Metrics
from livechat.stats import ChannelStats

_log = Logger()

#: How many ids a channel remembers at least, to recognise a repeated item.
REMEMBERED_IDS = 8192


class RecentIds:
    """Remembers at least the last `size` ids, at most twice as many."""

    __slots__ = ("_new", "_old", "_size")

    def __init__(self, size: int = REMEMBERED_IDS) -> None:
        self._size = size
        self._new: set[str] = set()
        self._old: set[str] = set()

    def seen(self, item: str) -> bool:
        """Whether the id is known; from now on it is."""
        if item in self._new:
            return True
        if len(self._new) >= self._size:
            self._old, self._new = self._new, set()
        self._new.add(item)
        return item in self._old


class Subscription:
    """One subscriber's share in one channel.

    :ivar identifier: what the client sent, which is how it is addressed in its own messages.
    :ivar lost: told when the channel is gone (failed to start, or ended), after the client was.
    """

    __slots__ = ("identifier", "interest", "key", "lost", "subscriber")

    def __init__(
        self,
        key: ChannelKey,
        subscriber: ISubscriber,
        identifier: str,
        interest: Interest,
        lost: Callable[[Subscription], None],
    ) -> None:
        self.key = key
        self.subscriber = subscriber
        self.identifier = identifier
        self.interest = interest
        self.lost = lost

    def send(self, message: ServerMessage) -> None:
        """A message for this subscriber alone."""
        self.subscriber.deliver(frame(encode(message)))

    def fail(self, error: ChatError) -> None:
        """Tell the client that the channel is gone, and then its session."""
        self.send(failure(error, self.key.platform, self.identifier))
        self.lost(self)


class _Inputs(Protocol):
    """What moves a channel."""

    def subscribe(self, subscription: Subscription) -> None:
        """Somebody wants to watch."""

    def resubscribe(self, subscription: Subscription) -> None:
        """Somebody who watches asks again."""

    def lead(self) -> None:
        """The broker: this node watches the upstream."""

    def follow(self) -> None:
        """The broker: another node does."""

    def live(self, info: LiveInfo) -> None:
        """The watcher has started."""

    def failed(self, error: ChatError) -> None:
        """The watcher could not start."""

    def interrupted(self, reason: str) -> None:
        """The upstream was lost."""

    def resumed(self, info: LiveInfo) -> None:
        """The upstream is back."""

    def ended(self, error: ChatError) -> None:
        """The chat is over."""

    def release(self) -> None:
        """Nobody watches any more."""


class _Life:
    """What the machine works on: the parts of one channel, and who is to be told what.

    `waiting` are subscriptions that were told nothing yet; `told` those that were greeted.
    """

    def __init__(self, channel: Channel, platform: IPlatform, fanout: Fanout) -> None:
        self.channel = channel
        self.key = channel.key
        self.platform = platform
        self.fanout = fanout
        self.waiting: dict[ISubscriber, Subscription] = {}
        self.told: dict[ISubscriber, Subscription] = {}
        self.info = LiveInfo("")
        self.reason = ""

    def subscribed(self, subscription: Subscription) -> Status:
        """`subscribed` for one subscriber."""
        return Status(
            "subscribed",
            identifier=subscription.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            storage_type=self.channel.stats.storage_type,
        )

    def started(self, subscription: Subscription) -> Status:
        """`started` for one subscriber."""
        return started(subscription.identifier, self.key, self.info)

    def reconnecting(self, subscription: Subscription) -> Status:
        """`reconnecting` for one subscriber."""
        return Status(
            "reconnecting",
            identifier=subscription.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            reason=self.reason or UNSET,
        )

    def greet(self, subscription: Subscription, standing: Status) -> None:
        """Say where the channel stands, deliver from now on, then give the statistics."""
        self.fanout.flush()
        subscription.send(self.subscribed(subscription))
        subscription.send(standing)
        self.told[subscription.subscriber] = subscription
        self.fanout.add(subscription.subscriber, subscription.interest)
        self.channel.stats.snapshot().addCallback(self._first_stats, subscription)

    def _first_stats(self, payload: bytes, subscription: Subscription) -> None:
        if self.told.get(subscription.subscriber) is subscription:
            subscription.subscriber.deliver(frame(payload))

    def tell_all(self, standing: Callable[[Subscription], Status]) -> None:
        """A status to every subscriber, after what was published so far."""
        self.fanout.flush()
        for subscription in list(self.told.values()):
            subscription.send(standing(subscription))

    def fail_all(self, error: ChatError) -> None:
        """Tell every subscriber, greeted or waiting, that the channel is gone."""
        self.fanout.flush()
        everybody = [*self.told.values(), *self.waiting.values()]
        for subscription in everybody:
            self.drop(subscription)
        for subscription in everybody:
            subscription.fail(error)

    def drop(self, subscription: Subscription) -> None:
        """Deliver what was published so far and nothing more."""
        self.fanout.remove(subscription.subscriber)
        self.waiting.pop(subscription.subscriber, None)
        self.told.pop(subscription.subscriber, None)


def _build_machine() -> Callable[[_Life], _Inputs]:
    builder = TypeMachineBuilder(_Inputs, _Life)
    joining = builder.state("Joining")
    following = builder.state("Following")
    starting = builder.state("Starting")
    live = builder.state("Live")
    interrupted = builder.state("Interrupted")
    gone = builder.state("Gone")

    def wait(inputs: _Inputs, life: _Life, subscription: Subscription) -> None:
        life.waiting[subscription.subscriber] = subscription

    def start(inputs: _Inputs, life: _Life) -> None:
        life.channel.start_watching().addCallbacks(
            inputs.live, lambda reason: inputs.failed(_coded(reason))
        )

    def go_live(inputs: _Inputs, life: _Life, info: LiveInfo) -> None:
        life.info = info
        waiting = list(life.waiting.values())
        life.waiting.clear()
        for subscription in waiting:
            life.greet(subscription, life.started(subscription))

    def greet_live(inputs: _Inputs, life: _Life, subscription: Subscription) -> None:
        life.greet(subscription, life.started(subscription))

    def greet_interrupted(inputs: _Inputs, life: _Life, subscription: Subscription) -> None:
        life.greet(subscription, life.reconnecting(subscription))

    def repeat_live(inputs: _Inputs, life: _Life, subscription: Subscription) -> None:
        life.fanout.flush()
        subscription.send(life.subscribed(subscription))
        subscription.send(life.started(subscription))

    def repeat_interrupted(inputs: _Inputs, life: _Life, subscription: Subscription) -> None:
        life.fanout.flush()
        subscription.send(life.subscribed(subscription))
        subscription.send(life.reconnecting(subscription))

    def interrupt(inputs: _Inputs, life: _Life, reason: str) -> None:
        life.reason = reason
        life.tell_all(life.reconnecting)

    def resume(inputs: _Inputs, life: _Life, info: LiveInfo) -> None:
        life.info = info
        life.tell_all(life.started)

    def learn(inputs: _Inputs, life: _Life, info: LiveInfo) -> None:
        life.info = info

    def explain(inputs: _Inputs, life: _Life, reason: str) -> None:
        life.reason = reason

    def fail(inputs: _Inputs, life: _Life, error: ChatError) -> None:
        life.channel.depart()
        life.fail_all(error)

    def depart(inputs: _Inputs, life: _Life) -> None:
        life.channel.depart()

    # From top to bottom: who joins, what the broker says, what the watcher says, the end.
    for early in (joining, following, starting):
        early.upon(_Inputs.subscribe).to(early)(wait)
        # Whoever waits has been told nothing yet and will be, once.
        early.upon(_Inputs.resubscribe).to(early).returns(None)
        early.upon(_Inputs.interrupted).to(early).returns(None)
        early.upon(_Inputs.resumed).to(early).returns(None)
    live.upon(_Inputs.subscribe).to(live)(greet_live)
    live.upon(_Inputs.resubscribe).to(live)(repeat_live)
    interrupted.upon(_Inputs.subscribe).to(interrupted)(greet_interrupted)
    interrupted.upon(_Inputs.resubscribe).to(interrupted)(repeat_interrupted)

    for aspiring in (joining, following):
        aspiring.upon(_Inputs.lead).to(starting)(start)
        aspiring.upon(_Inputs.follow).to(following).returns(None)
        aspiring.upon(_Inputs.ended).to(gone)(fail)

    starting.upon(_Inputs.live).to(live)(go_live)
    starting.upon(_Inputs.failed).to(gone)(fail)
    starting.upon(_Inputs.ended).to(gone)(fail)
    live.upon(_Inputs.interrupted).to(interrupted)(interrupt)
    live.upon(_Inputs.resumed).to(live)(learn)
    live.upon(_Inputs.ended).to(gone)(fail)
    interrupted.upon(_Inputs.interrupted).to(interrupted)(explain)
    interrupted.upon(_Inputs.resumed).to(live)(resume)
    interrupted.upon(_Inputs.ended).to(gone)(fail)

    for any_state in (joining, following, starting, live, interrupted):
        any_state.upon(_Inputs.release).to(gone)(depart)
    # What is still on its way when the channel is gone.
    for late in (_Inputs.lead, _Inputs.follow, _Inputs.release):
        gone.upon(late).to(gone).returns(None)
    for late_info in (_Inputs.live, _Inputs.resumed):
        gone.upon(late_info).to(gone).returns(None)
    for late_error in (_Inputs.failed, _Inputs.ended):
        gone.upon(late_error).to(gone).returns(None)
    gone.upon(_Inputs.interrupted).to(gone).returns(None)
    gone.upon(_Inputs.resubscribe).to(gone).returns(None)
    return builder.build()


_machine = _build_machine()


def _coded(reason: Failure) -> ChatError:
    """A failed start as a coded error; what is not one is a fault of ours and is logged."""
    if isinstance(reason.value, ChatError):
        return reason.value
    if not isinstance(reason.value, CancelledError):
        _log.failure("a watcher failed to start for a reason that has no code", reason)
    return ChatError(
        ErrorCode.UPSTREAM_UNAVAILABLE,
        "The chat could not be started",
        "INTERNAL",
        temporary=True,
    )


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
        clock: IReactorTime,
        metrics: Metrics,
        stats_limit: int,
        gone: Callable[[Channel], None],
    ) -> None:
        self.key = key
        self._platform = platform
        self._metrics = metrics
        self._gone = gone
        self._recent = RecentIds()
        self._fanout = Fanout(clock, metrics.deliveries)
        self.stats = ChannelStats(key, store, clock, stats_limit, self._push_stats)
        self._life = _Life(self, platform, self._fanout)
        self._inputs = _machine(self._life)
        self._watcher: IWatcher | None = None
        #: Fires when the upstream has been left for good.
        self.departed: Deferred[None] = Deferred()
        self._membership: IMembership = broker.join(key, self)

    @property
    def empty(self) -> bool:
        """Whether nobody watches."""
        return not self._life.waiting and not self._life.told

    def subscribe(self, subscription: Subscription) -> None:
        """Add a subscriber, who will be greeted as soon as the chat flows, or told why it does not."""
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
            publications.append((kind, payload))
        platform = self.key.platform
        if duplicates:
            self._metrics.duplicates.labels(platform).inc(duplicates)
        if others:
            self._metrics.events.labels(platform).inc(others)
        if chats:
            self._metrics.messages.labels(platform).inc(chats)
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
        self._watcher = self._platform.watch(self.key, self)
        return self._watcher.start().addBoth(self._count_start)

    def depart(self) -> None:
        """Leave the upstream, then the broker; for the machine."""
        self._fanout.close()
        self.stats.close()
        self._gone(self)
        stopped = succeed(None) if self._watcher is None else self._watcher.stop()
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
        self._fanout.publish([("stats", payload)])
