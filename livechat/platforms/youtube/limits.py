# SPDX-License-Identifier: MIT
"""Limits of what goes out to YouTube.  How often a chat is polled is in `pace`."""

from __future__ import annotations

from typing import Final

from livechat.core.ports import LookRate
from livechat.platforms.budget import Limit

#: Pages, which YouTube limits (docs/wire/youtube.md#blocked): four a second in the long run.
PAGES: Final = Limit(6, 1.5, at_once=3)

#: Searches for further lives of channels of which all are wanted; each is one page or a few, within
#: the limit of pages.
SEARCHES: Final = Limit(1, 1.0, at_once=1)

#: Looks at channels that are waited for; each is one page or a few, within the limit of pages.
LOOKS: Final = LookRate(2.0, at_once=2)
