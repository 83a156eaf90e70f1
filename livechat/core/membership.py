# SPDX-License-Identifier: MIT
"""The port to the broker: which node watches the upstream of a channel, and what all are told.

The node that leads a channel numbers and publishes; the others follow.  What a node does when its
part changes is in `livechat.core.roles`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from livechat.core.clients import Place
from livechat.core.publication import Publication
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, LiveInfo

# zope.interface methods have no self, and the plugin reads them as such.
# mypy: disable-error-code="no-untyped-def"

Why = Literal["first", "handed", "failover", "again"]


class Start(Struct, frozen=True):
    """Where a leader begins to number.

    :ivar epoch: 1 to 16 of `[0-9a-z]`; numbers of different epochs have no common order.
    :ivar seq: the highest number that is not to be given any more in this epoch; 0 for none.
    :ivar until: the latest time that a publication of this epoch bears, ISO 8601 UTC; where there
        is none, when the chat was received first; empty: it never was.
    :ivar room_id: the room that the newest publication names; empty for none.
    :ivar why: `first`: nobody led, or all had left.  `handed`: the former leader has handed the
        channel over to this member, which was prepared.  `failover`: the former leader is gone,
        and what it received last may not have reached anybody; said to a member that leads
        already, another one has led meanwhile.  `again`: this member leads already and its upstream
        goes on; only the numbers are others.
    :ivar node: the name of the node that leads, for a member that follows; empty: not known.
    """

    epoch: str
    seq: int
    until: str = ""
    room_id: str = ""
    why: Why = "first"
    node: str = ""


class Live(Struct, frozen=True):
    """The chat flows."""

    info: LiveInfo


class Interrupted(Struct, frozen=True):
    """The upstream was lost and is being sought again."""

    reason: str


class Failed(Struct, frozen=True):
    """The chat could not be started; the channel is gone."""

    error: ChatError


class Ended(Struct, frozen=True):
    """The chat is over; the channel is gone."""

    error: ChatError


#: What the leader of a channel tells all members about its upstream.
ChannelState = Live | Interrupted | Failed | Ended


class IMember(Interface):
    """A node's part in one channel, as the broker sees it.

    Each of these may be said at any time; what means nothing in the member's present role is
    ignored.
    """

    def lead(start: Start) -> None:
        """This member is the one to watch the upstream, from now on.

        Before it is `handed` a channel it is given everything that was published.
        """

    def follow(start: Start) -> None:
        """Another member watches the upstream; what it publishes and tells will be received.

        A member that has led stops its upstream at once, and publishes nothing more.

        :param start: what was published last.
        """

    def prepare() -> None:
        """Watch the upstream too, and publish nothing: the leader wants to hand the channel over.

        Answered by `prepared` or `unprepared`.  It ends with `lead` or `follow`.
        """

    def hold() -> None:
        """Publish nothing for a moment: the channel is being handed over.

        It ends with `follow`, or with `resume_publishing`.
        """

    def resume_publishing() -> None:
        """The channel was not handed over: publish what was held, and go on."""

    def doubted() -> None:
        """Whether this member still leads is being asked.

        It publishes nothing for less than a second, and then goes on for its own subscribers.  It
        ends with `settled`, `lead` or `follow`.
        """

    def settled() -> None:
        """This member has led all the time."""

    def published(publications: Sequence[Publication]) -> None:
        """What the leader published, in order; the leader receives it, too.

        A member is given what was published before it joined, as far as that is kept and it does
        not have it, before it is told its role.
        """

    def missed(start: Start) -> None:
        """What this member has not got of what was published up to there is nowhere any more."""

    def told(state: ChannelState) -> None:
        """What the leader told, in order with what it published; the leader receives it, too.

        A member that joins while another leads is told the present state after `follow`.
        """

    def waits(reason: str) -> None:
        """Nobody can say yet who leads; repeated every ten seconds."""


class IMembership(Interface):
    """What a member may do in its channel."""

    certain: bool = Attribute(
        "Whether this member, if it leads, certainly still does.  Read before each publishing."
    )

    lag: int = Attribute(
        "How many publications have not gone where they are to go, as far as is known here: a"
        " leader's to the other nodes, another one's to this member."
    )

    def publish(publications: Sequence[Publication]) -> None:
        """Hand publications to every member, this one included, at once; only the leader does so.

        A leader in doubt publishes to the members on its own node; the others receive that when it
        has led all the time.
        """

    def tell(state: ChannelState) -> None:
        """Hand a state to every member, this one included; only the leader does so."""

    def look() -> None:
        """Find out whether this member still leads, as that is not certain."""

    def prepared() -> None:
        """The upstream flows beside that of the leader; what it brings is held."""

    def unprepared() -> None:
        """It does not, or does not any more: this member cannot take the channel over now."""

    def release() -> Deferred[None]:
        """Hand the channel over to another member, if there is any.

        This member takes part as before, meanwhile and afterwards.

        :return: fires when it does not lead any more, or nobody takes the channel; never fails.
            Cancelling it takes the wish back.
        """

    def leave(stop: Callable[[], Deferred[None]]) -> Deferred[None]:
        """Have no part in the channel any more; idempotent.  The member hears nothing after it.

        :param stop: stops the upstream of a leader.  The broker calls it, once; it may do so after
            another member has taken over.
        :return: fires when another member may lead, at most `LEAVE_TIMEOUT` seconds after the call;
            never fails.
        """


#: The reason of the interruption while another member takes over.
HAND_OVER: Final = "HAND_OVER"

#: Seconds after which a member that leaves is gone, whether its upstream has stopped or not.
LEAVE_TIMEOUT = 5.0


class IBroker(Interface):
    """Sees to it that each channel has one watcher, whose publications reach all members."""

    invited: Callable[[ChannelKey], None] = Attribute(
        "Called when another node wants to hand over a channel that has no member here: to be set"
        " to what makes one join."
    )

    health: Mapping[str, object] = Attribute("What `/health` says about the broker, by key.")

    def join(key: ChannelKey, member: IMember, have: Place | None = None) -> IMembership:
        """Take part in a channel.  The member is told its role later, never during this call.

        :param have: the place of what this node has received last of the channel, if it is kept.
        """

    def recall(key: ChannelKey) -> Deferred[Place | None]:
        """Bring the history of this node up to date for a channel in which it has no part.

        :return: what was published last; None: this node has a part in the channel, or nothing is
            known that it does not know; never fails.
        """

    def drain(seconds: float) -> Deferred[int]:
        """Hand over every channel that this node leads, and lead none any more.

        :return: fires after at most so many seconds with the number of channels that nobody has
            taken; never fails.
        """
