# SPDX-License-Identifier: MIT
"""What a leader has published and Redis has not taken yet: one queue, in order; pure.

It holds publications and states.  While Redis is away nothing is queued: what Redis lacks when it
is back is seen from its log, and is taken from the history.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from livechat.brokers.redis.layout import epoch_number
from livechat.brokers.redis.messages import Batch, Told, encode, items_of, state_bytes
from livechat.brokers.redis.queue import Part
from livechat.core.history import Kept
from livechat.core.ports import ChannelState, Ended, Failed, Start
from livechat.core.publication import Publication

#: Most publications of one message, and bytes after which one ends.
MAX_ITEMS: Final = 200
MAX_BYTES: Final = 256 << 10

#: Most messages of one channel in one call.
MAX_PARTS: Final = 8


class Tail:
    """The queue of one channel.

    :param keys: order and log.
    :param topic: where the messages go.
    :ivar previous: the number of what Redis has last.
    """

    def __init__(self, keys: tuple[str, str], topic: str) -> None:
        self._keys = keys
        self._topic = topic
        self._queue: deque[Publication | Kept | ChannelState] = deque()
        self.previous = 0

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, publications: Iterable[Publication | Kept]) -> None:
        """Something was published."""
        self._queue.extend(publications)

    def tell(self, state: ChannelState) -> None:
        """Something was told."""
        self._queue.append(state)

    def clear(self) -> None:
        """Nothing is to be sent."""
        self._queue.clear()

    def begin(self, previous: int, lacking: Iterable[Publication | Kept]) -> None:
        """Send what Redis lacks, and go on from there."""
        self._queue.clear()
        self._queue.extend(lacking)
        self.previous = previous

    def taken(self, count: int) -> None:
        """Redis has so much of it."""
        for _ in range(min(count, len(self._queue))):
            one = self._queue.popleft()
            if isinstance(one, (Publication, Kept)):
                self.previous = one.seq

    def parts(self, term: int, place: Start) -> list[Part]:
        """The next messages.

        :param place: of what was published last, whether it is among them or not.
        """
        parts: list[Part] = []
        until, room_id = place.until, place.room_id
        mine = str(term)
        begin, previous = 0, self.previous
        while begin < len(self._queue) and len(parts) < MAX_PARTS:
            one = self._queue[begin]
            if isinstance(one, (Publication, Kept)):
                run = self._run(begin, one.epoch)
                last = run[-1].seq
                message = encode(Batch(one.epoch, previous, until, room_id, items_of(run)))
                entry = f"{epoch_number(one.epoch)}-{last}"
                count, previous = len(run), last
            else:
                message = encode(Told(state_bytes(one)))
                entry = "end" if isinstance(one, (Failed, Ended)) else "state"
                count = 1
            at = f"{previous} {until} {room_id}"
            parts.append(Part(self._keys, (self._topic, mine, entry, at, message), count))
            begin += count
        return parts

    def _run(self, begin: int, epoch: str) -> Sequence[Publication | Kept]:
        """The publications of one message."""
        run: list[Publication | Kept] = []
        size = 0
        for one in islice(self._queue, begin, begin + MAX_ITEMS):
            if not isinstance(one, (Publication, Kept)) or one.epoch != epoch:
                break
            run.append(one)
            size += len(one.payload)
            if size >= MAX_BYTES:
                break
        return run
