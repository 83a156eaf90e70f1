# SPDX-License-Identifier: MIT
"""`python -m benchmarks [name ...]`: run all measurements, or those named."""

from __future__ import annotations

import sys

from benchmarks import (
    browser,
    chaos,
    cluster,
    contract,
    drains,
    emotes,
    fanout,
    faults,
    filters,
    lists,
    messages,
    resume,
    starts,
    statistics,
    tiktok,
    wait,
    wait_twitch,
    youtube,
)

MEASUREMENTS = {
    "messages": messages.main,
    "emotes": emotes.main,
    "starts": starts.main,
    "statistics": statistics.main,
    "fanout": fanout.main,
    "lists": lists.main,
    "filters": filters.main,
    "resume": resume.main,
    "tiktok": tiktok.main,
    "youtube": youtube.main,
    "wait": wait.main,
    "wait-twitch": wait_twitch.main,
    "browser": browser.main,
    "contract": contract.main,
    "chaos": chaos.main,
    "cluster": cluster.main,
    "drains": drains.main,
    "faults": faults.main,
}


def main(names: list[str]) -> int:
    """Run them one after the other."""
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
        return 1
    for name in names or MEASUREMENTS:
        MEASUREMENTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
