# SPDX-License-Identifier: MIT
"""A script that Redis runs; pure."""

from __future__ import annotations

from hashlib import sha1

from msgspec import Struct


class Script(Struct, frozen=True):
    """A script that Redis runs, and the digest by which it knows it."""

    text: bytes
    digest: str

    @classmethod
    def of(cls, text: str) -> Script:
        """The script with this text."""
        return cls(text.encode(), sha1(text.encode()).hexdigest())
