# SPDX-License-Identifier: MIT
"""From what a platform reported to publications: new, counted, encoded once, numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from livechat.core.ports import Start
from livechat.core.publication import Publication, latest
from livechat.core.recent_ids import RecentIds
from livechat.core.stats import ChannelStats
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.events import (
    ChannelKey,
    Event,
    item_of,
)


class Sequencer:
    """Gives the events of one channel their places in its order.

    :ivar start: the epoch, the highest number that was given, and the latest time of an event.
    :ivar recent: what names the events that were published last.
    """

    def __init__(self, key: ChannelKey, stats: ChannelStats, metrics: Metrics) -> None:
        self.start = Start("", 0)
        self._key = key
        self._stats = stats
        self._metrics = metrics
        self._duplicates = metrics.duplicates.labels(key.platform)
        self._events = metrics.events.labels(key.platform)
        self._messages = metrics.messages.labels(key.platform)
        self.recent = RecentIds()

    def knows(self, event: Event) -> bool:
        """Whether this was published before."""
        return item_of(event) in self.recent

    def publications(self, events: Sequence[Event], counted: bool = True) -> list[Publication]:
        """What of these events is new, as publications; one that cannot be encoded is left out.

        :param counted: whether they count in the statistics.
        """
        publications: list[Publication] = []
        chats = others = duplicates = 0
        epoch, seq, seen = self.start.epoch, self.start.seq, self.recent.seen
        for event in events:
            if seen(item_of(event)):
                duplicates += 1
                continue
            try:
                publication = Publication.of(epoch, seq + 1, event)
            except (ValueError, TypeError, OverflowError):
                # Whatever a translator let through: it costs this item only.
                self._metrics.count_unparsed(self._key.platform, "unencodable")
                continue
            seq += 1
            if isinstance(event, ChatMessage):
                chats += 1
                if counted:
                    self._stats.count(event)
            else:
                others += 1
                if counted:
                    self._stats.count_event(event)
            publications.append(publication)
        if duplicates:
            self._duplicates.inc(duplicates)
        if others:
            self._events.inc(others)
        if chats:
            self._messages.inc(chats)
        if publications:
            if counted:
                self._stats.covers(epoch, self.start.seq, seq)
            until = latest(self.start.until, publications)
            self.start = Start(epoch, seq, until, publications[-1].room_id)
        return publications

    def goes_on_after(self, publications: Sequence[Publication]) -> None:
        """Another node has published this."""
        last = publications[-1]
        until = latest(self.start.until, publications)
        self.start = Start(last.epoch, last.seq, until, last.room_id)

    def remember(self, items: Iterable[str]) -> None:
        """Recognise later what was published before, should the platform repeat it.

        :param items: what names the events within their channel.
        """
        for item in items:
            self.recent.seen(item)
