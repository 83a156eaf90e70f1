# SPDX-License-Identifier: MIT
"""What channels have published, in the memory of this process and within bounds."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from msgspec import Struct
from twisted.application.internet import TimerService
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from livechat.core.clients import Place
from livechat.core.history import IHistory, Kept, Past
from livechat.core.publication import Publication
from livechat.core.removals import REMOVALS, remove
from livechat.model.events import ChannelKey

#: Defaults: publications of a channel, seconds, bytes of all channels.
SIZE: Final = 500
TTL: Final = 300.0
MEMORY: Final = 256 << 20

#: Bytes of one channel.
CHANNEL_MEMORY: Final = 1 << 20

#: Bytes that a kept publication takes beside its payload, as measured: the object itself, the head
#: of the payload, its id and that of its author, its number, its place.
COST: Final = 346

#: How often what has expired is dropped of channels that publish nothing, in seconds.
SWEEP: Final = 10.0

_seq = attrgetter("seq")


class _Ring(Struct, gc=False):
    """What is kept of one channel.

    :ivar kept: oldest first.
    :ivar floor: the number after which nothing is missing.
    :ivar size: bytes, about.
    """

    epoch: str
    floor: int
    kept: list[Kept]
    size: int = 0


@implementer(IHistory)
class MemoryHistory(TimerService):
    """Keeps at most `size` publications for `ttl` seconds and `CHANNEL_MEMORY` bytes per channel.

    A service: as long as it runs, what has expired is dropped soon.

    :param memory: bytes of all channels together; the one that has published nothing for the
        longest time shrinks first.
    """

    def __init__(
        self, clock: IReactorTime, size: int = SIZE, ttl: float = TTL, memory: int = MEMORY
    ) -> None:
        super().__init__(SWEEP, self.sweep)
        self.clock = clock
        self._seconds = clock.seconds
        self._count = size if ttl > 0 else 0
        self._most = self._count + (self._count >> 4)
        self._ttl = ttl
        self._memory = memory
        self._total = 0
        # The channel that published last stands last.
        self._rings: OrderedDict[ChannelKey, _Ring] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes that are kept, about."""
        return self._total

    @property
    def channels(self) -> int:
        """How many channels have something kept."""
        return len(self._rings)

    def append(
        self, key: ChannelKey, publications: Sequence[Publication], age: float = 0.0
    ) -> None:
        """See `IHistory`."""
        ring = self._rings.get(key)
        if ring is None or ring.epoch != publications[0].epoch:
            ring = self._begin(key, publications[0].epoch, publications[0].seq - 1)
        self._rings.move_to_end(key)
        kept = ring.kept
        now = self._seconds()
        at = now
        if age:
            # Times rise with numbers.
            at = max(now - age, kept[-1].at) if kept else now - age
        size = 0
        for publication in publications:
            one = Kept.of(publication, at)
            if one.kind in REMOVALS:
                remove(kept, one)
            kept.append(one)
            size += len(publication.payload) + COST
        ring.size += size
        self._total += size
        # Some at once; whoever reads sees the exact bounds.
        if len(kept) > self._most or ring.size > CHANNEL_MEMORY:
            self._trim(ring, now)
        while self._total > self._memory:
            self._shrink()

    def broke(self, place: Place) -> None:
        """See `IHistory`."""
        ring = self._rings.get(place.key)
        if ring is None or ring.epoch != place.epoch:
            ring = self._begin(place.key, place.epoch, place.seq)
        ring.floor = max(ring.floor, place.seq)

    def after(self, key: ChannelKey, epoch: str, seq: int, kinds: int) -> Past | None:
        """See `IHistory`."""
        ring = self._of(key, epoch)
        if ring is None:
            return None
        kept = ring.kept
        begin = bisect_right(kept, seq, key=_seq)
        found = [one for one in kept[begin:] if one.bit & kinds and not one.removed]
        return Past(found, seq >= ring.floor)

    def everything_after(self, key: ChannelKey, epoch: str, seq: int) -> Sequence[Kept]:
        """See `IHistory`."""
        ring = self._of(key, epoch)
        if ring is None:
            return ()
        return ring.kept[bisect_right(ring.kept, max(seq, ring.floor), key=_seq) :]

    def last(self, key: ChannelKey, epoch: str, count: int, kinds: int) -> Sequence[Kept]:
        """See `IHistory`."""
        ring = self._of(key, epoch)
        if ring is None or count <= 0:
            return ()
        return [one for one in ring.kept if one.bit & kinds and not one.removed][-count:]

    def latest(self, key: ChannelKey) -> Place | None:
        """See `IHistory`."""
        ring = self._rings.get(key)
        if ring is None:
            return None
        self._trim(ring, self._seconds())
        if ring.kept:
            return Place(key, ring.epoch, ring.kept[-1].seq)
        # Whoever has nothing begins anywhere: what it is given next may not come after this.
        del self._rings[key]
        return None

    def items(self, key: ChannelKey, epoch: str) -> Iterable[str]:
        """See `IHistory`."""
        ring = self._of(key, epoch)
        return () if ring is None else [one.item for one in ring.kept]

    def sweep(self) -> None:
        """Drop what has expired."""
        now = self._seconds()
        for key, ring in list(self._rings.items()):
            self._trim(ring, now)
            if not ring.kept:
                del self._rings[key]

    def _begin(self, key: ChannelKey, epoch: str, floor: int) -> _Ring:
        """Keep what a channel publishes from now on; what there is of another epoch goes."""
        replaced = self._rings.get(key)
        if replaced is not None:
            self._total -= replaced.size
        ring = self._rings[key] = _Ring(epoch, floor, [])
        return ring

    def _of(self, key: ChannelKey, epoch: str) -> _Ring | None:
        """What is kept of a channel at this moment."""
        ring = self._rings.get(key)
        if ring is None or ring.epoch != epoch:
            return None
        self._trim(ring, self._seconds())
        return ring

    def _trim(self, ring: _Ring, now: float) -> None:
        """Hold a channel to the bounds of its own."""
        kept = ring.kept
        too_many = len(kept) - self._count
        oldest = now - self._ttl
        size = ring.size
        count = 0
        for one in kept:
            if count >= too_many and size <= CHANNEL_MEMORY and one.at > oldest:
                break
            size -= len(one.payload) + COST
            count += 1
        if count:
            self._drop(ring, count, size)

    def _shrink(self) -> None:
        """Drop the oldest publications of the channel that published nothing for longest."""
        key, ring = next(iter(self._rings.items()))
        # Some at once, because each time the rest moves up.
        oldest = ring.kept[: max(1, len(ring.kept) // 16)]
        if oldest:
            dropped = sum(len(one.payload) + COST for one in oldest)
            self._drop(ring, len(oldest), ring.size - dropped)
        if not ring.kept:
            del self._rings[key]

    def _drop(self, ring: _Ring, count: int, size: int) -> None:
        """Drop so many of the oldest; what stays has this size."""
        ring.floor = ring.kept[count - 1].seq
        del ring.kept[:count]
        self._total -= ring.size - size
        ring.size = size
