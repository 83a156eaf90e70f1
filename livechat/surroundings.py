# SPDX-License-Identifier: MIT
"""What is somebody else's where the daemon is one of several workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred

from livechat.listening import Listening
from livechat.platforms.budget import Gate, Limit
from livechat.platforms.description import no_gate


def _own(what: str, own: Callable[[], bytes]) -> Callable[[], bytes | Deferred[bytes]]:
    """What a process says that is alone."""
    return own


class Surroundings(Struct, frozen=True):
    """What a daemon takes from whoever started it; the defaults are for one that is alone.

    :ivar listening: makes, of a reactor, what opens the ports.
    :ivar gate: who else must let a request to a platform begin.
    :ivar joined: from what this process says of something (its metrics, its channels) to what it
        answers: the same of all processes.
    """

    listening: Callable[[Any], Listening] = Listening
    gate: Callable[[str, str, Limit], Gate | None] = no_gate
    joined: Callable[[str, Callable[[], bytes]], Callable[[], bytes | Deferred[bytes]]] = _own
