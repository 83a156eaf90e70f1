# SPDX-License-Identifier: MIT
"""A provider as a source of pictures: one set for each room that is shown, and one for all."""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from livechat.platforms.emotes.kept_set import KeptSet, Shared
from livechat.platforms.emotes.limits import KEPT, KEPT_FOR
from livechat.platforms.emotes.parse.emote_set import EmoteSet
from livechat.platforms.emotes.provider import Provider, is_channel
from livechat.platforms.enrichment.dictionary import EMPTY, Dictionary
from livechat.platforms.enrichment.ports import IPictureSource, IRoom, IRooms

_Key = tuple[str, str]


class _Entry:
    """The set of one channel, and the room that shows it at present."""

    def __init__(self) -> None:
        self.room: IRoom | None = None
        self.kept: KeptSet
        self.forgetting: IDelayedCall | None = None


@implementer(IPictureSource)
class EmoteSource:
    """See `IPictureSource`.

    Nothing is asked for before the first room is opened.
    """

    def __init__(self, provider: Provider, shared: Shared) -> None:
        self.name = provider.name
        self._provider = provider
        self._shared = shared
        self._places: list[IRooms] = []
        self._open = 0
        self._everywhere = KeptSet("all channels", provider.everywhere, self._show_all, shared)
        self._entries: dict[_Key, _Entry] = {}
        # Channels whose sets are kept although nobody watches them; the oldest first.
        self._closed: dict[_Key, _Entry] = {}

    def attached(self, rooms: IRooms) -> None:
        """See `IPictureSource`."""
        if rooms.platform in self._provider.platforms:
            self._places.append(rooms)

    def opened(self, room: IRoom) -> None:
        """See `IPictureSource`."""
        if room.platform not in self._provider.platforms:
            return
        self._open += 1
        if self._open == 1:
            self._everywhere.want()
        if not is_channel(room.platform, room.room_id):
            return
        key = room.platform, room.room_id
        entry = self._closed.pop(key, None) or self._entry(key)
        if entry.forgetting is not None:
            entry.forgetting.cancel()
            entry.forgetting = None
        entry.room = room
        self._entries[key] = entry
        entry.kept.want()

    def closed(self, room: IRoom) -> None:
        """See `IPictureSource`."""
        if room.platform not in self._provider.platforms:
            return
        self._open -= 1
        if not self._open:
            self._everywhere.leave()
        key = room.platform, room.room_id
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        entry.room = None
        entry.kept.leave()
        if len(self._closed) >= KEPT:
            self._forget(next(iter(self._closed)))
        self._closed[key] = entry
        entry.forgetting = self._shared.clock.callLater(KEPT_FOR, self._forget, key)

    def stop(self) -> None:
        """Ask nothing any more."""
        if self._open:
            self._everywhere.leave()
        self._open = 0
        entries, self._entries = self._entries, {}
        for entry in entries.values():
            entry.kept.leave()
        for key in list(self._closed):
            self._forget(key)

    def _entry(self, key: _Key) -> _Entry:
        platform, channel_id = key
        entry = _Entry()
        entry.kept = KeptSet(
            f"{platform} {channel_id}",
            partial(self._provider.channel, platform, channel_id),
            partial(self._show, entry),
            self._shared,
        )
        return entry

    def _forget(self, key: _Key) -> None:
        entry = self._closed.pop(key)
        if entry.forgetting is not None and entry.forgetting.active():
            entry.forgetting.cancel()

    def _show(self, entry: _Entry, emotes: EmoteSet) -> None:
        if entry.room is not None:
            entry.room.put(self.name, _dictionary(emotes))

    def _show_all(self, emotes: EmoteSet) -> None:
        for rooms in self._places:
            rooms.put(self.name, _dictionary(emotes))


def _dictionary(emotes: EmoteSet) -> Dictionary:
    return Dictionary(emotes=emotes) if emotes else EMPTY
