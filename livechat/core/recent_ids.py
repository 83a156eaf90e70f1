# SPDX-License-Identifier: MIT
"""Recognising what a platform sends twice."""

from __future__ import annotations

from typing import Final

#: How many ids a channel remembers at least: what a platform sends twice, it sends twice within
#: seconds, and hardly any chat has more in ten of them.
REMEMBERED_IDS: Final = 4096


class RecentIds:
    """Remembers at least the last `size` ids, at most twice as many."""

    __slots__ = ("_new", "_old", "_size")

    def __init__(self, size: int = REMEMBERED_IDS) -> None:
        self._size = size
        # A set of so many takes a quarter more memory than a dictionary.
        self._new: dict[str, None] = {}
        self._old: dict[str, None] = {}

    def __contains__(self, item: str) -> bool:
        return item in self._new or item in self._old

    def seen(self, item: str) -> bool:
        """Whether the id is known; from now on it is."""
        if item in self._new:
            return True
        if len(self._new) >= self._size:
            self._old, self._new = self._new, {}
        self._new[item] = None
        return item in self._old
