# SPDX-License-Identifier: MIT
"""The channels that are waited for on this node: who waits, and when each is looked at.

All who wait for one channel share its looks.  How often one channel is looked at is in `look_pace`;
in which order the channels of a platform have their turns, within what the platform bears, in
`look_queue`; the states of one channel that is waited for in `waiting_states`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred
from twisted.python.failure import Failure

from livechat.core.failures import coded
from livechat.core.look_pace import HINT_LASTS, LookPace, Next
from livechat.core.look_queue import LookQueue
from livechat.core.overview import ChannelView
from livechat.core.ports import IPlatform, Located
from livechat.core.services import Services
from livechat.core.subscription import Subscription, Told
from livechat.core.waiting_states import TRANSITIONS, Input, State
from livechat.model import error_catalogue
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, iso_time

#: Seconds after which a look is given up, so that the others have their turns.
LOOK_TIMEOUT: Final = 60.0

#: Errors that say something about the channel; the others say something about the moment.
_OF_THE_CHANNEL: Final = frozenset(
    {ErrorCode.STREAM_NOT_LIVE, ErrorCode.STREAM_ENDED, ErrorCode.STREAM_NOT_FOUND}
)

#: Details of errors by which a platform says that it is asked too often.
_REFUSALS: Final = frozenset(
    {error_catalogue.RATE_LIMITED.details, error_catalogue.BLOCKED.details}
)


def may_come(error: ChatError, key: ChannelKey) -> bool:
    """Whether what could not be started may be live some time: a video has one stream only."""
    if error.code is ErrorCode.STREAM_ENDED:
        return key.identifier_type != "liveId"
    return error.code is ErrorCode.STREAM_NOT_LIVE


class Waiting:
    """Everything that is waited for.

    :param found: called with the chat that was found, the key that means it, and who waited.
    """

    def __init__(
        self,
        services: Services,
        pace: LookPace,
        found: Callable[[IPlatform, Located, ChannelKey, list[Subscription]], None],
    ) -> None:
        self._services = services
        self._pace = pace
        self._found = found
        self._quests: dict[ChannelKey, Quest] = {}
        self._queues: dict[str, LookQueue[Quest]] = {}

    def __len__(self) -> int:
        return len(self._quests)

    def add(
        self, platform: IPlatform, subscription: Subscription, reason: ChatError, live_id: str
    ) -> None:
        """Let somebody wait, and tell it so.

        :param reason: why its channel is not live, or why its stream is over.
        :param live_id: of the stream that it watched; empty where it watched none.
        """
        key = subscription.target
        quest = self._quests.get(key)
        if quest is None:
            pace, now = self._pace, self._services.now()
            first = pace.after_end() if live_id else pace.after(reason, now)
            quest = Quest(key, platform, reason, self)
            self._quests[key] = quest
            quest.plan(first)
            self._services.log.say(key, f"waiting: {reason}")
        quest.join(subscription, reason, live_id)

    def __contains__(self, key: object) -> bool:
        return key in self._quests

    def join(self, subscription: Subscription) -> None:
        """Let somebody wait where others wait already."""
        quest = self._quests[subscription.target]
        quest.join(subscription, quest.reason)

    def remove(self, subscription: Subscription) -> ChatError | None:
        """Somebody does not wait any more.

        :return: why its channel is not live; None: it did not wait here.
        """
        quest = self._quests.get(subscription.target)
        return None if quest is None else quest.leave(subscription)

    def take(self, key: ChannelKey) -> list[Subscription]:
        """Those who wait for a channel that somebody else has found; they wait no more."""
        quest = self._quests.get(key)
        return [] if quest is None else quest.taken()

    def views(self) -> list[ChannelView]:
        """What operators see of it."""
        return [quest.view() for quest in self._quests.values()]

    def stop(self) -> None:
        """Look at nothing any more; nobody is told."""
        for quest in list(self._quests.values()):
            quest.taken()

    # What quests need.

    def queue(self, platform: IPlatform) -> LookQueue[Quest]:
        """The turns of a platform."""
        queue = self._queues.get(platform.name)
        if queue is None:
            clock, every = self._services.clock, self._pace.poll
            queue = LookQueue(clock, platform.looks, Quest.turn, every)
            self._queues[platform.name] = queue
        return queue

    @property
    def services(self) -> Services:
        """What all channels share."""
        return self._services

    @property
    def pace(self) -> LookPace:
        """How soon a channel is looked at again."""
        return self._pace

    def forget(self, quest: Quest) -> None:
        """Nobody waits for this any more."""
        del self._quests[quest.key]

    def found(self, quest: Quest, located: Located, subscriptions: list[Subscription]) -> None:
        """It was found."""
        self._found(quest.platform, located, quest.key, subscriptions)


class Quest:
    """One channel that is waited for.

    :ivar reason: why it is not live, as those who wait were told last.
    """

    def __init__(
        self, key: ChannelKey, platform: IPlatform, reason: ChatError, waiting: Waiting
    ) -> None:
        self.key = key
        self.platform = platform
        self.reason = reason
        self._waiting = waiting
        self._services = waiting.services
        self._queue = waiting.queue(platform)
        self._state = State.PLANNED
        self._subscriptions: dict[Subscription, None] = {}
        # Until when it was not live, in seconds since 1970.
        self._absent_until = self._services.now()
        self._since = iso_time(round(self._absent_until * 1000))
        self._looking: Deferred[Located] | None = None
        # When the last look began, on the clock.
        self._looked = 0.0
        # When the platform told last that a stream has begun, and whether that is to be seen yet.
        self._hinted = -inf
        self._is_due = False
        self._unlisten = platform.listen(key, lambda: self._on(Input.BEGUN))

    def view(self) -> ChannelView:
        """What operators see of it."""
        return ChannelView(
            platform=self.key.platform,
            identifier=self.key.identifier,
            state="absent",
            since=self._since,
            subscribers=len(self._subscriptions),
            trouble=self.reason.details,
        )

    def plan(self, following: Next, after: float | None = None) -> None:
        """Plan the next look.

        :param after: from when on its times count; None: from now on.
        """
        since = self._services.clock.seconds() if after is None else after
        self._queue.plan(self, since + following.wait, since + following.urgent)

    def join(self, subscription: Subscription, reason: ChatError, live_id: str = "") -> None:
        """Somebody waits, too."""
        self._subscriptions[subscription] = None
        known = subscription.reason if subscription.told is Told.WAITING else None
        if known is None or _is_news(reason, known):
            subscription.absent(self._storage_type, reason, live_id)

    def leave(self, subscription: Subscription) -> ChatError | None:
        """Somebody does not wait any more; see `Waiting.remove`."""
        if subscription not in self._subscriptions:
            return None
        del self._subscriptions[subscription]
        if not self._subscriptions:
            self._on(Input.LEFT)
        return self.reason

    def taken(self) -> list[Subscription]:
        """Somebody else has found it; see `Waiting.take`."""
        subscriptions = list(self._subscriptions)
        self._on(Input.TAKEN)
        return subscriptions

    def turn(self) -> None:
        """It is this channel's turn to be looked at."""
        self._on(Input.TURN)

    # What the table does.

    def _on(self, what: Input, argument: Any = None) -> None:
        self._state, action = TRANSITIONS[self._state, what]
        act: Callable[[Any], None] = getattr(self, action)
        act(argument)

    def _ignore(self, _: object) -> None:
        """Nothing is to be done."""

    def _look(self, _: object) -> None:
        first = next(iter(self._subscriptions))
        self._looked = self._services.clock.seconds()
        looking = maybeDeferred(
            self.platform.look, self.key, first.subscriber.requester, self._absent_until
        )
        self._looking = looking
        looking.addTimeout(LOOK_TIMEOUT, self._services.clock)
        looking.addCallbacks(lambda located: self._on(Input.FOUND, located), self._not_found)
        # A look that fails by a mistake of ours must not take the turn with it.
        looking.addErrback(self._failed)
        looking.addCallback(lambda _: self._queue.finished())

    def _hurry(self, _: object) -> None:
        if self._is_first_hint():
            self.plan(self._waiting.pace.at_once())

    def _hurry_then(self, _: object) -> None:
        # What the look sees may be from before.
        self._is_due |= self._is_first_hint()

    def _is_first_hint(self) -> bool:
        """Whether there was no hint for a while, so that looks do not come sooner already."""
        now = self._services.now()
        is_first = now - self._hinted >= HINT_LASTS
        if is_first:
            self._hinted = now
        return is_first

    def _not_found(self, reason: Failure) -> None:
        if reason.check(TimeoutError):
            self._on(Input.ABSENT, error_catalogue.UPSTREAM.error())
        else:
            self._on(Input.ABSENT, coded(reason, self.key))

    def _failed(self, reason: Failure) -> None:
        self._services.log.failed(self.key, coded(reason, self.key))

    def _go_on(self, error: ChatError) -> None:
        self._looking = None
        self._count(error.code)
        now = self._services.now()
        if error.code in _OF_THE_CHANNEL:
            self._absent_until = now
            known, self.reason = self.reason, error
            self._plan_after(error, self._looked)
            if _is_news(error, known):
                for subscription in list(self._subscriptions):
                    subscription.absent(self._storage_type, error)
        else:
            if error.details in _REFUSALS:
                self._queue.refused(self._looked)
            self._plan_after(self.reason, self._services.clock.seconds())

    def _plan_after(self, reason: ChatError, since: float) -> None:
        """Plan the next look.

        :param since: from when on its pause counts, on the clock.
        """
        pace, is_due = self._waiting.pace, self._is_due
        self._is_due = False
        if is_due:
            self.plan(pace.at_once())
        else:
            now = self._services.now() - (self._services.clock.seconds() - since)
            was_last = reason.code is ErrorCode.STREAM_ENDED and not may_come(reason, self.key)
            self.plan(pace.after(reason, now, self._hinted, was_last=was_last), since)

    def _hand_over(self, located: Located) -> None:
        self._count("live")
        self._leave()
        self._waiting.found(self, located, list(self._subscriptions))

    def _forget(self, _: object) -> None:
        self._queue.remove(self)
        self._leave()

    def _give_up(self, _: object) -> None:
        self._leave()
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()

    def _leave(self) -> None:
        self._unlisten()
        self._waiting.forget(self)

    def _count(self, outcome: str) -> None:
        self._services.metrics.looks.labels(self.key.platform, outcome).inc()

    @property
    def _storage_type(self) -> str:
        return self._services.store.storage_of(self.key)


def _is_news(reason: ChatError, known: ChatError) -> bool:
    """Whether those who wait are to be told a reason, after another one."""
    return reason.code in _OF_THE_CHANNEL and (
        (reason.code, reason.details, reason.scheduled_start)
        != (known.code, known.details, known.scheduled_start)
    )
