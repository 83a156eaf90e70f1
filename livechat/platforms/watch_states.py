# SPDX-License-Identifier: MIT
"""The states of a watched chat, and what happens between them: one table for all platforms.

    state      input    next       what happens
    Starting   flows    Flowing    the start succeeds
    Starting   lost     Starting   the loop tries again
    Starting   over     Over       the start fails
    Flowing    flows    Flowing    the sink hears what has changed, if anything has
    Flowing    lost     Lost       the sink hears that the upstream is being sought
    Flowing    over     Over       the sink hears the end
    Lost       flows    Flowing    the sink hears that messages flow again
    Lost       lost     Lost       -
    Lost       over     Over       the sink hears the end
    any        leave    Over       nobody hears anything more
    Over       any      Over       -

`Watch` does what stands at the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """Where a watched chat stands."""

    STARTING = "starting"
    FLOWING = "flowing"
    LOST = "lost"
    OVER = "over"


class Input(Enum):
    """What moves it."""

    FLOWS = "flows"
    LOST = "lost"
    OVER = "over"
    LEAVE = "leave"


#: By state and input: the next state, and the name of what `Watch` does then.
TRANSITIONS: Final[Mapping[tuple[State, Input], tuple[State, str]]] = {
    (State.STARTING, Input.FLOWS): (State.FLOWING, "_succeed"),
    (State.STARTING, Input.LOST): (State.STARTING, "_ignore"),
    (State.STARTING, Input.OVER): (State.OVER, "_fail"),
    (State.STARTING, Input.LEAVE): (State.OVER, "_ignore"),
    (State.FLOWING, Input.FLOWS): (State.FLOWING, "_update"),
    (State.FLOWING, Input.LOST): (State.LOST, "_interrupt"),
    (State.FLOWING, Input.OVER): (State.OVER, "_end"),
    (State.FLOWING, Input.LEAVE): (State.OVER, "_ignore"),
    (State.LOST, Input.FLOWS): (State.FLOWING, "_resume"),
    (State.LOST, Input.LOST): (State.LOST, "_ignore"),
    (State.LOST, Input.OVER): (State.OVER, "_end"),
    (State.LOST, Input.LEAVE): (State.OVER, "_ignore"),
    (State.OVER, Input.FLOWS): (State.OVER, "_ignore"),
    (State.OVER, Input.LOST): (State.OVER, "_ignore"),
    (State.OVER, Input.OVER): (State.OVER, "_ignore"),
    (State.OVER, Input.LEAVE): (State.OVER, "_ignore"),
}
