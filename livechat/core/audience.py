# SPDX-License-Identifier: MIT
"""The subscribers of one watched chat on this node, and what each of them is told.

Whoever was not greeted yet waits.  Whoever asked for the past is given it first
(`livechat.core.replay`).  Everybody else is in the fan-out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from msgspec import UNSET, UnsetType
from twisted.internet.defer import Deferred

from livechat.core.ahead import Ahead
from livechat.core.fanout import Fanout
from livechat.core.filter_limit import FilterLimit
from livechat.core.holds import Holds
from livechat.core.options import Options
from livechat.core.ports import Requester, Start
from livechat.core.publication import Publication
from livechat.core.recall import Recall
from livechat.core.replay import Replay, Replays
from livechat.core.services import Services
from livechat.core.standing import BROKER, Standing, news, standing
from livechat.core.stats import ChannelStats, Snapshot
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, LiveInfo


class Audience:
    """The subscribers of one watched chat.

    :ivar last: the order, and the number of what was published last; no epoch before there is one.
    :ivar info: what is known of the stream.
    :ivar reason: why the upstream is lost; None: it is not.
    :ivar has_missed: whether those who are greeted have missed publications that nobody has any
        more, or are in another order than the channel, and were not told so yet.
    :param dismissed: called when the channel is gone, with each subscriber that it had, the reason
        and the id of the stream.
    """

    def __init__(
        self,
        key: ChannelKey,
        services: Services,
        stats: ChannelStats,
        dismissed: Callable[[Subscription, ChatError, str], None],
    ) -> None:
        self.last = Start("", 0)
        self.info = LiveInfo("")
        self.reason: str | None = None
        self.has_missed = False
        self._key = key
        self._stats = stats
        self._dismissed = dismissed
        self._filters = FilterLimit()
        self._recall = Recall(key, services.history, services.clock)
        self._fanout = Fanout(services.clock, services.coalesce, services.metrics)
        self._holds = Holds(
            services.clock,
            self._fanout,
            lambda: self.last.seq,
            lambda seconds: self._recall.recent(self.last.epoch, seconds),
        )
        # Who was greeted is in the fan-out; who was not waits here.
        self._waiting: dict[Subscription, None] = {}
        self._ahead = Ahead(
            services.clock, lambda: self.last, lambda: self.reason is None, self._greet_late
        )
        self._replays = Replays(
            key,
            services.history,
            self._recall,
            services.turns,
            services.clock,
            services.metrics,
            lambda: self.last,
            self._caught_up,
        )

    @property
    def empty(self) -> bool:
        """Whether nobody watches."""
        return not self._waiting and not self.is_greeted

    @property
    def is_greeted(self) -> bool:
        """Whether anybody here was told that the chat flows."""
        return len(self._fanout) > 0 or len(self._replays) > 0

    @property
    def subscriptions(self) -> list[Subscription]:
        """Everybody who watches or waits."""
        return [*self._fanout.subscriptions, *self._replays.subscriptions, *self._waiting]

    @property
    def requester(self) -> Requester:
        """In whose name turns in the platform's budgets are taken."""
        first = next(iter(self._waiting), None)
        return Requester() if first is None else first.subscriber.requester

    # Who comes, changes and goes.

    def admit(self, subscription: Subscription, options: Options) -> None:
        """Count somebody in who comes, or wants other options.

        :raises ChatError: `TOO_MANY_FILTERS`; nothing has changed.
        """
        self._filters.take(subscription, options.filter)

    def wait(self, subscription: Subscription) -> None:
        """Keep a subscriber until there is something to tell."""
        self._waiting[subscription] = None

    def greet_waiting(self) -> None:
        """Greet everybody who waits."""
        waiting, self._waiting = self._waiting, {}
        for subscription in waiting:
            self.greet(subscription)

    def greet(self, subscription: Subscription) -> None:
        """Tell a subscriber that it watches, where the chat stands, and what it is owed."""
        is_new = subscription not in self._fanout
        if is_new and subscription.options.wants_past:
            greet = self.wait if self._ahead.keeps(subscription) else self._replay
            greet(subscription)
            return
        subscription.present(self._stats.storage_type, standing(subscription, self._now, self.last))
        if is_new:
            self._deliver(subscription)

    def change(self, subscription: Subscription, identifier: str, options: Options) -> bool:
        """From now on by these options, without a gap.

        :return: whether the subscriber is in the fan-out, and so is to be answered now.
        """
        if subscription in self._waiting or self._replays.owes(subscription):
            subscription.overtake()
        if subscription in self._replays:
            self._change_replay(subscription, options)
        elif subscription in self._fanout:
            line, owed = self._holds.join(subscription, options.hold)
            self._fanout.change(subscription, options, line)
            self._fanout.give(subscription, owed)
        else:
            subscription.options = options
        subscription.identifier = identifier
        subscription.repeat(self._stats.storage_type)
        return subscription in self._fanout

    def remove(self, subscription: Subscription) -> None:
        """Deliver what was published so far and nothing more.  Unknown ones are ignored."""
        self._filters.leave(subscription)
        self._holds.leave(subscription)
        self._fanout.remove(subscription)
        self._replays.remove(subscription)
        self._ahead.remove(subscription)
        self._waiting.pop(subscription, None)

    def dismiss(self, error: ChatError) -> None:
        """The channel is gone: let everybody go, greeted or waiting.

        What is held for them is delivered: nobody can remove it any more.
        """
        everybody = self.subscriptions
        for subscription in self._replays.subscriptions:
            held = self._holds.held(self._holds.place(subscription, self.last.seq))
            self._replays.finish(subscription, held)
        self._holds.release(self.last.seq)
        self._fanout.close()
        for subscription in everybody:
            self.remove(subscription)
        # Only then: whoever is told may subscribe anew at once.
        for subscription in everybody:
            self._dismissed(subscription, error, self.info.live_id)

    # What they are given.

    def goes_on_after(self, start: Start, follows: bool) -> None:
        """What is published next comes after this, perhaps in another order.

        :param follows: whether another node publishes.
        """
        self._ahead.follows = follows
        self._goes_on_after(start)

    def missed(self, start: Start) -> None:
        """What was published up to there, and was not delivered, is nowhere any more."""
        self.has_missed = self.has_missed or self.is_greeted
        self.last = start
        for subscription in self._replays.subscriptions:
            # What it still lacks does not reach up to what comes now.
            self._replays.remove(subscription)
            self._deliver(subscription)
        self._ahead.look()

    def published(self, publications: Sequence[Publication], new: Sequence[Publication]) -> None:
        """Deliver what the channel published.

        :param new: what of it is to be delivered to those who have been given everything so far.
        """
        last = publications[-1]
        start = Start(last.epoch, last.seq)
        if self.is_greeted and last.epoch != self.last.epoch:
            # Another order: who is greeted is told where it stands before anything of it.
            self._goes_on_after(start)
            return
        if new and self.has_missed:
            new = self._after_missed(new)
        self.last = start
        self._replays.published(publications)
        if new:
            self._fanout.publish(new)
            self._holds.published(new)
        if self._ahead:
            self._ahead.look()

    def tell_waiting(self, tell: Callable[[Subscription], None]) -> None:
        """Tell those who are not greeted what is waited for."""
        for subscription in list(self._waiting):
            tell(subscription)

    def flows(self, info: LiveInfo) -> None:
        """Messages flow, or something has changed about the stream: tell everybody.

        Whoever has not caught up is told then.
        """
        before = self._now
        self.reason, self.info = None, info
        self._fanout.flush()
        recovered: bool | UnsetType = False if self.has_missed else UNSET
        self.has_missed = False
        for subscription in self._fanout.subscriptions:
            subscription.tell(news(subscription, before, self._now, self.last, recovered))

    def interrupted(self, reason: str) -> None:
        """The upstream is lost: tell everybody, after what was published so far."""
        self.reason = reason
        self._fanout.flush()
        for subscription in self._fanout.subscriptions:
            subscription.tell(standing(subscription, self._now, self.last))

    def spread(self, message: Callable[[ChannelKey], bytes]) -> None:
        """Give everybody who wants them statistics."""
        self._fanout.spread(message)

    def give_stats(self, subscription: Subscription) -> None:
        """The first statistics, for a subscriber that wants any."""
        if subscription.options.stats < inf:
            self._stats.snapshot().addCallback(self._first_stats, subscription)

    def ask_stats(self, subscription: Subscription) -> Deferred[Snapshot]:
        """The statistics for one subscriber, who has been given all that they count."""

        def answered(snapshot: Snapshot) -> Snapshot:
            self._fanout.catch_up(subscription)
            return snapshot

        return self._stats.snapshot().addCallback(answered)

    def flush(self) -> None:
        """Write what is pending."""
        self._fanout.flush()

    def close(self) -> None:
        """Write what is pending; nothing is published any more."""
        self._fanout.close()
        self._holds.close()
        self._replays.close()
        self._ahead.close()

    def _goes_on_after(self, start: Start) -> None:
        if self.is_greeted and start.epoch != self.last.epoch:
            # Numbers of the old order must not follow those of the new one.
            self._holds.release(start.seq)
            self.missed(start)
        self.last = start
        self._ahead.look()

    def _after_missed(self, new: Sequence[Publication]) -> Sequence[Publication]:
        """What of this is delivered after publications that those who are greeted have missed.

        They are told so first, or when the upstream flows that is lost, too.
        """
        if self.reason is not None:
            return ()
        self.last = Start(new[0].epoch, new[0].seq - 1)
        self.interrupted(BROKER)
        self.flows(self.info)
        return new

    def _greet_late(self, subscription: Subscription) -> None:
        """Somebody has waited until this node has what it has."""
        del self._waiting[subscription]
        self._replay(subscription)

    @property
    def _now(self) -> Standing:
        return self.reason, self.info

    def _replay(self, subscription: Subscription) -> None:
        """Give a subscriber what was published before it came; `started` comes first."""
        last, options = self.last, subscription.options
        past = self._recall.past(last, options)
        recovered = UNSET if options.since is None else past.complete
        subscription.present(
            self._stats.storage_type, subscription.started(self.info, last, recovered)
        )
        if past.held_after is not None:
            self._holds.reserve(subscription, past.held_after, options.hold)
        told = (None, self.info)
        self._replays.begin(subscription, past.kept, last.seq, told, past.held_after)

    def _change_replay(self, subscription: Subscription, options: Options) -> None:
        """Somebody who is given the past asks for something else."""
        after = self._holds.place(subscription, self._replays.until(subscription))
        if options.hold:
            self._holds.reserve(subscription, after, options.hold)
            self._replays.change(subscription, options, held_after=after)
        else:
            held = self._holds.held(after) if subscription.options.hold else ()
            self._holds.leave(subscription)
            self._replays.change(subscription, options, held)

    def _caught_up(self, replay: Replay) -> None:
        """A subscriber has been given everything; it is told what has changed meanwhile."""
        subscription = replay.subscription
        if replay.told is None:
            subscription.present(
                self._stats.storage_type, standing(subscription, self._now, self.last)
            )
        elif replay.told != self._now:
            subscription.tell(news(subscription, replay.told, self._now, self.last))
        self._deliver(subscription)

    def _deliver(self, subscription: Subscription) -> None:
        """Deliver from now on, then give the statistics."""
        line, owed = self._holds.join(subscription, subscription.options.hold)
        self._fanout.add(subscription, line)
        self._fanout.give(subscription, owed)
        self.give_stats(subscription)

    def _first_stats(self, snapshot: Snapshot, subscription: Subscription) -> None:
        # Meanwhile it may have left, or wants none any more.
        if subscription in self._fanout and subscription.options.stats < inf:
            subscription.subscriber.send(snapshot.message(subscription.key))
