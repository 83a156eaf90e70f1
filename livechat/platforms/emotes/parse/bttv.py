# SPDX-License-Identifier: MIT
"""BetterTTV: sets of emotes and the messages of its socket (docs/wire/emotes.md#betterttv)."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, field, json

from livechat.model.text import Image
from livechat.platforms.emotes.parse.emote_set import (
    Change,
    Entries,
    Renamed,
    Unreadable,
    decoded,
    is_id,
    is_word,
)
from livechat.platforms.emotes.parse.messages import Alive
from livechat.platforms.enrichment.dictionary import third_party

PROVIDER: Final = "bttv"

#: Those that lie over the emote before them; the answers do not say so.
_ZERO_WIDTH: Final = frozenset({
    "SoSnowy", "IceCold", "SantaHat", "TopHat", "ReinDeer", "CandyCane", "cvMask", "cvHazmat",
})  # fmt: skip

#: Messages of the socket.
MAX_MESSAGE: Final = 64 << 10


class _Entry(Struct):
    id: str
    code: str
    animated: bool = False
    # Such a word changes the emote behind it, and is none itself.
    modifier: bool = False


class _Channel(Struct):
    channel_emotes: list[Raw] | UnsetType = field(default=UNSET, name="channelEmotes")
    shared_emotes: list[Raw] | UnsetType = field(default=UNSET, name="sharedEmotes")


class _Renaming(Struct):
    id: str
    code: str | None = None


class _Data(Struct):
    channel: str = ""
    emote: Raw = Raw(b"null")
    emote_id: str = field(default="", name="emoteId")


class _Message(Struct):
    name: str
    data: Raw = Raw(b"null")


_read_global: Final = json.Decoder(list[Raw])
_read_channel: Final = json.Decoder(_Channel)
_read_entry: Final = json.Decoder(_Entry)
_read_renaming: Final = json.Decoder(_Renaming)
_read_message: Final = json.Decoder(_Message)
_read_data: Final = json.Decoder(_Data)


def read_global(body: bytes) -> Entries:
    """The emotes that all channels have.

    :raises Unreadable: it is no such answer.
    """
    entries = decoded(_read_global, body)
    return Entries(entries, _global_emote)


def read_channel(body: bytes) -> Entries:
    """The emotes of a channel, its own before those of others that it uses.

    :raises Unreadable: it is no such answer.
    """
    answer = decoded(_read_channel, body)
    if answer.channel_emotes is UNSET and answer.shared_emotes is UNSET:
        raise Unreadable("no emotes of a channel")
    entries = [*(answer.channel_emotes or ()), *(answer.shared_emotes or ())]
    return Entries(entries, _channel_emote)


def topic_of(platform: str, channel_id: str) -> str:
    """What tells of changes of a channel."""
    return f"{platform}:{channel_id}"


def subscription(topic: str) -> bytes:
    """Ask to be told."""
    return json.encode({"name": "join_channel", "data": {"name": topic}})


def unsubscription(topic: str) -> bytes:
    """Ask to be told no more."""
    return json.encode({"name": "part_channel", "data": {"name": topic}})


def read_message(payload: bytes) -> Change | Alive:
    """A message of the socket.

    :raises Unreadable: it is none.
    """
    message = decoded(_read_message, payload)
    if message.name not in ("emote_create", "emote_update", "emote_delete"):
        return Alive()
    data = decoded(_read_data, message.data)
    try:
        return _change(message.name, data) or Alive()
    except (DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)[:200]) from None


def _change(name: str, data: _Data) -> Change | None:
    if name == "emote_create":
        created = _channel_emote(data.emote)
        return Change(data.channel, added=(created,)) if created else None
    if name == "emote_delete":
        return Change(data.channel, removed={data.emote_id}) if is_id(data.emote_id) else None
    renaming = _read_renaming.decode(data.emote)
    if renaming.code is None or not is_word(renaming.code) or not is_id(renaming.id):
        return None
    return Change(data.channel, renamed=(Renamed(renaming.id, renaming.code),))


def _channel_emote(raw: Raw) -> Image | None:
    return _emote(_read_entry.decode(raw))


def _global_emote(raw: Raw) -> Image | None:
    entry = _read_entry.decode(raw)
    return _emote(entry, zero_width=entry.code in _ZERO_WIDTH)


def _emote(entry: _Entry, zero_width: bool = False) -> Image | None:
    if entry.modifier or not is_id(entry.id) or not is_word(entry.code):
        return None
    url = f"https://cdn.betterttv.net/emote/{entry.id}/2x.webp"
    return third_party(entry.code, url, PROVIDER, animated=entry.animated, zero_width=zero_width)
