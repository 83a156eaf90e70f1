# SPDX-License-Identifier: MIT
"""What a worker and its supervisor say to each other, as length-prefixed MessagePack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct, msgpack
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure


class Alive(Struct, tag=True):
    """The event loop of the worker turns.  The first one says that it serves."""


class Enter(Struct, tag=True):
    """May one request to a platform begin?  Answered by `Entered` with the same number."""

    number: int
    platform: str
    kind: str
    count: int
    period: float
    at_once: int


class Entered(Struct, tag=True):
    """The request may begin."""

    number: int


class Leave(Struct, tag=True):
    """A request that was let in is over."""

    platform: str
    kind: str


class Gather(Struct, tag=True):
    """What do all of us say?  Answered by `Joined` with the same number.

    :ivar what: `METRICS` or `CHANNELS`.
    """

    number: int
    what: str


class Ask(Struct, tag=True):
    """What do you say?  Answered by `Part` with the same number."""

    number: int
    what: str


class Part(Struct, tag=True):
    """What one worker says."""

    number: int
    body: bytes


class Joined(Struct, tag=True):
    """What all workers say, as one."""

    number: int
    body: bytes


Message = Alive | Enter | Entered | Leave | Gather | Ask | Part | Joined

_encode: Final = msgpack.Encoder().encode
_decode: Final = msgpack.Decoder(Message).decode

#: What all workers are asked for: Prometheus text, and what operators see of the channels (JSON).
METRICS: Final = "metrics"
CHANNELS: Final = "channels"

#: Bytes of one message; what is said of many channels is the longest.
MAX_MESSAGE: Final = 16 << 20


class Link(Int32StringReceiver):
    """One end of the connection between a worker and its supervisor.

    :param received: given each message.
    :param lost: called when the other side is gone.
    """

    MAX_LENGTH = MAX_MESSAGE

    def __init__(self, received: Callable[[Any], object], lost: Callable[[], object]) -> None:
        self._received = received
        self._lost = lost

    def send(self, message: Message) -> None:
        """Send a message; after the other side is gone, nothing."""
        if self.transport is not None and self.connected:
            self.sendString(_encode(message))

    def stringReceived(self, string: bytes) -> None:
        """A message has come."""
        self._received(_decode(string))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other side is gone."""
        self._lost()
