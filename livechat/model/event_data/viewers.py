# SPDX-License-Identifier: MIT
"""Events about who watches: they come, follow, like, share, rise, or are sent on."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType

from livechat.model.event_data.parts import EventData


class Follow(EventData, frozen=True, kw_only=True):
    """Somebody followed the channel.

    :ivar count: followers so far.
    """

    kind: ClassVar[str] = "follow"

    count: int | UnsetType = UNSET


class Join(EventData, frozen=True, kw_only=True):
    """Somebody entered the stream.

    :ivar count: entrances so far.
    :ivar viewers: how many are watching; null where it is not told.
    """

    kind: ClassVar[str] = "join"

    count: int | UnsetType = UNSET
    viewers: int | UnsetType | None = UNSET


class Like(EventData, frozen=True, kw_only=True):
    """Likes were given.

    :ivar count: how many.
    :ivar total: of the whole stream; never falls.
    """

    kind: ClassVar[str] = "like"

    count: int
    total: int | UnsetType | None = UNSET


class Milestone(EventData, frozen=True, kw_only=True):
    """A viewer reached a milestone.

    :ivar category: which kind of milestone.
    :ivar value: which one: streams, bits, months or the level; null where it is not told.
    :ivar reward_points: points of the channel that the viewer got for it.
    :ivar milestone_id: the platform's id of it.
    """

    kind: ClassVar[str] = "milestone"

    category: Literal[
        "watch_streak", "bits_badge", "moderator_anniversary", "level", "fan_level", "sharing"
    ]
    value: int | None = None
    reward_points: int | UnsetType = UNSET
    milestone_id: str | UnsetType = UNSET


class Raid(EventData, frozen=True, kw_only=True):
    """Viewers were sent from or to another channel; `user` is the other channel.

    :ivar direction: where they go, or that they stay.
    :ivar viewers: how many; null where it is not told.
    :ivar room_id: of the other channel.
    :ivar live_id: of the other stream.
    :ivar pin_id: of the banner that tells it; a `pin` event with this id takes it down.
    """

    kind: ClassVar[str] = "raid"

    direction: Literal["incoming", "outgoing", "cancelled"]
    viewers: int | None = None
    room_id: str | UnsetType = UNSET
    live_id: str | UnsetType = UNSET
    pin_id: str | UnsetType = UNSET


class Share(EventData, frozen=True, kw_only=True):
    """Somebody shared the stream.

    :ivar count: shares so far.
    :ivar friends: with how many friends, where that is told.
    """

    kind: ClassVar[str] = "share"

    count: int | UnsetType = UNSET
    friends: int | UnsetType = UNSET


class Viewers(EventData, frozen=True, kw_only=True):
    """How many are watching.

    :ivar viewers: now.
    :ivar total_viewers: ever, where that is told.
    """

    kind: ClassVar[str] = "viewers"

    viewers: int
    total_viewers: int | UnsetType = UNSET
