# SPDX-License-Identifier: MIT
"""From pieces of a message to its five renderings.  The only module that writes HTML.

A platform's translator cuts a message into pieces (plain strings and `Emote`s); `content` joins
them again as `raw`, `formatted`, `sanitized`, `rawHtml` and positioned elements, so that on every
platform `raw.slice(start, end) === value` holds in JavaScript and no text ever becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Final

from msgspec import UNSET, Struct

from livechat.model.chat import Content, Element, EmoteMetadata

#: Longest image address that is passed on.
MAX_URL: Final = 2048

#: Invisible character that chat clients append to get past Twitch's duplicate filter
#: (docs/wire/twitch.md#messages).
_DUPLICATE_MARK: Final = "\U000e0000"


class Emote(Struct, frozen=True):
    """A picture inside a message.

    :ivar value: what stands for it in the message as written.
    :ivar url: its picture, https only; with any other address the emote is treated as text.
    :ivar alt: what to show or read where the picture cannot be seen.
    :ivar code: name between colons for `formatted`; None for a Unicode emoji without a shortcut.
    :ivar is_custom: belongs to a channel or user rather than to the platform.
    :ivar bits: what a cheermote is worth, else 0.
    :ivar gif: a GIF that stands for a caption.
    """

    value: str
    url: str
    alt: str
    code: str | None
    is_custom: bool = False
    bits: int = 0
    gif: bool = False


Piece = str | Emote


def https_url(url: object) -> str | None:
    """The address if it may be passed on as an image: https, a public host, no odd characters.

    A scheme-less address (`//host/path`), as platforms like to give them, counts as https.
    """
    return _https_url(url) if isinstance(url, str) and 0 < len(url) <= MAX_URL else None


#: A public host by name: labels with a dot between them.  The last one begins and ends with a
#: letter, for browsers read one that begins with a digit as part of an IPv4 address.
_HOST: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z](?:[a-z0-9-]{0,61}[a-z])?")

#: Last labels of names that mean a machine of an internal network.
_INTERNAL_TLDS: Final = frozenset({"internal", "local", "localhost"})


@lru_cache(maxsize=2048)
def _https_url(url: str) -> str | None:
    if url.startswith("//"):
        url = "https:" + url
    if not url.startswith("https://") or len(url) > MAX_URL:
        return None
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \"'<>\\`"):
        return None
    netloc = re.split("[/?#]", url[len("https://") :], maxsplit=1)[0]
    host = netloc.removesuffix(":443").lower()
    if len(host) > 253 or not _HOST.fullmatch(host) or host.rpartition(".")[2] in _INTERNAL_TLDS:
        return None
    return url


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit in which JavaScript counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def content(pieces: Iterable[Piece]) -> Content:
    """All renderings of a message.

    Neighbouring strings are joined and empty ones left out, so the elements tile `raw` without
    gaps.  An emote whose address is not https becomes text.
    """
    # Most messages are one piece of text, and this is done for every message.
    if isinstance(pieces, list | tuple) and len(pieces) == 1:
        (only,) = pieces
        if isinstance(only, str) and only:
            return _plain(well_formed(only))
    raw: list[str] = []
    formatted: list[str] = []
    sanitized: list[str] = []
    html: list[str] = []
    elements: list[Element] = []
    at = 0
    for piece in _merged(pieces):
        value = piece if isinstance(piece, str) else piece.value
        end = at + utf16_length(value)
        raw.append(value)
        if isinstance(piece, str):
            formatted.append(value)
            sanitized.append(value)
            html.append(f'<span class="text">{escape(value)}</span>')
            elements.append(Element("text", value, (at, end)))
        else:
            code = (piece.code or "").strip(":")
            formatted.append(f":{code}:" if code else value)
            alt = escape(piece.alt)
            custom = ' data-custom="true"' if piece.is_custom else ""
            html.append(
                f'<img class="emote" src="{escape(piece.url)}" alt="{alt}" title="{alt}"{custom}>'
            )
            metadata = EmoteMetadata(
                piece.url, piece.alt, piece.is_custom, piece.bits or UNSET, piece.gif or UNSET
            )
            elements.append(Element("emote", value, (at, end), metadata))
        at = end
    return Content(
        "".join(raw),
        "".join(formatted),
        _without_duplicate_mark("".join(sanitized)),
        "".join(html),
        elements,
    )


def _plain(text: str) -> Content:
    """The same for a message without emotes."""
    return Content(
        text,
        text,
        _without_duplicate_mark(text),
        f'<span class="text">{escape(text)}</span>',
        [Element("text", text, (0, utf16_length(text)))],
    )


def _merged(pieces: Iterable[Piece]) -> Iterable[Piece]:
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += well_formed(piece)
        elif (emote := _clean(piece)) is None:
            text += well_formed(piece.value)
        else:
            if text:
                yield text
                text = ""
            yield emote
    if text:
        yield text


def _clean(emote: Emote) -> Emote | None:
    """The emote fit to be shown, or None if it must be text."""
    url = https_url(emote.url)
    if url is None or not emote.value:
        return None
    if url == emote.url and (emote.value + emote.alt + (emote.code or "")).isascii():
        return emote
    return Emote(
        well_formed(emote.value),
        url,
        well_formed(emote.alt),
        emote.code if emote.code is None else well_formed(emote.code),
        emote.is_custom,
        emote.bits,
        emote.gif,
    )


def _without_duplicate_mark(text: str) -> str:
    if _DUPLICATE_MARK not in text:
        return text
    return text.replace(" " + _DUPLICATE_MARK, "").replace(_DUPLICATE_MARK, "")
