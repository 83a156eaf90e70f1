# SPDX-License-Identifier: MIT
"""Where a case is played: a daemon, the platforms, simulated, a witness, and hostile answers."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final, TypeVar
from urllib.request import urlopen

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource, getChildForRequest
from twisted.web.server import Site

from benchmarks.campaign.case import Bounds, Case, Count, Result
from benchmarks.campaign.observed import SIGNAL
from benchmarks.witness import HOST, LINE, Gauge, Speaker, Witness, descriptors
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import Settings as TwitchSettings
from livechat.simulator.youtube import Settings, YouTubeSimulator
from tests.support.daemon import Daemon, start_daemon

reactor: Any = _reactor
T = TypeVar("T")

#: Messages per second in the witness's channel.
RATES: Final = {"twitch": 50, "youtube": 10}

#: Seconds for which the last messages of the witness are waited for.
TAIL: Final = 30.0


class Answers(Resource):
    """The simulated platforms over HTTP; a case may answer in their place.

    :ivar instead: given a request and what would be answered (None: something unusual), what is.
    """

    isLeaf = True

    def __init__(self, inner: Resource) -> None:
        super().__init__()
        self.instead: Callable[[Request, bytes | None], Any] | None = None
        self._inner = inner

    def render(self, request: Request) -> Any:
        """Answer, or let the case do so."""
        if self.instead is not None:
            # What is damaged must not be packed first.
            request.requestHeaders.removeHeader(b"accept-encoding")
        body = getChildForRequest(self._inner, request).render(request)
        if self.instead is None:
            return body
        return self.instead(request, body if isinstance(body, bytes) else None)


class _QuietSite(Site):
    """A site that logs no request."""

    def log(self, request: Request) -> None:
        """Log nothing."""


class Scene:
    """A running daemon and what is around it.

    :ivar port: of the daemon.
    :ivar random: seeded with the seed and the name of the case.
    :ivar is_open: whether everything has been started.
    :ivar is_spoiled: whether a case broke off, so that what it began may still be going on.
    """

    def __init__(self, seed: int, workers: ProcessPoolExecutor, bounds: Bounds) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.bounds = bounds
        self.said_elsewhere = 0
        self.is_open = self.is_spoiled = False
        self._workers = workers

    async def open(self, case: Case) -> None:
        """Start everything as a case wants it."""
        self.is_open, self.is_spoiled = True, False
        quiet = Scenario(1, 0.0)
        # Whoever may ask more of the platforms may join more channels, too.
        joins = TwitchSettings() if case.budgets == 1 else TwitchSettings(join_limit=0)
        self.twitch = TwitchSimulator(reactor, time.time, quiet, joins)
        self.tiktok = TikTokSimulator(reactor, time.time, quiet)
        self.youtube = YouTubeSimulator(reactor, time.time, quiet, Settings(timeout_ms=1000))
        self.answers = Answers(resources(self.twitch, self.tiktok, self.youtube))
        self._ports = [self.listen(self.twitch), self.listen(_QuietSite(self.answers))]
        irc, http = (port.getHost().port for port in self._ports)
        base = f"http://{HOST}:{http}"
        self.options = (
            f"--twitch-irc=tcp:{HOST}:{irc}",
            f"--twitch-gql-url={base}/twitch/gql",
            f"--youtube-url={base}/youtube",
            f"--tiktok-url={base}/tiktok",
            f"--tiktok-webcast-url={base}/tiktok",
            f"--tiktok-socket-url=ws://{HOST}:{http}/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
            "--linger=0",
            *case.options,
        )
        self._counts = Path(tempfile.mkdtemp()) / "counts"
        command: tuple[str, ...] = ("livechat",)
        if case.is_observed:
            command = ("benchmarks.campaign.observed", str(self._counts), str(case.budgets))
        self.daemon: Daemon = start_daemon(reactor, *self.options, command=command)
        await self.daemon.listening
        self.port = self.daemon.port
        self.witness: Witness = await deferToThread(Witness, self.port, case.witness)
        await deferToThread(self.witness.subscribe)
        self._listening = Thread(target=self.witness.listen, daemon=True)
        self._listening.start()
        rate = RATES[case.witness]
        if case.witness == "twitch":
            self.speaker = Speaker.on_twitch(self.twitch, rate)
        else:
            self.speaker = Speaker.on_youtube(self.youtube, rate)

    @staticmethod
    def listen(factory: Any) -> Any:
        """A free port for a server of this process."""
        return reactor.listenTCP(0, factory, interface=HOST, backlog=4096)

    async def close(self) -> None:
        """End everything."""
        self.is_open = False
        self.witness.close()
        self.daemon.kill()
        await self.daemon.ended
        self.twitch.close()
        self.tiktok.drop()
        for port in self._ports:
            await port.stopListening()

    # What cases use.

    async def apart(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run a function in a process of attackers."""
        future = self._workers.submit(work, *arguments)
        done: T = await deferToThread(future.result)
        return done

    def begin(self, work: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """The same, beside what else is done."""
        begun = Deferred.fromCoroutine(self.apart(work, *arguments))

        def failed(reason: Failure) -> Any:
            # Of a case that broke off nobody waits for this any more.
            return reason if self.is_open and not self.is_spoiled else None

        return begun.addErrback(failed)

    def say(self, channel: str, text: str) -> None:
        """Somebody writes in another channel of the simulated Twitch."""
        self.said_elsewhere += 1
        line = LINE.format(number=10**9 + self.said_elsewhere, channel=channel, text=text)
        self.twitch.say(channel, line.encode())

    async def until(self, what: Callable[[], Any], seconds: float = 30.0) -> bool:
        """Wait for something to become true; whether it did in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            result = what()
            if hasattr(result, "__await__"):
                result = await result
            if result:
                return True
            await pause(0.05)
        return False

    async def health(self) -> dict[str, Any]:
        """What `/health` says."""
        text = await deferToThread(_get, f"http://{HOST}:{self.port}/health")
        answer: dict[str, Any] = msgspec.json.decode(text)
        return answer

    async def metrics(self) -> str:
        """What `/metrics` says."""
        text: bytes = await deferToThread(_get, f"http://{HOST}:{self.port}/metrics")
        return text.decode()

    def descriptors(self) -> int:
        """How many files and connections the daemon has open."""
        return descriptors(self.daemon)

    async def counts(self) -> dict[str, int]:
        """Timers, readers and objects of an observed daemon, by class."""
        self._counts.unlink(missing_ok=True)
        process: Any = self.daemon.transport
        os.kill(process.pid, SIGNAL)
        await self.until(self._counts.exists)
        found: dict[str, int] = msgspec.json.decode(self._counts.read_bytes())
        return found

    # Playing a case.

    async def play(self, case: Case, amount: int) -> Result:
        """Play a case, and say what came of it."""
        self.random = Random(f"{self.seed} {case.name}")
        logged = len(self.daemon.log)
        first = self.speaker.said
        gauge = Gauge(self.daemon)
        looking = Thread(target=gauge.look, daemon=True)
        self.speaker.start()
        await pause(self.bounds.around)
        gauge.before = gauge.peak = self.daemon.rss()
        looking.start()
        begun = time.monotonic()
        problems: list[str] = []
        try:
            running = Deferred.fromCoroutine(case.run(self, amount))
            count = await running.addTimeout(case.limit, reactor)
        except Exception as error:
            self.is_spoiled = True
            count = Count(amount, 0)
            problems.append(f"{type(error).__name__}: {error}")
        seconds = time.monotonic() - begun
        gauge.stop()
        await deferToThread(looking.join)
        # Who was attacked up to now is still served.
        await pause(self.bounds.around)
        self.speaker.stop()
        said = self.speaker.said
        await self.until(lambda: len(self.witness.order) >= said, TAIL)
        order = [number for number in self.witness.order if number > first]
        lost = said - first - len(set(order))
        if order != sorted(set(order)):
            problems.append("the witness got messages twice or out of order")
        allowed = gauge.before // 10 + case.memory
        grown = await self._settled(gauge.before, allowed)
        if self.daemon.ended.called:
            problems.append("the daemon has ended")
        if lost:
            problems.append(f"the witness lost {lost}")
        if count.survived != count.tried:
            problems.append(f"{count.tried - count.survived} did not survive")
        if grown > allowed:
            problems.append("memory has grown")
        if (gauge.failed and not case.halted) or gauge.slowest > self.bounds.health + case.halted:
            problems.append(f"/health failed {gauge.failed}, slowest {gauge.slowest:.1f} s")
        if "Traceback" in self.daemon.log[logged:]:
            problems.append("a traceback in the log")
        peak = gauge.peak - gauge.before
        return Result(
            case, count, said - first, lost, grown, peak, gauge.slowest, seconds, tuple(problems)
        )

    async def _settled(self, before: int, allowed: int) -> int:
        """How much memory has grown, when it has come back or had time to do so."""
        await self.until(lambda: self.daemon.rss() - before <= allowed, self.bounds.settle)
        return self.daemon.rss() - before


def pause(seconds: float) -> Any:
    """Wait."""
    return deferLater(reactor, seconds)


async def timed(work: Awaitable[Any]) -> float:
    """How many seconds something takes."""
    begun = time.monotonic()
    await work
    return time.monotonic() - begun


def _get(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        body: bytes = answer.read()
    return body
