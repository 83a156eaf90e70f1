# SPDX-License-Identifier: MIT
"""Greedy clients of the real daemon: a newcomer is served before them, and everybody is told."""

from __future__ import annotations

from livechat.platforms.twitch.limits import JOINS
from tests.test_acceptance import DaemonCase


class FairnessTests(DaemonCase):
    """Twitch, as the kind whose budget is the smallest."""

    async def waiting(self) -> int:
        """Channels that wait to be joined."""
        line = 'livechat_budget_waiting{kind="joins",platform="twitch"} '
        return int(float((await self.daemon.metrics()).partition(line)[2].partition("\n")[0]))

    async def test_newcomer(self) -> None:
        """Three clients ask for 32 chats each; who comes then is served while they still wait."""
        greedy = [await self.client() for _ in range(3)]
        for number, client in enumerate(greedy):
            for chat in range(32):
                await client.subscribe(f"n{number}x{chat}")
        newcomer = await self.client()
        before = self.joined()
        await newcomer.subscribe("newcomer")
        await newcomer.until("stats")
        self.assertGreater(await self.waiting(), JOINS.count)
        self.assertLessEqual(self.joined() - before, 3 * JOINS.count)

    def joined(self) -> int:
        """Channels that have been joined."""
        return sum(len(connection.channels) for connection in self.twitch.connections)

    async def test_names_that_do_not_exist(self) -> None:
        """A client that asks for names that do not exist makes no connection to Twitch."""
        client = await self.client()
        for _ in range(2):
            for number in range(20):
                await client.subscribe(f"missing_{number}")
            for _ in range(20):
                await client.until("error")
        self.assertEqual(len(self.twitch.connections), 0)
        exposed = await self.daemon.metrics()
        self.assertIn('livechat_remembered_failures_total{platform="twitch"} 20.0', exposed)
