# SPDX-License-Identifier: MIT
"""Giving subscribers what was published before they came, or while they were away.

A replay is written in parts, as fast as its subscriber reads, a few milliseconds in each turn of
the event loop.  Until it has caught up its subscriber is not in the fan-out; in the turn in which
nothing is missing any more it is put there: nothing falls between the two, nothing comes twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.clients import IEncoding
from livechat.core.history import IHistory, Kept
from livechat.core.options import Options
from livechat.core.ports import Start
from livechat.core.publication import Publication
from livechat.core.recall import Recall
from livechat.core.standing import Standing
from livechat.core.subscription import Subscription
from livechat.core.turns import Turns
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.model.events import ChannelKey

#: Bytes of one part of a replay, and how many may wait for a client before it is given the next.
PART: Final = 64 << 10

#: Seconds for which frames are kept for others who come back.
FRAMES_KEPT: Final = 1.0

#: Seconds from one look at those who do not read to the next.
LOOK: Final = 1.0

_seq = attrgetter("seq")

Item = Kept | Publication

_Frames = dict[tuple[IEncoding, ChannelKey], dict[int, bytes]]


class Replay:
    """What one subscriber is still to be given.

    :ivar items: what was read of the history, and then what was published after that.
    :ivar given: how many of these were written.
    :ivar until: the number up to which they reach.
    :ivar told: how the chat stood when the subscriber was told so last.
    :ivar held_after: the number after which its chats are held, and not given here; None: it holds
        none.
    :ivar waits: fires when the subscriber has read enough; None while its turn is to come.
    """

    __slots__ = ("given", "held_after", "items", "subscription", "told", "until", "waits")

    def __init__(
        self,
        subscription: Subscription,
        items: Sequence[Item],
        until: int,
        told: Standing | None,
        held_after: int | None,
    ) -> None:
        self.subscription = subscription
        self.items = items
        self.given = 0
        self.until = until
        self.told = told
        self.held_after = held_after
        self.waits: Deferred[None] | None = None

    @property
    def position(self) -> int:
        """The number after which everything is still to be given."""
        return self.items[self.given].seq - 1 if self.given < len(self.items) else self.until


class Replays:
    """The subscribers of one channel who are being given what was published before.

    :param last: the place of what was published last.
    :param caught_up: called with a replay whose subscriber has been given everything.
    """

    def __init__(
        self,
        key: ChannelKey,
        history: IHistory,
        recall: Recall,
        turns: Turns,
        clock: IReactorTime,
        metrics: Metrics,
        last: Callable[[], Start],
        caught_up: Callable[[Replay], object],
    ) -> None:
        self._key = key
        self._history = history
        self._recall = recall
        self._turns = turns
        self._clock = clock
        self._metrics = metrics
        self._slow = metrics.closed.labels("slow")
        self._last = last
        self._caught_up = caught_up
        self._replays: dict[Subscription, Replay] = {}
        # What was published since the first of them began.
        self._published: list[Publication] = []
        self._looked = 0.0
        # Frames of the last seconds, by number: many come back at once, and miss the same.
        self._frames: _Frames = {}
        self._older: _Frames = {}
        self._ageing: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._replays)

    def __contains__(self, subscription: object) -> bool:
        return subscription in self._replays

    @property
    def subscriptions(self) -> list[Subscription]:
        """Everybody who has not caught up."""
        return list(self._replays)

    def begin(
        self,
        subscription: Subscription,
        kept: Sequence[Kept],
        until: int,
        told: Standing,
        held_after: int | None = None,
    ) -> None:
        """Give this one what was kept, and then what is published from now on.

        :param until: the number of what was published last.
        :param held_after: see `Replay`.
        """
        replay = Replay(subscription, kept, until, told, held_after)
        self._replays[subscription] = replay
        if self._ageing is None:
            self._ageing = self._clock.callLater(FRAMES_KEPT, self._age)
        self._turns.take(lambda: self._write(replay))

    def owes(self, subscription: Subscription) -> bool:
        """Whether this one is to be told how the chat stands, as it has asked again."""
        replay = self._replays.get(subscription)
        return replay is not None and replay.told is None

    def change(
        self,
        subscription: Subscription,
        options: Options,
        held: Sequence[Publication] = (),
        held_after: int | None = None,
    ) -> None:
        """What was published so far is for the old options, what comes now for the new ones.

        Unknown ones are ignored.  It is told how the chat stands when it has caught up.

        :param held: what was held for it, and is not any more.
        :param held_after: see `Replay`.
        """
        replay = self._replays.get(subscription)
        if replay is not None:
            self._read_on(replay)
            replay.told = None
            subscription.options = options
            replay.held_after = held_after
            self._add(replay, held)

    def until(self, subscription: Subscription) -> int:
        """The number up to which this one is given everything here."""
        replay = self._replays[subscription]
        self._read_on(replay)
        return replay.until

    def remove(self, subscription: Subscription) -> None:
        """Give this one nothing more.  Unknown ones are ignored."""
        self._replays.pop(subscription, None)
        if not self._replays:
            self._published.clear()

    def finish(self, subscription: Subscription, held: Sequence[Publication] = ()) -> None:
        """Give this one the rest at once; it does not come into the fan-out.  As `remove`.

        :param held: what was held for it.
        """
        replay = self._replays.get(subscription)
        if replay is not None:
            self._read_on(replay)
            self._add(replay, held)
        while replay is not None and self._replays.get(subscription) is replay:
            if self._write_part(replay):
                self.remove(subscription)

    def published(self, publications: Sequence[Publication]) -> None:
        """Something was published, and is kept."""
        if self._replays:
            self._published.extend(publications)
            if self._clock.seconds() - self._looked >= LOOK:
                self._looked = self._clock.seconds()
                self._look()

    def close(self) -> None:
        """Leave nothing on the clock."""
        if self._ageing is not None:
            self._ageing.cancel()
            self._ageing = None

    def _write(self, replay: Replay) -> None:
        """Write one part; then it has caught up, or waits until it is read."""
        subscription = replay.subscription
        if self._replays.get(subscription) is not replay:
            return
        done = self._write_part(replay)
        if self._replays.get(subscription) is not replay:
            # While it was written to it has left, or was closed.
            return
        if done:
            self.remove(subscription)
            self._caught_up(replay)
            return
        replay.waits = subscription.subscriber.when_below(PART)
        replay.waits.addCallback(self._has_read, replay)

    def _has_read(self, _: object, replay: Replay) -> None:
        replay.waits = None
        self._turns.take(lambda: self._write(replay))

    def _write_part(self, replay: Replay) -> bool:
        """Write one part.

        :return: whether nothing is missing any more.
        """
        subscription = replay.subscription
        if replay.given == len(replay.items):
            self._read_on(replay)
        subscriber = subscription.subscriber
        form = (subscriber.encoding, subscription.key)
        frames = self._frames.setdefault(form, {})
        older = self._older.get(form, frames)
        part: list[bytes] = []
        size = 0
        items, given = replay.items, replay.given
        while given < len(items) and size < PART:
            one = items[given]
            given += 1
            if one.removed:
                continue
            frame = frames.get(one.seq) if one.resume is None else one.encoded(*form)
            if frame is None:
                frame = frames[one.seq] = older.get(one.seq) or one.encoded(*form)
            part.append(frame)
            size += len(frame)
        replay.given = given
        if part:
            self._metrics.delivered(len(part), size)
            subscriber.encoding.write([subscriber], b"".join(part))
        return given == len(items) and replay.until == self._last().seq

    def _read_on(self, replay: Replay) -> None:
        """Take what was published meanwhile."""
        published, after = self._published, replay.held_after
        if published and published[-1].seq > replay.until:
            new = published[bisect_right(published, replay.until, key=_seq) :]
            if after is not None:
                new = [one.resuming(after) for one in new if one.kind != "chat"]
            self._add(replay, new)
            replay.until = published[-1].seq

    def _add(self, replay: Replay, publications: Sequence[Publication]) -> None:
        """Give this one what it takes of these, after all that it is to be given already."""
        options = replay.subscription.options
        new = [one for one in publications if one.bit & options.kinds]
        if options.filter is not None:
            new = [one for one in new if one.passes(options.filter)]
        replay.items = [*replay.items[replay.given :], *new]
        replay.given = 0

    def _look(self) -> None:
        """Whoever reads so slowly that what it needs is not kept any more is closed."""
        for replay in list(self._replays.values()):
            # It is not to blame while its turn has not come.
            if replay.waits is not None and not self._is_kept(replay):
                self._close(replay)
        needed = min((replay.until for replay in self._replays.values()), default=0)
        del self._published[: bisect_right(self._published, needed, key=_seq)]

    def _is_kept(self, replay: Replay) -> bool:
        """Whether everything is still kept that the replay needs."""
        last = self._last()
        past = self._history.after(self._key, last.epoch, replay.position, 0)
        return replay.position == last.seq if past is None else past.complete

    def _close(self, replay: Replay) -> None:
        self.remove(replay.subscription)
        self._slow.inc()
        replay.subscription.subscriber.close(CloseCode.SLOW, "slow")

    def _age(self) -> None:
        """Drop the frames that nobody has used for a while, and what filters said."""
        self._older, self._frames = self._frames, {}
        self._recall.forget()
        self._ageing = None
        if self._older or self._replays:
            self._ageing = self._clock.callLater(FRAMES_KEPT, self._age)
