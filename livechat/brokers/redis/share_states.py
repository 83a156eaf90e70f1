# SPDX-License-Identifier: MIT
"""The states of one node's share in one channel, as a transition table; pure.

    Outside     nothing is heard from Redis, or not yet
    Entering    asks who leads
    Waiting     nobody leads, and somebody else is to have the first chance
    Following   another node leads
    Preparing   another node leads, and has chosen this one as its heir
    Leading     this node leads
    Offering    it leads and wants to go
    Yielding    it leads, its heir is ready, and it publishes nothing more
    Severed     it leads as far as it knows; Redis cannot be used
    Doubting    it may lead no more: the lease has run out, or what it published was refused
    Alone       it leads for its own subscribers only, without Redis
    Gone        it has left

What is published does not pass through the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: What moves a share from one state to another.
INPUTS: Final = {
    "up": "Redis takes commands",
    "down": "Redis takes no commands any more",
    "hearing": "Redis takes commands, and what is published is heard",
    "deaf": "what is published is not heard any more",
    "taken": "Redis: this node leads, and did not before",
    "ours": "Redis: this node leads as before",
    "theirs": "Redis: another node leads",
    "wait": "Redis: nobody leads, and this node is not to, or not yet",
    "unusable": "what lies in Redis under the keys of the channel is not ours",
    "vacant": "the leader is gone",
    "again": "it is time to ask again, if anything is to be asked",
    "led": "another node leads from now on",
    "handed": "this node leads from now on: the former leader has passed the channel on",
    "chosen": "the leader wants to go, and this node is to be ready",
    "unable": "this node, which was chosen, has no upstream",
    "refused": "Redis did not take what was published: another one leads",
    "lapsed": "the lease has run out",
    "offer": "this node wants to go",
    "stay": "it does not want to any more",
    "heir_ready": "the heir has an upstream",
    "passed": "Redis: the heir leads",
    "not_passed": "the heir does not lead, and will not",
    "unsure": "whether the heir leads is not known",
    "alone": "Redis has been away for long, and this node is to do without it",
    "leave": "the member has left",
}

#: In these states | upon this input | go there (= stay) | and do this, by the name of the method of
#: a share.  Everything else changes nothing.
_TABLE: Final = """
Outside                           | hearing    | Entering  | enter
Outside                           | alone      | Alone     | lead_alone
Entering                          | hearing    | =         | enter_again
Entering                          | again      | =         | enter_again
Entering                          | taken      | Leading   | lead
Entering                          | ours       | Leading   | lead
Entering                          | theirs     | Following | follow
Entering                          | wait       | Waiting   |
Entering                          | unusable   | Alone     | lead_alone
Entering Waiting Following        | down       | Outside   |
Entering Waiting Following        | deaf       | Outside   |
Waiting                           | again      | Entering  | enter
Waiting                           | vacant     | Entering  | enter
Waiting                           | led        | Entering  | enter
Following                         | vacant     | Entering  | enter
Following                         | handed     | Entering  | enter
Following                         | led        | =         | note
Following                         | chosen     | Preparing | prepare
Preparing                         | handed     | Leading   | lead_as_heir
Preparing                         | led        | Following | step_back
Preparing                         | unable     | Following | decline
Preparing                         | vacant     | Entering  | enter
Preparing                         | down       | Outside   | withdraw
Preparing                         | deaf       | Outside   | withdraw
Leading Offering                  | down       | Severed   | sever
Leading Offering Severed Yielding | refused    | Doubting  | doubt
Leading Offering Severed Yielding | lapsed     | Doubting  | doubt
Leading                           | offer      | Offering  | announce
Offering                          | stay       | Leading   | recant
Offering                          | heir_ready | Yielding  | hold
Yielding                          | passed     | Entering  | step_down
Yielding                          | not_passed | Leading   | resume
Yielding                          | unsure     | Doubting  | doubt
Yielding                          | down       | Doubting  | doubt
Leading Offering Yielding         | unusable   | Alone     | sever
Severed Doubting Alone            | up         | =         | check
Doubting Alone                    | again      | =         | check_again
Severed Doubting                  | ours       | Leading   | go_on
Severed Doubting                  | taken      | Leading   | lead
Alone                             | ours       | Leading   | join_in
Alone                             | taken      | Leading   | join_in
Severed Doubting Alone            | theirs     | Entering  | step_down
Outside Waiting Following         | offer      | =         | released
Entering Preparing Alone Gone     | offer      | =         | released
Outside Entering Waiting          | leave      | Gone      | depart
Following                         | leave      | Gone      | depart
Preparing                         | leave      | Gone      | depart_as_heir
Gone                              | handed     | =         | give_back
Leading Offering                  | leave      | Gone      | depart_as_leader
Yielding Severed Doubting Alone   | leave      | Gone      | depart_as_leader
"""


STATES: Final = [
    "Outside",
    "Entering",
    "Waiting",
    "Following",
    "Preparing",
    "Leading",
    "Offering",
    "Yielding",
    "Severed",
    "Doubting",
    "Alone",
    "Gone",
]

#: States in which this node publishes, and those of them in which that goes to Redis at once.
LEADS: Final = frozenset(["Leading", "Offering", "Yielding", "Severed", "Doubting", "Alone"])
SENDS: Final = frozenset(["Leading", "Offering", "Yielding"])


def _read() -> Mapping[tuple[str, str], tuple[str, str]]:
    rows: dict[tuple[str, str], tuple[str, str]] = {}
    for line in _TABLE.strip().splitlines():
        names, upon, to, action = (part.strip() for part in line.split("|"))
        for name in names.split():
            if (name, upon) in rows:
                raise ValueError(f"twice in the table: {line}")
            rows[name, upon] = (name if to == "=" else to, action)
    return rows


#: By state and input: the next state, and what is done then.
TRANSITIONS: Final = _read()
