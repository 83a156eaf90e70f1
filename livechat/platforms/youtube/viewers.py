# SPDX-License-Identifier: MIT
"""How many watch, and what the stream is called: asked now and then beside the chat.

Whatever goes wrong here means "not known" and never more (sheet `youtube` section 8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from livechat.model.events import ChannelEvent
from livechat.pacing import sleep
from livechat.platforms.fetch import FetchError
from livechat.platforms.youtube.metadata import Metadata, changes, read_metadata
from livechat.platforms.youtube.site import Site
from livechat.platforms.youtube.verdict import Live

_log = Logger()


class Viewers:
    """The metadata of one stream.

    :param now: wall time in seconds.
    :param every: seconds between two looks.
    :param tell: told what has changed.
    """

    def __init__(
        self,
        site: Site,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Random,
        every: float,
        tell: Callable[[Sequence[ChannelEvent]], None],
    ) -> None:
        self._site = site
        self._clock = clock
        self._now = now
        self._random = random
        self._every = every
        self._tell = tell
        self._known = Metadata()
        self._story: Deferred[tuple[Metadata, int]] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the last look said that nobody is watching live any more."""
        return self._known.live is False

    def watch(self, live: Live, wait: float = 0.0) -> None:
        """Look at a stream from now on, and at no other."""
        self.stop()
        self._story = story = Deferred.fromCoroutine(self._look(live, wait))
        story.addCallbacks(self._seen, _stopped, callbackArgs=(live,))
        story.addErrback(lambda reason: _log.failure("metadata could not be told", reason))

    def stop(self) -> None:
        """Look no more; idempotent."""
        story, self._story = self._story, None
        if story is not None:
            story.cancel()

    async def _look(self, live: Live, wait: float) -> tuple[Metadata, int]:
        await sleep(self._clock, wait)
        try:
            answer = await self._site.metadata(live.client, live.video_id)
        except FetchError:
            return Metadata(), 0
        known = read_metadata(answer.body) if answer.status == 200 else Metadata()
        return known, int(self._now() * 1000)

    def _seen(self, seen: tuple[Metadata, int], live: Live) -> None:
        known, received_ms = seen
        self.watch(live, self._every * self._random.uniform(0.9, 1.1))
        news = changes(self._known, known, live.video_id, received_ms) if received_ms else []
        if known != Metadata():
            self._known = known
        if news:
            self._tell(news)


def _stopped(reason: Failure) -> None:
    reason.trap(CancelledError)
