# SPDX-License-Identifier: MIT
"""Limits of what goes out to YouTube.  How often a chat is polled is in `pace`."""

from __future__ import annotations

from typing import Final

from livechat.core.ports import LookRate
from livechat.platforms.budget import Limit

#: Pages, which YouTube limits (docs/wire/youtube.md#blocked): four a second in the long run.
PAGES: Final = Limit(6, 1.5, at_once=3)

#: Pages for channels that are waited for, and for further lives of channels whose lives are all
#: wanted.  They have a budget of their own, so that no start waits behind them.
LOOK_PAGES: Final = Limit(18, 1.0, at_once=18)

#: Searches for further lives; each is one page or a few, within the same limit.
SEARCHES: Final = Limit(4, 1.0, at_once=4)

#: Looks at channels that are waited for; each is one page or a few, within the same limit.
LOOKS: Final = LookRate(18.0, at_once=18, spread_from=2.0)
