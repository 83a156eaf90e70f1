# SPDX-License-Identifier: MIT
"""The composition root: from options to a running daemon.  The only module that takes the reactor.

Everything that touches the world is made here and handed in: clock, wall time, HTTP client,
endpoints, randomness.  The clock of all timers is the machine's monotonic one; wall time only dates
messages.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from random import SystemRandom
from typing import Any, Final

from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.web.client import Agent

from livechat.brokers.local import LocalBroker
from livechat.command_line import Options, wrong
from livechat.core.channel import Services
from livechat.core.channel_log import ChannelLog
from livechat.core.hub import Hub
from livechat.core.limits import StartLimit
from livechat.core.ports import IPlatform, IStatsStore, ISubscriber
from livechat.core.session import Quotas, Session
from livechat.daemon import Daemon, health
from livechat.descriptors import UNLIMITED, raise_limit, share
from livechat.listening import ListenError, Listening
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.options import Settings, Unset
from livechat.platforms.agent import BoundedPool
from livechat.platforms.fetch import WholeBody
from livechat.platforms.tiktok.watcher import TikTok, TikTokSettings
from livechat.platforms.twitch.watcher import Twitch, TwitchSettings
from livechat.platforms.youtube.watcher import YouTube, YouTubeSettings
from livechat.redis.address import RedisAddress
from livechat.signals import Signals
from livechat.simulator.service import makeSimulator
from livechat.statistics.memory import MemoryStats
from livechat.transports.http import Pages, make_site
from livechat.transports.http_or_websocket import Doors
from livechat.transports.websocket import ClientFactory, Limits
from livechat.web_files import web_directory

__all__ = ["Options", "makeService"]

_log = Logger()

#: Seconds' worth of commands that a client may send at once.
BURST: Final = 6.4

#: Seconds to connect to a platform over HTTP.
CONNECT_TIMEOUT: Final = 10.0

#: Most idle connections kept open to one host.
MAX_KEPT_CONNECTIONS: Final = 64


def makeService(options: Options) -> IService:
    """The daemon for `twistd livechat`.

    :raises SystemExit: an option cannot be fulfilled; one line on stderr.
    """
    # Importing it installs it, so that is left to the one who runs the service.
    from twisted.internet import reactor  # noqa: PLC0415

    for line in options.warnings():
        sys.stderr.write(f"livechat: warning: {line}\n")
    use_monotonic_clock(reactor)
    daemon = build(reactor, options.settings, raise_limit(reactor))
    Signals(reactor, daemon.reload, daemon.hurry).install()
    return daemon


def use_monotonic_clock(reactor: Any) -> None:
    """Let a reactor's timers run by a clock that nobody sets.

    Twisted's follow the wall clock: after it was set back an hour nothing would happen for an hour
    (Twisted issue 2424).  To be called before the first timer is made.
    """
    reactor.seconds = time.monotonic


def build(reactor: Any, settings: Settings, descriptors: int = UNLIMITED) -> Daemon:
    """The daemon on a reactor, with its ports open.

    :param descriptors: how many files and connections the process may have open.

    :raises SystemExit: an option cannot be fulfilled; one line on stderr.
    """
    services: list[Service] = []
    twitch_settings = TwitchSettings(
        gql_url=settings.twitch_gql_url,
        require_live=settings.twitch_require_live,
        start_timeout=settings.start_timeout,
        live_poll=settings.twitch_live_poll,
        offline_grace=settings.twitch_offline_grace,
    )
    twitch_irc = settings.twitch_irc
    tiktok_settings = _tiktok_settings(settings)
    youtube_url = settings.youtube_url
    if settings.demo:
        simulator = makeSimulator(reactor, time.time, settings.demo_seed, settings.demo_rate)
        addresses = simulator.listen()
        services.append(simulator)
        twitch_irc = addresses.twitch_irc
        youtube_url = addresses.youtube_url
        # A demonstration shows every outcome: channels that are not live, and ones that end.
        twitch_settings = TwitchSettings(
            gql_url=addresses.twitch_gql_url,
            require_live=True,
            start_timeout=settings.start_timeout,
            live_poll=1.0,
            offline_grace=0.0,
        )
        tiktok_settings = TikTokSettings(
            url=addresses.tiktok_url,
            webcast_url=addresses.tiktok_url,
            socket_url=addresses.tiktok_socket_url,
            history=tiktok_settings.history,
            start_timeout=settings.start_timeout,
            intake_token=tiktok_settings.intake_token,
        )
    metrics = Metrics()
    pool = BoundedPool(reactor)
    # Every YouTube chat asks the same host about once a second: it must find a connection open.
    pool.maxPersistentPerHost = MAX_KEPT_CONNECTIONS
    agent = Agent(reactor, connectTimeout=CONNECT_TIMEOUT, pool=pool)
    http = HTTPClient(agent, data_to_body_producer=WholeBody)
    # What they send as cookies is their own business: none are kept or sent beside those.
    no_cookies = IndexableCookieJar(DefaultCookiePolicy(allowed_domains=()))
    cookieless = HTTPClient(agent, no_cookies, WholeBody)
    random = SystemRandom()
    try:
        irc_endpoint = clientFromString(reactor, twitch_irc)
    except ValueError as error:
        wrong(f"--twitch-irc: {error}")
    twitch = Twitch(irc_endpoint, http, reactor, time.time, random, metrics, twitch_settings)
    tiktok = TikTok(
        cookieless,
        _connector(reactor),
        reactor,
        time.time,
        random,
        metrics,
        tiktok_settings,
    )
    youtube_settings = YouTubeSettings(
        youtube_url, settings.start_timeout, settings.youtube_viewers_every
    )
    youtube = YouTube(cookieless, reactor, time.time, random, metrics, youtube_settings)
    store, kept = _statistics(reactor, settings, metrics)
    services.extend(kept)
    channel_services = Services(
        clock=reactor,
        broker=LocalBroker(reactor, random),
        store=store,
        metrics=metrics,
        log=ChannelLog(reactor),
        stats_limit=settings.stats_top,
        coalesce=settings.coalesce / 1000,
    )
    hub = Hub(
        channel_services,
        linger=settings.linger,
        max_channels=settings.max_channels,
        starts=StartLimit(
            reactor.seconds,
            settings.max_starts_per_address,
            counts_private=not isinstance(settings.max_starts_per_address, Unset),
        ),
    )
    platforms: dict[str, IPlatform] = {"tiktok": tiktok, "twitch": twitch, "youtube": youtube}
    fit = share(descriptors, settings.max_channels)
    clients = _clients(reactor, settings, metrics, hub, platforms, fit.clients)
    pages = Pages(
        lambda: health(hub, clients, store),
        lambda: not clients.draining,
        metrics,
        web_directory(),
        partial(_read_stats, hub, platforms),
    )
    site = make_site(pages, clients.origins)
    doors = Doors(clients, site, reactor, clients.limits.handshake, fit.connections)
    listening = Listening(reactor)
    try:
        for description in settings.listen:
            listening.open(description, doors)
        if not settings.listen:
            listening.open_everywhere(settings.port, doors)
        if settings.tiktok_intake:
            listening.open(settings.tiktok_intake, tiktok.intake, "TikTok intake")
    except ListenError as error:
        wrong(str(error))
    return Daemon(reactor, hub, clients, [*services, tiktok, twitch, youtube], pool, listening)


def _clients(
    reactor: Any,
    settings: Settings,
    metrics: Metrics,
    hub: Hub,
    platforms: Mapping[str, IPlatform],
    fitting: int,
) -> ClientFactory:
    """The factory of WebSocket connections.

    :param fitting: how many file descriptors clients may have.
    """
    burst = max(4, round(BURST * settings.command_rate))
    quotas = Quotas(settings.max_chats, settings.command_rate, burst)
    limits = Limits(
        message=settings.max_message,
        pending=settings.max_pending,
        connections=most_clients(settings.max_clients, fitting),
        per_address=settings.max_clients_per_address,
        trusted_proxies=settings.trusted_proxies,
        origins=settings.origins,
        compression=not settings.no_compression,
        # Twice what commands alone would need, and room for any one message.
        frames_per_second=max(100.0, 2 * settings.command_rate),
        frames_burst=max(256.0, 4 * burst, settings.max_message / 1024),
    )

    def make_session(subscriber: ISubscriber) -> Session:
        return Session(subscriber, hub, platforms, quotas, reactor, metrics)

    return ClientFactory(reactor, limits, metrics, make_session)


def most_clients(wanted: int, fitting: int) -> int:
    """How many clients are let in: as many as were asked for (0: as many as fit), if they fit."""
    if wanted > fitting:
        _log.warn(
            "--max-clients {wanted} is more than the limit of open files lets in: {fitting} it is",
            wanted=wanted,
            fitting=fitting,
        )
    return min(wanted or fitting, fitting)


def _read_stats(
    hub: Hub,
    platforms: Mapping[str, IPlatform],
    platform: str,
    identifier: str,
    identifier_type: str,
) -> Deferred[bytes]:
    if platform not in platforms:
        raise ChatError(ErrorCode.UNSUPPORTED_PLATFORM, "Platform not supported")
    return hub.read_stats(platforms[platform].key(identifier, identifier_type))


def _tiktok_settings(settings: Settings) -> TikTokSettings:
    if settings.tiktok_transport == "signer" and not settings.tiktok_signer_url:
        wrong("--tiktok-transport=signer needs --tiktok-signer-url")
    if settings.tiktok_intake and not settings.tiktok_intake_token:
        wrong("--tiktok-intake needs --tiktok-intake-token")
    return TikTokSettings(
        url=settings.tiktok_url,
        webcast_url=settings.tiktok_webcast_url,
        socket_url=settings.tiktok_socket_url,
        transport=settings.tiktok_transport,
        signer_url=settings.tiktok_signer_url,
        signer_key=settings.tiktok_signer_key,
        signer_budget=settings.tiktok_signer_budget,
        socket_hosts=settings.tiktok_socket_hosts,
        history=not settings.tiktok_no_history,
        start_timeout=settings.start_timeout,
        intake_token=settings.tiktok_intake_token,
    )


def _connector(reactor: Any) -> Callable[[str, int, bool], IStreamClientEndpoint]:
    """Where the socket of a host and port is, with TLS or without."""

    def connect(host: str, port: int, tls: bool) -> IStreamClientEndpoint:
        endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
        return wrapClientTLS(optionsForClientTLS(host), endpoint) if tls else endpoint

    return connect


def _statistics(
    reactor: Any, settings: Settings, metrics: Metrics
) -> tuple[IStatsStore, list[Service]]:
    """Where statistics are kept, and the service behind it, if there is one."""
    if settings.stats_storage != "redis":
        return MemoryStats(settings.stats_users, time.time), []
    # Importing these installs a reactor; here it is installed already.
    from livechat.redis.connection import endpoint_of  # noqa: PLC0415
    from livechat.redis.link import RedisLink  # noqa: PLC0415
    from livechat.statistics.redis_layout import PROBES, longest_reply  # noqa: PLC0415
    from livechat.statistics.redis_stats import RedisStats  # noqa: PLC0415

    address = RedisAddress.parse(settings.redis_url)
    random = SystemRandom()
    link = RedisLink(
        address,
        endpoint_of(reactor, address),
        reactor,
        random,
        PROBES,
        longest_reply(settings.stats_users),
    )
    store = RedisStats(
        link, reactor, time.time, f"{random.getrandbits(64):016x}", settings.stats_users
    )
    metrics.watch_redis(lambda: store.storage_type == "redis")
    return store, [store]
