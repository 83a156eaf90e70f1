# SPDX-License-Identifier: MIT
"""The overlay in OBS: its field "Custom CSS" reaches the page.

OBS runs a script in the page that appends a `<style>`.  Up to version 30 the script assigns
`innerHTML`, since version 31 it appends a text node.  `Runtime.evaluate` of the DevTools protocol
is the same way in as CEF's `ExecuteJavaScript`.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from tests.support.browser import BrowserCase, Visit, expect
from tests.support.played_daemon import PlayedDaemon, chat, event

DOCS = Path(__file__).resolve().parents[1] / "docs"
WEB = DOCS.parent / "web"

#: What OBS writes into the field of every new source.
OBS_DEFAULT = "body { background-color: rgba(0, 0, 0, 0); margin: 0px auto; overflow: hidden; }"

INSERTIONS = {
    "OBS 28 to 30": "style.innerHTML = css",
    "OBS 31": "style.appendChild(document.createTextNode(css))",
}


def insert(visit: Visit, css: str, way: str) -> None:
    """What OBS does when the page has loaded."""
    script = (
        f'const css = decodeURIComponent("{quote(css)}");'
        f"const style = document.createElement('style'); {INSERTIONS[way]};"
        "document.querySelector('head').appendChild(style);"
    )
    session = visit.page.context.new_cdp_session(visit.page)
    result = session.send("Runtime.evaluate", {"expression": f"(() => {{ {script} }})()"})
    assert "exceptionDetails" not in result, result


def documented() -> str:
    """The example of docs/overlay.md."""
    found = re.search(r"```css\n(.*?)```", (DOCS / "overlay.md").read_text(), re.DOTALL)
    assert found
    return found[1]


class CustomCssTests(BrowserCase):
    """Styles that OBS inserts, on the real overlay page."""

    options = ("--linger=0",)

    async def test_restyles(self) -> None:
        """Both ways of inserting change colours, fonts and grounds of lines that are there."""
        css = (
            OBS_DEFAULT
            + "body { background-color: rgb(1, 2, 3); }"
            + ".line { color: rgb(9, 8, 7); background-image: url('data:image/svg+xml,"
            + "<svg xmlns=%22http://www.w3.org/2000/svg%22/>'); }"
        )

        def work(visit: Visit) -> None:
            page = visit.page
            for way in INSERTIONS:
                page.goto(self.url("/overlay?sample=1"))
                line = page.locator(".line").first
                line.wait_for()
                insert(visit, css, way)
                ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
                self.assertEqual(ground, "rgb(1, 2, 3)", way)
                color = line.evaluate("(e) => getComputedStyle(e).color")
                self.assertEqual(color, "rgb(9, 8, 7)", way)

        await self.visit(work)

    async def test_the_documented_example(self) -> None:
        """Every class of the documentation's example is on the page, and its rules win."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/overlay?platform=youtube&identifier=ann&show=avatars,time"))
            daemon.greet()
            daemon.say(*everything())
            page.locator(".event").wait_for()
            insert(visit, OBS_DEFAULT + documented(), "OBS 31")
            for selector in re.findall(r"^([.#\[][^{]*?) *\{", documented(), re.MULTILINE):
                expect(page.locator(selector), selector).not_to_have_count(0)
            radius = page.locator(".line").first.evaluate("(e) => getComputedStyle(e).borderRadius")
            self.assertEqual(radius, "18px")

        await self.visit(work)

    def test_documented_parameters(self) -> None:
        """Every setting of the overlay's address is documented with its default."""
        source = (WEB / "js" / "overlay-settings.js").read_text()
        defaults = re.search(r"DEFAULTS = \{\n(.*?)\n\};", source, re.DOTALL)
        assert defaults
        settings = dict(re.findall(r"^  (\w+): (.*),$", defaults[1], re.MULTILINE))
        text = (DOCS / "overlay.md").read_text()
        rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) ?\|", text, re.MULTILINE))
        empty = {'""', "[]", "false"}
        expected = {
            name: "" if value in empty else value.strip('"') for name, value in settings.items()
        }
        shown = {name: rows[name].strip("`") for name in settings if name in rows}
        self.assertEqual(shown, expected)

    async def test_documented_names(self) -> None:
        """Every class and attribute that the documentation promises is there, once it applies."""
        text = (DOCS / "overlay.md").read_text()
        promised = re.findall(r"^\| `([.#\[][^`]*|body[^`]*)` \|", text, re.MULTILINE)
        self.assertGreater(len(promised), 20)

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            look = "show=avatars,time&theme=glass&newest=top"
            page.goto(self.url(f"/overlay?platform=youtube&identifier=ann&{look}"))
            daemon.greet()
            daemon.say(*everything())
            about = {"platform": "youtube", "identifier": "ann"}
            daemon.say({"type": "error", "code": "STREAM_NOT_FOUND", "error": "no", **about})
            expect(page.locator(".note")).to_have_count(1)
            for selector in promised:
                expect(page.locator(selector), selector).not_to_have_count(0)

        await self.visit(work)


def everything() -> list[dict[str, object]]:
    """Messages that together bring everything that an overlay shows."""
    emote = '<img class="emote" src="https://pictures.example/a.png" alt="Kappa" title="Kappa">'
    roles = dict.fromkeys(("broadcaster", "moderator", "subscriber", "verified"), True)
    badges = [
        {"type": "custom", "label": "vip", "image_url": "https://pictures.example/vip.png"},
        {"type": "custom", "label": "founder", "image_url": None},
    ]
    face = "https://pictures.example/face.png"
    money = {"amount": "5", "formatted": "$5", "value": 5, "currency": "USD", "color": "#FFCA28"}
    sticker = {"url": "https://pictures.example/hug.png", "alt": "a hug"}
    broken = '<img class="emote" src="nowhere" alt="Keepo" title="Keepo">'
    laid_over = chat("hello", html=f"{emote} {emote}")
    laid_over["data"]["data"]["content"]["elements"] = [
        {"type": "emote", "metadata": {"zero_width": flag}} for flag in (False, True)
    ]
    return [
        laid_over,
        chat("hello", html=f'<span class="text">hello </span>{emote}', roles=roles, badges=badges),
        chat("waves", action=True, avatar_url=face, html=broken),
        chat("take it", monetary_data=money, sticker=sticker),
        event("raid", text="Ann is raiding with 5 viewers"),
    ]
