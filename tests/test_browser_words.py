# SPDX-License-Identifier: MIT
"""What the pages say: roles in the platform's words, delay, messages read aloud."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tests.support.browser import BrowserCase, Visit, expect
from tests.support.played_daemon import PlayedDaemon, chat

ROLES = dict.fromkeys(("broadcaster", "moderator", "subscriber", "verified"), True)

#: A machine with one voice. What is spoken is kept; `ended()` ends the latest utterance.
VOICE = """() => {
  window.spoken = [];
  const synthesis = {
    getVoices: () => [{ name: "Alice", lang: "en" }],
    speak(utterance) { window.spoken.push(utterance.text); window.ended = utterance.onend; },
    cancel() { window.spoken.push("(silence)"); },
  };
  Object.defineProperty(window, "speechSynthesis", { value: synthesis });
}"""

NO_VOICE = """() => Object.defineProperty(window, "speechSynthesis", { value: undefined })"""


class RoleTests(BrowserCase):
    """The chips of roles."""

    options = ("--linger=0",)

    async def test_words_of_the_platform(self) -> None:
        """A subscriber is a member on YouTube only; Twitch has a streamer, TikTok a host."""
        expected = {
            "twitch": ["Streamer", "Mod", "Sub", "✓"],
            "youtube": ["Owner", "Mod", "Member", "✓"],
            "tiktok": ["Host", "Mod", "Sub", "✓"],
        }

        def work(visit: Visit) -> None:
            page = visit.page
            for platform, words in expected.items():
                for path, place in (("/test", ".row"), ("/overlay", ".line")):
                    daemon = PlayedDaemon(page)
                    page.goto(self.url(f"{path}?platform={platform}&identifier=ann"))
                    daemon.greet()
                    daemon.say(chat("hello", platform=platform, roles=ROLES))
                    expect(page.locator(f"{place} .chip")).to_have_text(words)
                    if path == "/test":
                        user = {"username": "ann", "messageCount": 1, "roles": ROLES}
                        counts = {"uniqueUsers": [user], "totalMessages": 1}
                        daemon.say({"type": "stats", "platform": platform, "data": counts})
                        expect(page.locator("#top .chip")).to_have_text(words)

        await self.visit(work)


class LagTests(BrowserCase):
    """How long messages took."""

    options = ("--linger=0",)

    async def test_recordings_have_none(self) -> None:
        """Time stamps of last month say nothing about delay; those of this minute do."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            daemon.say(*(chat("old", timestamp="2026-01-02T03:04:05.678Z") for _ in range(5)))
            expect(page.locator("#received")).to_have_text("5 received here")
            expect(page.locator("#lag")).to_have_text("\N{EN DASH}")
            lately = datetime.now(UTC) - timedelta(seconds=90)
            daemon.say(chat("late", timestamp=lately.isoformat()))
            expect(page.locator("#received")).to_have_text("6 received here")
            expect(page.locator("#lag")).to_have_text(re.compile(r"^\d{2,3} s$"))

        await self.visit(work)


class ReadAloudTests(BrowserCase):
    """The button that lets the page speak."""

    options = ("--linger=0",)

    async def test_speaks(self) -> None:
        """One message after the other; of those that come meanwhile the last; off is silent."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.add_init_script(f"({VOICE})()")
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            daemon.say(chat("before"))
            page.get_by_text("before").wait_for()
            button = page.get_by_role("button", name="Read aloud")
            button.click()
            daemon.say(chat("one"), chat("two"), chat("three"))
            page.get_by_text("three").wait_for()
            self.assertEqual(page.evaluate("() => spoken"), ["Ann: one"])
            page.evaluate("() => ended()")
            self.assertEqual(page.evaluate("() => spoken"), ["Ann: one", "Ann: three"])
            expect(page.locator("#spoken")).to_be_empty()
            button.click()
            daemon.say(chat("four"))
            page.get_by_text("four").wait_for()
            page.evaluate("() => ended()")
            self.assertEqual(page.evaluate("() => spoken.slice(2)"), ["(silence)"])

        await self.visit(work)

    async def test_without_a_voice(self) -> None:
        """Where the machine has no voice, a live region has the message for a screen reader."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.add_init_script(f"({NO_VOICE})()")
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            page.get_by_role("button", name="Read aloud").click()
            daemon.say(chat("hello there"))
            expect(page.locator("#spoken")).to_have_text("Ann: hello there")

        await self.visit(work)
