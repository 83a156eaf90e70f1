# SPDX-License-Identifier: MIT
"""A node's part in a channel, and what it does for it: watch the upstream, number and publish.

Every node has this part of a channel.  The broker says who leads; what that means here stands in
`livechat.core.roles`.  What the watcher of a leader reports goes to all members through the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.absence import Reason
from livechat.core.audience import Audience
from livechat.core.failures import coded
from livechat.core.outlet import Gate, Outlet
from livechat.core.ports import (
    ChannelState,
    Ended,
    Failed,
    IEventSink,
    IMembership,
    Interrupted,
    IPlatform,
    IWatcher,
    Live,
    Located,
    Recovery,
    Requester,
    Start,
)
from livechat.core.publication import Publication
from livechat.core.roles import TRANSITIONS, Role, Turn
from livechat.core.services import Services
from livechat.core.standing import BROKER, FAILOVER
from livechat.core.stats import ChannelStats
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo, iso_time, seconds_of

#: Seconds after which a node that took a running channel over tries again to start its upstream.
RESTART_PAUSE: Final = 5.0

#: Seconds for which nothing is published while it is asked whether this node still leads.
LOOK: Final = 0.8

#: Seconds for which the upstreams of the leader and of its heir flow beside one another.
OVERLAP: Final = 0.15

_TURNS: Final = {
    "first": Turn.LEAD,
    "failover": Turn.LEAD,
    "handed": Turn.HANDED,
    "again": Turn.AGAIN,
}


@implementer(IEventSink)
class Leader:
    """A node's part in one channel.

    :param located: the chat, with what was learnt when it was found.
    :ivar role: what that part is; only the table changes it.
    """

    def __init__(
        self,
        located: Located,
        platform: IPlatform,
        services: Services,
        stats: ChannelStats,
        membership: IMembership,
        audience: Audience,
    ) -> None:
        self.role = Role.ENTERING
        self._key = located.key
        self._located = located
        self._platform = platform
        self._services = services
        self._stats = stats
        self._membership = membership
        self._audience = audience
        self._outlet = Outlet(self._key, services, stats, membership)
        self._sequencer = self._outlet.sequencer
        self._watcher: IWatcher | None = None
        # The chat was received by another node: a start that fails is tried again.
        self._has_flowed = False
        # Why the leader does not receive the chat, empty where nothing was told; None: it does.
        self._lost: str | None = ""
        self._restart: IDelayedCall | None = None
        self._waiting: IDelayedCall | None = None

    # What changes the role.

    def lead(self, start: Start) -> None:
        """See `IMember`."""
        self.turn(_TURNS[start.why], start)

    def turn(self, what: Turn, argument: Any = None) -> None:
        """Do what the table says."""
        row = TRANSITIONS.get((self.role, what))
        if row is not None:
            self.role, action = row
            act: Callable[[Any], None] = getattr(self, action)
            act(argument)

    def told(self, state: ChannelState) -> None:
        """What the leader of the channel tells, be it this node or another."""
        if not isinstance(state, Interrupted):
            self._lost = None
        elif state.reason != BROKER:
            # That this node hears nothing says nothing of the leader.
            self._lost = state.reason

    def published(self, publications: Sequence[Publication]) -> Sequence[Publication]:
        """What of this the subscribers of this node have not been given."""
        return self._outlet.new_of(publications)

    def stop(self) -> Deferred[None]:
        """Leave the upstream."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return succeed(None)
        self._services.left.keep(self._key, self._sequencer.start.epoch, self._sequencer.recent)
        return watcher.stop()

    @property
    def trouble(self) -> str:
        """See `IWatcher`; empty where the upstream is another node's."""
        return "" if self._watcher is None else self._watcher.trouble

    # What the watcher reports (`IEventSink`).

    @property
    def received_until(self) -> float | None:
        """See `IEventSink`."""
        until = self._sequencer.start.until
        return seconds_of(until) if until else None

    def queued(self) -> None:
        """See `IEventSink`."""
        now = self._services.clock.seconds()
        self._audience.tell_waiting(lambda one: one.tell_queued(now))

    def recovered(self, recovery: Recovery) -> None:
        """See `IEventSink`."""
        self._outlet.absence.recovered(recovery)

    def received(self, events: Sequence[Event]) -> None:
        """See `IEventSink`."""
        outlet = self._outlet
        if outlet.gate is Gate.CHECKED and not self._membership.certain:
            self.turn(Turn.DOUBT)
        outlet.publish(events)
        if outlet.is_full:
            self.turn(Turn.LOST)
            self.turn(Turn.WAITED)

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        self._services.metrics.interruptions.labels(self._key.platform).inc()
        self.turn(Turn.LOST)
        self._outlet.lost(reason, since)

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self._outlet.info = info
        self._outlet.flows()

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self.turn(Turn.LOST)
        self._outlet.tell(Ended(error))

    # What the table does.

    def _follow(self, start: Start) -> None:
        self._stats.counting = False
        self._sequencer.start = start

    def _begin(self, start: Start) -> None:
        """Start the upstream of a channel that this node leads from now on."""
        self._lead_from(start)
        reason: Reason = "failover" if self._has_flowed else "unwatched"
        last_ids = self._services.left.take(self._key, start.epoch)
        self._sequencer.remember(last_ids or ())
        if start.until or start.why != "first":
            # Where it is not known since when, the chat was not received until now.
            since = start.until or iso_time(round(self._services.now() * 1000))
            self._outlet.absence.begins(reason, since, is_remembered=last_ids is not None)
        if (self._has_flowed or start.until) and not self._lost:
            # Also for an heir, should this node go before its upstream flows.
            self._membership.tell(Interrupted(FAILOVER))
        self._start()

    def _prepare(self, _: object) -> None:
        """Start the upstream beside that of the leader."""
        self._outlet.gate = Gate.HELD
        self._remember()
        self._outlet.absence.begins_beside(self._sequencer.start.until)
        self._start()

    def _overlap(self, _: object) -> None:
        """What was said before may still be on its way to the leader."""
        self._waiting = self._services.clock.callLater(OVERLAP, self.turn, Turn.WAITED)

    def _say_prepared(self, _: object) -> None:
        self._membership.prepared()

    def _say_unprepared(self, _: object) -> None:
        self._let_go()
        self._membership.unprepared()

    def _go_on_starting(self, start: Start) -> None:
        """Lead before the upstream flows that is being started."""
        self._lead_from(start)
        if start.until:
            self._outlet.absence.begins("failover", start.until, is_remembered=False)
        self._membership.tell(Interrupted(FAILOVER))

    def _take_over(self, start: Start) -> None:
        """Publish what was held, and go on."""
        was_received = start.why == "handed" and self._lost is None
        self._lead_from(start)
        if not was_received and start.until:
            self._outlet.absence.begins("failover", start.until, is_remembered=False)
        self._outlet.flows()
        self._publish_held()

    def _announce(self, _: object) -> None:
        self._outlet.flows()

    def _renumber(self, start: Start) -> None:
        """Go on with other numbers."""
        last = self._sequencer.start
        self._sequencer.start = replace(last, epoch=start.epoch, seq=start.seq)
        is_live = self._outlet.info.live_id and self._lost is None
        if start.why != "again" and start.until:
            # Another node has led meanwhile, and left.
            self._outlet.absence.begins("failover", start.until)
            if is_live:
                self._outlet.say_live()
        elif is_live and last.epoch != start.epoch:
            self._membership.tell(Live(self._outlet.info))
        self._settle()

    def _hold(self, _: object) -> None:
        self._outlet.gate = Gate.HELD

    def _look(self, _: object) -> None:
        """Find out whether this node still leads."""
        self._outlet.gate = Gate.HELD
        self._stats.doubt()
        self._waiting = self._services.clock.callLater(LOOK, self.turn, Turn.WAITED)
        self._membership.look()

    def _settle(self, _: object = None) -> None:
        """This node leads, and has led all the time."""
        self._stats.settle(ours=True)
        self._publish_held()

    def _publish_held(self, _: object = None) -> None:
        """Do what was held, and hold nothing more."""
        _cancel(self._waiting)
        if self.role is Role.ALONE:
            self._services.log.say(self._key, "goes on without the broker", warn=True)
            self._outlet.release(Gate.OPEN)
        else:
            self._outlet.release(Gate.CHECKED)

    def _step_down(self, start: Start) -> None:
        """Another node leads: leave the upstream at once."""
        self._services.log.say(self._key, "another node leads")
        self._stats.settle(ours=False)
        self._let_go()
        self._follow(start)

    def _leave(self, _: object) -> None:
        self._outlet.gate = Gate.CLOSED
        _cancel(self._restart, self._waiting)

    # The upstream.

    def _lead_from(self, start: Start) -> None:
        self._has_flowed = start.why != "first" or self._audience.is_greeted
        self._stats.counting = True
        self._stats.take_over(start, self._services.history)
        self._sequencer.start = start
        self._remember()
        self._outlet.gate = Gate.CHECKED

    def _remember(self) -> None:
        """Recognise what was published already."""
        self._sequencer.remember(self._services.history.items(self._key, self._audience.last.epoch))

    def _start(self) -> None:
        """Start the upstream; what becomes of it all members are told."""
        self._services.log.say(self._key, "start")
        requester = self._audience.requester
        # A platform that raises has failed like one that fails.
        starting = maybeDeferred(self._start_watcher, requester)
        starting.addCallbacks(self._started, self._failed)

    def _start_watcher(self, requester: Requester) -> Deferred[LiveInfo]:
        self._watcher = None
        self._watcher = self._platform.watch(self._located, self, requester)
        # What was learnt on the way is of that moment.
        self._located = Located(self._key)
        return self._watcher.start()

    def _started(self, info: LiveInfo) -> None:
        self._services.metrics.starts.labels(self._key.platform, "live").inc()
        self._outlet.info = info
        self.turn(Turn.FLOWS)

    def _failed(self, reason: Failure) -> None:
        starts = self._services.metrics.starts
        if reason.check(CancelledError):
            # By us, because nobody waits any more, or another node leads.
            starts.labels(self._key.platform, "cancelled").inc()
            return
        self._watcher = None
        error = coded(reason, self._key)
        starts.labels(self._key.platform, error.code).inc()
        if self.role is Role.PREPARING:
            self.turn(Turn.LOST)
        elif error.temporary and self._has_flowed:
            # It has flowed on another node: it is sought until it is known to be over.
            self._restart = self._services.clock.callLater(RESTART_PAUSE, self._start)
        else:
            self._outlet.tell(Failed(error))

    def _let_go(self) -> None:
        """Leave the upstream, and drop what was held."""
        self._outlet.close()
        _cancel(self._restart, self._waiting)
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()


def _cancel(*calls: IDelayedCall | None) -> None:
    for call in calls:
        if call is not None and call.active():
            call.cancel()
