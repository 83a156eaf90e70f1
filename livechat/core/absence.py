# SPDX-License-Identifier: MIT
"""The time in which a chat is not received, and what the platform gave of it afterwards.

Pure: times are handed in.  Part of a channel that leads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from livechat.core.ports import Recovery
from livechat.model.event_data import Gap
from livechat.model.events import ChannelEvent, Event

Reason = Literal["upstream", "unwatched", "failover"]

_NOTHING = Recovery((), "some")


class Missed(Struct, frozen=True):
    """What is published when messages flow again.

    :ivar events: in order.
    :ivar counted: whether they count in the statistics: not if they only show a new watcher what
        was written before.
    """

    events: Sequence[Event]
    counted: bool


class Absence:
    """What is known of the time in which a chat is not received."""

    def __init__(self) -> None:
        self._reason: Reason | None = None
        self._since = ""
        self._is_remembered = True
        self._recovery: Recovery | None = None
        # After which another node has received the chat, too.
        self._beside: str | None = None

    def begins_beside(self, since: str) -> None:
        """The chat begins to be received here, and another node goes on to receive it.

        :param since: what is older was published by that node.
        """
        self._beside = since

    def begins(self, reason: Reason, since: str, *, is_remembered: bool = True) -> None:
        """The chat is not received from now on, or has not been since then.

        The first reason stays: the absence goes on until it is over.

        :param since: when it was received last, ISO 8601 UTC.
        :param is_remembered: whether all is recognised that was published shortly before.
        """
        if self._reason is None:
            self._reason = reason
            self._since = since
            self._is_remembered = is_remembered

    def recovered(self, recovery: Recovery) -> None:
        """The platform gave something of the time before now."""
        self._recovery = recovery

    def over(
        self,
        platform: str,
        now: str,
        room_id: str,
        event_id: str,
        knows: Callable[[Event], bool],
    ) -> Missed:
        """Messages flow again: the gap, if there was one, and what was recovered.

        :param now: ISO 8601 UTC.
        :param room_id: of the gap, unless what was recovered names one.
        :param event_id: of the gap.
        :param knows: whether an event was published before.
        """
        reason, self._reason = self._reason, None
        recovery, self._recovery = self._recovery or _NOTHING, None
        beside, self._beside = self._beside, None
        events = recovery.events
        if reason is None and beside is not None:
            return Missed([one for one in events if one.timestamp >= beside], counted=True)
        if reason is None:
            return Missed(events, counted=False)
        # Where no more is known than what is kept, what is older than the newest of that was
        # published before, or belongs nowhere in its order any more.  Elsewhere it is recognised;
        # if it is not, it had not been read yet when the chat was left.
        new = [one for one in events if self._is_remembered or one.timestamp >= self._since]
        reaches_back = any(map(knows, events)) or len(new) < len(events)
        filled = recovery.extent == "all" or (recovery.extent == "latest" and reaches_back)
        gap = Gap(start=min(self._since, now), end=now, reason=reason, filled=filled)
        room_id = events[-1].room_id if events else room_id
        event = ChannelEvent.of(gap, platform, now, event_id, room_id)
        return Missed([event, *new], counted=True)
