# SPDX-License-Identifier: MIT
"""A platform that is no part of livechat: a wheel of its own, installed beside ours.

It is the worked example of docs/platforms.md.  Nothing but the wheel is there to make it known.
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from urllib.request import urlopen

from msgspec.structs import fields
from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from livechat.platforms.description import Page, PlatformDescription, installed
from tests.support import program
from tests.support.browser import BrowserCase, Visit, expect
from tests.support.daemon import PATIENCE, Client, start_daemon
from tests.support.schema import Frames
from tests.test_packaging import run

if TYPE_CHECKING:
    from playwright.sync_api import Route

SOURCE = Path(__file__).resolve().parent / "fourth_platform"
OPTIONS = ("--ticker-every=0.05",)


@cache
def ticker() -> Path:
    """A directory into which the wheel of the platform was installed, and nothing else."""
    top = Path(mkdtemp(dir=Path.cwd()))
    target = top / "packages"
    pip = (sys.executable, "-m", "pip")
    alone = ("--quiet", "--no-index", "--no-deps")
    run(top, *pip, "wheel", *alone, "--no-build-isolation", "--wheel-dir", top, SOURCE)
    (wheel,) = top.glob("livechat_ticker-*.whl")
    run(top, *pip, "install", *alone, "--target", target, wheel)
    return target


def beside(directory: Path) -> dict[str, str]:
    """The variable that lets Python find what is installed in a directory, with our checkout."""
    return {"PYTHONPATH": os.pathsep.join([str(program.ROOT), str(directory)])}


class ProtocolTests(TestCase):
    """The real daemon with the platform beside it."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Start it."""
        self.daemon = start_daemon(_reactor, *OPTIONS, beside=ticker())
        self.addCleanup(self._end)
        await self.daemon.listening
        self.client = await Client.open(self.daemon.port)
        self.addCleanup(self.client.close)

    async def _end(self) -> None:
        self.daemon.kill()
        await self.daemon.ended

    async def fetch(self, path: str) -> bytes:
        """What the daemon answers."""
        answer = await deferToThread(
            urlopen, f"http://127.0.0.1:{self.daemon.port}{path}", timeout=PATIENCE
        )
        body: bytes = await deferToThread(answer.read)
        return body

    async def test_chat(self) -> None:
        """Subscribe, and the chat comes; it is counted under the platform's name."""
        await self.client.send(type="subscribe", platform="ticker", identifier="ann")
        await self.client.until("started")
        chats = [await self.client.until("chat") for _ in range(3)]
        self.assertEqual([one["data"]["data"]["content"]["raw"] for one in chats], ["1", "2", "3"])
        self.assertEqual(chats[0]["platform"], "ticker")
        metrics = await self.daemon.metrics()
        self.assertRegex(metrics, r'livechat_messages_total\{platform="ticker"\} [1-9]')
        self.assertRegex(metrics, r'livechat_starts_total\{outcome="[a-z]+",platform="ticker"\} 1')

    async def test_url(self) -> None:
        """A URL of its hosts needs no platform."""
        await self.client.send(type="subscribe", identifier="https://ticker.example/ann")
        self.assertEqual((await self.client.until("started"))["platform"], "ticker")

    async def test_event_kind(self) -> None:
        """Its own kind of event can be asked for by name."""
        self.client.frames = Frames(json.loads(await self.fetch("/schema.json")))
        await self.client.send(
            type="subscribe", platform="ticker", identifier="ann", events=["tick"]
        )
        event = await self.client.until("event")
        self.assertEqual((event["data"]["type"], event["data"]["data"]["number"]), ("tick", 1))

    async def test_failures(self) -> None:
        """Its errors reach the client; an unknown platform is told that this one exists."""
        for identifier, code, details in (
            ("silent", "STREAM_NOT_LIVE", "TICKER_SILENT"),
            ("broken", "UPSTREAM_UNAVAILABLE", "BROKEN"),
        ):
            await self.client.send(type="subscribe", platform="ticker", identifier=identifier)
            self.assertEqual((await self.client.until(code))["details"], details)
        await self.client.send(type="subscribe", platform="tacker", identifier="ann")
        error = await self.client.until("UNSUPPORTED_PLATFORM")
        self.assertEqual(error["details"], "ticker, tiktok, twitch, youtube")

    async def test_platforms(self) -> None:
        """`/platforms.json` holds what it says about itself; any page may read it, for a minute."""
        address = f"http://127.0.0.1:{self.daemon.port}/platforms.json"
        answer = await deferToThread(lambda: urlopen(address, timeout=PATIENCE))
        self.assertEqual(answer.headers["access-control-allow-origin"], "*")
        self.assertEqual(answer.headers["cache-control"], "max-age=60")
        platforms = json.loads(await deferToThread(answer.read))
        self.assertEqual(list(platforms), ["youtube", "twitch", "tiktok", "ticker"])
        self.assertEqual(platforms["ticker"]["title"], "Ticker")
        self.assertEqual(platforms["ticker"]["hosts"], ["ticker.example"])
        self.assertEqual(
            list(platforms["youtube"]["identifierTypes"]), ["username", "channelId", "liveId"]
        )

    async def test_contract(self) -> None:
        """Its kind of event is in the documents of this daemon."""
        schema = json.loads(await self.fetch("/schema.json"))
        self.assertEqual(
            schema["$defs"]["TickData"]["properties"]["number"],
            {"description": "Which one.", "type": "integer"},
        )
        self.assertIn(b"data: TickData", await self.fetch("/web/livechat.d.ts"))
        self.assertIn(b'"TickEvent"', await self.fetch("/asyncapi.json"))


class CommandTests(SynchronousTestCase):
    """What the command line makes of platforms from outside."""

    def test_help(self) -> None:
        """Its option stands in the help of `twistd livechat`, and a wrong value is refused."""
        shown = program.run(Path.cwd(), *program.TWISTD, "--help", **beside(ticker()))
        self.assertIn("--ticker-every=", shown.stdout)
        self.assertIn("LIVECHAT_TICKER_EVERY", shown.stdout)
        refused = program.run(
            Path.cwd(), *program.COMMAND, **beside(ticker()), LIVECHAT_TICKER_EVERY="often"
        )
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(
            refused.stderr,
            "livechat: LIVECHAT_TICKER_EVERY must be a number from 0.01 to 60, not 'often'\n",
        )

    def test_unusable(self) -> None:
        """One that cannot be loaded, or is no description: one line that names it, exit code 1."""
        for value, reason in (
            ("livechat_nowhere:IT", "No module named 'livechat_nowhere'"),
            ("json:dumps", "does not describe itself"),
            ("json:nothing", "has no attribute 'nothing'"),
        ):
            place = Path(self.mktemp()).resolve() / "broken-1.0.dist-info"
            place.mkdir(parents=True)
            (place / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
            (place / "entry_points.txt").write_text(f"[livechat.platforms]\nbroken = {value}\n")
            done = program.run(Path.cwd(), *program.COMMAND, **beside(place.parent))
            self.assertEqual((done.returncode, done.stdout), (1, ""), value)
            self.assertRegex(done.stderr, r"\Alivechat: platform broken [^\n]+\n\Z")
            self.assertIn(value, done.stderr)
            self.assertIn(reason, done.stderr)

    def test_no_simulator(self) -> None:
        """The simulator is imported for a demonstration, and not otherwise."""
        code = (
            "import sys\n"
            "from livechat.service import Options, makeService\n"
            "options = Options()\n"
            "options.parseOptions(['--listen=tcp:0:interface=127.0.0.1', *sys.argv[1:]])\n"
            "makeService(options)\n"
            "print('livechat.simulator' in sys.modules)\n"
        )
        for options, imported in (((), "False\n"), (("--demo",), "True\n")):
            done = program.run(Path.cwd(), sys.executable, "-c", code, *options)
            self.assertEqual(done.stdout[-len(imported) :], imported, done.stderr)


class PageTests(BrowserCase):
    """The pages with the platform beside ours."""

    options = ("--demo", *OPTIONS)

    def beside(self) -> Path:
        """The platform."""
        return ticker()

    async def setUp(self) -> None:  # type: ignore[override]
        """What the pages receive is held to the schema of this daemon."""
        await super().setUp()
        schema = await deferToThread(urlopen, self.url("/schema.json"), timeout=PATIENCE)
        self.frames = Frames(json.loads(await deferToThread(schema.read)))

    async def test_page(self) -> None:
        """`/test` offers it with its words and colour, and shows its chat with its role."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            expect(page.locator(".platforms label")).to_have_text(
                ["YouTube", "Twitch", "TikTok", "Ticker"]
            )
            expect(page.locator("#identifier-type option")).to_have_count(3)
            page.get_by_text("Ticker", exact=True).click()
            expect(page.get_by_label("Channel")).to_have_attribute("placeholder", "A word")
            expect(page.locator("#identifier-type")).to_be_hidden()
            expect(page.locator(".mark[data-platform=ticker]").first).to_have_css(
                "color", "rgb(122, 90, 0)"
            )
            page.get_by_label("Channel").fill("ann")
            page.get_by_role("button", name="Connect", exact=True).click()
            expect(page.locator("#list .row .chip").first).to_have_text("Bell")
            page.get_by_label("Channel").fill("silent")
            page.get_by_role("button", name="Connect", exact=True).click()
            expect(page.locator("#status-text")).to_contain_text("This ticker never says a word.")

        await self.visit(work, color_scheme="light")

    async def test_asked_again(self) -> None:
        """An overlay that is opened while the daemon starts asks until it is answered."""
        asked: list[str] = []

        def answer(route: Route) -> None:
            asked.append(route.request.url)
            if len(asked) > 2:
                route.continue_()
            else:
                route.fulfill(status=503)

        def work(visit: Visit) -> None:
            visit.page.route("**/platforms.json", answer)
            visit.page.goto(self.url("/overlay?platform=ticker&identifier=ann"))
            expect(
                visit.page.locator(".line .mark[data-platform=ticker] path").first
            ).to_be_attached()

        await self.browser.visit(work)

    async def test_narrow(self) -> None:
        """Four platforms make no page wider than a telephone."""

        def work(visit: Visit) -> None:
            visit.page.goto(self.url("/test"))
            expect(visit.page.locator(".platforms label")).to_have_count(4)
            width = "document.documentElement.scrollWidth"
            self.assertLessEqual(visit.page.evaluate(width), 360)

        await self.visit(work, viewport={"width": 360, "height": 700})

    async def test_pasted(self) -> None:
        """A pasted URL chooses it; on the builder, too."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            page.get_by_label("Channel").fill("https://ticker.example/ann")
            expect(page.locator(".platforms input:checked")).to_have_value("ticker")
            page.goto(self.url("/overlay"))
            page.locator(".source .identifier").fill("https://ticker.example/ann")
            expect(page.locator(".source .platform")).to_have_value("ticker")
            expect(page.locator("#address")).to_have_value(lambda_address())

        def lambda_address() -> str:
            return self.url(
                "/overlay?platform=ticker&identifier=https%3A%2F%2Fticker.example%2Fann"
            )

        await self.visit(work)


class DocumentTests(SynchronousTestCase):
    """docs/platforms.md, whose example the platform is."""

    def test_examples(self) -> None:
        """Each line of the examples stands in the example's files."""
        text = (program.ROOT / "docs/platforms.md").read_text()
        blocks = re.findall(r"```(?:toml|python)\n(.*?)```", text, re.DOTALL)
        self.assertEqual(len(blocks), 2)
        files = [SOURCE / "pyproject.toml", SOURCE / "livechat_ticker/__init__.py"]
        known = {line for path in files for line in path.read_text().splitlines()}
        self.assertEqual({line for block in blocks for line in block.splitlines()} - known, set())

    def test_fields(self) -> None:
        """The table of the description names each of its fields, and `page` each of the page's."""
        text = (program.ROOT / "docs/platforms.md").read_text()
        table = "".join(line for line in text.splitlines() if line.startswith("| `"))
        named = set(re.findall(r"`(\w+)`", table))
        for struct in (PlatformDescription, Page):
            self.assertEqual({field.name for field in fields(struct)} - named, set())


class NameTests(SynchronousTestCase):
    """What the pages and the composition know of platforms by themselves."""

    def test_no_names(self) -> None:
        """No script but the sample's, no style, and no module that composes names a platform."""
        web = program.ROOT / "web"
        files = [*web.glob("js/*.js"), *web.glob("css/*.css"), web / "livechat.js"]
        composing = ("service", "daemon", "options", "command_line", "metrics", "listening")
        files += [program.ROOT / f"livechat/{name}.py" for name in composing]
        named = {
            (path.name, name)
            for path in files
            if path.name != "sample.js"
            for name in installed()
            if name in path.read_text().lower()
        }
        self.assertEqual(named, set())
