# SPDX-License-Identifier: MIT
"""What one channel has missed: asked for once, each time before messages flow (again)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from livechat.model.events import Event
from livechat.pacing import sleep
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.parse.history import MARGIN_MS
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.parse.tags import sent_ms
from livechat.platforms.twitch.recent_messages import History, Stretch
from livechat.platforms.watch import Watch

#: Seconds after we were let in, in which the service gets the lines that were sent just before.
SETTLE: Final = 1.0

#: How far back is asked where we have not heard the last line ourselves, in ms: some line of that
#: time shows that the service has listened.
LOOKBACK_MS: Final = 600_000


class CatchUp:
    """Asks the service of recent messages on behalf of one channel.

    :param translate: the events of a line.
    """

    def __init__(
        self,
        login: str,
        history: History,
        translate: Callable[[Line], Sequence[Event]],
        clock: IReactorTime,
        steps: Steps,
    ) -> None:
        self._login = login
        self._history = history
        self._clock = clock
        self._steps = steps
        self._translate = translate
        self._last: Line | None = None
        self._asking: Deferred[None] | None = None

    @property
    def is_asking(self) -> bool:
        """Whether an answer is waited for."""
        return self._asking is not None

    def heard(self, lines: Sequence[Line]) -> None:
        """These lines came live."""
        for line in reversed(lines):
            if "tmi-sent-ts" in line.tags:
                self._last = line
                return

    def before(self, watch: Watch, flow: Callable[[], None]) -> None:
        """Ask what was missed, tell it to the watch, and then let messages flow.

        They wait for the answer, so it comes soon in any case.
        """
        self._asking = asking = Deferred.fromCoroutine(self._ask(watch))
        asking.addCallback(self._answered, flow)
        asking.addErrback(self._given_up)

    def cancel(self) -> None:
        """Wait for no answer; idempotent."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self, watch: Watch) -> None:
        """Whatever goes wrong here, messages flow afterwards."""
        try:
            stretch = self._missed(watch.received_until)
            if stretch is not None:
                await sleep(self._clock, SETTLE)
            past = await self._history.ask(self._login, watch.claim, stretch, self._translate)
        except CancelledError:
            raise
        except Exception:
            self._steps.failed(self._login)
            return
        if past is not None:
            watch.recovered(past.events, "all" if past.is_whole else "some")

    def _missed(self, until: float | None) -> Stretch | None:
        """What is to be asked for; None if the chat is not known at all.

        :param until: a time up to which the chat is known, in seconds, by a clock that may differ.
        """
        if until is None:
            return None
        known = round(until * 1000)
        heard = None if self._last is None else sent_ms(self._last.tags)
        if heard is None:
            return Stretch(known, max(0, known - LOOKBACK_MS))
        # In a quiet chat that line was long ago, and shows that the service has listened since.
        since = min(known, heard)
        return Stretch(since, max(0, since - MARGIN_MS))

    def _answered(self, _: None, flow: Callable[[], None]) -> None:
        self._asking = None
        flow()

    def _given_up(self, reason: Failure) -> None:
        self._asking = None
        reason.trap(CancelledError)
