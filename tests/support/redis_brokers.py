# SPDX-License-Identifier: MIT
"""Nodes of a service in this process: brokers that have nothing in common but a real Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random
from typing import Any

from livechat.brokers.redis import layout
from livechat.brokers.redis.broker import RedisBroker
from livechat.history.memory import MemoryHistory
from livechat.redis.address import RedisAddress
from livechat.redis.connection import endpoint_of
from livechat.redis.link import RedisLink
from livechat.redis.names import Names


def _long_ago() -> float:
    """A wall clock that is before all times of made-up messages."""
    return time.time() - 10 * 365 * 86400


def broker(
    reactor: Any,
    url: str,
    node: str,
    *,
    lease: float = 5.0,
    size: int = 500,
    ttl: float = 300.0,
    prefix: str = "livechat",
    database: int = 0,
    fallback: bool = False,
    probes: Sequence[Any] = layout.PROBES,
    seed: str = "",
) -> RedisBroker:
    """A broker with a link and a history of its own, not yet started."""
    address = RedisAddress.parse(url.replace("/0", f"/{database}"))
    link = RedisLink(
        address,
        endpoint_of(reactor, address),
        reactor,
        Random(node),
        probes,
        layout.LONGEST_REPLY,
        Names(prefix, address.db),
    )
    return RedisBroker(
        link,
        reactor,
        _long_ago,
        time.monotonic,
        Random(seed or node),
        MemoryHistory(reactor, size, ttl),
        node,
        seconds=lease,
        size=size,
        ttl=ttl,
        fallback=fallback,
        start_timeout=30.0,
    )
