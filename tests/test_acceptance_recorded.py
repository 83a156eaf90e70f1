# SPDX-License-Identifier: MIT
"""Recorded Twitch chat, played by the simulator through the real daemon to a foreign client."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor

from livechat.platforms.twitch.parse.irc import parse_line
from livechat.simulator.playback import Recording, read_lines
from livechat.simulator.scenario import Scenario
from livechat.simulator.twitch import TwitchSimulator
from tests.support.corpus import corpus
from tests.support.daemon import Client, start_daemon
from tests.test_acceptance import DaemonCase


class RecordedTests(DaemonCase):
    """Every recorded message arrives once, in order, with its text and emotes exact."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Each test starts its own, with its own recording."""

    async def played(self, file: str) -> tuple[list[bytes], list[dict[str, Any]], dict[str, Any]]:
        """The recorded PRIVMSG lines, the chats that arrived, and the last statistics."""
        lines = read_lines(corpus(f"twitch/irc/{file}"))
        recording = Recording(lines, "recorded", 0.0, False)
        self.twitch = TwitchSimulator(reactor, time.time, Scenario(1, 0.0), recording=recording)
        port = self.listen(self.twitch)
        self.daemon = start_daemon(
            reactor, f"--twitch-irc=tcp:127.0.0.1:{port}", "--twitch-gql-url=", "--linger=60"
        )
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening
        client: Client = await self.client()
        await client.subscribe("recorded")
        sent = [line for line in lines if b" PRIVMSG " in line]
        with_text = [line for line in lines if b" USERNOTICE " in line and self.has_text(line)]
        chats: list[dict[str, Any]] = []
        while len(chats) < len(sent) + len(with_text):
            chats.append((await client.until("chat"))["data"])
        await client.send(type="get_stats")
        stats = await client.until("stats")
        for message in await client.settled():
            self.assertEqual(message["type"], "stats", "more came than was sent")
        return sent, chats, stats

    def has_text(self, raw: bytes) -> bool:
        """Whether a notice carries a user's own text, which is a chat of its own."""
        line = parse_line(raw)
        return line is not None and len(line.params) > 1 and bool(line.params[-1])

    def check(self, sent: list[bytes], chats: list[dict[str, Any]]) -> None:
        """Ids, texts and emotes, computed from the lines without any of our translation."""
        by_id = {chat["message_id"]: chat for chat in chats}
        self.assertEqual(len(by_id), len(chats), "something arrived twice")
        expected = []
        for raw in sent:
            line = parse_line(raw)
            assert line is not None
            expected.append(line.tags["id"])
            text = line.params[-1]
            if text.startswith("\x01ACTION "):
                text = text[8:].removesuffix("\x01")
            content = by_id[line.tags["id"]]["data"]["content"]
            self.assertEqual(content["raw"], text)
            units = text.encode("utf-16-le")
            for element in content["elements"]:
                start, end = element["position"]
                value = units[2 * start : 2 * end].decode("utf-16-le")
                self.assertEqual(value, element["value"])
            emotes = sum(
                len(places.partition(":")[2].split(","))
                for places in line.tags.get("emotes", "").split("/")
                if places
            )
            shown = [e for e in content["elements"] if e["type"] == "emote"]
            if "bits" not in line.tags:
                self.assertEqual(len(shown), emotes, raw)
        order = [chat["message_id"] for chat in chats if chat["message_id"] in set(expected)]
        self.assertEqual(order, expected)

    async def test_busy_channel(self) -> None:
        """2,959 messages of a busy channel, as fast as they can be read."""
        sent, chats, stats = await self.played("xqcow_2019-09-15_first3000.txt")
        self.assertEqual(len(sent), 2959)
        self.check(sent, chats)
        self.assertEqual(stats["data"]["totalMessages"], len(chats))

    async def test_reserialised_lines(self) -> None:
        """The lines of a history service, whose colons and tag order differ."""
        sent, chats, stats = await self.played("recent_messages_nymn_2024-01-06_first500.json")
        self.assertEqual(len(sent), 498)
        self.check(sent, chats)
        self.assertEqual(stats["data"]["totalMessages"], len(chats))
