# SPDX-License-Identifier: MIT
"""Items in which YouTube itself speaks: notices, results of polls, changes of the chat's rules.

`platform_kind` is the rule's icon as YouTube names it; of notices, for which YouTube has no short
names, `engagement` or `purchase`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from livechat.model.event_data import Choice, Notice, Poll, Room
from livechat.model.events import Event
from livechat.platforms.youtube.parse.author import read_person
from livechat.platforms.youtube.parse.innertube import Json, bold_runs, count, dig, string, text_of
from livechat.platforms.youtube.parse.origin import Origin, item_event

_POLL_CHOICE: Final = re.compile(r"(.+) \(([0-9]{1,3})\s?%\)")

#: "Slow mode is on", "@Host turned off members-only mode".
_TURNED: Final = re.compile(r"\b(?:is|turned) (on|off)\b", re.IGNORECASE)
_SLOW: Final = re.compile(r"\bslow mode\b", re.IGNORECASE)
_MEMBERS_ONLY: Final = re.compile(r"\bmembers[- ]only\b", re.IGNORECASE)
_EVERY: Final = re.compile(r"\bevery ([0-9]{1,6}) (second|minute)s?\b")


def engagement(item: Json, origin: Origin) -> Sequence[Event]:
    """A notice of YouTube's, or the result of a poll."""
    icon = string(dig(item, "icon", "iconType"))
    message = dig(item, "message")
    text = text_of(message)
    if icon == "POLL":
        return item_event(_result(message, text), item, origin)
    params = {"icon": icon} if icon else {}
    data = Notice(platform_kind="engagement", text=text, params=params)
    return item_event(data, item, origin)


def _result(message: Json, text: str) -> Poll:
    lines = text.split("\n")
    found = [match for line in lines if (match := _POLL_CHOICE.fullmatch(line))]
    return Poll(
        status="closed",
        # The poll is not named.
        poll_id=None,
        text=text,
        question=next(iter(bold_runs(message)), None),
        choices=[Choice(choice[1], None, int(choice[2]) / 100) for choice in found],
        # "Poll complete: 1.9K votes"
        votes=None if _POLL_CHOICE.fullmatch(lines[-1]) else count(lines[-1]),
    )


def mode_change(item: Json, origin: Origin) -> Sequence[Event]:
    """A rule of the chat began or ended; only the sentence tells which one."""
    text, subtext = text_of(dig(item, "text")), text_of(dig(item, "subtext"))
    icon = string(dig(item, "icon", "iconType"))
    turned = _TURNED.search(text)
    slow = members_only = None
    if turned is not None:
        on = turned[1].lower() == "on"
        if icon == "SLOW_MODE" or _SLOW.search(text):
            slow = _seconds(subtext or text) if on else 0
        elif _MEMBERS_ONLY.search(text):
            members_only = on
    data = Room(
        platform_kind=icon or UNSET,
        text="\n".join(filter(None, (text, subtext))) or UNSET,
        slow=slow,
        subscribers_only=members_only,
    )
    return item_event(data, item, origin)


def _seconds(sentence: str) -> int | None:
    every = _EVERY.search(sentence)
    return int(every[1]) * (60 if every[2] == "minute" else 1) if every else None


def purchase(item: Json, origin: Origin) -> Sequence[Event]:
    """Somebody bought a product of the channel."""
    named = text_of(dig(item, "authorName")) or string(dig(item, "authorExternalChannelId"))
    data = Notice(
        user=read_person(item) if named else None,
        platform_kind="purchase",
        text=text_of(dig(item, "message")),
    )
    return item_event(data, item, origin)
