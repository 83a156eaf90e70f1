# SPDX-License-Identifier: MIT
"""Part F: memory and statistics."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.internet.defer import gatherResults

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import PATIENCE, PONG, TEXT, Closed, Raw, address
from benchmarks.campaign.scene import Scene, pause
from benchmarks.witness import LINE
from livechat.platforms.tiktok.last_comments import MAX_ROOMS
from livechat.platforms.twitch.pictures import MAX_KEPT
from livechat.upstreams import MAX_KEPT_CONNECTIONS

# Statistics of a crowd.

#: Users of whom the simulated crowd is made, and how many of the most active must be told right.
CROWD: Final = 1_000_000
TOP: Final = 100


def watch_statistics(port: int, last: int) -> tuple[int, int, float, dict[str, Any]]:
    """Watch the statistics of a crowd until they tell so many messages.

    :return: how often they were pushed, bytes of the largest one, seconds, and the last of them.
    """
    client = Raw(port, "127.4.0.7")
    client.subscribe("zipf", events=False)
    pushed = largest = 0
    data: dict[str, Any] = {}
    begun = time.monotonic()
    while data.get("totalMessages", 0) < last:
        opcode, payload = client.frame()
        if opcode == TEXT and payload.startswith(b'{"type":"stats"'):
            pushed, largest = pushed + 1, max(largest, len(payload))
            data = _decoded(payload)["data"]
    seconds = time.monotonic() - begun
    client.close()
    return pushed, largest, seconds, data


def _decoded(payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(payload)
    return found


async def crowd(scene: Scene, amount: int) -> Count:
    """F1, F2: of a million possible users the most active are told; pushes are few and small."""
    watching = scene.begin(watch_statistics, scene.port, amount)
    await scene.until(lambda: scene.twitch.joined("zipf"))
    await pause(1.0)
    random, truth = scene.random, Counter[int]()
    said = 0
    while said < amount:
        for _ in range(100):
            # Zipf: the n-th most active user writes 1/n as much as the first one.
            user = int(CROWD ** random.random())
            truth[user] += 1
            said += 1
            line = LINE.format(number=4 * 10**9 + said, channel="zipf", text=f"zipf {said}")
            line = line.replace("user-id=1001", f"user-id={user}").replace("ann", f"u{user}")
            scene.twitch.say("zipf", line.encode())
        while scene.twitch.joined("zipf") and waiting(scene, "zipf") > 1 << 14:
            await pause(0.01)
        await pause(0.0)
    pushed, largest, seconds, data = await watching
    right = {str(user) for user, _ in truth.most_common(TOP)}
    told = {user["id"] for user in data["uniqueUsers"][:TOP]}
    # Who stands at the end of the list may have written as often as who just does not.
    bound = truth.most_common(TOP)[-1][1]
    named = sum(truth[int(user)] >= bound for user in told) if len(told) == TOP else 0
    users = data["uniqueUserCount"]
    close = abs(users - len(truth)) <= max(1, len(truth) * 0.04)
    good = data["totalMessages"] == amount and close and named >= TOP - 1
    good = good and pushed <= seconds + 3 and largest <= 64 << 10
    note = f"{len(truth)} users, told {users}; {named} of the top {TOP} right"
    note += f" ({len(right & told)} by name); {pushed} pushes in {seconds:.0f} s"
    note += f", the largest {largest / 1024:.0f} KiB"
    return Count(amount, amount if good else 0, note)


# Channels that are opened and closed.


def open_and_close(port: int, platform: str, count: int, seconds: float) -> int:
    """Watch one channel after the other, 30 at a time; how many have started.

    :param seconds: for which nothing may come.
    """
    started = 0
    for start in range(0, count, 30):
        client = Raw(port, address(30_000 + start))
        client.socket.settimeout(seconds)
        missing = {f"opened{number}" for number in range(start, min(start + 30, count))}
        for name in missing:
            client.subscribe(name, platform, stats=False)
        with suppress(Closed, OSError):
            while missing:
                one = client.message()
                if one.get("status") == "started" and one["identifier"] in missing:
                    missing.discard(one["identifier"])
                    started += 1
        client.close()
    return started


async def opened_and_closed(scene: Scene, amount: int) -> Count:
    """F3: after ten thousand channels everything is as it was before the first one."""
    shares = {"twitch": amount - 2 * (amount // 3), "tiktok": amount // 3, "youtube": amount // 3}
    # What is made once, at the first use, is no growth.
    await gatherResults(
        [scene.begin(open_and_close, scene.port, name, 3, PATIENCE) for name in shares]
    )
    await scene.until(lambda: is_quiet(scene), 30)
    await pause(6.0 if amount > 1000 else 1.0)
    before = await scene.counts()
    started = sum(
        await gatherResults(
            [
                scene.begin(open_and_close, scene.port, name, count, PATIENCE)
                for name, count in shares.items()
            ]
        )
    )
    quiet = await scene.until(lambda: is_quiet(scene), 30)
    # The order of a channel is kept for `--history-ttl`, and forgotten when the next one is left.
    await pause(2.0)
    await scene.apart(open_and_close, scene.port, "twitch", 1, PATIENCE)
    left: dict[str, int] = {}

    async def as_before() -> bool:
        nonlocal left
        left = more(before, await scene.counts(), _CONNECTED)
        return not left

    # A connection to a chat without channels stays for a while.
    clean = await scene.until(as_before, 90)
    note = f"{started} of them started; left: {left or 'nothing'}"
    return Count(amount, started if clean and quiet else 0, note)


#: Of a class there may be so many more than before, for example of channels that have failed.
_SLACK: Final = 40

#: Connections to Twitch that are kept for the next look-up or question about pictures, beside the
#: one that is there from the start.
CONNECTIONS: Final = 2

#: What is kept for those who come back, and how many at most.
_KEPT: Final = {
    "timers": 1 + CONNECTIONS,
    "readers": CONNECTIONS,
    "livechat.platforms.twitch.pictures._RoomSubject": MAX_KEPT,
    "livechat.platforms.enrichment.dictionary.Dictionary": MAX_KEPT,
    "livechat.platforms.enrichment.dictionary.Cheermote": MAX_KEPT,
    "livechat.platforms.youtube.backlog.Backlog": 260,
    "livechat.core.recent_ids.RecentIds": MAX_ROOMS,
}


#: Likewise of connections to platforms, of which there are many only where budgets are raised.
_CONNECTED: Final = {
    "timers": MAX_KEPT_CONNECTIONS,
    "readers": MAX_KEPT_CONNECTIONS,
    "livechat.platforms.agent._Measured": MAX_KEPT_CONNECTIONS,
}


def more(
    before: dict[str, int], now: dict[str, int], also: Mapping[str, int] = {}
) -> dict[str, int]:
    """What there is more of than before.

    :param also: how many more there may be of some, beside what is kept in any case.
    """
    return {
        name: count - before.get(name, 0)
        for name, count in now.items()
        if count > before.get(name, 0) + _KEPT.get(name, _SLACK) + also.get(name, 0)
    }


async def is_quiet(scene: Scene) -> bool:
    """Whether the witness is alone."""
    health = await scene.health()
    return bool(health["activeStreams"] == 1 and health["clients"] == 1)


_SEQ: Final = re.compile(rb'"seq":(\d+)\}')


def steady(port: int, last: int) -> tuple[int, int]:
    """Read a channel until so many numbers have come; how many did, and how many did not."""
    client = Raw(port, "127.5.0.1")
    client.subscribe("soak", stats=60, events=True)
    rest, seen, missing, expected = b"", 0, 0, 0
    alive = time.monotonic()
    while seen + missing < last:
        if time.monotonic() > alive + 5:
            alive = time.monotonic()
            client.send(b"", PONG)
        data = rest + client.socket.recv(1 << 20)
        end = 0
        for match in _SEQ.finditer(data):
            number, end = int(match[1]), match.end()
            if expected:
                missing += number != expected
            expected = number + 1
            seen += 1
        # A number may be cut in two, but none is counted twice.
        rest = data[max(end, len(data) - 24) :]
    client.close()
    return seen, missing


def churn(port: int, stop: str) -> int:
    """Clients that come to the channel, read a little, and go."""
    came = 0
    while not os.path.exists(stop):
        with suppress(OSError, Closed):
            clients = [Raw(port, address(3000 + came % 1000 + n)) for n in range(10)]
            for client in clients:
                client.subscribe("soak", history=20)
            for client in clients:
                client.started()
                client.close()
            came += len(clients)
        time.sleep(0.2)
    return came


async def soak(scene: Scene, amount: int) -> Count:
    """F4: a million messages of a million users, with clients that come and go: memory is flat."""
    stop = Path(tempfile.mkdtemp()) / "stop"
    reading = scene.begin(steady, scene.port, amount)
    coming = scene.begin(churn, scene.port, str(stop))
    await scene.until(lambda: scene.twitch.joined("soak"))
    await pause(1.0)
    memory: list[int] = []
    said = 0
    while said < amount:
        for _ in range(200):
            said += 1
            line = LINE.format(number=2 * 10**9 + said, channel="soak", text=f"message {said}")
            line = line.replace("user-id=1001", f"user-id={said}").replace("ann", f"u{said}")
            scene.twitch.say("soak", line.encode())
        if said % (amount // 20) < 200:
            memory.append(scene.daemon.rss())
        # As fast as it is read, and no faster.
        while scene.twitch.joined("soak") and waiting(scene, "soak") > 1 << 14:
            await pause(0.01)
        await pause(0.0)
    await scene.until(lambda: reading.called, 120)
    stop.touch()
    seen, missing = await reading
    came = await coming
    half = memory[len(memory) // 2 :]
    slope = (half[-1] - half[0]) / 1e6 if half else 0.0
    good = seen if not missing and slope < 20 else 0
    note = f"{missing} missing; {came} clients came and went; second half {slope:+.1f} MB"
    return Count(amount, min(good, amount), note)


def waiting(scene: Scene, channel: str) -> int:
    """Bytes that the simulated Twitch has not got rid of."""
    (connection,) = scene.twitch.joined(channel)[:1]
    transport: Any = connection.transport
    return len(transport.dataBuffer) + sum(map(len, transport._tempDataBuffer))


CASES: Final = (
    Case("F1 F2 statistics of a crowd", crowd, 300_000, 3000, memory=40 << 20),
    Case("F3 channels opened and closed", opened_and_closed, 10_000, 90,
         ("--history-ttl=1", "--start-timeout=10"),
         alone=True, observed=True, budgets=100, waits=True, limit=400.0),
    Case("F4 a long chat with a million users", soak, 1_000_000, 10_000, memory=64 << 20,
         alone=True, limit=900.0),
)  # fmt: skip
