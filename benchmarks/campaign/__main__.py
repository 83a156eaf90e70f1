# SPDX-License-Identifier: MIT
"""`python -m benchmarks.campaign [--short] [--seed N] [WORD ...]`: play cases, print a table.

The exit code is 1 if anything was lost or did not survive.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from twisted.internet.defer import Deferred

from benchmarks.campaign.case import HEAD, Bounds, Case, Result
from benchmarks.campaign.cases import CASES
from benchmarks.campaign.scene import Scene, reactor

SEED = 20261126

#: A machine on which others work may be slow; only the whole campaign judges how fast answers are.
SHORT = Bounds(health=30.0, settle=5.0)
FULL = Bounds(health=1.0, settle=5.0)


def chosen(words: Sequence[str], short: bool) -> list[tuple[Case, int]]:
    """The cases to be played, and how much of each."""
    found = []
    for case in CASES:
        amount = case.short if short else case.full
        if amount and (not words or any(word in case.name for word in words)):
            found.append((case, amount))
    return found


async def play(cases: Sequence[tuple[Case, int]], seed: int, bounds: Bounds) -> list[Result]:
    """Play cases, and print what came of each as soon as it is over."""
    results = []
    scene: Scene | None = None
    before: Case | None = None
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as workers:
        for case, amount in cases:
            if scene is not None and before is not None and not _shared(before, case):
                await scene.close()
                scene = None
            if scene is None:
                scene = Scene(seed, workers, bounds)
                await scene.open(case)
            results.append(await scene.play(case, amount))
            print(results[-1].line(), flush=True)
            before = case
        if scene is not None:
            await scene.close()
    return results


def _shared(one: Case, other: Case) -> bool:
    """Whether two cases may be played on the same daemon."""
    same = (one.options, one.witness) == (other.options, other.witness)
    return same and not one.alone and not other.alone


def main() -> int:
    """Read the command line, play, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=__doc__)
    parser.add_argument("--short", action="store_true", help="what takes about a minute")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("word", nargs="*", help="of the names of cases; none: all")
    options = parser.parse_args()
    cases = chosen(options.word, options.short)
    if not cases:
        print("no such case; there are:", *(case.name for case in CASES), sep="\n  ")
        return 1
    print(f"seed {options.seed}\n{HEAD}", flush=True)
    results: list[Result] = []

    def begin() -> None:
        bounds = SHORT if options.short else FULL
        playing = Deferred.fromCoroutine(play(cases, options.seed, bounds))
        playing.addCallbacks(results.extend, lambda reason: reason.printTraceback(sys.stderr))
        playing.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    failed = [result.case.name for result in results if result.problems]
    tried = sum(result.count.tried for result in results)
    said, lost = (sum(getattr(result, name) for result in results) for name in ("said", "lost"))
    print(f"{len(results)} cases, {tried} tries; the witness lost {lost} of {said} messages")
    if failed or len(results) < len(cases):
        print("failed:", *failed, sep="\n  ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
