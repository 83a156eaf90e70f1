# SPDX-License-Identifier: MIT
"""Twitch's own pictures, of badges and cheermotes: a source for the enrichment stage.

What counts in all rooms is there from the start, from a table; it is asked for when the first room
is opened.  What a room has of its own is asked for when it is opened.  Everything is asked for
anew after a while, with jitter.  Nobody waits for any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from random import Random
from typing import Any, Final

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from livechat.metrics import Metrics
from livechat.pacing import Backoff
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.enrichment.dictionary import Dictionary, joined
from livechat.platforms.enrichment.ports import IPictureSource, IRoom, IRooms
from livechat.platforms.fetch import FetchError, fetch
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.lookup import HEADERS
from livechat.platforms.twitch.parse.pictures import (
    COLORS,
    GLOBAL,
    body,
    built_in,
    question,
    read_answers,
    read_colors,
    read_global,
    read_room,
    room_question,
)

_log = Logger()

#: Seconds after which what is known is asked for anew; each time up to a fifth more or less.
REFRESH_GLOBAL: Final = 21_600.0
REFRESH_ROOM: Final = 3_600.0
JITTER: Final = 0.2

#: Ceilings of the pauses after failures, in seconds; none is shorter than the least.
PAUSE_FIRST: Final = 30.0
PAUSE_LONGEST: Final = 900.0
PAUSE_LEAST: Final = 5.0

#: Most rooms in one request, and seconds for which one is held for others to join it.
BATCH: Final = 10
GATHER: Final = 0.25

#: Seconds and bytes for one answer.
DEADLINE: Final = 10.0
LIMIT: Final = 2 << 20

#: Most rooms of which we keep what they have while nobody shows them.
MAX_KEPT: Final = 1000

#: What is known without asking.
BUILT_IN: Final = built_in(
    files("livechat.platforms.twitch").joinpath("global_badges.json").read_bytes()
)


class _Subject:
    """Something that is asked about.

    :ivar operation: the question.
    :ivar is_room: it may be asked together with others.
    :ivar due: when to ask next, in seconds of the clock.
    :param read: what an answer says; None if it says nothing.
    :param put: is given what was learnt.
    """

    def __init__(
        self,
        operation: Mapping[str, Any],
        read: Callable[[Any], Dictionary | None],
        put: Callable[[Dictionary], None],
        refresh: float,
        *,
        is_room: bool = False,
    ) -> None:
        self.operation = operation
        self.is_room = is_room
        self.refresh = refresh
        self.due = 0.0
        self.failures = 0
        self._read = read
        self._put = put

    def learn(self, data: Any) -> bool:
        """Whether the answer said anything."""
        found = self._read(data)
        if found is None:
            return False
        self._put(found)
        return True


class _RoomSubject(_Subject):
    """A room: open while it is shown, then kept for a while.

    :ivar room: where to put what is known; None while nobody shows it.
    """

    def __init__(self, room_id: str) -> None:
        super().__init__(
            room_question(room_id), read_room, self._learnt, REFRESH_ROOM, is_room=True
        )
        self.room: IRoom | None = None
        self._known: Dictionary | None = None

    def show(self, room: IRoom) -> None:
        """Somebody shows it."""
        self.room = room
        if self._known is not None:
            room.put(TwitchPictures.name, self._known)

    def _learnt(self, found: Dictionary) -> None:
        self._known = found
        if self.room is not None:
            self.room.put(TwitchPictures.name, found)


@implementer(IPictureSource)
class TwitchPictures:
    """See `IPictureSource`.

    :param url: where to ask; empty: never, and only the table is known.
    :param budget: turns for requests.
    """

    name = "twitch"

    def __init__(
        self,
        url: str,
        http: HTTPClient,
        clock: IReactorTime,
        random: Random,
        metrics: Metrics,
        budget: Budget,
        steps: Steps,
    ) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._budget = budget
        self._steps = steps
        self._backoff = Backoff(random, PAUSE_FIRST, PAUSE_LONGEST)
        self._rooms: IRooms | None = None
        self._global: dict[str, Dictionary] = {}
        self._subjects = [
            _Subject(question(GLOBAL), read_global, self._putter("badges"), REFRESH_GLOBAL),
            _Subject(question(COLORS), _colors, self._putter("colors"), REFRESH_GLOBAL),
        ]
        self._open: dict[str, _RoomSubject] = {}
        # Rooms that nobody shows at present; the one that was shown last stands last.
        self._kept: dict[str, _RoomSubject] = {}
        self._call: IDelayedCall | None = None
        self._asking: Deferred[None] | None = None

    # IPictureSource

    def attached(self, rooms: IRooms) -> None:
        """See `IPictureSource`."""
        self._rooms = rooms
        rooms.put(self.name, BUILT_IN)

    def opened(self, room: IRoom) -> None:
        """See `IPictureSource`."""
        room_id = room.room_id
        if not self._url or not (room_id.isascii() and room_id.isdecimal()):
            return
        subject = self._kept.pop(room_id, None) or _RoomSubject(room_id)
        self._open[room_id] = subject
        subject.show(room)
        self._schedule()

    def closed(self, room: IRoom) -> None:
        """See `IPictureSource`."""
        subject = self._open.pop(room.room_id, None)
        if subject is None:
            return
        subject.room = None
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[room.room_id] = subject
        self._schedule()

    def stop(self) -> None:
        """Ask nothing any more."""
        self._open.clear()
        self._schedule()
        if self._asking is not None:
            self._asking.cancel()

    def _putter(self, part: str) -> Callable[[Dictionary], None]:
        def put(found: Dictionary) -> None:
            self._global[part] = found
            if self._rooms is not None:
                # What an answer leaves out may be in the table still.
                self._rooms.put(self.name, joined([*self._global.values(), BUILT_IN]))

        return put

    # When to ask.

    def _schedule(self) -> None:
        """Ask when the next answer is due, if anything is shown and nothing is being asked."""
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()
        if self._open and self._asking is None:
            due = min(subject.due for subject in self._wanted())
            self._call = self._clock.callLater(max(GATHER, due - self._clock.seconds()), self._ask)

    def _wanted(self) -> Sequence[_Subject]:
        # For what counts in all rooms there is the table meanwhile.
        return [*self._open.values(), *self._subjects]

    def _ask(self) -> None:
        self._call = None
        self._asking = asking = Deferred.fromCoroutine(self._round())
        asking.addErrback(lambda reason: reason.trap(CancelledError))
        asking.addBoth(self._asked)

    def _asked(self, _: object) -> None:
        self._asking = None
        self._schedule()

    async def _round(self) -> None:
        """One request, about what is due when it is its turn."""
        async with self._budget.turn(Claim(self._clock, first=False)):
            now = self._clock.seconds()
            due = [subject for subject in self._wanted() if subject.due <= now]
            batch = [subject for subject in due if subject.is_room][:BATCH] or due[:1]
            if not batch or not self._open:
                return
            try:
                pause = await self._request(batch)
            except CancelledError:
                raise
            except Exception:
                self._steps.failed("pictures")
                pause = 0.0
            self._date(batch, pause)

    async def _request(self, batch: Sequence[_Subject]) -> float:
        """Ask, and learn from the answers.

        :return: for how many seconds the server wants to be left alone.
        """
        try:
            answer = await fetch(
                self._http,
                self._clock,
                "POST",
                self._url,
                limit=LIMIT,
                deadline=DEADLINE,
                headers=HEADERS,
                data=body([subject.operation for subject in batch]),
            )
        except FetchError as error:
            _log.info("Twitch GQL could not be asked for pictures: {why}", why=str(error))
            for subject in batch:
                subject.failures += 1
            return 0.0
        for subject, data in zip(batch, read_answers(answer.body, len(batch)), strict=True):
            if subject.learn(data):
                subject.failures = 0
            else:
                subject.failures += 1
                self._metrics.count_unparsed("twitch", "gql pictures")
        wanted = answer.headers.get("retry-after", "")
        return min(float(wanted), PAUSE_LONGEST) if wanted.isascii() and wanted.isdigit() else 0.0

    def _date(self, batch: Sequence[_Subject], pause: float) -> None:
        """Say when to ask again."""
        now = self._clock.seconds()
        for subject in batch:
            if subject.failures:
                delay = max(PAUSE_LEAST, self._backoff.delay(subject.failures))
            else:
                delay = subject.refresh * self._random.uniform(1 - JITTER, 1 + JITTER)
            subject.due = now + delay
        if pause:
            for subject in self._wanted():
                subject.due = max(subject.due, now + pause)


def _colors(data: Any) -> Dictionary | None:
    colors = read_colors(data)
    return Dictionary(colors=colors) if colors else None
