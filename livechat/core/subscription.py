# SPDX-License-Identifier: MIT
"""One subscriber's share in one channel, and what it asked for."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET, Struct

from livechat.core.clients import ISubscriber
from livechat.model.errors import ChatError
from livechat.model.events import CHAT_BIT, ChannelKey, LiveInfo
from livechat.protocol.messages import ServerMessage, Status, encode, failure, started


class Options(Struct, frozen=True):
    """What a subscriber asked for.

    :ivar kinds: which kinds of publication it takes, one bit each (`livechat.model.events`).
    """

    kinds: int = CHAT_BIT


class Subscription:
    """One subscriber's share in one channel.

    :ivar key: the canonical form of the identifier that was subscribed to.  Several keys may mean
        one channel.
    :ivar identifier: the identifier as the client sent it, which the client's own messages carry.
    :ivar options: what it asked for; changed by `Channel.change` only.
    :ivar lost: called when the channel is gone (failed to start, or ended), after the client was
        told.
    """

    __slots__ = ("identifier", "key", "lost", "options", "subscriber")

    def __init__(
        self,
        key: ChannelKey,
        subscriber: ISubscriber,
        identifier: str,
        options: Options,
        lost: Callable[[Subscription], None],
    ) -> None:
        self.key = key
        self.subscriber = subscriber
        self.identifier = identifier
        self.options = options
        self.lost = lost

    def send(self, message: ServerMessage) -> None:
        """A message for this subscriber alone."""
        self.subscriber.send(encode(message))

    def subscribed(self, storage_type: str) -> Status:
        """`subscribed`."""
        return Status(
            "subscribed",
            identifier=self.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            storage_type=storage_type,
        )

    def started(self, info: LiveInfo) -> Status:
        """`started`."""
        return started(self.identifier, self.key, info)

    def reconnecting(self, reason: str) -> Status:
        """`reconnecting`."""
        return Status(
            "reconnecting",
            identifier=self.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            reason=reason or UNSET,
        )

    def tell_queued(self) -> None:
        """Tell the client that the start waits for its turn in a budget of the platform."""
        self.send(
            Status(
                "waiting",
                identifier=self.identifier,
                platform=self.key.platform,
                channel=self.key.identifier,
                details="QUEUED",
            )
        )

    def fail(self, error: ChatError) -> None:
        """Tell the client that the channel is gone, and then its session."""
        self.send(failure(error, self.key.platform, self.identifier))
        self.lost(self)
