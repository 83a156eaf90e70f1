# SPDX-License-Identifier: MIT
"""A seeded script of a live chat: who does what, and how long after the one before.

Knows no platform: the servers of this package turn each action into what their platform would
send.  The same seed and channel always give the same script, ids included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from enum import Enum
from itertools import accumulate, islice
from random import Random
from types import MappingProxyType
from typing import Final, NamedTuple

from livechat.simulator.actions import Action
from livechat.simulator.cast import Cast
from livechat.simulator.emote_sets import EVERYWHERE
from livechat.simulator.kinds import KINDS


class Fate(Enum):
    """What becomes of a channel: its name begins with the value; any other name is live."""

    OFFLINE = "offline"
    MISSING = "missing"
    ENDING = "ending"
    SUSPENDED = "suspended"
    QUIET = "quiet"
    BUSY = "busy"
    LIVE = ""

    @property
    def pace(self) -> float:
        """How fast its chat is, compared with the scenario's rate."""
        return _PACE.get(self, 1.0)

    @property
    def exists(self) -> bool:
        """Whether the platform admits that there is such a channel."""
        return self not in (Fate.MISSING, Fate.SUSPENDED)


_PACE: Final[Mapping[Fate, float]] = MappingProxyType(
    {Fate.OFFLINE: 0.1, Fate.MISSING: 0.0, Fate.SUSPENDED: 0.0, Fate.QUIET: 0.0, Fate.BUSY: 10.0}
)


def fate(channel: str) -> Fate:
    """What a channel does, as its name says."""
    return next(f for f in Fate if channel.startswith(f.value))


class Beat(NamedTuple):
    """An action, and the seconds that pass before it."""

    pause: float
    action: Action


ALL_PROVIDERS: Final = frozenset(EVERYWHERE)

#: How often each kind of happening comes, in parts of their sum.
WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({k: w for k, (w, _) in KINDS.items()})


class Scenario:
    """Scripts of chats, one for every name.

    :param rate: actions per second, on average; 0: nothing ever happens.
    :param weights: as `WEIGHTS`; kinds that are left out never happen.
    :param limit: actions until a script is over; None: endless.
    :raises ValueError: not a rate, an unknown kind, or no kind with a weight.
    """

    def __init__(
        self,
        seed: int | str,
        rate: float = 2.0,
        weights: Mapping[str, float] = WEIGHTS,
        limit: int | None = None,
    ) -> None:
        if not 0.0 <= rate < float("inf"):
            raise ValueError(f"not a rate: {rate}")
        if unknown := sorted(weights.keys() - WEIGHTS.keys()):
            raise ValueError(f"unknown kinds: {', '.join(unknown)}")
        if not sum(weights.values()) > 0:
            raise ValueError("no kind has a weight")
        self.seed = seed
        self.rate = rate
        self._kinds = [KINDS[kind][1] for kind in weights]
        self._bounds = list(accumulate(weights.values()))
        self._limit = limit

    def script(self, channel: str, providers: Set[str] = ALL_PROVIDERS) -> Iterator[Beat]:
        """What happens in a channel, from its beginning.

        :param providers: whose emotes are shown there; nobody writes the words of others.
        """
        random = Random(f"{self.seed}/{channel}")
        beats = self._beats(Cast(random, channel, providers), random) if self.rate else iter(())
        return beats if self._limit is None else islice(beats, self._limit)

    def _beats(self, cast: Cast, random: Random) -> Iterator[Beat]:
        # A burst is quicker than the rate; what it gains is owed to the calm after it.
        owed = 0.0
        while True:
            (kind,) = random.choices(self._kinds, cum_weights=self._bounds)
            for place, action in enumerate(kind(cast)):
                pause = random.gammavariate(2.0, 0.5 / self.rate)
                if place:
                    owed += pause * 0.8
                    pause *= 0.2
                else:
                    calm = min(owed, max(pause * 0.5, owed * 0.1))
                    owed -= calm
                    pause += calm
                yield Beat(pause, action)
