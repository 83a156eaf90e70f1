# SPDX-License-Identifier: MIT
"""What is counted of the providers of emotes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from livechat.metrics import Metrics


class Counts:
    """Made once for a daemon.

    :ivar fetches: requests, by provider and outcome: `answered`, `absent` (it knows no such
        channel), `limited` (429), `refused` (any other status), `failed` (no complete answer in
        time), `unreadable`.
    :ivar loaded: emotes in the sets that are in use, by provider.
    :ivar changes: changes of sets that were told, by provider.
    :ivar connections: open sockets, by provider.
    """

    def __init__(self, metrics: Metrics) -> None:
        r = metrics.registry
        self.fetches = Counter(
            "livechat_emote_fetches",
            "Requests for sets of emotes by outcome",
            ["provider", "outcome"],
            registry=r,
        )
        self.loaded = Gauge(
            "livechat_emotes_loaded", "Emotes in the sets in use", ["provider"], registry=r
        )
        self.changes = Counter(
            "livechat_emote_changes",
            "Changes of sets of emotes that were told as they happened",
            ["provider"],
            registry=r,
        )
        self.connections = Gauge(
            "livechat_emote_connections",
            "Open sockets that tell of changes of sets of emotes",
            ["provider"],
            registry=r,
        )
