# SPDX-License-Identifier: MIT
"""What people observed of TikTok, played by the simulator by name and read by the real platform."""

from __future__ import annotations

from typing import Any

from livechat.model.events import ChannelEvent
from livechat.simulator.scenario import Scenario
from tests.support.events import data_of
from tests.support.tiktok_wire import KeptEvents, TikTokCase


class ObservedTests(TikTokCase):
    """Rooms that play a file."""

    scenario = Scenario(1, 1.0)

    def events(self, handle: str, kind: str) -> list[dict[str, Any]]:
        """The data of the events of a kind that come within some seconds."""
        _, sink, started = self.start(handle)
        self.run_for(7)
        self.successResultOf(started)
        assert isinstance(sink, KeptEvents)
        return [
            data_of(event)
            for event in sink.events
            if isinstance(event, ChannelEvent) and event.type == kind
        ]

    def test_became_super_fan(self) -> None:
        """Somebody becomes a super fan: a subscription, with the person of the banner's text."""
        for data in self.events("observed_superfan_became", "subscription"):
            self.assertEqual(data["user"]["username"], "golden.tester")
            self.assertEqual((data["tier"], data["status"]), ("super fan", "new"))
            break
        else:
            self.fail("no subscription")
        self.assertEqual(self.unparsed(), {})

    def test_super_fan_came(self) -> None:
        """Somebody who is a super fan comes in: a join and no subscription."""
        (first, *_) = self.events("observed_superfan_came", "join")
        self.assertEqual(first["user"]["username"], "golden.tester")
        self.assertEqual(self.events("observed_superfan_came", "subscription"), [])
        self.assertEqual(self.unparsed(), {})

    def test_super_fan_box(self) -> None:
        """A box of subscriptions is a gift of so many, and no box of diamonds."""
        (first, *_) = self.events("observed_superfan_box", "gift")
        self.assertEqual(first["user"]["username"], "golden.tester")
        self.assertEqual(
            (first["gift_type"], first["count"], first["tier"], first["price"]),
            ("subscription", 5, "super fan", None),
        )
        boxes = [
            data
            for data in self.events("observed_superfan_box", "notice")
            if data["platform_kind"] == "treasure_box"
        ]
        self.assertEqual(boxes, [])
        self.assertEqual(self.unparsed(), {})
