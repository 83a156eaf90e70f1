# SPDX-License-Identifier: MIT
"""Emotes of other providers through the whole daemon, on simulated platforms and providers."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from livechat.simulator.actions import Author, Say, stable_id
from livechat.simulator.emote_faults import EmoteFault
from livechat.simulator.emote_sets import SimulatedEmote
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import SimulatorService
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.youtube import YouTubeSimulator
from tests.support.daemon import Client, Daemon, start_daemon

reactor: Any = _reactor

ANN = str(stable_id("ann"))


def said(text: str) -> Say:
    """A message."""
    return Say(id=str(uuid4()), author=Author(2, "ada", "Ada"), text=(text,))


def emotes(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The emote elements of a chat, by their words."""
    content = message["data"]["data"]["content"]
    return {one["value"]: one["metadata"] for one in content["elements"] if one["type"] == "emote"}


class EmotesCase(TestCase):
    """A daemon on a Twitch where nobody writes but the test."""

    timeout = 120

    def setUp(self) -> None:
        """The simulated platforms and providers."""
        quiet = Scenario(1, 0.0)
        self.twitch = TwitchSimulator(reactor, time.time, quiet)
        self.youtube = YouTubeSimulator(reactor, time.time, quiet)
        self.simulator = SimulatorService(
            reactor, self.twitch, TikTokSimulator(reactor, time.time, quiet), self.youtube
        )
        self.where = self.simulator.listen()
        self.simulator.startService()
        self.addCleanup(self.simulator.stopService)
        self.providers = self.simulator.emotes

    async def daemon(self, *options: str) -> Daemon:
        """A daemon that asks the simulated providers."""
        where = self.where
        daemon = start_daemon(
            reactor,
            f"--twitch-irc={where.twitch_irc}",
            f"--twitch-gql-url={where.twitch_gql_url}",
            f"--youtube-url={where.youtube_url}",
            f"--7tv-url={where.seven_tv_url}",
            f"--7tv-events-url={where.seven_tv_events_url}",
            f"--bttv-url={where.bttv_url}",
            f"--bttv-socket-url={where.bttv_socket_url}",
            f"--ffz-url={where.ffz_url}",
            *(options or ("--emotes=7tv,bttv,ffz",)),
        )
        self.addCleanup(lambda: daemon.ended)
        self.addCleanup(daemon.kill)
        await daemon.listening
        return daemon

    async def watching(self, daemon: Daemon, identifier: str = "ann", **more: Any) -> Client:
        """A client that has begun to watch a channel."""
        client = await Client.open(daemon.port)
        self.addCleanup(client.close)
        await client.subscribe(identifier, stats=False, **more)
        await client.until("started")
        return client

    async def say(self, client: Client, text: str) -> dict[str, Any]:
        """Somebody writes; what the client receives."""
        self.twitch.say("ann", said(text))
        return await client.until("chat")

    async def until_shown(self, client: Client, word: str) -> dict[str, Any]:
        """Say a word until it is an emote; its metadata."""
        while True:
            found = emotes(await self.say(client, word))
            if word in found:
                return found[word]
            await deferLater(reactor, 0.05)


class EmotesTests(EmotesCase):
    """What a client receives."""

    async def test_emotes(self) -> None:
        """Emotes of all three, a zero-width one over another, and a change while it is watched."""
        client = await self.watching(await self.daemon())
        for word in ("catJAM", "monkaS", "LULW", "RainTime", ":tf:", "ZreknarF"):
            await self.until_shown(client, word)
        message = await self.say(client, "so catJAM RainTime catJAM! \N{PARTY POPPER} LULW")
        found = emotes(message)
        self.assertEqual(list(found), ["catJAM", "RainTime", "LULW"])
        url = f"https://cdn.7tv.app/emote/{SimulatedEmote('catJAM').id}/2x.webp"
        self.assertEqual(
            found["catJAM"],
            {
                "url": url,
                "alt": "catJAM",
                "is_custom": True,
                "provider": "7tv",
                "animated": True,
                "zero_width": False,
            },
        )
        self.assertIs(found["RainTime"]["zero_width"], True)
        self.assertEqual(found["LULW"]["provider"], "ffz")
        content = message["data"]["data"]["content"]
        self.assertEqual(
            content["formatted"], "so :catJAM: :RainTime: catJAM! \N{PARTY POPPER} :LULW:"
        )
        while not any(f"twitch:{ANN}" in socket.topics for socket in self.providers.sockets):
            await deferLater(reactor, 0.02)
        self.providers.add("7tv", ANN, SimulatedEmote("brandNew"))
        self.providers.add("bttv", ANN, SimulatedEmote("alsoNew", animated=True))
        self.providers.remove("7tv", ANN, "peepoHappy")
        await self.until_shown(client, "brandNew")
        self.assertIs((await self.until_shown(client, "alsoNew"))["animated"], True)
        self.assertEqual(emotes(await self.say(client, "peepoHappy")), {})

    async def test_asked_at_the_start(self) -> None:
        """The sets are asked for when a chat starts, before anybody has written."""
        await self.watching(await self.daemon())
        while sum(ANN in path for path in self.providers.asked) < 3:
            await deferLater(reactor, 0.02)

    async def test_off(self) -> None:
        """`--emotes ''` asks nobody and shows words."""
        client = await self.watching(await self.daemon("--emotes="))
        self.assertEqual(emotes(await self.say(client, "catJAM EZ")), {})
        self.assertEqual(list(self.providers.asked), [])

    async def test_one_left_out(self) -> None:
        """A provider without an address is never asked."""
        client = await self.watching(await self.daemon("--emotes=7tv,ffz", "--7tv-url="))
        await self.until_shown(client, "LULW")
        self.assertEqual(emotes(await self.say(client, "catJAM monkaS")), {})
        self.assertEqual({path.split("/")[0] for path in self.providers.asked}, {"ffz"})

    async def test_youtube(self) -> None:
        """On YouTube the emotes of 7TV are shown, by the channel of the stream."""
        daemon = await self.daemon()
        client = await Client.open(daemon.port)
        self.addCleanup(client.close)
        await client.send(
            type="subscribe", platform="youtube", identifier="@zoe", identifierType="username"
        )
        await client.until("started")
        channel_id = self.youtube.channel_id("zoe")
        while True:
            self.youtube.say("zoe", said("catJAM monkaS"))
            found = emotes(await client.until("chat"))
            if found:
                break
        self.assertEqual(list(found), ["catJAM"])
        self.assertIn(f"7tv/v3/users/youtube/{channel_id}", self.providers.asked)


class DemonstrationTests(TestCase):
    """What somebody sees who starts the demonstration, without a network."""

    timeout = 120

    async def test_demo(self) -> None:
        """The simulated chats use emotes of all three providers, and zero-width ones."""
        daemon = start_daemon(reactor, "--demo", "--demo-rate=300", "--demo-seed=3")
        self.addCleanup(lambda: daemon.ended)
        self.addCleanup(daemon.kill)
        await daemon.listening
        client = await Client.open(daemon.port)
        self.addCleanup(client.close)
        await client.subscribe("ann", stats=False)
        seen: set[object] = set()
        while not {"7tv", "bttv", "ffz", True} <= seen:
            for metadata in emotes(await client.until("chat")).values():
                seen |= {metadata.get("provider"), metadata.get("zero_width")}


class FaultTests(EmotesCase):
    """Providers that fail cost nothing but their emotes."""

    async def unharmed(self, fault: EmoteFault) -> None:
        """A start and messages with a fault: nothing waits, and the daemon stays small."""
        daemon = await self.daemon()
        self.providers.faults.add(fault)
        client = await self.watching(daemon)
        for number in range(20):
            message = await self.say(client, f"catJAM {number}")
            self.assertEqual(message["data"]["data"]["content"]["raw"], f"catJAM {number}")
        before = daemon.rss()
        failed = re.compile('livechat_emote_fetches_total{outcome="failed"')
        while not failed.search(await daemon.metrics()):
            await deferLater(reactor, 0.1)
        self.assertLess(daemon.rss() - before, 64 << 20)
        self.providers.faults.clear()

    async def test_hang(self) -> None:
        """A provider that never answers."""
        await self.unharmed(EmoteFault.HANG)

    async def test_endless(self) -> None:
        """A provider whose answer has no end."""
        await self.unharmed(EmoteFault.ENDLESS)

    async def test_cut_off(self) -> None:
        """A provider that closes the connection in the middle of an answer."""
        await self.unharmed(EmoteFault.CUT_OFF)

    async def test_socket_flood(self) -> None:
        """A provider that floods the socket on which it tells of changes."""
        daemon = await self.daemon()
        self.providers.faults.add(EmoteFault.SOCKET_FLOOD)
        client = await self.watching(daemon)
        await self.until_shown(client, "catJAM")
        await self.until_shown(client, "monkaS")
        self.providers.faults.clear()
        while not any(f"twitch:{ANN}" in socket.topics for socket in self.providers.sockets):
            await deferLater(reactor, 0.05)
