# SPDX-License-Identifier: MIT
"""How many watch, and what the stream is called: asked now and then beside the chat.

Whatever goes wrong here means "not known" and never more (docs/wire/youtube.md#viewers-and-title).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.defer import CancelledError, Deferred

from livechat.model.events import ChannelEvent, ChannelKey
from livechat.pacing import sleep
from livechat.platforms.description import PlatformContext
from livechat.platforms.fetch import FetchError
from livechat.platforms.steps import Steps
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.parse.metadata import Metadata, changes, read_metadata
from livechat.platforms.youtube.parse.verdict import LiveStream

#: Seconds from the opening of a chat to the first look.
FIRST: Final = 1.0


class Viewers:
    """The metadata of one stream.

    :param key: the chat, for the log.
    :param every: seconds between two looks; 0: never.
    :param steps: logs and counts a look that fails by a fault of ours.
    """

    def __init__(
        self,
        client: YouTubeClient,
        key: ChannelKey,
        context: PlatformContext,
        steps: Steps,
        every: float,
    ) -> None:
        self._client = client
        self._key = key
        self._clock = context.clock
        self._now = context.now
        self._random = context.random
        self._steps = steps
        self._every = every
        self._known = Metadata()
        self._loop: Deferred[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the last look said that nobody is watching live any more."""
        return self._known.live is False

    def watch(self, live: LiveStream, report: Callable[[Sequence[ChannelEvent]], None]) -> None:
        """Look at a stream from now on, and at no other.

        :param report: called with what has changed.
        """
        self.stop()
        if self._every:
            self._loop = Deferred.fromCoroutine(self._keep(live, report))
            self._loop.addErrback(lambda reason: reason.trap(CancelledError) and None)

    def stop(self) -> None:
        """Look no more; idempotent."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()

    async def _keep(
        self, live: LiveStream, report: Callable[[Sequence[ChannelEvent]], None]
    ) -> None:
        wait = FIRST
        while True:
            await sleep(self._clock, wait)
            wait = self._every * self._random.uniform(0.9, 1.1)
            try:
                news = await self._look(live)
                if news:
                    report(news)
                    if self._loop is None:
                        # What was reported made the sink stop us.
                        return
            except CancelledError:
                raise
            except Exception:
                self._steps.failed(str(self._key))

    async def _look(self, live: LiveStream) -> Sequence[ChannelEvent]:
        """What has changed since the last look."""
        try:
            answer = await self._client.metadata(live)
        except FetchError:
            return []
        seen = read_metadata(answer.body) if answer.status == 200 else Metadata()
        known = self._known
        if seen != Metadata():
            self._known = seen
        return changes(known, seen, live.video_id, int(self._now() * 1000))
