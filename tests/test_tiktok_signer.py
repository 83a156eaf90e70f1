# SPDX-License-Identifier: MIT
"""The signed way into a room: the signer's answers, its budget, and when it is asked at all."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.metrics import Metrics
from livechat.model.errors import ChatError
from livechat.model.events import LiveInfo
from livechat.platforms.tiktok.parse.signed import PAUSE, Signed, read_signed
from livechat.platforms.tiktok.refusals import Reason, Refused, seconds_to_wait
from livechat.platforms.tiktok.signer import DailyQuota
from livechat.platforms.tiktok.transports import DETOUR, REFRESH_PAUSE
from livechat.platforms.upstream_error import UpstreamError
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap
from livechat.simulator.tiktok_messages import room_id
from tests.support.tiktok_payloads import batch
from tests.support.tiktok_wire import BASE, SETTINGS, TikTokCase, say

UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
OWN = "socket.example"
NOON = 1_800_000_000.0


def answer(
    push_server: str = "wss://webcast-ws.tiktok.com/x/", cursor: str = "c", **headers: str
) -> Signed | Refused:
    """What becomes of a good answer with these parts."""
    body = batch([("WebcastChatMessage", b"")], (2, cursor), (10, push_server))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_signed(200, {"x-set-tt-cookie": "ttwid=1%7Ca", **named}, body, "77", {OWN}, NOON)


class AnswerTests(SynchronousTestCase):
    """Answers of the signer, read without I/O."""

    def reason(self, answer: Signed | Refused) -> Reason:
        """Why an answer is of no use."""
        assert isinstance(answer, Refused), answer
        return answer.reason

    def test_good(self) -> None:
        """A good answer has messages, cookies exactly as given, and the room it names."""
        signed = answer(x_room_id="78", x_request_id="r1")
        assert isinstance(signed, Signed)
        self.assertEqual((signed.room_id, signed.request_id), ("78", "r1"))
        self.assertEqual(signed.cookies, "ttwid=1%7Ca")
        self.assertEqual(len(signed.first.messages), 1)

    def test_room_id(self) -> None:
        """A room id that is none is not taken over."""
        for named in ("", "0", "x", "-1", "9" * 30, "\u0663"):
            signed = answer(x_room_id=named)
            assert isinstance(signed, Signed)
            self.assertEqual(signed.room_id, "77")

    def test_cookies(self) -> None:
        """Attributes of a Set-Cookie are no cookies; without any, the answer is of no use."""
        header = "ttwid=1%7Ca; Path=/; Domain=.tiktok.com; HttpOnly; msToken=b=c"
        signed = answer(x_set_tt_cookie=header)
        assert isinstance(signed, Signed)
        self.assertEqual(signed.cookies, "ttwid=1%7Ca; msToken=b=c")
        for bad in ("", "Path=/; Secure", "a=\u00e9", "a=1\r\nX: y", "a=1" * 9000):
            self.assertEqual(self.reason(answer(x_set_tt_cookie=bad)), Reason.SIGNER_DOWN)

    def test_trusted_sockets(self) -> None:
        """Cookies go to TikTok over TLS and to hosts that the operator named, nowhere else."""
        for good in (
            "wss://webcast-ws.tiktok.com/x/",
            "wss://webcast-ws.eu.tiktok.com:443/x",
            f"ws://{OWN}:8080/",
            f"wss://{OWN}/",
        ):
            self.assertIsInstance(answer(good), Signed, good)
        for bad in (
            "",
            "wss://ws-fallback.signer.example/webcast/im/",
            "ws://webcast-ws.tiktok.com/x/",
            "wss://tiktok.com.evil.example/",
            "wss://eviltiktok.com/",
            "wss://evil.example\\.tiktok.com/",
            "wss://tiktok.com./",
            f"wss://{OWN}.evil.example/",
            f"wss://{OWN}@evil.example/",
            "wss://a:b@webcast-ws.tiktok.com/",
            "wss://webcast-ws.tiktok.com/?x=1",
            "wss://webcast-ws.tiktok.com/#x",
            "wss://webcast-ws.tiktok.com:99999/",
            "wss://[::1/",
            "https://webcast-ws.tiktok.com/",
            "wss://webcast-ws.tiktok.com/ x",
            "wss://webcast-ws.tiktok.com/\r\nX: y",
        ):
            self.assertEqual(self.reason(answer(bad)), Reason.SIGNER_DOWN, bad)

    def test_stub(self) -> None:
        """Without cursor there is nothing to go on from."""
        self.assertEqual(self.reason(answer(cursor="")), Reason.SIGNER_DOWN)

    def test_statuses(self) -> None:
        """Each refusal has its reason, its words, and a pause."""
        for status, body, reason, note in (
            (401, b'{"message":"invalid key"}', Reason.SIGNER_REJECTED, "HTTP 401: invalid key"),
            (402, b"", Reason.SIGNER_REJECTED, "HTTP 402: no JSON"),
            (403, b'{"error":"This ISP"}', Reason.SIGNER_REJECTED, "HTTP 403: This ISP"),
            (500, b'{"message":5}', Reason.SIGNER_DOWN, "HTTP 500: no message"),
            (503, b"[]", Reason.SIGNER_DOWN, "HTTP 503: no message"),
            (204, b"", Reason.SIGNER_DOWN, "HTTP 204: no JSON"),
        ):
            refusal = read_signed(status, {}, body, "77", (), NOON)
            self.assertEqual(refusal, Refused(reason, note, PAUSE))

    def test_quota(self) -> None:
        """A quota says in how many seconds to come again, however the server tells it."""
        for headers, wait in (
            ({"retry-after": "1800"}, 1800.0),
            ({"ratelimit-reset": "60"}, 60.0),
            ({"x-ratelimit-reset": str(int(NOON) + 90)}, 90.0),
            ({"x-ratelimit-reset": "9999999999999"}, 3600.0),
            ({}, PAUSE),
            ({"retry-after": "soon"}, PAUSE),
        ):
            refusal = read_signed(429, headers, b"", "77", (), NOON)
            self.assertEqual(
                refusal, Refused(Reason.SIGNER_QUOTA, f"come again in {wait:.0f} s", wait)
            )

    @settings(max_examples=300, deadline=None)
    @given(
        st.integers(0, 999),
        st.dictionaries(
            st.sampled_from(["x-set-tt-cookie", "x-room-id", "retry-after", "x-request-id"]),
            st.text(max_size=40),
        ),
        st.binary(max_size=300),
    )
    def test_anything(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Whatever a signer answers, it is one or the other."""
        self.assertIsInstance(read_signed(status, headers, body, "7", (), NOON), Signed | Refused)
        self.assertGreaterEqual(seconds_to_wait(headers, NOON), 0.0)


class DailyQuotaTests(SynchronousTestCase):
    """How often the signer may be asked."""

    def test_day(self) -> None:
        """So many a day, counted from midnight UTC; then it says when to come again."""
        now = [86400.0 * 100 + 80000]
        metrics = Metrics()
        budget = DailyQuota(2, lambda: now[0], metrics)
        budget.spend()
        budget.spend()
        error = self.assertRaises(UpstreamError, budget.spend)
        self.assertEqual(
            (error.reason, error.note, error.retry_after),
            (Reason.SIGNER_QUOTA, "2 today; come again in 6400 s", 3600.0),
        )
        self.assertIn(b"livechat_tiktok_signer_today 2.0", metrics.exposition())
        now[0] += 6400
        self.assertIn(b"livechat_tiktok_signer_today 0.0", metrics.exposition())
        budget.spend()
        self.assertEqual(budget.asked, 1)
        budget.came_to("signed")
        exposed = metrics.exposition()
        self.assertIn(b'livechat_tiktok_signer_requests_total{outcome="signed"} 1.0', exposed)
        self.assertIn(b"livechat_tiktok_signer_budget 2.0", exposed)

    def test_none(self) -> None:
        """Without a limit of ours only the signer's count."""
        budget = DailyQuota(0, lambda: 0.0, Metrics())
        for _ in range(1000):
            budget.spend()
        self.assertEqual(budget.asked, 1000)


class SignedTests(TikTokCase):
    """With `signer` chosen."""

    settings = msgspec.structs.replace(
        SETTINGS, transport="signer", signer_url=f"{BASE}/signer", signer_key="hunter2"
    )

    def test_start(self) -> None:
        """Entered through the signer; no identity of our own is needed."""
        self.simulator.say("ann", say("before"))
        _, sink, started = self.start("ann")
        self.run_for(1)
        self.assertEqual(
            self.successResultOf(started), LiveInfo(str(room_id("ann")), receiving=True)
        )
        # It comes with the signer's answer and again on entering.
        self.assertEqual(sink.take(), [])
        self.assertEqual(sink.given(), [(["before"], "latest")])
        self.assertEqual(list(self.site.asked), ["api-live/user/room", "signer/webcast/fetch"])
        self.assertEqual(self.site.key, "hunter2")
        (socket,) = self.simulator.sockets
        self.assertEqual(socket.cookie, "ttwid=signed%7C1")

    def test_fresh_signature(self) -> None:
        """Every attempt has a signature of its own, and liveness is asked before."""
        _, sink = self.watching("ann")
        self.simulator.drop()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertEqual(
            list(self.site.asked)[1:],
            ["signer/webcast/fetch", "api-live/user/room", "signer/webcast/fetch"],
        )
        (socket,) = self.simulator.sockets
        self.assertEqual(socket.cookie, "ttwid=signed%7C2")

    def test_not_live_costs_nothing(self) -> None:
        """The signer is not asked for an account that is not live."""
        _, _, started = self.start("offline_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), ("STREAM_NOT_LIVE", None))
        self.assertNotIn("signer/webcast/fetch", self.site.asked)

    def test_refusals(self) -> None:
        """Each refusal of the signer is told at once with its reason, for one request."""
        for fault, details, words in (
            (TikTokFault.SIGNER_500, "SIGNER_DOWN", "Empty response payload"),
            (TikTokFault.SIGNER_503, "SIGNER_DOWN", "HTTP 503"),
            (TikTokFault.SIGNER_STUB, "SIGNER_DOWN", "ws-fallback.signer.example"),
            (TikTokFault.SIGNER_NO_COOKIES, "SIGNER_DOWN", "no cookies"),
            (TikTokFault.SIGNER_GARBAGE, "SIGNER_DOWN", "batch unreadable"),
            (TikTokFault.SIGNER_401, "SIGNER_REJECTED", "API Key is invalid"),
            (TikTokFault.SIGNER_403, "SIGNER_REJECTED", "This ISP is blocked"),
            (TikTokFault.SIGNER_429, "SIGNER_QUOTA", "come again in 1800 s"),
        ):
            self.simulator.faults = {fault}
            self.site.asked.clear()
            _, _, started = self.start("ann")
            self.run_for(1)
            error: Any = self.failureResultOf(started, ChatError).value
            self.assertEqual((error.code, error.details), (UNAVAILABLE, details), fault)
            self.assertIn(words, error.error)
            self.assertEqual(self.site.asked.count("signer/webcast/fetch"), 1)
            # Until the failure is forgotten.
            self.run_for(5)

    def test_hanging_signer(self) -> None:
        """A signer that does not answer is down."""
        self.simulator.faults.add(TikTokFault.SIGNER_HANG)
        _, _, started = self.start("ann")
        self.run_for(16)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "SIGNER_DOWN"))

    def test_refused_signature(self) -> None:
        """A signature that TikTok refuses is a verdict in TikTok's words."""
        self.simulator.faults.add(TikTokFault.ILLEGAL_KEY)
        _, _, started = self.start("ann")
        self.run_for(1)
        error: Any = self.failureResultOf(started, ChatError).value
        self.assertEqual(error.details, "REFUSED")
        self.assertIn("illegal secret key", error.error)

    def test_patience_once_started(self) -> None:
        """While the signer is down a room that was watched asks it twice a minute at most."""
        _, sink = self.watching("ann")
        self.simulator.faults.add(TikTokFault.SIGNER_500)
        self.simulator.drop()
        before = self.site.asked.count("signer/webcast/fetch")
        self.run_for(600, 1)
        asked = self.site.asked.count("signer/webcast/fetch") - before
        self.assertIn(asked, range(8, 21))
        self.simulator.faults.clear()
        self.run_for(65, 1)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])


class BudgetedTests(TikTokCase):
    """With a budget of one request a day."""

    settings = msgspec.structs.replace(
        SETTINGS, transport="signer", signer_url=f"{BASE}/signer", signer_budget=1
    )

    def test_used_up(self) -> None:
        """The second start of a day is told so, and the signer is not asked."""
        self.watching("ann")
        self.assertIsNone(self.site.key)
        _, _, started = self.start("bob")
        self.run_for(1)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "SIGNER_QUOTA"))
        self.assertEqual(self.site.asked.count("signer/webcast/fetch"), 1)


class AutoTests(TikTokCase):
    """With `auto`, and a signer configured."""

    settings = msgspec.structs.replace(SETTINGS, signer_url=f"{BASE}/signer")

    def test_direct_first(self) -> None:
        """Where the direct way works the signer is never asked."""
        self.watching("ann")
        self.simulator.strike(TikTokMishap.REVOKE)
        self.run_for(8)
        self.assertEqual(len(self.simulator.watching("ann")), 1)
        self.assertNotIn("signer/webcast/fetch", self.site.asked)

    def test_detour(self) -> None:
        """Refused directly: signed, and for a while the signer first; then direct again."""
        self.simulator.faults.add(TikTokFault.DEVICE_BLOCKED)
        _, _, started = self.start("ann")
        self.run_for(REFRESH_PAUSE + 1)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertEqual(self.endpoint.attempts, 3)
        self.watching("bob")
        self.assertEqual(self.endpoint.attempts, 4)
        self.simulator.faults.clear()
        self.run_for(DETOUR, 5)
        self.watching("cat")
        self.assertEqual(self.site.asked.count("signer/webcast/fetch"), 2)

    def test_no_identity(self) -> None:
        """Without an identity of our own the signer's will do."""
        self.simulator.faults.add(TikTokFault.NO_COOKIE)
        _, _, started = self.start("ann")
        self.run_for(6)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertEqual(self.site.asked.count("signer/webcast/fetch"), 1)

    def test_network_trouble_is_no_refusal(self) -> None:
        """A socket that cannot be reached costs no signature."""
        self.endpoint.refusing = True
        self.start("ann")
        self.run_for(20)
        self.assertNotIn("signer/webcast/fetch", self.site.asked)
        self.endpoint.refusing = False
        self.run_for(10)
