# SPDX-License-Identifier: MIT
"""The dashboard and the alert rules speak of series that there are."""

from __future__ import annotations

import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from livechat.metrics import Metrics

PACKAGING = Path(__file__).resolve().parents[1] / "packaging"

#: Written by Prometheus itself.
OTHERS = frozenset({"up"})


def series() -> dict[str, tuple[str, ...]]:
    """The names of all series, with their labels."""
    metrics = Metrics()
    metrics.describe_build(version="1", python="3", twisted="25")
    metrics.watch_pending(int)
    metrics.watch_redis(bool)
    metrics.watch_upstreams(dict, ["twitch"])
    labels: dict[str, tuple[str, ...]] = {}
    for collector, names in metrics.registry._collector_to_names.items():
        for name in names:
            labels[name] = tuple(getattr(collector, "_labelnames", ()))
    # Those of the process, and what is looked up, are known when they are read.
    for family in metrics.registry.collect():
        for sample in family.samples:
            labels[sample.name] = labels.get(sample.name) or tuple(sample.labels)
    return labels


def named(expression: str) -> set[str]:
    """The series that an expression names."""
    plain = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:livechat|process)_[a-z_]+|\bup\b", plain))


class MonitoringCase(SynchronousTestCase):
    """Expressions that are held to the metrics."""

    def check(self, expression: str) -> None:
        """Every series exists, and has the labels by which the expression sums it."""
        known = series()
        found = named(expression)
        self.assertTrue(found, expression)
        self.assertLessEqual(found, known.keys() | OTHERS, expression)
        allowed = {"instance", "le", "job"}.union(*(known.get(name, ()) for name in found))
        for by in re.findall(r"by \(([^)]*)\)", expression):
            self.assertLessEqual(set(by.split(", ")), allowed, expression)
        self.assertEqual(expression.count("("), expression.count(")"), expression)


class DashboardTests(MonitoringCase):
    """The dashboard for Grafana."""

    def test_panels(self) -> None:
        """Each panel has a title, a place of its own and expressions that mean something."""
        dashboard: dict[str, Any] = json.loads((PACKAGING / "grafana/livechat.json").read_text())
        places: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            self.assertTrue(panel["title"])
            places.add((panel["gridPos"]["x"], panel["gridPos"]["y"]))
            for target in panel["targets"]:
                self.check(target["expr"])
        self.assertEqual(len(places), len(dashboard["panels"]))


class PictureTests(SynchronousTestCase):
    """The stand-in for Grafana, a script."""

    def setUp(self) -> None:
        """Load it."""
        path = PACKAGING.parent / "tools" / "draw_dashboard.py"
        spec = spec_from_file_location("draw_dashboard", path)
        assert spec is not None
        assert spec.loader is not None
        self.drawing: Any = module_from_spec(spec)
        spec.loader.exec_module(self.drawing)

    def test_every_panel(self) -> None:
        """Each panel is drawn under its title, with lines and without any."""
        dashboard = json.loads((PACKAGING / "grafana/livechat.json").read_text())
        line = self.drawing.Line("<name>", [(1.0, 0.0), (3.0, 2500.0)])
        for one in dashboard["panels"]:
            drawn = self.drawing.panel(one, [line])
            self.assertIn(f"<h2>{one['title']}</h2>", drawn)
            if one["type"] != "stat":
                self.assertIn("&lt;name&gt;", drawn)
            self.assertIn("No data", self.drawing.panel(one, []))

    def test_figures(self) -> None:
        """Figures have units, and the marks of an axis are round and reach up to the highest."""
        for value, unit, text in (
            (0.25, "s", "250 ms"),
            (2048, "bytes", "2 KiB"),
            (12.34, "cps", "12.3/s"),
            (20000, "short", "20,000"),
        ):
            self.assertEqual(self.drawing.shown(value, unit), text)
        self.assertEqual(self.drawing.ticks(7.0), [0, 2, 4, 6, 8])
        self.assertEqual(self.drawing.ticks(0.0), [0, 1])


class AlertTests(MonitoringCase):
    """The rules for Prometheus."""

    def test_rules(self) -> None:
        """Each rule has an expression that means something, a summary, and what to do."""
        (group,) = yaml.safe_load((PACKAGING / "prometheus/alerts.yml").read_text())["groups"]
        for rule in group["rules"]:
            self.check(rule["expr"])
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
            self.assertEqual(set(rule["annotations"]), {"summary", "what_to_do"})
        names = [rule["alert"] for rule in group["rules"]]
        self.assertEqual(len(set(names)), len(names))
