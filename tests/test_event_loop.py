# SPDX-License-Identifier: MIT
"""How late the event loop is."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.event_loop import INTERVAL, LagMeter
from livechat.metrics import Metrics


class LagMeterTests(SynchronousTestCase):
    """Lags on a clock of our own."""

    def setUp(self) -> None:
        """A meter that looks."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.meter = LagMeter(self.clock, self.metrics.loop_lag)
        self.meter.startService()

    def observed(self) -> tuple[float | None, float | None]:
        """How often it looked, and the sum of the lags."""
        value = self.metrics.registry.get_sample_value
        name = "livechat_event_loop_lag_seconds"
        return value(f"{name}_count"), value(f"{name}_sum")

    def test_in_time(self) -> None:
        """A loop that does nothing else is not late."""
        self.clock.pump([INTERVAL] * 4)
        self.assertEqual(self.observed(), (4.0, 0.0))

    def test_late(self) -> None:
        """One that did something else for two seconds is."""
        self.clock.advance(INTERVAL + 2)
        self.assertEqual(self.observed(), (1.0, 2.0))

    def test_stop(self) -> None:
        """Nothing is left on the clock."""
        self.successResultOf(self.meter.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
