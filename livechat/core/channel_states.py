# SPDX-License-Identifier: MIT
"""The states of one watched chat as a transition table.

    Waiting ----live----> Live ----interrupted----> Interrupted
                            ^---------live--------------'
    any state ---- failed, ended, release ----> Gone

In Waiting nobody was told anything yet.  Each row of the table says: in this state, upon this
input, go to that state and do this.  Messages do not pass through the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder

from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError
from livechat.model.events import LiveInfo


class Inputs(Protocol):
    """What moves a channel from one state to another."""

    def subscribe(self, subscription: Subscription) -> None:
        """Somebody wants to watch."""

    def subscribe_again(self, subscription: Subscription) -> None:
        """Somebody who watches asked again."""

    def live(self, info: LiveInfo) -> None:
        """The leader: messages flow."""

    def interrupted(self, reason: str) -> None:
        """The leader: the upstream was lost and is being sought again."""

    def failed(self, error: ChatError) -> None:
        """The leader: the chat could not be started."""

    def ended(self, error: ChatError) -> None:
        """The leader: the stream has ended."""

    def release(self) -> None:
        """Nobody watches any more."""


class Actions(Protocol):
    """What a channel does on its way from one state to another."""

    def wait(self, subscription: Subscription) -> None:
        """Keep a subscriber until there is something to tell."""

    def go_live(self, info: LiveInfo) -> None:
        """Greet everybody who waits."""

    def update(self, info: LiveInfo) -> None:
        """Say what has changed about the stream, if anything has."""

    def interrupt(self, reason: str) -> None:
        """Say that the upstream was lost."""

    def explain(self, reason: str) -> None:
        """Remember why the upstream is still lost."""

    def resume(self, info: LiveInfo) -> None:
        """Say that messages flow again."""

    def greet(self, subscription: Subscription) -> None:
        """Greet a subscriber of a chat that has begun to flow, and say where it stands."""

    def fail(self, error: ChatError) -> None:
        """Let a channel go that could not be started, and tell everybody why."""

    def end(self, error: ChatError) -> None:
        """Let a channel go whose stream has ended, and tell everybody."""

    def stop(self) -> None:
        """Let the channel go."""


def _wait(inputs: Inputs, channel: Actions, subscription: Subscription) -> None:
    channel.wait(subscription)


def _go_live(inputs: Inputs, channel: Actions, info: LiveInfo) -> None:
    channel.go_live(info)


def _update(inputs: Inputs, channel: Actions, info: LiveInfo) -> None:
    channel.update(info)


def _interrupt(inputs: Inputs, channel: Actions, reason: str) -> None:
    channel.interrupt(reason)


def _explain(inputs: Inputs, channel: Actions, reason: str) -> None:
    channel.explain(reason)


def _resume(inputs: Inputs, channel: Actions, info: LiveInfo) -> None:
    channel.resume(info)


def _greet(inputs: Inputs, channel: Actions, subscription: Subscription) -> None:
    channel.greet(subscription)


def _fail(inputs: Inputs, channel: Actions, error: ChatError) -> None:
    channel.fail(error)


def _end(inputs: Inputs, channel: Actions, error: ChatError) -> None:
    channel.end(error)


def _stop(inputs: Inputs, channel: Actions) -> None:
    channel.stop()


def _build_machine() -> Callable[[Actions], Inputs]:
    # The channel itself is handed in; the table needs to know only what it does.
    builder = TypeMachineBuilder(Inputs, Actions)  # type: ignore[type-abstract]
    waiting = builder.state("Waiting")
    live = builder.state("Live")
    interrupted = builder.state("Interrupted")
    gone = builder.state("Gone")

    waiting.upon(Inputs.subscribe).to(waiting)(_wait)
    waiting.upon(Inputs.subscribe_again).to(waiting).returns(None)
    waiting.upon(Inputs.live).to(live)(_go_live)
    waiting.upon(Inputs.interrupted).to(waiting).returns(None)

    live.upon(Inputs.subscribe).to(live)(_greet)
    live.upon(Inputs.subscribe_again).to(live)(_greet)
    live.upon(Inputs.live).to(live)(_update)
    live.upon(Inputs.interrupted).to(interrupted)(_interrupt)

    interrupted.upon(Inputs.subscribe).to(interrupted)(_greet)
    interrupted.upon(Inputs.subscribe_again).to(interrupted)(_greet)
    interrupted.upon(Inputs.live).to(live)(_resume)
    interrupted.upon(Inputs.interrupted).to(interrupted)(_explain)

    for state in (waiting, live, interrupted):
        state.upon(Inputs.failed).to(gone)(_fail)
        state.upon(Inputs.ended).to(gone)(_end)
        state.upon(Inputs.release).to(gone)(_stop)

    # What is still on its way when the channel is gone.
    gone.upon(Inputs.release).to(gone).returns(None)
    gone.upon(Inputs.subscribe_again).to(gone).returns(None)
    gone.upon(Inputs.live).to(gone).returns(None)
    gone.upon(Inputs.interrupted).to(gone).returns(None)
    gone.upon(Inputs.failed).to(gone).returns(None)
    gone.upon(Inputs.ended).to(gone).returns(None)
    return builder.build()


#: Makes the inputs of a channel that has just been made.
machine = _build_machine()
