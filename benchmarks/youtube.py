# SPDX-License-Identifier: MIT
"""What watching YouTube costs: a page, a poll, a message, and two hundred idle chats.

Pages and answers are the recorded ones where they are present, otherwise the simulator's.  The idle
chats are watched over real sockets; the simulated YouTube is a process of its own, so that what is
counted is our CPU time alone.  Their pace is that of chats in which nobody has written for minutes.
"""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from treq.client import HTTPClient
from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater
from twisted.web.client import Agent, HTTPConnectionPool

from livechat.core.ports import Located, Requester
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey
from livechat.platforms.fetch import WholeBody
from livechat.platforms.youtube.parse.chat import read_poll
from livechat.platforms.youtube.parse.verdict import judge
from livechat.platforms.youtube.platform import YouTube
from livechat.platforms.youtube.settings import YouTubeSettings
from livechat.protocol.messages import encode_event
from livechat.simulator.scenario import Scenario
from livechat.simulator.youtube import YouTubeSimulator
from livechat.simulator.youtube_pages import watch_page
from livechat.transports.frames import frame
from tests.support.context import context_on
from tests.support.corpus import ROOT
from tests.support.youtube import KeptEvents

ROUNDS: Final = 9
CHATS: Final = 200
SECONDS: Final = 20.0
RECORDED: Final = ROOT / "youtube/ytlivechat/HimemoriLuna.live.2026-02-17.html.gz"

Rows = list[tuple[str, float, float]]


def cost(work: Callable[[], object], times: int = 1) -> tuple[float, float]:
    """Milliseconds of CPU for each time: best and middle of the rounds."""
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        costs.append((time.process_time() - began) / times * 1e3)
    return min(costs), statistics.median(costs)


def page() -> tuple[str, bytes]:
    """The page of a live stream."""
    if RECORDED.exists():
        return "recorded", gzip.decompress(RECORDED.read_bytes())
    clock = Clock()
    simulator = YouTubeSimulator(clock, clock.seconds, Scenario(1, 0.0))
    return "simulated", watch_page(simulator.video("bench")).encode()


def busy_answer() -> tuple[bytes, int]:
    """An answer of a busy chat, and how many things it holds."""
    clock = Clock()
    clock.advance(1_767_000_000)
    simulator = YouTubeSimulator(clock, clock.seconds, Scenario(1, 0.0))
    for _, action in islice(Scenario(1, 1.0).script("bench"), 50):
        simulator.say("bench", action)
    _, answer = simulator.chat(simulator.video("bench").token)
    body = msgspec.json.encode(answer)
    return body, len(read_poll(body, "bench", 0).events)


def readers() -> Rows:
    """What the pure readers cost."""
    source, body = page()
    url = "https://www.youtube.com/watch?v=x"
    rows: Rows = []
    name = f"{source} watch page, {len(body) / 1e6:.1f} MB (bar: 60 ms)"
    rows.append((name, *cost(lambda: judge(200, url, body))))
    answer, happened = busy_answer()
    key = ChannelKey("youtube", "username", "bench")

    times = 20

    def whole() -> None:
        for _ in range(times):
            for event in read_poll(answer, "bench", 1_767_000_000_000).events:
                frame(encode_event(key, event))

    rows.append(
        (
            f"one thing of {happened} in an answer, to its frame",
            *cost(whole, times * happened),
        )
    )
    return rows


def simulator_process() -> tuple[subprocess.Popen[str], str]:
    """A simulated YouTube in a process of its own, and where it is."""
    program = (
        "import sys, time\n"
        "from twisted.internet import reactor\n"
        "from twisted.web.server import Site\n"
        "from livechat.simulator.scenario import Scenario\n"
        "from livechat.simulator.youtube import YouTubeSimulator\n"
        "from livechat.simulator.youtube_site import YouTubeSite\n"
        "youtube = YouTubeSimulator(reactor, time.time, Scenario(1, 0.0))\n"
        "site = Site(YouTubeSite(youtube)); site.log = lambda request: None\n"
        "port = reactor.listenTCP(0, site, interface='127.0.0.1')\n"
        "print(port.getHost().port, flush=True)\n"
        "reactor.run()\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{int(process.stdout.readline())}"


async def idle_chats(url: str) -> tuple[float, float, float]:
    """Share of one core, polls per second, and milliseconds of CPU for each."""
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = 64
    http = HTTPClient(Agent(reactor, pool=pool), data_to_body_producer=WholeBody)
    # Minutes of silence have passed for those who are told so by their clock.
    clock: Any = reactor
    youtube = YouTube(context_on(clock, http, Metrics()), YouTubeSettings(url))
    youtube.startService()
    for number in range(CHATS):
        key = youtube.key(f"{number:011d}", "liveId")
        watcher: Any = youtube.watch(Located(key), KeptEvents(), Requester())  # type: ignore[arg-type]
        watcher.start().addErrback(lambda _: None)
    chats = list(youtube._watches)
    while not all(chat._chat is not None for chat in chats):
        await deferLater(reactor, 0.5)
    for chat in chats:
        chat._pace._active_at -= 1000.0
        chat._pace._wait = 10.0
    await deferLater(reactor, 11.0)
    polls = 0
    call = youtube._client._call

    def counting(*arguments: Any) -> Any:
        nonlocal polls
        polls += 1
        return call(*arguments)

    youtube._client._call = counting  # type: ignore[assignment, method-assign]
    began, cpu = time.monotonic(), time.process_time()
    await deferLater(reactor, SECONDS)
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    youtube.stopService()
    await pool.closeCachedConnections()
    return cpu / wall * 100, polls / wall, cpu / max(1, polls) * 1e3


def idle() -> tuple[float, float, float]:
    """The same, with a reactor of its own."""
    from twisted.internet.defer import Deferred  # noqa: PLC0415

    process, url = simulator_process()
    results: list[tuple[float, float, float]] = []
    try:

        def begin() -> None:
            story = Deferred.fromCoroutine(idle_chats(url))
            story.addCallback(results.append)
            story.addErrback(lambda reason: print(reason.getTraceback()))
            story.addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(begin)
        reactor.run()
    finally:
        process.terminate()
        process.wait()
    return results[0]


def main() -> None:
    """Measure and print."""
    print(f"\nYouTube, CPU time in ms ({ROUNDS} rounds)\n")
    print(f"{'':58}{'best':>8}{'middle':>8}")
    for name, best, middle in readers():
        print(f"{name:58}{best:8.3f}{middle:8.3f}")
    share, rate, each = idle()
    print(
        f"\n{CHATS} idle chats over sockets, viewers every 30 s: {share:.1f} % of one core"
        f" (bar: 5), {rate:.0f} requests per second, {each:.2f} ms each"
    )
