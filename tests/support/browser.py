# SPDX-License-Identifier: MIT
"""A real browser on the pages of a real daemon.

Chromium is the one of the system, driven by playwright, in a thread of its own: playwright's
objects belong to the thread that made them, and meanwhile the reactor serves a simulated platform.
Nothing reaches the network: every https picture is drawn here.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import time
from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.internet.threads import blockingCallFromThread, deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase
from twisted.web.server import Site

from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import Settings
from tests.support.daemon import Daemon, start_daemon
from tests.support.schema import Frames, frames

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route, WebSocket, expect
else:
    try:
        from playwright.sync_api import expect
    except ImportError:
        expect = None  # No test gets as far as using it.

__all__ = ["Browser", "BrowserCase", "Smoothness", "Visit", "expect", "missing"]

T = TypeVar("T")

reactor: Any = _reactor

#: Seconds that the browser may take to start; the first time it looks at all fonts.
START = 180

#: Seconds that anything on a page may take before the test fails.  The browser draws without a
#: graphics card, and is slow where the machine is busy.
PATIENCE = 90.0

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

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
    if find_spec("playwright") is None:
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
    :ivar errors: what went to the console as an error, exceptions, dialogs, and frames that the
        schema does not allow.
    :ivar requests: every address that was asked for.
    """

    def __init__(self, page: Page, held_to: Frames | None = None) -> None:
        self.page = page
        self._frames = held_to or frames()
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", self._connected)

    def heap(self) -> int:
        """Bytes of JavaScript that are still in use once rubbish has been collected."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("HeapProfiler.collectGarbage")
        used: int = session.send("Runtime.getHeapUsage")["usedSize"]
        return used

    def _connected(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._received)

    def _received(self, frame: bytes | str) -> None:
        """What the page receives is held to the published schema."""
        try:
            self._frames.read(frame)
        except AssertionError as error:
            self.errors.append(str(error))

    def _dialog(self, dialog: Any) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()


class Smoothness(NamedTuple):
    """How a page ran for a while; times in ms.

    :ivar median: between two frames; so are the 99th percentile and `worst`.
    :ivar long_tasks: pieces of work above 50 ms.
    """

    median: float
    p99: float
    worst: float
    long_tasks: int

    @classmethod
    def of(cls, page: Page, seconds: float) -> Smoothness:
        """Watch the frames of a page for some seconds."""
        return cls(**page.evaluate(_WATCH, seconds))


_WATCH = """(seconds) => new Promise((resolve) => {
  const gaps = [];
  let longTasks = 0;
  const observer = new PerformanceObserver((list) => { longTasks += list.getEntries().length; });
  observer.observe({ entryTypes: ["longtask"] });
  const end = performance.now() + seconds * 1000;
  let last = 0;
  const frame = (now) => {
    if (last) gaps.push(now - last);
    last = now;
    if (now < end) return requestAnimationFrame(frame);
    gaps.sort((one, other) => one - other);
    const at = (part) => gaps[Math.floor((gaps.length - 1) * part)];
    return resolve({ median: at(0.5), p99: at(0.99), worst: at(1), long_tasks: longTasks });
  };
  requestAnimationFrame(frame);
})"""


class _BackgroundThread(Thread):
    """A thread that does not keep the process from ending."""

    def __init__(self, **options: Any) -> None:
        super().__init__(daemon=True, **options)


class _Pool(ThreadPool):
    threadFactory = _BackgroundThread  # type: ignore[assignment]


class Browser:
    """Chromium; everything is done one after the other, in one thread."""

    def __init__(self) -> None:
        self._pool = _Pool(1, 1, "browser")
        self._playwright: Any = None
        self._browser: Any = None

    @classmethod
    async def shared(cls) -> Browser:
        """The one of this process: started when it is first asked for, ended with the process."""
        if not _started:
            browser = cls()
            browser._pool.start()
            await deferToThreadPool(reactor, browser._pool, browser._start)
            atexit.register(browser._end)
            _started.append(browser)
        return _started[0]

    def _start(self) -> None:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415

        expect.set_options(timeout=PATIENCE * 1000)
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=chromium(), args=FLAGS, timeout=START * 1000
        )

    def _end(self) -> None:
        ended = Event()

        def end() -> None:
            self._browser.close()
            self._playwright.stop()
            ended.set()

        self._pool.callInThread(end)
        ended.wait(PATIENCE)

    async def visit(
        self, work: Callable[[Visit], T], held_to: Frames | None = None, **options: Any
    ) -> T:
        """Do something with a page of its own.

        :param held_to: the schema of what the page receives; that of our platforms.
        :param options: of playwright's `new_context`: `viewport`, `color_scheme`, ...
        """

        def whole() -> T:
            context = self._browser.new_context(
                **{"viewport": {"width": 1280, "height": 800}, **options}
            )
            context.set_default_timeout(PATIENCE * 1000)
            context.route(re.compile("^https:"), picture)
            try:
                return work(Visit(context.new_page(), held_to))
            finally:
                # A picture that is still being drawn is nobody's concern any more.
                context.unroute_all(behavior="ignoreErrors")
                context.close()

        result: T = await deferToThreadPool(reactor, self._pool, whole)
        return result


_started: list[Browser] = []


class BrowserCase(TestCase):
    """A browser, a daemon, and for one that does not demonstrate a simulated, quiet Twitch.

    :cvar options: of the daemon.
    :ivar frames: the schema of what its pages receive.
    :ivar start_options: with which it was started.
    """

    timeout = 300
    skip = missing()
    options: tuple[str, ...] = ("--demo", "--demo-seed=3", "--demo-rate=3")

    def beside(self) -> Path | None:
        """Where packages were installed that the daemon may use, too."""
        return None

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
        self.start_options = options
        self.daemon = await self.started(*options)
        self.frames = frames()
        self.browser = await Browser.shared()

    def ended(self, daemon: Daemon) -> Deferred[int | str]:
        """Kill a daemon; fires when it is gone."""
        daemon.kill()
        return daemon.ended

    def start_again(self, *options: str) -> Deferred[Daemon]:
        """Another daemon, from a visit."""
        return Deferred.fromCoroutine(self.started(*options))

    async def started(self, *options: str) -> Daemon:
        """A daemon that is killed at the end."""
        daemon = start_daemon(reactor, *options, beside=self.beside())
        self.addCleanup(self.ended, daemon)
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

        return await self.browser.visit(silent, self.frames, **options)

    def await_readers(self, *channels: str) -> None:
        """From a visit: wait, bounded, until the daemon reads channels of the simulated Twitch."""
        self._await(lambda: all(map(self.twitch.joined, channels)), f"nobody reads {channels}")

    def await_nobody(self, channel: str) -> None:
        """From a visit: wait, bounded, until nobody reads a channel of the simulated Twitch."""
        self._await(lambda: not self.twitch.joined(channel), f"somebody reads {channel}")

    def _await(self, is_so: Callable[[], bool], otherwise: str) -> None:
        async def waited() -> None:
            until = reactor.seconds() + PATIENCE
            while not is_so():
                self.assertLess(reactor.seconds(), until, otherwise)
                await deferLater(reactor, 0.02)

        self.here(lambda: Deferred.fromCoroutine(waited()))

    def here(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """From a visit: do something in the reactor's thread, and wait for it."""
        return blockingCallFromThread(reactor, work, *arguments)
