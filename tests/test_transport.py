# SPDX-License-Identifier: MIT
"""Writing beside the transport: never into the middle of a frame, never to a stranger."""

from __future__ import annotations

import socket
from random import Random
from select import select
from typing import Any

import txaio
from twisted.internet import reactor, tcp
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol, ServerFactory
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from livechat.core.fanout import Fanout
from livechat.core.session import Session
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.transports.client_registry import ClientRegistry, Limits
from livechat.transports.direct import DirectServer, prepare_port
from livechat.transports.websocket import ClientConnection, ClientFactory
from tests.support.fakes import raw, subscribed
from tests.test_websocket import UPGRADE, masked


class FrameReader(Protocol):
    """A client that parses what it reads, frame by frame, and stops reading now and then.

    :ivar frames: opcode and payload of each frame.
    """

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.rest = b""
        self.open: Deferred[None] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self.fault = ""

    transport: Any

    def connectionMade(self) -> None:
        """Upgrade."""
        self.transport.write(UPGRADE + b"\r\n")

    def dataReceived(self, data: bytes) -> None:
        """Parse; the first thing that is no frame is the test's failure."""
        self.rest += data
        if not self.open.called:
            _, end, self.rest = self.rest.partition(b"\r\n\r\n")
            assert end, "the answer to the upgrade came in pieces"
            self.open.callback(None)
        while not self.fault and len(self.rest) >= 2:
            first, size, at = self.rest[0], self.rest[1], 2
            if first not in (0x81, 0x88, 0x89) or size > 127:
                self.fault = f"not a frame: {self.rest[:16]!r} after {len(self.frames)}"
            elif size == 126:
                size, at = int.from_bytes(self.rest[2:4], "big"), 4
            if len(self.rest) < at + size:
                break
            self.frames.append((first & 15, self.rest[at : at + size]))
            self.rest = self.rest[at + size :]

    def connectionLost(self, reason: Any = None) -> None:
        """Closed."""
        self.gone.callback(None)


class DirectCase(TestCase):
    """Real sockets on loopback, with send buffers that hold almost nothing."""

    timeout = 120

    async def setUp(self) -> None:  # type: ignore[override]
        """A listening port; Autobahn's own timers stand still."""
        self.patch(txaio.config, "loop", Clock())  # type: ignore[attr-defined]
        clock: Any = reactor
        self.registry = ClientRegistry(
            clock, Limits(pending=1 << 30), Metrics(), lambda _: Silent()
        )
        self.factory = ClientFactory(reactor, self.registry)
        self.port: Any = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        prepare_port(self.port)
        self.addCleanup(self.port.stopListening)

    async def connected(self) -> tuple[FrameReader, ClientConnection]:
        """A client, and its connection on the server's side."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port.getHost().port)
        client: Any = await endpoint.connect(Factory.forProtocol(FrameReader))
        self.addCleanup(lambda: (client.transport.abortConnection(), client.gone)[1])
        before = set(self.registry.clients)
        await client.open
        (server,) = set(self.registry.clients) - before or set(self.registry.clients)
        assert isinstance(server, ClientConnection)
        server.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await self.turns(2)
        return client, server

    async def frames(self, client: FrameReader, count: int) -> None:
        """Wait, bounded, until a client has so many frames."""
        for _ in range(3000):
            if len(client.frames) >= count:
                return
            await deferLater(reactor, 0.02)

    async def turns(self, count: int) -> None:
        """Let the reactor run."""
        for _ in range(count):
            await deferLater(reactor, 0)


class Silent(Session):
    """A conversation that says nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        """Nothing to hold."""

    def received(self, payload: bytes) -> None:
        """Whatever."""

    def closed(self) -> None:
        """Gone."""


class InterleavingTests(DirectCase):
    """Direct writes among frames that are queued."""

    async def test_ten_thousand_rounds(self) -> None:
        """10,000 rounds of messages, statuses, pings: every frame whole, in order, none missing."""
        random = Random(5)
        pairs = [await self.connected() for _ in range(4)]
        fanout = Fanout(reactor, 0.0, Metrics())
        for _, server in pairs:
            fanout.add(subscribed(server))
        pings = 0
        direct = 0
        for n in range(10_000):
            kind = random.random()
            payload = b"%06d" % n + bytes(random.choice((1, 20, 200, 1000, 3000)))
            direct += sum(server.direct >= 0 for _, server in pairs)
            if kind < 0.6:
                fanout.publish([raw(payload)])
                fanout.flush()
            else:
                for _, server in pairs:
                    server.send(payload)
            if kind > 0.8:
                pings += 1
                for _, server in pairs:
                    server.sendPing(b"p")
            for client, _ in pairs:
                if random.random() < 0.02:
                    client.transport.pauseProducing()
                elif random.random() < 0.1:
                    client.transport.resumeProducing()
            if random.random() < 0.3:
                await self.turns(1)
        fanout.close()
        for client, _ in pairs:
            client.transport.resumeProducing()
        for _ in range(3000):
            if all(len(client.frames) >= 10_000 + pings for client, _ in pairs):
                break
            await deferLater(reactor, 0.02)
        for client, _ in pairs:
            self.assertEqual(client.fault, "")
            numbers = [int(payload[:6]) for opcode, payload in client.frames if opcode == 1]
            self.assertEqual(numbers, list(range(10_000)))
            ours = sum(opcode == 9 and payload == b"p" for opcode, payload in client.frames)
            self.assertEqual(ours, pings)
        # Both ways were taken, or the test shows nothing.
        self.assertGreater(direct, 1000)
        self.assertLess(direct, 39_000)

    async def test_nothing_after_our_close_frame(self) -> None:
        """From the close frame on the descriptor is out of reach, also once all is written."""
        client, server = await self.connected()
        self.assertGreaterEqual(server.direct, 0)
        server.close(CloseCode.POLICY, "enough")
        self.assertEqual(server.direct, -1)
        await self.turns(5)
        self.assertEqual(server.direct, -1)
        server.send(b"late")
        await self.frames(client, 1)
        await self.turns(5)
        self.assertEqual([opcode for opcode, _ in client.frames], [8])

    async def test_lost_connections(self) -> None:
        """Closed by the peer, aborted by us, reset: no descriptor is kept that may be another's."""
        for end in ("peer", "abort", "reset"):
            client, server = await self.connected()
            self.assertGreaterEqual(server.direct, 0)
            if end == "abort":
                server.transport.abortConnection()
                self.assertEqual(server.direct, -1)
            elif end == "peer":
                client.transport.loseConnection()
            else:
                client.transport.abortConnection()
            await client.gone
            for _ in range(3000):
                if server.direct < 0:
                    break
                await deferLater(reactor, 0.001)
            self.assertEqual(server.direct, -1, end)
            server.send(b"late")

    async def test_write_to_a_broken_pipe(self) -> None:
        """A peer that is gone unnoticed costs others nothing and is found out by its transport."""
        alive, server = await self.connected()
        dead, dying = await self.connected()
        fanout = Fanout(reactor, 0.0, Metrics())
        fanout.add(subscribed(dying))
        fanout.add(subscribed(server))
        dead.transport.abortConnection()
        await dead.gone
        for n in range(20):
            fanout.publish([raw(b"%06d" % n)])
            fanout.flush()
        fanout.close()
        await self.frames(alive, 20)
        self.assertEqual([payload for _, payload in alive.frames], [b"%06d" % n for n in range(20)])
        self.assertEqual(dying.direct, -1)

    async def test_reply_to_the_peers_close(self) -> None:
        """A client that closes gets its close frame answered and nothing behind it."""
        client, server = await self.connected()
        client.transport.write(masked((1000).to_bytes(2, "big"), opcode=8))
        await client.gone
        server.send(b"late")
        self.assertEqual([opcode for opcode, _ in client.frames], [8])


class PrivateTests(TestCase):
    """What is private in Twisted and used here is still there, and means the same."""

    def test_attributes(self) -> None:
        """The buffer's length and the aborting mark exist, empty and false, on a new transport."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        server = DirectServer(ours, Protocol(), ("", 0), Nowhere(), 0, Nowhere())  # type: ignore[arg-type]
        self.assertTrue(server.is_empty)
        self.assertIs(server._aborting, False)
        self.assertEqual(server._tempDataLen, 0)
        server.write(b"abc")
        self.assertEqual(server._tempDataLen, 3)
        self.assertFalse(server.is_empty)
        server.doWrite()
        self.assertEqual((server._tempDataLen, server.dataBuffer), (0, b""))
        self.assertTrue(server.is_empty)
        server.abortConnection()
        self.assertTrue(server._aborting)
        self.assertFalse(server.is_empty)

    def test_port(self) -> None:
        """A TCP port makes its transports from its attribute; other ports are left alone."""
        self.assertIs(tcp.Port.transport, tcp.Server)
        port = reactor.listenTCP(0, ServerFactory(), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        prepare_port(port)
        self.assertIs(port.transport, DirectServer)  # type: ignore[attr-defined]
        other = object()
        prepare_port(other)  # type: ignore[arg-type]

    def connected(self, backlog: int | None = None) -> int:
        """How many of 300 clients are let in while nobody accepts."""
        options = {} if backlog is None else {"backlog": backlog}
        port = reactor.listenTCP(0, ServerFactory(), interface="127.0.0.1", **options)
        self.addCleanup(port.stopListening)
        prepare_port(port)
        address = ("127.0.0.1", port.getHost().port)  # type: ignore[attr-defined]
        clients = [socket.socket() for _ in range(300)]
        for client in clients:
            self.addCleanup(client.close)
            client.setblocking(False)
            client.connect_ex(address)
        waiting = set(clients)
        # The system lets them in at once, or a moment later where it is busy.
        while admitted := select([], waiting, [], 0.2)[1]:
            waiting.difference_update(admitted)
        return len(clients) - len(waiting)

    def test_queue(self) -> None:
        """When all viewers come at once none is turned away, to come again after a second."""
        self.assertEqual(self.connected(), 300)

    def test_chosen_queue(self) -> None:
        """A length that the operator chose is left alone."""
        self.assertLess(self.connected(backlog=10), 50)


class Nowhere:
    """A reactor and a port, as far as one transport asks."""

    _realPortNumber = 0

    def addReader(self, reader: object) -> None:
        """See `IReactorFDSet`."""

    removeReader = addWriter = removeWriter = addReader

    def callLater(self, delay: float, what: object, *args: object) -> None:
        """Never."""
