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
import sys
import time
from threading import Thread
from typing import Any, Final

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.web.server import Site

from benchmarks.attackers import ATTACKS, Attack, attack
from benchmarks.pings import measure_pings
from benchmarks.witness import HOST, Gauge, Speaker, Witness, cpu
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.twitch import TwitchSimulator
from tests.support.daemon import start_daemon

reactor: Any = _reactor

#: Seconds of each attack, and messages per second of the witness's channel.
SECONDS: Final = 20.0
RATE: Final = 50
PENDING: Final = 1 << 20


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
    speaker = Speaker.on_twitch(simulator, RATE)
    for thread in threads:
        thread.start()
    speaker.start()
    await deferLater(reactor, 1.0)
    gauge.before = daemon.rss()
    process = multiprocessing.get_context("spawn").Process(
        target=attack, args=(which, daemon.port, SECONDS), daemon=True
    )
    used, begun = cpu(daemon), time.monotonic()
    process.start()
    await deferToThread(process.join)
    busy = (cpu(daemon) - used) / (time.monotonic() - begun)
    speaker.stop()
    numbers = speaker.said
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
