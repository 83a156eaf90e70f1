# SPDX-License-Identifier: MIT
"""How much we ask of the providers of emotes at most (docs/wire/emotes.md#limits).

None publishes numbers; bursts are known to be answered by 429, and clients in use ask two questions
at once.
"""

from __future__ import annotations

from typing import Final

from livechat.platforms.budget import Limit

#: Requests to one provider.
REQUESTS: Final = Limit(10, 1.0, at_once=2)

#: Seconds for an answer.
PATIENCE: Final = 10.0

#: Bytes of an answer: one emote of 7TV takes some 1,600 of them, of the others 400.
LONGEST_SET: Final = 8 << 20
LONGEST_ANSWER: Final = 2 << 20

#: Seconds for which sets are read in one turn of the event loop.
TURN: Final = 0.002

#: Seconds until a set is asked for again: one whose changes are told as they happen; one whose
#: changes are not; and that of a channel which the provider does not know.
TOLD: Final = 3600.0
UNTOLD: Final = 900.0
ABSENT: Final = 1800.0

#: Every such pause is made longer or shorter by up to this part of it.
JITTER: Final = 0.2

#: Least seconds between two questions about one set.
LEAST: Final = 10.0

#: Seconds within which all sets are asked for again after their changes were not told for a while.
CATCH_UP: Final = 60.0

#: Seconds for which a provider that fails is left alone: ceilings of a back-off, and at most if it
#: says so itself.
FIRST_REST: Final = 2.0
LONGEST_REST: Final = 120.0
LIMITED_REST: Final = 60.0
LONGEST_TOLD_REST: Final = 3600.0

#: Sets that are kept of channels that nobody watches any more, and for how many seconds.
KEPT: Final = 100
KEPT_FOR: Final = 900.0

#: Connections to the sockets of one provider.
CONNECTIONS: Final = 50

#: Channels on one connection to BetterTTV, which does not say how many it allows.
BTTV_CHANNELS: Final = 100

#: Messages that one connection may bring: in the long run each second, and at once.  A large one
#: counts as one more for each so many bytes.
MESSAGES: Final = 50.0
MESSAGES_AT_ONCE: Final = 2000.0
MESSAGE_BYTES: Final = 16 << 10
