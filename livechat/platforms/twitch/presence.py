# SPDX-License-Identifier: MIT
"""One watched channel: from wanting to be in its room, through being there, to having left.

Where we stand is told by two connections: `home`, on which we are in the room, and `target`, on
which we asked or will ask to be let in.  Neither and one, one and none, or both (a server announced
that it will close, so the room is joined elsewhere first) are all good states; messages are taken
from either, and the channel drops what comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IEventSink, IWatcher, Requester
from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo
from livechat.platforms.budget import Claim, Deadline
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.chat import Translation
from livechat.platforms.twitch.connection import ChatConnection
from livechat.platforms.twitch.irc import Line
from livechat.platforms.twitch.lookup import UNKNOWN, Standing
from livechat.platforms.twitch.replies import is_join_echo, is_part_echo, join_failure
from livechat.platforms.twitch.room import RoomState, room_state

T = TypeVar("T")

#: Seconds for the server to let us into a room, and how often a new room is asked for
#: (sheet `twitch` sections 1.4 and 7.1).
JOIN_TIMEOUT: Final = 10.0
JOIN_TRIES: Final = 2

#: Seconds that a room is kept on a connection which it has left for another.
OVERLAP: Final = 3.0

#: Seconds before a room that let us out, or did not answer again and again, is asked for anew.
JOIN_PAUSE: Final = 20.0

#: Seconds for the look-up, before the room is joined without its answer.
LOOKUP_PATIENCE: Final = 2.0

#: Seconds after which a start is looked at again whose connection waits for its turn to log in.
QUEUE_PATIENCE: Final = 5.0

#: Events held while a joined room waits to learn whether it is live.
MAX_EARLY: Final = 2000


#: Lines after which we may not be in the room any more, and lines that say that we are.
_TURNS: Final = frozenset({"NOTICE", "PART"})
_WELCOMES: Final = frozenset({"JOIN", "ROOMSTATE"})


class IPool(Protocol):
    """What a presence asks of the platform."""

    clock: IReactorTime
    steps: Steps

    def begin(self, presence: Presence) -> None:
        """It begins, so that it can be stopped with all others."""

    def enter(self, presence: Presence) -> None:
        """Find a connection, and have it join when that is welcomed."""

    def leave(self, presence: Presence) -> None:
        """Let go of everything held for it; idempotent."""

    def join_turn(self, claim: Claim) -> Deferred[None]:
        """Fires when a JOIN may be sent; it can be cancelled."""

    def settle(self, presence: Presence) -> None:
        """Take it off every connection but its home and its target."""

    def place_elsewhere(self, presence: Presence) -> bool:
        """Its target takes no more rooms: choose another; False if there is none to choose."""

    def ask_standing(self, login: str, claim: Claim) -> Deferred[Standing]:
        """Whether the channel exists and is live; never fails unless it is cancelled."""

    def translate(self, line: Line, state: RoomState) -> Translation:
        """The events of a line."""

    def count_lost(self, amount: int) -> None:
        """Events were dropped because nobody could take them in time."""


@implementer(IWatcher)
class Presence:
    """Our presence in one channel.

    :param require_live: an offline channel is an error, and staying offline is the end.
    :param start_timeout: seconds in which the start must succeed, waiting for the JOIN budget not
        counted.
    :param offline_grace: seconds after which staying offline is the end; streams bounce.
    """

    def __init__(
        self,
        pool: IPool,
        login: str,
        sink: IEventSink,
        requester: Requester,
        *,
        require_live: bool,
        start_timeout: float,
        offline_grace: float,
    ) -> None:
        self.login = login
        self.requester = requester
        self.home: ChatConnection | None = None
        self.target: ChatConnection | None = None
        self._pool = pool
        self._sink = sink
        self._require_live = require_live
        self._start_timeout = start_timeout
        self._offline_grace = offline_grace
        self._state = RoomState()
        self._starting: Deferred[LiveInfo] | None = None
        self._standing: Standing | None = None
        self._info: LiveInfo | None = None
        self._early: list[Event] = []
        self._tries = 0
        self._trouble = ""
        self._claim = Claim(pool.clock, requester)
        self._deadline: Deadline | None = None
        self._question: Deferred[None] | None = None
        self._turn: Deferred[None] | None = None
        self._timers: dict[str, IDelayedCall] = {}
        self._offline_since: float | None = None

    # IWatcher

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        starting: Deferred[LiveInfo] = Deferred(self._cancelled)
        self._starting = starting
        clock = self._pool.clock
        self._deadline = Deadline(clock, self._start_timeout, self._late)
        self._claim = Claim(
            clock, self.requester, queued=self._sink.queued, deadline=self._deadline
        )
        self._pool.begin(self)
        self._arm("patience", LOOKUP_PATIENCE, self._impatient)
        question = self._pool.ask_standing(self.login, self._claim)
        self._question = question.addCallbacks(self._learnt, _cancelled)
        return starting

    def stop(self) -> Deferred[None]:
        """See `IWatcher`."""
        if self._starting is not None:
            self._starting.cancel()
        self._leave()
        return succeed(None)

    # What the platform tells.

    @property
    def started(self) -> bool:
        """Whether the start has succeeded."""
        return self._info is not None

    def seek(self, connection: ChatConnection) -> None:
        """This is the connection on which we are to be let in."""
        self.target = connection
        self._tries = 0
        self._disarm("join")

    def tell_queued(self) -> None:
        """Its connection waits for its turn to log in."""
        if self._starting is not None:
            self._claim.tell()

    def join_again(self) -> None:
        """Send a JOIN on the target when there is a turn for it; it waits for one at a time."""
        if self._turn is None:
            turn = self._pool.join_turn(self._claim)
            self._turn = turn
            turn.addCallbacks(self._join, _cancelled)

    def _join(self, _: object) -> None:
        self._turn = None
        # On a target that is not welcomed now it will join when that is.
        if self.target is not None and self.target.welcomed:
            self._tries += 1
            self._arm("join", JOIN_TIMEOUT, self._unanswered)
            self.target.join([self.login])

    def lost(self, connection: ChatConnection, reason: str) -> None:
        """A connection is gone; it will be sought again."""
        if connection is self.target:
            self._disarm("join")
            self._tries = 0
        if connection is self.home:
            self.home = None
            if self.target is None:
                self.target = connection
            self._interrupt(reason)

    def read(self, connection: ChatConnection, lines: Sequence[Line]) -> None:
        """One read's lines about this room."""
        events: list[Event] = []
        for line in lines:
            if line.command in _TURNS:
                # It may interrupt or end: what was said before it goes out before it.
                self._pass_on(events)
                events = []
            self._notice(connection, line)
            events += self._pool.translate(line, self._state).events
        self._pass_on(events)

    def _pass_on(self, events: list[Event]) -> None:
        if not events:
            return
        if self.started:
            self._tell(self._sink.received, events)
        elif self._starting is not None:
            room = MAX_EARLY - len(self._early)
            self._early += events[:room]
            if len(events) > room:
                self._pool.count_lost(len(events) - room)

    def seen(self, standing: Standing) -> None:
        """What a later look-up said."""
        if self._info is None or standing.live is None:
            return
        if standing.live != self._info.live:
            self._info = LiveInfo(self.login, standing.live)
            if self.home is not None:
                self._tell(self._sink.resumed, self._info)
        if standing.live or not self._require_live:
            self._offline_since = None
            return
        now = self._pool.clock.seconds()
        if self._offline_since is None:
            self._offline_since = now
        if now - self._offline_since >= self._offline_grace:
            self._end("OFFLINE")

    # What the room says.

    def _notice(self, connection: ChatConnection, line: Line) -> None:
        """Everything in a line that is about our being in the room."""
        if line.command == "ROOMSTATE":
            self._state = room_state(self._state, line.tags)
        elif line.command == "PART":
            if is_part_echo(line, connection.nick):
                self._shown_out(connection)
            return
        elif line.command == "NOTICE":
            failure = join_failure(line)
            if failure is not None:
                self._refused(failure)
            return
        elif line.command == "JOIN" and not is_join_echo(line, connection.nick):
            return
        if connection is self.target and self._tries and line.command in _WELCOMES:
            # Other lines may be left over from before we left the room a moment ago.
            self._joined(connection)

    def _joined(self, connection: ChatConnection) -> None:
        # Only the connection that we leave now is kept for the overlap, none from before.
        self._pool.settle(self)
        before, self.home, self.target = self.home, connection, None
        self._tries = 0
        self._disarm("join")
        # What is on its way on a connection that we leave may not have come on this one.
        self._arm("overlap", OVERLAP, self._settle_down)
        if before is None and self._info is not None:
            self._tell(self._sink.resumed, self._info)
        if self._starting is not None:
            self._settle()

    def _settle_down(self) -> None:
        self._pool.settle(self)

    def _unanswered(self) -> None:
        if self.started or self._tries < JOIN_TRIES:
            if self._tries < JOIN_TRIES:
                self.join_again()
            else:
                self._arm("join", JOIN_PAUSE, self.join_again)
        elif self._standing is not None and self._standing.exists:
            self._fail(error_catalogue.JOIN_UNANSWERED.error())
        else:
            self._fail(error_catalogue.NO_ANSWER.error())

    def _refused(self, error: ChatError) -> None:
        if error.temporary:
            self._trouble = error.details or ""
            self._disarm("join")
            if not self._pool.place_elsewhere(self):
                self._arm("join", JOIN_PAUSE / 4, self.join_again)
        elif self.started:
            self._end(error.details)
        else:
            self._fail(error)

    def _shown_out(self, connection: ChatConnection) -> None:
        """An unasked PART: the room let us out (sheet `twitch` section 4.6)."""
        if connection is self.home:
            self.home = None
            if self.target is None:
                self.target = connection
                self._arm("join", JOIN_PAUSE / 4, self.join_again)
            self._interrupt("the room let us out")

    def _tell(self, tell: Callable[[T], None], what: T) -> None:
        """Tell the sink; one that fails costs what it was told, and nothing of other rooms."""
        self._pool.steps.run(self.login, tell, what)

    def _interrupt(self, reason: str) -> None:
        if self.started:
            self._tell(self._sink.interrupted, reason)

    # Start and end.

    def _learnt(self, standing: Standing) -> None:
        self._question = None
        if self._starting is None:
            self.seen(standing)
            return
        self._standing = standing
        self._disarm("patience")
        if standing.exists is False:
            self._fail(error_catalogue.NOT_FOUND.error())
        elif self._require_live and standing.live is False:
            self._fail(error_catalogue.OFFLINE.error())
        else:
            self._enter()
            self._settle()

    def _impatient(self) -> None:
        """The look-up takes long: go in before it has answered."""
        if self._claim.is_waiting:
            # Not long: it has not been sent yet.
            self._arm("patience", LOOKUP_PATIENCE, self._impatient)
            return
        if not self._require_live:
            self._standing = UNKNOWN
        self._enter()

    def _enter(self) -> None:
        if self.home is None and self.target is None:
            self._pool.enter(self)

    def _settle(self) -> None:
        """Succeed if we are in the room and know, or may do without knowing, whether it is live."""
        if self.home is not None and self._standing is not None:
            self._succeed(self._standing.live)

    def _succeed(self, live: bool | None) -> None:
        if self._starting is None or self.home is None:
            return
        starting, self._starting = self._starting, None
        self._disarm_deadline()
        self._claim = Claim(self._pool.clock, self.requester, first=False)
        self._info = LiveInfo(self.login, live)
        early, self._early = self._early, []
        starting.callback(self._info)
        if early:
            self._tell(self._sink.received, early)

    def _late(self) -> None:
        is_queued = self.target is not None and self.target.is_queued
        if is_queued or self._claim.is_waiting:
            # Its time has not begun yet.
            self._deadline = Deadline(self._pool.clock, QUEUE_PATIENCE, self._late)
            return
        trouble = self._trouble
        if self.target is not None and not self.target.welcomed:
            trouble = self.target.trouble or "NO_CONNECTION"
        self._fail(error_catalogue.unavailable(trouble or "JOIN_UNANSWERED"))

    def _cancelled(self, starting: Deferred[LiveInfo]) -> None:
        self._starting = None
        self._leave()

    def _fail(self, error: ChatError) -> None:
        starting, self._starting = self._starting, None
        self._leave()
        if starting is not None:
            starting.errback(error)

    def _end(self, details: str | None) -> None:
        self._leave()
        self._tell(self._sink.ended, error_catalogue.ended(details))

    def _leave(self) -> None:
        for name in list(self._timers):
            self._disarm(name)
        self._disarm_deadline()
        for waiting in (self._question, self._turn):
            if waiting is not None:
                waiting.cancel()
        self._question = self._turn = None
        self._early.clear()
        self._info = None
        self._pool.leave(self)

    def _arm(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._disarm(name)

        def due() -> None:
            del self._timers[name]
            self._pool.steps.run(self.login, action)

        self._timers[name] = self._pool.clock.callLater(seconds, due)

    def _disarm(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _disarm_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def _cancelled(reason: Failure) -> None:
    reason.trap(CancelledError)
