# SPDX-License-Identifier: MIT
"""Ports: all interfaces of both families, and what is said when one cannot be opened."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from livechat.listening import ListenError, Listening
from tests.support.sockets import kept_port

PATIENCE = 30.0


class Greeter(Protocol):
    """Says whom it sees."""

    def connectionMade(self) -> None:
        """Say it."""
        assert self.transport is not None
        peer: Any = self.transport.getPeer()
        self.transport.write(peer.host.encode())
        self.transport.loseConnection()


class ListeningCase(TestCase):
    """Ports that are closed at the end."""

    def setUp(self) -> None:
        """Nothing is open."""
        self.listening = Listening(reactor)
        self.addCleanup(self.listening.close)
        self.factory = Factory.forProtocol(Greeter)

    def refusal(self, opening: Callable[..., None], *arguments: Any) -> str:
        """What is said about a port that cannot be opened."""
        return str(self.assertRaises(ListenError, opening, *arguments))

    async def seen_by(self, host: str, number: int) -> str:
        """Under which address the server sees somebody who connects to this one."""

        def connect() -> str:
            with socket.create_connection((host, number), PATIENCE) as connection:
                return connection.recv(1024).decode()

        return await deferToThread(connect)

    def lacking(self, absent: socket.AddressFamily) -> Callable[..., socket.socket]:
        """Makes sockets as a machine would that lacks an address family."""

        def create(*arguments: Any, family: socket.AddressFamily, **more: Any) -> socket.socket:
            if family is absent:
                raise OSError(errno.EAFNOSUPPORT, "not here")
            return socket.create_server(*arguments, family=family, **more)

        return create

    def numbers(self) -> list[int]:
        """The numbers of the open ports."""
        return [port.getHost().port for port in self.listening.ports]  # type: ignore[attr-defined]


class EverywhereTests(ListeningCase):
    """`--port`."""

    async def test_both_families(self) -> None:
        """One number for IPv4 and IPv6; each client is seen under its own address."""
        self.listening.open_everywhere(0, self.factory)
        first, second = self.numbers()
        self.assertEqual(first, second)
        self.assertEqual(await self.seen_by("127.0.0.1", first), "127.0.0.1")
        self.assertEqual(await self.seen_by("::1", first), "::1")

    async def test_without_ipv6(self) -> None:
        """A machine without IPv6 serves IPv4."""
        create = self.lacking(socket.AF_INET6)
        self.listening.open_everywhere(0, self.factory, create)
        (number,) = self.numbers()
        self.assertEqual(await self.seen_by("127.0.0.1", number), "127.0.0.1")

    async def test_without_ipv4(self) -> None:
        """A machine without IPv4 serves IPv6."""
        create = self.lacking(socket.AF_INET)
        self.listening.open_everywhere(0, self.factory, create)
        (number,) = self.numbers()
        self.assertEqual(await self.seen_by("::1", number), "::1")

    def test_taken_in_one_family(self) -> None:
        """A port that is taken for IPv6 alone is taken, and nothing stays open."""
        # Of the other family nobody else may take the number.
        number = kept_port(self)
        with socket.create_server(("::", number), family=socket.AF_INET6):
            line = self.refusal(self.listening.open_everywhere, number, self.factory)
        self.assertEqual(line, f"cannot listen on port {number}: Address already in use")
        self.assertEqual(self.listening.ports, [])
        self.listening.open_everywhere(number, self.factory)

    def test_free_number_that_is_taken_in_the_other(self) -> None:
        """A number that was free for IPv4 alone is not used; another one is looked for."""
        refused: list[socket.socket] = []

        def create(*arguments: Any, family: socket.AddressFamily, **more: Any) -> socket.socket:
            if family is socket.AF_INET6 and not refused:
                made = socket.create_server(*arguments, family=family, **more)
                refused.append(made)
                self.addCleanup(made.close)
                raise OSError(errno.EADDRINUSE, "taken")
            return socket.create_server(*arguments, family=family, **more)

        self.listening.open_everywhere(0, self.factory, create)
        first, second = self.numbers()
        self.assertEqual(first, second)
        self.assertNotEqual(first, refused[0].getsockname()[1])


class EndpointTests(ListeningCase):
    """`--listen`."""

    async def test_ipv6(self) -> None:
        """`tcp6:`, as documented."""
        self.listening.open("tcp6:0:interface=\\:\\:1", self.factory)
        (number,) = self.numbers()
        self.assertEqual(await self.seen_by("::1", number), "::1")

    def test_sentences(self) -> None:
        """Whatever is wrong with an endpoint string is said in one sentence."""
        empty = Path(self.mktemp())
        empty.write_text("no certificate")
        for description, reason in (
            ("tcp:99999999", "99999999"),
            ("tcp:http:interface=nowhere:colour=red", "colour"),
            ("carrier-pigeon:1", "carrier-pigeon"),
            ("unix:/nowhere/at/all", f"{os.strerror(errno.ENOENT)}: /nowhere/at/all"),
            ("systemd:domain=INET:index=7", "systemd has passed no such socket"),
            ("systemd:domain=INET:name=web", "systemd has passed no such socket"),
            ("ssl:0:privateKey=/nowhere", f"{os.strerror(errno.ENOENT)}: /nowhere"),
            (f"ssl:0:privateKey={empty}", "PEM"),
            ("tcp:0:interface=203.0.113.1", os.strerror(errno.EADDRNOTAVAIL)),
        ):
            line = self.refusal(self.listening.open, description, self.factory)
            self.assertTrue(line.startswith(f"cannot listen on {description}: "), line)
            self.assertIn(reason, line)
            self.assertLess(len(line), 300)
