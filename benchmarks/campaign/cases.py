# SPDX-License-Identifier: MIT
"""All cases of the campaign, in the order in which they are played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.campaign import (
    bodies,
    connections,
    identifiers,
    memory,
    operating,
    processes,
    subscribers,
    texts,
    upstreams,
)
from benchmarks.campaign.case import Case

CASES: Final[Sequence[Case]] = (
    *texts.CASES,
    *identifiers.CASES,
    *subscribers.CASES,
    *connections.CASES,
    *upstreams.CASES,
    *bodies.CASES,
    *operating.CASES,
    *processes.CASES,
    *memory.CASES,
)
