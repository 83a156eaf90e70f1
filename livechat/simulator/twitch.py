# SPDX-License-Identifier: MIT
"""Twitch from the other side: an IRC server whose channels live by a scenario or a recording.

A channel named after a file of `livechat.simulator.observed` plays its lines, again and again.
Connections to one channel receive the same lines with the same ids.  What can go wrong with the
real service goes wrong here on request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import ServerFactory

from livechat.simulator import observed
from livechat.simulator.actions import Action, stable_id
from livechat.simulator.playback import Recording
from livechat.simulator.recent import CHANNELS, NAMES, Recent
from livechat.simulator.scenario import Fate, Scenario, fate
from livechat.simulator.twitch_channel import Channel
from livechat.simulator.twitch_connection import Connection, Settings
from livechat.simulator.twitch_faults import GARBAGE, OVERSIZED, Fault, Mishap
from livechat.simulator.twitch_hermes import HermesConnection
from livechat.simulator.twitch_history import Listener


class TwitchSimulator(ServerFactory):
    """The IRC server: a factory for a port or an in-memory wire.

    :ivar connections: readers, in the order in which they came.
    :ivar faults: what is wrong at present; change it at any time.
    :ivar pushes: readers of Hermes, in the order in which they came.

    :param now: the time of day, seconds since 1970.
    :param recording: channels that play recorded lines instead of the scenario.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        scenario: Scenario,
        settings: Settings | None = None,
        recording: Recording | None = None,
    ) -> None:
        self.clock = clock
        self.now = now
        self.settings = settings or Settings()
        self.connections: list[Connection] = []
        self.faults: set[Fault] = set()
        self.pushes: list[HermesConnection] = []
        # Channels whose streamers are on air, or not, whatever their names say.
        self._air: dict[str, bool] = {}
        self._scenario = scenario
        self._recording = recording
        self._channels = Recent[str, Channel](CHANNELS, lambda channel: bool(channel.members))
        self._begun = Recent[str, float](NAMES)
        self._pinging: IDelayedCall | None = None
        # Those that the service of recent messages has, by channel.
        self._listeners: dict[str, Listener] = {}

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        """A connection, unless all are refused."""
        return None if Fault.REFUSE in self.faults else Connection(self)

    def came(self, connection: Connection) -> None:
        """A reader has connected."""
        self.connections.append(connection)
        if self._pinging is None:
            self._pinging = self.clock.callLater(self.settings.ping_every, self._ping)

    def went(self, connection: Connection) -> bool:
        """A reader is gone; false if that was known."""
        if connection not in self.connections:
            return False
        self.connections.remove(connection)
        if not self.connections and self._pinging is not None:
            self._pinging.cancel()
            self._pinging = None
        return True

    def _ping(self) -> None:
        self._pinging = self.clock.callLater(self.settings.ping_every, self._ping)
        for connection in list(self.connections):
            connection.ping()

    def fate(self, login: str) -> Fate:
        """What becomes of a channel; one with a recording is live, whatever its name."""
        return Fate.LIVE if self._is_recorded(login) else fate(login)

    def _is_recorded(self, login: str) -> bool:
        return self._recording is not None and login in self._recording.channels

    def channel(self, login: str) -> Channel:
        """The channel of that name, made when it is first asked for."""
        self._begin(login)
        if login not in self._channels:
            self._channels[login] = Channel(
                login,
                self._feed(login),
                clock=self.clock,
                now=self.now,
                is_over=lambda: self.has_ended(login),
                repeats=lambda: 2 if Fault.DUPLICATES in self.faults else 1,
                enough=all if self._is_recorded(login) else any,
            )
        return self._channels[login]

    def _feed(self, login: str) -> Iterator[tuple[float, Action | bytes]]:
        if self._recording is not None and self._is_recorded(login):
            return iter(self._recording.feed(login))
        pace = self.fate(login).pace
        if (name := observed.played_by("twitch", login)) and self._scenario.rate:
            recording = Recording(observed.read(name).splitlines(), login)
            lines = [line for _, line in recording.feed(login)]
            return ((1 / self._scenario.rate, line) for line in cycle(lines))
        script = self._scenario.script(login) if pace else ()
        return ((pause / pace, action) for pause, action in script)

    def _begin(self, login: str) -> None:
        if self.fate(login) is Fate.ENDING:
            self._begun.setdefault(login, self.clock.seconds())

    def has_ended(self, login: str) -> bool:
        """Whether an `ending...` channel is over; its time begins when somebody first asks."""
        began = self._begun.get(login)
        return began is not None and self.clock.seconds() >= began + self.settings.ending_after

    def is_live(self, login: str) -> bool:
        """Whether there is such a channel and its streamer is on air."""
        self._begin(login)
        found = self.fate(login)
        if login in self._air:
            return found.exists and self._air[login]
        return found.exists and found is not Fate.OFFLINE and not self.has_ended(login)

    def put_on_air(self, login: str, on: bool, *, seen: bool = True, told: bool = True) -> None:
        """A streamer goes live or offline.

        :param seen: look-ups see it from now on.
        :param told: Hermes tells it.
        """
        if seen:
            self._air[login] = on
        if told:
            self.tell(login, "stream-up" if on else "stream-down")

    def tell(self, login: str, kind: str) -> None:
        """Hermes tells its readers that something of this kind has happened in a channel."""
        for connection in list(self.pushes):
            connection.tell(str(stable_id(login)), kind)

    def listener(self, login: str) -> Listener | None:
        """Who has listened to a channel for the service of recent messages; now somebody does."""
        if not self.fate(login).exists:
            return None
        if login in self._listeners:
            return self._listeners[login]
        if len(self._listeners) >= CHANNELS:
            self._dismiss(next(iter(self._listeners)))
        self._listeners[login] = listener = Listener(self.now)
        self.channel(login).enter(listener)
        return None

    def _dismiss(self, login: str) -> None:
        self.channel(login).leave(self._listeners.pop(login))

    def close(self) -> None:
        """Cut every connection, and listen to nothing."""
        self.drop()
        for connection in list(self.pushes):
            connection.drop()
        for login in list(self._listeners):
            self._dismiss(login)

    def joined(self, login: str) -> list[Connection]:
        """The connections that are in a channel."""
        return [connection for connection in self.connections if login in connection.channels]

    def say(self, login: str, what: Action | bytes) -> bytes:
        """Something happens in a channel now: an action, or a line exactly as given.

        :return: the line that its members received, without its end; of a rule, the ROOMSTATE.
        """
        channel = self.channel(login)
        chat = channel.written(what)
        channel.send(chat)
        return chat[-1]

    def stall(self) -> None:
        """The present connections stay open and hear nothing any more, no PONG either."""
        for connection in self.connections:
            connection.stalled = True

    def recover(self) -> None:
        """Nothing is wrong any more."""
        self.faults.clear()
        for connection in self.connections:
            connection.stalled = False

    def drop(self) -> None:
        """Every connection is cut."""
        self.strike(Mishap.DROP)

    def reconnect(self) -> None:
        """Ask every reader to reconnect, and disconnect it when its time is up."""
        self.strike(Mishap.RECONNECT)

    def strike(self, mishap: Mishap) -> None:
        """Cause a fault on every connection."""
        for connection in list(self.connections):
            match mishap:
                case Mishap.DROP:
                    connection.drop()
                case Mishap.RECONNECT:
                    connection.reconnect()
                case Mishap.GARBAGE:
                    connection.write(GARBAGE)
                case Mishap.OVERSIZED:
                    connection.write(OVERSIZED)
