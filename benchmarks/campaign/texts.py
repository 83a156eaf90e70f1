# SPDX-License-Identifier: MIT
"""Parts A and C: what chatters write, and what clients call a chat."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import product
from random import Random
from typing import Any, Final

from twisted.internet.defer import gatherResults
from twisted.internet.protocol import Factory, Protocol

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import Closed, Raw, address, connected
from benchmarks.campaign.scene import Scene, pause, reactor
from livechat.simulator.actions import Author, Say
from tests.test_foreign_hosts import SHAPES, TYPES
from tests.test_twitch_hostile import nodes, payloads

#: What `rawHtml` is made of, and nothing else.
ELEMENTS: Final = frozenset({"DOCUMENT_FRAGMENT", "span", "img"})
ATTRIBUTES: Final = frozenset({"class", "src", "alt", "title"})


def contents(port: int, name: str, platform: str, seconds: float) -> list[dict[str, str]]:
    """Watch a channel until somebody says `end`; what each message was rendered as."""
    client = Raw(port, "127.4.0.1")
    client.subscribe(name, platform, stats=False)
    found: list[dict[str, str]] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        one = client.message()
        if one["type"] == "chat":
            content = one["data"]["data"]["content"]
            if content["raw"] == "end":
                break
            found.append(content)
    client.close()
    return found


def is_harmless(content: dict[str, str]) -> bool:
    """Whether a browser makes nothing of `rawHtml` but text and pictures."""
    made = nodes(content["rawHtml"])
    tags = {element.tag for element in made} <= ELEMENTS
    names = {name for element in made for name in element.attrib} <= ATTRIBUTES
    shown = "".join(made[0].itertext())
    # What an HTML parser does to these is no concern of ours.
    kept = content["sanitized"].replace("\r", "\n").replace("\x00", "")
    return tags and names and shown.replace("\ufffd", "") == kept.replace("\ufffd", "")


async def markup(scene: Scene, amount: int) -> Count:
    """A1: text that looks like markup stays text, on every platform."""
    texts = (payloads() * 2)[:amount]
    watching = [
        scene.begin(contents, scene.port, "markup", platform, 90.0)
        for platform in ("twitch", "tiktok", "youtube")
    ]
    await scene.until(lambda: scene.twitch.joined("markup") and scene.tiktok.watching("markup"))
    await scene.until(lambda: scene.youtube.stream("markup").is_read)
    await pause(3.0)
    for number, text in enumerate((*texts, "end"), 1):
        name = f"00000000-0000-4000-a000-{number:012d}"[::-1]
        action = Say(id=name, author=Author(9, "eve", text[:40]), text=(text,))
        scene.say("markup", text)
        scene.tiktok.say("markup", action)
        scene.youtube.say("markup", action)
        if number % 20 == 0:
            await pause(0.05)
    found = await gatherResults(watching)
    harmless = sum(is_harmless(content) for some in found for content in some)
    note = "Twitch {}, TikTok {}, YouTube {} delivered".format(*map(len, found))
    return Count(3 * len(texts), harmless, note)


def flooded(port: int, last: int) -> int:
    """Watch a flood; how many of its numbers came."""
    client = Raw(port, "127.4.0.2")
    client.subscribe("flood", stats=False)
    seen: set[str] = set()
    with suppress(TimeoutError, Closed):
        while len(seen) < last:
            one = client.message()
            if one["type"] == "chat":
                seen.add(one["data"]["data"]["content"]["raw"])
    client.close()
    return len(seen)


async def flood(scene: Scene, amount: int) -> Count:
    """A5: five thousand messages a second in one channel: all are delivered."""
    watching = scene.begin(flooded, scene.port, amount)
    await scene.until(lambda: scene.twitch.joined("flood"))
    await pause(1.0)
    for number in range(amount):
        scene.say("flood", f"flood {number}")
        if number % 50 == 49:
            await pause(0.01)
    return Count(amount, await watching)


PATHS: Final = tuple(
    f"{start}{step * 6}{target}"
    for start, step, target in product(
        ("/", "/test/", "/web/", "/web/js/", "//"),
        ("../", "..%2f", "%2e%2e/", "..\\", "..;/", ".%00./"),
        ("etc/passwd", "pyproject.toml", "livechat/options.py"),
    )
)


def asked(port: int, paths: list[str]) -> int:
    """Ask for paths outside of what is served; how many gave nothing away."""
    good = 0
    for path in paths:
        one = connected(port)
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        with suppress(OSError):
            while more := one.recv(65536):
                answer += more
        one.close()
        status = answer[9:12]
        good += (
            status in (b"301", b"302", b"308", b"400", b"404", b"405") and b"root:" not in answer
        )
    return good


async def paths(scene: Scene, amount: int) -> Count:
    """A4: no path leads out of the files that are served."""
    chosen = list(PATHS[:amount])
    return Count(len(chosen), await scene.apart(asked, scene.port, chosen))


# Identifiers.


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


_WILD: Final = ("--command-rate=1000",)

CASES: Final = (
    Case("A1 markup in every chat", markup, 550, 60, _WILD),
    Case("A4 paths out of the served files", paths, 90, 90, _WILD),
    Case("A5 a flood in one channel", flood, 50_000, 3000, _WILD),
    Case("C1 names that cannot be", names, 900, 60, _WILD),
    Case("C2 names that are addresses", addresses, 1500, 60, _WILD),
)
