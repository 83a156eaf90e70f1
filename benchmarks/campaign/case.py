# SPDX-License-Identifier: MIT
"""What a case of the campaign is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from benchmarks.campaign.scene import Scene


class Count(Struct, frozen=True):
    """What the case itself counted.

    :ivar survived: of so many tries, those after which everything was as it must be.
    :ivar note: figures, for whoever reads the table.
    """

    tried: int
    survived: int
    note: str = ""


class Case(Struct, frozen=True):
    """One kind of attack or fault.

    :ivar name: begins with the letter of its part.
    :ivar run: plays it; given the scene and how much of it is to be played.
    :ivar full: how much of it a whole campaign plays.
    :ivar short: how much the short one does; 0: nothing.
    :ivar options: of the daemon.
    :ivar witness: the platform of the witness's channel.
    :ivar memory: bytes by which the daemon's memory may have grown in the end, beside a tenth.
    :ivar halted: seconds for which no answer can be expected of it.
    :ivar alone: whether the daemon of a whole campaign is started for this case and serves no other
        one.
    :ivar limit: seconds after which it is given up, and failed.
    :ivar waits: whether it mostly waits, so that others are best played beside it.
    :ivar observed: whether timers and objects of the daemon are counted (see `observed`).
    :ivar budgets: how many times as much as usual may be asked of the platforms (likewise).
    """

    name: str
    run: Callable[[Scene, int], Coroutine[Any, Any, Count]]
    full: int
    short: int = 0
    options: tuple[str, ...] = ()
    witness: str = "twitch"
    memory: int = 20 << 20
    alone: bool = False
    halted: float = 0.0
    limit: float = 240.0
    waits: bool = False
    observed: bool = False
    budgets: int = 1

    @property
    def is_observed(self) -> bool:
        """Whether the daemon is one of `observed`, which also raises budgets."""
        return self.observed or self.budgets > 1


class Bounds(Struct, frozen=True):
    """What holds for every case.

    :ivar health: seconds that an answer of `/health` may take.
    :ivar settle: seconds in which the daemon's memory must come back.
    :ivar around: seconds before and after a case in which only the witness is there.
    :ivar late: seconds by which anything else may come late.
    :ivar is_busy: whether others work on the machine, so that little can be said of seconds.
    """

    health: float
    settle: float
    around: float = 0.5
    late: float = 10.0
    is_busy: bool = False


class Result(Struct, frozen=True):
    """What came of a case.

    :ivar said: messages in the witness's channel; `lost` of them did not come, or not in order.
    :ivar grown: bytes by which the daemon's memory had grown in the end, and at its highest.
    :ivar health: seconds of the slowest answer of `/health`.
    :ivar problems: what was not as it must be.
    """

    case: Case
    count: Count
    said: int
    lost: int
    grown: int
    peak: int
    health: float
    seconds: float
    problems: tuple[str, ...] = ()

    def line(self) -> str:
        """Its line in the table."""
        verdict = "; ".join(self.problems) if self.problems else "survived"
        note = f"  ({self.count.note})" if self.count.note else ""
        return (
            f"{self.case.name:<44} {self.count.tried:>8} {self.count.survived:>8} {self.said:>7}"
            f" {self.lost:>5} {self.grown / 1e6:>7.1f} {self.peak / 1e6:>7.1f}"
            f" {self.health * 1e3:>8.0f} {self.seconds:>6.0f}  {verdict}{note}"
        )


HEAD = (
    f"{'case':<44} {'tried':>8} {'survived':>8} {'said':>7} {'lost':>5} {'RSS+MB':>7}"
    f" {'peak+MB':>7} {'/health':>8} {'s':>6}"
)
