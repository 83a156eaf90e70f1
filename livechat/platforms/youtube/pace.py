# SPDX-License-Identifier: MIT
"""The poll interval of a chat: short while people write, longer and longer while nobody does.

YouTube's own `timeoutMs` is how long its player may wait at most, because a push channel wakes it
earlier; whoever waits that long gets messages in bursts of ten seconds
(docs/wire/youtube.md#pace).
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

#: Seconds between the beginnings of two requests: while people write, and after some silence.
BUSY: Final = 1.0
CALM: Final = 3.0

#: How much longer each empty answer makes the wait.
GROWTH: Final = 1.5

#: Seconds of silence after which the wait may grow to what YouTube allows.
QUIET_AFTER: Final = 120.0

#: Longest wait that a server is granted that asks for patience, in seconds.
LONGEST_PATIENCE: Final = 600.0


class Pace:
    """The pace of one chat.

    :param now: the clock, in seconds.
    """

    __slots__ = ("_active_at", "_wait")

    def __init__(self, now: float) -> None:
        self._wait = BUSY
        self._active_at = now

    def silence(self, now: float) -> float:
        """Seconds since the last event of the chat."""
        return now - self._active_at

    def after(self, now: float, happened: int, timeout_ms: int, chance: float) -> float:
        """Seconds from the beginning of the last request to that of the next.

        :param happened: how many events the last answer brought.
        :param timeout_ms: how long YouTube lets one wait at most, in milliseconds.
        :param chance: from 0 to 1, drawn anew each time, so that many chats do not keep step.
        """
        if happened:
            self._active_at = now
            self._wait = BUSY
        else:
            longest = CALM if self.silence(now) < QUIET_AFTER else timeout_ms / 1000
            self._wait = max(BUSY, min(self._wait * GROWTH, longest))
        wait = min(self._wait * (0.95 + 0.1 * chance), timeout_ms / 1000)
        return max(BUSY, wait)


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds that a server asks us to wait, at most `LONGEST_PATIENCE`; None if it does not say.

    :param header: `Retry-After`: seconds, or a date.
    :param now: wall time, in seconds since 1970.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        # A date that names no zone is in UTC, as all dates of HTTP are.
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return min(max(0.0, seconds), LONGEST_PATIENCE)
