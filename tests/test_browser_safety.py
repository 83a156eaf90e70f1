# SPDX-License-Identifier: MIT
"""Nothing that anybody writes runs on the pages, whichever way it comes, and no file leaks."""

from __future__ import annotations

import http.client
from itertools import islice, product
from typing import Any
from urllib.parse import urlencode, urlsplit

from twisted.internet.threads import deferToThread

from livechat.simulator.actions import Author, Say, stable_id
from tests.support.browser import BrowserCase, Visit, expect
from tests.support.daemon import PATIENCE
from tests.support.played_daemon import PlayedDaemon, chat, event

#: Every payload that runs calls `ran`; dialogs count, too.
SENTINEL = """() => {
  window.timesRun = 0;
  window.ran = () => { window.timesRun += 1; };
  window.alert = window.confirm = window.prompt = window.ran;
}"""

#: What is on the page that should not be: elements, attributes, addresses.
FOREIGN = """(root) => {
  const elements = new Set(["LI", "DIV", "SPAN", "BDI", "B", "TIME", "IMG", "DEL", "svg", "path"]);
  const attributes = new Set(["class", "title", "alt", "src", "datetime", "draggable", "decoding",
    "aria-hidden", "dir", "referrerpolicy", "viewBox", "d", "fill-rule"]);
  const styles = /^(--[a-z-]+: ((rgb\\(\\d+ \\d+ \\d+\\)|#[0-9a-f]{3,8}|\\d+);? ?))+$/i;
  const found = [];
  for (const element of document.querySelectorAll(`${root} *`)) {
    if (!elements.has(element.nodeName)) found.push(element.outerHTML);
    for (const { name, value } of element.attributes) {
      const isKnown = attributes.has(name) || name.startsWith("data-");
      if (name === "style" ? !styles.test(value) : !isKnown) found.push(`${name}=${value}`);
      if (name === "src" && !value.startsWith("https://")) found.push(value);
    }
  }
  return found;
}"""


def payloads(count: int) -> list[str]:
    """Different texts that run something if they are taken for markup, script, style or address."""
    elements = [
        "<script>ran()</script>",
        "<img src=x onerror=ran()>",
        "<svg onload=ran()>",
        "<svg><script>ran()</script></svg>",
        "<iframe src=javascript:parent.ran()></iframe>",
        '<iframe srcdoc="<script>parent.ran()</script>"></iframe>',
        "<body onload=ran()>",
        "<input autofocus onfocus=ran()>",
        "<details open ontoggle=ran()>x</details>",
        "<video><source onerror=ran()></video>",
        "<audio src=x onerror=ran()>",
        "<object data=javascript:ran()></object>",
        "<a href=javascript:ran() autofocus onfocus=ran()>x</a>",
        "<form action=javascript:ran()><button autofocus>x</button></form>",
        "<math><mtext><table><mglyph><style><img src=x onerror=ran()>",
        "<noscript><p title='</noscript><img src=x onerror=ran()>'>",
        "<template><img src=x onerror=ran()></template>",
        "<style>*{background:url(javascript:ran())}</style>",
        "<link rel=stylesheet href=http://evil.example/x.css>",
        "<base href=http://evil.example/>",
        "<meta http-equiv=refresh content='0;url=javascript:ran()'>",
        "<img class=emote src=javascript:ran() onerror=ran() alt=x>",
        '<img class="emote" src="https://pictures.example/x" onload="ran()" alt="x">',
        "<span class=text onmouseover=ran() style=animation-name:x onanimationstart=ran()>x</span>",
        "<x tabindex=0 autofocus onfocus=ran()>x</x>",
    ]
    breakouts = ["", '"', "'", '">', "'>", "</span>", "-->", "]]>", "</title>", "</textarea>"]
    breakouts += ["</style>", "</script>", "`", "\\", "\u2028", "&quot;>", "<!--", "<", "{{", "${"]
    others = [
        "javascript:ran()",
        "data:text/html,<script>ran()</script>",
        "http://evil.example/x.png",
        "//evil.example/x.png",
        'https://evil.example" onerror="ran()',
        "red;background:url(http://evil.example)",
        "#fff;}*{background:url(http://evil.example)}",
        "expression(ran())",
        "&lt;script&gt;ran()&lt;/script&gt;",
        "${ran()}",
        "{{constructor.constructor('ran()')()}}",
        "__proto__",
        "constructor",
        "\u202e<script>ran()</script>",
    ]
    made = [f"{out}{element}" for out, element in product(breakouts, elements)]
    return list(islice([*others, *made], count))


class HostileTextTests(BrowserCase):
    """Chat that wants to be more than text, from the platform's wire to the screen."""

    options = ("--linger=0",)

    async def test_payloads_are_real(self) -> None:
        """Where nothing stops them they do run: elsewhere their silence means something."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto("about:blank")
            page.evaluate(SENTINEL)
            page.evaluate(
                """(texts) => {
                  for (const text of texts) {
                    const place = document.createElement("div");
                    place.innerHTML = text;
                    document.body.append(place);
                  }
                }""",
                payloads(500),
            )
            page.wait_for_function("() => window.timesRun >= 100")

        await self.browser.visit(work)

    async def test_from_the_wire(self) -> None:
        """500 payloads as messages and names on Twitch's wire: shown as they are, none runs."""
        texts = payloads(500)

        def speak(text: str, number: int) -> None:
            author = Author(stable_id(text), f"user{number}", text.replace(" ", "")[:60])
            said = Say(id=f"00000000-0000-4000-8000-{number:012d}", author=author, text=(text,))
            self.twitch.say("hopper", said)

        def work(visit: Visit) -> None:
            page = visit.page
            page.add_init_script(f"({SENTINEL})()")
            page.goto(self.url("/test?platform=twitch&identifier=hopper"))
            expect(page.locator("#status-title")).to_have_text("Live")
            for start in range(0, len(texts), 250):
                part = texts[start : start + 250]
                for number, text in enumerate(part, start):
                    self.here(speak, text, number)
                last = page.locator(".row").last
                expect(last).to_have_attribute("data-login", f"user{start + len(part) - 1}")
                shown = page.locator(".row .text").evaluate_all(
                    "(all) => all.map((e) => e.textContent)"
                )
                self.assertEqual(shown, part)
                self.assertEqual(page.evaluate(FOREIGN, "#list"), [])
            page.locator("#frames summary").click()
            page.locator("#frame-list button").last.click()
            self.assertEqual(page.evaluate("() => window.timesRun"), 0)
            self.assertEqual(self.strangers(visit), set())

        await self.visit(work)

    async def test_from_a_daemon_that_lies(self) -> None:
        """500 payloads in every field that a daemon could send, `rawHtml` too: none runs."""
        texts = payloads(500)

        def work(visit: Visit) -> None:
            page = visit.page
            page.add_init_script(f"({SENTINEL})()")
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.greet()
            page.locator("#frames summary").click()
            for start in range(0, len(texts), 100):
                for text in texts[start : start + 100]:
                    daemon.say(*lies(text))
                daemon.say(chat(f"honest {start}"))
                page.get_by_text(f"honest {start}", exact=True).wait_for()
                for root in ("#list", "#top", "#money", "#kinds"):
                    self.assertEqual(page.evaluate(FOREIGN, root), [], root)
            for row in page.locator(".row .name").all()[:5]:
                row.hover()
            page.locator("#frame-list button").last.click()
            self.assertEqual(page.evaluate("() => window.timesRun"), 0)
            self.assertEqual(self.strangers(visit), set())

        await self.visit(work)

    async def test_on_the_overlay(self) -> None:
        """The same lies, and payloads in the address, on the overlay: none runs."""
        texts = payloads(500)

        def work(visit: Visit) -> None:
            page = visit.page
            page.add_init_script(f"({SENTINEL})()")
            daemon = PlayedDaemon(page)
            page.goto(
                self.url("/overlay?platform=youtube&identifier=ann&max=200&show=avatars,time")
            )
            daemon.greet()
            for start in range(0, len(texts), 100):
                for text in texts[start : start + 100]:
                    daemon.say(*lies(text))
                daemon.say(chat(f"honest {start}"))
                page.get_by_text(f"honest {start}", exact=True).wait_for()
                self.assertEqual(page.evaluate(FOREIGN, "#list"), [])
            self.assertEqual(page.evaluate("() => window.timesRun"), 0)
            for text in texts[:20]:
                page.goto(self.url("/overlay?sample=1&") + address(text))
                page.locator(".line").first.wait_for()
                self.assertEqual(page.evaluate("() => window.timesRun"), 0)
            self.assertEqual(self.strangers(visit), set())

        await self.visit(work)

    async def test_no_text_becomes_html(self) -> None:
        """The browser itself refuses to make HTML, scripts or inline styles of any text."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            for attempt in (
                "document.body.innerHTML = '<b>x</b>'",
                "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
                "document.write('<b>x</b>')",
                "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
                "document.createElement('script').text = 'ran()'",
                "trustedTypes.createPolicy('mine', { createHTML: (html) => html })",
            ):
                refused = (
                    f"() => {{ try {{ {attempt}; return ''; }} catch (e) {{ return e.name; }} }}"
                )
                self.assertEqual(page.evaluate(refused), "TypeError", attempt)
            page.evaluate("() => document.body.setAttribute('style', 'outline: 9px solid red')")
            outline = page.evaluate("() => getComputedStyle(document.body).outlineWidth")
            self.assertNotEqual(outline, "9px")

        # The browser reports each refusal.
        await self.browser.visit(work)

    def strangers(self, visit: Visit) -> set[str]:
        """Hosts that were asked for anything, besides the daemon and https pictures."""
        own = urlsplit(self.url("")).netloc
        asked = (urlsplit(url) for url in visit.requests)
        return {url.netloc for url in asked if url.netloc != own and url.scheme != "https"}


def address(text: str) -> str:
    """Parameters of an overlay, all of them hostile."""
    names = ("theme", "font", "size", "fade", "newest", "max", "hold", "hide", "show", "bots")
    return urlencode(dict.fromkeys(names, text))


def lies(text: str) -> list[dict[str, Any]]:
    """Messages with the text in every place."""
    person = {"id": text, "username": text, "display_name": text}
    about = {"text": text, "user": person, "name": text, "message_id": text, "charity": text}
    return [
        chat(
            text,
            html=text,
            color=text,
            avatar_url=text,
            platform=text,
            timestamp=text,
            message_id=text,
            type="super_chat",
            **person,
            badges=[{"type": text, "label": text, "image_url": text}],
            monetary_data={
                "amount": text,
                "formatted": text,
                "color": text,
                "value": 1,
                "currency": text,
            },
            sticker={"url": text, "alt": text},
            reply={**person, "message_id": text, "text": text},
        ),
        event("gift", **about, value=1, currency=text, count=text),
        event("poll", status="opened", question=text),
        event("timeout", user_id="nobody", seconds=text),
        event(text, **about),
        {
            "type": "stats",
            "data": {
                "uniqueUsers": [{**person, "roles": {text: True}, "messageCount": 1}],
                "totalMessages": text,
                "uniqueUserCount": text,
                "money": {text: text, "USD": text},
                "events": {text: text},
            },
        },
        {"type": "status", "status": "reconnecting", "reason": text},
        {"type": "error", "code": "RATE_LIMITED", "error": text, "details": text},
        {"type": text, "status": text, "code": text},
    ]


class FileTests(BrowserCase):
    """What the daemon gives to those who ask for more than pages; needs no browser."""

    skip = None
    options = ("--linger=0",)

    async def setUp(self) -> None:  # type: ignore[override]
        """Only the daemon."""
        self.daemon = await self.started(*self.options)

    async def ask(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of a path that is sent exactly as it stands."""

        def asked() -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=PATIENCE)
            connection.putrequest("GET", path, skip_host=False)
            connection.endheaders()
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read()

        return await deferToThread(asked)

    async def test_pages(self) -> None:
        """Pages and files come with type, strict policy and `nosniff`, and are asked for anew."""
        for path, kind in (
            ("/test", "text/html; charset=utf-8"),
            ("/overlay", "text/html; charset=utf-8"),
            ("/web/js/test.js", "text/javascript; charset=utf-8"),
            ("/web/css/test.css", "text/css; charset=utf-8"),
            ("/web/icon.svg", "image/svg+xml"),
            ("/web/livechat.js", "text/javascript; charset=utf-8"),
            ("/web/livechat.d.ts", "text/plain; charset=utf-8"),
            ("/schema.json", "application/json; charset=utf-8"),
            ("/asyncapi.json", "application/json; charset=utf-8"),
        ):
            status, headers, _ = await self.ask(path)
            self.assertEqual((status, headers["content-type"]), (200, kind), path)
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["cache-control"], "no-cache")
            policy = dict(
                part.strip().partition(" ")[::2]
                for part in headers["content-security-policy"].split(";")
            )
            self.assertEqual(policy["default-src"], "'none'")
            self.assertEqual((policy["script-src"], policy["style-src"]), ("'self'", "'self'"))
            self.assertEqual(policy["require-trusted-types-for"], "'script'")
            self.assertNotIn("unsafe", headers["content-security-policy"])

    async def test_overlay(self) -> None:
        """The overlay takes styles from the program that shows it; its scripts are as strict."""
        _, headers, _ = await self.ask("/overlay?platform=twitch&identifier=ann")
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["content-security-policy"].split(";")
        )
        self.assertEqual((policy["default-src"], policy["script-src"]), ("'none'", "'self'"))
        self.assertIn("'unsafe-inline'", policy["style-src"])
        self.assertNotIn("require-trusted-types-for", policy)

    async def test_the_overlay_or_its_builder(self) -> None:
        """Without a chat `/overlay` is the page that makes addresses."""
        builder = (await self.ask("/overlay"))[2]
        overlay = (await self.ask("/overlay?identifier=ann"))[2]
        self.assertIn(b"builder.js", builder)
        self.assertIn(b"overlay.js", overlay)
        self.assertEqual((await self.ask("/overlay?sample=1"))[2], overlay)

    async def test_no_file_outside(self) -> None:
        """100 ways to ask for a file that is not for the world: none is answered with one."""
        ups = [
            "..",
            "%2e%2e",
            "..%2f",
            "%2e%2e%2f",
            "..%5c",
            "....//",
            "..;",
            "..%00",
            "%c0%ae%c0%ae",
        ]
        files = ["pyproject.toml", "livechat/service.py", "etc/passwd"]
        paths = [
            f"/{root}/{'/'.join([up] * depth)}/{file}"
            for root, up, depth, file in product(("web", "web/js"), ups, (1, 6), files)
        ]
        paths += [
            "/web",
            "/web/",
            "/web//",
            "/web/js/",
            "/web/js",
            "/web/.",
            "/web/%00",
            "/web//etc/passwd",
        ]
        paths += [
            "/test/../pyproject.toml",
            "/overlay/../../etc/passwd",
            "/test.html",
            "/web/test.html/x",
        ]
        self.assertGreaterEqual(len(paths), 100)
        for path in paths:
            status, headers, body = await self.ask(path)
            self.assertIn(status, (302, 308, 400, 404), path)
            self.assertNotIn(b"root:", body, path)
            self.assertNotIn(b"[project]", body, path)
            self.assertNotIn("Traceback", body.decode(errors="replace"))
            if status == 404:
                self.assertEqual(headers["x-content-type-options"], "nosniff", path)
