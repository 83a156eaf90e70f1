# SPDX-License-Identifier: MIT
"""The ports that all workers serve.

The supervisor opens them, while stderr is the user's own, and keeps them open, so that nobody is
refused while a worker is started anew.  Of a TCP port each worker has a socket of its own
(`SO_REUSEPORT`): the system spreads the connections evenly.  Of other ports, and of those that
systemd has opened, all workers share one socket.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from twisted.internet.abstract import isIPv6Address
from twisted.internet.endpoints import (
    SSL4ServerEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    serverFromString,
)
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from livechat.listening import ListenError, Listening, everywhere, sentence
from livechat.transports.direct import QUEUE

#: What stands for the description of `--port`, and of what systemd has opened for clients and for
#: operators.
EVERYWHERE = "everywhere"
PASSED = "passed"
PASSED_ADMIN = "passed for operators"


class Inherited(Struct, frozen=True):
    """A listening socket that a worker inherits.

    :ivar description: an endpoint string, `EVERYWHERE` or `PASSED`.
    :ivar descriptor: its number: in the supervisor, or, once it was handed over, in the worker.
    """

    description: str
    descriptor: int


class SharedPorts:
    """Opens ports for so many workers.

    :ivar lines: where they are, one each.
    """

    def __init__(self, reactor: Any, count: int) -> None:
        self._listening = Listening(reactor)
        self._reactor = reactor
        self._sockets: list[list[Inherited]] = [[] for _ in range(count)]

    def of(self, index: int) -> Sequence[Inherited]:
        """What one worker inherits."""
        return self._sockets[index]

    def announce(self) -> None:
        """The process that supervises is running."""
        self._listening.announce()

    def open(self, description: str) -> None:
        """Open the port of an endpoint string for all workers.

        :raises ListenError: it cannot be opened.
        """
        try:
            if description.startswith("ssl:"):
                self._listening.certificates(description)
            address = _address(serverFromString(self._reactor, description))
        except Exception as error:
            raise ListenError(f"cannot listen on {description}: {sentence(error)}") from None
        if address is None:
            self._listening.open(description, _quiet())
            self._keep(description, self._listening.ports[-1])
            return
        try:
            for index in range(len(self._sockets)):
                made = _listener(*address)
                # The first one takes a free port where any will do; the others take the same.
                address = address[0], made.getsockname()[:2]
                self._take(description, index, [made])
        except OSError as error:
            raise ListenError(f"cannot listen on {description}: {sentence(error)}") from None
        self._listening.note(f"listening on {description}")

    def open_everywhere(self, number: int) -> None:
        """Open a TCP port on all interfaces, for IPv4 and IPv6.

        :raises ListenError: it cannot be opened.
        """
        create = partial(socket.create_server, reuse_port=True)
        for index in range(len(self._sockets)):
            made = everywhere(number, create)
            # The first one takes a free port where any will do; the others take the same.
            number = made[0].getsockname()[1]
            self._take(EVERYWHERE, index, made)
        self._listening.note(f"listening on port {number}; open http://localhost:{number}/test")

    def open_passed(self) -> bool:
        """Share what systemd has opened for us, if it has.

        :raises ListenError: one is no listening stream socket.
        """
        passed = self._listening.open_passed(_quiet())
        for port in self._listening.passed:
            self._keep(PASSED, port)
        return passed

    def open_admin(self) -> None:
        """Share what systemd has opened for operators, if it has.

        :raises ListenError: one is no listening stream socket.
        """
        before = len(self._listening.ports)
        self._listening.open_admin(_quiet(), "port for operators")
        for port in self._listening.ports[before:]:
            self._keep(PASSED_ADMIN, port)

    def close(self) -> None:
        """Close them all."""
        for inherited in {one for sockets in self._sockets for one in sockets}:
            os.close(inherited.descriptor)
        for sockets in self._sockets:
            sockets.clear()
        self._listening.close()

    def _take(self, description: str, index: int, made: Sequence[socket.socket]) -> None:
        for one in made:
            one.setblocking(False)
            self._sockets[index].append(Inherited(description, one.detach()))

    def _keep(self, description: str, port: Any) -> None:
        """One socket for all workers."""
        port.stopReading()
        shared = Inherited(description, os.dup(port.fileno()))
        for sockets in self._sockets:
            sockets.append(shared)


class InheritedPorts(Listening):
    """The ports of one worker: what its supervisor has opened, in place of opening them."""

    def __init__(self, reactor: Any, inherited: Sequence[Inherited]) -> None:
        super().__init__(reactor)
        self._inherited = list(inherited)

    def open(self, description: str, factory: IProtocolFactory, name: str = "") -> None:
        """See `Listening`."""
        if description.startswith("ssl:"):
            factory = TLSMemoryBIOFactory(self.certificates(description), False, factory)
        if not self._adopt(description, factory, name):
            raise ListenError(f"cannot listen on {description}: workers do not share this port")

    def open_everywhere(
        self,
        number: int,
        factory: IProtocolFactory,
        create: Callable[..., socket.socket] = socket.create_server,
    ) -> None:
        """See `Listening`."""
        self._adopt(EVERYWHERE, factory)

    def open_passed(self, factory: IProtocolFactory) -> bool:
        """See `Listening`."""
        adopted = self._adopt(PASSED, factory)
        self.passed.extend(adopted)
        return bool(adopted)

    @property
    def has_admin(self) -> bool:
        """See `Listening`."""
        return any(inherited.description == PASSED_ADMIN for inherited in self._inherited)

    def open_admin(self, factory: IProtocolFactory, what: str) -> None:
        """See `Listening`."""
        self._adopt(PASSED_ADMIN, factory, what)

    def _adopt(self, description: str, factory: IProtocolFactory, name: str = "") -> list[Any]:
        adopted = []
        for inherited in list(self._inherited):
            if inherited.description == description:
                # Once: two ports may be described alike.
                self._inherited.remove(inherited)
                with socket.socket(fileno=os.dup(inherited.descriptor)) as listener:
                    listener.setblocking(False)
                    adopt = self._reactor.adoptStreamPort
                    port = adopt(listener.fileno(), listener.family, factory)
                    adopted.append(port)
                    self.foreign.append(port)
                    self.opened(port, name)
        return adopted


def _quiet() -> Factory:
    """A factory for a port on which nothing is accepted."""
    factory = Factory()
    factory.noisy = False
    return factory


def _address(endpoint: Any) -> tuple[socket.AddressFamily, tuple[str, int]] | None:
    """Where a TCP endpoint will listen; None: it is of another kind."""
    if not isinstance(endpoint, TCP4ServerEndpoint | TCP6ServerEndpoint | SSL4ServerEndpoint):
        return None
    # Nothing public says where an endpoint will listen before it does.
    where: Any = endpoint
    six = isinstance(endpoint, TCP6ServerEndpoint) or isIPv6Address(where._interface)
    return (socket.AF_INET6 if six else socket.AF_INET), (where._interface, where._port)


def _listener(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    """A listening TCP socket that shares its address with others.

    :raises OSError: the address cannot be had.
    """
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    made.listen(QUEUE)
    return made
