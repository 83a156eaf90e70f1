# SPDX-License-Identifier: MIT
"""Twitch from the other side: an IRC server whose channels live by a scenario or a recording.

Connections to one channel receive the same lines with the same ids.  What can go wrong with the
real service goes wrong here on request (`Fault`, `Mishap`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.simulator.actions import Action, Rule
from livechat.simulator.playback import Recording
from livechat.simulator.scenario import Fate, Scenario, fate
from livechat.simulator.twitch_lines import Room, lines, room_state, suspended

LOGIN: Final = re.compile(r"[a-z0-9_]{1,25}")
_NICK: Final = re.compile(r"justinfan\d+", re.IGNORECASE)
_KNOWN: Final = frozenset({"twitch.tv/tags", "twitch.tv/commands", "twitch.tv/membership"})
_WELCOME: Final = (
    ("001", "Welcome, GLHF!"),
    ("002", "Your host is tmi.twitch.tv"),
    ("003", "This server is rather new"),
    ("004", "-"),
    ("375", "-"),
    ("372", "You are in a maze of twisty passages, all alike."),
    ("376", ">"),
)

#: Most that is written to a channel's readers in one turn, in bytes.
_CHUNK: Final = 32 * 1024
#: A reader that lets so many bytes wait is dropped.
_MAX_BACKLOG: Final = 8 * 1024 * 1024
#: A channel that is so many seconds late does not catch up any further.
_MAX_LAG: Final = 1.0
#: Seconds for which JOINs are counted (sheet section 1.4).
_JOIN_WINDOW: Final = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server behaves when nothing is wrong; times in seconds.

    :ivar join_limit: more JOINs than these within 10 s end a connection; 0: no limit.
    :ivar ping_every: between two PINGs; who has not answered one by the next is dropped.
    :ivar ending_after: how long an `ending…` channel is live once somebody asked for it.
    :ivar reconnect_grace: between RECONNECT and the end of the connection.
    :ivar welcome_delay: before the welcome, under `Fault.SLOW_WELCOME`.
    """

    join_limit: int = 20
    ping_every: float = 300.0
    ending_after: float = 30.0
    reconnect_grace: float = 30.0
    welcome_delay: float = 5.0


@implementer(IPushProducer)
class Connection(LineOnlyReceiver):
    """One reader.

    :ivar nick: empty until it has logged in.
    :ivar capabilities: what it asked for and was granted.
    :ivar rooms: the channels that it is in, by login.
    :ivar heard: the last lines it sent.
    :ivar stalled: it is told nothing any more, and the connection stays open.
    :ivar paused: it does not read fast enough.
    """

    delimiter = b"\n"
    MAX_LENGTH = 8192

    def __init__(self, server: TwitchSimulator) -> None:
        self._server = server
        self.nick = ""
        self.capabilities: frozenset[str] = frozenset()
        self.rooms: dict[str, Chatroom] = {}
        self.heard: deque[str] = deque(maxlen=1000)
        self.stalled = False
        self.paused = False
        self.awaits_pong = False
        self._backlog = 0
        self._joins: deque[float] = deque()
        self._later: list[IDelayedCall] = []

    def connectionMade(self) -> None:
        """A reader has come."""
        cast(IConsumer, self.transport).registerProducer(self, True)
        self._server.came(self)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It has gone."""
        for call in self._later:
            if call.active():
                call.cancel()
        for room in list(self.rooms.values()):
            room.leave(self)
        self.rooms.clear()
        self._server.went(self)

    def pauseProducing(self) -> None:
        """The reader is slow."""
        self.paused = True

    def resumeProducing(self) -> None:
        """The reader has caught up."""
        self.paused = False
        self._backlog = 0
        for room in self.rooms.values():
            room.wake()

    def stopProducing(self) -> None:
        """The connection is gone; `connectionLost` does what there is to do."""

    def send(self, *texts: str) -> None:
        """Write lines."""
        self.write("".join(f"{text}\r\n" for text in texts).encode())

    def write(self, data: bytes) -> None:
        """Write bytes, unless the connection is stalled."""
        if self.stalled or Fault.STALL in self._server.faults:
            return
        if self.paused:
            self._backlog += len(data)
            if self._backlog > _MAX_BACKLOG:
                self.drop()
                return
        cast(ITCPTransport, self.transport).write(data)

    def deliver(self, chat: Sequence[bytes], joined: bytes) -> None:
        """Write lines of a channel; `joined` are the same with their ends.

        Who did not ask for tags and commands gets bare messages.
        """
        if {"twitch.tv/tags", "twitch.tv/commands"} <= self.capabilities:
            self.write(joined)
            return
        bare = [line.partition(b" ")[2] if line.startswith(b"@") else line for line in chat]
        self.write(b"".join(line + b"\r\n" for line in bare if b" PRIVMSG #" in line))

    def close(self) -> None:
        """End the connection once everything is written."""
        cast(IConsumer, self.transport).unregisterProducer()
        cast(ITCPTransport, self.transport).loseConnection()

    def drop(self) -> None:
        """End the connection at once."""
        cast(IConsumer, self.transport).unregisterProducer()
        cast(ITCPTransport, self.transport).abortConnection()

    def reconnect(self) -> None:
        """Say RECONNECT, and go some time later (sheet section 1.2)."""
        self.send(":tmi.twitch.tv RECONNECT")
        self._after(self._server.settings.reconnect_grace, self.close)

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        self._later.append(self._server.clock.callLater(seconds, what))

    def lineReceived(self, line: bytes) -> None:
        """One line of the reader; any may be nonsense."""
        text = line.decode(errors="replace").rstrip("\r")
        self.heard.append(text)
        command, _, rest = text.partition(" ")
        match command.upper():
            case "CAP":
                self._cap(rest)
            case "NICK":
                self._login(rest)
            case "PING":
                self.send(f":tmi.twitch.tv PONG tmi.twitch.tv :{rest.removeprefix(':')}")
            case "PONG":
                self.awaits_pong = False
            case "JOIN" if self.nick:
                for name in rest.split(" ")[0].split(","):
                    self._join(name)
            case "PART" if self.nick:
                for name in rest.split(" ")[0].split(","):
                    self._part(name)
            case "QUIT":
                self.close()

    def _cap(self, rest: str) -> None:
        verb, _, names = rest.partition(" ")
        if verb == "LS":
            self.send(f":tmi.twitch.tv CAP * LS :{' '.join(sorted(_KNOWN))}")
        if verb != "REQ":
            return
        wanted = frozenset(names.removeprefix(":").split())
        granted = wanted <= _KNOWN and Fault.NAK not in self._server.faults
        if granted:
            self.capabilities |= wanted
        answer = "ACK" if granted else "NAK"
        self.send(f":tmi.twitch.tv CAP * {answer} :{names.removeprefix(':')}")

    def _login(self, nick: str) -> None:
        if self.nick:
            return
        # Who gives a name of their own needs a password, and nobody has one here.
        if Fault.LOGIN_FAILURE in self._server.faults or not _NICK.fullmatch(nick):
            self.send(":tmi.twitch.tv NOTICE * :Login authentication failed")
            self.close()
        elif Fault.SLOW_WELCOME in self._server.faults:
            self._after(self._server.settings.welcome_delay, lambda: self._welcome(nick))
        else:
            self._welcome(nick)

    def _welcome(self, nick: str) -> None:
        self.nick = nick.lower()
        self.send(*(f":tmi.twitch.tv {code} {self.nick} :{text}" for code, text in _WELCOME))

    def _join(self, name: str) -> None:
        now = self._server.clock.seconds()
        while self._joins and self._joins[0] <= now - _JOIN_WINDOW:
            self._joins.popleft()
        self._joins.append(now)
        if 0 < self._server.settings.join_limit < len(self._joins):
            self.close()
            return
        login = name.removeprefix("#")
        # Another spelling than lower case is not answered at all, nor is a second JOIN.
        if not name.startswith("#") or not LOGIN.fullmatch(login) or login in self.rooms:
            return
        if fate(login) is Fate.SUSPENDED:
            self.write(suspended(login) + b"\r\n")
        if fate(login) in (Fate.SUSPENDED, Fate.MISSING):
            return
        if Fault.UNANSWERED_JOIN in self._server.faults:
            return
        room = self._server.room(login)
        self.rooms[login] = room
        self.send(f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv JOIN #{login}")
        if "twitch.tv/commands" in self.capabilities:
            self.write(room_state(room.room) + b"\r\n")
        room.enter(self)

    def _part(self, name: str) -> None:
        login = name.removeprefix("#")
        if room := self.rooms.pop(login, None):
            room.leave(self)
            self.send(f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv PART #{login}")


class TwitchSimulator(Factory):
    """The IRC server: a factory for a port or an in-memory wire.

    :ivar connections: readers, in the order in which they came.
    :ivar faults: what is wrong at present; change it at any time.

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
        self._scenario = scenario
        self._recording = recording
        self._rooms: dict[str, Chatroom] = {}
        self._first_asked: dict[str, float] = {}
        self._pinging: IDelayedCall | None = None

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        """A connection, unless all are refused."""
        return None if Fault.REFUSE in self.faults else Connection(self)

    def came(self, connection: Connection) -> None:
        """A reader has connected."""
        self.connections.append(connection)
        if self._pinging is None:
            self._pinging = self.clock.callLater(self.settings.ping_every, self._ping)

    def went(self, connection: Connection) -> None:
        """A reader is gone."""
        self.connections.remove(connection)
        if not self.connections and self._pinging is not None:
            self._pinging.cancel()
            self._pinging = None

    def _ping(self) -> None:
        self._pinging = self.clock.callLater(self.settings.ping_every, self._ping)
        for connection in list(self.connections):
            if connection.awaits_pong:
                connection.drop()
            else:
                connection.awaits_pong = True
                connection.send("PING :tmi.twitch.tv")

    def room(self, login: str) -> Chatroom:
        """The channel of that name; it goes on where it stopped when the last member left."""
        self.has_ended(login)
        if login not in self._rooms:
            self._rooms[login] = Chatroom(self, login, self._feed(login))
        return self._rooms[login]

    def _feed(self, login: str) -> Iterator[tuple[float, Action | bytes]]:
        if self._recording and login in self._recording.channels:
            return iter(self._recording.feed(login))
        pace = fate(login).pace
        if not pace:
            return iter(())
        return ((pause / pace, action) for pause, action in self._scenario.script(login))

    def has_ended(self, login: str) -> bool:
        """Whether an `ending…` channel is over; its time begins with the first question."""
        if fate(login) is not Fate.ENDING:
            return False
        began = self._first_asked.setdefault(login, self.clock.seconds())
        return self.clock.seconds() >= began + self.settings.ending_after

    def exists(self, login: str) -> bool:
        """Whether there is such a channel."""
        there = fate(login) not in (Fate.MISSING, Fate.SUSPENDED)
        return there and LOGIN.fullmatch(login) is not None

    def is_live(self, login: str) -> bool:
        """Whether its streamer is on air."""
        there = self.exists(login) and fate(login) is not Fate.OFFLINE
        return there and not self.has_ended(login)

    def joined(self, channel: str) -> list[Connection]:
        """The connections that are in a channel."""
        room = self._rooms.get(channel)
        return list(room.members) if room else []

    def say(self, channel: str, what: Action | bytes) -> bytes:
        """Something happens in a channel now: an action, or a line exactly as given.

        :return: the line that its members received, without its end; of a rule, the ROOMSTATE.
        """
        room = self.room(channel)
        chat = room.written(what)
        room.send(chat)
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
        """Every reader is asked to reconnect, and cut when its time is up."""
        self.strike(Mishap.RECONNECT)

    def strike(self, mishap: Mishap) -> None:
        """Something goes wrong on every connection."""
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
