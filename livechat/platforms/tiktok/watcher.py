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
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.description import PlatformContext
from livechat.platforms.failures import Failures
from livechat.platforms.steps import Steps
from livechat.platforms.tiktok.connection import IFeed, IRoom
from livechat.platforms.tiktok.identifier import HOSTS, SHORT_HOSTS, handle_of
from livechat.platforms.tiktok.identity import Identity
from livechat.platforms.tiktok.intake import Intake
from livechat.platforms.tiktok.limits import (
    ANONYMOUS_SIGNATURES,
    HANDSHAKES,
    LOOKUPS,
    SIGNATURES,
)
from livechat.platforms.tiktok.links import link_of
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.presence import Presence
from livechat.platforms.tiktok.resolve import ShortLinks
from livechat.platforms.tiktok.room import Live
from livechat.platforms.tiktok.settings import TikTokSettings
from livechat.platforms.tiktok.signer import DailyQuota, Signer
from livechat.platforms.tiktok.transports import Transports

#: Identifier type of a key that is a short link.
SHORT_LINK: Final = "shortLink"


@implementer(IPlatform)
class TikTok(Service):
    """TikTok LIVE, read anonymously.

    :ivar intake: what takes relays' connections; the daemon opens its port.
    """

    name = "tiktok"
    hosts = HOSTS | SHORT_HOSTS

    def __init__(self, context: PlatformContext, settings: TikTokSettings) -> None:
        clock, now, random = context.clock, context.now, context.random
        http, metrics = context.http, context.metrics
        self.clock = clock
        self.random = random
        self.start_timeout = context.start_timeout
        self.history = not settings.no_history
        self.steps = Steps(clock, metrics, self.name)
        self._now = now
        self._metrics = metrics
        site = settings.url.rstrip("/")
        self._failures = Failures(clock, metrics, self.name)
        lookups = Budget(clock, LOOKUPS, metrics, self.name, "lookups")
        self._identity = Identity(site, http, clock, lookups)
        self.lookup = Lookup(
            site,
            settings.webcast_url.rstrip("/"),
            http,
            clock,
            now,
            self._identity,
            lambda name: metrics.count_unparsed("tiktok", name),
            lookups,
        )
        self._links = ShortLinks(self.lookup, clock, random, context.start_timeout)
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
                Budget(
                    clock,
                    SIGNATURES if settings.signer_key else ANONYMOUS_SIGNATURES,
                    metrics,
                    self.name,
                    "signatures",
                ),
            )
        connects = metrics.connects.labels("tiktok")
        self._transports = Transports(
            settings.transport,
            settings.socket_url,
            signer,
            self._identity,
            context.connect,
            clock,
            connects.inc,
            Budget(clock, HANDSHAKES, metrics, self.name, "handshakes"),
        )
        self._presences: dict[Presence, None] = {}
        self.intake = Intake(settings.intake_token, clock, self._relay_came)

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a handle, `@handle`, an address of the account, or a short link."""
        if identifier_type not in ("username", SHORT_LINK):
            raise ChatError(
                ErrorCode.INVALID_IDENTIFIER,
                "TikTok accounts are found by username only",
                "identifierType",
            )
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

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        key = located.key
        presence = Presence(self, key.identifier, sink, requester)
        return self._failures.watcher(key, presence)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for presence in list(self._presences):
            presence.stop()
        self._links.stop()
        self._identity.stop()
        self.intake.stop()

    # What presences ask for (`IOwner`).

    def enter(self, presence: Presence) -> None:
        """See `IOwner`."""
        self._presences[presence] = None

    def leave(self, presence: Presence) -> None:
        """See `IOwner`."""
        self._presences.pop(presence, None)

    def relayed(self, handle: str) -> Live | None:
        """See `IOwner`."""
        return self.intake.relayed(handle)

    def relay(self, handle: str, room: IRoom) -> IFeed | None:
        """See `IOwner`."""
        return self.intake.relay(handle, room)

    def open(self, room_id: str, room: IRoom, claim: Claim) -> Deferred[IFeed]:
        """See `IOwner`."""
        return Deferred.fromCoroutine(self._transports.open(room_id, room, claim))

    def milliseconds(self) -> int:
        """See `IOwner`."""
        return int(self._now() * 1000)

    def count_unparsed(self, names: dict[str, int]) -> None:
        """See `IOwner`."""
        for name, amount in names.items():
            self._metrics.count_unparsed("tiktok", name, amount)

    def count_ignored(self, names: dict[str, int]) -> None:
        """See `IOwner`."""
        for name, amount in names.items():
            self._metrics.count_ignored("tiktok", name, amount)

    def _relay_came(self, handle: str) -> None:
        for presence in list(self._presences):
            if presence.handle == handle:
                presence.relay_came()
