# SPDX-License-Identifier: MIT
"""Emotes of other providers on the pages: zero-width ones lie over the emote before them."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as _reactor
from twisted.web.resource import Resource
from twisted.web.server import Site

from livechat.simulator.actions import Author, Say
from livechat.simulator.emotes import EmoteSimulator, EmoteSite
from tests.support.browser import BrowserCase, Visit, expect

reactor: Any = _reactor

ANN = Author(1001, "ann", "Ann", "#FF0000")


def say(number: int, text: str) -> Say:
    """A message with an id of its own."""
    return Say(id=f"00000000-0000-4000-8000-{number:012d}", author=ANN, text=(text,))


class EmoteTests(BrowserCase):
    """With the real daemon, a simulated Twitch and simulated providers."""

    options: tuple[str, ...] = ("--linger=0", "--emotes=7tv,bttv,ffz")

    async def setUp(self) -> None:  # type: ignore[override]
        """The providers, too."""
        root = Resource()
        root.putChild(b"emotes", EmoteSite(EmoteSimulator(reactor)))
        where = f"127.0.0.1:{self.listen(Site(root))}/emotes"
        self.options = (
            *type(self).options,
            f"--7tv-url=http://{where}/7tv",
            f"--7tv-events-url=ws://{where}/7tv/events",
            f"--bttv-url=http://{where}/bttv",
            f"--bttv-socket-url=ws://{where}/bttv/socket",
            f"--ffz-url=http://{where}/ffz",
        )
        await super().setUp()

    def shown(self, visit: Visit, path: str) -> None:
        """What a page makes of emotes, alone and over one another."""
        page = visit.page
        page.goto(self.url(path))
        self.await_readers("hopper")
        number = 0
        # The first messages may come before the sets are known.
        while page.locator(".emote[alt=catJAM]").count() == 0 or (
            page.locator(".emote[alt=RainTime]").count() == 0
        ):
            number += 1
            self.here(self.twitch.say, "hopper", say(number, "catJAM , RainTime"))
            expect(page.locator(".text")).to_have_count(number)
        # With anything but blanks between them, nothing lies over anything.
        expect(page.locator(".stack")).to_have_count(0)
        self.here(self.twitch.say, "hopper", say(900, "look RainTime catJAM RainTime  Sparkles ok"))
        stack = page.locator(".stack")
        expect(stack).to_have_count(1)
        alts = stack.locator(".emote").evaluate_all("all => all.map((one) => one.alt)")
        self.assertEqual(alts, ["catJAM", "RainTime", "Sparkles"])
        text = page.locator(".text").last
        self.assertEqual(text.locator(".emote").count(), 4)
        self.assertEqual(" ".join(str(text.text_content()).split()), "look ok")
        middles = stack.locator(".emote").evaluate_all(
            "all => all.map((one) => one.getBoundingClientRect())"
            ".map((box) => Math.round(box.x + box.width / 2))"
        )
        self.assertEqual(len(set(middles)), 1, "they lie over one another")
        loaded = "all => all.every((one) => one.complete && one.naturalWidth > 0)"
        page.wait_for_function(f"({loaded})([...document.querySelectorAll('.emote')])")

    async def test_page(self) -> None:
        """The page for trying out; its policy lets the providers' pictures in."""
        path = "/test?platform=twitch&identifier=hopper"
        await self.visit(lambda visit: self.shown(visit, path))

    async def test_overlay(self) -> None:
        """The overlay."""
        path = "/overlay?platform=twitch&identifier=hopper"
        await self.visit(lambda visit: self.shown(visit, path))
