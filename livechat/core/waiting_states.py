# SPDX-License-Identifier: MIT
"""The states of one channel that is waited for, and what happens between them.

    state      input     next       what happens
    Planned    turn      Looking    the platform is asked
    Planned    left      Gone       nobody waits any more
    Planned    taken     Gone       somebody else's start has found it
    Looking    absent    Planned    those who wait hear of another reason; the next look is planned
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
    ABSENT = "absent"
    FOUND = "found"
    LEFT = "left"
    TAKEN = "taken"


#: By state and input: the next state, and the name of what is done then.
TRANSITIONS: Final[Mapping[tuple[State, Input], tuple[State, str]]] = {
    (State.PLANNED, Input.TURN): (State.LOOKING, "_look"),
    (State.PLANNED, Input.LEFT): (State.GONE, "_forget"),
    (State.PLANNED, Input.TAKEN): (State.GONE, "_forget"),
    (State.LOOKING, Input.ABSENT): (State.PLANNED, "_go_on"),
    (State.LOOKING, Input.FOUND): (State.GONE, "_hand_over"),
    (State.LOOKING, Input.LEFT): (State.GONE, "_give_up"),
    (State.LOOKING, Input.TAKEN): (State.GONE, "_give_up"),
    **{(State.GONE, what): (State.GONE, "_ignore") for what in Input},
}
