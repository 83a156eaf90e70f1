# SPDX-License-Identifier: MIT
"""Cuts the text of a message into words, emotes and GIFs.

See docs/wire/twitch.md#emotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from string import ascii_letters, digits
from typing import Final, NamedTuple

from livechat.model.image_address import https_url
from livechat.model.text import Emote, Piece
from livechat.platforms.twitch.parse.tags import number

#: Longest id of an emote that is put into an address.
_MAX_ID: Final = 64

#: Emotes of Twitch itself whose code looks like a channel's.
_PLATFORM_CODES: Final = frozenset({
    "bUrself", "bleedPurple", "cmonBruh", "copyThis", "duDudu", "imGlitch", "mcaT", "panicBasket",
    "pastaThat", "riPepperonis", "twitchRaid",
})  # fmt: skip

#: Cheermotes that every channel has, in small letters.
CHEERMOTES: Final = frozenset({
    "4head", "anon", "bday", "biblethump", "cheer", "cheerwhal", "corgo", "dansgame", "doodlecheer",
    "elegiggle", "failfish", "frankerz", "heyguys", "kappa", "kreygasm", "mrdestructoid",
    "notlikethis", "party", "pjsalt", "pogchamp", "pride", "ripcheer", "seemsgood", "shamrock",
    "showlove", "swiftrage", "trihard", "uni", "vohiyo",
})  # fmt: skip

#: The least bits of each tier, highest first, with the colour of its amounts.
TIERS: Final = (
    (10_000, "#f43021"),
    (5_000, "#0099fe"),
    (1_000, "#1db2a5"),
    (100, "#9c3ee8"),
    (1, "#979797"),
)

_BLANK: Final = re.compile(r"\s")

#: Codes of emotes are made of these, or are smileys; next to one of them a code does not end.
_WORD: Final = frozenset(ascii_letters + digits + "_")

#: Where GIFs are parted in their tag: addresses hold commas too.
_NEXT_GIF: Final = re.compile(r",(?=\d+-\d+\|)")
_CAPTION: Final = re.compile(r"\[[^\[\]]+\]")

#: Code points, UTF-16 code units and bytes: an encoding and the size of its unit.
_UNITS: Final = (("utf-32-le", 4), ("utf-16-le", 2), ("utf-8", 1))

#: Most GIFs that are looked for in one message.
_MAX_GIFS: Final = 20

#: Names of what did not fit the text.
_UNUSABLE_RANGE: Final = "emote range"
_STRAY_GIF: Final = "gif range"

#: Longest tag, and longest code of an emote, that is kept in a cache.
_CACHED: Final = 64

#: A piece of the text that is a picture, with its end: code points, not included.
_Span = tuple[int, int, Emote]


class _Range(NamedTuple):
    """Where the tag says an emote stands; the end is not included."""

    emote_id: str
    start: int
    end: int

    def moved(self, by: int) -> _Range:
        """The same range elsewhere."""
        return _Range(self.emote_id, self.start + by, self.end + by)


def pieces(
    text: str, emotes: str, gifs: str = "", wrapper: int = 0
) -> tuple[list[Piece], list[str]]:
    """The text as words and pictures, and the names of what did not fit it.

    :param text: the message without its ACTION wrapper, otherwise untouched.
    :param emotes: the tag: `id:first-last,first-last/id:first-last`, inclusive, counted in code
        points.  A range that is unreadable, cannot be a code in this text or overlaps an earlier
        one is left out.
    :param gifs: the tag: `first-last|id|address`, several by comma.
    :param wrapper: by how many characters the ranges may be too high (section 5, Plausibility).
    """
    spans, unusable = _emotes(text, emotes, wrapper) if emotes else ([], [])
    if gifs:
        moving, bad = _gifs(text, gifs)
        # Of two that begin together the GIF wins: it is the longer one.
        spans = moving + spans
        unusable += bad
    # By place only: of two that begin together the one named first in the tag wins.
    spans.sort(key=_start)
    cut: list[Piece] = []
    at = 0
    for start, end, emote in spans:
        if start < at:
            unusable.append(_UNUSABLE_RANGE)
            continue
        if start > at:
            cut.append(text[at:start])
        cut.append(emote)
        at = end
    if at < len(text):
        cut.append(text[at:])
    return cut, list(dict.fromkeys(unusable))


def color_of(bits: int) -> str:
    """The colour in which so many bits are shown (docs/wire/twitch.md#bits-colours)."""
    return next(color for least, color in TIERS if bits >= least)


def _start(span: _Span) -> int:
    return span[0]


def _emotes(text: str, tag: str, wrapper: int) -> tuple[list[_Span], list[str]]:
    # The same emotes at the same places come again and again.
    ranges, bad = (_ranges if len(tag) <= _CACHED else _ranges.__wrapped__)(tag)
    if wrapper:
        shifted = tuple(found.moved(-wrapper) for found in ranges)
        if all(_is_word(text, found) for found in shifted):
            ranges = shifted
    spans: list[_Span] = []
    codes: dict[str, str] = {}
    doubtful: list[_Range] = []
    for found in ranges:
        if _can_be_code(text, found):
            spans.append(_span(text, found))
            codes.setdefault(found.emote_id, spans[-1][2].value)
        else:
            doubtful.append(found)
    for found in doubtful:
        repaired = next(_repairs(text, found, wrapper, codes), None)
        if repaired is None:
            bad += 1
        else:
            spans.append(_span(text, repaired))
    return spans, [_UNUSABLE_RANGE] * bad


@lru_cache(maxsize=2048)
def _ranges(tag: str) -> tuple[tuple[_Range, ...], int]:
    """The ranges that can be read, and how many cannot."""
    found: list[_Range] = []
    bad = 0
    for group in tag.split("/"):
        emote_id, _, places = group.partition(":")
        named = _is_id(emote_id)
        for place in places.split(","):
            low, _, high = place.partition("-")
            first, last = number(low), number(high)
            if named and first is not None and last is not None and first <= last:
                found.append(_Range(emote_id, first, last + 1))
            else:
                bad += 1
    return tuple(found), bad


def _can_be_code(text: str, found: _Range) -> bool:
    """Whether this can be the code of an emote: no blank in it, and not cut out of a word."""
    _, start, end = found
    if not 0 <= start < end <= len(text):
        return False
    if not text[start:end].isalnum() and _BLANK.search(text, start, end):
        return False
    return not (_is_inside_word(text, start) or _is_inside_word(text, end))


def _is_inside_word(text: str, at: int) -> bool:
    """Whether this place is between two characters of one word, in any script."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before in _WORD or after in _WORD:
        # Codes are ASCII: next to a letter of another script one may begin or end.
        return before in _WORD and after in _WORD
    return before.isalnum() and after.isalnum()


def _is_word(text: str, found: _Range) -> bool:
    """Whether this is something between blanks."""
    _, start, end = found
    return (
        _can_be_code(text, found)
        and (not start or text[start - 1].isspace())
        and (end == len(text) or text[end].isspace())
    )


def _repairs(text: str, found: _Range, wrapper: int, codes: dict[str, str]) -> Iterator[_Range]:
    """Where a wrong range may have been meant: whole words nearby, and the code if it is known."""
    for by in (-wrapper, -1, 1):
        moved = found.moved(by)
        code = codes.get(found.emote_id)
        if _is_word(text, moved) and code in (None, text[moved.start : moved.end]):
            yield moved


def _span(text: str, found: _Range) -> _Span:
    emote_id, start, end = found
    code = text[start:end]
    return start, end, (_emote if len(code) <= _CACHED else _emote.__wrapped__)(emote_id, code)


def _gifs(text: str, tag: str) -> tuple[list[_Span], list[str]]:
    """Captions in brackets that stand for pictures, and the names of what could not be placed.

    In what unit the places are counted is not known for texts beyond ASCII (section 3): code
    points, UTF-16 code units and bytes are tried; else any caption will do that is still free.
    """
    spans: list[_Span] = []
    bad: list[str] = []
    encoded = [(text.encode(name, "surrogatepass"), name, size) for name, size in _UNITS]
    for item in _NEXT_GIF.split(tag, _MAX_GIFS)[:_MAX_GIFS]:
        place, _, rest = item.partition("|")
        _, _, url = rest.partition("|")
        span = _caption(text, encoded, place, [start for start, _, _ in spans])
        if span is None or https_url(url) is None:
            bad.append(_STRAY_GIF)
            continue
        start, end = span
        caption = text[start:end]
        title = caption[1:-1].strip()
        spans.append((start, end, Emote(caption, url, title, title, True, gif=True)))
    return spans, bad


def _caption(
    text: str, encoded: list[tuple[bytes, str, int]], place: str, taken: list[int]
) -> tuple[int, int] | None:
    low, _, high = place.partition("-")
    first, last = number(low), number(high)
    if first is None or last is None:
        return None
    for data, name, size in encoded:
        start = len(data[: first * size].decode(name, "replace"))
        end = len(data[: (last + 1) * size].decode(name, "replace"))
        caption = text[start:end]
        if len(caption) > 2 and caption[0] + caption[-1] == "[]" and start not in taken:
            return start, end
    free = (match.span() for match in _CAPTION.finditer(text) if match.start() not in taken)
    return next(free, None)


def _is_id(emote_id: str) -> bool:
    return (
        len(emote_id) <= _MAX_ID
        and emote_id.isascii()
        and (emote_id.isalnum() or emote_id.replace("_", "").isalnum())
    )


@lru_cache(maxsize=4096)
def _emote(emote_id: str, code: str) -> Emote:
    # The animated picture where there is one.  The line does not say whose an emote is, but codes
    # of channels begin with the channel's prefix, which is in small letters.
    return Emote(
        code,
        f"https://static-cdn.jtvnw.net/emoticons/v2/{emote_id}/default/dark/2.0",
        code,
        code,
        "a" <= code[0] <= "z" and code not in _PLATFORM_CODES,
    )
