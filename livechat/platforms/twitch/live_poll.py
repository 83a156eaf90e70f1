# SPDX-License-Identifier: MIT
"""Looks again and again at which watched channels are live (docs/wire/twitch.md#liveness).

Where Hermes tells that one has gone live or offline, that one is looked at sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from livechat.platforms.budget import Claim
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.hermes import Hermes
from livechat.platforms.twitch.limits import TOLD_EVERY
from livechat.platforms.twitch.lookup import ChannelStatus, Lookup
from livechat.platforms.twitch.sooner import Sooner


class ILooked(Protocol):
    """A channel that is looked at."""

    login: str

    @property
    def live(self) -> bool | None:
        """Whether it is live; None: that is not known."""

    def seen(self, status: ChannelStatus) -> None:
        """What a look-up said."""


class LivePoll:
    """One look at all channels, as fast as the budget allows; then, after a pause, again.

    :param pause: seconds from the last answer of one look to the next look.
    """

    def __init__(
        self, clock: IReactorTime, steps: Steps, lookup: Lookup, hermes: Hermes, pause: float
    ) -> None:
        self._clock = clock
        self._steps = steps
        self._lookup = lookup
        self._hermes = hermes
        self._pause = pause
        # With what stops the sooner looks at each.
        self._channels: dict[ILooked, Callable[[], None]] = {}
        # The next look; after it began it stands for that look, until all have answered.
        self._call: IDelayedCall | None = None

    def add(self, channel: ILooked) -> None:
        """Look at this channel, too, from the next time on."""
        if not self._lookup.enabled:
            return
        self._channels[channel] = self._be_told(channel)
        if self._call is None:
            self._call = self._clock.callLater(self._pause, self._look)

    def remove(self, channel: ILooked) -> None:
        """Look at it no more; idempotent."""
        stop = self._channels.pop(channel, None)
        if stop is not None:
            stop()
        if not self._channels and self._call is not None:
            if self._call.active():
                self._call.cancel()
            self._call = None

    def _be_told(self, channel: ILooked) -> Callable[[], None]:
        every = min(TOLD_EVERY, self._pause)
        sooner = Sooner(
            self._clock,
            every,
            lambda: self._ask(channel, _claim(self._clock)),
            lambda: channel.live,
        )
        ignore = self._hermes.listen(channel.login, sooner.told)

        def stop() -> None:
            ignore()
            sooner.stop()

        return stop

    def _look(self) -> None:
        claim = _claim(self._clock)
        looks: list[Deferred[None]] = []
        for channel in list(self._channels):
            self._steps.run(channel.login, self._look_at, channel, claim, looks)
        DeferredList(looks).addCallback(self._answered, self._call)

    def _look_at(self, channel: ILooked, claim: Claim, looks: list[Deferred[None]]) -> None:
        looks.append(self._ask(channel, claim))

    def _ask(self, channel: ILooked, claim: Claim) -> Deferred[None]:
        """Fires when the channel has been told what a look-up says of it."""

        def answered(status: ChannelStatus) -> None:
            # It may have left, or come back, meanwhile.
            if channel in self._channels:
                self._steps.run(channel.login, channel.seen, status)

        return self._lookup.ask(channel.login, claim).addCallback(answered)

    def _answered(self, _: object, call: IDelayedCall | None) -> None:
        # Meanwhile all may have left, and others have come who are looked at in their own time.
        if self._call is call and call is not None:
            self._call = self._clock.callLater(self._pause, self._look)


def _claim(clock: IReactorTime) -> Claim:
    return Claim(clock, first=False)
