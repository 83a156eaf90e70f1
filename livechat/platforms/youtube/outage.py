# SPDX-License-Identifier: MIT
"""What is done about a chat whose answers are no use: a table, and the times beside it.

    so far     answer      then       remedy
    GOOD       good        GOOD       NONE        the chat goes on
    FAILING    good        GOOD       NONE
    DOUBTED    good        GOOD       NONE
    GOOD       failed      FAILING    RETRY       ask once more, a little later each time
    FAILING    failed      FAILING    RETRY
    DOUBTED    failed      DOUBTED    RETRY
    GOOD       no chat     DOUBTED    ASK_AGAIN   this happens to live streams for a moment
    FAILING    no chat     DOUBTED    ASK_AGAIN
    DOUBTED    no chat     DOUBTED    CHECK       the watch page says whether the stream is over
    any        finished    DOUBTED    CHECK

A check that was made a moment ago is not made again: the chat is asked instead.  In an outage that
lasts, every RECHECK_AFTER seconds a check takes the place of a retry.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

#: Seconds after which even a single failure counts as an interruption.
NOTIFY_AFTER: Final = 5.0

#: Seconds of failures after which the token may have expired: the watch page has a new one.
RECHECK_AFTER: Final = 90.0

#: How often the page of a chat that is gone must ask to sign in until that is its end: the video
#: was made private.
MAX_SIGN_IN_PAGES: Final = 5


class State(Enum):
    """What the answers since the last good one amount to."""

    GOOD = "good"
    FAILING = "failing"
    DOUBTED = "doubted"


class Answer(Enum):
    """What an answer says about the chat.

    :cvar FAILED: nothing: it did not come or cannot be read.
    :cvar NO_CHAT: there is no chat here.
    :cvar FINISHED: the stream has become a recording, or there is nothing more to ask with.
    """

    GOOD = "good"
    FAILED = "failed"
    NO_CHAT = "no chat"
    FINISHED = "finished"


class Remedy(Enum):
    """What to do next."""

    NONE = "none"
    RETRY = "retry"
    ASK_AGAIN = "ask again"
    CHECK = "check"


#: By state and answer: the next state, and what to do then.
TRANSITIONS: Final[Mapping[tuple[State, Answer], tuple[State, Remedy]]] = {
    (State.GOOD, Answer.GOOD): (State.GOOD, Remedy.NONE),
    (State.FAILING, Answer.GOOD): (State.GOOD, Remedy.NONE),
    (State.DOUBTED, Answer.GOOD): (State.GOOD, Remedy.NONE),
    (State.GOOD, Answer.FAILED): (State.FAILING, Remedy.RETRY),
    (State.FAILING, Answer.FAILED): (State.FAILING, Remedy.RETRY),
    (State.DOUBTED, Answer.FAILED): (State.DOUBTED, Remedy.RETRY),
    (State.GOOD, Answer.NO_CHAT): (State.DOUBTED, Remedy.ASK_AGAIN),
    (State.FAILING, Answer.NO_CHAT): (State.DOUBTED, Remedy.ASK_AGAIN),
    (State.DOUBTED, Answer.NO_CHAT): (State.DOUBTED, Remedy.CHECK),
    (State.GOOD, Answer.FINISHED): (State.DOUBTED, Remedy.CHECK),
    (State.FAILING, Answer.FINISHED): (State.DOUBTED, Remedy.CHECK),
    (State.DOUBTED, Answer.FINISHED): (State.DOUBTED, Remedy.CHECK),
}


class Outage:
    """What went wrong with one chat since its last good answer.

    :ivar state: only the table changes it.
    :ivar failures: answers in a row that were no use.
    """

    __slots__ = ("_sign_ins", "_since", "failures", "state")

    def __init__(self) -> None:
        self.state = State.GOOD
        self._clear()

    def _clear(self) -> None:
        self.failures = 0
        self._sign_ins = 0
        # When the first failure began, or the token was renewed because of failures.
        self._since: float | None = None

    def answered(self, answer: Answer) -> Remedy:
        """What to do after an answer."""
        self.state, remedy = TRANSITIONS[self.state, answer]
        if self.state is State.GOOD:
            self._clear()
        return remedy

    def failed(self, began: float, now: float) -> bool:
        """One more answer was no use; whether that is an interruption of the chat.

        :param began: when the request began that failed.
        """
        self.failures += 1
        if self._since is None:
            self._since = began
        return self.failures > 1 or now - self._since >= NOTIFY_AFTER

    def needs_check(self, now: float) -> bool:
        """Whether the token may have expired by now; true again only after as long a time."""
        if self._since is None or now - self._since < RECHECK_AFTER:
            return False
        self._since = now
        return True

    def asked_to_sign_in(self) -> bool:
        """The page asks to sign in; whether that means that the stream is over."""
        if self.state is State.DOUBTED:
            self._sign_ins += 1
        return self._sign_ins >= MAX_SIGN_IN_PAGES
