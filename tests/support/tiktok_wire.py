# SPDX-License-Identifier: MIT
"""TikTok on a wire in memory: the platform, the simulated TikTok, a clock, and a sink."""

from __future__ import annotations

from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import Request
from twisted.web.server import Site

from livechat.core.ports import IWatcher, Located, Recovery, Requester
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo
from livechat.platforms.tiktok.platform import TikTok
from livechat.platforms.tiktok.settings import TikTokSettings
from livechat.simulator.actions import Author, Say
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.tiktok_site import TikTokSite
from livechat.simulator.twitch import TwitchSimulator
from tests.support.context import context_on
from tests.support.wire import InMemoryEndpoint, pass_time

#: Where the simulated TikTok is; the host is also the one that its signer names.
BASE = "http://tiktok.test/tiktok"
SOCKET = "ws://tiktok.test/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/"

SETTINGS = TikTokSettings(url=BASE, webcast_url=BASE, socket_url=SOCKET)


class KeptEvents:
    """A sink that keeps what it hears, one line each."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.events: list[Event] = []
        self.received_until: float | None = None
        self.recoveries: list[Recovery] = []
        self.infos: list[LiveInfo] = []
        self.reasons: list[str] = []
        self.sinces: list[float | None] = []
        self.errors: list[ChatError] = []

    def queued(self) -> None:
        """The start waits for its turn."""
        self.heard.append("queued")

    def received(self, events: Any) -> None:
        """Comments by their text, other events by their kind."""
        self.events += events
        for event in events:
            text = isinstance(event, ChatMessage) and event.data.content.raw
            self.heard.append(text or event.type)

    def recovered(self, recovery: Recovery) -> None:
        """What the platform gave of the time before."""
        self.recoveries.append(recovery)

    def given(self) -> list[tuple[list[str], str]]:
        """What the platform gave of the time before, since the last time: texts, and how much."""
        recoveries, self.recoveries = self.recoveries, []
        return [
            (
                [e.data.content.raw if isinstance(e, ChatMessage) else e.type for e in one.events],
                one.extent,
            )
            for one in recoveries
        ]

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """The feed was lost."""
        self.reasons.append(reason)
        self.sinces.append(since)
        self.heard.append("interrupted")

    def resumed(self, info: LiveInfo) -> None:
        """It is back."""
        self.infos.append(info)
        self.heard.append("resumed")

    def ended(self, error: ChatError) -> None:
        """It is over."""
        self.errors.append(error)
        self.heard.append(f"ended {error.code} {error.details}")

    def take(self) -> list[str]:
        """What was heard since the last time, without what every room says now and then."""
        heard, self.heard = self.heard, []
        return [one for one in heard if one not in ("viewers", "notice", "stream")]


def say(text: str, number: int = 1, user: int = 7) -> Say:
    """A comment; the same number is the same message."""
    author = Author(user, f"user{user}", f"User {user}")
    return Say(id=f"00000000-0000-4000-8000-{number:012d}"[::-1], author=author, text=(text,))


class QuietSite(Site):
    """A site that does not log every request."""

    def log(self, request: Request) -> None:
        """Say nothing."""


class TikTokCase(SynchronousTestCase):
    """TikTok on a wire to a simulator whose rooms are silent but for what the test says."""

    settings = SETTINGS
    scenario = Scenario(1, 0.0)
    recording: Any = None

    def setUp(self) -> None:
        """Nothing connected."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.simulator = TikTokSimulator(
            self.clock, self.clock.seconds, self.scenario, self.recording
        )
        twitch = TwitchSimulator(self.clock, self.clock.seconds, self.scenario)
        root = resources(twitch, self.simulator)
        site = root.children[b"tiktok"]
        assert isinstance(site, TikTokSite)
        self.site = site
        server = QuietSite(root, reactor=self.clock, timeout=None)
        self.endpoint = InMemoryEndpoint(server)
        self.http: Any = StubTreq(root)
        self.asked_for: list[tuple[str, int, bool]] = []
        self.metrics = Metrics()
        self.tapped: list[tuple[str, str, bytes]] = []
        self.starts: list[Deferred[LiveInfo]] = []
        self.tiktok = self.platform(self.settings)
        self.tiktok.startService()

    def platform(self, settings: TikTokSettings) -> TikTok:
        """The platform, not yet started."""
        return TikTok(
            context_on(self.clock, self.http, self.metrics, connect=self.connect, tap=self.tap),
            settings,
        )

    def tap(self, platform: str, channel: str, data: bytes) -> None:
        """What the platform was sent, as it came."""
        self.tapped.append((platform, channel, data))

    def connect(self, host: str, port: int, tls: bool) -> InMemoryEndpoint:
        """The only server there is, whoever is wanted."""
        self.asked_for.append((host, port, tls))
        return self.endpoint

    def tearDown(self) -> None:
        """Whatever happened: a stopped platform leaves nothing on the clock and no connection."""
        self.tiktok.stopService()
        for started in self.starts:
            started.addErrback(lambda reason: reason.trap(CancelledError) and None)
        self.run_for(0)
        self.assertEqual(self.simulator.sockets, [])
        self.simulator.drop()
        self.run_for(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass in small steps, carrying bytes and answers after each."""
        pass_time(self.clock, self._carry, seconds, step)

    def _carry(self) -> None:
        for _ in range(3):
            self.http.flush()
            self.endpoint.flush()

    def start(
        self, handle: str, requester: Requester | None = None, until: float | None = None
    ) -> tuple[IWatcher, KeptEvents, Deferred[LiveInfo]]:
        """Begin to watch an account.

        :param until: up to when its chat is known.
        """
        sink = KeptEvents()
        sink.received_until = until
        located = Located(self.tiktok.key(handle, "username"))
        watcher = self.tiktok.watch(located, sink, requester or Requester())  # type: ignore[arg-type]
        started = watcher.start()
        self.starts.append(started)
        return watcher, sink, started

    def watching(self, handle: str) -> tuple[IWatcher, KeptEvents]:
        """Watch an account whose room has been entered."""
        watcher, sink, started = self.start(handle)
        self.run_for(1)
        self.assertIs(self.successResultOf(started).receiving, True)
        sink.take()
        return watcher, sink

    def failed(self, started: Deferred[LiveInfo]) -> tuple[str, str | None]:
        """Code and details of a start that has failed."""
        reason = self.failureResultOf(started, ChatError).value
        assert isinstance(reason, ChatError)
        return reason.code, reason.details

    def unparsed(self) -> dict[str, float]:
        """What was counted as unread, by kind."""
        return {
            sample.labels["kind"]: sample.value
            for metric in self.metrics.unparsed.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }
