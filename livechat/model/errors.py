# SPDX-License-Identifier: MIT
"""What can go wrong, as values: codes a client can act on, and why a connection is closed.

Ground floor: imports nothing of ours.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ErrorCode(StrEnum):
    """The `code` of an `error` message.  The first six are the specification's."""

    STREAM_NOT_LIVE = "STREAM_NOT_LIVE"
    STREAM_ENDED = "STREAM_ENDED"
    INVALID_MESSAGE_TYPE = "INVALID_MESSAGE_TYPE"
    NO_ACTIVE_CHAT = "NO_ACTIVE_CHAT"
    STREAM_NOT_FOUND = "STREAM_NOT_FOUND"
    UNSUPPORTED_PLATFORM = "UNSUPPORTED_PLATFORM"
    INVALID_IDENTIFIER = "INVALID_IDENTIFIER"
    INVALID_OPTION = "INVALID_OPTION"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    TOO_MANY_CHATS = "TOO_MANY_CHATS"
    TOO_MANY_FILTERS = "TOO_MANY_FILTERS"
    RATE_LIMITED = "RATE_LIMITED"
    FORBIDDEN = "FORBIDDEN"


class CloseCode(IntEnum):
    """Why we close a WebSocket (RFC 6455 section 7.4; 4000 and up are ours)."""

    GOING_AWAY = 1001
    POLICY = 1008
    INTERNAL = 1011
    OVERLOAD = 1013
    SLOW = 4008


class ChatError(Exception):
    """A failure that a client is told about.

    :ivar code: what happened, for programs.
    :ivar error: one English sentence, for people.
    :ivar details: a reason for programs (`MEMBERS_ONLY`, `BLOCKED`, ...) or a short explanation.
    :ivar temporary: nothing was learnt about the stream: the same request may succeed soon.
    :ivar scheduled_start: when an upcoming stream is announced to begin (ISO 8601 UTC).
    """

    def __init__(
        self,
        code: ErrorCode,
        error: str,
        details: str | None = None,
        *,
        temporary: bool = False,
        scheduled_start: str | None = None,
    ) -> None:
        super().__init__(code, error, details)
        self.code = code
        self.error = error
        self.details = details
        self.temporary = temporary
        self.scheduled_start = scheduled_start

    def __str__(self) -> str:
        return f"{self.code}: {self.error}" + (f" ({self.details})" if self.details else "")
