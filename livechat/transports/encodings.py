# SPDX-License-Identifier: MIT
"""How messages become bytes, and how those get to many connections at once.

An encoding is a pure function from a message to bytes; what is here sends those bytes to all
connections that share it.  Connections with nothing queued are written to directly, by one loop in
C; what does not fit, and everybody else, goes through the connection's own transport.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Final, Protocol, cast

from zope.interface import implementer

from livechat.core.clients import IEncoding, ISubscriber, Place
from livechat.transports.frames import deflated_frame, frame


class Writable(Protocol):
    """A connection, as this module sees it (`BufferedConnection`).

    :ivar direct: descriptor to which whole messages may be written beside `write_encoded`, because
        nothing waits to be written before them; -1 for none.  It may change whenever the reactor
        runs.
    """

    direct: int

    def write_encoded(self, data: bytes) -> None:
        """Send whole encoded messages; holds them, bounded, for a slow client."""


@implementer(IEncoding)
class StreamEncoding:
    """Messages for connections that carry a stream of bytes.

    :param encode: makes the bytes of a message, whether it is a publication or not.
    """

    def __init__(self, encode: Callable[[bytes], bytes]) -> None:
        self._encode = encode

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        return self._encode(message)

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""
        # A subscriber with this encoding is such a connection.
        connections = cast("Sequence[Writable]", subscribers)
        descriptors = [connection.direct for connection in connections]
        if min(descriptors, default=0) < 0:
            for connection in connections:
                if connection.direct < 0:
                    connection.write_encoded(data)
            connections = [
                connection
                for connection, descriptor in zip(connections, descriptors, strict=True)
                if descriptor >= 0
            ]
            # Read again: the writes above may have closed a descriptor.
            descriptors = [connection.direct for connection in connections]
        size = len(data)
        written = write_each(descriptors, data)
        if written.count(size) != len(written):
            for connection, count in zip(connections, written, strict=True):
                if count != size:
                    connection.write_encoded(data[count:])


def write_each(descriptors: Sequence[int], data: bytes) -> list[int]:
    """Write the same bytes to each of several sockets that do not block, in one loop in C.

    :return: how many of the bytes each one took, in their order; 0 where nothing could be written,
        for whatever reason: its transport finds that out when it is given the rest.
    """
    written: list[int] = []
    writing = map(os.write, descriptors, repeat(data))
    while len(written) < len(descriptors):
        try:
            written.extend(writing)
        except OSError:
            written.append(0)
    return written


#: WebSocket connections that did not agree to compression.
PLAIN: Final = StreamEncoding(frame)

#: WebSocket connections that read compressed frames (RFC 7692, without context).
DEFLATED: Final = StreamEncoding(deflated_frame)
