# SPDX-License-Identifier: MIT
"""The leader's part in a channel: it runs the watcher and publishes what that reports.

Every node has this part of a channel; it does something only on the node that the broker has told
to lead.  What the watcher reports goes to all members through the broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.absence import Absence, Reason
from livechat.core.audience import Audience
from livechat.core.failures import coded
from livechat.core.ports import (
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
from livechat.core.sequencer import Sequencer
from livechat.core.services import Services
from livechat.core.stats import ChannelStats
from livechat.model.errors import ChatError
from livechat.model.events import (
    Event,
    LiveInfo,
    iso_time,
    seconds_of,
)

#: Seconds after which a node that took a running channel over tries again to start its upstream.
RESTART_PAUSE: Final = 5.0


@implementer(IEventSink)
class Leader:
    """Runs the watcher of one channel.

    :param located: the chat, with what was learnt when it was found.
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
        self._key = located.key
        self._located = located
        self._platform = platform
        self._services = services
        self._membership = membership
        self._audience = audience
        self._sequencer = Sequencer(self._key, stats, services.metrics)
        self._absence = Absence()
        self._watcher: IWatcher | None = None
        self._restart: IDelayedCall | None = None

    def appointed(self, start: Start) -> None:
        """This node is to lead, going on after what was published last."""
        self._sequencer.start = start
        last_ids = self._services.left.take(self._key, start.epoch)
        self._sequencer.remember(last_ids or ())
        self._sequencer.remember(self._services.history.items(self._key, start.epoch))
        if start.until:
            reason: Reason = "failover" if self._audience.is_greeted else "unwatched"
            self._absence.begins(reason, start.until, is_remembered=last_ids is not None)

    def published(self, publications: Sequence[Publication]) -> None:
        """Recognise later what another node has published, should the platform repeat it here."""
        if self._watcher is None:
            self._sequencer.remember(one.item for one in publications)

    def start(self) -> None:
        """Start the upstream; what becomes of it all members are told."""
        self._restart = None
        # A platform that raises has failed like one that fails.
        starting = maybeDeferred(self._start_watcher, self._audience.requester)
        starting.addCallbacks(self._started, self._failed)

    def give_up(self) -> None:
        """Start no upstream any more."""
        if self._restart is not None:
            self._restart.cancel()

    def stop(self) -> Deferred[None]:
        """Leave the upstream."""
        if self._watcher is None:
            return succeed(None)
        epoch = self._sequencer.start.epoch
        self._services.left.keep(self._key, epoch, self._sequencer.recent)
        return self._watcher.stop()

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
        self._audience.tell_queued()

    def recovered(self, recovery: Recovery) -> None:
        """See `IEventSink`."""
        self._absence.recovered(recovery)

    def received(self, events: Sequence[Event]) -> None:
        """See `IEventSink`."""
        publications = self._sequencer.publications(events)
        if publications:
            self._membership.publish(publications)

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        self._services.metrics.interruptions.labels(self._key.platform).inc()
        self._absence.begins("upstream", self._time(since))
        self._membership.tell(Interrupted(reason))

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self._publish_missed(info)
        self._membership.tell(Live(info))

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self._membership.tell(Ended(error))

    def _start_watcher(self, requester: Requester) -> Deferred[LiveInfo]:
        self._watcher = self._platform.watch(self._located, self, requester)
        # What was learnt on the way is of that moment.
        self._located = Located(self._key)
        return self._watcher.start()

    def _started(self, info: LiveInfo) -> None:
        self._services.metrics.starts.labels(self._key.platform, "live").inc()
        self.resumed(info)

    def _failed(self, reason: Failure) -> None:
        self._watcher = None
        starts = self._services.metrics.starts
        if reason.check(CancelledError):
            # By us, because nobody waits any more.
            starts.labels(self._key.platform, "cancelled").inc()
            return
        error = coded(reason, self._key)
        starts.labels(self._key.platform, error.code).inc()
        if error.temporary and self._audience.is_greeted:
            # It has flowed on another node: it is sought until it is known to be over.
            self._restart = self._services.clock.callLater(RESTART_PAUSE, self.start)
        else:
            self._membership.tell(Failed(error))

    def _publish_missed(self, info: LiveInfo) -> None:
        """Publish what there is to say of the time in which the chat was not received."""
        last = self._sequencer.start
        missed = self._absence.over(
            self._key.platform,
            self._time(),
            last.room_id or info.live_id,
            f"{last.epoch}-{last.seq + 1}",
            self._sequencer.knows,
        )
        publications = self._sequencer.publications(missed.events, missed.counted)
        if publications:
            self._membership.publish(publications)

    def _time(self, seconds: float | None = None) -> str:
        when = self._services.now() if seconds is None else seconds
        return iso_time(round(when * 1000))
