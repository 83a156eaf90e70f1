# SPDX-License-Identifier: MIT
"""The rules of a chat, and what its moderators do (docs/wire/twitch.md#moderation)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from livechat.model.event_data import Deletion, EventData, Notice, Person, Room, Timeout
from livechat.platforms.twitch.parse.tags import Tags, number


class RoomState(Struct, frozen=True):
    """What is known of the rules of a chat; a mode is UNSET, the id empty, until Twitch says it.

    :ivar room_id: the broadcaster's user id.
    :ivar followers_only: minutes that one must have followed; None when everybody may write.
    :ivar slow: seconds between two messages of one user; 0 when not limited.
    :ivar unique: every message must differ from the others (`r9k`).
    """

    room_id: str = ""
    emote_only: bool | UnsetType = UNSET
    followers_only: int | UnsetType | None = UNSET
    slow: int | UnsetType = UNSET
    subscribers_only: bool | UnsetType = UNSET
    unique: bool | UnsetType = UNSET


#: A channel whose rules are not known yet.
NOTHING_KNOWN: Final = RoomState()


class ParsedEvent(NamedTuple):
    """Something that is not a message.

    :ivar target: tells it from others of its kind that happened at the same time.
    """

    target: str
    data: EventData


_SWITCHES: Final = {"emote-only": "emote_only", "subs-only": "subscribers_only", "r9k": "unique"}

#: Notices that say in words what a ROOMSTATE says besides.
_MODE_NOTICES: Final = frozenset({
    "emote_only_on", "emote_only_off", "followers_on", "followers_on_zero", "followers_off",
    "slow_on", "slow_off", "subs_on", "subs_off", "r9k_on", "r9k_off",
})  # fmt: skip


def room_state(previous: RoomState, tags: Tags) -> RoomState:
    """What is known after a ROOMSTATE: what it names, and the rest as before.

    Merging the same line again changes nothing.  Unreadable values are passed over.
    """
    named: dict[str, Any] = {}
    if tags.get("room-id"):
        named["room_id"] = tags["room-id"]
    for tag, field in _SWITCHES.items():
        if tags.get(tag) in ("0", "1"):
            named[field] = tags[tag] == "1"
    if (slow := number(tags.get("slow"))) is not None:
        named["slow"] = slow
    minutes = tags.get("followers-only")
    if minutes == "-1":
        named["followers_only"] = None
    elif (parsed := number(minutes)) is not None:
        named["followers_only"] = parsed
    return msgspec.structs.replace(previous, **named) if named else previous


def modes(state: RoomState) -> ParsedEvent:
    """`room`: all modes that are known."""
    known = {
        name: value
        for name, value in msgspec.structs.asdict(state).items()
        if name != "room_id" and value is not UNSET
    }
    # Two changes at the same time are two events.
    target = "-".join(f"{name}={value}" for name, value in known.items())
    return ParsedEvent(f"modes-{target}", Room(**known))


def unreadable_modes(tags: Tags) -> list[str]:
    """The names of those modes of a ROOMSTATE whose value cannot be read."""
    odd = [tag for tag in _SWITCHES if tags.get(tag, "0") not in ("0", "1")]
    if number(tags.get("slow", "0")) is None:
        odd.append("slow")
    if tags.get("followers-only", "-1") != "-1" and number(tags["followers-only"]) is None:
        odd.append("followers-only")
    return [f"ROOMSTATE.{tag}={tags[tag]}" for tag in odd]


def cleared_chat(tags: Tags, login: str) -> ParsedEvent:
    """A CLEARCHAT: `timeout`, also for a ban; or `deletion` of all, when the line names nobody."""
    user_id = tags.get("target-user-id", "")
    if not user_id and not login:
        return ParsedEvent("chat", Deletion(scope="chat"))
    seconds = number(tags.get("ban-duration"))
    target = f"{user_id or login}-{'ban' if seconds is None else seconds}"
    user = Person(user_id or None, login or None, None)
    return ParsedEvent(target, Timeout(user=user, seconds=seconds))


def cleared_message(tags: Tags, text: str) -> ParsedEvent | None:
    """A CLEARMSG: `deletion` of one message.

    :param text: what the message said.
    :return: None if the line does not say which message.
    """
    message_id = tags.get("target-msg-id")
    if not message_id:
        return None
    login = tags.get("login")
    data = Deletion(
        scope="message",
        message_id=message_id,
        author=Person(None, login, None) if login else None,
        removed_text=text,
    )
    return ParsedEvent(message_id, data)


def mode_notice(tags: Tags, text: str) -> ParsedEvent | None:
    """A NOTICE about the modes of the chat: `notice`.

    :return: None for any other NOTICE.
    """
    name = tags.get("msg-id", "")
    if name not in _MODE_NOTICES:
        return None
    return ParsedEvent(name, Notice(platform_kind=name, text=text))
