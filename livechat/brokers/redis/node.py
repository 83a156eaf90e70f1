# SPDX-License-Identifier: MIT
"""What all shares of one node have in common, and what nodes say to one another."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec import MsgspecError, Struct, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.brokers.redis.claiming import Claims, Patience
from livechat.brokers.redis.lease import Lease
from livechat.brokers.redis.messages import NodeMessage, encode, read_node_message
from livechat.brokers.redis.queue import Queue
from livechat.brokers.redis.reader import Heard
from livechat.core.history import IHistory
from livechat.model.events import ChannelKey
from livechat.redis.link import RedisDown, RedisLink, RedisRefused

_log = Logger()


class Node(Struct, eq=False):
    """What all shares of one node have in common.

    :ivar patience: how it claims now.
    :ivar leading: how many channels it leads.
    :ivar is_draining: whether it is to lead nothing any more.
    :ivar was_chosen: whether it was chosen as the heir of a channel before it took part in it;
        asked once.
    :ivar farewells: leader, term (0: not known) and highest number of channels that were left while
        Redis was away: nobody else leads them before it is told.
    """

    link: RedisLink
    clock: IReactorTime
    now: Callable[[], float]
    random: Random
    lease: Lease
    queue: Queue
    claims: Claims
    history: IHistory
    patience: Callable[[], Patience]
    leading: Callable[[], int]
    is_draining: Callable[[], bool]
    was_chosen: Callable[[ChannelKey], bool] = lambda key: False
    heard: Heard = field(default_factory=Heard)
    farewells: dict[ChannelKey, tuple[str, int, int]] = field(default_factory=dict)

    async def say_farewells(self) -> None:
        """Tell Redis, which is back, what was left meanwhile.

        :raises RedisDown: it is away again.
        """
        while self.farewells:
            key, (leader, term, given) = next(iter(self.farewells.items()))
            try:
                await self.claims.leave(key, leader, term, given)
            except RedisRefused as error:
                _log.warn("{key} could not be left: {error}", key=key, error=str(error))
            del self.farewells[key]

    def say(self, topic: str, message: NodeMessage) -> Deferred[int]:
        """Say something under a topic; answers how many hear it, 0 if that is not known."""
        return Deferred.fromCoroutine(self._say(topic, message))

    async def _say(self, topic: str, message: NodeMessage) -> int:
        try:
            answer = await self.link.ask("PUBLISH", topic, encode(message))
        except (RedisDown, RedisRefused):
            return 0
        return answer if isinstance(answer, int) else 0

    def say_to(self, leader: str, message: NodeMessage) -> Deferred[int]:
        """Say something to a node.

        :param leader: node and generation, as it leads.
        """
        return self.say(self.topic(node_of(leader)), message)

    def topic(self, node: str) -> str:
        """Where a node is told what is for it alone."""
        return self.link.names.topic(f"node:{node}")


def node_of(leader: str) -> str:
    """The name of the node that leads."""
    return leader.rpartition("/")[0]


def read(payload: bytes) -> NodeMessage | None:
    """What was said to a node; None: nothing that is known."""
    try:
        message: NodeMessage = read_node_message(payload)
        return message
    except MsgspecError:
        _log.warn("something was said to this node that it does not understand")
        return None
