# SPDX-License-Identifier: MIT
"""Starts that failed a moment ago: asking again brings the same answer and no request.

A channel that does not exist is remembered for a minute, one that could not be reached for some
seconds.  That a channel is not live is not remembered: it may be the next moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IWatcher
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo

T = TypeVar("T")

#: Seconds for which a failure is remembered, by its code.
SECONDS: Final[Mapping[ErrorCode, float]] = {
    ErrorCode.STREAM_NOT_FOUND: 60.0,
    ErrorCode.UPSTREAM_UNAVAILABLE: 5.0,
}

#: Most failures remembered for one platform; the oldest is forgotten first.
MAX_REMEMBERED: Final = 10_000


class Failures:
    """The failed starts of one platform.

    :param platform: its name, for metrics.
    """

    def __init__(self, clock: IReactorTime, metrics: Metrics, platform: str) -> None:
        self._clock = clock
        self._answered = metrics.remembered.labels(platform)
        # What failed, when, and how.
        self._failed: dict[ChannelKey, tuple[float, ChatError]] = {}

    def guard(
        self,
        key: ChannelKey,
        act: Callable[[], Deferred[T]],
        spared: Callable[[], object] = lambda: None,
    ) -> Deferred[T]:
        """What `act` comes to, unless it is remembered that it fails; its failure is remembered.

        :param spared: called if `act` is not.
        """
        error = self._of(key)
        if error is not None:
            self._answered.inc()
            spared()
            return fail(error)
        return act().addErrback(self._remember, key)

    def watcher(self, key: ChannelKey, watcher: IWatcher) -> IWatcher:
        """A watcher whose start is guarded."""
        return _Guarded(self, key, watcher)

    def _of(self, key: ChannelKey) -> ChatError | None:
        when, error = self._failed.get(key, (0.0, None))
        if error is None:
            return None
        # A clock that was set back must not keep a failure for longer.
        if 0 <= self._clock.seconds() - when < SECONDS[error.code]:
            return error
        del self._failed[key]
        return None

    def _remember(self, reason: Failure, key: ChannelKey) -> Failure:
        error = reason.value
        if isinstance(error, ChatError) and error.code in SECONDS:
            self._failed.pop(key, None)
            if len(self._failed) >= MAX_REMEMBERED:
                del self._failed[next(iter(self._failed))]
            self._failed[key] = (self._clock.seconds(), _copy(error))
        return reason


@implementer(IWatcher)
class _Guarded:
    """A watcher that does not start where it is remembered that it would fail."""

    def __init__(self, failures: Failures, key: ChannelKey, watcher: IWatcher) -> None:
        self._failures = failures
        self._key = key
        self._watcher = watcher

    @property
    def trouble(self) -> str:
        """See `IWatcher`."""
        return self._watcher.trouble

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        # A watcher that is never started must be stopped: its platform holds it until then.
        return self._failures.guard(self._key, self._watcher.start, self._watcher.stop)

    def stop(self) -> Deferred[None]:
        """See `IWatcher`."""
        return self._watcher.stop()


def _copy(error: ChatError) -> ChatError:
    """The same error without its traceback, which would keep everything in its frames alive."""
    return ChatError(
        error.code,
        error.error,
        error.details,
        temporary=error.temporary,
        scheduled_start=error.scheduled_start,
    )
