# SPDX-License-Identifier: MIT
"""How many looks in a second a platform bears at the moment.

Where its limits lie is not known.  So a platform that refuses to be asked is asked half as often
from then on, and slowly more often again.  Pure: times are handed in.
"""

from __future__ import annotations

from math import inf
from typing import Final

#: Seconds in which no looks at all become as many as there may be.
RECOVERY: Final = 1200.0

#: Least part of them that is kept up however often they are refused.
LEAST: Final = 1 / 64


class Bearing:
    """How many looks in a second are made at most.

    :param most: as long as none is refused.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._at = -inf
        self._then = most

    def per_second(self, now: float) -> float:
        """So many, at this time of a clock."""
        return min(self._most, self._then + self._most * (now - self._at) / RECOVERY)

    def refused(self, began: float, now: float) -> None:
        """A look was refused, and halves them; those that began before the last time are as one.

        :param began: when it began.
        """
        if began > self._at:
            self._then = max(self._most * LEAST, self.per_second(now) / 2)
            self._at = now
