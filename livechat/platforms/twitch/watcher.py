# SPDX-License-Identifier: MIT
"""Twitch as an `IPlatform`: which presence is on which of a few shared anonymous connections.

When a server announces that it will close (RECONNECT), its rooms are joined elsewhere before the
old connection is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Requester
from livechat.model import error_catalogue
from livechat.model.events import ChannelKey
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.description import PlatformContext
from livechat.platforms.failures import Failures
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.chat import Translation, translate
from livechat.platforms.twitch.connection import ChatConnection
from livechat.platforms.twitch.identifier import HOSTS, login_of
from livechat.platforms.twitch.irc import Line
from livechat.platforms.twitch.limits import EMPTY_KEPT, JOINS, LOGINS, LOOKUPS, MAX_ROOMS
from livechat.platforms.twitch.lookup import Lookup, Standing
from livechat.platforms.twitch.presence import Presence
from livechat.platforms.twitch.room import NOTHING_KNOWN, RoomState
from livechat.platforms.twitch.settings import TwitchSettings

_log = Logger()


@implementer(IPlatform)
class Twitch(Service):
    """Twitch chat, read anonymously.

    :raises ValueError: the endpoint string of the IRC server is wrong.
    """

    name = "twitch"
    hosts = HOSTS

    def __init__(self, context: PlatformContext, settings: TwitchSettings) -> None:
        clock, metrics = context.clock, context.metrics
        self.clock = clock
        self._start_timeout = context.start_timeout
        self._settings = settings
        self._metrics = metrics
        self._logins = Budget(clock, LOGINS, metrics, self.name, "logins")
        self._joins = Budget(clock, JOINS, metrics, self.name, "joins")
        lookups = Budget(clock, LOOKUPS, metrics, self.name, "lookups")
        self._lookup = Lookup(settings.gql_url, context.http, clock, metrics, lookups)
        self._failures = Failures(clock, metrics, self.name)
        self.steps = Steps(clock, metrics, self.name)
        try:
            self._endpoint = context.endpoint(settings.irc)
        except ValueError as error:
            raise ValueError(f"--twitch-irc: {error}") from None
        self._now = context.now
        self._random = context.random
        # All that have begun, and those that have a connection.
        self._presences: dict[Presence, None] = {}
        self._rooms: dict[str, Presence] = {}
        self._connections: dict[ChatConnection, dict[str, Presence]] = {}
        self._leaving: set[ChatConnection] = set()
        # Connections on which Twitch let us join no more.
        self._full: set[ChatConnection] = set()
        # Connections without rooms, and when they are closed.
        self._empty: dict[ChatConnection, IDelayedCall] = {}
        self._poll: IDelayedCall | None = None

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a login, `@login` or the channel's URL."""
        if identifier_type != "username":
            raise error_catalogue.WRONG_IDENTIFIER_TYPE.error()
        return ChannelKey("twitch", "username", login_of(identifier))

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`."""
        return succeed(Located(key))

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        key = located.key
        settings = self._settings
        presence = Presence(
            self,
            key.identifier,
            sink,
            requester,
            require_live=settings.require_live,
            start_timeout=self._start_timeout,
            offline_grace=settings.offline_grace,
        )
        return self._failures.watcher(key, presence)

    def stopService(self) -> None:
        """Leave everything at once."""
        super().stopService()
        for presence in list(self._presences):
            presence.stop()
        for connection in list(self._empty):
            self._close(connection)
        self._lookup.stop()

    # What presences ask for (`IPool`).

    def begin(self, presence: Presence) -> None:
        """See `IPool`."""
        self._presences[presence] = None

    def enter(self, presence: Presence) -> None:
        """See `IPool`."""
        self._rooms[presence.login] = presence
        self._place(presence)
        if self._poll is None and self._lookup.enabled:
            self._poll = self.clock.callLater(self._settings.live_poll, self._ask_all)

    def leave(self, presence: Presence) -> None:
        """See `IPool`."""
        self._presences.pop(presence, None)
        if self._rooms.get(presence.login) is not presence:
            return
        del self._rooms[presence.login]
        for connection in list(self._connections):
            self._let_go(connection, presence)
        if not self._rooms and self._poll is not None:
            if self._poll.active():
                self._poll.cancel()
            self._poll = None

    def join_turn(self, claim: Claim) -> Deferred[None]:
        """See `IPool`."""
        return self._joins.wait(claim)

    def settle(self, presence: Presence) -> None:
        """See `IPool`."""
        for connection in list(self._connections):
            if connection is not presence.home and connection is not presence.target:
                self._let_go(connection, presence)

    def place_elsewhere(self, presence: Presence) -> bool:
        """See `IPool`; a connection that holds nothing else is not the fuller for this one."""
        full = presence.target
        if full is None or len(self._connections[full]) < 2:
            return False
        self._full.add(full)
        self._place(presence)
        self._let_go(full, presence)
        return True

    def _let_go(self, connection: ChatConnection, presence: Presence) -> None:
        rooms = self._connections.get(connection)
        if rooms is None or rooms.pop(presence.login, None) is None:
            return
        connection.part(presence.login)
        if rooms:
            return
        others = [other for other in self._connections if other is not connection]
        is_useful = connection.welcomed and self._is_open(connection)
        if is_useful and not any(self._is_open(other) for other in others):
            self._empty[connection] = self.clock.callLater(EMPTY_KEPT, self._close, connection)
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

    def _is_open(self, connection: ChatConnection) -> bool:
        """Whether it may take another room."""
        closed = connection in self._leaving or connection in self._full
        return not closed and len(self._connections[connection]) < MAX_ROOMS

    def ask_standing(self, login: str, claim: Claim) -> Deferred[Standing]:
        """See `IPool`."""
        return self._lookup.ask(login, claim)

    def translate(self, line: Line, state: RoomState) -> Translation:
        """See `IPool`; what is not known is counted, and a line that we fail at costs itself."""
        try:
            translation = translate(line, int(self._now() * 1000), self._new_id, state)
        except Exception:
            self.steps.failed(line.channel)
            return Translation([])
        for name in translation.unknown:
            self._metrics.count_unparsed("twitch", name)
        for name in translation.ignored:
            self._metrics.count_ignored("twitch", name)
        return translation

    def count_lost(self, amount: int) -> None:
        """See `IPool`."""
        self._metrics.count_unparsed("twitch", "too early", amount)

    # What connections report (`IRoomLines`).

    def claim(self, connection: ChatConnection) -> Claim:
        """The claim of the first room that waits to start, told to all of them; else of nobody."""
        rooms = self._connections.get(connection, {})
        requesters = [room.requester for room in rooms.values() if not room.started]
        if not requesters:
            return Claim(self.clock, first=False)
        return Claim(self.clock, requesters[0], queued=lambda: self._tell_queued(connection))

    def _tell_queued(self, connection: ChatConnection) -> None:
        for presence in list(self._connections.get(connection, {}).values()):
            presence.tell_queued()

    def up(self, connection: ChatConnection) -> None:
        """A connection was welcomed: join its rooms."""
        for presence in list(self._connections.get(connection, {}).values()):
            self.steps.run(presence.login, presence.join_again)

    def down(self, connection: ChatConnection, reason: str) -> None:
        """A connection was lost."""
        if connection in self._empty:
            self._close(connection)
            return
        presences = list(self._connections.get(connection, {}).values())
        for presence in presences:
            self.steps.run(presence.login, presence.lost, connection, reason)
        if connection in self._leaving:
            # It was to be left anyway; its rooms are on their way elsewhere.
            for presence in presences:
                self._let_go(connection, presence)

    def read(self, connection: ChatConnection, lines: Sequence[Line]) -> None:
        """One read's lines: to each presence its share as one batch."""
        rooms = self._connections.get(connection, {})
        shares: dict[Presence, list[Line]] = {}
        for line in lines:
            presence = rooms.get(line.channel) or rooms.get(line.channel.lower())
            if presence is not None:
                shares.setdefault(presence, []).append(line)
            elif not line.channel:
                # Nobody is told of it, but what is unknown is counted.
                self.translate(line, NOTHING_KNOWN)
        for presence, share in shares.items():
            self.steps.run(presence.login, presence.read, connection, share)

    def leaving(self, connection: ChatConnection) -> None:
        """RECONNECT: join this connection's rooms elsewhere before it closes.

        Rooms that are not joined on it yet lose nothing and leave it at once.  A connection that
        was told so soon after its welcome is replaced with the ordinary back-off.
        """
        if connection in self._leaving or connection not in self._connections:
            return
        self._leaving.add(connection)
        presences = list(self._connections[connection].values())
        if not presences:
            self._close(connection)
            return
        _log.info("Twitch asks us to reconnect; {rooms} rooms move", rooms=len(presences))
        setbacks = connection.setbacks
        for presence in presences:
            self._place(presence, setbacks)
            if presence.home is not connection:
                self._let_go(connection, presence)

    def _place(self, presence: Presence, setbacks: int = 0) -> None:
        """Put a presence on a connection with a place free, a new one if need be.

        :param setbacks: of the connection that a new one replaces.
        """
        connection = next((c for c in self._connections if self._is_open(c)), None)
        is_new = connection is None
        if connection is None:
            connection = ChatConnection(
                self._endpoint,
                self,
                self.clock,
                self._random,
                self._metrics,
                self._logins,
                self.steps,
                setbacks,
            )
            self._connections[connection] = {}
        timer = self._empty.pop(connection, None)
        if timer is not None:
            timer.cancel()
        self._connections[connection][presence.login] = presence
        presence.seek(connection)
        if is_new:
            connection.start()
        elif connection.welcomed:
            presence.join_again()

    def _ask_all(self) -> None:
        """Look at all channels, as fast as the budget allows; then, after a pause, again."""
        claim = Claim(self.clock, first=False)
        looks: list[Deferred[None]] = []
        for presence in list(self._rooms.values()):
            self.steps.run(presence.login, self._look, presence, claim, looks)
        DeferredList(looks).addCallback(self._asked_all, self._poll)

    def _look(self, presence: Presence, claim: Claim, looks: list[Deferred[None]]) -> None:
        asked = self._lookup.ask(presence.login, claim)
        looks.append(asked.addCallback(lambda s: self.steps.run(presence.login, presence.seen, s)))

    def _asked_all(self, _: object, poll: IDelayedCall | None) -> None:
        # Meanwhile all may have left, and others have come who are looked at in their own time.
        if self._poll is poll and poll is not None:
            self._poll = self.clock.callLater(self._settings.live_poll, self._ask_all)

    def _new_id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))
