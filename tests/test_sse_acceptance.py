# SPDX-License-Identifier: MIT
"""Black box: event streams of a real daemon, read by a foreign HTTP client, curl and a browser."""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

from tests.support.browser import BrowserCase, Visit
from tests.support.daemon import PATIENCE
from tests.support.program import Program
from tests.support.schema import frames
from tests.test_acceptance import DaemonCase, privmsg

DOCS = Path(__file__).resolve().parents[1] / "docs"


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
        """The session that docs/sse.md shows goes as it is written."""
        page = (DOCS / "sse.md").read_text()
        command, shown = re.findall(r"```console\n\$ (.*?)\n(.*?)```", page, re.DOTALL)[0]
        words = command.replace("localhost:3000", f"localhost:{self.daemon.port}").split(" ")
        program = Program(self, Path(), *[word.strip("'") for word in words])
        self.addCleanup(program.process.kill)
        sent = False
        for line in shown.strip("\n").split("\n"):
            got = await deferToThread(program.until, "")
            if got == ":\n":
                # A comment, and the empty line after it.
                await deferToThread(program.until, "")
                got = await deferToThread(program.until, "")
            pattern = ".*".join(map(re.escape, line.split("…")))
            self.assertRegex(got.rstrip("\n"), f"^{pattern}$")
            if '"started"' in line and not sent:
                sent = True
                self.twitch.say("ann", privmsg("ann", "hello", id="6f3a"))


class BrowserTests(BrowserCase):
    """`EventSource` in Chromium."""

    options = ("--linger=0",)

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
