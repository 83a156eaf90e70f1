# SPDX-License-Identifier: MIT
"""The JavaScript client: by itself, and the documented examples against a real daemon."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from livechat.model.errors import CloseCode
from tests.support import npm
from tests.support.browser import BrowserCase, Visit
from tests.support.daemon import PATIENCE
from tests.support.node import missing, node

reactor: Any = _reactor

CHECKOUT = Path(__file__).resolve().parents[1]
CLIENT = CHECKOUT / "web" / "livechat.js"


def example(heading: str, port: int) -> str:
    """The example under a heading of docs/client.md, for a daemon on a port."""
    page = (CHECKOUT / "docs" / "client.md").read_text()
    found = re.search(rf"## {heading}\n(?:(?!\n## ).)*?```\w+\n(.*?)```", page, re.DOTALL)
    assert found, heading
    return found[1].replace("127.0.0.1:3000", f"127.0.0.1:{port}")


class AloneTests(TestCase):
    """The client with a played WebSocket and played time."""

    skip = missing()

    async def test_all(self) -> None:
        """Everything in tests/javascript holds, also in a Node without a WebSocket."""
        tests = str(CHECKOUT / "tests" / "javascript" / "livechat.test.mjs")
        for program in {node(), shutil.which("node") or node()}:
            output, errors, code = await getProcessOutputAndValue(
                program, ["--test", "--test-reporter=tap", tests], env=None
            )
            self.assertEqual(code, 0, (output + errors).decode())
            self.assertRegex(output, rb"# pass [1-9]")

    def test_close_codes(self) -> None:
        """The client has words for every code that the daemon closes with."""
        known = {int(code) for code in re.findall(r"^  (\d{4}): ", CLIENT.read_text(), re.M)}
        self.assertLessEqual({int(code) for code in CloseCode}, known)


class _Program(ProcessProtocol):
    """A program whose output is awaited.

    :ivar output: everything it wrote.
    """

    def __init__(self, wanted: str) -> None:
        self.output = ""
        self.wanted = wanted
        self.seen: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Look for what is wanted."""
        self.output += data.decode("utf-8", "replace")
        if re.search(self.wanted, self.output, re.M) and not self.seen.called:
            self.seen.callback(None)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """It ended, by itself or by us."""
        if not self.seen.called:
            self.seen.errback(AssertionError(self.output))
        reason.trap(ProcessDone, Exception)
        self.ended.callback(None)


class ExampleTests(BrowserCase):
    """The examples of docs/client.md, with a daemon that demonstrates."""

    async def shows(self, text: str, wanted: str, command: str | None = None) -> None:
        """A program for Node prints something."""
        if reason := missing():
            self.skipTest(reason)
        directory = Path(self.mktemp())
        directory.mkdir()
        shutil.copy(CLIENT, directory / "livechat.js")
        (directory / "package.json").write_text('{"type": "module"}')
        (directory / "example.js").write_text(text)
        program = _Program(wanted)
        process = reactor.spawnProcess(
            program, command or node(), ["node", "example.js"], env=None, path=str(directory)
        )

        def end() -> Deferred[None]:
            if process.pid is not None:
                process.signalProcess("KILL")
            return program.ended

        self.addCleanup(end)
        await program.seen.addTimeout(PATIENCE, reactor)

    async def test_node(self) -> None:
        """The first example for Node prints the chats of two platforms."""
        text = example("In Node", self.daemon.port)
        await self.shows(text, r"(?s)(?=.*^twitch \S)(?=.*^youtube \S)")

    async def test_kinds(self) -> None:
        """The example with events by kind prints gifts and, once, the counts of each chat."""
        wanted = r"(?s)(?=.*^\w+: .* gives \d)(?=.*^twitch: \d+ messages)(?=.*^tiktok: \d+ m)"
        text = example("Events by their kind, chat by chat", self.daemon.port)
        await self.shows(text, wanted)

    async def test_class_handed_in(self) -> None:
        """In a Node without a WebSocket the client works with the class of the package `ws`."""
        packages = await deferToThread(npm.packages)
        text = example("In Node", self.daemon.port)
        text = text.replace('/ws")', '/ws", { WebSocket })')
        module = packages / "ws" / "wrapper.mjs"
        start = f'import WebSocket from "{module}";\ndelete globalThis.WebSocket;\n'
        await self.shows(start + text, r"(?m)^twitch \S", shutil.which("node"))

    async def test_browser(self) -> None:
        """The example for browsers works on a page of another origin."""
        text = example("In a browser", self.daemon.port)

        def work(visit: Visit) -> None:
            # A page without an address has an origin of its own.
            visit.page.set_content(text)
            line = visit.page.locator("#chat li").first
            line.wait_for()
            self.assertRegex(line.inner_text(), r"^\S.*: ")

        await self.visit(work)


#: Wraps what opens connections: whoever does is written down.
CONNECTIONS = """() => {
  window.openers = [];
  for (const name of ["WebSocket", "EventSource"]) {
    window[name] = class extends window[name] {
      constructor(...given) {
        super(...given);
        window.openers.push(`${name} ${new Error().stack}`);
      }
    };
  }
}"""


class PagesTests(BrowserCase):
    """The pages connect by the client and by nothing else."""

    async def test_pages_use_the_client(self) -> None:
        """Every connection of the test page, the overlay and the builder's preview is its."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.add_init_script(f"({CONNECTIONS})()")
            chat = "platform=twitch&identifier=busy_kitchen"
            for path in (f"/test?{chat}", f"/overlay?{chat}", f"/overlay#{chat}"):
                page.goto("about:blank")
                page.goto(self.url(path))
                if "#" in path:
                    page.get_by_text("the real chats").click()
                    shown = page.frame_locator("#preview").locator("[data-author]")
                else:
                    shown = page.locator("[data-author]")
                shown.first.wait_for()
                openers = [o for frame in page.frames for o in frame.evaluate("window.openers")]
                self.assertEqual(len(openers), 1, path)
                self.assertIn("/web/livechat.js:", openers[0].split("\n")[2])

        await self.visit(work)
