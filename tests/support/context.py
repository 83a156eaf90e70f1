# SPDX-License-Identifier: MIT
"""What a platform gets in tests: a fake clock, a stub of HTTP, endpoints in memory."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.interfaces import IStreamClientEndpoint

from livechat.metrics import Metrics
from livechat.platforms.description import PlatformContext


def context_on(
    clock: Any,
    http: Any,
    metrics: Metrics,
    endpoint: IStreamClientEndpoint | None = None,
    connect: Any = None,
    **more: Any,
) -> PlatformContext:
    """A context in which wall time is the clock's.

    :param endpoint: where every endpoint string leads.
    :param connect: where every socket leads.
    """

    def lead_there(description: str) -> IStreamClientEndpoint:
        assert endpoint is not None, f"nobody listens on {description}"
        return endpoint

    return PlatformContext(
        clock=clock,
        now=clock.seconds,
        random=Random(7),
        http=http,
        connect=connect,
        endpoint=lead_there,
        metrics=metrics,
        **more,
    )
