# SPDX-License-Identifier: MIT
"""The providers of emotes on a wire to their simulator, on a fake clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from zope.interface import implementer

from livechat.metrics import Metrics
from livechat.platforms.emotes.providers import Address, Providers
from livechat.platforms.enrichment.dictionary import EMPTY, Dictionary
from livechat.platforms.enrichment.ports import IRoom
from livechat.platforms.enrichment.rooms import Rooms
from livechat.platforms.steps import Steps
from livechat.simulator.emotes import EmoteSimulator, EmoteSite
from tests.support.context import context_on
from tests.support.tiktok_wire import QuietSite
from tests.support.wire import InMemoryEndpoint, pass_time

ADDRESSES = (
    Address("7tv", "http://sim.test/emotes/7tv", "ws://sim.test/emotes/7tv/events"),
    Address("bttv", "http://sim.test/emotes/bttv", "ws://sim.test/emotes/bttv/socket"),
    Address("ffz", "http://sim.test/emotes/ffz"),
)

#: Ids of channels.
ANN, BEN = "12345678", "23456789"
YOUTUBE = "UCabcdefghijklmnopqrstuv"


@implementer(IRoom)
class KeptRoom:
    """A room that keeps what was put into it.

    :ivar puts: how often something was.
    """

    def __init__(self, platform: str, room_id: str) -> None:
        self.platform = platform
        self.room_id = room_id
        self.by_source: dict[str, Dictionary] = {}
        self.puts = 0

    def put(self, source: str, dictionary: Dictionary) -> None:
        """See `IRoom`."""
        self.puts += 1
        self.by_source[source] = dictionary


class EmoteCase(SynchronousTestCase):
    """All three providers, and rooms of Twitch and YouTube."""

    addresses: Sequence[Address] = ADDRESSES

    def setUp(self) -> None:
        """Nothing asked yet."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.metrics = Metrics()
        self.simulator = EmoteSimulator(self.clock)
        root = Resource()
        root.putChild(b"emotes", EmoteSite(self.simulator))
        self.http: Any = StubTreq(root)
        self.endpoint = InMemoryEndpoint(QuietSite(root, reactor=self.clock, timeout=None))
        self.asked_for: list[tuple[str, int, bool]] = []
        self.providers = Providers(
            context_on(self.clock, self.http, self.metrics, connect=self.connect), self.addresses
        )
        self.providers.startService()
        steps = Steps(self.clock, self.metrics, "test")
        self.twitch = Rooms("twitch", self.providers.sources, steps)
        self.youtube = Rooms("youtube", self.providers.sources, steps)

    def connect(self, host: str, port: int, tls: bool) -> InMemoryEndpoint:
        """The only server there is, whoever is wanted."""
        self.asked_for.append((host, port, tls))
        return self.endpoint

    def tearDown(self) -> None:
        """Whatever happened: nothing is left on the clock, and no connection."""
        self.providers.stopService()
        self.run_for(0)
        self.assertEqual(self.simulator.sockets, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.value("livechat_failures_total", part="7tv"), 0)

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass in small steps, carrying bytes and answers after each."""
        pass_time(self.clock, self._carry, seconds, step)

    def _carry(self) -> None:
        self.endpoint.flush()
        self.http.flush()
        self.endpoint.flush()

    def value(self, name: str, **labels: str) -> float:
        """A series of the metrics; 0 if it does not exist yet."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def fetched(self, provider: str, outcome: str) -> float:
        """Requests to a provider with an outcome."""
        return self.value("livechat_emote_fetches_total", provider=provider, outcome=outcome)

    def asked(self, part: str = "") -> list[str]:
        """The paths that were asked for, those that have this in them."""
        return [path for path in self.simulator.asked if part in path]

    def words(self, room: Any) -> dict[str, str]:
        """The words of a room, by whose they are."""
        emotes = room.dictionary.emotes
        return {word: str(emotes[word].metadata.provider) for word in sorted(emotes)}

    def nothing_known(self, room: Any) -> None:
        """A room has no emotes."""
        self.assertEqual(room.dictionary.emotes, EMPTY.emotes)
