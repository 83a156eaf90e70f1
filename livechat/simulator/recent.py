# SPDX-License-Identifier: MIT
"""A dictionary of bounded size: clients may ask for any name, so old entries are dropped."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: Names and numbers that are remembered, and channels, which are greater.
NAMES: Final = 20_000
CHANNELS: Final = 100

#: How many of the oldest entries are looked at for each new one: more than one, so that the number
#: comes down again after many were in use.
_LOOK: Final = 4


class Recent(dict[K, V]):
    """Forgets the entries that were used least recently.

    :param most: how many it holds, besides those that are in use.
    :param in_use: whether an entry must stay.
    """

    def __init__(self, most: int, in_use: Callable[[V], bool] = lambda value: False) -> None:
        super().__init__()
        self._most = most
        self._in_use = in_use

    def __getitem__(self, key: K) -> V:
        """The entry, which is now the most recent one.

        :raises KeyError: there is none.
        """
        value = super().pop(key)
        super().__setitem__(key, value)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        """Add an entry, and forget an old one where there are too many."""
        super().pop(key, None)
        super().__setitem__(key, value)
        if len(self) > self._most:
            for old in list(islice(self, _LOOK)):
                if len(self) > self._most and old != key and not self._in_use(self[old]):
                    del self[old]

    def get(self, key: K, default: Any = None) -> Any:
        """The entry or another value."""
        return self[key] if key in self else default  # noqa: SIM401

    def setdefault(self, key: K, default: V) -> V:
        """The entry, made of this value if there is none."""
        if key not in self:
            self[key] = default
        return self[key]
