# SPDX-License-Identifier: MIT
"""Twitch as an `IPlatform`: puts its parts together."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Requester
from livechat.model import error_catalogue
from livechat.model.events import ChannelKey
from livechat.platforms.budget import Claim
from livechat.platforms.description import PlatformContext
from livechat.platforms.enrichment.rooms import Rooms
from livechat.platforms.enrichment.sink import EnrichingSink
from livechat.platforms.failures import Failures
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.connection import ChatConnection, IConnectionOwner
from livechat.platforms.twitch.hermes import Hermes, hermes_place
from livechat.platforms.twitch.hermes_counts import HermesCounts
from livechat.platforms.twitch.identifier import HOSTS, login_of
from livechat.platforms.twitch.limits import (
    HISTORY,
    JOINS,
    LOGINS,
    LOOKS,
    LOOKUPS,
    PICTURES,
    PUSHES,
)
from livechat.platforms.twitch.live_poll import LivePoll
from livechat.platforms.twitch.lookup import ChannelStatus, Lookup
from livechat.platforms.twitch.pictures import TwitchPictures
from livechat.platforms.twitch.pool import Pool
from livechat.platforms.twitch.recent_messages import History
from livechat.platforms.twitch.settings import TwitchSettings
from livechat.platforms.twitch.upstream import ChannelUpstream, Shared
from livechat.platforms.watch import Watch


@implementer(IPlatform)
class Twitch(Service):
    """Twitch chat, read anonymously.

    :raises ValueError: the endpoint string of the IRC server is wrong.
    """

    name = "twitch"
    hosts = HOSTS
    looks = LOOKS

    def __init__(self, context: PlatformContext, settings: TwitchSettings) -> None:
        clock, metrics = context.clock, context.metrics
        self._context = context
        try:
            self._endpoint = context.endpoint(settings.irc)
        except ValueError as error:
            raise ValueError(f"--twitch-irc: {error}") from None
        self._steps = Steps(clock, metrics, self.name)
        self._logins = context.budget(LOGINS, self.name, "logins")
        lookups = context.budget(LOOKUPS, self.name, "lookups")
        counts = HermesCounts(metrics)
        pushes = context.budget(PUSHES, self.name, "pushes")
        place = hermes_place(settings.hermes_url, context, counts.connections, pushes)
        self._hermes = Hermes(place, context.now, metrics, counts, self._steps)
        self._lookup = Lookup(
            settings.gql_url, context.http, clock, metrics, lookups, self._hermes.learn
        )
        self._failures = Failures(clock, metrics, self.name)
        self._shared = Shared(
            clock=clock,
            now=context.now,
            new_id=self._new_id,
            metrics=metrics,
            steps=self._steps,
            settings=settings,
            lookup=self._lookup,
            joins=context.budget(JOINS, self.name, "joins"),
            history=History(
                settings.history_url,
                context.http,
                clock,
                context.now,
                metrics,
                context.budget(HISTORY, self.name, "history"),
            ),
        )
        self._pool = Pool(clock, self._steps, self._connection, self._shared.translate)
        self._poll = LivePoll(clock, self._steps, self._lookup, self._hermes, settings.live_poll)
        self._pictures = TwitchPictures(
            settings.gql_url,
            context.http,
            clock,
            context.random,
            metrics,
            context.budget(PICTURES, self.name, "pictures"),
            self._steps,
        )
        sources = [self._pictures, *context.picture_sources]
        self._rooms = Rooms(self.name, sources, self._steps)
        self._watches: dict[ChannelUpstream, tuple[Watch, EnrichingSink]] = {}

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a login, `@login` or the channel's URL."""
        if identifier_type != "username":
            raise error_catalogue.WRONG_IDENTIFIER_TYPE.error()
        return ChannelKey("twitch", "username", login_of(identifier))

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`."""
        return succeed(Located(key))

    def all_lives(self, key: ChannelKey) -> ChannelKey:
        """See `IPlatform`: a channel has one live."""
        return key

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """See `IPlatform`."""
        claim = Claim(self._context.clock, requester, first=False)
        looking = self._lookup.ask(key.identifier, claim)
        return looking.addCallback(_judged).addCallback(lambda _: Located(key))

    def listen(self, key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """See `IPlatform`: Hermes tells it, where it is asked."""
        return self._hermes.listen(key.identifier, lambda is_live: begun() if is_live else None)

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        upstream = ChannelUpstream(
            located.key.identifier, self._shared, self._pool, self._poll, self._closed
        )
        enriching = EnrichingSink(located.key.identifier, sink, self._rooms, self._steps)
        watch = Watch(
            located.key,
            upstream,
            enriching,
            requester,
            clock=self._context.clock,
            random=self._context.random,
            metrics=self._context.metrics,
            start_timeout=self._context.start_timeout,
        )
        self._watches[upstream] = watch, enriching
        return self._failures.watcher(located.key, watch)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for watch, _ in list(self._watches.values()):
            watch.stop()
        self._pool.stop()
        self._lookup.stop()
        self._hermes.stop()
        self._pictures.stop()

    def _closed(self, upstream: ChannelUpstream) -> None:
        _, enriching = self._watches.pop(upstream)
        enriching.close()

    def _connection(self, owner: IConnectionOwner, failures: int) -> ChatConnection:
        return ChatConnection(
            self._endpoint,
            owner,
            self._context.clock,
            self._context.random,
            self._context.metrics,
            self._logins,
            self._steps,
            failures,
        )

    def _new_id(self) -> str:
        return str(UUID(int=self._context.random.getrandbits(128), version=4))


def _judged(status: ChannelStatus) -> None:
    """What a look-up says of a channel that is waited for.

    :raises ChatError: it is not live, or that is not known.
    """
    if status.exists is False:
        raise error_catalogue.NOT_FOUND.error()
    if status.live is None:
        raise error_catalogue.UPSTREAM.error()
    if not status.live:
        raise error_catalogue.OFFLINE.error()
