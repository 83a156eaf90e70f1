# SPDX-License-Identifier: MIT
"""What the daemon counts about itself: the names, and that they stay few."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from livechat.metrics import MAX_NAMES, UPSTREAM_STATES, Metrics


class MetricsTests(SynchronousTestCase):
    """One daemon's counters and gauges."""

    def setUp(self) -> None:
        """Metrics in which nothing was counted."""
        self.metrics = Metrics()

    def unparsed(self) -> dict[tuple[str, str], float]:
        """What was counted as unparsed, by platform and kind."""
        return {
            (sample.labels["platform"], sample.labels["kind"]): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "livechat_unparsed_total"
        }

    def exposed(self) -> dict[str, float]:
        """Every value of the exposition, by name and labels, read by the library's parser."""
        return {
            f"{sample.name}{sorted(sample.labels.items())}": sample.value
            for family in text_string_to_metric_families(self.metrics.exposition().decode())
            for sample in family.samples
            if not sample.name.endswith("_created")
            and not sample.name.startswith(
                ("process_", "livechat_event_loop_lag", "livechat_write_latency")
            )
        }

    def test_names(self) -> None:
        """These are the series that dashboards are built on, with their kinds and labels."""
        counted = {
            (family.name, family.type, getattr(self.metrics, name)._labelnames)
            for name in vars(self.metrics)
            if name not in ("registry", "_series")
            for family in getattr(self.metrics, name).collect()
        }
        self.assertEqual(
            counted,
            {
                ("livechat_messages", "counter", ("platform",)),
                ("livechat_events", "counter", ("platform",)),
                ("livechat_duplicates", "counter", ("platform",)),
                ("livechat_unparsed", "counter", ("platform", "kind")),
                ("livechat_ignored", "counter", ("platform", "kind")),
                ("livechat_failures", "counter", ("part",)),
                ("livechat_starts", "counter", ("platform", "outcome")),
                ("livechat_looks", "counter", ("platform", "outcome")),
                ("livechat_remembered_failures", "counter", ("platform",)),
                ("livechat_budget_waiting", "gauge", ("platform", "kind")),
                ("livechat_budget_left", "gauge", ("platform", "kind")),
                ("livechat_budget_taken", "counter", ("platform", "kind")),
                ("livechat_interruptions", "counter", ("platform",)),
                ("livechat_upstream_connects", "counter", ("platform",)),
                ("livechat_deliveries", "counter", ()),
                ("livechat_commands", "counter", ("outcome",)),
                ("livechat_closed", "counter", ("reason",)),
                ("livechat_refused_upgrades", "counter", ("status", "reason")),
                ("livechat_log_lines_left_out", "counter", ()),
                ("livechat_event_loop_lag_seconds", "histogram", ()),
                ("livechat_write_latency_seconds", "histogram", ()),
                ("livechat_sent_bytes", "counter", ()),
                ("livechat_clients", "gauge", ()),
                ("livechat_channels", "gauge", ()),
                ("livechat_waiting", "gauge", ()),
            },
        )

    def test_exposition(self) -> None:
        """What was counted can be read in the text format."""
        self.metrics.messages.labels("twitch").inc(3)
        self.metrics.deliveries.inc(7)
        self.metrics.clients.inc()
        self.metrics.clients.inc()
        self.metrics.clients.dec()
        self.metrics.count_unparsed("youtube", "newRenderer", 2)
        self.assertEqual(
            self.exposed(),
            {
                "livechat_messages_total[('platform', 'twitch')]": 3.0,
                "livechat_unparsed_total[('kind', 'newRenderer'), ('platform', 'youtube')]": 2.0,
                "livechat_deliveries_total[]": 7.0,
                "livechat_sent_bytes_total[]": 0.0,
                "livechat_log_lines_left_out_total[]": 0.0,
                "livechat_clients[]": 1.0,
                "livechat_channels[]": 0.0,
                "livechat_waiting[]": 0.0,
            },
        )

    def test_daemons_apart(self) -> None:
        """Two daemons in one process count each for itself."""
        other = Metrics()
        other.deliveries.inc(5)
        self.assertEqual(self.metrics.registry.get_sample_value("livechat_deliveries_total"), 0.0)
        self.assertEqual(other.registry.get_sample_value("livechat_deliveries_total"), 5.0)

    def test_upstreams(self) -> None:
        """Every platform has every state, also that which nothing is in."""
        self.metrics.watch_upstreams(lambda: {("twitch", "blocked"): 2}, ["twitch", "youtube"])
        exposed = self.exposed()
        for platform in ("twitch", "youtube"):
            for state in UPSTREAM_STATES:
                labels = [("platform", platform), ("state", state)]
                is_counted = (platform, state) == ("twitch", "blocked")
                self.assertEqual(exposed[f"livechat_upstreams{labels}"], 2.0 * is_counted)

    def test_unparsed(self) -> None:
        """Unknown things are counted by platform and name, one by one or several at once."""
        self.metrics.count_unparsed("twitch", "line")
        self.metrics.count_unparsed("twitch", "line", 4)
        self.metrics.count_unparsed("tiktok", "line")
        self.metrics.count_unparsed("twitch", "")
        self.assertEqual(
            self.unparsed(), {("twitch", "line"): 5.0, ("tiktok", "line"): 1.0, ("twitch", ""): 1.0}
        )

    def test_long_names(self) -> None:
        """A name is cut at 128 characters."""
        self.metrics.count_unparsed("twitch", "x" * 1000)
        self.metrics.count_unparsed("twitch", "x" * 128)
        self.assertEqual(self.unparsed(), {("twitch", "x" * 128): 2.0})

    def test_names_without_end(self) -> None:
        """A hostile upstream makes a bounded number of series; nothing goes uncounted."""
        for number in range(5000):
            self.metrics.count_unparsed("youtube", f"kind{number}")
        counts = self.unparsed()
        self.assertEqual(len(counts), MAX_NAMES + 1)
        self.assertEqual(counts["youtube", "other"], 5000 - MAX_NAMES)
        self.assertEqual(sum(counts.values()), 5000)
        # Names that were known before keep their own series, and other platforms get theirs.
        self.metrics.count_unparsed("youtube", "kind0")
        self.metrics.count_unparsed("twitch", "new")
        self.metrics.count_unparsed("twitch", "newer")
        counts = self.unparsed()
        self.assertEqual(counts["youtube", "kind0"], 2.0)
        self.assertEqual((counts["twitch", "new"], counts["twitch", "newer"]), (1.0, 1.0))
        self.assertEqual(len(counts), MAX_NAMES + 3)

    def test_odd_names(self) -> None:
        """Names with markup, quotes, line ends or invisible characters survive the format."""
        names = ['"', "\\", "a\nb", "a b", "{}", "é😀", "\x1b[31m", "<b>", "\u202e", "a,b=c"]
        for name in names:
            self.metrics.count_unparsed("youtube", name)
        exposed = self.exposed()
        for name in names:
            labels = [("kind", name), ("platform", "youtube")]
            self.assertEqual(exposed[f"livechat_unparsed_total{labels}"], 1.0)

    def test_half_characters(self) -> None:
        """A name that UTF-8 cannot hold is counted and costs nobody the exposition."""
        self.metrics.count_unparsed("youtube", "\ud83d renderer")
        self.metrics.count_unparsed("youtube", "x" * 63 + "\ud83d\ude00")
        self.assertEqual(sum(self.unparsed().values()), 2.0)
        self.assertIn(b"livechat_unparsed_total{", self.metrics.exposition())
