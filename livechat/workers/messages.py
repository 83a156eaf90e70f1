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


class AskMetrics(Struct, tag=True):
    """What is the sum of everybody's metrics?  Answered by `Sum` with the same number."""

    number: int


class GiveMetrics(Struct, tag=True):
    """What are your metrics?  Answered by `Exposition` with the same number."""

    number: int


class Exposition(Struct, tag=True):
    """The metrics of one worker, as Prometheus text."""

    number: int
    text: bytes


class Sum(Struct, tag=True):
    """The metrics of all workers, as Prometheus text."""

    number: int
    text: bytes


Message = Alive | Enter | Entered | Leave | AskMetrics | GiveMetrics | Exposition | Sum

_encode: Final = msgpack.Encoder().encode
_decode: Final = msgpack.Decoder(Message).decode

#: Bytes of one message; metrics are the longest.
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
