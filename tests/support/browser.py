# SPDX-License-Identifier: MIT
"""A real browser on the pages of a real daemon.

Chromium is the one of the system, driven by playwright, in a thread of its own: playwright's
objects belong to the thread that made them, and meanwhile the reactor serves a simulated platform.
Nothing reaches the network: every https picture is drawn here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from hashlib import sha256
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.threads import blockingCallFromThread, deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase
from twisted.web.server import Site

from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import Settings
from tests.support.daemon import PATIENCE, Daemon, start_daemon

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route, expect
else:
    try:
        from playwright.sync_api import expect
    except ImportError:
        expect = None  # No test gets as far as using it.

__all__ = ["BrowserCase", "PlayedDaemon", "Visit", "chat", "event", "expect", "missing"]

T = TypeVar("T")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()

_numbers = count(1)

_FACE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="56" height="56">'
    '<circle cx="12" cy="12" r="11" fill="hsl({hue} 85% 62%)"/>'
    '<circle cx="8.3" cy="10" r="1.5"/><circle cx="15.7" cy="10" r="1.5"/>'
    '<path d="{mouth}" fill="none" stroke="#000" stroke-width="1.5" stroke-linecap="round"/></svg>'
)
_MOUTHS = ("M7.5 14c1.5 3.6 7.5 3.6 9 0", "M8 16c2-2.5 6-2.5 8 0", "M7.5 15h9", "M9 14q3 5 6 0z")


def chromium() -> str | None:
    """The program, or None."""
    return os.environ.get("LIVECHAT_CHROMIUM") or shutil.which("chromium")


def missing() -> str | None:
    """Why browser tests must be skipped; None if they can run, or must with or without success."""
    if os.environ.get("LIVECHAT_REQUIRE_BROWSER") == "1":
        return None
    if expect is None:
        return "no browser: the Python package playwright is not installed"
    return None if chromium() else "no browser: the program chromium is not installed"


def picture(route: Route) -> None:
    """Draws a picture in place of the one that stands at an https address."""
    number = int.from_bytes(sha256(route.request.url.encode()).digest()[:4], "big")
    body = _FACE.format(hue=number % 360, mouth=_MOUTHS[number % len(_MOUTHS)])
    route.fulfill(status=200, content_type="image/svg+xml", body=body)


class Visit:
    """One page in a fresh profile, and what it complained about.

    :ivar page: playwright's page.
    :ivar errors: what went to the console as an error, exceptions, and dialogs.
    :ivar requests: every address that was asked for.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.requests.append(request.url))

    def _dialog(self, dialog: Any) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()


class Browser:
    """Chromium; all of its methods run, one after the other, in one thread."""

    def __init__(self) -> None:
        self._pool = ThreadPool(1, 1, "browser")
        self._playwright: Any = None
        self._browser: Any = None

    async def start(self) -> None:
        """Start the program."""
        self._pool.start()
        await deferToThreadPool(reactor, self._pool, self._start)

    def _start(self) -> None:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415

        expect.set_options(timeout=PATIENCE * 1000)
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=chromium(), args=FLAGS)

    async def stop(self) -> None:
        """End the program and the thread."""
        try:
            await deferToThreadPool(reactor, self._pool, self._stop)
        finally:
            self._pool.stop()

    def _stop(self) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()

    async def visit(self, work: Callable[[Visit], T], **options: Any) -> T:
        """Do something with a page of its own.

        :param options: of playwright's `new_context`: `viewport`, `color_scheme`, ...
        """

        def whole() -> T:
            context = self._browser.new_context(
                **{"viewport": {"width": 1280, "height": 800}, **options}
            )
            context.set_default_timeout(PATIENCE * 1000)
            context.route(re.compile("^https:"), picture)
            try:
                return work(Visit(context.new_page()))
            finally:
                context.close()

        result: T = await deferToThreadPool(reactor, self._pool, whole)
        return result


class BrowserCase(TestCase):
    """A browser, a daemon, and if the daemon does not demonstrate, a simulated Twitch that is quiet.

    :cvar options: of the daemon.
    """

    timeout = 180
    skip = missing()
    options: tuple[str, ...] = ("--demo", "--demo-seed=3", "--demo-rate=3")

    async def setUp(self) -> None:  # type: ignore[override]
        """Start all of them."""
        options = getattr(getattr(self, self._testMethodName), "options", self.options)
        if "--demo" not in options:
            quiet = Scenario(1, 0.0)
            self.twitch = TwitchSimulator(reactor, time.time, quiet, Settings(ending_after=3.0))
            irc = self.listen(self.twitch)
            gql = self.listen(Site(resources(self.twitch)))
            options = (
                *options,
                f"--twitch-irc=tcp:127.0.0.1:{irc}",
                f"--twitch-gql-url=http://127.0.0.1:{gql}/twitch/gql",
            )
        self.daemon = await self.started(*options)
        self.browser = Browser()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.browser.stop()))
        await self.browser.start()

    def start_again(self, *options: str) -> Deferred[Daemon]:
        """Another daemon, from a visit."""
        return Deferred.fromCoroutine(self.started(*options))

    async def started(self, *options: str) -> Daemon:
        """A daemon that is killed at the end."""
        daemon = start_daemon(reactor, *options)
        self.addCleanup(lambda: (daemon.kill(), daemon.ended)[1])
        await daemon.listening
        return daemon

    def listen(self, factory: Any) -> int:
        """A free loopback port for a server in this process."""
        port: IListeningPort = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port  # type: ignore[attr-defined]
        return number

    def url(self, path: str) -> str:
        """An address of the daemon."""
        return f"http://127.0.0.1:{self.daemon.port}{path}"

    async def visit(self, work: Callable[[Visit], T], **options: Any) -> T:
        """Do something with a page, which must not complain about anything."""

        def silent(visit: Visit) -> T:
            result = work(visit)
            self.assertEqual(visit.errors, [])
            return result

        return await self.browser.visit(silent, **options)

    def here(self, work: Callable[[], Any]) -> Any:
        """From a visit: do something in the reactor's thread, and wait for it."""
        return blockingCallFromThread(reactor, work)


class PlayedDaemon:
    """In place of the daemon's WebSocket: what it is told is kept, what it says a test decides.

    :ivar heard: the commands of the page, decoded.
    """

    def __init__(self, page: Page) -> None:
        self.heard: list[dict[str, Any]] = []
        self._page = page
        self._socket: Any = None
        page.route_web_socket(re.compile("/ws$"), self._connected)

    def _connected(self, socket: Any) -> None:
        self._socket = socket
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def say(self, *messages: dict[str, Any]) -> None:
        """Send messages, once the page has said what it wants."""
        for _ in range(200):
            if self.heard:
                break
            self._page.wait_for_timeout(20)
        for message in messages:
            self._socket.send(json.dumps(message))

    def greet(self, **more: Any) -> None:
        """Subscribed and started, for whatever was asked for."""
        self.say()
        about = {name: self.heard[-1][name] for name in ("platform", "identifier")}
        self.say(
            {"type": "status", "status": "subscribed", "storage_type": "redis", **about},
            {"type": "status", "status": "started", "liveId": "live", **about, **more},
        )


def chat(text: str = "hello", *, html: str | None = None, **more: Any) -> dict[str, Any]:
    """A `chat` message as the daemon sends it.

    :param html: `rawHtml`; without it the text, escaped.
    :param more: replaces fields of the author, the metadata or the envelope, by their names.
    """
    author: dict[str, Any] = {
        "id": "42",
        "username": "ann",
        "display_name": "Ann",
        "avatar_url": None,
        "roles": {"broadcaster": False, "moderator": False, "subscriber": False, "verified": False},
        "badges": [],
    }
    envelope: dict[str, Any] = {
        "type": "chat",
        "platform": "youtube",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "message_id": f"message-{next(_numbers)}",
        "room_id": "room",
    }
    metadata: dict[str, Any] = {"type": "chat"}
    for name, value in more.items():
        place = author if name in {*author, "color"} else envelope if name in envelope else metadata
        place[name] = value
    rendered = f'<span class="text">{escape(text)}</span>' if html is None else html
    content = {"raw": text, "formatted": text, "sanitized": text, "rawHtml": rendered}
    envelope["data"] = {"author": author, "content": content, "metadata": metadata}
    return {"type": "chat", "data": envelope}


def event(kind: str, **data: Any) -> dict[str, Any]:
    """An `event` message as the daemon sends it."""
    envelope = {
        "type": kind,
        "platform": "youtube",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "event_id": f"event-{next(_numbers)}",
        "room_id": "room",
        "data": data,
    }
    return {"type": "event", "data": envelope}
