# SPDX-License-Identifier: MIT
"""One subscriber's share in one channel, and what it asked for."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livechat.core.clients import ISubscriber
from livechat.core.options import Options
from livechat.core.ports import Start
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, LiveInfo
from livechat.protocol.commands import Id
from livechat.protocol.messages import (
    Failure,
    ServerMessage,
    Status,
    encode,
    failure,
    started,
)


class Subscription:
    """One subscriber's share in one channel.

    :ivar key: the canonical form of the identifier that was subscribed to.  Several keys may mean
        one channel.
    :ivar identifier: the identifier as the client sent it, which the client's own messages carry.
    :ivar options: what it asked for; changed by `Channel.change` only.
    :ivar lost: called when the channel is gone (failed to start, or ended), after the client was
        told.
    """

    __slots__ = ("_overtaken", "identifier", "key", "lost", "options", "subscriber")

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
        # How commands named the chat that came before the last one, and are not answered yet.
        self._overtaken: list[tuple[str, Id | None]] = []

    @property
    def id(self) -> Id | UnsetType:
        """What the client calls the command that it asked with, as messages carry it."""
        return UNSET if self.options.id is None else self.options.id

    def send(self, message: ServerMessage) -> None:
        """A message for this subscriber alone."""
        self.subscriber.send(encode(message))

    def overtake(self) -> None:
        """Another command states everything anew, and the last one is not answered yet."""
        self._overtaken.append((self.identifier, self.options.id))

    def answer(self, *messages: Status | Failure) -> None:
        """Answer the last command, and before it those that it has overtaken."""
        overtaken, self._overtaken = self._overtaken, []
        for identifier, command_id in overtaken:
            own = UNSET if command_id is None else command_id
            for message in messages:
                self.send(replace(message, identifier=identifier, id=own))
        for message in messages:
            self.send(message)

    def subscribed(self, storage_type: str) -> Status:
        """`subscribed`."""
        return Status(
            "subscribed",
            identifier=self.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            storage_type=storage_type,
            id=self.id,
        )

    def started(self, info: LiveInfo, start: Start, recovered: bool | UnsetType = UNSET) -> Status:
        """`started`, after what was published last.

        :param recovered: whether nothing is missing of what follows, where that was asked.
        """
        identifier, command_id = self.identifier, self.options.id
        status = started(identifier, self.key, info, start.epoch, start.seq, command_id)
        return status if recovered is UNSET else replace(status, recovered=recovered)

    def reconnecting(self, reason: str) -> Status:
        """`reconnecting`."""
        return Status(
            "reconnecting",
            identifier=self.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            reason=reason or UNSET,
            id=self.id,
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
                id=self.id,
            )
        )

    def fail(self, error: ChatError) -> None:
        """Tell the client that the channel is gone, and then its session."""
        self.answer(failure(error, self.key.platform, self.identifier, self.options.id))
        self.lost(self)
