# SPDX-License-Identifier: MIT
"""`python -m benchmarks.campaign.observed FILE ...`: the daemon, which tells what it holds.

After the signal `SIGNAL` it writes into the file how many timers, readers and objects of each of
its classes there are.  Everything else is `python -m livechat ...`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections import Counter
from typing import Any, Final

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


def main() -> None:
    """Begin to listen to the signal, and run the daemon."""
    path = sys.argv.pop(1)

    def write(*_: object) -> None:
        with open(f"{path}.new", "w") as file:
            json.dump(counts(), file)
        os.replace(f"{path}.new", path)

    signal.signal(SIGNAL, write)
    from livechat.__main__ import main as run  # noqa: PLC0415  It looks at the arguments.

    run()


if __name__ == "__main__":
    main()
