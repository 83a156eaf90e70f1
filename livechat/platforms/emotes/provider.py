# SPDX-License-Identifier: MIT
"""The three providers: where their sets are, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from livechat.platforms.budget import Claim
from livechat.platforms.emotes.client import Client
from livechat.platforms.emotes.limits import LONGEST_SET
from livechat.platforms.emotes.parse import bttv, ffz, seventv
from livechat.platforms.emotes.parse.emote_set import EmoteSet, Unreadable
from livechat.platforms.emotes.parse.seventv_events import set_topic, user_topic

T = TypeVar("T")

#: What an id may be, by platform: before it becomes part of an address.
_IDS: Final = {
    "twitch": re.compile(r"[0-9]{1,20}"),
    "youtube": re.compile(r"UC[0-9A-Za-z_-]{22}"),
}

#: By this header 7TV knows that we ask for the set ourselves.
_AWARE: Final = {"X-7tv-Missing-EmoteSet-Aware": "1"}


class Loaded(Struct, frozen=True):
    """What a provider has for a channel, or for all.

    :ivar topics: what tells of changes, for its socket.
    :ivar is_known: whether it knows the channel at all.
    """

    emotes: EmoteSet
    topics: Sequence[str] = ()
    is_known: bool = True


UNKNOWN: Final = Loaded({}, is_known=False)


class Provider(Protocol):
    """One provider.

    :ivar name: as in `livechat.platforms.enrichment.rooms.PRECEDENCE`.
    :ivar platforms: whose channels it knows.
    """

    name: str
    platforms: frozenset[str]

    async def everywhere(self, claim: Claim) -> Loaded:
        """The emotes that every channel has.

        :raises Trouble: they cannot be had.
        """

    async def channel(self, platform: str, channel_id: str, claim: Claim) -> Loaded:
        """The emotes of a channel.

        :param channel_id: `is_channel` of it.
        :raises Trouble: they cannot be had.
        """


def is_channel(platform: str, channel_id: str) -> bool:
    """Whether this can be the id of a channel of this platform."""
    pattern = _IDS.get(platform)
    return pattern is not None and pattern.fullmatch(channel_id) is not None


class SevenTv:
    """7TV: a channel uses one set; changes are told by the set's id and the user's."""

    name = seventv.PROVIDER
    platforms = frozenset({"twitch", "youtube"})

    def __init__(self, client: Client) -> None:
        self._client = client

    async def everywhere(self, claim: Claim) -> Loaded:
        """See `Provider`."""
        return Loaded(await self._set("global", claim))

    async def channel(self, platform: str, channel_id: str, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get(
            f"/v3/users/{platform}/{channel_id}", claim, headers=_AWARE, longest=LONGEST_SET
        )
        if body is None:
            return UNKNOWN
        user = _read(self._client, seventv.read_user, body)
        topics = [user_topic(user.user_id)] if user.user_id else []
        if not user.set_id:
            return Loaded({}, topics)
        topics.append(set_topic(user.set_id))
        if user.found is not None:
            return Loaded(user.found.emotes, topics)
        return Loaded(await self._set(user.set_id, claim), topics)

    async def _set(self, set_id: str, claim: Claim) -> EmoteSet:
        body = await self._client.get(f"/v3/emote-sets/{set_id}", claim, longest=LONGEST_SET)
        return {} if body is None else _read(self._client, seventv.read_set, body).emotes


class Bttv:
    """BetterTTV: changes are told by the channel's id."""

    name = bttv.PROVIDER
    platforms = frozenset({"twitch"})

    def __init__(self, client: Client) -> None:
        self._client = client

    async def everywhere(self, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get("/3/cached/emotes/global", claim)
        return (
            UNKNOWN if body is None else Loaded(_read(self._client, bttv.read_global, body).emotes)
        )

    async def channel(self, platform: str, channel_id: str, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get(f"/3/cached/users/{platform}/{channel_id}", claim)
        if body is None:
            return UNKNOWN
        found = _read(self._client, bttv.read_channel, body)
        return Loaded(found.emotes, [bttv.topic_of(platform, channel_id)])


class Ffz:
    """FrankerFaceZ: tells of no changes."""

    name = ffz.PROVIDER
    platforms = frozenset({"twitch"})

    def __init__(self, client: Client) -> None:
        self._client = client

    async def everywhere(self, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get("/v1/set/global", claim)
        return (
            UNKNOWN if body is None else Loaded(_read(self._client, ffz.read_global, body).emotes)
        )

    async def channel(self, platform: str, channel_id: str, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get(f"/v1/room/id/{channel_id}", claim)
        return (
            UNKNOWN if body is None else Loaded(_read(self._client, ffz.read_channel, body).emotes)
        )


def _read(client: Client, read: Callable[[bytes], T], body: bytes) -> T:
    try:
        return read(body)
    except Unreadable as error:
        raise client.unreadable(error) from None
