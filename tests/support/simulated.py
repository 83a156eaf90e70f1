# SPDX-License-Identifier: MIT
"""Readers of the simulated Twitch on an in-memory wire."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump, connect

from livechat.simulator.playback import Recording
from livechat.simulator.scenario import WEIGHTS, Scenario
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import Connection, Settings

#: The time of day when a simulator's clock stands at 0, seconds since 1970.
DAWN = 1_700_000_000.0


def simulated(
    rate: float = 1.0,
    *,
    weights: Mapping[str, float] = WEIGHTS,
    limit: int | None = None,
    settings: Settings | None = None,
    recording: Recording | None = None,
) -> tuple[TwitchSimulator, Clock]:
    """A simulator with a clock of its own."""
    clock = Clock()
    scenario = Scenario(1, rate, weights, limit)
    twitch = TwitchSimulator(clock, lambda: DAWN + clock.seconds(), scenario, settings, recording)
    return twitch, clock


class Reader(Protocol):
    """Keeps what it receives.

    :ivar received: every byte.
    :ivar lost: whether the connection has ended.
    """

    def __init__(self) -> None:
        self.received = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Remember that."""
        self.lost = True


class Line:
    """One reader and the server's end of its connection."""

    def __init__(self, twitch: TwitchSimulator, clock: Clock) -> None:
        server = twitch.buildProtocol(None)
        assert server is not None
        self.server: Connection = server
        self.reader = Reader()
        self._clock = clock
        self._pump: IOPump = connect(
            server,
            FakeTransport(server, isServer=True),
            self.reader,
            FakeTransport(self.reader, isServer=False),
            clock=clock,
        )

    def say(self, *lines: str) -> list[str]:
        """Send lines; what came since the last look."""
        transport: ITransport | None = self.reader.transport
        assert transport is not None
        transport.write("".join(f"{line}\r\n" for line in lines).encode())
        return self.heard()

    def received(self, seconds: float = 0.0) -> list[bytes]:
        """The lines that came since the last look and come within some seconds."""
        self._pump.flush()
        self._clock.advance(seconds)
        self._pump.flush()
        data, self.reader.received = self.reader.received, b""
        *lines, rest = data.split(b"\r\n")
        assert rest == b"", rest
        return lines

    def heard(self, seconds: float = 0.0) -> list[str]:
        """The same as text."""
        return [line.decode(errors="replace") for line in self.received(seconds)]

    def log_in(self, nick: str = "justinfan123") -> list[str]:
        """Ask for tags and commands, and give a name."""
        return self.say("CAP REQ :twitch.tv/tags twitch.tv/commands", f"NICK {nick}")

    def hang_up(self) -> None:
        """End the connection from the reader's side."""
        assert self.reader.transport is not None
        self.reader.transport.loseConnection()
        self._pump.flush()


def logged_in(twitch: TwitchSimulator, clock: Clock, *channels: str) -> Line:
    """A reader that is in some channels and has read all that led there."""
    line = Line(twitch, clock)
    line.log_in()
    if channels:
        line.say("JOIN " + ",".join(f"#{channel}" for channel in channels))
    return line


def on_string(
    twitch: TwitchSimulator, channel: str, transport: StringTransport | None = None
) -> tuple[Connection, StringTransport]:
    """A reader in a channel, on a transport that keeps what it is told; it has read so far."""
    connection = twitch.buildProtocol(None)
    assert connection is not None
    transport = transport or StringTransport()
    connection.makeConnection(transport)
    connection.dataReceived(
        b"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan1\r\n"
        + f"JOIN #{channel}\r\n".encode()
    )
    transport.clear()
    return connection, transport
