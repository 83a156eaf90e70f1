# SPDX-License-Identifier: MIT
"""Gaps as a client sees them: the real daemon as a process, and a simulated YouTube on a port."""

from __future__ import annotations

from typing import Any

from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from tests.support.daemon import Client
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

    async def test_missed(self) -> None:
        """What was written meanwhile has its place in the order, after the gap, and is counted."""
        client = await self.watching("ann")
        self.say("before")
        chat = await client.until("chat")
        await client.close()
        await self.come_true(lambda: self.active(0))
        for n in range(3):
            self.say(f"missed {n}")
        back = await self.client()
        await back.subscribe("ann", platform="youtube")
        started = await back.until("started")
        self.assertEqual(started["seq"], chat["seq"] + 4)
        # Statistics in memory end with the last subscriber.
        stats = await back.until("stats")
        self.assertEqual(stats["data"]["totalMessages"], 3)
        self.say("now")
        now = await back.until("chat")
        self.assertEqual(now["data"]["data"]["content"]["raw"], "now")
        self.assertEqual(now["seq"], started["seq"] + 1)
