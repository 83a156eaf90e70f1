# SPDX-License-Identifier: MIT
"""The pages under 300 messages a second, briefly; `python -m benchmarks browser` looks longer."""

from __future__ import annotations

from tests.support.browser import BrowserCase, Smoothness, Visit, expect

#: Bytes by which a page may grow while it shows thousands of messages.
GROWTH = 8_000_000


class LoadTests(BrowserCase):
    """A demonstration that is ten times as busy as any chat there is."""

    options = ("--demo", "--demo-rate=30", "--demo-seed=5")

    async def test_page(self) -> None:
        """Frames keep coming, rows stay few, memory stays flat, nothing is lost on the way."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=busy_kitchen"))
            # The list is full, and every colour and picture has been seen.
            page.wait_for_function("() => document.querySelectorAll('.row').length >= 250")
            before = visit.heap()
            smooth = Smoothness.of(page, 6)
            self.assertLess(smooth.median, 34)
            self.assertLess(visit.heap() - before, GROWTH)
            self.assertLessEqual(page.locator(".row").count(), 250)
            received = page.locator("#received").inner_text()
            self.assertGreater(int(received.split()[0].replace(",", "")), 1200)
            expect(page.locator("#newest")).to_be_hidden()

        await self.visit(work)

    async def test_overlay(self) -> None:
        """The overlay, too."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/overlay?platform=twitch&identifier=busy_kitchen&theme=glass"))
            page.wait_for_function("() => document.querySelectorAll('.line').length >= 50")
            before = visit.heap()
            smooth = Smoothness.of(page, 4)
            self.assertLess(smooth.median, 34)
            self.assertLess(visit.heap() - before, GROWTH)
            self.assertLessEqual(page.locator(".line").count(), 50)

        await self.visit(work, viewport={"width": 480, "height": 800})
