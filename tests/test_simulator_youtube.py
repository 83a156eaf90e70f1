# SPDX-License-Identifier: MIT
"""The simulated YouTube: tokens, streams, what its actions become, pages and faults."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from itertools import islice
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import ChannelEvent
from livechat.platforms.youtube.identifier import CHANNEL_ID, VIDEO_ID
from livechat.platforms.youtube.parse.chat import read_answer
from livechat.platforms.youtube.parse.continuation import all_messages, feed, is_stub
from livechat.simulator.phrases import ODDITIES
from livechat.simulator.scenario import Scenario
from livechat.simulator.youtube import Settings, YouTubeSimulator
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_ids import channel_id
from livechat.simulator.youtube_items import actions
from livechat.simulator.youtube_site import YouTubeSite
from livechat.simulator.youtube_stream import BACKLOG
from livechat.simulator.youtube_tokens import ALL, STUB_ALL, STUB_TOP, TOP, Place, place, token
from tests.support.youtube import text_item

DAWN = 1_767_000_000


class TokenTests(SynchronousTestCase):
    """Tokens are laid out like YouTube's."""

    def test_real_reader(self) -> None:
        """What reads and rewrites the real ones reads and rewrites these."""
        top = token(Place("UC" + "x" * 22, "v" * 11))
        self.assertEqual(feed(top), "top")
        everything = all_messages(top)
        self.assertEqual((feed(everything), len(everything)), ("all", len(top)))
        self.assertEqual(place(everything), Place("UC" + "x" * 22, "v" * 11, ALL))
        self.assertTrue(urlsafe_b64decode(unquote(top)).startswith(bytes.fromhex("d287ccc803")))

    @given(
        st.text("abcXYZ019-_", max_size=24),
        st.text("abcXYZ019-_", max_size=11),
        st.sampled_from([TOP, ALL]),
        st.integers(-1, 2**40),
        st.integers(0, 300),
    )
    def test_there_and_back(self, owner: str, video: str, kind: int, at: int, age: int) -> None:
        """Whatever a place is, its token leads there, and is no stub."""
        where = Place(owner, video, kind, at, age)
        self.assertEqual(place(token(where)), where)
        self.assertFalse(is_stub(token(where)))

    @given(st.text(max_size=60))
    def test_nonsense(self, text: str) -> None:
        """What is no token leads nowhere."""
        self.assertIsNone(place(text))

    def test_stubs(self) -> None:
        """The menu's tokens of a watch page name no stream."""
        for stub in (STUB_TOP, STUB_ALL):
            self.assertTrue(is_stub(stub))
            self.assertIsNone(place(stub))


class ChatCase(SynchronousTestCase):
    """A simulated YouTube on a clock."""

    rate = 2.0

    def setUp(self) -> None:
        """Nobody has asked yet."""
        self.clock = Clock()
        self.clock.advance(DAWN)
        settings = Settings(ending_after=5.0)
        self.youtube = YouTubeSimulator(
            self.clock, self.clock.seconds, Scenario(1, self.rate), settings
        )

    def first(self, name: str = "ann", kind: int = ALL) -> str:
        """A token that begins with the past."""
        return token(Place(self.youtube.channel_id(name), self.youtube.video_id(name), kind))

    def poll(self, text: str) -> tuple[list[Any], str]:
        """The actions of an answer, and the next token."""
        status, answer = self.youtube.chat(text)
        self.assertEqual(status, 200)
        chat = answer["continuationContents"]["liveChatContinuation"]
        (continuation,) = chat["continuations"]
        following = continuation["invalidationContinuationData"]["continuation"]
        return chat.get("actions", []), following


class StreamTests(ChatCase):
    """What one gets to read of a stream."""

    def test_past_and_present(self) -> None:
        """At first the past, then what came since, each thing once, also on a second asking."""
        past, following = self.poll(self.first())
        self.assertGreater(len(past), 30)
        self.assertEqual(self.poll(following)[0], [])
        self.clock.advance(30)
        news, following_2 = self.poll(following)
        self.assertGreater(len(news), 30)
        self.assertEqual(self.poll(following), (news, following_2))
        self.assertEqual(self.poll(following_2)[0], [])

    def test_same_seed(self) -> None:
        """The same seed and name tell the same story."""
        other = YouTubeSimulator(self.clock, self.clock.seconds, Scenario(1, self.rate))
        self.assertEqual(other.video_id("ann"), self.youtube.video_id("ann"))
        self.assertEqual(other.chat(self.first()), self.youtube.chat(self.first()))

    def test_top_chat(self) -> None:
        """Top chat leaves messages out; all messages have all of them."""
        top, _ = self.poll(self.first(kind=TOP))
        everything, _ = self.poll(self.first())
        self.assertLess(len(top), len(everything))
        self.assertEqual([one for one in everything if one in top], top)

    def test_bounded(self) -> None:
        """Of a long past only its end is told, and of a chat that nobody read its last minute."""
        for n in range(200):
            self.youtube.say("quiet_ann", text_item(str(n), 0))
        self.assertEqual(len(self.poll(self.first("quiet_ann"))[0]), BACKLOG)
        _, following = self.poll(self.first())
        self.clock.advance(86400)
        self.assertLess(len(self.poll(following)[0]), 400)

    def test_busy_and_quiet(self) -> None:
        """The beginning of a name says how fast its chat is."""
        heard = []
        for name in ("quiet_ann", "ann", "busy_ann"):
            _, following = self.poll(self.first(name))
            self.clock.advance(20)
            heard.append(len(self.poll(following)[0]))
        self.assertEqual(heard[0], 0)
        self.assertGreater(heard[2], 5 * heard[1] > 0)

    def test_end(self) -> None:
        """An ended stream has no chat any more; `ending` ones end by themselves."""
        for name, end in (("ann", lambda: self.youtube.end("ann")), ("ending_ann", lambda: None)):
            self.assertTrue(self.youtube.is_live(name))
            _, following = self.poll(self.first(name))
            end()
            self.clock.advance(5)
            self.assertFalse(self.youtube.is_live(name))
            status, answer = self.youtube.chat(following)
            self.assertEqual((status, "continuationContents" in answer), (200, False))

    def test_mishaps(self) -> None:
        """Tokens are refused or die; fresh ones work."""
        _, following = self.poll(self.first())
        self.youtube.strike(YouTubeMishap.DEADEN)
        self.clock.advance(20)
        self.assertEqual(self.poll(following)[0], [])
        fresh = self.youtube.video("ann").token
        _, following = self.poll(fresh)
        self.clock.advance(20)
        self.assertGreater(len(self.poll(following)[0]), 5)
        self.youtube.strike(YouTubeMishap.EXPIRE)
        self.assertEqual(self.youtube.chat(following)[0], 400)
        self.poll(self.youtube.video("ann").token)

    def test_ids(self) -> None:
        """Ids look like YouTube's, belong to names, and an unknown one is a name itself."""
        for name in ("ann", "bob", "someone_else"):
            self.assertTrue(VIDEO_ID.fullmatch(self.youtube.video_id(name)))
            self.assertTrue(CHANNEL_ID.fullmatch(self.youtube.channel_id(name)), name)
            self.assertTrue(CHANNEL_ID.fullmatch(channel_id(name)))
            self.assertEqual(self.youtube.named(self.youtube.video_id(name)), name)
            self.assertEqual(self.youtube.named(self.youtube.channel_id(name)), name)
        self.assertEqual(self.youtube.named("missing0000"), "missing0000")
        self.assertEqual(self.youtube.video_id("missing0000"), "missing0000")

    def test_metadata(self) -> None:
        """Viewers of a stream on air; of an ended one all views ever."""
        video = self.youtube.video_id("ann")

        def count() -> dict[str, Any]:
            (shown, _) = self.youtube.metadata(video)["actions"]
            counted = shown["updateViewershipAction"]["viewCount"]
            found: dict[str, Any] = counted["videoViewCountRenderer"]
            return found

        live = count()
        self.youtube.end("ann")
        over = count()
        self.assertEqual((live["isLive"], over["isLive"]), (True, False))
        self.assertGreater(int(over["originalViewCount"]), int(live["originalViewCount"]))


class ItemTests(SynchronousTestCase):
    """What the scenario's actions become is what the reader of the real ones can read."""

    def test_everything_is_read(self) -> None:
        """Each action is read in full, but for what the scenario has only just invented."""
        made: list[dict[str, Any]] = []
        for _, action in islice(Scenario(1, 1.0).script("ann"), 12000):
            made += actions(action, "ann", DAWN * 10**6)
        continuation = {"timedContinuationData": {"continuation": "x"}}
        chat = {"continuations": [continuation], "actions": made}
        answer = {"continuationContents": {"liveChatContinuation": chat}}
        poll = read_answer(json.loads(json.dumps(answer)), "video", DAWN * 1000)
        odd = {f"liveChat{kind.title().replace('-', '')}Renderer" for kind, _ in ODDITIES}
        self.assertEqual(set(poll.unread), odd)
        self.assertEqual(set(poll.ignored), {"addLiveChatTickerItemAction"})
        kinds = {event.type for event in poll.events if isinstance(event, ChannelEvent)}
        self.assertEqual(
            kinds,
            {
                "subscription",
                "gift",
                "raid",
                "pin",
                "donation",
                "deletion",
                "timeout",
                "notice",
                "room",
            },
        )
        unread = sum(poll.unread.values()) + sum(poll.ignored.values())
        members = sum(getattr(event, "type", "") == "subscription" for event in poll.events)
        self.assertEqual(len(poll.events) - members + unread, len(made))


class SiteTests(ChatCase):
    """Over HTTP."""

    def setUp(self) -> None:
        """The same with a client."""
        super().setUp()
        self.http: Any = StubTreq(YouTubeSite(self.youtube))

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of a page."""
        url = f"https://www.youtube.com{path}"
        response = self.successResultOf(self.http.get(url, headers=headers, allow_redirects=False))
        body = self.successResultOf(self.http.content(response))
        return response.code, body.decode()

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a call."""
        response = self.successResultOf(self.http.post(f"https://www.youtube.com{path}", data=body))
        decoded: dict[str, Any] = json.loads(self.successResultOf(self.http.content(response)))
        return response.code, decoded

    def test_pages(self) -> None:
        """There is a page for every path that a reader asks for, and none for others."""
        channel, video = self.youtube.channel_id("ann"), self.youtube.video_id("ann")
        for path, status in (
            ("/@ann/live", 200),
            ("/@ANN/streams", 200),
            (f"/channel/{channel}/live", 200),
            (f"/watch?v={video}", 200),
            (f"/live_chat?v={video}", 200),
            ("/watch?v=missing0000", 200),
            ("/user/ann/live", 200),
            ("/c/legacy_ann/live", 200),
            ("/@legacy_ann/live", 404),
            ("/@missing_ann/live", 404),
            ("/watch?v=short", 404),
            ("/watch", 404),
            ("/nonsense", 404),
            ("/", 404),
        ):
            self.assertEqual(self.get(path)[0], status, path)
        self.assertEqual(self.youtube.asked[0], ("GET", "/@ann/live", "www.youtube.com"))

    def test_bad_calls(self) -> None:
        """What is no question of a player is refused like YouTube does."""
        chat = "/youtubei/v1/live_chat/get_live_chat"
        good = {"context": {"client": {"clientName": "WEB"}}}
        for path, body in (
            (chat, b""),
            (chat, b"[]"),
            (chat, b'{"context": null}'),
            (chat, json.dumps(good).encode()),
            (chat, json.dumps({**good, "continuation": STUB_ALL}).encode()),
        ):
            status, answer = self.post(path, body)
            self.assertEqual((status, answer["error"]["code"]), (400, 400))
        self.assertEqual(self.post("/youtubei/v1/other", json.dumps(good).encode())[0], 404)

    def test_faults(self) -> None:
        """Every fault of a page shows in the page."""
        for fault, status, mark in (
            (YouTubeFault.CONSENT, 302, ""),
            (YouTubeFault.CAPTCHA, 302, ""),
            (YouTubeFault.ELSEWHERE, 302, ""),
            (YouTubeFault.CIRCLE, 302, ""),
            (YouTubeFault.PAGE_429, 429, "Too Many"),
            (YouTubeFault.PAGE_503, 503, "Unavailable"),
            (YouTubeFault.CONSENT_PAGE, 200, "Before you continue"),
            (YouTubeFault.PAGE_GARBAGE, 200, "ytcfg"),
            (YouTubeFault.SIGN_IN, 200, "LOGIN_REQUIRED"),
        ):
            self.youtube.faults = {fault}
            found, text = self.get("/@ann/live")
            self.assertEqual((found, mark in text), (status, True), fault)
        self.youtube.recover()
        self.assertIn('"isLive":true', self.get("/@ann/live")[1])
