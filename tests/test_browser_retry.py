# SPDX-License-Identifier: MIT
"""What the pages do about a chat that cannot be had: `temporary` decides whether they ask again."""

from __future__ import annotations

from typing import Any

from tests.support.browser import BrowserCase, Visit, expect
from tests.support.played_daemon import PlayedDaemon, chat
from tests.test_browser import expect_status

#: Longer than the pause before a chat is asked for again.
LONG_ENOUGH = 41_000


def refusal(code: str, *, temporary: bool, **more: Any) -> dict[str, Any]:
    """An error about the chat that the tests ask for."""
    about = {"platform": "twitch", "identifier": "ann"}
    return {"type": "error", "error": "no", "code": code, "temporary": temporary, **about, **more}


class RetryTests(BrowserCase):
    """Both pages, with a daemon whose answers the test plays."""

    options = ("--linger=0",)

    async def test_private_account_is_not_asked_for_again(self) -> None:
        """What does not pass is said once and stays; nobody asks again."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.clock.install()
            for path in ("/test", "/overlay"):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"{path}?platform=twitch&identifier=ann"))
                refused = refusal("UPSTREAM_UNAVAILABLE", temporary=False, details="PRIVATE")
                daemon.say(refused)
                place = page.locator("#status" if path == "/test" else ".note")
                expect(place).to_contain_text("It is private.")
                page.clock.run_for(3 * LONG_ENOUGH)
                expect(place).to_contain_text("It is private.")
                subscribes = [heard for heard in daemon.heard if heard["type"] == "subscribe"]
                self.assertEqual(len(subscribes), 1, path)

        await self.visit(work)

    async def test_what_passes_is_asked_for_again(self) -> None:
        """The test page counts down, asks again, and keeps what was written before."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.clock.install()
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet(live=True)
            daemon.say(chat("good night"), refusal("STREAM_ENDED", temporary=True))
            expect_status(page, "over", "Stream ended")
            expect(page.locator("#status-text")).to_contain_text("Next try in")
            page.clock.run_for(LONG_ENOUGH)
            asked = [heard for heard in daemon.hears(2) if heard["type"] == "subscribe"]
            self.assertEqual(asked, [asked[0]] * 2)
            about = {"platform": "twitch", "identifier": "ann"}
            daemon.say({"type": "status", "status": "started", "live": True, **about})
            expect_status(page, "live", "Live")
            expect(page.locator(".row .text")).to_have_text("good night")

        await self.visit(work)

    async def test_disconnect_ends_the_asking(self) -> None:
        """While a chat is waited for, one button ends that."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.clock.install()
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.say(refusal("STREAM_NOT_LIVE", temporary=True))
            expect_status(page, "bad", "Not live")
            page.get_by_role("button", name="Disconnect").click()
            expect_status(page, "idle", "Not connected")
            page.clock.run_for(LONG_ENOUGH)
            self.assertEqual(len(daemon.heard), 1)

        await self.visit(work)

    async def test_says_why_the_connection_was_closed(self) -> None:
        """A close code is told in words."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet(live=True)
            daemon.close(4008)
            expect_status(page, "warn", "Connection lost")
            expect(page.locator("#status-text")).to_contain_text("Messages were read too slowly.")

        await self.visit(work)
