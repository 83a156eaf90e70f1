# SPDX-License-Identifier: MIT
"""A real daemon loses Twitch for a moment, with a service of recent messages and without one."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from livechat.simulator.actions import Author, Delete, Say
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import SimulatorService
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_faults import Fault
from livechat.simulator.youtube import YouTubeSimulator
from tests.support.daemon import Client, Daemon, start_daemon

reactor: Any = _reactor
ADA = Author(2, "ada", "Ada")


def said(text: str) -> Say:
    """A message."""
    return Say(id=str(uuid4()), author=ADA, text=(text,))


class GapTests(TestCase):
    """What a client receives around a loss."""

    timeout = 120

    def setUp(self) -> None:
        """A Twitch on which all is quiet, and whose connection may be cut."""
        quiet = Scenario(1, 0.0)
        self.twitch = TwitchSimulator(reactor, time.time, quiet)
        simulator = SimulatorService(
            reactor,
            self.twitch,
            TikTokSimulator(reactor, time.time, quiet),
            YouTubeSimulator(reactor, time.time, quiet),
        )
        self.where = simulator.listen()
        simulator.startService()
        self.addCleanup(simulator.stopService)

    async def watching(self, *options: str, **asked: Any) -> tuple[Daemon, Client]:
        """A daemon, and a client that has begun to watch `ann`.

        :param asked: options of its subscribe.
        """
        daemon = start_daemon(
            reactor,
            f"--twitch-irc={self.where.twitch_irc}",
            f"--twitch-gql-url={self.where.twitch_gql_url}",
            *options,
        )
        self.addCleanup(lambda: daemon.ended)
        self.addCleanup(daemon.kill)
        await daemon.listening
        client = await Client.open(daemon.port)
        self.addCleanup(client.close)
        await client.subscribe("ann", events=["gap", "deletion"], stats=False, **asked)
        self.greeting = await client.until("started")
        return daemon, client

    async def loss(self, client: Client) -> list[dict[str, Any]]:
        """Two are said, one of them is removed and one more is said while the chat is lost.

        :return: what the client received from `reconnecting` on, up to what is said afterwards.
        """
        removed = said("removed")
        for action in (said("one"), removed):
            self.twitch.say("ann", action)
            await client.until("chat")
        self.twitch.faults.add(Fault.REFUSE)
        self.twitch.drop()
        seen = [await client.until("reconnecting")]
        self.twitch.say("ann", said("missed"))
        self.twitch.say("ann", Delete(id=str(uuid4()), message=removed))
        self.twitch.faults.discard(Fault.REFUSE)
        while not self.twitch.joined("ann"):
            await deferLater(reactor, 0.02)
        seen.append(await client.until("started", seen))
        self.twitch.say("ann", said("new"))
        seen.append(await client.until("chat", seen))
        return seen

    def short(self, message: dict[str, Any]) -> str:
        """A message in few words, with its place in the order."""
        item = message.get("data", {})
        if message["type"] == "chat":
            name = item["data"]["content"]["raw"]
        elif message["type"] == "event":
            name = item["type"]
            if name == "gap":
                self.assertLess(item["data"]["from"], item["data"]["to"])
                name = f"gap {item['data']['reason']} {item['data']['filled']}"
        else:
            name = message["status"]
        return f"{name} {message.get('seq', '')}".strip()

    async def test_filled(self) -> None:
        """The gap, what was missed, once and in order, `started`, and what is new."""
        self.twitch.listener("ann")
        daemon, client = await self.watching(
            f"--twitch-history-url={self.where.twitch_history_url}"
        )
        seen = await self.loss(client)
        # The rules of the room, which this client did not ask for, have the first number.
        self.assertEqual(
            [self.short(message) for message in seen],
            ["reconnecting", "gap upstream True 4", "missed 5", "deletion 6", "started 6", "new 8"],
        )
        self.assertIn('livechat_twitch_history_total{outcome="whole"} 1.0', await daemon.metrics())

    async def test_history(self) -> None:
        """Who comes first gets what was said before anybody watched, if they ask for it."""
        self.twitch.listener("ann")
        for text in ("long ago", "before"):
            self.twitch.say("ann", said(text))
        _, client = await self.watching(
            f"--twitch-history-url={self.where.twitch_history_url}", history=10
        )
        self.assertEqual(self.greeting["seq"], 2)
        self.twitch.say("ann", said("now"))
        told = [self.short(await client.until("chat")) for _ in range(3)]
        self.assertEqual(told, ["long ago 1", "before 2", "now 4"])

    async def test_unfilled(self) -> None:
        """Without a service the gap is told, and stays one."""
        _, client = await self.watching()
        seen = await self.loss(client)
        self.assertEqual(
            [self.short(message) for message in seen],
            ["reconnecting", "gap upstream False 4", "started 4", "new 6"],
        )

    async def test_once(self) -> None:
        """Who comes back gets nothing a second time, though hardly anything of it is kept."""
        self.twitch.listener("ann")
        daemon, client = await self.watching(
            f"--twitch-history-url={self.where.twitch_history_url}",
            "--history-size=2",
            "--linger=0",
        )
        for number in range(6):
            self.twitch.say("ann", said(str(number)))
            last = await client.until("chat")
        await client.close()
        while self.twitch.joined("ann"):
            await deferLater(reactor, 0.02)
        self.twitch.say("ann", said("missed"))
        back = await Client.open(daemon.port)
        self.addCleanup(back.close)
        since = {"epoch": self.greeting["epoch"], "seq": last["seq"]}
        await back.subscribe("ann", events=["gap"], stats=False, since=since)
        started = await back.until("started")
        self.assertEqual((started["recovered"], started["seq"]), (True, last["seq"] + 2))
        told = [self.short(await back.until(kind)) for kind in ("event", "chat")]
        self.assertEqual(told, ["gap unwatched True 8", "missed 9"])
