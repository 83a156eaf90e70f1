# SPDX-License-Identifier: MIT
"""Ports of programs that a benchmark starts."""

from __future__ import annotations

import socket
import time


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def until_listens(port: int) -> None:
    """Wait until a program listens.

    :raises RuntimeError: none does within 30 s.
    """
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nobody listens on port {port}")
