# SPDX-License-Identifier: MIT
"""A TCP transport that says when a write beside it is safe.

The fan-out writes whole frames straight to the descriptors of those connections that have nothing
queued: one loop in C instead of arming and disarming the poller per connection.  Such a write must
never land inside a frame of which the transport still holds a part.  So the transport itself calls
its owner: `queued` before anything enters its buffer, `drained` when the buffer has become empty.

The only module of the transports that uses private attributes of Twisted: `_tempDataLen` and
`_aborting` (`tests/test_transport.py` fails when these change).
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from twisted.internet import tcp
from twisted.internet.interfaces import IListeningPort
from twisted.python.failure import Failure

#: Connections that may wait to be accepted.  When all viewers come back at once and this is too
#: few, the system drops some, and each of those tries again only after a second.
QUEUE: Final = 4096

_TWISTED_QUEUE: Final = 50


class Owner(Protocol):
    """The connection that wants to write beside the transport."""

    def queued(self) -> None:
        """The transport holds bytes, or will never be empty again: do not use the descriptor."""

    def drained(self, descriptor: int) -> None:
        """The transport holds nothing."""


class DirectServer(tcp.Server):
    """An accepted connection that reports on its buffer.

    :ivar owner: called when the buffer fills and when it is empty.
    """

    owner: Owner | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is queued and nothing stands in the way of more."""
        return bool(
            self.connected
            and not self.disconnecting
            and not self._aborting
            and not self.dataBuffer
            and not self._tempDataLen
        )

    def own(self, owner: Owner) -> None:
        """Report to an owner from now on, beginning with the present state."""
        self.owner = owner
        if self.is_empty:
            owner.drained(self.fileno())

    def startWriting(self) -> None:
        """Twisted: there is something to write (or a close to be made)."""
        if self.owner is not None:
            self.owner.queued()
        super().startWriting()

    def stopWriting(self) -> None:
        """Twisted: everything is written."""
        super().stopWriting()
        if self.owner is not None and self.is_empty:
            self.owner.drained(self.fileno())

    def abortConnection(self) -> None:
        """Twisted: drop the connection at once."""
        if self.owner is not None:
            self.owner.queued()
        super().abortConnection()

    def connectionLost(self, reason: Failure) -> None:
        """Twisted: gone; the descriptor may belong to another connection soon."""
        if self.owner is not None:
            self.owner.queued()
            self.owner = None
        super().connectionLost(reason)


def prepare_port(port: IListeningPort) -> None:
    """Let a listening TCP port accept `DirectServer`s; other kinds of port stay as they are.

    Over TLS the protocol's transport is another one, so there nothing is written directly.  A port
    whose queue has Twisted's length is given a longer one.
    """
    listening: Any = port
    if isinstance(port, tcp.Port) and listening.backlog == _TWISTED_QUEUE:
        listening.socket.listen(QUEUE)
    # Not its subclasses: a UNIX port is one, too, and makes other transports.
    if type(port) is tcp.Port:
        listening.transport = DirectServer
