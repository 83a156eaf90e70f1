# SPDX-License-Identifier: MIT
"""Real sockets, what comes out of them, and ports that are kept."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase


def pair(case: SynchronousTestCase) -> tuple[socket.socket, socket.socket]:
    """A near end whose buffer holds little, and its far end; neither blocks."""
    near, far = socket.socketpair()
    for end in (near, far):
        end.setblocking(False)
        case.addCleanup(end.close)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return near, far


def reserved() -> socket.socket:
    """A loopback port that is kept for a server which is told its number.

    The socket is bound and does not listen.  While it is open the system gives its port to nobody
    who asks for any port, so a server can be started late, and again, on the same one.  Such a
    server must set `SO_REUSEADDR`, as all of ours do.  Who connects meanwhile is refused.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def number_of(held: socket.socket) -> int:
    """The number of the port of a socket."""
    number: int = held.getsockname()[1]
    return number


def kept_port(case: SynchronousTestCase) -> int:
    """The number of a port that is kept until the end of a test."""
    held = reserved()
    case.addCleanup(held.close)
    return number_of(held)


def everything(far: socket.socket) -> bytes:
    """Everything that has come out at an end that does not block."""
    data = b""
    try:
        while chunk := far.recv(1 << 20):
            data += chunk
    except BlockingIOError:
        pass
    return data
