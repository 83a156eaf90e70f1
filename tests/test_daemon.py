# SPDX-License-Identifier: MIT
"""The daemon's stop: no component can hold it up, and the log names the one that tried."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import Random
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from livechat.access import Access
from livechat.brokers.local import LocalBroker
from livechat.daemon import DRAIN, STOP, Daemon
from livechat.listening import Listening
from livechat.metrics import Metrics
from livechat.systemd import Notifier
from livechat.transports.client_registry import ClientRegistry, Limits
from tests.support.fakes import hub_on


class StuckService(Service):
    """A service that does not stop, or not without a fault."""

    def __init__(self, stopping: Deferred[Any]) -> None:
        self.stopping = stopping

    def stopService(self) -> Deferred[Any]:
        """See `IService`."""
        super().stopService()
        return self.stopping


class NoConnections:
    """An HTTP connection pool in which nothing is open."""

    def closeCachedConnections(self) -> Deferred[None]:
        """See `HTTPConnectionPool`."""
        return succeed(None)


class HandingBroker(LocalBroker):
    """A broker that hands channels over when the test says so.

    :ivar seconds: how much time it was given.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, clock.seconds, Random(1))
        self.handed: Deferred[int] = succeed(0)
        self.seconds = 0.0

    def drain(self, seconds: float) -> Deferred[int]:
        """See `IBroker`."""
        self.seconds = seconds
        return self.handed


class StopTests(SynchronousTestCase):
    """A stop with one component that is in trouble."""

    def test_handed_over_first(self) -> None:
        """Clients are closed when the channels are handed over; meanwhile nobody is let in."""
        handed: Deferred[int] = Deferred()
        clients: list[ClientRegistry] = []

        def hand_over(registry: ClientRegistry, broker: HandingBroker) -> None:
            clients.append(registry)
            broker.handed = handed

        lines = self.stopped(succeed(None), hand_over, until=1.0)
        self.assertNotIn("stopped", lines)
        self.assertTrue(clients[0].draining)

    def test_nobody_takes_them(self) -> None:
        """Channels that nobody takes are told to the operator, and the stop goes on."""

        def hand_over(registry: ClientRegistry, broker: HandingBroker) -> None:
            broker.handed = succeed(3)

        lines = self.stopped(succeed(None), hand_over)
        self.assertIn("nobody has taken 3 channels over", lines)
        self.assertEqual(lines[-1], "stopped")

    def stopped(
        self,
        stopping: Deferred[Any],
        prepare: Callable[[ClientRegistry, HandingBroker], None] = lambda clients, broker: None,
        until: float = inf,
    ) -> list[str]:
        """Stop a daemon with such a service; what it logged.

        :param prepare: called before the stop.
        :param until: seconds after which nothing more is waited for; infinite: until it stops.
        """
        clock: Any = Clock()
        metrics = Metrics()
        hub = hub_on(clock, metrics)
        session: Any = None
        clients = ClientRegistry(clock, Limits(), metrics, session)
        broker = HandingBroker(clock)
        prepare(clients, broker)
        pool: Any = NoConnections()
        services = [StuckService(stopping)]
        silent = Notifier(clock, "", 0, str)
        daemon = Daemon(
            clock, hub, broker, clients, services, pool, Listening(clock), silent, Access(), int
        )
        daemon.startService()
        lines: list[str] = []

        @implementer(ILogObserver)
        def keep(event: LogEvent) -> None:
            lines.append(formatEvent(event))

        globalLogPublisher.addObserver(keep)
        self.addCleanup(globalLogPublisher.removeObserver, keep)
        stopped = daemon.stopService()
        if until < inf:
            clock.advance(until)
            self.assertNoResult(stopped)
            return lines
        clock.pump([0.1] * round((DRAIN + 3 * STOP) * 10))
        self.successResultOf(stopped)
        return lines

    def test_stuck(self) -> None:
        """One that never stops is named, with the time that it was given."""
        lines = self.stopped(Deferred())
        self.assertIn(f"StuckService did not stop within {STOP} s", lines)
        self.assertEqual(lines[-1], "stopped")

    def test_fault(self) -> None:
        """One that fails to stop is named, with its traceback."""
        failed: Deferred[None] = Deferred()
        failed.errback(ZeroDivisionError())
        lines = self.stopped(failed)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(any(line.startswith("StuckService did not stop") for line in lines), lines)
        self.assertEqual(lines[-1], "stopped")
