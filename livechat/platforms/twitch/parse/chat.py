# SPDX-License-Identifier: MIT
"""From lines of Twitch chat to events.

Pure and total: a line with any tags missing or broken gives what can be read without them, and
never raises.  What is of an unknown kind or could not be used is named, for counting.

What notices become is in `notices`, what moderators do in `room`, both beside this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from msgspec import UNSET, Struct
from msgspec.structs import replace

from livechat.model.events import ChannelEvent, Event, iso_time
from livechat.platforms.twitch.parse import notices
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.parse.known import (
    USELESS_COMMANDS,
    ignored_badges,
    is_answer,
    unread_tags,
)
from livechat.platforms.twitch.parse.message import message, power_up, unwrapped
from livechat.platforms.twitch.parse.replies import join_failure, login_failed
from livechat.platforms.twitch.parse.room import (
    NOTHING_KNOWN,
    ParsedEvent,
    RoomState,
    cleared_chat,
    cleared_message,
    mode_notice,
    modes,
    room_state,
    unreadable_modes,
)
from livechat.platforms.twitch.parse.tags import sender, sent_ms, source_room

#: Commands about the connection; they carry no chat.
_SILENT: Final = frozenset({
    "001", "002", "003", "004", "353", "366", "372", "375", "376", "CAP", "JOIN", "PART", "PING",
    "PONG", "RECONNECT",
})  # fmt: skip


class Translation(Struct, frozen=True):
    """What one line became.

    :ivar events: in order; the user's text of a notice comes before the notice.
    :ivar unknown: names of what is of an unknown kind or could not be used, for counting.
    :ivar ignored: names of what is known and was left out.
    """

    events: list[Event]
    unknown: Sequence[str] = ()
    ignored: Sequence[str] = ()


def translate(
    line: Line, received_ms: int, new_id: Callable[[], str], room: RoomState = NOTHING_KNOWN
) -> Translation:
    """The events in a line.

    :param received_ms: when it was received, in ms since 1970, for lines that do not say.
    :param new_id: makes the id of a message that came without one.
    :param room: what is known of the channel: its id for lines that do not say, its modes for a
        ROOMSTATE, which tells only those that change.  It makes no difference whether that line
        was already merged into it with `room_state`.
    """
    tags = line.tags
    stated = sent_ms(tags)
    sent = received_ms if stated is None else stated
    room_id = tags.get("room-id") or room.room_id
    if line.command == "PRIVMSG":
        if len(line.params) < 2:
            return Translation([], ("PRIVMSG without text",))
        unknown, ignored = unread_tags(line)
        chat, unusable = message(line, line.nick, sent_ms=sent, room_id=room_id, new_id=new_id)
        if badges := tags.get("badges"):
            ignored += ignored_badges(badges)
        if unusable:
            unknown += tuple(unusable)
        if chat.data.metadata.effect:
            bought = power_up(chat, sender(tags, line.nick, room_id))
            return Translation([chat, bought] if bought else [chat], unknown, ignored)
        return Translation([chat], unknown, ignored)
    when = _When(stated, sent)
    if line.command == "USERNOTICE":
        return _notice(line, when, room_id, new_id)
    if line.command in USELESS_COMMANDS:
        return Translation([], (), (line.command,))
    if line.command in _SILENT:
        return Translation([])
    what, strange, useless = _parsed_event(line, room)
    if what is None:
        return Translation([], strange, useless)
    if mirrored := _next_door(tags, room_id):
        what = what._replace(data=replace(what.data, **mirrored))
    return Translation([_event(tags, when, room_id, what, new_id)], strange, useless)


class _When(NamedTuple):
    """When a line was sent: as it says itself, and as well as we know."""

    stated: int | None
    ms: int


def _notice(line: Line, when: _When, room_id: str, new_id: Callable[[], str]) -> Translation:
    tags = line.tags
    name = notices.name_of(tags)
    login = tags.get("login") or line.nick
    events: list[Event] = []
    common: dict[str, Any] = {}
    unusable: Sequence[str] = ()
    if len(line.params) > 1 and line.params[-1]:
        chat, unusable = message(
            line, login, sent_ms=when.ms, room_id=room_id, new_id=new_id, notice=name
        )
        events.append(chat)
        common["message_id"] = chat.message_id
    common |= _next_door(tags, room_id)
    common["user"] = sender(tags, login, room_id)
    data = notices.read(tags, name, login, common)
    unknown, ignored = unread_tags(line, notices.parameters_read(tags, name, data))
    ignored += ignored_badges(tags.get("badges", ""))
    if not notices.is_known(name):
        unknown += (f"NOTICE {name}".strip(),)
    target = f"{name}-{tags.get('user-id') or login}"
    events.append(_event(tags, when, room_id, ParsedEvent(target, data), new_id))
    return Translation(events, (*unknown, *unusable), ignored)


def _next_door(tags: dict[str, str], room_id: str) -> dict[str, Any]:
    """Where something happened that is mirrored from another room of a shared chat."""
    source = source_room(tags, room_id)
    if source is None:
        return {}
    return {"source_room_id": source, "source_message_id": tags.get("source-id") or UNSET}


def _parsed_event(
    line: Line, room: RoomState
) -> tuple[ParsedEvent | None, Sequence[str], Sequence[str]]:
    """What is neither a message nor a notice about a user; names of what is unknown or ignored."""
    text = line.params[-1] if len(line.params) > 1 else ""
    what: ParsedEvent | None = None
    unknown: Sequence[str]
    ignored: Sequence[str]
    unknown, ignored = unread_tags(line)
    match line.command:
        case "CLEARCHAT":
            what = cleared_chat(line.tags, text)
        case "CLEARMSG":
            what = cleared_message(line.tags, unwrapped(text)[0])
            if what is None:
                unknown += ("CLEARMSG without target",)
        case "ROOMSTATE":
            what = modes(room_state(room, line.tags))
            unknown += tuple(unreadable_modes(line.tags))
        case "NOTICE":
            what = mode_notice(line.tags, text)
            if what is None and not join_failure(line) and not login_failed(line):
                name = line.tags.get("msg-id", "")
                counted = (f"NOTICE {name}".strip(),)
                if is_answer(name):
                    ignored += counted
                else:
                    unknown += counted
        case command:
            unknown = (command,)
    return what, unknown, ignored


def _event(
    tags: dict[str, str],
    when: _When,
    room_id: str,
    what: ParsedEvent,
    new_id: Callable[[], str],
) -> ChannelEvent:
    # Without an id of its own it gets one that is equal when the platform repeats the line.  A line
    # that does not even say when is never taken for a repeat: better twice than not at all.
    event_id = tags.get("id") or (
        new_id() if when.stated is None else f"{when.stated}-{what.target}"
    )
    return ChannelEvent.of(what.data, "twitch", iso_time(when.ms), event_id, room_id)
