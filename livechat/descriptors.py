# SPDX-License-Identifier: MIT
"""File descriptors: how many the process may have, and how they are shared.

Every connection takes one, those to platforms and to Redis too.  Clients must never take the last
ones: then no upstream could be opened, and `/health` could not answer.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

try:
    import resource
except ImportError:
    # Windows counts otherwise.
    _resource: Any = None
else:
    _resource = resource

#: Where the system names no limit.
UNLIMITED: Final = 1 << 20

#: What macOS allows at most while it calls itself unlimited.
_MACOS: Final = 10240

#: `select` takes no descriptor with a greater number.
SELECT: Final = 1024

#: Channels have one upstream connection at most; so many more are for everything else.
_OTHERS: Final = 256


class Share(Struct, frozen=True):
    """How many descriptors incoming connections may take.

    :ivar clients: WebSocket connections at once.
    :ivar connections: all connections at once, those that ask for pages or have not said anything
        yet included.
    """

    clients: int
    connections: int


def share(limit: int, channels: int) -> Share:
    """How many of so many descriptors incoming connections may take.

    A quarter is reserved, or less where nothing can need that much: one half of it for upstreams
    and Redis, the other for requests such as `/health`.

    :param channels: chats watched at once at most.
    """
    reserve = min(limit // 4, channels + _OTHERS)
    return Share(max(1, limit - reserve), max(2, limit - reserve // 2))


def raise_limit(reactor: Any, system: Any = _resource) -> int:
    """Raise the soft limit to the hard one, as far as that goes; the limit that then holds."""
    limit = UNLIMITED
    if system is not None:
        _, hard = system.getrlimit(system.RLIMIT_NOFILE)
        for wanted in (hard, _MACOS):
            with suppress(OSError, ValueError):
                system.setrlimit(system.RLIMIT_NOFILE, (wanted, hard))
                break
        soft, _ = system.getrlimit(system.RLIMIT_NOFILE)
        limit = soft if 0 <= soft < UNLIMITED else UNLIMITED
    return min(limit, SELECT) if type(reactor).__name__ == "SelectReactor" else limit
