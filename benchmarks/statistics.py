# SPDX-License-Identifier: MIT
"""What statistics cost: CPU per message, memory for a million users, and an outage of Redis.

Needs a `redis-server` on the path for the rows that say Redis.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import which

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from livechat.core.ports import IStatsStore
from livechat.core.stats import ChannelStats
from livechat.model.chat import Author, ChatData, ChatMessage, ChatMetadata, Roles
from livechat.model.events import ChannelKey, Tally, UserTally
from livechat.model.text import content
from livechat.statistics.memory import MemoryStats
from livechat.statistics.totals import ChannelTotals

ROUNDS = 7
KEY = ChannelKey("twitch", "username", "bench")

#: Messages of the stream, messages per second in it, and people in its channel.
MESSAGES = 100_000
RATE = 500
PEOPLE = 5000


def stream(messages: int = MESSAGES, people: int = PEOPLE) -> list[ChatMessage]:
    """Messages of people of whom some write much more than others (Zipf)."""
    chance = random.Random(1)
    weights = [1 / rank for rank in range(1, people + 1)]
    text = content(["hello there"])
    authors = [
        Author(f"{n:08d}", f"user{n}", f"User{n}", None, Roles(subscriber=n % 2 == 0), [])
        for n in range(people)
    ]
    return [
        ChatMessage(
            "twitch",
            f"2026-01-02T03:04:{n // RATE % 60:02d}.{n % 1000:03d}Z",
            str(n),
            "1",
            ChatData(author, text, ChatMetadata()),
        )
        for n, author in enumerate(chance.choices(authors, weights, k=messages))
    ]


def per_message(work: Callable[[], object], messages: int = MESSAGES) -> tuple[float, float]:
    """Microseconds of CPU per message: best and middle of the rounds."""
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        costs.append((time.process_time() - began) / messages * 1e6)
    return min(costs), statistics.median(costs)


class Nowhere(MemoryStats):
    """A store that takes everything and keeps nothing."""

    def add(self, key: ChannelKey, tally: Tally) -> Deferred[None]:
        """See `IStatsStore`."""
        return succeed(None)


def counted(
    messages: Sequence[ChatMessage], make_store: Callable[[], IStatsStore]
) -> Callable[[], None]:
    """Count a stream as it comes, with a push every second."""

    def work() -> None:
        clock = Clock()
        channel = ChannelStats(KEY, make_store(), clock, 100, lambda _: None)
        for start in range(0, len(messages), RATE):
            for message in messages[start : start + RATE]:
                channel.count(message)
            clock.advance(1)
        channel.close()

    return work


def asked(messages: Sequence[ChatMessage]) -> Callable[[], None]:
    """Ask after every single message, with ten thousand users known."""
    store = MemoryStats()
    users = {str(n): UserTally(str(n), "u", "U", Roles(), n % 97 + 1) for n in range(10_000)}
    store.add(KEY, Tally(10_000, users))
    channel = ChannelStats(KEY, store, Clock(), 100, lambda _: None)

    def work() -> None:
        for message in messages:
            channel.count(message)
            channel.snapshot()

    return work


def in_process() -> None:
    """CPU per message."""
    messages = stream()
    few = messages[:2000]
    rows = [
        ("count alone", per_message(counted(messages, Nowhere))),
        ("memory: count, store, push (bar: 1.5)", per_message(counted(messages, MemoryStats))),
        ("a get_stats after every message, 10,000 users", per_message(asked(few), len(few))),
    ]
    if which("redis-server"):
        costs = [float(figure) for figure in measured("redis")]
        rows.insert(2, ("Redis: the same, with what the link does (bar: 6)", _both(costs)))
    print(f"\n{MESSAGES:,} messages of {PEOPLE:,} people, {RATE}/s, CPU time in us per message\n")
    print(f"{'':52}{'best':>8}{'middle':>8}")
    for name, (best, middle) in rows:
        print(f"{name:52}{best:8.2f}{middle:8.2f}")


def _both(costs: Sequence[float]) -> tuple[float, float]:
    return min(costs), statistics.median(costs)


def rss() -> float:
    """Resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def memory_curve() -> None:
    """One channel, a million users who write once each, between loyal ones who write more."""
    print("\nOne channel, users who write once, 1 in 10 messages by 500 loyal ones\n")
    print(f"{'users':>10}{'messages':>11}{'grown by':>11}{'told':>10}{'error':>8}{'us/msg':>8}")
    chance = random.Random(2)
    totals = ChannelTotals()
    users = messages = 0
    loyal: set[str] = set()
    began, spent = rss(), 0.0
    for goal in (1000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000):
        while users < goal:
            tally = Tally(500)
            for _ in range(450):
                users += 1
                name = f"user{users}"
                tally.users[name] = UserTally(name, name, name.title(), Roles(), 1)
            for _ in range(50):
                name = f"loyal{chance.randrange(500)}"
                loyal.add(name)
                known = tally.users.get(name)
                count = known.message_count + 1 if known else 1
                tally.users[name] = UserTally(name, name, name.title(), Roles(), count)
            messages += 500
            before = time.process_time()
            totals.add(tally)
            spent += time.process_time() - before
        data = totals.snapshot(100, 0.0)
        there = users + len(loyal)
        print(
            f"{there:>10,}{messages:>11,}{rss() - began:>7.1f} MiB"
            f"{(data.unique_user_count / there - 1) * 100:>+9.2f}%"
            f"{totals.error:>8}{spent / messages * 1e6:>8.2f}"
        )
    assert data.total_messages == messages


def zipf() -> None:
    """How many of the hundred most active are named, out of more people than there is place for."""
    print("\nTop 100 of Zipf streams of 1,000,000 messages, 10,000 places\n")
    print(f"{'exponent':>9}{'people':>10}{'right':>7}{'unique':>9}{'told':>9}{'error':>8}")
    for exponent, people in ((1.0, 100_000), (1.0, 1_000_000), (1.1, 1_000_000), (0.8, 200_000)):
        chance = random.Random(3)
        weights = [rank**-exponent for rank in range(1, people + 1)]
        drawn = chance.choices(range(people), weights, k=1_000_000)
        totals = ChannelTotals()
        for start in range(0, len(drawn), 500):
            counts = Counter(drawn[start : start + 500])
            users = {str(n): UserTally(str(n), "u", "U", Roles(), c) for n, c in counts.items()}
            totals.add(Tally(500, users))
        truth = Counter(drawn)
        # Whoever wrote as much as the hundredth is rightly among the hundred.
        least = truth.most_common(100)[-1][1]
        data = totals.snapshot(100, 0.0)
        right = sum(truth[int(user.id)] >= least for user in data.unique_users)
        print(
            f"{exponent:>9}{people:>10,}{right:>7}{len(truth):>9,}"
            f"{data.unique_user_count:>9,}{totals.error:>8}"
        )


def measured(name: str) -> list[str]:
    """What a measurement that needs a reactor of its own prints."""
    command = [sys.executable, "-m", "benchmarks.statistics_redis", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def main() -> None:
    """Measure and print."""
    # First, so that nothing else has left room in the heap.
    memory_curve()
    zipf()
    in_process()
    if not which("redis-server"):
        print("\nredis-server is not installed: nothing is measured with it")
        return
    for name in ("hang", "outage"):
        print("\n" + "\n".join(measured(name)))
