# SPDX-License-Identifier: MIT
"""A day of waiting in virtual time: how often YouTube is asked, and how soon lives are found."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from statistics import median
from typing import Final

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

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
        self.clock = Clock()
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
        """Let the day pass, from one thing that happens to the next."""
        while self.clock.seconds() < DAY:
            calls = self.clock.getDelayedCalls()
            due = min((call.getTime() for call in calls), default=DAY)
            self.clock.advance(max(0.0, min(due, DAY) - self.clock.seconds()))


def main() -> None:
    """Print one row for each number of channels."""
    print(f"A day in virtual time; one stream per channel, one in {ANNOUNCED} announced.")
    print(
        "channels  looks/s  most  pages/s  most  lives   found  median s  announced: median  99 %"
    )
    for count in (100, 1000, 10_000):
        began = time.perf_counter()
        day = Day(count)
        day.run()
        both = sorted([*day.delays[True], *day.delays[False]])
        announced = sorted(day.delays[True])
        print(
            f"{count:8}  {day.looked.total() / DAY:7.2f}  {max(day.looked.values()):4}"
            f"  {day.pages.total() / DAY:7.2f}  {max(day.pages.values()):4}"
            f"  {count:5}  {len(both):6}  {median(both):8.0f}"
            f"  {median(announced):17.1f}  {announced[int(len(announced) * 0.99)]:4.1f}"
            f"   ({time.perf_counter() - began:.0f} s of real time)"
        )
