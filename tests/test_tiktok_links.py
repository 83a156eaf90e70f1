# SPDX-License-Identifier: MIT
"""Short links of TikTok's app: which are understood, and that they lead to accounts of TikTok."""

from __future__ import annotations

from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request

from livechat.core.ports import Located, Requester
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey
from livechat.platforms.tiktok.links import Next, link_of, link_url, read_link
from livechat.platforms.tiktok.refusals import Reason, Refused
from livechat.simulator.tiktok_faults import TikTokFault
from tests.support.tiktok_wire import TikTokCase

SITE = "https://www.tiktok.com"
LINK = "https://vt.tiktok.com/ZSabc12De/"


class LinkTests(SynchronousTestCase):
    """What is a short link."""

    def test_good(self) -> None:
        """Each spelling has one canonical form, which keeps the case of the code."""
        for spelling, link in (
            (LINK, "vt.tiktok.com/ZSabc12De"),
            (" https://VT.tiktok.com/ZSabc12De?x=1 ", "vt.tiktok.com/ZSabc12De"),
            ("vt.tiktok.com/ZSabc12De", "vt.tiktok.com/ZSabc12De"),
            ("http://vm.tiktok.com/ZMabc12De/#x", "vm.tiktok.com/ZMabc12De"),
            ("https://www.tiktok.com/t/ZTabc12De/", "www.tiktok.com/t/ZTabc12De"),
            ("tiktok.com/t/ZTabc12De", "www.tiktok.com/t/ZTabc12De"),
        ):
            self.assertEqual(link_of(spelling), link)
            self.assertEqual(link_of(link), link)

    def test_none(self) -> None:
        """Everything else is none."""
        for other in (
            "",
            "ann",
            "@ann",
            "vt.tiktok.com",
            "https://vt.tiktok.com/",
            "https://vt.tiktok.com/a b",
            "https://vt.tiktok.com/a%2Fb",
            "https://vt.tiktok.com:81/abc",
            "https://vt.tiktok.com@evil.test/abc",
            "https://vx.tiktok.com/abc",
            "https://evil.test/t/abc",
            "https://www.tiktok.com/t/",
            "https://www.tiktok.com/@ann/live",
            "ftp://vt.tiktok.com/abc",
            "https://vt.tiktok.com/" + "x" * 65,
            "https://vt.tiktok.com/\u212aelvin",
            "\ud800",
            "x" * 3000,
        ):
            self.assertIsNone(link_of(other), other)

    def test_address(self) -> None:
        """TikTok's own links are asked where they are; another site answers for all of them."""
        link = "vt.tiktok.com/ZSabc12De"
        self.assertEqual(link_url(SITE, link), LINK)
        self.assertEqual(
            link_url("http://127.0.0.1:3/tiktok", link), "http://127.0.0.1:3/tiktok/t/ZSabc12De"
        )


class AnswerTests(SynchronousTestCase):
    """Where an answer leads."""

    def leads(self, status: int, location: str | None = None) -> str | Next | Refused:
        """What an answer means."""
        headers = {} if location is None else {"location": location}
        return read_link(status, headers, LINK, SITE)

    def test_account(self) -> None:
        """The account in the address, whatever follows it."""
        for location in (
            f"{SITE}/@Ann/live?_r=1&_t=8x",
            "https://m.tiktok.com/@ann",
            f"{SITE}/@ann/video/7300000000000000001",
        ):
            self.assertEqual(self.leads(301, location), "ann")

    def test_further(self) -> None:
        """Another address of TikTok is asked next, and no other host ever."""
        nothing = Refused(Reason.NOT_FOUND)
        for location, expected in (
            ("https://vm.tiktok.com/ZMabc/", Next("https://vm.tiktok.com/ZMabc/")),
            ("/t/ZTabc/", Next("https://vt.tiktok.com/t/ZTabc/")),
            ("https://m.tiktok.com/v/73.html", Next("https://m.tiktok.com/v/73.html")),
            ("http://vm.tiktok.com/ZMabc/", nothing),
            ("https://vm.tiktok.com:444/ZMabc/", nothing),
            ("https://x@vm.tiktok.com/ZMabc/", nothing),
            ("https://evil.test/@ann", nothing),
            ("https://www.tiktok.com.evil.test/@ann", nothing),
            ("file:///etc/passwd", nothing),
            (f"{SITE}/?_r=1", nothing),
            (f"{SITE}/404", nothing),
            (f"{SITE}/login?redirect_url=x", Refused(Reason.LOGIN_REQUIRED)),
            ("http://[::1", Refused(Reason.UPSTREAM, "broken redirect")),
        ):
            self.assertEqual(self.leads(302, location), expected, location)

    def test_refusals(self) -> None:
        """No such link, a firewall's page, and errors are told apart."""
        for status, reason in (
            (404, Reason.NOT_FOUND),
            (200, Reason.BLOCKED),
            (403, Reason.BLOCKED),
            (429, Reason.BLOCKED),
            (500, Reason.UPSTREAM),
            (301, Reason.UPSTREAM),
        ):
            answer = self.leads(status)
            assert isinstance(answer, Refused)
            self.assertEqual(answer.reason, reason, status)


class _Circle(Resource):
    """Every address leads to the next one."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def render_GET(self, request: Request) -> bytes:
        """Somewhere else."""
        self.asked.append(request.uri)
        request.setResponseCode(302)
        request.setHeader("location", f"/t/next{len(self.asked)}")
        return b""


class ResolveTests(TikTokCase):
    """`resolve` of the platform, against the simulated TikTok."""

    def resolved(self, identifier: str) -> Deferred[Located]:
        """Ask which account an identifier means."""
        key = self.tiktok.key(identifier, "username")
        return self.tiktok.resolve(key, Requester(), lambda: None)

    def failed_with(self, located: Deferred[Located]) -> tuple[str, str | None]:
        """Code and details of a failure."""
        error = self.failureResultOf(located, ChatError).value
        assert isinstance(error, ChatError)
        return error.code, error.details

    def test_account(self) -> None:
        """A short link is the account to which it leads, and can be watched as that."""
        located = self.resolved("https://vt.tiktok.com/Ann/")
        self.run_for(0)
        found = self.successResultOf(located)
        self.assertEqual(found, Located(ChannelKey("tiktok", "username", "ann")))
        self.assertEqual(list(self.site.asked), ["t/Ann"])

    def test_other_keys(self) -> None:
        """A handle needs no look-up."""
        located = self.resolved("@Ann")
        self.assertEqual(self.successResultOf(located).key.identifier, "ann")
        self.assertEqual(list(self.site.asked), [])

    def test_key(self) -> None:
        """A key of a short link is its own canonical identifier."""
        key = self.tiktok.key(LINK, "username")
        self.assertEqual(key, ChannelKey("tiktok", "shortLink", "vt.tiktok.com/ZSabc12De"))
        self.assertEqual(self.tiktok.key(key.identifier, key.identifier_type), key)
        self.assertIn("vt.tiktok.com", self.tiktok.hosts)

    def test_not_found(self) -> None:
        """A link that leads nowhere is told at once."""
        located = self.resolved("https://vm.tiktok.com/missing1")
        self.run_for(0)
        self.assertEqual(self.failed_with(located), ("STREAM_NOT_FOUND", None))

    def test_passing_trouble(self) -> None:
        """Trouble that passes within the deadline costs nothing but time."""
        self.simulator.faults.add(TikTokFault.BROKEN)
        located = self.resolved("https://vt.tiktok.com/Ann/")
        self.run_for(5)
        self.assertNoResult(located)
        self.simulator.faults.clear()
        self.run_for(20)
        self.assertEqual(self.successResultOf(located).key.identifier, "ann")

    def test_lasting_trouble(self) -> None:
        """Trouble that lasts is told at the start deadline, after a few tries."""
        self.simulator.faults.add(TikTokFault.CAPTCHA)
        located = self.resolved("https://vt.tiktok.com/Ann/")
        self.run_for(31)
        self.assertEqual(self.failed_with(located), ("UPSTREAM_UNAVAILABLE", "BLOCKED"))
        self.assertIn(len(self.site.asked), range(3, 15))

    def test_circle(self) -> None:
        """At most three redirects are followed."""
        circle = _Circle()
        http: Any = StubTreq(circle)
        self.http = http
        tiktok = self.platform(self.settings)
        tiktok.startService()
        key = tiktok.key("https://vt.tiktok.com/Ann/", "username")
        located = tiktok.resolve(key, Requester(), lambda: None)
        self.run_for(0)
        self.assertEqual(self.failed_with(located), ("STREAM_NOT_FOUND", None))
        self.assertEqual(len(circle.asked), 3)
        tiktok.stopService()

    def test_cancel(self) -> None:
        """A look-up can be cancelled, and ends with the platform."""
        self.simulator.faults.add(TikTokFault.HANG)
        for end in (lambda located: located.cancel(), lambda located: self.tiktok.stopService()):
            located = self.resolved("https://vt.tiktok.com/Ann/")
            self.run_for(1)
            end(located)
            self.failureResultOf(located, CancelledError)
