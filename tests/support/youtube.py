# SPDX-License-Identifier: MIT
"""YouTube on a wire in memory to a simulator whose chats are silent but for what the test says."""

from __future__ import annotations

from collections.abc import Sequence
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
from livechat.model.events import Event, LiveInfo, item_of, seconds_of
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
    """A sink that keeps what it hears, a word each, and as the core does nothing twice.

    :ivar received_until: the newest time of what was published before.
    :ivar recoveries: what the platform gave afterwards of times without messages.
    :ivar losses: since when they came no more.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._recovered: Sequence[Event] = ()
        self.received_until: float | None = None
        self.recoveries: list[Recovery] = []
        self.losses: list[float | None] = []
        self.heard: list[str] = []
        self.events: list[Event] = []
        self.infos: list[LiveInfo] = []

    def knows(self, before: KeptEvents, events: Sequence[Event] = ()) -> None:
        """Other sinks have published the same chat before, the last one and perhaps more."""
        self._known |= before._known
        self.received_until = max(seconds_of(e.timestamp) for e in events or before.events)

    def knew(self, event: Event) -> bool:
        """Whether it was published before."""
        return item_of(event) in self._known

    def queued(self) -> None:
        """The start waits for its turn."""
        self.heard.append("queued")

    def started(self, info: LiveInfo) -> LiveInfo:
        """The start has succeeded."""
        self._publish_recovered()
        return info

    def recovered(self, recovery: Recovery) -> None:
        """What the platform gave of the time before; published when messages flow."""
        self.recoveries.append(recovery)
        self._recovered = recovery.events

    def received(self, events: Sequence[Event]) -> None:
        """Messages by their text, other events by their kind."""
        assert events
        for event in events:
            name = item_of(event)
            if name not in self._known:
                self._known.add(name)
                self.events.append(event)
                self.heard.append(
                    event.data.content.raw if isinstance(event, ChatMessage) else event.type
                )

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """The upstream was lost."""
        self.losses.append(since)
        self.heard.append("interrupted")

    def resumed(self, info: LiveInfo) -> None:
        """It is back."""
        self._publish_recovered()
        self.heard.append("resumed")
        self.infos.append(info)

    def ended(self, error: ChatError) -> None:
        """It is over."""
        self.heard.append(f"ended {error.code} {error.details}")

    def _publish_recovered(self) -> None:
        events, self._recovered = self._recovered, ()
        if events:
            self.received(events)

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
        watcher, started = self.begin_for(sink, identifier, kind, requester)
        return watcher, sink, started

    def begin_for(
        self,
        sink: KeptEvents,
        identifier: str,
        kind: str = "username",
        requester: Requester | None = None,
    ) -> tuple[IWatcher, Deferred[LiveInfo]]:
        """Begin to watch for a sink."""
        located = Located(self.youtube.key(identifier, kind))
        watcher = self.youtube.watch(located, sink, requester or Requester())  # type: ignore[arg-type]
        started = watcher.start().addCallback(sink.started)
        self.starts.append(started)
        return watcher, started

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
