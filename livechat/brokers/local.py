# SPDX-License-Identifier: MIT
"""The broker within one process."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from livechat.core.ports import IBroker, IMember, IMembership
from livechat.model.events import ChannelKey


class _Topic(Struct):
    """The members of one channel in order of arrival, and the one that was told to lead."""

    members: list[_LocalMembership]
    leader: _LocalMembership | None = None


@implementer(IMembership)
class _LocalMembership:
    """One member's part in a channel of this process."""

    def __init__(self, broker: LocalBroker, key: ChannelKey, member: IMember) -> None:
        self._broker = broker
        self._key = key
        self.member = member

    def publish(self, publications: Sequence[tuple[str, bytes]]) -> None:
        """See `IMembership`."""
        self._broker.carry(self._key, publications)

    def leave(self) -> None:
        """See `IMembership`."""
        self._broker.left(self._key, self)


@implementer(IBroker)
class LocalBroker:
    """The broker of a single node: a plain call through.

    A channel that is subscribed anew while its previous life still stops joins behind it and leads
    when that has left, so that there is never a second upstream.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._topics: dict[ChannelKey, _Topic] = {}

    def join(self, key: ChannelKey, member: IMember) -> IMembership:
        """See `IBroker`."""
        membership = _LocalMembership(self, key, member)
        topic = self._topics.setdefault(key, _Topic([]))
        topic.members.append(membership)
        self._clock.callLater(0, self._tell_role, key, membership)
        return membership

    def carry(self, key: ChannelKey, publications: Sequence[tuple[str, bytes]]) -> None:
        """Hand publications to every member of a channel."""
        topic = self._topics.get(key)
        if topic is None:
            return
        for membership in tuple(topic.members):
            # Whoever was told before may have made this one leave.
            if membership in topic.members:
                membership.member.published(publications)

    def left(self, key: ChannelKey, membership: _LocalMembership) -> None:
        """Take a member out; if it led, the next in line leads."""
        topic = self._topics.get(key)
        if topic is None or membership not in topic.members:
            return
        topic.members.remove(membership)
        if not topic.members:
            del self._topics[key]
        elif topic.leader is membership:
            topic.leader = None
            self._clock.callLater(0, self._appoint, key)

    def _tell_role(self, key: ChannelKey, membership: _LocalMembership) -> None:
        self._appoint(key)
        topic = self._topics.get(key)
        if topic is not None and membership in topic.members and topic.leader is not membership:
            membership.member.follow()

    def _appoint(self, key: ChannelKey) -> None:
        """See to it that the channel has a leader: the first in line."""
        topic = self._topics.get(key)
        if topic is not None and topic.leader is None:
            topic.leader = topic.members[0]
            topic.leader.member.lead()
