# SPDX-License-Identifier: MIT
"""The pictures of the simulated platforms, at `/pictures/HOST/PATH` for `https://HOST/PATH`.

What the simulated platforms send names the hosts on which the real ones keep their pictures.  Here
a picture is drawn for each of these addresses, so that nobody needs a network to see them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote
from uuid import UUID

from twisted.web.resource import Resource
from twisted.web.server import Request

from livechat.simulator import drawings
from livechat.simulator.emote_sets import EVERYWHERE, OF_A_CHANNEL
from livechat.simulator.twitch_lines import EMOTES

#: The first byte of the ids that our badges have.
_MARK: Final = 0xBA

#: Badge sets by the number that stands for each in an id.
_SETS: Final = (
    "subscriber", "founder", "broadcaster", "moderator", "vip", "partner", "premium", "bits",
    "lead_moderator",
)  # fmt: skip

_MOODS: Final[Mapping[str, str]] = MappingProxyType(
    {number: mood.value for mood, (_, number) in EMOTES.items()}
)

#: Words of the providers' emotes by their ids.
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        number: emote.word
        for sets in (EVERYWHERE, OF_A_CHANNEL)
        for emotes in sets.values()
        for emote in emotes
        for number in (emote.id, str(emote.number))
    }
)

#: The standard emoji that come as pictures.
_EMOJI: Final[Mapping[str, str]] = MappingProxyType(
    {"1f602": "laugh", "1f389": "Sparkles", "1f44b": "hello", "1f4a7": "RainTime"}
)


def badge_id(name: str, months: int, room_id: int) -> str:
    """The id of a badge's picture, which looks like one of Twitch's and says what is drawn.

    :param room_id: whose badge it is; 0 for one that all channels have.
    """
    content = bytes([_MARK, _SETS.index(name)]) + months.to_bytes(4, "big")
    return str(UUID(bytes=content + room_id.to_bytes(10, "big"), version=4))


def _twitch_badge(number: str) -> str:
    content = UUID(number).bytes
    if content[0] != _MARK or content[1] >= len(_SETS):
        return drawings.badge(number)
    return drawings.badge(_SETS[content[1]], int.from_bytes(content[2:6], "big"))


def _named(name: str) -> str:
    """A picture of TikTok, by the name of its file."""
    if name.startswith("avatar_"):
        return drawings.avatar(name)
    if name == "subscriber":
        return drawings.badge(name, 12)
    if name in _MOODS.values():
        return drawings.emote(name)
    return drawings.gift(name)


def _twitch_emote(number: str) -> str:
    return drawings.emote(_MOODS.get(number) or number)


def _cheermote(tier: str) -> str:
    return drawings.cheermote(int(tier))


def _foreign(number: str) -> str:
    return drawings.emote(_WORDS.get(number, number))


def _member(_: str) -> str:
    return drawings.badge("member", 8)


def _emoji(point: str) -> str:
    return drawings.emote(_EMOJI.get(point, point))


#: What is drawn at which addresses: the first one that fits.
_ADDRESSES: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    (r"static-cdn\.jtvnw\.net/emoticons/v2/(\w+)/.*", _twitch_emote),
    (r"static-cdn\.jtvnw\.net/badges/v1/([0-9a-f-]{36})/[123]", _twitch_badge),
    (r"static-cdn\.jtvnw\.net/(.*)", drawings.avatar),
    (r"d3aqoihi2n8ty8\.cloudfront\.net/.*/([0-9]{1,9})/[^/]*", _cheermote),
    (r"cdn\.(?:7tv\.app|betterttv\.net|frankerfacez\.com)/emote/(\w+)/.*", _foreign),
    (r"media\d?\.giphy\.com/media/(.*)", drawings.scene),
    (r"yt4\.ggpht\.com/badge-(.*)=.*", _member),
    (r"yt4\.ggpht\.com/(.*)=.*", drawings.avatar),
    (r"yt3\.ggpht\.com/(\w*)=.*", drawings.emote),
    (r"www\.youtube\.com/s/gaming/emoji/\w+/emoji_u(\w+)\.svg", _emoji),
    (r"lh3\.googleusercontent\.com/(.*)", drawings.sticker),
    (r"www\.gstatic\.com/youtube/img/(\w+)\.png", drawings.gift),
    (r"p16-webcast\.example\.com/img/(.*)\.webp", _named),
    (r"(.*)", drawings.emote),
)


def drawing(address: str) -> str:
    """The drawing for an address without its scheme, as SVG."""
    for pattern, draw in _ADDRESSES:
        if found := re.fullmatch(pattern, address, re.DOTALL):
            return draw(found[1])
    return drawings.emote(address)


class Pictures(Resource):
    """Draws whatever is asked for."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        """A picture."""
        request.setHeader(b"content-type", b"image/svg+xml")
        request.setHeader(b"cache-control", b"max-age=3600")
        # Inside the picture nothing runs and nothing is fetched.
        request.setHeader(
            b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"
        )
        path = b"/".join(request.postpath or []).decode("utf-8", "replace")
        return drawing(unquote(path)).encode()
