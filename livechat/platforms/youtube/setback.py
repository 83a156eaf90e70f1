# SPDX-License-Identifier: MIT
"""How bad things are with a chat: what failed how often and since when, and who was told."""

from __future__ import annotations

from typing import Final

#: Trouble is told when it is more than one failure, or lasts for so many seconds.
HICCUP: Final = 5.0

#: Seconds of trouble after which the token may be too old to be asked with again.
STALE: Final = 90.0


class Setback:
    """Everything that went wrong since the last good answer.

    :ivar failures: answers in a row that were no use.
    :ivar doubts: answers in a row that said that there is no chat.
    :ivar verdicts: looks at the page in a row that could not tell, though the chat was gone.
    :ivar told: whether subscribers were told.
    """

    __slots__ = ("_since", "doubts", "failures", "told", "verdicts")

    def __init__(self) -> None:
        self.failures = 0
        self.doubts = 0
        self.verdicts = 0
        self.told = False
        self._since: float | None = None

    def failed(self, began: float, now: float) -> bool:
        """One more failure; whether it is time to tell, which is true once.

        :param began: when the request began that failed.
        """
        self.failures += 1
        if self._since is None:
            self._since = began
        if self.told or (self.failures < 2 and now - self._since < HICCUP):
            return False
        self.told = True
        return True

    def is_stale(self, now: float) -> bool:
        """Whether the token may be too old by now; true again only after as long a time."""
        if self._since is None or now - self._since < STALE:
            return False
        self._since = now
        return True
