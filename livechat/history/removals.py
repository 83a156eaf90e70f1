# SPDX-License-Identifier: MIT
"""Which chat messages a `deletion` or a `timeout` takes out of what is kept (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from livechat.core.history import Kept
from livechat.model.events import without_mirrored

#: Kinds of event that remove chat messages.
REMOVALS: Final = frozenset({"deletion", "timeout"})


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


def remove(kept: Sequence[Kept], removal: Kept) -> None:
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


def _mark(chats: Iterable[Kept]) -> None:
    for one in chats:
        one.removed = True


def _concerns(removal: Kept, chat: Kept) -> bool:
    return _is_own(removal) or not _is_own(chat)


def _is_own(kept: Kept) -> bool:
    """Whether it was not mirrored from another room."""
    return without_mirrored(kept.bit) != 0
