# SPDX-License-Identifier: MIT
"""What emotes of other providers cost: CPU per message, memory per channel.

Messages have ten words, of which none, one or three are emotes; the dictionary of their room has
5,000.  Memory is that of a process of its own.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from livechat.metrics import Metrics
from livechat.model.events import ChannelKey
from livechat.model.text import Image
from livechat.platforms.emotes.parse import seventv
from livechat.platforms.emotes.providers import in_parts
from livechat.platforms.enrichment.dictionary import Dictionary, third_party
from livechat.platforms.enrichment.rooms import Rooms
from livechat.platforms.enrichment.sink import EnrichingSink
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.parse.chat import translate
from livechat.platforms.twitch.parse.irc import parse_line
from livechat.protocol.messages import encode_event
from livechat.simulator.emote_sets import SimulatedEmote, seven_tv_set
from livechat.transports.frames import frame

ROUNDS: Final = 15
MESSAGES: Final = 2000
EMOTES: Final = 5000

_WORDS: Final = [
    "that",
    "was",
    "the",
    "best",
    "run",
    "of",
    "the",
    "whole",
    "week",
    "by",
    "far",
    "again",
    "and",
    "nobody",
    "saw",
    "it",
]


def main() -> None:
    """Measure and print."""
    print(f"\nEmotes: CPU of one message of ten words, {EMOTES} emotes known (us, best, middle)\n")
    for count in (0, 1, 3):
        _message_costs(count)
    print("\nEmotes: memory, and how long sets are read\n")
    for what in ("shared", "own", "1000", "5000"):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.emotes", what],
            capture_output=True,
            text=True,
            check=True,
        )
        print(done.stdout.strip())


# CPU.


class _Nobody:
    """A sink that lets go of everything."""

    received_until = None

    def received(self, events: Sequence[Any]) -> None:
        """Let go."""


class _Writer:
    """A sink that makes frames."""

    received_until = None

    def __init__(self, key: ChannelKey) -> None:
        self._key = key

    def received(self, events: Sequence[Any]) -> None:
        """Make them, and let go."""
        for event in events:
            frame(encode_event(self._key, event))


def _lines(emotes: int) -> list[bytes]:
    random = Random(1)
    made = []
    for number in range(MESSAGES):
        words = random.choices(_WORDS, k=10)
        for place in random.sample(range(10), emotes):
            words[place] = f"emote{random.randrange(EMOTES)}"
        tags = f"badges=subscriber/12;color=#1E90FF;display-name=Bob;id={number};room-id=42"
        tags += ";user-id=7;tmi-sent-ts=1767323045678"
        made.append(f"@{tags} :bob!bob@bob.tmi.twitch.tv PRIVMSG #ann :{' '.join(words)}".encode())
    return made


def _dictionary(emotes: int, prefix: str = "emote") -> dict[str, Image]:
    found = {}
    for number in range(emotes):
        url = f"//cdn.7tv.app/emote/{number:026}/2x.webp"
        emote = third_party(f"{prefix}{number}", url, "7tv")
        assert emote is not None
        found[emote.value] = emote
    return found


def _message_costs(emotes: int) -> None:
    lines = [line for raw in _lines(emotes) if (line := parse_line(raw)) is not None]
    clock, metrics = Clock(), Metrics()
    steps = Steps(clock, metrics, "bench")
    rooms = Rooms("twitch", [], steps)
    plain: Any = _Nobody()
    stage = EnrichingSink("ann", plain, rooms, steps)
    stage.received(translate(lines[0], 0, lambda: "id").events)
    rooms.put("7tv", Dictionary(emotes=_dictionary(EMOTES)))
    key = ChannelKey("twitch", "username", "ann")
    writer: Any = _Writer(key)

    def through(sink: Any) -> Callable[[], None]:
        # A message reaches the stage right after it was made, and so it does here.
        def work() -> None:
            for line in lines:
                sink.received(translate(line, 0, lambda: "id").events)

        return work

    costs: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, work in (
            ("without", through(plain)),
            ("within", through(stage)),
            ("frames without", through(writer)),
            ("frames within", through(EnrichingSink("ann", writer, rooms, steps))),
        ):
            began = time.process_time()
            work()
            costs.setdefault(name, []).append((time.process_time() - began) / MESSAGES * 1e6)
    best = min(costs["within"]) - min(costs["without"])
    middle = statistics.median(costs["within"]) - statistics.median(costs["without"])
    frames = min(costs["frames within"]) - min(costs["frames without"])
    print(
        f"{emotes} emotes in a message: the stage adds {best:5.2f} {middle:5.2f} (bar: 6);"
        f" with the longer frame {frames:5.2f}, to {min(costs['frames without']):.1f}"
    )


# Memory.


def _resident() -> int:
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _memory(what: str) -> None:
    """In a process of its own: what rooms take beyond a process that has read one set."""
    clock, metrics = Clock(), Metrics()
    steps = Steps(clock, metrics, "bench")
    rooms = Rooms("twitch", [], steps)
    body = json.dumps(_a_set("warm", 300)).encode()
    rooms.put("7tv", Dictionary(emotes=_read(body)))
    del body
    before = _resident()
    count = 1000 if what == "shared" else 50
    held = [rooms.hold(str(number)) for number in range(count)]
    if what == "own":
        for number, room in enumerate(held):
            body = json.dumps(_a_set(f"r{number}", 1000)).encode()
            room.put("7tv", Dictionary(emotes=_read(body)))
            del body
    known = sum(len(room.dictionary.emotes) for room in held)
    grown = _resident() - before
    if what == "shared":
        print(
            f"{count} channels with the same 300 global emotes: {grown / 1e6:.1f} MB more (bar: 20)"
        )
    else:
        print(
            f"a channel with 1,000 emotes of its own: {grown / count / 1e6:.2f} MB (bar: 2;"
            f" {known // count} words known)"
        )


def _read(body: bytes) -> dict[str, Image]:
    emotes: dict[str, Image] = {}
    for _ in seventv.read_set(body).into(emotes):
        pass
    return emotes


def _a_set(prefix: str, emotes: int) -> dict[str, Any]:
    made = (SimulatedEmote(f"{prefix}Emote{number}") for number in range(emotes))
    return seven_tv_set("s", made, "//cdn.7tv.app")


# Turns of the event loop.


def _reading(count: int) -> None:
    """In a process of its own: how long the event loop is kept while a set is read."""
    body = json.dumps(_a_set("x", count)).encode()
    parts = in_parts(reactor)
    totals: list[float] = []
    turns: list[float] = []

    async def read() -> None:
        for _ in range(ROUNDS):
            began = time.process_time()
            turn = time.process_time()
            entries = seventv.read_set(body)
            decoded = (time.process_time() - turn) * 1e3
            emotes: dict[str, Image] = {}
            reading = parts.cooperate(entries.into(emotes)).whenDone()
            longest = 0.0
            while not reading.called:
                turn = time.process_time()
                await deferLater(reactor, 0)
                longest = max(longest, (time.process_time() - turn) * 1e3)
            totals.append((time.process_time() - began) * 1e3)
            turns.append(max(decoded, longest))
        print(
            f"reading a set of {count} ({len(body) / 1e6:.1f} MB): {min(totals):.1f} ms,"
            f" longest turn {min(turns):.1f} ms, in the middle {statistics.median(turns):.1f}"
        )

    task.react(lambda _: Deferred.fromCoroutine(read()))


if __name__ == "__main__":
    (_reading(int(sys.argv[1])) if sys.argv[1].isdecimal() else _memory(sys.argv[1]))
