# SPDX-License-Identifier: MIT
"""How long the start of a watch takes: without emotes, while their providers never answer, and
while each channel has a large set of them.

One simulator of the platforms, two of the providers, and three daemons, which start to watch the
same channels in turns: from the command until `started`.  `LIVECHAT_BENCH_STARTS` sets how many
(100).
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from twisted.scripts import twistd

from benchmarks.ports import free_port, until_listens
from livechat.simulator.emote_sets import OF_A_CHANNEL, SimulatedEmote

_TWISTD: Final = str(Path(sys.executable).with_name("twistd"))
_STARTS: Final = int(os.environ.pop("LIVECHAT_BENCH_STARTS", "100"))
_WARM: Final = 5

#: Seconds between two starts, so that none waits for Twitch's limit of joins.
_PAUSE: Final = 0.25


def main() -> None:
    """Measure and print."""
    print("\nStart of a watch, ms, in turns\n")
    with (
        _Simulator([_TWISTD], "--fault=emotes-hang") as simulator,
        _Simulator([sys.executable, "-m", "benchmarks.starts"]) as large,
        _Daemon([*simulator.platforms, "--emotes="]) as none,
        _Daemon([*simulator.platforms, *simulator.providers]) as hanging,
        _Daemon([*simulator.platforms, *large.providers]) as answering,
    ):
        _measure(
            {
                "--emotes ''": none,
                "providers hang": hanging,
                "1,000 emotes each": answering,
            }
        )


def _measure(daemons: dict[str, _Daemon]) -> None:
    took: dict[str, list[float]] = {name: [] for name in daemons}
    names = list(daemons)
    for number in range(_STARTS + _WARM):
        # Who is the first in turn is so, too.
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            seconds = daemons[name].start(f"quiet{number}")
            if number >= _WARM:
                took[name].append(seconds * 1e3)
            time.sleep(_PAUSE)
    p99 = {name: quantiles(each, n=100)[98] for name, each in took.items()}
    for name, each in took.items():
        print(
            f"{name:17} {len(each)} starts: middle {median(each):6.2f}  p99 {p99[name]:6.2f}"
            f"  longest {max(each):6.2f}"
        )
    first, *others = names
    for name in others:
        print(
            f"{name}: middle {median(took[name]) / median(took[first]):.2f},"
            f" p99 {p99[name] / p99[first]:.2f} of {first}"
        )


class _Process:
    """A program of ours, until the end of the block.

    :param program: what is `twistd`.
    """

    def __init__(self, program: Sequence[str], *command: str) -> None:
        self._command = [*program, "--nodaemon", "--pidfile=", "--logfile=/dev/null", *command]
        self._process: subprocess.Popen[str]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)

    def __exit__(self, *args: object) -> None:
        self._process.terminate()
        self._process.communicate()


class _Simulator:
    """The platforms, and providers of emotes.

    :param program: what is `twistd`.

    :ivar platforms: options of a daemon: where the platforms are.
    :ivar providers: likewise of the providers.
    """

    def __init__(self, program: Sequence[str], *options: str) -> None:
        self._program = program
        self._options = options

    def __enter__(self) -> _Simulator:
        irc, http = free_port(), free_port()
        self._process = _Process(
            self._program, "livechat-simulator", f"--http-port={http}",
            f"--twitch-irc-port={irc}", *self._options,
        )  # fmt: skip
        self._process.__enter__()
        until_listens(http)
        base = f"http://127.0.0.1:{http}"
        self.platforms = [
            f"--twitch-irc=tcp:127.0.0.1:{irc}",
            f"--twitch-gql-url={base}/twitch/gql",
        ]
        self.providers = [
            f"--7tv-url={base}/emotes/7tv",
            f"--bttv-url={base}/emotes/bttv",
            f"--ffz-url={base}/emotes/ffz",
            "--7tv-events-url=",
            "--bttv-socket-url=",
        ]
        return self

    def __exit__(self, *args: object) -> None:
        self._process.__exit__(*args)


class _Daemon:
    """A daemon and one client of it."""

    def __init__(self, options: Sequence[str]) -> None:
        self._port = free_port()
        self._process = _Process(
            [_TWISTD], "livechat", f"--listen=tcp:{self._port}:interface=127.0.0.1",
            *options,
        )  # fmt: skip

    def __enter__(self) -> _Daemon:
        self._process.__enter__()
        until_listens(self._port)
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.settimeout(30)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return self

    def __exit__(self, *args: object) -> None:
        self._socket.close()
        self._process.__exit__(*args)

    def start(self, channel: str) -> float:
        """Seconds from the command to the status."""
        began = time.monotonic()
        self._send("subscribe", channel)
        data = b""
        while b'"status":"started"' not in data or channel.encode() not in data:
            received = self._socket.recv(1 << 16)
            if not received or b'"type":"error"' in received:
                raise RuntimeError(f"no start: {received!r}")
            data += received
        took = time.monotonic() - began
        # One connection may hold a few chats only.
        self._send("unsubscribe", channel)
        return took

    def _send(self, what: str, channel: str) -> None:
        command = {"type": what, "platform": "twitch", "identifier": channel}
        text = json.dumps(command).encode()
        assert len(text) < 126
        # Masked with zeros.
        self._socket.sendall(bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text)


def _simulate() -> None:
    """In a process of its own: `twistd`, with large sets of emotes at 7TV."""
    OF_A_CHANNEL["7tv"] = tuple(SimulatedEmote(f"word{number}") for number in range(1000))
    twistd.run()


if __name__ == "__main__":
    _simulate()
