# SPDX-License-Identifier: MIT
"""The port to what channels have published, and one publication as it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from zope.interface import Interface

from livechat.core.clients import IEncoding, Place
from livechat.core.publication import Publication
from livechat.model.events import ALL_KINDS, ChannelKey
from livechat.protocol.commands import Since
from livechat.protocol.messages import envelope

# zope.interface methods have no self, and the plugin reads them as such.
# mypy: disable-error-code="no-untyped-def"


class Kept(Struct, eq=False, gc=False):
    """A publication as it is kept: its bytes, and what it must be found by.

    It holds nothing that leads back to it, so the garbage collector need not look at it.

    :ivar item: what names the event within its channel.
    :ivar author: the id of who wrote it; empty where it is no chat message.
    :ivar payload: its JSON, without the envelope that names the channel.
    :ivar at: when it was published, in seconds of the clock.
    :ivar removed: whether it was deleted, or its author timed out, after it was published.
    :ivar resume: the number after which somebody who has it goes on; None: its own.
    """

    epoch: str
    seq: int
    kind: str
    bit: int
    item: str
    author: str
    payload: bytes
    at: float
    removed: bool = False
    resume: int | None = None

    @classmethod
    def of(cls, publication: Publication, at: float) -> Kept:
        """A publication to be kept."""
        return cls(
            publication.epoch,
            publication.seq,
            publication.kind,
            publication.bit,
            publication.item,
            publication.author,
            publication.payload,
            at,
        )

    def message(self, key: ChannelKey) -> bytes:
        """The JSON message for those who subscribed by this identifier."""
        return envelope(self.kind, self.payload, key, self.seq)

    def encoded(self, encoding: IEncoding, key: ChannelKey) -> bytes:
        """The bytes for one kind of connection and identifier."""
        place = Place(key, self.epoch, self.seq if self.resume is None else self.resume)
        return encoding.encode(self.message(key), place)


class Past(Struct, frozen=True):
    """What is kept after some place in a channel's order.

    :ivar publications: oldest first, without what was removed.
    :ivar complete: whether nothing after that place is missing, but for what was removed.
    """

    publications: Sequence[Kept]
    complete: bool


class IHistory(Interface):
    """Keeps what the channels of this node have published, whoever led them, for a bounded time.

    Reading neither waits nor fails, so that what is read and what is published next follow each
    other without a gap.  A history that is shared with other nodes is filled before a channel of
    this node is told its role.
    """

    def append(key: ChannelKey, publications: Sequence[Publication], age: float = 0.0) -> None:
        """Keep what a channel published: at least one, in order, of one epoch.

        Another epoch than that of what is kept replaces it.  A `deletion` or `timeout` removes the
        chat messages before it that it concerns.

        :param age: for how many seconds it has been published, for a node that learns of it later.
        """

    def broke(place: Place) -> None:
        """What was published up to there, and is not kept, is nowhere any more."""

    def after(key: ChannelKey, epoch: str, seq: int, kinds: int) -> Past | None:
        """What is kept of these kinds after a number.

        :param kinds: bits of the kinds that are wanted (`livechat.model.events`).
        :return: None: nothing is kept of this epoch, and nothing is known of it.
        """

    def everything_after(key: ChannelKey, epoch: str, seq: int) -> Sequence[Kept]:
        """What is kept after a number, of all kinds, also what was removed; nothing is missing
        between its publications.
        """

    def last(key: ChannelKey, epoch: str, count: int, kinds: int) -> Sequence[Kept]:
        """The last so many of these kinds, oldest first, without what was removed."""

    def latest(key: ChannelKey) -> Place | None:
        """The place of what a channel published last; None: nothing of it is kept."""

    def items(key: ChannelKey, epoch: str) -> Iterable[str]:
        """The names of everything that is kept, removed or not, oldest first."""


def past(history: IHistory, place: Place, since: Since | None, limit: int) -> Past:
    """What is kept of a channel's order; see `Hub.past`."""
    if since is None:
        return Past(history.last(place.key, place.epoch, limit, ALL_KINDS), complete=True)
    known = since.epoch == place.epoch and since.seq <= place.seq
    kept = history.after(place.key, place.epoch, since.seq if known else 0, ALL_KINDS)
    if kept is None:
        # Nothing was published, or nothing of it is kept.
        return Past((), complete=known and since.seq == place.seq)
    return Past(kept.publications[:limit], known and kept.complete)
