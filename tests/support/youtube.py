# SPDX-License-Identifier: MIT
"""YouTube on a wire in memory to a simulator whose chats are silent but for what the test says."""

from __future__ import annotations

from itertools import count
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.ports import IWatcher, Located, Recovery, Requester
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo
from livechat.platforms.youtube.platform import YouTube
from livechat.platforms.youtube.settings import YouTubeSettings
from livechat.simulator.scenario import Scenario
from livechat.simulator.youtube import Settings, YouTubeSimulator
from livechat.simulator.youtube_site import YouTubeSite
from tests.support.context import context_on

_numbers = count(1)


def text_item(text: str, micros: int, item_id: str = "") -> dict[str, Any]:
    """An InnerTube action that adds somebody's message."""
    item = {
        "id": item_id or f"item-{next(_numbers)}",
        "timestampUsec": str(micros),
        "authorExternalChannelId": "UC0000000000000000000000",
        "authorName": {"simpleText": "@ann"},
        "message": {"runs": [{"text": text}]},
    }
    return {"addChatItemAction": {"item": {"liveChatTextMessageRenderer": item}}}


class KeptEvents:
    """A sink that keeps what it hears, a word each, and as the core does nothing twice."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self.heard: list[str] = []
        self.events: list[Event] = []
        self.received_until: float | None = None
        self.recoveries: list[Recovery] = []
        self.infos: list[LiveInfo] = []

    def queued(self) -> None:
        """The start waits for its turn."""
        self.heard.append("queued")

    def received(self, events: Any) -> None:
        """Messages by their text, other events by their kind."""
        assert events
        for event in events:
            chat = isinstance(event, ChatMessage)
            name = event.message_id if chat else f"{event.type} {event.event_id}"
            if name not in self._ids:
                self._ids.add(name)
                self.events.append(event)
                self.heard.append(event.data.content.raw if chat else event.type)

    def recovered(self, recovery: Recovery) -> None:
        """What the platform gave of the time before."""
        self.recoveries.append(recovery)

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """The upstream was lost."""
        self.heard.append("interrupted")

    def resumed(self, info: LiveInfo) -> None:
        """It is back."""
        self.heard.append("resumed")
        self.infos.append(info)

    def ended(self, error: ChatError) -> None:
        """It is over."""
        self.heard.append(f"ended {error.code} {error.details}")

    def take(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


class YouTubeCase(SynchronousTestCase):
    """YouTube and its simulator."""

    settings = YouTubeSettings(viewers_every=0.0)
    simulated = Settings()
    rate = 0.0

    def setUp(self) -> None:
        """Nobody is watched."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.simulator = YouTubeSimulator(
            self.clock, self.clock.seconds, Scenario(1, self.rate), self.simulated
        )
        self.http = StubTreq(YouTubeSite(self.simulator))
        self.metrics = Metrics()
        self.youtube = YouTube(context_on(self.clock, self.http, self.metrics), self.settings)
        self.youtube.startService()
        self.starts: list[Deferred[LiveInfo]] = []

    def tearDown(self) -> None:
        """Whatever happened: a stopped platform leaves nothing on the clock."""
        self.youtube.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        for started in self.starts:
            started.addErrback(lambda reason: reason.trap(CancelledError) and None)
        hosts = {host for _, _, host in self.simulator.asked}
        self.assertLessEqual(hosts, {"www.youtube.com"}, "a foreign host was asked")

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass in small steps, carrying answers after each."""
        left = seconds
        while True:
            self.clock.advance(0)
            self.clock.advance(min(step, left))
            self.http.flush()
            left -= step
            if left <= 0:
                break
        for _ in range(3):
            self.clock.advance(0)

    def start(
        self, identifier: str, kind: str = "username", requester: Requester | None = None
    ) -> tuple[IWatcher, KeptEvents, Deferred[LiveInfo]]:
        """Begin to watch a channel or video."""
        sink = KeptEvents()
        located = Located(self.youtube.key(identifier, kind))
        watcher = self.youtube.watch(located, sink, requester or Requester())  # type: ignore[arg-type]
        started = watcher.start()
        self.starts.append(started)
        return watcher, sink, started

    def watched(
        self, identifier: str = "ann", kind: str = "username"
    ) -> tuple[IWatcher, KeptEvents]:
        """A chat that has started."""
        watcher, sink, started = self.start(identifier, kind)
        self.run_for(0.5)
        self.successResultOf(started)
        sink.take()
        return watcher, sink

    def say(self, text: str, name: str = "ann", item_id: str = "", ago: float = 0.0) -> None:
        """Somebody writes, or wrote some seconds ago."""
        micros = int((self.clock.seconds() - ago) * 1e6)
        self.simulator.say(name, text_item(text, micros, item_id))

    def failed(self, started: Deferred[LiveInfo]) -> ChatError:
        """The coded error that a start failed with."""
        error = self.failureResultOf(started, ChatError).value
        assert isinstance(error, ChatError)
        return error

    def asked(self, beginning: str = "/") -> list[str]:
        """Paths that were asked for since the last time and begin so."""
        paths = [path for _, path, _ in self.simulator.asked if path.startswith(beginning)]
        self.simulator.asked.clear()
        return paths
