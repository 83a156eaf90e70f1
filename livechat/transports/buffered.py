# SPDX-License-Identifier: MIT
"""Sending to a client that may read slowly: straight to the socket, or held within a bound.

Every transport's connections share this.  It decides what happens to the encoded messages while a
client does not read: they wait, in order, up to `Limits.pending` bytes; beyond that the connection
is closed with 4008.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from livechat.access import EVERYTHING, Grant
from livechat.model.errors import CloseCode
from livechat.transports.client_registry import ClientRegistry
from livechat.transports.direct import DirectServer


@implementer(IPushProducer)
class BufferedConnection:
    """A connection's outgoing bytes; a base class beside the protocol's own.

    While the transport has more than it wants to hold, messages wait here.  What the protocol
    itself sends goes to the transport between them, so a slow client is still pinged and can be
    closed.

    :ivar direct: descriptor to which whole messages may be written beside `write_encoded`, because
        nothing waits to be written before them; -1 for none.
    :ivar pending: bytes that wait.
    """

    # `direct` is read for each delivery: from a slot that costs two looks into memory, from a
    # dictionary four.
    __slots__ = ("_below", "_paused", "_waiting", "direct", "pending")

    # A TCP transport with its producer side; Autobahn's annotation knows less.
    transport: Any
    registry: ClientRegistry
    # Of the class where no tokens are asked for: nothing for each connection.
    grant: Grant = EVERYTHING

    def __init__(self) -> None:
        super().__init__()
        # Made when it is needed: an empty deque is dearer than all else here together.
        self._waiting: deque[bytes] | None = None
        self._paused = False
        # Those who wait until less is held, with how much; made when it is needed.
        self._below: list[tuple[int, Deferred[None]]] | None = None
        self.pending: int = 0
        self.direct: int = -1

    @property
    def can_send(self) -> bool:
        """Whether messages may be sent: opened, and not closing.  For the protocol to say."""
        raise NotImplementedError

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`; for the protocol to do."""
        raise NotImplementedError

    def start_sending(self) -> None:
        """Messages may be sent from now on."""
        # Autobahn leaves Nagle's algorithm on under a bare factory; it costs 30 ms at p99.
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def allow_direct_writes(self) -> None:
        """Let the fan-out write to the socket itself whenever the transport holds nothing."""
        if isinstance(self.transport, DirectServer):
            self.transport.own(self)

    def stop_sending(self, flush: bool = False) -> None:
        """No message is sent from now on; what waits is let go of.

        :param flush: give what waits to the transport instead.
        """
        if flush and self._waiting and self.can_send:
            self.transport.write(b"".join(self._waiting))
        self._waiting = None
        self._below = None
        self.pending = 0

    def write_encoded(self, data: bytes) -> None:
        """Send whole encoded messages; holds them, bounded, for a client that reads slowly."""
        if not self.can_send:
            return
        if self.direct >= 0:
            try:
                written = os.write(self.direct, data)
            except OSError:
                # Full, or broken: the transport finds out which.
                written = 0
            if written < len(data):
                self.transport.write(data[written:])
        elif self._paused:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(data)
            self.pending += len(data)
            if self.pending > self.registry.limits.pending:
                self.registry.metrics.closed.labels("slow").inc()
                self.close(CloseCode.SLOW, "slow")
        else:
            self.transport.write(data)

    def when_below(self, size: int) -> Deferred[None]:
        """See `ISubscriber`.  What a transport holds that takes more counts as nothing."""
        if self._is_below(size):
            return succeed(None)
        below: Deferred[None] = Deferred()
        if self._below is None:
            self._below = []
        self._below.append((size, below))
        return below

    def _is_below(self, size: int) -> bool:
        return not self._paused and self.pending <= size

    def queued(self) -> None:
        """See `direct.Owner`."""
        self.direct = -1

    def drained(self, descriptor: int) -> None:
        """See `direct.Owner`; after a close nothing more is written."""
        if self.can_send:
            self.direct = descriptor

    def pauseProducing(self) -> None:
        """See `IPushProducer`; called again at every write while the transport is full."""
        self._paused = True

    def resumeProducing(self) -> None:
        """See `IPushProducer`: write what waited until the transport is full again.

        Directly, where that is possible: a transport sends a bounded piece in each turn of the
        event loop, and a reader that is fast again must be able to catch up.
        """
        self._paused = False
        while self._waiting and not self._paused and self.can_send:
            data = self._waiting.popleft()
            self.pending -= len(data)
            self.write_encoded(data)
        if self._below is not None and not self._paused and self.can_send:
            waiting, self._below = self._below, None
            for size, below in waiting:
                if self._is_below(size):
                    below.callback(None)
                else:
                    self._below = [*(self._below or ()), (size, below)]

    def stopProducing(self) -> None:
        """See `IPushProducer`: the connection is gone; the protocol is told so, too."""

    def abort(self) -> None:
        """See `Connection`."""
        self.transport.abortConnection()
