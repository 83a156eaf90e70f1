# SPDX-License-Identifier: MIT
"""The examples of the documentation, as their users run them, with a real daemon."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import msgspec
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from livechat.simulator.actions import Author, Clear, Delete, Pay, Say, Silence
from tests.support.daemon import Client, start_daemon
from tests.support.node import missing, node
from tests.support.program import Program
from tests.support.three_platforms import ThreePlatformsCase

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"

ANN = Author(11, "ann", "Ann")
BOB = Author(12, "bob", "Bob")


def said(author: Author, text: str, number: int) -> Say:
    """Somebody writes something."""
    return Say(id=f"{number:08d}-0000-4000-8000-000000000000", author=author, text=(text,))


class PageTests(SynchronousTestCase):
    """docs/examples.md shows the files."""

    def test_page(self) -> None:
        """It shows every file, whole, without the line about its licence."""
        page = (ROOT / "docs" / "examples.md").read_text()
        shown = re.findall(r"\]\((examples/[\w.]+)\):\n\n```\w+\n(.*?)```\n", page, re.DOTALL)
        files = {
            f"examples/{path.name}": re.sub(r"(#|//) SPDX.*\n", "", path.read_text())
            for path in EXAMPLES.iterdir()
        }
        self.assertEqual(dict(shown), files)


def shown(got: Any, page: Any) -> Any:
    """As much of a message as a page shows of it: pages may leave out what was added later."""
    if isinstance(page, dict) and isinstance(got, dict):
        return {key: shown(got.get(key), value) for key, value in page.items()}
    if isinstance(page, list) and isinstance(got, list) and len(page) == len(got):
        return [shown(*pair) for pair in zip(got, page, strict=True)]
    return got


class ReadmeTests(TestCase):
    """The session on the first page."""

    async def test_session(self) -> None:
        """The demonstration answers so, but for the time of day and the name of the order."""
        page = (ROOT / "README.md").read_text()
        session = re.findall(r"^([<>]) (\{.*\})$", page, re.MULTILINE)
        self.assertGreaterEqual(len(session), 7)
        daemon = start_daemon(reactor, "--demo")
        self.addCleanup(lambda: daemon.ended)
        self.addCleanup(daemon.kill)
        await daemon.listening
        client = await Client.open(daemon.port)
        for mark, line in session:
            if mark == ">":
                await client.send_raw(line)
                continue
            expected = msgspec.json.decode(line)
            got = await client.until(expected.get("status") or expected["type"])
            for message, name in ((expected, "epoch"), (expected.get("data", {}), "timestamp")):
                if name in message:
                    message[name] = ANY
            self.assertEqual(shown(got, expected), expected)
        await client.close()


def original() -> str:
    """The example of the original service as docs/from-the-original.md mends it."""
    page = (ROOT / "docs" / "from-the-original.md").read_text()
    (found,) = re.findall(r"```js\n(.*?)```", page, re.DOTALL)
    code: str = found
    return code


class ExampleCase(ThreePlatformsCase):
    """One example as a process of its own."""

    def start(self, *command: str) -> Program:
        """Start it in a directory of its own, beside our client for JavaScript."""
        directory = Path(self.mktemp())
        shutil.copytree(EXAMPLES, directory)
        shutil.copy(ROOT / "web" / "livechat.js", directory)
        # No pause before a connection that was lost is opened again.
        program = Program(self, directory, *command, WEBSOCKETS_BACKOFF_INITIAL_DELAY="0")
        self.addCleanup(self._stop, program)
        return program

    def _stop(self, program: Program) -> None:
        program.process.terminate()
        program.process.wait()

    async def says(self, program: Program, *lines: str) -> None:
        """Wait for the next lines of its output, which are these."""
        for line in lines:
            found = await deferToThread(program.until, "")
            self.assertEqual(found.rstrip("\n"), line, program.log)

    async def until(self, program: Program, *texts: str) -> None:
        """Wait for lines that hold these texts, in this order; others may come between."""
        for text in texts:
            await deferToThread(program.until, text)


class ChatTests(ExampleCase):
    """`chat.py`, with the library `websockets`."""

    async def test_three_platforms(self) -> None:
        """It prints the chats of all platforms, with what was paid."""
        urls = ("https://www.twitch.tv/ann", "https://youtube.com/@ann", "https://tiktok.com/@ann")
        program = self.start(sys.executable, "chat.py", self.address, *urls)
        await self.until(program, *[": started"] * 3)
        self.twitch.say("ann", said(BOB, "hello", 1))
        await self.says(program, "twitch Bob: hello")
        self.youtube.say("ann", said(BOB, "hello", 2))
        await self.says(program, "youtube @bob: hello")
        self.tiktok.say("ann", said(BOB, "hello", 3))
        await self.says(program, "tiktok Bob: hello")
        cheer = Pay(id=said(BOB, "", 4).id, author=BOB, text=("for you",), amount=100)
        self.twitch.say("ann", cheer)
        await self.says(program, "twitch Bob [100 bits]: Cheer100 for you")

    async def test_lost(self) -> None:
        """It comes back when the connection was lost, and gets once what it has missed."""
        program = self.start(sys.executable, "chat.py", self.address, "twitch.tv/ann")
        greeting = ("* twitch.tv/ann: subscribed", "* twitch.tv/ann: started")
        await self.says(program, *greeting)
        self.twitch.say("ann", said(BOB, "hello", 1))
        await self.says(program, "twitch Bob: hello")
        self.assertEqual(self.road.cut(), 1)
        self.twitch.say("ann", said(BOB, "are you there?", 2))
        await self.says(program, "* twitch.tv/ann: connection lost", *greeting)
        await self.says(program, "twitch Bob: are you there?")
        self.twitch.say("ann", said(BOB, "hello again", 3))
        await self.says(program, "twitch Bob: hello again")

    async def test_hopeless(self) -> None:
        """It ends when there is no such channel."""
        program = self.start(sys.executable, "chat.py", self.address, "twitch.tv/missing_ann")
        await self.says(program, "* twitch.tv/missing_ann: There is no such channel or video")
        self.assertEqual(await deferToThread(program.ended), 0)


class ShellTests(ExampleCase):
    """`chat.sh`, with curl and jq."""

    def chat(self, channel: str) -> Program:
        """Start it with a channel; `timeout` ends curl and jq with it."""
        address = self.address.replace("ws:", "http:")
        return self.start("timeout", "60", "sh", "chat.sh", address, channel)

    async def test_lost(self) -> None:
        """It prints a chat, and comes back when the connection was lost."""
        program = self.chat("https://www.youtube.com/@ann")
        await self.says(program, "* subscribed", "* started")
        self.youtube.say("ann", said(BOB, 'a \\ and a "quote"', 1))
        await self.says(program, 'youtube @bob: a \\ and a "quote"')
        self.assertEqual(self.road.cut(), 1)
        await self.says(program, "* subscribed", "* started")
        self.youtube.say("ann", said(BOB, "hello again", 2))
        await self.says(program, "youtube @bob: hello again")

    async def test_hopeless(self) -> None:
        """It ends when there is no such channel."""
        program = self.chat("twitch.tv/missing_ann")
        await self.says(program, "* There is no such channel or video")
        await deferToThread(program.ended)

    async def test_not_live(self) -> None:
        """It waits for a channel that is not live."""
        program = self.chat("tiktok.com/@offline_ann")
        await self.says(program, "* The channel is not live")
        self.assertIsNone(program.process.poll())


class VoteTests(ExampleCase):
    """`vote.mjs`, with our client for JavaScript."""

    skip = missing()

    async def test_votes(self) -> None:
        """One vote for each user of all platforms, also while the connection was lost."""
        program = self.start(node() or "", "vote.mjs", self.address, "twitch.tv/ann", "@ann")
        await self.until(program, *["You may vote in "] * 2)
        self.twitch.say("ann", said(BOB, "!vote Tea", 1))
        await self.says(program, "Bob votes for tea. tea: 1")
        self.youtube.say("ann", said(BOB, "!vote coffee", 2))
        await self.says(program, "@bob votes for coffee. tea: 1, coffee: 1")
        self.assertEqual(self.road.cut(), 1)
        self.twitch.say("ann", said(ANN, "I shall not vote !vote x", 3))
        self.twitch.say("ann", said(BOB, "!vote coffee", 4))
        await self.until(program, "You may vote in ", "Bob votes for coffee. coffee: 2")


class ModerationTests(ExampleCase):
    """`moderation.py`, with Twisted and Autobahn."""

    async def watch(self, url: str) -> Program:
        """Start it, and wait until it has greeted."""
        program = self.start(sys.executable, "moderation.py", self.address, url)
        await self.says(program, f"{url}: subscribed", f"{url}: started")
        return program

    async def test_twitch(self) -> None:
        """On Twitch; what was said is remembered over a lost connection."""
        program = await self.watch("twitch.tv/ann")
        bad, worse = said(BOB, "buy followers", 1), said(BOB, "buy more followers", 2)
        for message in (bad, worse):
            self.twitch.say("ann", message)
        self.twitch.say("ann", Delete(id=said(ANN, "", 3).id, message=bad))
        await self.says(program, "twitch deleted Bob: buy followers")
        self.assertEqual(self.road.cut(), 1)
        await self.says(program, "twitch.tv/ann: subscribed", "twitch.tv/ann: started")
        self.twitch.say("ann", Delete(id=said(ANN, "", 4).id, message=worse))
        await self.says(program, "twitch deleted Bob: buy more followers")
        self.twitch.say("ann", Silence(id=said(ANN, "", 5).id, author=BOB, seconds=600))
        await self.says(program, "twitch silenced Bob for 600 s")
        self.twitch.say("ann", Silence(id=said(ANN, "", 6).id, author=ANN))
        await self.says(program, "twitch silenced ann for good")
        self.twitch.say("ann", Delete(id=said(ANN, "", 7).id, message=said(ANN, "hi", 8)))
        await self.says(program, "twitch deleted something older")
        self.twitch.say("ann", Clear(id=said(ANN, "", 9).id))
        await self.says(program, "twitch cleared the chat")

    async def test_youtube(self) -> None:
        """On YouTube, which says of those who are silenced only the id."""
        program = await self.watch("https://www.youtube.com/@ann")
        bad = said(BOB, "buy followers", 1)
        self.youtube.say("ann", bad)
        self.youtube.say("ann", Delete(id=said(ANN, "", 2).id, message=bad))
        await self.says(program, "youtube deleted @bob: buy followers")
        self.youtube.say("ann", Silence(id=said(ANN, "", 3).id, author=BOB))
        await self.says(program, "youtube silenced @bob for good")

    async def test_tiktok(self) -> None:
        """On TikTok, which says only ids, too."""
        program = await self.watch("https://www.tiktok.com/@ann")
        bad = said(BOB, "buy followers", 1)
        self.tiktok.say("ann", bad)
        self.tiktok.say("ann", Delete(id=said(ANN, "", 2).id, message=bad))
        await self.says(program, "tiktok deleted Bob: buy followers")
        self.tiktok.say("ann", Silence(id=said(ANN, "", 3).id, author=BOB))
        await self.says(program, "tiktok silenced Bob for good")


class OriginalTests(ExampleCase):
    """The example of the original service's documentation."""

    skip = missing()

    async def test_mended(self) -> None:
        """With `onopen` it reads three platforms on one connection."""
        code = original().replace("ws://127.0.0.1:3000", self.address)
        program = self.start(node() or "", "--input-type=module", "--eval", code)
        await self.until(program, *["Status update: started"] * 3)
        self.twitch.say("twitchuser", said(BOB, "hello", 1))
        await self.until(program, "New chat message: {", "platform: 'twitch'")
        await self.until(program, "Stats update: {", "totalMessages: 1")
        self.youtube.say("ceresfauna", said(BOB, "hello", 2))
        await self.until(program, "New chat message: {", "platform: 'youtube'")
        self.tiktok.say("tiktokuser", said(BOB, "hello", 3))
        await self.until(program, "New chat message: {", "platform: 'tiktok'")

    async def test_as_it_was(self) -> None:
        """Without `onopen` nothing is sent."""
        code = re.sub(r"ws\.onopen = \(\) => \{\n(.*?)\};\n", r"\1", original(), flags=re.DOTALL)
        self.assertNotIn("onopen", code)
        code = code.replace("ws://127.0.0.1:3000", self.address)
        program = self.start(node() or "", "--input-type=module", "--eval", code)
        await self.until(program, "InvalidStateError")
        self.assertNotEqual(await deferToThread(program.ended), 0)
