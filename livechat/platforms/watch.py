# SPDX-License-Identifier: MIT
"""One watched chat of any platform: a supervised loop and a transition table.

A platform provides an upstream: a coroutine that finds the chat, enters it and reports what it
brings, until it is lost.  This module calls it again and again, with growing pauses, and turns what
it reports into what `IWatcher` and `IEventSink` promise (the table of `watch_states`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import Extent, IEventSink, IWatcher, Recovery, Requester
from livechat.metrics import Metrics
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, Event, LiveInfo
from livechat.pacing import Backoff, Pauses
from livechat.platforms.budget import Claim, Deadline
from livechat.platforms.steps import Steps
from livechat.platforms.upstream import Upstream
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.watch_states import TRANSITIONS, Input, State

__all__ = ["MAX_EARLY", "ORDINARY", "STABLE", "Input", "Pauses", "State", "Upstream", "Watch"]

_log = Logger()

T = TypeVar("T")

#: Seconds for which a chat must have flowed before the pauses begin anew: a server that lets us in
#: and drops us at once must not be asked in quick succession.
STABLE: Final = 30.0

#: Events kept while the start has not been told, or while the upstream is being sought.
MAX_EARLY: Final = 2000

ORDINARY: Final = Pauses()


@implementer(IWatcher)
class Watch:
    """One watched chat, from start to stop.

    :ivar key: the chat.
    :ivar state: where it stands; only the table changes it.
    :ivar claim: in whose name the upstream waits for turns in the budgets of the platform.
    :param start_timeout: seconds in which the start must succeed; waiting for turns does not count.
    :param no_answer: why a start has failed for which the upstream gave no reason.
    :param steps: those of the platform, which share a limit of tracebacks; left out: its own.
    """

    def __init__(
        self,
        key: ChannelKey,
        upstream: Upstream,
        sink: IEventSink,
        requester: Requester,
        *,
        clock: IReactorTime,
        random: Random,
        metrics: Metrics,
        start_timeout: float,
        pauses: Pauses = ORDINARY,
        no_answer: UpstreamError | None = None,
        steps: Steps | None = None,
    ) -> None:
        self.key = key
        self.state = State.STARTING
        self._upstream = upstream
        self._sink = sink
        self._requester = requester
        self._clock = clock
        self._metrics = metrics
        self._steps = steps or Steps(clock, metrics, key.platform)
        self._start_timeout = start_timeout
        self._backoff = Backoff(random, pauses.first, pauses.longest)
        self.claim = Claim(clock, requester)
        self._info = LiveInfo("")
        self._starting: Deferred[LiveInfo] | None = None
        self._deadline: Deadline | None = None
        self._loop: Deferred[None] | None = None
        self._is_closed = False
        self._nap: Deferred[None] | None = None
        self._early: list[Event] = []
        self._flowing_since = clock.seconds()
        self._was_stable = False
        # Why the last attempt failed, for the error of a start that takes too long.
        self._no_answer = no_answer or UpstreamError("UPSTREAM")
        self._trouble = self._no_answer

    # IWatcher

    @property
    def trouble(self) -> str:
        """See `IWatcher`."""
        if self.state is not State.FLOWING and self.claim.is_waiting:
            return "QUEUED"
        is_fine = self.state is State.FLOWING or self._trouble is self._no_answer
        return "" if is_fine else str(self._trouble)

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        starting: Deferred[LiveInfo] = Deferred(lambda _: self._leave())
        self._starting = starting
        self._deadline = Deadline(self._clock, self._start_timeout, self._is_late)
        self.claim = Claim(
            self._clock, self._requester, queued=self._sink.queued, deadline=self._deadline
        )
        self._loop = loop = Deferred.fromCoroutine(self._keep())
        loop.addErrback(self._loop_ended)
        if self._early and self.state is State.FLOWING:
            self._clock.callLater(0, self._tell_early)
        if self.state is State.OVER:
            # It was stopped by what its first step reported.
            self._cancel_loop()
        return starting

    def stop(self) -> Deferred[None]:
        """See `IWatcher`."""
        starting, self._starting = self._starting, None
        self._leave()
        if starting is not None:
            starting.cancel()
        return succeed(None)

    # What the upstream reports.

    def flows(self, info: LiveInfo) -> None:
        """Messages flow; said again when anything about the stream changes."""
        self._on(Input.FLOWS, info)

    def lost(self, reason: str, since: float | None = None) -> None:
        """Messages do not flow any more; the upstream goes on by itself or `follow` ends.

        :param since: when the chat was certainly received last, in seconds since 1970; None: until
            now.
        """
        self._on(Input.LOST, (reason, since))

    def recovered(self, events: Sequence[Event], extent: Extent) -> None:
        """What the platform gave of the time before now; to be called before `flows`.

        See `Recovery`, also for `extent`.
        """
        if self.state in (State.STARTING, State.LOST):
            self._tell(self._sink.recovered, Recovery(events, extent))

    @property
    def received_until(self) -> float | None:
        """See `IEventSink`."""
        return self._sink.received_until

    def failing(self, trouble: UpstreamError) -> None:
        """Why messages do not flow yet, for the error of a start that takes too long."""
        self._trouble = trouble

    def received(self, events: Sequence[Event]) -> None:
        """What the chat brought, in order; kept, bounded, while nobody can be told."""
        if not events or self.state is State.OVER:
            return
        if self.state is State.FLOWING and not self._early and self._loop is not None:
            self._tell(self._sink.received, events)
            return
        free = MAX_EARLY - len(self._early)
        self._early += events[:free]
        if len(events) > free:
            self._metrics.count_unparsed(self.key.platform, "too early", len(events) - free)

    async def pause(self, seconds: float) -> None:
        """Wait; `wake` ends the wait early."""
        nap: Deferred[None] = Deferred()
        self._nap = nap
        timer = self._clock.callLater(seconds, nap.callback, None)
        try:
            await nap
        finally:
            self._nap = None
            if timer.active():
                timer.cancel()

    def wake(self) -> None:
        """Go on at once, if the loop pauses."""
        nap, self._nap = self._nap, None
        if nap is not None:
            nap.callback(None)

    @property
    def has_started(self) -> bool:
        """Whether messages have flowed before."""
        return self.state in (State.FLOWING, State.LOST)

    # The loop.

    async def _keep(self) -> None:
        failures = 0
        while True:
            trouble = await self._attempt()
            self._trouble = trouble
            self.lost(str(trouble))
            failures = 1 if self._was_stable else failures + 1
            self._was_stable = False
            self._give_up_start_for(trouble)
            seconds = max(self._backoff.delay(failures), trouble.retry_after)
            _log.info(
                "{channel}: {trouble}; trying again in {seconds:.1f} s",
                channel=str(self.key),
                trouble=str(trouble),
                seconds=seconds,
            )
            await self.pause(seconds)

    async def _attempt(self) -> UpstreamError:
        """Follow the upstream once, and say why it is lost."""
        try:
            await self._upstream.follow(self)
        except (CancelledError, ChatError):
            raise
        except UpstreamError as error:
            return error
        except Exception:
            self._steps.failed(self.key.identifier)
            return UpstreamError("INTERNAL", error=self._no_answer.error)
        return UpstreamError("LOST")

    def _give_up_start_for(self, trouble: UpstreamError) -> None:
        """End a start that no further attempt in time would mend.

        :raises ChatError: the start fails.
        """
        if self.state is State.STARTING:
            left = 0.0 if self._deadline is None else self._deadline.left
            if not trouble.temporary or trouble.retry_after >= left:
                raise trouble.as_chat_error()

    def _loop_ended(self, reason: Failure) -> None:
        self._loop = None
        if reason.check(CancelledError):
            self._close()
            return
        error = reason.value
        assert isinstance(error, ChatError)
        self._on(Input.OVER, error)

    def _is_late(self) -> None:
        self._deadline = None
        self._on(Input.OVER, self._trouble.as_chat_error())

    # What the table does.

    def _on(self, what: Input, argument: Any = None) -> None:
        self.state, action = TRANSITIONS[self.state, what]
        act: Callable[[Any], None] = getattr(self, action)
        act(argument)

    def _ignore(self, _: object) -> None:
        """Nothing is to be done."""

    def _succeed(self, info: LiveInfo) -> None:
        self._info = info
        self._flowing_since = self._clock.seconds()
        self._disarm()
        self.claim = Claim(self._clock, self._requester, first=False)
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.callback(info)
        self._tell_early()

    def _update(self, info: LiveInfo) -> None:
        if info != self._info:
            self._info = info
            self._tell(self._sink.resumed, info)

    def _interrupt(self, loss: tuple[str, float | None]) -> None:
        # The upstream may say so itself, some time before the attempt ends.
        self._was_stable = self._clock.seconds() - self._flowing_since >= STABLE
        self._trouble = UpstreamError(loss[0])
        self._steps.run(self.key.identifier, self._sink.interrupted, *loss)

    def _resume(self, info: LiveInfo) -> None:
        self._info = info
        self._flowing_since = self._clock.seconds()
        self._tell(self._sink.resumed, info)
        self._tell_early()

    def _fail(self, error: ChatError) -> None:
        starting, self._starting = self._starting, None
        self._let_go()
        if starting is not None:
            starting.errback(error)

    def _end(self, error: ChatError) -> None:
        early, self._early = self._early, []
        self._let_go()
        if early:
            self._tell(self._sink.received, early)
        self._tell(self._sink.ended, error)

    def _tell(self, hear: Callable[[T], None], what: T) -> None:
        """A sink that fails costs what it was given, and nothing else."""
        self._steps.run(self.key.identifier, hear, what)

    def _tell_early(self) -> None:
        # Without a loop `start` has not returned: nobody can have heard that it succeeded.
        if self._loop is None or self.state is not State.FLOWING:
            return
        early, self._early = self._early, []
        if early:
            self._tell(self._sink.received, early)

    def _leave(self) -> None:
        was_over = self.state is State.OVER
        self._on(Input.LEAVE)
        if not was_over:
            self._let_go()

    def _let_go(self) -> None:
        """Leave nothing on the clock, and let the upstream go."""
        self._disarm()
        self._early = []
        if self._loop is None:
            self._close()
        else:
            self._cancel_loop()

    def _cancel_loop(self) -> None:
        loop = self._loop
        if loop is None:
            return
        loop.cancel()
        if self._loop is not None:
            # The loop itself is what runs at this moment: it told the sink, which stopped us.
            self._clock.callLater(0, self._cancel_loop)

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._upstream.close()

    def _disarm(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()
