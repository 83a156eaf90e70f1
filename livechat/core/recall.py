# SPDX-License-Identifier: MIT
"""What a subscriber is to be given of what a channel has published before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime

from livechat.core.filters import ChatFilter
from livechat.core.history import IHistory, Kept
from livechat.core.options import CHATS, REMOVALS, Options
from livechat.core.ports import Start
from livechat.core.publication import Publication
from livechat.model.events import ChannelKey


class Recalled(Struct, frozen=True):
    """What a subscriber is given at once.

    :ivar kept: oldest first, without what was removed.
    :ivar complete: whether nothing is missing of what it asked for.
    :ivar held_after: the number after which its chats are held and not among these; None: it holds
        none.
    """

    kept: Sequence[Kept]
    complete: bool
    held_after: int | None = None


class Recall:
    """Reads the history of one channel for its subscribers.

    What was read is remembered until `forget`: many come back at once, and have missed the same.
    """

    def __init__(self, key: ChannelKey, history: IHistory, clock: IReactorTime) -> None:
        self._key = key
        self._history = history
        self._clock = clock
        self._read: dict[int, Publication] = {}

    def past(self, last: Start, options: Options) -> Recalled:
        """What a subscriber with these options is given.

        :param last: the place of what was published last.
        """
        since, complete = options.since, False
        if since is not None and since.epoch == last.epoch and since.seq <= last.seq:
            past = self._history.after(self._key, last.epoch, since.seq, options.kinds)
            complete = since.seq == last.seq if past is None else past.complete
            kept = () if past is None else self._passing(past.publications, options.filter)
        else:
            kept = self._latest(last, options)
        if not options.hold:
            return Recalled(kept, complete)
        return self._without_young(Recalled(kept, complete, last.seq), options.hold)

    def recent(self, epoch: str, seconds: float) -> Sequence[tuple[Publication, float]]:
        """The chats that came in the last so many seconds, and when."""
        past = self._history.after(self._key, epoch, 0, CHATS)
        kept = () if past is None else past.publications
        young = self._clock.seconds() - seconds
        return [(self._publication(one), one.at) for one in kept if one.at > young]

    def forget(self) -> None:
        """Forget what was read."""
        self._read.clear()

    def _latest(self, last: Start, options: Options) -> Sequence[Kept]:
        """The last so many that the subscriber takes."""
        kinds, chosen = options.kinds & ~REMOVALS, options.filter
        if chosen is None:
            return self._history.last(self._key, last.epoch, options.history, kinds)
        past = self._history.after(self._key, last.epoch, 0, kinds)
        kept = () if past is None else past.publications
        passing = (one for one in reversed(kept) if self._passes(one, chosen))
        return list(islice(passing, options.history))[::-1]

    def _without_young(self, recalled: Recalled, hold: float) -> Recalled:
        """The same without the chats that are held, of which the others come after `held_after`."""
        young = self._clock.seconds() - hold
        chats = (one for one in recalled.kept if one.kind == "chat" and one.at > young)
        first = next(chats, None)
        if first is None:
            return recalled
        after = first.seq - 1
        # Events that come before them say where whoever has them goes on.
        kept = [
            one if one.seq <= after else replace(one, resume=after)
            for one in recalled.kept
            if one.seq <= after or one.kind != "chat"
        ]
        return Recalled(kept, recalled.complete, after)

    def _passing(self, kept: Sequence[Kept], chosen: ChatFilter | None) -> Sequence[Kept]:
        """What a filter lets through."""
        return kept if chosen is None else [one for one in kept if self._passes(one, chosen)]

    def _passes(self, kept: Kept, chosen: ChatFilter) -> bool:
        return kept.kind != "chat" or self._publication(kept).passes(chosen)

    def _publication(self, kept: Kept) -> Publication:
        """The publication that was kept.  Kept is its JSON, as the message takes more memory."""
        publication = self._read.get(kept.seq)
        if publication is None:
            publication = self._read[kept.seq] = Publication(
                kept.epoch,
                kept.seq,
                kept.kind,
                kept.item,
                kept.author,
                "",
                "",
                kept.bit,
                kept.payload,
            )
        return publication
