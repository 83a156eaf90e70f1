# SPDX-License-Identifier: MIT
"""One reader of the simulated Twitch: its commands and the answers."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.simulator.scenario import Fate
from livechat.simulator.twitch_channel import Channel
from livechat.simulator.twitch_faults import Fault
from livechat.simulator.twitch_lines import room_state, suspended

#: What a login looks like (docs/wire/twitch.md#join).
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

#: A reader that lets so many bytes wait is dropped.
_MAX_BACKLOG: Final = 8 * 1024 * 1024
#: Seconds for which JOINs are counted (docs/wire/twitch.md#join).
_JOIN_WINDOW: Final = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server behaves when nothing is wrong; times in seconds.

    :ivar join_limit: more JOINs than these within 10 s end a connection; 0: no limit.
    :ivar ping_every: between two PINGs; who has not answered one by the next is dropped.
    :ivar ending_after: how long an `ending...` channel is live once somebody asked for it.
    :ivar reconnect_grace: between RECONNECT and the end of the connection.
    :ivar welcome_delay: before the welcome, under `Fault.SLOW_WELCOME`.
    """

    join_limit: int = 20
    ping_every: float = 300.0
    ending_after: float = 30.0
    reconnect_grace: float = 30.0
    welcome_delay: float = 5.0


class Server(Protocol):
    """The server, as a connection sees it."""

    clock: IReactorTime
    settings: Settings
    faults: set[Fault]

    def came(self, connection: Connection) -> None:
        """A reader has connected."""

    def went(self, connection: Connection) -> bool:
        """A reader is gone; false if that was known."""

    def fate(self, login: str) -> Fate:
        """What becomes of a channel."""

    def channel(self, login: str) -> Channel:
        """The channel of that name."""


@implementer(IPushProducer)
class Connection(LineOnlyReceiver):
    """One reader.

    :ivar nick: empty until it has logged in.
    :ivar capabilities: what it asked for and was granted.
    :ivar channels: the channels that it is in, by login.
    :ivar heard: the last lines it sent.
    :ivar stalled: it is told nothing any more, and the connection stays open.
    :ivar paused: it does not read fast enough.
    """

    delimiter = b"\n"
    MAX_LENGTH = 8192

    def __init__(self, server: Server) -> None:
        self._server = server
        self.nick = ""
        self.capabilities: frozenset[str] = frozenset()
        self.channels: dict[str, Channel] = {}
        self.heard: deque[str] = deque(maxlen=1000)
        self.stalled = False
        self.paused = False
        self._awaits_pong = False
        self._backlog = 0
        self._joins: deque[float] = deque()
        self._later: list[IDelayedCall] = []

    def connectionMade(self) -> None:
        """A reader has come."""
        cast(IConsumer, self.transport).registerProducer(self, True)
        self._server.came(self)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It has gone."""
        self._leave()

    def _leave(self) -> bool:
        """Take part in nothing any more; false if that was so already."""
        if not self._server.went(self):
            return False
        self.nick = ""
        for call in self._later:
            if call.active():
                call.cancel()
        for channel in self.channels.values():
            channel.leave(self)
        self.channels.clear()
        return True

    def pauseProducing(self) -> None:
        """The reader is slow."""
        self.paused = True

    def resumeProducing(self) -> None:
        """The reader has caught up."""
        self.paused = False
        self._backlog = 0
        for channel in self.channels.values():
            channel.wake()

    def stopProducing(self) -> None:
        """The connection is gone; `connectionLost` does what there is to do."""

    def send(self, *texts: str) -> None:
        """Write lines."""
        self.write("".join(f"{text}\r\n" for text in texts).encode())

    @property
    def silent(self) -> bool:
        """It receives nothing."""
        return self.stalled or Fault.STALL in self._server.faults

    def write(self, data: bytes) -> None:
        """Write bytes, unless the connection is silent."""
        if self.silent:
            return
        if self.paused:
            self._backlog += len(data)
            if self._backlog > _MAX_BACKLOG:
                self.drop()
                return
        cast(ITCPTransport, self.transport).write(data)

    def ping(self) -> None:
        """Send PING; a reader that did not answer the last one is dropped."""
        if self._awaits_pong:
            self.drop()
        elif not self.silent:
            self._awaits_pong = True
            self.send("PING :tmi.twitch.tv")

    def deliver(self, chat: Sequence[bytes], joined: bytes) -> None:
        """Write lines of a channel; `joined` are the same with their ends.

        Who did not ask for tags and commands gets bare messages.
        """
        if self._is_full():
            self.write(joined)
            return
        bare = [line.partition(b" ")[2] if line.startswith(b"@") else line for line in chat]
        self.write(b"".join(line + b"\r\n" for line in bare if b" PRIVMSG #" in line))

    def _is_full(self) -> bool:
        return {"twitch.tv/tags", "twitch.tv/commands"} <= self.capabilities

    def close(self) -> None:
        """End the connection once everything is written."""
        if self._leave():
            cast(IConsumer, self.transport).unregisterProducer()
            cast(ITCPTransport, self.transport).loseConnection()

    def drop(self) -> None:
        """End the connection at once."""
        if self._leave():
            cast(IConsumer, self.transport).unregisterProducer()
            cast(ITCPTransport, self.transport).abortConnection()

    def reconnect(self) -> None:
        """Send RECONNECT, and disconnect some time later (docs/wire/twitch.md#reconnect)."""
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
                self._awaits_pong = False
            case "JOIN" if self.nick:
                self._join(rest.split(" ")[0].split(","))
            case "PART" if self.nick:
                for name in rest.split(" ")[0].split(","):
                    self._part(name.removeprefix("#"))
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
        if Fault.RECONNECT_LOOP in self._server.faults:
            # It is only said: this server goes on all the same.
            self._after(0, lambda: self.send(":tmi.twitch.tv RECONNECT"))

    def _join(self, names: Sequence[str]) -> None:
        now = self._server.clock.seconds()
        while self._joins and self._joins[0] <= now - _JOIN_WINDOW:
            self._joins.popleft()
        self._joins.extend(now for _ in names)
        if 0 < self._server.settings.join_limit < len(self._joins):
            self.close()
            return
        for name in names:
            login = name.removeprefix("#")
            # Another spelling than lower case is not answered at all, nor is a second JOIN.
            if name.startswith("#") and LOGIN.fullmatch(login) and login not in self.channels:
                self._enter(login)

    def _enter(self, login: str) -> None:
        fate = self._server.fate(login)
        if fate is Fate.SUSPENDED:
            self.write(suspended(login) + b"\r\n")
        if not fate.exists or Fault.UNANSWERED_JOIN in self._server.faults:
            return
        channel = self.channels[login] = self._server.channel(login)
        self.send(f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv JOIN #{login}")
        if self._is_full():
            self.write(room_state(channel.room) + b"\r\n")
        channel.enter(self)

    def _part(self, login: str) -> None:
        if channel := self.channels.pop(login, None):
            channel.leave(self)
            self.send(f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv PART #{login}")
