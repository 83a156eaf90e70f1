# SPDX-License-Identifier: MIT
"""How many different filters the subscribers of one chat may have."""

from __future__ import annotations

from collections import Counter
from typing import Final

from livechat.core.filters import ChatFilter
from livechat.model import error_catalogue

#: Filters that the subscribers of one chat may have.
MAX_FILTERS: Final = 500


class FilterLimit:
    """Counts the different filters of one chat."""

    def __init__(self, limit: int = MAX_FILTERS) -> None:
        self._limit = limit
        self._filter_of: dict[object, ChatFilter] = {}
        self._holders: Counter[ChatFilter] = Counter()

    def take(self, holder: object, wanted: ChatFilter | None) -> None:
        """Somebody has this filter from now on, in place of the one that it had.

        :raises ChatError: `TOO_MANY_FILTERS`; it keeps the one that it had.
        """
        before = self._filter_of.get(holder)
        if wanted is not None and wanted not in self._holders:
            # One that only it has would be free.
            others = len(self._holders) - (before is not None and self._holders[before] == 1)
            if others >= self._limit:
                raise error_catalogue.TOO_MANY_FILTERS.error(f"limit {self._limit} per chat")
        self.leave(holder)
        if wanted is not None:
            self._filter_of[holder] = wanted
            self._holders[wanted] += 1

    def leave(self, holder: object) -> None:
        """Somebody has no filter any more; unknown ones are ignored."""
        before = self._filter_of.pop(holder, None)
        if before is not None:
            self._holders[before] -= 1
            if not self._holders[before]:
                del self._holders[before]
