# SPDX-License-Identifier: MIT
"""What somebody wrote: comments and stickers to chat messages, emotes at their places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final
from unicodedata import category

from livechat.model.chat import ChatData, ChatMessage, ChatMetadata
from livechat.model.events import Event
from livechat.model.text import Emote, Piece, content
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.authors import author, image_url
from livechat.platforms.tiktok.parse.message_context import PLATFORM, MessageContext, Room

#: Most emotes that are shown of one comment.
MAX_EMOTES: Final = 64

#: Besides white space: what may stand in a comment where an emote belongs.
_PLACEHOLDERS: Final = "\ufffc\ufffd\u200b"

#: Longest comment in which places are counted in anything but code points.
_MAX_COUNTED: Final = 1024

_JOINER: Final = "\u200d"
_FLAG_LETTERS: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))

#: The joiner itself and the five skin tones.
_ATTACHED: Final = frozenset((_JOINER, *map(chr, range(0x1F3FB, 0x1F400))))

_METADATA: Final = ChatMetadata()


def comment(message: schema.ChatMessage, context: MessageContext) -> list[Event]:
    """A comment."""
    return [_chat(comment_data(message, context.room), context)]


def sticker(message: schema.EmoteChatMessage, context: MessageContext) -> list[Event]:
    """A comment of emotes only."""
    who = author(message.user, context.room.owner_id, message.user_identity)
    what = content([emote_piece(emote) for emote in message.emote_list[:MAX_EMOTES]])
    return [_chat(ChatData(who, what, _METADATA), context)]


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


def _chat(data: ChatData, context: MessageContext) -> ChatMessage:
    room_id = context.room.room_id
    return ChatMessage(PLATFORM, context.timestamp, context.message_id, room_id, data)


def _placed(text: str, emotes: Iterable[schema.PlacedEmote]) -> list[Piece]:
    """The comment cut where emotes belong.

    A blank or a placeholder that stands at an emote's place is replaced by it; before any other
    character it is put in.  Beyond the end means at the end (docs/wire/tiktok.md#emotes).
    """
    placed = sorted(((emote.index, emote.emote) for emote in emotes), key=itemgetter(0))
    places = _places(text, [index for index, _ in placed])
    pieces: list[Piece] = []
    at = 0
    for place, (_, emote) in zip(places, placed, strict=True):
        start = max(place, at)
        pieces += (text[at:start], emote_piece(emote))
        at = start + 1 if _gives_way(text[start : start + 1]) else start
    pieces.append(text[at:])
    return pieces


def _gives_way(character: str) -> bool:
    return character.isspace() or (character != "" and character in _PLACEHOLDERS)


def _places(text: str, indices: Sequence[int]) -> list[int]:
    """Where in the text, in code points, these indices point to.

    What they count is nowhere said.  The one recorded emote counts characters as readers see them;
    web clients count UTF-16 units.  Where the two differ, that one is taken by which more emotes
    come to stand at an end of the text, a blank or a placeholder; else what was recorded.
    """
    if text.isascii() or len(text) > _MAX_COUNTED:
        return [min(max(index, 0), len(text)) for index in indices]
    readings = (_character_starts(text), _unit_starts(text))
    best = max(readings, key=lambda starts: sum(_fits(text, starts, index) for index in indices))
    return [best[min(max(index, 0), len(best) - 1)] for index in indices]


def _fits(text: str, starts: Sequence[int], index: int) -> bool:
    if not 0 <= index < len(starts):
        return False
    place = starts[index]
    return place in (0, len(text)) or _gives_way(text[place])


def _character_starts(text: str) -> list[int]:
    """Where each character begins that a reader sees as one, and where the text ends.

    A character takes along marks, modifiers and tags, whatever a joiner ties to it, and a second
    letter of a flag (Unicode annex 29, without its rules for syllables of Hangul).
    """
    starts: list[int] = []
    flag = False
    for at, character in enumerate(text):
        second = flag and character in _FLAG_LETTERS
        flag = character in _FLAG_LETTERS and not second
        joined = text[at - 1 : at] == _JOINER
        if at == 0 or not (second or joined or _is_attached(character)):
            starts.append(at)
    return [*starts, len(text)]


def _is_attached(character: str) -> bool:
    return (
        character in _ATTACHED
        or "\U000e0020" <= character <= "\U000e007f"
        or category(character) in ("Mn", "Me", "Mc")
    )


def _unit_starts(text: str) -> list[int]:
    """Where each UTF-16 unit begins, and where the text ends; the middle of a pair is its end."""
    starts: list[int] = []
    for at, character in enumerate(text):
        starts.append(at)
        if character > "\uffff":
            starts.append(at + 1)
    return [*starts, len(text)]
