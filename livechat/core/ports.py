# SPDX-License-Identifier: MIT
"""The ports of the core.

Everything that varies (platforms, stores, brokers, transports) stands behind one of these.  Each
port has one contract test (`tests/contracts/`) that every implementation runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from livechat.core.clients import IEncoding, ISubscriber, Requester
from livechat.core.history import IHistory, Past
from livechat.core.membership import (
    HAND_OVER,
    LEAVE_TIMEOUT,
    ChannelState,
    Ended,
    Failed,
    IBroker,
    IMember,
    IMembership,
    Interrupted,
    Live,
    Start,
    Why,
)
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, Event, LiveInfo, StatsData, Tally

__all__ = [
    "HAND_OVER",
    "LEAVE_TIMEOUT",
    "ChannelState",
    "Ended",
    "Extent",
    "Failed",
    "IBroker",
    "IEncoding",
    "IEventSink",
    "IHistory",
    "IMember",
    "IMembership",
    "IPlatform",
    "IStatsStore",
    "ISubscriber",
    "IWatcher",
    "Interrupted",
    "Live",
    "Located",
    "LookRate",
    "Past",
    "Recovery",
    "Requester",
    "Start",
    "Why",
]

# zope.interface methods have no self, and the plugin reads them as such.
# mypy: disable-error-code="no-untyped-def"


class Located(Struct, frozen=True):
    """The chat that a client's identifier means at this moment.

    :ivar key: one key for one chat: whatever identifiers resolve to it share one upstream.
    :ivar opening: what the platform learnt on the way and wants back in `watch`; only the platform
        looks into it, and it may be left out.
    """

    key: ChannelKey
    opening: object = None


class LookRate(Struct, frozen=True):
    """How many looks for channels that are waited for a platform bears, over all channels.

    :ivar per_second: begin in a second, at most.
    :ivar at_once: are under way at once, at most.
    :ivar spread_from: where fewer than that in a second are enough, looks are spread over the time
        rather than made together; so many in a second are not.  0: as `per_second`, never spread.
    """

    per_second: float
    at_once: int
    spread_from: float = 0.0


class IPlatform(Interface):
    """A platform whose chats can be watched.  Also an `IService`, started before any watch."""

    name: str = Attribute("What a client calls it in `platform`, for example `twitch`.")
    hosts: frozenset[str] = Attribute("Host names whose URLs are this platform's.")
    looks: LookRate = Attribute("How many calls of `look` it bears.")

    def key(identifier: str, identifier_type: str) -> ChannelKey:
        """The channel that a client means, in canonical form; pure, no I/O.

        :param identifier: as the client sent it: a name, `@name`, id or full URL; any characters.
        :param identifier_type: as the client sent it; `username` when it sent none.
        :raises ChatError: `INVALID_IDENTIFIER`.
        """

    def resolve(
        key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """The chat that a key means now, for example the video that a YouTube handle is live with.

        A platform on which each key is a chat answers at once, with the key as it is.  Passing
        troubles are tried again until the platform's start deadline.

        :param queued: called when this has waited for two seconds for its turn in a budget of the
            platform, and then every ten seconds.
        :return: fails with a `ChatError` (not live, not found, unavailable).  It can be cancelled.
        """

    def all_lives(key: ChannelKey) -> ChannelKey:
        """By which key all lives of a channel are found that may have several at once.

        :return: the same key, where a channel has one live at most; pure.
        """

    def look(key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """Whether a channel is live that is waited for: one cheap look, without a second attempt.

        :param since: until when the channel was not live, in seconds since 1970: what is written
            after that is wanted, where the platform still has it.
        :return: the chat as `resolve` gives it; fails with a `ChatError` as a start would.  It can
            be cancelled.
        """

    def listen(key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """Say when a channel that is waited for seems to have gone live, where that is told.

        It is a hint that makes looks come sooner, and never takes their place.

        :param begun: called with each such hint, though not before this returns.
        :return: stops it; called once.
        """

    def watch(located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """A watcher of one chat, not yet started."""


class IWatcher(Interface):
    """One upstream, from start to stop."""

    trouble: str = Attribute(
        "Why no messages flow: `QUEUED`, it waits for a turn in a budget; else what went wrong"
        " last.  Empty while they flow, and as long as nothing is wrong."
    )

    def start() -> Deferred[LiveInfo]:
        """Begin to watch; called once.

        Passing troubles are tried again until the platform's start deadline.  The sink hears
        nothing but `queued` and `recovered` before the result has fired.

        :return: fires when messages flow.  Fails with a `ChatError` (not live, not found,
            unavailable); the watcher is then finished.  Cancelling it stops the watcher.
        """

    def stop() -> Deferred[None]:
        """Cancel everything and leave; idempotent, also before and during `start`.

        The sink hears nothing after this call.  Never fails.
        """


Extent = Literal["all", "latest", "some"]


class Recovery(Struct, frozen=True):
    """What a platform gave afterwards of a time in which its chat was not received.

    :ivar events: oldest first, with their own times.  They may repeat what was published before,
        which is recognised.
    :ivar extent: `all`: everything that was written in that time.  `latest`: what was written last,
        without a hole up to now; it is everything if it reaches back to what was published before.
        `some`: there may be holes.
    """

    events: Sequence[Event]
    extent: Extent


class IEventSink(Interface):
    """Where a watcher reports to."""

    received_until: float | None = Attribute(
        "The time, in seconds since 1970, that the newest message bears that was published in this"
        " chat's present order, or when it was watched first; None: it was not watched before."
    )

    def queued() -> None:
        """The start has waited for two seconds for its turn in a budget; repeated every ten."""

    def recovered(recovery: Recovery) -> None:
        """What the platform gave of the time before now.

        Called at most once before the start has fired, and once before each `resumed`.  It is
        published then, after a `gap` event if the chat was watched before.
        """

    def received(events: Sequence[Event]) -> None:
        """What one upstream read brought, in order; never empty-handed calls per message."""

    def interrupted(reason: str, since: float | None = None) -> None:
        """The upstream was lost and is being sought again by the watcher; said once per loss.

        :param since: when the chat was certainly received last, in seconds since 1970; None: until
            now.
        """

    def resumed(info: LiveInfo) -> None:
        """Messages flow again."""

    def ended(error: ChatError) -> None:
        """The chat is over (`STREAM_ENDED`, or gone for good); nothing follows."""


class IStatsStore(Interface):
    """Where the statistics of channels are kept.

    Nothing here fails: a store that cannot reach its keeper answers from what it holds.
    """

    storage_type: str = Attribute("`memory` or `redis`: where counts go at this moment.")

    health: Mapping[str, object] = Attribute("What `/health` says about the store, by key.")

    interval: float = Attribute(
        "Seconds after which counts want to be handed over; infinite where they may wait until"
        " somebody asks."
    )

    def storage_of(key: ChannelKey) -> str:
        """The same of one channel, with which alone something may be wrong."""

    def open(key: ChannelKey, changed: Callable[[], None]) -> None:
        """Somebody begins to watch the channel, until `forget`: have its totals ready.

        :param changed: called when the totals may have changed, whoever added to them.
        """

    def add(key: ChannelKey, tally: Tally) -> Deferred[None]:
        """Add counted messages to a channel's totals.  The tally is the store's from now on."""

    def seal(key: ChannelKey, epoch: str, seq: int) -> Deferred[int]:
        """Take nothing more from a former leader that is gone: it may be gone and come back.

        What it counts of an order that was published up to there is dropped from now on.

        :return: up to which number everything that was published in this order is counted; `seq`
            where that is not known; never fails.
        """

    def snapshot(key: ChannelKey, limit: int) -> Deferred[StatsData]:
        """Totals and the `limit` most active users; zeros for an unknown channel.

        Takes no lasting memory for a channel that is neither open nor added to.
        """

    def forget(key: ChannelKey, changed: Callable[[], None]) -> Deferred[None]:
        """Take an `open` back; after the last one, let go of what need not outlive that."""
