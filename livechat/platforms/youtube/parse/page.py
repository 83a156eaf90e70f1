# SPDX-License-Identifier: MIT
"""The JSON that YouTube's pages carry: found by its assignments, decoded as JSON, asked by paths.

A page holds `ytInitialData`, on a watch page `ytInitialPlayerResponse` as well, and several
`ytcfg.set({...})` (docs/wire/youtube.md#page-data).  Titles and messages lie in the same text and
may look like any of these, so only the text of scripts is searched, and nothing inside a value once
it has been decoded.

Only the parts that are read become objects; the rest, most of a page, is skipped.  However many
values a page holds, no more than `MAX_VALUES` of them are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict

import msgspec
from msgspec import Struct, field

from livechat.platforms.json_values import MAX_VALUES, count_values
from livechat.platforms.youtube.parse.innertube import Json, decode, decode_at, dig, string

#: What a page that names no version is answered with; versions are not checked strictly.
FALLBACK_VERSION: Final = "2.20260213.01.00"

# It begins with plain letters, for which the text is searched ten times as fast.
_ASSIGNMENT: Final = re.compile(
    rb"""yt(?:cfg\.set\(|(InitialData|InitialPlayerResponse)(?:["']\])?\s{0,9}=)\s{0,9}(?=\{)"""
)

#: How many assignments are tried; a page has six.  Each costs at most two passes over the page.
_MAX_TRIES: Final = 8


class _Watch(TypedDict, total=False):
    conversationBar: msgspec.Raw
    results: msgspec.Raw


class _Contents(TypedDict, total=False):
    liveChatRenderer: msgspec.Raw
    messageRenderer: msgspec.Raw
    twoColumnBrowseResultsRenderer: msgspec.Raw
    twoColumnWatchNextResults: _Watch


class _Data(TypedDict, total=False):
    contents: _Contents
    continuationContents: msgspec.Raw
    currentVideoEndpoint: msgspec.Raw
    error: msgspec.Raw
    metadata: msgspec.Raw


class _Player(TypedDict, total=False):
    microformat: msgspec.Raw
    playabilityStatus: msgspec.Raw
    videoDetails: msgspec.Raw


class _Config(TypedDict, total=False):
    INNERTUBE_API_KEY: msgspec.Raw
    INNERTUBE_CLIENT_VERSION: msgspec.Raw
    INNERTUBE_CONTEXT: msgspec.Raw
    VISITOR_DATA: msgspec.Raw


_DATA: Final = b"InitialData"
_PLAYER: Final = b"InitialPlayerResponse"

#: What is read of each value, by its name without `yt` (none: configuration), and the text that may
#: end it.
_SKELETONS: Final[Mapping[bytes | None, tuple[Callable[[memoryview], Any], bytes]]] = {
    _DATA: (msgspec.json.Decoder(_Data).decode, b"};"),
    _PLAYER: (msgspec.json.Decoder(_Player).decode, b"};"),
    None: (msgspec.json.Decoder(_Config).decode, b"});"),
}


class ClientContext(Struct, frozen=True):
    """How InnerTube is asked: as the page tells its own player to.

    :ivar version: `clientVersion`.
    :ivar visitor_data: sent back verbatim, percent-escapes included.
    :ivar api_key: the public key of the web player; requests work without it.
    :ivar language: in what language the page really came.
    """

    version: str = FALLBACK_VERSION
    visitor_data: str = ""
    api_key: str = ""
    language: str = ""

    def body(self, **fields: str) -> bytes:
        """The body of a request: our context, and `continuation` or `videoId`."""
        client = {"clientName": "WEB", "clientVersion": self.version, "hl": "en", "gl": "US"}
        if self.visitor_data:
            client["visitorData"] = self.visitor_data
        return msgspec.json.encode({"context": {"client": client}, **fields})


class Page(Struct, frozen=True):
    """The values of one page; what was not there is an empty object.

    :ivar data: `ytInitialData`.
    :ivar player: `ytInitialPlayerResponse`.
    :ivar config: all `ytcfg.set({...})` in one.
    """

    data: dict[str, Json] = field(default_factory=dict)
    player: dict[str, Json] = field(default_factory=dict)
    config: dict[str, Json] = field(default_factory=dict)

    def client(self) -> ClientContext:
        """How to present oneself after having read this page."""
        context = dig(self.config, "INNERTUBE_CONTEXT", "client")
        version = string(self.config.get("INNERTUBE_CLIENT_VERSION"))
        visitor = string(self.config.get("VISITOR_DATA"))
        return ClientContext(
            version or string(dig(context, "clientVersion")) or FALLBACK_VERSION,
            visitor or string(dig(context, "visitorData")),
            string(self.config.get("INNERTUBE_API_KEY")),
            string(dig(context, "hl")),
        )


def read_page(html: bytes) -> Page:
    """What is read of a page, in one pass; of several of one name the first that holds anything."""
    values: dict[bytes, dict[str, Json]] = {}
    config: dict[str, Json] = {}
    cutter = _Cutter(html)
    tried = 0
    at = _next_script(html, 0)
    while tried < _MAX_TRIES and at < len(html):
        end = _end_of_script(html, at)
        while tried < _MAX_TRIES and (found := _ASSIGNMENT.search(html, at, end)) is not None:
            tried += 1
            value, at = cutter.cut(found[1], found.end(), end)
            if found[1] is None:
                config.update(value)
            elif value:
                values.setdefault(found[1], value)
        at = _next_script(html, end)
    return Page(values.get(_DATA, {}), values.get(_PLAYER, {}), config)


def _next_script(html: bytes, at: int) -> int:
    """Where the text of the next script begins; the page's end if there is none."""
    tag = html.find(b"<script", at)
    end = html.find(b">", tag) if tag >= 0 else -1
    return len(html) if end < 0 else end + 1


def _end_of_script(html: bytes, at: int) -> int:
    end = html.find(b"</script", at)
    return len(html) if end < 0 else end


class _Cutter:
    """Takes values out of one page, as long as there are not too many."""

    def __init__(self, html: bytes) -> None:
        self._html = html
        self._left = MAX_VALUES

    def cut(self, name: bytes | None, at: int, script_end: int) -> tuple[dict[str, Json], int]:
        """What is read of the object that begins here, and the place after it.

        An empty object where it is no JSON or too large.
        """
        skeleton, mark = _SKELETONS[name]
        end = self._end(at, script_end, mark)
        try:
            return self._filled(skeleton(memoryview(self._html)[at:end])), end
        except (ValueError, RecursionError):
            pass
        # It ends elsewhere or is not quite JSON, as the strict reader sees it.
        try:
            script = b"" if self._left < 0 else self._html[at:script_end]
            self._spend(script)
            value, length = decode_at(script.decode("utf-8", "replace"), 0)
            return value, min(at + length, script_end)
        except ValueError:
            # Some configuration is JavaScript and not JSON.
            return {}, at

    def _end(self, at: int, script_end: int, mark: bytes) -> int:
        """Where the object probably ends: with its script, or before what follows in that."""
        html = self._html
        closed = html.rfind(b"}", at, script_end) + 1
        if closed and not html[closed:script_end].strip(b"; \n"):
            return closed
        return html.find(mark, at, script_end) + 1 or script_end

    def _filled(self, found: Json) -> Json:
        """The same with its parts decoded."""
        if isinstance(found, dict):
            return {key: self._filled(part) for key, part in found.items()}
        raw = bytes(found)
        self._spend(raw)
        return decode(raw)

    def _spend(self, text: bytes) -> None:
        if self._left >= 0:
            self._left -= count_values(text)
        if self._left < 0:
            raise ValueError("too many values")
