# SPDX-License-Identifier: MIT
"""What is counted of Hermes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from livechat.metrics import Metrics


class HermesCounts:
    """Made once for a daemon.

    :ivar connections: open connections.
    :ivar subscriptions: channels of which something is told at present.
    :ivar refused: subscriptions that were refused.
    :ivar pushes: what was told, by kind: `stream-up`, `stream-down`, `viewcount`, `commercial`.
    """

    def __init__(self, metrics: Metrics) -> None:
        r = metrics.registry
        self.connections = Gauge(
            "livechat_twitch_push_connections", "Open connections to Hermes", registry=r
        )
        self.subscriptions = Gauge(
            "livechat_twitch_push_subscriptions",
            "Channels of which Hermes tells when they go live",
            registry=r,
        )
        self.refused = Counter(
            "livechat_twitch_push_refused",
            "Subscriptions that Hermes has refused",
            registry=r,
        )
        self.pushes = Counter(
            "livechat_twitch_pushes", "What Hermes has told, by kind", ["kind"], registry=r
        )
