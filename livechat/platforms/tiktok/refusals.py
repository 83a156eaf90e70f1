# SPDX-License-Identifier: MIT
"""Why TikTok gives us no chat, and the error that clients get (docs/wire/tiktok.md#refusals)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.platforms.upstream_error import UpstreamError


class Reason(StrEnum):
    """Why; the value is what `details` says."""

    NOT_FOUND = "NOT_FOUND"
    #: One source knows no such account, which it also says of accounts that it hides from us.
    UNCONFIRMED = "UNCONFIRMED"
    UNCLEAR = "UNCLEAR"
    BLOCKED = "BLOCKED"
    LOGIN_REQUIRED = "LOGIN_REQUIRED"
    PRIVATE = "PRIVATE"
    AGE_RESTRICTED = "AGE_RESTRICTED"
    UPSTREAM = "UPSTREAM_ERROR"
    REFUSED = "REFUSED"
    SIGNER_REQUIRED = "SIGNER_REQUIRED"
    SIGNER_DOWN = "SIGNER_DOWN"
    SIGNER_REJECTED = "SIGNER_REJECTED"
    SIGNER_QUOTA = "SIGNER_QUOTA"


class Refused(Struct, frozen=True):
    """One refusal.

    :ivar note: what was seen, in printable ASCII: a status, a header's text, seconds to wait.
    :ivar wait: seconds for which it is of no use to ask again; 0 when that was not said.
    """

    reason: Reason
    note: str = ""
    wait: float = 0.0


#: Refusals that another attempt within the start deadline does not mend.
VERDICTS: Final = frozenset(
    {
        Reason.NOT_FOUND,
        Reason.LOGIN_REQUIRED,
        Reason.PRIVATE,
        Reason.AGE_RESTRICTED,
        Reason.REFUSED,
        Reason.SIGNER_REQUIRED,
        Reason.SIGNER_REJECTED,
        Reason.SIGNER_QUOTA,
    }
)

_MAX_NOTE: Final = 80
_MAX_WAIT: Final = 3600.0


def refused(reason: Reason, note: object = "", wait: float = 0.0) -> Refused:
    """A refusal; the note comes from outside and is cut and cleaned."""
    text = str(note)[:_MAX_NOTE]
    return Refused(reason, "".join(c for c in text if c.isascii() and c.isprintable()), wait)


def seconds_to_wait(headers: Mapping[str, str], now: float) -> float:
    """What an answer says about when to come again; 0 when it does not, an hour at most.

    :param headers: names in lower case.
    :param now: wall time in seconds: some servers tell the moment instead of the time until then.
    """
    for name in ("retry-after", "ratelimit-reset", "x-ratelimit-reset"):
        value = headers.get(name, "").strip()
        if value.isascii() and value.isdigit() and len(value) < 14:
            seconds = float(value)
            return min(max(seconds - now, 0.0) if seconds > 1e9 else seconds, _MAX_WAIT)
    return 0.0


def error_of(refusal: Refused) -> ChatError:
    """The error that clients get for a refusal; never that the stream is not live."""
    reason = refusal.reason
    if reason is Reason.NOT_FOUND:
        return error_catalogue.MISSING.error()
    # An account that is hidden from us is the mildest form of being blocked.
    details = Reason.BLOCKED if reason is Reason.UNCONFIRMED else reason
    return error_catalogue.unavailable(details.value, refusal.note)


def upstream_error(refusal: Refused) -> UpstreamError:
    """A refusal as what is raised; it passes unless another attempt changes nothing."""
    return UpstreamError(
        refusal.reason,
        refusal.note,
        retry_after=refusal.wait,
        temporary=refusal.reason not in VERDICTS,
        error=error_of(refusal),
    )


def not_live() -> ChatError:
    """The account exists and is not live."""
    return error_catalogue.NOT_LIVE.error()


def ended(*, suspended: bool) -> ChatError:
    """The stream is over; TikTok itself may have ended it."""
    return error_catalogue.ended("SUSPENDED" if suspended else None)


def read_handshake(status: int, headers: Mapping[str, str]) -> Refused | None:
    """Why the socket's upgrade was refused; None when it was not.

    A refusal is a 200 with an empty body and two headers (docs/wire/tiktok.md#upgrade).

    :param headers: names in lower case.
    """
    if status == 101:
        return None
    message = headers.get("handshake-msg")
    if message is not None:
        return refused(Reason.REFUSED, message)
    if status in (403, 429):
        return refused(Reason.BLOCKED, f"HTTP {status}")
    return refused(Reason.REFUSED, f"HTTP {status}")
