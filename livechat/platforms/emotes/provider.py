# SPDX-License-Identifier: MIT
"""The three providers: where their sets are, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from msgspec import Struct
from twisted.internet.defer import CancelledError
from twisted.internet.task import Cooperator

from livechat.model.text import Image
from livechat.platforms.budget import Claim
from livechat.platforms.emotes.client import Client
from livechat.platforms.emotes.limits import LONGEST_SET
from livechat.platforms.emotes.parse import bttv, ffz, seventv
from livechat.platforms.emotes.parse.emote_set import EmoteSet, Entries, Unreadable
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


class _Reading:
    """What all providers share.

    :param parts: in which sets are read, so that a large one delays nobody.
    """

    def __init__(self, client: Client, parts: Cooperator) -> None:
        self._client = client
        self._parts = parts

    def _decoded(self, decode: Callable[[bytes], T], body: bytes) -> T:
        try:
            return decode(body)
        except Unreadable as error:
            raise self._client.unreadable(error) from None

    async def _emotes(self, entries: Entries) -> EmoteSet:
        emotes: dict[str, Image] = {}
        reading = self._parts.cooperate(entries.into(emotes))
        try:
            await reading.whenDone()
        except CancelledError:
            reading.stop()
            raise
        return emotes

    async def _read(self, decode: Callable[[bytes], Entries], body: bytes) -> EmoteSet:
        return await self._emotes(self._decoded(decode, body))


class SevenTv(_Reading):
    """7TV: a channel uses one set; changes are told by the set's id and the user's."""

    name = seventv.PROVIDER
    platforms = frozenset({"twitch", "youtube"})

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
        user = self._decoded(seventv.read_user, body)
        topics = [user_topic(user.user_id)] if user.user_id else []
        if not user.set_id:
            return Loaded({}, topics)
        topics.append(set_topic(user.set_id))
        if user.entries is not None:
            return Loaded(await self._emotes(user.entries), topics)
        return Loaded(await self._set(user.set_id, claim), topics)

    async def _set(self, set_id: str, claim: Claim) -> EmoteSet:
        body = await self._client.get(f"/v3/emote-sets/{set_id}", claim, longest=LONGEST_SET)
        return {} if body is None else await self._read(seventv.read_set, body)


class Bttv(_Reading):
    """BetterTTV: changes are told by the channel's id."""

    name = bttv.PROVIDER
    platforms = frozenset({"twitch"})

    async def everywhere(self, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get("/3/cached/emotes/global", claim)
        return UNKNOWN if body is None else Loaded(await self._read(bttv.read_global, body))

    async def channel(self, platform: str, channel_id: str, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get(f"/3/cached/users/{platform}/{channel_id}", claim)
        if body is None:
            return UNKNOWN
        emotes = await self._read(bttv.read_channel, body)
        return Loaded(emotes, [bttv.topic_of(platform, channel_id)])


class Ffz(_Reading):
    """FrankerFaceZ: tells of no changes."""

    name = ffz.PROVIDER
    platforms = frozenset({"twitch"})

    async def everywhere(self, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get("/v1/set/global", claim)
        return UNKNOWN if body is None else Loaded(await self._read(ffz.read_global, body))

    async def channel(self, platform: str, channel_id: str, claim: Claim) -> Loaded:
        """See `Provider`."""
        body = await self._client.get(f"/v1/room/id/{channel_id}", claim)
        return UNKNOWN if body is None else Loaded(await self._read(ffz.read_channel, body))
