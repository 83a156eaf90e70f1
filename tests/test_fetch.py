# SPDX-License-Identifier: MIT
"""One HTTP request with its limits, over a wire in memory, on a clock that the test turns."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from treq.client import HTTPClient
from treq.testing import StubTreq
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect, makeFakeClient, makeFakeServer
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from livechat.platforms.fetch import MAX_REDIRECTS, Fetched, FetchError, fetch
from tests.support.tls import SecureWire, self_signed

URL = "https://upstream.example/path?q=1"


class Upstream(Resource):
    """Answers every request as the test says.

    :ivar begin: given a request, begins or finishes its answer.
    :ivar asked: method, address, headers and body of each request.
    :ivar gone: how each request's connection or answer came to its end.
    """

    isLeaf = True

    def __init__(self, begin: Callable[[Request], None]) -> None:
        super().__init__()
        self.begin = begin
        self.asked: list[tuple[bytes, bytes, dict[bytes, Sequence[bytes]], bytes]] = []
        self.requests: list[Request] = []
        self.gone: list[Failure | None] = []

    def render(self, request: Request) -> int:
        """Keep the request and begin to answer it."""
        assert request.content is not None
        headers = dict(request.requestHeaders.getAllRawHeaders())
        self.asked.append((request.method, request.uri, headers, request.content.read()))
        self.requests.append(request)
        request.notifyFinish().addBoth(self.gone.append)
        self.begin(request)
        return NOT_DONE_YET


def whole(body: bytes, status: int = 200, **headers: str) -> Callable[[Request], None]:
    """An answer that is there at once."""

    def begin(request: Request) -> None:
        request.setResponseCode(status)
        for name, value in headers.items():
            request.setHeader(name.replace("_", "-"), value)
        request.setHeader("content-length", str(len(body)))
        request.write(body)
        request.finish()

    return begin


def first(chunk: bytes) -> Callable[[Request], None]:
    """An answer that begins so and does not end by itself."""
    return lambda request: request.write(chunk)


def nothing(request: Request) -> None:
    """No answer."""


class FetchCase(SynchronousTestCase):
    """An upstream, and somebody who asks it."""

    def setUp(self) -> None:
        """A clock at zero."""
        self.clock = Clock()

    def upstream(self, begin: Callable[[Request], None]) -> Upstream:
        """An upstream that answers so."""
        self.site = Upstream(begin)
        self.http: Any = StubTreq(self.site)
        return self.site

    def fetch(self, **options: Any) -> Deferred[Fetched]:
        """Ask it; at most 1000 bytes, within 5 seconds, unless said otherwise."""
        chosen: dict[str, Any] = {"method": "GET", "url": URL, "limit": 1000, "deadline": 5.0}
        chosen |= options
        method, url = chosen.pop("method"), chosen.pop("url")
        return Deferred.fromCoroutine(fetch(self.http, self.clock, method, url, **chosen))

    def fetched(self, begin: Callable[[Request], None], **options: Any) -> Fetched:
        """A complete answer, after which nothing is on the clock."""
        self.upstream(begin)
        asked = self.fetch(**options)
        self.http.flush()
        answer = self.successResultOf(asked)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return answer

    def reason(self, asked: Deferred[Fetched]) -> str:
        """Why there was no complete answer; nothing is left on the clock."""
        failure = self.failureResultOf(asked, FetchError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return str(failure.value)


class AnswerTests(FetchCase):
    """Complete answers."""

    def test_ok(self) -> None:
        """Status, headers and body are those of the answer."""
        answer = self.fetched(whole(b"hello", content_type="text/plain"))
        self.assertEqual((answer.status, answer.body), (200, b"hello"))
        self.assertEqual(answer.headers["content-type"], "text/plain")

    def test_any_status(self) -> None:
        """Whatever its status, a complete answer is an answer."""
        for status in (200, 204, 301, 302, 400, 403, 404, 429, 500, 503):
            body = b"" if status == 204 else b"body"
            answer = self.fetched(whole(body, status))
            self.assertEqual((answer.status, answer.body), (status, body))

    def test_empty(self) -> None:
        """An answer may be empty."""
        self.assertEqual(self.fetched(whole(b"")).body, b"")

    def test_binary(self) -> None:
        """A body comes as bytes, byte for byte."""
        body = bytes(range(256)) * 3
        self.assertEqual(self.fetched(whole(body)).body, body)

    def test_headers(self) -> None:
        """Names are in lower case, and of a header that comes twice the first value counts."""

        def begin(request: Request) -> None:
            request.responseHeaders.setRawHeaders("X-MiXeD-Case", [b"one", b"two"])
            request.responseHeaders.setRawHeaders("RETRY-AFTER", [b"30"])
            request.responseHeaders.setRawHeaders("X-Latin", [b"caf\xe9"])
            whole(b"")(request)

        headers = self.fetched(begin).headers
        self.assertEqual(headers["x-mixed-case"], "one")
        self.assertEqual(headers["retry-after"], "30")
        self.assertEqual(headers["x-latin"], "caf\xe9")
        self.assertEqual([name for name in headers if name != name.lower()], [])

    def test_cookies(self) -> None:
        """Every cookie that is set is told, in order, and none where there is none."""

        def begin(request: Request) -> None:
            request.responseHeaders.setRawHeaders("Set-Cookie", [b"a=1; Path=/", b"b=2"])
            whole(b"")(request)

        self.assertEqual(self.fetched(begin).set_cookies, ("a=1; Path=/", "b=2"))
        self.assertEqual(self.fetched(whole(b"")).set_cookies, ())

    def test_in_parts(self) -> None:
        """A body that comes in parts is put together; the deadline is over when it is complete."""
        site = self.upstream(first(b"one "))
        asked = self.fetch()
        for part in (b"two ", b"three"):
            self.http.flush()
            self.clock.advance(2)
            self.assertNoResult(asked)
            site.requests[0].write(part)
        site.requests[0].finish()
        self.http.flush()
        self.assertEqual(self.successResultOf(asked).body, b"one two three")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_compressed(self) -> None:
        """A compressed body is unpacked."""
        packed = whole(gzip.compress(b"x" * 900), content_encoding="gzip")
        self.assertEqual(self.fetched(packed).body, b"x" * 900)

    def test_compressed_in_parts(self) -> None:
        """So is one that comes byte by byte, and one to which something was appended."""
        packed = gzip.compress(bytes(range(256)))

        def begin(request: Request) -> None:
            request.setHeader("content-encoding", "gzip")
            for at in range(len(packed)):
                request.write(packed[at : at + 1])
                self.http.flush()
            request.write(b"appended")
            request.finish()

        self.assertEqual(self.fetched(begin).body, bytes(range(256)))

    def test_compressed_nothing(self) -> None:
        """An empty body is empty, whatever its headers say."""
        self.assertEqual(self.fetched(whole(b"", content_encoding="gzip")).body, b"")
        packed = whole(gzip.compress(b""), content_encoding="gzip")
        self.assertEqual(self.fetched(packed).body, b"")

    def test_redirect(self) -> None:
        """A redirect is an answer like any other, unless it is to be followed."""

        def begin(request: Request) -> None:
            if request.path == b"/path":
                whole(b"over there", 302, location="/there")(request)
            else:
                whole(b"here")(request)

        answer = self.fetched(begin)
        self.assertEqual((answer.status, answer.headers["location"]), (302, "/there"))
        answer = self.fetched(begin, allow_redirects=True)
        self.assertEqual((answer.status, answer.body), (200, b"here"))

    def test_shown_as_value(self) -> None:
        """Equal answers are equal."""
        self.assertEqual(
            Fetched(200, {"a": "b"}, b"c"), Fetched(status=200, headers={"a": "b"}, body=b"c")
        )


class QuestionTests(FetchCase):
    """What the upstream is asked."""

    def asked(self, **options: Any) -> tuple[bytes, bytes, dict[bytes, Sequence[bytes]], bytes]:
        """The one request that was made."""
        self.fetched(whole(b""), **options)
        (request,) = self.site.asked
        return request

    def test_get(self) -> None:
        """Method and address, and no body."""
        method, uri, headers, body = self.asked()
        self.assertEqual((method, uri, body), (b"GET", b"/path?q=1", b""))
        self.assertEqual(headers[b"Host"], [b"upstream.example"])

    def test_headers(self) -> None:
        """Headers are sent."""
        _, _, headers, _ = self.asked(headers={"X-Token": "abc", "User-Agent": "livechat"})
        self.assertEqual(headers[b"X-Token"], [b"abc"])
        self.assertEqual(headers[b"User-Agent"], [b"livechat"])

    def test_json(self) -> None:
        """A JSON body, also one that is false in Python."""
        for value, sent in (({"a": [1, None]}, b'{"a":[1,null]}'), ({}, b"{}"), ([], b"[]")):
            method, _, headers, body = self.asked(method="POST", json=value)
            self.assertEqual((method, body.replace(b" ", b"")), (b"POST", sent))
            self.assertIn(b"application/json", headers[b"Content-Type"][0])

    def test_data(self) -> None:
        """A body of bytes, also an empty one."""
        for data in (b"\x00\xff", b""):
            method, _, headers, body = self.asked(method="POST", data=data)
            self.assertEqual((method, body), (b"POST", data))
            self.assertEqual(headers[b"Content-Length"], [b"%d" % len(data)])


class LimitTests(FetchCase):
    """How large an answer may be."""

    def test_at_the_limit(self) -> None:
        """An answer as large as the limit is taken."""
        self.assertEqual(self.fetched(whole(b"x" * 1000)).body, b"x" * 1000)

    def test_beyond_the_limit(self) -> None:
        """One byte more is refused, and the line says how much would have been taken."""
        self.upstream(whole(b"x" * 1001))
        asked = self.fetch()
        self.http.flush()
        self.assertEqual(self.reason(asked), "answer larger than 1000 bytes")

    def test_nothing_allowed(self) -> None:
        """A limit of nothing takes empty answers only."""
        self.assertEqual(self.fetched(whole(b""), limit=0).body, b"")
        self.upstream(whole(b"x"))
        asked = self.fetch(limit=0)
        self.http.flush()
        self.assertEqual(self.reason(asked), "answer larger than 0 bytes")

    def test_without_end(self) -> None:
        """An answer without end is given up when it is too large, and its connection let go of."""
        site = self.upstream(first(b"x" * 600))
        asked = self.fetch()
        self.http.flush()
        self.assertNoResult(asked)
        site.requests[0].write(b"x" * 600)
        self.http.flush()
        self.assertEqual(self.reason(asked), "answer larger than 1000 bytes")
        self.http.flush()
        self.assertEqual(len(site.gone), 1)
        self.assertIsInstance(site.gone[0], Failure)

    def test_more_of_it(self) -> None:
        """What comes in the same read after too much is not looked at."""

        def begin(request: Request) -> None:
            for _ in range(3):
                request.write(b"x" * 600)

        self.upstream(begin)
        asked = self.fetch()
        self.http.flush()
        self.assertEqual(self.reason(asked), "answer larger than 1000 bytes")

    def test_unpacked(self) -> None:
        """What counts is the size after unpacking."""
        packed = gzip.compress(b"\0" * 1_000_000)
        self.upstream(whole(packed, content_encoding="gzip"))
        asked = self.fetch(limit=len(packed) * 10)
        self.http.flush()
        self.assertEqual(self.reason(asked), f"answer larger than {len(packed) * 10} bytes")

    def test_bomb(self) -> None:
        """A bomb is not unpacked before it is measured."""
        self.check_bomb(gzip.compress(b"\0" * 16_000_000, 1), "gzip")

    def test_bomb_in_a_bomb(self) -> None:
        """Not even if it was packed several times, or says so."""
        packed = gzip.compress(b"\0" * 16_000_000, 1)
        for said in range(2, 5):
            self.check_bomb(packed, ",".join(["gzip"] * said))
            packed = gzip.compress(packed)
            self.check_bomb(packed, ",".join(["gzip"] * said))

    def check_bomb(self, packed: bytes, encoding: str) -> None:
        """What unpacks to 16 MB is given up with less than a tenth of that in memory."""
        self.assertLess(len(packed), 80_000)
        self.upstream(whole(packed, content_encoding=encoding))
        tracemalloc.start()
        try:
            asked = self.fetch(limit=100_000)
            self.http.flush()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertTrue(self.reason(asked))
        self.assertLess(peak, 1_600_000)


class RedirectTests(FetchCase):
    """Where redirects may lead."""

    HOSTS = frozenset({"www.upstream.example", "consent.upstream.example"})

    def led(self, *targets: str, **options: Any) -> tuple[Fetched, list[str]]:
        """The answer of somebody who is sent from place to place, and the places asked."""
        places: list[str] = []
        remaining = list(targets)

        def begin(request: Request) -> None:
            host = request.requestHeaders.getRawHeaders("Host", [""])[0]
            places.append(host + request.uri.decode())
            if remaining:
                whole(b"moved", 302, location=remaining.pop(0))(request)
            else:
                whole(b"here")(request)

        answer = self.fetched(begin, **({"hosts": self.HOSTS} | options))
        return answer, places

    def test_none(self) -> None:
        """An answer that is no redirect says where it came from."""
        answer, places = self.led()
        self.assertEqual((answer.status, answer.body, answer.url), (200, b"here", URL))
        self.assertEqual(places, ["upstream.example/path?q=1"])

    def test_not_asked_for(self) -> None:
        """Who does not say to which hosts is led nowhere, and is told no address."""
        answer, places = self.led("/there", hosts=None)
        self.assertEqual((answer.status, answer.url), (302, ""))
        self.assertEqual(len(places), 1)

    def test_within(self) -> None:
        """Redirects within the place that was asked are followed, relative or not."""
        answer, places = self.led("/two", "three?x=1", "https://upstream.example/four")
        self.assertEqual(answer.url, "https://upstream.example/four")
        self.assertEqual(
            places,
            [
                "upstream.example/path?q=1",
                "upstream.example/two",
                "upstream.example/three?x=1",
                "upstream.example/four",
            ],
        )

    def test_to_known_hosts(self) -> None:
        """So are redirects to the hosts that were named, and on from there, and back."""
        targets = (
            "https://www.upstream.example/a",
            "//consent.upstream.example:443/b",
            "/c",
            "https://upstream.example/d",
        )
        answer, places = self.led(*targets)
        self.assertEqual((answer.status, answer.url), (200, targets[-1]))
        self.assertEqual(len(places), 5)

    def test_elsewhere(self) -> None:
        """No other host is ever asked: the redirect is the answer, and says where it leads."""
        for target in (
            "https://evil.test/",
            "//evil.test/",
            "http://www.upstream.example/",
            "https://www.upstream.example:8443/",
            "https://www.upstream.example.evil.test/",
            "https://www.upstream.example@evil.test/",
            "https://user@www.upstream.example/",
            "https://evil.test\\@www.upstream.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "http://upstream.example/",
            "https://upstream.example:8443/",
            "https://evil.test:99999/",
            "ftp://www.upstream.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ):
            answer, places = self.led(target)
            self.assertEqual((answer.status, answer.body), (302, b"moved"), target)
            self.assertEqual(places, ["upstream.example/path?q=1"], target)
            self.assertNotIn(answer.url, ("", URL))

    def test_after_a_few(self) -> None:
        """It makes no difference how far one was led before."""
        answer, places = self.led("/two", "https://www.upstream.example/", "https://evil.test/")
        self.assertEqual((answer.status, answer.url), (302, "https://evil.test/"))
        self.assertEqual(len(places), 3)

    def test_five(self) -> None:
        """Five redirects are followed, and not a sixth."""
        self.assertEqual(MAX_REDIRECTS, 5)
        answer, places = self.led(*["/again"] * 5)
        self.assertEqual((answer.status, len(places)), (200, 6))
        site = self.upstream(whole(b"", 302, location="/again"))
        asked = self.fetch(hosts=self.HOSTS)
        self.http.flush()
        self.assertEqual(self.reason(asked), "redirected more than 5 times")
        self.assertEqual(len(site.asked), 6)

    def test_every_status(self) -> None:
        """Every redirecting status is one; others are none, whatever their headers say."""
        for status, asked in ((301, 2), (303, 2), (307, 2), (308, 2), (300, 1), (304, 1), (404, 1)):
            site = self.upstream(whole(b"", status, location="/there"))
            site.begin = self.once(site.begin)
            answer = self.fetch(hosts=self.HOSTS)
            self.http.flush()
            self.assertEqual(len(site.asked), asked, status)
            expected = 200 if asked == 2 else status
            self.assertEqual(self.successResultOf(answer).status, expected)

    def once(self, begin: Callable[[Request], None]) -> Callable[[Request], None]:
        """So the first time, and an empty answer from then on."""
        answers = [begin]

        def next_one(request: Request) -> None:
            answer = answers.pop() if answers else whole(b"")
            answer(request)

        return next_one

    def test_no_target(self) -> None:
        """A redirect that leads nowhere is an answer, one that leads to nonsense a failure."""
        self.assertEqual(self.fetched(whole(b"", 302), hosts=self.HOSTS).status, 302)
        self.upstream(whole(b"", 302, location="https://[::1"))
        asked = self.fetch(hosts=self.HOSTS)
        self.http.flush()
        self.assertTrue(self.reason(asked))
        self.assertEqual(len(self.site.asked), 1)

    def test_one_deadline(self) -> None:
        """The deadline is for all of it together."""
        site = self.upstream(nothing)
        asked = self.fetch(hosts=self.HOSTS)
        for _ in range(2):
            self.http.flush()
            self.clock.advance(2)
            whole(b"", 302, location="/again")(site.requests[-1])
        self.http.flush()
        self.clock.advance(1)
        self.assertEqual(self.reason(asked), "no complete answer in 5 s")

    def test_one_limit_each(self) -> None:
        """No answer on the way may be larger than the limit, either."""
        site = self.upstream(whole(b"x" * 1001, 302, location="/there"))
        asked = self.fetch(hosts=self.HOSTS)
        self.http.flush()
        self.assertEqual(self.reason(asked), "answer larger than 1000 bytes")
        self.assertEqual(len(site.asked), 1)


class DeadlineTests(FetchCase):
    """How long an answer may take."""

    def late(self, begin: Callable[[Request], None]) -> Upstream:
        """An upstream that does not end in time, which is that of the whole, to the moment."""
        site = self.upstream(begin)
        asked = self.fetch()
        self.http.flush()
        self.clock.advance(4.75)
        self.http.flush()
        self.assertNoResult(asked)
        self.clock.advance(0.25)
        self.http.flush()
        self.assertEqual(self.reason(asked), "no complete answer in 5 s")
        self.http.flush()
        return site

    def test_no_answer(self) -> None:
        """An upstream that says nothing is given up, and its connection let go of."""
        site = self.late(nothing)
        self.assertEqual(len(site.gone), 1)
        self.assertIsInstance(site.gone[0], Failure)

    def test_body_without_end(self) -> None:
        """So is one that begins and does not end: nobody reads what nobody wants."""
        site = self.late(first(b"begun"))
        self.assertEqual(len(site.gone), 1)
        self.assertIsInstance(site.gone[0], Failure)

    def test_drop_by_drop(self) -> None:
        """A byte now and then does not put the deadline off."""
        site = self.upstream(first(b"x"))
        asked = self.fetch()
        for _ in range(4):
            self.http.flush()
            self.clock.advance(1)
            site.requests[0].write(b"x")
        self.http.flush()
        self.assertNoResult(asked)
        self.clock.advance(1)
        self.assertEqual(self.reason(asked), "no complete answer in 5 s")

    def test_parts_of_seconds(self) -> None:
        """The deadline may be a part of a second."""
        self.upstream(first(b"x"))
        asked = self.fetch(deadline=0.25)
        self.http.flush()
        self.clock.advance(0.25)
        self.assertEqual(self.reason(asked), "no complete answer in 0.25 s")

    def test_late_answer(self) -> None:
        """What comes after the deadline does no harm."""
        for begin in (nothing, first(b"begun")):
            site = self.late(begin)
            for _ in range(3):
                if not site.requests[0]._disconnected:
                    site.requests[0].write(b"x" * 600)
                self.http.flush()
            self.assertEqual(self.clock.getDelayedCalls(), [])


class BrokenTests(FetchCase):
    """Answers that break off, and requests that cannot be made."""

    def test_refused(self) -> None:
        """A connection that is closed before the answer."""
        self.upstream(lambda request: request.loseConnection())
        asked = self.fetch()
        self.http.flush()
        self.assertTrue(self.reason(asked))

    def test_cut_off(self) -> None:
        """A body that is shorter than announced, or whose last part is missing."""

        def announced(request: Request) -> None:
            request.setHeader("content-length", "10")
            request.write(b"half ")
            request.loseConnection()

        def chunked(request: Request) -> None:
            request.write(b"half ")
            request.loseConnection()

        for begin in (announced, chunked):
            self.upstream(begin)
            asked = self.fetch()
            self.http.flush()
            self.assertTrue(self.reason(asked))

    def test_bad_compression(self) -> None:
        """A body that cannot be unpacked, or not to its end, brings no broken text."""
        packed = gzip.compress(bytes(range(256)) * 3)
        for body in (b"this is no gzip", packed[:10] + b"\xff" * 50, packed[:-1], packed[:200]):
            self.upstream(whole(body, content_encoding="gzip"))
            asked = self.fetch()
            self.http.flush()
            self.assertTrue(self.reason(asked))

    def test_bad_addresses(self) -> None:
        """An address that cannot be asked is the same kind of failure, said in one line."""
        for url in (
            "",
            "nothing",
            "ftp://upstream.example/",
            "https://[::1",
            "http://a:b/",
            "http://a b/",
            "http://\ud800/",
        ):
            self.upstream(whole(b""))
            reason = self.reason(self.fetch(url=url))
            self.assertRegex(reason, r"\A[^\n]+\Z")
            self.assertEqual(self.site.asked, [])

    def test_reason_of_reasons(self) -> None:
        """Where Twisted gives a list of reasons, each is told, and one without text by its name."""

        class Several(Exception):
            reasons = (Failure(OSError("first")), Failure(ConnectionResetError()))

        class Failing:
            async def request(self, method: str, url: str, **options: Any) -> None:
                raise Several

        self.http = Failing()
        self.assertEqual(self.reason(self.fetch()), "first; ConnectionResetError")

    def test_cause(self) -> None:
        """What really happened is kept as the cause."""
        self.upstream(whole(b""))
        failure = self.failureResultOf(self.fetch(url="ftp://upstream.example/"), FetchError)
        self.assertIsInstance(failure.value.__cause__, Exception)


class CancelTests(FetchCase):
    """Whoever asked does not want to know any more."""

    def cancelled(self, begin: Callable[[Request], None]) -> Upstream:
        """Cancel while the upstream answers so."""
        site = self.upstream(begin)
        asked = self.fetch()
        self.http.flush()
        self.clock.advance(1)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.http.flush()
        return site

    def test_before_the_answer(self) -> None:
        """Cancelled before the answer it is cancelled, not failed, and the connection let go of."""
        site = self.cancelled(nothing)
        self.assertEqual(len(site.gone), 1)
        self.assertIsInstance(site.gone[0], Failure)

    def test_within_the_answer(self) -> None:
        """So it is within the body."""
        site = self.cancelled(first(b"begun"))
        self.assertEqual(len(site.gone), 1)
        self.assertIsInstance(site.gone[0], Failure)

    def test_too_late(self) -> None:
        """Cancelling what has succeeded changes nothing."""
        self.upstream(whole(b"x"))
        asked = self.fetch()
        asked.cancel()
        self.assertEqual(self.successResultOf(asked).body, b"x")


class Begun(Protocol):
    """An HTTP server that begins an answer and does not end it."""

    def __init__(self) -> None:
        self.head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def dataReceived(self, data: bytes) -> None:
        """Send 600 bytes more of the body, the first time after its head."""
        assert self.transport is not None
        self.transport.write(self.head + b"258\r\n" + b"x" * 600 + b"\r\n")
        self.head = b""


class SecureTests(FetchCase):
    """Through TLS, where a polite end needs the peer's consent, which a hostile one never gives."""

    def begun(self) -> Deferred[Fetched]:
        """Ask; the answer has begun, with 600 bytes. `wire` is our end of it, below TLS."""
        self.reactor = MemoryReactorClock()
        agent = Agent.usingEndpointFactory(self.reactor, SecureWire(self.reactor))
        self.http = HTTPClient(agent)
        asked = self.fetch()
        client = self.reactor.tcpClients[0][2].buildProtocol(None)
        factory = Factory.forProtocol(Begun)
        secure = TLSMemoryBIOFactory(self_signed(), False, factory, self.reactor)
        self.server = secure.buildProtocol(None)
        self.wire: FakeTransport = makeFakeClient(client)
        self.pump = connect(self.server, makeFakeServer(self.server), client, self.wire)
        for _ in range(5):
            # TLS gathers small writes until the next turn.
            self.reactor.advance(0)
            self.pump.flush()
        self.assertNoResult(asked)
        self.assertFalse(self.wire.disconnecting)
        return asked

    def test_deadline(self) -> None:
        """At the deadline the connection is cut off."""
        asked = self.begun()
        self.clock.advance(5)
        self.assertEqual(self.reason(asked), "no complete answer in 5 s")
        self.assertTrue(self.wire.disconnecting)

    def test_cancelled(self) -> None:
        """So it is when nobody wants the answer any more."""
        asked = self.begun()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertTrue(self.wire.disconnecting)

    def test_too_large(self) -> None:
        """And when the answer is too large."""
        asked = self.begun()
        self.server.wrappedProtocol.dataReceived(b"more")
        self.reactor.advance(0)
        # One way only: the peer has heard nothing of it when we look.
        self.pump.pump()
        self.assertEqual(self.reason(asked), "answer larger than 1000 bytes")
        self.assertTrue(self.wire.disconnecting)


class ConnectingTests(SynchronousTestCase):
    """While TCP is still connecting, where Twisted's endpoints have a cancellation of their own."""

    def asked(self, clock: MemoryReactorClock) -> Deferred[Fetched]:
        """A question whose connection is never made."""
        return Deferred.fromCoroutine(
            fetch(
                HTTPClient(Agent(clock)),
                clock,
                "GET",
                "http://127.0.0.1:1/",
                limit=1000,
                deadline=5.0,
            )
        )

    def test_cancelled(self) -> None:
        """Nobody wants the answer any more: CancelledError, so that no retry goes on."""
        asked = self.asked(MemoryReactorClock())
        asked.cancel()
        self.failureResultOf(asked, CancelledError)

    def test_deadline(self) -> None:
        """In time means with the connection: the reason names the deadline."""
        clock = MemoryReactorClock()
        asked = self.asked(clock)
        clock.advance(5.0)
        error = self.failureResultOf(asked, FetchError).value
        self.assertEqual(str(error), "no complete answer in 5 s")
