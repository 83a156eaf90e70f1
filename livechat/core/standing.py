# SPDX-License-Identifier: MIT
"""What a subscriber is told of how its channel stands, and of what has changed."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livechat.core.ports import Start
from livechat.core.subscription import Subscription
from livechat.model.events import LiveInfo
from livechat.protocol.messages import Status

#: The reasons of interruptions while another node takes over, and while the broker is away.
FAILOVER: Final = "FAILOVER"
BROKER: Final = "BROKER"

#: Why the upstream is lost, if it is, and what is known of the stream.
Standing = tuple[str | None, LiveInfo]


def standing(
    subscription: Subscription, now: Standing, last: Start, recovered: bool | UnsetType = UNSET
) -> list[Status]:
    """How the channel stands, for one subscriber.

    :param last: the place of what was published last.
    :param recovered: False: publications are missing that nobody has any more.
    """
    reason, info = now
    if reason is None:
        return subscription.started(info, last, recovered)
    return [subscription.reconnecting(reason)]


def news(
    subscription: Subscription,
    before: Standing,
    now: Standing,
    last: Start,
    recovered: bool | UnsetType = UNSET,
) -> list[Status]:
    """What one subscriber is told that knew the channel otherwise.

    :param before: how the channel stood as far as it knew.
    """
    known, lives = before[1].lives, now[1].lives
    ended = [subscription.ended(one) for one in known if one not in lives]
    if now[0] is not None or before[0] is not None or set(known) == set(lives):
        return [*ended, *standing(subscription, now, last, recovered)]
    begun = tuple(one for one in lives if one not in known)
    if not begun:
        return ended
    return [*ended, *subscription.started(replace(now[1], lives=begun), last)]
