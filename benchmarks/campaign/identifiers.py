# SPDX-License-Identifier: MIT
"""Part C: what clients call a chat, and where it ends up: upstreams, Redis, the log, metrics."""

from __future__ import annotations

import json
import re
import socket
import time
from functools import partial
from itertools import product
from random import Random
from typing import Any, Final

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from benchmarks.attackers import masked
from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import Closed, Raw, address
from benchmarks.campaign.scene import Scene, pause, reactor
from benchmarks.witness import HOST
from livechat.simulator.actions import Author, Say
from tests.support.daemon import start_daemon
from tests.support.redis import RedisServer
from tests.test_foreign_hosts import SHAPES, TYPES


class _Trap(Factory):
    """A server that nobody must come to."""

    protocol = Protocol
    noisy = False

    def __init__(self) -> None:
        self.came = 0

    def buildProtocol(self, addr: Any) -> Any:
        """Count whoever comes."""
        self.came += 1
        return super().buildProtocol(addr)


def identified(port: int, asks: list[tuple[str, str, str]], seconds: float) -> int:
    """Subscribe to identifiers, in turn on several connections; how many were answered."""
    answered = 0
    for start in range(0, len(asks), 30):
        client = Raw(port, address(start))
        part = asks[start : start + 30]
        for number, (platform, identifier, kind) in enumerate(part):
            client.subscribe(identifier, platform, identifierType=kind, id=number)
        missing = set(range(len(part)))
        end = time.monotonic() + seconds
        while missing and time.monotonic() < end:
            one = client.message()
            if one["type"] == "error" or one.get("status") in ("started", "waiting"):
                missing.discard(one.get("id"))
        answered += len(part) - len(missing)
        client.close()
    return answered


async def addresses(scene: Scene, amount: int) -> Count:
    """C2: identifiers that name a server of ours never make the daemon come there."""
    trap = _Trap()
    ports = [reactor.listenTCP(0, trap, interface=host) for host in ("127.0.0.2", "127.0.0.3")]
    hosts = [f"{one.getHost().host}:{one.getHost().port}" for one in ports]
    asks = [
        (platform, shape.replace("H", host), kind)
        for shape, host in product(SHAPES, hosts)
        for platform, kinds in TYPES.items()
        for kind in kinds
    ]
    Random(scene.seed).shuffle(asks)
    asks = asks[:amount]
    answered = await scene.apart(identified, scene.port, asks, 60.0)
    for one in ports:
        await one.stopListening()
    return Count(len(asks), answered if not trap.came else 0, f"{trap.came} requests elsewhere")


def nonsense(random: Random) -> str:
    """An identifier that is nobody's."""
    bad = "\r\n\x00 ,#:\t\x1b\u202e\ud7ff*?{}[]'\"`<>|\\"
    length = random.choice((1, 3, 30, 300, 3000))
    letters = [random.choice("ab9_." + bad) for _ in range(length)]
    # Spaces at the ends are taken off on some platforms; these never make a name.
    letters.insert(random.randrange(len(letters)), random.choice("\x00\x1b,|\\"))
    return "".join(letters)


async def names(scene: Scene, amount: int) -> Count:
    """C1: what cannot be a name is refused before anything is asked of a platform."""
    asks = [
        (platform, nonsense(scene.random), "username")
        for _ in range(amount // 3)
        for platform in TYPES
    ]
    before = _upstream(scene)
    answered = await scene.apart(identified, scene.port, asks, 60.0)
    more = _upstream(scene) - before
    return Count(len(asks), answered if more <= 0 else 0, f"{more} more things asked of platforms")


def _upstream(scene: Scene) -> int:
    return len(scene.youtube.asked) + len(scene.twitch.connections)


# One chat, one upstream.

_HOMOGLYPH: Final = "\u0430"  # CYRILLIC SMALL LETTER A

#: By platform: how one channel may be written (`{}`: letters and digits, `{upper}`: in capitals),
#: and what is another one, or none.  The first one is what the others are compared with.
SAME: Final = {
    "twitch": (
        "{}", "@{}", "{upper}", "@{upper}", "https://www.twitch.tv/{}", "twitch.tv/{upper}",
        "http://m.twitch.tv/{}?a=b#c", "https://www.twitch.tv/popout/{}/chat",
        "https://go.twitch.tv/{}/", "//www.twitch.tv/{}/about",
    ),
    "tiktok": (
        "{}", "@{}", "{upper}", " {} ", "https://www.tiktok.com/@{}/live", "tiktok.com/@{upper}",
        "https://m.tiktok.com/@{}?lang=en", "  @{}",
    ),
    "youtube": (
        "@{}", "{}", "@{upper}", "https://www.youtube.com/@{}", "youtube.com/@{upper}/live",
        "https://m.youtube.com/@{}/streams?a=b",
    ),
}  # fmt: skip
OTHER: Final = {
    "twitch": ("{}_", f"{{}}{_HOMOGLYPH}", "{}\u200b", "{}\u0301", "{}1", "\uff41{}", " {}",
               "{}\u212a"),
    "tiktok": ("{}_", f"{{}}{_HOMOGLYPH}", "{}\u200b", "{}\u0301", "{}.x", "\uff41{}", "{}\u212a"),
    "youtube": ("@{}_", f"@{{}}{_HOMOGLYPH}", "@{}.x", "@{}1"),
}  # fmt: skip

#: The two forms in which Unicode writes the same letters are the same handle.
TWINS: Final = (
    ("@caf\u00e9{}", "@cafe\u0301{}"),
    ("@stra\u00dfe{}", "@STRA\u00dfE{}"),
    ("@\u5834\u6240{}", "https://www.youtube.com/@%E5%A0%B4%E6%89%80{}"),
    ("@\u00c5{}", "@A\u030a{}"),
)

#: What is no identifier at all.
NONE: Final[tuple[Any, ...]] = (
    "", " ", "\t", "@", "@@", "a" * 256, "\U0001f600" * 64, "x" * 60_000, None, 0, 1.5, True, [],
    ["ann"], {}, {"ann": 1}, "\x00", "ann\x00",
)  # fmt: skip


def pairs() -> list[tuple[str, str, str, bool]]:
    """Platform, two ways of writing, and whether they mean the same channel."""
    found = [
        (platform, forms[0], form, same)
        for table, same in ((SAME, True), (OTHER, False))
        for platform, forms in table.items()
        for form in (forms[1:] if same else [*forms])
        for forms in [SAME[platform]]
    ]
    found += [("youtube", one, other, True) for one, other in TWINS]
    return found


def ask_pairs(port: int, asked: list[tuple[str, str, str, bool]]) -> int:
    """Subscribe to both of each pair; how many pairs led to one chat, or to two, as they must."""
    good = 0
    for start in range(0, len(asked), 15):
        part = asked[start : start + 15]
        client = Raw(port, address(4000 + start))
        for number, (platform, one, other, _) in enumerate(part):
            name = f"pair{start + number}z"
            for place, form in enumerate((one, other)):
                text = form.format(name, upper=name.upper())
                client.subscribe(text, platform, id=2 * number + place, stats=False)
        missing = set(range(2 * len(part)))
        answers: dict[int, str] = {}
        while missing:
            message = client.message()
            if message["type"] == "error" or message.get("status") == "started":
                # Who asks again for a chat that he has is answered with what he asked first.
                missing.discard(message.get("id", -1))
                answers[message.get("id", -1)] = message.get("code") or message["channel"]
        for number, (*_, same) in enumerate(part):
            one, other = answers[2 * number], answers[2 * number + 1]
            good += one not in ("INVALID_IDENTIFIER", "") and (one == other) is same
        client.close()
    return good


async def one_upstream(scene: Scene, amount: int) -> Count:
    """C3: ways of writing one name lead to one chat; what only looks alike leads to none of it."""
    found = pairs()
    chosen = found[:: max(1, len(found) // amount)][:amount]
    good = await scene.apart(ask_pairs, scene.port, chosen)
    return Count(len(chosen), good)


def ask_nonsense(port: int, count: int) -> int:
    """Things that are no identifier; how many were refused with a code, on one connection."""
    client = Raw(port, "127.4.0.9")
    good = 0
    asks = [(name, platform) for name in NONE for platform in TYPES][:count]
    for number, (name, platform) in enumerate(asks):
        client.subscribe(name, platform, id=number)
        good += client.message().get("code") in ("INVALID_IDENTIFIER", "INVALID_MESSAGE")
    client.close()
    return good


async def no_identifier(scene: Scene, amount: int) -> Count:
    """C3: what is empty, too long or no text is refused, and the connection stays."""
    tried = min(amount, len(NONE) * len(TYPES))
    return Count(tried, await scene.apart(ask_nonsense, scene.port, tried))


# Names in Redis.

#: A channel's key: the name between braces holds no other ones, no space and no pattern.
_KEY: Final = re.compile(rb"livechat:\d:\{([^{}*?\s]+)\}:[a-z]+(?::[\w-]+)?")

#: Inside of names.
_SPECIAL: Final = "*?{}[] \r\n\\:%'\"\x00^$|&;<>`~!\u5834\u00e9-."


def ask_and_wait(port: int, asks: list[tuple[str, str]]) -> list[str]:
    """Subscribe to channels; `platform:channel` of those that there are, once somebody writes."""
    found = []
    client = Raw(port, "127.4.0.8")
    for number, (platform, name) in enumerate(asks):
        client.subscribe(name, platform, id=number)
        answer = client.until(partial(_is_decided, number))
        if answer[-1]["type"] == "chat":
            (channel, *_) = [one["channel"] for one in answer if one.get("status") == "started"]
            found.append(f"{platform}:{channel}")
            client.say(type="unsubscribe", platform=platform, identifier=name)
            client.say(type="ping", id="end")
            client.until(lambda one: one["type"] == "pong")
    client.close()
    return found


def _is_decided(number: int, one: dict[str, Any]) -> bool:
    return (one.get("id") == number and "code" in one) or one["type"] == "chat"


def redis(port: int, *words: str) -> bytes:
    """What Redis answers to a command, as it is on the wire."""
    with socket.create_connection((HOST, port), 10) as connection:
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            parts.append(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()))
        connection.sendall(b"".join(parts))
        connection.settimeout(0.5)
        answer = b""
        try:
            while more := connection.recv(65536):
                answer += more
        except TimeoutError:
            pass
    return answer


async def names_in_redis(scene: Scene, amount: int) -> Count:
    """C4: what a name holds never becomes a part of a command: as many keys as channels make."""
    server = RedisServer()
    await deferToThread(server.launch)
    daemon = start_daemon(
        reactor, *scene.options, "--stats-storage=redis", f"--redis-url={server.url}"
    )
    await daemon.listening
    letters = [_SPECIAL[n % len(_SPECIAL)] for n in range(amount)]
    asks = [
        (platform, f"name{number}{letter}x")
        for number, letter in enumerate(letters)
        for platform in ("twitch", "youtube", "tiktok")
        # A chat that there is takes a second or two; one in four is enough.
        if platform == "youtube" or number % 4 == 0
    ]
    said = 0

    def speak() -> None:
        nonlocal said
        for platform, name in asks:
            said += 1
            action = Say(
                id=f"{said:08x}-0000-4000-b000-000000000000",
                author=Author(3, "ann", "Ann"),
                text=("text",),
            )
            if platform == "youtube" and scene.youtube.stream(name).is_read:
                scene.youtube.say(name, action)
            elif platform == "tiktok" and scene.tiktok.watching(name):
                scene.tiktok.say(name, action)
            elif platform == "twitch" and scene.twitch.joined(name):
                scene.say(name, "text")

    speaking = LoopingCall(speak)
    speaking.start(0.3)
    found = await scene.apart(ask_and_wait, daemon.port, asks)
    speaking.stop()
    await pause(1.0)
    keys = await deferToThread(redis, server.port, "KEYS", "*")
    commands = await deferToThread(redis, server.port, "INFO", "commandstats")
    daemon.kill()
    await daemon.ended
    await deferToThread(server.kill)
    lines = [line for line in keys.split(b"\r\n") if line.startswith(b"livechat:")]
    keyed = [_KEY.fullmatch(line) for line in lines]
    channels = {match[1] for match in keyed if match}
    stray = [line for line, match in zip(lines, keyed, strict=True) if not match]
    stray = [line for line in stray if not line.endswith((b":probe", b":layout"))]
    # The one `KEYS` is ours; `SCAN` is nobody's.
    asked = commands.count(b"cmdstat_keys:calls=1,") == 1 and b"cmdstat_scan" not in commands
    good = not stray and asked and len(channels) == len(found)
    note = (
        f"{len(found)} of them are channels; {len(lines)} keys of {len(channels)}; strange: {stray}"
    )
    return Count(len(asks), len(asks) if good else 0, note)


# Names in the log and in metrics.


def ask_and_go(port: int, names: list[str]) -> int:
    """Ask for 30 channels on each connection, and go without waiting for what comes of it."""
    asked = 0
    for start in range(0, len(names), 30):
        client = Raw(port, address(20_000 + start))
        commands = (
            json.dumps({"type": "subscribe", "platform": "twitch", "identifier": name}).encode()
            for name in names[start : start + 30]
        )
        client.socket.sendall(b"".join(masked(command, 1) for command in commands))
        client.say(type="ping", id="end")
        try:
            client.until(lambda one: one["type"] == "pong")
            asked += len(names[start : start + 30])
        except (Closed, OSError):
            pass
        client.close()
    return asked


async def names_in_metrics(scene: Scene, amount: int) -> Count:
    """C5: ten thousand channels add no series, and nothing to the log that a terminal obeys."""
    random = scene.random
    names = [
        f"series{number}" if number % 2 else f"series{number}{random.choice('|,')}\x1b[2J\r\nx"
        for number in range(amount)
    ]
    await scene.apart(ask_and_go, scene.port, names[:60])
    before = (await scene.metrics()).splitlines()
    begun = time.monotonic()
    logged = len(scene.daemon.log)
    asked = await scene.apart(ask_and_go, scene.port, names)
    calm = await scene.until(lambda: _is_calm(scene), 60)
    after = (await scene.metrics()).splitlines()
    log = scene.daemon.log[logged:]
    more = len(after) - len(before)
    lines, bound = log.count("\n"), 400 + 20 * (time.monotonic() - begun)
    # A new outcome or state may be seen for the first time; it is one of few.
    clean = more <= 6 and not any("series" in line for line in after)
    clean = clean and "\x1b" not in log and "\r" not in log and lines < bound
    note = f"{more} more series, {lines} lines logged"
    return Count(amount, asked if clean and calm else 0, note)


async def _is_calm(scene: Scene) -> bool:
    return bool((await scene.health())["activeStreams"] == 1)


_WILD: Final = ("--command-rate=10000",)

CASES: Final = (
    Case("C1 names that cannot be", names, 900, 60, _WILD),
    Case("C2 names that are addresses", addresses, 1500, 60, _WILD),
    Case("C3 ways to write a name", one_upstream, 60, 6, _WILD),
    Case("C3 what is no name at all", no_identifier, 54, 54, _WILD),
    Case("C4 names in Redis", names_in_redis, 100, 0, _WILD),
    Case("C5 ten thousand names, metrics and log", names_in_metrics, 10_000, 300, _WILD),
)  # fmt: skip
