# SPDX-License-Identifier: MIT
"""How pictures get into the dictionaries: what a source of pictures provides, and what it is given.

A source is Twitch itself (badges, cheermotes) or a provider of emotes (FrankerFaceZ, BetterTTV,
7TV).  It finds out what it has for a room in its own time and puts it into the room; messages do
not wait for it.  A source is made once for the process and serves every platform to which it is
attached.
"""

from __future__ import annotations

from zope.interface import Attribute, Interface

from livechat.platforms.enrichment.dictionary import Dictionary

# zope.interface methods have no self, and the plugin reads them as such.
# mypy: disable-error-code="no-untyped-def"


class IRoom(Interface):
    """A room whose messages are shown at present, by one watcher or several."""

    platform: str = Attribute("The platform's name.")
    room_id: str = Attribute(
        "The platform's id of the room, as it stands in messages: any characters.  Check it before"
        " it becomes part of an address."
    )

    def put(source: str, dictionary: Dictionary) -> None:
        """What a source knows about this room, in place of what it put here before.

        It counts from the next message on.  After `closed` it does nothing.

        :param source: the source's name.
        """


class IRooms(Interface):
    """The rooms of one platform."""

    platform: str = Attribute("The platform's name.")

    def put(source: str, dictionary: Dictionary) -> None:
        """What a source knows about all rooms, likewise."""


class IPictureSource(Interface):
    """Somebody who knows pictures."""

    name: str = Attribute("`twitch`, `ffz`, `bttv` or `7tv`; see `rooms.PRECEDENCE`.")

    def attached(rooms: IRooms) -> None:
        """These rooms will be opened; called once for each platform, before anything else.

        What counts in all rooms may be put there at any time.  It need not be asked for before
        a room is opened.
        """

    def opened(room: IRoom) -> None:
        """Messages of this room are shown from now on.  Return at once; put later, or never.

        A room that nobody shows any more is closed.  It is opened again, as another object, when
        somebody does: what was found out may be kept for that.
        """

    def closed(room: IRoom) -> None:
        """Nobody shows this room any more."""
