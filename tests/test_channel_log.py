# SPDX-License-Identifier: MIT
"""The log of a chat's life: a line for each change, with the channel, at a limited rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.channel_log import BURST, ChannelLog
from livechat.core.options import Options
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model import error_catalogue
from livechat.model.errors import ErrorCode
from livechat.model.events import ChannelKey, LiveInfo
from livechat.platforms.steps import Steps
from tests.support.fakes import KeptMessages, ScriptedPlatform, hub_on

ANN = ChannelKey("twitch", "username", "ann")

LOGGER = "livechat.core.channel_log"


def lines(events: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Level and text of the lines about chats."""
    return [
        (event["log_level"].name, formatEvent(event))
        for event in events
        if event["log_namespace"] == LOGGER
    ]


class LifeTests(SynchronousTestCase):
    """What a channel of a hub logs."""

    def setUp(self) -> None:
        """A subscriber waits for a channel."""
        self.clock = Clock()
        self.platform = ScriptedPlatform()
        self.hub = hub_on(self.clock, Metrics())
        # Entered by hand: the log is that of the whole test.
        self._captured = capturedLogs()
        self.events = self._captured.__enter__()
        self.addCleanup(self._captured.__exit__, None, None, None)
        self.subscription = Subscription(ANN, KeptMessages(), "Ann", Options(), lambda _: None)
        self.hub.subscribe(self.platform, self.subscription)
        self.clock.advance(0)
        self.watcher = self.platform.watchers[-1]

    def test_life(self) -> None:
        """Each change is said once; what repeats or comes late is not said again."""
        self.watcher.live()
        self.watcher.sink.interrupted("UPSTREAM")
        self.watcher.sink.interrupted("UPSTREAM again")
        self.watcher.sink.resumed(LiveInfo("live-ann"))
        self.watcher.sink.resumed(LiveInfo("live-ann", live=True))
        self.watcher.sink.ended(error_catalogue.ENDED.error())
        self.watcher.sink.ended(error_catalogue.ENDED.error())
        self.clock.advance(60)
        self.assertEqual(
            lines(self.events),
            [
                ("info", "twitch:ann: start"),
                ("info", "twitch:ann: live (live-ann)"),
                ("warn", "twitch:ann: interrupted: UPSTREAM"),
                ("info", "twitch:ann: resumed"),
                ("info", "twitch:ann: ended: STREAM_ENDED: The stream has ended"),
            ],
        )

    def test_failed(self) -> None:
        """A start that fails for the platform's sake is a warning, an offline channel is none."""
        seen = 0
        for code, level in (
            (ErrorCode.STREAM_NOT_LIVE, "info"),
            (ErrorCode.UPSTREAM_UNAVAILABLE, "warn"),
        ):
            self.platform.watchers[-1].fail(code)
            self.clock.advance(0)
            self.assertEqual(
                lines(self.events[seen:]),
                [("info", "twitch:ann: start"), (level, f"twitch:ann: failed: {code}: No")],
            )
            seen = len(self.events)
            self.hub.subscribe(self.platform, self.subscription)
            self.clock.advance(0)

    def test_stopped(self) -> None:
        """A chat that nobody watches any more is said to have stopped."""
        self.watcher.live()
        self.hub.unsubscribe(self.subscription)
        self.clock.advance(60)
        self.assertEqual(lines(self.events)[-1], ("info", "twitch:ann: stopped"))


class PlatformTests(SynchronousTestCase):
    """What platforms log about one chat."""

    def test_failed_step(self) -> None:
        """A step that fails names the channel in the same form."""
        with capturedLogs() as events:
            Steps(Clock(), Metrics(), "twitch").run("ann", self.fail)
        self.assertEqual([formatEvent(event) for event in events], ["twitch:ann: a step failed"])
        self.assertEqual(len(self.flushLoggedErrors(self.failureException)), 1)


class RateTests(SynchronousTestCase):
    """Ten thousand chats that are lost at once."""

    def test_left_out(self) -> None:
        """Lines beyond the rate are counted, and their number comes with the next line."""
        clock, metrics = Clock(), Metrics()
        log = ChannelLog(clock, metrics)
        with capturedLogs() as events:
            for number in range(BURST + 300):
                log.say(ChannelKey("twitch", "username", f"n{number}"), "lost")
            self.assertEqual(len(events), BURST)
            clock.advance(1)
            log.say(ANN, "live")
        self.assertEqual(
            [formatEvent(event) for event in events[BURST:]],
            ["300 lines about other channels were left out", "twitch:ann: live"],
        )
        found = metrics.registry.get_sample_value("livechat_log_lines_left_out_total")
        self.assertEqual(found, 300)
