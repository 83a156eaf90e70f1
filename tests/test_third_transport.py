# SPDX-License-Identifier: MIT
"""A third transport beside WebSocket, written here: what it needs is one module.

Server-sent events, as small as they can be: the chat is named by the path, and nothing is read.
"""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from livechat.core.ports import IEncoding, ISubscriber, Requester
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.transports.buffered import BufferedConnection
from livechat.transports.client_registry import AdmissionError, ClientRegistry, Limits
from livechat.transports.encodings import StreamEncoding
from livechat.transports.http_or_websocket import PortFactory
from livechat.transports.websocket import ClientFactory
from tests.contracts.subscriber import SubscriberContract
from tests.support.fakes import ScriptedPlatform, chats, hub_on, unframed
from tests.test_websocket import UPGRADE, Wire, masked

# ---- the whole transport ------------------------------------------------------------------------


def event(message: bytes) -> bytes:
    """One event of the stream; JSON has no line ends."""
    return b"data: " + message + b"\n\n"


EVENTS = StreamEncoding(event)


@implementer(ISubscriber)
class EventStream(BufferedConnection, Protocol):
    """One client's stream of events."""

    factory: EventStreams

    def __init__(self) -> None:
        super().__init__()
        self.encoding: IEncoding = EVENTS
        self.requester: Requester = Requester()
        self._session: Session | None = None
        self._closing = False

    @property
    def registry(self) -> ClientRegistry:  # type: ignore[override]
        """See `BufferedConnection`."""
        return self.factory.registry

    @property
    def can_send(self) -> bool:
        """See `BufferedConnection`."""
        return not self._closing

    def dataReceived(self, data: bytes) -> None:
        """The request."""
        name = data.split(b" ")[1].removeprefix(b"/events/").decode()
        try:
            self.requester = self.registry.admit(self.transport.getPeer().host, {})
        except AdmissionError as error:
            self.transport.write(b"HTTP/1.1 %d %s\r\n\r\n" % (error.status, error.reason.encode()))
            self.transport.loseConnection()
            return
        self.start_sending()
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        self._session = self.registry.opened(self)
        self.allow_direct_writes()
        command = {"type": "subscribe", "platform": "twitch", "identifier": name}
        self._session.received(msgspec.json.encode(command))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client has left."""
        self._closing = True
        self.stop_sending()
        if self._session is not None:
            self._session.closed()
            self.registry.left(self)

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""
        self.write_encoded(event(message))

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""
        self.stop_sending(flush=code is CloseCode.GOING_AWAY)
        self._closing = True
        self.transport.unregisterProducer()
        self.transport.loseConnection()


class EventStreams(Factory):
    """Makes a stream for every request of one."""

    noisy = False
    protocol: Any = EventStream
    connections = 0

    def __init__(self, registry: ClientRegistry) -> None:
        self.registry = registry

    def takes(self, head: bytes) -> bool:
        """See `Transport`."""
        return head.startswith(b"GET /events/")


# ---- its tests ----------------------------------------------------------------------------------


class ThirdTransportCase(SynchronousTestCase):
    """One port with both transports, one registry, one scripted platform."""

    limits = Limits(pending=1000, connections=3, per_address=2)

    def setUp(self) -> None:
        """No client yet."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.platform = ScriptedPlatform()
        hub = hub_on(self.clock, self.metrics)

        def session(subscriber: ISubscriber) -> Session:
            platforms = {"twitch": self.platform}
            return Session(subscriber, hub, platforms, Quotas(), self.clock, self.metrics)

        self.registry = ClientRegistry(self.clock, self.limits, self.metrics, session)
        transports: list[Any] = [
            ClientFactory(self.clock, self.registry),
            EventStreams(self.registry),
        ]
        self.port = PortFactory(transports, Factory(), self.clock, 10.0)

    def connect(self, request: bytes) -> tuple[Any, Wire]:
        """A connection that has sent its request; its protocol, and what is at the far end."""
        reader, wire = self.port.buildProtocol(None), Wire()
        wire.protocol = reader  # type: ignore[attr-defined]
        reader.makeConnection(wire)
        reader.dataReceived(request)
        return wire.protocol, wire  # type: ignore[attr-defined]

    def stream(self, name: str = "ann") -> tuple[EventStream, Wire]:
        """A stream of one chat."""
        connection, wire = self.connect(b"GET /events/%s HTTP/1.1\r\n\r\n" % name.encode())
        assert isinstance(connection, EventStream)
        return connection, wire

    def messages(self, wire: Wire) -> list[bytes]:
        """Messages in the events that have arrived since the last call."""
        data = wire.take()
        if data.startswith(b"HTTP/1.1 200 "):
            data = data.partition(b"\r\n\r\n")[2]
        *events, rest = data.split(b"\n\n")
        self.assertEqual(rest, b"")
        return [each.removeprefix(b"data: ") for each in events]


class EventStreamContractTests(SubscriberContract, ThirdTransportCase):
    """A stream keeps the contract of subscribers."""

    def make_subscriber(self) -> ISubscriber:
        """See the contract."""
        stream, self.wire = self.stream()
        self.wire.take()
        return stream

    def text_frames(self) -> list[bytes]:
        """See the contract."""
        return self.messages(self.wire)


class SharedTests(ThirdTransportCase):
    """What holds for clients of every transport."""

    def test_one_chat_for_both(self) -> None:
        """Clients of both transports watch one chat and receive the same messages."""
        _, events = self.stream()
        socket, frames = self.connect(UPGRADE + b"\r\n")
        frames.take()
        command = b'{"type":"subscribe","platform":"twitch","identifier":"ann"}'
        socket.dataReceived(masked(command))
        self.clock.advance(0)
        (watcher,) = self.platform.watchers
        watcher.live()
        self.messages(events)
        frames.take()
        watcher.sink.received(chats(3))
        self.clock.advance(0.1)
        received = [m for m in self.messages(events) if b'"chat"' in m]
        self.assertEqual(len(received), 3)
        self.assertEqual([m for m in unframed(frames.take()) if b'"chat"' in m], received)

    def test_limits_are_shared(self) -> None:
        """Connections of all transports count against the same limits and in the same gauge."""
        self.stream()
        self.connect(UPGRADE + b"\r\n")
        self.assertEqual(len(self.registry), 2)
        self.assertIn(b"livechat_clients 2.0", self.metrics.exposition())
        for request in (b"GET /events/ann HTTP/1.1\r\n\r\n", UPGRADE + b"\r\n"):
            _, wire = self.connect(request)
            self.assertTrue(wire.take().startswith(b"HTTP/1.1 503 "))

    def test_left(self) -> None:
        """A client that leaves makes place for another, and its chat is let go of."""
        for _ in range(5):
            stream, _ = self.stream()
            self.clock.advance(0)
            stream.connectionLost(Failure(ConnectionDone()))
            self.clock.advance(0)
        self.assertEqual(len(self.registry), 0)
        self.assertEqual([watcher.stops for watcher in self.platform.watchers], [1] * 5)

    def test_slow_reader(self) -> None:
        """One that does not read is held for up to the bound, then closed and counted."""
        stream, wire = self.stream()
        wire.take()
        stream.pauseProducing()
        stream.send(b"x" * 500)
        self.assertEqual((wire.take(), stream.pending), (b"", 508))
        stream.send(b"x" * 500)
        self.assertEqual((wire.disconnecting, stream.pending), (True, 0))
        self.assertIn(b'livechat_closed_total{reason="slow"} 1.0', self.metrics.exposition())

    def test_drain(self) -> None:
        """A shutdown closes the clients of all transports; what waited is sent; nobody comes in."""
        stream, wire = self.stream()
        socket, frames = self.connect(UPGRADE + b"\r\n")
        frames.take()
        self.messages(wire)
        stream.pauseProducing()
        stream.send(b"waiting")
        drained = self.registry.drain(5.0)
        self.assertEqual(self.messages(wire), [b"waiting"])
        self.assertTrue(wire.disconnecting)
        self.assertEqual(frames.take()[:1], b"\x88")
        for connection in (stream, socket):
            self.assertNoResult(drained)
            connection.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(drained)
        _, late = self.connect(b"GET /events/ann HTTP/1.1\r\n\r\n")
        self.assertTrue(late.take().startswith(b"HTTP/1.1 503 "))
