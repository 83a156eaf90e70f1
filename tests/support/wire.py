# SPDX-License-Identifier: MIT
"""A client endpoint whose other end is a server factory in the same process, without a socket.

And time that passes for both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectingCancelledError, ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.test.iosim import FakeTransport, IOPump, connect
from zope.interface import implementer


@implementer(IStreamClientEndpoint)
class InMemoryEndpoint:
    """Connects at once, unless told otherwise.

    :ivar attempts: how often somebody wanted to connect.
    :ivar refusing: answer with a refused connection.
    :ivar hanging: do not answer at all.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._pumps: list[IOPump] = []
        self.attempts = 0
        self.refusing = False
        self.hanging = False

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """See `IStreamClientEndpoint`."""
        self.attempts += 1
        if self.hanging:
            # As Twisted's endpoints do it, with a cancellation of their own.
            return Deferred(lambda d: d.errback(ConnectingCancelledError(None)))
        server = None if self.refusing else self._server.buildProtocol(None)
        if server is None:
            return fail(ConnectionRefusedError())
        client: Any = factory.buildProtocol(None)  # type: ignore[arg-type]
        pump = connect(server, FakeTransport(server, True), client, FakeTransport(client, False))
        self._pumps.append(pump)
        return succeed(client)

    @property
    def near_transport(self) -> Any:
        """The client's transport of the newest connection."""
        return self._pumps[-1].clientIO

    @property
    def far_transport(self) -> Any:
        """The server's transport of the newest connection."""
        return self._pumps[-1].serverIO

    def flush(self) -> None:
        """Carry everything that either side has written, until both are silent."""
        moved = True
        while moved:
            moved = sum(bool(pump.flush()) for pump in list(self._pumps)) > 0


def pass_time(clock: Clock, carry: Callable[[], None], seconds: float, step: float) -> None:
    """Let time pass in small steps.

    :param carry: carries bytes and answers between the ends, before and after each step.
    """
    left = seconds
    while True:
        carry()
        clock.advance(min(step, max(left, 0.0)))
        carry()
        left -= step
        if left <= 0:
            break
    clock.advance(0)
    carry()
