# SPDX-License-Identifier: MIT
"""One log line for each change in the life of a chat, at a limited rate."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.pacing import TokenBucket

_log = Logger()

#: Lines per second in the long run, and at once.
RATE: Final = 10.0
BURST: Final = 200


class ChannelLog:
    """Says what happens to the chats of this node.

    When an upstream with ten thousand chats is lost, the first lines suffice: lines beyond the rate
    are left out and counted, and their number is said with the next line.
    """

    def __init__(self, clock: IReactorTime, metrics: Metrics) -> None:
        self._bucket = TokenBucket(RATE, BURST, clock.seconds)
        self._counter = metrics.log_lines_left_out
        self._left_out = 0

    def say(self, key: ChannelKey, what: str, *, warn: bool = False) -> None:
        """Log one line about a channel, for example `twitch:ann: live`."""
        if not self._bucket.take():
            self._left_out += 1
            self._counter.inc()
            return
        if self._left_out:
            _log.info("{count} lines about other channels were left out", count=self._left_out)
            self._left_out = 0
        level = LogLevel.warn if warn else LogLevel.info
        _log.emit(level, "{channel}: {what}", channel=str(key), what=what)

    def failed(self, key: ChannelKey, error: ChatError) -> None:
        """A chat could not be started: a warning unless the platform says that there is none."""
        is_upstream = error.code is ErrorCode.UPSTREAM_UNAVAILABLE
        self.say(key, f"failed: {error}", warn=is_upstream)
