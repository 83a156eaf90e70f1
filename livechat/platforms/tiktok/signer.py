# SPDX-License-Identifier: MIT
"""The signer, asked over HTTP within budget and quota: once for every attempt to open a socket."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from prometheus_client import Counter, Gauge
from treq.client import HTTPClient
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.fetch import FetchError, fetch
from livechat.platforms.tiktok.connection import Opening
from livechat.platforms.tiktok.parse.signed import PAUSE, read_signed
from livechat.platforms.tiktok.parse.webcast import MAX_BATCH
from livechat.platforms.tiktok.query import Browser, signed_socket_url, signer_url
from livechat.platforms.tiktok.refusals import Reason, Refused, refused, upstream_error

_log = Logger()

#: Seconds for one answer (docs/wire/tiktok.md#signer).
DEADLINE: Final = 15.0

_DAY: Final = 86400


class DailyQuota:
    """Requests of one day, counted from midnight UTC.

    :param limit: most of them; 0: only the signer's own limits count.
    :param now: wall time in seconds.
    """

    def __init__(self, limit: int, now: Callable[[], float], metrics: Metrics) -> None:
        self._limit = limit
        self._now = now
        self._day = 0
        self._asked = 0
        self._outcomes = Counter(
            "livechat_tiktok_signer_requests",
            "Requests to the TikTok signer by outcome",
            ["outcome"],
            registry=metrics.registry,
        )
        self._today = Gauge(
            "livechat_tiktok_signer_today",
            "Requests to the TikTok signer since midnight UTC",
            registry=metrics.registry,
        )
        self._today.set_function(lambda: self.asked)
        Gauge(
            "livechat_tiktok_signer_budget",
            "Requests to the TikTok signer that a day may have; 0: no limit of ours",
            registry=metrics.registry,
        ).set(limit)

    @property
    def asked(self) -> int:
        """Requests of this day so far."""
        self._turn()
        return self._asked

    def spend(self) -> None:
        """One more request.

        :raises UpstreamError: the day has had enough of them.
        """
        self._turn()
        if self._limit and self._asked >= self._limit:
            wait = _DAY - self._now() % _DAY
            note = f"{self._limit} today; come again in {wait:.0f} s"
            raise upstream_error(refused(Reason.SIGNER_QUOTA, note, min(wait, 3600.0)))
        self._asked += 1

    def came_to(self, outcome: str) -> None:
        """How a request ended."""
        self._outcomes.labels(outcome).inc()
        _log.info(
            "TikTok signer: {outcome}; {asked} requests today, limit {limit}",
            outcome=outcome,
            asked=self._asked,
            limit=self._limit or "none",
        )

    def _turn(self) -> None:
        day = int(self._now() // _DAY)
        if day != self._day:
            self._day, self._asked = day, 0


class Signer:
    """An Euler-compatible service, hosted or one's own.

    :param url: its base, without a slash at its end.
    :param key: of the operator; empty: asked anonymously.
    :param hosts: socket hosts that are trusted besides TikTok's own.
    :param budget: turns for requests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        hosts: Collection[str],
        http: HTTPClient,
        clock: IReactorTime,
        now: Callable[[], float],
        quota: DailyQuota,
        budget: Budget,
    ) -> None:
        self._url = url
        self._key = key
        self._hosts = hosts
        self._http = http
        self._clock = clock
        self._now = now
        self._quota = quota
        self._budget = budget

    async def opening(self, room_id: str, browser: Browser, claim: Claim) -> Opening:
        """A signed socket for a room; it is good for some 30 s and one attempt.

        :raises UpstreamError: no usable answer, or the quota of the day is used up.
        """
        async with self._budget.turn(claim):
            return await self._opening(room_id, browser)

    async def _opening(self, room_id: str, browser: Browser) -> Opening:
        self._quota.spend()
        headers = {"Accept": "application/protobuf"}
        if self._key:
            headers["X-Api-Key"] = self._key
        try:
            answer = await fetch(
                self._http,
                self._clock,
                "GET",
                signer_url(self._url, room_id, browser),
                limit=MAX_BATCH,
                deadline=DEADLINE,
                headers=headers,
            )
        except FetchError as error:
            self._quota.came_to(str(Reason.SIGNER_DOWN))
            raise upstream_error(refused(Reason.SIGNER_DOWN, error, PAUSE)) from error
        signed = read_signed(
            answer.status, answer.headers, answer.body, room_id, self._hosts, self._now()
        )
        if isinstance(signed, Refused):
            self._quota.came_to(str(signed.reason))
            raise upstream_error(signed)
        self._quota.came_to("signed")
        _log.info("TikTok signer: request {request}", request=signed.request_id or "without id")
        return Opening(
            signed.room_id,
            signed_socket_url(signed.first, signed.room_id, browser),
            browser.socket_headers(signed.cookies),
            signed.first,
        )
