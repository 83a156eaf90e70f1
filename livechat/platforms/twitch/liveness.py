# SPDX-License-Identifier: MIT
"""Whether one channel is live, and when its stream is over (docs/wire/twitch.md#liveness).

IRC never says that a stream begins or ends; only look-ups do.  One that failed says nothing: what
was known before stays known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import UNSET

from livechat.model.event_data import Stream
from livechat.model.events import ChannelEvent, iso_time
from livechat.platforms.twitch.lookup import ChannelStatus


class Liveness:
    """What look-ups have said about one channel.

    :param require_live: whether a stream that stays offline is over.
    :param grace: seconds after which staying offline is the end; streams bounce.
    :param new_id: makes an id for an event about a stream without one.
    """

    def __init__(self, *, require_live: bool, grace: float, new_id: Callable[[], str]) -> None:
        self._require_live = require_live
        self._grace = grace
        self._new_id = new_id
        self._known = ChannelStatus()
        self._offline_since: float | None = None
        # The stream that was seen last, and how often it went live or offline.
        self._stream_id = ""
        self._changes = 0

    @property
    def live(self) -> bool | None:
        """Whether the channel is live; None when that is not known."""
        return self._known.live

    def learn(self, status: ChannelStatus, now: float) -> bool | None:
        """Take the answer of a look-up in.

        :param now: seconds on a clock.
        :return: whether the channel is live, if it was known to be otherwise; else None.
        """
        if status.live is None:
            return None
        before, self._known = self._known.live, status
        if status.stream_id and status.stream_id != self._stream_id:
            self._stream_id, self._changes = status.stream_id, 0
        if status.live:
            self._offline_since = None
        elif self._offline_since is None:
            self._offline_since = now
        return None if before in (None, status.live) else status.live

    def is_over(self, now: float) -> bool:
        """Whether the stream has been offline for so long that it has ended."""
        since = self._offline_since
        return self._require_live and since is not None and now - since >= self._grace

    def event(self, received_ms: int, room_id: str) -> ChannelEvent:
        """`stream`: it went live or offline.

        :param received_ms: when that was learnt, in ms since 1970.
        """
        status: Literal["live", "offline"] = "live" if self.live else "offline"
        data = Stream(status=status, started_at=self._known.started_at or UNSET)
        # The same change has the same id wherever it is seen; one stream may bounce several times.
        self._changes += 1
        target = f"{self._stream_id}-{self._changes}" if self._stream_id else self._new_id()
        event_id = f"stream-{status}-{target}"
        return ChannelEvent.of(data, "twitch", iso_time(received_ms), event_id, room_id)
