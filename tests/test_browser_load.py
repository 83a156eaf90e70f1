# SPDX-License-Identifier: MIT
"""The pages under 300 messages a second, briefly.

`python -m benchmarks browser` looks longer, and at how smoothly they run.
"""

from __future__ import annotations

from tests.support.browser import BrowserCase, Visit, expect

#: Fires when the whole list has been replaced so many times.
RENEWED = """(times) => new Promise((resolve) => {
  const list = document.querySelector(".line").parentElement;
  let left = times * 50;
  new MutationObserver((changes) => {
    for (const change of changes) left -= change.addedNodes.length;
    if (left <= 0) resolve();
  }).observe(list, { childList: true });
})"""

#: Bytes by which a page may grow while it shows thousands of messages.
GROWTH = 8_000_000


class LoadTests(BrowserCase):
    """A demonstration that is ten times as busy as any chat there is."""

    options = ("--demo", "--demo-rate=30", "--demo-seed=5")

    async def test_page(self) -> None:
        """Messages keep coming, rows stay few, memory stays flat, the list stays at its end."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test?platform=twitch&identifier=busy_kitchen"))
            # The list is full, and every colour and picture has been seen.
            page.wait_for_function("() => document.querySelectorAll('.row').length >= 250")
            before = visit.heap()
            page.wait_for_function(
                "() => parseInt(document.getElementById('received').textContent.replace(',', ''))"
                " > 2000"
            )
            self.assertLess(visit.heap() - before, GROWTH)
            self.assertLessEqual(page.locator(".row").count(), 250)
            expect(page.locator("#newest")).to_be_hidden()

        await self.visit(work)

    async def test_overlay(self) -> None:
        """The overlay, too."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/overlay?platform=twitch&identifier=busy_kitchen&theme=glass"))
            page.wait_for_function("() => document.querySelectorAll('.line').length >= 50")
            before = visit.heap()
            page.evaluate(RENEWED, 20)
            self.assertLess(visit.heap() - before, GROWTH)
            self.assertLessEqual(page.locator(".line").count(), 50)

        await self.visit(work, viewport={"width": 480, "height": 800})
