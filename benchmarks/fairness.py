# SPDX-License-Identifier: MIT
"""What greedy clients cost a newcomer and the platforms: `python -m benchmarks.fairness`.

A daemon with its built-in simulator; greedy connections ask for 32 chats each; two seconds later a
newcomer asks for one.  For each platform and number of connections: how long the newcomer waited
for `started`, and how many requests of each kind went out until then.
"""

from __future__ import annotations

import re
import sys
import time
from typing import Any, Final

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from websockets.sync.client import ClientConnection, connect

from tests.support.daemon import start_daemon

reactor: Any = _reactor

#: Chats that a greedy connection asks for, and seconds until the newcomer comes.
CHATS: Final = 32
HEAD_START: Final = 2.0

_TAKEN: Final = re.compile(
    r'^livechat_budget_taken_total\{kind="(\w+)",platform="(\w+)"\} (\S+)$', re.MULTILINE
)


def subscribe(client: ClientConnection, platform: str, name: str) -> None:
    """Ask for a chat."""
    command = {"type": "subscribe", "platform": platform, "identifier": name}
    client.send(msgspec.json.encode(command).decode())


def open_client(port: int) -> ClientConnection:
    """A connection."""
    return connect(
        f"ws://127.0.0.1:{port}/", compression=None, max_queue=None, ping_interval=None, legacy=True
    )


def newcomer(port: int, platform: str) -> tuple[float, int]:
    """Seconds until a newcomer's chat has started, and how often it was told that it waits."""
    with open_client(port) as client:
        begun = time.monotonic()
        subscribe(client, platform, "newcomer")
        queued = 0
        while True:
            message = msgspec.json.decode(client.recv(120))
            if message.get("status") == "started":
                return time.monotonic() - begun, queued
            queued += message.get("details") == "QUEUED"


async def measure(platform: str, connections: int) -> str:
    """One line of the table."""
    daemon = start_daemon(reactor, "--demo", "--demo-rate=0.01")
    await daemon.listening

    def ask() -> list[ClientConnection]:
        clients = [open_client(daemon.port) for _ in range(connections)]
        for number, client in enumerate(clients):
            for chat in range(CHATS):
                subscribe(client, platform, f"n{number}x{chat}")
        return clients

    greedy = await deferToThread(ask)
    await deferLater(reactor, HEAD_START)
    waited, queued = await deferToThread(newcomer, daemon.port, platform)
    taken = {
        kind: int(float(count))
        for kind, name, count in _TAKEN.findall(await daemon.metrics())
        if name == platform
    }
    daemon.kill()
    await daemon.ended
    for client in greedy:
        client.close_socket()
    said = ", ".join(f"{kind} {count}" for kind, count in sorted(taken.items()))
    return f"{platform:<8} {connections:>11} {waited:>8.2f} {queued:>7}  {said}"


async def run() -> None:
    """Print the table, line by line."""
    print("platform connections  started  queued  requests until then")
    for platform in ("twitch", "youtube", "tiktok"):
        for connections in (3, 50):
            print(await measure(platform, connections), flush=True)


def main() -> None:
    """Measure and print."""

    def begin() -> None:
        done = Deferred.fromCoroutine(run())
        done.addErrback(lambda reason: reason.printTraceback(sys.stderr))
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


if __name__ == "__main__":
    main()
