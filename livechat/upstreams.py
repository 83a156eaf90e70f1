# SPDX-License-Identifier: MIT
"""Makes the installed platforms, with what they get of the world: the client side of the daemon."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from random import Random
from typing import Any, Final

from msgspec.structs import replace
from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.web.client import Agent

from livechat.command_line import exit_with_usage_error
from livechat.fair import Demand
from livechat.metrics import Metrics
from livechat.model.events import add_event_kind
from livechat.options import Settings
from livechat.platforms.agent import BoundedPool
from livechat.platforms.budget import Gate, Limit
from livechat.platforms.description import PlatformContext, PlatformDescription, no_gate
from livechat.platforms.emotes.providers import Address, Providers
from livechat.platforms.fetch import WholeBody

#: Seconds to connect to a platform over HTTP.
CONNECT_TIMEOUT: Final = 10.0

#: Most idle connections kept open to one host.
MAX_KEPT_CONNECTIONS: Final = 64


class Upstreams:
    """What the platforms share.

    :ivar pool: the connections of their HTTP client.
    :ivar providers: of emotes.

    :param simulated: the simulator's addresses, in a demonstration.
    :param gate: who else must let a request begin.
    :param demand: how much the clients ask for.
    """

    def __init__(
        self,
        reactor: Any,
        random: Random,
        metrics: Metrics,
        settings: Settings,
        simulated: Any = None,
        gate: Callable[[str, str, Limit], Gate | None] = no_gate,
        demand: Demand | None = None,
    ) -> None:
        self.pool = BoundedPool(reactor)
        # All chats of a platform may ask one host once a second: they must find a connection open.
        self.pool.maxPersistentPerHost = MAX_KEPT_CONNECTIONS
        context = _context(reactor, self.pool, random, metrics, settings)
        context = replace(context, gate=gate, demand=demand)
        self.providers = Providers(context, emote_addresses(settings, simulated))
        self._context = replace(context, picture_sources=self.providers.sources)

    def make(
        self, descriptions: Mapping[str, PlatformDescription], settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The platforms, by name.

        :raises SystemExit: an option cannot be fulfilled; one line on stderr.
        """
        platforms: dict[str, Any] = {}
        for name, description in descriptions.items():
            try:
                platforms[name] = description.make(self._context, settings[name])
            except ValueError as error:
                exit_with_usage_error(str(error))
            for kind in description.event_kinds:
                add_event_kind(kind)
        return platforms


def emote_addresses(settings: Settings, simulated: Any = None) -> Sequence[Address]:
    """Where the wanted providers of emotes are; those without an address are left out.

    :param simulated: the simulator's addresses, in a demonstration.
    """
    where = simulated or settings
    known = [
        Address("7tv", where.seven_tv_url, where.seven_tv_events_url),
        Address("bttv", where.bttv_url, where.bttv_socket_url),
        Address("ffz", where.ffz_url),
    ]
    return [address for address in known if address.url and settings.asks(address.provider)]


def _context(
    reactor: Any, pool: BoundedPool, random: Random, metrics: Metrics, settings: Settings
) -> PlatformContext:
    """What every platform gets."""
    agent = Agent(reactor, connectTimeout=CONNECT_TIMEOUT, pool=pool)
    # What they send as cookies is their own business: none are kept or sent beside those.
    no_cookies = IndexableCookieJar(DefaultCookiePolicy(allowed_domains=()))
    return PlatformContext(
        clock=reactor,
        now=time.time,
        random=random,
        http=HTTPClient(agent, no_cookies, WholeBody),
        connect=_connector(reactor),
        endpoint=partial(clientFromString, reactor),
        metrics=metrics,
        start_timeout=settings.start_timeout,
        wait_poll=settings.wait_poll,
    )


def _connector(reactor: Any) -> Callable[[str, int, bool], IStreamClientEndpoint]:
    """Where the socket of a host and port is, with TLS or without."""

    def connect(host: str, port: int, tls: bool) -> IStreamClientEndpoint:
        endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
        return wrapClientTLS(optionsForClientTLS(host), endpoint) if tls else endpoint

    return connect
