# SPDX-License-Identifier: MIT
"""Run trial with the arguments given, and close with one line that says what came of it.

The exit code is trial's.  A run that found no test fails.  With `LIVECHAT_REQUIRE_CORPUS=1` a test
that was skipped for want of the recorded corpus fails the run, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from subprocess import PIPE, STDOUT, Popen

SUMMARY = re.compile(r"(?:PASSED|FAILED)(?: \((.+)\))?")
COUNT = re.compile(r"(\w+)=(\d+)")


def trial(arguments: Sequence[str]) -> tuple[int, list[str]]:
    """Run trial and show its output as it comes.

    :return: its exit code (negative: the signal that ended it) and the lines it wrote.
    """
    command = [sys.executable, "-m", "twisted.trial", *arguments]
    lines = []
    with Popen(command, stdout=PIPE, stderr=STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return process.returncode, lines


def counts(lines: Sequence[str]) -> tuple[int, int, int]:
    """Passed, failed and skipped tests by trial's own summary; zeros where it wrote none."""
    summaries = [match for match in map(SUMMARY.fullmatch, lines) if match]
    if not summaries:
        return 0, 0, 0
    said = {name: int(number) for name, number in COUNT.findall(summaries[-1][1] or "")}
    passed = said.get("successes", 0) + said.get("expectedFailures", 0)
    failed = sum(said.get(name, 0) for name in ("failures", "errors", "unexpectedSuccesses"))
    return passed, failed, said.get("skips", 0)


def skip_reasons(lines: Sequence[str]) -> list[str]:
    """Why tests were skipped, each reason as often as trial gives it."""
    return [reason for mark, reason in pairwise(lines) if mark == "[SKIPPED]"]


def main() -> int:
    """Run, close with the line, and return the exit code."""
    status, lines = trial(sys.argv[1:])
    passed, failed, skipped = counts(lines)
    if os.environ.get("LIVECHAT_REQUIRE_CORPUS") == "1":
        for reason in skip_reasons(lines):
            if "corpus" in reason:
                print(f"The corpus is required, but tests were skipped: {reason}")
                status = status or 1
    if not passed + failed + skipped:
        print("No test was run.")
        status = status or 1
    if failed:
        status = status or 1
    print(f"Tests: {passed} passed, {failed} failed, {skipped} skipped.", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
