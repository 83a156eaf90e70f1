# SPDX-License-Identifier: MIT
"""What was counted about one channel: what Redis holds, and what it is still to be given; pure.

    counted -> unsent -> sent (a numbered batch, repeated until it is answered) -> stored

A Redis that comes back with less than it had (emptied, or restored from an older copy) is given
everything that is known here, in place of what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from livechat.model.events import Tally
from livechat.statistics.redis_layout import Reply, batch_of, read_totals, request
from livechat.statistics.totals import ChannelTotals


class _Batch(Struct):
    """Counts on their way, in a form that does not change until they have arrived.

    :ivar counts: what would be lost if it did not arrive.
    :ivar instead: whether it holds everything that is known, in place of what Redis holds.
    """

    number: int
    counts: ChannelTotals
    content: bytes
    instead: bool = False


class Account:
    """The counts of one channel.

    :param numbers: for batches; rises over all accounts of a process.
    :ivar totals: what Redis holds, as far as known, and all that was counted here.
    :ivar stale: whether Redis holds something that is not known here.
    """

    def __init__(self, max_users: int, numbers: Iterator[int]) -> None:
        self._max_users = max_users
        self._numbers = numbers
        self._unsent: ChannelTotals | None = None
        self._sent: _Batch | None = None
        self._stored = 0
        self.totals = ChannelTotals(max_users)
        self.stale = True

    @property
    def settled(self) -> bool:
        """Whether Redis has everything."""
        return not self._pending()

    @property
    def waiting(self) -> int:
        """Messages that Redis was not told of, as far as known."""
        return sum(counts.total for counts in self._pending())

    def add(self, tally: Tally) -> None:
        """Count."""
        if self._unsent is None:
            self._unsent = ChannelTotals(self._max_users)
        self._unsent.add(tally)
        self.totals.add(tally)

    def question(self, *, whole: bool, ears: int, topic: str = "") -> bytes:
        """What to ask of Redis: to add the last batch, if it was not answered, or what has come.

        :param whole: whether everything that is stored is to be answered.
        :param ears: see `request`; `topic` too.
        """
        if self._sent is None and self._unsent is not None:
            self._send(self._unsent)
            self._unsent = None
        sent = self._sent
        return request(
            sent.number if sent else 0,
            sent.content if sent else b"",
            instead=sent is not None and sent.instead,
            expected=self._stored,
            max_users=self._max_users,
            named=self._max_users if whole else 0,
            ears=ears,
            topic=topic,
        )

    def learn(self, reply: Reply, *, whole: bool) -> None:
        """Take in what Redis answered to the last question.

        :raises ValueError: Redis holds something that is not ours.
        """
        if reply.outcome == "behind":
            counts = ChannelTotals(self._max_users)
            for part in self._pending():
                counts.merge(part)
            self._unsent = None
            self._sent = _Batch(next(self._numbers), counts, batch_of(self.totals), instead=True)
            return
        sent = self._sent
        if reply.outcome == "present":
            # Another process was faster; what it did not know of is still to be added.
            self._send(sent.counts if sent else ChannelTotals(self._max_users))
            self.stale = True
            return
        if whole:
            totals = read_totals(reply, self._max_users)
            if self._unsent is not None:
                totals.merge(self._unsent)
            totals.uniques.merge(self.totals.uniques.registers.items())
            self.totals = totals
            self.stale = False
        else:
            self.stale |= reply.total != self._stored + (sent.counts.total if sent else 0)
        self._sent = None
        self._stored = reply.total

    def _pending(self) -> list[ChannelTotals]:
        sent = self._sent.counts if self._sent else None
        return [counts for counts in (sent, self._unsent) if counts is not None]

    def _send(self, counts: ChannelTotals) -> None:
        self._sent = _Batch(next(self._numbers), counts, batch_of(counts))
