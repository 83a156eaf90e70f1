# SPDX-License-Identifier: MIT
"""Every error that a client can get, once: code, details, sentence, and whether it passes.

Raise one with `ENTRY.error()`.  `docs/protocol.md` has the same list; a test compares them.  The
sentences name no platform: the error message has it beside them.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from livechat.model.errors import ChatError, ErrorCode


class ErrorEntry(Struct, frozen=True):
    """One kind of error.

    :ivar sentence: one English sentence, for people.
    :ivar details: the reason, for programs; None where the code says it all.
    :ivar temporary: see `ChatError`.
    :ivar variable: what `details` says where it differs from error to error; empty where not.
    """

    code: ErrorCode
    sentence: str
    details: str | None = None
    temporary: bool = False
    variable: str = ""

    def error(
        self,
        details: str | None = None,
        *,
        note: str = "",
        scheduled_start: str | None = None,
    ) -> ChatError:
        """An error of this kind.

        :param details: only where they are variable.
        :param note: what was seen, for people; it follows the sentence in parentheses.
        """
        return ChatError(
            self.code,
            f"{self.sentence} ({note})" if note else self.sentence,
            self.details if details is None else details,
            temporary=self.temporary,
            scheduled_start=scheduled_start,
        )


def unavailable(reason: str, note: str = "", *, temporary: bool = True) -> ChatError:
    """The `UPSTREAM_UNAVAILABLE` for a reason, of which the list may know nothing.

    :param temporary: False where this one does not pass although its kind does.
    """
    entry = _UNAVAILABLE.get(reason, UNREACHABLE)
    error = entry.error(reason, note=note)
    error.temporary = error.temporary and temporary
    return error


def ended(reason: str | None = None) -> ChatError:
    """The `STREAM_ENDED` for a reason."""
    return STREAM_SUSPENDED.error() if reason == STREAM_SUSPENDED.details else ENDED.error(reason)


def _unavailable(details: str, sentence: str, *, temporary: bool = True) -> ErrorEntry:
    return ErrorEntry(ErrorCode.UPSTREAM_UNAVAILABLE, sentence, details, temporary)


# The command is wrong.

_COMMANDS: Final = "subscribe, unsubscribe, get_stats or ping"

NOT_A_COMMAND: Final = ErrorEntry(
    ErrorCode.INVALID_MESSAGE_TYPE, "A message must be a JSON object with a type", _COMMANDS
)
UNKNOWN_COMMAND: Final = ErrorEntry(
    ErrorCode.INVALID_MESSAGE_TYPE, "Unknown message type", _COMMANDS
)
NOT_TEXT: Final = ErrorEntry(
    ErrorCode.INVALID_MESSAGE_TYPE, "Messages must be text, not binary", "JSON"
)
FORBIDDEN: Final = ErrorEntry(ErrorCode.FORBIDDEN, "The token does not allow this chat to be read")
NO_IDENTIFIER: Final = ErrorEntry(
    ErrorCode.INVALID_IDENTIFIER, "An identifier is needed: a channel's name, id or URL"
)
LONG_IDENTIFIER: Final = ErrorEntry(
    ErrorCode.INVALID_IDENTIFIER, "The identifier is too long", variable="the limit"
)
WRONG_IDENTIFIER: Final = ErrorEntry(
    ErrorCode.INVALID_IDENTIFIER,
    "This is no channel or video of the platform",
    variable="what the platform accepts",
)
UNKNOWN_IDENTIFIER_TYPE: Final = ErrorEntry(
    ErrorCode.INVALID_IDENTIFIER, "identifierType must be username, channelId or liveId"
)
WRONG_IDENTIFIER_TYPE: Final = ErrorEntry(
    ErrorCode.INVALID_IDENTIFIER,
    "The platform's channels are not found by this identifierType",
    "identifierType",
)
EVENTS_NOT_A_LIST: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "events must be true, false or a list of event kinds", "events"
)
UNKNOWN_EVENT_KIND: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "events names a kind that does not exist", "events"
)
WRONG_ID: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "id must be a text or a number of at most 64 characters", "id"
)
WRONG_STATS: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "stats must be true, false or 1 to 3600 seconds", "stats"
)
WRONG_MIRRORED: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "mirrored must be true or false", "mirrored"
)
WRONG_HISTORY: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "history must be a whole number from 0 to 1000", "history"
)
WRONG_SINCE: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "since must hold an epoch and a seq, as in started", "since"
)
WRONG_WAIT: Final = ErrorEntry(ErrorCode.INVALID_OPTION, "wait must be true or false", "wait")
WRONG_LIVES: Final = ErrorEntry(ErrorCode.INVALID_OPTION, "lives must be first or all", "lives")
WRONG_FILTER: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "filter must be an object of conditions", "filter"
)
UNKNOWN_CONDITION: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION,
    "filter names a condition that does not exist",
    variable="`filter.` and its name",
)
WRONG_CONDITION: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION,
    "A condition of filter has a wrong value; a list holds at most 100 entries of 1 to 100"
    " characters",
    variable="`filter.` and its name",
)
WRONG_HOLD: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "hold must be a number of seconds from 0 to 60", "hold"
)
WRONG_LIMIT: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION, "limit must be a whole number from 0 to 1000", "limit"
)
NO_PAIRS: Final = ErrorEntry(
    ErrorCode.INVALID_OPTION,
    "platform and identifierType must be given for each identifier, or once",
    variable="the name",
)
UNKNOWN_PLATFORM: Final = ErrorEntry(
    ErrorCode.UNSUPPORTED_PLATFORM, "Platform not supported", variable="the supported platforms"
)
NO_ACTIVE_CHAT: Final = ErrorEntry(ErrorCode.NO_ACTIVE_CHAT, "No active chat connection")

# Limits of this server.

TOO_MANY_CHATS: Final = ErrorEntry(
    ErrorCode.TOO_MANY_CHATS,
    "This connection holds as many chats as it may",
    temporary=True,
    variable="the limit",
)
TOO_MANY_FILTERS: Final = ErrorEntry(
    ErrorCode.TOO_MANY_FILTERS,
    "The subscribers of this chat have as many different filters as they may",
    temporary=True,
    variable="the limit",
)
SERVER_FULL: Final = ErrorEntry(
    ErrorCode.TOO_MANY_CHATS,
    "This server watches as many chats as it may; try again later",
    temporary=True,
    variable="the limit",
)
TOO_MANY_COMMANDS: Final = ErrorEntry(
    ErrorCode.RATE_LIMITED, "Too many commands; slow down", temporary=True, variable="the limit"
)
TOO_MANY_STARTS: Final = ErrorEntry(
    ErrorCode.RATE_LIMITED,
    "Too many new chats from this address; try again later",
    temporary=True,
    variable="the limit",
)
TOO_MANY_STARTS_OF_TOKEN: Final = ErrorEntry(
    ErrorCode.RATE_LIMITED,
    "Too many new chats with this token; try again later",
    temporary=True,
    variable="the limit",
)

# There is no such thing.

_MISSING: Final = "There is no such channel or video"

NO_DATA: Final = ErrorEntry(ErrorCode.STREAM_NOT_FOUND, "Stream data not found")
MISSING: Final = ErrorEntry(ErrorCode.STREAM_NOT_FOUND, _MISSING)
NOT_FOUND: Final = ErrorEntry(ErrorCode.STREAM_NOT_FOUND, _MISSING, "NOT_FOUND")
NO_ANSWER: Final = ErrorEntry(ErrorCode.STREAM_NOT_FOUND, _MISSING, "NO_ANSWER")
CHANNEL_SUSPENDED: Final = ErrorEntry(
    ErrorCode.STREAM_NOT_FOUND, "The channel does not exist or is suspended", "SUSPENDED"
)
#: A private video and doubts about our address look alike, so it is asked for once more.
HIDDEN: Final = ErrorEntry(
    ErrorCode.STREAM_NOT_FOUND,
    "The video is private or needs signing in",
    "LOGIN_REQUIRED",
    temporary=True,
)

# It is not live, or not any more.

_NOT_LIVE: Final = "The channel is not live"

NOT_LIVE: Final = ErrorEntry(ErrorCode.STREAM_NOT_LIVE, _NOT_LIVE)
OFFLINE: Final = ErrorEntry(ErrorCode.STREAM_NOT_LIVE, _NOT_LIVE, "OFFLINE")
UPCOMING: Final = ErrorEntry(ErrorCode.STREAM_NOT_LIVE, "The stream has not begun", "UPCOMING")
MEMBERS_ONLY: Final = ErrorEntry(
    ErrorCode.STREAM_NOT_LIVE, "The stream is for members of the channel only", "MEMBERS_ONLY"
)
CHAT_DISABLED: Final = ErrorEntry(
    ErrorCode.STREAM_NOT_LIVE, "The stream has no chat", "CHAT_DISABLED"
)
NOT_A_STREAM: Final = ErrorEntry(
    ErrorCode.STREAM_NOT_LIVE, "The video is not a live stream", "NOT_A_STREAM"
)
ENDED: Final = ErrorEntry(
    ErrorCode.STREAM_ENDED, "The stream has ended", variable="why, where the platform says it"
)
STREAM_SUSPENDED: Final = ErrorEntry(
    ErrorCode.STREAM_ENDED, "The platform has suspended the stream", "SUSPENDED"
)

# The platform could not be reached, or refused us.

UNREACHABLE: Final = ErrorEntry(
    ErrorCode.UPSTREAM_UNAVAILABLE,
    "The platform cannot be reached",
    temporary=True,
    variable="what was wrong",
)
UPSTREAM: Final = _unavailable("UPSTREAM", "The platform did not answer in time")
UPSTREAM_ERROR: Final = _unavailable("UPSTREAM_ERROR", "The platform answered with an error")
SERVER_ERROR: Final = _unavailable("SERVER_ERROR", "The platform has trouble answering")
UNREADABLE: Final = _unavailable("UNREADABLE", "The platform's answer could not be read")
UNCLEAR: Final = _unavailable(
    "UNCLEAR", "The platform does not say clearly whether the channel is live"
)
LOST: Final = _unavailable("LOST", "The connection to the platform was lost")
NO_CONNECTION: Final = _unavailable("NO_CONNECTION", "There is no connection to the platform")
RATE_LIMITED: Final = _unavailable("RATE_LIMITED", "The platform limits our requests")
CONSENT: Final = _unavailable("CONSENT", "The platform asks for consent first")
BLOCKED: Final = _unavailable(
    "BLOCKED", "The platform refuses this server's requests; try another address or a proxy"
)
BARRED: Final = _unavailable(
    "BLOCKED", "The channel bars this server from reading", temporary=False
)
REFUSED: Final = _unavailable("REFUSED", "The platform refused the chat connection")
LOGIN_REQUIRED: Final = _unavailable(
    "LOGIN_REQUIRED", "The platform shows this stream only to viewers who are logged in"
)
PRIVATE: Final = _unavailable("PRIVATE", "The account is private", temporary=False)
AGE_RESTRICTED: Final = _unavailable(
    "AGE_RESTRICTED", "The platform shows this stream only to adults or to friends", temporary=False
)
JOIN_UNANSWERED: Final = _unavailable("JOIN_UNANSWERED", "The platform does not let us join")
CHANNEL_LIMIT: Final = _unavailable(
    "CHANNEL_LIMIT", "The platform lets this connection join no more channels"
)
SIGNER_REQUIRED: Final = _unavailable(
    "SIGNER_REQUIRED", "The platform refused the direct connection and no signer is configured"
)
SIGNER_DOWN: Final = _unavailable("SIGNER_DOWN", "The signer gives no usable answer")
SIGNER_REJECTED: Final = _unavailable(
    "SIGNER_REJECTED", "The signer rejects our key or plan", temporary=False
)
SIGNER_QUOTA: Final = _unavailable("SIGNER_QUOTA", "The signer's quota is used up")

# The failure is on our side.

CANCELLED: Final = _unavailable("CANCELLED", "The start was cancelled")
INTERNAL: Final = _unavailable("INTERNAL", "The server failed; its log says why")
NO_LEADER: Final = _unavailable("BROKER", "No node can be found that watches this chat")

#: All of them, by their names here.
CATALOGUE: Final = {
    name: value for name, value in dict(globals()).items() if isinstance(value, ErrorEntry)
}

# Of two entries with one reason the first is the ordinary one.
_UNAVAILABLE: Final = {
    entry.details: entry
    for entry in reversed(CATALOGUE.values())
    if entry.code is ErrorCode.UPSTREAM_UNAVAILABLE and entry.details is not None
}
