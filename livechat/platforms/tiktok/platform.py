# SPDX-License-Identifier: MIT
"""TikTok as an `IPlatform`: what all watched rooms share, from the identity to the frame intake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Requester
from livechat.model import error_catalogue
from livechat.model.events import ChannelKey
from livechat.platforms.budget import Claim
from livechat.platforms.description import PlatformContext
from livechat.platforms.failures import Failures
from livechat.platforms.steps import Steps
from livechat.platforms.tiktok.identifier import HOSTS, SHORT_HOSTS, handle_of
from livechat.platforms.tiktok.identity import Identity
from livechat.platforms.tiktok.intake import Intake
from livechat.platforms.tiktok.last_comments import LastComments
from livechat.platforms.tiktok.limits import (
    ANONYMOUS_SIGNATURES,
    HANDSHAKES,
    LOOK_LOOKUPS,
    LOOKS,
    LOOKUPS,
    PAUSES,
    SIGNATURES,
)
from livechat.platforms.tiktok.links import link_of
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.parse.answers import Live, NotLive, error_for
from livechat.platforms.tiktok.refusals import Reason, Refused, refused, upstream_error
from livechat.platforms.tiktok.resolve import ShortLinks
from livechat.platforms.tiktok.settings import TikTokSettings
from livechat.platforms.tiktok.signer import DailyQuota, Signer
from livechat.platforms.tiktok.transports import Transports
from livechat.platforms.tiktok.upstream import RoomUpstream, Shared
from livechat.platforms.watch import Watch

#: Identifier type of a key that is a short link.
SHORT_LINK: Final = "shortLink"


@implementer(IPlatform)
class TikTok(Service):
    """TikTok LIVE, read anonymously.

    :ivar intake: what takes relays' connections; the daemon opens its port.
    """

    name = "tiktok"
    hosts = HOSTS | SHORT_HOSTS
    looks = LOOKS

    def __init__(self, context: PlatformContext, settings: TikTokSettings) -> None:
        clock, now, random = context.clock, context.now, context.random
        http, metrics = context.http, context.metrics
        self._context = context
        site = settings.url.rstrip("/")
        self._failures = Failures(clock, metrics, self.name)
        lookups = context.budget(LOOKUPS, self.name, "lookups")
        self._look_budget = context.budget(LOOK_LOOKUPS, self.name, "look_lookups")
        self._identity = Identity(site, http, clock, lookups)
        lookup = Lookup(
            site,
            settings.webcast_url.rstrip("/"),
            http,
            clock,
            now,
            self._identity,
            lambda name: metrics.count_unparsed("tiktok", name),
            lookups,
        )
        self._links = ShortLinks(lookup, clock, random, context.start_timeout)
        signer = None
        if settings.signer_url:
            own = urlsplit(settings.socket_url).hostname or ""
            signer = Signer(
                settings.signer_url.rstrip("/"),
                settings.signer_key,
                frozenset({own, *settings.socket_hosts}),
                http,
                clock,
                now,
                DailyQuota(settings.signer_budget, now, metrics),
                context.budget(
                    SIGNATURES if settings.signer_key else ANONYMOUS_SIGNATURES,
                    self.name,
                    "signatures",
                ),
            )
        connects = metrics.connects.labels("tiktok")
        transports = Transports(
            settings.transport,
            settings.socket_url,
            signer,
            self._identity,
            context.connect,
            clock,
            connects.inc,
            context.budget(HANDSHAKES, self.name, "handshakes"),
        )
        self._watches: dict[RoomUpstream, Watch] = {}
        self.intake = Intake(settings.intake_token, clock, self._relay_came)
        self._shared = Shared(
            clock,
            now,
            metrics,
            Steps(clock, metrics, self.name),
            lookup,
            transports,
            self.intake,
            context.tap,
            history=not settings.no_history,
            comments=LastComments(),
        )

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a handle, `@handle`, an address of the account, or a short link."""
        if identifier_type not in ("username", SHORT_LINK):
            raise error_catalogue.WRONG_IDENTIFIER_TYPE.error()
        link = link_of(identifier)
        if link is not None:
            return ChannelKey("tiktok", SHORT_LINK, link)
        return ChannelKey("tiktok", "username", handle_of(identifier))

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`: a short link means the account to which it leads."""
        if key.identifier_type != SHORT_LINK:
            return succeed(Located(key))
        finding = self._failures.guard(
            key, lambda: self._links.account(key.identifier, requester, queued)
        )
        return finding.addCallback(lambda handle: Located(ChannelKey("tiktok", "username", handle)))

    def all_lives(self, key: ChannelKey) -> ChannelKey:
        """See `IPlatform`: an account has one live."""
        return key

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """See `IPlatform`: what the first source says; others are asked where it is not clear."""
        claim = Claim(self._context.clock, requester, first=False, is_look=True)
        lookup = self._shared.lookup.claimed_by(claim, self._look_budget)
        return Deferred.fromCoroutine(self._look(key, lookup))

    async def _look(self, key: ChannelKey, lookup: Lookup) -> Located:
        handle: str | Refused = key.identifier
        if key.identifier_type == SHORT_LINK:
            handle = await lookup.account_of_link(key.identifier)
        if isinstance(handle, Refused):
            raise error_for(handle)
        located = Located(ChannelKey(self.name, "username", handle))
        if self.intake.relayed(handle) is not None:
            return located
        answer = await lookup.account(handle)
        if not isinstance(answer, Live | NotLive):
            answer = await lookup.find(handle)
        if isinstance(answer, Live):
            return located
        raise error_for(answer)

    def listen(self, key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """See `IPlatform`: nothing is told."""
        return lambda: None

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        context, key = self._context, located.key
        upstream = RoomUpstream(key.identifier, self._shared, self._forget)
        watch = Watch(
            key,
            upstream,
            sink,
            requester,
            clock=context.clock,
            random=context.random,
            metrics=context.metrics,
            start_timeout=context.start_timeout,
            pauses=PAUSES,
            no_answer=upstream_error(refused(Reason.UPSTREAM, "no answer in time")),
            steps=self._shared.steps,
        )
        self._watches[upstream] = watch
        return self._failures.watcher(key, watch)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for watch in list(self._watches.values()):
            watch.stop()
        self._links.stop()
        self._identity.stop()
        self.intake.stop()

    def _forget(self, upstream: RoomUpstream) -> None:
        del self._watches[upstream]

    def _relay_came(self, handle: str) -> None:
        for upstream, watch in list(self._watches.items()):
            if upstream.handle == handle:
                upstream.relay_came(watch)
