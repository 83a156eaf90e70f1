# SPDX-License-Identifier: MIT
"""How many different users wrote, estimated in bounded memory (HyperLogLog); pure.

A user's id is hashed to 64 bits.  The first bits choose a register, and the register keeps the
longest run of zeros that the rest ever began with: a long run is a sign of many users.  Registers
of two nodes, or of two lives of a process, are merged by taking the larger one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from math import log, sqrt
from typing import Final

#: Bits that choose the register: 16,384 of them, which makes the standard error 0.81 %.
PRECISION: Final = 14
REGISTERS: Final = 1 << PRECISION

_REST: Final = 64 - PRECISION
_REST_MASK: Final = (1 << _REST) - 1
_ALPHA: Final = 1 / (2 * log(2))


def register_of(item: str) -> tuple[int, int]:
    """The register that an item goes to, and its rank there (1 to 51); equal on every machine."""
    digest = blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    return number >> _REST, _REST + 1 - (number & _REST_MASK).bit_length()


class Uniques:
    """An estimate of how many different items were added.

    :ivar registers: ranks by register; those that are not there are zero.
    """

    __slots__ = ("_held", "registers")

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        # How many registers hold each rank.
        self._held = [REGISTERS] + [0] * (_REST + 1)

    def add(self, item: str) -> None:
        """Count an item; one that was added before changes nothing."""
        self.raise_register(*register_of(item))

    def merge(self, registers: Iterable[tuple[int, int]]) -> None:
        """Count what was counted elsewhere.

        :raises ValueError: there is no such register, or no such rank.
        """
        for register, rank in registers:
            if not (0 <= register < REGISTERS and 0 < rank < len(self._held)):
                raise ValueError(f"register {register} of rank {rank}")
            self.raise_register(register, rank)

    def raise_register(self, register: int, rank: int) -> None:
        """See to it that a register holds at least a rank."""
        known = self.registers.get(register, 0)
        if rank > known:
            self.registers[register] = rank
            self._held[known] -= 1
            self._held[rank] += 1

    def estimate(self) -> int:
        """How many items there were, without bias for few and for many (Ertl 2017, algorithm 6)."""
        held = self._held
        if held[0] == REGISTERS:
            return 0
        total = REGISTERS * _tau(1 - held[-1] / REGISTERS)
        for rank in range(_REST, 0, -1):
            total = 0.5 * (total + held[rank])
        total += REGISTERS * _sigma(held[0] / REGISTERS)
        # Registers that are all at their end leave nothing: more than can be told.
        return round(_ALPHA * REGISTERS * REGISTERS / max(total, 2.0**-_REST))


def _sigma(x: float) -> float:
    """What the registers that are still zero add; `x` is their share, below 1."""
    factor, total = 1.0, x
    while True:
        x *= x
        before = total
        total += x * factor
        factor += factor
        if total == before:
            return total


def _tau(x: float) -> float:
    """What the registers that are full add; `x` is the share of all others."""
    if x in (0.0, 1.0):
        return 0.0
    factor, total = 1.0, 1 - x
    while True:
        x = sqrt(x)
        before = total
        factor *= 0.5
        total -= (1 - x) ** 2 * factor
        if total == before:
            return total / 3
