# SPDX-License-Identifier: MIT
"""The composition root: from options to a running daemon.  The only room that takes the reactor.

Everything that touches the world is made here and handed in: clock, wall time, HTTP client,
endpoints, randomness.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from random import SystemRandom
from typing import Any, Final

from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    clientFromString,
    serverFromString,
    wrapClientTLS,
)
from twisted.internet.interfaces import (
    IListeningPort,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool

from livechat.brokers.local import LocalBroker
from livechat.core.hub import Hub
from livechat.core.ports import IPlatform, IStatsStore, ISubscriber
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.options import Options, Settings, wrong
from livechat.pacing import sleep
from livechat.platforms.fetch import WholeBody
from livechat.platforms.tiktok.watcher import TikTok, TikTokSettings
from livechat.platforms.twitch.watcher import Twitch, TwitchSettings
from livechat.platforms.youtube.watcher import YouTube, YouTubeSettings
from livechat.simulator.service import makeSimulator
from livechat.statistics.memory import MemoryStats
from livechat.transports.direct import prepare_port
from livechat.transports.http import Pages, make_site
from livechat.transports.http_or_websocket import Doors
from livechat.transports.websocket import ClientFactory, Limits
from livechat.transports.writers import BestWriter
from livechat.web_files import web_directory

__all__ = ["Options", "makeService"]

_log = Logger()

#: Seconds that clients have to close when we stop; the whole stop stays below ten.
DRAIN: Final = 5.0

#: Seconds that each part then has to stop.
STOP: Final = 1.5

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

    return build(reactor, options.settings)


def build(reactor: Any, settings: Settings) -> IService:
    """The daemon on a reactor.

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
    pool = HTTPConnectionPool(reactor)
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
        _intake(reactor, settings),
    )
    youtube_settings = YouTubeSettings(
        youtube_url, settings.start_timeout, settings.youtube_viewers_every
    )
    youtube = YouTube(cookieless, reactor, time.time, random, metrics, youtube_settings)
    store, kept = _statistics(reactor, settings, metrics)
    services.extend(kept)
    hub = Hub(
        reactor,
        LocalBroker(reactor),
        store,
        BestWriter(),
        metrics,
        linger=settings.linger,
        stats_limit=settings.stats_top,
        max_channels=settings.max_channels,
    )
    return Daemon(
        reactor,
        hub,
        store,
        {"tiktok": tiktok, "twitch": twitch, "youtube": youtube},
        [*services, tiktok, twitch, youtube],
        settings,
        metrics,
        pool,
        _endpoints(reactor, settings),
    )


def _tiktok_settings(settings: Settings) -> TikTokSettings:
    if settings.tiktok_transport == "signer" and not settings.tiktok_signer_url:
        wrong("--tiktok-transport=signer needs --tiktok-signer-url")
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


def _intake(reactor: Any, settings: Settings) -> IStreamServerEndpoint | None:
    if not settings.tiktok_intake:
        return None
    if not settings.tiktok_intake_token:
        wrong("--tiktok-intake needs --tiktok-intake-token")
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, settings.tiktok_intake)
        return endpoint
    except (ValueError, LookupError, OSError) as error:
        wrong(f"--tiktok-intake {settings.tiktok_intake}: {error}")


def _statistics(
    reactor: Any, settings: Settings, metrics: Metrics
) -> tuple[IStatsStore, list[Service]]:
    """Where statistics are kept, and the service behind it, if there is one."""
    if settings.stats_storage != "redis":
        return MemoryStats(settings.stats_users, time.time), []
    # Importing these installs a reactor; here it is installed already.
    from livechat.statistics.redis_layout import RedisAddress  # noqa: PLC0415
    from livechat.statistics.redis_link import CONNECT_TIMEOUT as PATIENCE  # noqa: PLC0415
    from livechat.statistics.redis_link import RedisLink  # noqa: PLC0415
    from livechat.statistics.redis_stats import RedisStats  # noqa: PLC0415

    try:
        address = RedisAddress.parse(settings.redis_url)
    except ValueError as error:
        wrong(f"--redis-url: {error}")
    endpoint: IStreamClientEndpoint = HostnameEndpoint(
        reactor, address.host, address.port, timeout=PATIENCE
    )
    if address.tls:
        endpoint = wrapClientTLS(optionsForClientTLS(address.host), endpoint)
    random = SystemRandom()
    store = RedisStats(
        lambda *told: RedisLink(address, endpoint, reactor, random, *told),
        reactor,
        time.time,
        f"{random.getrandbits(64):016x}",
        settings.stats_users,
    )
    metrics.watch_redis(lambda: store.storage_type == "redis")
    return store, [store]


def _endpoints(reactor: Any, settings: Settings) -> list[tuple[str, IStreamServerEndpoint]]:
    descriptions = settings.listen or (f"tcp:{settings.port}",)
    endpoints = []
    for description in descriptions:
        try:
            endpoints.append((description, serverFromString(reactor, description)))
        except (ValueError, LookupError, OSError) as error:
            wrong(f"--listen {description}: {error}")
    return endpoints


class Daemon(Service):
    """Everything that runs, and the order in which it starts and stops."""

    def __init__(
        self,
        reactor: Any,
        hub: Hub,
        store: IStatsStore,
        platforms: Mapping[str, IPlatform],
        services: Sequence[Service],
        settings: Settings,
        metrics: Metrics,
        pool: HTTPConnectionPool,
        endpoints: Sequence[tuple[str, IStreamServerEndpoint]],
    ) -> None:
        self._reactor = reactor
        self._hub = hub
        self._services = MultiService()
        for service in services:
            service.setServiceParent(self._services)
        self._pool = pool
        self._endpoints = endpoints
        self._ports: list[IListeningPort] = []
        burst = max(4, round(BURST * settings.command_rate))
        quotas = Quotas(settings.max_chats, settings.command_rate, burst)
        limits = Limits(
            message=settings.max_message,
            pending=settings.max_pending,
            connections=settings.max_clients,
            origins=settings.origins,
            compression=not settings.no_compression,
            # Twice what commands alone would need, and room for any one message.
            frames_per_second=max(100.0, 2 * settings.command_rate),
            frames_burst=max(512.0, 4 * burst, settings.max_message / 1024),
        )

        def make_session(subscriber: ISubscriber) -> Session:
            return Session(subscriber, hub, platforms, quotas, reactor, metrics)

        self._clients = ClientFactory(reactor, limits, metrics, make_session)

        def read_stats(platform: str, identifier: str, identifier_type: str) -> Deferred[bytes]:
            if platform not in platforms:
                raise ChatError(ErrorCode.UNSUPPORTED_PLATFORM, "Platform not supported")
            return hub.read_stats(platforms[platform].key(identifier, identifier_type))

        site = make_site(Pages(self._health, self._ready, metrics, web_directory(), read_stats))
        self._doors = Doors(self._clients, site, reactor, limits.handshake)
        self._store = store

    def privilegedStartService(self) -> None:
        """Listen, before privileges are shed.

        :raises SystemExit: a port cannot be had; one line on stderr.
        """
        super().privilegedStartService()
        failures: list[tuple[str, Failure]] = []
        for description, endpoint in self._endpoints:
            endpoint.listen(self._doors).addCallbacks(
                self._listening,
                lambda reason, description=description: failures.append((description, reason)),
            )
        # Twisted's server endpoints answer at once.
        for description, reason in failures:
            wrong(f"cannot listen on {description}: {reason.getErrorMessage()}")

    def startService(self) -> None:
        """Start the platforms."""
        super().startService()
        self._services.startService()

    def stopService(self) -> Deferred[None]:
        """Take no new clients, close every one with 1001, store statistics, leave the platforms."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        # The port stays open meanwhile, so that `/ready` can say no and upgrades be refused.
        self._hub.flush()
        await self._clients.drain(DRAIN)
        for port in self._ports:
            port.stopListening()
        await self._patiently(self._hub.shutdown())
        await self._patiently(self._services.stopService())
        await self._patiently(self._pool.closeCachedConnections())
        # Connections that were told to close get one turn to do so.
        await sleep(self._reactor, 0)
        _log.info("stopped")

    def _patiently(self, stopping: Deferred[Any] | None) -> Deferred[Any]:
        """Wait for a part to stop, yet not for ever: the process must end."""
        stopped = maybeDeferred(lambda: stopping).addTimeout(STOP, self._reactor)
        return stopped.addErrback(lambda reason: _log.failure("a part did not stop", reason))

    def _listening(self, port: IListeningPort) -> None:
        prepare_port(port)
        self._ports.append(port)
        host = port.getHost()
        number = getattr(host, "port", None)
        _log.info(
            "listening on {where}; open http://localhost:{port}/test"
            if number
            else "listening on {where}",
            where=host,
            port=number,
        )

    def _health(self) -> dict[str, object]:
        return {
            "status": "ok",
            "activeStreams": self._hub.active_streams,
            "clients": self._clients.clients,
            "storage": self._store.storage_type,
            **self._store.health,
            "version": _version(),
        }

    def _ready(self) -> bool:
        return not self._clients.draining


def _version() -> str:
    try:
        return version("livechat")
    except PackageNotFoundError:
        return "unknown"
