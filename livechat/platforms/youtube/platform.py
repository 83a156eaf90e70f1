# SPDX-License-Identifier: MIT
"""YouTube as an `IPlatform`: live chats, read as YouTube's own player reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Requester
from livechat.model.events import ChannelKey
from livechat.platforms.description import PlatformContext
from livechat.platforms.enrichment.rooms import Rooms
from livechat.platforms.enrichment.sink import EnrichingSink
from livechat.platforms.failures import Failures
from livechat.platforms.steps import Steps
from livechat.platforms.upstream import Upstream
from livechat.platforms.watch import Watch
from livechat.platforms.youtube.backlog import Backlog, Backlogs
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.identifier import (
    HOSTS,
    LIVES,
    all_lives,
    channel_of,
    key_of,
    pages,
)
from livechat.platforms.youtube.limits import LOOKS, SEARCHES
from livechat.platforms.youtube.live_search import LiveSearch
from livechat.platforms.youtube.lives import Lives
from livechat.platforms.youtube.locate import FRESH, Found, Locating, glance
from livechat.platforms.youtube.parse.chat import Poll
from livechat.platforms.youtube.settings import YouTubeSettings
from livechat.platforms.youtube.start import Start
from livechat.platforms.youtube.upstream import ChatUpstream
from livechat.platforms.youtube.viewers import Viewers

#: The start of all lives of a channel is a search and the start of one of them, in some attempts.
LIVES_DEADLINES: Final = 4


@implementer(IPlatform)
class YouTube(Service):
    """YouTube live chat."""

    name = "youtube"
    hosts = HOSTS
    looks = LOOKS

    def __init__(self, context: PlatformContext, settings: YouTubeSettings) -> None:
        self._context = context
        self._settings = settings
        self._client = YouTubeClient(context, settings.url)
        self._failures = Failures(context.clock, context.metrics, self.name)
        self._steps = Steps(context.clock, context.metrics, self.name)
        self._rooms = Rooms(self.name, context.picture_sources, self._steps)
        self._searches = context.budget(SEARCHES, self.name, "searches")
        self._watches: dict[ChatUpstream, tuple[Watch, EnrichingSink]] = {}
        self._lives: dict[Lives, Watch] = {}
        self._locating: set[Deferred[Found]] = set()
        self._backlogs = Backlogs(context.clock.seconds)

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a handle, a legacy name, a channel id, a video id, or a URL of one."""
        return key_of(identifier, identifier_type)

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`: a channel means the video that it is live with now."""
        if key.identifier_type == "liveId":
            return succeed(Located(key))
        return self._failures.guard(key, lambda: self._locate(key, requester, queued))

    def _locate(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        return self._begun(key, requester, queued).addCallback(self._located, key)

    def all_lives(self, key: ChannelKey) -> ChannelKey:
        """See `IPlatform`: a video is one live."""
        return all_lives(key)

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """See `IPlatform`."""
        looking = glance(self._client, channel_of(key), self._context, requester, since)
        return self._kept(Deferred.fromCoroutine(looking)).addCallback(self._located, key)

    def _begun(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Found]:
        """A search for the live of a channel, begun."""
        channel = channel_of(key)
        return self._kept(Locating(self._client, channel, self._context, requester, queued).begin())

    def _kept(self, locating: Deferred[Found]) -> Deferred[Found]:
        """What is being looked for; given up when the daemon stops."""
        self._locating.add(locating)

        def done(result: Found | Failure) -> Found | Failure:
            self._locating.discard(locating)
            return result

        return locating.addBoth(done)

    def _located(self, found: Found, key: ChannelKey) -> Located:
        live = found.live
        if key.identifier_type == LIVES:
            return Located(ChannelKey(self.name, LIVES, live.channel_id or key.identifier), found)
        return Located(ChannelKey(self.name, "liveId", live.video_id), found)

    def listen(self, key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """See `IPlatform`: nothing is told."""
        return lambda: None

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        key, found = located.key, located.opening
        if not isinstance(found, Found) or self._context.clock.seconds() - found.at >= FRESH:
            found = None
        if key.identifier_type == LIVES:
            return self._watch_lives(key, found, sink, requester)
        return self._watch_chat(key, found, sink, requester)

    def _watch_lives(
        self, key: ChannelKey, first: Found | None, sink: IEventSink, requester: Requester
    ) -> IWatcher:
        """A watcher of all lives of a channel."""
        context = self._context

        def search(found: Found) -> LiveSearch:
            channel = channel_of(
                ChannelKey(self.name, LIVES, found.live.channel_id or key.identifier)
            )
            path = pages(channel, "streams")[0]
            clock, now = context.clock, context.now
            return LiveSearch(self._client, path, self._searches, clock.seconds, now)

        def opened(found: Found, live: IEventSink) -> IWatcher:
            video = ChannelKey(self.name, "liveId", found.live.video_id)
            return self._watch_chat(video, found, live, requester)

        lives = Lives(
            sink,
            requester,
            context,
            first,
            lambda: self._begun(key, requester, sink.queued),
            search,
            opened,
            self._steps,
            self._forget_lives,
        )
        # Each search and each live has a deadline of its own.
        watch = self._watch(key, lives, sink, requester, LIVES_DEADLINES * context.start_timeout)
        self._lives[lives] = watch
        return watch

    def _watch_chat(
        self, key: ChannelKey, found: Found | None, sink: IEventSink, requester: Requester
    ) -> IWatcher:
        """A watcher of one chat.

        :param found: its stream, if that was just found.
        """
        context = self._context
        live, since_ms = None, int(context.now() * 1000)
        start_timeout = context.start_timeout
        if found is not None:
            live, since_ms, start_timeout = found.live, found.since_ms, found.left
        upstream = ChatUpstream(
            self._client,
            key,
            context,
            Start(self._client, key, context.now, live),
            self._backlog(key, sink.received_until, since_ms),
            Viewers(self._client, key, context, self._steps, self._settings.viewers_every),
            self._steps,
            self._count,
            self._forget,
        )
        # Pictures are known by channels, and a chat's room is its video.
        enriching = EnrichingSink(
            str(key), sink, self._rooms, self._steps, lambda _: upstream.channel_id
        )
        watch = self._watch(key, upstream, enriching, requester, start_timeout)
        self._watches[upstream] = watch, enriching
        return self._failures.watcher(key, watch)

    def _watch(
        self,
        key: ChannelKey,
        upstream: Upstream,
        sink: IEventSink,
        requester: Requester,
        start_timeout: float,
    ) -> Watch:
        context = self._context
        return Watch(
            key,
            upstream,
            sink,
            requester,
            clock=context.clock,
            random=context.random,
            metrics=context.metrics,
            start_timeout=start_timeout,
            steps=self._steps,
        )

    def _backlog(self, key: ChannelKey, until: float | None, since_ms: int) -> Backlog:
        """What of a chat is known.

        :param until: the time of what was published last, if the chat was watched before.
        """
        kept = self._backlogs.take(key.identifier)
        if until is None:
            return Backlog(since_ms)
        return kept or Backlog.after(until, self._context.now())

    def _forget(self, upstream: ChatUpstream) -> None:
        watch, enriching = self._watches.pop(upstream)
        enriching.close()
        if upstream.backlog.is_followed:
            self._backlogs.keep(watch.key.identifier, upstream.backlog)

    def _forget_lives(self, lives: Lives) -> None:
        del self._lives[lives]

    def _count(self, poll: Poll) -> None:
        for name, amount in poll.unread.items():
            self._context.metrics.count_unparsed(self.name, name, amount)
        for name, amount in poll.ignored.items():
            self._context.metrics.count_ignored(self.name, name, amount)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for locating in list(self._locating):
            locating.cancel()
        watches = [watch for watch, _ in self._watches.values()]
        for watch in [*self._lives.values(), *watches]:
            watch.stop()
