# SPDX-License-Identifier: MIT
"""Clients that send what no honest client does: floods, odd upgrades, values with escapes."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.logger import globalLogPublisher

from livechat.transports.client_registry import Limits
from livechat.transports.origins import Origins
from livechat.transports.websocket import ClientConnection
from livechat.upgrades import Refusals, plain_reason
from tests.test_websocket import UPGRADE, WebSocketCase, Wire, masked

NAMES = st.sampled_from(
    b"Host Upgrade Connection Origin Sec-WebSocket-Key Sec-WebSocket-Version"
    b" Sec-WebSocket-Protocol Sec-WebSocket-Extensions X-Forwarded-For Cookie".split()
)
VALUES = st.one_of(
    st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n")),
    st.text('permessage-deflate;=,_wixn0123456789" ', max_size=60).map(str.encode),
)

POLICY = (1008).to_bytes(2, "big")


class FloodTests(WebSocketCase):
    """Frames of every kind cost from what a connection may send."""

    def closed(self, reason: str) -> float:
        """How many clients were closed for this reason."""
        registry = self.metrics.registry
        return registry.get_sample_value("livechat_closed_total", {"reason": reason}) or 0

    def flood(self, data: bytes) -> tuple[ClientConnection, Wire]:
        """A connection that sends this again and again, in reads of 64 KiB, until it is closed."""
        client, wire = self.opened()
        many = data * (65536 // len(data))
        for _ in range(200):
            client.dataReceived(many)
            if client.state != client.STATE_OPEN:
                break
        return client, wire

    def test_every_kind(self) -> None:
        """Empty pongs, pings, empty and one-byte fragments, large messages: closed with 1008."""
        kinds = {
            "pongs": masked(b"", 10),
            "pings": masked(b"", 9),
            "large pings": masked(b"x" * 125, 9),
            "empty fragments": masked(b"", 0, fin=False),
            "fragments of one byte": masked(b"x", 0, fin=False),
        }
        for n, (name, data) in enumerate(kinds.items(), 1):
            if "fragments" in name:
                client, wire = self.opened()
                client.dataReceived(masked(b"", 1, fin=False) + data * 10_000)
            else:
                client, wire = self.flood(data)
            self.assertIn(POLICY + b"too many frames", wire.take(), name)
            self.assertEqual(self.closed("flood"), n, name)

    def test_nothing_more_is_read(self) -> None:
        """After that the transport is told not to read, and what still comes is not parsed."""
        client, wire = self.flood(masked(b"", 10))
        self.assertEqual(wire.producerState, "paused")
        wire.take()
        client.dataReceived(masked(b"", 9) * 1000)
        self.assertEqual((wire.take(), client.data), (b"", b""))

    def test_large_messages(self) -> None:
        """What costs are bytes, too: hundreds of messages of the largest size are a flood."""
        client, wire = self.opened()
        large = masked(b'"' + b"x" * (self.limits.message - 2) + b'"')
        for _ in range(100):
            client.dataReceived(large)
        self.assertIn(POLICY + b"too many frames", wire.take())

    def test_honest(self) -> None:
        """One largest message a second, pongs and commands at the permitted rate go on for long."""
        client, _ = self.opened()
        command = masked(b'{"type":"get_stats"}')
        for second in range(300):
            large = masked(b"[" + b" " * (self.limits.message - 2) + b"]")
            client.dataReceived(large + command * 5 + masked(b"", 10) + masked(b"", 9))
            self.clock.advance(1)
            self.assertEqual(client.state, client.STATE_OPEN, second)
        self.assertEqual(self.closed("flood"), 0)

    def test_too_many_commands(self) -> None:
        """Commands beyond their rate are answered with a code long before frames are too many."""
        client, wire = self.opened()
        answers = self.said(client, wire, masked(b'{"type":"get_stats"}') * 150)
        self.assertEqual(answers[-1]["code"], "RATE_LIMITED")
        self.assertEqual(client.state, client.STATE_OPEN)

    def test_over_its_limit_in_a_frame_head(self) -> None:
        """A head that announces more than may be sent is too large (1009), not a flood."""
        client, wire = self.opened()
        client.dataReceived(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4))
        self.assertEqual(wire.take()[2:4], (1009).to_bytes(2, "big"))
        self.assertEqual(self.closed("flood"), 0)


class DeafTests(WebSocketCase):
    """Clients that send and do not read."""

    limits = Limits(pending=10_000)

    def test_pings_without_reading(self) -> None:
        """While the transport is full pings are not answered; afterwards they are again."""
        client, wire = self.opened()
        client.pauseProducing()
        client.dataReceived(masked(b"x" * 125, 9) * 10)
        self.assertEqual(wire.take(), b"")
        client.resumeProducing()
        client.dataReceived(masked(b"x", 9))
        self.assertEqual(wire.take(), b"\x8a\x01x")

    def test_commands_without_reading(self) -> None:
        """Answers to commands count against the bound like everything else: closed with 4008."""
        client, wire = self.opened()
        client.pauseProducing()
        client.dataReceived(masked(b'{"type":"get_stats"}') * 150)
        self.assertIn((4008).to_bytes(2, "big") + b"slow", wire.take())
        self.assertEqual(client.pending, 0)


class UpgradeTests(WebSocketCase):
    """Upgrades that are refused, and what is said about them."""

    def logged(self) -> list[str]:
        """Every line of the log from now on."""
        lines: list[str] = []
        observe: Any = lambda event: lines.append(repr(event))  # noqa: E731
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return lines

    def test_subprotocol(self) -> None:
        """The first one offered is selected; without any, or with nonsense, none is."""
        for offered, selected in (
            (b"json", b"json"),
            (b"chat, v2", b"chat"),
            (b"a b, v2", b"v2"),
            (b"\xff", None),
            (b"", None),
        ):
            _, wire = self.accept(b"Sec-WebSocket-Protocol: " + offered + b"\r\n")
            answer = wire.take()
            self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
            if selected is None:
                self.assertNotIn(b"Sec-WebSocket-Protocol", answer)
            else:
                self.assertIn(b"\r\nSec-WebSocket-Protocol: " + selected + b"\r\n", answer)

    def test_nothing_of_the_client_is_repeated(self) -> None:
        """A refusal holds nothing of the request, neither on the wire nor in the log."""
        lines = self.logged()
        evil = b"\x1b[2Jevil<script>"
        requests = [
            UPGRADE.replace(b"AAAAAAAAAAAAAAAAAAAAAA==", evil),
            UPGRADE.replace(b"localhost:3000", b"localhost:" + evil),
            UPGRADE.replace(b"Version: 13", b"Version: " + evil),
            UPGRADE.replace(b"Connection: Upgrade", b"Connection: " + evil),
            UPGRADE.replace(b"GET / ", b"GET /#" + evil + b" "),
            UPGRADE + b"Sec-WebSocket-Protocol: " + evil + b", " + evil + b"\r\n",
            UPGRADE + b"Sec-WebSocket-Version: " + evil + b"\r\n",
            UPGRADE.replace(b"HTTP/1.1", b"HTTP/" + evil),
            UPGRADE.replace(b"Upgrade: websocket", b"Upgrade: " + evil),
        ]
        for request in requests:
            client, wire = self.factory.buildProtocol(None), Wire()
            client.makeConnection(wire)  # type: ignore[union-attr]
            client.dataReceived(request + b"\r\n")  # type: ignore[union-attr]
            head, _, body = wire.take().partition(b"\r\n\r\n")
            self.assertTrue(head.startswith((b"HTTP/1.1 400 Bad", b"HTTP/1.1 505 HTTP")), head)
            self.assertIn(b"Content-Length: %d" % len(body), head)
            self.assertNotIn(b"evil", head + body)
            self.assertTrue(wire.disconnecting)
        self.assertFalse([line for line in lines if "evil" in line])

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=5), VALUES)
    @example([(b"Sec-WebSocket-Version", b"9" * 5000)], b"")
    @example([(b"Sec-WebSocket-Protocol", b"\x85")], b"")
    @example([(b"Host", b"x:" + b"9" * 5000)], b"")
    @example([(b"Sec-WebSocket-Extensions", b'permessage-deflate; x="')], b"")
    def test_any_header(self, headers: list[tuple[bytes, bytes]], query: bytes) -> None:
        """Whatever an upgrade holds: it is answered, without an exception, and is not half open."""
        self.setUp()
        request = UPGRADE.replace(b"GET / ", b"GET /?" + query + b" ")
        for name, value in headers:
            head, _, tail = request.partition(name + b": ")
            request = head + name + b": " + value + b"\r\n" + tail.partition(b"\r\n")[2]
        client: Any = self.factory.buildProtocol(None)
        wire = Wire()
        client.makeConnection(wire)
        client.dataReceived(request + b"\r\n")
        status = int(wire.take()[9:12])
        self.assertIn(status, (101, 400, 403, 405, 426, 505), request)
        self.assertEqual(status == 101, client.state == client.STATE_OPEN)
        self.assertNotEqual(status == 101, wire.disconnecting)
        self.lose(client)
        self.assertEqual((len(self.registry), self.flushLoggedErrors()), (0, []))

    def test_few_lines(self) -> None:
        """A thousand bad upgrades and invalid clients are counted, and are a line in the log."""
        lines = self.logged()
        for _ in range(1000):
            client, wire = self.factory.buildProtocol(None), Wire()
            client.makeConnection(wire)  # type: ignore[union-attr]
            client.dataReceived(UPGRADE.replace(b": 13", b": 12") + b"\r\n")  # type: ignore[union-attr]
        client2, _ = self.opened()
        for _ in range(3):
            client2.dataReceived(b"\xff" * 100)
        self.lose(client2)
        refused = self.metrics.registry.get_sample_value(
            "livechat_refused_upgrades_total", {"status": "400", "reason": "invalid"}
        )
        self.assertEqual(refused, 1000)
        self.assertEqual(len(lines), 1, lines)
        invalid = {"reason": "invalid"}
        self.assertEqual(
            self.metrics.registry.get_sample_value("livechat_closed_total", invalid), 1
        )

    def test_nothing_is_left(self) -> None:
        """A connection that is gone leaves no circle: its memory is free at once."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for headers in (b"", b"Sec-WebSocket-Version: 1\r\n"):
            client, wire = self.accept(headers)
            client.dataReceived(masked(b'{"type":"get_stats"}'))
            self.lose(client)
            wire.producer = None
            gone = ref(client)
            del client, wire
            self.assertIsNone(gone(), headers)

    def test_decision_that_fails(self) -> None:
        """A failure of ours while deciding is a 500 and in the log; the connection is not kept."""
        self.patch(self.registry.origins, "allows", lambda origin: 1 / 0)
        _, wire = self.accept()
        self.assertTrue(wire.take().startswith(b"HTTP/1.1 500 Internal Server Error\r\n"))
        self.assertTrue(wire.disconnecting)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_answer_that_fails(self) -> None:
        """A failure of ours while answering is logged, and the connection is dropped."""
        self.patch(self.factory.protocol, "perMessageCompressionAccept", None)
        _, wire = self.accept(b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        self.assertTrue(wire.lost)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_plain_reasons(self) -> None:
        """Quoted values and what stands behind a colon are left out; the rest is short text."""
        for reason, plain in (
            ('Bad HTTP request status line "GET "x" y"', "Bad HTTP request status line"),
            ("could not parse: \x1b[2J", "could not parse"),
            ("x" * 500, "x" * 100),
        ):
            self.assertEqual(plain_reason(reason), plain)

    def test_lines_about_refusals(self) -> None:
        """At most one line in a minute for each status, with how many there were."""
        lines = self.logged()
        refusals = Refusals(self.clock.seconds)
        for _ in range(240):
            refusals.add(400, "bad")
            refusals.add(403, "origin not allowed")
            self.clock.advance(0.5)
        self.assertEqual(len(lines), 4)


class OriginTests(WebSocketCase):
    """Patterns of origins."""

    def test_patterns(self) -> None:
        """Each `*` is a part of a host name; several may stand in one pattern."""
        origins = Origins(("https://*.a.*.example", "http://*", "https://*x*y*:8443"))
        for origin, good in (
            ("https://1.a.2.example", True),
            ("https://a.a.a.a.example", True),
            ("https://.a..example", True),
            ("https://a.2.example", False),
            ("https://1.a.2.example:1", False),
            ("http://anything", True),
            ("http://anything:80", False),
            ("https://xxyy:8443", True),
            ("https://yx:8443", False),
            ("http://evil.test?x", False),
            ("http://evil.test#x", False),
            ("http://user@evil.test", False),
            ("https://evil.test\\.a.2.example", False),
            ("https://evil.test?.a.2.example", False),
            ("https://evil test.a.2.example", False),
        ):
            self.assertEqual(origins.allows(origin), good, origin)

    def test_long_header(self) -> None:
        """A header of 16,000 characters is decided upon as fast as it is long, not its square."""
        many = Origins(("https://*a*a*a*a*a*b.example",))
        for _ in range(20):
            self.assertFalse(many.allows("https://" + "a" * 16_000))

    def test_default(self) -> None:
        """By default every origin may use the server, and is told so."""
        self.assertEqual(Origins().cors(None), {b"access-control-allow-origin": b"*"})
