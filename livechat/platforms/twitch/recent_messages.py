# SPDX-License-Identifier: MIT
"""Asks a service that keeps recent messages what was said while we were not in a channel.

Optional by nature (docs/wire/twitch.md#history): whatever goes wrong here means that a gap stays
one, and live messages do not wait for long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

from prometheus_client import Counter
from treq.client import HTTPClient
from twisted.internet.defer import TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.model.events import Event
from livechat.pacing import TokenBucket
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.fetch import Fetched, FetchError, fetch
from livechat.platforms.twitch.parse.history import Answer, Past, past, read_answer
from livechat.platforms.twitch.parse.irc import Line

_log = Logger()

#: Seconds for a turn, and for the answer; live messages wait so long at most.
TURN_PATIENCE: Final = 1.5
PATIENCE: Final = 2.5

#: Most lines that are asked for, and most bytes of an answer.
MOST: Final = 500
LIMIT: Final = 2 << 20

#: Seconds for which a service that failed is left alone, and at most if it says so itself.
REST: Final = 10.0
LONGEST_REST: Final = 600.0

_HEADERS: Final = {"Accept": "application/json", "User-Agent": "livechat"}

#: Statuses by which the service refuses one channel: its owner does not want it, or the name is
#: wrong.
_REFUSALS: Final = frozenset({400, 403, 404})


class Stretch(NamedTuple):
    """What was missed of a chat.

    :ivar since_ms: when the last line was sent that is known, in ms since 1970.
    :ivar after_ms: from when on lines are asked for: a little earlier.
    """

    since_ms: int
    after_ms: int


class History:
    """The service, as our channels ask it.

    :param url: where it is; empty: it is never asked.
    :param now: wall time in seconds.
    :param budget: turns for requests, over all channels.
    """

    def __init__(
        self,
        url: str,
        http: HTTPClient,
        clock: IReactorTime,
        now: Callable[[], float],
        metrics: Metrics,
        budget: Budget,
    ) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._clock = clock
        self._now = now
        self._metrics = metrics
        self._budget = budget
        self._rests_until = 0.0
        # A service that is gone fails for every channel.
        self._lines = TokenBucket(0.1, 3, clock.seconds)
        self._outcomes = Counter(
            "livechat_twitch_history",
            "Questions about missed messages by outcome",
            ["outcome"],
            registry=metrics.registry,
        )

    @property
    def enabled(self) -> bool:
        """Whether anything can be learnt at all."""
        return bool(self._url)

    async def ask(
        self,
        login: str,
        claim: Claim,
        stretch: Stretch | None,
        translate: Callable[[Line], Sequence[Event]],
    ) -> Past | None:
        """What was said in a channel, or None if that cannot be known; once, and in time.

        :param claim: in whose name the turn is waited for.
        :param stretch: what is wanted; None: all that is kept.
        """
        if self._clock.seconds() < self._rests_until or claim.left < TURN_PATIENCE + PATIENCE:
            self._outcomes.labels("resting").inc()
            return None
        turn = self._budget.wait(claim)
        turn.addTimeout(TURN_PATIENCE, self._clock)
        try:
            await turn
        except TimeoutError:
            # Too many of our own channels come back at once: that is not the service's fault.
            self._failed(login, "busy", "too many channels ask at once", rest=0.0)
            return None
        try:
            answer = await self._fetch(login, stretch)
            since_ms = None if stretch is None else stretch.since_ms
            now_ms = int(self._now() * 1000)
            found = past(answer, login, translate, since_ms=since_ms, now_ms=now_ms, most=MOST)
        except _Trouble as trouble:
            self._failed(login, trouble.outcome, str(trouble), trouble.rest)
            return None
        finally:
            self._budget.finish()
        self._outcomes.labels("whole" if found.is_whole else "part").inc()
        return found

    async def _fetch(self, login: str, stretch: Stretch | None) -> Answer:
        query = {"limit": MOST}
        if stretch is not None:
            query["after"] = stretch.after_ms
        try:
            answer = await fetch(
                self._http,
                self._clock,
                "GET",
                f"{self._url}/{login}?{urlencode(query)}",
                limit=LIMIT,
                deadline=PATIENCE,
                headers=_HEADERS,
            )
        except FetchError as error:
            raise _Trouble(str(error)) from None
        if answer.status in _REFUSALS:
            raise _Trouble(f"HTTP {answer.status}", "refused", 0.0)
        if answer.status != 200:
            raise _Trouble(f"HTTP {answer.status}", rest=_retry_after(answer))
        try:
            return read_answer(answer.body)
        except ValueError as error:
            self._metrics.count_unparsed("twitch", "history answer")
            raise _Trouble(f"an answer that cannot be read: {error}") from None

    def _failed(self, login: str, outcome: str, reason: str, rest: float) -> None:
        self._outcomes.labels(outcome).inc()
        self._rests_until = max(self._rests_until, self._clock.seconds() + rest)
        if self._lines.take():
            _log.info(
                "twitch:{login}: missed messages were not had: {reason}",
                login=login,
                reason=reason,
            )


class _Trouble(Exception):
    """The service did not tell.

    :ivar outcome: how that is counted.
    :ivar rest: seconds for which the service is left alone.
    """

    def __init__(self, reason: str, outcome: str = "failed", rest: float = REST) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.rest = rest


def _retry_after(answer: Fetched) -> float:
    """Seconds that the service wants to be left alone."""
    told = answer.headers.get("retry-after", "")
    seconds = float(told) if told.isascii() and told.isdecimal() and len(told) < 9 else 0.0
    return min(max(seconds, REST), LONGEST_REST)
