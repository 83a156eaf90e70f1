# SPDX-License-Identifier: MIT
"""YouTube as an `IPlatform`: its live chats, read as its own player reads them, without a key."""

from __future__ import annotations

from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Requester
from livechat.model.events import ChannelKey
from livechat.pacing import Backoff
from livechat.platforms.description import PlatformContext
from livechat.platforms.failures import Failures
from livechat.platforms.youtube.chat import Poll
from livechat.platforms.youtube.follower import Follower
from livechat.platforms.youtube.identifier import HOSTS, key_of
from livechat.platforms.youtube.settings import YouTubeSettings
from livechat.platforms.youtube.site import Site
from livechat.platforms.youtube.start import Attempts, Found, locate


@implementer(IPlatform)
class YouTube(Service):
    """YouTube live chat."""

    name = "youtube"
    hosts = HOSTS

    def __init__(self, context: PlatformContext, settings: YouTubeSettings) -> None:
        self._clock = context.clock
        self._now = context.now
        self._random = context.random
        self._metrics = context.metrics
        self._start_timeout = context.start_timeout
        self._settings = settings
        self._site = Site(context.http, context.clock, context.now, settings.url, context.metrics)
        self._failures = Failures(context.clock, context.metrics, self.name)
        self._followers: set[Follower] = set()
        self._finding: set[Deferred[Located]] = set()

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a handle, a legacy name, a channel id, a video id, or a URL of one."""
        return key_of(identifier, identifier_type)

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`: a channel means the video that it is live with now."""
        if key.identifier_type == "liveId":
            return succeed(Located(key))
        return self._failures.guard(key, lambda: self._find(key, requester, queued))

    def _find(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        finding = Deferred.fromCoroutine(self._locate(key, requester, queued))
        self._finding.add(finding)

        def found(result: Located | Failure) -> Located | Failure:
            self._finding.discard(finding)
            return result

        return finding.addBoth(found)

    async def _locate(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Located:
        since_ms = int(self._now() * 1000)
        budget = self._site.budget(self._start_timeout, requester, queued)
        backoff = Backoff(self._random, initial=1.0, cap=30.0)
        live = await locate(self._site, key, Attempts(self._site, budget, backoff))
        found = Found(live, self._clock.seconds(), budget.left, since_ms)
        return Located(ChannelKey(self.name, "liveId", live.video_id), found)

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        follower = Follower(
            self._site,
            located.key,
            sink,
            requester,
            located.opening if isinstance(located.opening, Found) else None,
            clock=self._clock,
            now=self._now,
            random=self._random,
            count=self._count,
            start_timeout=self._start_timeout,
            viewers_every=self._settings.viewers_every,
            gone=self._followers.discard,
        )
        self._followers.add(follower)
        return self._failures.watcher(located.key, follower)

    def _count(self, poll: Poll) -> None:
        for name, amount in poll.unread.items():
            self._metrics.count_unparsed(self.name, name, amount)
        for name, amount in poll.ignored.items():
            self._metrics.count_ignored(self.name, name, amount)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for finding in list(self._finding):
            finding.cancel()
        for follower in list(self._followers):
            follower.stop()
