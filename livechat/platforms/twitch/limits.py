# SPDX-License-Identifier: MIT
"""How much we ask of Twitch at most, and how it is spread.

See docs/wire/twitch.md#back-off and docs/wire/twitch.md#join.
"""

from __future__ import annotations

from typing import Final

from livechat.core.ports import LookRate
from livechat.platforms.budget import Limit

#: New connections with their logins.  Clients in use open one in 0.55 to 2 s.
LOGINS: Final = Limit(1, 2.0)

#: JOINs.  Twitch allows 20 in 10 s and closes a connection that asks for more; this is at most 18
#: in any 10.5 s.  In two halves, so that a newcomer does not wait for ten seconds behind a burst.
JOINS: Final = Limit(9, 5.25)

#: Look-ups.  Twitch publishes no number; each asks about up to 50 channels.
LOOKUPS: Final = Limit(2, 1.0, at_once=2)

#: Questions about badges and cheermotes, each about up to 10 channels.  They have a budget of their
#: own, so that no start waits behind them.
PICTURES: Final = Limit(1, 1.0, at_once=1)

#: Questions to the service of recent messages, which volunteers run.  As many as joins, so that a
#: channel that is joined again need not wait for its turn.
HISTORY: Final = Limit(9, 5.25, at_once=3)

#: Channels per connection.
MAX_CHANNELS: Final = 90

#: Seconds that a connection is kept which holds no channel, so that viewers who come and go cost no
#: login each.  Hermes tells of a channel for as long after nobody wants to know any more.
EMPTY_KEPT: Final = 5.0

#: Looks at channels that are waited for.  Up to 50 of them share a request, within the limit of
#: look-ups.
LOOKS: Final = LookRate(50.0, at_once=100)

#: Connections to Hermes that are opened, and how many there are at most.  The service before it
#: allowed ten for an address, and fifty subscriptions on each; of Hermes no number is known.
PUSHES: Final = Limit(1, 1.0)
HERMES_CONNECTIONS: Final = 10
HERMES_SUBSCRIPTIONS: Final = 50

#: Messages that one connection to Hermes may bring: in the long run each second, and at once.
HERMES_MESSAGES: Final = 50.0
HERMES_MESSAGES_AT_ONCE: Final = 2000.0

#: Seconds within which Hermes must answer a subscription.
HERMES_ANSWER: Final = 15.0

#: Seconds for which Hermes is left alone after it has refused us.
HERMES_REST: Final = 3600.0

#: Numbers of channels that are remembered, of those that were looked up last.
HERMES_KNOWN: Final = 10_000

#: Seconds between two looks at a watched channel of which Hermes tells what looks do not see yet,
#: and for how long they go on.
TOLD_EVERY: Final = 15.0
TOLD_LASTS: Final = 120.0
