# SPDX-License-Identifier: MIT
"""Everything that can happen to a cluster, at random; the long version is a benchmark."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as _reactor
from twisted.trial.unittest import TestCase

from tests.support.chaos import play

reactor: Any = _reactor


class ChaosTests(TestCase):
    """Nodes and Redis fail, clients move."""

    timeout = 240

    async def test_half_a_minute(self) -> None:
        """Nothing comes twice or backwards, and nothing is missing that was not told."""
        outcome = await play(reactor, seed=11, seconds=30, channels=8, rate=10)
        self.assertTrue(outcome.verdict.is_good, outcome.complaints)
        self.assertGreater(outcome.verdict.due, 0)
        self.assertEqual((outcome.upstreams, outcome.totals), ([], 1))
