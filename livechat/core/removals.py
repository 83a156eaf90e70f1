# SPDX-License-Identifier: MIT
"""Which chat messages a `deletion` or a `timeout` takes out of what is kept or held (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from livechat.model.events import without_mirrored

#: Kinds of event that remove chat messages.
REMOVALS: Final = frozenset({"deletion", "timeout"})


class Removable(Protocol):
    """A publication, as this module sees it."""

    @property
    def kind(self) -> str:
        """`chat` or an event kind."""

    @property
    def bit(self) -> int:
        """Its kind as a bit, and whether it was mirrored."""

    @property
    def item(self) -> str:
        """What names it within its channel."""

    @property
    def author(self) -> str:
        """The id of who wrote it."""

    @property
    def payload(self) -> bytes:
        """Its JSON."""

    removed: bool


class _Person(Struct):
    id: str | None = None


class _Data(Struct):
    scope: str | None = None
    message_id: str | None = None
    user: _Person | None = None


class _Event(Struct):
    data: _Data


# From its JSON: a node that received it from another one has nothing else of it.
_decoder: Final = msgspec.json.Decoder(_Event)


def remove(kept: Sequence[Removable], removal: Removable) -> None:
    """Mark those chat messages as removed that a `deletion` or `timeout` after them concerns.

    One that was mirrored from another room concerns what was mirrored.
    """
    try:
        data = _decoder.decode(removal.payload).data
    except msgspec.MsgspecError:
        return
    chats = (one for one in kept if one.kind == "chat" and not one.removed)
    if removal.kind == "timeout":
        author = data.user.id if data.user is not None else None
        if author:
            _mark(one for one in chats if one.author == author and _concerns(removal, one))
    elif data.scope == "chat":
        _mark(one for one in chats if _concerns(removal, one))
    elif data.message_id:
        _mark(one for one in chats if one.item == data.message_id)


def _mark(chats: Iterable[Removable]) -> None:
    for one in chats:
        one.removed = True


def _concerns(removal: Removable, chat: Removable) -> bool:
    return _is_own(removal) or not _is_own(chat)


def _is_own(kept: Removable) -> bool:
    """Whether it was not mirrored from another room."""
    return without_mirrored(kept.bit) != 0
