# SPDX-License-Identifier: MIT
"""How much CPU something takes, on a machine where others work as well."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time
from typing import Final, TypeVar

T = TypeVar("T")

#: How often something is done before it is called slow.
TIMES: Final = 5


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do something that takes less CPU time than this; its result.

    What takes longer is done again: a collection of all garbage that earlier tests have left may
    fall into it, or the core may be shared.  What is slow by itself is slow each time.

    :raises AssertionError: it took as long each time.
    """
    took = 0.0
    for _ in range(TIMES):
        begun = thread_time()
        result = work()
        took = thread_time() - begun
        if took < seconds:
            return result
    raise AssertionError(f"it took {took:.3f} s of CPU, {TIMES} times")
