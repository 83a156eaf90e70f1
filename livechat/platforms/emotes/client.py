# SPDX-License-Identifier: MIT
"""Asks one provider over HTTP, within its budget, and leaves it alone when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from treq.client import HTTPClient
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.pacing import Backoff, TokenBucket
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.emotes.counts import Counts
from livechat.platforms.emotes.limits import (
    FIRST_REST,
    LIMITED_REST,
    LONGEST_ANSWER,
    LONGEST_REST,
    LONGEST_TOLD_REST,
    PATIENCE,
    REQUESTS,
)
from livechat.platforms.emotes.parse.emote_set import Unreadable
from livechat.platforms.fetch import Fetched, FetchError, fetch

_log = Logger()

_HEADERS: Final = {"Accept": "application/json", "User-Agent": "livechat"}

#: Statuses by which a provider says that it has nothing about a channel.
_ABSENT: Final = frozenset({404, 410})


class Trouble(Exception):
    """The provider did not tell.

    :ivar rest: seconds for which it is left alone.
    """

    def __init__(self, reason: str, rest: float = 0.0) -> None:
        super().__init__(reason)
        self.rest = rest


class Client:
    """One provider over HTTP.

    :param url: where it is, without a path of ours.
    """

    def __init__(
        self,
        provider: str,
        url: str,
        http: HTTPClient,
        clock: IReactorTime,
        random: Random,
        metrics: Metrics,
        counts: Counts,
    ) -> None:
        self._provider = provider
        self._url = url.rstrip("/")
        self._http = http
        self._clock = clock
        self._metrics = metrics
        self._fetches = counts.fetches
        self._budget = Budget(clock, REQUESTS, metrics, provider, "emotes")
        self._backoff = Backoff(random, FIRST_REST, LONGEST_REST)
        self._failures = 0
        self._rests_until = 0.0
        # A provider that is gone fails for every channel.
        self._lines = TokenBucket(0.05, 3, clock.seconds)

    async def get(
        self,
        path: str,
        claim: Claim,
        *,
        headers: Mapping[str, str] | None = None,
        longest: int = LONGEST_ANSWER,
    ) -> bytes | None:
        """The body of an answer; None: the provider has nothing of that name.

        :param path: begins with a slash.
        :raises Trouble: it does not answer, or only that it does not want to be asked.
        """
        self._be_left_alone()
        async with self._budget.turn(claim):
            self._be_left_alone()
            answer = await self._ask(path, {**_HEADERS, **(headers or {})}, longest)
        if answer.status in _ABSENT:
            self._fetches.labels(self._provider, "absent").inc()
            self._failures = 0
            return None
        if answer.status == 429:
            raise self._failed("limited", "HTTP 429", _retry_after(answer))
        if answer.status != 200:
            raise self._failed("refused", f"HTTP {answer.status}")
        self._fetches.labels(self._provider, "answered").inc()
        self._failures = 0
        return answer.body

    def unreadable(self, error: Unreadable) -> Trouble:
        """An answer was none: it may be another one the next time, but not at once."""
        self._metrics.count_unparsed(self._provider, "answer")
        return self._failed("unreadable", f"an answer that cannot be read: {error}")

    async def _ask(self, path: str, headers: Mapping[str, str], longest: int) -> Fetched:
        try:
            return await fetch(
                self._http,
                self._clock,
                "GET",
                self._url + path,
                limit=longest,
                deadline=PATIENCE,
                headers=headers,
            )
        except FetchError as error:
            raise self._failed("failed", str(error)) from None

    def _be_left_alone(self) -> None:
        rest = self._rests_until - self._clock.seconds()
        if rest > 0:
            raise Trouble("it is left alone", rest)

    def _failed(self, outcome: str, reason: str, rest: float = 0.0) -> Trouble:
        self._fetches.labels(self._provider, outcome).inc()
        self._failures += 1
        rest = rest or self._backoff.delay(self._failures)
        self._rests_until = max(self._rests_until, self._clock.seconds() + rest)
        if self._lines.take():
            _log.info(
                "emotes of {provider} were not had: {reason}; asked again in {rest:.0f} s",
                provider=self._provider,
                reason=reason,
                rest=rest,
            )
        return Trouble(reason, rest)


def _retry_after(answer: Fetched) -> float:
    """Seconds for which the provider wants to be left alone."""
    told = answer.headers.get("retry-after", "")
    known = told.isascii() and told.isdecimal() and len(told) < 9
    return min(max(float(told), 1.0), LONGEST_TOLD_REST) if known else LIMITED_REST
