# SPDX-License-Identifier: MIT
"""Identifiers whose chats are being looked for, and who waits for each.

A start waits here until it is its turn (`livechat.core.start_queue`), and then for the platform to
say which chat is meant.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from livechat.core.failures import coded
from livechat.core.overview import ChannelView
from livechat.core.ports import IPlatform, Located
from livechat.core.services import Services
from livechat.core.start_queue import StartQueue
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, iso_time


class _Resolution(Struct, eq=False):
    """An identifier whose chat is being looked for, and who waits for it."""

    platform: IPlatform
    waiting: dict[Subscription, None]
    since: str
    resolving: Deferred[Located] | None = None


class Resolving:
    """What platforms are being asked: which chats identifiers mean.

    :param resolved: called with the chat that a key means, and who waited for it; returns what
        fires when the start of that chat is over.
    :param unresolved: called with each of those who waited in vain, and why.
    """

    def __init__(
        self,
        services: Services,
        resolved: Callable[[IPlatform, Located, ChannelKey, list[Subscription]], Deferred[None]],
        unresolved: Callable[[Subscription, ChatError], None],
    ) -> None:
        self._services = services
        self._resolved = resolved
        self._unresolved = unresolved
        self._resolutions: dict[ChannelKey, _Resolution] = {}
        self._starts: dict[str, StartQueue] = {}

    def __len__(self) -> int:
        return len(self._resolutions)

    def __contains__(self, key: object) -> bool:
        return key in self._resolutions

    def join(self, subscription: Subscription) -> None:
        """Let somebody wait for an identifier that is being resolved: its `target`."""
        self._resolutions[subscription.target].waiting[subscription] = None

    def begin(self, platform: IPlatform, first: Subscription) -> None:
        """Resolve what somebody is the first to ask for: its `target`."""
        key = first.target
        since = iso_time(round(self._services.now() * 1000))
        resolution = _Resolution(platform, {first: None}, since)
        self._resolutions[key] = resolution
        self._services.metrics.channels.inc()
        self._queue(platform.name).put(key, first.subscriber.requester)

    def _queue(self, platform: str) -> StartQueue:
        queue = self._starts.get(platform)
        if queue is None:
            services = self._services
            queue = StartQueue(services.clock, services.demand, self._ask, self._queued)
            self._starts[platform] = queue
            services.metrics.budget_waiting.labels(platform, "starts").set_function(queue.__len__)
        return queue

    def _ask(self, key: ChannelKey) -> None:
        """It is its turn."""
        resolution = self._resolutions[key]
        requester = next(iter(resolution.waiting)).subscriber.requester
        ask = resolution.platform.resolve
        resolving = maybeDeferred(ask, key, requester, lambda: self._queued(key))
        resolution.resolving = resolving
        resolving.addCallbacks(self._done, self._failed, callbackArgs=(key,), errbackArgs=(key,))

    def _queued(self, key: ChannelKey) -> None:
        resolution = self._resolutions.get(key)
        if resolution is not None:
            for subscription in list(resolution.waiting):
                subscription.tell_queued(self._services.clock.seconds())

    def give_up(self, subscription: Subscription) -> None:
        """Somebody does not wait any more; who does not wait here is ignored."""
        resolution = self._resolutions.get(subscription.target)
        if resolution is not None and subscription in resolution.waiting:
            del resolution.waiting[subscription]
            if not resolution.waiting:
                self._cancel(subscription.target)

    def views(self) -> list[ChannelView]:
        """What operators see of it."""
        return [
            ChannelView(
                platform=key.platform,
                identifier=key.identifier,
                state="waiting",
                since=resolution.since,
                subscribers=len(resolution.waiting),
            )
            for key, resolution in self._resolutions.items()
        ]

    def stop(self) -> None:
        """Ask nothing any more; nobody is told."""
        for key in list(self._resolutions):
            self._cancel(key)

    def _done(self, located: Located, key: ChannelKey) -> None:
        resolution = self._taken(key)
        over = self._resolved(resolution.platform, located, key, list(resolution.waiting))
        over.addCallback(lambda _: self._queue(key.platform).over(key))

    def _failed(self, reason: Failure, key: ChannelKey) -> None:
        if key not in self._resolutions:
            # Cancelled, because nobody waits any more.
            return
        resolution = self._taken(key)
        self._queue(key.platform).over(key)
        error = coded(reason, key)
        self._services.metrics.starts.labels(key.platform, error.code).inc()
        self._services.log.failed(key, error)
        for subscription in resolution.waiting:
            self._unresolved(subscription, error)

    def _taken(self, key: ChannelKey) -> _Resolution:
        self._services.metrics.channels.dec()
        return self._resolutions.pop(key)

    def _cancel(self, key: ChannelKey) -> None:
        resolution = self._taken(key)
        self._queue(key.platform).over(key)
        if resolution.resolving is not None:
            resolution.resolving.cancel()
