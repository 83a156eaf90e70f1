# SPDX-License-Identifier: MIT
"""What nodes may share: where statistics are kept, and the broker, as an operator chooses."""

from __future__ import annotations

import time
from functools import partial
from random import SystemRandom
from typing import Any

from twisted.application.service import Service

from livechat.brokers.local import LocalBroker
from livechat.core.ports import IBroker, IHistory, IStatsStore
from livechat.metrics import Metrics
from livechat.options import Settings
from livechat.redis.address import RedisAddress
from livechat.statistics.memory import MemoryStats


def shared(
    reactor: Any, settings: Settings, metrics: Metrics, history: IHistory, node: str
) -> tuple[IStatsStore, IBroker, list[Service]]:
    """Where statistics are kept, the broker, and the services behind them.

    :param node: the name of this node.
    """
    random = SystemRandom()
    local = LocalBroker(reactor, time.time, random, settings.history_ttl)
    if not settings.needs_redis:
        return MemoryStats(settings.stats_users, time.time), local, []
    # Importing these installs a reactor; here it is installed already.
    from livechat.brokers.redis import layout  # noqa: PLC0415
    from livechat.brokers.redis.broker import RedisBroker  # noqa: PLC0415
    from livechat.redis.connection import endpoint_of  # noqa: PLC0415
    from livechat.redis.link import RedisLink  # noqa: PLC0415
    from livechat.redis.names import Names  # noqa: PLC0415
    from livechat.statistics.redis_layout import PROBES, longest_reply  # noqa: PLC0415
    from livechat.statistics.redis_stats import RedisStats  # noqa: PLC0415

    address = RedisAddress.parse(settings.redis_url)
    is_shared = settings.broker == "redis"
    link = RedisLink(
        address,
        endpoint_of(reactor, address),
        reactor,
        random,
        (*PROBES, *(layout.PROBES if is_shared else ())),
        max(longest_reply(settings.stats_users), layout.LONGEST_REPLY if is_shared else 0),
        Names(settings.redis_prefix, address.db),
    )
    store = RedisStats(
        link, reactor, time.time, f"{random.getrandbits(64):016x}", settings.stats_users
    )
    connects = metrics.watch_redis(lambda: store.storage_type == "redis")
    link.watch(lambda: connects.inc(int(link.up)))
    if not is_shared:
        return store, local, [store]
    broker = RedisBroker(
        link,
        reactor,
        time.time,
        partial(time.clock_gettime, time.CLOCK_BOOTTIME),
        random,
        history,
        node,
        seconds=settings.lease,
        size=settings.history_size,
        ttl=settings.history_ttl,
        fallback=settings.broker_fallback == "local",
        start_timeout=settings.start_timeout,
    )
    metrics.watch_broker(lambda: broker.counts)
    return store, broker, [store, broker]
