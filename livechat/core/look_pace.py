# SPDX-License-Identifier: MIT
"""How soon a channel that is waited for is looked at again.

Pure: times and randomness are handed in.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import Final

from msgspec import Struct

from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import seconds_of

#: Seconds from one look at a channel to the next (`--wait-poll`), and the same around an announced
#: start.
WAIT_POLL: Final = 60.0
ANNOUNCED_POLL: Final = 15.0

#: Seconds before and after an announced start for which looks come sooner.
ANNOUNCED_BEFORE: Final = 300.0
ANNOUNCED_AFTER: Final = 1800.0

#: Seconds after a platform's hint that a stream has begun for which looks come as around an
#: announced start: what looks see may follow later.
HINT_LASTS: Final = 120.0

#: Seconds within which the first look comes after a stream has ended: streams are restarted.
AFTER_END: Final = 10.0

#: A channel or video that was there and is there no more comes back seldom: pauses are so many
#: times as long.
MISSING_TIMES: Final = 10.0

#: How much longer than it must be a pause is, at least and at most: those who began together do not
#: stay together, and a question that is a little late on its way is not too close to the next one.
LEAST_JITTER: Final = 0.005
JITTER: Final = 0.02


class Next(Struct, frozen=True):
    """When the next look is due, counted from when the last one began.

    :ivar wait: in so many seconds.
    :ivar urgent: in so many seconds it comes before others; infinite: never.
    """

    wait: float
    urgent: float = inf


class LookPace:
    """Plans looks.

    :param poll: least seconds between two looks at one channel.
    """

    def __init__(self, random: Random, poll: float = WAIT_POLL) -> None:
        self._random = random
        self._poll = poll

    @property
    def poll(self) -> float:
        """Least seconds between two looks at one channel."""
        return self._poll

    def after_end(self) -> Next:
        """A stream has just ended."""
        return Next(self._random.uniform(0.0, min(AFTER_END, self._poll)))

    def at_once(self) -> Next:
        """The platform has told that a stream has begun."""
        return Next(0.0, 0.0)

    def after(
        self, reason: ChatError, now: float, hinted: float = -inf, *, was_last: bool = False
    ) -> Next:
        """A look has just failed.

        :param reason: why.
        :param now: when it began, in seconds since 1970.
        :param hinted: when the platform told last that a stream has begun, in seconds since 1970.
        :param was_last: whether no other stream can follow the one that is over.
        """
        poll = self._poll
        if was_last or (reason.code is ErrorCode.STREAM_NOT_FOUND and not reason.temporary):
            poll *= MISSING_TIMES
        soon = min(ANNOUNCED_POLL, poll)
        begins = _announced(reason) - ANNOUNCED_BEFORE - now
        stretch = 1.0 + self._random.uniform(LEAST_JITTER, JITTER)
        if now - hinted < HINT_LASTS:
            return Next(soon * stretch, 0.0)
        if begins + ANNOUNCED_BEFORE + ANNOUNCED_AFTER < 0:
            return Next(poll * stretch)
        return Next(min(poll * stretch, max(soon * stretch, begins)), max(0.0, begins))


def _announced(reason: ChatError) -> float:
    """When the stream is announced to begin, in seconds since 1970; infinite: it is not."""
    if reason.scheduled_start is None:
        return inf
    return seconds_of(reason.scheduled_start)
