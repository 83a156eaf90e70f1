# SPDX-License-Identifier: MIT
"""The composition root: from options to a running daemon.  The only module that takes the reactor.

Everything that touches the world is made here and handed in: clock, wall time, HTTP client,
endpoints, randomness.  The clock of all timers is the machine's monotonic one; wall time only dates
messages.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from random import SystemRandom
from typing import Any, Final

from msgspec import structs
from twisted.application.service import IService, Service
from twisted.logger import Logger

from livechat.access import Access
from livechat.command_line import DaemonOptions, Options, exit_with_usage_error, own_version
from livechat.contract.documents import documents
from livechat.core.channel_log import ChannelLog
from livechat.core.channel_reader import ChannelReader
from livechat.core.hub import Hub
from livechat.core.limits import StartLimit
from livechat.core.look_pace import LookPace
from livechat.core.ports import IPlatform, ISubscriber
from livechat.core.services import Services
from livechat.core.session import Quotas, Session
from livechat.core.turns import Turns
from livechat.daemon import Daemon, health
from livechat.descriptors import UNLIMITED, raise_limit, share
from livechat.event_loop import LagMeter
from livechat.fair import Demand
from livechat.history.memory import MemoryHistory
from livechat.listening import ListenError
from livechat.logs import log_output, say_warnings
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey
from livechat.options import Chosen, Settings, Unset
from livechat.platforms.description import PlatformDescription, for_pages
from livechat.serving import admin_port, open_ports, public_port
from livechat.sharing import shared
from livechat.signals import Signals
from livechat.surroundings import Surroundings
from livechat.systemd import Notifier
from livechat.transports.client_registry import ClientRegistry, Limits
from livechat.transports.http import Pages
from livechat.upstreams import Upstreams
from livechat.web_files import web_directory

__all__ = ["Options", "makeService"]

_log = Logger()

#: Seconds' worth of commands that a client may send at once.
BURST: Final = 6.4


def makeService(options: DaemonOptions) -> IService:
    """The daemon for `twistd livechat`.

    :raises SystemExit: an option cannot be fulfilled; one line on stderr.
    """
    # Importing it installs it, so that is left to the one who runs the service.
    from twisted.internet import reactor  # noqa: PLC0415

    say_warnings(options)
    use_monotonic_clock(reactor)
    if options.chosen.daemon.workers > 1:
        # Only where it is wanted.
        from livechat.workers.start import supervisor  # noqa: PLC0415

        raise_limit(reactor)
        several = supervisor(reactor, options)
        several.log_output = log_output(reactor, options, lambda: None)
        Signals(reactor, several.reload, several.hurry).install()
        return several
    daemon = build(reactor, options.platforms, options.chosen, raise_limit(reactor))
    daemon.log_output = log_output(reactor, options, daemon.metrics.log_lines_left_out.inc)
    Signals(reactor, daemon.reload, daemon.hurry).install()
    return daemon


def worker(reactor: Any, words: Sequence[str], node: str, surroundings: Surroundings) -> Daemon:
    """The daemon as one of several workers.

    :param words: its options, as on the command line.
    :raises SystemExit: an option cannot be fulfilled; one line on stderr.
    """
    options = Options()
    options.parseOptions(words)
    use_monotonic_clock(reactor)
    own = structs.replace(options.chosen.daemon, node=node)
    chosen = structs.replace(options.chosen, daemon=own)
    daemon = build(reactor, options.platforms, chosen, raise_limit(reactor), surroundings)
    Signals(reactor, daemon.reload, daemon.hurry).install()
    return daemon


def use_monotonic_clock(reactor: Any) -> None:
    """Let a reactor's timers run by a clock that nobody sets.

    Twisted's follow the wall clock: after it was set back an hour nothing would happen for an hour
    (Twisted issue 2424).  To be called before the first timer is made.
    """
    reactor.seconds = time.monotonic


def build(
    reactor: Any,
    descriptions: Mapping[str, PlatformDescription],
    chosen: Chosen,
    descriptors: int = UNLIMITED,
    surroundings: Surroundings | None = None,
) -> Daemon:
    """The daemon on a reactor, with its ports open.

    :param descriptors: how many files and connections the process may have open.
    :param surroundings: what is somebody else's; None: it is alone.

    :raises SystemExit: an option cannot be fulfilled; one line on stderr.
    """
    settings = chosen.daemon
    surroundings = surroundings or Surroundings()
    services: list[Service] = []
    platform_settings = dict(chosen.platforms)
    addresses = None
    pictures = ""
    if settings.demo:
        simulator, addresses = _simulator(reactor, settings)
        services.append(simulator)
        pictures = addresses.pictures_url
        for name, description in descriptions.items():
            if description.demo is not None:
                platform_settings[name] = description.demo(platform_settings[name], addresses)
    metrics = Metrics()
    random = SystemRandom()
    demand = Demand()
    gate = surroundings.gate
    upstreams = Upstreams(reactor, random, metrics, settings, addresses, gate, demand)
    platforms = upstreams.make(descriptions, platform_settings)
    history = MemoryHistory(
        reactor, settings.history_size, settings.history_ttl, settings.history_memory
    )
    services.append(history)
    node = partial(_node, settings)
    store, broker, kept = shared(reactor, settings, metrics, history, node())
    services.extend(kept)
    channel_services = Services(
        clock=reactor,
        now=time.time,
        broker=broker,
        history=history,
        turns=Turns(reactor),
        store=store,
        metrics=metrics,
        log=ChannelLog(reactor, metrics),
        stats_limit=settings.stats_top,
        coalesce=settings.coalesce / 1000,
        node=node,
        demand=demand,
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
        pace=LookPace(random, settings.wait_poll),
    )
    broker.invited = partial(_invited, hub, platforms)
    fit = share(descriptors, settings.max_channels)
    try:
        access = Access(settings.tokens)
    except ValueError as error:
        exit_with_usage_error(f"--tokens {error}")
    clients = _clients(reactor, settings, metrics, hub, platforms, fit.clients, access)
    pages = Pages(
        lambda: health(node(), hub, clients, store, broker),
        lambda: not clients.draining,
        surroundings.joined("metrics", metrics.exposition),
        web_directory(),
        ChannelReader(hub, platforms),
        for_pages(descriptions, {name: one.hosts for name, one in platforms.items()}, pictures),
        documents(),
        access,
        clients.addresses,
        pictures,
        surroundings.joined("channels", hub.overview),
    )
    resource = pages.app.resource()
    listening = surroundings.listening(reactor)
    apart = bool(settings.admin_listen) or listening.has_admin
    public = public_port(reactor, clients, resource, fit.connections, apart=apart)
    try:
        open_ports(
            listening,
            settings,
            public,
            admin_port(reactor, clients, resource),
            [
                port
                for name, described in descriptions.items()
                for port in described.ports(platforms[name], platform_settings[name])
            ],
        )
    except ListenError as error:
        exit_with_usage_error(str(error))
    metrics.describe_build(
        version=own_version(), python=sys.version.split()[0], twisted=version("twisted")
    )
    metrics.watch_upstreams(hub.upstreams, platforms)
    metrics.watch_pending(lambda: sum(client.pending for client in clients.clients))
    notifier = Notifier.of(
        reactor,
        os.environ,
        os.getpid(),
        lambda: f"{hub.active_streams} chats, {len(clients)} clients",
    )
    parts = [
        *services,
        upstreams.providers,
        LagMeter(reactor, metrics.loop_lag),
        *platforms.values(),
    ]
    unread = public.waiting.__len__
    spread = settings.drain_seconds
    return Daemon(
        reactor,
        hub,
        broker,
        clients,
        parts,
        upstreams.pool,
        listening,
        notifier,
        access,
        unread,
        spread,
    )


def _node(settings: Settings) -> str:
    """What names this node: by default the machine and the process."""
    return settings.node or f"{socket.gethostname()}:{os.getpid()}"


def _invited(hub: Hub, platforms: Mapping[str, IPlatform], key: ChannelKey) -> None:
    """Another node wants to hand over a channel; one of a platform that is not here it keeps."""
    if key.platform in platforms:
        hub.invite(platforms[key.platform], key)


def _clients(
    reactor: Any,
    settings: Settings,
    metrics: Metrics,
    hub: Hub,
    platforms: Mapping[str, IPlatform],
    fitting: int,
    access: Access,
) -> ClientRegistry:
    """The registry of the clients of all transports.

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

    return ClientRegistry(reactor, limits, metrics, make_session, access)


def most_clients(wanted: int, fitting: int) -> int:
    """How many clients are let in: as many as were asked for (0: as many as fit), if they fit."""
    if wanted > fitting:
        _log.warn(
            "--max-clients {wanted} is more than the limit of open files lets in: {fitting} it is",
            wanted=wanted,
            fitting=fitting,
        )
    return min(wanted or fitting, fitting)


def _simulator(reactor: Any, settings: Settings) -> tuple[Service, Any]:
    """The built-in simulator, and where its platforms are."""
    # Only a demonstration needs it.
    from livechat.simulator.service import makeSimulator  # noqa: PLC0415

    simulator = makeSimulator(reactor, time.time, settings.demo_seed, settings.demo_rate)
    return simulator, simulator.listen()
