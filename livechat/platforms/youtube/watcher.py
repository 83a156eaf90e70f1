# SPDX-License-Identifier: MIT
"""YouTube as an `IPlatform`: its live chats, read as its own player reads them, without a key."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec import Struct
from treq.client import HTTPClient
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Requester
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey
from livechat.platforms.youtube.chat import Poll
from livechat.platforms.youtube.follower import Follower
from livechat.platforms.youtube.identifier import HOSTS, key_of
from livechat.platforms.youtube.site import Site


class YouTubeSettings(Struct, frozen=True):
    """What an operator may choose.

    :ivar url: the base of pages and InnerTube.
    :ivar start_timeout: seconds in which a start must succeed.
    :ivar viewers_every: seconds between two looks at viewer count and title; 0: never.
    """

    url: str = "https://www.youtube.com"
    start_timeout: float = 30.0
    viewers_every: float = 30.0


@implementer(IPlatform)
class YouTube(Service):
    """YouTube live chat.

    :param now: wall time in seconds, for messages without a time of their own.
    """

    name = "youtube"
    hosts = HOSTS

    def __init__(
        self,
        http: HTTPClient,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Random,
        metrics: Metrics,
        settings: YouTubeSettings,
    ) -> None:
        self._clock = clock
        self._now = now
        self._random = random
        self._metrics = metrics
        self._settings = settings
        self._site = Site(http, clock, now, settings.url)
        self._followers: set[Follower] = set()

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a handle, a legacy name, a channel id, a video id, or a URL of one."""
        return key_of(identifier, identifier_type)

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`."""
        return succeed(Located(key))

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        key = located.key
        follower = Follower(
            self._site,
            key,
            sink,
            clock=self._clock,
            now=self._now,
            random=self._random,
            count=self._count,
            start_timeout=self._settings.start_timeout,
            viewers_every=self._settings.viewers_every,
            gone=self._followers.discard,
        )
        self._followers.add(follower)
        return follower

    def _count(self, poll: Poll) -> None:
        for name, amount in poll.unread.items():
            self._metrics.count_unparsed(self.name, name, amount)
        for name, amount in poll.ignored.items():
            self._metrics.count_ignored(self.name, name, amount)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for follower in list(self._followers):
            follower.stop()
