# SPDX-License-Identifier: MIT
"""Black box: event streams of a real daemon, read by a foreign HTTP client, curl and a browser."""

from __future__ import annotations

import http.client
import re
import shlex
import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.threads import blockingCallFromThread, deferToThread

from tests.support.browser import BrowserCase, Visit
from tests.support.daemon import PATIENCE
from tests.support.program import Program
from tests.support.schema import frames
from tests.support.three_platforms import Road
from tests.test_acceptance import DaemonCase, privmsg

reactor: Any = _reactor

DOCS = Path(__file__).resolve().parents[1] / "docs"


#: The epoch in docs/sse.md.
SHOWN_EPOCH = "k3j9"


class Reader:
    """An event stream, read by `http.client`."""

    def __init__(self, port: int, path: str, method: str, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.connection.request(method, path, headers=headers)
        self.answer = self.connection.getresponse()

    def next(self) -> dict[str, Any]:
        """The next event by its fields, its data decoded; empty at the end of the stream."""
        event: dict[str, Any] = {}
        for line in iter(self.answer.readline, b""):
            text = line.decode().removesuffix("\n")
            if not text:
                if event:
                    return event
                continue
            name, _, value = text.partition(": ")
            # A line that begins with a colon is a comment.
            if not text.startswith(":"):
                event[name] = frames().read(value) if name == "data" else value
        return event

    def close(self) -> None:
        """Leave."""
        self.answer.close()
        self.connection.close()


class StreamTests(DaemonCase):
    """Event streams of Twitch channels."""

    async def read(self, query: str, method: str = "GET", **headers: str) -> Reader:
        """A stream whose head has been read; closed at the end."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/sse?{query}"
        reader: Reader = await deferToThread(Reader, self.daemon.port, path, method, named)
        self.addCleanup(reader.close)
        return reader

    async def until(self, reader: Reader, kind: str) -> dict[str, Any]:
        """The next event of a type, or with a status."""
        while True:
            event: dict[str, Any] = await deferToThread(reader.next)
            self.assertTrue(event, f"the stream ended before: {kind}")
            if kind in (event["event"], event["data"].get("status")):
                return event

    async def test_same_messages(self) -> None:
        """A stream says exactly what a WebSocket says, in the same order."""
        client = await self.watching("ann", events=True)
        reader = await self.read("platform=twitch&identifier=ann&events=true")
        self.assertEqual(reader.answer.status, 200)
        self.assertEqual(reader.answer.headers["content-type"], "text/event-stream")
        await self.until(reader, "stats")
        for number in range(50):
            self.twitch.say("ann", privmsg("ann", f"message {number}"))
        for number in range(50):
            told = await client.until("chat")
            event = await self.until(reader, "chat")
            self.assertEqual(event["data"], told)
            self.assertEqual(told["data"]["data"]["content"]["raw"], f"message {number}")
        self.assertTrue(await self.active(1))

    async def test_resumes(self) -> None:
        """Who comes back with the last `id` gets what was missed, once, and then what is new."""
        await self.watching("ann")
        query = "platform=twitch&identifier=ann&stats=false"
        reader = await self.read(query)
        await self.until(reader, "started")
        self.twitch.say("ann", privmsg("ann", "0"))
        last = (await self.until(reader, "chat"))["id"]
        reader.close()
        for number in range(1, 200):
            self.twitch.say("ann", privmsg("ann", str(number)))
        back = await self.read(query, Last_Event_ID=last)
        started = await self.until(back, "started")
        self.assertIs(started["data"]["recovered"], True)
        for number in range(200, 300):
            self.twitch.say("ann", privmsg("ann", str(number)))
        epoch, _, seq = last.partition(":")
        for number in range(1, 300):
            event = await deferToThread(back.next)
            self.assertEqual(event["data"]["data"]["data"]["content"]["raw"], str(number))
            self.assertEqual(event["id"], f"{epoch}:{int(seq) + number}")
        other = await self.read(f"{query}&since=other:5&history=2")
        self.assertIs((await self.until(other, "started"))["data"]["recovered"], False)
        self.assertEqual((await self.until(other, "chat"))["id"], f"{epoch}:{int(seq) + 298}")

    async def test_end(self) -> None:
        """When the daemon stops, the answer ends; a client that leaves is let go of."""
        reader = await self.read("platform=twitch&identifier=ann&stats=false")
        other = await self.read("platform=twitch&identifier=bob")
        await self.come_true(lambda: self.active(2))
        other.close()
        await self.come_true(lambda: self.active(1))
        self.assertEqual((await self.until(reader, "started"))["data"]["channel"], "ann")
        self.daemon.terminate()
        self.assertEqual(await deferToThread(reader.next), {})

    async def test_refused(self) -> None:
        """A channel that does not exist is 404, what passes 503, a wrong query 400."""
        for query, status, code in (
            ("platform=twitch&identifier=missing_ann", 404, "STREAM_NOT_FOUND"),
            ("platform=twitch&identifier=no+spaces", 400, "INVALID_IDENTIFIER"),
            ("platform=kick&identifier=ann", 400, "UNSUPPORTED_PLATFORM"),
            ("platform=twitch&identifier=ann&history=many", 400, "INVALID_OPTION"),
        ):
            reader = await self.read(query)
            self.assertEqual(reader.answer.status, status, query)
            event = await deferToThread(reader.next)
            self.assertEqual((event["event"], event["data"]["code"]), ("error", code))
            self.assertEqual(await deferToThread(reader.next), {})
        self.assertTrue(await self.active(0))

    async def test_methods(self) -> None:
        """HEAD, OPTIONS and others."""
        for method, status in (("HEAD", 200), ("OPTIONS", 204), ("POST", 405), ("PATCH", 405)):
            reader = await self.read("platform=twitch&identifier=ann", method)
            self.assertEqual(reader.answer.status, status)
            self.assertEqual(reader.answer.headers["access-control-allow-origin"], "*")
            if status < 400:
                self.assertEqual(await deferToThread(reader.answer.read), b"")
        self.assertTrue(await self.active(0))

    async def test_slow(self) -> None:
        """A client that does not read is closed beyond `--max-pending`; others lose nothing."""
        slow = socket.create_connection(("127.0.0.1", self.daemon.port), PATIENCE)
        self.addCleanup(slow.close)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /sse?platform=twitch&identifier=ann HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b"200 OK", await deferToThread(slow.recv, 4096))
        other = await self.read("platform=twitch&identifier=ann")
        for _ in range(60):
            for _ in range(20):
                self.twitch.say("ann", privmsg("ann", "x" * 3000))
            for _ in range(20):
                await self.until(other, "chat")
            if 'closed_total{reason="slow"} 1.0' in await self.daemon.metrics():
                break
        else:
            self.fail("it was not closed")

    test_slow.options = ("--linger=0", "--max-pending=65536")  # type: ignore[attr-defined]

    async def test_page(self) -> None:
        """The two sessions that docs/sse.md shows go as they are written, but for the epoch."""
        # Somebody who watches all the time.
        await self.watching("ann")
        page = (DOCS / "sse.md").read_text()
        sessions = re.findall(r"```console\n\$ (.*?)\n(.*?)```", page, re.DOTALL)
        self.assertEqual(len(sessions), 2)
        last = ""
        for command, shown in sessions:
            words = shlex.split(command.replace("localhost:3000", f"localhost:{self.daemon.port}"))
            program = Program(
                self, Path(), *[word.replace(f"{SHOWN_EPOCH}:2", last) for word in words]
            )
            for line in shown.removesuffix("\n").split("\n"):
                got = await self.line(program)
                pattern = ".*".join(map(re.escape, line.replace(SHOWN_EPOCH, "…").split("…")))
                self.assertRegex(got, f"^{pattern}$")
                if '"started"' in line and not last:
                    self.twitch.say("ann", privmsg("ann", "hello", id="6f3a"))
                if got.startswith("id: "):
                    last = got.removeprefix("id: ")
            program.process.kill()
            self.twitch.say("ann", privmsg("ann", "hello again", id="6f3b"))

    async def line(self, program: Program) -> str:
        """The next line that it prints, comments and the empty lines after them left out."""
        got = await deferToThread(program.until, "")
        if got == ":\n":
            await deferToThread(program.until, "")
            got = await deferToThread(program.until, "")
        return got.rstrip("\n")


class BrowserTests(BrowserCase):
    """`EventSource` in Chromium."""

    options = ("--linger=30",)

    async def test_comes_back(self) -> None:
        """A browser that lost its connection comes back by itself and misses nothing."""
        road = Road(self.daemon.port)
        port = self.listen(road)
        self.addCleanup(road.cut)

        def on_twitch(*texts: str) -> None:
            for text in texts:
                blockingCallFromThread(reactor, self.twitch.say, "ann", privmsg("ann", text))

        def work(visit: Visit) -> None:
            page = visit.page

            def hear(count: int) -> None:
                page.wait_for_function("count => window.heard.length >= count", arg=count)

            page.goto(f"http://127.0.0.1:{port}/test")
            page.evaluate(
                """() => {
                  window.heard = [];
                  const stream = new EventSource("sse?platform=twitch&identifier=ann&stats=false");
                  stream.addEventListener("status", () => heard.push("status"));
                  stream.addEventListener("chat", (event) => {
                    heard.push(JSON.parse(event.data).data.data.content.raw);
                  });
                }"""
            )
            hear(2)
            on_twitch("1", "2")
            hear(4)
            self.assertGreater(blockingCallFromThread(reactor, road.cut), 0)
            on_twitch("3", "4")
            hear(8)
            on_twitch("5")
            hear(9)
            greeting = ["status", "status"]
            heard = [*greeting, "1", "2", *greeting, "3", "4", "5"]
            self.assertEqual(page.evaluate("heard"), heard)
            visit.errors.clear()

        await self.visit(work)

    async def test_event_source(self) -> None:
        """It hears events by their type, and comes back by itself, but not after a 404."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            heard = page.evaluate(
                """() => new Promise((resolve) => {
                  const heard = [];
                  const stream = new EventSource("sse?platform=twitch&identifier=ann&stats=false");
                  stream.addEventListener("status", (event) => {
                    heard.push(JSON.parse(event.data).status);
                    if (heard.length === 2) { stream.close(); resolve(heard); }
                  });
                })"""
            )
            self.assertEqual(heard, ["subscribed", "started"])
            state = page.evaluate(
                """() => new Promise((resolve) => {
                  const stream = new EventSource("sse?platform=kick&identifier=ann");
                  stream.onerror = () => resolve(stream.readyState);
                })"""
            )
            self.assertEqual(state, 2, "it would come back for ever")
            # The browser's own line about the status.
            self.assertEqual(len(visit.errors), 1)
            visit.errors.clear()

        await self.visit(work)
