# SPDX-License-Identifier: MIT
"""The metrics and the channels of several processes as those of one (pure).

What is counted is added up, and so is what there is of something.  What is a limit, a state or a
moment is taken from the process that is worst off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from msgspec import json
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

#: By the end of a name: how the values of several processes become one, where they are not added.
_TAKEN: Final[Sequence[tuple[str, Callable[[float, float], float]]]] = (
    ("_info", max),
    ("_up", min),
    ("_left", min),
    ("_start_time_seconds", min),
    ("_max_fds", min),
    ("_delay_seconds", max),
    ("_lag", max),
)

_decode: Final = json.Decoder(dict[str, Any]).decode


def united(bodies: Iterable[bytes]) -> bytes:
    """What operators see of the channels of several nodes, each as JSON, as one answer.

    A channel stands there once for each node that holds it.

    :param bodies: of nodes that are called NAME/1, NAME/2, ...; at least one.
    :raises msgspec.DecodeError: one of them is no such answer.
    """
    overviews = sorted((_decode(body) for body in bodies), key=itemgetter("node"))
    name, _, _ = overviews[0]["node"].rpartition("/")
    channels = [channel for one in overviews for channel in one["channels"]]
    return json.encode({"node": name, "channels": channels})


def merged(texts: Iterable[bytes]) -> bytes:
    """The metrics of several processes, each as Prometheus text, as one text.

    :raises ValueError: one of them is no Prometheus text.
    """
    families: dict[str, Metric] = {}
    for text in texts:
        for family in text_string_to_metric_families(text.decode()):
            known = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            known.samples.extend(family.samples)
    registry = CollectorRegistry()
    registry.register(_Families([_added(family) for family in families.values()]))
    return generate_latest(registry)


class _Families(Collector):
    """Families that are there already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        return iter(self._families)


def _added(family: Metric) -> Metric:
    """A family with one sample for each series."""
    join = next((join for end, join in _TAKEN if family.name.endswith(end)), float.__add__)
    values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for sample in family.samples:
        series = sample.name, tuple(sample.labels.items())
        value = float(sample.value)
        values[series] = join(values[series], value) if series in values else value
    added = Metric(family.name, family.documentation, family.type)
    for (name, labels), value in values.items():
        added.add_sample(name, dict(labels), value)
    return added
