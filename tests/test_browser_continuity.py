# SPDX-License-Identifier: MIT
"""Pages that are loaded again, or come back: nothing is missed, doubled, or shown once removed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from livechat.simulator.actions import Author, Clear, Delete, Say, Silence
from tests.support.browser import BrowserCase, Visit, expect
from tests.support.daemon import Client
from tests.support.played_daemon import PlayedDaemon, chat, event
from tests.test_client import example

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOW = datetime.now(UTC)

ANN = Author(1001, "ann", "Ann")
BEN = Author(1002, "ben", "Ben")


def written(number: int, author: Author) -> Say:
    """A message on the simulated Twitch that says its number."""
    name = f"00000000-0000-4000-8000-{number:012d}"
    return Say(id=name, author=author, text=(str(number),))


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


class RealTests(BrowserCase):
    """With the real daemon and a simulated Twitch."""

    options = ()

    def say(self, *numbers: int, author: Author = ANN) -> None:
        """From a visit: somebody writes numbers."""
        for number in numbers:
            self.here(self.twitch.say, "hopper", written(number, author))

    async def observer(self) -> Client:
        """Another client of the daemon, which is told of all events."""
        client = await Client.open(self.daemon.port)
        await client.subscribe("hopper", events=True, stats=False)
        await client.until("started")
        return client

    async def sees(self, observer: Client, kind: str) -> None:
        """Wait until an observer has been told of an event of a kind."""
        while (await observer.until("event"))["data"]["type"] != kind:
            pass
        await observer.close()

    async def test_reload_under_a_running_chat(self) -> None:
        """However often the overlay is loaded anew, it shows the last lines, each once."""
        numbers = count(1)
        talk = LoopingCall(lambda: self.twitch.say("hopper", written(next(numbers), ANN)))

        def begin() -> None:
            # What it returns fires when it is stopped.
            talk.start(0.02)

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/overlay?platform=twitch&identifier=hopper&max=200"))
            self.await_readers("hopper")
            self.here(begin)
            for _ in range(4):
                page.wait_for_function("() => document.querySelectorAll('.line').length > 10")
                page.reload()
            self.here(talk.stop)
            last = next(numbers)
            self.say(last)
            page.get_by_text(str(last), exact=True).wait_for()
            shown = [int(text) for text in page.locator(".text").all_inner_texts()]
            self.assertEqual(shown, list(range(max(1, last - 199), last + 1)))

        await self.visit(work)

    async def test_storage(self) -> None:
        """The documented page counts every message once, however often it is loaded anew."""
        text = example("After a loss", self.daemon.port).replace("busy_kitchen", "hopper")
        numbers = count(2)
        talk = LoopingCall(lambda: self.twitch.say("hopper", written(next(numbers), ANN)))

        def begin() -> None:
            talk.start(0.02)

        def load(page: Page) -> None:
            # Any address will do that has a storage and forbids no scripts.
            page.goto(self.url("/health"))
            page.set_content(text)

        def work(visit: Visit) -> None:
            page = visit.page
            load(page)
            self.await_readers("hopper")
            self.say(1)
            expect(page.locator("#votes")).to_have_text("1 votes")
            self.here(begin)
            counted = 1
            for _ in range(4):
                load(page)
                more = "(n) => Number(sessionStorage.votes) > n + 10"
                page.wait_for_function(more, arg=counted)
                counted = page.evaluate("() => Number(sessionStorage.votes)")
            self.here(talk.stop)
            last = next(numbers)
            self.say(last)
            expect(page.locator("#votes")).to_have_text(f"{last} votes")

        await self.visit(work)

    async def test_reload_shows_nothing_that_was_removed(self) -> None:
        """A deletion, a timeout and a cleared chat hold for a page that is loaded again."""

        def work(visit: Visit) -> None:
            page = visit.page
            address = self.url("/overlay?platform=twitch&identifier=hopper")
            page.goto(address)
            self.await_readers("hopper")
            texts = page.locator(".text")
            self.say(1, 2, 4)
            self.say(3, author=BEN)
            expect(texts).to_have_text(["1", "2", "4", "3"])
            page.goto("about:blank")
            self.here(self.twitch.say, "hopper", Delete(id="d", message=written(2, ANN)))
            self.here(self.twitch.say, "hopper", Silence(id="s", author=BEN))
            self.say(5, author=BEN)
            page.goto(address)
            expect(texts).to_have_text(["1", "4", "5"])
            page.goto("about:blank")
            self.here(self.twitch.say, "hopper", Clear(id="c"))
            self.say(6)
            page.goto(address)
            expect(texts).to_have_text(["6"])

        await self.visit(work)

    async def test_deletion_while_away(self) -> None:
        """A page that was cut off gets what it missed, also that a message was deleted."""

        def work(visit: Visit) -> None:
            page = visit.page
            sockets: list[Any] = []

            def connected(socket: Any) -> None:
                if sockets:
                    # Everything happens before the page is back.
                    self.say(3)
                    deletion = Delete(id="d", message=written(1, ANN))
                    self.here(self.twitch.say, "hopper", deletion)
                    self.here(lambda: Deferred.fromCoroutine(self.sees(observer, "deletion")))
                sockets.append(socket.connect_to_server())
                sockets.append(socket)

            observer = self.here(lambda: Deferred.fromCoroutine(self.observer()))
            page.route_web_socket(re.compile("/ws$"), connected)
            page.goto(self.url("/overlay?platform=twitch&identifier=hopper"))
            self.await_readers("hopper")
            self.say(1, 2)
            texts = page.locator(".text")
            expect(texts).to_have_text(["1", "2"])
            for socket in sockets:
                socket.close(code=4000)
            expect(texts).to_have_text(["2", "3"])
            self.say(4)
            expect(texts).to_have_text(["2", "3", "4"])

        await self.visit(work)

    async def test_daemon_starts_again(self) -> None:
        """A new daemon has a new order: the page keeps what it shows, and nothing comes twice."""
        later = f"--listen=tcp:{self.daemon.port}:interface=127.0.0.1"

        def work(visit: Visit) -> None:
            page, other = visit.page, visit.page.context.new_page()
            page.goto(self.url("/overlay?platform=twitch&identifier=hopper"))
            other.goto(self.url("/test?platform=twitch&identifier=hopper"))
            self.await_readers("hopper")
            self.say(1, 2, 3)
            expect(page.locator(".text")).to_have_text(["1", "2", "3"])
            expect(other.locator("#total")).to_have_text("3")
            self.here(self.ended, self.daemon)
            self.await_nobody("hopper")
            self.here(self.start_again, *self.start_options, later)
            self.await_readers("hopper")
            self.say(4, 5)
            expect(page.locator(".text")).to_have_text(["1", "2", "3", "4", "5"])
            expect(other.locator(".row .text")).to_have_text(["1", "2", "3", "4", "5"])
            expect(other.get_by_text("Part of the chat was missed")).to_have_count(1)
            # The daemon's own counts began anew; nothing is counted twice.
            expect(other.locator("#total")).to_have_text("2")
            page.reload()
            expect(page.locator(".text")).to_have_text(["4", "5"])

        # The browser itself reports that nobody answers.
        await self.browser.visit(work)
