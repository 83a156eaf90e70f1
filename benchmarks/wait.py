# SPDX-License-Identifier: MIT
"""A day of waiting in virtual time: how often YouTube is asked, and how soon lives are found."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count as counted
from random import Random
from typing import Final

from msgspec import Struct
from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from livechat.core.look_pace import LookPace
from livechat.core.options import Options
from livechat.core.ports import IPlatform, Located, Requester
from livechat.core.subscription import Subscription
from livechat.core.waiting import Waiting
from livechat.metrics import Metrics
from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, iso_time
from livechat.platforms.youtube.limits import LOOKS
from tests.support.fakes import KeptMessages, ScriptedPlatform, services_on

DAY: Final = 86_400.0

#: Seconds for which a look takes, a stream lasts, and before its start is announced.
TAKES: Final = 0.8
LASTS: Final = 7200.0
AHEAD: Final = 14_400.0

#: One stream in so many is announced; it begins up to so many seconds late.
ANNOUNCED: Final = 20
LATE: Final = 600.0

OFFLINE: Final = error_catalogue.NOT_LIVE.error()
OVER: Final = error_catalogue.ended()


@implementer(IReactorTime)
class HeapClock:
    """Virtual time for many calls; Twisted's `Clock` sorts all of them with each call."""

    def __init__(self) -> None:
        self._now = 0.0
        self._numbers = counted()
        self._calls: list[tuple[float, int, DelayedCall]] = []

    def seconds(self) -> float:
        """See `IReactorTime`."""
        return self._now

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kwargs: object
    ) -> DelayedCall:
        """See `IReactorTime`."""
        when = self._now + delay
        call = DelayedCall(when, callable, args, kwargs, _ignored, _refused, self.seconds)
        heapq.heappush(self._calls, (when, next(self._numbers), call))
        return call

    def getDelayedCalls(self) -> Sequence[DelayedCall]:
        """See `IReactorTime`."""
        return [call for _, _, call in self._calls if call.active()]

    def run_until(self, end: float) -> None:
        """Let time pass, from one call to the next."""
        while self._calls and self._calls[0][0] < end:
            when, _, call = heapq.heappop(self._calls)
            if call.active():
                self._now = when
                call.called = 1
                call.func(*call.args, **call.kw)
        self._now = end


def _ignored(call: DelayedCall) -> None:
    """A call was cancelled: it is passed over when its time comes."""


def _refused(call: DelayedCall) -> None:
    raise NotImplementedError("calls are not moved here")


class Stream(Struct):
    """The one stream that a channel has on this day."""

    begins: float
    announced: float | None


class Day(ScriptedPlatform):
    """A platform on which each channel has one stream a day, and who waits for all of them."""

    looks = LOOKS

    def __init__(self, count: int) -> None:
        super().__init__("youtube")
        random = Random(count)
        self.clock = HeapClock()
        self.streams: dict[str, Stream] = {}
        for number in range(count):
            begins = random.uniform(AHEAD, DAY - LASTS)
            announced = begins - random.uniform(0, LATE) if number % ANNOUNCED == 0 else None
            self.streams[str(number)] = Stream(begins, announced)
        self.looked: Counter[int] = Counter()
        self.pages: Counter[int] = Counter()
        self.delays: dict[bool, list[float]] = {True: [], False: []}
        services = services_on(self.clock, Metrics())
        self.waiting = Waiting(services, LookPace(random), self.found_by_look)
        for name in self.streams:
            self.wait(name)

    def wait(self, name: str, reason: ChatError = OFFLINE, live_id: str = "") -> None:
        """Somebody waits for a channel."""
        key = ChannelKey(self.name, "username", name)
        subscriber = KeptMessages()
        subscriber.upon = subscriber.writes.clear
        subscription = Subscription(key, subscriber, name, Options(wait=True), lambda _: None)
        self.waiting.add(self, subscription, reason, live_id)

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """One look: a page, and another one where a stream is announced."""
        now = self.clock.seconds()
        stream = self.streams[key.identifier]
        is_live = stream.begins <= now < stream.begins + LASTS
        announced = stream.announced
        is_announced = (
            announced is not None and announced - AHEAD <= now < stream.begins and not is_live
        )
        self.looked[int(now)] += 1
        self.pages[int(now)] += 2 if is_announced else 1
        answer: Deferred[Located] = Deferred()
        if is_live:
            self.clock.callLater(TAKES, answer.callback, Located(key))
        elif is_announced and announced is not None:
            start = iso_time(round(announced * 1000))
            error = error_catalogue.UPCOMING.error(scheduled_start=start)
            self.clock.callLater(TAKES, answer.errback, error)
        else:
            self.clock.callLater(TAKES, answer.errback, OFFLINE)
        return answer

    def found_by_look(
        self, platform: IPlatform, located: Located, key: ChannelKey, waited: list[Subscription]
    ) -> None:
        """A stream was found; after it, it is waited for the next one."""
        name = key.identifier
        stream = self.streams[name]
        now = self.clock.seconds()
        self.delays[stream.announced is not None].append(now - stream.begins)
        self.clock.callLater(stream.begins + LASTS - now, self.wait, name, OVER, "live")

    def run(self) -> None:
        """Let the day pass."""
        self.clock.run_until(DAY)


def main() -> None:
    """Print one row for each number of channels."""
    print(f"A day in virtual time; one stream per channel, one in {ANNOUNCED} announced.")
    print("                                              found after, seconds      announced ones")
    print(
        "channels  looks/s  most  pages/s  most  found  median    90 %    99 %  median  90 %  99 %"
    )
    for count in (100, 1000, 10_000):
        began = time.perf_counter()
        day = Day(count)
        day.run()
        others, announced = sorted(day.delays[False]), sorted(day.delays[True])
        print(
            f"{count:8}  {day.looked.total() / DAY:7.2f}  {max(day.looked.values()):4}"
            f"  {day.pages.total() / DAY:7.2f}  {max(day.pages.values()):4}"
            f"  {len(others) + len(announced):5}"
            f"  {part(others, 0.5):6.0f}  {part(others, 0.9):5.0f}  {part(others, 0.99):5.0f}"
            f"  {part(announced, 0.5):6.1f}  {part(announced, 0.9):4.1f}"
            f"  {part(announced, 0.99):4.1f}   ({time.perf_counter() - began:.0f} s of real time)"
        )


def part(values: list[float], share: float) -> float:
    """What so large a part of sorted values does not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]
