# SPDX-License-Identifier: MIT
"""What all watched rooms of TikTok share, as one of them sees it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from livechat.platforms.budget import Claim
from livechat.platforms.steps import Steps
from livechat.platforms.tiktok.connection import IFeed, IRoom
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.room import Live

if TYPE_CHECKING:
    from livechat.platforms.tiktok.presence import Presence


class IOwner(Protocol):
    """What a presence asks of the platform."""

    clock: IReactorTime
    random: Random
    lookup: Lookup
    steps: Steps
    start_timeout: float
    history: bool

    def enter(self, presence: Presence) -> None:
        """It begins."""

    def leave(self, presence: Presence) -> None:
        """It is over; idempotent."""

    def relayed(self, handle: str) -> Live | None:
        """The room of this account, if somebody relays its frames to us."""

    def relay(self, handle: str, room: IRoom) -> IFeed | None:
        """The frames that somebody relays."""

    def open(self, room_id: str, room: IRoom, claim: Claim) -> Deferred[IFeed]:
        """A socket into the room; fails with `Denied`."""

    def milliseconds(self) -> int:
        """Wall time."""

    def count_unparsed(self, names: dict[str, int]) -> None:
        """Things that are unknown or could not be read, by name."""

    def count_ignored(self, names: dict[str, int]) -> None:
        """Things that are known and left out on purpose, by name."""
