# SPDX-License-Identifier: MIT
"""What nodes say to one another beside the channels: who would lead what, and whether they hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.logger import Logger

from livechat.brokers.redis.messages import Candidate, Draining, Echo, Prepare, Ready
from livechat.brokers.redis.node import Node, read
from livechat.brokers.redis.share import Share
from livechat.brokers.redis.share_states import LEADS
from livechat.model.events import ChannelKey

_log = Logger()

#: Later than any process was started, in milliseconds since 1970.
_LAST: Final = 1 << 53


class Talk:
    """What is said to one node, and what it answers.

    :param shares: its shares by channel; of each channel the first is at its turn.
    :param invited: makes this node take part in a channel.
    :ivar is_heard: whether this node hears itself: publishing and subscribing work.
    :ivar delay: seconds that what it said to itself last took.
    """

    def __init__(
        self,
        node: Node,
        shares: Mapping[ChannelKey, list[Share]],
        invited: Callable[[ChannelKey], None],
    ) -> None:
        self._node = node
        self._shares = shares
        self._invited = invited
        self._chosen: set[ChannelKey] = set()
        self._echoes = self._echoed = 0
        self._echo_at = 0.0
        self._process = f"{node.random.getrandbits(48):012x}"
        self._since = round(node.now() * 1000)
        self.delay = 0.0

    @property
    def is_heard(self) -> bool:
        """See above."""
        link = self._node.link
        works = link.up and link.listening
        return works and self._echoed > 0 and self._echoes - self._echoed <= 2

    @property
    def _all(self) -> list[Share]:
        return [shares[0] for shares in self._shares.values()]

    def echo(self) -> None:
        """Say something to this node itself."""
        self._echoes += 1
        self._echo_at = self._node.clock.seconds()
        # The next process may have begun already under the name of one that is going.
        since = _LAST if self._node.is_draining() else self._since
        echo = Echo(self._echoes, self._process, since)
        self._node.say(self._node.topic(self._node.lease.node), echo)

    def said(self, payload: bytes) -> None:
        """Something was said to this node, or to all."""
        match read(payload):
            case Candidate(channel, leader, led):
                for share in self._all:
                    if channel in ("", share.tag) and share.state in LEADS:
                        share.offering.candidate(leader, led)
            case Prepare() as message:
                self._prepare(message)
            case Ready(channel) as message:
                for share in self._all:
                    if share.tag == channel:
                        share.offering.answered(message)
            case Draining(node):
                if node != self._node.lease.node and not self._node.is_draining():
                    candidate = Candidate("", self._node.lease.me, self._node.leading())
                    self._node.say(self._node.topic(node), candidate)
            case Echo(process=process) as echo if process not in ("", self._process):
                self._meet(echo)
            case Echo(number):
                self._echoed = max(self._echoed, number)
                if number == self._echoes:
                    self.delay = self._node.clock.seconds() - self._echo_at

    def _meet(self, other: Echo) -> None:
        """Another process has the name of this node: the one that was started later changes its."""
        node, lease = self._node, self._node.lease
        if node.is_draining() or (other.since, other.process) > (self._since, self._process):
            return
        before = lease.node
        node.link.ignore(node.topic(before))
        lease.rename(f"{before}~{self._process[:4]}")
        node.link.listen(node.topic(lease.node), self.said)
        _log.error(
            "another node is called {before}, too: this one is {name} from now on; give each a"
            " --node of its own",
            before=before,
            name=lease.node,
        )

    def _prepare(self, message: Prepare) -> None:
        """This node is to be the heir of a channel."""
        key = message.key
        if key in self._shares:
            self._shares[key][0].turn("chosen")
            return
        self._chosen.add(key)
        self._invited(key)
        if key not in self._shares:
            self._chosen.discard(key)

    def was_chosen(self, key: ChannelKey) -> bool:
        """Whether this node was chosen as heir before it took part; asked once."""
        was_chosen = key in self._chosen
        self._chosen.discard(key)
        return was_chosen
