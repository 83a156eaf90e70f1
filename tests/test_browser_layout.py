# SPDX-License-Identifier: MIT
"""The pages keep their form: long names, right-to-left text, browsers of some years ago."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.support.browser import BrowserCase, Visit, expect
from tests.support.played_daemon import PlayedDaemon, chat, event
from tests.test_browser import CONTRASTS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

ROLES = dict.fromkeys(("broadcaster", "moderator", "subscriber", "verified"), True)
LONG = "Maximilian_von_und_zu_Habsburg_Lothringen_der_Siebenundzwanzigste"

#: Hebrew with digits at its end: a time after it could become part of the run.
RIGHT_TO_LEFT = "שלום לכולם 2026"

#: Elements that hold more than they have room for sideways, and that cut nothing off on purpose.
TOO_WIDE = """() => [...document.querySelectorAll("body, body *")]
  .filter((e) => e.checkVisibility() && !e.matches(".visually-hidden, svg *"))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
  .filter((e) => !/hidden|auto|scroll/.test(getComputedStyle(e).overflowX))
  .filter((e) => getComputedStyle(e).display !== "inline")
  .map((e) => `${e.nodeName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}`)"""

#: What Chromium learned after version 103, which OBS 29 and 30 carry.
NEWER_THAN_103 = re.compile(r"light-dark\(|color-mix\(|oklch\(|:has\(|\d(dvh|svh|lvh)\b|@container")


def box(element: Locator) -> Any:
    """Where an element is."""
    found = element.bounding_box()
    assert found is not None
    return found


class LongNamesTests(BrowserCase):
    """Names of 65 characters without a blank."""

    options = ("--linger=0",)

    async def test_statistics(self) -> None:
        """The column of statistics keeps its width; counts stay in view."""
        users = [
            {"display_name": LONG, "username": LONG, "roles": ROLES, "messageCount": 12345 - n}
            for n in range(3)
        ]
        stats = {
            "type": "stats",
            "platform": "youtube",
            "data": {
                "uniqueUsers": users,
                "totalMessages": 123456789,
                "uniqueUserCount": 12345678,
                "uniqueUserCountEstimated": True,
                "money": {LONG: 123456789.25, "USD": 12345678.5},
                "events": {LONG: 1234567, "gift": 7},
            },
        }

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.greet()
            daemon.say(
                stats,
                chat("hello " + LONG, display_name=LONG, username="x" + LONG, roles=ROLES),
                event("gift", text=f"sent {LONG}", user={"display_name": LONG}),
            )
            expect(page.locator("#top li")).to_have_count(3)
            page.locator(".row.event").wait_for()
            self.assertEqual(page.evaluate(TOO_WIDE), [])
            column, amount = box(page.locator(".stats")), box(page.locator(".how-often").first)
            self.assertLess(amount["x"] + amount["width"], column["x"] + column["width"])
            self.assertLessEqual(column["x"] + column["width"], page.evaluate("() => innerWidth"))

        for width in (390, 1280):
            await self.visit(work, viewport={"width": width, "height": 844})


class RightToLeftTests(BrowserCase):
    """Texts and names that are read from the right."""

    options = ("--linger=0",)

    async def test_time_stays_behind_the_text(self) -> None:
        """On both pages the time stands right of the text, as with any other text."""

        def work(visit: Visit) -> None:
            page = visit.page
            for path, row, text in (
                ("/test?platform=youtube&identifier=ann", ".row", ".text"),
                ("/overlay?platform=youtube&identifier=ann&show=time", ".line", ".text"),
            ):
                daemon = PlayedDaemon(page)
                page.goto(self.url(path))
                daemon.greet()
                daemon.say(chat("abc"), chat(RIGHT_TO_LEFT, display_name="דנה", username="dana"))
                line = page.locator(row).nth(1)
                left, right = self.ends(line.locator(text))
                self.assertGreater(box(line.locator("time"))["x"], right)
                self.assertLess(left - box(line.locator(text))["x"], 2)

        await self.visit(work)

    def ends(self, text: Locator) -> tuple[float, float]:
        """Where a text's glyphs begin on the left and end on the right."""
        left, right = text.evaluate(
            """(element) => {
              const range = document.createRange();
              range.selectNodeContents(element);
              const rects = [...range.getClientRects()];
              const at = (side, most) => most(...rects.map((rect) => rect[side]));
              return [at("left", Math.min), at("right", Math.max)];
            }"""
        )
        return left, right


class OlderBrowserTests(BrowserCase):
    """Chromium 103, as far as a new one can play it: it does not know what came later."""

    options = ("--linger=0",)

    async def test_colours(self) -> None:
        """Both themes have their colours, and all text can be read, without newer CSS."""

        def without_news(route: Route) -> None:
            response = route.fetch()
            body = NEWER_THAN_103.sub(lambda found: "x-unknown-" + found[0], response.text())
            route.fulfill(response=response, body=body)

        def work(visit: Visit) -> None:
            page = visit.page
            page.route("**/*.css", without_news)
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            money = {"formatted": "$5", "value": 5, "currency": "USD", "color": "#FFCA28"}
            daemon.say(chat("hello", roles=ROLES, monetary_data=money))
            page.locator(".row.paid").wait_for()
            for selector in ("body", ".panel", ".chip.moderator", ".avatar", ".row.paid"):
                self.assertNotEqual(self.ground(page, selector), "rgba(0, 0, 0, 0)", selector)
            faint = [(what, ratio) for what, ratio in page.evaluate(CONTRASTS) if ratio < 4.5]
            self.assertEqual(faint, [])
            self.assertLessEqual(box(page.locator(".chat"))["height"], 800)

        grounds = {}
        for scheme in ("light", "dark"):
            await self.visit(work, color_scheme=scheme)

            def look(visit: Visit) -> str:
                visit.page.goto(self.url("/overlay"))
                return self.ground(visit.page, "body")

            grounds[scheme] = await self.visit(look, color_scheme=scheme)
        self.assertNotEqual(grounds["light"], grounds["dark"])

    def ground(self, page: Page, selector: str) -> str:
        """The colour behind an element."""
        found: str = page.locator(selector).first.evaluate(
            "(e) => getComputedStyle(e).backgroundColor"
        )
        return found
