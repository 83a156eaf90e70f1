# SPDX-License-Identifier: MIT
"""TikTok from subscribe to message: real rooms against the simulated TikTok, on a fake clock and wire."""

from __future__ import annotations

from livechat.events import LiveInfo
from livechat.simulator.tiktok_messages import room_id
from tests.support.tiktok_wire import TikTokCase, say


class DirectTests(TikTokCase):
    """The direct way in."""

    def test_start(self) -> None:
        """A live account is found, entered and read."""
        _, sink, started = self.start("ann")
        self.run_for(1)
        info = self.successResultOf(started)
        self.assertEqual(info, LiveInfo(str(room_id("ann")), receiving=True))
        self.simulator.say("ann", say("hello"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["hello"])
