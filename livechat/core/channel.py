# SPDX-License-Identifier: MIT
"""One watched chat of this node: its state, its upstream, and those who watch it.

The states (`livechat.core.channel_states`) come from the broker, on every node alike: the node that
leads the channel runs the watcher (`livechat.core.leader`) and tells all members what becomes of
it.  What the subscribers are told is in `livechat.core.audience`.  Messages go straight from the
leader through the broker to `Channel.published` and the fan-out.

What is for one subscriber (statuses, errors) carries the identifier as that one sent it.  What all
share carries the canonical form of the identifier that was subscribed to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from livechat.core.audience import Audience
from livechat.core.channel_states import machine
from livechat.core.clients import Place
from livechat.core.leader import Leader
from livechat.core.options import Options
from livechat.core.overview import ChannelView, upstream_state
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
    Start,
)
from livechat.core.publication import Publication, age
from livechat.core.roles import Role, Turn
from livechat.core.services import Services
from livechat.core.standing import BROKER
from livechat.core.stats import ChannelStats, Snapshot
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError
from livechat.model.events import CHAT_BIT, LiveInfo, iso_time


@implementer(IMember)
class Channel:
    """One watched chat of this node.

    :ivar key: the chat; subscribers may have asked for it by other keys.
    :ivar leader: the name of the node that has the upstream; None: none yet, or it is not known.
    :param gone: called once, when the channel has failed, ended or was released.
    :param dismissed: called after that with each subscriber of a channel that has failed or ended,
        the reason and the id of the stream.
    """

    def __init__(
        self,
        located: Located,
        platform: IPlatform,
        services: Services,
        gone: Callable[[Channel], None],
        dismissed: Callable[[Subscription, ChatError, str], None],
    ) -> None:
        self.key = located.key
        self._services = services
        self._gone = gone
        self.leader: str | None = None
        #: Fires when the start is over: the chat flows, or there is no channel any more.
        self.start_over: Deferred[None] = Deferred()
        self._enter("waiting")
        # Chats that it was given.
        self._messages = 0
        self.stats = ChannelStats(
            self.key,
            services.store,
            services.clock,
            services.stats_limit,
            lambda snapshot: self._audience.spread(snapshot.message),
        )
        self._audience = Audience(self.key, services, self.stats, dismissed)
        self._inputs = machine(self)
        #: Fires when the upstream has been left for good.
        self.departed: Deferred[None] = Deferred()
        have = services.history.latest(self.key)
        self._membership: IMembership = services.broker.join(self.key, self, have)
        self._leader = Leader(
            located, platform, services, self.stats, self._membership, self._audience
        )

    # What subscribers want.

    @property
    def empty(self) -> bool:
        """Whether nobody watches."""
        return self._audience.empty

    @property
    def last(self) -> Start:
        """The order, and the number of what was published last; no epoch before there is one."""
        return self._audience.last

    @property
    def role(self) -> Role:
        """What part this node has in the channel."""
        return self._leader.role

    @property
    def subscriptions(self) -> list[Subscription]:
        """Everybody who watches or waits."""
        return self._audience.subscriptions

    def admit(self, subscription: Subscription) -> bool:
        """Whether somebody may be added; otherwise it is told why not."""
        try:
            self._audience.admit(subscription, subscription.options)
        except ChatError as error:
            subscription.fail(error)
            return False
        return True

    def subscribe(self, subscription: Subscription) -> None:
        """Add a subscriber, greeted as soon as the chat flows, or told why it does not."""
        self._inputs.subscribe(subscription)

    def change(self, subscription: Subscription, identifier: str, options: Options) -> None:
        """Somebody who watches asked again: from now on by these options, without a gap.

        :raises ChatError: `TOO_MANY_FILTERS`; nothing has changed.
        """
        self._audience.admit(subscription, options)
        repaced = options.stats != subscription.options.stats
        if self._audience.change(subscription, identifier, options):
            self._inputs.subscribe_again(subscription)
            if repaced:
                self._audience.give_stats(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Deliver what was published so far and nothing more; unknown ones are ignored."""
        self._audience.remove(subscription)

    def release(self) -> None:
        """Stop watching; the subscribers, if any, are told nothing."""
        self._inputs.release()

    def hand_over(self) -> Deferred[None]:
        """Let another node lead, if this one does; see `IMembership.release`."""
        return self._membership.release()

    def ask_stats(self, subscription: Subscription) -> Deferred[Snapshot]:
        """The statistics for one subscriber, who has been given all that they count."""
        return self._audience.ask_stats(subscription)

    def flush(self) -> None:
        """Write what is pending."""
        self._audience.flush()

    def view(self, names: Sequence[str]) -> ChannelView:
        """What operators see of it.

        :param names: the other identifiers by which clients have asked for it.
        """
        return ChannelView(
            platform=self.key.platform,
            identifier=self.key.identifier,
            names=names,
            state=self._state,
            since=self._since,
            subscribers=len(self._audience.subscriptions),
            messages=self._messages,
            trouble=self._trouble,
            role=self.role.value,
            leader=self.leader,
            lag=self._membership.lag,
        )

    @property
    def upstream(self) -> str | None:
        """What becomes of the upstream (`UPSTREAM_STATES`); None: this node has none."""
        if self.role in (Role.ENTERING, Role.FOLLOWING, Role.LEFT):
            return None
        return upstream_state(self._state, self._trouble)

    @property
    def _trouble(self) -> str | None:
        return self._leader.trouble or self._audience.reason or None

    # What the broker says (`IMember`).

    def lead(self, start: Start) -> None:
        """See `IMember`."""
        self.leader = self._services.node()
        self._audience.goes_on_after(start, follows=False)
        self._leader.lead(start)

    def follow(self, start: Start) -> None:
        """See `IMember`."""
        self.leader = start.node or None
        self._audience.goes_on_after(start, follows=True)
        self._leader.turn(Turn.FOLLOW, start)

    def prepare(self) -> None:
        """See `IMember`."""
        self._leader.turn(Turn.PREPARE)

    def hold(self) -> None:
        """See `IMember`."""
        self._leader.turn(Turn.HOLD)

    def resume_publishing(self) -> None:
        """See `IMember`."""
        self._leader.turn(Turn.RESUME)

    def doubted(self) -> None:
        """See `IMember`."""
        self._leader.turn(Turn.DOUBT)

    def settled(self) -> None:
        """See `IMember`."""
        self._leader.turn(Turn.SETTLED)

    def published(self, publications: Sequence[Publication]) -> None:
        """See `IMember`."""
        for publication in publications:
            if publication.bit == CHAT_BIT:
                self._messages += 1
        is_late = self.role is Role.ENTERING
        since = age(publications[-1], self._services.now()) if is_late else 0.0
        self._services.history.append(self.key, publications, since)
        self._audience.published(publications, self._leader.published(publications))

    def missed(self, start: Start) -> None:
        """See `IMember`."""
        self._services.history.broke(Place(self.key, start.epoch, start.seq))
        self._audience.missed(start)

    def waits(self, reason: str) -> None:
        """See `IMember`."""
        self._audience.tell_waiting(lambda one: one.tell_waiting(reason))

    def told(self, state: ChannelState) -> None:
        """See `IMember`."""
        self._leader.told(state)
        match state:
            case Live(info):
                self._inputs.live(info)
            case Interrupted(reason):
                self._inputs.interrupted(reason)
            case Failed(error):
                self._inputs.failed(error)
            case Ended(error):
                self._inputs.ended(error)

    # What the transition table does.

    def wait(self, subscription: Subscription) -> None:
        """Keep a subscriber until there is something to tell."""
        self._audience.wait(subscription)

    def go_live(self, info: LiveInfo) -> None:
        """Greet everybody who waits."""
        self._services.log.say(self.key, f"live ({info.live_id})")
        self._enter("live")
        self.stats.watch(info.lives)
        self._audience.info = info
        self._audience.greet_waiting()

    def update(self, info: LiveInfo) -> None:
        """Say what has changed about the stream, if anything has."""
        if self._audience.has_missed:
            # What its subscribers have and what follows do not belong together.
            self._audience.interrupted(BROKER)
        elif info == self._audience.info:
            return
        self._flows(info)

    def resume(self, info: LiveInfo) -> None:
        """Say that messages flow again."""
        self._services.log.say(self.key, "resumed")
        self._enter("live")
        self._flows(info)

    def interrupt(self, reason: str) -> None:
        """Say that the upstream was lost."""
        self._services.log.say(self.key, f"interrupted: {reason}", warn=True)
        self._enter("interrupted")
        self._audience.interrupted(reason)

    def explain(self, reason: str) -> None:
        """Remember why the upstream is still lost."""
        self._audience.reason = reason

    def greet(self, subscription: Subscription) -> None:
        """Greet a subscriber of a chat that has begun to flow."""
        self._audience.greet(subscription)

    def fail(self, error: ChatError) -> None:
        """Let a channel go that could not be started, and tell everybody why."""
        self._services.log.failed(self.key, error)
        self._depart()
        self._audience.dismiss(error)

    def end(self, error: ChatError) -> None:
        """Let a channel go whose stream has ended, and tell everybody."""
        self._services.log.say(self.key, f"ended: {error}")
        self._depart()
        self._audience.dismiss(error)

    def stop(self) -> None:
        """Let the channel go."""
        self._services.log.say(self.key, "stopped")
        self._depart()

    def _enter(self, state: str) -> None:
        """What operators are shown as its state from now on."""
        self._state = state
        self._since = iso_time(round(self._services.now() * 1000))
        if state != "waiting":
            self._start_is_over()

    def _start_is_over(self) -> None:
        if not self.start_over.called:
            self.start_over.callback(None)

    def _flows(self, info: LiveInfo) -> None:
        self.stats.watch(info.lives)
        self._audience.flows(info)

    def _depart(self) -> None:
        """Leave the upstream and the broker."""
        self._start_is_over()
        self._audience.close()
        self.stats.close()
        self._leader.turn(Turn.LEAVE)
        self._gone(self)
        self._membership.leave(self._leader.stop).addCallback(self.departed.callback)
