# SPDX-License-Identifier: MIT
"""Subscribers to whom the same bytes go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from livechat.core.clients import IEncoding, ISubscriber
from livechat.core.filters import ChatFilter
from livechat.core.publication import Publication
from livechat.core.subscription import Subscription
from livechat.model.events import ChannelKey

#: Combinations of kinds for which a group remembers who takes them.
_MAX_COMBINATIONS: Final = 32

#: The line of those who hold nothing.
AT_ONCE: Final = 0.0

Takers = list[tuple[int, list[Subscription], list[ISubscriber]]]


class Form(NamedTuple):
    """What the members of a group have in common.

    :ivar filter: which chats they are given; None: all.
    :ivar line: for how long they hold chats (`livechat.core.holds`).
    """

    encoding: IEncoding
    key: ChannelKey
    filter: ChatFilter | None
    line: float


class Group:
    """Subscribers to whom the same bytes go, and the publications that they have not been given."""

    __slots__ = (
        "_combinations",
        "encoding",
        "form",
        "given",
        "key",
        "kinds",
        "members",
        "pending",
        "ready",
        "since",
        "size",
        "writing",
    )

    def __init__(self, form: Form) -> None:
        self.form = form
        self.encoding, self.key, *_ = form
        self.members: dict[Subscription, None] = {}
        #: All kinds that at least one member takes.
        self.kinds = 0
        self.pending: list[Publication] = []
        #: Bytes of what is pending, about.
        self.size = 0
        #: Members that were given the first so many of what is pending already.
        self.given: dict[Subscription, int] = {}
        #: When the group may be written to again, in seconds of the clock.
        self.ready = 0.0
        #: When the oldest of what is pending was received, likewise.
        self.since = 0.0
        #: What a subscriber does while it is written to must not begin another write.
        self.writing = False
        self._combinations: dict[int, Takers] = {}

    def changed(self) -> None:
        """Members or their options have changed."""
        self._combinations.clear()
        self.kinds = 0
        for member in self.members:
            self.kinds |= member.options.kinds

    def joined(self, member: Subscription) -> None:
        """Add a member."""
        self.members[member] = None
        self.kinds |= member.options.kinds
        self._combinations.clear()

    def takers(self, kinds: int) -> Takers:
        """Who takes which of these kinds: each chosen subset with its members."""
        takers = self._combinations.get(kinds)
        if takers is None:
            chosen: dict[int, list[Subscription]] = {}
            for member in self.members:
                chosen.setdefault(member.options.kinds & kinds, []).append(member)
            takers = [
                (taken, members, [member.subscriber for member in members])
                for taken, members in chosen.items()
                if taken
            ]
            if len(self._combinations) >= _MAX_COMBINATIONS:
                self._combinations.clear()
            self._combinations[kinds] = takers
        return takers

    def data(self, publications: Sequence[Publication], kinds: int) -> tuple[bytes, int]:
        """The joined bytes of the publications of some kinds, and how many these are."""
        chosen = [
            publication.encoded(self.encoding, self.key)
            for publication in publications
            if publication.bit & kinds
        ]
        return (chosen[0] if len(chosen) == 1 else b"".join(chosen)), len(chosen)
