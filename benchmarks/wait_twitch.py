# SPDX-License-Identifier: MIT
"""A day of waiting on Twitch in virtual time, with and without a push that tells of each start."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Final

from twisted.internet.defer import Deferred

from benchmarks.wait import DAY, LASTS, OFFLINE, Day, part
from livechat.core.ports import Located, Requester
from livechat.model.events import ChannelKey
from livechat.platforms.twitch.limits import LOOKS

#: Seconds from a start to the push, and for which a look takes.
PUSH: Final = 0.3
TAKES: Final = 0.3

#: Channels that are waited for; of 500 at most something is told.
COUNT: Final = 100


class ToldDay(Day):
    """A day on Twitch; nothing is announced.

    :param told: of so many channels each start is told.
    :param late: up to so many seconds after its start, looks see a stream.
    """

    looks = LOOKS

    def __init__(self, count: int, told: int, late: float) -> None:
        self._told = told
        self._begun: dict[str, Callable[[], None]] = {}
        random = Random(count)
        super().__init__(count)
        self._seen = {}
        for name, stream in self.streams.items():
            stream.announced = None
            self._seen[name] = stream.begins + random.uniform(0.0, late)
            self.clock.callLater(stream.begins + PUSH, self._tell, name)

    def listen(self, key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """See `IPlatform`."""
        name = key.identifier
        if int(name) >= self._told:
            return lambda: None
        self._begun[name] = begun

        def stop() -> None:
            del self._begun[name]

        return stop

    def _tell(self, name: str) -> None:
        begun = self._begun.get(name)
        if begun is not None:
            begun()

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """One look."""
        now = self.clock.seconds()
        begins = self.streams[key.identifier].begins
        self.looked[int(now)] += 1
        answer: Deferred[Located] = Deferred()
        if self._seen[key.identifier] <= now < begins + LASTS:
            self.clock.callLater(TAKES, answer.callback, Located(key))
        else:
            self.clock.callLater(TAKES, answer.errback, OFFLINE)
        return answer


def main() -> None:
    """Print one row for each number of channels, with and without a push."""
    print("A day on Twitch in virtual time; one stream per channel, told by a push or not.")
    print("Looks see a stream at once, or up to 30 s later.       found after, seconds")
    print("channels  told  seen after, s  looks/s  most  found  median  90 %  99 %")
    for told, late in ((0, 0.0), (COUNT, 0.0), (0, 30.0), (COUNT, 30.0)):
        began = time.perf_counter()
        day = ToldDay(COUNT, told, late)
        day.run()
        delays = sorted([*day.delays[True], *day.delays[False]])
        print(
            f"{COUNT:8}  {told:4}  {late:13.0f}  {day.looked.total() / DAY:7.2f}"
            f"  {max(day.looked.values()):4}  {len(delays):5}  {part(delays, 0.5):6.1f}"
            f"  {part(delays, 0.9):4.1f}  {part(delays, 0.99):4.1f}"
            f"   ({time.perf_counter() - began:.0f} s of real time)"
        )
