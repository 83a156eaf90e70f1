# SPDX-License-Identifier: MIT
"""Steps that may fail: a mistake in one costs that step, not the loop or connection around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.pacing import TokenBucket

_log = Logger()

P = ParamSpec("P")


class Steps:
    """Runs the steps of one platform.

    A step that raises is logged, with a traceback as long as these are few, and counted.

    :param platform: its name, for logs and metrics.
    """

    def __init__(self, clock: IReactorTime, metrics: Metrics, platform: str) -> None:
        self._platform = platform
        self._failures = metrics.failures.labels(platform)
        # A step that fails for every message must not fill the disk.
        self._tracebacks = TokenBucket(0.2, 5, clock.seconds)

    def run(self, channel: str, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do a step, and go on whatever becomes of it.

        :param channel: what it is about, for the log.
        """
        try:
            step(*args, **kwargs)
        except Exception:
            self.failed(channel)

    def failed(self, channel: str) -> None:
        """Log and count the exception that is being handled."""
        self._failures.inc()
        if self._tracebacks.take():
            _log.failure("{channel}: a step failed", channel=f"{self._platform}:{channel}")
