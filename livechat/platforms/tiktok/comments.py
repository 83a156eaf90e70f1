# SPDX-License-Identifier: MIT
"""What somebody wrote: comments and stickers to chat messages, emotes at their places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from livechat.events import ChatData, ChatMessage, ChatMetadata, Event
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.occasion import PLATFORM, Occasion, Room
from livechat.platforms.tiktok.people import author, image_url
from livechat.text import Emote, Piece, content

#: Most emotes that are shown of one comment.
MAX_EMOTES: Final = 64

#: Besides white space: what may stand in a comment where an emote belongs.
_PLACEHOLDERS: Final = "\ufffc\ufffd\u200b"

_METADATA: Final = ChatMetadata()


def comment(message: schema.ChatMessage, occasion: Occasion) -> list[Event]:
    """A comment."""
    return [_chat(comment_data(message, occasion.room), occasion)]


def sticker(message: schema.EmoteChatMessage, occasion: Occasion) -> list[Event]:
    """A comment of emotes only."""
    who = author(message.user, occasion.room.owner_id, message.user_identity)
    what = content([emote_piece(emote) for emote in message.emote_list[:MAX_EMOTES]])
    return [_chat(ChatData(who, what, _METADATA), occasion)]


def comment_data(message: schema.ChatMessage, room: Room) -> ChatData:
    """Author and content of a comment, also of one that is shown again."""
    emotes = message.emotes
    return ChatData(
        author(message.user, room.owner_id, message.user_identity),
        content(_placed(message.content, emotes[:MAX_EMOTES]) if emotes else (message.content,)),
        _METADATA,
    )


def emote_piece(emote: schema.Emote) -> Emote:
    """An emote; it has no name, so its id between colons stands for it."""
    code = emote.emote_id or "emote"
    text = f":{code}:"
    return Emote(text, image_url(emote.image) or "", text, code, is_custom=True)


def _chat(data: ChatData, occasion: Occasion) -> ChatMessage:
    room_id = occasion.room.room_id
    return ChatMessage(PLATFORM, occasion.timestamp, occasion.message_id, room_id, data)


def _placed(text: str, emotes: Iterable[schema.PlacedEmote]) -> list[Piece]:
    """The comment cut where emotes belong.

    A blank or a placeholder that stands at an emote's place is replaced by it; before any other
    character it is put in.  Places count UTF-16 units; beyond the end means at the end (sheet
    `tiktok` section 10).
    """
    # One encoding for all places; text of one unit per character needs none.
    units = b"" if text.isascii() else text.encode("utf-16-le", "surrogatepass")
    pieces: list[Piece] = []
    at = 0
    for emote in sorted(emotes, key=lambda emote: emote.index):
        place = max(_place(text, units, emote.index), at)
        pieces += (text[at:place], emote_piece(emote.emote))
        at = place + 1 if _gives_way(text[place : place + 1]) else place
    pieces.append(text[at:])
    return pieces


def _gives_way(character: str) -> bool:
    return character.isspace() or (character != "" and character in _PLACEHOLDERS)


def _place(text: str, units: bytes, index: int) -> int:
    """The place in characters; the middle of a character of two units is its end."""
    if index <= 0:
        return 0
    if not units:
        return min(index, len(text))
    return len(units[: 2 * index].decode("utf-16-le", "replace"))
