# SPDX-License-Identifier: MIT
"""One watched chat of this node: its subscribers, its upstream, and what is sent.

The states (`livechat.core.channel_states`) come from the broker, on every node alike: the node that
leads the channel runs the watcher and tells all members what becomes of it.  Messages go straight
from `Channel.received` through the broker to the fan-out.

What is for one subscriber (statuses, errors) carries the identifier as that one sent it.  What all
share carries the canonical form of the identifier that was subscribed to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from msgspec import UNSET
from twisted.internet.defer import Deferred
from zope.interface import implementer

from livechat.core.channel_states import machine
from livechat.core.fanout import Fanout
from livechat.core.leader import Leader
from livechat.core.options import Options
from livechat.core.ports import (
    ChannelState,
    Ended,
    Failed,
    IMember,
    IMembership,
    Interrupted,
    IPlatform,
    Live,
    Located,
    Requester,
    Start,
)
from livechat.core.publication import Publication
from livechat.core.replay import Replay, Replays, recalled
from livechat.core.services import Services
from livechat.core.stats import ChannelStats, Snapshot
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError
from livechat.model.events import LiveInfo
from livechat.protocol.messages import Status


@implementer(IMember)
class Channel:
    """One watched chat of this node.

    :ivar key: the chat; subscribers may have asked for it by other keys.
    :param gone: called once, when the channel has failed, ended or was released.
    """

    def __init__(
        self,
        located: Located,
        platform: IPlatform,
        services: Services,
        gone: Callable[[Channel], None],
    ) -> None:
        self.key = located.key
        self._services = services
        self._gone = gone
        self._fanout = Fanout(services.clock, services.coalesce, services.metrics.deliveries)
        self.stats = ChannelStats(
            self.key,
            services.store,
            services.clock,
            services.stats_limit,
            lambda snapshot: self._fanout.spread(snapshot.message),
        )
        # Who was greeted is in the fan-out; who was not waits here.
        self._waiting: dict[Subscription, None] = {}
        self._info = LiveInfo("")
        self._last = Start("", 0)
        # Why the upstream is lost; None: it is not.
        self._reason: str | None = None
        self._replays = Replays(
            self.key,
            services.history,
            services.turns,
            services.clock,
            services.metrics,
            lambda: self._last,
            self._caught_up,
        )
        self._inputs = machine(self)
        #: Fires when the upstream has been left for good.
        self.departed: Deferred[None] = Deferred()
        self._membership: IMembership = services.broker.join(self.key, self)
        self._leader = Leader(located, platform, services, self.stats, self._membership, self)

    # What subscribers want.

    @property
    def empty(self) -> bool:
        """Whether nobody watches."""
        return not self._waiting and not self.is_greeted

    @property
    def last(self) -> Start:
        """The order, and the number of what was published last; no epoch before there is one."""
        return self._last

    @property
    def subscriptions(self) -> list[Subscription]:
        """Everybody who watches or waits."""
        return [*self._fanout.subscriptions, *self._replays.subscriptions, *self._waiting]

    def subscribe(self, subscription: Subscription) -> None:
        """Add a subscriber, greeted as soon as the chat flows, or told why it does not."""
        self._inputs.subscribe(subscription)

    def change(self, subscription: Subscription, identifier: str, options: Options) -> None:
        """Somebody who watches asked again: from now on by these options, without a gap."""
        repaced = options.stats != subscription.options.stats
        if subscription in self._waiting or self._replays.owes(subscription):
            subscription.overtake()
        self._replays.change(subscription, options)
        self._fanout.change(subscription, options)
        subscription.identifier = identifier
        if subscription in self._fanout:
            self._inputs.subscribe_again(subscription)
            if repaced:
                self._give_stats(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Deliver what was published so far and nothing more; unknown ones are ignored."""
        self._fanout.remove(subscription)
        self._replays.remove(subscription)
        self._waiting.pop(subscription, None)

    def release(self) -> None:
        """Stop watching; the subscribers, if any, are told nothing."""
        self._inputs.release()

    def ask_stats(self, subscription: Subscription) -> Deferred[Snapshot]:
        """The statistics for one subscriber, who has been given all that they count."""

        def answered(snapshot: Snapshot) -> Snapshot:
            self._fanout.catch_up(subscription)
            return snapshot

        return self.stats.snapshot().addCallback(answered)

    def flush(self) -> None:
        """Write what is pending."""
        self._fanout.flush()

    # What the broker says (`IMember`).

    def lead(self, start: Start) -> None:
        """See `IMember`."""
        self.stats.counting = True
        self._last = start
        self._leader.appointed(start)
        self._inputs.lead()

    def follow(self, start: Start) -> None:
        """See `IMember`."""
        self.stats.counting = False
        self._last = start

    def published(self, publications: Sequence[Publication]) -> None:
        """See `IMember`."""
        last = publications[-1]
        self._last = Start(last.epoch, last.seq)
        self._services.history.append(self.key, publications)
        self._leader.published(publications)
        self._replays.published(publications)
        self._fanout.publish(publications)

    def told(self, state: ChannelState) -> None:
        """See `IMember`."""
        match state:
            case Live(info):
                self._inputs.live(info)
            case Interrupted(reason):
                self._inputs.interrupted(reason)
            case Failed(error):
                self._inputs.failed(error)
            case Ended(error):
                self._inputs.ended(error)

    # Those for whom the leader watches (`Audience`).

    @property
    def requester(self) -> Requester:
        """See `Audience`."""
        first = next(iter(self._waiting), None)
        return Requester() if first is None else first.subscriber.requester

    @property
    def is_greeted(self) -> bool:
        """See `Audience`."""
        return len(self._fanout) > 0 or len(self._replays) > 0

    def tell_queued(self) -> None:
        """See `Audience`."""
        for subscription in list(self._waiting):
            subscription.tell_queued()

    # What the transition table does.

    def wait(self, subscription: Subscription) -> None:
        """Keep a subscriber until there is something to tell."""
        self._waiting[subscription] = None

    def start(self) -> None:
        """Start the upstream."""
        self._services.log.say(self.key, "start")
        self._leader.start()

    def take_over(self) -> None:
        """Start the upstream of a channel that flows, after its leader is gone."""
        self._membership.tell(Interrupted("FAILOVER"))
        self.start()

    def go_live(self, info: LiveInfo) -> None:
        """Greet everybody who waits."""
        self._services.log.say(self.key, f"live ({info.live_id})")
        self._info = info
        waiting, self._waiting = self._waiting, {}
        for subscription in waiting:
            self.greet(subscription)

    def update(self, info: LiveInfo) -> None:
        """Say what has changed about the stream, if anything has."""
        if info != self._info:
            self._info = info
            self._tell_all()

    def resume(self, info: LiveInfo) -> None:
        """Say that messages flow again."""
        self._services.log.say(self.key, "resumed")
        self._info = info
        self._reason = None
        self._tell_all()

    def interrupt(self, reason: str) -> None:
        """Say that the upstream was lost."""
        self._services.log.say(self.key, f"interrupted: {reason}", warn=True)
        self._reason = reason
        self._tell_all()

    def explain(self, reason: str) -> None:
        """Remember why the upstream is still lost."""
        self._reason = reason

    def greet(self, subscription: Subscription) -> None:
        """Greet a subscriber of a chat that has begun to flow."""
        is_new = subscription not in self._fanout
        if is_new and subscription.options.wants_past:
            self._replay(subscription)
            return
        self._answer(subscription, self._standing(subscription))
        if is_new:
            self._deliver(subscription)

    def fail(self, error: ChatError) -> None:
        """Let a channel go that could not be started, and tell everybody why."""
        self._services.log.failed(self.key, error)
        self._dismiss(error)

    def end(self, error: ChatError) -> None:
        """Let a channel go whose stream has ended, and tell everybody."""
        self._services.log.say(self.key, f"ended: {error}")
        self._dismiss(error)

    def _dismiss(self, error: ChatError) -> None:
        """Let the channel go, and send an error to everybody, greeted or waiting."""
        self._depart()
        everybody = self.subscriptions
        for subscription in everybody:
            self._replays.finish(subscription)
            self.unsubscribe(subscription)
        # Only then: whoever is told may subscribe anew at once.
        for subscription in everybody:
            subscription.fail(error)

    def stop(self) -> None:
        """Let the channel go."""
        self._services.log.say(self.key, "stopped")
        self._depart()

    def _standing(self, subscription: Subscription) -> Status:
        """Where the channel stands, for one subscriber."""
        if self._reason is None:
            return subscription.started(self._info, self._last)
        return subscription.reconnecting(self._reason)

    def _replay(self, subscription: Subscription) -> None:
        """Give a subscriber what was published before it came; `started` comes first."""
        last, options = self._last, subscription.options
        past = recalled(self._services.history, self.key, last, options)
        recovered = UNSET if options.since is None else past.complete
        self._answer(subscription, subscription.started(self._info, last, recovered))
        self._replays.begin(subscription, past.publications, last.seq, (None, self._info))

    def _caught_up(self, replay: Replay) -> None:
        """A subscriber has been given everything; it is told what has changed meanwhile."""
        subscription = replay.subscription
        if replay.told is None:
            self._answer(subscription, self._standing(subscription))
        elif replay.told != (self._reason, self._info):
            subscription.send(self._standing(subscription))
        self._deliver(subscription)

    def _answer(self, subscription: Subscription, standing: Status) -> None:
        """Answer a subscribe: it has succeeded, and here the chat stands."""
        subscription.answer(subscription.subscribed(self.stats.storage_type), standing)

    def _deliver(self, subscription: Subscription) -> None:
        """Deliver from now on, then give the statistics."""
        self._fanout.add(subscription)
        self._give_stats(subscription)

    def _give_stats(self, subscription: Subscription) -> None:
        """The first statistics, for a subscriber that wants any."""
        if subscription.options.stats < inf:
            self.stats.snapshot().addCallback(self._first_stats, subscription)

    def _first_stats(self, snapshot: Snapshot, subscription: Subscription) -> None:
        # Meanwhile it may have left, or wants none any more.
        if subscription in self._fanout and subscription.options.stats < inf:
            subscription.subscriber.send(snapshot.message(subscription.key))

    def _tell_all(self) -> None:
        """Where the channel stands, to everybody, after what was published so far.

        Whoever has not caught up is told then.
        """
        self._fanout.flush()
        for subscription in self._fanout.subscriptions:
            subscription.send(self._standing(subscription))

    def _depart(self) -> None:
        """Leave the upstream and the broker."""
        self._fanout.close()
        self._replays.close()
        self.stats.close()
        self._leader.give_up()
        self._gone(self)
        self._membership.leave(self._leader.stop).addCallback(self.departed.callback)
