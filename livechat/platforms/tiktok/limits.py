# SPDX-License-Identifier: MIT
"""How much we ask of TikTok and of a signer at most (docs/wire/tiktok.md#upgrade)."""

from __future__ import annotations

from typing import Final

from livechat.core.ports import LookRate
from livechat.pacing import Pauses
from livechat.platforms.budget import Limit

#: Pages and JSON.  No number is published.
LOOKUPS: Final = Limit(6, 2.0, at_once=3)

#: Upgrades of sockets.  No number is published (docs/wire/tiktok.md#upgrade).
HANDSHAKES: Final = Limit(4, 4.0)

#: Requests to a signer: with a key as many as handshakes; without one the public signer allows five
#: in a minute.
SIGNATURES: Final = Limit(4, 4.0)
ANONYMOUS_SIGNATURES: Final = Limit(5, 60.0)

#: Pauses between attempts to enter a room, in seconds (docs/wire/tiktok.md#upgrade).
PAUSES: Final = Pauses(2.0, 60.0)

#: Requests about accounts that are waited for.  They have a budget of their own, so that no start
#: waits behind them.
LOOK_LOOKUPS: Final = Limit(8, 1.0, at_once=8)

#: Looks at accounts that are waited for; nearly always one request each.
LOOKS: Final = LookRate(8.0, at_once=8, spread_from=1.5)
