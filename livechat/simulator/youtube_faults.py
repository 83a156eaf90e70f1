# SPDX-License-Identifier: MIT
"""What can go wrong with the simulated YouTube, by the names of the command line."""

from __future__ import annotations

from enum import Enum
from typing import Final


class YouTubeFault(Enum):
    """What is wrong for as long as it is in `YouTubeSimulator.faults`."""

    #: Pages.
    CONSENT = "youtube-consent"
    CONSENT_PAGE = "youtube-consent-page"
    CAPTCHA = "youtube-captcha"
    PAGE_429 = "youtube-429"
    PAGE_503 = "youtube-503"
    PAGE_GARBAGE = "youtube-garbage"
    PAGE_HANG = "youtube-hang"
    ELSEWHERE = "youtube-elsewhere"
    CIRCLE = "youtube-circle"
    SIGN_IN = "youtube-sign-in"
    #: The chat.
    TOP_ONLY = "youtube-top-only"
    TOP_ALWAYS = "youtube-top-always"
    REWRITTEN = "youtube-rewritten"
    REPEATS = "youtube-repeats"
    POLL_GONE = "youtube-poll-gone"
    POLL_REFUSED = "youtube-poll-refused"
    POLL_403 = "youtube-poll-403"
    POLL_429 = "youtube-poll-429"
    POLL_503 = "youtube-poll-503"
    POLL_GARBAGE = "youtube-poll-garbage"
    POLL_HANG = "youtube-poll-hang"
    BOMB = "youtube-bomb"


class YouTubeMishap(Enum):
    """Faults that happen once."""

    #: Every stream on air ends.
    END = "youtube-end"
    #: Tokens that were given out are refused from now on.
    EXPIRE = "youtube-expire"
    #: Tokens that were given out bring nothing any more, without a word.
    DEADEN = "youtube-deaden"
    #: The next answer of each chat has no chat in it.
    GONE_ONCE = "youtube-gone-once"
    #: The next answer of each chat is not JSON.
    GARBAGE_ONCE = "youtube-garbage-once"


#: What instead of a page asks for consent, without being elsewhere.
CONSENT_FORM: Final = (
    "<!DOCTYPE html><html><head><title>Before you continue to YouTube</title></head><body><form "
    'action="https://consent.youtube.com/save" method="POST"><button>Accept all</button></form>'
    "</body></html>"
)

#: A page that is none.
GARBAGE_PAGE: Final = (
    '<!DOCTYPE html><html><script>ytcfg.set({1: 2}); var ytInitialData = {"contents": {"two'
    "</script>"
)
