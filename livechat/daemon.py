# SPDX-License-Identifier: MIT
"""The running daemon: the order in which its parts start and stop, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    FirstError,
    TimeoutError,
    gatherResults,
    maybeDeferred,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool

from livechat.access import Access
from livechat.command_line import own_version
from livechat.core.hub import Hub
from livechat.core.ports import IBroker, IStatsStore
from livechat.listening import Listening
from livechat.log_output import LoggedService
from livechat.metrics import Metrics
from livechat.pacing import sleep
from livechat.systemd import Notifier
from livechat.transports.client_registry import ClientRegistry

_log = Logger()

#: Seconds that clients have to close when we stop; the whole stop stays below ten.
DRAIN: Final = 5.0

#: Seconds in which channels are handed over to other nodes; those who watch wait no longer.
HAND_OVER: Final = 3.0

#: Seconds for requests that are under way, where another process serves the port next, and from
#: one look whether any are to the next.
HANDSHAKES: Final = 2.0
LOOK: Final = 0.05

#: Seconds that each part then has to stop.
STOP: Final = 1.5


class Daemon(LoggedService, Service):
    """Everything that runs.

    :param services: started and stopped with it.
    :param listening: the ports, which are open already.
    :param notifier: tells systemd how the daemon is.
    :param spread: seconds over which clients are closed at the stop.
    :param access: the tokens.
    :param unread: how many connections have not sent the head of their request yet.
    """

    def __init__(
        self,
        reactor: Any,
        hub: Hub,
        broker: IBroker,
        clients: ClientRegistry,
        services: Sequence[Service],
        pool: HTTPConnectionPool,
        listening: Listening,
        notifier: Notifier,
        access: Access,
        unread: Callable[[], int],
        spread: float = 0.0,
    ) -> None:
        self._reactor = reactor
        self._hub = hub
        self._broker = broker
        self._clients = clients
        self._services = services
        self._pool = pool
        self._listening = listening
        self._notifier = notifier
        self._access = access
        self._unread = unread
        self._spread = spread
        self._stopping: Deferred[None] | None = None

    @property
    def metrics(self) -> Metrics:
        """What it counts."""
        return self._clients.metrics

    def startService(self) -> None:
        """Start the platforms."""
        super().startService()
        self._listening.announce()
        _log.info("at most {clients} clients", clients=self._clients.limits.connections)
        for service in self._services:
            service.startService()
        # The reactor has to run before anybody is told that it does.
        self._reactor.callLater(0, self._notifier.ready)

    def stopService(self) -> Deferred[None]:
        """Take no new clients, hand the channels over to other nodes, close every client with 1001,
        store statistics, leave the platforms.
        """
        super().stopService()
        self._notifier.stopping()
        stopping = self._stopping = Deferred.fromCoroutine(self._stop())
        return stopping.addErrback(_given_up)

    def reload(self) -> None:
        """Read again what may change while we run: the certificates and the tokens."""
        self._notifier.reloading()
        self._listening.reload()
        if not self._access.is_open:
            try:
                self._access.reload()
                _log.info("the tokens were read again")
            except ValueError as error:
                _log.error("the old tokens stay in use: {error}", error=str(error))
        self._notifier.ready()

    def hurry(self) -> None:
        """End the stop that is under way: what it waits for is given up, the rest is left out."""
        _log.info("asked to stop a second time: stopping at once")
        if self._stopping is not None:
            self._stopping.cancel()

    async def _stop(self) -> None:
        if self._listening.release_passed():
            # The next process serves whoever comes from now on; those who have come are let in.
            await self._handshakes()
        # Other ports stay open meanwhile, so that `/ready` can say no and upgrades be refused.
        self._clients.draining = True
        since = self._reactor.seconds()
        left = await self._broker.drain(max(HAND_OVER, self._spread))
        if left:
            _log.warn("nobody has taken {count} channels over", count=left)
        self._hub.flush()
        used = min(HAND_OVER, self._reactor.seconds() - since)
        await self._clients.drain(DRAIN - used, self._spread)
        self._listening.close()
        await self._limited("the hub", self._hub.shutdown())
        # All at once; none of these fails unless it is cancelled.
        await gatherResults(
            (
                self._limited(type(service).__name__, maybeDeferred(service.stopService))
                for service in reversed(self._services)
            ),
            consumeErrors=True,
        )
        await self._limited("the HTTP connection pool", self._pool.closeCachedConnections())
        # Connections that are closing get one turn of the reactor to do so.
        await sleep(self._reactor, 0)
        self._notifier.stopped()
        _log.info("stopped")

    async def _handshakes(self) -> None:
        """Wait for the requests of connections that were accepted, but not for ever."""
        until = self._reactor.seconds() + HANDSHAKES
        await sleep(self._reactor, LOOK)
        while self._unread() and self._reactor.seconds() < until:
            await sleep(self._reactor, LOOK)

    def _limited(self, name: str, stopping: Deferred[Any] | None) -> Deferred[Any]:
        """Wait for a component to stop, but not for ever: the process must end."""
        stopped = maybeDeferred(lambda: stopping).addTimeout(STOP, self._reactor)

        def failed(reason: Failure) -> None:
            if reason.check(CancelledError):
                reason.raiseException()
            if reason.check(TimeoutError):
                _log.warn("{name} did not stop within {seconds} s", name=name, seconds=STOP)
            else:
                _log.failure("{name} did not stop", reason, name=name)

        return stopped.addErrback(failed)


def _given_up(reason: Failure) -> None:
    """A second signal cancels the stop, or the first of the parts that are stopping together."""
    reason.trap(CancelledError, FirstError)


def health(
    node: str, hub: Hub, clients: ClientRegistry, store: IStatsStore, broker: IBroker
) -> dict[str, object]:
    """What `/health` answers.

    :param node: the name of this node.
    """
    return {
        "status": "ok",
        "activeStreams": hub.active_streams,
        "waitingStreams": hub.waiting_streams,
        "clients": len(clients),
        "storage": store.storage_type,
        **store.health,
        "node": node,
        **broker.health,
        "version": own_version(),
    }
