# SPDX-License-Identifier: MIT
"""The campaign of attacks on a real daemon: a short one, and the table."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.campaign.__main__ import Plan
from benchmarks.campaign.case import Case, Count, Result
from benchmarks.campaign.cases import CASES
from benchmarks.campaign.scene import Scene
from tests.support.program import ROOT

#: Seconds that the whole short campaign may take on a busy machine.
PATIENCE = 600


async def nothing(scene: Scene, amount: int) -> Count:
    """A case that does nothing."""
    return Count(amount, amount)


class ShortTests(SynchronousTestCase):
    """As `make test` plays it."""

    timeout = PATIENCE

    def test_all(self) -> None:
        """Nothing is lost to the witness, and whatever was tried is survived."""
        command = [sys.executable, "-m", "benchmarks.campaign", "--short"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"the witness lost 0 of \d{3,} messages")

    def test_unknown(self) -> None:
        """A word that stands in no case's name plays nothing, and fails."""
        command = [sys.executable, "-m", "benchmarks.campaign", "nonsense"]
        with tempfile.TemporaryFile() as kept:
            done = subprocess.run(command, cwd=ROOT, stdout=kept, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)


class PlanTests(SynchronousTestCase):
    """What is played next, and on which daemon."""

    def cases(self) -> list[tuple[Case, int]]:
        """Two that share a daemon, one that waits, one of other options, and one that is alone."""
        return [
            (Case("B1", nothing, 1), 1),
            (Case("B2", nothing, 1, options=("--linger=1",)), 1),
            (Case("B3", nothing, 1), 1),
            (Case("B4", nothing, 1, alone=True), 1),
            (Case("B5", nothing, 1, waits=True), 1),
        ]

    def played(self, *, shares: bool) -> tuple[list[str], int]:
        """The order of one lane, and how many daemons it starts."""
        plan, last, order, daemons = Plan(self.cases(), shares=shares), None, [], 0
        while (chosen := plan.take(last)) is not None:
            daemons += not plan.fits(last, chosen[0])
            last = chosen[0]
            order.append(last.name)
        return order, daemons

    def test_whole(self) -> None:
        """What is alone has its own daemon; else a daemon serves all that want one like it."""
        self.assertEqual(self.played(shares=False), (["B5", "B1", "B3", "B2", "B4"], 3))

    def test_short(self) -> None:
        """There nothing is alone."""
        self.assertEqual(self.played(shares=True), (["B5", "B1", "B3", "B4", "B2"], 2))


class ResultTests(SynchronousTestCase):
    """The table."""

    def test_line(self) -> None:
        """A line says what was tried, survived and lost, and every problem."""
        case = Case("B0 nothing", nothing, 1)
        good = Result(case, Count(10, 10, "note"), 50, 0, 1_000_000, 2_000_000, 0.012, 3.0)
        self.assertRegex(good.line(), r"^B0 nothing +10 +10 +50 +0 +1\.0 +2\.0 +12 +3  survived")
        bad = Result(case, Count(10, 9), 50, 2, 0, 0, 0.0, 3.0, ("the witness lost 2", "and more"))
        self.assertTrue(bad.line().endswith("the witness lost 2; and more"))

    def test_names(self) -> None:
        """Every case has a name of its own, and plays no more in short than in full."""
        names = [case.name for case in CASES]
        self.assertEqual(sorted(set(names)), sorted(names))
        for case in CASES:
            self.assertLessEqual(case.short, case.full)
