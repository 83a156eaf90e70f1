# SPDX-License-Identifier: MIT
"""Forty channels on three real nodes and a real Redis, all of which fail at random.

What must come out: nothing twice, nothing backwards, and nothing missing that was not told.
`LIVECHAT_CHAOS_SECONDS` says how long each run lasts (120), `LIVECHAT_CHAOS_SEEDS` which there are,
and `LIVECHAT_CHAOS_KEEP` names a directory for what the nodes logged in a run that has failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from tests.support.chaos import play


def main() -> None:
    """Each seed in a process of its own: a reactor runs once."""
    seconds = os.environ.get("LIVECHAT_CHAOS_SECONDS", "120")
    print(f"40 channels, 3 nodes, 6 clients that move, {seconds} s")
    for seed in os.environ.get("LIVECHAT_CHAOS_SEEDS", "1 2 3 4 5").split():
        subprocess.run([sys.executable, "-m", "benchmarks.chaos", seed, seconds], check=False)


def _one(seed: int, seconds: float) -> None:
    kept = os.environ.get("LIVECHAT_CHAOS_KEEP")

    async def run(reactor: object) -> None:
        keep = Path(kept, f"seed{seed}") if kept else None
        outcome = await play(reactor, seed, seconds, keep=keep)
        verdict = outcome.verdict
        happened = ", ".join(f"{n} x {act}" for act, n in Counter(outcome.acts).items())
        print(
            f"seed {seed}: due {verdict.due}, doubled {verdict.doubled}, backwards"
            f" {verdict.backwards}, missing untold {verdict.missing}, missing and told"
            f" {verdict.covered}, errors {verdict.errors}; channels without exactly one upstream"
            f" {len(outcome.upstreams)}, totals told {outcome.totals}; {happened}"
        )
        for line in outcome.complaints[:10]:
            print(f"  {line}")

    react(lambda reactor: Deferred.fromCoroutine(run(reactor)))


if __name__ == "__main__":
    _one(int(sys.argv[1]), float(sys.argv[2]))
