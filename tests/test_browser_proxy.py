# SPDX-License-Identifier: MIT
"""The pages behind real proxies that serve the daemon under a path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet import reactor as _reactor

from tests.support.browser import BrowserCase, Visit, expect
from tests.support.proxies import Caddy, Nginx
from tests.test_browser import connect, expect_status

reactor: Any = _reactor

DOCS = Path(__file__).resolve().parents[1] / "docs"


def documented(proxy: str, port: int) -> str:
    """The configuration of a proxy in docs/proxies.md, for a daemon on a port."""
    found = re.search(rf"```{proxy}\n(.*?)```", (DOCS / "proxies.md").read_text(), re.DOTALL)
    assert found
    return found[1].replace("127.0.0.1:3000", f"127.0.0.1:{port}")


if TYPE_CHECKING:
    Case = BrowserCase
else:
    Case = object


class SubPathMixin(Case):
    """A proxy passes `/chat/` on to the daemon, as docs/proxies.md says; nothing else exists."""

    def make_proxy(self, port: int) -> Nginx | Caddy:
        """The proxy, for a daemon on a port."""
        raise NotImplementedError

    async def setUp(self) -> None:  # type: ignore[override]
        """A daemon that demonstrates, and the proxy before it."""
        await super().setUp()
        self.proxy = self.make_proxy(self.daemon.port)
        self.addCleanup(self.proxy.close)
        await self.proxy.start(reactor)

    def outside(self, path: str) -> str:
        """An address of the proxy."""
        return f"http://127.0.0.1:{self.proxy.port}{path}"

    async def test_event_stream(self) -> None:
        """An event stream passes through as it comes: chats are heard while it goes on."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.outside("/chat/test"))
            heard = page.evaluate(
                """() => new Promise((resolve) => {
                  const heard = [];
                  const stream = new EventSource("sse?platform=twitch&identifier=busy_kitchen");
                  stream.addEventListener("chat", (event) => {
                    heard.push(event.lastEventId);
                    if (heard.length === 3) { stream.close(); resolve(heard); }
                  });
                })"""
            )
            for place in heard:
                self.assertRegex(place, r"^[0-9a-z]+:[0-9]+$")

        await self.visit(work)

    async def test_test_page(self) -> None:
        """The bare path leads to the page; it connects, shows chats, and finds `/health`."""

        def work(visit: Visit) -> None:
            page = visit.page
            for start in ("/chat", "/chat/", "/chat/test/?"):
                page.goto(self.outside(start))
                self.assertEqual(page.url.rstrip("?"), self.outside("/chat/test"))
                expect(page.locator("#health")).to_contain_text("daemon ok")
            expect(page.locator("#snippet")).to_contain_text(
                f'"ws://127.0.0.1:{self.proxy.port}/chat/ws"'
            )
            connect(page, "twitch", "busy_kitchen")
            expect_status(page, "live", "Live")
            page.locator("#list .text").first.wait_for()
            self.all_below("/chat", visit)

        await self.visit(work)

    async def test_overlay_and_its_builder(self) -> None:
        """The builder makes an address below the path; that address shows chats."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.outside("/chat/test?platform=twitch&identifier=busy_kitchen"))
            page.get_by_role("link", name="OBS overlay").click()
            address = page.get_by_label("Address for the browser source")
            expected = self.outside("/chat/overlay?platform=twitch&identifier=busy_kitchen")
            expect(address).to_have_value(expected)
            preview = page.frame_locator("#preview")
            expect(preview.locator(".line").first).to_be_visible()
            page.get_by_role("link", name="Test page").click()
            expect(page).to_have_url(self.outside("/chat/test"))
            page.goto(expected)
            page.locator(".line .text").first.wait_for()
            self.all_below("/chat", visit)

        await self.visit(work)

    def all_below(self, path: str, visit: Visit) -> None:
        """Nothing beside the path was asked for, except pictures of platforms."""
        own = [url for url in visit.requests if url.startswith(self.outside("/"))]
        self.assertEqual([url for url in own if not url.startswith(self.outside(path))], [])


class NginxTests(SubPathMixin, BrowserCase):
    """The recipe for nginx."""

    def make_proxy(self, port: int) -> Nginx | Caddy:
        """See `SubPathMixin`."""
        return Nginx(documented("nginx", port))


class CaddyTests(SubPathMixin, BrowserCase):
    """The recipe for Caddy."""

    def make_proxy(self, port: int) -> Nginx | Caddy:
        """See `SubPathMixin`."""
        return Caddy(documented("caddy", port))
