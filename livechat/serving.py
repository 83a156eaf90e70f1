# SPDX-License-Identifier: MIT
"""Which ports there are, and what is served on each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from twisted.web.resource import IResource

from livechat.listening import Listening
from livechat.options import Settings
from livechat.platforms.description import Port
from livechat.transports.client_registry import ClientRegistry
from livechat.transports.http_or_websocket import PortFactory
from livechat.transports.origins import Origins
from livechat.transports.site import ADMIN_PATHS, OPERATORS_PATHS, make_site
from livechat.transports.sse import EventStreams
from livechat.transports.websocket import ClientFactory

#: Connections at once on the port of the operators: a few programs that collect metrics.
ADMIN_CONNECTIONS: Final = 32

#: What the log calls that port.
OPERATORS: Final = "port for operators"


def public_port(
    reactor: Any, clients: ClientRegistry, pages: IResource, connections: int, *, apart: bool
) -> PortFactory:
    """What clients reach: every transport, and the pages.

    :param connections: at once, whatever they want.
    :param apart: whether what is for operators has a port of its own, and so is not found here.
    """
    hidden: frozenset[bytes] = OPERATORS_PATHS if apart else frozenset()
    return PortFactory(
        [ClientFactory(reactor, clients), EventStreams(reactor, clients)],
        make_site(pages, clients.origins, lambda path: path not in hidden),
        reactor,
        clients.limits.handshake,
        connections,
    )


def admin_port(reactor: Any, clients: ClientRegistry, pages: IResource) -> PortFactory:
    """What operators reach on a port of their own, and no page of any origin."""
    site = make_site(pages, Origins(()), ADMIN_PATHS.__contains__)
    return PortFactory([], site, reactor, clients.limits.handshake, ADMIN_CONNECTIONS)


def open_ports(
    listening: Listening,
    settings: Settings,
    public: PortFactory,
    admin: PortFactory,
    more: Iterable[Port],
) -> None:
    """Open every port.

    :param more: those of the platforms.
    :raises ListenError: one cannot be opened.
    """
    for endpoint in settings.listen:
        listening.open(endpoint, public)
    for endpoint in settings.admin_listen:
        listening.open(endpoint, admin, OPERATORS)
    if not settings.admin_listen:
        listening.open_admin(admin, OPERATORS)
    if not settings.listen and not listening.open_passed(public):
        listening.open_everywhere(settings.port, public)
    for port in more:
        listening.open(port.endpoint, port.factory, port.what)
