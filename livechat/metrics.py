# SPDX-License-Identifier: MIT
"""What the daemon counts about itself, by name (prometheus-client).

No label ever holds a channel or a user: the number of series must be bounded.

Ground floor: imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: Names of unknown things that get a series of their own, for each platform; the rest is counted as
#: `other`, so that a hostile upstream cannot make series without end.
MAX_NAMES = 200

#: Seconds: a turn of the loop should take a few milliseconds.
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

#: Seconds: `--coalesce` alone takes ten milliseconds.
LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters and gauges of one daemon, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.messages = Counter(
            "livechat_messages", "Chat messages received and passed on", ["platform"], registry=r
        )
        self.events = Counter(
            "livechat_events", "Other events received and passed on", ["platform"], registry=r
        )
        self.duplicates = Counter(
            "livechat_duplicates",
            "Items dropped because their id was seen",
            ["platform"],
            registry=r,
        )
        self.unparsed = Counter(
            "livechat_unparsed",
            "Upstream input that could not be read, or is of an unknown kind",
            ["platform", "kind"],
            registry=r,
        )
        self.ignored = Counter(
            "livechat_ignored",
            "Upstream input that is known and left out on purpose",
            ["platform", "kind"],
            registry=r,
        )
        self.failures = Counter(
            "livechat_failures",
            "Steps that failed by a mistake of ours, logged and passed over",
            ["part"],
            registry=r,
        )
        self.starts = Counter(
            "livechat_starts", "Channel starts by outcome", ["platform", "outcome"], registry=r
        )
        self.looks = Counter(
            "livechat_looks",
            "Looks at channels that are waited for, by outcome",
            ["platform", "outcome"],
            registry=r,
        )
        self.interruptions = Counter(
            "livechat_interruptions", "Upstreams lost and sought again", ["platform"], registry=r
        )
        self.connects = Counter(
            "livechat_upstream_connects",
            "Connections opened to a platform",
            ["platform"],
            registry=r,
        )
        self.deliveries = Counter(
            "livechat_deliveries", "Messages handed to subscribers", registry=r
        )
        self.sent = Counter(
            "livechat_sent_bytes", "Bytes handed to the connections of clients", registry=r
        )
        self.write_latency = Histogram(
            "livechat_write_latency_seconds",
            "From when the oldest message was received until it is written to a group of clients",
            buckets=LATENCY_BUCKETS,
            registry=r,
        )
        self.budget_waiting = Gauge(
            "livechat_budget_waiting",
            "Requests to a platform that wait for their turn",
            ["platform", "kind"],
            registry=r,
        )
        self.budget_left = Gauge(
            "livechat_budget_left",
            "Requests to a platform that may begin at this moment",
            ["platform", "kind"],
            registry=r,
        )
        self.budget_taken = Counter(
            "livechat_budget_taken",
            "Requests to a platform that have had their turn",
            ["platform", "kind"],
            registry=r,
        )
        self.remembered = Counter(
            "livechat_remembered_failures",
            "Starts answered by a failure of a moment ago, without a request",
            ["platform"],
            registry=r,
        )
        self.commands = Counter("livechat_commands", "Client commands", ["outcome"], registry=r)
        self.closed = Counter("livechat_closed", "Clients closed by us", ["reason"], registry=r)
        self.refused = Counter(
            "livechat_refused_upgrades",
            "WebSocket upgrades and event streams refused, and why",
            ["status", "reason"],
            registry=r,
        )
        self.log_lines_left_out = Counter(
            "livechat_log_lines_left_out",
            "Log lines beyond the limit of their rate",
            registry=r,
        )
        self.loop_lag = Histogram(
            "livechat_event_loop_lag_seconds",
            "How much later than wanted a timer of the event loop comes",
            buckets=LAG_BUCKETS,
            registry=r,
        )
        self.clients = Gauge("livechat_clients", "Open client connections", registry=r)
        self.channels = Gauge("livechat_channels", "Channels being watched", registry=r)
        self.waiting = Gauge("livechat_waiting", "Channels being waited for", registry=r)
        # What is counted by name: the series, by counter, platform and kind.  A platform has few
        # kinds, and looking a series up by its labels costs more than counting.
        self._series: dict[tuple[Counter, str], dict[str, Counter]] = {}
        # Memory, CPU time and open files of the process: `process_*`.
        ProcessCollector(registry=r)

    def delivered(self, messages: int, size: int) -> None:
        """Count what was handed to subscribers: messages, and the bytes of all of them."""
        self.deliveries.inc(messages)
        self.sent.inc(size)

    def count_unparsed(self, platform: str, kind: str, amount: int = 1) -> None:
        """Count something unknown or unreadable under its own name, as long as names are few.

        Names: `tag NAME`, `NOTICE NAME`, `RENDERER.KEY`, `MESSAGE.FIELDNUMBER`,
        `MESSAGE.FIELD=VALUE`, or a few words for what could not be read.
        """
        self._count(self.unparsed, platform, kind, amount)

    def count_ignored(self, platform: str, kind: str, amount: int = 1) -> None:
        """Count something that is known and left out on purpose."""
        self._count(self.ignored, platform, kind, amount)

    def _count(self, counter: Counter, platform: str, kind: str, amount: int) -> None:
        series = self._series.setdefault((counter, platform), {})
        found = series.get(kind)
        if found is None:
            # Half characters, which an upstream may send, cannot be written out.
            name = kind[:128].encode("utf-8", "replace").decode()
            if name not in series and len(series) >= MAX_NAMES:
                name = "other"
            found = counter.labels(platform, name)
            series[name] = found
        found.inc(amount)

    def describe_build(self, **versions: str) -> None:
        """Add a series that is always 1 and whose labels are versions.

        :param versions: of livechat and of what it runs on.
        """
        build = Gauge("livechat_build_info", "Versions", list(versions), registry=self.registry)
        build.labels(**versions).set(1)

    def watch_pending(self, pending: Callable[[], int]) -> None:
        """Add a gauge of the bytes that wait for clients that do not read fast enough."""
        gauge = Gauge(
            "livechat_pending_bytes",
            "Bytes held for clients that do not read fast enough",
            registry=self.registry,
        )
        gauge.set_function(pending)

    def watch_redis(self, up: Callable[[], bool]) -> Counter:
        """Add a gauge that says whether statistics go to Redis.

        :return: for whoever knows, to count each time that a connection became usable.
        """
        gauge = Gauge(
            "livechat_redis_up", "Whether statistics go to Redis now", registry=self.registry
        )
        gauge.set_function(up)
        return Counter(
            "livechat_redis_connects",
            "Times that a connection to Redis became usable",
            registry=self.registry,
        )

    def watch_broker(self, read: Callable[[], Mapping[str, float]]) -> None:
        """Add what a broker of several nodes counts.

        :param read: the values by the keys of `/health`.
        """
        self.registry.register(_Broker(read))

    def watch_upstreams(
        self, count: Callable[[], Mapping[tuple[str, str], int]], platforms: Iterable[str]
    ) -> None:
        """Add a gauge of upstreams by platform and state (`livechat.core.overview`).

        :param count: how many there are now, by platform and state.
        :param platforms: all of them.
        """
        self.registry.register(_Upstreams(count, list(platforms)))

    def exposition(self) -> bytes:
        """All series in the Prometheus text format."""
        return generate_latest(self.registry)


#: What becomes of an upstream: messages flow; it was lost and is sought again; it waits for its
#: start or a turn; the platform refuses us.
UPSTREAM_STATES = ("connected", "reconnecting", "waiting", "blocked")


#: What a broker of several nodes counts: the key in `/health`, the name of the series, whether it
#: only rises, and what it is.
_BROKER_SERIES = (
    ("listening", "up", False, "Whether this node hears what it says to itself through Redis"),
    ("delay", "delay_seconds", False, "How long what it said to itself through Redis last took"),
    ("lag", "lag", False, "Messages on their way between nodes: the most of any channel"),
    ("leaseLosses", "lease_losses", True, "Times that the lease of this node has run out"),
    ("refused", "refused", True, "Parts that Redis did not take because another node led"),
    ("holesFilled", "holes_filled", True, "Holes in what was heard that were filled from the log"),
    ("holesMissed", "holes_missed", True, "Holes that could not be filled"),
    ("bytesOut", "sent_bytes", True, "Bytes of messages published through Redis"),
    ("bytesIn", "received_bytes", True, "Bytes of messages heard through Redis"),
)


class _Broker(Collector):
    """The series of a broker."""

    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        found = self._read()
        for key, name, rises, text in _BROKER_SERIES:
            kind = CounterMetricFamily if rises else GaugeMetricFamily
            yield kind(f"livechat_broker_{name}", text, value=found[key])


class _Upstreams(Collector):
    """Upstreams by platform and state; those that there are none of are 0."""

    def __init__(
        self, count: Callable[[], Mapping[tuple[str, str], int]], platforms: Iterable[str]
    ) -> None:
        self._count = count
        self._platforms = platforms

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See `Collector`."""
        family = GaugeMetricFamily(
            "livechat_upstreams", "Upstreams of this node", labels=["platform", "state"]
        )
        now = self._count()
        for platform in self._platforms:
            for state in UPSTREAM_STATES:
                family.add_metric([platform, state], now.get((platform, state), 0))
        yield family
