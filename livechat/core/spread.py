# SPDX-License-Identifier: MIT
"""Statistics to the subscribers of one channel: a few at a time, and to each as often as it wants.

Statistics are as large as twenty messages and in no hurry: a push is spread over half a second.
Most subscribers take every push.  Who wants them more seldom is given the latest one when its pause
is over, if it has not got that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.core.clients import IEncoding, ISubscriber
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.events import ChannelKey

#: Seconds between two parts of the subscribers to whom something is spread.
SPREAD_INTERVAL: Final = 0.01

#: A part is this many subscribers, or as many as it takes to be through after so many parts.
SMALLEST_PART: Final = 50
MAX_PARTS: Final = 50

#: Seconds from one search for those whose pause is over to the next, at least.
SEARCH_INTERVAL: Final = 0.1

#: Times that are added up differ from their sum by less than this, in seconds.
_SLACK: Final = 1e-6


class Spread:
    """Spreads the latest statistics.

    :param metrics: count what is delivered.
    """

    def __init__(self, clock: IReactorTime, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        # Makes the latest message for one key; its bytes, by encoding and key.
        self._message: Callable[[ChannelKey], bytes] | None = None
        self._encoded: dict[tuple[IEncoding, ChannelKey], bytes] = {}
        # Who is to be given it now; the last one is the next.  All should have it at `until`.
        self._waiting: dict[Subscription, None] = {}
        self._until = 0.0
        self._call: IDelayedCall | None = None
        # When the pause is over of each one that makes pauses.
        self._pauses: dict[Subscription, float] = {}
        # Who is to be given the latest after its pause.
        self._later: dict[Subscription, float] = {}
        self._search: IDelayedCall | None = None

    def add(self, subscription: Subscription) -> None:
        """Give this one every push, or from now on as often as it wants."""
        if subscription.options.stats:
            self._pauses[subscription] = self._clock.seconds() + subscription.options.stats

    def remove(self, subscription: Subscription) -> None:
        """Give this one nothing more."""
        self.skip(subscription)
        self._pauses.pop(subscription, None)

    def skip(self, subscription: Subscription) -> None:
        """Do not give the latest to this one, which has newer statistics."""
        self._waiting.pop(subscription, None)
        if self._later.pop(subscription, None) is not None and not self._later:
            self._search_later()

    def push(
        self, message: Callable[[ChannelKey], bytes], subscriptions: Iterable[Subscription]
    ) -> None:
        """Deliver one message to all, in a moment or after their pauses.

        Who has not been given the one before is given this one only, and first.

        :param message: makes the JSON message for those who subscribed by one identifier.
        """
        now = self._clock.seconds()
        waiting = dict.fromkeys(subscriptions)
        self._later.clear()
        for subscription, end in self._pauses.items():
            if end > now + _SLACK:
                del waiting[subscription]
                if end < inf:
                    # A clock that was set back must not make the pause longer.
                    end = min(end, now + subscription.options.stats)  # noqa: PLW2901
                    self._later[subscription] = self._pauses[subscription] = end
        for subscription in self._waiting:
            if waiting.pop(subscription, self) is None:
                waiting[subscription] = None
        self._message = message
        self._encoded = {}
        self._waiting = waiting
        self._until = now + (MAX_PARTS - 1) * SPREAD_INTERVAL
        self._write_soon()
        self._search_later()

    def close(self) -> None:
        """Write what is being spread, now, and leave nothing on the clock."""
        self._write(len(self._waiting))
        for call in (self._call, self._search):
            if call is not None:
                call.cancel()
        self._call = self._search = None

    def _write_soon(self) -> None:
        if self._waiting and self._call is None:
            self._call = self._clock.callLater(0, self._due)

    def _due(self) -> None:
        self._call = None
        left = (self._until - self._clock.seconds()) / SPREAD_INTERVAL
        parts = 1 + max(0, min(MAX_PARTS - 1, round(left)))
        self._write(max(SMALLEST_PART, -(-len(self._waiting) // parts)))
        if self._waiting:
            self._call = self._clock.callLater(SPREAD_INTERVAL, self._due)

    def _write(self, size: int) -> None:
        """Write to so many of those who wait."""
        message, encoded = self._message, self._encoded
        if message is None:
            return
        now = self._clock.seconds()
        part: dict[tuple[IEncoding, ChannelKey], list[ISubscriber]] = {}
        for _ in range(min(size, len(self._waiting))):
            subscription = self._waiting.popitem()[0]
            if subscription in self._pauses:
                self._pauses[subscription] = now + subscription.options.stats
            subscriber = subscription.subscriber
            part.setdefault((subscriber.encoding, subscription.key), []).append(subscriber)
        if not self._waiting and not self._later:
            self._message, self._encoded = None, {}
        for (encoding, key), subscribers in part.items():
            data = encoded.get((encoding, key))
            if data is None:
                data = encoded[encoding, key] = encoding.encode(message(key))
            self._metrics.delivered(len(subscribers), len(data) * len(subscribers))
            encoding.write(subscribers, data)

    def _search_later(self) -> None:
        """Look again when the next pause is over."""
        if self._search is not None:
            self._search.cancel()
            self._search = None
        if self._later:
            wait = min(self._later.values()) - self._clock.seconds()
            self._search = self._clock.callLater(max(SEARCH_INTERVAL, wait), self._searched)

    def _searched(self) -> None:
        self._search = None
        now = self._clock.seconds()
        for subscription in [one for one, end in self._later.items() if end <= now + _SLACK]:
            del self._later[subscription]
            self._waiting[subscription] = None
        self._write_soon()
        self._search_later()
