# SPDX-License-Identifier: MIT
"""Part B, commands and frames: what clients say once they are connected."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from itertools import permutations
from random import Random
from typing import Any, Final

from benchmarks.attackers import masked
from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.memory import CONNECTIONS, is_quiet, more
from benchmarks.campaign.raw import BINARY, CLOSE, PING, TEXT, Closed, Raw, address
from benchmarks.campaign.scene import Scene

#: Frames between two looks whether the connection is still good.
STRETCH: Final = 50

#: Texts that are no command, or none that can be carried out.
FIXED: Final = (
    b"", b" ", b"null", b"true", b"0", b"-1", b"1e999", b"NaN", b'"x"', b"[]", b"[{}]", b"{}",
    b"{", b"}", b"{{", b"[[[[", b"\xef\xbb\xbf{}", b"\x00", b"\x7f", b"{'type':'subscribe'}",
    b'{"type":null}', b'{"type":1}', b'{"type":[]}', b'{"type":"\\ud800"}', b'{"type":"\\u0000"}',
    b'{"type":"subscribe"}', b'{"type":"subscribe","platform":1}',
    b'{"type":"subscribe","platform":"x","identifier":"y"}',
    b'{"type":"subscribe","platform":"twitch","identifier":null}',
    b'{"type":"subscribe","platform":"twitch","identifier":{"a":1}}',
    b'{"type":"subscribe","platform":"twitch","identifier":"\\ud83d"}',
    b'{"type":"subscribe","platform":"twitch","identifier":"a","identifier":"b c"}',
    b'{"type":"subscribe","platform":"__proto__","identifier":"constructor"}',
    b'{"type":"subscribe","platform":"twitch","identifier":"ann\\r\\nQUIT"}',
    b'{"type":"subscribe","platform":"twitch","identifier":"ann","filter":{"only_word":[]}}',
    b'{"type":"subscribe","platform":"twitch","identifier":"ann","history":1e9}',
    b'{"type":"unsubscribe","platform":"twitch","identifier":"nobody_holds"}',
    b'{"type":"get_stats","platform":"twitch"}', b'{"type":"chat"}', b'{"type":"Subscribe"}',
    b"GET / HTTP/1.1\r\n\r\n", b"<xml/>", b"\\", b'"', b"--1", b"0x10", b"1" * 5000,
    b"[" * 10_000, b'{"a":' * 10_000, b"[" * 10_000 + b"]" * 10_000,
    b'{"type":' + b"9" * 5000 + b"}",
    b'{"type":"' + b"x" * 60_000 + b'"}', b'{"' + b"k" * 60_000 + b'":1}',
    b"{" + b",".join(b'"k%d":0' % n for n in range(5000)) + b"}",
)  # fmt: skip


def hostile_text(random: Random) -> bytes:
    """A text that no honest client sends; valid UTF-8."""
    kind = random.randrange(5)
    if kind == 0:
        return random.choice(FIXED)
    if kind == 1:
        return "".join(
            chr(random.choice((random.randrange(1, 128), random.randrange(0x20AC, 0x2FFF))))
            for _ in range(random.randrange(60))
        ).encode()
    if kind == 2:
        # A command, cut or with bytes changed.
        data = bytearray(b'{"type":"subscribe","platform":"youtube","identifier":"ann","id":1}')
        for _ in range(random.randrange(1, 6)):
            data[random.randrange(len(data))] = random.randrange(32, 127)
        return bytes(data[: random.randrange(1, len(data))])
    return json.dumps(_value(random, 0)).encode()


def _value(random: Random, depth: int) -> Any:
    """Any JSON value; objects have the keys of commands."""
    kind = random.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [_value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind == 7 or depth == 0:
        names = ("type", "platform", "identifier", "identifierType", "id", "since", "filter", "x")
        return {
            name: _value(random, depth + 1) for name in random.sample(names, random.randrange(1, 6))
        }
    leaves: tuple[Any, ...] = (
        None,
        random.random() < 0.5,
        random.choice((0, -1, 1 << 63, 1 << 70, 1e308, 0.1)),
        random.choice(("", "\x00", "\u202e", "twitch", "a" * 300, "../..", "subscribe ", "\uffff")),
        random.choice(("get_stats ", "subscribed", "tw\u0130tch", "y\u043eutube")),
        random.randrange(-9, 9),
    )
    return leaves[kind]


def send_frames(port: int, seed: int, count: int) -> tuple[int, int]:
    """Send hostile texts, and see after each stretch that the connection is as good as before.

    :return: how many were answered as they must be, and connections that were closed.
    """
    random = Random(seed)
    good = closed = 0
    client = Raw(port)
    for number in range(0, count, STRETCH):
        amount = min(STRETCH, count - number)
        try:
            client.socket.sendall(
                b"".join(_frame(hostile_text(random), random) for _ in range(amount))
            )
            client.say(type="ping", id=number)
            answers = client.until(_pong_of(number))
        except Closed:
            closed += 1
            client = Raw(port)
            continue
        if all(one["type"] in ("error", "pong", "status", "stats") for one in answers):
            good += amount
    client.close()
    return good, closed


def _pong_of(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda one: one["type"] == "pong" and one["id"] == number


def _frame(payload: bytes, random: Random) -> bytes:
    if len(payload) > 2 and random.random() < 0.1:
        cut = random.randrange(1, len(payload))
        return masked(payload[:cut], TEXT, fin=False) + masked(payload[cut:], 0)
    return masked(payload, BINARY if random.random() < 0.1 else TEXT)


async def frames(scene: Scene, amount: int) -> Count:
    """B2: texts that are no command are answered, and the connection stays."""
    good, closed = await scene.apart(send_frames, scene.port, scene.seed, amount)
    return Count(amount, good, f"{closed} connections closed")


def send_broken(port: int, seed: int, count: int) -> int:
    """Frames that the protocol forbids, one on each connection; how many were closed for it."""
    random = Random(seed)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = (deflater.compress(b" " * (50 << 20)) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
    packed = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
    kinds: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("large", (1009,)),
        ("fragments", (1009, 1008)),
        ("bomb", (1009,)),
        ("utf-8", (1007,)),
        ("reserved", (1002,)),
        ("opcode", (1002,)),
        ("length", (1009, 1002)),
        ("control", (1002,)),
        ("continuation", (1002,)),
        ("unmasked", (1002,)),
        ("close code", (1002, 0)),
        ("cut deflate", (1002, 1007, 1009)),
    )
    good = 0
    for number in range(count):
        name, codes = kinds[number % len(kinds)]
        client = Raw(port, headers=packed if name in ("bomb", "cut deflate") else b"")
        try:
            _send_broken(client, name, bomb, random)
            while True:
                client.frame()
        except Closed as end:
            good += end.code in codes
        except OSError:
            # It was closed while we were still sending; what was said is lost with it.
            good += name in ("large", "fragments", "bomb", "length")
        client.close()
    return good


def _send_broken(client: Raw, name: str, bomb: bytes, random: Random) -> None:
    match name:
        case "large":
            client.send(b" " * random.randrange(65537, 200_000))
        case "fragments":
            client.send(b"[", TEXT, fin=False)
            for _ in range(80):
                client.send(b" " * 1024, 0, fin=False)
        case "bomb":
            data = bytearray(masked(bomb, TEXT))
            data[0] |= 0x40
            client.socket.sendall(bytes(data))
        case "utf-8":
            client.send(
                random.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\xf5\x80\x80\x80"))
            )
        case "reserved":
            client.socket.sendall(bytes((0x81 | random.choice((0x10, 0x20)), 0x80, 0, 0, 0, 0)))
        case "opcode":
            client.send(b"x", random.choice((3, 4, 5, 6, 7, 11, 12, 15)))
        case "length":
            size = 1 << random.randrange(40, 63)
            client.socket.sendall(b"\x81\xff" + size.to_bytes(8, "big") + bytes(4))
        case "control":
            client.send(b"x" * 126, PING)
        case "continuation":
            client.send(b"x", 0)
        case "unmasked":
            client.socket.sendall(b"\x81\x02{}")
        case "close code":
            client.send(
                random.choice((999, 1004, 1005, 1006, 1015, 5000)).to_bytes(2, "big"), CLOSE
            )
        case "cut deflate":
            client.socket.sendall(b"\xc1" + masked(random.randbytes(40), TEXT)[1:])


async def broken(scene: Scene, amount: int) -> Count:
    """B3: frames that are too large, endless, packed bombs, no UTF-8, or against the protocol."""
    return Count(amount, await scene.apart(send_broken, scene.port, scene.seed, amount))


def ping_pong(port: int, count: int) -> int:
    """Subscribe and unsubscribe as fast as the socket takes it; commands sent."""
    sent = 0
    client = Raw(port)
    while sent < count:
        try:
            for _ in range(10):
                client.subscribe("pingpong")
                client.say(type="unsubscribe", platform="twitch", identifier="pingpong")
                sent += 2
        except OSError:
            client.close()
            client = Raw(port)
    client.close()
    return sent


async def flood(scene: Scene, amount: int) -> Count:
    """B8: a flood of commands costs its connection, and few starts of an upstream."""
    before = await scene.metrics()
    sent = await scene.apart(ping_pong, scene.port, amount)
    after = await scene.metrics()
    starts = _starts(after) - _starts(before)
    # The close frame of a flood may be lost in the reset.
    flood = 'livechat_closed_total{reason="flood"}'
    closed = _sum(after, flood) - _sum(before, flood)
    # Without a linger each burst may start the chat anew, but never more often than JOINs allow.
    return Count(amount, min(sent, amount), f"{closed:.0f} closed as a flood, {starts:.0f} starts")


def _starts(metrics: str) -> float:
    return _sum(metrics, "livechat_starts_total")


def _sum(metrics: str, name: str) -> float:
    lines = [line for line in metrics.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


STEPS: Final = ("subscribe", "unsubscribe", "stats", "resume", "leave", "vanish", "come")


def random_steps(port: int, seed: int, count: int, platform: str) -> int:
    """Clients that come, ask, take back and go at random; all are gone in the end."""
    random = Random(seed)
    names = [f"steps{number}" for number in range(8)] + ["offline_one", "missing_one"]
    clients: list[Raw] = []
    done = 0
    while done < count:
        step = random.choice(STEPS)
        name = random.choice(names)
        if step == "come" or not clients:
            clients.append(Raw(port, address(random.randrange(1000))))
            clients[-1].socket.settimeout(0.0)
        client = random.choice(clients)
        try:
            match step:
                case "subscribe":
                    client.subscribe(name, platform, events=random.random() < 0.5)
                case "unsubscribe":
                    client.say(type="unsubscribe", platform=platform, identifier=name)
                case "stats":
                    client.say(type="get_stats")
                case "resume":
                    client.subscribe(name, platform, since={"epoch": "0abc", "seq": 3}, history=9)
                case "leave":
                    client.send(b"\x03\xe8", CLOSE)
                    clients.remove(client)
                    client.close()
                case "vanish":
                    clients.remove(client)
                    client.close()
            while client in clients and client.socket.recv(1 << 16):
                pass
        except BlockingIOError:
            pass
        except OSError:
            clients.remove(client)
            client.close()
        done += 1
        if len(clients) > 50:
            clients.pop(0).close()
    for client in clients:
        client.close()
    return done


async def steps(scene: Scene, amount: int) -> Count:
    """B11: whatever clients do, in the end no channel, client, timer or descriptor is left."""
    await scene.apart(random_steps, scene.port, 1, 50, "twitch")
    await scene.until(lambda: is_quiet(scene), 20)
    before = (await scene.health(), scene.descriptors(), await scene.counts())
    done = await scene.apart(random_steps, scene.port, scene.seed, amount, "twitch")
    left: dict[str, int] = {}
    open_files = 0

    async def as_before() -> bool:
        nonlocal left, open_files
        open_files = scene.descriptors() - before[1]
        now = await scene.health()
        same = all(now[name] == before[0][name] for name in ("activeStreams", "clients"))
        upstreams = sum(len(one.channels) for one in scene.twitch.connections)
        if not same or upstreams != 1 or open_files > CONNECTIONS:
            return False
        left = more(before[2], await scene.counts())
        return not left

    clean = await scene.until(as_before, 40)
    now = await scene.health()
    note = f"left: {now['activeStreams'] - 1} chats, {now['clients'] - 1} clients"
    note += f", {open_files} descriptors; timers and objects as before"
    return Count(amount, done if clean else 0, note if clean else f"{note}: {left}")


def orders(port: int, count: int) -> int:
    """Two clients subscribe and unsubscribe in every order; how many orders ended as they must."""
    good = 0
    events = (("a", True), ("b", True), ("a", False), ("b", False))
    for number, order in enumerate(list(permutations(events))[:count]):
        clients = {"a": Raw(port, address(number)), "b": Raw(port, address(number))}
        held = {"a": False, "b": False}
        name = f"order{number}"
        for who, comes in order:
            if comes:
                clients[who].subscribe(name)
            else:
                clients[who].say(type="unsubscribe", platform="twitch", identifier=name)
            held[who] = comes
        right = True
        for who, client in clients.items():
            client.say(type="ping", id="end")
            seen = client.until(lambda one: one["type"] == "pong")
            if held[who]:
                # It is told so now or when the chat has started.
                seen += [] if _has(seen, "started") else client.started()
                right &= _has(seen, "started")
            client.close()
        good += right
    return good


def _has(messages: list[dict[str, Any]], what: str) -> bool:
    return any(what in (one.get("status"), one["type"]) for one in messages)


async def all_orders(scene: Scene, amount: int) -> Count:
    """B12: whoever holds a chat in the end is told that it has started."""
    good = await scene.apart(orders, scene.port, amount)
    clean = await scene.until(lambda: is_quiet(scene), 30)
    return Count(amount, good if clean else 0)


CASES: Final = (
    Case("B2 hostile frames", frames, 100_000, 2000, ("--command-rate=10000",)),
    Case("B3 frames against the protocol", broken, 1200, 60, ("--command-rate=10000",)),
    Case("B8 floods of commands", flood, 10_000, 1000),
    Case(
        "B11 random steps of clients",
        steps,
        10_000,
        800,
        ("--history-ttl=1",),
        alone=True,
        observed=True,
    ),
    Case("B12 every order of two clients", all_orders, 24, 6, alone=True),
)
