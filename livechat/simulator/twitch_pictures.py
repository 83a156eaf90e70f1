# SPDX-License-Identifier: MIT
"""What Twitch's GraphQL says about badges and cheermotes.

See docs/wire/twitch.md#badges-and-cheermotes.  Pure.  Badges of subscribers are each channel's own;
those of roles are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from livechat.simulator.pictures import badge_id
from livechat.simulator.twitch_lines import BADGE_STEPS

#: The cheermote that every channel of the simulator has of its own.
OWN_CHEERMOTE: Final = "Snack"

_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "broadcaster": "Broadcaster",
        "moderator": "Moderator",
        "vip": "VIP",
        "partner": "Verified",
        "premium": "Prime Gaming",
    }
)
_CDN: Final = "https://static-cdn.jtvnw.net/badges/v1"
_CHEERS: Final = "https://d3aqoihi2n8ty8.cloudfront.net"
_REST: Final = "BACKGROUND/ANIMATION/TIER/SCALE.EXTENSION"
_TIERS: Final = (1, 100, 1000, 5000, 10000)
_COLORS: Final = ("#979797", "#9c3ee8", "#1db2a5", "#0099fe", "#f43021")

Json = dict[str, Any]


def answer(query: str, room_id: str = "") -> Json | None:
    """The data that a query is answered with; None if it asks for something else.

    :param room_id: the variable `id`.
    """
    if "displayConfig" in query:
        colors = zip(_TIERS, _COLORS, strict=True)
        shown = [{"bits": bits, "color": color} for bits, color in colors]
        return {"cheerConfig": {"displayConfig": {"colors": shown}}}
    if "broadcastBadges" in query:
        return {"user": _room(room_id)}
    if "badges" in query:
        groups = [_group(f"{_CHEERS}/actions/PREFIX/{_REST}", "Cheer", "Party", "anon")]
        return {
            "badges": [_badge(name, "1", title) for name, title in _TITLES.items()],
            "cheerConfig": {"groups": groups},
        }
    return None


def _room(room_id: str) -> Json | None:
    # Ids that are longer are nobody's.
    if not room_id.isdecimal() or len(room_id) > 20:
        return None
    template = f"{_CHEERS}/partner-actions/{room_id}/snack/{_REST}"
    return {
        "id": room_id,
        "broadcastBadges": list(_subscribers(int(room_id))),
        "cheer": {"cheerGroups": [_group(template, OWN_CHEERMOTE)]},
    }


def _subscribers(room_id: int) -> Iterator[Json]:
    yield _badge("founder", "0", "Founder", 0, room_id)
    for months in BADGE_STEPS:
        title = f"{months}-Month Subscriber" if months else "Subscriber"
        yield _badge("subscriber", str(months), title, months, room_id)


def _badge(name: str, version: str, title: str, months: int = 0, room_id: int = 0) -> Json:
    return {
        "setID": name,
        "version": version,
        "title": title,
        "imageURL": f"{_CDN}/{badge_id(name, months, room_id)}/2",
    }


def _group(template: str, *prefixes: str) -> Json:
    tiers = [{"bits": bits} for bits in _TIERS]
    return {
        "templateURL": template,
        "nodes": [{"prefix": prefix, "tiers": tiers} for prefix in prefixes],
    }
