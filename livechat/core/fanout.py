# SPDX-License-Identifier: MIT
"""Delivering what a channel publishes to its subscribers.

Subscribers stand in groups of those who receive the same bytes: same encoding, same identifier,
same filter.  Each publication is encoded once for all groups of a kind, each filter judges it once,
and what is pending for a group is joined and written in one call.

When a group is written to follows from one rule.  A group that has been quiet is written to at
once.  After a write, the next one to the same group comes no sooner than `coalesce` seconds later,
joined with everything that came meanwhile; unless so much is pending that joining gains nothing.

A turn of the event loop writes for a few milliseconds and leaves the remaining groups to the next
one, so a large channel does not stop the others.  Statistics go their own way
(`livechat.core.spread`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.clients import ISubscriber
from livechat.core.filters import ChatFilter
from livechat.core.group import AT_ONCE, Form, Group
from livechat.core.options import Options
from livechat.core.publication import Publication
from livechat.core.spread import Spread
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey

#: Most subscribers that are written to in one call.
GROUP_SIZE: Final = 512

#: Seconds of writing after which a turn of the loop leaves the other groups to the next turn.
TURN: Final = 0.005

#: Default of the shortest time, in seconds, from one write to a group to the next.
COALESCE: Final = 0.01

#: Bytes pending for each subscriber of a group beyond which nothing is gained by joining more: they
#: are written at once, so that a flood does not reach slow readers in ever larger pieces.
ENOUGH: Final = 128 << 10

#: Times that are added up differ from their sum by less than this, in seconds.
_SLACK: Final = 1e-6


class _Batch(Struct):
    """What is published at once, as far as a filter lets it through.

    :ivar kinds: bits of the kinds that are in it.
    :ivar size: bytes, about.
    """

    publications: Sequence[Publication]
    kinds: int
    size: int

    @classmethod
    def of(cls, publications: Sequence[Publication]) -> _Batch:
        """These publications."""
        kinds = size = 0
        for publication in publications:
            kinds |= publication.bit
            size += len(publication.payload)
        return cls(publications, kinds, size)


class Fanout:
    """The greeted subscribers of one channel.

    :param coalesce: shortest time from one write to a group to the next, in seconds; 0: never wait.
    :param metrics: count what is delivered, and observe how long after it was received.
    """

    def __init__(self, clock: IReactorTime, coalesce: float, metrics: Metrics) -> None:
        self._clock = clock
        self._coalesce = coalesce
        self._metrics = metrics
        # The groups of each line.
        self._groups: dict[float, dict[Form, list[Group]]] = {}
        self._group_of: dict[Subscription, Group] = {}
        # Groups with something pending, in the order in which it came.
        self._due: dict[Group, None] = {}
        self._call: IDelayedCall | None = None
        self._spread = Spread(clock, metrics)

    def __len__(self) -> int:
        return len(self._group_of)

    def __contains__(self, subscription: object) -> bool:
        return subscription in self._group_of

    @property
    def subscriptions(self) -> list[Subscription]:
        """Everybody who is delivered to."""
        return list(self._group_of)

    def add(self, subscription: Subscription, line: float = AT_ONCE) -> None:
        """Deliver to this one from now on: nothing that was published before.

        :param line: whether it holds chats, and for how long.
        """
        self._join(subscription, line)
        self._spread.add(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Deliver what was published so far, and nothing more.  Unknown ones are ignored."""
        self._deliver_to(subscription)
        self._spread.remove(subscription)
        self._leave(subscription)

    def change(self, subscription: Subscription, options: Options, line: float = AT_ONCE) -> None:
        """What was published so far is for the old options, what comes now for the new ones."""
        self._deliver_to(subscription)
        repaced = options.stats != subscription.options.stats
        subscription.options = options
        group = self._group_of.get(subscription)
        if group is None:
            return
        if group.form == _form(subscription, line):
            group.changed()
        else:
            self._leave(subscription)
            self._join(subscription, line)
        if repaced:
            self._spread.remove(subscription)
            self._spread.add(subscription)

    def move(self, subscription: Subscription, line: float) -> None:
        """Put this one on another line; what was published so far it is given as before."""
        if subscription in self._group_of:
            self._deliver_to(subscription)
            self._leave(subscription)
            self._join(subscription, line)

    def give(self, subscription: Subscription, publications: Sequence[Publication]) -> None:
        """Deliver to this one alone, now, what it takes of these."""
        if not publications:
            return
        group, options = self._group_of[subscription], subscription.options
        if options.filter is not None:
            publications = [one for one in publications if one.passes(options.filter)]
        self._write_to([subscription.subscriber], group, publications, options.kinds)

    def publish(self, publications: Sequence[Publication], line: float = AT_ONCE) -> None:
        """Deliver publications to those on a line, now or as soon as the rule allows."""
        now = self._clock.seconds()
        batches: dict[ChatFilter | None, _Batch] = {None: _Batch.of(publications)}
        for form, groups in self._groups.get(line, {}).items():
            batch = batches.get(form.filter)
            if batch is None:
                assert form.filter is not None
                passed = [one for one in publications if one.passes(form.filter)]
                batch = batches[form.filter] = _Batch.of(passed)
            for group in groups:
                if group.kinds & batch.kinds:
                    if not group.pending:
                        group.since = now
                    group.pending.extend(batch.publications)
                    group.size += batch.size
                    self._due[group] = None
        self._write_ready()

    def spread(self, message: Callable[[ChannelKey], bytes]) -> None:
        """Deliver statistics to all, to each as often as it wants (`livechat.core.spread`).

        :param message: makes the JSON message for those who subscribed by one identifier.
        """
        self._spread.push(message, self._group_of)

    def catch_up(self, subscription: Subscription) -> None:
        """Deliver what was published so far to one; what is being spread is old news to it."""
        self._deliver_to(subscription)
        self._spread.skip(subscription)

    def flush(self) -> None:
        """Write everything that is pending, now."""
        while due := [group for group in self._due if not group.writing]:
            for group in due:
                self._write(group)

    def close(self) -> None:
        """Write everything, now, and leave nothing on the clock."""
        self.flush()
        self._spread.close()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _deliver_to(self, subscription: Subscription) -> None:
        """Deliver what was published so far to one."""
        group = self._group_of.get(subscription)
        if group is None:
            return
        first = group.given.get(subscription, 0)
        if len(group.pending) > first:
            pending = group.pending[first:]
            group.given[subscription] = len(group.pending)
            self._write_to([subscription.subscriber], group, pending, subscription.options.kinds)

    def _join(self, subscription: Subscription, line: float) -> None:
        """Put this one into a group; what is pending there is not for it."""
        group = self._group_for(_form(subscription, line))
        group.joined(subscription)
        if group.pending:
            group.given[subscription] = len(group.pending)
        self._group_of[subscription] = group

    def _leave(self, subscription: Subscription) -> None:
        """Take this one out of its group, if it is in one."""
        group = self._group_of.pop(subscription, None)
        if group is None:
            return
        del group.members[subscription]
        group.given.pop(subscription, None)
        group.changed()
        if not group.members:
            self._due.pop(group, None)
            of_line = self._groups[group.form.line]
            of_line[group.form].remove(group)
            if not of_line[group.form]:
                del of_line[group.form]
            if not of_line:
                del self._groups[group.form.line]

    def _group_for(self, form: Form) -> Group:
        groups = self._groups.setdefault(form.line, {}).setdefault(form, [])
        for group in reversed(groups):
            if len(group.members) < GROUP_SIZE:
                return group
        groups.append(Group(form))
        return groups[-1]

    def _write_ready(self) -> None:
        """Write to the groups whose time has come, as far as one turn allows."""
        began = now = self._clock.seconds()
        for group in list(self._due):
            if self._wait(group, now) > _SLACK:
                continue
            self._write(group)
            now = self._clock.seconds()
            if now - began >= TURN:
                break
        if self._due and self._call is None:
            wait = min(self._wait(group, now) for group in self._due)
            self._call = self._clock.callLater(max(0.0, wait), self._called)

    def _called(self) -> None:
        self._call = None
        self._write_ready()

    def _wait(self, group: Group, now: float) -> float:
        """Seconds until a group may be written to."""
        if group.size >= ENOUGH:
            return 0.0
        # A clock that was set back must not make it longer than the rule says.
        group.ready = min(group.ready, now + self._coalesce)
        return group.ready - now

    def _write(self, group: Group) -> None:
        if group.writing or self._due.pop(group, self) is self:
            return
        group.writing = True
        since = group.since
        try:
            self._write_pending(group)
        finally:
            group.writing = False
            now = self._clock.seconds()
            group.ready = now + self._coalesce
            # Of the oldest that was written.
            self._metrics.write_latency.observe(max(0.0, now - since))

    def _write_pending(self, group: Group) -> None:
        pending, group.pending = group.pending, []
        group.size = 0
        given, group.given = group.given, {}
        kinds = 0
        for publication in pending:
            kinds |= publication.bit
        for taken, members, subscribers in group.takers(kinds):
            if given:
                self._write_late(group, pending, given, taken, members)
                subscribers = [one.subscriber for one in members if one not in given]  # noqa: PLW2901
            data, count = group.data(pending, taken)
            self._metrics.delivered(count * len(subscribers), len(data) * len(subscribers))
            group.encoding.write(subscribers, data)

    def _write_late(
        self,
        group: Group,
        pending: list[Publication],
        given: dict[Subscription, int],
        taken: int,
        members: list[Subscription],
    ) -> None:
        """Write to those who joined, or were given a part, since the last write."""
        by_first: dict[int, list[ISubscriber]] = {}
        for member in members:
            first = given.get(member)
            if first is not None:
                by_first.setdefault(first, []).append(member.subscriber)
        for first, subscribers in by_first.items():
            self._write_to(subscribers, group, pending[first:], taken)

    def _write_to(
        self,
        subscribers: list[ISubscriber],
        group: Group,
        publications: Sequence[Publication],
        kinds: int,
    ) -> None:
        """Write to members of a group what they take of some publications, if anything."""
        data, count = group.data(publications, kinds)
        if count:
            self._metrics.delivered(count * len(subscribers), len(data) * len(subscribers))
            group.encoding.write(subscribers, data)


def _form(subscription: Subscription, line: float) -> Form:
    encoding, options = subscription.subscriber.encoding, subscription.options
    return Form(encoding, subscription.key, options.filter, line)
