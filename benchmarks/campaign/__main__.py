# SPDX-License-Identifier: MIT
"""`python -m benchmarks.campaign [--short] [--lanes N] [WORD ...]`: play cases, print a table.

The exit code is 1 if anything was lost or did not survive.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from twisted.internet.defer import Deferred, gatherResults

from benchmarks.campaign.case import HEAD, Bounds, Case, Result
from benchmarks.campaign.cases import CASES
from benchmarks.campaign.scene import Scene, reactor

SEED = 20261126

#: A machine on which others work may be slow; only the whole campaign judges how fast answers are.
SHORT = Bounds(health=30.0, settle=20.0, late=30.0, is_busy=True)


def chosen(words: Sequence[str], short: bool) -> list[tuple[Case, int]]:
    """The cases to be played, and how much of each."""
    found = []
    for case in CASES:
        amount = case.short if short else case.full
        if amount and (not words or any(word in case.name for word in words)):
            found.append((case, amount))
    return found


def grouped(cases: Sequence[tuple[Case, int]]) -> list[list[tuple[Case, int]]]:
    """The cases in groups, each of which is played on one daemon; what mostly waits comes first."""
    groups: list[list[tuple[Case, int]]] = []
    shared: dict[tuple[object, ...], list[tuple[Case, int]]] = {}
    for case, amount in cases:
        if case.alone:
            groups.append([(case, amount)])
            continue
        key = (case.options, case.witness, case.observed)
        if key not in shared:
            groups.append(shared.setdefault(key, []))
        shared[key].append((case, amount))
    return sorted(groups, key=lambda group: not group[0][0].waits)


async def play(
    cases: Sequence[tuple[Case, int]], seed: int, bounds: Bounds, lanes: int
) -> list[Result]:
    """Play cases, and print what came of each as soon as it is over.

    :param lanes: daemons that are attacked at the same time, each with a witness of its own.
    """
    groups = iter(grouped(cases))
    results: list[Result] = []
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.campaign.cases"])
    with ProcessPoolExecutor(8 * lanes, mp_context=context) as workers:

        async def lane() -> None:
            for group in groups:
                async for result in _play_group(group, Scene(seed, workers, bounds)):
                    results.append(result)
                    print(result.line(), flush=True)

        await gatherResults([Deferred.fromCoroutine(lane()) for _ in range(lanes)])
    return results


async def _play_group(group: Sequence[tuple[Case, int]], scene: Scene) -> AsyncIterator[Result]:
    for case, amount in group:
        if not scene.is_open:
            await scene.open(case)
        yield await scene.play(case, amount)
        if scene.is_spoiled:
            await scene.close()
    if scene.is_open:
        await scene.close()


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
        playing = Deferred.fromCoroutine(play(cases, options.seed, bounds, lanes))
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
