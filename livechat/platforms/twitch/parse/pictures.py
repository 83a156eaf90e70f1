# SPDX-License-Identifier: MIT
"""Badges and cheermotes: what is asked about them, and what answers mean.

See docs/wire/twitch.md#badges-and-cheermotes.  Pure; nothing here raises on what a server sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from livechat.model.image_address import https_url
from livechat.platforms.enrichment.dictionary import BadgePicture, Cheermote, Dictionary
from livechat.platforms.twitch.parse.emotes import CHEERMOTES, TIERS

_BADGES: Final = "{setID version title imageURL(size:DOUBLE)}"
_CHEERS: Final = "{templateURL nodes{prefix tiers{bits}}}"

#: What counts in all rooms, and apart from it the colours: an answer to a question of which the
#: server does not know a part is no answer at all.
GLOBAL: Final = f"query{{badges{_BADGES} cheerConfig{{groups{_CHEERS}}}}}"
COLORS: Final = "query{cheerConfig{displayConfig{colors{bits color}}}}"

#: What one room has.
_ROOM: Final = (
    f"query($id:ID!){{user(id:$id){{id broadcastBadges{_BADGES} cheer{{cheerGroups{_CHEERS}}}}}}}"
)

#: Most badges, cheermotes and tiers of one answer, and longest names and titles, that are kept.
_MOST: Final = 2000
_MOST_TIERS: Final = 20
_LONGEST: Final = 200

#: What stands for parts of a cheermote's address, in the order in which they are replaced.
_PARTS: Final = (("BACKGROUND", "dark"), ("ANIMATION", "animated"), ("SCALE.EXTENSION", "2.gif"))

#: The cheermotes that every channel has.
_TEMPLATE: Final = (
    "https://d3aqoihi2n8ty8.cloudfront.net/actions/PREFIX/BACKGROUND/ANIMATION/TIER/SCALE.EXTENSION"
)

Json = Any


def question(query: str) -> dict[str, Json]:
    """One operation."""
    return {"query": query}


def room_question(room_id: str) -> dict[str, Json]:
    """The operation that asks what a room has."""
    return {"query": _ROOM, "variables": {"id": room_id}}


def body(operations: Sequence[Mapping[str, Json]]) -> bytes:
    """What is sent: one operation, or a list of them."""
    return msgspec.json.encode(operations if len(operations) > 1 else operations[0])


def read_answers(answer: bytes, count: int) -> list[Json]:
    """What each of so many operations was answered: its data, or None."""
    try:
        decoded = msgspec.json.decode(answer)
    except (msgspec.MsgspecError, RecursionError):
        decoded = None
    answers = decoded if count > 1 else [decoded]
    if not isinstance(answers, list) or len(answers) != count:
        return [None] * count
    return [_get(answer, "data") for answer in answers]


def read_global(data: Json) -> Dictionary | None:
    """What counts in all rooms; None if the answer says nothing about it."""
    badges = _badges(_get(data, "badges"))
    cheermotes = _cheermotes(_get(data, "cheerConfig", "groups"), is_custom=False)
    if not badges and not cheermotes:
        return None
    return Dictionary(badges=(badges,), cheermotes=cheermotes)


def read_colors(data: Json) -> tuple[tuple[int, str], ...]:
    """The least bits of each tier and its colour, highest first; empty if it is not told."""
    colors: dict[int, str] = {}
    for item in _items(_get(data, "cheerConfig", "displayConfig", "colors"))[:_MOST_TIERS]:
        least, color = _get(item, "bits"), _get(item, "color")
        if _is_amount(least) and isinstance(color, str) and _is_color(color):
            colors[least] = color.lower()
    return tuple(sorted(colors.items(), reverse=True))


def read_room(data: Json) -> Dictionary | None:
    """What a room has, if anything; None if the answer says nothing about it."""
    user = _get(data, "user")
    if not isinstance(user, dict):
        return None
    badges = _badges(user.get("broadcastBadges"))
    return Dictionary(
        badges=(badges,) if badges else (),
        cheermotes=_cheermotes(_get(user, "cheer", "cheerGroups"), is_custom=True),
    )


def built_in(table: bytes) -> Dictionary:
    """What is known without asking: the global badges of a table, and the usual cheermotes.

    :param table: from `set/version` to the id of the picture and the title.
    """
    badges = {
        label: BadgePicture(f"https://static-cdn.jtvnw.net/badges/v1/{image}/2", title)
        for label, (image, title) in msgspec.json.decode(table).items()
    }
    tiers = [least for least, _ in TIERS]
    cheermotes = {name: Cheermote(_tiers(_TEMPLATE, name, tiers)) for name in CHEERMOTES}
    return Dictionary(badges=(badges,), cheermotes=cheermotes, colors=TIERS)


def _badges(items: Json) -> dict[str, BadgePicture]:
    found: dict[str, BadgePicture] = {}
    for item in _items(items)[:_MOST]:
        name, version, title = (_text(item, key) for key in ("setID", "version", "title"))
        url = https_url(_get(item, "imageURL"))
        if name and version and url is not None:
            found[f"{name}/{version}"] = BadgePicture(url, title)
    return found


def _cheermotes(groups: Json, *, is_custom: bool) -> dict[str, Cheermote]:
    found: dict[str, Cheermote] = {}
    for template, node in _nodes(groups):
        prefix = _text(node, "prefix")
        bits = (_get(tier, "bits") for tier in _items(_get(node, "tiers"))[:_MOST_TIERS])
        tiers = _tiers(template, prefix, (least for least in bits if _is_amount(least)))
        if prefix and tiers and len(found) < _MOST:
            found[prefix.lower()] = Cheermote(tiers, is_custom)
    return found


def _nodes(groups: Json) -> Iterator[tuple[str, Json]]:
    for group in _items(groups)[:_MOST]:
        template = _get(group, "templateURL")
        for node in _items(_get(group, "nodes"))[:_MOST]:
            yield template if isinstance(template, str) else "", node


def _tiers(template: str, prefix: str, bits: Iterable[int]) -> tuple[tuple[int, str], ...]:
    """The tiers whose addresses can be used, highest first."""
    for part, value in (("PREFIX", prefix.lower()), *_PARTS):
        template = template.replace(part, value, 1)
    shown = {least: https_url(template.replace("TIER", str(least), 1)) for least in bits}
    usable = ((least, url) for least, url in shown.items() if url is not None)
    return tuple(sorted(usable, reverse=True))


def _get(value: Json, *path: str) -> Json:
    """What is at the end of a path of keys; None if there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _text(value: Json, key: str) -> str:
    text = _get(value, key)
    return text if isinstance(text, str) and len(text) <= _LONGEST else ""


def _is_amount(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9


_is_color: Final = re.compile("#[0-9a-fA-F]{6}").fullmatch
