# SPDX-License-Identifier: MIT
"""Starts that wait for their turn: how many are under way, who is next, who is told so."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.ports import Requester
from livechat.core.start_queue import AT_ONCE, LONGEST, RESERVE, StartQueue
from livechat.fair import Demand
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.twitch.limits import JOINS


def key_of(name: str) -> ChannelKey:
    """A channel."""
    return ChannelKey("twitch", "username", name)


class StartQueueTests(SynchronousTestCase):
    """Starts of one platform, as the test says that they are over."""

    def setUp(self) -> None:
        """Nobody has asked."""
        self.clock = Clock()
        self.demand = Demand()
        self.begun: list[str] = []
        self.told: list[tuple[float, str]] = []
        self.seen: list[int] = []
        self.fails_at_once = False
        self.queue = StartQueue(
            self.clock,
            self.demand,
            self.begin,
            lambda key: self.told.append((self.clock.seconds(), key.identifier)),
        )

    def put(self, name: str, address: str = "192.0.2.1", connection: int = 1) -> None:
        """A start is asked for."""
        self.queue.put(key_of(name), Requester(address, connection))

    def flood(self, amount: int) -> None:
        """One client asks for much."""
        for number in range(amount):
            self.put(f"flood{number}")

    def test_at_once(self) -> None:
        """So many begin at once; each of the others when one of those is over, in order."""
        self.flood(AT_ONCE + 3)
        self.clock.advance(0)
        self.assertEqual((len(self.begun), len(self.queue)), (AT_ONCE, 3))
        self.queue.over(key_of("flood5"))
        self.queue.over(key_of("flood5"))
        self.clock.advance(0)
        self.assertEqual(self.begun[AT_ONCE:], [f"flood{AT_ONCE}"])
        self.assertEqual(len(self.queue), 2)

    def test_reserve(self) -> None:
        """Who asks for one chat begins at once beside those who ask for many, within a bound."""
        self.flood(2 * AT_ONCE)
        for number in range(RESERVE + 5):
            self.put(f"one{number}", f"198.51.100.{number}", 100 + number)
        self.clock.advance(0)
        light = [name for name in self.begun if name.startswith("one")]
        self.assertEqual(len(light), RESERVE)
        self.assertEqual(len(self.queue), AT_ONCE + 5)

    def test_many_in_one_breath(self) -> None:
        """The first chats of somebody who asks for many at once are not taken for all it wants."""
        self.flood(AT_ONCE)
        for number in range(32):
            self.put(f"many{number}", "192.0.2.2", 2)
        self.clock.advance(0)
        self.assertEqual(len(self.begun), AT_ONCE)

    def test_given_up(self) -> None:
        """Who gives up while it waits never begins; when all have gone nothing is left."""
        self.flood(AT_ONCE + 10)
        for number in range(AT_ONCE, AT_ONCE + 10):
            self.queue.over(key_of(f"flood{number}"))
        for number in range(AT_ONCE):
            self.queue.over(key_of(f"flood{number}"))
        self.assertEqual((len(self.begun), len(self.queue)), (AT_ONCE, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.demand.of_address("192.0.2.1"), 0)
        self.assertEqual(self.demand.of_connection(1), 0)

    def test_told(self) -> None:
        """Who waits is told after two seconds and then every ten, whenever it came."""
        self.flood(AT_ONCE)
        self.put("early")
        self.clock.advance(5)
        self.put("late")
        self.clock.pump([0.5] * 40)
        self.assertEqual([when for when, name in self.told if name == "early"], [5.0, 15.0, 25.0])
        self.assertEqual([when for when, name in self.told if name == "late"], [7.0, 17.0])

    def test_told_on_time(self) -> None:
        """Thousands are told in parts, so that the event loop serves others between."""
        self.flood(AT_ONCE + 1000)
        self.clock.callLater(2.0, self.look, self.told)
        self.clock.advance(2.0)
        self.assertEqual(len(self.told), 1000)
        self.assertGreater(len(self.seen), 10)

    def test_start_that_does_not_end(self) -> None:
        """A start that is never over makes room for others after a while."""
        self.flood(2 * AT_ONCE)
        self.clock.advance(LONGEST)
        self.clock.pump([0.0] * 20)
        self.assertEqual(len(self.begun), 2 * AT_ONCE)

    def test_over_at_once(self) -> None:
        """Starts that fail at once are begun a few at a time."""
        self.flood(AT_ONCE)
        self.fails_at_once = True
        for number in range(500):
            self.put(f"failing{number}")
        for number in range(AT_ONCE):
            self.queue.over(key_of(f"flood{number}"))
        self.clock.callLater(0, self.look, self.begun)
        self.clock.advance(0)
        self.assertEqual((len(self.begun), len(self.queue)), (AT_ONCE + 500, 0))
        self.assertGreater(len(self.seen), 10)

    def begin(self, key: ChannelKey) -> None:
        """A start begins, and fails if it is to."""
        self.begun.append(key.identifier)
        if self.fails_at_once:
            self.queue.over(key)

    def look(self, grows: Sequence[object]) -> None:
        """Note in each turn of the event loop how much there is, until it grows no more."""
        if not self.seen or len(grows) > self.seen[-1]:
            self.seen.append(len(grows))
            self.clock.callLater(0, self.look, grows)


class NewcomerTests(SynchronousTestCase):
    """A hundred addresses ask for thirty-two chats each, and newcomers for one, as on Twitch."""

    def setUp(self) -> None:
        """A start takes a join, within the limit of Twitch."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.demand = Demand()
        self.joins = Budget(self.clock, JOINS, self.metrics, "twitch", "joins", demand=self.demand)
        self.queue = StartQueue(self.clock, self.demand, self.begin, lambda key: None)
        self.requesters: dict[ChannelKey, Requester] = {}
        self.started: dict[str, float] = {}

    def put(self, name: str, requester: Requester) -> None:
        """A start is asked for."""
        key = key_of(name)
        self.requesters[key] = requester
        self.queue.put(key, requester)

    def begin(self, key: ChannelKey) -> None:
        """Join the channel."""
        claim = Claim(self.clock, self.requesters[key])

        def joined(_: object) -> None:
            self.started[key.identifier] = self.clock.seconds()
            self.queue.over(key)

        self.joins.wait(claim).addCallback(joined)

    def test_served_within_ten_seconds(self) -> None:
        """Each newcomer has its turn within ten seconds, and the budget is used up all the time."""
        for number in range(100):
            for chat in range(32):
                self.put(f"n{number}x{chat}", Requester(f"192.0.2.{number}", number))
        asked = {}
        for second in range(60):
            if second % 3 == 0:
                name = f"newcomer{second}"
                asked[name] = self.clock.seconds()
                self.put(name, Requester(f"198.51.100.{second}", 1000 + second))
            self.clock.pump([0.25] * 4)
        self.clock.pump([0.25] * 40)
        waited = [self.started[name] - asked[name] for name in asked]
        self.assertLessEqual(max(waited), 10.0)
        self.assertEqual(len(self.started), 9 * (int(self.clock.seconds() / 5.25) + 1))
