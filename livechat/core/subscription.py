# SPDX-License-Identifier: MIT
"""One subscriber's share in one channel: what it asked for, and what it was told last.

    told       input      next       what the client is told
    Nothing    absent     Waiting    subscribed, waiting
    Nothing    present    Started    subscribed, started
    Waiting    absent     Waiting    waiting
    Waiting    present    Started    started
    Started    absent     Waiting    ended, waiting
    Started    present    Started    subscribed, started: it has asked again

Only who asked to wait hears that a channel is absent; all others get an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from math import inf
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livechat.core.clients import ISubscriber
from livechat.core.options import Options
from livechat.core.ports import Start
from livechat.model.errors import ChatError, ErrorCode
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

#: Seconds between two times that a client is told that its start waits for a turn.
QUEUED_EVERY: Final = 10.0


class Told(Enum):
    """What a client was told last of its channel."""

    NOTHING = "nothing"
    WAITING = "waiting"
    STARTED = "started"


class Subscription:
    """One subscriber's share in one channel.

    :ivar key: the canonical form of the identifier that was subscribed to.  Several keys may mean
        one channel.
    :ivar identifier: the identifier as the client sent it, which the client's own messages carry.
    :ivar options: what it asked for; changed by `Channel.change` and `Hub.change` only.
    :ivar target: the key by which its channel is sought; the hub says so.
    :ivar told: what the client was told last.
    :ivar reason: why the channel is waited for, as the client was told last.
    :ivar lost: called when the channel is gone (failed to start, or ended), after the client was
        told.
    """

    __slots__ = (
        "_overtaken",
        "_queued_until",
        "identifier",
        "key",
        "lost",
        "options",
        "reason",
        "subscriber",
        "target",
        "told",
    )

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
        self.target = key
        self.told = Told.NOTHING
        self.reason: ChatError | None = None
        # How commands named the chat that came before the last one, and are not answered yet.
        self._overtaken: list[tuple[str, Id | None]] = []
        # Until when it need not be told again that its start waits for a turn.
        self._queued_until = -inf

    @property
    def id(self) -> Id | UnsetType:
        """What the client calls the command that it asked with, as messages carry it."""
        return UNSET if self.options.id is None else self.options.id

    def send(self, message: ServerMessage) -> None:
        """A message for this subscriber alone."""
        self.subscriber.send(encode(message))

    def tell(self, messages: Iterable[ServerMessage]) -> None:
        """Some messages for this subscriber alone."""
        for message in messages:
            self.send(message)

    def overtake(self) -> None:
        """Another command states everything anew, and the last one is not answered yet."""
        # Whoever waits was answered.
        if self.told is not Told.WAITING:
            self._overtaken.append((self.identifier, self.options.id))

    def present(self, storage_type: str, standing: Sequence[Status]) -> None:
        """The channel is there: the answer to a subscribe, or the end of a wait."""
        if self.told is Told.WAITING:
            self.tell(standing)
        else:
            self.answer(self.subscribed(storage_type), *standing)
        self.told = Told.STARTED

    def absent(self, storage_type: str, reason: ChatError, live_id: str = "") -> None:
        """The channel is not live, and is waited for.

        :param live_id: of the stream that has ended, for somebody who watched it.
        """
        told, self.told, self.reason = self.told, Told.WAITING, reason
        news = [self._waiting(reason)]
        if told is Told.STARTED:
            news.insert(0, self.ended(live_id, reason.details))
            # What comes next is another stream: of its past it has missed nothing.
            self.options = replace(self.options, history=0, since=None)
        if told is Told.NOTHING or self._overtaken:
            self.answer(self.subscribed(storage_type), *news)
        else:
            self.tell(news)

    def repeat(self, storage_type: str) -> None:
        """It has asked again: if it waits, that is the answer."""
        if self.told is Told.WAITING and self.reason is not None:
            self.answer(self.subscribed(storage_type), self._waiting(self.reason))

    def move(self, identifier: str, options: Options) -> None:
        """It has asked for what another channel gives: what it was told holds no more."""
        if self.told is Told.NOTHING or self._overtaken:
            self.overtake()
        self.told = Told.NOTHING
        self.identifier = identifier
        self.options = replace(options, history=0, since=None)

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

    def started(
        self, info: LiveInfo, start: Start, recovered: bool | UnsetType = UNSET
    ) -> list[Status]:
        """`started`, after what was published last: one for each live.

        :param recovered: whether nothing is missing of what follows, where that was asked.
        """
        command_id = self.options.id
        statuses = [
            started(self.identifier, self.key, one, start.epoch, start.seq, command_id)
            for one in info.each
        ]
        if recovered is UNSET:
            return statuses
        return [replace(status, recovered=recovered) for status in statuses]

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

    def ended(self, live_id: str, details: str | None = None) -> Status:
        """`ended`: a stream is over, and the subscription goes on.

        :param details: why, where that is known.
        """
        return Status(
            "ended",
            live_id=live_id or UNSET,
            identifier=self.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            details=details or UNSET,
            id=self.id,
        )

    def tell_queued(self, now: float) -> None:
        """Tell the client that the start waits for a turn, at most once in ten seconds.

        A start waits for several turns, one after the other.

        :param now: seconds of the clock.
        """
        if now >= self._queued_until or now < self._queued_until - QUEUED_EVERY:
            self._queued_until = now + QUEUED_EVERY - 0.01
            self.tell_waiting("QUEUED")

    def tell_waiting(self, details: str) -> None:
        """Tell the client what the start waits for."""
        # Whoever waits for the channel was told so.
        if self.told is not Told.WAITING:
            self.send(self._wait(details))

    def _waiting(self, reason: ChatError) -> Status:
        """`waiting`, for a reason."""
        status = self._wait(reason.details or _NO_DETAILS.get(reason.code, reason.code))
        start = reason.scheduled_start
        return status if start is None else replace(status, scheduled_start=start)

    def _wait(self, details: str) -> Status:
        return Status(
            "waiting",
            identifier=self.identifier,
            platform=self.key.platform,
            channel=self.key.identifier,
            details=details,
            id=self.id,
        )

    def fail(self, error: ChatError) -> None:
        """Tell the client that the channel is gone, and then its session."""
        self.answer(failure(error, self.key.platform, self.identifier, self.options.id))
        self.lost(self)


#: What is waited for where the error says no more than its code.
_NO_DETAILS: Final = {ErrorCode.STREAM_NOT_LIVE: "OFFLINE", ErrorCode.STREAM_ENDED: "ENDED"}
