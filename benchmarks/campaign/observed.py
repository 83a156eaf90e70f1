# SPDX-License-Identifier: MIT
"""`python -m benchmarks.campaign.observed FILE TIMES ...`: the daemon, which tells what it holds.

After the signal `SIGNAL` it writes into the file how many timers, readers and objects of each of
its classes there are.  Its budgets of the platforms are so many times as large: it asks simulated
ones, which bear it.  Everything else is `python -m livechat ...`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

if TYPE_CHECKING:
    from livechat.platforms.budget import Budget, Limit

SIGNAL: Final = signal.SIGRTMIN + 3


def counts() -> dict[str, int]:
    """Timers, readers, and objects by class."""
    from twisted.internet import reactor  # noqa: PLC0415  The daemon chooses the reactor.

    gc.collect()
    kinds = (type(one) for one in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    found = Counter(name for name in names if name.startswith("livechat."))
    looking: Any = reactor
    return {
        "timers": len(looking.getDelayedCalls()),
        "readers": len(looking.getReaders()),
        **found,
    }


def raise_budgets(times: int) -> None:
    """Let whatever is asked of the platforms be asked so many times as often, and as much at once.

    What is done with the answers is the same, and so is how turns are shared.
    """
    from livechat.platforms.description import PlatformContext  # noqa: PLC0415  As above.

    ordinary = PlatformContext.budget

    def budget(context: PlatformContext, limit: Limit, platform: str, kind: str) -> Budget:
        raised = replace(limit, count=limit.count * times, at_once=limit.at_once * times)
        return ordinary(context, raised, platform, kind)

    setattr(PlatformContext, ordinary.__name__, budget)


def main() -> None:
    """Begin to listen to the signal, and run the daemon."""
    path, times = sys.argv.pop(1), int(sys.argv.pop(1))
    if times > 1:
        raise_budgets(times)

    def write(*_: object) -> None:
        with open(f"{path}.new", "w") as file:
            json.dump(counts(), file)
        os.replace(f"{path}.new", path)

    signal.signal(SIGNAL, write)
    from livechat.__main__ import main as run  # noqa: PLC0415  It looks at the arguments.

    run()


if __name__ == "__main__":
    main()
