# SPDX-License-Identifier: MIT
"""The port: which factory gets a connection; how long a first request may take, how large it is."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.transports.http_or_websocket import MAX_HEAD, HeadReader, PortFactory
from livechat.transports.websocket import is_upgrade
from tests.test_websocket import UPGRADE, Wire


class KeptBytes(Protocol):
    """A protocol that keeps what it is given."""

    def __init__(self) -> None:
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data


class Made(Factory):
    """A factory that remembers what it made; full when the test says so."""

    noisy = False

    def __init__(self) -> None:
        self.made: list[KeptBytes] = []
        self.full = False
        self.started = 0
        self.stopped = 0

    connections = 0

    def takes(self, head: bytes) -> bool:
        """As the factory of WebSocket connections has it."""
        return is_upgrade(head)

    def buildProtocol(self, addr: object) -> KeptBytes | None:
        """Another one."""
        if self.full:
            return None
        self.made.append(KeptBytes())
        return self.made[-1]

    def startFactory(self) -> None:
        """Count."""
        self.started += 1

    def stopFactory(self) -> None:
        """Count."""
        self.stopped += 1


class PortCase(SynchronousTestCase):
    """A port with one transport and a site."""

    def setUp(self) -> None:
        """Nobody there."""
        self.clock = Clock()
        self.websocket, self.site = Made(), Made()
        self.port = PortFactory([self.websocket], self.site, self.clock, 10.0)
        self.port.doStart()

    def arrive(self) -> tuple[HeadReader, Wire]:
        """Somebody connects."""
        reader, wire = self.port.buildProtocol(None), Wire()
        wire.protocol = reader  # type: ignore[attr-defined]
        reader.makeConnection(wire)
        return reader, wire


class RoutingTests(PortCase):
    """Which factory gets a connection."""

    def test_upgrade(self) -> None:
        """An upgrade on / or /ws, also with a query, reaches the WebSocket whole."""
        for path in (b"/", b"/ws", b"/ws/", b"/?x=1", b"/ws?token=/ws"):
            request = UPGRADE.replace(b"GET /", b"GET " + path, 1) + b"\r\n"
            reader, wire = self.arrive()
            reader.dataReceived(request)
            inside = self.websocket.made[-1]
            self.assertEqual(inside.received, request)
            self.assertIs(inside.transport, wire)
            self.assertIs(wire.protocol, inside)  # type: ignore[attr-defined]
        self.assertEqual(len(self.websocket.made), 5)

    def test_everything_else(self) -> None:
        """Pages, other methods, other paths, other upgrades, half words and nonsense: the site."""
        for request in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /health HTTP/1.1\r\n\r\n",
            UPGRADE.replace(b"GET / ", b"GET /other ") + b"\r\n",
            UPGRADE.replace(b"GET / ", b"POST / ") + b"\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nX: websocket\r\n\r\n",
            b"GET / HTTP/1.1\r\nX-Upgrade: websocket\r\n\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: websockets\r\n\r\n",
            b"\r\n\r\n",
            b"\x00\xff\r\n\r\n",
            b"GET /\r\n\r\n",
        ):
            reader, _ = self.arrive()
            reader.dataReceived(request)
            self.assertEqual(self.site.made[-1].received, request)
        self.assertEqual(self.websocket.made, [])

    def test_any_cut(self) -> None:
        """However the request is cut, it arrives whole, with what follows it."""
        request = UPGRADE + b"\r\n" + b"frame"
        for cut in range(1, len(request)):
            reader, wire = self.arrive()
            reader.dataReceived(request[:cut])
            rest = request[cut:]
            wire.protocol.dataReceived(rest)  # type: ignore[attr-defined]
            self.assertEqual(self.websocket.made[-1].received, request)
        self.assertEqual(len(self.websocket.made), len(request) - 1)

    def test_capitals_and_spaces(self) -> None:
        """Header names and the word itself are read in any case."""
        reader, _ = self.arrive()
        reader.dataReceived(b"GET / HTTP/1.1\r\nUPGRADE:   WebSocket \r\n\r\n")
        self.assertEqual(len(self.websocket.made), 1)

    def test_over_tls(self) -> None:
        """Where TLS is a protocol around ours, that one is told of the new protocol."""
        reader = self.port.buildProtocol(None)
        wrapper = ProtocolWrapper(WrappingFactory(Factory()), reader)
        wrapper.makeConnection(StringTransport())
        wrapper.dataReceived(UPGRADE + b"\r\n")
        self.assertIs(wrapper.wrappedProtocol, self.websocket.made[0])

    def test_full_transport(self) -> None:
        """A transport that makes no protocol: the connection is dropped."""
        self.websocket.full = True
        reader, wire = self.arrive()
        reader.dataReceived(UPGRADE + b"\r\n")
        self.assertTrue(wire.lost)


class ThirdTransportTests(SynchronousTestCase):
    """A transport more is one factory more."""

    def test_in_turn(self) -> None:
        """The first that takes a request gets it; what none takes is for the site."""

        class Stream(Made):
            """Takes what is asked of it by path."""

            def takes(self, head: bytes) -> bool:
                """One path."""
                return head.startswith(b"GET /stream ")

        stream, websocket, site = Stream(), Made(), Made()
        port = PortFactory([websocket, stream], site, Clock(), 10.0)
        for request, factory in (
            (b"GET /stream HTTP/1.1\r\n\r\n", stream),
            (UPGRADE + b"\r\n", websocket),
            (b"GET /streams HTTP/1.1\r\n\r\n", site),
        ):
            reader, wire = port.buildProtocol(None), Wire()
            reader.makeConnection(wire)
            reader.dataReceived(request)
            self.assertEqual(factory.made[-1].received, request)

    def test_all_count(self) -> None:
        """The connections of every transport count; beyond the limit an unasked one goes."""
        one, two, site = Made(), Made(), Made()
        one.connections, two.connections = 2, 1
        site.open = {}  # type: ignore[attr-defined]
        port = PortFactory([one, two], site, Clock(), 10.0, limit=4)
        readers = [port.buildProtocol(None) for _ in range(2)]
        for reader in readers:
            wire = Wire()
            wire.protocol = reader  # type: ignore[attr-defined]
            reader.makeConnection(wire)
        self.assertEqual(list(port.waiting), readers[1:])


class LimitTests(PortCase):
    """Connections that take too long or send too much."""

    def test_drip(self) -> None:
        """A byte a second keeps no connection beyond the deadline."""
        reader, wire = self.arrive()
        for _ in range(9):
            self.clock.advance(1)
            reader.dataReceived(b"G")
        self.assertFalse(wire.lost)
        self.clock.advance(2)
        self.assertTrue(wire.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silent(self) -> None:
        """Five hundred silent ones are all gone in time; one who came later is not."""
        wires = [self.arrive()[1] for _ in range(500)]
        self.clock.advance(5)
        later, late = self.arrive()
        self.clock.advance(5.5)
        self.clock.advance(1)
        self.assertTrue(all(wire.lost for wire in wires))
        self.assertFalse(late.lost)
        later.dataReceived(UPGRADE + b"\r\n")
        self.assertEqual(len(self.websocket.made), 1)

    def test_too_large(self) -> None:
        """A head beyond the limit, ended or not: 431 and closed."""
        for data in (b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD, b"x" * MAX_HEAD + b"y\r\n\r\n"):
            reader, wire = self.arrive()
            for start in range(0, len(data), 1000):
                if not wire.disconnecting:
                    reader.dataReceived(data[start : start + 1000])
            self.assertTrue(wire.take().startswith(b"HTTP/1.1 431 "))
            self.assertTrue(wire.disconnecting)
        self.assertEqual(self.site.made + self.websocket.made, [])

    def test_gone(self) -> None:
        """Who leaves before saying anything is forgotten."""
        reader, _ = self.arrive()
        reader.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.port.waiting, {})

    def test_clock_set_back(self) -> None:
        """A clock that is set back does not keep them for a day."""
        _, wire = self.arrive()
        self.port.now = lambda: -86400.0
        self.clock.advance(1)
        self.assertTrue(wire.lost)

    def test_closing_the_port(self) -> None:
        """Both factories start and stop with the port; who has not asked yet is dropped."""
        _, wire = self.arrive()
        self.port.doStop()
        self.assertTrue(wire.lost)
        self.assertEqual((self.websocket.started, self.site.started), (1, 1))
        self.assertEqual((self.websocket.stopped, self.site.stopped), (1, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])
