# SPDX-License-Identifier: MIT
"""Part D: bodies of answers about channels, damaged: Twitch's look-ups, TikTok's pages and JSON."""

from __future__ import annotations

import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from twisted.internet.defer import gatherResults
from twisted.web.http import Request
from twisted.web.server import NOT_DONE_YET

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import Raw, address
from benchmarks.campaign.scene import Scene
from benchmarks.campaign.upstreams import BROKEN_BODIES, Answer
from tests.test_youtube_hostile import REPLACEMENTS, places


def damaged(body: bytes, random: Random) -> bytes:
    """A body with nodes of its JSON replaced, or bytes changed, or another one."""
    kind = random.random()
    if kind < 0.1:
        return random.choice((*BROKEN_BODIES, body[: len(body) // 2]))
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return _changed(body, random)
    if kind < 0.3:
        return _changed(body, random)
    for _ in range(random.randint(1, 4)):
        found = list(places(answer))
        if not found:
            break
        holder, key = random.choice(found)
        made = random.choice(REPLACEMENTS)()
        # A lone surrogate cannot be written as UTF-8.
        holder[key] = "text" if made == "\ud800" else made
    return msgspec.json.encode(answer)


def _changed(body: bytes, random: Random) -> bytes:
    data = bytearray(body)
    for _ in range(random.randint(1, 30)):
        if data:
            data[random.randrange(len(data))] = random.choice(b'{}[]",:0a\x00\xff')
    return bytes(data)


def ask_all(
    port: int, platform: str, at_once: int, stop: str, seconds: float
) -> tuple[int, int, int]:
    """Ask for one channel after the other, until the file `stop` is there.

    :param at_once: on so many connections.
    :return: how many were asked for, answered, and started.
    """
    end = time.monotonic() + seconds

    def ask(place: int) -> tuple[int, int, int]:
        asked = answered = started = 0
        while time.monotonic() < end and not os.path.exists(stop):
            # What is asked for at once is looked up at once, and we want many answers.
            client = Raw(port, address(40_000 + asked * at_once + place))
            missing = {f"spoilt{asked}x{place}"}
            client.subscribe(f"spoilt{asked}x{place}", platform, stats=False)
            asked += 1
            while missing and time.monotonic() < end + 30:
                one = client.message()
                if one["type"] == "error" or one.get("status") == "started":
                    started += one["type"] == "status"
                    answered += one.get("identifier") in missing
                    missing.discard(one.get("identifier", ""))
            client.close()
        return asked, answered, started

    with ThreadPoolExecutor(at_once) as threads:
        asked, answered, started = zip(*threads.map(ask, range(at_once)), strict=True)
    return sum(asked), sum(answered), sum(started)


_MARK: Final = re.compile(rb"spoilt\d")


async def bodies(scene: Scene, amount: int) -> Count:
    """D4: whatever an answer about a channel holds, whoever asked is told something in time."""
    random = scene.random
    spoilt = {"twitch": 0, "tiktok": 0}

    def instead(request: Request, body: bytes | None) -> Answer:
        asked = request.content.read() if request.content else b""
        if body is None:
            return NOT_DONE_YET
        uri = request.uri or b""
        platform = "twitch" if uri.startswith(b"/twitch") else "tiktok"
        if not _MARK.search(uri + asked + body[:4000]):
            return body
        spoilt[platform] += 1
        return damaged(body, random)

    scene.answers.instead = instead
    stop = Path(tempfile.mkdtemp()) / "stop"
    half = amount // 2
    # One question to Twitch is about all who ask at once; TikTok is asked again and again for who
    # was not answered well.
    at_once = {"twitch": 4, "tiktok": 16 if amount > 1000 else 4}
    asking = [
        scene.begin(ask_all, scene.port, platform, at_once[platform], str(stop), 300.0)
        for platform in spoilt
    ]
    await scene.until(lambda: min(spoilt.values()) >= half, 300.0)
    stop.touch()
    done = await gatherResults(asking)
    scene.answers.instead = None
    asked, answered, started = map(sum, zip(*done, strict=True))
    note = f"Twitch {spoilt['twitch']}, TikTok {spoilt['tiktok']}; of {asked} who asked"
    note += f" {answered} were answered, {started} chats started"
    whole = all(count >= half for count in spoilt.values()) and asked == answered
    tried = sum(max(count, half) for count in spoilt.values())
    return Count(tried, tried if whole else 0, note)


# The platforms' budgets would let hours pass: every answer that says nothing is followed by a JOIN,
# or by another question.
CASES: Final = (
    Case("D4 Twitch, TikTok: hostile bodies", bodies, 4000, 4,
         ("--history-ttl=1", "--start-timeout=10"),
         alone=True, waits=True, limit=400.0, budgets=100),
)  # fmt: skip
