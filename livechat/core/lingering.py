# SPDX-License-Identifier: MIT
"""Channels that nobody on this node watches any more, on their way out."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from livechat.core.channel import Channel
from livechat.core.roles import Role

#: Seconds more for which a channel is kept that is just being handed over to this node.
BEING_HANDED: Final = 10.0


class Lingering:
    """Keeps such a channel for a while, so that a reloaded page costs no new upstream.

    After that the channel is handed over to another node, if it is watched there, and let go.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._kept: dict[Channel, IDelayedCall] = {}
        self._handed: dict[Channel, Deferred[None]] = {}

    def begin(self, channel: Channel, seconds: float) -> None:
        """Nobody watches; if it lingers already, nothing changes."""
        if channel in self._kept or channel in self._handed:
            return
        if seconds > 0:
            self._kept[channel] = self._clock.callLater(seconds, self._hand_over, channel)
        else:
            self._hand_over(channel)

    def end(self, channel: Channel) -> None:
        """Somebody watches again, or the channel is gone.  Others are ignored."""
        kept = self._kept.pop(channel, None)
        if kept is not None:
            kept.cancel()
        handed = self._handed.pop(channel, None)
        if handed is not None:
            handed.cancel()

    def _hand_over(self, channel: Channel, is_late: bool = False) -> None:
        self._kept.pop(channel, None)
        if channel.role in (Role.PREPARING, Role.PREPARED) and not is_late:
            # Else nobody led it, if its leader hands it over at this moment.
            self._kept[channel] = self._clock.callLater(
                BEING_HANDED, self._hand_over, channel, True
            )
            return
        handed = channel.hand_over()
        if not handed.called:
            self._handed[channel] = handed
        handed.addCallbacks(self._handed_over, _taken_back, callbackArgs=(channel,))

    def _handed_over(self, _: object, channel: Channel) -> None:
        self._handed.pop(channel, None)
        channel.release()


def _taken_back(reason: Failure) -> None:
    reason.trap(CancelledError)
