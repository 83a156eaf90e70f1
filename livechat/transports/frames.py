# SPDX-License-Identifier: MIT
"""WebSocket frames of the server (RFC 6455 section 5.2), plain and compressed (RFC 7692).

Pure.  Frames of a server are not masked, so one frame serves every subscriber.
"""

from __future__ import annotations

import zlib
from struct import Struct as Packer
from typing import Final

_TEXT: Final = 0x81  # FIN and opcode 1
_DEFLATED: Final = 0x40  # RSV1 (RFC 7692 section 6)
_medium = Packer("!BBH").pack
_large = Packer("!BBQ").pack

#: Smaller payloads are sent as they are: compressing them saves next to nothing.
MIN_DEFLATED: Final = 256

#: The window with which all is compressed.  What repeats in a message is near, and several
#: libraries ask for a window that is no larger than this.
WINDOW_BITS: Final = 12

#: Fast levels of zlib lose a tenth of the ratio and cost a third of the time.
_LEVEL: Final = 3


def frame(payload: bytes, first: int = _TEXT) -> bytes:
    """A complete, unmasked WebSocket text frame."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return _medium(first, 126, size) + payload
    return _large(first, 127, size) + payload


def deflated_frame(payload: bytes) -> bytes:
    """The frame with its payload compressed, for clients that agreed to that.

    No context is kept from one message to the next, so one frame serves all of them; a payload
    that does not get smaller is sent as it is, which RFC 7692 allows for each message.
    """
    if len(payload) < MIN_DEFLATED:
        return frame(payload)
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -WINDOW_BITS)
    # The four bytes that end a flushed block are left out on the wire (section 7.2.1).
    deflated = (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
    return frame(deflated, _TEXT | _DEFLATED) if len(deflated) < len(payload) else frame(payload)
