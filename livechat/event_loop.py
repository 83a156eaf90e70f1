# SPDX-License-Identifier: MIT
"""How late the event loop is: while it does one thing, everything else waits."""

from __future__ import annotations

from typing import Final

from prometheus_client import Histogram
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: Seconds from one look to the next.
INTERVAL: Final = 0.25


class LagMeter(Service):
    """Sets a timer again and again, and observes how much later than wanted it comes.

    :param lag: observes seconds.
    """

    def __init__(self, clock: IReactorTime, lag: Histogram) -> None:
        self._clock = clock
        self._lag = lag
        self._call: IDelayedCall | None = None

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._wait()

    def stopService(self) -> Deferred[None]:
        """Look no more."""
        super().stopService()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
        return succeed(None)

    def _wait(self) -> None:
        wanted = self._clock.seconds() + INTERVAL
        self._call = self._clock.callLater(INTERVAL, self._look, wanted)

    def _look(self, wanted: float) -> None:
        # A clock that was set back makes nothing early.
        self._lag.observe(max(0.0, self._clock.seconds() - wanted))
        self._wait()
