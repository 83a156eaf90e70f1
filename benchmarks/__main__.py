# SPDX-License-Identifier: MIT
"""`python -m benchmarks [name ...]`: run all short measurements, or those named.

`python -m benchmarks --help` names them, and says what is left out without a name.
"""

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
    overhead,
    pictures,
    providers,
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
    "pictures": pictures.main,
    "providers": providers.main,
    "starts": starts.main,
    "statistics": statistics.main,
    "fanout": fanout.main,
    "overhead": overhead.main,
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

#: What runs only when it is named, and about how long that takes.
LONG = {
    "chaos": "15 minutes",
    "fanout": "5 minutes",
    "browser": "4 minutes",
    "cluster": "3 minutes",
    "providers": "3 minutes",
    "resume": "2 minutes",
    "wait": "3 minutes",
}

USAGE = f"""usage: python -m benchmarks [NAME ...]

Without a name: {", ".join(name for name in MEASUREMENTS if name not in LONG)}.
Only when named: {", ".join(f"{name} ({takes})" for name, takes in LONG.items())}.
The campaign of attacks and faults is `python -m benchmarks.campaign`."""


def main(names: list[str]) -> int:
    """Run them one after the other."""
    if "--help" in names or "-h" in names:
        print(USAGE)
        return 0
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}\n{USAGE}")
        return 1
    for name in names or [name for name in MEASUREMENTS if name not in LONG]:
        MEASUREMENTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
