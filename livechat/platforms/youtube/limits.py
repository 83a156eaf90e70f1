# SPDX-License-Identifier: MIT
"""How much we ask of YouTube at most.  Polls of a chat are paced by the chat (`pace`)."""

from __future__ import annotations

from typing import Final

from livechat.platforms.budget import Limit

#: Pages, which are what YouTube counts (sheet `youtube` sections 2.1 and 13): four a second.
PAGES: Final = Limit(6, 1.5, at_once=3)
