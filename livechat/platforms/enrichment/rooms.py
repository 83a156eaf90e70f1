# SPDX-License-Identifier: MIT
"""The rooms of one platform whose messages are shown, and the dictionary of each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from zope.interface import implementer

from livechat.platforms.enrichment.dictionary import EMPTY, Dictionary, joined
from livechat.platforms.enrichment.ports import IPictureSource, IRoom, IRooms
from livechat.platforms.steps import Steps

#: Whose picture a word has if several sources know it; a source that is not named comes last.  What
#: a source knows about a room comes before what any knows about all rooms.
PRECEDENCE: Final = ("twitch", "ffz", "bttv", "7tv")


def _rank(source: str) -> int:
    return PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE)


class _Parts:
    """What sources have put in one place, in the order of their precedence."""

    def __init__(self) -> None:
        self._by_source: dict[str, Dictionary] = {}

    def put(self, source: str, dictionary: Dictionary) -> None:
        self._by_source[source] = dictionary

    def ordered(self) -> list[Dictionary]:
        return [self._by_source[source] for source in sorted(self._by_source, key=_rank)]


@implementer(IRoom)
class Room:
    """See `IRoom`; `Rooms.hold` makes it.

    :ivar holders: how many show it.
    """

    def __init__(self, rooms: Rooms, room_id: str) -> None:
        self.platform = rooms.platform
        self.room_id = room_id
        self.holders = 0
        self._rooms = rooms
        self._parts = _Parts()

    def put(self, source: str, dictionary: Dictionary) -> None:
        """See `IRoom`."""
        self._parts.put(source, dictionary)
        self.outdated()

    @cached_property
    def dictionary(self) -> Dictionary:
        """What all sources know about this room.

        It is made when it is needed: what changes for all rooms need not cost all of them at once.
        """
        own = self._parts.ordered()
        return joined([*own, self._rooms.dictionary]) if own else self._rooms.dictionary

    def outdated(self) -> None:
        """The dictionary is to be made anew."""
        self.__dict__.pop("dictionary", None)


@implementer(IRooms)
class Rooms:
    """See `IRooms`.

    :ivar dictionary: what the sources know about all rooms.
    """

    def __init__(self, platform: str, sources: Iterable[IPictureSource], steps: Steps) -> None:
        self.platform = platform
        self.dictionary = EMPTY
        self._steps = steps
        self._parts = _Parts()
        self._rooms: dict[str, Room] = {}
        self._sources = list(sources)
        for source in self._sources:
            source.attached(self)

    def put(self, source: str, dictionary: Dictionary) -> None:
        """See `IRooms`."""
        self._parts.put(source, dictionary)
        self.dictionary = joined(self._parts.ordered())
        for room in self._rooms.values():
            room.outdated()

    def hold(self, room_id: str) -> Room:
        """The room, which is shown from now on at the latest; `release` takes it back."""
        room = self._rooms.get(room_id)
        if room is None:
            room = self._rooms[room_id] = Room(self, room_id)
            for source in self._sources:
                self._steps.run(room_id, source.opened, room)
        room.holders += 1
        return room

    def release(self, room: Room) -> None:
        """One fewer shows the room."""
        room.holders -= 1
        if not room.holders:
            del self._rooms[room.room_id]
            for source in self._sources:
                self._steps.run(room.room_id, source.closed, room)
