# SPDX-License-Identifier: MIT
"""Drawings for pictures that only exist on the simulated platforms: SVG, some of them moving.

Pure: the same request gives the same drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

_INK: Final = "#3b2f2f"


def _svg(body: str, box: str = "0 0 64 64") -> str:
    _, _, width, height = box.split()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"'
        f' width="{2 * int(width)}" height="{2 * int(height)}">{body}</svg>'
    )


def _shape(path: str, fill: str, more: str = "") -> str:
    return f'<path d="{path}" fill="{fill}" {more}/>'


def _line(path: str, color: str = _INK, width: float = 3.5) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}"'
        ' stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _dot(x: float, y: float, radius: float, fill: str = _INK) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>'


def _moving(body: str, kind: str, values: str, seconds: float) -> str:
    """The body, turned, shifted or scaled again and again."""
    return (
        f'<g>{body}<animateTransform attributeName="transform" type="{kind}" values="{values}"'
        f' dur="{seconds}s" repeatCount="indefinite"/></g>'
    )


def hue_of(name: str) -> int:
    """A hue in degrees, the same for the same name."""
    return int.from_bytes(sha256(name.encode()).digest()[:2], "big") % 360


def _hsl(hue: int, saturation: int = 70, light: int = 60) -> str:
    return f"hsl({hue % 360} {saturation}% {light}%)"


_EYES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": _dot(22, 27, 4) + _dot(42, 27, 4),
        "wide": "".join(_dot(x, 25, 8, "#fff") + _dot(x, 26, 3.5) for x in (21, 43)),
        "glad": _line("M16 28q6-8 12 0M36 28q6-8 12 0"),
        "half": _line("M15 24h13M36 24h13") + _dot(23, 28, 3) + _dot(44, 28, 3),
        "stars": "".join(
            _shape(f"M{x} 17l3 6 7 1-5 5 1 7-6-3-6 3 1-7-5-5 7-1z", "#fff") for x in (21, 43)
        ),
        "shades": _shape("M10 20h44v5q-2 11-12 11-8 0-9-9h-2q-1 9-9 9-10 0-12-11z", "#222"),
        "glasses": _line("M14 27a8 8 0 1 0 16 0a8 8 0 1 0-16 0M30 26h4")
        + _line("M34 27a8 8 0 1 0 16 0a8 8 0 1 0-16 0")
        + _dot(22, 27, 3)
        + _dot(42, 27, 3),
    }
)

_MOUTHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "smile": _line("M20 41q12 12 24 0"),
        "laugh": _shape("M17 38h30q-2 17-15 17T17 38z", "#7a2222")
        + _shape("M21 38h22v5H21z", "#fff"),
        "sad": _line("M21 49q11-11 22 0"),
        "wave": _line("M18 46q5-7 9 0t9 0 9 0"),
        "shout": _shape("M32 37c14 0 12 18 0 18s-14-18 0-18z", "#7a2222"),
        "smirk": _line("M22 45q14 3 23-7"),
        "moustache": _shape("M32 42q-8-6-18 4 10 5 18 0 8 5 18 0-10-10-18-4z", "#5a3a22"),
        "grin": _shape("M12 36q20 8 40 0-2 18-20 18T12 36z", "#fff")
        + _line("M12 36q20 8 40 0-2 18-20 18T12 36z", width=2)
        + _line("M24 40v13M32 41v13M40 40v13", width=1.5),
    }
)


@dataclass(frozen=True, slots=True)
class Face:
    """What a face looks like.

    :ivar ears: `cat`, `bear` or none.
    :ivar extra: what lies over it.
    :ivar moves: it nods to the music.
    """

    color: str
    eyes: str
    mouth: str
    ears: str = ""
    extra: str = ""
    moves: bool = False


_TEAR: Final = _shape("M48 32q6 9 0 13-6-4 0-13z", "#53b9f5")
_SWEAT: Final = _shape("M53 10q6 9 0 13-6-4 0-13z", "#53b9f5")
_PHONES: Final = _line("M8 34C6 4 58 4 56 34", "#222", 5) + "".join(
    f'<rect x="{x}" y="28" width="10" height="18" rx="4" fill="#e5484d"/>' for x in (2, 52)
)
_HAND: Final = _moving(
    _shape("M46 60q-6-10 0-20l4 3 1-11q3-2 4 0l1 8 2-6q3-1 4 2l-2 12q0 10-8 13z", "#ffd58a"),
    "rotate",
    "-12 50 60;14 50 60;-12 50 60",
    0.9,
)
_EARS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cat": "M7 30L9 4l18 10zM57 30L55 4 37 14z",
        "bear": "M12 4a10 10 0 1 1-2 18zM52 4a10 10 0 1 0 2 18z",
    }
)

#: Faces by what they are called: the feelings of the simulated chats, and emotes of providers.
FACES: Final[Mapping[str, Face]] = MappingProxyType(
    {
        "laugh": Face("#ffcb3d", "glad", "laugh", extra=_TEAR),
        "hype": Face("#ff8d3a", "stars", "shout"),
        "sad": Face("#6fa8f5", "open", "sad", extra=_TEAR),
        "yikes": Face("#9fd356", "wide", "wave"),
        "panic": Face("#b98af0", "wide", "shout", extra=_SWEAT),
        "sly": Face("#e8c39e", "half", "smirk"),
        "smile": Face("#ffcb3d", "open", "smile"),
        "hello": Face("#ffb3c7", "glad", "smile", "bear", _HAND),
        "dance": Face("#59cfa8", "glad", "laugh", moves=True),
        "story": Face("#f0b27a", "glasses", "moustache"),
        "catJAM": Face("#f0d9b5", "glad", "smile", "cat", _PHONES, moves=True),
        "peepoHappy": Face("#74c365", "wide", "smile"),
        "monkaS": Face("#7fb56a", "wide", "wave", extra=_SWEAT),
        "EZ": Face("#7cc36a", "shades", "smirk"),
        "LULW": Face("#e8b48c", "glad", "laugh"),
        "blobDance": Face("#ffdb58", "glad", "smile", moves=True),
        "ffzWave": Face("#c9a3ff", "open", "smile", extra=_HAND),
        ":tf:": Face("#f2f2f2", "half", "grin"),
        "CiGrip": Face("#d9a066", "half", "smile"),
    }
)


def _drawn(face: Face) -> str:
    ears = _shape(_EARS[face.ears], face.color) if face.ears else ""
    body = ears + _dot(32, 34, 27, face.color) + _EYES[face.eyes] + _MOUTHS[face.mouth] + face.extra
    return _moving(body, "rotate", "-9 32 60;9 32 60;-9 32 60", 0.7) if face.moves else body


def _heart(_: str = "") -> str:
    return _shape("M32 58C-8 30 10 4 32 20 54 4 72 30 32 58z", "#f2426a")


def _thumb() -> str:
    return _shape("M6 30h12v28H6z", "#3f7ad6") + _shape(
        "M20 32q12-10 11-26 9-3 10 8 0 6-2 11h15q6 2 4 8l-5 20q-2 5-8 5H30q-6 0-10-4z", "#ffcb3d"
    )


def _rain() -> str:
    drops = "".join(
        _line(f"M{x} {y}l-2 9", "#4fb3ff") for x in range(8, 64, 12) for y in range(-60, 64, 20)
    )
    return _moving(drops, "translate", "0 0;0 60", 1.2)


def _sparkles() -> str:
    return "".join(
        f'<g transform="translate({x} {y})">'
        + _moving(_shape("M0-8Q1-1 8 0 1 1 0 8-1 1-8 0-1-1 0-8z", "#ffe14d"), "scale", "1;.2;1", s)
        + "</g>"
        for x, y, s in ((12, 14, 1.1), (50, 12, 1.5), (32, 34, 1.3), (14, 50, 1.7), (52, 48, 1.0))
    )


def _hat() -> str:
    return (
        _shape("M12 26Q22 0 50 6 60 10 58 22 50 12 44 12L52 26z", "#d92d3a")
        + _line("M10 27h44", "#fff", 8)
        + _dot(58, 23, 5, "#fff")
    )


def _clap() -> str:
    hand = _shape("M18 50L12 26q4-4 7 0l4 10V12q4-4 7 0v40q-8 6-12-2z", "#ffd58a")
    left = _moving(hand, "translate", "-3 0;2 0;-3 0", 0.4)
    right = f'<g transform="translate(64 0) scale(-1 1)">{left}</g>'
    return left + right


_OTHERS: Final = {
    "love": _heart(),
    "thumbs": _thumb(),
    "RainTime": _rain(),
    "Sparkles": _sparkles(),
    "SantaHat": _hat(),
    "Clap": _clap(),
}


def emote(name: str) -> str:
    """An emote by what it is called; one of which nothing is known gets a face by its name."""
    if name in _OTHERS:
        return _svg(_OTHERS[name])
    number = hue_of(name)
    face = FACES.get(name) or Face(
        _hsl(number),
        list(_EYES)[number % len(_EYES)],
        list(_MOUTHS)[number % len(_MOUTHS)],
        ("", "cat", "bear")[number % 3],
    )
    return _svg(_drawn(face))


def avatar(name: str) -> str:
    """Somebody's picture: a face on a coloured ground."""
    hue = hue_of(name)
    eyes, mouths = ("open", "glad", "half", "wide", "glasses"), ("smile", "laugh", "smirk", "wave")
    face = Face(
        _hsl(hue + 160, 65, 78), eyes[hue % 5], mouths[hue // 5 % 4], ("", "cat", "bear")[hue % 3]
    )
    ground = f'<rect width="64" height="64" fill="{_hsl(hue, 55, 45)}"/>'
    return _svg(f'{ground}<g transform="translate(8 11) scale(.76)">{_drawn(face)}</g>')


_STAR: Final = "M32 8l7 16 18 2-14 12 4 18-15-9-15 9 4-18L7 26l18-2z"

#: Ground and drawing of the badges that every channel has.
_BADGES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "broadcaster": ("#e91916", _shape("M12 22h26v20H12zM40 30l12-8v20l-12-8z", "#fff")),
        "moderator": ("#00ad03", _line("M48 14L24 40M14 38l12 12M12 52l8-8", "#fff", 7)),
        "lead_moderator": ("#008a3c", _line("M48 14L24 40M14 38l12 12M12 52l8-8", "#fff", 7)),
        "vip": ("#e005b9", _shape("M18 16h28l10 14-24 24L8 30z", "#fff")),
        "partner": ("#9146ff", _line("M16 33l11 11 21-24", "#fff", 8)),
        "premium": ("#0099fe", _shape("M10 48L8 20l14 12L32 12l10 20 14-12-2 28z", "#fff")),
        "founder": ("#1d5fd1", _shape("M16 10h8v44h-8zM24 12h26l-8 10 8 10H24z", "#fff")),
        "bits": ("#5c16c5", _shape("M32 8l18 34-18 14-18-14z", "#cba8ff")),
        "verified": ("#656565", _line("M16 33l11 11 21-24", "#fff", 8)),
    }
)

#: Colours of subscribers' badges, step by step.
_STEPS: Final = ("#8d5a2b", "#9aa3ad", "#d9a520", "#35b3a8", "#3f7ad6", "#a24bd6", "#e5484d")


def badge(name: str, months: int = 0) -> str:
    """A badge by the name of its set.

    :param months: of a subscriber: which step it is.
    """
    ground, drawn = _BADGES.get(name) or (_hsl(hue_of(name), 60, 42), "")
    if name in ("subscriber", "member"):
        color = _STEPS[min(months // 6, len(_STEPS) - 1)]
        ground, drawn = "#231a33", _shape(_STAR, color, 'stroke="#fff" stroke-width="3"')
    elif not drawn:
        drawn = _dot(32, 32, 14, "#fff")
    return _svg(f'<rect width="64" height="64" rx="12" fill="{ground}"/>{drawn}')


#: Colours of the tiers of cheermotes.
_TIERS: Final = ((10_000, "#f43021"), (5_000, "#0099fe"), (1_000, "#1db2a5"), (100, "#9c3ee8"))


def cheermote(bits: int) -> str:
    """A gem in the colour of its tier."""
    color = next((color for least, color in _TIERS if bits >= least), "#979797")
    gem = (
        _shape("M32 4l22 20-22 36L10 24z", color)
        + _shape("M32 4l10 20-10 36-10-36z", "#fff", 'fill-opacity=".35"')
        + _shape("M10 24h44L32 32z", "#fff", 'fill-opacity=".25"')
    )
    return _svg(_moving(gem, "translate", "0 2;0 -3;0 2", 1.0))


def gift(name: str) -> str:
    """A gift: a rose, or a parcel in a colour of its own."""
    if name == "rose":
        stem = _line("M32 34v24M32 50q10-2 12-10", "#2f8f46", 4)
        petals = _dot(32, 22, 16, "#e5334b") + _line("M24 20q8-10 16 0t-10 10", "#a5152b", 3)
        return _svg(stem + petals)
    hue = hue_of(name)
    parcel = _shape("M8 26h48v32H8z", _hsl(hue)) + _shape("M5 16h54v12H5z", _hsl(hue, 70, 50))
    bow = _shape("M28 16h8v42h-8z", "#fff") + _line(
        "M32 16q-18-14-14 0t14 0q18-14 14 0t-14 0", "#fff", 4
    )
    return _svg(parcel + bow)


def sticker(name: str) -> str:
    """A sticker: somebody who waves with both hands."""
    face = Face(_hsl(hue_of(name) + 40, 35, 66), "glad", "laugh", "bear")
    other = f'<g transform="translate(64 0) scale(-1 1)">{_HAND}</g>'
    return _svg(f"{_drawn(face)}{_HAND}{other}", "-6 0 76 66")


def scene(name: str) -> str:
    """A GIF: a cat that dances in the rain of confetti."""
    hue = hue_of(name)
    ground = f'<rect width="112" height="64" fill="{_hsl(hue, 50, 30)}"/>'
    confetti = "".join(
        f'<rect x="{x}" y="{y}" width="4" height="6" fill="{_hsl(hue + 47 * x)}"/>'
        for x in range(3, 112, 9)
        for y in range(-64 + x * 7 % 16, 64, 16)
    )
    cat = f'<g transform="translate(24 2)">{_drawn(FACES["catJAM"])}</g>'
    return _svg(ground + _moving(confetti, "translate", "0 0;0 64", 2.4) + cat, "0 0 112 64")
