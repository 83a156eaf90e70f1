# SPDX-License-Identifier: MIT
"""Recognising what a platform sends twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from livechat.model.events import ChannelKey

#: How many ids a channel remembers at least: what a platform sends twice, it sends twice within
#: seconds, and hardly any chat has more in ten of them.
REMEMBERED_IDS: Final = 4096

#: Of how many channels that were left the last ids are kept, and how many of each: more than a
#: platform repeats to whoever comes back.
MAX_LEFT: Final = 256
LAST_IDS: Final = 1000


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

    def last(self, count: int) -> Sequence[str]:
        """The last so many that are remembered, oldest first."""
        return [*self._old, *self._new][-count:]


class LeftIds:
    """The last ids of channels that were left, for whoever leads them next in the same order.

    What a channel has published is kept for a shorter time than its order may go on.
    """

    def __init__(self) -> None:
        # The channel that was left last stands last.
        self._left: OrderedDict[ChannelKey, tuple[str, Sequence[str]]] = OrderedDict()

    def keep(self, key: ChannelKey, epoch: str, ids: RecentIds) -> None:
        """A channel is left."""
        self._left[key] = epoch, ids.last(LAST_IDS)
        self._left.move_to_end(key)
        if len(self._left) > MAX_LEFT:
            self._left.popitem(last=False)

    def take(self, key: ChannelKey, epoch: str) -> Sequence[str] | None:
        """The last ids of a channel in its order, which are not kept any more.

        :return: None: they are not known, though there may be some.
        """
        known, ids = self._left.pop(key, ("", ()))
        return ids if known == epoch else None
