# SPDX-License-Identifier: MIT
"""The JSON that YouTube's pages carry: found by its assignments, decoded as JSON, asked by paths.

A page holds `ytInitialData`, on a watch page `ytInitialPlayerResponse` as well, and several
`ytcfg.set({...})` (sheet `youtube` section 2.3).  Titles and messages lie in the same text and may
look like any of these, so only the text of scripts is searched, and nothing inside a value once it
has been decoded.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct, field

from livechat.platforms.youtube.innertube import Json, decode_at, dig, string

#: What a page that names no version is answered with; versions are not checked strictly.
FALLBACK_VERSION: Final = "2.20260213.01.00"

_ASSIGNMENT: Final = re.compile(
    r"""(?:\bytcfg\.set\(|\b(ytInitialData|ytInitialPlayerResponse)(?:["']\])?\s{0,9}=)\s{0,9}(?=\{)"""
)

#: How many values are tried; a page has six.  Each costs at most one pass over the page.
_MAX_VALUES: Final = 16


class Client(Struct, frozen=True):
    """Who we say we are when we ask InnerTube: what the page told its own player.

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

    def client(self) -> Client:
        """How to present oneself after having read this page."""
        told = dig(self.config, "INNERTUBE_CONTEXT", "client")
        version = string(self.config.get("INNERTUBE_CLIENT_VERSION"))
        visitor = string(self.config.get("VISITOR_DATA"))
        return Client(
            version or string(dig(told, "clientVersion")) or FALLBACK_VERSION,
            visitor or string(dig(told, "visitorData")),
            string(self.config.get("INNERTUBE_API_KEY")),
            string(dig(told, "hl")),
        )


def read_page(html: str) -> Page:
    """The values of a page, in one pass; of several of one name the first that holds anything."""
    values: dict[str, dict[str, Json]] = {}
    config: dict[str, Json] = {}
    tried = 0
    at = _next_script(html, 0)
    while tried < _MAX_VALUES and at < len(html):
        end = _end_of_script(html, at)
        while tried < _MAX_VALUES and (found := _ASSIGNMENT.search(html, at, end)) is not None:
            tried += 1
            value, at = _value(html, found.end())
            if found[1] is None:
                config.update(value)
            elif value:
                values.setdefault(found[1], value)
            end = max(end, at)
        at = _next_script(html, end)
    return Page(values.get("ytInitialData", {}), values.get("ytInitialPlayerResponse", {}), config)


def _next_script(html: str, at: int) -> int:
    """Where the text of the next script begins; the page's end if there is none."""
    tag = html.find("<script", at)
    end = html.find(">", tag) if tag >= 0 else -1
    return len(html) if end < 0 else end + 1


def _end_of_script(html: str, at: int) -> int:
    end = html.find("</script", at)
    return len(html) if end < 0 else end


def _value(html: str, at: int) -> tuple[dict[str, Json], int]:
    """The object that begins here and the place after it; an empty one where it is no JSON."""
    try:
        return decode_at(html, at)
    except ValueError:
        # Some configuration is JavaScript and not JSON.
        return {}, at
