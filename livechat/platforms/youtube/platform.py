# SPDX-License-Identifier: MIT
"""YouTube as an `IPlatform`: live chats, read as YouTube's own player reads them."""

from __future__ import annotations

from collections.abc import Callable

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
from livechat.platforms.watch import Watch
from livechat.platforms.youtube.backlog import Backlog, Backlogs
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.identifier import HOSTS, key_of
from livechat.platforms.youtube.limits import LOOKS
from livechat.platforms.youtube.locate import FRESH, Found, Locating, glance
from livechat.platforms.youtube.parse.chat import Poll
from livechat.platforms.youtube.settings import YouTubeSettings
from livechat.platforms.youtube.start import Start
from livechat.platforms.youtube.upstream import ChatUpstream
from livechat.platforms.youtube.viewers import Viewers


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
        self._watches: dict[ChatUpstream, tuple[Watch, EnrichingSink]] = {}
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
        locating = Locating(self._client, key, self._context, requester, queued).begin()
        return self._found(locating)

    def all_lives(self, key: ChannelKey) -> ChannelKey:
        """See `IPlatform`."""
        return key

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """See `IPlatform`."""
        return self._found(
            Deferred.fromCoroutine(glance(self._client, key, self._context, requester, since))
        )

    def _found(self, locating: Deferred[Found]) -> Deferred[Located]:
        """The chat that is being looked for; given up when the daemon stops."""
        self._locating.add(locating)

        def done(result: Found | Failure) -> Found | Failure:
            self._locating.discard(locating)
            return result

        return locating.addBoth(done).addCallback(self._located)

    def _located(self, found: Found) -> Located:
        return Located(ChannelKey(self.name, "liveId", found.live.video_id), found)

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        context, key, found = self._context, located.key, located.opening
        live, since_ms = None, int(context.now() * 1000)
        start_timeout = context.start_timeout
        if isinstance(found, Found) and context.clock.seconds() - found.at < FRESH:
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
        watch = Watch(
            key,
            upstream,
            enriching,
            requester,
            clock=context.clock,
            random=context.random,
            metrics=context.metrics,
            start_timeout=start_timeout,
            steps=self._steps,
        )
        self._watches[upstream] = watch, enriching
        return self._failures.watcher(key, watch)

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
        for watch, _ in list(self._watches.values()):
            watch.stop()
