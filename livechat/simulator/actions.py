# SPDX-License-Identifier: MIT
"""What can happen in a live chat, on whatever platform: people, texts, actions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha256

from livechat.simulator.phrases import Mood


@lru_cache(maxsize=4096)
def stable_id(name: str) -> int:
    """The same number for the same name, everywhere and always: an account's or a room's id."""
    return 10_000_000 + int.from_bytes(sha256(name.encode()).digest()[:5], "big") % 900_000_000


class Role(Enum):
    """The roles of a person in a channel, besides subscriber."""

    BROADCASTER = 1
    MODERATOR = 2
    VIP = 3
    FOUNDER = 4
    PARTNER = 5


@dataclass(frozen=True, slots=True)
class Author:
    """A person in the chat.

    :ivar display_name: may be empty: never set.
    :ivar color: `#RRGGBB`, or empty: never chosen.
    :ivar months: of subscription; 0 is no subscriber.
    """

    id: int
    login: str
    display_name: str
    color: str = ""
    roles: frozenset[Role] = frozenset()
    months: int = 0

    @property
    def shown(self) -> str:
        """The name as the platform shows it."""
        return self.display_name or self.login


Text = tuple[str | Mood, ...]


class Style(Enum):
    """How a message is presented."""

    PLAIN = 1
    ACTION = 2
    HIGHLIGHTED = 3
    FIRST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that happens.

    :ivar id: a UUID; unique, and the same whenever the script is played.
    :ivar author: who does it; None is somebody who hides, or the platform itself.
    :ivar origin: while chats are shared: the channel in which it really happened, else empty.
    """

    id: str
    author: Author | None = None
    text: Text = ()
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Action):
    """A message.

    :ivar reward: the title of a reward that was redeemed with it.
    :ivar gif: what a GIF shows that was sent with it, on platforms where that can be done.
    """

    author: Author
    style: Style = Style.PLAIN
    reply_to: Say | None = None
    reward: str = ""
    gif: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay(Action):
    """A message with money: `amount` in the platform's smallest unit."""

    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe(Action):
    """A subscription begins (`months` 1) or goes on; `streak` 0: the author does not say."""

    author: Author
    months: int
    streak: int = 0
    tier: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift(Action):
    """A subscription that is given to another person.

    `shower` is the id of the shower that it belongs to, or empty.
    """

    recipient: Author
    total: int
    tier: int = 1
    shower: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftShower(Action):
    """Subscriptions for `count` people at once; as many `Gift`s follow."""

    count: int
    total: int
    tier: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Raid(Action):
    """The author brings the viewers of their own channel."""

    author: Author
    viewers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Action):
    """A moderator's announcement; `color` is PRIMARY, BLUE, GREEN, ORANGE or PURPLE."""

    author: Author
    color: str = "PRIMARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStreak(Action):
    """So many streams in a row without missing one."""

    author: Author
    streams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Donate(Action):
    """Money for charity, in hundredths of `currency`."""

    author: Author
    charity: str
    amount: int
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity(Action):
    """Something the platform has only just invented."""

    author: Author
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Action):
    """One message is removed."""

    message: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Action):
    """The author's messages are removed and they may not write for `seconds`; 0 is for ever."""

    author: Author
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear(Action):
    """The whole chat is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Action):
    """A rule of the room changes.

    :ivar name: `slow` (seconds), `followers-only` (minutes, -1 off), `emote-only`, `subs-only` or
        `r9k` (0 or 1).
    """

    name: str
    value: int


def joined(pieces: list[str | Mood]) -> Text:
    """The pieces with neighbouring strings joined and empty ones left out."""
    text: list[str | Mood] = []
    for piece in pieces:
        last = text[-1] if text else None
        if isinstance(piece, str) and isinstance(last, str):
            text[-1] = last + piece
        elif piece:
            text.append(piece)
    return tuple(text)
