# SPDX-License-Identifier: MIT
"""What a subscriber asked for, in the form in which deliveries use it."""

from __future__ import annotations

from math import ceil, inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from livechat.core.filters import ChatFilter, chat_filter
from livechat.model import error_catalogue
from livechat.model.events import (
    ALL_KINDS,
    CHAT_BIT,
    EVENT_KINDS,
    kind_bit,
    with_mirrored,
    without_mirrored,
)
from livechat.protocol.commands import Id, Since, SubscribeOptions

#: Seconds of which every `hold` is a multiple.
HOLD_STEP: Final = 0.125


class Options(Struct, frozen=True):
    """What a subscriber asked for.

    :ivar kinds: which kinds of publication it takes, one bit each, and one more for each if it is
        mirrored (`livechat.model.events`).
    :ivar id: what its client calls the command that asked.
    :ivar stats: seconds between two pushes of statistics: 0 as often as they are pushed at all,
        infinite for never.
    :ivar history: how many of the last publications it wants to begin with.
    :ivar since: after which publication it wants to go on.
    :ivar wait: whether it waits for a channel that is not live, and for the next stream.
    :ivar all_lives: whether it wants every live of the channel.
    :ivar filter: which chats it takes; None: all.
    :ivar hold: seconds for which chats are held before they are delivered to it; a multiple of
        `HOLD_STEP`.
    """

    kinds: int = with_mirrored(CHAT_BIT)
    id: Id | None = None
    stats: float = 0.0
    history: int = 0
    since: Since | None = None
    wait: bool = False
    all_lives: bool = False
    filter: ChatFilter | None = None
    hold: float = 0.0

    @property
    def wants_past(self) -> bool:
        """Whether it is to be given what was published before."""
        return self.history > 0 or self.since is not None


#: Chats, whether mirrored or not.
CHATS: Final = with_mirrored(CHAT_BIT)

#: What takes messages away that a client may show.
REMOVALS: Final = with_mirrored(kind_bit("deletion") | kind_bit("timeout"))


def taking_removals(options: Options) -> Options:
    """The same for somebody who is given what was published before: its removals, too."""
    if not options.wants_past:
        return options
    is_own = options.kinds == without_mirrored(options.kinds)
    removals = without_mirrored(REMOVALS) if is_own else REMOVALS
    return replace(options, kinds=options.kinds | removals)


def understood(asked: SubscribeOptions) -> Options:
    """The options of a `subscribe`.

    :raises ChatError: `INVALID_OPTION`, `events` names a kind that does not exist.
    """
    kinds = _kinds(asked.events)
    return Options(
        without_mirrored(kinds) if asked.mirrored is False else with_mirrored(kinds),
        asked.id,
        _pause(asked.stats),
        asked.history or 0,
        asked.since,
        asked.wait or False,
        asked.lives == "all",
        chat_filter(asked.filter),
        _hold(asked.hold or 0.0),
    )


def _kinds(events: bool | list[str] | None) -> int:
    """The kinds of publication that somebody takes who asked for these events."""
    if events is True:
        return ALL_KINDS
    kinds = CHAT_BIT
    for kind in events or ():
        if kind not in EVENT_KINDS:
            raise error_catalogue.UNKNOWN_EVENT_KIND.error()
        kinds |= kind_bit(kind)
    return kinds


def _hold(seconds: float) -> float:
    """So long at least, so that there are not too many different ones."""
    return ceil(seconds / HOLD_STEP) * HOLD_STEP


def _pause(stats: bool | float | None) -> float:
    if stats is False:
        return inf
    return 0.0 if stats is True or stats is None else stats
