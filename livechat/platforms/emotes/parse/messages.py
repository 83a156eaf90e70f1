# SPDX-License-Identifier: MIT
"""What the sockets of the providers say, in one language for all of them."""

from __future__ import annotations

from msgspec import Struct

from livechat.platforms.emotes.parse.emote_set import Change


class Hello(Struct, frozen=True):
    """The server is ready.

    :ivar interval: seconds between two of its heartbeats.
    :ivar most: subscriptions that one connection may have.
    """

    interval: float
    most: int


class Goodbye(Struct, frozen=True):
    """The server wants this connection to end.

    :ivar pause: least seconds until the next one.
    """

    reason: str
    pause: float = 0.0


class Stale(Struct, frozen=True):
    """What is known of a topic holds no more; it is to be asked for anew."""

    topic: str


class Alive(Struct, frozen=True):
    """A sign of life, or something that does not concern us."""


Message = Hello | Goodbye | Stale | Alive | Change
