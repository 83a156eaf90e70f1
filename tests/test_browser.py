# SPDX-License-Identifier: MIT
"""The test page in a real browser, with what a real daemon tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from livechat.simulator.actions import Author, Clear, Delete, Say, Silence
from tests.support.browser import BrowserCase, Visit, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANN = Author(1001, "ann", "Ann", "#FF0000")
BEN = Author(1002, "ben", "Ben", "#00FF00")

#: What the page may weigh, all of its files together, in bytes.
WEIGHT = 150_000

#: Resolves with the milliseconds from the click on Connect to the first message on screen.
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
    if (!hasText || !element.checkVisibility()) continue;
    if (element.matches(":disabled, .gone *, .visually-hidden, .skip, option")) continue;
    const style = getComputedStyle(element);
    const under = ground(element);
    const [a, b] = [luminance(over(style.color, under)), luminance(under)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([`${element.className} ${element.textContent.slice(0, 20)}`, contrast]);
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
        """Name a channel, press the button: live, the first chat, title, address."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            expect_status(page, "idle", "Not connected")
            connect(page, "twitch", "busy_kitchen")
            expect_status(page, "live", "Live")
            expect(page).to_have_title("busy_kitchen (twitch) - LiveChat")
            self.assertTrue(page.url.endswith("/test?platform=twitch&identifier=busy_kitchen"))
            page.locator("#list .text").first.wait_for()

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
                ".row .badge",
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
            # The line is drawn to the height of its highest point: with one bin of five seconds it
            # looks the same however much was said in it.
            expect(page.locator("#chart .line")).not_to_have_attribute("d", line)
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

    async def test_every_platform(self) -> None:
        """Each of the three is live and its messages are seen."""

        def work(visit: Visit) -> None:
            page = visit.page
            for platform in ("youtube", "twitch", "tiktok"):
                page.goto(self.url(f"/test?platform={platform}&identifier=busy_kitchen"))
                expect_status(page, "live", "Live")
                page.locator(".row .text").first.wait_for()

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
            self.here(self.ended, self.daemon)
            expect_status(page, "warn", "Connection lost")
            expect(page.locator("#status-text")).to_have_text(re.compile("next try|again", re.I))
            rows = page.locator(".row").count()
            self.here(self.start_again, *self.options, later)
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
            page.get_by_role("button", name="Pause").click()
            page.locator("#frame-list button").last.click()
            wide = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
            self.assertLessEqual(*wide)
            faint = [(what, ratio) for what, ratio in page.evaluate(CONTRASTS) if ratio < 4.5]
            self.assertEqual(faint, [])

        for width in (390, 1280):
            for scheme in ("light", "dark"):
                await self.visit(
                    work, viewport={"width": width, "height": 844}, color_scheme=scheme
                )

    test_fits_phone_and_desk_in_light_and_dark.options = (  # type: ignore[attr-defined]
        "--demo",
        "--demo-rate=10",
    )

    async def test_is_light(self) -> None:
        """All files of the page together stay below the bar, and none of them is missing."""

        def work(visit: Visit) -> None:
            sizes = {}

            def answered(response: Any) -> None:
                if response.url.startswith(self.url("")) and response.status == 200:
                    sizes[response.url] = int(response.headers.get("content-length", 0))

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
            said = [
                say(1, ANN, "one"),
                say(2, BEN, "two"),
                say(3, ANN, "three"),
                say(4, BEN, "four"),
            ]
            for message in said:
                self.here(self.twitch.say, "hopper", message)
            expect(page.locator(".row")).to_have_count(4)
            self.here(self.twitch.say, "hopper", Delete(id="d", message=said[1]))
            expect(page.locator(".row.gone")).to_have_count(1)
            expect(page.locator(".row.gone del")).to_have_text("two")
            expect(page.locator(".row.gone .gone-tag")).to_have_text("deleted")
            self.here(self.twitch.say, "hopper", Silence(id="s", author=ANN, seconds=600))
            expect(page.locator(".row.gone")).to_have_count(3)
            tags = page.locator(".gone-tag").all_inner_texts()
            self.assertEqual(tags, ["timed out 10 min", "deleted", "timed out 10 min"])
            self.here(self.twitch.say, "hopper", Clear(id="c"))
            expect(page.locator(".row.gone")).to_have_count(4)
            expect(page.locator(".row.event")).to_have_text(re.compile("cleared the chat"))

        await self.visit(work)

    async def test_stream_ends(self) -> None:
        """The end of a stream is told as such, and what was written stays."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=hopper"))
            expect_status(page, "live", "Live")
            self.here(self.twitch.say, "hopper", say(1, ANN, "bye"))
            self.here(self.twitch.put_on_air, "hopper", False)
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
            self.here(self.twitch.say, "hopper", say(1, ANN, "again"))
            expect(page.locator(".row .text")).to_have_text("again")

        await self.visit(work)
