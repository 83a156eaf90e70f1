# SPDX-License-Identifier: MIT
"""The campaign of attacks on a real daemon: a short one, and the table."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.campaign.case import Case, Count, Result
from benchmarks.campaign.cases import CASES
from benchmarks.campaign.scene import Scene
from tests.support.program import ROOT

#: Seconds that the whole short campaign may take on a busy machine.
PATIENCE = 600


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


class ResultTests(SynchronousTestCase):
    """The table."""

    async def nothing(self, scene: Scene, amount: int) -> Count:
        """A case that does nothing."""
        return Count(amount, amount)

    def test_line(self) -> None:
        """A line says what was tried, survived and lost, and every problem."""
        case = Case("B0 nothing", self.nothing, 1)
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
