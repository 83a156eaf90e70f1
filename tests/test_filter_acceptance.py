# SPDX-License-Identifier: MIT
"""Black box: filters and held chats with a real daemon, over WebSocket and as an event stream."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from twisted.internet.threads import deferToThread

from tests.test_acceptance import DaemonCase, privmsg
from tests.test_sse_acceptance import Reader


def text_of(message: dict[str, Any]) -> str:
    """What a chat says."""
    text: str = message["data"]["data"]["content"]["raw"]
    return text


class FilterCase(DaemonCase):
    """A channel that several watch, each in its own way."""

    async def stream(self, **options: str) -> Reader:
        """An event stream of the channel, after its `started`."""
        query = "".join(f"&{name}={quote(value)}" for name, value in options.items())
        path = f"/sse?platform=twitch&identifier=ann&stats=false{query}"
        last = {"Last-Event-ID": self.last} if self.last else {}
        reader: Reader = await deferToThread(Reader, self.daemon.port, path, "GET", last)
        self.addCleanup(reader.close)
        while (await deferToThread(reader.next))["data"].get("status") != "started":
            pass
        return reader

    last = ""


class FilterTests(FilterCase):
    """`filter`."""

    async def test_both_ways(self) -> None:
        """A WebSocket and an event stream with one filter are told the same, others everything."""
        wanted = '{"only_words":["ticket"],"exclude_users":["@Spam"],"max_length":20}'
        filtered = await self.client()
        await filtered.subscribe(
            "ann",
            stats=False,
            filter={"only_words": ["ticket"], "exclude_users": ["@Spam"], "max_length": 20},
        )
        await filtered.until("started")
        everything = await self.client()
        await everything.subscribe("ann", stats=False)
        await everything.until("started")
        reader = await self.stream(filter=wanted)
        for text, name in (
            ("a ticket", "Bob"),
            ("tickets", "Bob"),
            ("a Ticket", "Spam"),
            ("a ticket for everybody here", "Bob"),
            ("TICKET!", "Bob"),
        ):
            self.twitch.say("ann", privmsg("ann", text, display_name=name))
        for expected in ("a ticket", "TICKET!"):
            told = await filtered.until("chat")
            self.assertEqual(text_of(told), expected)
            self.assertEqual((await deferToThread(reader.next))["data"], told)
        for _ in range(5):
            await everything.until("chat")
        late = await self.client()
        await late.subscribe("ann", stats=False, history=1, filter={"exclude_prefixes": ["ticket"]})
        await late.until("started")
        self.assertEqual(text_of(await late.until("chat")), "a ticket for everybody here")

    async def test_wrong(self) -> None:
        """A misspelt condition is named, on both ways, and nothing is held."""
        client = await self.client()
        await client.subscribe("ann", filter={"only_word": ["x"]})
        error = await client.next()
        self.assertEqual((error["code"], error["details"]), ("INVALID_OPTION", "filter.only_word"))
        path = "/sse?platform=twitch&identifier=ann&filter=" + quote('{"max_length":"x"}')
        reader: Reader = await deferToThread(Reader, self.daemon.port, path, "GET", {})
        self.addCleanup(reader.close)
        self.assertEqual(reader.answer.status, 400)
        event = await deferToThread(reader.next)
        self.assertEqual(event["data"]["details"], "filter.max_length")
        self.assertTrue(await self.active(0))


class HoldTests(FilterCase):
    """`hold`."""

    async def test_both_ways(self) -> None:
        """Chats come later, events at once, and what a moderator removes does not come."""
        at_once = await self.client()
        await at_once.subscribe("ann", stats=False)
        await at_once.until("started")
        held = await self.client()
        await held.subscribe("ann", stats=False, hold=1, events=["deletion", "timeout"])
        await held.until("started")
        reader = await self.stream(hold="1", events="deletion,timeout")
        bad = "00000000-0000-4000-8000-00000000bad0"
        began = time.monotonic()
        self.twitch.say("ann", privmsg("ann", "good"))
        self.twitch.say("ann", privmsg("ann", "bad", id=bad))
        self.twitch.say("ann", privmsg("ann", "eve's", user_id="666"))
        self.twitch.say("ann", privmsg("ann", "last"))
        # Right behind them, so that they cannot be too late.
        self.twitch.say(
            "ann",
            f"@login=ann_sample;room-id=4242;target-msg-id={bad};tmi-sent-ts=1767323045690"
            " :tmi.twitch.tv CLEARMSG #ann :bad".encode(),
        )
        self.twitch.say(
            "ann",
            b"@ban-duration=600;room-id=4242;target-user-id=666;tmi-sent-ts=1767323045691"
            b" :tmi.twitch.tv CLEARCHAT #ann :eve",
        )
        for expected in ("good", "bad", "eve's", "last"):
            self.assertEqual(text_of(await at_once.until("chat")), expected)
        first: list[Any] = []
        for _ in range(4):
            told = await held.next()
            first.append(told)
            event = await deferToThread(reader.next)
            self.assertEqual(event["data"], told)
            # Whoever comes back after an event of a stream misses no chat that was held.
            number = int(event["id"].partition(":")[2])
            if told["type"] == "event":
                self.assertLess(number, told["seq"] - 4)
                self.last = event["id"]
        kinds = [one["data"]["type"] for one in first]
        self.assertEqual(kinds, ["deletion", "timeout", "chat", "chat"])
        self.assertEqual([text_of(one) for one in first[2:]], ["good", "last"])
        self.assertGreaterEqual(time.monotonic() - began, 1.0)
        back = await self.stream(hold="1")
        chats: list[str] = []
        while len(chats) < 2:
            event = await deferToThread(back.next)
            if event["data"]["type"] == "chat":
                chats.append(text_of(event["data"]))
        self.assertEqual(chats, ["good", "last"])
