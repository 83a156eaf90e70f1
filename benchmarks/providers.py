# SPDX-License-Identifier: MIT
"""What a message loses while a provider of emotes hangs, floods or lies: a table by fault.

For each fault a new daemon on a simulated Twitch and simulated providers, on which nobody but this
writes.  Messages are sent one after the other from the start of the watch on, so the providers'
trouble comes meanwhile.  The times are those of a message from the simulated Twitch to a client of
this process; compare them with the row without a fault.
"""

from __future__ import annotations

import time
from statistics import median, quantiles
from typing import Any, NamedTuple
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from livechat.simulator.actions import Author, Say
from livechat.simulator.emote_faults import EmoteFault
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import SimulatorService
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.youtube import YouTubeSimulator
from tests.support.daemon import Client, start_daemon

#: Messages with each fault.
MESSAGES = 400

#: An emote of each provider, and a word that is none.
TEXT = "catJAM monkaS LULW and so on"


class Row(NamedTuple):
    """What was measured: ms of messages, whose emotes were shown last, MiB that were added."""

    times: list[float]
    shown: str
    growth: float


def main() -> None:
    """Measure and print."""
    react(lambda reactor: Deferred.fromCoroutine(_all(reactor)))


async def _all(reactor: Any) -> None:
    print(f"\n{MESSAGES} messages while providers of emotes fail\n")
    print(f"{'fault':24}{'middle ms':>10}{'p99 ms':>9}{'longest':>9}{'+MiB':>7}  emotes at the end")
    for fault in (None, *EmoteFault):
        row = await _measured(reactor, fault)
        print(
            f"{fault.value if fault else 'none':24}{median(row.times):10.1f}"
            f"{quantiles(row.times, n=100)[98]:9.1f}{max(row.times):9.1f}{row.growth:7.1f}"
            f"  {row.shown}",
            flush=True,
        )


async def _measured(reactor: Any, fault: EmoteFault | None) -> Row:
    quiet = Scenario(1, 0.0)
    twitch = TwitchSimulator(reactor, time.time, quiet)
    simulator = SimulatorService(
        reactor,
        twitch,
        TikTokSimulator(reactor, time.time, quiet),
        YouTubeSimulator(reactor, time.time, quiet),
    )
    where = simulator.listen()
    simulator.startService()
    if fault is not None:
        simulator.emotes.faults.add(fault)
    daemon = start_daemon(
        reactor,
        f"--twitch-irc={where.twitch_irc}",
        f"--twitch-gql-url={where.twitch_gql_url}",
        f"--7tv-url={where.seven_tv_url}",
        f"--7tv-events-url={where.seven_tv_events_url}",
        f"--bttv-url={where.bttv_url}",
        f"--bttv-socket-url={where.bttv_socket_url}",
        f"--ffz-url={where.ffz_url}",
        "--emotes=7tv,bttv,ffz",
    )
    try:
        await daemon.listening
        client = await Client.open(daemon.port)
        await client.subscribe("ann", stats=False)
        await client.until("started")
        before = daemon.rss()
        times: list[float] = []
        message: dict[str, Any] = {}
        for _ in range(MESSAGES):
            began = time.perf_counter()
            twitch.say("ann", Say(id=str(uuid4()), author=Author(2, "ada", "Ada"), text=(TEXT,)))
            message = await client.until("chat")
            times.append((time.perf_counter() - began) * 1e3)
        elements = message["data"]["data"]["content"]["elements"]
        shown = {part["metadata"]["provider"] for part in elements if part["type"] == "emote"}
        growth = (daemon.rss() - before) / 2**20
        await client.close()
        return Row(times, " ".join(sorted(shown)) or "-", growth)
    finally:
        daemon.kill()
        await daemon.ended
        await simulator.stopService()


if __name__ == "__main__":
    main()
