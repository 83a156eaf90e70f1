# SPDX-License-Identifier: MIT
"""Gaps as a client sees them: the real daemon as a process, and a simulated YouTube on a port."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from twisted.internet.threads import deferToThread

from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from tests.support.daemon import PATIENCE, Client
from tests.test_youtube_acceptance import YouTubeDaemonCase


class GapTests(YouTubeDaemonCase):
    """The frames around a time without messages."""

    async def lost(self, client: Client, missed: int, *mishaps: YouTubeMishap) -> dict[str, Any]:
        """YouTube fails while people write: everything that a client hears of it, by kind."""
        self.youtube.faults.add(YouTubeFault.POLL_503)
        await client.until("reconnecting")
        for n in range(missed):
            self.say(f"missed {n}")
        for mishap in mishaps:
            self.youtube.strike(mishap)
        self.youtube.faults.clear()
        seen: list[dict[str, Any]] = []
        started = await client.until("started", seen)
        return {
            "gaps": [m for m in seen if m["type"] == "event" and m["data"]["type"] == "gap"],
            "chats": [m for m in seen if m["type"] == "chat"],
            "order": [m["seq"] for m in seen if m["type"] in ("chat", "event")],
            "started": started,
        }

    async def before(self) -> Client:
        """A client that has heard a message."""
        client = await self.watching("ann", events=["gap"])
        self.say("before")
        await client.until("chat")
        return client

    def check(self, heard: dict[str, Any], *, filled: bool, texts: list[str]) -> None:
        """The gap comes first, then what fills it, once, then `started` with the last number."""
        (gap,) = heard["gaps"]
        data = gap["data"]["data"]
        self.assertEqual((data["reason"], data["filled"]), ("upstream", filled))
        self.assertLess(data["from"], data["to"])
        raw = [chat["data"]["data"]["content"]["raw"] for chat in heard["chats"]]
        self.assertEqual(raw, texts)
        for chat in heard["chats"]:
            self.assertTrue(data["from"] <= chat["data"]["timestamp"] <= data["to"])
        order = heard["order"]
        self.assertEqual(gap["seq"], order[0])
        self.assertEqual(order, list(range(order[0], order[0] + len(order))))
        self.assertEqual(heard["started"]["seq"], order[-1])

    async def test_asked_on(self) -> None:
        """The old token gives everything."""
        client = await self.before()
        heard = await self.lost(client, 5)
        self.check(heard, filled=True, texts=[f"missed {n}" for n in range(5)])

    async def test_reopened(self) -> None:
        """The token is refused, and the chat's past reaches back."""
        client = await self.before()
        heard = await self.lost(client, 5, YouTubeMishap.EXPIRE)
        self.check(heard, filled=True, texts=[f"missed {n}" for n in range(5)])

    async def test_too_much(self) -> None:
        """The token is refused, and the chat's past does not reach back."""
        client = await self.before()
        heard = await self.lost(client, 100, YouTubeMishap.EXPIRE)
        self.check(heard, filled=False, texts=[f"missed {n}" for n in range(25, 100)])


class UnwatchedTests(YouTubeDaemonCase):
    """Everybody left, and somebody came back."""

    async def left(self) -> dict[str, Any]:
        """Somebody has heard a message, and all have left: the place of that message."""
        client = await self.watching("ann")
        # Asked again, it is told again.
        await client.subscribe("ann", platform="youtube")
        epoch = (await client.until("started"))["epoch"]
        self.say("before")
        seq = (await client.until("chat"))["seq"]
        await client.close()
        await self.come_true(lambda: self.active(0))
        return {"epoch": epoch, "seq": seq}

    async def back(self, since: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """How somebody is greeted who comes back, and what was missed, up to a new message."""
        client = await self.client()
        await client.subscribe("ann", platform="youtube", since=since, events=["gap"])
        started = await client.until("started")
        self.say("now")
        missed: list[dict[str, Any]] = []
        while True:
            message = await client.next()
            if message["type"] in ("chat", "event"):
                missed.append(message)
                if self.text(message) == "now":
                    return started, missed

    def text(self, message: dict[str, Any]) -> str:
        """What was written, or the kind of an event."""
        data = message["data"]
        said: str = data["data"]["content"]["raw"] if message["type"] == "chat" else data["type"]
        return said

    def check(
        self, since: dict[str, Any], missed: list[dict[str, Any]], texts: list[str], *, filled: bool
    ) -> None:
        """The gap, what fills it, and what is new, each in its place."""
        self.assertEqual([self.text(message) for message in missed], ["gap", *texts, "now"])
        data = missed[0]["data"]["data"]
        self.assertEqual((data["reason"], data["filled"]), ("unwatched", filled))
        first = since["seq"] + 1
        self.assertEqual(
            [message["seq"] for message in missed], list(range(first, first + len(missed)))
        )

    async def test_missed(self) -> None:
        """What was written meanwhile comes after the gap, once, and is all."""
        since = await self.left()
        for n in range(3):
            self.say(f"missed {n}")
        started, missed = await self.back(since)
        self.assertEqual((started["epoch"], started["recovered"]), (since["epoch"], True))
        self.check(since, missed, [f"missed {n}" for n in range(3)], filled=True)

    async def test_too_much(self) -> None:
        """More was written than YouTube repeats."""
        since = await self.left()
        for n in range(100):
            self.say(f"missed {n}")
        started, missed = await self.back(since)
        # Nothing that was published is missing; what was not is told by the gap.
        self.assertIs(started["recovered"], True)
        self.check(since, missed, [f"missed {n}" for n in range(25, 100)], filled=False)

    async def test_too_late(self) -> None:
        """The order has ended: another begins, without a gap, and the past is nobody's business."""
        since = await self.left()
        self.say("missed")
        await self.come_true(self.forgotten)
        started, missed = await self.back(since)
        self.assertNotEqual(started["epoch"], since["epoch"])
        self.assertEqual([self.text(message) for message in missed], ["now"])

    test_too_late.options = (  # type: ignore[attr-defined]
        *YouTubeDaemonCase.options,
        "--history-ttl=1",
    )

    async def forgotten(self) -> bool:
        """Whether the daemon keeps nothing of the channel any more."""
        url = f"http://127.0.0.1:{self.daemon.port}/history/youtube/ann"
        try:
            await deferToThread(lambda: urlopen(url, timeout=PATIENCE).read())
        except HTTPError as error:
            with error:
                return error.code == 404
        return False
