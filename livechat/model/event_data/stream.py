# SPDX-License-Identifier: MIT
"""Events about the stream and how it is received."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType, field

from livechat.model.event_data.parts import EventData


class Gap(EventData, frozen=True, kw_only=True):
    """Part of the chat was not received.

    :ivar start: the last moment before it, ISO 8601 UTC.
    :ivar end: when messages flowed again, ISO 8601 UTC.
    :ivar reason: the upstream was lost; nobody watched; or the node that read the chat failed.
    :ivar filled: the platform gave all messages of that time afterwards.  TikTok gives nothing
        else, so gifts and other events of that time may be missing.
    """

    kind: ClassVar[str] = "gap"

    start: str = field(name="from")
    end: str = field(name="to")
    reason: Literal["upstream", "unwatched", "failover"]
    filled: bool


class Stream(EventData, frozen=True, kw_only=True):
    """The stream itself: it went live or offline, paused, went on, or what it says has changed.

    :ivar status: which of these.
    :ivar title: of the stream.
    :ivar category: of the stream.
    :ivar started_at: when it went live, ISO 8601 UTC.
    :ivar live_id: of the stream.
    """

    kind: ClassVar[str] = "stream"

    status: Literal["live", "offline", "paused", "resumed", "changed"]
    title: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    live_id: str | UnsetType = UNSET
