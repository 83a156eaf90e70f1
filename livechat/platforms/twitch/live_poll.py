# SPDX-License-Identifier: MIT
"""Looks again and again at which watched channels are live (docs/wire/twitch.md#liveness)."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.platforms.budget import Claim
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.lookup import ChannelStatus, Lookup


class ILooked(Protocol):
    """A channel that is looked at."""

    login: str

    def seen(self, status: ChannelStatus) -> None:
        """What a look-up said."""


class LivePoll:
    """One look at all channels, as fast as the budget allows; then, after a pause, again.

    :param pause: seconds from the last answer of one look to the next look.
    """

    def __init__(self, clock: IReactorTime, steps: Steps, lookup: Lookup, pause: float) -> None:
        self._clock = clock
        self._steps = steps
        self._lookup = lookup
        self._pause = pause
        self._channels: dict[ILooked, None] = {}
        # The next look; after it began it stands for that look, until all have answered.
        self._call: IDelayedCall | None = None

    def add(self, channel: ILooked) -> None:
        """Look at this channel, too, from the next time on."""
        self._channels[channel] = None
        if self._call is None and self._lookup.enabled:
            self._call = self._clock.callLater(self._pause, self._look)

    def remove(self, channel: ILooked) -> None:
        """Look at it no more; idempotent."""
        self._channels.pop(channel, None)
        if not self._channels and self._call is not None:
            if self._call.active():
                self._call.cancel()
            self._call = None

    def _look(self) -> None:
        claim = Claim(self._clock, first=False)
        looks: list[Deferred[None]] = []
        for channel in list(self._channels):
            self._steps.run(channel.login, self._look_at, channel, claim, looks)
        DeferredList(looks).addCallback(self._answered, self._call)

    def _look_at(self, channel: ILooked, claim: Claim, looks: list[Deferred[None]]) -> None:
        def answered(status: ChannelStatus) -> None:
            # It may have left, or come back, meanwhile.
            if channel in self._channels:
                self._steps.run(channel.login, channel.seen, status)

        looks.append(self._lookup.ask(channel.login, claim).addCallback(answered))

    def _answered(self, _: object, call: IDelayedCall | None) -> None:
        # Meanwhile all may have left, and others have come who are looked at in their own time.
        if self._call is call and call is not None:
            self._call = self._clock.callLater(self._pause, self._look)
