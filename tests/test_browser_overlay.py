# SPDX-License-Identifier: MIT
"""The overlay for streaming programs, and the page that makes its address."""

from __future__ import annotations

import re
import time

from twisted.web.server import Site

from livechat.simulator.actions import Author, Clear, Delete, GiftShower, Say, Silence
from livechat.simulator.scenario import Scenario
from livechat.simulator.youtube import YouTubeSimulator
from livechat.simulator.youtube_pages import Standing
from livechat.simulator.youtube_site import YouTubeSite
from tests.support.browser import BrowserCase, Visit, expect, reactor
from tests.support.played_daemon import PlayedDaemon, chat, event
from tests.support.youtube import text_item

ANN = Author(1001, "ann", "Ann", "#FF0000")
BEN = Author(1002, "ben", "Ben", "#00FF00")


def say(number: int, author: Author, text: str) -> Say:
    """A message with an id of its own."""
    return Say(id=f"00000000-0000-4000-8000-{number:012d}", author=author, text=(text,))


class RealChatTests(BrowserCase):
    """With the real daemon and a simulated Twitch."""

    options = ("--linger=0",)

    async def test_merges_chats_and_takes_deleted_messages_away(self) -> None:
        """Two channels in one column; deleted messages are gone from it, of the right people."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(
                self.url(
                    "/overlay?platform=twitch&identifier=hopper&platform=twitch&identifier=lovelace"
                )
            )
            self.await_readers("hopper", "lovelace")
            one, two, three = say(1, ANN, "one"), say(2, BEN, "two"), say(3, ANN, "three")
            self.here(self.twitch.say, "hopper", one)
            self.here(self.twitch.say, "lovelace", two)
            self.here(self.twitch.say, "hopper", three)
            words = page.locator(".line .text")
            expect(words).to_have_count(3)
            self.assertEqual(sorted(words.all_inner_texts()), ["one", "three", "two"])
            self.here(self.twitch.say, "hopper", Delete(id="d", message=one))
            expect(words).to_have_count(2)
            self.here(self.twitch.say, "hopper", Silence(id="s", author=ANN))
            expect(words).to_have_text(["two"])
            self.here(self.twitch.say, "hopper", say(4, BEN, "four"))
            expect(words).to_have_text(["two", "four"])
            self.here(self.twitch.say, "lovelace", Clear(id="c"))
            expect(words).to_have_text(["four"])
            ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
            self.assertEqual(ground, "rgba(0, 0, 0, 0)")
            picture = page.screenshot(omit_background=True)
            self.assertEqual(picture[25], 6, "the picture has an alpha channel")

        await self.visit(work)

    async def test_leaves_out(self) -> None:
        """Neither what the address leaves out is shown, nor what was removed while it was held."""

        def work(visit: Visit) -> None:
            page = visit.page
            look = "hide=bots,commands&bots=@Ben&hold=1"
            page.goto(self.url(f"/overlay?platform=twitch&identifier=hopper&{look}"))
            self.await_readers("hopper")
            bad = say(11, ANN, "bad")
            actions = (
                say(12, ANN, "!song"),
                say(13, BEN, "I am a bot"),
                bad,
                Delete(id="d", message=bad),
                say(14, ANN, "hello"),
            )
            # All in one turn, so that the deletion cannot be too late.
            self.here(lambda: [self.twitch.say("hopper", action) for action in actions])
            expect(page.locator(".line .text")).to_have_text(["hello"])
            self.here(self.twitch.say, "hopper", say(15, ANN, "again"))
            expect(page.locator(".line .text")).to_have_text(["hello", "again"])

        await self.visit(work)

    async def test_celebrates(self) -> None:
        """A shower of gifts is one line; what no viewer needs to see is none."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/overlay?platform=twitch&identifier=hopper"))
            self.await_readers("hopper")
            self.here(self.twitch.say, "hopper", GiftShower(id="g", author=ANN, count=5, total=9))
            expect(page.locator(".event")).to_have_text(re.compile("Ann gave 5 subscriptions"))
            self.assertEqual(page.locator(".line").count(), 1)

        await self.visit(work)


class FollowingTests(BrowserCase):
    """With the real daemon and a simulated YouTube whose streams end and begin."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Start them; every chat is quiet but for what the test says."""
        quiet = Scenario(1, 0.0)
        self.youtube = YouTubeSimulator(reactor, time.time, quiet)
        port = self.listen(Site(YouTubeSite(self.youtube)))
        self.options = (
            f"--youtube-url=http://127.0.0.1:{port}",
            "--youtube-viewers-every=0",
            "--wait-poll=1",
        )
        await super().setUp()

    def say(self, text: str) -> None:
        """Somebody writes."""
        self.youtube.say("ann", text_item(text, int(time.time() * 1e6)))

    async def test_two_lives(self) -> None:
        """Live, over, live again and over: one page shows both chats, and is never loaded again."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/overlay?platform=youtube&identifier=ann"))
            page.evaluate("() => { window.isTheSame = true; }")
            body, words = page.locator("body"), page.locator(".line .text")
            shown: list[str] = []
            for text in ("in the first", "in the second"):
                expect(body).to_have_attribute("data-state", "live")
                self.here(self.say, text)
                shown.append(text)
                expect(words).to_have_text(shown)
                self.here(self.youtube.lineup.set, "ann", Standing.ENDED)
                expect(body).to_have_attribute("data-state", "waiting")
                if text == "in the first":
                    self.here(self.youtube.begin_anew, "ann")
                    self.here(self.youtube.lineup.clear, "ann")
            expect(words).to_have_text(shown)
            self.assertIs(page.evaluate("() => window.isTheSame"), True)

        await self.visit(work)


class LookTests(BrowserCase):
    """How it looks, by its address alone, with a daemon whose answers the test plays."""

    async def test_hides(self) -> None:
        """Badges and the mark are left out when asked to be; bots and commands the daemon keeps."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            lines = [
                chat("I am a bot", username="Nightbot"),
                chat("so am I", username="mybot"),
                chat("!song"),
                chat("hello", roles={"moderator": True}),
            ]
            page.goto(self.url("/overlay?platform=youtube&identifier=ann"))
            daemon.greet()
            daemon.say(*lines)
            expect(page.locator(".text")).to_have_count(4)
            self.assertEqual(page.locator(".mark").count(), 4)
            self.assertEqual(page.locator(".chip").count(), 1)
            daemon.heard.clear()
            hide = "hide=bots,commands,badges,platform&bots=mybot"
            page.goto(self.url(f"/overlay?platform=youtube&identifier=ann&{hide}"))
            daemon.greet()
            filters = [one["filter"] for one in daemon.heard if one["type"] == "subscribe"]
            self.assertEqual(filters[-1]["exclude_prefixes"], ["!"])
            self.assertLessEqual({"nightbot", "mybot"}, set(filters[-1]["exclude_users"]))
            daemon.say(lines[-1], event("raid", text="a raid"))
            expect(page.locator(".text")).to_have_text(["hello"])
            self.assertEqual(page.locator(".mark").count(), 0)
            self.assertEqual(page.locator(".chip").count(), 0)
            expect(page.locator(".event")).to_have_count(1)

        await self.visit(work)

    async def test_looks(self) -> None:
        """Size, font, order and the number of lines are as the address says, in all themes."""

        def work(visit: Visit) -> None:
            page = visit.page
            for theme in ("outline", "glass", "paper"):
                daemon = PlayedDaemon(page)
                look = f"theme={theme}&size=31&font=Comic+Neue&newest=top&max=3"
                page.goto(self.url(f"/overlay?platform=youtube&identifier=ann&{look}"))
                daemon.greet()
                for number in range(5):
                    daemon.say(chat(f"message {number}"))
                    page.get_by_text(f"message {number}", exact=True).wait_for()
                expect(page.locator(".text")).to_have_text(["message 4", "message 3", "message 2"])
                style = "(e) => [getComputedStyle(e).fontSize, getComputedStyle(e).fontFamily]"
                size, font = page.locator(".text").first.evaluate(style)
                self.assertEqual(size, "31px")
                self.assertIn("Comic Neue", font)
                top = page.locator(".line").first.bounding_box()
                assert top is not None
                self.assertLess(top["y"], 40)

        await self.visit(work)

    async def test_fades(self) -> None:
        """With `fade` a message goes by itself when its time is over; without it stays."""

        def work(visit: Visit) -> None:
            page = visit.page
            for look, delay, left in (("&fade=600", "0s, 600s", 0), ("", "0s", 1)):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"/overlay?platform=youtube&identifier=ann{look}"))
                daemon.greet()
                daemon.say(chat("soon gone"))
                line = page.locator(".line")
                expect(line).to_be_visible()
                expect(line).to_have_css("animation-delay", delay)
                # Nobody waits for ten minutes: this is what happens after them.
                page.evaluate("() => document.getAnimations().forEach((one) => one.finish())")
                expect(line).to_have_count(left)

        await self.visit(work)

    async def test_merges_platforms(self) -> None:
        """Pairs of platform and identifier become one subscription each, on one connection."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            pairs = (
                "platform=youtube&identifier=abcdefghijk&identifierType=liveId"
                "&platform=twitch&identifier=ann&identifier=ben&platform=tiktok&identifier=cat"
            )
            page.goto(self.url(f"/overlay?{pairs}"))
            daemon.greet()
            asked = [
                (heard["platform"], heard["identifier"], heard.get("identifierType"))
                for heard in daemon.hears(4)
            ]
            self.assertEqual(
                asked,
                [
                    ("youtube", "abcdefghijk", "liveId"),
                    ("twitch", "ann", None),
                    ("twitch", "ben", None),
                    ("tiktok", "cat", None),
                ],
            )
            daemon.say(*(chat("hi", platform=name) for name in ("youtube", "twitch", "tiktok")))
            expect(page.locator(".mark")).to_have_count(3)
            marks = page.locator(".mark").evaluate_all(
                "(all) => all.map((e) => e.dataset.platform)"
            )
            self.assertEqual(marks, ["youtube", "twitch", "tiktok"])

        await self.visit(work)

    async def test_follows_the_channel(self) -> None:
        """The daemon is asked to wait, unless the address says no; one note tells of the wait."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/overlay?platform=twitch&identifier=ann&wait=0"))
            [subscribe] = daemon.hears(1)
            self.assertNotIn("wait", subscribe)
            page.goto(self.url("/overlay?platform=twitch&identifier=ann"))
            self.assertIs(daemon.hears(2)[-1]["wait"], True)
            about = {"type": "status", "platform": "twitch", "identifier": "ann"}
            waiting = {**about, "status": "waiting", "details": "OFFLINE"}
            daemon.say({**about, "status": "subscribed"}, waiting, waiting)
            note = page.locator(".note")
            expect(note).to_have_text("ann (Twitch): Waiting. The streamer is offline.")
            body = page.locator("body")
            expect(body).to_have_attribute("data-state", "waiting")
            daemon.say({**about, "status": "started", "epoch": "e1", "seq": 0}, chat("at last"))
            expect(page.locator(".line")).to_have_count(1)
            expect(body).to_have_attribute("data-state", "live")
            daemon.say({**about, "status": "ended"}, waiting)
            expect(body).to_have_attribute("data-state", "waiting")
            daemon.say({**about, "status": "started", "epoch": "e2", "seq": 0}, chat("again"))
            expect(page.locator(".line")).to_have_count(2)

        await self.visit(work)

    async def test_waits_for_the_stream(self) -> None:
        """A stream that has not begun is a note that goes, and is asked for again."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.clock.install()
            daemon = PlayedDaemon(page)
            page.goto(self.url("/overlay?platform=twitch&identifier=ann"))
            refusal = {"type": "error", "code": "STREAM_NOT_LIVE", "details": "OFFLINE"}
            daemon.say({**refusal, "platform": "twitch", "identifier": "ann"})
            note = page.locator(".note")
            expect(note).to_have_text("ann (Twitch): Not live. The streamer is offline.")
            page.clock.run_for(11_000)
            expect(note).to_have_count(0)
            self.assertEqual(len(daemon.heard), 1)
            page.clock.run_for(30_000)
            # Among it a sign of life, after so long a silence.
            again = [heard for heard in daemon.hears(3) if heard["type"] == "subscribe"]
            self.assertEqual(len(again), 2)
            self.assertEqual(again[0], again[1])
            # What the daemon answers to a sign of life while nothing is held is no news.
            daemon.say({"type": "error", "code": "STREAM_NOT_FOUND", "error": "no data"})
            daemon.say({**refusal, "platform": "twitch", "identifier": "ann"}, chat("at last"))
            expect(page.locator(".line")).to_have_count(1)

        await self.visit(work)

    async def test_mistakes_stay(self) -> None:
        """What the streamer must mend is said until it is mended."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.clock.install()
            page.goto(self.url("/overlay?platform=twitch&identifier=ann"))
            about = {"platform": "twitch", "identifier": "ann"}
            daemon.say({"type": "error", "code": "STREAM_NOT_FOUND", **about})
            page.clock.run_for(60_000)
            expect(page.locator(".note")).to_contain_text("Not found")

        await self.visit(work)


class BuilderTests(BrowserCase):
    """The page that makes the address."""

    async def test_makes_an_address(self) -> None:
        """What is chosen stands in the address, is shown in the preview, and can be copied."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/overlay#platform=twitch&identifier=busy_kitchen"))
            address = page.get_by_label("Address for the browser source")
            expect(address).to_have_value(
                self.url("/overlay?platform=twitch&identifier=busy_kitchen")
            )
            page.get_by_role("button", name="Add another chat").click()
            page.get_by_label("Channel").last.fill("https://www.youtube.com/@ann")
            page.get_by_text("Glass").click()
            page.get_by_label("Text size").fill("30")
            page.get_by_label("Newest at the").select_option("top")
            page.get_by_label("Fade after").fill("20")
            page.get_by_text("commands (!…)").click()
            page.get_by_text("avatars").click()
            page.get_by_label("Safe mode").fill("8")
            expected = (
                "/overlay?platform=twitch&identifier=busy_kitchen&platform=youtube"
                "&identifier=https%3A%2F%2Fwww.youtube.com%2F%40ann"
                "&theme=glass&newest=top&fade=20&size=30&hold=8&hide=commands&show=avatars"
            )
            expect(address).to_have_value(self.url(expected))
            preview = page.frame_locator("#preview")
            expect(preview.locator("body[data-theme=glass]")).to_be_visible()
            expect(preview.locator(".line").first).to_be_visible()
            page.get_by_label("Remove this chat").last.click()
            page.get_by_text("the real chats").click()
            expect(preview.get_by_text("busy_kitchen")).to_have_count(0)
            expect(preview.locator(".line .text").first).to_be_visible()
            page.get_by_role("button", name="Copy").click()
            copied = page.evaluate("() => navigator.clipboard.readText()")
            self.assertEqual(copied, address.input_value())
            page.reload()
            expect(address).to_have_value(copied)
            wide = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
            self.assertLessEqual(*wide)

        permissions = ["clipboard-read", "clipboard-write"]
        await self.visit(work, permissions=permissions)
        await self.visit(work, permissions=permissions, viewport={"width": 390, "height": 844})

    async def test_comes_from_the_test_page(self) -> None:
        """The test page's link carries its chat over."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=kitchen"))
            page.get_by_role("link", name="OBS overlay").click()
            expect(page.get_by_label("Address for the browser source")).to_have_value(
                self.url("/overlay?platform=twitch&identifier=kitchen")
            )

        await self.visit(work)
