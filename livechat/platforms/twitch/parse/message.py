# SPDX-License-Identifier: MIT
"""One user's message: a PRIVMSG, or the text beside a notice (docs/wire/twitch.md#messages)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from livechat.model.chat import Author, ChatData, ChatMessage, ChatMetadata, Money, Reply
from livechat.model.event_data import Gift, Person
from livechat.model.events import ChannelEvent, iso_time
from livechat.model.text import Piece, content
from livechat.platforms.twitch.parse.emotes import color_of, pieces
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.parse.tags import (
    Tags,
    author,
    display_name,
    in_bits,
    is_anonymous,
    number,
    scaled,
    source_room,
)

#: Colour of a Hype Chat; the line does not give one, so it is Twitch's own.
_HYPE_COLOR: Final = "#9147ff"

_ACTION: Final = "\x01ACTION"

#: In a notice, ranges of emotes count this much of the wrapper although it is not in the text.
_COUNTED: Final = len("ACTION ")

#: Kinds of messages; of some other kind we do not know what it shows.
_HIGHLIGHTED: Final = "highlighted-message"
_EFFECTS: Final = frozenset({
    _HIGHLIGHTED, "animated-message", "gigantified-emote-message", "skip-subs-mode-message",
})  # fmt: skip

#: Those that are paid in bits; the others are rewards for the channel's own points.
_POWER_UPS: Final = frozenset({"animated-message", "gigantified-emote-message"})


def message(
    line: Line,
    login: str,
    *,
    sent_ms: int,
    room_id: str,
    new_id: Callable[[], str],
    notice: str | UnsetType = UNSET,
) -> tuple[ChatMessage, Sequence[str]]:
    """The message whose text is the line's last parameter.

    :param login: who wrote it.
    :param sent_ms: when, in ms since 1970.
    :param new_id: makes an id if the line has none.
    :param notice: the platform's kind of the notice that the text came with.
    :return: the message, and the names of what did not fit its text or is unknown.
    """
    tags = line.tags
    text, action = unwrapped(line.params[-1])
    writer = author(tags, login, room_id)
    bits = number(tags.get("bits")) or 0
    emotes, gifs = tags.get("emotes", ""), tags.get("gifs", "")
    cut: Sequence[Piece] = (text,)
    unknown: Sequence[str] = ()
    if emotes or gifs:
        wrapper = _COUNTED if action and notice else 0
        cut, unknown = pieces(text, emotes, gifs, wrapper)
    if not notice and tags.get("msg-id", _HIGHLIGHTED) not in _EFFECTS:
        unknown = (*unknown, f"PRIVMSG.msg-id={tags['msg-id']}")
    metadata = _metadata(tags, writer, room_id, bits=bits, action=action, notice=notice)
    found = ChatMessage(
        "twitch",
        iso_time(sent_ms),
        tags.get("id") or new_id(),
        room_id,
        ChatData(writer, content(cut), metadata),
    )
    return found, unknown


def power_up(chat: ChatMessage, user: Person | None) -> ChannelEvent | None:
    """The power-up that was bought for a message, as a `gift` of the same id; None without one.

    Twitch does not say what it cost.  Bits beside it are the message's, and are told there.
    """
    metadata = chat.data.metadata
    effect = metadata.effect
    if effect not in _POWER_UPS:
        return None
    data = Gift(
        gift_type="virtual",
        user=user,
        platform_kind=effect,
        message_id=chat.message_id,
        source_room_id=metadata.source_room_id,
        source_message_id=metadata.source_message_id,
        count=1,
        name=None,
        image_url=None,
    )
    return ChannelEvent.of(data, chat.platform, chat.timestamp, chat.message_id, chat.room_id)


def unwrapped(text: str) -> tuple[str, bool]:
    """A text without its `/me` wrapper, and whether it had one.

    The closing mark may be missing (docs/wire/twitch.md#action).
    """
    if text[:1] == "\x01" and (text.startswith(_ACTION + " ") or text.rstrip("\x01") == _ACTION):
        return text[len(_ACTION) + 1 :].removesuffix("\x01"), True
    return text, False


def _metadata(
    tags: Tags,
    writer: Author,
    room_id: str,
    *,
    bits: int,
    action: bool,
    notice: str | UnsetType,
) -> ChatMetadata:
    get = tags.get
    money = _bits(bits) if bits else _hype_chat(tags)
    source = source_room(tags, room_id)
    effect = UNSET if notice else get("msg-id")
    return ChatMetadata(
        "chat" if money is UNSET else "super_chat",
        money,
        UNSET,
        action or UNSET,
        get("first-msg") == "1" or UNSET,
        effect == _HIGHLIGHTED or UNSET,
        is_anonymous(writer.id, writer.username) or UNSET,
        notice,
        get("custom-reward-id") or UNSET,
        _reply(tags) if get("reply-parent-msg-id") else UNSET,
        source or UNSET,
        (source and get("source-id")) or UNSET,
        (effect != _HIGHLIGHTED and effect) or UNSET,
        get("animation-id") or UNSET,
    )


def _bits(bits: int) -> Money:
    return Money(str(bits), in_bits(bits), color_of(bits), bits, "BITS")


def _hype_chat(tags: Tags) -> Money | UnsetType:
    """What was paid for a Hype Chat (docs/wire/twitch.md#hype-chat)."""
    currency = tags.get("pinned-chat-paid-currency")
    if not currency:
        return UNSET
    money = scaled(tags.get("pinned-chat-paid-amount"), tags.get("pinned-chat-paid-exponent"))
    if money is None:
        return UNSET
    amount, value = money
    return Money(amount, f"{amount} {currency}", _HYPE_COLOR, value, currency)


def _reply(tags: Tags) -> Reply:
    get = tags.get
    login = get("reply-parent-user-login", "")
    return Reply(
        get("reply-parent-msg-id", ""),
        get("reply-parent-user-id", ""),
        login,
        display_name(get("reply-parent-display-name", ""), login),
        get("reply-parent-msg-body", ""),
    )
