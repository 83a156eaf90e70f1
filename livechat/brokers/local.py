# SPDX-License-Identifier: MIT
"""The broker within one process: plain calls from the leader of a channel to all its members."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from math import inf
from random import Random
from typing import Final

from msgspec import Struct
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from livechat.core.clients import Place
from livechat.core.ports import (
    HAND_OVER,
    LEAVE_TIMEOUT,
    ChannelState,
    IBroker,
    IMember,
    IMembership,
    Interrupted,
    Live,
    Start,
)
from livechat.core.publication import Publication, latest
from livechat.model.events import ChannelKey, iso_time

_log = Logger()

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

#: Characters of an epoch: enough that two are never equal by chance.
_EPOCH_LENGTH: Final = 10

_EPOCHS: Final = len(_DIGITS) ** _EPOCH_LENGTH


class _Topic(Struct):
    """One channel.

    :ivar members: in order of arrival.
    :ivar leader: the one that was told to lead, also while its upstream stops.
    :ivar state: what the leader told last; None before it told anything.
    :ivar seq: the highest number that was published.
    :ivar until: the latest time that a publication bears, or when the chat was received first.
    :ivar room_id: the room that the newest publication names.
    :ivar left: when the last member was gone, in seconds of the clock; its order goes on for a
        while after that.
    """

    epoch: str
    members: list[_LocalMembership]
    leader: _LocalMembership | None = None
    state: ChannelState | None = None
    seq: int = 0
    until: str = ""
    room_id: str = ""
    left: float = inf

    @property
    def start(self) -> Start:
        """What was published last."""
        return Start(self.epoch, self.seq, self.until, self.room_id)


@implementer(IMembership)
class _LocalMembership:
    """One member's part in a channel of this process."""

    def __init__(self, broker: LocalBroker, key: ChannelKey, member: IMember) -> None:
        self._broker = broker
        self._key = key
        self._left: Deferred[None] | None = None
        self.member = member

    certain = True
    lag = 0

    def publish(self, publications: Sequence[Publication]) -> None:
        """See `IMembership`."""
        self._broker.publish(self._key, self, publications)

    def tell(self, state: ChannelState) -> None:
        """See `IMembership`."""
        self._broker.tell(self._key, self, state)

    def look(self) -> None:
        """See `IMembership`: it is certain here."""

    def prepared(self) -> None:
        """See `IMembership`: nobody is asked to prepare."""

    def unprepared(self) -> None:
        """See `IMembership`."""

    def release(self) -> Deferred[None]:
        """See `IMembership`: there is no other node."""
        return succeed(None)

    def leave(self, stop: Callable[[], Deferred[None]]) -> Deferred[None]:
        """See `IMembership`."""
        if self._left is None:
            self._left = self._broker.leave(self._key, self, stop)
        left: Deferred[None] = Deferred()
        self._left.addCallback(left.callback)
        return left


@implementer(IBroker)
class LocalBroker:
    """The broker of a single node.

    The first member of a channel leads.  A channel that is subscribed anew while its previous
    upstream still stops joins behind it and leads when that has stopped, so that there is never a
    second upstream.

    :param now: wall time in seconds.
    :param random: for the names of epochs.
    :param ttl: seconds for which the order of a channel is kept that all have left: who comes back
        within them goes on in it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Random,
        ttl: float = 0.0,
    ) -> None:
        self.invited: Callable[[ChannelKey], None] = _nobody
        self._now = now
        self._clock = clock
        self._random = random
        self._ttl = ttl
        self._topics: dict[ChannelKey, _Topic] = {}
        # Those that all have left, in the order in which that happened.
        self._abandoned: OrderedDict[ChannelKey, _Topic] = OrderedDict()

    @property
    def health(self) -> Mapping[str, object]:
        """See `IBroker`."""
        return {"leading": len(self._topics)}

    def join(self, key: ChannelKey, member: IMember, have: Place | None = None) -> IMembership:
        """See `IBroker`."""
        membership = _LocalMembership(self, key, member)
        self._forget()
        topic = self._topics.get(key)
        if topic is None:
            topic = self._abandoned.pop(key, None) or _Topic(self._new_epoch(), [])
            self._topics[key] = topic
        topic.members.append(membership)
        self._clock.callLater(0, self._tell_role, topic, membership)
        return membership

    def recall(self, key: ChannelKey) -> Deferred[Place | None]:
        """See `IBroker`: there is no other node."""
        return succeed(None)

    def drain(self, seconds: float) -> Deferred[int]:
        """See `IBroker`: there is no other node."""
        return succeed(0)

    def publish(
        self, key: ChannelKey, leader: _LocalMembership, publications: Sequence[Publication]
    ) -> None:
        """Hand publications of the leader to every member of a channel."""
        topic = self._led_by(key, leader)
        if topic is None:
            return
        topic.seq = publications[-1].seq
        topic.until = latest(topic.until, publications)
        topic.room_id = publications[-1].room_id
        for membership in tuple(topic.members):
            # Whoever was called before may have made this one leave.
            if membership in topic.members:
                membership.member.published(publications)

    def tell(self, key: ChannelKey, leader: _LocalMembership, state: ChannelState) -> None:
        """Hand a state of the leader to every member of a channel."""
        topic = self._led_by(key, leader)
        if topic is not None:
            self._tell_all(topic, state)

    def leave(
        self, key: ChannelKey, membership: _LocalMembership, stop: Callable[[], Deferred[None]]
    ) -> Deferred[None]:
        """Take a member out.  If it led, the next in line leads as soon as its upstream stopped."""
        topic = self._topics[key]
        topic.members.remove(membership)
        if topic.leader is not membership:
            if not topic.members and topic.leader is None:
                self._abandon(key)
            return succeed(None)
        if isinstance(topic.state, Live):
            self._tell_all(topic, Interrupted(HAND_OVER))
        stopped = maybeDeferred(stop).addTimeout(LEAVE_TIMEOUT, self._clock)
        stopped.addErrback(
            lambda reason: _log.failure("{key}: the upstream did not stop", reason, key=key)
        )
        return stopped.addCallback(lambda _: self._succeed(key, topic))

    def _led_by(self, key: ChannelKey, membership: _LocalMembership) -> _Topic | None:
        """The topic, if the membership leads it and has not left."""
        topic = self._topics.get(key)
        if topic is None or topic.leader is not membership or membership not in topic.members:
            return None
        return topic

    def _tell_all(self, topic: _Topic, state: ChannelState) -> None:
        topic.state = state
        if isinstance(state, Live) and not topic.until:
            topic.until = iso_time(round(self._now() * 1000))
        for membership in tuple(topic.members):
            if membership in topic.members:
                membership.member.told(state)

    def _succeed(self, key: ChannelKey, topic: _Topic) -> None:
        """The leader is gone: the next in line leads, or the channel is over."""
        topic.leader = None
        if topic.members:
            self._clock.callLater(0, self._appoint, topic)
        else:
            self._abandon(key)

    def _abandon(self, key: ChannelKey) -> None:
        """All have left a channel: its order is kept for those who come back.

        If it was never live nobody has been told of an order.
        """
        topic = self._topics.pop(key)
        if not topic.until:
            return
        topic.state = None
        topic.left = self._clock.seconds()
        self._abandoned[key] = topic
        self._forget()

    def _forget(self) -> None:
        """Forget the channels that all have left long ago."""
        oldest = self._clock.seconds() - self._ttl
        while self._abandoned:
            key, topic = next(iter(self._abandoned.items()))
            if topic.left > oldest:
                return
            del self._abandoned[key]

    def _tell_role(self, topic: _Topic, membership: _LocalMembership) -> None:
        self._appoint(topic)
        if membership in topic.members and topic.leader is not membership:
            membership.member.follow(topic.start)
            if topic.state is not None and membership in topic.members:
                membership.member.told(topic.state)

    def _appoint(self, topic: _Topic) -> None:
        """See to it that the channel has a leader: the first in line."""
        if topic.leader is None and topic.members:
            topic.leader = topic.members[0]
            topic.leader.member.lead(topic.start)

    def _new_epoch(self) -> str:
        number = self._random.randrange(_EPOCHS)
        name = ""
        for _ in range(_EPOCH_LENGTH):
            number, digit = divmod(number, len(_DIGITS))
            name += _DIGITS[digit]
        return name


def _nobody(key: ChannelKey) -> None:
    """Where an invitation goes that nobody reads."""
