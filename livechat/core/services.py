# SPDX-License-Identifier: MIT
"""What all channels of a node share."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field
from twisted.internet.interfaces import IReactorTime

from livechat.core.channel_log import ChannelLog
from livechat.core.ports import IBroker, IHistory, IStatsStore
from livechat.core.recent_ids import LeftIds
from livechat.core.turns import Turns
from livechat.fair import Demand
from livechat.metrics import Metrics


class Services(Struct, frozen=True):
    """What all channels of a node share.

    :ivar now: wall time in seconds.
    :ivar history: what the channels have published.
    :ivar turns: of those who are given what was published before.
    :ivar stats_limit: how many users a statistics message names.
    :ivar coalesce: shortest time from one write to a group of subscribers to the next, in seconds.
    :ivar node: the name of this node.
    :ivar demand: how much the clients ask for, which platforms are told, too.
    :ivar left: what was published last in channels that this node has led.
    """

    clock: IReactorTime
    now: Callable[[], float]
    broker: IBroker
    history: IHistory
    store: IStatsStore
    metrics: Metrics
    log: ChannelLog
    turns: Turns
    stats_limit: int
    coalesce: float
    node: Callable[[], str] = lambda: ""
    demand: Demand = field(default_factory=Demand)
    left: LeftIds = field(default_factory=LeftIds)
