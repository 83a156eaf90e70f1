# SPDX-License-Identifier: MIT
"""From what a watcher reports to what all members of its channel are given: now, later or never.

While a node leads, what its watcher reports is numbered, counted, published and told.  While a
channel is being handed over, or it is being asked who leads, it is held: events that are held have
no numbers yet and are not counted, so they can be dropped where another node publishes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from livechat.core.absence import Absence
from livechat.core.ports import ChannelState, IMembership, Interrupted, Live
from livechat.core.publication import Publication
from livechat.core.sequencer import Sequencer
from livechat.core.services import Services
from livechat.core.stats import ChannelStats
from livechat.model.events import ChannelKey, Event, LiveInfo, iso_time

#: Most events that are held.
MAX_HELD: Final = 2000


class Gate(Enum):
    """What becomes of that which the watcher reports."""

    #: It is published, as long as it is certain that this node leads.
    CHECKED = "checked"
    #: It is published.
    OPEN = "open"
    #: It is held.
    HELD = "held"
    #: It is dropped.
    CLOSED = "closed"


class Outlet:
    """Where the reports of one channel's watcher go.

    :ivar gate: what becomes of them.
    :ivar info: what is known of the stream.
    :ivar is_full: whether more is held than may be.
    """

    def __init__(
        self, key: ChannelKey, services: Services, stats: ChannelStats, membership: IMembership
    ) -> None:
        self.gate = Gate.CLOSED
        self.info = LiveInfo("")
        self.sequencer = Sequencer(key, stats, services.metrics)
        self.absence = Absence()
        self._key = key
        self._now = services.now
        self._membership = membership
        # What is to be done when publishing goes on, in order.
        self._held: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._held_events = 0

    @property
    def is_full(self) -> bool:
        """See above."""
        return self._held_events > MAX_HELD

    def new_of(self, publications: Sequence[Publication]) -> Sequence[Publication]:
        """What of this the subscribers of this node have not been given.

        What another node has published is recognised later, should the platform repeat it here.
        What this node has given its own subscribers, while it could not know that another one led,
        they are not given again.
        """
        last = publications[-1]
        start = self.sequencer.start
        if last.epoch == start.epoch and last.seq <= start.seq:
            return publications
        self.sequencer.goes_on_after(publications)
        return [one for one in publications if not self.sequencer.recent.seen(one.item)]

    def publish(self, events: Sequence[Event]) -> None:
        """Publish what is new, or hold it."""
        if self.gate is Gate.HELD:
            self._held_events += len(events)
            self._held.append((self.publish, (events,)))
        elif self.gate is not Gate.CLOSED:
            publications = self.sequencer.publications(events)
            if publications:
                self._membership.publish(publications)

    def lost(self, reason: str, since: float | None) -> None:
        """The upstream was lost.

        :param since: when it was received last, in seconds since 1970; None: until now.
        """
        self._do(self._tell_interrupted, reason, self._time(since))

    def flows(self) -> None:
        """Messages flow, and are published after what there is to say of the time before."""
        self._do(self.say_live)

    def tell(self, state: ChannelState) -> None:
        """Tell a state."""
        self._do(self._membership.tell, state)

    def release(self, gate: Gate) -> None:
        """Do what was held, and hold nothing more."""
        self.gate = gate
        held, self._held = self._held, []
        self._held_events = 0
        for do, arguments in held:
            # One of them may be the end.
            self._do(do, *arguments)

    def close(self) -> None:
        """Drop what was held, and what comes."""
        self.gate = Gate.CLOSED
        self._held.clear()
        self._held_events = 0
        self.absence = Absence()

    def _do(self, do: Callable[..., None], *arguments: Any) -> None:
        if self.gate is Gate.HELD:
            self._held.append((do, arguments))
        elif self.gate is not Gate.CLOSED:
            do(*arguments)

    def _tell_interrupted(self, reason: str, since: str) -> None:
        self.absence.begins("upstream", since)
        self._membership.tell(Interrupted(reason))

    def say_live(self) -> None:
        """Publish what there is to say of the time before, and that messages flow: now."""
        last = self.sequencer.start
        missed = self.absence.over(
            self._key.platform,
            self._time(),
            last.room_id or self.info.live_id,
            f"{last.epoch}-{last.seq + 1}",
            self.sequencer.knows,
        )
        publications = self.sequencer.publications(missed.events, missed.counted)
        if publications:
            self._membership.publish(publications)
        self._membership.tell(Live(self.info))

    def _time(self, seconds: float | None = None) -> str:
        when = self._now() if seconds is None else seconds
        return iso_time(round(when * 1000))
