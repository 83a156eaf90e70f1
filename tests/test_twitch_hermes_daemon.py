# SPDX-License-Identifier: MIT
"""Hermes with the real daemon as a process, and a simulated Twitch on ports."""

from __future__ import annotations

from tests.test_acceptance import DaemonCase


class HermesDaemonTests(DaemonCase):
    """Who waits is told long before the next look."""

    # Looks alone would take longer than this test may.
    options = (
        "--linger=0",
        "--wait-poll=3600",
        "--twitch-live-poll=3600",
        "--twitch-offline-grace=0",
        "--twitch-require-live",
    )

    def more_addresses(self, port: int) -> tuple[str, ...]:
        """See `DaemonCase`."""
        return (f"--twitch-hermes-url=ws://127.0.0.1:{port}/twitch/hermes",)

    async def test_live_offline_live(self) -> None:
        """A channel goes live, offline and live again: each is told, also after a loss."""
        client = await self.client()
        await client.subscribe("offline_ann", wait=True)
        for status in ("subscribed", "waiting"):
            self.assertEqual((await client.next())["status"], status)
        await self.come_true(self.is_told)
        self.twitch.put_on_air("offline_ann", True)
        while (message := await client.until("status"))["status"] != "started":
            pass
        self.assertTrue(message["live"])
        (lost,) = self.twitch.pushes
        lost.drop()
        await self.come_true(lambda: lost not in self.twitch.pushes and self.is_told())
        self.twitch.put_on_air("offline_ann", False)
        while (await client.until("status"))["status"] != "ended":
            pass
        self.assertEqual((await client.until("status"))["status"], "waiting")
        metrics = await self.daemon.metrics()
        for series in (
            "livechat_twitch_push_connections 1.0",
            "livechat_twitch_push_subscriptions 1.0",
            'livechat_twitch_pushes_total{kind="stream-up"} 1.0',
            'livechat_twitch_pushes_total{kind="stream-down"} 1.0',
        ):
            self.assertIn(series, metrics)

    def is_told(self) -> bool:
        """Whether the daemon is told of the channel."""
        return any(connection.topics for connection in self.twitch.pushes)
