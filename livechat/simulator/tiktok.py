# SPDX-License-Identifier: MIT
"""TikTok from the other side: accounts, their rooms, the identities given out, and what is wrong.

The rooms live by a scenario or a recording, and those named after a file of
`livechat.simulator.observed` by that file, again and again; everybody in one room receives the same
messages with the same ids.  `tiktok_site` answers over HTTP, `tiktok_socket` pushes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from itertools import cycle
from typing import Final

from twisted.internet.interfaces import IReactorTime

from livechat.simulator import observed
from livechat.simulator.actions import Action
from livechat.simulator.recent import CHANNELS, NAMES, Recent
from livechat.simulator.scenario import Fate, Scenario, fate
from livechat.simulator.tiktok_faults import GARBAGE, OVERSIZED, TikTokFault, TikTokMishap
from livechat.simulator.tiktok_messages import Written, room_id
from livechat.simulator.tiktok_playback import TikTokRecording, read_messages
from livechat.simulator.tiktok_room import LiveRoom
from livechat.simulator.tiktok_socket import PushConnection

#: Seconds for which an `ending...` or `suspended...` stream is live once somebody asked for it.
ENDING_AFTER: Final = 30.0

#: Seconds between two messages of a room that plays what was observed.
OBSERVED_EVERY: Final = 2.0


class Guise(Enum):
    """What becomes of an account: its name begins with the value; any other name is live.

    `suspended` is live until TikTok suspends the stream; `restricted` is for adults: its socket
    opens and stays silent.
    """

    OFFLINE = "offline"
    MISSING = "missing"
    ENDING = "ending"
    SUSPENDED = "suspended"
    PRIVATE = "private"
    RESTRICTED = "restricted"
    LIVE = ""


class TikTokSimulator:
    """The accounts and their rooms.

    :ivar sockets: readers, in the order in which they came.
    :ivar faults: what is wrong at present; change it at any time.
    :ivar answers: observed answers that are given instead of our own, by path of the request.

    :param now: the time of day, seconds since 1970.
    :param recording: accounts whose rooms play recorded payloads instead of the scenario.
    :param ending_after: seconds for which an `ending...` stream is live once somebody asked for it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        scenario: Scenario,
        recording: TikTokRecording | None = None,
        ending_after: float = ENDING_AFTER,
    ) -> None:
        self.clock = clock
        self.now = now
        self.sockets: list[PushConnection] = []
        self.faults: set[TikTokFault] = set()
        self.answers: dict[str, bytes] = {}
        self._scenario = scenario
        self._recording = recording
        self._ending_after = ending_after
        self._rooms = Recent[str, LiveRoom](CHANNELS, lambda room: bool(room.members))
        self._handles = Recent[int, str](NAMES)
        # When the stream of an account that ends does so is known for longer than its room.
        self._ending = Recent[str, float](NAMES)
        self._restarts: dict[str, int] = {}
        self._identities = Recent[str, None](NAMES)
        self._signatures = Recent[str, None](NAMES)
        self._given = 0

    def guise(self, handle: str) -> Guise:
        """What becomes of an account; one with a recording is live, whatever its name."""
        if self._is_recorded(handle):
            return Guise.LIVE
        return next(guise for guise in Guise if handle.startswith(guise.value))

    def is_live(self, handle: str) -> bool:
        """Whether there is such an account and it is on air."""
        guise = self.guise(handle)
        dark = guise in (Guise.OFFLINE, Guise.MISSING, Guise.PRIVATE)
        return not dark and not self.room(handle).over

    def room_id(self, handle: str) -> int:
        """The id of the account's room; another one after every end."""
        number = room_id(handle) + self._restarts.get(handle, 0)
        self._handles[number] = handle
        return number

    def handle_of(self, number: int) -> str:
        """Whose room this is, if it is a present one that somebody has asked for; else empty."""
        handle = self._handles.get(number, "")
        return handle if handle and self.room_id(handle) == number else ""

    def room(self, handle: str) -> LiveRoom:
        """The room of an account, made when it is first asked for."""
        if handle not in self._rooms:
            guise = self.guise(handle)
            ends = guise in (Guise.ENDING, Guise.SUSPENDED)
            self._rooms[handle] = LiveRoom(
                handle,
                self._feed(handle),
                clock=self.clock,
                now=self.now,
                ends=self._ends(handle) if ends else None,
                suspended=guise is Guise.SUSPENDED,
                whole=lambda: TikTokFault.LOST_GIFT_ENDS not in self.faults,
            )
        return self._rooms[handle]

    def _ends(self, handle: str) -> float:
        return self._ending.setdefault(handle, self.clock.seconds() + self._ending_after)

    def room_of(self, room_id: int) -> LiveRoom | None:
        """See `Server` in `tiktok_socket`."""
        handle = self.handle_of(room_id)
        return self.room(handle) if handle else None

    def say(self, handle: str, what: Action | Written) -> list[Written]:
        """Something happens in a room now: an action, or a message exactly as given."""
        return self.room(handle).say(what)

    def restart(self, handle: str) -> None:
        """The stream ends unseen, and another one begins in another room."""
        self._rooms.pop(handle, None)
        self._ending.pop(handle, None)
        self._restarts[handle] = self._restarts.get(handle, 0) + 1

    def new_identity(self) -> str:
        """The value of an anonymous viewer's cookie."""
        self._given += 1
        # The real ones hold percent signs, which must come back as they are.
        identity = f"1%7Csimulated%7C{self._given}"
        self._identities[identity] = None
        return identity

    def new_signature(self) -> str:
        """The same for one signed upgrade."""
        self._given += 1
        signature = f"signed%7C{self._given}"
        self._signatures[signature] = None
        return signature

    def knows(self, cookie: str) -> bool:
        """See `Server` in `tiktok_socket`."""
        return cookie in self._identities

    def use(self, cookie: str) -> bool:
        """See `Server` in `tiktok_socket`."""
        known = cookie in self._signatures
        self._signatures.pop(cookie, None)
        return known

    def watching(self, handle: str) -> list[PushConnection]:
        """The sockets that are in an account's room."""
        return [socket for socket in self.sockets if socket.room and socket.room.handle == handle]

    def drop(self) -> None:
        """Every socket is cut."""
        self.strike(TikTokMishap.DROP)

    def strike(self, mishap: TikTokMishap) -> None:
        """Cause a fault on every socket."""
        if mishap is TikTokMishap.REVOKE:
            self._identities.clear()
        for socket in list(self.sockets):
            match mishap:
                case TikTokMishap.DROP | TikTokMishap.REVOKE:
                    socket.drop()
                case TikTokMishap.CLOSE:
                    socket.sendClose(1000)
                case TikTokMishap.GARBAGE:
                    for data in GARBAGE:
                        socket.write(data)
                    socket.sendMessage(b"text", isBinary=False)
                case TikTokMishap.OVERSIZED:
                    socket.write(OVERSIZED)

    def _is_recorded(self, handle: str) -> bool:
        return self._recording is not None and handle in self._recording.accounts

    def _feed(self, handle: str) -> Iterator[tuple[float, Action | Written]]:
        if self._recording is not None and self._is_recorded(handle):
            return iter(self._recording.feed(handle))
        name = observed.played_by("tiktok", handle)
        # What is JSON is an answer of the site, not what a room says.
        if name and self._scenario.rate and not observed.read(name).startswith(b"{"):
            return _again_and_again(read_messages(observed.read(name)))
        known = fate(handle)
        pace = 1.0 if known is Fate.SUSPENDED else known.pace
        script = self._scenario.script(handle, frozenset()) if pace else ()
        return ((pause / pace, action) for pause, action in script)


def _again_and_again(messages: list[Written]) -> Iterator[tuple[float, Written]]:
    return ((OBSERVED_EVERY, message) for message in cycle(messages))
