# SPDX-License-Identifier: MIT
"""One watched channel: from wanting to be in its room, through being there, to having left.

Where we stand is told by two connections: `home`, on which we are in the room, and `target`, on
which we asked or will ask to be let in.  Neither and one, one and none, or both (a server announced
that it will close, so the room is joined elsewhere first) are all good states; messages are taken
from either, and the channel drops what comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from livechat.core.ports import IEventSink, IWatcher
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import Event, LiveInfo
from livechat.platforms.twitch.chat import Translation
from livechat.platforms.twitch.connection import ChatConnection
from livechat.platforms.twitch.irc import Line
from livechat.platforms.twitch.lookup import Standing
from livechat.platforms.twitch.replies import is_join_echo, is_part_echo, join_failure
from livechat.platforms.twitch.room import RoomState, room_state

#: Seconds for the server to let us into a room, and how often a new room is asked for
#: (sheet `twitch` sections 1.4 and 7.1).
JOIN_TIMEOUT: Final = 10.0
JOIN_TRIES: Final = 2

#: Seconds that a room is kept on a connection which it has left for another.
OVERLAP: Final = 3.0

#: Seconds before a room that let us out, or did not answer again and again, is asked for anew.
JOIN_PAUSE: Final = 20.0

#: Seconds that a joined room waits to learn whether it is live, where that is only told.
LOOKUP_PATIENCE: Final = 2.0

#: Seconds after which a start that waits for its turn to JOIN is looked at again.
QUEUE_PATIENCE: Final = 5.0

#: Events held while a joined room waits to learn whether it is live.
MAX_EARLY: Final = 2000


#: Lines after which we may not be in the room any more, and lines that say that we are.
_TURNS: Final = frozenset({"NOTICE", "PART"})
_WELCOMES: Final = frozenset({"JOIN", "ROOMSTATE"})


class IPool(Protocol):
    """What a presence asks of the platform."""

    clock: IReactorTime

    def enter(self, presence: Presence) -> None:
        """Find a connection, and ask for a JOIN when it is welcomed."""

    def leave(self, presence: Presence) -> None:
        """Let go of everything held for it; idempotent."""

    def join_again(self, presence: Presence) -> None:
        """Queue another JOIN on its target."""

    def in_queue(self, presence: Presence) -> bool:
        """Whether it waits for the JOIN budget, rather than for Twitch."""

    def settle(self, presence: Presence) -> None:
        """Take it off every connection but its home and its target."""

    def place_elsewhere(self, presence: Presence) -> bool:
        """Its target takes no more rooms: choose another; False if there is none to choose."""

    def ask_standing(self, login: str) -> Deferred[Standing]:
        """Whether the channel exists and is live; never fails."""

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
        *,
        require_live: bool,
        start_timeout: float,
        offline_grace: float,
    ) -> None:
        self.login = login
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
        self._queued = 0.0
        self._trouble = ""
        self._timers: dict[str, IDelayedCall] = {}
        self._offline_since: float | None = None

    # IWatcher

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        starting: Deferred[LiveInfo] = Deferred(self._cancelled)
        self._starting = starting
        self._arm("start", self._start_timeout, self._late)
        self._pool.enter(self)
        self._pool.ask_standing(self.login).addCallback(self._learnt)
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

    def join_queued(self) -> None:
        """It waits for its turn to JOIN."""
        self._queued = self._pool.clock.seconds()

    def join_sent(self) -> None:
        """The JOIN is on its way to the server."""
        self._tries += 1
        self._arm("join", JOIN_TIMEOUT, self._unanswered)
        deadline = self._timers.get("start")
        if deadline is not None:
            # For so long it was our own turn-taking that it waited for, not Twitch.
            deadline.delay(max(0.0, self._pool.clock.seconds() - self._queued))

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
            self._sink.received(events)
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
                self._sink.resumed(self._info)
        if standing.live or not self._require_live:
            self._offline_since = None
            return
        now = self._pool.clock.seconds()
        if self._offline_since is None:
            self._offline_since = now
        if now - self._offline_since >= self._offline_grace:
            self._end("The stream has ended", "OFFLINE")

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
        before, self.home, self.target = self.home, connection, None
        self._tries = 0
        self._disarm("join")
        # What is on its way on a connection that we leave may not have come on this one.
        self._arm("overlap", OVERLAP, self._settle_down)
        if before is None and self._info is not None:
            self._sink.resumed(self._info)
        if self._starting is not None:
            self._settle()

    def _settle_down(self) -> None:
        self._pool.settle(self)

    def _unanswered(self) -> None:
        if self.started or self._tries < JOIN_TRIES:
            if self._tries < JOIN_TRIES:
                self._pool.join_again(self)
            else:
                self._arm("join", JOIN_PAUSE, self._ask_again)
        elif self._standing is not None and self._standing.exists:
            self._fail(_unavailable("Twitch does not let us into the room", "JOIN_UNANSWERED"))
        else:
            self._fail(
                ChatError(ErrorCode.STREAM_NOT_FOUND, "This channel does not exist", "NO_ANSWER")
            )

    def _ask_again(self) -> None:
        self._pool.join_again(self)

    def _refused(self, error: ChatError) -> None:
        if error.temporary:
            self._trouble = error.details or ""
            self._disarm("join")
            if not self._pool.place_elsewhere(self):
                self._arm("join", JOIN_PAUSE / 4, self._ask_again)
        elif self.started:
            self._end("The stream has ended", error.details)
        else:
            self._fail(error)

    def _shown_out(self, connection: ChatConnection) -> None:
        """An unasked PART: the room let us out (sheet `twitch` section 4.6)."""
        if connection is self.home:
            self.home = None
            if self.target is None:
                self.target = connection
                self._arm("join", JOIN_PAUSE / 4, self._ask_again)
            self._interrupt("the room let us out")

    def _interrupt(self, reason: str) -> None:
        if self.started:
            self._sink.interrupted(reason)

    # Start and end.

    def _learnt(self, standing: Standing) -> None:
        if self._starting is None:
            return
        self._standing = standing
        if standing.exists is False:
            self._fail(
                ChatError(ErrorCode.STREAM_NOT_FOUND, "This channel does not exist", "NOT_FOUND")
            )
        elif self._require_live and standing.live is False:
            self._fail(ChatError(ErrorCode.STREAM_NOT_LIVE, "The channel is not live", "OFFLINE"))
        else:
            self._settle()

    def _settle(self) -> None:
        """Succeed if we are in the room and know, or may do without knowing, whether it is live."""
        if self.home is None:
            return
        if self._standing is not None:
            self._succeed(self._standing.live)
        elif not self._require_live and "patience" not in self._timers:
            self._arm("patience", LOOKUP_PATIENCE, lambda: self._succeed(None))

    def _succeed(self, live: bool | None) -> None:
        if self._starting is None or self.home is None:
            return
        starting, self._starting = self._starting, None
        self._disarm("start")
        self._disarm("patience")
        self._info = LiveInfo(self.login, live)
        early, self._early = self._early, []
        starting.callback(self._info)
        if early:
            self._sink.received(early)

    def _late(self) -> None:
        if self.target is not None and self.target.welcomed and self._pool.in_queue(self):
            self._arm("start", QUEUE_PATIENCE, self._late)
            return
        trouble = self._trouble
        if self.target is not None and not self.target.welcomed:
            trouble = self.target.trouble or "NO_CONNECTION"
        self._fail(_unavailable("Twitch chat cannot be reached", trouble or "JOIN_UNANSWERED"))

    def _cancelled(self, starting: Deferred[LiveInfo]) -> None:
        self._starting = None
        self._leave()

    def _fail(self, error: ChatError) -> None:
        starting, self._starting = self._starting, None
        self._leave()
        if starting is not None:
            starting.errback(error)

    def _end(self, sentence: str, details: str | None) -> None:
        self._leave()
        self._sink.ended(ChatError(ErrorCode.STREAM_ENDED, sentence, details))

    def _leave(self) -> None:
        for name in list(self._timers):
            self._disarm(name)
        self._early.clear()
        self._info = None
        self._pool.leave(self)

    def _arm(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._disarm(name)

        def due() -> None:
            del self._timers[name]
            action()

        self._timers[name] = self._pool.clock.callLater(seconds, due)

    def _disarm(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _unavailable(sentence: str, details: str) -> ChatError:
    return ChatError(ErrorCode.UPSTREAM_UNAVAILABLE, sentence, details, temporary=True)
