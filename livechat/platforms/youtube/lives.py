# SPDX-License-Identifier: MIT
"""All lives of one channel as one upstream: each is watched by itself, and all in one order.

Lives are found from the channel's list of streams: at the start, again and again, and sooner when
one of them ends or its chat tells of another stream.  Each has its own `Watch`.  The upstream is
lost when none of them can be read; while others can, a loss of one is a `gap` in its room.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from msgspec.structs import replace
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from livechat.core.ports import IEventSink, IWatcher, Requester
from livechat.model import error_catalogue
from livechat.model.errors import ChatError, ErrorCode
from livechat.platforms.budget import Claim
from livechat.platforms.description import PlatformContext
from livechat.platforms.steps import Steps
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.watch import Watch
from livechat.platforms.youtube.live import Live
from livechat.platforms.youtube.live_search import LiveSearch
from livechat.platforms.youtube.locate import Found
from livechat.platforms.youtube.parse.verdict import LiveStream

#: Seconds from one search to the next, and at least before what a chat tells leads to one.
SEARCH_EVERY: Final = 60.0
SEARCH_PAUSE: Final = 10.0

#: How much longer than it must be a pause may be.
JITTER: Final = 0.02

#: Most lives of one channel that are watched at once.
MAX_LIVES: Final = 10


class Lives:
    """The `Upstream` of a channel whose lives are all watched.

    :param sink: where all of them report to.
    :param requester: whose share of the pages they take.
    :param first: a live that is known already.
    :param locate: finds one.
    :param search: finds further ones, from the first one on.
    :param opened: makes the watcher of one live, not yet started.
    :param steps: logs and counts a search that fails by a mistake of ours.
    :param closed: called when nobody watches any more.
    """

    def __init__(
        self,
        sink: IEventSink,
        requester: Requester,
        context: PlatformContext,
        first: Found | None,
        locate: Callable[[], Deferred[Found]],
        search: Callable[[Found], LiveSearch],
        opened: Callable[[Found, IEventSink], IWatcher],
        steps: Steps,
        closed: Callable[[Lives], None],
    ) -> None:
        self._sink = sink
        self._clock = context.clock
        self._now = context.now
        self._random: Random = context.random
        self._start_timeout = context.start_timeout
        self._claim = Claim(context.clock, requester, first=False, is_look=True)
        self._every = min(SEARCH_EVERY, context.wait_poll)
        self._first = first
        self._locate = locate
        self._make_search = search
        self._opened = opened
        self._steps = steps
        self._closed = closed
        self._lives: dict[str, Live] = {}
        self._watch: Watch
        # When the list was read last, on the clock and in seconds since 1970.
        self._searched = self._searched_wall = 0.0
        self._end = error_catalogue.ended()

    # Upstream

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`: watch one live, and from then on all that can be found."""
        self._watch = watch
        try:
            found = await self._found()
            self._searched_wall = found.since_ms / 1000
            search = self._make_search(found)
            # The lives that are there at the start were perhaps watched before, the others not.
            until = self._sink.received_until
            await self._open_first(found, until)
            while True:
                await self._look(search, until)
                until = None
                if not self._lives:
                    raise self._end
                await watch.pause(self._every * (1.0 + JITTER * self._random.random()))
        finally:
            lives, self._lives = self._lives, {}
            for live in lives.values():
                live.watcher.stop()

    def close(self) -> None:
        """See `Upstream`."""
        self._closed(self)

    async def _found(self) -> Found:
        """A live to begin with.

        :raises ChatError: there is none.
        """
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            return await self._locate()
        except ChatError as error:
            if self._watch.has_started and error.code is ErrorCode.STREAM_NOT_LIVE:
                raise self._end from error
            if self._watch.has_started and error.temporary:
                raise UpstreamError(error.details or error.code, error=error) from error
            raise

    async def _look(self, search: LiveSearch, until: float | None) -> None:
        """Look for further lives, and begin to watch them.

        :param until: until when all lives of the channel were watched before, if they were.
        :raises UpstreamError: nobody says whether there are any, and none is left.
        """
        began, self._searched = self._now(), self._clock.seconds()
        lives = await self._new(search)
        if lives is None:
            if not self._lives:
                raise UpstreamError("UPSTREAM", "the list of streams cannot be read")
            return
        since_ms, self._searched_wall = int(self._searched_wall * 1000), began
        for live in lives:
            if live.video_id not in self._lives and len(self._lives) < MAX_LIVES:
                found = Found(live, self._clock.seconds(), self._start_timeout, since_ms)
                self._open(found, until).addErrback(self._not_started, live.video_id)

    async def _new(self, search: LiveSearch) -> list[LiveStream] | None:
        """See `LiveSearch.new`; a mistake of ours costs this search."""
        try:
            return await search.new(self._claim, self._lives)
        except CancelledError:
            raise
        except Exception:
            self._steps.failed(str(self._watch.key))
            return None

    async def _open_first(self, found: Found, until: float | None) -> None:
        """Begin to watch the first live.

        :raises ChatError: it does not start.
        """
        try:
            await self._open(found, until)
        except ChatError as error:
            if not self._watch.has_started:
                raise
            if error.temporary:
                raise UpstreamError(error.details or error.code, error=error) from error
            raise self._end from error

    def _open(self, found: Found, until: float | None) -> Deferred[None]:
        """Begin to watch a live; fires when its chat flows, and fails if it does not."""
        live = Live(found.live.video_id, self, until, self._now)
        live.watcher = self._opened(found, live)
        self._lives[live.live_id] = live
        return live.watcher.start().addCallback(live.started)

    def _not_started(self, reason: Failure, live_id: str) -> None:
        """A live could not be opened: it is looked at again with the next search."""
        reason.trap(ChatError, CancelledError)
        if self._lives.pop(live_id, None) is not None:
            self.changed()

    # What the lives report.

    @property
    def watch(self) -> Watch:
        """What it reports to."""
        return self._watch

    @property
    def sink(self) -> IEventSink:
        """Where it all goes in the end."""
        return self._sink

    def changed(self) -> None:
        """Something has changed about the lives: tell what is on air, or that it is lost."""
        flowing = [live for live in self._lives.values() if live.info is not None]
        lost = [live.lost for live in flowing if live.lost is not None]
        if not flowing:
            # The next search decides whether that is the end.
            self._watch.wake()
        elif len(lost) == len(flowing):
            self._watch.lost(*lost[0])
        else:
            infos = [live.info for live in flowing if live.info is not None]
            self._watch.flows(replace(infos[0], lives=tuple(one.live_id for one in infos)))

    def ended(self, live: Live, error: ChatError) -> None:
        """One live is over: another one may have begun."""
        self._end = error
        if self._lives.get(live.live_id) is live:
            del self._lives[live.live_id]
            self.changed()
            self._watch.wake()

    def told(self) -> None:
        """A chat has told of another stream."""
        if self._clock.seconds() - self._searched >= min(SEARCH_PAUSE, self._every):
            self._watch.wake()
