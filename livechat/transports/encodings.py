# SPDX-License-Identifier: MIT
"""How published messages become WebSocket frames, and how those get to many connections at once.

Connections with nothing queued are written to directly, by one loop in C; what does not fit, and
everybody else, goes through the connection's own transport.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Final, Protocol, cast

from zope.interface import implementer

from livechat.core.ports import IEncoding, ISubscriber
from livechat.transports.frames import deflated_frame, frame


class FrameWriter(Protocol):
    """A WebSocket connection, as this module sees it.

    :ivar direct: descriptor to which whole frames may be written beside `write_frames`, because
        nothing waits to be written before them; -1 for none.  It may change whenever the reactor
        runs.
    """

    direct: int

    def write_frames(self, frames: bytes) -> None:
        """Send complete frames; holds them, bounded, for a slow client."""


@implementer(IEncoding)
class FrameEncoding:
    """Each message as one WebSocket frame.

    :param make_frame: makes the frame of a message.
    """

    def __init__(self, make_frame: Callable[[bytes], bytes]) -> None:
        self._make_frame = make_frame

    def encode(self, message: bytes) -> bytes:
        """See `IEncoding`."""
        return self._make_frame(message)

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""
        # A subscriber with this encoding is a WebSocket connection.
        connections = cast("Sequence[FrameWriter]", subscribers)
        descriptors = [connection.direct for connection in connections]
        if min(descriptors, default=0) < 0:
            for connection in connections:
                if connection.direct < 0:
                    connection.write_frames(data)
            connections = [
                connection
                for connection, descriptor in zip(connections, descriptors, strict=True)
                if descriptor >= 0
            ]
            # Asked anew: what was written above may have closed somebody's descriptor.
            descriptors = [connection.direct for connection in connections]
        size = len(data)
        written = write_each(descriptors, data)
        if written.count(size) != len(written):
            for connection, count in zip(connections, written, strict=True):
                if count != size:
                    connection.write_frames(data[count:])


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


#: For connections that did not agree to compression.
PLAIN: Final = FrameEncoding(frame)

#: For connections that read compressed frames (RFC 7692, without context).
DEFLATED: Final = FrameEncoding(deflated_frame)
