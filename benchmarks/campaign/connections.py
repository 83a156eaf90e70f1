# SPDX-License-Identifier: MIT
"""Part B, connections: slow, silent, too many, too large, from wrong places."""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Final

from twisted.internet.defer import gatherResults

from benchmarks.attackers import masked
from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import (
    PONG,
    Closed,
    Raw,
    address,
    connected,
    gone_within,
    reset,
)
from benchmarks.campaign.scene import Scene, pause, timed

#: Seconds that a handshake may take, and some for a busy machine.
HANDSHAKE: Final = 10.0
LATER: Final = 5.0

#: Seconds after which a client that answers no pings is gone.
PINGED: Final = 40.0

_GET: Final = b"GET /ws HTTP/1.1\r\nHost: localhost\r\n"
_UPGRADE: Final = _GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"


# Slow handshakes.


def half_open(port: int, count: int) -> tuple[int, float]:
    """Connections that say nothing, or half of a request; how many the daemon ends in time."""
    heads = (b"", b"G", _GET, _UPGRADE, _UPGRADE + b"Sec-WebSocket-Key: AAAA")
    opened = []
    for number in range(count):
        with suppress(OSError):
            opened.append(connected(port, address(number)))
            opened[-1].sendall(heads[number % len(heads)])
    begun = time.monotonic()
    gone = gone_within(opened, HANDSHAKE + LATER)
    return gone + count - len(opened), time.monotonic() - begun


async def half_open_connections(scene: Scene, amount: int) -> Count:
    """B5: connections that are never more than half open are ended; who comes is served."""
    attack = scene.begin(half_open, scene.port, amount)
    slowest = 0.0
    while not attack.called:
        slowest = max(slowest, await timed(scene.apart(one_client, scene.port)))
        await pause(0.2)
    gone, seconds = await attack
    note = f"gone after {seconds:.0f} s; a newcomer waited {slowest * 1e3:.0f} ms at most"
    return Count(amount, gone, note)


def one_client(port: int) -> None:
    """Come, say something, and leave."""
    client = Raw(port)
    client.say(type="ping", id=1)
    client.message()
    client.close()


def drip(port: int, count: int) -> int:
    """A byte a second on each connection; how many the daemon ends in time."""
    head = _UPGRADE + b"X-Slow: " + b"x" * 200
    opened = [connected(port, address(number)) for number in range(count)]
    for one in opened:
        one.setblocking(False)
    begun = time.monotonic()
    gone = sent = 0
    while opened and time.monotonic() - begun < HANDSHAKE + LATER:
        still = []
        for one in opened:
            try:
                one.send(head[sent : sent + 1])
                with suppress(BlockingIOError):
                    while one.recv(4096):
                        pass
                    raise ConnectionResetError
                still.append(one)
            except OSError:
                one.close()
                gone += 1
        opened, sent = still, sent + 1
        time.sleep(1.0)
    for one in opened:
        reset(one)
    return gone


async def slowloris(scene: Scene, amount: int) -> Count:
    """B6: a request of which a byte comes each second does not restart its deadline."""
    return Count(amount, await scene.apart(drip, scene.port, amount))


def bombs(port: int, seed: int, count: int) -> int:
    """Heads that are far too large; how many are refused or ended."""
    random = Random(seed)
    good = 0
    for number in range(count):
        kind = number % 4
        if kind == 0:
            data = b"X-Large: " + b"a" * 1_000_000 + b"\r\n"
        elif kind == 1:
            data = b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
        elif kind == 2:
            data = b"X-Folded: a\r\n" + b" b\r\n" * 100_000
        else:
            data = b"Cookie: " + random.randbytes(500_000).replace(b"\n", b"") + b"\r\n"
        start = (_UPGRADE, _GET, b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n")[number % 3]
        one = connected(port)
        received = b""
        with suppress(OSError):
            one.sendall(start + data + b"\r\n")
        with suppress(OSError):
            while more := one.recv(65536):
                received += more
                if len(received) > 1 << 20:
                    break
        status = received[9:12]
        good += status in (b"", b"400", b"413", b"414", b"431")
        one.close()
    return good


async def header_bombs(scene: Scene, amount: int) -> Count:
    """B6: a head of a megabyte, or of ten thousand lines, is refused."""
    return Count(amount, await scene.apart(bombs, scene.port, scene.seed, amount))


# Clients that are connected.


def deaf(port: int, count: int) -> int:
    """Clients that answer nothing, not even pings; how many the daemon ends in time."""
    clients = [Raw(port, address(number)) for number in range(count)]
    for client in clients:
        client.subscribe("deaf")
    return gone_within([client.socket for client in clients], PINGED + LATER)


async def no_pongs(scene: Scene, amount: int) -> Count:
    """B5: a client whose machine has vanished is found out by pings, and its chat is left."""
    gone = await scene.apart(deaf, scene.port, amount)
    left = await scene.until(lambda: not scene.twitch.joined("deaf"), 10)
    return Count(amount, gone if left else 0)


_CROWD: Final = re.compile(rb'"raw":"crowd (\d+) ')


def read_beside(port: int, good: int, slow: int, first: int, last: int) -> tuple[int, int, int]:
    """Clients that read and clients that do not, of one chat.

    :return: readers who got every number, readers who did not, and slow ones that were closed.
    """
    readers = [Raw(port, address(number)) for number in range(good)]
    sleepers = [Raw(port, address(number), buffer=4096) for number in range(slow)]
    for client in (*readers, *sleepers):
        client.subscribe("crowd", stats=False)
    by_number = {client.socket.fileno(): client for client in readers}
    seen: dict[int, set[int]] = {number: set() for number in by_number}
    rest: dict[int, bytes] = dict.fromkeys(by_number, b"")
    poll = select.poll()
    for number in by_number:
        poll.register(number, select.POLLIN)
    whole = set(range(first, last + 1))
    end = time.monotonic() + 90
    done: set[int] = set()
    alive = 0.0
    while len(done) < good and time.monotonic() < end:
        if time.monotonic() > alive + 5:
            alive = time.monotonic()
            for client in readers:
                with suppress(OSError):
                    client.send(b"", PONG)
        for number, _ in poll.poll(1000):
            try:
                data = rest[number] + by_number[number].socket.recv(1 << 18)
            except OSError:
                poll.unregister(number)
                continue
            seen[number].update(map(int, _CROWD.findall(data)))
            rest[number] = data[-40:]
            if whole <= seen[number]:
                done.add(number)
    ended = gone_within([client.socket for client in sleepers], 30)
    for client in readers:
        client.close()
    return len(done), good - len(done), ended


async def slow_readers(scene: Scene, amount: int) -> Count:
    """B4: who does not read is closed, and costs the others nothing."""
    good = amount // 4
    first, last = 10_000, 10_000 + 999
    attack = scene.begin(read_beside, scene.port, good, amount - good, first, last)
    await scene.until(lambda: scene.twitch.joined("crowd"))
    await _all_there(scene, amount)
    for number in range(first, last + 1):
        scene.say("crowd", f"crowd {number} " + "x" * 300)
        await pause(0.02)
    whole, broken, ended = await attack
    note = f"{whole} of {good} readers got all of 1,000 messages, {broken} did not"
    return Count(amount, whole + ended, f"{note}; {ended} slow ones were closed")


async def _all_there(scene: Scene, amount: int) -> None:
    async def there() -> bool:
        return bool((await scene.health())["clients"] >= amount + 1)

    await scene.until(there)
    await pause(1.0)


# Who may connect.


def statuses(port: int, clients: Sequence[tuple[str, bytes]]) -> list[int]:
    """The status of the upgrade of each client, of which all stay connected meanwhile."""
    opened = [Raw(port, source, headers) for source, headers in clients]
    found = [client.status for client in opened]
    for client in opened:
        client.close()
    return found


async def too_many(scene: Scene, amount: int) -> Count:
    """B7: exactly as many of one address as may come, whatever they say of themselves."""
    forged = (b"", b"X-Forwarded-For: 10.0.0.%d\r\n", b"Forwarded: for=10.0.0.%d\r\n")
    limit = 20
    right = 0
    for number in range(amount):
        source = address(1000 + number)
        lines = [forged[n % 3] % n if b"%d" in forged[n % 3] else b"" for n in range(limit + 10)]
        found = await scene.apart(statuses, scene.port, [(source, line) for line in lines])
        right += found == [101] * limit + [503] * 10
    return Count(amount, right, f"{limit} of {limit + 10} accepted of each address")


ORIGINS: Final = (
    (b"https://good.example", True),
    (b"https://good.example.evil.test", False),
    (b"https://good.example@evil.test", False),
    (b"https://evil.test/https://good.example", False),
    (b"https://evil.test#https://good.example", False),
    (b"https://good.example:8443", False),
    (b"https://good.example:443", False),
    (b"http://good.example", False),
    (b"https://www.good.example", False),
    (b"https://agood.example", False),
    (b"https://good.exampl", False),
    (b"https://good.example.", False),
    (b"https://good.example/", False),
    (b"https://good.example ,https://evil.test", False),
    (b"https://evil.test, https://good.example", False),
    (b"https://good-example", False),
    (b"https://goodxexample", False),
    (b"//good.example", False),
    (b"good.example", False),
    (b"*", False),
    (b"", False),
    (b"null", False),
    (b"file://", False),
    (b"https://a.wild.example", True),
    (b"https://a.b.wild.example", True),
    (b"https://wild.example", False),
    (b"https://a.wild.example.evil.test", False),
    (b"https://evil.test/.wild.example", False),
    (b"https://evil.test?.wild.example", False),
    (b"https://evil.test#.wild.example", False),
    (b"https://evil.test\\.wild.example", False),
    (b"https://evil.test@a.wild.example", False),
    (b"https://evil.test:1.wild.example", False),
    (b"https://evil test.wild.example", False),
    (b"https://a.wild.example:1", False),
    (b"http://a.wild.example", False),
    (b"https://xn--good-example", False),
    (b"\xff\xfe", False),
    (b"javascript:good.example", False),
    (b"https://[::1]", False),
)


async def origins(scene: Scene, amount: int) -> Count:
    """B10: of the pages that may use the server exactly those."""
    asked = ORIGINS[:amount]
    clients = [("", b"Origin: %s\r\n" % origin) for origin, _ in asked]
    found = await scene.apart(statuses, scene.port, clients)
    wrong = [
        origin
        for (origin, good), status in zip(asked, found, strict=True)
        if (status == 101) is not good
    ]
    return Count(len(asked), len(asked) - len(wrong), f"wrong: {wrong}" if wrong else "")


# Channels without end.


def greedy(port: int, count: int, addresses: int, seconds: float) -> dict[str, int]:
    """Ask for so many different channels; how often each answer came.

    :param addresses: from so many addresses, 32 chats each; 1: one client that comes back whenever
        it is closed.
    :param seconds: for which it stays after it has asked.
    """
    answers: dict[str, int] = {}
    if addresses == 1:
        _ask_alone(port, count, answers)
        return answers
    clients = []
    for number in range(addresses):
        client = Raw(port, address(number))
        commands = (
            b'{"type":"subscribe","platform":"twitch","identifier":"greedy%dx%d"}' % (number, chat)
            for chat in range(count // addresses)
        )
        client.socket.sendall(b"".join(masked(command, 1) for command in commands))
        clients.append(client)
    alive = time.monotonic()
    end = alive + seconds
    poll = select.poll()
    for client in clients:
        poll.register(client.socket, select.POLLIN)
    by_number = {client.socket.fileno(): client for client in clients}
    while time.monotonic() < end:
        if time.monotonic() > alive + 5:
            alive = time.monotonic()
            for client in clients:
                with suppress(OSError):
                    client.send(b"", PONG)
        for number, _ in poll.poll(200):
            data = b""
            with suppress(OSError):
                data = by_number[number].socket.recv(1 << 18)
            for name in ("started", "waiting", "TOO_MANY", "RATE_LIMITED"):
                answers[name] = answers.get(name, 0) + data.count(name.encode())
            if not data:
                poll.unregister(number)
    for client in clients:
        client.close()
    return answers


_ENOUGH: Final = ("RATE_LIMITED",)


def _ask_alone(port: int, count: int, answers: dict[str, int]) -> None:
    client = Raw(port)
    asked = 0
    while asked < count:
        try:
            for _ in range(50):
                client.subscribe(f"alone{asked}")
                asked += 1
            client.say(type="ping", id=asked)
            seen = client.until(lambda one: "pong" in one["type"] or one.get("code") in _ENOUGH)
        except (OSError, Closed):
            answers["closed"] = answers.get("closed", 0) + 1
            client = Raw(port)
            continue
        for one in seen:
            name = one.get("code") or one.get("status") or one["type"]
            answers[name] = answers.get(name, 0) + 1
        if any(one.get("code") in _ENOUGH for one in seen):
            client.close()
            client = Raw(port)
    client.close()


async def many_channels(scene: Scene, amount: int, addresses: int) -> Count:
    """Newcomers are served within ten seconds while others ask for channels without end."""
    series = len((await scene.metrics()).splitlines())
    begun = time.monotonic()
    # Each JOIN that the simulated Twitch sees must stand within the budget, or it ends the
    # connection, as the real one does: the witness would lose messages.
    attack = scene.begin(greedy, scene.port, amount, addresses, 25.0 if amount > 1000 else 8.0)
    waited = []
    number = 0
    while not attack.called:
        await pause(1.0)
        newcomer = f"newcomer{number}"
        number += 1
        waited.append(await timed(scene.apart(newcomer_starts, scene.port, newcomer)))
    answers = await attack
    joined = sum(len(one.channels) for one in scene.twitch.connections)
    most = 9 * ((time.monotonic() - begun) / 5.25 + 2)
    calm = await scene.until(lambda: _is_calm(scene), 30)
    more = len((await scene.metrics()).splitlines()) - series
    good = max(waited) < scene.bounds.late and joined <= most and calm
    note = f"newcomers waited {max(waited):.1f} s at most; {joined} joined at the end"
    note += f"; {more} more series of metrics; answers {answers}"
    return Count(amount, amount if good else 0, note)


def newcomer_starts(port: int, name: str) -> None:
    """Somebody from elsewhere asks for one channel, and leaves when it has started."""
    client = Raw(port, "127.200.0.1")
    client.subscribe(name)
    while client.message().get("status") != "started":
        pass
    client.close()


async def _is_calm(scene: Scene) -> bool:
    return bool((await scene.health())["activeStreams"] == 1)


async def one_greedy(scene: Scene, amount: int) -> Count:
    """B9: one client asks for ten thousand channels."""
    return await many_channels(scene, amount, 1)


async def many_greedy(scene: Scene, amount: int) -> Count:
    """B9: hundreds of addresses ask for ten thousand channels together."""
    return await many_channels(scene, amount, -(-amount // 32))


# What is logged.


def knock(port: int, seed: int, count: int) -> int:
    """Bad requests one after the other; how many were answered or ended."""
    random = Random(seed)
    heads = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\x00\x00\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789",
        _GET + b"\r\n",
        _UPGRADE + b"Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: \x1b[2J\r\n\r\n",
        _UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n",
        _UPGRADE + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\nOrigin: \xff\r\n\r\n",
        b"GET /" + b"../" * 40 + b"etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    good = 0
    for number in range(count):
        one = connected(port, address(number % 5000))
        with suppress(OSError):
            one.sendall(random.choice(heads))
            one.settimeout(0.0 if number % 4 else 60.0)
            if number % 4 == 0:
                one.shutdown(socket.SHUT_WR)
                one.recv(4096)
        reset(one)
        good += 1
    return good


async def bad_requests(scene: Scene, amount: int) -> Count:
    """G8: so many bad clients, and a log that an operator can still read."""
    before = len(scene.daemon.log)
    begun = time.monotonic()
    attacks = [scene.begin(knock, scene.port, scene.seed + n, amount // 2) for n in range(2)]
    done = sum(await gatherResults(attacks))
    log = scene.daemon.log[before:]
    rate = log.count("\n") / (time.monotonic() - begun)
    clean = "\x1b" not in log and rate < 10
    return Count(amount, done if clean else 0, f"{log.count(chr(10))} lines logged")


_CHOOSY: Final = (
    "--max-clients-per-address=20",
    "--origins=https://good.example",
    "--origins=https://*.wild.example",
)

CASES: Final = (
    Case("B4 clients that do not read", slow_readers, 400, 0, ("--max-pending=262144",),
         memory=300 * 262144 + (20 << 20), alone=True),
    Case("B5 clients that answer no pings", no_pongs, 100),
    Case("B5 half-open connections", half_open_connections, 5000, 100, waits=True),
    Case("B6 slow heads, a byte a second", slowloris, 500, 0),
    Case("B6 heads of a megabyte", header_bombs, 200, 12),
    Case("G8 bad requests, and the log", bad_requests, 100_000, 1000),
    Case("B7 too many of one address", too_many, 20, 3, _CHOOSY),
    Case("B10 origins", origins, 40, 40, _CHOOSY),
    Case("B9 one client, channels without end", one_greedy, 10_000, 400, alone=True),
    Case("B9 many addresses, channels without end", many_greedy, 10_000, 160, alone=True,
         waits=True),
)  # fmt: skip
