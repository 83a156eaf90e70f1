# SPDX-License-Identifier: MIT
"""The states of one channel that is waited for, and what happens between them.

    state      input     next       what happens
    Planned    turn      Looking    the platform is asked
    Planned    begun     Planned    the next look is due at once
    Planned    left      Gone       nobody waits any more
    Planned    taken     Gone       somebody else's start has found it
    Looking    absent    Planned    those who wait hear of another reason; the next look is planned
    Looking    begun     Looking    if it finds nothing, the next look is due at once
    Looking    found     Gone       those who wait are handed over
    Looking    left      Gone       the look is given up
    Looking    taken     Gone       the look is given up
    Gone       any       Gone       -

`Quest` does what stands at the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """Where a channel that is waited for stands."""

    PLANNED = "planned"
    LOOKING = "looking"
    GONE = "gone"


class Input(Enum):
    """What moves it."""

    TURN = "turn"
    BEGUN = "begun"
    ABSENT = "absent"
    FOUND = "found"
    LEFT = "left"
    TAKEN = "taken"


#: By state and input: the next state, and the name of what is done then.
TRANSITIONS: Final[Mapping[tuple[State, Input], tuple[State, str]]] = {
    (State.PLANNED, Input.TURN): (State.LOOKING, "_look"),
    (State.PLANNED, Input.BEGUN): (State.PLANNED, "_hurry"),
    (State.PLANNED, Input.LEFT): (State.GONE, "_forget"),
    (State.PLANNED, Input.TAKEN): (State.GONE, "_forget"),
    (State.LOOKING, Input.ABSENT): (State.PLANNED, "_go_on"),
    (State.LOOKING, Input.BEGUN): (State.LOOKING, "_hurry_then"),
    (State.LOOKING, Input.FOUND): (State.GONE, "_hand_over"),
    (State.LOOKING, Input.LEFT): (State.GONE, "_give_up"),
    (State.LOOKING, Input.TAKEN): (State.GONE, "_give_up"),
    **{(State.GONE, what): (State.GONE, "_ignore") for what in Input},
}
