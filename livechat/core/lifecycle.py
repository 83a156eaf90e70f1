# SPDX-License-Identifier: MIT
"""The states of one watched chat, what moves it from one to the next, and who is told what then.

    Joining ---lead---> Starting --live--> Live --interrupted--> Interrupted
       |                 ^   |               ^---- resumed ---------'
       '-follow-> Following  '-failed-> Gone
                    (lead)
    Live, Interrupted --ended--> Gone          any --release--> Gone

Entering Gone stops the upstream and then leaves the broker.  Messages do not pass through here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder
from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from livechat.core.fanout import Fanout, Interest
from livechat.core.ports import ISubscriber
from livechat.core.stats import ChannelStats
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo
from livechat.protocol.messages import ServerMessage, Status, encode, failure, frame, started

_log = Logger()


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


class Upstream(Protocol):
    """What the machine asks of the channel that it belongs to."""

    def start_watching(self) -> Deferred[LiveInfo]:
        """Start the upstream."""

    def depart(self) -> None:
        """Leave the upstream, then the broker; called once."""


class Inputs(Protocol):
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


class Life:
    """What the machine works on: the parts of one channel, and who is to be told what.

    `waiting` are subscriptions that were told nothing yet; `told` those that were greeted.
    """

    def __init__(
        self, key: ChannelKey, upstream: Upstream, fanout: Fanout, stats: ChannelStats
    ) -> None:
        self.key = key
        self.upstream = upstream
        self.fanout = fanout
        self.stats = stats
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
            storage_type=self.stats.storage_type,
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

    def tell_queued(self) -> None:
        """Tell everybody who waits that the start waits for its turn."""
        for subscription in list(self.waiting.values()):
            subscription.send(
                Status(
                    "waiting",
                    identifier=subscription.identifier,
                    platform=self.key.platform,
                    channel=self.key.identifier,
                    details="QUEUED",
                )
            )

    def greet(self, subscription: Subscription, standing: Status) -> None:
        """Say where the channel stands, deliver from now on, then give the statistics."""
        subscription.send(self.subscribed(subscription))
        subscription.send(standing)
        self.told[subscription.subscriber] = subscription
        self.fanout.add(subscription.subscriber, subscription.interest)
        self.stats.snapshot().addCallback(self._first_stats, subscription)

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


def _wait(inputs: Inputs, life: Life, subscription: Subscription) -> None:
    life.waiting[subscription.subscriber] = subscription


def _start(inputs: Inputs, life: Life) -> None:
    # A platform that raises has failed like one that fails.
    maybeDeferred(life.upstream.start_watching).addCallbacks(
        inputs.live, lambda reason: inputs.failed(_coded(reason))
    )


def _go_live(inputs: Inputs, life: Life, info: LiveInfo) -> None:
    life.info = info
    waiting = list(life.waiting.values())
    life.waiting.clear()
    for subscription in waiting:
        life.greet(subscription, life.started(subscription))


def _greet_live(inputs: Inputs, life: Life, subscription: Subscription) -> None:
    life.greet(subscription, life.started(subscription))


def _greet_interrupted(inputs: Inputs, life: Life, subscription: Subscription) -> None:
    life.greet(subscription, life.reconnecting(subscription))


def _repeat_live(inputs: Inputs, life: Life, subscription: Subscription) -> None:
    subscription.send(life.subscribed(subscription))
    subscription.send(life.started(subscription))


def _repeat_interrupted(inputs: Inputs, life: Life, subscription: Subscription) -> None:
    subscription.send(life.subscribed(subscription))
    subscription.send(life.reconnecting(subscription))


def _interrupt(inputs: Inputs, life: Life, reason: str) -> None:
    life.reason = reason
    life.tell_all(life.reconnecting)


def _resume(inputs: Inputs, life: Life, info: LiveInfo) -> None:
    life.info = info
    life.tell_all(life.started)


def _learn(inputs: Inputs, life: Life, info: LiveInfo) -> None:
    life.info = info


def _explain(inputs: Inputs, life: Life, reason: str) -> None:
    life.reason = reason


def _fail(inputs: Inputs, life: Life, error: ChatError) -> None:
    life.upstream.depart()
    life.fail_all(error)


def _depart(inputs: Inputs, life: Life) -> None:
    life.upstream.depart()


def _build_machine() -> Callable[[Life], Inputs]:
    builder = TypeMachineBuilder(Inputs, Life)
    joining = builder.state("Joining")
    following = builder.state("Following")
    starting = builder.state("Starting")
    live = builder.state("Live")
    interrupted = builder.state("Interrupted")
    gone = builder.state("Gone")

    # From top to bottom: who joins, what the broker says, what the watcher says, the end.
    for early in (joining, following, starting):
        early.upon(Inputs.subscribe).to(early)(_wait)
        # Whoever waits has been told nothing yet and will be, once.
        early.upon(Inputs.resubscribe).to(early).returns(None)
        early.upon(Inputs.interrupted).to(early).returns(None)
        early.upon(Inputs.resumed).to(early).returns(None)
    live.upon(Inputs.subscribe).to(live)(_greet_live)
    live.upon(Inputs.resubscribe).to(live)(_repeat_live)
    interrupted.upon(Inputs.subscribe).to(interrupted)(_greet_interrupted)
    interrupted.upon(Inputs.resubscribe).to(interrupted)(_repeat_interrupted)

    for aspiring in (joining, following):
        aspiring.upon(Inputs.lead).to(starting)(_start)
        aspiring.upon(Inputs.follow).to(following).returns(None)
        aspiring.upon(Inputs.ended).to(gone)(_fail)

    starting.upon(Inputs.live).to(live)(_go_live)
    starting.upon(Inputs.failed).to(gone)(_fail)
    starting.upon(Inputs.ended).to(gone)(_fail)
    live.upon(Inputs.interrupted).to(interrupted)(_interrupt)
    live.upon(Inputs.resumed).to(live)(_learn)
    live.upon(Inputs.ended).to(gone)(_fail)
    interrupted.upon(Inputs.interrupted).to(interrupted)(_explain)
    interrupted.upon(Inputs.resumed).to(live)(_resume)
    interrupted.upon(Inputs.ended).to(gone)(_fail)

    for any_state in (joining, following, starting, live, interrupted):
        any_state.upon(Inputs.release).to(gone)(_depart)
    # What is still on its way when the channel is gone.
    for late in (Inputs.lead, Inputs.follow, Inputs.release):
        gone.upon(late).to(gone).returns(None)
    for late_info in (Inputs.live, Inputs.resumed):
        gone.upon(late_info).to(gone).returns(None)
    for late_error in (Inputs.failed, Inputs.ended):
        gone.upon(late_error).to(gone).returns(None)
    gone.upon(Inputs.interrupted).to(gone).returns(None)
    gone.upon(Inputs.resubscribe).to(gone).returns(None)
    return builder.build()


#: Makes the inputs of a life that has just begun to join.
machine = _build_machine()


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
