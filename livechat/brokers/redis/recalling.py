# SPDX-License-Identifier: MIT
"""What other nodes have published of a channel in which this node has no part, for who asks for it.

Nothing is claimed and nobody is told; what was read is kept in the history of this node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import MsgspecError

from livechat.brokers.redis.messages import Batch
from livechat.brokers.redis.node import Node
from livechat.core.clients import Place
from livechat.core.publication import age
from livechat.model.events import ChannelKey
from livechat.redis.link import RedisDown, RedisRefused


async def recall(node: Node, key: ChannelKey, takes_part: Callable[[], bool]) -> Place | None:
    """Bring the history of this node up to date.

    :param takes_part: whether this node has a part in the channel by now, which fills its history.
    :return: what was published last, as Redis knows; None: it knows nothing, or cannot be asked.
    """
    try:
        place = await node.claims.order(key)
        if place is not None:
            await _read(node, place, takes_part)
    except (RedisDown, RedisRefused, MsgspecError, ValueError):
        return None
    return None if takes_part() else place


async def _read(node: Node, place: Place, takes_part: Callable[[], bool]) -> None:
    after, last = -1, _known(node, place)
    # An answer has a largest size.
    while after < last < place.seq:
        after = last
        entries = await node.claims.read(place.key, place.epoch, after)
        if takes_part():
            return
        _keep(node, place, entries)
        last = max((one.seq for entry in entries for one in entry.items), default=after)


def _keep(node: Node, place: Place, entries: Sequence[Batch]) -> None:
    """Keep what is new: somebody else may have asked meanwhile."""
    last = _known(node, place)
    for entry in entries:
        if publications := entry.publications(last):
            if entry.previous > last:
                node.history.broke(Place(place.key, place.epoch, entry.previous))
            node.history.append(place.key, publications, age(publications[-1], node.now()))
            last = publications[-1].seq


def _known(node: Node, place: Place) -> int:
    """The number of what this node has last of an order."""
    have = node.history.latest(place.key)
    return have.seq if have is not None and have.epoch == place.epoch else 0
