# SPDX-License-Identifier: MIT
"""What is sent to YouTube, in what order, and how much of an answer is read."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import Request
from twisted.web.iweb import IBodyProducer
from twisted.web.resource import Resource
from zope.interface.verify import verifyObject

from livechat.metrics import Metrics
from livechat.platforms.budget import Claim, Deadline
from livechat.platforms.fetch import MAX_REDIRECTS, Fetched, FetchError, WholeBody, fetch
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.limits import LOOK_PAGES
from livechat.platforms.youtube.parse.page import ClientContext, Page
from livechat.platforms.youtube.parse.verdict import LiveStream, Reason, Refusal
from tests.support.context import context_on

HOME = "https://www.youtube.com/"


class Upstream(Resource):
    """Answers as the test says, and keeps what it was asked."""

    isLeaf = True

    def __init__(self, answer: Callable[[Request], bytes]) -> None:
        super().__init__()
        self._answer = answer
        self.asked: list[tuple[str, dict[str, list[str]], bytes]] = []

    def render(self, request: Request) -> bytes:
        """Keep the request, and answer it."""
        assert request.content is not None
        raw = request.requestHeaders.getAllRawHeaders()
        headers = {k.decode().lower(): [v.decode() for v in values] for k, values in raw}
        uri = f"{headers['host'][0]}{request.uri.decode()}"
        self.asked.append((uri, headers, request.content.read()))
        return self._answer(request)


def live_stream(video_id: str, client: ClientContext) -> LiveStream:
    """A stream that is asked for as this client."""
    return LiveStream(video_id, "", "", "", None, "", "", client)


def redirect(request: Request, target: str) -> bytes:
    """An answer that leads elsewhere."""
    request.setResponseCode(302)
    request.setHeader("location", target)
    return b"elsewhere"


class FetchCase(SynchronousTestCase):
    """An upstream, and somebody who asks it."""

    def fetch(self, answer: Callable[[Request], bytes], **options: Any) -> Deferred[Fetched]:
        """Ask."""
        self.upstream = Upstream(answer)
        http: Any = StubTreq(self.upstream)
        options = {"limit": 1 << 20, "deadline": 5.0, **options}
        return Deferred.fromCoroutine(fetch(http, Clock(), "GET", HOME, **options))


class RedirectTests(FetchCase):
    """Where redirects lead."""

    def follow(self, *targets: str) -> Fetched:
        """Be led from one place to the next."""
        left = list(targets)
        hosts = {"www.youtube.com", "m.youtube.com"}
        asked = self.fetch(lambda r: redirect(r, left.pop(0)) if left else b"here", hosts=hosts)
        return self.successResultOf(asked)

    def test_within(self) -> None:
        """To hosts that are named, and within the place that was asked."""
        answer = self.follow(
            "/a?b=c", "https://m.youtube.com/d", "e", "https://m.youtube.com:443/f"
        )
        self.assertEqual((answer.status, answer.body), (200, b"here"))
        self.assertEqual(answer.url, "https://m.youtube.com:443/f")
        self.assertEqual([uri for uri, _, _ in self.upstream.asked][-1], "m.youtube.com/f")

    def test_elsewhere(self) -> None:
        """Other hosts, schemes, ports and disguises are never asked; it is told where they are."""
        for target in (
            "https://consent.youtube.com/m?x",
            "https://evil.test/",
            "//evil.test/",
            "http://m.youtube.com/",
            "https://m.youtube.com:8443/",
            "https://www.youtube.com@evil.test/",
            "https://ann@m.youtube.com/",
            "https://m.youtube.com.evil.test/",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "https://m.youtube.com:x/",
        ):
            answer = self.follow("/first", target)
            self.assertEqual(answer.status, 302, target)
            self.assertEqual(len(self.upstream.asked), 2)
            self.assertEqual(
                {uri.split("/")[0] for uri, _, _ in self.upstream.asked}, {"www.youtube.com"}
            )

    def test_no_address(self) -> None:
        """A target that is no address at all is no answer."""
        asked = self.fetch(lambda request: redirect(request, "https://[::1"), hosts=set())
        self.failureResultOf(asked, FetchError)

    def test_too_many(self) -> None:
        """Five are followed, a sixth is not."""
        self.follow(*["/again"] * MAX_REDIRECTS)
        left = ["/again"] * (MAX_REDIRECTS + 1)
        asked = self.fetch(lambda r: redirect(r, left.pop()) if left else b"", hosts={"x"})
        self.assertEqual(
            str(self.failureResultOf(asked, FetchError).value), "redirected more than 5 times"
        )

    def test_no_target(self) -> None:
        """A redirect that does not say whither is an answer."""

        def lost(request: Request) -> bytes:
            request.setResponseCode(302)
            return b"lost"

        answer = self.successResultOf(self.fetch(lost, hosts=set()))
        self.assertEqual((answer.status, answer.body, answer.url), (302, b"lost", HOME))


class PackedTests(FetchCase):
    """Packed answers."""

    def packed(self, body: bytes, **options: Any) -> Deferred[Fetched]:
        """Ask for a packed body."""

        def answer(request: Request) -> bytes:
            request.setHeader("content-encoding", "gzip")
            return body

        return self.fetch(answer, **options)

    def test_swelling(self) -> None:
        """A bomb is given up at the limit, and no more than the limit is ever unpacked."""
        packing = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = packing.compress(bytes(256 << 20)) + packing.flush()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        asked = self.packed(bomb, limit=1 << 20)
        failure = self.failureResultOf(asked, FetchError)
        peak = tracemalloc.get_traced_memory()[1] - before
        self.assertEqual(str(failure.value), f"answer larger than {1 << 20} bytes")
        self.assertLess(peak, 8 << 20)

    def test_packed_size_counts(self) -> None:
        """What is larger packed than the limit is refused before it is unpacked."""
        body = gzip.compress(bytes(range(256)) * 8, 0)
        self.failureResultOf(self.packed(body, limit=len(body) - 1), FetchError)
        self.successResultOf(self.packed(body, limit=len(body)))

    def test_cut_off(self) -> None:
        """A packed body without its end is no answer."""
        body = gzip.compress(b"x" * 5000)
        self.failureResultOf(self.packed(body[:-9]), FetchError)
        self.assertEqual(self.successResultOf(self.packed(body)).body, b"x" * 5000)
        self.assertEqual(self.successResultOf(self.packed(b"")).body, b"")


class WholeBodyTests(SynchronousTestCase):
    """Bodies that are written at once."""

    def test_whole(self) -> None:
        """All of it in one write, from bytes or a file; there is nothing to hold back."""
        for body in (b"hello", BytesIO(b"hello")):
            producer = WholeBody(body)
            verifyObject(IBodyProducer, producer)
            transport = StringTransport()
            self.successResultOf(producer.startProducing(transport))
            producer.pauseProducing()
            producer.resumeProducing()
            producer.stopProducing()
            self.assertEqual((producer.length, transport.value()), (5, b"hello"))


class SiteTests(SynchronousTestCase):
    """Requests as they go out."""

    def setUp(self) -> None:
        """A site that answers every request the same."""
        self.clock = Clock()
        self.status = 200
        self.body = b'<script>var ytInitialData = {"metadata": 1};</script>'
        self.upstream = Upstream(self.answer)
        http: Any = StubTreq(self.upstream)
        self.tapped: list[tuple[str, str, bytes]] = []
        context = context_on(self.clock, http, Metrics(), tap=lambda *raw: self.tapped.append(raw))
        self.client = YouTubeClient(context, HOME)

    def answer(self, request: Request) -> bytes:
        """What is answered, with a cookie that nobody should bring back."""
        request.setResponseCode(self.status)
        request.setHeader("set-cookie", "CONSENT=PENDING+1; Domain=.youtube.com; Path=/")
        return self.body

    def page(
        self, path: str = "/x", seconds: float = 30.0, *, is_look: bool = False
    ) -> Page | Refusal:
        """A page."""
        deadline = Deadline(self.clock, seconds, lambda: None)
        claim = Claim(self.clock, deadline=deadline, is_look=is_look)
        asked = Deferred.fromCoroutine(self.client.page(path, claim))
        for _ in range(3):
            self.clock.advance(0)
        deadline.cancel()
        return self.successResultOf(asked)

    def test_page(self) -> None:
        """Pages are asked for like a browser's, with the cookies of one that has consented."""
        self.assertEqual(self.page("/@ann/live"), Page({"metadata": 1}))
        self.page("/@ann/live")
        for uri, headers, _ in self.upstream.asked:
            self.assertEqual(uri, "www.youtube.com/@ann/live")
            self.assertEqual(headers["accept-encoding"], ["gzip"])
            self.assertEqual(headers["accept-language"], ["en-US,en;q=0.9"])
            self.assertTrue(headers["user-agent"][0].startswith("Mozilla/5.0 "))
            cookie = "SOCS=CAI; CONSENT=YES+cb.20210328-17-p0.en+FX+111; PREF=hl=en&gl=US"
            self.assertEqual(headers["cookie"], [cookie])

    def test_looks_apart(self) -> None:
        """However many pages are looked at for those who wait, a start has its turn at once."""
        for _ in range(LOOK_PAGES.count):
            self.page(is_look=True)
        looks = len(self.upstream.asked)
        self.assertEqual(self.page(), Page({"metadata": 1}))
        self.assertEqual(len(self.upstream.asked), looks + 1)

    def test_calls(self) -> None:
        """InnerTube is asked with the client of the page, the token verbatim, and no account."""
        self.body = b"{}"
        live = live_stream("live", ClientContext("2.9", "v%3D", "key"))
        asked = self.client.chat(live, "token%3D")
        answer = self.successResultOf(Deferred.fromCoroutine(asked))
        self.assertEqual((answer.status, answer.body), (200, b"{}"))
        self.successResultOf(
            Deferred.fromCoroutine(self.client.metadata(live_stream("abc", ClientContext())))
        )
        (uri, headers, body), (other, plain, question) = self.upstream.asked
        base = "www.youtube.com/youtubei/v1/"
        self.assertEqual(uri, f"{base}live_chat/get_live_chat?prettyPrint=false")
        self.assertEqual(other, f"{base}updated_metadata?prettyPrint=false")
        self.assertEqual(headers["x-youtube-client-version"], ["2.9"])
        self.assertEqual(headers["x-goog-visitor-id"], ["v%3D"])
        self.assertNotIn("x-goog-visitor-id", plain)
        self.assertNotIn("PENDING", str(plain["cookie"]))
        names = {"clientName": "WEB", "clientVersion": "2.9", "hl": "en", "gl": "US"}
        context = {"client": {**names, "visitorData": "v%3D"}}
        self.assertEqual(json.loads(body), {"context": context, "continuation": "token%3D"})
        self.assertEqual(json.loads(question)["videoId"], "abc")
        self.assertEqual({"authorization", "x-origin"} & headers.keys(), set())
        self.assertEqual(self.tapped, [("youtube", "live", b"{}")])

    def test_rest(self) -> None:
        """After a refusal no page is asked for: 1, 2, 4, 8, 10, 32, 60 s; a page ends that."""
        self.status = 429
        for wait in (1, 2, 4, 8, 10, 32, 60, 60):
            self.assertEqual(self.page(), Refusal(Reason.RATE_LIMITED))
            self.assertEqual(self.client.rest, wait)
            asked = len(self.upstream.asked)
            self.assertEqual(self.page(seconds=wait / 2), Refusal(Reason.RATE_LIMITED))
            self.assertEqual(len(self.upstream.asked), asked)
            self.clock.advance(wait)
        self.status = 200
        self.assertEqual(self.page(), Page({"metadata": 1}))
        self.status = 429
        self.page()
        self.assertEqual(self.client.rest, 1)
