# SPDX-License-Identifier: MIT
"""A socket that is opened again whenever it is lost, with pauses that grow while it fails."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final, Generic, Protocol, TypeVar

from msgspec import Struct
from prometheus_client import Gauge
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from livechat.pacing import Backoff, sleep
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.client_socket import ClientSocket, Connect, SocketError, connected

#: Ceilings of the pauses before a connection is opened again, in seconds, and how long one must
#: have lasted for the pauses to begin anew.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 120.0
STABLE: Final = 60.0


class PausingSocket(ClientSocket):
    """A connection that says how soon the next one may be opened.

    :ivar pause: least seconds until then.
    """

    pause = 0.0


class Place(Struct, frozen=True):
    """Where a socket is, and how it is opened.

    :ivar headers: of the upgrade, in this order.
    :ivar longest: bytes of the longest message that is taken.
    :ivar open: the connections that are open.
    :ivar budget: turns for opening one; None: no limit.
    """

    url: str
    connect: Connect
    clock: IReactorTime
    random: Random
    headers: Mapping[str, str]
    longest: int
    open: Gauge
    budget: Budget | None = None


S = TypeVar("S", bound=PausingSocket)
S_co = TypeVar("S_co", bound=PausingSocket, covariant=True)


class Keeper(Protocol[S_co]):
    """Who wants the connection."""

    def made(self) -> S_co:
        """The protocol of the next attempt."""

    def closed(self) -> None:
        """That protocol is of no use any more."""

    def lost(self, reason: str) -> None:
        """It will be opened again after a pause; not called after `stop`.

        :param reason: why it was lost or could not be opened; empty: by a mistake of ours.
        """

    def failed(self) -> None:
        """Log and count the exception that is being handled, a mistake of ours."""


class KeptSocket(Generic[S]):
    """Keeps one connection open from `start` to `stop`."""

    def __init__(self, place: Place, keeper: Keeper[S]) -> None:
        self._place = place
        self._keeper = keeper
        self._backoff = Backoff(place.random, FIRST_PAUSE, LONGEST_PAUSE)
        self._loop: Deferred[None] | None = None

    def start(self) -> None:
        """Connect, and again whenever it is lost."""
        self._loop = Deferred.fromCoroutine(self._keep())
        self._loop.addErrback(_cancelled)

    def stop(self) -> None:
        """Close it for good."""
        if self._loop is not None:
            self._loop.cancel()

    async def _keep(self) -> None:
        failures = 0
        clock = self._place.clock
        while True:
            began = clock.seconds()
            pause = 0.0
            try:
                pause = await self._connection()
            except CancelledError:
                raise
            except Exception:
                self._keeper.failed()
            failures = 0 if clock.seconds() - began >= STABLE else failures + 1
            await sleep(clock, max(pause, self._backoff.delay(failures)))

    async def _connection(self) -> float:
        """One connection until it is lost; the least seconds until the next one."""
        place = self._place
        if place.budget is not None:
            async with place.budget.turn(Claim(place.clock, first=False)):
                pass
        socket = self._keeper.made()
        reason = ""
        try:
            await connected(
                place.connect,
                place.clock,
                place.url,
                socket,
                headers=place.headers,
                longest=place.longest,
            )
            place.open.inc()
            try:
                reason = await socket.lost
            finally:
                place.open.dec()
                socket.drop("nobody wants it any more")
        except SocketError as error:
            reason = str(error)
        finally:
            self._keeper.closed()
        self._keeper.lost(reason)
        return socket.pause


def _cancelled(reason: Failure) -> None:
    reason.trap(CancelledError)
