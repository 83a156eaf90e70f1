# SPDX-License-Identifier: MIT
"""Parts A and C: what chatters write, and what clients call a chat."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import product
from typing import Any, Final

import msgspec
from twisted.internet.defer import gatherResults

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import TEXT, Closed, Raw, connected
from benchmarks.campaign.scene import Scene, pause
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.simulator.actions import Author, Say
from livechat.simulator.tiktok_messages import Written
from tests.support import golden
from tests.test_twitch_hostile import nodes, payloads
from tests.test_youtube_corpus import actions

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


# Addresses of pictures.

#: What no picture may be loaded from; `{}`: a number by which it is known again.
BAD: Final = (
    "http://{}.leak.example/a.png", "javascript:alert('leak{}')", "data:image/png;base64,leak{}",
    "JaVaScRiPt:leak{}", "file:///leak{}.png", "ftp://leak{}.example/x.png", "/leak{}.png",
    "leak{}.png", "https:/leak{}.png", "https:leak{}.png", "HTTPS//leak{}", "blob:https://leak{}",
    'https://a.example/leak{}" onerror="x', "https://a.example/leak{}' onerror='x",
    "https://a.example/leak{} x.png", "https://a.example/leak{}\nx.png",
    "https://a.example/leak{}\tx", "https://a.example/leak{}<script>", "https://a.example/>leak{}",
    "https://a.example/leak{}/" + "x" * 100_000, "https://a.example/leak{}/" + "y" * 2048,
    "https://127.0.0.1/leak{}.png", "https://10.0.0.1/leak{}.png", "https://localhost/leak{}.png",
    "https://[::1]/leak{}.png", "https://169.254.169.254/leak{}", "https://192.168.1.1/leak{}",
    "https://user:secret@a.example/leak{}", "https://\x00leak{}.example/", "https:///leak{}",
    "https://\u202eleak{}/", "\\\\leak{}\\x.png", "view-source:https://leak{}",
)  # fmt: skip


def pictured(port: int, platform: str, seconds: float) -> tuple[int, list[str]]:
    """Watch a channel until somebody says `end`; messages, and what stands in them of bad places.

    Every string of a message is looked at but its text.
    """
    client = Raw(port, "127.4.0.6")
    client.subscribe("pictures", platform, stats=False)
    came, leaks = 0, []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        one = client.message()
        if one["type"] != "chat":
            continue
        if one["data"]["data"]["content"]["raw"] == "end":
            break
        came += 1
        leaks += [text for text in _strings(one) if "leak" in text]
    client.close()
    return came, leaks


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]


def _repainted(node: Any, url: str, is_picture: bool = False) -> Any:
    """A part of an action of YouTube, in which every picture has another address."""
    if isinstance(node, dict):
        return {
            key: url
            if is_picture and key == "url"
            else _repainted(value, url, key in ("thumbnails", "sources"))
            for key, value in node.items()
        }
    return [_repainted(one, url, is_picture) for one in node] if isinstance(node, list) else node


def _tiktok_comment(number: int, url: str) -> Written:
    picture = schema.Image(url_list=[url])
    user = schema.User(id=7, nickname="Ann", display_id="ann", avatar_thumb=picture)
    comment = schema.ChatMessage(user=user, content=f"picture {number}")
    head = schema.Common(method="WebcastChatMessage", msg_id=10**9 + number)
    comment.common.CopyFrom(head)
    return Written("WebcastChatMessage", comment.SerializeToString(), 10**9 + number)


async def picture_addresses(scene: Scene, amount: int) -> Count:
    """A2: a picture that is not https, or whose address is none, is left out; the message stays."""
    urls = [BAD[number % len(BAD)].format(number) for number in range(amount)]
    watching = [
        scene.begin(pictured, scene.port, platform, 90.0) for platform in ("tiktok", "youtube")
    ]
    await scene.until(lambda: scene.tiktok.watching("pictures"))
    await scene.until(lambda: scene.youtube.stream("pictures").is_read)
    await pause(3.0)
    answer = msgspec.json.decode((golden.ROOT / "youtube" / "every_kind.json").read_bytes())
    kind = "liveChatTextMessageRenderer"
    messages = [
        one
        for one in actions(answer)
        if kind in (((one or {}).get("addChatItemAction") or {}).get("item") or {})
    ]
    for number, url in enumerate(urls):
        scene.tiktok.say("pictures", _tiktok_comment(number, url))
        # YouTube's pictures are https also where an address says http.
        text = msgspec.json.encode(_repainted(messages[number % 3], url.replace("http:", "htp:")))
        action = msgspec.json.decode(text)
        renderer = action["addChatItemAction"]["item"][kind]
        renderer["id"] = f"picture{number}"
        scene.youtube.say("pictures", action)
        if number % 20 == 0:
            await pause(0.05)
    end = Say(id="f" * 8 + "-0000-4000-a000-" + "f" * 12, author=_EVE, text=("end",))
    scene.tiktok.say("pictures", end)
    scene.youtube.say("pictures", end)
    found = await gatherResults(watching)
    came = sum(number for number, _ in found)
    leaks = [leak for _, some in found for leak in some]
    note = f"{came} messages delivered, {len(leaks)} addresses {leaks[:2] or ''}"
    return Count(2 * len(urls), came if not leaks else 0, note)


# Odd letters.

ODD: Final = (
    "\ud800", "x\udc00y", "\udfff\ud800", "a\x00b", "\u202eevil\u202c", "\u2066\u2067x\u2069",
    "e" + "\u0301" * 10_000, "\u0489" * 300, "\u05e9\u05dc\u05d5\u05dd",
    "\u0645\u0631\u062d\u0628\u0627 x",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f4\U000e0067\U000e007f", "\ufeffx\ufffe",
    "\U0010ffff", "\u0085\u2028\u2029", "\x1b[31mred\x1b[0m", "\x7f\x80\x9f", "\ufdfd" * 400,
    "\ufffc" * 50, "\ue000\uf8ff", "\u3000\u00a0\u200b", "\u1f600", "\xad" * 100,
    "\U0001f1e9" * 99, "\u0e49" * 200,
)  # fmt: skip


def odd(port: int, platform: str, seconds: float) -> int:
    """Watch a channel until somebody says `end`; messages that were whole."""
    client = Raw(port, "127.4.0.5")
    client.subscribe("odd", platform, stats=False)
    good = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        opcode, payload = client.frame()
        one: dict[str, Any] = {"type": ""}
        if opcode == TEXT:
            one = msgspec.json.decode(payload.decode())
        if one["type"] != "chat":
            continue
        content = one["data"]["data"]["content"]
        if content["raw"] == "end":
            break
        # Everything can be written as UTF-8 again; the parts are the text, without a gap.
        msgspec.json.encode(one)
        units = content["raw"].encode("utf-16-le")
        parts = [
            units[2 * start : 2 * stop].decode("utf-16-le")
            for start, stop in (part["position"] for part in content["elements"])
        ]
        whole = "".join(parts) == content["raw"]
        good += whole and [part["value"] for part in content["elements"]] == parts
    client.close()
    return good


async def odd_letters(scene: Scene, amount: int) -> Count:
    """A3: halves of letters, marks by thousands, letters that turn the line: all is delivered."""
    texts = [f"{number} {ODD[number % len(ODD)]}" for number in range(amount)]
    platforms = ("twitch", "tiktok", "youtube")
    watching = [scene.begin(odd, scene.port, platform, 90.0) for platform in platforms]
    await scene.until(lambda: scene.twitch.joined("odd") and scene.tiktok.watching("odd"))
    await scene.until(lambda: scene.youtube.stream("odd").is_read)
    await pause(3.0)
    for number, written in enumerate((*texts, "end"), 1):
        # The simulators write UTF-8, which has no halves of letters.
        text = written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        name = f"00000000-0000-4000-9000-{number:012d}"[::-1]
        action = Say(id=name, author=Author(9, "eve", text[:30]), text=(text,))
        scene.say("odd", text.replace("\x00", "\ufffd"))
        scene.tiktok.say("odd", action)
        scene.youtube.say("odd", action)
        if number % 20 == 0:
            await pause(0.05)
    found = await gatherResults(watching)
    note = "Twitch {}, TikTok {}, YouTube {} delivered whole".format(*found)
    return Count(3 * len(texts), sum(found), note)


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


_WILD: Final = ("--command-rate=10000",)

_EVE: Final = Author(9, "eve", "Eve")

CASES: Final = (
    Case("A1 markup in every chat", markup, 550, 60, _WILD),
    Case("A2 addresses that are no pictures", picture_addresses, 200, 35, _WILD),
    Case("A3 odd letters", odd_letters, 300, 25, _WILD),
    Case("A4 paths out of the served files", paths, 90, 90, _WILD),
    Case("A5 a flood in one channel", flood, 50_000, 3000, _WILD),
)
