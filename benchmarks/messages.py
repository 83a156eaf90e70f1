# SPDX-License-Identifier: MIT
"""What one message costs on its way from an IRC line to bytes that are ready to send.

Measured in CPU time of this process over the recorded busy channel where it is present, otherwise
over lines of the simulator; the best and the middle of several rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice

from twisted.internet.task import Clock

from livechat.core.channel import Channel
from livechat.core.fanout import COALESCE
from livechat.core.options import Options
from livechat.core.ports import Located
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelKey
from livechat.platforms.twitch.parse.chat import translate
from livechat.platforms.twitch.parse.irc import parse_line
from livechat.protocol.messages import encode_event
from livechat.simulator.playback import read_lines
from livechat.simulator.scenario import Scenario
from livechat.simulator.twitch import TwitchSimulator
from livechat.transports.frames import frame
from tests.support.corpus import ROOT
from tests.support.fakes import KeptMessages, ScriptedPlatform, services_on

RECORDED = ROOT / "twitch/irc/xqcow_2019-09-15_first3000.txt"
ROUNDS = 9


def lines() -> tuple[str, list[bytes]]:
    """PRIVMSG lines, and where they are from."""
    if RECORDED.exists():
        return "recorded busy channel", [li for li in read_lines(RECORDED) if b" PRIVMSG " in li]
    clock = Clock()
    simulator = TwitchSimulator(clock, clock.seconds, Scenario(1, 1.0))
    said = (
        simulator.say("bench", action)
        for _, action in islice(Scenario(1, 1.0).script("bench"), 3000)
    )
    return "simulator", [line for line in said if b" PRIVMSG " in line]


def per_item(work: Callable[[], object], items: int) -> tuple[float, float]:
    """Microseconds of CPU per item: best and middle of the rounds."""
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        costs.append((time.process_time() - began) / items * 1e6)
    return min(costs), statistics.median(costs)


def channel_work(messages: Sequence[ChatMessage]) -> Callable[[], None]:
    """The whole core: de-duplicate, count, encode, publish, gather, deliver to one subscriber."""

    def work() -> None:
        clock = Clock()
        key = ChannelKey("twitch", "username", "bench")
        platform = ScriptedPlatform()
        services = services_on(clock, Metrics())
        channel = Channel(Located(key), platform, services, lambda _: None, lambda *_: None)
        channel.subscribe(Subscription(key, KeptMessages(), "bench", Options(), lambda _: None))
        clock.advance(0)
        platform.watchers[0].live()
        for start in range(0, len(messages), 10):
            platform.watchers[0].sink.received(messages[start : start + 10])
            clock.advance(COALESCE)
        channel.release()

    return work


def main() -> None:
    """Measure and print."""
    source, recorded = lines()
    parsed = [line for line in map(parse_line, recorded) if line is not None]
    messages = [
        event
        for line in parsed
        for event in translate(line, 0, lambda: "id").events
        if isinstance(event, ChatMessage)
    ]
    key = ChannelKey("twitch", "username", "bench")

    def whole() -> None:
        for raw in recorded:
            line = parse_line(raw)
            assert line is not None
            for event in translate(line, 0, lambda: "id").events:
                frame(encode_event(key, event))

    count = len(recorded)
    rows = [
        ("parse the line", per_item(lambda: [parse_line(raw) for raw in recorded], count)),
        (
            "translate to a message",
            per_item(lambda: [translate(line, 0, lambda: "id") for line in parsed], count),
        ),
        (
            "encode and frame",
            per_item(lambda: [frame(encode_event(key, message)) for message in messages], count),
        ),
        ("line to frame, all three (bar: 25)", per_item(whole, count)),
        ("message to one subscriber through the channel", per_item(channel_work(messages), count)),
    ]
    print(f"\nOne message, {count} PRIVMSG of the {source}, CPU time in us ({ROUNDS} rounds)\n")
    print(f"{'':48}{'best':>8}{'middle':>8}")
    for name, (best, middle) in rows:
        print(f"{name:48}{best:8.2f}{middle:8.2f}")
