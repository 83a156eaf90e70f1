# SPDX-License-Identifier: MIT
"""Autobahn's side of a client: limits, slow readers, pings, closing; on a fake clock."""

from __future__ import annotations

import os
import resource
import zlib
from typing import Any

import txaio
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.addresses import network
from livechat.core.fanout import Fanout
from livechat.core.ports import ISubscriber
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.transports.client_registry import DRAIN_STEP, ClientRegistry, Limits
from livechat.transports.encodings import DEFLATED, PLAIN
from livechat.transports.frames import WINDOW_BITS, deflated_frame, frame
from livechat.transports.ping_wheel import PING_INTERVAL, PING_TIMEOUT
from livechat.transports.websocket import ClientConnection, ClientFactory
from livechat.transports.websocket_options import CLOSE_TIMEOUT, protocol_options
from tests.contracts.subscriber import SubscriberContract, only_text
from tests.support.fakes import ScriptedPlatform, hub_on, raw, subscribed, unframed
from tests.support.schema import frames

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost:3000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)


def masked(payload: bytes, opcode: int = 1, fin: bool = True) -> bytes:
    """A client's frame, masked with zeros."""
    first = (0x80 if fin else 0) | opcode
    if len(payload) < 126:
        head = bytes((first, 0x80 | len(payload)))
    elif len(payload) < 65536:
        head = bytes((first, 0x80 | 126)) + len(payload).to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + len(payload).to_bytes(8, "big")
    return head + bytes(4) + payload


class Wire(StringTransport):
    """A TCP transport that keeps what is written, and is full when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.no_delay = False
        self.lost = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See `ITCPTransport`."""
        self.no_delay = enabled

    def unregisterProducer(self) -> None:
        """As TCP has it: nothing to unregister is no error."""
        self.producer = None

    def connectionLost(self, reason: Failure) -> None:
        """Gone at once, as a transport tells its protocol."""
        self.lost = True
        protocol: Any = self.protocol  # type: ignore[attr-defined]
        protocol.connectionLost(reason)

    def abortConnection(self) -> None:
        """Gone at once."""
        self.disconnecting = True
        self.lost = True

    def take(self) -> bytes:
        """What was written since the last time."""
        data: bytes = self.value()
        self.clear()
        return data


class WebSocketCase(SynchronousTestCase):
    """A factory with one scripted platform behind it."""

    limits = Limits(pending=10_000)

    def setUp(self) -> None:
        """No client yet; Autobahn's own timers run on our clock, too."""
        self.clock = Clock()
        self.patch(txaio.config, "loop", self.clock)  # type: ignore[attr-defined]
        self.metrics = Metrics()
        self.platform = ScriptedPlatform()
        hub = hub_on(self.clock, self.metrics)
        self.hub = hub

        def session(subscriber: ISubscriber) -> Session:
            return Session(
                subscriber, hub, {"twitch": self.platform}, Quotas(), self.clock, self.metrics
            )

        self.registry = ClientRegistry(self.clock, self.limits, self.metrics, session)
        self.factory = ClientFactory(self.clock, self.registry)

    def accept(self, headers: bytes = b"", peer: str = "") -> tuple[ClientConnection, Wire]:
        """A connection that has sent its upgrade request."""
        client: Any = self.factory.buildProtocol(None)
        wire = Wire()
        if peer:
            wire.peerAddr = IPv4Address("TCP", peer, 40000)
        client.makeConnection(wire)
        client.dataReceived(UPGRADE + headers + b"\r\n")
        return client, wire

    def opened(self) -> tuple[ClientConnection, Wire]:
        """A connection whose upgrade was accepted; the answer is taken."""
        client, wire = self.accept()
        answer = wire.take()
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
        self.assertNotIn(b"Sec-WebSocket-Extensions", answer)
        return client, wire

    def said(self, client: ClientConnection, wire: Wire, data: bytes) -> list[dict[str, Any]]:
        """What a client is answered to these bytes."""
        client.dataReceived(data)
        return [frames().read(payload) for payload in unframed(wire.take())]

    def lose(self, client: ClientConnection) -> None:
        """The connection goes away."""
        client.connectionLost(Failure(ConnectionDone()))


class AddressTests(WebSocketCase):
    """Whose connection it is, and how many one address may have."""

    limits = Limits(per_address=2, trusted_proxies=(network("10.0.0.0/8"),))

    def test_requester(self) -> None:
        """The peer's address; behind a proxy that is trusted the one that it names."""
        for headers, peer, address in (
            (b"", "198.51.100.7", "198.51.100.7"),
            (b"X-Forwarded-For: 203.0.113.9\r\n", "198.51.100.8", "198.51.100.8"),
            (b"X-Forwarded-For: 203.0.113.9\r\n", "10.0.0.1", "203.0.113.9"),
            (b"Forwarded: for=203.0.113.10;proto=https\r\n", "10.0.0.1", "203.0.113.10"),
        ):
            client, wire = self.accept(headers, peer)
            self.assertTrue(wire.take().startswith(b"HTTP/1.1 101 "))
            self.assertEqual(client.requester.address, address)

    def test_connections_have_numbers(self) -> None:
        """Two connections of one address are two requesters."""
        clients = [self.accept(b"", "198.51.100.7")[0] for _ in range(2)]
        self.assertNotEqual(clients[0].requester, clients[1].requester)

    def test_too_many(self) -> None:
        """One more than an address may have is refused with 503, until another has left."""
        clients = [self.accept(b"", "198.51.100.7")[0] for _ in range(2)]
        for _ in range(3):
            _, wire = self.accept(b"", "198.51.100.7")
            self.assertTrue(wire.take().startswith(b"HTTP/1.1 503 "))
        _, wire = self.accept(b"", "198.51.100.8")
        self.assertTrue(wire.take().startswith(b"HTTP/1.1 101 "))
        clients[0].connectionLost(Failure(ConnectionDone()))
        _, wire = self.accept(b"", "198.51.100.7")
        self.assertTrue(wire.take().startswith(b"HTTP/1.1 101 "))

    def test_nothing_is_kept(self) -> None:
        """Addresses that have left take no memory."""
        for n in range(100):
            client, _ = self.accept(b"", f"198.51.100.{n}")
            client.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(len(self.registry._of_address), 0)


class LimitTests(WebSocketCase):
    """Every limit of Autobahn is set."""

    def test_options_read_back(self) -> None:
        """A connection carries each option's value; none is left to Autobahn's default."""
        client, _ = self.opened()
        expected = protocol_options(self.limits)
        for name, value in expected.items():
            if name != "perMessageCompressionAccept":
                self.assertEqual(getattr(client, name), value, name)
        known = set(client.CONFIG_ATTRS_COMMON) | set(client.CONFIG_ATTRS_SERVER)
        derived = {"logOctets", "logFrames", "trackTimings", "allowedOriginsPatterns"}
        self.assertEqual(known - set(expected), derived)

    def test_no_delay(self) -> None:
        """Nagle's algorithm is off."""
        self.assertTrue(self.opened()[1].no_delay)

    def test_subscriber(self) -> None:
        """A connection is an ISubscriber."""
        self.assertTrue(verifyObject(ISubscriber, self.opened()[0]))

    def test_too_large(self) -> None:
        """One byte beyond the limit, in one frame or in pieces that never end: closed with 1009."""
        for data in (
            masked(b"x" * (self.limits.message + 1)),
            masked(b"x" * 40_000, fin=False) + masked(b"x" * 40_000, opcode=0, fin=False),
        ):
            client, wire = self.opened()
            client.dataReceived(data)
            self.assertEqual(wire.take()[2:4], (1009).to_bytes(2, "big"))
            self.lose(client)

    def test_as_large_as_allowed(self) -> None:
        """Exactly the limit is read and answered."""
        client, wire = self.opened()
        (answer,) = self.said(client, wire, masked(b"x" * self.limits.message))
        self.assertEqual(answer["code"], "INVALID_MESSAGE_TYPE")

    def test_bad_utf8(self) -> None:
        """Text that is not UTF-8: closed with 1007."""
        client, wire = self.opened()
        client.dataReceived(masked(b"\xff\xfe"))
        self.assertEqual(wire.take()[2:4], (1007).to_bytes(2, "big"))

    def test_binary(self) -> None:
        """A binary message is answered with a code; the connection stays."""
        client, wire = self.opened()
        for _ in range(2):
            (answer,) = self.said(client, wire, masked(b"\x00", opcode=2))
            self.assertEqual(answer["code"], "INVALID_MESSAGE_TYPE")

    def test_connections(self) -> None:
        """Beyond the limit of connections: 503 at the upgrade; a place that gets free is given."""
        self.limits = Limits(connections=2)
        self.setUp()
        first, _ = self.opened()
        self.opened()
        refused, wire = self.accept()
        self.assertTrue(wire.take().startswith(b"HTTP/1.1 503 "))
        self.lose(refused)
        self.lose(first)
        self.opened()
        self.assertEqual(len(self.registry), 2)

    def test_refused_takes_no_place(self) -> None:
        """A client that was refused and has not closed yet does not count as connected."""
        self.limits = Limits(connections=1)
        self.setUp()
        first, _ = self.opened()
        for _ in range(3):
            _, wire = self.accept()
            self.assertTrue(wire.take().startswith(b"HTTP/1.1 503 "))
        self.lose(first)
        self.opened()

    def test_origins(self) -> None:
        """A list of origins is exact: no suffix, prefix or other port gets through."""
        self.limits = Limits(origins=("https://good.example.org", "https://*.wild.example"))
        self.setUp()
        for origin, good in (
            (b"https://good.example.org", True),
            (b"HTTPS://GOOD.example.org", True),
            (b"https://a.wild.example", True),
            (b"https://a.wild.example:81", False),
            (b"https://evil.test/.wild.example", False),
            (b"https://wild.example", False),
            (b"https://good.example.org.evil.test", False),
            (b"https://evilgood.example.org", False),
            (b"https://good.example.org:8443", False),
            (b"http://good.example.org", False),
            (b"null", False),
        ):
            _, wire = self.accept(b"Origin: " + origin + b"\r\n")
            status = wire.take()[9:12]
            self.assertEqual(status, b"101" if good else b"403", origin)
        # What is not a browser sends no Origin.
        self.opened()

    def test_any_origin(self) -> None:
        """By default overlays may come from anywhere, files included."""
        for origin in (b"null", b"https://anything.test", b"http://localhost:1"):
            _, wire = self.accept(b"Origin: " + origin + b"\r\n")
            self.assertEqual(wire.take()[9:12], b"101", origin)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes after the upgrade: no exception; the daemon counts its clients right."""
        self.setUp()
        client, _ = self.opened()
        client.dataReceived(data)
        self.lose(client)
        self.assertEqual(len(self.registry), 0)


class DeliveryTests(WebSocketCase):
    """Frames to fast and slow readers."""

    def test_fast(self) -> None:
        """Delivered frames are written as they are."""
        client, wire = self.opened()
        client.write_encoded(frame(b"one") + frame(b"two"))
        self.assertEqual(unframed(wire.take()), [b"one", b"two"])

    def test_paused_and_resumed(self) -> None:
        """While the transport is full frames wait, and go out in order when it has room."""
        client, wire = self.opened()
        client.pauseProducing()
        client.pauseProducing()
        for n in range(5):
            client.write_encoded(frame(b"%d" % n))
        self.assertEqual(wire.take(), b"")
        self.assertEqual(client.pending, 15)
        client.resumeProducing()
        self.assertEqual(unframed(wire.take()), [b"0", b"1", b"2", b"3", b"4"])
        self.assertEqual(client.pending, 0)
        client.write_encoded(frame(b"5"))
        self.assertEqual(unframed(wire.take()), [b"5"])

    def test_full_again_while_resuming(self) -> None:
        """The transport may be full again after the first frame; the rest keeps its order."""
        client, wire = self.opened()
        client.pauseProducing()
        for n in range(3):
            client.write_encoded(frame(b"%d" % n))
        write = wire.write

        def write_and_fill(data: bytes) -> None:
            write(data)
            client.pauseProducing()

        self.patch(wire, "write", write_and_fill)
        client.resumeProducing()
        self.assertEqual(unframed(wire.take()), [b"0"])
        client.write_encoded(frame(b"3"))
        for expected in (b"1", b"2", b"3"):
            client.resumeProducing()
            self.assertEqual(unframed(wire.take()), [expected])

    def test_too_slow(self) -> None:
        """Beyond the bound: closed with 4008, nothing more is held, the loss is counted."""
        client, wire = self.opened()
        client.pauseProducing()
        for _ in range(11):
            client.write_encoded(frame(bytes(996)))
        self.assertEqual(client.pending, 0)
        data = wire.take()
        self.assertEqual(data[2:4], (4008).to_bytes(2, "big"))
        self.assertEqual(data[4:], b"slow")
        client.write_encoded(frame(b"late"))
        client.resumeProducing()
        self.assertEqual(wire.take(), b"")
        self.assertEqual(
            self.metrics.registry.get_sample_value("livechat_closed_total", {"reason": "slow"}), 1
        )

    def test_producer(self) -> None:
        """The transport knows whom to tell when it is full."""
        client, wire = self.opened()
        self.assertIs(wire.producer, client)

    def test_nothing_after_close(self) -> None:
        """After our close frame nothing more is written, and closing twice is once."""
        client, wire = self.opened()
        client.close(CloseCode.POLICY, "enough")
        client.close(CloseCode.POLICY, "enough")
        client.write_encoded(frame(b"late"))
        self.assertEqual(wire.take(), b"\x88\x08" + (1008).to_bytes(2, "big") + b"enough")

    def test_lost_connection(self) -> None:
        """A lost client is no client any more; deliveries to it are nothing."""
        client, wire = self.opened()
        client.dataReceived(masked(b'{"type":"subscribe","platform":"twitch","identifier":"ann"}'))
        self.assertEqual(self.hub.active_streams, 1)
        self.lose(client)
        client.write_encoded(frame(b"late"))
        self.assertEqual((self.hub.active_streams, len(self.registry)), (0, 0))
        self.assertEqual(wire.take(), b"")

    def test_session_that_cannot_be_made(self) -> None:
        """A failure of ours in onOpen is logged and closes the connection with 1011."""
        self.patch(self.registry, "_make_session", lambda subscriber: 1 / 0)
        client, wire = self.accept()
        self.assertIn(b"\x88\x10" + (1011).to_bytes(2, "big") + b"internal error", wire.take())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.lose(client)
        self.assertEqual(len(self.registry), 0)


class ClientConnectionContractTests(SubscriberContract, WebSocketCase):
    """A WebSocket client is an ISubscriber."""

    wire: Wire

    def make_subscriber(self) -> Any:
        """A connection whose handshake is done."""
        client, self.wire = self.opened()
        return client

    def text_frames(self) -> list[bytes]:
        """What was written to the transport."""
        return only_text(self.wire.take())


class ClosingTests(WebSocketCase):
    """A connection on its way out."""

    def test_commands_after_our_close(self) -> None:
        """What a client still sends after our close frame is not acted upon."""
        client, wire = self.opened()
        client.close(CloseCode.POLICY, "enough")
        wire.take()
        client.dataReceived(masked(b'{"type":"get_stats"}') * 5)
        self.assertEqual(wire.take(), b"")

    def test_paused_client_that_closes(self) -> None:
        """A slow client that closes is held nothing for, and not counted as slow."""
        client, wire = self.opened()
        client.pauseProducing()
        client.dataReceived(masked((1000).to_bytes(2, "big"), opcode=8))
        wire.take()
        for _ in range(30):
            client.write_encoded(frame(bytes(1000)))
        self.assertEqual(client.pending, 0)
        client.resumeProducing()
        self.assertEqual(wire.take(), b"")
        slow = self.metrics.registry.get_sample_value("livechat_closed_total", {"reason": "slow"})
        self.assertIsNone(slow)

    def test_session_that_fails_to_close(self) -> None:
        """A failure of ours at the end is logged; the client is counted out all the same."""
        client, _ = self.opened()
        self.patch(Session, "closed", lambda session: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            client.onClose(False, None, None)
        self.assertEqual(len(self.registry), 0)


class PingTests(WebSocketCase):
    """Clients that are gone without saying so."""

    def run_for(self, seconds: int) -> None:
        """One second at a time."""
        for _ in range(seconds):
            self.clock.advance(1)

    def test_answering_client_stays(self) -> None:
        """Pinged once an interval; an answer, or any message, keeps the connection."""
        client, wire = self.opened()
        pings = 0
        for _ in range(4 * PING_INTERVAL):
            self.run_for(1)
            if wire.take():
                pings += 1
                alive = masked(b"", opcode=10) if pings % 2 else masked(b'{"type":"get_stats"}')
                client.dataReceived(alive)
                wire.take()
        self.assertEqual(pings, 4)
        self.assertFalse(wire.lost)

    def test_pinging_client_stays(self) -> None:
        """A client's own pings are signs of life, and answered."""
        client, wire = self.opened()
        for _ in range(60):
            self.run_for(1)
            wire.take()
            client.dataReceived(masked(b"", opcode=9))
            self.assertEqual(wire.take()[:1], b"\x8a")
        self.assertFalse(wire.lost)

    def test_silent_client_is_dropped(self) -> None:
        """Whoever does not answer is gone within interval + timeout, never before the timeout."""
        wires = [self.opened()[1] for _ in range(300)]
        self.run_for(PING_TIMEOUT)
        self.assertFalse(any(wire.lost for wire in wires))
        self.run_for(PING_INTERVAL + 1)
        self.assertTrue(all(wire.lost for wire in wires))

    def test_spread(self) -> None:
        """Clients that come all at once are pinged evenly over the interval, each of them once."""
        wires = [self.opened()[1] for _ in range(1000)]
        counts = []
        for _ in range(PING_INTERVAL):
            self.run_for(1)
            counts.append(sum(bool(wire.take()) for wire in wires if not wire.lost))
        self.assertEqual(counts, [1000 // PING_INTERVAL] * PING_INTERVAL)

    def test_ping_that_fails(self) -> None:
        """A client that cannot be pinged is dropped and logged; the others are pinged on."""
        clients = [self.opened() for _ in range(3)]

        def broken(data: bytes) -> None:
            raise ValueError

        self.patch(clients[0][1], "write", broken)
        for _ in range(3 * PING_INTERVAL):
            self.run_for(1)
            for client, wire in clients[1:]:
                if wire.take():
                    client.dataReceived(masked(b"", opcode=10))
        self.assertEqual([wire.lost for _, wire in clients], [True, False, False])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_late_wheel(self) -> None:
        """A loop that was busy for a minute does not ping everybody at once afterwards."""
        wires = [self.opened()[1] for _ in range(250)]
        self.clock.advance(60)
        self.assertLess(sum(bool(wire.take()) for wire in wires), 25)

    def test_clock_is_left_clean(self) -> None:
        """With the last client the wheel stops turning."""
        client, _ = self.opened()
        self.run_for(3)
        self.lose(client)
        ours = [c for c in self.clock.getDelayedCalls() if "_step" in str(c)]
        self.assertEqual(ours, [])


class DrainTests(WebSocketCase):
    """Shutting down."""

    def test_everybody_is_closed(self) -> None:
        """1001 to every client; done when the last is gone; new ones are refused with 503."""
        clients = [self.opened() for _ in range(3)]
        done = self.registry.drain(5.0)
        for _, wire in clients:
            self.assertEqual(wire.take()[2:4], (1001).to_bytes(2, "big"))
        _, wire = self.accept()
        self.assertTrue(wire.take().startswith(b"HTTP/1.1 503 "))
        self.assertNoResult(done)
        for client, _ in clients:
            self.lose(client)
        self.assertIsNone(self.successResultOf(done))

    def test_the_deaf_are_dropped(self) -> None:
        """Who does not close in time is dropped, at the latest at the deadline."""
        self.assertLess(CLOSE_TIMEOUT, 5.0)
        client, wire = self.opened()
        done = self.registry.drain(1.0)
        self.clock.advance(1.0)
        self.assertTrue(wire.lost)
        self.lose(client)
        self.successResultOf(done)

    def test_nobody_there(self) -> None:
        """Without clients it is done at once."""
        self.successResultOf(self.registry.drain(5.0))

    def test_spread(self) -> None:
        """Closes may be spread: each part in its turn, the others are served on."""
        clients = [self.opened() for _ in range(5)]
        done = self.registry.drain(5.0, 0.3)
        told: list[int] = []
        for _ in range(4):
            told.append(sum(bool(wire.take()) for _, wire in clients))
            self.clock.advance(DRAIN_STEP)
        self.assertEqual(told, [2, 2, 1, 0])
        for client, _ in clients:
            self.lose(client)
        self.successResultOf(done)

    def test_spread_over_nobody(self) -> None:
        """Clients that leave by themselves meanwhile are not closed, and end it."""
        clients = [self.opened() for _ in range(4)]
        done = self.registry.drain(5.0, 0.4)
        for client, wire in clients:
            self.lose(client)
            wire.take()
        self.clock.pump([DRAIN_STEP] * 4)
        self.successResultOf(done)
        self.assertEqual([wire.take() for _, wire in clients], [b""] * 4)

    def test_waiting_frames_of_a_slow_client(self) -> None:
        """What waits for a slow client goes out before its close frame; nothing is lost."""
        client, wire = self.opened()
        client.pauseProducing()
        client.write_encoded(frame(b"held"))
        client.write_encoded(frame(b"back"))
        self.registry.drain(5.0)
        data = wire.take()
        self.assertEqual(unframed(data[:12]), [b"held", b"back"])
        self.assertEqual(data[14:16], (1001).to_bytes(2, "big"))


class CompressionTests(WebSocketCase):
    """Permessage-deflate without context, one compressed frame for all who agreed to it."""

    OFFER = b"Sec-WebSocket-Extensions: permessage-deflate"
    LARGE = b'{"type":"chat","text":"' + b"hello hello " * 50 + b'"}'

    def test_accepted(self) -> None:
        """An offer is answered with no context takeover on our side, whatever else it allows."""
        for more in (b"", b"; client_max_window_bits", b"; server_no_context_takeover"):
            client, wire = self.accept(self.OFFER + more + b"\r\n")
            answer = wire.take()
            self.assertIn(b"Sec-WebSocket-Extensions: permessage-deflate", answer)
            self.assertIn(b"server_no_context_takeover", answer)
            self.assertIs(client.encoding, DEFLATED)

    def test_smaller_window(self) -> None:
        """A window that is as large as ours is agreed on; a smaller one is declined."""
        for bits in (b"12", b"15", b'"12"'):
            client, wire = self.accept(self.OFFER + b"; server_max_window_bits=" + bits + b"\r\n")
            answer = wire.take()
            self.assertIn(b"server_max_window_bits=" + bits.strip(b'"'), answer)
            self.assertIn(b"server_no_context_takeover", answer)
            self.assertIs(client.encoding, DEFLATED)
        for bits in (b"8", b"9", b"11"):
            client, wire = self.accept(self.OFFER + b"; server_max_window_bits=" + bits + b"\r\n")
            answer = wire.take()
            self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
            self.assertNotIn(b"Sec-WebSocket-Extensions", answer)
            self.assertIs(client.encoding, PLAIN)

    def test_window_of_the_frames(self) -> None:
        """What we send is inflated with the smallest window that we agree to."""
        payload = os.urandom(3000).hex().encode() * 3
        data = deflated_frame(payload)
        inflater = zlib.decompressobj(-WINDOW_BITS)
        self.assertEqual(inflater.decompress(data[4:] + b"\x00\x00\xff\xff"), payload)

    def test_odd_offers(self) -> None:
        """Unknown extensions and parameters, values out of range and repetitions are passed over.

        The upgrade succeeds, and a good offer beside them is accepted (RFC 7692 section 7.1).
        """
        for odd in (
            b"permessage-bzip2",
            b"permessage-snappy; server_no_context_takeover",
            b"permessage-brotli",
            b"x-webkit-deflate-frame",
            b"permessage-deflate; unknown",
            b"permessage-deflate; server_max_window_bits",
            b"permessage-deflate; server_max_window_bits=99",
            b"permessage-deflate; server_max_window_bits=+12",
            b"permessage-deflate; client_max_window_bits=7",
            b"permessage-deflate; server_no_context_takeover=1",
            b"permessage-deflate; client_max_window_bits; client_max_window_bits",
            b";;;,,=,;=",
        ):
            for good in (b"", b", permessage-deflate; client_max_window_bits=8"):
                client, wire = self.accept(b"Sec-WebSocket-Extensions: " + odd + good + b"\r\n")
                answer = wire.take()
                self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), (odd, answer))
                self.assertEqual(b"Sec-WebSocket-Extensions" in answer, bool(good), odd)
                self.assertIs(client.encoding, DEFLATED if good else PLAIN, odd)

    def test_switched_off(self) -> None:
        """With compression off every offer is declined."""
        self.limits = Limits(compression=False)
        self.setUp()
        client, wire = self.accept(self.OFFER + b"\r\n")
        self.assertNotIn(b"Sec-WebSocket-Extensions", wire.take())
        self.assertIs(client.encoding, PLAIN)

    def test_frames_are_readable_apart(self) -> None:
        """Each frame inflates without any before it; a small payload is sent as it is."""
        for payload in (self.LARGE, self.LARGE[::-1] * 3):
            data = deflated_frame(payload)
            self.assertEqual(data[0], 0xC1)
            size, at = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
            self.assertEqual(len(data), at + size)
            inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            self.assertEqual(inflater.decompress(data[at:] + b"\x00\x00\xff\xff"), payload)
        for payload in (b"", b"small", os.urandom(300)):
            self.assertEqual(deflated_frame(payload), frame(payload))

    def test_groups(self) -> None:
        """Who agreed gets the compressed frame, who did not the plain one; each is made once."""
        compressed, cwire = self.accept(self.OFFER + b"\r\n")
        cwire.take()
        plain, pwire = self.opened()
        fanout = Fanout(self.clock, 0.0, self.metrics)
        fanout.add(subscribed(compressed))
        fanout.add(subscribed(plain))
        fanout.publish([raw(self.LARGE)])
        fanout.flush()
        self.assertEqual(cwire.take(), deflated_frame(self.LARGE))
        self.assertEqual(pwire.take(), frame(self.LARGE))
        fanout.close()

    def test_bomb(self) -> None:
        """A small frame that inflates to 200 MB is refused with 1009; memory stays flat."""
        client, wire = self.accept(self.OFFER + b"\r\n")
        wire.take()
        deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(200))
        bomb += deflater.flush(zlib.Z_SYNC_FLUSH)[:-4]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        client.dataReceived(masked(bomb[:60_000], opcode=0x41))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.assertEqual(wire.take()[2:4], (1009).to_bytes(2, "big"))
        self.assertLess(after - before, 20_000)
