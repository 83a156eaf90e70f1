# SPDX-License-Identifier: MIT
"""Several processes behind one port: the sum of their metrics, their budgets, their life."""

from __future__ import annotations

from typing import Any

from msgspec import json
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.overview import ChannelView, overview
from livechat.core.ports import Requester
from livechat.fair import Demand
from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Claim, Limit
from livechat.platforms.twitch.limits import JOINS
from livechat.workers.exposition import merged, united
from livechat.workers.messages import Enter, Entered, Leave
from livechat.workers.turns import SharedBudgets, SharedGates


def values(text: bytes) -> dict[tuple[str, str], float]:
    """Every series of an exposition: name and labels."""
    return {
        (sample.name, str(dict(sample.labels))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


class ExpositionTests(SynchronousTestCase):
    """The metrics of several processes as those of one."""

    def one(self, messages: int, clients: int, up: int, lag: float) -> bytes:
        """The metrics of a process."""
        registry = CollectorRegistry()
        counter = Counter("livechat_messages", "Messages", ["platform"], registry=registry)
        counter.labels("twitch").inc(messages)
        Gauge("livechat_clients", "Clients", registry=registry).set(clients)
        Gauge("livechat_redis_up", "Up", registry=registry).set(up)
        info = Gauge("livechat_build_info", "Versions", ["version"], registry=registry)
        info.labels("1.0").set(1)
        left = Gauge("livechat_budget_left", "Left", ["kind"], registry=registry)
        left.labels("joins").set(clients)
        buckets = Histogram("livechat_lag_seconds", "Lag", buckets=(0.1, 1.0), registry=registry)
        buckets.observe(lag)
        return generate_latest(registry)

    def test_channels(self) -> None:
        """Of the channels all are there, by node, each with the node that says so."""
        bodies = [
            overview(f"ann/{number}", [self.view(name) for name in names])
            for number, names in ((2, ("b", "c")), (1, ("a", "b")))
        ]
        found = json.decode(united(bodies))
        self.assertEqual(found["node"], "ann")
        channels = [(one["node"], one["identifier"]) for one in found["channels"]]
        expected = [("ann/1", "a"), ("ann/1", "b"), ("ann/2", "b"), ("ann/2", "c")]
        self.assertEqual(channels, expected)

    @staticmethod
    def view(name: str) -> ChannelView:
        """A channel of a node."""
        return ChannelView(
            platform="twitch", identifier=name, state="live", since="now", subscribers=1
        )

    def test_sum(self) -> None:
        """Counters, gauges and histograms are added; limits and states are the least."""
        text = merged([self.one(3, 5, 1, 0.05), self.one(4, 7, 0, 0.5)])
        found = values(text)
        self.assertEqual(found["livechat_messages_total", "{'platform': 'twitch'}"], 7)
        self.assertEqual(found["livechat_clients", "{}"], 12)
        self.assertEqual(found["livechat_redis_up", "{}"], 0)
        self.assertEqual(found["livechat_build_info", "{'version': '1.0'}"], 1)
        self.assertEqual(found["livechat_budget_left", "{'kind': 'joins'}"], 5)
        self.assertEqual(found["livechat_lag_seconds_bucket", "{'le': '0.1'}"], 1)
        self.assertEqual(found["livechat_lag_seconds_bucket", "{'le': '+Inf'}"], 2)
        self.assertEqual(found["livechat_lag_seconds_count", "{}"], 2)

    def test_alone(self) -> None:
        """The sum of one is that one: every series of the daemon, with its type."""
        metrics = Metrics()
        metrics.describe_build(version="1")
        metrics.messages.labels("twitch").inc(2)
        metrics.count_unparsed("tiktok", 'odd "kind"\n')
        text = metrics.exposition()
        again = merged([text])
        kept = {series: value for series, value in values(text).items() if "cpu" not in series[0]}
        self.assertEqual({series: values(again)[series] for series in kept}, kept)
        types = [line for line in text.decode().splitlines() if line.startswith("# TYPE")]
        self.assertEqual(
            sorted(line for line in again.decode().splitlines() if line.startswith("# TYPE")),
            sorted(types),
        )


class TurnTests(SynchronousTestCase):
    """Two workers and the supervisor's budgets, with links that arrive at once."""

    def setUp(self) -> None:
        """Budgets of two in ten seconds, one at once, and two workers that use them."""
        self.clock = Clock()
        self.shared = SharedBudgets(self.clock)
        self.limit = Limit(2, 10.0, at_once=1)
        self.budgets = [self.worker(index) for index in (1, 2)]

    def worker(self, index: int, demand: Demand | None = None) -> Budget:
        """The budget of one worker.

        :param demand: how much its clients ask for in all.
        """

        def send(message: Any) -> None:
            match message:
                case Enter():
                    self.shared.enter(index, message, answer)
                case Leave():
                    self.shared.leave(index, message)

        def answer(message: Any) -> None:
            if isinstance(message, Entered):
                gates.entered(message)

        gates = SharedGates(send)
        gate = gates.gate("twitch", "joins", self.limit)
        return Budget(self.clock, self.limit, Metrics(), "twitch", "joins", gate, demand)

    def wait(self, worker: int) -> Deferred[None]:
        """A request of a worker."""
        return self.budgets[worker - 1].wait(Claim(self.clock))

    def test_one_budget(self) -> None:
        """Both together begin no more than one process would, and take turns."""
        first, second = self.wait(1), self.wait(2)
        self.successResultOf(first)
        self.assertNoResult(second)
        self.budgets[0].finish()
        self.successResultOf(second)
        self.budgets[1].finish()
        third, fourth = self.wait(1), self.wait(2)
        self.clock.advance(9.9)
        self.assertNoResult(third)
        self.clock.advance(0.2)
        self.successResultOf(third)
        self.assertNoResult(fourth)

    def test_newcomers(self) -> None:
        """Who asks one of three busy workers for one chat is served within ten seconds."""
        self.limit = JOINS
        demands = [Demand() for _ in range(3)]
        budgets = [self.worker(index, demand) for index, demand in enumerate(demands, 1)]
        served: list[float] = []

        def came(_: None, asked: float) -> None:
            served.append(self.clock.seconds() - asked)

        def ask(worker: int, requester: Requester, count: int) -> None:
            for _ in range(count):
                demands[worker].add(requester)
            for _ in range(min(count, 2)):
                turn = budgets[worker].wait(Claim(self.clock, requester))
                if count == 1:
                    turn.addCallback(came, self.clock.seconds())

        for number in range(100):
            ask(number % 3, Requester(f"192.0.2.{number}", number), 32)
        self.clock.pump([0.25] * 20)
        for number in range(20):
            ask(number % 3, Requester(f"198.51.100.{number}", 1000 + number), 1)
            self.clock.pump([0.25] * 8)
        self.clock.pump([0.25] * 40)
        self.assertEqual(len(served), 20)
        self.assertLessEqual(max(served), 10.0)

    def test_a_worker_ends(self) -> None:
        """What a worker had under way, and what it waited for, is the others' again."""
        self.successResultOf(self.wait(1))
        self.wait(1)
        other = self.wait(2)
        self.assertNoResult(other)
        self.shared.gone(1)
        self.successResultOf(other)

    def test_odd_leave(self) -> None:
        """A worker that leaves what it never entered gives nothing back."""
        self.shared.leave(1, Leave("twitch", "joins"))
        self.successResultOf(self.wait(1))
        self.shared.leave(2, Leave("twitch", "joins"))
        self.assertNoResult(self.wait(2))
