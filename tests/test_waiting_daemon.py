# SPDX-License-Identifier: MIT
"""Following a channel with the real daemon as a process, and a simulated YouTube on a port."""

from __future__ import annotations

import time
from typing import Any

from livechat.simulator.youtube_pages import Standing
from tests.support.daemon import Client
from tests.test_youtube_acceptance import YouTubeDaemonCase


class FollowingTests(YouTubeDaemonCase):
    """From before a stream to after it."""

    options = ("--youtube-viewers-every=0", "--wait-poll=1")

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
