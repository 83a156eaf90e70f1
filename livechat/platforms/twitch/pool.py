# SPDX-License-Identifier: MIT
"""The few anonymous connections that all watched channels share.

When a server announces that it will close (RECONNECT), its channels are joined elsewhere before the
old connection is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from livechat.platforms.steps import Steps
from livechat.platforms.twitch.connection import ChatConnection, IConnectionOwner
from livechat.platforms.twitch.limits import EMPTY_KEPT, MAX_CHANNELS
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.placement import Placement

_log = Logger()


class Pool:
    """Which channel is on which connections.

    :param connect: makes a connection, not yet started; given its owner and how many attempts in a
        row had failed on the one that it replaces.
    :param unaddressed: takes lines that name no channel.
    """

    def __init__(
        self,
        clock: IReactorTime,
        steps: Steps,
        connect: Callable[[IConnectionOwner, int], ChatConnection],
        unaddressed: Callable[[Line], object],
    ) -> None:
        self._clock = clock
        self._steps = steps
        self._connect = connect
        self._unaddressed = unaddressed
        self._connections: dict[ChatConnection, dict[str, Placement]] = {}
        # Connections that the server will close soon, and those on which we can join no more.
        self._leaving: set[ChatConnection] = set()
        self._full: set[ChatConnection] = set()
        # Connections without channels, and when they are closed.
        self._empty: dict[ChatConnection, IDelayedCall] = {}

    def stop(self) -> None:
        """Close what is kept for later; all channels have left."""
        for connection in list(self._empty):
            self._close(connection)

    # What placements ask for (`IPool`).

    def place(self, placement: Placement, failures: int = 0) -> None:
        """See `IPool`: on a connection with a place free, a new one if need be.

        :param failures: of the connection that a new one replaces.
        """
        connection = next((c for c in self._connections if self._is_open(c)), None)
        is_new = connection is None
        if connection is None:
            connection = self._connect(self, failures)
            self._connections[connection] = {}
        timer = self._empty.pop(connection, None)
        if timer is not None:
            timer.cancel()
        self._connections[connection][placement.login] = placement
        placement.seek(connection)
        if is_new:
            connection.start()

    def leave(self, placement: Placement) -> None:
        """See `IPool`."""
        for connection in list(self._connections):
            self._let_go(connection, placement)

    def settle(self, placement: Placement) -> None:
        """See `IPool`."""
        for connection in list(self._connections):
            if connection is not placement.home and connection is not placement.target:
                self._let_go(connection, placement)

    def place_elsewhere(self, placement: Placement) -> bool:
        """See `IPool`; a connection that holds nothing else is not the fuller for this one."""
        full = placement.target
        if full is None or len(self._connections[full]) < 2:
            return False
        self._full.add(full)
        self.place(placement)
        self._let_go(full, placement)
        return True

    # What connections report (`IConnectionOwner`).

    def failing(self, connection: ChatConnection, reason: str) -> None:
        """An attempt to connect failed."""
        for placement in list(self._connections.get(connection, {}).values()):
            if connection is placement.target:
                placement.owner.failing(reason)

    def down(self, connection: ChatConnection, reason: str) -> None:
        """A welcomed connection was lost."""
        if connection in self._empty:
            self._close(connection)
            return
        placements = list(self._connections.get(connection, {}).values())
        for placement in placements:
            self._steps.run(placement.login, placement.lost, connection, reason)
        if connection in self._leaving:
            # It was to be left anyway; its channels are on their way elsewhere.
            for placement in placements:
                self._let_go(connection, placement)

    def read(self, connection: ChatConnection, lines: Sequence[Line]) -> None:
        """One read's lines: to each channel its share as one batch."""
        placements = self._connections.get(connection, {})
        shares: dict[Placement, list[Line]] = {}
        for line in lines:
            placement = placements.get(line.channel) or placements.get(line.channel.lower())
            if placement is not None:
                shares.setdefault(placement, []).append(line)
            elif not line.channel:
                self._unaddressed(line)
        for placement, share in shares.items():
            self._steps.run(placement.login, placement.owner.read, connection, share)

    def leaving(self, connection: ChatConnection) -> None:
        """RECONNECT: join this connection's channels elsewhere before it closes.

        Channels that are not joined on it yet lose nothing and leave it at once.  A connection that
        was told so soon after its welcome is replaced with the ordinary back-off.
        """
        if connection in self._leaving or connection not in self._connections:
            return
        self._leaving.add(connection)
        placements = list(self._connections[connection].values())
        if not placements:
            self._close(connection)
            return
        _log.info("Twitch asks us to reconnect; {channels} channels move", channels=len(placements))
        failures = connection.failures
        for placement in placements:
            self.place(placement, failures)
            if placement.home is not connection:
                self._let_go(connection, placement)

    def _is_open(self, connection: ChatConnection) -> bool:
        """Whether it may take another channel."""
        closed = connection in self._leaving or connection in self._full
        return not closed and len(self._connections[connection]) < MAX_CHANNELS

    def _let_go(self, connection: ChatConnection, placement: Placement) -> None:
        placements = self._connections.get(connection)
        if placements is None or placements.get(placement.login) is not placement:
            return
        del placements[placement.login]
        connection.part(placement.login)
        if placements:
            return
        others = [other for other in self._connections if other is not connection]
        is_useful = connection.welcomed and self._is_open(connection)
        if is_useful and not any(self._is_open(other) for other in others):
            self._empty[connection] = self._clock.callLater(EMPTY_KEPT, self._close, connection)
        else:
            self._close(connection)

    def _close(self, connection: ChatConnection) -> None:
        timer = self._empty.pop(connection, None)
        if timer is not None and timer.active():
            timer.cancel()
        del self._connections[connection]
        self._leaving.discard(connection)
        self._full.discard(connection)
        connection.stop()
