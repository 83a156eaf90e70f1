# SPDX-License-Identifier: MIT
"""The people of one simulated channel: who they are, how they talk, what they said lately."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Set
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import Final
from uuid import UUID

from livechat.simulator import phrases, scenes
from livechat.simulator.actions import Author, Role, Say, Style, Text, joined, stable_id
from livechat.simulator.phrases import Mood

_BLANK: Final = re.compile(r"\{([a-z]+)\}")
_MOODS: Final[Mapping[str, Mood]] = MappingProxyType({m.value: m for m in Mood})
_ADJECTIVES: Final = phrases.ADJECTIVES.split()
_ANIMALS: Final = phrases.ANIMALS.split()
_COLORS: Final = ("", "", *phrases.COLORS.split())

#: What the regulars are, by how much they write; most are nothing in particular.
_ROLES: Final[Mapping[int, frozenset[Role]]] = MappingProxyType(
    {
        2: frozenset({Role.MODERATOR}),
        6: frozenset({Role.MODERATOR, Role.VIP}),
        9: frozenset({Role.VIP}),
        12: frozenset({Role.FOUNDER}),
        15: frozenset({Role.PARTNER}),
        20: frozenset({Role.VIP, Role.PARTNER}),
    }
)


class Cast:
    """The people of one channel, what they said lately, and what is going on."""

    def __init__(self, random: Random, channel: str, providers: Set[str]) -> None:
        self.random = random
        self._providers = providers
        self.channel = channel
        self.host = Author(
            stable_id(channel),
            channel,
            channel.replace("_", " ").title().replace(" ", "_"),
            "#8A2BE2",
            frozenset({Role.BROADCASTER, Role.PARTNER}),
            random.randrange(12, 60),
        )
        self.scene = random.choice(scenes.SCENES)
        self.said: deque[Say] = deque(maxlen=60)
        self._phrases: deque[str] = deque(maxlen=20)
        # Another channel whose chat is mirrored here, and for how many more messages.
        self._shared = ("", 0)
        regulars = [r for r in phrases.REGULARS if r[0] != channel]
        random.shuffle(regulars)
        self.regulars = [self._person(login, name, i) for i, (login, name) in enumerate(regulars)]
        # A few people write most of what is written.
        self._shares = list(accumulate(1.0 / (i + 3) for i in range(len(self.regulars))))

    def _person(self, login: str, name: str, place: int) -> Author:
        color = self.random.choice(_COLORS)
        months = self.random.choice((0, 0, 1, 2, 3, 5, 8, 14, 27, 41))
        roles = _ROLES.get(place, frozenset())
        if Role.FOUNDER in roles:
            months = max(months, 30)
        return Author(stable_id(login), login, name, color, roles, months)

    def stranger(self) -> Author:
        """A viewer who writes rarely."""
        pick = self.random.choice
        name = f"{pick(_ADJECTIVES)}{pick(_ANIMALS)}{self.random.randrange(10)}"
        # What is true of an account is true of it in every channel.
        number = stable_id(name)
        color = _COLORS[number % len(_COLORS)]
        shown = name.capitalize() if number // 8 % 2 else name
        return Author(number, name, shown, color, months=(0, 0, 0, 0, 1, 4)[number // 16 % 6])

    def somebody(self) -> Author:
        """A viewer, most often one who writes regularly."""
        return self._regular() if self.random.random() < 0.7 else self.stranger()

    def moderator(self) -> Author:
        """A moderator."""
        staff = [r for r in self.regulars if Role.MODERATOR in r.roles]
        return self.random.choice([self.host, *staff])

    def id(self) -> str:
        """A fresh UUID."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def words(self, choices: tuple[str, ...]) -> Text:
        """One of the phrases, filled in; not one that was used just now, if that can be helped."""
        phrase = self._phrase(choices)
        for _ in range(4):
            if phrase not in self._phrases:
                break
            phrase = self._phrase(choices)
        self._phrases.append(phrase)
        return self.filled(phrase)

    def _phrase(self, choices: tuple[str, ...]) -> str:
        """One that needs no emotes but those that are shown here."""
        while True:
            phrase = self.random.choice(choices)
            if phrases.PROVIDERS.get(phrase, "") in ("", *self._providers):
                return phrase

    def filled(self, phrase: str) -> Text:
        """A phrase as the pieces of a text."""
        pieces: list[str | Mood] = []
        for place, piece in enumerate(_BLANK.split(phrase)):
            blank = place % 2 == 1
            pieces.append((_MOODS.get(piece) or self._named(piece)) if blank else piece)
        return joined(pieces)

    def _named(self, blank: str) -> str:
        if blank == "host":
            return self.host.shown
        return str(self.random.randrange(2, 10)) if blank == "n" else self._regular().shown

    def _regular(self) -> Author:
        (author,) = self.random.choices(self.regulars, cum_weights=self._shares)
        return author

    def say(
        self,
        text: Text,
        author: Author | None = None,
        style: Style = Style.PLAIN,
        reply_to: Say | None = None,
        reward: str = "",
        gif: str = "",
    ) -> Say:
        """A message, remembered so that it can be answered or removed."""
        partner, left = self._shared
        origin = ""
        if left:
            self._shared = (partner, left - 1)
            origin = partner if self.random.random() < 0.4 and not reply_to else self.channel
        said = Say(
            id=self.id(),
            author=author or self.somebody(),
            text=text,
            style=style,
            reply_to=reply_to,
            reward=reward,
            gif=gif,
            origin=origin,
        )
        self.said.append(said)
        return said

    def share(self) -> str:
        """For a while the chat of a friend's channel, whose name is returned, is mirrored here."""
        friend = self.random.choice(self.regulars).login
        self._shared = (friend, 24)
        return friend
