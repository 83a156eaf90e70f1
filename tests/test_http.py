# SPDX-License-Identifier: MIT
"""The site on an in-memory wire: odd requests, ranges, origins, readers that do not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.channel_reader import ChannelReader
from livechat.metrics import Metrics
from livechat.transports.http import Pages
from livechat.transports.origins import Origins
from livechat.transports.site import ANSWER_TIMEOUT, make_site
from livechat.web_files import web_directory
from tests.support.fakes import hub_on

NAMES = st.sampled_from(
    b"Host Range Origin Content-Length If-Modified-Since Cookie Accept-Encoding Authorization"
    b" X-Forwarded-Host If-None-Match Content-Type Expect Forwarded Referer".split()
)
VALUES = st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n"))
PATHS = st.sampled_from(
    [
        "/",
        "/test",
        "/health",
        "/web/css/test.css",
        "/overlay?%ff=%",
        "/stats/a/b",
        "/web/%ff",
        "/metrics",
    ]
)


class Wire(StringTransport):
    """A transport that remembers whether it was dropped."""

    aborted = False

    def abortConnection(self) -> None:
        """Gone at once."""
        super().abortConnection()
        self.aborted = True


class SiteCase(SynchronousTestCase):
    """The site with the real pages, and nothing behind them."""

    origins = Origins()

    def setUp(self) -> None:
        """A site on a clock of its own."""
        self.clock = Clock()
        pages = Pages(
            lambda: {"status": "ok"},
            lambda: True,
            Metrics().exposition,
            self.directory(),
            self.channels(),
            contract={"schema.json": b'{"a":1}', "livechat.d.ts": b"export {};"},
        )
        self.site = make_site(pages.app.resource(), self.origins)
        self.site.reactor = self.clock

    def channels(self) -> ChannelReader:
        """What can be read of channels."""
        return ChannelReader(hub_on(self.clock, Metrics()), {})

    def directory(self) -> Path:
        """Where the files of the pages are."""
        return web_directory()

    def connected(self, wire: Wire) -> Any:
        """A connection on a wire."""
        channel: Any = self.site.buildProtocol(None)
        channel.makeConnection(wire)
        return channel

    def answer(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body that a request is answered with."""
        wire = Wire()
        channel = self.connected(wire)
        channel.dataReceived(request)
        head, _, body = wire.value().partition(b"\r\n\r\n")
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.flushLoggedErrors(), [], request)
        self.assertTrue(wire.disconnecting or wire.aborted)
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
        return int(status.split(" ")[1]), headers, body

    def get(self, path: str, *headers: bytes) -> tuple[int, dict[str, str], bytes]:
        """What a GET is answered with."""
        lines = [f"GET {path} HTTP/1.0".encode(), b"Host: x", *headers, b"", b""]
        return self.answer(b"\r\n".join(lines))


class MethodTests(SiteCase):
    """Requests with a method that is not for reading."""

    def test_refused(self) -> None:
        """They are told which methods there are."""
        for path in ("/health", "/schema.json", "/history/twitch/ann", "/metrics"):
            for method in ("POST", "DELETE"):
                request = f"{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
                status, headers, _ = self.answer(request.encode())
                self.assertEqual((status, headers.get("allow")), (405, "GET, HEAD, OPTIONS"), path)


class OddRequestTests(SiteCase):
    """Requests that no browser makes are answered with a 4xx and leave nothing in the log."""

    def test_host(self) -> None:
        """A host that cannot be one: 400; one that nobody would resolve is a host all the same."""
        for host, status in (
            (b"a" * 5000, 400),
            (b"a b", 400),
            (b"a/b", 400),
            (b"\xff", 400),
            (b"a" * 100 + b".example:3000", 200),
            (b"[::1]:3000", 200),
            (b"xn--\x7f", 400),
            (b"xn--zzzzzz99999", 200),
            (b"a..b", 200),
            (b":::::", 200),
            (b"localhost:99999999", 200),
            (b"", 200),
        ):
            request = b"GET /health HTTP/1.0\r\nHost: " + host + b"\r\n\r\n"
            self.assertEqual(self.answer(request)[0], status, host)

    def test_length(self) -> None:
        """A length of 5,000 digits: 400; a body: 413."""
        for length, status in ((b"9" * 5000, 400), (b"x", 400), (b"-1", 400), (b"5", 413)):
            request = b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
            self.assertEqual(self.answer(request)[0], status, length)

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=4), PATHS)
    @example([(b"Host", b"a" * 70 + b".example")], "/test")
    @example([(b"Range", b"bytes=-999999999999")], "/web/css/test.css")
    @example([(b"If-Modified-Since", b"\x0b")], "/test")
    @example([(b"If-Modified-Since", b"Mon, 01 Jan 99999999 00:00:00 GMT")], "/test")
    @example([(b"If-Modified-Since", b"9" * 5000)], "/test")
    @example([(b"Cookie", b"\xff=\xff")], "/test")
    def test_any_header(self, headers: list[tuple[bytes, bytes]], path: str) -> None:
        """Whatever the headers hold: an answer that is no 500, and no error in the log."""
        self.setUp()
        lines = [f"GET {path} HTTP/1.0".encode(), *(n + b": " + v for n, v in headers), b"", b""]
        self.assertLess(self.answer(b"\r\n".join(lines))[0], 500)


class RangeTests(SiteCase):
    """Files are served whole."""

    def test_ranges(self) -> None:
        """One range, one beyond the start, 1,500 of them and nonsense: 200 and the whole file."""
        for path in ("/web/css/test.css", "/test"):
            _, _, whole = self.get(path)
            self.assertGreater(len(whole), 100)
            many = b",".join(b"%d-%d" % (n, n) for n in range(1500))
            for ranges in (b"0-1", b"-999999999999", b"5-", many, b"x", b"\xff"):
                status, headers, body = self.get(path, b"Range: bytes=" + ranges)
                self.assertEqual((status, body), (200, whole), ranges[:20])
                self.assertNotIn("accept-ranges", headers)

    def test_unchanged(self) -> None:
        """Who has the file already is told so."""
        modified = self.get("/web/css/test.css")[1]["last-modified"]
        answer = self.get("/web/css/test.css", f"If-Modified-Since: {modified}".encode())
        self.assertEqual((answer[0], answer[2]), (304, b""))

    def test_head(self) -> None:
        """HEAD says how long the whole file is."""
        request = b"HEAD /web/css/test.css HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n"
        status, headers, body = self.answer(request)
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(int(headers["content-length"]), len(self.get("/web/css/test.css")[2]))


class DocumentTests(SiteCase):
    """The client protocol for programs: what the process has made, not what lies in the files."""

    def test_documents(self) -> None:
        """Each at its address with its type; programs of any origin may read it."""
        for path, kind, text in (
            ("/schema.json", "application/json; charset=utf-8", b'{"a":1}'),
            ("/web/schema.json", "application/json; charset=utf-8", b'{"a":1}'),
            ("/web/livechat.d.ts", "text/plain; charset=utf-8", b"export {};"),
        ):
            status, headers, body = self.get(path)
            self.assertEqual((status, headers["content-type"], body), (200, kind, text))
            self.assertEqual(headers["access-control-allow-origin"], "*")
            self.assertEqual(headers["cache-control"], "no-cache")

    def test_unchanged(self) -> None:
        """Who has the document already is told so; whoever has another one gets it."""
        tag = self.get("/schema.json")[1]["etag"]
        status, _, body = self.get("/schema.json", f"If-None-Match: {tag}".encode())
        self.assertEqual((status, body), (304, b""))
        other = self.get("/web/livechat.d.ts", f"If-None-Match: {tag}".encode())
        self.assertEqual((other[0], other[2]), (200, b"export {};"))

    def test_head(self) -> None:
        """HEAD says how long the document is."""
        status, headers, body = self.answer(b"HEAD /schema.json HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((status, headers["content-length"], body), (200, "7", b""))

    def test_missing(self) -> None:
        """One that the process has not made is not found."""
        self.assertEqual(self.get("/asyncapi.json")[0], 404)


class PathTests(SiteCase):
    """What users type."""

    def test_icon(self) -> None:
        """Browsers ask for /favicon.ico on their own: it is the pages' icon."""
        status, headers, body = self.get("/favicon.ico")
        self.assertEqual((status, headers["content-type"]), (200, "image/svg+xml"))
        self.assertTrue(body.startswith(b"<svg"))

    def test_socket(self) -> None:
        """/ws and /ws/ say that they want an upgrade."""
        for path in ("/ws", "/ws/"):
            status, headers, _ = self.get(path)
            self.assertEqual((status, headers["upgrade"]), (426, "websocket"))

    def test_frames(self) -> None:
        """No stranger may show the pages in a frame; the overlay is made to be shown anywhere."""
        for path in ("/test", "/overlay"):
            self.assertIn("frame-ancestors 'self'", self.get(path)[1]["content-security-policy"])
        overlay = self.get("/overlay?identifier=ann")[1]["content-security-policy"]
        self.assertNotIn("frame-ancestors", overlay)
        self.assertIn("script-src 'self'", overlay)


class AnyOriginTests(SiteCase):
    """The default: the original's CORS headers."""

    def test_headers(self) -> None:
        """Every page may read the answers, whatever its origin."""
        for headers in ((), (b"Origin: https://a.example",), (b"Origin: null",)):
            for path in ("/health", "/test", "/nope"):
                self.assertEqual(self.get(path, *headers)[1]["access-control-allow-origin"], "*")


class OriginTests(SiteCase):
    """`--origins` names who may."""

    origins = Origins(("https://good.example", "http://absolute", "https://*.wild.example"))

    def test_allowed(self) -> None:
        """An allowed origin is named in the answer, also to a preflight; OBS's local files too."""
        for origin in ("https://good.example", "http://absolute", "https://a.wild.example"):
            header = b"Origin: " + origin.encode()
            preflight = b"OPTIONS /health HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n"
            for _, headers, _ in (self.get("/health", header), self.answer(preflight)):
                self.assertEqual(headers["access-control-allow-origin"], origin)
                self.assertEqual(headers["vary"], "Origin")

    def test_refused(self) -> None:
        """No other page may read the answers; programs, which send no origin, get them."""
        for headers in ((), (b"Origin: https://evil.example",), (b"Origin: null",)):
            status, answered, body = self.get("/health", *headers)
            self.assertNotIn("access-control-allow-origin", answered)
            self.assertEqual((status, body), (200, b'{"status":"ok"}'))
            self.assertEqual(answered["vary"], "Origin")


class DeafReaderTests(SiteCase):
    """Clients that ask and do not read."""

    def test_deadline(self) -> None:
        """An answer that is not read within a minute ends with the connection."""
        wire = Wire()
        channel = self.connected(wire)
        channel.dataReceived(b"GET /web/css/test.css HTTP/1.1\r\nHost: x\r\n\r\n")
        self.clock.advance(ANSWER_TIMEOUT - 1)
        self.assertFalse(wire.aborted)
        self.clock.advance(1)
        self.assertTrue(wire.aborted)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
