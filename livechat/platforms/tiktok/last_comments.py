# SPDX-License-Identifier: MIT
"""The last comments of rooms, by which their history is recognised when they are entered again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from livechat.core.recent_ids import RecentIds

#: How many comments of a room are remembered at least; more than a room gives as its history.
REMEMBERED: Final = 64

#: Most rooms that are remembered, the last ones that were entered.
MAX_ROOMS: Final = 1024


class LastComments:
    """Remembers the ids of the last comments of each room, also while nobody watches it."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, RecentIds] = OrderedDict()

    def of(self, room_id: str) -> RecentIds:
        """Those of a room, which is the last one that was entered from now on."""
        ids = self._rooms.setdefault(room_id, RecentIds(REMEMBERED))
        self._rooms.move_to_end(room_id)
        if len(self._rooms) > MAX_ROOMS:
            self._rooms.popitem(last=False)
        return ids
