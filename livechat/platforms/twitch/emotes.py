# SPDX-License-Identifier: MIT
"""Cuts the text of a message into words, emotes and cheermotes (sheet `twitch` section 5)."""

from __future__ import annotations

import re
from typing import Final

from livechat.model.text import Emote, Piece
from livechat.platforms.twitch.tags import number

#: Longest id of an emote that is put into an address.
_MAX_ID: Final = 64

#: Emotes of Twitch itself whose code looks like a channel's.
_PLATFORM_CODES: Final = frozenset({
    "bUrself", "bleedPurple", "cmonBruh", "copyThis", "duDudu", "imGlitch", "mcaT", "panicBasket",
    "pastaThat", "riPepperonis", "twitchRaid",
})  # fmt: skip

#: Cheermotes that every channel has, in small letters.  A channel's own are told only by a look-up
#: and stay text here.
_CHEERMOTES: Final = frozenset({
    "4head", "bday", "biblethump", "cheer", "cheerwhal", "corgo", "dansgame", "doodlecheer",
    "elegiggle", "failfish", "frankerz", "heyguys", "kappa", "kreygasm", "mrdestructoid",
    "notlikethis", "party", "pjsalt", "pogchamp", "pride", "ripcheer", "seemsgood", "shamrock",
    "showlove", "swiftrage", "trihard", "uni", "vohiyo",
})  # fmt: skip

#: The least bits of each tier, highest first, with the colour of its amounts.
_TIERS: Final = (
    (10_000, "#f43021"),
    (5_000, "#0099fe"),
    (1_000, "#1db2a5"),
    (100, "#9c3ee8"),
    (1, "#979797"),
)

_TOKEN: Final = re.compile(r"\S+")

#: A piece of the text that is a picture, with its end: code points, not included.
_Span = tuple[int, int, Emote]


def pieces(text: str, tag: str, bits: int) -> tuple[list[Piece], int]:
    """The text as words and pictures, and how many ranges of the tag did not fit it.

    :param text: the message without its ACTION wrapper, otherwise untouched.
    :param tag: the value of `emotes`: `id:first-last,first-last/id:first-last`, inclusive, counted
        in code points.  A range that is unreadable, empty, outside the text or overlaps an earlier
        one is left out.
    :param bits: what was cheered; only then are cheermotes looked for.
    """
    spans, bad = _emotes(text, tag) if tag else ([], 0)
    if bits:
        spans += _cheermotes(text, bits)
    # By place only: of two that begin together the one named first in the tag wins.
    spans.sort(key=_start)
    cut: list[Piece] = []
    at = 0
    for start, end, emote in spans:
        if start < at:
            bad += not emote.bits
            continue
        if start > at:
            cut.append(text[at:start])
        cut.append(emote)
        at = end
    if at < len(text):
        cut.append(text[at:])
    return cut, bad


def color_of(bits: int) -> str:
    """The colour in which so many bits are shown (sheet `twitch` section 3.1)."""
    return next(color for least, color in _TIERS if bits >= least)


def _start(span: _Span) -> int:
    return span[0]


def _emotes(text: str, tag: str) -> tuple[list[_Span], int]:
    spans: list[_Span] = []
    bad = 0
    size = len(text)
    for group in tag.split("/"):
        emote_id, _, ranges = group.partition(":")
        named = _is_id(emote_id)
        for place in ranges.split(","):
            low, _, high = place.partition("-")
            first, last = number(low), number(high)
            if named and first is not None and last is not None and first <= last < size:
                code = text[first : last + 1]
                spans.append((first, last + 1, _emote(emote_id, code)))
            else:
                bad += 1
    return spans, bad


def _is_id(emote_id: str) -> bool:
    return (
        len(emote_id) <= _MAX_ID
        and emote_id.isascii()
        and (emote_id.isalnum() or emote_id.replace("_", "").isalnum())
    )


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


def _cheermotes(text: str, bits: int) -> list[_Span]:
    """The words that stand for bits, as long as their sum does not exceed what was paid."""
    spans: list[_Span] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        prefix = token.rstrip("0123456789")
        amount = number(token[len(prefix) :])
        if not amount or token[len(prefix)] == "0":
            continue
        name = prefix.lower()
        if name not in _CHEERMOTES or not token.isascii():
            continue
        bits -= amount
        if bits < 0:
            break
        tier = next(least for least, _ in _TIERS if amount >= least)
        url = f"https://d3aqoihi2n8ty8.cloudfront.net/actions/{name}/dark/animated/{tier}/2.gif"
        spans.append((match.start(), match.end(), Emote(token, url, token, token, False, amount)))
    return spans
