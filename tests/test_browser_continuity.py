# SPDX-License-Identifier: MIT
"""Pages that are loaded again, or come back: nothing is missed, doubled, or shown once removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.browser import BrowserCase, Visit, expect
from tests.support.played_daemon import PlayedDaemon, chat, event

NOW = datetime.now(UTC)


def said(seq: int, text: str, *, ago: int = 0, **more: Any) -> dict[str, Any]:
    """A numbered chat message of so many seconds ago."""
    at = (NOW - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
    message = chat(text, timestamp=at.replace("+00:00", "Z"), message_id=f"id-{text}", **more)
    return {**message, "seq": seq}


def numbered(seq: int, message: dict[str, Any]) -> dict[str, Any]:
    """Any message with its place in the order."""
    return {**message, "seq": seq}


class PlayedTests(BrowserCase):
    """With a daemon whose answers the test plays."""

    options = ("--linger=0",)

    async def test_overlay_comes_back(self) -> None:
        """After a loss it asks for what it missed; doubles and removed messages are not shown."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/overlay?platform=twitch&identifier=ann&max=30"))
            daemon.greet(epoch="e1", seq=2)
            self.assertEqual(daemon.heard[0]["history"], 30)
            self.assertNotIn("since", daemon.heard[0])
            daemon.say(said(1, "one"), said(2, "two"), said(3, "three"))
            texts = page.locator(".text")
            expect(texts).to_have_text(["one", "two", "three"])
            daemon.close(1001)
            asked = daemon.hears(2)[1]
            self.assertEqual(asked["since"], {"epoch": "e1", "seq": 3})
            daemon.greet(epoch="e1", seq=6, recovered=True)
            daemon.say(
                said(3, "three"),
                numbered(4, event("deletion", scope="message", message_id="id-two")),
                said(5, "five"),
                said(7, "seven"),
            )
            expect(texts).to_have_text(["one", "three", "five", "seven"])

        await self.visit(work)

    async def test_new_epoch(self) -> None:
        """What comes again in another order is known, and low numbers are new ones."""

        def work(visit: Visit) -> None:
            page = visit.page
            for path, texts in (("/test", ".row .text"), ("/overlay", ".line .text")):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"{path}?platform=twitch&identifier=ann"))
                daemon.greet(epoch="e1", seq=500, live=True)
                daemon.say(said(501, "one"), said(502, "two"))
                expect(page.locator(texts)).to_have_count(2)
                daemon.close(1001)
                daemon.hears(2)
                daemon.greet(epoch="e2", seq=2, recovered=False, live=True)
                daemon.say(said(1, "two"), said(2, "three"), said(3, "four"))
                expect(page.locator(texts)).to_have_text(["one", "two", "three", "four"])
                missed = page.get_by_text("Part of the chat was missed")
                expect(missed).to_have_count(1 if path == "/test" else 0)

        await self.visit(work)

    async def test_histories_are_merged(self) -> None:
        """What several chats bring at first stands in the order in which it was written."""

        def work(visit: Visit) -> None:
            page = visit.page
            for newest, order in (("bottom", "abcd"), ("top", "dcba")):
                daemon = PlayedDaemon(page)
                chats = "platform=twitch&identifier=ann&identifier=ben"
                page.goto(self.url(f"/overlay?{chats}&newest={newest}&max=4"))
                daemon.hears(2)
                for asked, history in zip(
                    list(daemon.heard),
                    (
                        [said(7, "old", ago=90), said(8, "a", ago=40), said(9, "c", ago=20)],
                        [said(3, "b", ago=30), said(4, "d", ago=10)],
                    ),
                    strict=True,
                ):
                    daemon.heard[:] = [asked]
                    daemon.greet(epoch="e", seq=9)
                    daemon.say(*history)
                expect(page.locator(".text")).to_have_text(list(order))

        await self.visit(work)

    async def test_what_has_faded_stays_away(self) -> None:
        """With `fade`, history is shown only as long as it would have been on show."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/overlay?platform=twitch&identifier=ann&fade=3000"))
            daemon.greet(epoch="e", seq=2)
            daemon.say(said(1, "faded", ago=3500), said(2, "fading", ago=1000), said(3, "new"))
            expect(page.locator(".text")).to_have_text(["fading", "new"])
            left = page.locator(".line").first.evaluate(
                "(e) => parseFloat(e.style.getPropertyValue('--fade'))"
            )
            self.assertGreater(left, 1000)
            self.assertLessEqual(left, 2000)

        await self.visit(work)

    async def test_history_is_not_counted(self) -> None:
        """What the page itself counts is what happened since it was there, once."""
        paid = {"amount": "5", "formatted": "$5", "value": 5, "currency": "USD"}

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet(epoch="e", seq=2, live=True)
            daemon.say(
                said(1, "before", monetary_data=paid),
                numbered(2, event("raid", direction="incoming", user=None)),
                said(3, "since", monetary_data=paid),
            )
            daemon.close(1001)
            daemon.hears(2)
            daemon.greet(epoch="e", seq=5, recovered=True, live=True)
            daemon.say(
                said(3, "since", monetary_data=paid),
                said(4, "missed", monetary_data=paid),
                numbered(5, event("raid", direction="incoming", user=None)),
            )
            expect(page.locator(".row .text")).to_have_text(["before", "since", "missed"])
            expect(page.locator("#money li")).to_have_text("$10.002 \u00d7")
            expect(page.locator("#kinds li")).to_have_text("Raids 1")
            expect(page.locator("#received")).to_have_text("1 received here")

        await self.visit(work, locale="en-US")
