# SPDX-License-Identifier: MIT
"""A million different users in one channel, in a process of its own, so that memory can be told.

Prints bytes that the process grew by, the total, the number of users told, and how many of the
hundred loyal ones were named with their exact counts.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

from livechat.model.chat import Roles
from livechat.model.events import Tally, UserTally
from livechat.statistics.totals import ChannelTotals


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Count, and print."""
    chance = random.Random(4)
    totals = ChannelTotals()
    truth = Counter[str]()
    before = resident()
    for start in range(0, 1_000_000, 1000):
        counts = Counter(f"loyal{chance.randrange(100)}" for _ in range(300))
        truth.update(counts)
        counts.update(f"user{number}" for number in range(start, start + 1000))
        users = {
            name: UserTally(name, f"{name}-login", f"{name}-name", Roles(), count)
            for name, count in counts.items()
        }
        totals.add(Tally(1300, users))
    data = totals.snapshot(100, 0.0)
    right = sum(truth[user.id] == user.message_count for user in data.unique_users)
    print(resident() - before, data.total_messages, data.unique_user_count, right)


if __name__ == "__main__":
    main()
