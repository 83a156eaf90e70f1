# SPDX-License-Identifier: MIT
"""A client of a channel that nobody attacks, what is said there, and a look at the daemon."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
from twisted.internet.task import LoopingCall
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from livechat.simulator.actions import Author, Say
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.youtube import YouTubeSimulator
from tests.support.daemon import Daemon

HOST: Final = "127.0.0.1"

_ANN: Final = Author(1001, "ann", "Ann")
#: A line of Twitch's chat.
LINE: Final = (
    "@id=00000000-0000-4000-8000-{number:012d};display-name=Ann;room-id=4242;user-id=1001;"
    "tmi-sent-ts=1767323045678 :ann!ann@ann.tmi.twitch.tv PRIVMSG #{channel} :{text}"
)


class Witness:
    """A client that notes which messages came, in which order, and how late each was.

    :ivar order: the numbers of the messages, as they came.
    :ivar late: seconds from saying to receiving, by number.
    """

    def __init__(self, port: int, platform: str = "twitch", channel: str = "witness") -> None:
        self.order: list[int] = []
        self.late: dict[int, float] = {}
        self._command = {"type": "subscribe", "platform": platform, "identifier": channel}
        # Its life is longer than any `with`.
        self._connection: ClientConnection = connect(
            f"ws://{HOST}:{port}/",
            compression=None,
            max_queue=None,
            ping_interval=None,
            legacy=True,
        )

    def subscribe(self) -> None:
        """Watch the channel; returns when the chat has started."""
        self._connection.send(msgspec.json.encode(self._command).decode())
        while msgspec.json.decode(self._connection.recv(30)).get("status") != "started":
            pass

    def listen(self) -> None:
        """Until the connection is closed."""
        try:
            while True:
                message = msgspec.json.decode(self._connection.recv())
                if message["type"] == "chat":
                    number, sent = message["data"]["data"]["content"]["raw"].split()
                    self.order.append(int(number))
                    self.late[int(number)] = time.monotonic() - float(sent)
        except ConnectionClosed:
            pass

    def close(self) -> None:
        """Go away."""
        self._connection.close()


class Speaker:
    """Says numbered messages in the witness's channel, so many a second.

    :ivar said: how many there were so far; they are numbered from 1.
    """

    def __init__(self, say: Callable[[int, str], object], rate: int) -> None:
        self.said = 0
        self._say = say
        self._rate = rate
        self._saying = LoopingCall(self._next)

    @classmethod
    def on_twitch(cls, twitch: TwitchSimulator, rate: int, channel: str = "witness") -> Speaker:
        """On a simulated Twitch."""

        def say(number: int, text: str) -> None:
            twitch.say(channel, LINE.format(number=number, channel=channel, text=text).encode())

        return cls(say, rate)

    @classmethod
    def on_youtube(cls, youtube: YouTubeSimulator, rate: int, channel: str = "witness") -> Speaker:
        """On a simulated YouTube."""

        def say(number: int, text: str) -> None:
            name = f"00000000-0000-4000-8000-{number:012d}"[::-1]
            youtube.say(channel, Say(id=name, author=_ANN, text=(text,)))

        return cls(say, rate)

    def start(self) -> None:
        """Begin, or go on."""
        self._saying.start(1 / self._rate)

    def stop(self) -> None:
        """Be silent."""
        self._saying.stop()

    def _next(self) -> None:
        self.said += 1
        self._say(self.said, f"{self.said} {time.monotonic()}")


class Gauge:
    """Looks at the daemon from outside: its memory, and how long `/health` takes.

    :ivar before: bytes of memory at the beginning; `peak`: most of them at any look.
    :ivar slowest: seconds that the slowest answer took.
    :ivar failed: how often there was no answer 200.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.before = self.peak = daemon.rss()
        self.slowest = 0.0
        self.failed = 0
        self._done = Event()

    def look(self) -> None:
        """Until it is stopped."""
        url = f"http://{HOST}:{self._daemon.port}/health"
        while not self._done.wait(0.1):
            begun = time.monotonic()
            try:
                with urlopen(url, timeout=60) as answer:
                    answer.read()
            except (URLError, OSError):
                self.failed += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
            try:
                self.peak = max(self.peak, self._daemon.rss())
            except (OSError, AssertionError):
                return

    def stop(self) -> None:
        """Look no more."""
        self._done.set()


def cpu(daemon: Daemon) -> float:
    """Seconds of CPU time that the daemon has used."""
    assert daemon.transport is not None
    fields = Path(f"/proc/{daemon.transport.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(daemon: Daemon) -> int:
    """How many files and connections it has open."""
    transport: Any = daemon.transport
    return len(list(Path(f"/proc/{transport.pid}/fd").iterdir()))
