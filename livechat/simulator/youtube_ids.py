# SPDX-License-Identifier: MIT
"""Ids as YouTube's are, made from names: the same name has the same id."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def letters(name: str, length: int) -> str:
    """So many letters of URL-safe base64, always the same for a name."""
    return "".join(_ALPHABET[byte & 63] for byte in sha256(name.encode()).digest()[:length])


def channel_id(name: str) -> str:
    """The id of a channel: `UC`, 21 letters, and one of four."""
    return f"UC{letters(f'channel {name}', 21)}{'AQgw'[len(name) % 4]}"
