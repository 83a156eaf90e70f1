# SPDX-License-Identifier: MIT
"""Following a channel with the real daemon as a process, and simulated platforms on ports."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor
from twisted.web.server import Site

from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.youtube_pages import Standing
from tests.support.daemon import Client, start_daemon
from tests.support.tiktok_wire import say
from tests.test_acceptance import DaemonCase, privmsg
from tests.test_youtube_acceptance import YouTubeDaemonCase


class _Following(DaemonCase):
    """What those who wait are told."""

    async def statuses(self, client: Client, *wanted: str) -> list[dict[str, Any]]:
        """The next statuses, which are these."""
        found: list[dict[str, Any]] = []
        while len(found) < len(wanted):
            message = await client.next()
            self.assertNotEqual(message["type"], "error", message)
            if message["type"] == "status":
                found.append(message)
        self.assertEqual(tuple(message["status"] for message in found), wanted)
        return found


class FollowingTests(YouTubeDaemonCase, _Following):
    """From before a stream to after it."""

    options = ("--youtube-viewers-every=0", "--wait-poll=1")

    async def test_a_channel_that_ends_and_begins_again(self) -> None:
        """Not live, announced, live, over, and live again under another id."""
        self.youtube.lineup.set("ann", Standing.ENDED)
        client = await self.client()
        await client.subscribe("@ann", platform="youtube", wait=True, id="x")
        statuses = await self.statuses(client, "subscribed", "waiting")
        self.assertEqual(statuses[1]["details"], "OFFLINE")
        health = await self.health()
        self.assertEqual((health["activeStreams"], health["waitingStreams"]), (0, 1))
        self.youtube.lineup.set("ann", Standing.UPCOMING, time.time() + 3)
        (announced,) = await self.statuses(client, "waiting")
        self.assertEqual(announced["details"], "UPCOMING")
        self.assertIn("scheduledStart", announced)
        self.youtube.lineup.clear("ann")
        (first,) = await self.statuses(client, "started")
        self.say("hello")
        await client.until("chat")
        self.youtube.lineup.set("ann", Standing.ENDED)
        ended, waiting = await self.statuses(client, "ended", "waiting")
        self.assertEqual(ended["liveId"], first["liveId"])
        self.assertEqual({ended["id"], waiting["id"]}, {"x"})
        self.youtube.begin_anew("ann")
        self.youtube.lineup.clear("ann")
        (second,) = await self.statuses(client, "started")
        self.assertNotEqual(second["liveId"], first["liveId"])
        self.assertNotEqual(second["epoch"], first["epoch"])
        self.say("again")
        self.assertEqual((await client.until("chat"))["seq"], second["seq"] + 1)

    async def test_premiere(self) -> None:
        """An announced video, which is private for a while, begins and ends."""
        self.youtube.lineup.set("ann", Standing.UPCOMING, time.time() + 3600)
        client = await self.client()
        video = self.youtube.video_id("ann")
        await client.subscribe(video, platform="youtube", identifierType="liveId", wait=True)
        _, waiting = await self.statuses(client, "subscribed", "waiting")
        self.assertEqual(waiting["details"], "UPCOMING")
        self.assertIn("scheduledStart", waiting)
        self.youtube.lineup.set("ann", Standing.PRIVATE)
        (hidden,) = await self.statuses(client, "waiting")
        self.assertEqual(hidden["details"], "LOGIN_REQUIRED")
        self.youtube.lineup.clear("ann")
        (started,) = await self.statuses(client, "started")
        self.assertEqual(started["liveId"], video)
        self.say("it begins")
        await client.until("chat")
        self.youtube.lineup.set("ann", Standing.ENDED)
        await self.statuses(client, "ended", "waiting")

    async def test_missing(self) -> None:
        """What does not exist is refused, wait or not."""
        error = await self.refused("missing_ann", wait=True)
        self.assertEqual(error["code"], "STREAM_NOT_FOUND")

    async def test_all_lives(self) -> None:
        """A second live is found, and its end leaves the first one."""
        self.youtube.lineup.put_beside("ann", "two")
        self.youtube.lineup.set("two", Standing.ENDED)
        client = await self.client()
        await client.subscribe("ann", platform="youtube", lives="all")
        _, first = await self.statuses(client, "subscribed", "started")
        self.youtube.lineup.clear("two")
        (second,) = await self.statuses(client, "started")
        self.assertEqual(
            [first["liveId"], second["liveId"]],
            [self.youtube.video_id("ann"), self.youtube.video_id("two")],
        )
        self.say("in the second", "two")
        chat = await client.until("chat")
        self.assertEqual(chat["data"]["room_id"], second["liveId"])
        self.youtube.lineup.set("two", Standing.ENDED)
        (ended,) = await self.statuses(client, "ended")
        self.assertEqual(ended["liveId"], second["liveId"])
        self.say("in the first")
        chat = await client.until("chat")
        self.assertEqual(chat["data"]["room_id"], first["liveId"])


class OtherPlatformsTests(_Following):
    """TikTok, and Twitch where offline channels are not joined: one daemon for both."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Start them; every chat is quiet but for what the test says."""
        quiet = Scenario(1, 0.0)
        self.twitch = TwitchSimulator(reactor, time.time, quiet)
        self.tiktok = TikTokSimulator(reactor, time.time, quiet)
        irc = self.listen(self.twitch)
        base = f"127.0.0.1:{self.listen(Site(resources(self.twitch, self.tiktok)))}"
        self.daemon = start_daemon(
            reactor,
            f"--twitch-irc=tcp:127.0.0.1:{irc}",
            f"--twitch-gql-url=http://{base}/twitch/gql",
            "--twitch-require-live",
            "--twitch-live-poll=1",
            "--twitch-offline-grace=0",
            f"--tiktok-url=http://{base}/tiktok",
            f"--tiktok-webcast-url=http://{base}/tiktok",
            f"--tiktok-socket-url=ws://{base}/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
            "--wait-poll=1",
        )
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening

    async def test_two_lives(self) -> None:
        """Not live, live, over, and live again, with a message in each."""
        self.tiktok.room("ann").end()
        self.twitch.put_on_air("ann", False)
        clients: list[Client] = []
        for platform in ("tiktok", "twitch"):
            client = await self.client()
            clients.append(client)
            await client.subscribe("@Ann", platform=platform, wait=True)
            _, waiting = await self.statuses(client, "subscribed", "waiting")
            self.assertEqual((waiting["platform"], waiting["channel"]), (platform, "ann"))
        self.assertEqual((await self.health())["waitingStreams"], 2)
        for number in (1, 2):
            self.tiktok.restart("ann")
            self.twitch.put_on_air("ann", True)
            for client in clients:
                await client.until("started")
            await self.come_true(lambda: self.twitch.joined("ann"))
            self.tiktok.say("ann", say(f"hello {number}", number))
            self.twitch.say("ann", privmsg("ann", f"hello {number}"))
            for client in clients:
                chat = await client.until("chat")
                self.assertEqual(chat["data"]["data"]["content"]["raw"], f"hello {number}")
            self.tiktok.room("ann").end()
            self.twitch.put_on_air("ann", False)
            for client in clients:
                await client.until("ended")
                await self.statuses(client, "waiting")
