# SPDX-License-Identifier: MIT
"""What can go wrong with the simulated TikTok, by the names of the command line."""

from __future__ import annotations

import zlib
from enum import Enum
from typing import Final

from livechat.platforms.tiktok import webcast_pb2 as schema


class TikTokFault(Enum):
    """What is wrong for as long as it is in `TikTokSimulator.faults`."""

    # Pages and JSON (docs/wire/tiktok.md#accounts).
    CAPTCHA = "tiktok-captcha"
    FORBIDDEN = "tiktok-403"
    TOO_MANY = "tiktok-429"
    BROKEN = "tiktok-500"
    EMPTY = "tiktok-empty"
    HANG = "tiktok-hang"
    SOFT_BLOCK = "tiktok-soft-block"
    LOGIN = "tiktok-login"
    UNCLEAR = "tiktok-unclear"
    NO_COOKIE = "tiktok-no-cookie"
    NO_ALIVE = "tiktok-no-alive"
    #: `check_alive` calls every room alive.
    FALSE_ALIVE = "tiktok-false-alive"
    #: `room/info` refuses.
    NO_INFO = "tiktok-no-info"
    # The upgrade of the socket (docs/wire/tiktok.md#upgrade).
    DEVICE_BLOCKED = "tiktok-device-blocked"
    ILLEGAL_KEY = "tiktok-illegal-key"
    SOCKET_403 = "tiktok-socket-403"
    SOCKET_HANG = "tiktok-socket-hang"
    SOCKET_GARBAGE = "tiktok-socket-garbage"
    # The open socket (docs/wire/tiktok.md#frames).
    DEAD = "tiktok-dead"
    BLIND = "tiktok-blind"
    DUPLICATES = "tiktok-duplicates"
    UNCOMPRESSED = "tiktok-uncompressed"
    LOST_GIFT_ENDS = "tiktok-lost-gift-ends"
    # The signer (docs/wire/tiktok.md#signer).
    SIGNER_500 = "signer-500"
    SIGNER_503 = "signer-503"
    SIGNER_401 = "signer-401"
    SIGNER_403 = "signer-403"
    SIGNER_429 = "signer-429"
    SIGNER_STUB = "signer-stub"
    SIGNER_NO_COOKIES = "signer-no-cookies"
    SIGNER_GARBAGE = "signer-garbage"
    SIGNER_HANG = "signer-hang"


class TikTokMishap(Enum):
    """Faults that happen once, on every open socket."""

    DROP = "tiktok-drop"
    CLOSE = "tiktok-close"
    GARBAGE = "tiktok-garbage"
    OVERSIZED = "tiktok-oversized"
    #: Every anonymous identity that was given out so far is refused from now on, and all sockets
    #: are cut.
    REVOKE = "tiktok-revoke"


def frame(payload: bytes, kind: str = "msg", log_id: int = 1) -> bytes:
    """A push frame as the server sends it (docs/wire/tiktok.md#frames)."""
    compressed = payload.startswith(b"\x1f\x8b\x08")
    headers = [schema.PushHeader(key=b"compress_type", value=b"gzip" if compressed else b"none")]
    return schema.PushFrame(
        seq_id=1,
        log_id=log_id,
        service=8888,
        method=8,
        headers=headers,
        payload_encoding=b"pb",
        payload_type=kind.encode(),
        payload=payload,
    ).SerializeToString()


def gzipped(data: bytes) -> bytes:
    """The data compressed as the server does it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _batch(*messages: tuple[str, bytes]) -> bytes:
    envelopes = [
        schema.Envelope(method=method.encode(), payload=payload, msg_id=number).SerializeToString()
        for number, (method, payload) in enumerate(messages, 1)
    ]
    return schema.Batch(messages=envelopes, internal_ext=b"-").SerializeToString()


#: Frames that are nothing, or nearly.
GARBAGE: Final = (
    b"",
    b"\xff" * 64,
    b"\x08" + b"\xff" * 11,
    frame(b"\x1f\x8b\x08 no gzip"),
    frame(gzipped(b"x" * 100)[:-9]),
    frame(gzipped(bytes(64 << 20))),
    frame(b"", "something_new"),
    frame(schema.Batch(messages=[b"\xff\xff", b"\x0a\x7f"]).SerializeToString()),
    frame(
        gzipped(
            _batch(
                ("WebcastChatMessage", b"\x0a\xff\xff\xff\xff\x7f"),
                ("WebcastInRoomBannerMessage", b"\x80"),
                ("", b""),
            )
        )
    ),
)

#: A frame that is longer than any reader should take.
OVERSIZED: Final = frame(bytes(range(256)) * 8192)
