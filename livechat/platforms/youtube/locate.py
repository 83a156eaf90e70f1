# SPDX-License-Identifier: MIT
"""Which stream a channel is live with: looked for until it is found or the time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred

from livechat.core.ports import Requester
from livechat.model.events import ChannelKey
from livechat.pacing import Backoff, sleep
from livechat.platforms.budget import Claim, Deadline
from livechat.platforms.description import PlatformContext
from livechat.platforms.fetch import FetchError
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.parse.verdict import TEMPORARY, LiveStream, Reason, Refusal
from livechat.platforms.youtube.resolve import resolve

#: How often a video is looked at that asks to sign in: most are private, but YouTube also asks
#: when it doubts our address, and then only now and then.
SIGN_IN_TRIES: Final = 2

#: Seconds for which what was found is as good as new; then the page is asked for again.
FRESH: Final = 60.0

#: Least seconds between two attempts: whoever answers at once must not be asked in a circle.
LEAST_PAUSE: Final = 0.5


class Found(Struct, frozen=True):
    """A stream that was looked for before its chat is opened.

    :ivar at: when that was, on the clock of the platform.
    :ivar left: seconds of the start deadline that are left.
    :ivar since_ms: since when somebody waits for its messages, in milliseconds since 1970.
    """

    live: LiveStream
    at: float
    left: float
    since_ms: int


class Search:
    """The attempts to find the stream of one channel or video."""

    def __init__(self, client: YouTubeClient, key: ChannelKey) -> None:
        self._client = client
        self._key = key
        self._sign_ins = 0

    async def attempt(self, claim: Claim) -> LiveStream:
        """The stream, as its page shows it now.

        :raises UpstreamError: YouTube does not say; it may when it is asked again.
        :raises ChatError: there is none.
        """
        try:
            found = await resolve(self._client, self._key, claim)
        except FetchError as failure:
            raise unavailable(str(failure), self._pause) from failure
        if isinstance(found, LiveStream):
            return found
        if found.reason is Reason.LOGIN_REQUIRED:
            self._sign_ins += 1
        if found.reason not in TEMPORARY or self._sign_ins >= SIGN_IN_TRIES:
            raise found.error()
        raise UpstreamError(found.reason, retry_after=self._pause, error=found.error())

    @property
    def _pause(self) -> float:
        return max(LEAST_PAUSE, self._client.rest)


class Locating:
    """One search until it succeeds, fails for good, or has taken too long.

    :param requester: whose share of the pages it takes.
    :param queued: called while it waits for its turn.
    """

    def __init__(
        self,
        client: YouTubeClient,
        key: ChannelKey,
        context: PlatformContext,
        requester: Requester,
        queued: Callable[[], None],
    ) -> None:
        self._clock = context.clock
        self._since_ms = int(context.now() * 1000)
        self._search = Search(client, key)
        self._backoff = Backoff(context.random)
        self._deadline = Deadline(context.clock, context.start_timeout, self._is_late)
        self._claim = Claim(context.clock, requester, queued=queued, deadline=self._deadline)
        # Why the last attempt failed.
        self._trouble = unavailable("no answer in time")
        self._finding: Deferred[Found] | None = None

    def begin(self) -> Deferred[Found]:
        """Look for it; called once.  Fails with a `ChatError`, and can be cancelled."""
        self._finding = Deferred.fromCoroutine(self._find())
        return self._finding

    def _is_late(self) -> None:
        if self._finding is not None:
            self._finding.cancel()

    async def _find(self) -> Found:
        failures = 0
        try:
            while True:
                try:
                    live = await self._search.attempt(self._claim)
                except UpstreamError as trouble:
                    self._trouble = trouble
                else:
                    return Found(live, self._clock.seconds(), self._deadline.left, self._since_ms)
                failures += 1
                wait = max(self._backoff.delay(failures), self._trouble.retry_after)
                if wait >= self._claim.left:
                    raise self._trouble.as_chat_error()
                await sleep(self._clock, wait)
        except CancelledError:
            if self._deadline.left > 0:
                raise
            raise self._trouble.as_chat_error() from None
        finally:
            self._deadline.cancel()


async def glance(
    client: YouTubeClient,
    key: ChannelKey,
    context: PlatformContext,
    requester: Requester,
    since: float,
) -> Found:
    """One look at a channel or video that is waited for.

    :param since: since when its messages are wanted, in seconds since 1970.
    :raises ChatError: it is not live, or YouTube did not say.
    """
    claim = Claim(context.clock, requester, first=False, is_look=True)
    try:
        found = await resolve(client, key, claim, is_quick=True)
    except FetchError as failure:
        raise unavailable(str(failure)).as_chat_error() from failure
    if isinstance(found, Refusal):
        raise found.error()
    return Found(found, context.clock.seconds(), context.start_timeout, int(since * 1000))


def unavailable(details: str, retry_after: float = LEAST_PAUSE) -> UpstreamError:
    """YouTube did not answer, or not with what was asked for."""
    return UpstreamError(details, retry_after=retry_after)
