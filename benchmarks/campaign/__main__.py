# SPDX-License-Identifier: MIT
"""`python -m benchmarks.campaign [--short] [--lanes N] [WORD ...]`: play cases, print a table.

The exit code is 1 if anything was lost or did not survive.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from twisted.internet.defer import Deferred, gatherResults

from benchmarks.campaign.case import HEAD, Bounds, Case, Result
from benchmarks.campaign.cases import CASES
from benchmarks.campaign.scene import Scene, reactor

SEED = 20261126

#: A machine on which others work may be slow; only the whole campaign judges how fast answers are.
SHORT = Bounds(health=30.0, settle=20.0, late=30.0, is_busy=True, around=0.2)


def chosen(words: Sequence[str], short: bool) -> list[tuple[Case, int]]:
    """The cases to be played, and how much of each."""
    found = []
    for case in CASES:
        amount = case.short if short else case.full
        if amount and (not words or any(word in case.name for word in words)):
            found.append((case, amount))
    return found


class Plan:
    """What is played next; what mostly waits comes first.

    A daemon serves one case after the other as long as any is left that wants one like it.

    :param shares: whether cases that want a daemon of their own do with one that has served others.
    """

    def __init__(self, cases: Sequence[tuple[Case, int]], *, shares: bool) -> None:
        self._left = sorted(cases, key=lambda one: not one[0].waits)
        self._shares = shares

    def take(self, last: Case | None) -> tuple[Case, int] | None:
        """The next case, and how much of it; None: none is left.

        :param last: what was played on the daemon that is there; None: there is none.
        """
        if not self._left:
            return None
        place = next((n for n, (case, _) in enumerate(self._left) if self.fits(last, case)), 0)
        return self._left.pop(place)

    def fits(self, last: Case | None, case: Case) -> bool:
        """Whether a case can be played on the daemon that the last one was played on."""
        if last is None or (not self._shares and (last.alone or case.alone)):
            return False
        return _daemon(last) == _daemon(case)


def _daemon(case: Case) -> tuple[object, ...]:
    """What a case wants its daemon to be."""
    return case.options, case.witness, case.is_observed, case.budgets


async def play(
    cases: Sequence[tuple[Case, int]], seed: int, bounds: Bounds, lanes: int, *, shares: bool
) -> list[Result]:
    """Play cases, and print what came of each as soon as it is over.

    :param lanes: daemons that are attacked at the same time, each with a witness of its own.
    :param shares: see `Plan`.
    """
    plan = Plan(cases, shares=shares)
    results: list[Result] = []
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.campaign.cases"])
    with ProcessPoolExecutor(8 * lanes, mp_context=context) as workers:

        async def lane() -> None:
            scene = Scene(seed, workers, bounds)
            last: Case | None = None
            while (chosen := plan.take(last)) is not None:
                case, amount = chosen
                if scene.is_open and not plan.fits(last, case):
                    await scene.close()
                if not scene.is_open:
                    await scene.open(case)
                result = await scene.play(case, amount)
                results.append(result)
                print(result.line(), flush=True)
                last = case
                if scene.is_spoiled:
                    await scene.close()
                    last = None
            if scene.is_open:
                await scene.close()

        await gatherResults([Deferred.fromCoroutine(lane()) for _ in range(lanes)])
    return results


def main() -> int:
    """Read the command line, play, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=__doc__)
    parser.add_argument("--short", action="store_true", help="what takes about a minute")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--lanes", type=int, help="daemons at the same time; default 1, short 4")
    parser.add_argument(
        "--health", type=float, default=1.0, help="seconds for an answer of /health; short: 30"
    )
    parser.add_argument("word", nargs="*", help="of the names of cases; none: all")
    options = parser.parse_args()
    cases = chosen(options.word, options.short)
    if not cases:
        print("no such case; there are:", *(case.name for case in CASES), sep="\n  ")
        return 1
    print(f"seed {options.seed}\n{HEAD}", flush=True)
    results: list[Result] = []

    def begin() -> None:
        bounds = SHORT if options.short else Bounds(health=options.health, settle=5.0)
        lanes = options.lanes or (4 if options.short else 1)
        playing = Deferred.fromCoroutine(
            play(cases, options.seed, bounds, lanes, shares=options.short)
        )
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
