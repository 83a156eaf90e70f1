# SPDX-License-Identifier: MIT
"""The test page in a real browser, beside a real daemon."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from livechat.errors import ErrorCode
from livechat.simulator.actions import Author, Clear, Delete, Say, Silence
from tests.support.browser import BrowserCase, PlayedDaemon, Visit, chat, event, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANN = Author(1001, "ann", "Ann", "#FF0000")
BEN = Author(1002, "ben", "Ben", "#00FF00")

#: What the page may weigh, all of its files together, in bytes.
WEIGHT = 150_000

#: Resolves with the milliseconds from the click on Connect to the first message on screen.
FIRST_CHAT = """() => {
  const list = document.querySelector("#list");
  document.querySelector("#connect").addEventListener("click", () => {
    const clicked = performance.now();
    window.firstChat = new Promise((resolve) => new MutationObserver(() => {
      if (list.querySelector(".text")) resolve(performance.now() - clicked);
    }).observe(list, { childList: true }));
  });
}"""

#: Every pair of text and ground that is seen: what it is, and the contrast by WCAG 2.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (color, ground) => {
    canvas.fillStyle = `rgb(${ground.join()})`;
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => rgb.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => element
    ? over(getComputedStyle(element).backgroundColor, ground(element.parentElement))
    : [255, 255, 255];
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!hasText || !element.checkVisibility() || element.closest(".for-ears, .skip, option")) continue;
    if (element.matches(":disabled, .gone *")) continue;
    const style = getComputedStyle(element);
    const under = ground(element);
    const [a, b] = [luminance(over(style.color, under)), luminance(under)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([`${element.nodeName}.${element.className} ${element.textContent.slice(0, 20)}`, contrast]);
  }
  return found;
}"""


def say(number: int, author: Author, text: str) -> Say:
    """A message with an id of its own."""
    return Say(id=f"00000000-0000-4000-8000-{number:012d}", author=author, text=(text,))


def connect(page: Page, platform: str, identifier: str) -> None:
    """Fill the form and press the button."""
    page.locator(f".platforms input[value={platform}]").check(force=True)
    page.get_by_label("Channel").fill(identifier)
    page.get_by_role("button", name="Connect", exact=True).click()


def expect_status(page: Page, state: str, title: str) -> None:
    """The strip is in a state and says so."""
    expect(page.locator("#status")).to_have_attribute("data-state", state)
    expect(page.locator("#status-title")).to_have_text(title)


class DemonstrationTests(BrowserCase):
    """What somebody sees who opens the page of `--demo`."""

    async def test_connects(self) -> None:
        """Name a channel, press the button: live, first chat within a second, title, address."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            expect_status(page, "idle", "Not connected")
            page.evaluate(FIRST_CHAT)
            connect(page, "twitch", "busy_kitchen")
            expect_status(page, "live", "Live")
            self.assertLess(page.evaluate("() => window.firstChat"), 1000)
            expect(page).to_have_title("busy_kitchen (twitch) - LiveChat")
            self.assertTrue(page.url.endswith("/test?platform=twitch&identifier=busy_kitchen"))

        await self.visit(work)

    async def test_shows_a_lively_chat(self) -> None:
        """Names, role chips, pictures of emotes, replies, money and events all come to be seen."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=busy_kitchen"))
            for what in (
                ".row .name",
                ".row .chip.subscriber",
                ".row .chip.moderator",
                ".row .badge-text",
                ".row .reply b",
                ".row.event",
                ".row.paid .amount",
            ):
                page.locator(what).first.wait_for(state="attached")
            page.wait_for_function(
                "() => [...document.querySelectorAll('.row .emote')].some((e) => e.naturalWidth)"
            )
            self.assertRegex(page.locator(".row .text").last.inner_text(), r"\S")
            self.assertRegex(page.locator(".row time").last.inner_text(), r"^\d\d:\d\d$")

        await self.visit(work)

    async def test_statistics_move(self) -> None:
        """Totals, users, rate, chart, lag, top chatters and money change while one looks."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=busy_kitchen"))
            number = "(id) => Number(document.getElementById(id).textContent.replace(/,/g, ''))"
            page.wait_for_function(f"() => ({number})('total') > 5")
            total = page.evaluate(number, "total")
            line = page.locator("#chart .line").get_attribute("d")
            page.wait_for_function(f"() => ({number})('total') > {total + 20}")
            for name in ("unique", "rate"):
                self.assertGreater(page.evaluate(number, name), 1, name)
            self.assertRegex(page.locator("#lag").inner_text(), r"^\d+(\.\d)? s$")
            self.assertRegex(page.locator("#received").inner_text(), r"^\d+ received here$")
            self.assertNotEqual(page.locator("#chart .line").get_attribute("d"), line)
            expect(page.locator("#storage")).to_have_text("In memory")
            counts = page.locator("#top .how-often").all_inner_texts()
            shown = [int(text.split()[0]) for text in counts]
            self.assertEqual(shown, sorted(shown, reverse=True))
            self.assertGreater(len(shown), 2)

        await self.visit(work)

    async def test_says_why_not(self) -> None:
        """What cannot be had is told in words, with its code, and can be tried again."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            for platform, identifier, title, code in (
                ("twitch", "offline_ann", "Not live", "STREAM_NOT_LIVE · OFFLINE"),
                ("twitch", "missing_ann", "Not found", "STREAM_NOT_FOUND · NOT_FOUND"),
                ("twitch", "no such name!", "Not understood", "INVALID_IDENTIFIER"),
            ):
                connect(page, platform, identifier)
                expect_status(page, "bad", title)
                expect(page.locator("#status-code")).to_have_text(re.compile(f"^{code}"))
                expect(page.locator("#empty-title")).to_have_text(title)
                expect(page.get_by_role("button", name="Try again")).to_be_visible()
            expect(page.get_by_role("button", name="Disconnect")).to_be_disabled()
            connect(page, "twitch", "kitchen")
            expect_status(page, "live", "Live")

        await self.visit(work)

    async def test_every_platform_answers(self) -> None:
        """Each of the three comes to an end that is told: live, or why not."""

        def work(visit: Visit) -> None:
            page = visit.page
            for platform in ("youtube", "twitch", "tiktok"):
                page.goto(self.url(f"/test?platform={platform}&identifier=kitchen"))
                expect(page.locator("#status")).to_have_attribute(
                    "data-state", re.compile("^(live|bad)$")
                )
                expect(page.locator("#status-title")).to_have_text(
                    re.compile("^(Live|Chat open|Not supported)$")
                )

        await self.visit(work)

    async def test_lets_go(self) -> None:
        """Disconnect ends it: the strip says so and the address no longer connects."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=kitchen"))
            expect_status(page, "live", "Live")
            page.get_by_role("button", name="Disconnect").click()
            expect_status(page, "idle", "Not connected")
            self.assertTrue(page.url.endswith("/test"))
            expect(page.get_by_label("Channel")).to_have_value("kitchen")

        await self.visit(work)

    async def test_comes_back_after_a_restart(self) -> None:
        """The daemon is killed and another one takes its port: the page goes on by itself."""
        later = f"--listen=tcp:{self.daemon.port}:interface=127.0.0.1"

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=busy_kitchen"))
            page.locator(".row").first.wait_for()
            self.here(lambda: (self.daemon.kill(), self.daemon.ended)[1])
            expect_status(page, "warn", "Connection lost")
            expect(page.locator("#status-text")).to_have_text(re.compile("next try|again", re.I))
            rows = page.locator(".row").count()
            self.here(lambda: self.start_again(*self.options, later))
            expect_status(page, "live", "Live")
            page.wait_for_function(f"() => document.querySelectorAll('.row').length > {rows}")

        # The browser itself reports that nobody answers.
        await self.browser.visit(work)

    async def test_fits_phone_and_desk_in_light_and_dark(self) -> None:
        """Nothing is wider than the screen, and all text stands out from its ground by 4.5 : 1."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=busy_kitchen"))
            page.locator(".row.paid").first.wait_for()
            page.locator("#frames summary").click()
            page.locator("#frame-list button").first.click()
            wide = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
            self.assertLessEqual(*wide)
            faint = [(what, ratio) for what, ratio in page.evaluate(CONTRASTS) if ratio < 4.5]
            self.assertEqual(faint, [])

        for width in (390, 1280):
            for scheme in ("light", "dark"):
                await self.visit(
                    work, viewport={"width": width, "height": 844}, color_scheme=scheme
                )

    async def test_is_light(self) -> None:
        """All files of the page together stay below the bar, and none of them is missing."""

        def work(visit: Visit) -> None:
            sizes = {}

            def answered(response: Any) -> None:
                if response.url.startswith(self.url("")) and response.status == 200:
                    sizes[response.url] = len(response.body())

            visit.page.on("requestfinished", lambda request: answered(request.response()))
            visit.page.goto(self.url("/test"), wait_until="networkidle")
            self.assertGreater(len(sizes), 10)
            self.assertLess(sum(sizes.values()), WEIGHT)

        await self.visit(work)


class ModerationTests(BrowserCase):
    """What moderators do reaches the page."""

    options = ("--linger=0",)

    async def test_strikes_out(self) -> None:
        """A deleted message, those of somebody timed out, and a cleared chat are struck out."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=hopper"))
            expect_status(page, "live", "Live")
            said = [say(1, ANN, "one"), say(2, BEN, "two"), say(3, ANN, "three"), say(4, BEN, "four")]
            for message in said:
                self.here(lambda message=message: self.twitch.say("hopper", message))
            expect(page.locator(".row")).to_have_count(4)
            self.here(lambda: self.twitch.say("hopper", Delete(id="d", message=said[1])))
            expect(page.locator(".row.gone")).to_have_count(1)
            expect(page.locator(".row.gone del")).to_have_text("two")
            expect(page.locator(".row.gone .gone-tag")).to_have_text("deleted")
            self.here(lambda: self.twitch.say("hopper", Silence(id="s", author=ANN, seconds=600)))
            expect(page.locator(".row.gone")).to_have_count(3)
            tags = page.locator(".gone-tag").all_inner_texts()
            self.assertEqual(tags, ["timed out 10 min", "deleted", "timed out 10 min"])
            self.here(lambda: self.twitch.say("hopper", Clear(id="c")))
            expect(page.locator(".row.gone")).to_have_count(4)
            expect(page.locator(".row.event")).to_have_text(re.compile("cleared the chat"))

        await self.visit(work)

    async def test_stream_ends(self) -> None:
        """The end of a stream is told as such, and what was written stays."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=ending_hopper"))
            expect_status(page, "live", "Live")
            self.here(lambda: self.twitch.say("ending_hopper", say(1, ANN, "bye")))
            expect_status(page, "over", "Stream ended")
            expect(page.locator("#status-code")).to_have_text(re.compile("^STREAM_ENDED"))
            expect(page.locator(".row .text")).to_have_text("bye")

        await self.visit(work)

    test_stream_ends.options = (  # type: ignore[attr-defined]
        "--twitch-require-live",
        "--twitch-live-poll=1",
        "--twitch-offline-grace=0",
    )

    async def test_upstream_lost(self) -> None:
        """The platform drops the daemon: the page says so, and goes on when it is back."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=hopper"))
            expect_status(page, "live", "Live")
            page.evaluate(
                """() => {
                  window.titles = [];
                  new MutationObserver(() =>
                    titles.push(document.querySelector("#status-title").textContent)
                  ).observe(document.querySelector("#status"), { subtree: true, childList: true });
                }"""
            )
            self.here(self.twitch.drop)
            page.wait_for_function("() => titles.includes('Reconnecting')")
            expect_status(page, "live", "Live")
            self.here(lambda: self.twitch.say("hopper", say(1, ANN, "again")))
            expect(page.locator(".row .text")).to_have_text("again")

        await self.visit(work)


class PageTests(BrowserCase):
    """The page by itself, with a daemon whose answers the test plays."""

    async def test_super_chats_stickers_and_faces(self) -> None:
        """What YouTube pays with: colour and amount, sticker, avatar, badge picture, reply."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann&identifierType=channelId"))
            daemon.greet()
            self.assertEqual(
                daemon.heard,
                [
                    {
                        "type": "subscribe",
                        "platform": "youtube",
                        "identifier": "ann",
                        "identifierType": "channelId",
                        "events": True,
                    }
                ],
            )
            money = {"amount": "10", "formatted": "€10.00", "color": "#FFCA28"}
            daemon.say(
                chat(
                    "take it",
                    type="super_chat",
                    monetary_data={**money, "value": 10, "currency": "EUR"},
                    avatar_url="https://pictures.example/ann.png",
                    badges=[
                        {
                            "type": "custom",
                            "label": "gold",
                            "image_url": "https://pictures.example/gold.png",
                        }
                    ],
                    sticker={"url": "https://pictures.example/hug.png", "alt": "a hug"},
                    reply={
                        "message_id": "x",
                        "user_id": "7",
                        "username": "ben",
                        "display_name": "Ben",
                        "text": "how much?",
                    },
                ),
                chat("and more", monetary_data={**money, "value": 5.5, "currency": "EUR"}),
                event("viewers", viewers=1234, total_viewers=5678),
                event("gift", text="Ann sent a rose", user={"display_name": "Ann"}),
            )
            row = page.locator(".row.paid").first
            expect(row.locator(".amount")).to_have_text("€10.00")
            self.assertEqual(
                row.locator(".amount").evaluate("(e) => getComputedStyle(e).backgroundColor"),
                "rgb(255, 202, 40)",
            )
            for picture in (".sticker", ".face", ".badge"):
                loaded = "(e) => e.decode().then(() => e.naturalWidth)"
                self.assertGreater(row.locator(picture).evaluate(loaded), 0, picture)
            expect(row.locator(".reply")).to_have_text("↩ Ben how much?")
            expect(page.locator("#money li")).to_have_text("€15.502 ×")
            expect(page.locator("#viewers")).to_have_text("1,234")
            expect(page.locator(".row.event")).to_contain_text("Ann sent a rose")
            expect(page.locator("#storage")).to_have_text("Redis")

        await self.visit(work, locale="en-US")

    async def test_pictures_that_cannot_be_had(self) -> None:
        """A broken emote is its name, a broken avatar an initial, a broken badge its label."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.route(re.compile("^https:"), lambda route: route.fulfill(status=404))
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.greet()
            gone = "https://pictures.example/gone.png"
            daemon.say(
                chat(
                    html=f'<span class="text">so </span><img class="emote" src="{gone}" alt="Kappa">',
                    avatar_url=f"{gone}?face",
                    badges=[{"type": "custom", "label": "vip/1", "image_url": f"{gone}?badge"}],
                )
            )
            expect(page.locator(".text")).to_have_text("so Kappa")
            expect(page.locator(".emote-text")).to_have_text("Kappa")
            expect(page.locator(".badge-text")).to_have_text("vip")
            expect(page.locator(".avatar")).to_have_text("A")
            expect(page.locator(".avatar img")).to_have_count(0)

        # The browser itself reports pictures that are not there.
        await self.browser.visit(work)

    async def test_every_code_in_words(self) -> None:
        """Each code of the contract has a sentence of its own, none shows a bare code as title."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            ending = [
                code
                for code in ErrorCode
                if code not in ("RATE_LIMITED", "NO_ACTIVE_CHAT", "INVALID_MESSAGE_TYPE")
            ]
            for code in ending:
                daemon.heard.clear()
                page.goto(self.url("/test?platform=youtube&identifier=ann"))
                daemon.say({"type": "error", "error": "for programs", "code": code})
                expect(page.locator("#status-code")).to_have_text(code)
                title, text = page.locator("#status-title, #status-text").all_inner_texts()
                self.assertNotEqual(title, "Error", code)
                self.assertNotIn(code, title + text)
                self.assertNotIn("for programs", text, code)

        await self.visit(work)

    async def test_upcoming(self) -> None:
        """A stream that is announced says for when."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.say(
                {
                    "type": "error",
                    "error": "not live",
                    "code": "STREAM_NOT_LIVE",
                    "details": "UPCOMING",
                    "scheduledStart": "2026-01-02T18:30:00.000Z",
                }
            )
            expect(page.locator("#status-text")).to_have_text(
                re.compile(r"announced for Jan 2, 2026, 6:30.PM\.")
            )

        await self.visit(work, locale="en-US", timezone_id="UTC")

    async def test_passing_errors_leave_the_chat_alone(self) -> None:
        """A refused command is noted in the chat; the connection stays as it is."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet(live=True)
            daemon.say({"type": "error", "error": "slow down", "code": "RATE_LIMITED"}, chat("yes"))
            expect(page.locator(".row.event")).to_contain_text("RATE_LIMITED")
            expect(page.locator(".row .text")).to_have_text("yes")
            expect_status(page, "live", "Live")

        await self.visit(work)

    async def test_pasted_address(self) -> None:
        """A pasted URL chooses its platform; the identifier's type is asked for YouTube names only."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            channel, kind = page.get_by_label("Channel"), page.get_by_label("What the text is")
            expect(kind).to_be_visible()
            for url, platform in (
                ("https://www.twitch.tv/ann", "twitch"),
                ("https://www.youtube.com/watch?v=abcdefghijk", "youtube"),
                ("tiktok.com/@ann/live", "tiktok"),
                ("https://youtu.be/abcdefghijk", "youtube"),
            ):
                channel.fill(url)
                expect(page.locator(".platforms input:checked")).to_have_value(platform)
                expect(kind).to_be_hidden()
            channel.fill("ann")
            expect(kind).to_be_visible()

        await self.visit(work)

    async def test_follows_unless_scrolled_up(self) -> None:
        """The newest message is in view; not so for a reader of old ones, until asked for."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            daemon.say(*(chat(f"message {n}") for n in range(60)))
            newest = page.get_by_role("button", name="↓")
            expect(page.get_by_text("message 59", exact=True)).to_be_in_viewport()
            expect(newest).to_be_hidden()
            page.locator("#scroller").hover()
            page.mouse.wheel(0, -600)
            expect(newest).to_be_visible()
            page.wait_for_function("() => document.querySelector('#scroller').scrollTop < 2200")
            top = page.evaluate("() => document.querySelector('#scroller').scrollTop")
            daemon.say(*(chat(f"message {n}") for n in range(60, 75)))
            expect(newest).to_have_text("↓ 15 new")
            self.assertEqual(page.evaluate("() => document.querySelector('#scroller').scrollTop"), top)
            newest.click()
            expect(page.get_by_text("message 74", exact=True)).to_be_in_viewport()
            expect(newest).to_be_hidden()

        await self.visit(work)

    async def test_keeps_so_many_rows(self) -> None:
        """However much is said, the page holds at most 250 rows, the newest ones."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            for start in range(0, 1200, 300):
                daemon.say(*(chat(f"message {n}") for n in range(start, start + 300)))
            expect(page.get_by_text("message 1199", exact=True)).to_be_in_viewport()
            self.assertEqual(page.locator(".row").count(), 250)
            expect(page.locator(".row .text").first).to_have_text("message 950")

        await self.visit(work)

    async def test_raw_frames(self) -> None:
        """The drawer shows what crossed the wire, by kind, and copies it as JSON."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            message = chat("copy me")
            daemon.say(message, event("raid", text="a raid"))
            page.locator("#frames summary").click()
            kinds = page.locator("#frame-list .kind")
            expect(kinds).to_have_text(
                ["subscribe", "status subscribed", "status started", "chat", "event raid"]
            )
            page.get_by_label("Show").select_option("chat")
            expect(kinds).to_have_text(["chat"])
            page.locator("#frame-list button").click()
            page.get_by_role("button", name="Copy JSON").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
            copied = page.evaluate("async () => JSON.parse(await navigator.clipboard.readText())")
            self.assertEqual(copied, message)

        await self.visit(work, permissions=["clipboard-read", "clipboard-write"])

    async def test_keyboard_and_names(self) -> None:
        """Everything can be reached with the keyboard alone, and has a name for those who hear it."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            page.keyboard.press("Escape")
            page.locator("h1").click()
            page.keyboard.press("/")
            expect(page.get_by_label("Channel")).to_be_focused()
            page.keyboard.type("kitchen")
            page.keyboard.press("Shift+Tab")
            page.keyboard.press("ArrowRight")
            expect(page.locator(".platforms input:checked")).to_have_value("twitch")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect_status(page, "live", "Live")
            nameless = page.evaluate(
                """() => [...document.querySelectorAll("button, a, input, select, summary, [tabindex]")]
                  .filter((e) => e.checkVisibility())
                  .filter((e) => !(e.ariaLabel || e.labels?.[0]?.textContent || e.textContent).trim())
                  .map((e) => e.outerHTML)"""
            )
            self.assertEqual(nameless, [])
            self.assertEqual(page.get_by_role("log").count(), 1)
            self.assertEqual(page.get_by_role("status").count(), 1)

        await self.visit(work)

    async def test_theme_is_kept(self) -> None:
        """The colours go round, and a reload keeps the choice."""

        def work(visit: Visit) -> None:
            page = visit.page
            ground = "() => getComputedStyle(document.body).backgroundColor"
            page.goto(self.url("/test"))
            light = page.evaluate(ground)
            button = page.get_by_role("button", name="Colours")
            button.click()
            self.assertEqual(page.evaluate(ground), light)
            button.click()
            dark = page.evaluate(ground)
            self.assertNotEqual(dark, light)
            page.reload()
            self.assertEqual(page.evaluate(ground), dark)

        await self.visit(work, color_scheme="light")

    async def test_unknown_things_do_no_harm(self) -> None:
        """Messages of tomorrow's daemon, and broken ones, cost themselves only."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            odd: list[Any] = [{}, [], None, 5, "text", {"type": "new"}, {"type": "chat"}]
            odd += [{"type": kind, "data": {}} for kind in ("chat", "event", "stats")]
            odd += [{"type": kind, "data": None} for kind in ("chat", "event", "stats")]
            odd += [{"type": "chat", "data": {"data": {}}}, {"type": "status"}, {"type": "error"}]
            daemon.say(*odd[:-1], chat("still here"))
            expect(page.get_by_text("still here")).to_be_in_viewport()

        await self.visit(work)
