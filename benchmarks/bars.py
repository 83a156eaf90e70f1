# SPDX-License-Identifier: MIT
"""What a measurement must reach."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Bar(Struct):
    """One value and its limit.

    :ivar limit: the most that the value may be; or, if so, the least.
    """

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether it is within the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def show(bars: Iterable[Bar]) -> None:
    """Print one line for each."""
    for bar in bars:
        sign = ">=" if bar.at_least else "<="
        verdict = "reached" if bar.is_reached else "MISSED"
        print(f"{bar.name:62} {bar.value:8.2f}  {sign} {bar.limit:<6g} {verdict}", flush=True)
