# SPDX-License-Identifier: MIT
"""Why an upstream cannot be had, or was lost: one error for all platforms."""

from __future__ import annotations

from livechat.model.error_catalogue import unavailable
from livechat.model.errors import ChatError


class UpstreamError(Exception):
    """The platform did not give what was asked for.

    :ivar reason: for programs, for example `BLOCKED`; it becomes the `details` of an error.
    :ivar note: what happened, for people; empty where the reason says it all.
    :ivar retry_after: seconds for which the platform wants not to be asked again.
    :ivar temporary: whether asking again may help by itself.
    :ivar error: what clients are told if a start fails for this; made of the reason if left out.
    """

    def __init__(
        self,
        reason: str,
        note: str = "",
        *,
        retry_after: float = 0.0,
        temporary: bool = True,
        error: ChatError | None = None,
    ) -> None:
        super().__init__(reason, note)
        self.reason = reason
        self.note = note
        self.retry_after = retry_after
        self.temporary = temporary
        self.error = error

    def __str__(self) -> str:
        return f"{self.reason}: {self.note}" if self.note else self.reason

    def as_chat_error(self) -> ChatError:
        """What clients are told when a start fails for this."""
        if self.error is not None:
            return self.error
        return unavailable(self.reason, self.note, temporary=self.temporary)
