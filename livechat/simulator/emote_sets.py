# SPDX-License-Identifier: MIT
"""The sets of emotes of the simulated providers, and how each provider describes them.

See docs/wire/emotes.md#words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from livechat.simulator.actions import stable_id


@dataclass(frozen=True, slots=True)
class SimulatedEmote:
    """One emote.

    :ivar word: what stands for it.
    :ivar zero_width: it lies over the emote before it.
    """

    word: str
    animated: bool = False
    zero_width: bool = False

    @property
    def id(self) -> str:
        """Equal for the same picture."""
        return f"{stable_id(f'emote {self.word}'):024x}"

    @property
    def number(self) -> int:
        """The same where ids are numbers."""
        return stable_id(f"emote {self.word}")


#: What all channels have, and what a channel has; phrases of the simulated chats use them.
EVERYWHERE: Final = {
    "7tv": (
        SimulatedEmote("EZ"),
        SimulatedEmote("Clap", animated=True),
        SimulatedEmote("RainTime", animated=True, zero_width=True),
    ),
    "bttv": (
        SimulatedEmote(":tf:"),
        SimulatedEmote("CiGrip"),
        SimulatedEmote("SantaHat", zero_width=True),
    ),
    "ffz": (SimulatedEmote("ZreknarF"), SimulatedEmote("LaterSooner")),
}
OF_A_CHANNEL: Final = {
    "7tv": (
        SimulatedEmote("catJAM", animated=True),
        SimulatedEmote("peepoHappy"),
        SimulatedEmote("Sparkles", animated=True, zero_width=True),
    ),
    "bttv": (SimulatedEmote("monkaS"), SimulatedEmote("blobDance", animated=True)),
    "ffz": (SimulatedEmote("LULW"), SimulatedEmote("ffzWave", animated=True)),
}


#: What the pictures show, by the ids in their addresses.
WORDS: Final = {
    name: emote.word
    for sets in (EVERYWHERE, OF_A_CHANNEL)
    for emotes in sets.values()
    for emote in emotes
    for name in (emote.id, str(emote.number))
}


def seven_tv_entry(emote: SimulatedEmote, pictures: str) -> dict[str, Any]:
    """An emote of a set of 7TV.

    :param pictures: where pictures are.
    """
    files = [
        {"name": f"{scale}x.{kind}", "static_name": f"{scale}x_static.{kind}", "format": kind}
        for kind in ("avif", "webp")
        for scale in (1, 2, 3, 4)
    ]
    return {
        "id": emote.id,
        "name": emote.word,
        "flags": int(emote.zero_width),
        "timestamp": 1_700_000_000_000,
        "actor_id": None,
        "data": {
            "id": emote.id,
            "name": emote.word.lower(),
            "flags": 256 if emote.zero_width else 0,
            "lifecycle": 3,
            "listed": True,
            "animated": emote.animated,
            "host": {"url": f"{pictures}/emote/{emote.id}", "files": files},
        },
    }


def seven_tv_set(set_id: str, emotes: Iterable[SimulatedEmote], pictures: str) -> dict[str, Any]:
    """A set of 7TV."""
    entries = [seven_tv_entry(emote, pictures) for emote in emotes]
    return {"id": set_id, "name": "Emotes", "capacity": 1000, "emotes": entries}


def seven_tv_user(platform: str, channel_id: str, user_id: str, set_id: str) -> dict[str, Any]:
    """A channel, in the shape of today: without its set."""
    return {
        "id": channel_id,
        "platform": platform.upper(),
        "username": "somebody",
        "emote_capacity": 1000,
        "emote_set_id": set_id,
        "emote_set": None,
        "user": {"id": user_id, "username": "somebody", "connections": []},
    }


def bttv_entry(emote: SimulatedEmote) -> dict[str, Any]:
    """An emote of BetterTTV."""
    kind = "gif" if emote.animated else "png"
    return {
        "id": emote.id,
        "code": emote.word,
        "imageType": kind,
        "animated": emote.animated,
        "userId": "5561169bd6b9d206222a8c19",
    }


def bttv_channel(channel_id: str, emotes: Iterable[SimulatedEmote]) -> dict[str, Any]:
    """A channel of BetterTTV, whose first emote is its own."""
    entries = [bttv_entry(emote) for emote in emotes]
    return {
        "id": f"{int(channel_id):024x}",
        "bots": [],
        "avatar": "",
        "channelEmotes": entries[:1],
        "sharedEmotes": entries[1:],
    }


def _ffz_set(number: int, emotes: Iterable[SimulatedEmote], pictures: str) -> dict[str, Any]:
    entries = []
    for emote in emotes:
        base = f"{pictures}/emote/{emote.number}"
        entry: dict[str, Any] = {
            "id": emote.number,
            "name": emote.word,
            "width": 28,
            "height": 28,
            "hidden": False,
            "modifier": False,
            "urls": {"1": f"{base}/1", "2": f"{base}/2", "4": None},
        }
        if emote.animated:
            entry["animated"] = {"1": f"{base}/animated/1", "2": f"{base}/animated/2"}
        entries.append(entry)
    return {"id": number, "_type": 1, "emoticons": entries}


def ffz_room(channel_id: str, emotes: Iterable[SimulatedEmote], pictures: str) -> dict[str, Any]:
    """A room of FrankerFaceZ."""
    number = int(channel_id) % 10**6
    return {
        "room": {"twitch_id": int(channel_id), "id": "somebody", "set": number},
        "sets": {str(number): _ffz_set(number, emotes, pictures)},
    }


def ffz_everywhere(emotes: Iterable[SimulatedEmote], pictures: str) -> dict[str, Any]:
    """The global sets of FrankerFaceZ; one of them is for a few users only."""
    return {
        "default_sets": [3],
        "sets": {
            "3": _ffz_set(3, emotes, pictures),
            "1532818": _ffz_set(1532818, [SimulatedEmote("ffzHidden")], pictures),
        },
        "users": {"1532818": ["somebody"]},
    }
