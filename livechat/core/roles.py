# SPDX-License-Identifier: MIT
"""What part a node has in a channel, as a transition table.

    Entering    nobody has said yet who leads
    Following   another node leads
    Preparing   another node leads and wants to go; the upstream is being started beside its own
    Prepared    the upstream flows beside that of the leader; what it brings is held
    Leading     this node watches the upstream and publishes
    Yielding    a prepared node is about to lead: what the upstream brings is held
    Looking     whether this node still leads is being asked: what the upstream brings is held
    Alone       that cannot be found out: the node goes on for its own subscribers
    Left        the node has no part in the channel any more

The broker decides who leads.  `livechat.core.leader` does what stands at the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Role(Enum):
    """What part a node has in a channel."""

    ENTERING = "entering"
    FOLLOWING = "following"
    PREPARING = "preparing"
    PREPARED = "prepared"
    LEADING = "leading"
    YIELDING = "yielding"
    LOOKING = "looking"
    ALONE = "alone"
    LEFT = "left"


class Turn(Enum):
    """What changes it: the broker, the upstream, or the time."""

    #: The broker: nobody leads, so this node does.
    LEAD = "lead"
    #: The broker: the former leader has handed the channel over.
    HANDED = "handed"
    #: The broker: this node leads as before, with other numbers.
    AGAIN = "again"
    FOLLOW = "follow"
    PREPARE = "prepare"
    HOLD = "hold"
    RESUME = "resume"
    DOUBT = "doubt"
    SETTLED = "settled"
    #: The upstream was started and flows.
    FLOWS = "flows"
    #: The upstream is lost, has ended or could not be started, or it brought more than can be held.
    LOST = "lost"
    #: There was no answer whether this node still leads, or too much came meanwhile; or the leader
    #: has received by now what was said before this node's upstream flowed.
    WAITED = "waited"
    LEAVE = "leave"


_R = Role

#: By role and what changes it: the next role, and the name of what the leader's part does then.
#: What is not here changes nothing.
TRANSITIONS: Final[Mapping[tuple[Role, Turn], tuple[Role, str]]] = {
    (_R.ENTERING, Turn.LEAD): (_R.LEADING, "_begin"),
    (_R.ENTERING, Turn.HANDED): (_R.LEADING, "_begin"),
    (_R.ENTERING, Turn.FOLLOW): (_R.FOLLOWING, "_follow"),
    (_R.FOLLOWING, Turn.LEAD): (_R.LEADING, "_begin"),
    # The upstream was lost after it had been called prepared.
    (_R.FOLLOWING, Turn.HANDED): (_R.LEADING, "_begin"),
    (_R.FOLLOWING, Turn.FOLLOW): (_R.FOLLOWING, "_follow"),
    (_R.FOLLOWING, Turn.PREPARE): (_R.PREPARING, "_prepare"),
    (_R.PREPARING, Turn.FLOWS): (_R.PREPARED, "_overlap"),
    (_R.PREPARING, Turn.LOST): (_R.FOLLOWING, "_say_unprepared"),
    (_R.PREPARING, Turn.LEAD): (_R.LEADING, "_go_on_starting"),
    (_R.PREPARING, Turn.HANDED): (_R.LEADING, "_go_on_starting"),
    (_R.PREPARING, Turn.FOLLOW): (_R.FOLLOWING, "_step_down"),
    (_R.PREPARED, Turn.WAITED): (_R.PREPARED, "_say_prepared"),
    (_R.PREPARED, Turn.LOST): (_R.FOLLOWING, "_say_unprepared"),
    (_R.PREPARED, Turn.LEAD): (_R.LEADING, "_take_over"),
    (_R.PREPARED, Turn.HANDED): (_R.LEADING, "_take_over"),
    (_R.PREPARED, Turn.FOLLOW): (_R.FOLLOWING, "_step_down"),
    (_R.LEADING, Turn.FLOWS): (_R.LEADING, "_announce"),
    (_R.LEADING, Turn.LEAD): (_R.LEADING, "_renumber"),
    (_R.LEADING, Turn.AGAIN): (_R.LEADING, "_renumber"),
    (_R.LEADING, Turn.FOLLOW): (_R.FOLLOWING, "_step_down"),
    (_R.LEADING, Turn.HOLD): (_R.YIELDING, "_hold"),
    (_R.LEADING, Turn.DOUBT): (_R.LOOKING, "_look"),
    (_R.YIELDING, Turn.FLOWS): (_R.YIELDING, "_announce"),
    (_R.YIELDING, Turn.LEAD): (_R.LEADING, "_renumber"),
    (_R.YIELDING, Turn.RESUME): (_R.LEADING, "_publish_held"),
    (_R.YIELDING, Turn.AGAIN): (_R.LEADING, "_renumber"),
    (_R.YIELDING, Turn.FOLLOW): (_R.FOLLOWING, "_step_down"),
    (_R.YIELDING, Turn.DOUBT): (_R.LOOKING, "_look"),
    (_R.LOOKING, Turn.FLOWS): (_R.LOOKING, "_announce"),
    (_R.LOOKING, Turn.LEAD): (_R.LEADING, "_renumber"),
    (_R.LOOKING, Turn.SETTLED): (_R.LEADING, "_settle"),
    (_R.LOOKING, Turn.AGAIN): (_R.LEADING, "_renumber"),
    (_R.LOOKING, Turn.FOLLOW): (_R.FOLLOWING, "_step_down"),
    (_R.LOOKING, Turn.WAITED): (_R.ALONE, "_publish_held"),
    (_R.ALONE, Turn.FLOWS): (_R.ALONE, "_announce"),
    (_R.ALONE, Turn.LEAD): (_R.LEADING, "_renumber"),
    (_R.ALONE, Turn.SETTLED): (_R.LEADING, "_settle"),
    (_R.ALONE, Turn.AGAIN): (_R.LEADING, "_renumber"),
    (_R.ALONE, Turn.FOLLOW): (_R.FOLLOWING, "_step_down"),
    **{(role, Turn.LEAVE): (_R.LEFT, "_leave") for role in Role if role is not _R.LEFT},
}
