# SPDX-License-Identifier: MIT
"""From pieces of a message to its five renderings.  The only module that writes HTML.

A platform's translator cuts a message into pieces (plain strings and `Emote`s); `content` joins
them again as `raw`, `formatted`, `sanitized`, `rawHtml` and positioned elements, so that on every
platform `raw.slice(start, end) === value` holds in JavaScript and no text ever becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Final

from msgspec import UNSET, Struct

from livechat.model.chat import Content, Element, EmoteMetadata
from livechat.model.image_address import https_url

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
    :ivar provider: whose emote it is, where it is not the platform's.
    :ivar animated: it moves; said of emotes of a provider.
    :ivar zero_width: it is drawn upon the emote before it; likewise.
    """

    value: str
    url: str
    alt: str
    code: str | None
    is_custom: bool = False
    bits: int = 0
    gif: bool = False
    provider: str = ""
    animated: bool = False
    zero_width: bool = False


class Image(Struct, frozen=True, gc=False):
    """An emote as it is shown: made once, by `image`, and put into any number of messages.

    :ivar value: what stands for it in the message as written.
    :ivar formatted: what stands for it in `formatted`.
    :ivar html: what stands for it in `rawHtml`.
    :ivar metadata: of its element.
    """

    value: str
    formatted: str
    html: str
    metadata: EmoteMetadata


Piece = str | Emote | Image

#: How much longer text is in `rawHtml` if nothing of it has to be escaped.
_AROUND_TEXT: Final = len('<span class="text"></span>')


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
    return _joined(_merged(pieces))


def image(emote: Emote) -> Image | None:
    """The emote as it is shown; None if it must be text."""
    url = https_url(emote.url)
    value = well_formed(emote.value)
    if url is None or not value:
        return None
    code = well_formed(emote.code or "").strip(":")
    is_foreign = bool(emote.provider)
    metadata = EmoteMetadata(
        url,
        well_formed(emote.alt),
        emote.is_custom,
        emote.bits or UNSET,
        emote.gif or UNSET,
        emote.provider if is_foreign else UNSET,
        emote.animated if is_foreign else UNSET,
        emote.zero_width if is_foreign else UNSET,
    )
    return Image(value, f":{code}:" if code else value, _html(metadata), metadata)


def with_images(made: Content, find: Callable[[str], Image | None]) -> Content:
    """The content with pictures in place of those of its words that have one.

    A word is what stands between blanks, with no emote beside it.

    :param find: the picture of a word; called once for each, in their order.  After it had none
        for a word it must have none for the same word later in the message.
    :return: the same object if nothing was found.
    """
    present = _pieces_of(made)
    last = len(present) - 1
    found: list[str | Image] = []
    is_changed = False
    for index, piece in enumerate(present):
        # A word that an emote is glued to is none.
        cut = _cut(piece, find, index > 0, index < last) if isinstance(piece, str) else None
        found += cut or [piece]
        is_changed = is_changed or cut is not None
    return _joined(found) if is_changed else made


def with_emotes(made: Content, emotes: Mapping[str, Image], words: Sequence[str]) -> Content:
    """What `with_images` makes with these emotes; faster where the content is text alone.

    :param words: all that stands between blanks in `made.raw`.
    """
    text = made.raw
    if len(made.elements) != 1 or made.elements[0].type != "text":
        return with_images(made, emotes.get)
    find = emotes.get
    # Escaping only ever makes a text longer.
    is_markup = len(made.raw_html) > len(text) + _AROUND_TEXT
    formatted = sanitized = html = ""
    elements: list[Element] = []
    done = at = 0
    for word in words:
        shown = find(word)
        if shown is None:
            at += len(word) + 1
            continue
        end = at + len(word)
        if at:
            piece = text[done:at]
            elements.append(Element("text", piece, (done, at)))
            formatted += piece
            sanitized += piece
            html += f'<span class="text">{escape(piece) if is_markup else piece}</span>'
        elements.append(Element("emote", word, (at, end), shown.metadata))
        formatted += shown.formatted
        html += shown.html
        done, at = end, end + 1
    if at != len(text) + 1:
        # More than one blank stands between two words, or one at an end.
        return with_images(made, find)
    if done < len(text):
        piece = text[done:]
        elements.append(Element("text", piece, (done, len(text))))
        formatted += piece
        sanitized += piece
        html += f'<span class="text">{escape(piece) if is_markup else piece}</span>'
    if not text.isascii() and utf16_length(text) != len(text):
        elements = _in_utf16(elements)
    return Content(text, formatted, _without_duplicate_mark(sanitized), html, elements)


def _in_utf16(elements: Iterable[Element]) -> list[Element]:
    """The elements with their places counted in UTF-16."""
    at = 0
    placed = []
    for element in elements:
        start, at = at, at + utf16_length(element.value)
        placed.append(Element(element.type, element.value, (start, at), element.metadata))
    return placed


def _cut(
    text: str, find: Callable[[str], Image | None], after: bool = False, before: bool = False
) -> list[str | Image] | None:
    """The text cut where words have pictures; None if none has.

    :param after: an emote stands right before the text.
    :param before: an emote stands right behind it.
    """
    words = text.split()
    at = 0
    if after and words and not text[0].isspace():
        at = len(words.pop(0))
    if before and words and not text[-1].isspace():
        words.pop()
    cut: list[str | Image] | None = None
    done = 0
    for word in words:
        shown = find(word)
        if shown is None:
            continue
        start = _place(text, word, at)
        if cut is None:
            cut = []
        if start > done:
            cut.append(text[done:start])
        cut.append(shown)
        at = done = start + len(word)
    if cut is not None and done < len(text):
        cut.append(text[done:])
    return cut


def _place(text: str, word: str, at: int) -> int:
    """Where this word stands as a whole, from there on."""
    start = text.index(word, at)
    end = start + len(word)
    while not (
        (start == 0 or text[start - 1].isspace()) and (end == len(text) or text[end].isspace())
    ):
        start = text.index(word, start + 1)
        end = start + len(word)
    return start


def _pieces_of(made: Content) -> list[str | Image]:
    """What a content was made of."""
    pieces: list[str | Image] = []
    formatted = made.formatted
    at = 0
    for element in made.elements:
        value, metadata = element.value, element.metadata
        if isinstance(metadata, EmoteMetadata):
            code = metadata.alt.strip(":")
            shown = f":{code}:"
            if not code or not formatted.startswith(shown, at):
                # A shortcut of the platform's own, or none.
                match = _SHORTCUT.match(formatted, at)
                shown = value if match is None or formatted.startswith(value, at) else match[0]
            pieces.append(Image(value, shown, _html(metadata), metadata))
            at += len(shown)
        else:
            pieces.append(value)
            at += len(value)
    return pieces


#: A code in `formatted`.
_SHORTCUT: Final = re.compile(r":[^:\s]+:")


def _joined(pieces: Iterable[str | Image]) -> Content:
    """All renderings of pieces that are fit to be shown; no string is empty or beside another."""
    raw: list[str] = []
    formatted: list[str] = []
    sanitized: list[str] = []
    html: list[str] = []
    elements: list[Element] = []
    at = 0
    for piece in pieces:
        if isinstance(piece, str):
            value = piece
            end = at + (len(value) if value.isascii() else utf16_length(value))
            formatted.append(value)
            sanitized.append(value)
            html.append(f'<span class="text">{_escaped(value)}</span>')
            elements.append(Element("text", value, (at, end)))
        else:
            value = piece.value
            end = at + (len(value) if value.isascii() else utf16_length(value))
            formatted.append(piece.formatted)
            html.append(piece.html)
            elements.append(Element("emote", value, (at, end), piece.metadata))
        raw.append(value)
        at = end
    return Content(
        "".join(raw),
        "".join(formatted),
        _without_duplicate_mark("".join(sanitized)),
        "".join(html),
        elements,
    )


def _escaped(text: str) -> str:
    """The text as HTML; most texts need no change, and looking is faster than replacing."""
    return escape(text) if _MARKUP.search(text) else text


#: What `escape` replaces.
_MARKUP: Final = re.compile("[&<>\"']")


def _html(metadata: EmoteMetadata) -> str:
    alt = escape(metadata.alt)
    custom = ' data-custom="true"' if metadata.is_custom else ""
    return f'<img class="emote" src="{escape(metadata.url)}" alt="{alt}" title="{alt}"{custom}>'


def _plain(text: str) -> Content:
    """The same for a message without emotes."""
    return Content(
        text,
        text,
        _without_duplicate_mark(text),
        f'<span class="text">{_escaped(text)}</span>',
        [Element("text", text, (0, utf16_length(text)))],
    )


def _merged(pieces: Iterable[Piece]) -> Iterator[str | Image]:
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += well_formed(piece)
            continue
        shown = image(piece) if isinstance(piece, Emote) else piece
        if shown is None:
            text += well_formed(piece.value)
            continue
        if text:
            yield text
            text = ""
        yield shown
    if text:
        yield text


def _without_duplicate_mark(text: str) -> str:
    if _DUPLICATE_MARK not in text:
        return text
    return text.replace(" " + _DUPLICATE_MARK, "").replace(_DUPLICATE_MARK, "")
