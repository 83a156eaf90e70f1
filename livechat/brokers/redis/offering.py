# SPDX-License-Identifier: MIT
"""A leader that wants to go looks for an heir: the node that leads least, if it can.

leader                         other nodes
  | offer (topic of the channel) ->  |  followers of it
  | or draining (topic of all)   ->  |  all
  | <- candidate, how many it leads  |
  | prepare                      ->  |  the best one: starts an upstream, and holds what that brings
  | <- ready, or not able            |  (then the next best)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall

from livechat.brokers.redis.messages import Prepare, Ready
from livechat.brokers.redis.node import Node
from livechat.model.events import ChannelKey

#: Seconds in which candidates answer; the best of those is chosen, sooner where all have answered.
GATHER: Final = 0.05

#: Seconds that an heir may take until its upstream flows; then the next one is asked.
PATIENCE: Final = 15.0


class Offering:
    """One channel that its leader wants to hand over.

    :param ready: called when an heir is ready.
    :param promised: to whom this node has promised how many channels lately.
    :ivar heir: node and generation of the one that was chosen; empty for none.
    """

    def __init__(
        self,
        node: Node,
        key: ChannelKey,
        ready: Callable[[], None],
        promised: dict[str, int],
    ) -> None:
        self._node = node
        self._key = key
        self._ready = ready
        self._promised = promised
        self._candidates: dict[str, int] = {}
        self._tried: set[str] = set()
        self._timer: IDelayedCall | None = None
        self._asked = 0
        self.heir = ""

    def begin(self) -> None:
        """Look for an heir among those who come forward soon."""
        self.heir = ""
        self._asked = 0
        self._tried.clear()
        self._wait(GATHER, self._choose)

    def asked(self, nodes: int) -> None:
        """So many nodes may come forward: when they all have, nobody else is waited for."""
        self._asked = nodes
        self._look()

    def end(self) -> None:
        """Look for none any more."""
        self._wait(0, None)
        self._candidates.clear()
        self.heir = ""

    def candidate(self, leader: str, led: int) -> None:
        """A node would take the channel."""
        self._candidates[leader] = led
        if not self.heir and self._timer is None:
            self._wait(GATHER, self._choose)
        self._look()

    def answered(self, message: Ready) -> None:
        """The heir is ready, or cannot be."""
        if message.leader != self.heir:
            return
        self._wait(0, None)
        if message.able:
            # What the upstream has sent meanwhile may lie beside this: it is read first, as the
            # heir does not have what was said before its own upstream flowed.
            self._wait(0, self._is_ready)
        else:
            self.failed()

    def failed(self) -> None:
        """The heir will not lead: the next one is asked."""
        self._candidates.pop(self.heir, None)
        self.heir = ""
        self._choose()

    def _look(self) -> None:
        if not self.heir and 0 < self._asked <= len(self._candidates):
            self._choose()

    def _is_ready(self) -> None:
        self._timer = None
        self._ready()

    def _choose(self) -> None:
        self._wait(0, None)
        left = [leader for leader in self._candidates if leader not in self._tried]
        if not left:
            self.heir = ""
            return
        self.heir = min(
            left, key=lambda one: (self._candidates[one] + self._promised.get(one, 0), one)
        )
        self._tried.add(self.heir)
        self._promised[self.heir] = self._promised.get(self.heir, 0) + 1
        key = self._key
        message = Prepare(key.platform, key.identifier_type, key.identifier, self._node.lease.me)
        self._node.say_to(self.heir, message)
        self._wait(PATIENCE, self.failed)

    def _wait(self, seconds: float, then: Callable[[], None] | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if then is not None:
            self._timer = self._node.clock.callLater(seconds, then)
