# SPDX-License-Identifier: MIT
"""Part D: platforms that send what they should not, or nothing, or go away."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from random import Random
from typing import Any, Final

import msgspec
from twisted.internet.defer import gatherResults
from twisted.internet.task import LoopingCall
from twisted.web.http import Request
from twisted.web.server import NOT_DONE_YET

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import Closed, Raw, address
from benchmarks.campaign.scene import Scene, pause
from livechat.simulator.actions import Author, Say
from livechat.simulator.scenario import Scenario
from livechat.simulator.tiktok_faults import GARBAGE, TikTokMishap, frame, gzipped
from livechat.simulator.tiktok_messages import Written, batch
from livechat.simulator.twitch_faults import Fault, Mishap
from tests.support import golden
from tests.test_tiktok_mutations import MUTATIONS
from tests.test_youtube_corpus import actions
from tests.test_youtube_hostile import REPLACEMENTS, copied, places

_ANN: Final = Author(7, "ann", "Ann")

#: How the texts begin that must be delivered, and no others.
GOOD: Final = "delivered-"

# Answers over HTTP.

Answer = bytes | int


def _say(request: Request, status: int, body: bytes = b"", **headers: str) -> bytes:
    request.setResponseCode(status)
    for name, value in headers.items():
        request.setHeader(name.replace("_", "-"), value)
    return body


def _raw(request: Request, data: bytes, again: bytes = b"", pause: float = 0.01) -> int:
    """Bytes as they are; then others again and again until the reader has gone."""
    wire: Any = request.channel.transport
    wire.write(data)
    if not again:
        wire.loseConnection()
        return NOT_DONE_YET
    # A reader that never goes is an error of its own: 64 MB is what anybody is sent.
    left = (64 << 20) // len(again)

    def send() -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            wire.write(again)

    sending = LoopingCall(send)

    def stop(_: object) -> None:
        if sending.running:
            sending.stop()

    request.notifyFinish().addBoth(stop)
    sending.start(pause)
    return NOT_DONE_YET


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(256 << 20), 9)


def _reset(request: Request) -> int:
    wire: Any = request.channel.transport
    wire.abortConnection()
    return NOT_DONE_YET


_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED: Final = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_MIB: Final = bytes(1 << 20)

FAULTS: Final[tuple[Callable[[Request], Answer], ...]] = (
    lambda request: _raw(request, _OK + b"Content-Length: 1073741824\r\n\r\n", _MIB),
    lambda request: _raw(request, _CHUNKED, b"100000\r\n" + _MIB + b"\r\n"),
    lambda request: _raw(request, _CHUNKED, b"1\r\n \r\n", 1.0),
    lambda request: _say(request, 200, _bomb(), content_encoding="gzip"),
    lambda request: _say(request, 200, gzip.compress(_bomb()), content_encoding="gzip, gzip"),
    lambda request: _say(request, 200, b"\x1f\x8b no gzip", content_encoding="gzip"),
    lambda request: _say(request, 200, b"{}", content_encoding="br"),
    lambda request: _raw(request, b"HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n" * 1000),
    lambda request: _raw(request, b"HTTP/1.1 200 OK\r\nX-Large: ", b"a" * 65536),
    lambda request: _raw(request, b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 100 C\r\n\r\n" * 999),
    lambda request: _raw(request, b"HTTP/9.9 what\r\n\r\n"),
    lambda request: _raw(request, b"\x16\x03\x01\x00\x01\x00"),
    lambda request: _raw(request, b"\x00" * 100),
    lambda request: _raw(request, _OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}"),
    lambda request: _raw(request, _OK + b"Content-Length: -5\r\n\r\n{}"),
    lambda request: _raw(request, _OK + b"Content-Length: 100\r\n\r\n{}"),
    lambda request: _raw(request, _CHUNKED + b"zz\r\n{}\r\n"),
    lambda request: _raw(request, _CHUNKED + b"5\r\n{}"),
    lambda request: _say(request, 302, location=(request.uri or b"/").decode("latin-1")),
    lambda request: _say(request, 302, location="http://127.0.0.2:9/"),
    lambda request: _say(request, 302, location="file:///etc/passwd"),
    lambda request: _say(request, 301),
    lambda request: _say(request, 200, b"\x89PNG\r\n\x1a\n", content_type="image/png"),
    lambda request: _say(request, 200, b"<html>captcha: are you a robot?</html>"),
    lambda request: _say(request, 200, b"<form action=https://consent.example/save>"),
    lambda request: _say(request, 200),
    lambda request: _say(request, 204),
    lambda request: _say(request, 304),
    lambda request: _say(request, 401, b"{}"),
    lambda request: _say(request, 403, b"{}"),
    lambda request: _say(request, 404, b"<html>gone</html>"),
    lambda request: _say(request, 429, retry_after="1000000000"),
    lambda request: _say(request, 429, retry_after="-1"),
    lambda request: _say(request, 500, b"oops"),
    lambda request: _say(request, 503, b"\xff\xfe"),
    lambda request: _say(request, 200, b"null"),
    lambda request: _say(request, 200, b"[" * 100_000),
    lambda request: _say(request, 200, b'{"data":' + b"1" * 5000 + b"}"),
    _reset,
    lambda _: NOT_DONE_YET,
)  # fmt: skip

_FAULT: Final = re.compile(rb"fault(\d+)x")


def answered(port: int, platform: str, names: list[str], seconds: float) -> int:
    """Ask for chats; for how many of them there is a final answer in time."""
    client = Raw(port, "127.3.0.1")
    for name in names:
        client.subscribe(name, platform)
    missing = set(names)
    end = time.monotonic() + seconds
    while missing and time.monotonic() < end:
        try:
            one = client.message()
        except (Closed, TimeoutError):
            break
        if one["type"] == "error" or one.get("status") == "started":
            missing.discard(one.get("identifier", ""))
    client.close()
    return len(names) - len(missing)


async def faults(scene: Scene, amount: int) -> Count:
    """D1: for every fault of an answer the subscriber is told what is the matter, in time."""
    faults = list(enumerate(FAULTS))
    step = max(1, 3 * len(faults) // amount)
    _bomb()

    def instead(request: Request, body: bytes | None) -> Answer:
        asked = request.content.read() if request.content else b""
        found = _FAULT.search((request.uri or b"") + asked)
        if found is None:
            return body if body is not None else NOT_DONE_YET
        return FAULTS[int(found[1])](request)

    scene.answers.instead = instead
    names = [f"fault{number}x" for number, _ in faults[::step]]
    done = await gatherResults(
        [
            scene.begin(answered, scene.port, platform, names, 150.0)
            for platform in ("twitch", "tiktok", "youtube")
        ]
    )
    scene.answers.instead = None
    note = ", ".join(
        f"{platform} {count}"
        for platform, count in zip(("Twitch", "TikTok", "YouTube"), done, strict=True)
    )
    return Count(3 * len(names), sum(done), note)


# What chats bring.


def collected(port: int, platform: str, names: list[str], seconds: float) -> dict[str, list[str]]:
    """Watch channels until each has said `end`; the texts that begin with `GOOD`."""
    texts: dict[str, list[str]] = {name: [] for name in names}
    parts = [names[start : start + 30] for start in range(0, len(names), 30)]
    # Each on a thread of its own: who does not read for long is taken for gone.
    with ThreadPoolExecutor(len(parts)) as threads:
        for part in parts:
            threads.submit(_collect, port, platform, part, seconds, texts)
    return texts


def _collect(
    port: int, platform: str, names: list[str], seconds: float, texts: dict[str, list[str]]
) -> None:
    client = Raw(port, address(9000 + len(names[0])))
    for name in names:
        client.subscribe(name, platform, stats=False)
    end = time.monotonic() + seconds
    missing = set(names)
    while missing and time.monotonic() < end:
        one = client.message()
        if one["type"] == "chat":
            text, name = one["data"]["data"]["content"]["raw"], one["identifier"]
            if text == "end":
                missing.discard(name)
            elif text.startswith(GOOD):
                texts[name].append(text)
    client.close()


def _scripted(count: int) -> list[Any]:
    """What happens in a simulated chat."""
    script = Scenario(3, 1.0).script("campaign")
    return [next(script)[1] for _ in range(count)]


def _damaged(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        if changed:
            random.choice(MUTATIONS)(changed, random)
    return bytes(changed)


def _good(number: int) -> Say:
    return Say(
        id=f"00000000-0000-4000-9000-{number:012d}"[::-1], author=_ANN, text=(f"{GOOD}{number}",)
    )


_END: Final = Say(id="f" * 8 + "-0000-4000-9000-" + "f" * 12, author=_ANN, text=("end",))


async def hostile_frames(scene: Scene, amount: int) -> Count:
    """D2: damaged frames of TikTok; the connection stays, and what is good is delivered."""
    name, random = "frames", scene.random
    watching = scene.begin(collected, scene.port, "tiktok", [name], 120.0)
    await scene.until(lambda: scene.tiktok.watching(name))
    await pause(1.0)
    (socket,) = scene.tiktok.watching(name)
    spare = [one for action in _scripted(200) for one in scene.tiktok.say("spare", action)]
    good = 0
    for number in range(amount):
        if number % 97 == 0:
            data = random.choice(GARBAGE)
        elif number % 3:
            chosen = [
                Written(one.method, _damaged(one.payload, random), one.message_id + number)
                for one in random.sample(spare, 3)
            ]
            data = frame(gzipped(batch(chosen)))
        else:
            data = _damaged(frame(gzipped(batch(random.sample(spare, 3)))), random)
        socket.write(data)
        if number % 20 == 19:
            scene.tiktok.say(name, _good(number))
            good += 1
            await pause(0.01)
    same = scene.tiktok.watching(name) == [socket]
    scene.tiktok.say(name, _END)
    texts = (await watching)[name]
    whole = len(texts) == good and same
    return Count(amount, amount if whole else 0, f"{len(texts)} of {good} good ones delivered")


async def hostile_lines(scene: Scene, amount: int) -> Count:
    """D3: damaged lines of Twitch, on the very connection that brings the witness's messages."""
    name, random = "lines", scene.random
    watching = scene.begin(collected, scene.port, "twitch", [name], 120.0)
    await scene.until(lambda: scene.twitch.joined(name))
    await pause(1.0)
    channel = scene.twitch.channel(name)
    lines = [line for action in _scripted(300) for line in channel.written(action)]
    good = 0
    for number in range(amount):
        line = _damaged(random.choice(lines), random)
        if number % 50 == 0:
            line = b"@x=" + random.randbytes(100_000).replace(b"#witness", b"")
        scene.twitch.say(name, re.sub(rb"[\r\n]", b"", line).replace(b"RECONNECT", b""))
        if number % 20 == 19:
            scene.say(name, f"{GOOD}{number}")
            good += 1
            await pause(0.01)
    scene.say(name, "end")
    texts = (await watching)[name]
    return Count(
        amount, amount if len(texts) == good else 0, f"{len(texts)} of {good} good ones delivered"
    )


BROKEN_BODIES: Final = (
    b"", b"{" + b" " * 200_000, b"null", b"[]", b"{}", b"0", b"<html>", b"[" * 100_000, b"\xff\xfe",
    b'{"continuationContents":null}', b'{"continuationContents":{"liveChatContinuation":[]}}',
    b'{"continuationContents":{"liveChatContinuation":{"continuations":7,"actions":{}}}}',
    b'{"a":' + b"9" * 5000 + b"}", b'{"a":NaN}', b'{"a":1e999}', b"\x00" * 1000,
)  # fmt: skip


async def hostile_bodies(scene: Scene, amount: int) -> Count:
    """D4: damaged answers of YouTube's chat; every good action of them is delivered, once."""
    random = scene.random
    chats = 48 if amount > 500 else 8
    names = [f"bodies{number}" for number in range(chats)]
    whole = list(
        actions(msgspec.json.decode((golden.ROOT / "youtube" / "every_kind.json").read_bytes()))
    )
    damaged = 0

    def instead(request: Request, body: bytes | None) -> Answer:
        nonlocal damaged
        if body is None:
            return NOT_DONE_YET
        if not (request.uri or b"").count(b"get_live_chat") or damaged >= amount:
            return body
        damaged += 1
        if random.random() < 0.05:
            return random.choice((*BROKEN_BODIES, body[: len(body) // 2]))
        answer = msgspec.json.decode(body)
        contents = answer["continuationContents"]["liveChatContinuation"]
        contents["actions"] = list(_with_damage(contents.get("actions", []), whole, random))
        return msgspec.json.encode(answer)

    watching = scene.begin(collected, scene.port, "youtube", names, 240.0)

    async def all_live() -> bool:
        return bool((await scene.health())["activeStreams"] > chats)

    await scene.until(all_live, 60)
    await pause(3.0)
    scene.answers.instead = instead
    said = 0
    begun = time.monotonic()
    while damaged < amount and time.monotonic() - begun < 180:
        for place, name in enumerate(names):
            scene.youtube.say(name, _good(said * 1000 + place))
        said += 1
        await pause(1.0)
    for name in names:
        scene.youtube.say(name, _END)
    texts = await watching
    scene.answers.instead = None
    right = sum(len(some) == len(set(some)) == said for some in texts.values())
    note = f"{right} of {chats} chats whole; {sum(map(len, texts.values()))} of {said * chats} good"
    return Count(amount, damaged if right == chats else 0, note)


def _with_damage(good: list[Any], whole: list[Any], random: Random) -> Iterator[Any]:
    for action in good:
        yield _broken(random.choice(whole), random)
        yield action
    yield _broken(random.choice(whole), random)


def _broken(action: Any, random: Random) -> Any:
    action = copied(action)
    for _ in range(random.randint(1, 3)):
        found = list(places(action))
        if found:
            holder, key = random.choice(found)
            made = random.choice(REPLACEMENTS)()
            # A lone surrogate cannot be written as UTF-8.
            holder[key] = "text" if made == "\ud800" else made
    return action


# Connections that are lost.


async def mishaps(scene: Scene, amount: int) -> Count:
    """D5: connections that are cut, full of garbage or silent; chats come back by themselves."""
    handles = [f"back{number}" for number in range(6)]
    watching = [
        scene.begin(collected, scene.port, platform, handles, 20.0 * amount + 120)
        for platform in ("twitch", "tiktok")
    ]
    await scene.until(lambda: all(map(scene.twitch.joined, handles)))
    await scene.until(lambda: all(map(scene.tiktok.watching, handles)), 60)
    wrong: tuple[Callable[[], None], ...] = (
        lambda: scene.twitch.strike(Mishap.DROP),
        lambda: scene.twitch.strike(Mishap.GARBAGE),
        lambda: scene.twitch.strike(Mishap.OVERSIZED),
        lambda: scene.tiktok.strike(TikTokMishap.DROP),
        lambda: scene.tiktok.strike(TikTokMishap.CLOSE),
        lambda: scene.tiktok.strike(TikTokMishap.OVERSIZED),
        lambda: scene.tiktok.strike(TikTokMishap.GARBAGE),
        lambda: scene.twitch.faults.add(Fault.REFUSE),
    )
    survived = 0
    for number in range(amount):
        wrong[number % len(wrong)]()
        await pause(2.0)
        scene.twitch.faults.discard(Fault.REFUSE)
        back = await scene.until(
            lambda: (
                all(map(scene.twitch.joined, handles)) and all(map(scene.tiktok.watching, handles))
            ),
            60,
        )
        survived += back
    await pause(2.0)
    for handle in handles:
        scene.say(handle, f"{GOOD}1")
        scene.say(handle, "end")
        scene.tiktok.say(handle, _good(1))
        scene.tiktok.say(handle, _END)
    texts = await gatherResults(watching)
    whole = all(some == [f"{GOOD}1"] for one in texts for some in one.values())
    return Count(amount, survived if whole else 0, f"{2 * len(handles)} chats came back each time")


async def duplicates(scene: Scene, amount: int) -> Count:
    """D6: everything twice, and servers that ask to reconnect: the witness gets each once."""
    scene.twitch.faults.add(Fault.DUPLICATES)
    for _ in range(amount):
        scene.twitch.strike(Mishap.RECONNECT)
        await pause(5.0)
    scene.twitch.faults.clear()
    return Count(amount, amount, "every message twice, a new connection every 5 s")


async def changed_pages(scene: Scene, amount: int) -> Count:
    """D8: pages in which nothing has its name any more; others are served on."""

    def instead(_: Request, body: bytes | None) -> Answer:
        if body is None:
            return NOT_DONE_YET
        return re.sub(rb'"([a-z])([A-Za-z]{3,})":', rb'"\1_\2":', body)

    scene.answers.instead = instead
    names = [f"changed{number}" for number in range(amount // 2)]
    done = await gatherResults(
        [
            scene.begin(answered, scene.port, platform, names, 90.0)
            for platform in ("tiktok", "youtube")
        ]
    )
    scene.answers.instead = None
    return Count(2 * len(names), sum(done))


_PATIENT: Final = ("--max-chats=100", "--start-timeout=5", "--command-rate=1000")

CASES: Final = (
    Case("D1 faulty answers of every platform", faults, 120, 12, _PATIENT, memory=64 << 20,
         alone=True, waits=True),
    Case("D2 TikTok: hostile frames", hostile_frames, 20_000, 1000),
    Case("D3 Twitch: hostile lines", hostile_lines, 20_000, 1000),
    Case("D4 YouTube: hostile bodies", hostile_bodies, 2000, 24, waits=True),
    Case("D6 everything twice, reconnects", duplicates, 6, 1, alone=True, waits=True),
    Case("D5 lost connections", mishaps, 24, 2, witness="youtube", waits=True, limit=600.0),
    Case("D8 pages that have changed", changed_pages, 40, 4, _PATIENT, alone=True, waits=True),
)  # fmt: skip
