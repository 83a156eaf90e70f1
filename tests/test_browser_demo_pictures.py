# SPDX-License-Identifier: MIT
"""The demonstration in a browser: its pictures load, and nothing is asked of any other host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.support.browser import BrowserCase, Visit

#: What there are pictures of, as CSS selectors.
BADGE = "img.badge[src*='/static-cdn.jtvnw.net/badges/']"
CHEERMOTE = "img.emote[src*='.cloudfront.net/']"
GIF = "img.emote[src*='.giphy.com/']"
LAID_OVER = ".stack img.emote + img.emote"
FIRST_PARTY = "img.emote[src*='/static-cdn.jtvnw.net/emoticons/']"
FACE = "img.face"
STICKER = "img[src*='/lh3.googleusercontent.com/']"
MEMBER = "img.badge[src*='/yt4.ggpht.com/']"
TIKTOK_BADGE = "img.badge[src*='/p16-webcast.']"
TIKTOK_EMOTE = "img.emote[src*='/p16-webcast.']"

#: What is seen of Twitch, and of all platforms.
TWITCH = (BADGE, CHEERMOTE, GIF, LAID_OVER, FIRST_PARTY)
ALL = (*TWITCH, FACE, MEMBER, STICKER, TIKTOK_BADGE, TIKTOK_EMOTE)

#: An overlay of all three.
CHATS = "&".join(
    f"platform={platform}&identifier={name}"
    for platform, name in (("twitch", "busybee"), ("youtube", "busyhands"), ("tiktok", "busybee"))
)

#: Remembers which of the pictures have loaded since: lines of the chat come and go.
_WATCH = """(selectors) => {
  window.loaded = {};
  setInterval(() => {
    for (const selector of selectors) {
      for (const one of document.querySelectorAll(selector)) {
        if (one.complete && one.naturalWidth > 0) window.loaded[selector] = true;
      }
    }
  }, 50);
}"""


class DemonstrationTests(BrowserCase):
    """Every kind of picture, on both pages."""

    #: With this seed they all come in the first ten seconds.
    options = ("--demo", "--demo-seed=15803", "--demo-rate=1.5")

    def shown(self, visit: Visit, path: str, selectors: tuple[str, ...]) -> None:
        """All these pictures load, and every request goes to the daemon or to the simulator."""
        page = visit.page
        answer = page.goto(self.url(path))
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        (base,) = (source for source in policy.split() if source.startswith("http://"))
        page.evaluate(_WATCH, list(selectors))
        try:
            page.wait_for_function(
                "(count) => Object.keys(window.loaded).length === count", arg=len(selectors)
            )
        except Exception:
            seen: dict[str, Any] = page.evaluate("window.loaded")
            self.fail(f"not seen: {set(selectors) - set(seen)}")
        allowed = {f"127.0.0.1:{self.daemon.port}", urlsplit(base).netloc}
        asked = {urlsplit(url).netloc for url in visit.requests if not url.startswith("data:")}
        self.assertEqual(asked, allowed)

    async def test_pages(self) -> None:
        """The overlay of all platforms, and the page for trying out with Twitch."""

        def both(visit: Visit) -> None:
            self.shown(visit, f"/overlay?{CHATS}&show=avatars,badges", ALL)
            self.shown(visit, "/test?platform=twitch&identifier=busybee", TWITCH)

        await self.visit(both)
