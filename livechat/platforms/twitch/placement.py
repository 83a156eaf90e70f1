# SPDX-License-Identifier: MIT
"""Which of our connections one channel is on: a transition table, and what joining takes.

    state     home  target  meaning
    Outside    -      -     on no connection
    Joining    -      x     we asked, or will ask, to be let in on the target
    Inside     x      -     messages come on the home connection
    Moving     x      x     the home will close, or takes no more: joined elsewhere before we leave

    state    input        next     what happens
    Outside  seek         Joining  ask on the connection
    Joining  seek         Joining  ask on another one instead
    Joining  admitted     Inside   messages flow
    Joining  target lost  Joining  ask again when it is back
    Inside   seek         Moving   ask on the connection
    Inside   home lost    Joining  messages are lost; ask again when it is back
    Inside   let out      Joining  messages are lost; ask again after a pause
    Moving   seek         Moving   ask on another one instead
    Moving   admitted     Inside   messages flow; the old connection is kept for the overlap
    Moving   target lost  Moving   ask again when it is back
    Moving   home lost    Joining  messages are lost
    Moving   let out      Joining  messages are lost
    any      leave        Outside  let go of everything
    every other pair leaves everything as it is

During an overlap messages are taken from both connections; the channel drops what comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from livechat.pacing import sleep
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.twitch.connection import ChatConnection
from livechat.platforms.twitch.parse.irc import Line

#: Seconds for the server to let us in, and how often it is asked before a pause
#: (docs/wire/twitch.md#join).
JOIN_TIMEOUT: Final = 10.0
JOIN_TRIES: Final = 2

#: Seconds before a channel that did not answer again and again is asked for anew, and before one
#: that let us out or refused us for the moment.
JOIN_PAUSE: Final = 20.0
REJOIN_PAUSE: Final = 5.0

#: Seconds that a channel is kept on a connection which it has left for another.
OVERLAP: Final = 3.0


class Place(Enum):
    """Where a channel is."""

    OUTSIDE = "outside"
    JOINING = "joining"
    INSIDE = "inside"
    MOVING = "moving"


class Input(Enum):
    """What moves it."""

    SEEK = "seek"
    ADMITTED = "admitted"
    TARGET_LOST = "target lost"
    HOME_LOST = "home lost"
    LET_OUT = "let out"
    LEAVE = "leave"


#: By state and input: the next state, and the name of what `Placement` does then.  A pair that is
#: not here changes nothing.
TRANSITIONS: Final[Mapping[tuple[Place, Input], tuple[Place, str]]] = {
    (Place.OUTSIDE, Input.SEEK): (Place.JOINING, "_ask"),
    (Place.JOINING, Input.SEEK): (Place.JOINING, "_ask"),
    (Place.JOINING, Input.ADMITTED): (Place.INSIDE, "_arrive"),
    (Place.JOINING, Input.TARGET_LOST): (Place.JOINING, "_ask"),
    (Place.JOINING, Input.LEAVE): (Place.OUTSIDE, "_let_go"),
    (Place.INSIDE, Input.SEEK): (Place.MOVING, "_ask"),
    (Place.INSIDE, Input.HOME_LOST): (Place.JOINING, "_return"),
    (Place.INSIDE, Input.LET_OUT): (Place.JOINING, "_return_later"),
    (Place.INSIDE, Input.LEAVE): (Place.OUTSIDE, "_let_go"),
    (Place.MOVING, Input.SEEK): (Place.MOVING, "_ask"),
    (Place.MOVING, Input.ADMITTED): (Place.INSIDE, "_arrive"),
    (Place.MOVING, Input.TARGET_LOST): (Place.MOVING, "_ask"),
    (Place.MOVING, Input.HOME_LOST): (Place.JOINING, "_lose"),
    (Place.MOVING, Input.LET_OUT): (Place.JOINING, "_lose"),
    (Place.MOVING, Input.LEAVE): (Place.OUTSIDE, "_let_go"),
}


class IPool(Protocol):
    """What a placement asks of the pool of connections."""

    def place(self, placement: Placement) -> None:
        """Choose a connection for it and have it seek that."""

    def leave(self, placement: Placement) -> None:
        """Take it off every connection; idempotent."""

    def settle(self, placement: Placement) -> None:
        """Take it off every connection but its home and its target."""

    def place_elsewhere(self, placement: Placement) -> bool:
        """Its target takes no more channels: choose another; False if there is none to choose."""


class IPlaced(Protocol):
    """Whose placement it is, and who is told about it."""

    @property
    def claim(self) -> Claim:
        """In whose name turns are waited for."""

    def admitted(self) -> None:
        """Messages flow."""

    def lost(self, reason: str, silence: float) -> None:
        """Messages do not flow any more; the placement goes on by itself.

        :param silence: seconds since the connection brought anything.
        """

    def unanswered(self) -> None:
        """The channel did not answer again and again; it is asked again after a pause.

        :raises ChatError: there is no point in that.
        """

    def failing(self, reason: str) -> None:
        """Why it is not in the channel yet."""

    def failed(self, reason: Failure) -> None:
        """Asking failed: there is no such channel, or by a mistake of ours."""

    def read(self, connection: ChatConnection, lines: Sequence[Line]) -> None:
        """What one read of a connection brought for the channel."""


class Placement:
    """Where one channel is among our connections.

    :ivar login: the channel.
    :ivar state: only the table changes it.
    :ivar home: where messages come from; see the table for when it is there.
    :ivar target: where we asked to be let in.
    :param joins: turns for JOINs.
    """

    def __init__(
        self, login: str, pool: IPool, joins: Budget, clock: IReactorTime, owner: IPlaced
    ) -> None:
        self.login = login
        self.owner = owner
        self.state = Place.OUTSIDE
        self.home: ChatConnection | None = None
        self.target: ChatConnection | None = None
        self._pool = pool
        self._joins = joins
        self._clock = clock
        # Whether a JOIN was sent on the target since it was chosen or came back.
        self._is_asked = False
        self._joining: Deferred[None] | None = None
        self._overlap: IDelayedCall | None = None

    def enter(self) -> None:
        """Be in the channel from now on, on whichever connection."""
        self._pool.place(self)

    def leave(self) -> None:
        """Be in it no more; idempotent."""
        self._on(Input.LEAVE)

    def seek(self, connection: ChatConnection) -> None:
        """This is the connection on which we are to be let in."""
        self._on(Input.SEEK, connection)

    def welcomed(self, connection: ChatConnection) -> None:
        """The channel shows on this connection that we are in it."""
        # Without a JOIN of ours it may be left over from before we left a moment ago.
        if connection is self.target and self._is_asked:
            self._on(Input.ADMITTED, connection)

    def lost(self, connection: ChatConnection, reason: str) -> None:
        """A connection is gone; it comes back by itself."""
        if connection is self.target:
            self._on(Input.TARGET_LOST, connection)
        elif connection is self.home:
            self._on(Input.HOME_LOST, reason)

    def let_out(self, connection: ChatConnection) -> None:
        """The channel let us out, unasked (docs/wire/twitch.md#let-out)."""
        if connection is self.home:
            self._on(Input.LET_OUT, "the room let us out")

    def refused(self, reason: str) -> None:
        """The target takes no more channels at the moment."""
        self.owner.failing(reason)
        if self.target is not None and not self._pool.place_elsewhere(self):
            self._ask(self.target, REJOIN_PAUSE)

    # What the table does.

    def _on(self, what: Input, argument: Any = None) -> None:
        step = TRANSITIONS.get((self.state, what))
        if step is not None:
            self.state, action = step
            act: Callable[[Any], None] = getattr(self, action)
            act(argument)

    def _ask(self, connection: ChatConnection, pause: float = 0.0) -> None:
        self._stop_asking()
        self.target = connection
        self._joining = Deferred.fromCoroutine(self._join(connection, pause))
        self._joining.addErrback(self._join_failed)

    def _arrive(self, connection: ChatConnection) -> None:
        self._stop_asking()
        # Only the connection that we leave now is kept for the overlap, none from before.
        self._pool.settle(self)
        self.home, self.target = connection, None
        self._stop_overlap()
        self._overlap = self._clock.callLater(OVERLAP, self._overlap_ends)
        self.owner.admitted()

    def _return(self, reason: str, pause: float = 0.0) -> None:
        before, self.home = self.home, None
        assert before is not None
        self._ask(before, pause)
        self.owner.lost(reason, before.silence)

    def _return_later(self, reason: str) -> None:
        self._return(reason, REJOIN_PAUSE)

    def _lose(self, reason: str) -> None:
        before, self.home = self.home, None
        assert before is not None
        self.owner.lost(reason, before.silence)

    def _let_go(self, _: object) -> None:
        self._stop_asking()
        self._stop_overlap()
        self.home = self.target = None
        self._pool.leave(self)

    # Joining.

    async def _join(self, connection: ChatConnection, pause: float) -> None:
        """Ask to be let in until we are; then, or when we want no more, this is cancelled."""
        if pause:
            await sleep(self._clock, pause)
        if not connection.welcomed:
            self.owner.failing(connection.trouble or "NO_CONNECTION")
            await connection.welcome(self.owner.claim)
        while True:
            for _ in range(JOIN_TRIES):
                async with self._joins.turn(self.owner.claim):
                    self._is_asked = True
                    connection.join([self.login])
                self.owner.failing("JOIN_UNANSWERED")
                await sleep(self._clock, JOIN_TIMEOUT)
            self.owner.unanswered()
            await sleep(self._clock, JOIN_PAUSE)

    def _join_failed(self, reason: Failure) -> None:
        if not reason.check(CancelledError):
            self.owner.failed(reason)

    def _stop_asking(self) -> None:
        self._is_asked = False
        joining, self._joining = self._joining, None
        if joining is not None:
            joining.cancel()

    def _overlap_ends(self) -> None:
        self._overlap = None
        self._pool.settle(self)

    def _stop_overlap(self) -> None:
        overlap, self._overlap = self._overlap, None
        if overlap is not None:
            overlap.cancel()
