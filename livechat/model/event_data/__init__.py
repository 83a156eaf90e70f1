# SPDX-License-Identifier: MIT
"""What is in the events of a chat: one struct for each kind, the same on all platforms.

A field that does not apply is left out (UNSET).  One that applies and is not known is null (None).
The structs are the wire schema: the contract files and the tables of the documentation are made
from them, their docstrings included.
"""

from __future__ import annotations

from livechat.model.event_data.moderation import (
    Announcement,
    Choice,
    Deletion,
    Notice,
    Pin,
    Poll,
    Question,
    Room,
    Timeout,
)
from livechat.model.event_data.paid import Donation, Gift, Goal, GoalPart, Subscription
from livechat.model.event_data.parts import EventData, Person, Price, meaning, person
from livechat.model.event_data.stream import Gap, Stream
from livechat.model.event_data.viewers import Follow, Join, Like, Milestone, Raid, Share, Viewers

__all__ = [
    "KINDS",
    "Announcement",
    "Choice",
    "Deletion",
    "Donation",
    "EventData",
    "Follow",
    "Gap",
    "Gift",
    "Goal",
    "GoalPart",
    "Join",
    "Like",
    "Milestone",
    "Notice",
    "Person",
    "Pin",
    "Poll",
    "Price",
    "Question",
    "Raid",
    "Room",
    "Share",
    "Stream",
    "Subscription",
    "Timeout",
    "Viewers",
    "meaning",
    "person",
]

#: The struct of each kind.  A platform from outside may add to it (`events.add_event_kind`).
KINDS: dict[str, type[EventData]] = {
    data.kind: data
    for data in (
        Announcement, Deletion, Donation, Follow, Gap, Gift, Goal, Join, Like, Milestone, Notice,
        Pin, Poll, Question, Raid, Room, Share, Stream, Subscription, Timeout, Viewers,
    )
}  # fmt: skip
