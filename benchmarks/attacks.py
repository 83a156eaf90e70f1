# SPDX-License-Identifier: MIT
"""What attackers cost the others: `python -m benchmarks.attacks [fault or words of a case ...]`.

A daemon, attackers (`attackers.py`), and a witness: a client of another channel, in which a
simulated Twitch says 50 numbered messages a second.  For each case: how many of its messages the
witness did not get, how late they were, how much the daemon's memory grew, how long `/health` took,
how busy the daemon was, and how many bytes it logged.

`python -m benchmarks.attacks pings` measures something else: how long the loop of a process stands
still in which 8,000 clients that came at once are pinged.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from urllib.request import urlopen

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread
from twisted.web.server import Site
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from benchmarks.attackers import ATTACKS, HOST, Attack, attack
from benchmarks.pings import measure_pings
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.twitch import TwitchSimulator
from tests.support.daemon import Daemon, start_daemon

reactor: Any = _reactor

#: Seconds of each attack, and messages per second of the witness's channel.
SECONDS: Final = 20.0
RATE: Final = 50
PENDING: Final = 1 << 20

_LINE: Final = (
    "@id=00000000-0000-4000-8000-{number:012d};display-name=Ann;room-id=4242;user-id=1001;"
    "tmi-sent-ts=1767323045678 :ann!ann@ann.tmi.twitch.tv PRIVMSG #witness :{number} {sent}"
)


class Witness:
    """A client that notes how late each message is."""

    def __init__(self, port: int) -> None:
        self.late: dict[int, float] = {}
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
        command = {"type": "subscribe", "platform": "twitch", "identifier": "witness"}
        self._connection.send(msgspec.json.encode(command).decode())
        while msgspec.json.decode(self._connection.recv(30)).get("status") != "started":
            pass

    def listen(self) -> None:
        """Until the connection is closed."""
        try:
            while True:
                message = msgspec.json.decode(self._connection.recv())
                if message["type"] == "chat":
                    number, sent = message["data"]["data"]["content"]["raw"].split()
                    self.late[int(number)] = time.monotonic() - float(sent)
        except ConnectionClosed:
            pass

    def close(self) -> None:
        """Go away."""
        self._connection.close()


def cpu(daemon: Daemon) -> float:
    """Seconds of CPU time that the daemon has used."""
    assert daemon.transport is not None
    fields = Path(f"/proc/{daemon.transport.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Gauge:
    """Looks at the daemon from outside: its memory, and how long `/health` takes."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.before = self.peak = daemon.rss()
        self.slowest = 0.0
        self._done = Event()

    def look(self) -> None:
        """Until it is stopped."""
        url = f"http://{HOST}:{self._daemon.port}/health"
        while not self._done.wait(0.1):
            begun = time.monotonic()
            with urlopen(url, timeout=60) as answer:
                answer.read()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.peak = max(self.peak, self._daemon.rss())

    def stop(self) -> None:
        """Look no more."""
        self._done.set()


async def measure(which: int, case: Attack) -> str:
    """One line of the table."""
    simulator = TwitchSimulator(reactor, time.time, Scenario(1, 0.0))
    ports = [
        reactor.listenTCP(0, factory, interface=HOST)
        for factory in (simulator, Site(resources(simulator)))
    ]
    irc, gql = (port.getHost().port for port in ports)
    daemon = start_daemon(
        reactor,
        f"--twitch-irc=tcp:{HOST}:{irc}",
        f"--twitch-gql-url=http://{HOST}:{gql}/twitch/gql",
        f"--max-pending={PENDING}",
        "--origins=https://*a*a*a*b.example",
    )
    await daemon.listening
    witness = await deferToThread(Witness, daemon.port)
    await deferToThread(witness.subscribe)
    gauge = Gauge(daemon)
    threads = [Thread(target=work, daemon=True) for work in (witness.listen, gauge.look)]
    numbers = 0

    def say() -> None:
        nonlocal numbers
        numbers += 1
        line = _LINE.format(number=numbers, sent=time.monotonic())
        simulator.say("witness", line.encode())

    saying = LoopingCall(say)
    for thread in threads:
        thread.start()
    saying.start(1 / RATE)
    await deferLater(reactor, 1.0)
    gauge.before = daemon.rss()
    process = multiprocessing.get_context("spawn").Process(
        target=attack, args=(which, daemon.port, SECONDS), daemon=True
    )
    used, begun = cpu(daemon), time.monotonic()
    process.start()
    await deferToThread(process.join)
    busy = (cpu(daemon) - used) / (time.monotonic() - begun)
    saying.stop()
    for _ in range(100):
        if len(witness.late) >= numbers:
            break
        await deferLater(reactor, 0.1)
    gauge.stop()
    await deferToThread(threads[1].join)
    witness.close()
    log = len(daemon.log)
    daemon.kill()
    await daemon.ended
    for port in ports:
        await port.stopListening()
    late = sorted(witness.late.values())
    p99 = late[int(len(late) * 0.99)] if late else float("nan")
    grown = max(0, gauge.peak - gauge.before) / 1e6
    return (
        f"{case.fault:<4} {case.name:<28} {case.attackers:>9} {numbers:>6} "
        f"{numbers - len(late):>5} {p99 * 1e3:>8.0f} {late[-1] * 1e3:>8.0f} {grown:>8.1f} "
        f"{gauge.slowest * 1e3:>8.0f} {busy:>6.0%} {log:>9}"
    )


async def run(words: list[str]) -> None:
    """Print the table, line by line."""
    print(
        "case                              attackers   sent  lost   p99 ms   max ms   RSS+MB "
        " /health    CPU log bytes"
    )
    for which, case in enumerate(ATTACKS):
        name = f"{case.fault} {case.name}"
        if not words or any(word in name for word in words):
            print(await measure(which, case), flush=True)


def main() -> None:
    """Measure and print."""
    words = sys.argv[1:]
    if words == ["pings"]:
        measure_pings()
        return

    def begin() -> None:
        done = Deferred.fromCoroutine(run(words))
        done.addErrback(lambda reason: reason.printTraceback())
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


if __name__ == "__main__":
    main()
