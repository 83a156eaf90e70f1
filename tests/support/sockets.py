# SPDX-License-Identifier: MIT
"""Real sockets, and what comes out of them."""

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


def everything(far: socket.socket) -> bytes:
    """Everything that has come out at an end that does not block."""
    data = b""
    try:
        while chunk := far.recv(1 << 20):
            data += chunk
    except BlockingIOError:
        pass
    return data
