# SPDX-License-Identifier: MIT
"""Black box: the real daemon as a process, a foreign client, a simulated YouTube on a port."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

from twisted.internet import reactor
from twisted.web.server import Site

from livechat.simulator.scenario import Scenario
from livechat.simulator.youtube import Settings, YouTubeSimulator
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_playback import YouTubeRecording, read_recording
from livechat.simulator.youtube_site import YouTubeSite
from tests.support.corpus import corpus
from tests.support.daemon import Client, start_daemon
from tests.support.youtube import text_item
from tests.test_acceptance import DaemonCase


class YouTubeDaemonCase(DaemonCase):
    """A daemon that reads a simulated YouTube in this process."""

    options = ("--linger=0", "--youtube-viewers-every=0")
    scenario = Scenario(1, 0.0)
    recording: YouTubeRecording | None = None

    async def setUp(self) -> None:  # type: ignore[override]
        """Start both; every chat is silent but for what the test says."""
        self.youtube = YouTubeSimulator(
            reactor, time.time, self.scenario, Settings(ending_after=3.0), self.recording
        )
        port = self.listen(Site(YouTubeSite(self.youtube)))
        self.daemon = start_daemon(
            reactor,
            f"--youtube-url=http://127.0.0.1:{port}",
            *getattr(getattr(self, self._testMethodName), "options", self.options),
        )
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening

    async def watching(self, channel: str, **more: Any) -> Client:
        """A client that has been greeted on a channel."""
        return await super().watching(channel, platform="youtube", **more)

    def say(self, text: str, name: str = "ann", item_id: str = "", ago: float = 0.0) -> None:
        """Somebody writes."""
        self.youtube.say(name, text_item(text, int((time.time() - ago) * 1e6), item_id))

    def item(self, name: str, renderer: str, item: dict[str, Any]) -> None:
        """Something comes into a chat."""
        common = {
            "id": f"item {renderer}",
            "timestampUsec": str(int(time.time() * 1e6)),
            "authorExternalChannelId": "UC0000000000000000000000",
            "authorName": {"simpleText": "@ann"},
        }
        added = {"item": {renderer: {**common, **item}}}
        self.youtube.say(name, {"clickTrackingParams": "x", "addChatItemAction": added})

    async def refused(self, identifier: str, **more: Any) -> dict[str, Any]:
        """The one message that answers a subscribe that fails."""
        client = await self.client()
        await client.subscribe(identifier, platform="youtube", **more)
        error = await client.next()
        self.assertEqual(error["type"], "error", error)
        self.assertEqual((error["platform"], error["identifier"]), ("youtube", identifier))
        self.assertEqual(await client.settled(), [])
        await client.close()
        return error


class SubscribeTests(YouTubeDaemonCase):
    """Who is told what."""

    async def test_identifiers(self) -> None:
        """Handle, channel id, video id and URL all start; YouTube is the platform by default."""
        video, channel = self.youtube.video_id("ann"), self.youtube.channel_id("ann")
        for command in (
            {"identifier": "@Ann"},
            {"identifier": "ann", "platform": "youtube"},
            {"identifier": channel, "identifierType": "channelId"},
            {"identifier": video, "identifierType": "liveId"},
            {"identifier": f"https://youtu.be/{video}"},
        ):
            client = await self.client()
            await client.send(type="subscribe", **command)
            first, second = await client.next(), await client.next()
            self.assertEqual((first["status"], first["platform"]), ("subscribed", "youtube"))
            self.assertEqual(first["identifier"], command["identifier"])
            self.assertEqual(
                (second["status"], second["liveId"], second["feed"]), ("started", video, "all")
            )

    async def test_reasons(self) -> None:
        """Every reason why there is nothing to read has its code, and nothing else is said."""
        for name, code, details in (
            ("missing_ann", "STREAM_NOT_FOUND", None),
            ("offline_ann", "STREAM_NOT_LIVE", None),
            ("members_ann", "STREAM_NOT_LIVE", "MEMBERS_ONLY"),
            ("disabled_ann", "STREAM_NOT_LIVE", "CHAT_DISABLED"),
            ("agelimit_ann", "UPSTREAM_UNAVAILABLE", "AGE_RESTRICTED"),
        ):
            error = await self.refused(name)
            self.assertEqual((error["code"], error.get("details")), (code, details))
        upcoming = await self.refused("upcoming_ann")
        self.assertEqual((upcoming["code"], upcoming["details"]), ("STREAM_NOT_LIVE", "UPCOMING"))
        self.assertRegex(upcoming["scheduledStart"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$")
        ended = await self.refused("ended000000", identifierType="liveId")
        self.assertEqual(ended["code"], "STREAM_ENDED")
        for wrong in ("no spaces please", "../watch", "https://youtube.com.evil.test/@ann"):
            self.assertEqual((await self.refused(wrong))["code"], "INVALID_IDENTIFIER")
        self.assertTrue(await self.active(0))

    async def test_one_upstream(self) -> None:
        """Two clients, one upstream; it is left with the last of them."""
        one, two = await self.watching("ann"), await self.watching("@ANN")
        self.assertTrue(await self.active(1))
        pages = [path for method, path, _ in self.youtube.asked if method == "GET"]
        self.assertEqual(pages, ["/@ann/live"])
        self.say("hello")
        for client in (one, two):
            chat = await client.until("chat")
            self.assertEqual(chat["data"]["data"]["content"]["raw"], "hello")
            await client.close()
        await self.come_true(lambda: self.active(0))

    async def test_one_chat(self) -> None:
        """A video asked for by handle, channel and id is one chat; each keeps its identifier."""
        video, channel = self.youtube.video_id("ann"), self.youtube.channel_id("ann")
        names = {"ann": "username", channel: "channelId", video: "liveId"}
        clients = {
            name: await self.watching(name, identifierType=kind) for name, kind in names.items()
        }
        self.assertTrue(await self.active(1))
        pages = [path for method, path, _ in self.youtube.asked if method == "GET"]
        self.assertEqual(pages, ["/@ann/live", f"/channel/{channel}/live"])
        self.say("hello")
        for name, client in clients.items():
            chat = await client.until("chat")
            self.assertEqual(chat["data"]["data"]["content"]["raw"], "hello")
            self.assertEqual(chat["identifier"], name)
            await client.send(type="get_stats")
            self.assertEqual((await client.until("stats"))["data"]["totalMessages"], 1)

    async def test_another_stream(self) -> None:
        """Where a channel begins another stream the first one's chat ends; its name leads on."""
        clients = [
            await self.watching("ann"),
            await self.watching(self.youtube.video_id("ann"), identifierType="liveId"),
        ]
        self.youtube.begin_anew("ann")
        for client in clients:
            await client.until("STREAM_ENDED")
        await clients[0].subscribe("ann", platform="youtube")
        started = await clients[0].until("started")
        self.assertEqual(started["liveId"], self.youtube.video_id("ann"))
        await clients[0].until("stats")
        self.say("in the second")
        chat = await clients[0].until("chat")
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "in the second")


class MessageTests(YouTubeDaemonCase):
    """What a message becomes."""

    async def test_content(self) -> None:
        """The table of contents: text, custom emoji, standard emoji, sticker, amounts, member."""
        client = await self.watching("ann", events=["subscription"])
        thumbnails = [{"url": "https://yt3.ggpht.com/custom=w24", "width": 24, "height": 24}]
        custom = {
            "emojiId": "UC/1",
            "shortcuts": [":customEmoji:"],
            "image": {"thumbnails": thumbnails},
            "isCustomEmoji": True,
        }
        clapping = {
            "emojiId": "👏",
            "shortcuts": [":clapping_hands:"],
            "image": {"thumbnails": [{"url": "https://www.youtube.com/emoji.svg"}]},
        }
        runs = [{"text": "a<b> "}, {"emoji": custom}, {"emoji": clapping}]
        owner = {"icon": {"iconType": "OWNER"}, "tooltip": "Owner"}
        badges = [{"liveChatAuthorBadgeRenderer": owner}]
        text = {"message": {"runs": runs}, "authorBadges": badges}
        self.item("ann", "liveChatTextMessageRenderer", text)
        chat = (await client.until("chat"))["data"]
        self.assertEqual(chat["room_id"], self.youtube.video_id("ann"))
        self.assertRegex(chat["timestamp"], r"^20\d\d-.*\.\d{3}Z$")
        author = chat["data"]["author"]
        self.assertEqual((author["username"], author["display_name"]), ("ann", "@ann"))
        self.assertIs(author["roles"]["broadcaster"], True)
        content = chat["data"]["content"]
        self.assertEqual(content["raw"], "a<b> :customEmoji:👏")
        self.assertEqual(content["formatted"], "a<b> :customEmoji::clapping_hands:")
        self.assertEqual(content["sanitized"], "a<b> ")
        positions = [element["position"] for element in content["elements"]]
        self.assertEqual(positions, [[0, 5], [5, 18], [18, 20]])
        self.assertTrue(
            content["rawHtml"].startswith(
                '<span class="text">a&lt;b&gt; </span><img class="emote" '
                'src="https://yt3.ggpht.com/custom=w24" alt=":customEmoji:" '
                'title=":customEmoji:" data-custom="true">'
            )
        )
        self.assertNotIn("monetary_data", chat["data"]["metadata"])
        amount = {"purchaseAmountText": {"simpleText": "￥1,000"}}
        paid = {**amount, "bodyBackgroundColor": 4294953512}
        self.item("ann", "liveChatPaidMessageRenderer", paid)
        metadata = (await client.until("chat"))["data"]["data"]["metadata"]
        self.assertEqual(metadata["type"], "super_chat")
        money = {"amount": "￥1,000", "formatted": "￥1,000", "color": "#FFCA28"}
        self.assertEqual(metadata["monetary_data"], {**money, "value": 1000, "currency": "JPY"})
        self.assertNotIn("sticker", metadata)
        sticker = {
            "thumbnails": [{"url": "//lh3.googleusercontent.com/s", "width": 40}],
            "accessibility": {"accessibilityData": {"label": "A hippo"}},
        }
        dollars = {"purchaseAmountText": {"simpleText": "$5.00"}, "sticker": sticker}
        self.item("ann", "liveChatPaidStickerRenderer", dollars)
        data = (await client.until("chat"))["data"]["data"]
        url = "https://lh3.googleusercontent.com/s"
        self.assertEqual(data["metadata"]["sticker"], {"url": url, "alt": "A hippo"})
        self.assertEqual((data["content"]["raw"], data["content"]["elements"]), ("", []))
        joined = {"headerSubtext": {"runs": [{"text": t} for t in ("Welcome to ", "Club", "!")]}}
        self.item("ann", "liveChatMembershipItemRenderer", joined)
        chat = (await client.until("chat"))["data"]
        self.assertEqual(chat["data"]["content"]["raw"], "Welcome to Club!")
        event = (await client.until("event"))["data"]
        self.assertEqual((event["type"], event["data"]["status"]), ("subscription", "new"))
        self.assertEqual(event["data"]["message_id"], chat["message_id"])

    async def test_past(self) -> None:
        """What was written before the subscribe does not arrive; what is written after it does."""
        for n in range(30):
            self.say(f"old {n}", ago=60 - n)
        client = await self.watching("ann")
        self.say("new")
        chat = await client.until("chat")
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "new")

    async def test_bad_items_cost_themselves(self) -> None:
        """Items that cannot be read are counted by name, and the others arrive."""
        client = await self.watching("ann")
        self.item("ann", "liveChatNewestThingRenderer", {"x": [None] * 3})
        self.item(
            "ann", "liveChatTextMessageRenderer", {"message": 7, "authorName": [[]], "id": None}
        )
        self.say("good")
        chat = await client.until("chat")
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "good")
        metrics = await self.daemon.metrics()
        for kind in ("liveChatNewestThingRenderer", "liveChatTextMessageRenderer"):
            series = f'livechat_unparsed_total{{kind="{kind}",platform="youtube"}} 1.0'
            self.assertIn(series, metrics)


class TroubleTests(YouTubeDaemonCase):
    """YouTube in trouble, and the end."""

    async def test_storms(self) -> None:
        """Consent, 429, captcha, 5xx at the start: unavailable and why, never `not live`."""
        for fault, details in (
            (YouTubeFault.CONSENT, "CONSENT"),
            (YouTubeFault.PAGE_503, "SERVER_ERROR"),
            (YouTubeFault.POLL_429, "RATE_LIMITED"),
            (YouTubeFault.CAPTCHA, "BLOCKED"),
        ):
            self.youtube.faults = {fault}
            error = await self.refused(f"name_{fault.name.lower()}")
            self.assertEqual((error["code"], error["details"]), ("UPSTREAM_UNAVAILABLE", details))
        self.assertTrue(await self.active(0))

    test_storms.options = ("--start-timeout=2", "--linger=0")  # type: ignore[attr-defined]

    async def test_storm_that_passes(self) -> None:
        """A start that meets a consent page is tried again, and works when it is gone."""
        self.youtube.faults = {YouTubeFault.CONSENT}
        client = await self.client()
        await client.subscribe("ann", platform="youtube")
        await self.come_true(lambda: len(self.youtube.asked) >= 2)
        self.youtube.faults = set()
        self.assertEqual((await client.next())["status"], "subscribed")

    async def test_outage(self) -> None:
        """5xx for some seconds: told once, back by itself, nothing lost and nothing twice."""
        client = await self.watching("ann")
        self.say("before", item_id="1")
        await client.until("chat")
        self.youtube.faults = {YouTubeFault.POLL_503}
        await client.until("reconnecting")
        self.say("meanwhile", item_id="2")
        self.youtube.faults = {YouTubeFault.REPEATS}
        seen: list[dict[str, Any]] = []
        chat = await client.until("chat", seen)
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "meanwhile")
        await client.until("started", seen)
        # Tokens are refused, a new one begins with the past; and every answer repeats itself.
        self.youtube.strike(YouTubeMishap.EXPIRE)
        self.say("after", item_id="3")
        chat = await client.until("chat", seen)
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "after")
        self.assertEqual([m for m in seen if m["type"] != "stats"], [])

    async def test_end(self) -> None:
        """One STREAM_ENDED to each, the connection stays, and a new subscribe works."""
        clients = [await self.watching("ann"), await self.watching("ann")]
        self.say("bye")
        self.youtube.end("ann")
        for client in clients:
            self.assertEqual((await client.until("STREAM_ENDED"))["identifier"], "ann")
            self.assertEqual(await client.settled(), [])
        self.assertTrue(await self.active(0))
        await clients[0].subscribe("bob", platform="youtube")
        await clients[0].until("started")

    async def test_answers_that_swell(self) -> None:
        """Answers that unpack to hundreds of megabytes cost neither the daemon nor its memory."""
        client = await self.watching("ann")
        before = self.daemon.rss()
        self.youtube.faults = {YouTubeFault.BOMB}
        await client.until("reconnecting")
        asked = len(self.youtube.asked)
        # The waits between attempts grow and are drawn by lot: one more is certain in time.
        await self.come_true(lambda: len(self.youtube.asked) > asked)
        self.assertLess(self.daemon.rss() - before, 40 << 20)
        self.youtube.faults = set()
        await client.until("started")


class RecordedTests(YouTubeDaemonCase):
    """Recorded actions of the real YouTube, played through the daemon."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Play those of 2026."""
        self.recording = read_recording(corpus("youtube/ytlivechat"))
        await super().setUp()

    async def test_recording(self) -> None:
        """Each arrives, or was seen, or is counted by name; a member is a chat and an event."""
        assert self.recording is not None
        client = await self.watching("ann", events=True)
        answers = len(self.recording)
        # The first poll is for the past, and brings none of these.
        await self.come_true(lambda: self.polls() >= answers + 2)
        seen = [message for message in await client.settled() if message["type"] != "stats"]
        kinds = Counter(message["data"]["type"] for message in seen)
        metrics = await self.daemon.metrics()
        total = len(seen) - kinds["subscription"]
        for series in ("duplicates", "unparsed", "ignored"):
            found = re.findall(rf"^livechat_{series}_total{{.*}} (\d+)\.0$", metrics, re.MULTILINE)
            total += sum(map(int, found))
        self.assertEqual(total, self.recording.actions, (kinds, metrics))
        self.assertGreaterEqual(kinds["chat"], 6)

    def polls(self) -> int:
        """How often the chat was asked."""
        return len([1 for _, path, _ in self.youtube.asked if path.endswith("get_live_chat")])
