# SPDX-License-Identifier: MIT
"""All cases of the campaign, in the order in which they are played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.campaign import connections, operating, subscribers, texts, upstreams
from benchmarks.campaign.case import Case

CASES: Final[Sequence[Case]] = (
    *texts.CASES,
    *subscribers.CASES,
    *connections.CASES,
    *upstreams.CASES,
    *operating.CASES,
)
