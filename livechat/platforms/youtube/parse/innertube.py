# SPDX-License-Identifier: MIT
"""InnerTube's JSON: how it nests values, writes texts and lists pictures.

Nothing here trusts a type: what is missing or of another kind than expected reads as nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from livechat.model.image_address import https_url
from livechat.model.text import Emote, Piece, well_formed
from livechat.platforms.json_values import MAX_VALUES, count_values
from livechat.platforms.youtube.identifier import HOSTS

#: Any JSON value.
Json = Any

#: What lies beside the name of a kind.
TRACKING: Final = frozenset({"clickTrackingParams", "trackingParams", "clientId"})
_NUMBER: Final = re.compile(r"(?<![^\s])(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(?![^\s])")
_COUNT: Final = re.compile(
    r"([0-9]{1,3}(?:[.,\s][0-9]{3})+|[0-9]{1,15})(?:[.,]([0-9]{1,3}))?\s?([KMB]\b)?", re.IGNORECASE
)
_SUFFIXES: Final = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_HALF_CHARACTER: Final = re.compile(r"\\u[dD][89a-fA-F]")
#: Scheme and host of an address as it is shown.
_ADDRESS: Final = re.compile(r"(?:(https?)://)?([a-z.-]+)/", re.IGNORECASE)
#: What stands before the id in an address of a video.
_VIDEO_FOLDERS: Final = ("watch?v=", "", "live/", "shorts/", "embed/", "v/")
#: Parameters of a link to a video that are no part of what was written after the id.
_NOT_WRITTEN: Final = frozenset({"", "v", "pp", "si"})
_MAX_DIGITS: Final = 18  # what every reader of JSON can hold
_decode: Final = msgspec.json.Decoder().decode


def decode(body: bytes) -> Json:
    """A JSON document whose strings can all be written as UTF-8.

    :raises ValueError: not JSON, nested too deeply, or of more than `MAX_VALUES` values.
    """
    if len(body) > MAX_VALUES and count_values(body) > MAX_VALUES:
        raise ValueError("too many values")
    try:
        return _decode(body)
    # The strict reader refuses a whole document for one lone surrogate or outsize number in it.
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    try:
        return mended(_lenient.decode(body.decode("utf-8", "replace")))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decode_at(text: str, at: int) -> tuple[Json, int]:
    """The JSON value that begins at a place of a text, and the place after it.

    Its strings can all be written as UTF-8.

    :raises ValueError: no JSON there, or nested too deeply.
    """
    try:
        value, end = _lenient.raw_decode(text, at)
        return (mended(value) if _HALF_CHARACTER.search(text, at, end) else value), end
    except RecursionError:
        raise ValueError("nested too deeply") from None


def mended(node: Json) -> Json:
    """The same value with lone surrogates replaced."""
    if isinstance(node, str):
        return well_formed(node)
    if isinstance(node, list):
        return [mended(child) for child in node]
    if isinstance(node, dict):
        return {well_formed(key): mended(child) for key, child in node.items()}
    return node


def _bounded(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else 0


_lenient: Final = json.JSONDecoder(parse_int=_bounded, parse_constant=lambda _: None)


def dig(node: Json, *path: str | int) -> Json:
    """What lies at the end of a path of keys and places; None where the path breaks off."""
    for step in path:
        try:
            node = node[step]
        except (LookupError, TypeError):
            return None
    return node


def children(node: Json) -> list[Json]:
    """The members of a list; none of anything else."""
    return node if isinstance(node, list) else []


def named(node: Json) -> tuple[str, Json]:
    """The first member of an object that is not tracking: InnerTube names its kinds by key."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in TRACKING:
                return key, value
    return "", None


def string(node: Json) -> str:
    """The string itself; empty for anything else."""
    return node if isinstance(node, str) else ""


def whole_number(node: Json) -> int | None:
    """A number, or a string of digits; not negative."""
    if isinstance(node, str) and node.isascii() and node.isdigit() and len(node) <= _MAX_DIGITS:
        return int(node)
    return node if type(node) is int and node >= 0 else None


def count(text: str) -> int | None:
    """The first count in a text for people: `1,234 votes`, `4.536`, `1.9K`."""
    match = _COUNT.search(text)
    if match is None or len(match[1]) > _MAX_DIGITS:
        return None
    whole = re.sub(r"[.,\s]", "", match[1])
    return round(float(f"{whole}.{match[2] or 0}") * _SUFFIXES[(match[3] or "").upper()])


def first_number(text: Json) -> int | None:
    """The first run that is nothing but a number, else the first number of the whole sentence."""
    runs = [text_of(dig(run, "text")).strip() for run in children(dig(text, "runs"))]
    alone = next((match for run in runs if (match := _NUMBER.fullmatch(run))), None)
    found = alone or _NUMBER.search(text_of(text))
    return int(found[0].replace(",", "")) if found else None


def text_of(node: Json) -> str:
    """A text for people in any of its spellings: `simpleText`, `runs`, `content`, a bare string."""
    if isinstance(node, str):
        return node
    # Names and amounts are nearly always this.
    if (
        isinstance(node, dict)
        and len(node) == 1
        and isinstance(text := node.get("simpleText"), str)
    ):
        return text
    return "".join(piece if isinstance(piece, str) else piece.value for piece in pieces(node))


def pieces(node: Json) -> list[Piece]:
    """A text with its emoji, cut for `livechat.model.text.content` (docs/wire/youtube.md#texts)."""
    if not isinstance(node, dict):
        return []
    runs = node.get("runs")
    if isinstance(runs, list):
        return [piece for run in runs if (piece := _piece(run))]
    for spelling in ("simpleText", "content"):
        if isinstance(text := node.get(spelling), str):
            return [text]
    return []


def bold_runs(node: Json) -> list[str]:
    """The emphasised parts of a text."""
    runs = children(dig(node, "runs"))
    return [text_of(dig(run, "text")) for run in runs if dig(run, "bold") is True]


def _piece(run: Json) -> Piece | None:
    if not isinstance(run, dict):
        return None
    text = run.get("text")
    if isinstance(text, str):
        endpoint = run.get("navigationEndpoint") if len(run) > 1 else None
        return text if endpoint is None else _link(text, endpoint)
    emoji = run.get("emoji")
    return _emoji(emoji) if isinstance(emoji, dict) else None


def _emoji(emoji: dict[str, Json]) -> Piece | None:
    """An emote: its value is the shortcut of a channel's emoji, the character of a standard one.

    Shortcuts, picture and label can each be missing.
    """
    character = string(emoji.get("emojiId"))
    shortcut = string(dig(emoji, "shortcuts", 0))
    is_custom = emoji.get("isCustomEmoji") is True
    if not is_custom:
        value, alt = character or shortcut, shortcut
    else:
        label = string(dig(emoji, "image", "accessibility", "accessibilityData", "label"))
        value = shortcut or (f":{label.strip(':')}:" if label else character)
        alt = shortcut or label or value
    url = smallest_picture(emoji.get("image"))
    if url is None or not value:
        return value or None
    code = value if is_custom else shortcut
    return Emote(value, url, alt, code.strip(":") or None, is_custom)


def _link(text: str, endpoint: Json) -> str:
    """What was written: the text may be a shortened address, the whole one is behind the link."""
    visible = text.rstrip(".…")
    if visible in ("", text):
        return text
    for url in _targets(visible, endpoint):
        if url.startswith(visible) or url.partition("://")[2].startswith(visible):
            return url
    return _video_address(visible, endpoint) or text


def _targets(visible: str, endpoint: Json) -> Iterator[str]:
    """Addresses that a link may stand for."""
    command_url = _command_url(endpoint)
    for url in (string(dig(endpoint, "urlEndpoint", "url")), command_url):
        yield _redirected(url)
    # Links to YouTube itself have only a path, whichever form of the address was written.
    site, _ = _own_address(visible)
    if site:
        for path in _paths(command_url, endpoint):
            yield site + path


def _command_url(endpoint: Json) -> str:
    return string(dig(endpoint, "commandMetadata", "webCommandMetadata", "url"))


def _own_address(visible: str) -> tuple[str, str]:
    """Site and path of an address of YouTube itself; both empty where it is none."""
    address = _ADDRESS.match(visible)
    if address is None or address[2].lower() not in HOSTS:
        return "", ""
    return f"{address[1] or 'https'}://{address[2]}", visible[address.end(2) :]


def _video_address(visible: str, endpoint: Json) -> str:
    """The address of a video that was cut after the video's id.

    Of what followed the id only what the link repeats is known; what YouTube or the button for
    sharing put there says nothing.
    """
    site, path = _own_address(visible)
    video = _video(endpoint)
    if not site or not video:
        return ""
    for folder in _VIDEO_FOLDERS:
        whole = f"/{folder}{video}"
        if path.startswith((f"{whole}?", f"{whole}&")):
            query = _command_url(endpoint).partition("?")[2].split("&")
            rest = "&".join(part for part in query if part.partition("=")[0] not in _NOT_WRITTEN)
            mark = "&" if "?" in whole else "?"
            return f"{site}{whole}{mark}{rest}" if rest else site + whole
    return ""


def _redirected(url: str) -> str:
    """Where an address of YouTube's leads that only counts the click."""
    try:
        parts = urlsplit(url)
        if parts.path == "/redirect":
            return parse_qs(parts.query, max_num_fields=64).get("q", [""])[0]
    except ValueError:
        return ""
    return url


def _paths(command_url: str, endpoint: Json) -> Iterator[str]:
    if command_url.startswith("/"):
        yield command_url
    video = _video(endpoint)
    if video:
        for folder in _VIDEO_FOLDERS:
            yield f"/{folder}{video}"
    yield string(dig(endpoint, "browseEndpoint", "canonicalBaseUrl"))
    page = string(dig(endpoint, "browseEndpoint", "browseId"))
    if page.startswith("VL"):
        yield f"/playlist?list={page[2:]}"
    elif page:
        yield f"/channel/{page}"


def _video(endpoint: Json) -> str:
    kinds = ("watchEndpoint", "reelWatchEndpoint")
    return next((found for kind in kinds if (found := string(dig(endpoint, kind, "videoId")))), "")


def picture(node: Json) -> str | None:
    """Address of the largest picture in a list of thumbnails or sources, https only."""
    # Sizes ascend, so the search begins at the end; a list in another order is put right.
    best, size = None, -1
    for entry in reversed(_pictures(node)):
        if isinstance(entry, dict):
            width = entry.get("width")
            width = width if isinstance(width, int) else 0
            if width > size and (url := _address(entry)) is not None:
                best, size = url, width
    return best


def smallest_picture(node: Json) -> str | None:
    """Address of the first, which is the smallest, picture in a list of thumbnails."""
    for entry in _pictures(node):
        if isinstance(entry, dict) and (url := _address(entry)) is not None:
            return url
    return None


def _pictures(node: Json) -> list[Json]:
    if not isinstance(node, dict):
        return []
    return children(node.get("thumbnails") or node.get("sources"))


def _address(entry: dict[str, Json]) -> str | None:
    url = string(entry.get("url"))
    # Old badges have plain http addresses of hosts that speak https.
    return https_url("https:" + url[5:] if url.startswith("http://") else url)
