# SPDX-License-Identifier: MIT
"""The test page in a real browser, beside a real daemon."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from playwright.sync_api import Page, expect

from livechat.errors import ErrorCode
from livechat.simulator.actions import Author, Clear, Delete, Say, Silence
from tests.support.browser import BrowserCase, PlayedDaemon, Visit, chat, event

ANN = Author(1001, "ann", "Ann", "#FF0000")
BEN = Author(1002, "ben", "Ben", "#00FF00")

#: What a page may weigh, all of its files together, in bytes.
WEIGHT = 150_000


def say(number: int, author: Author, text: str) -> Say:
    """A message with an id of its own."""
    return Say(id=f"00000000-0000-4000-8000-{number:012d}", author=author, text=(text,))


def connect(page: Page, platform: str, identifier: str) -> None:
    """Fill the form and press the button."""
    page.locator(f".platforms input[value={platform}]").check(force=True)
    page.get_by_label("Channel").fill(identifier)
    page.get_by_role("button", name="Connect", exact=True).click()


def expect_status(page: Page, state: str, title: str | re.Pattern[str]) -> None:
    """The strip is in a state and says so."""
    expect(page.locator("#status")).to_have_attribute("data-state", state)
    expect(page.locator("#status-title")).to_have_text(title)


class DemonstrationTests(BrowserCase):
    """What somebody sees who opens the page of `--demo`."""

    def test_connects(self) -> None:
        """Name a channel, press the button: live, first chat within a second, title and address."""

        def work(visit: Visit) -> float:
            page = visit.page
            page.goto(self.url("/test"))
            expect_status(page, "idle", "Not connected")
            page.evaluate(
                """() => {
                  document.querySelector("#connect").addEventListener("click", () => {
                    const clicked = performance.now();
                    window.first = new Promise((resolve) => new MutationObserver(() =>
                      document.querySelector("#list .text") && resolve(performance.now() - clicked)
                    ).observe(document.querySelector("#list"), { childList: true }));
                  });
                }"""
            )
            connect(page, "twitch", "busy_kitchen")
            first: float = page.evaluate("() => window.first")
            expect_status(page, "live", "Live")
            expect(page).to_have_title("busy_kitchen (twitch) - LiveChat")
            self.assertIn("?platform=twitch&identifier=busy_kitchen", page.url)
            return first

        return self.visit(work).addCallback(lambda first: self.assertLess(first, 1000))
