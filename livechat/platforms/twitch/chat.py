# SPDX-License-Identifier: MIT
"""From lines of Twitch chat to events.

Pure and total: a line with any tags missing or broken gives what can be told without them, and
never raises.  What is of an unknown kind or could not be used is named, for counting.

The data of each kind of event is documented where it is made: `livechat.platforms.twitch.notices`
and `livechat.platforms.twitch.room`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from livechat.model.events import ChannelEvent, Event, iso_time
from livechat.platforms.twitch import notices
from livechat.platforms.twitch.irc import Line
from livechat.platforms.twitch.message import message, unwrapped
from livechat.platforms.twitch.replies import join_failure, login_failed
from livechat.platforms.twitch.room import (
    NOTHING_KNOWN,
    Happening,
    RoomState,
    cleared_chat,
    cleared_message,
    modes,
    room_state,
    told,
)
from livechat.platforms.twitch.tags import sent_ms, source_room

#: Commands about the connection or about our own account; they carry no chat.
_SILENT: Final = frozenset({
    "001", "002", "003", "004", "353", "366", "372", "375", "376", "CAP", "GLOBALUSERSTATE",
    "HOSTTARGET", "JOIN", "MODE", "PART", "PING", "PONG", "RECONNECT", "USERSTATE", "WHISPER",
})  # fmt: skip


class Translation(Struct, frozen=True):
    """What one line became.

    :ivar events: in order; the user's text of a notice comes before the notice.
    :ivar unknown: name of what is of an unknown kind or could not be used, for counting.
    """

    events: list[Event]
    unknown: str | None = None


def translate(
    line: Line, received_ms: int, new_id: Callable[[], str], room: RoomState = NOTHING_KNOWN
) -> Translation:
    """The events in a line.

    :param received_ms: when it was received, in ms since 1970, for lines that do not say.
    :param new_id: makes the id of a message that came without one.
    :param room: what is known of the room: its id for lines that do not say, its modes for a
        ROOMSTATE, which tells only those that change.  It makes no difference whether that line
        was already merged into it with `room_state`.
    """
    tags = line.tags
    sent = sent_ms(tags, received_ms)
    room_id = tags.get("room-id") or room.room_id
    if line.command == "PRIVMSG":
        if len(line.params) < 2:
            return Translation([], "PRIVMSG without text")
        chat, misfits = message(line, line.nick, sent_ms=sent, room_id=room_id, new_id=new_id)
        return Translation([chat], "emote range" if misfits else None)
    if line.command == "USERNOTICE":
        return _notice(line, sent, room_id, new_id)
    what, unknown = _happening(line, room)
    return Translation([] if what is None else [_event(tags, sent, room_id, what)], unknown)


def _notice(line: Line, sent: int, room_id: str, new_id: Callable[[], str]) -> Translation:
    tags = line.tags
    name = notices.name_of(tags)
    login = tags.get("login") or line.nick
    kind, data = notices.read(tags, name, login)
    unknown = None if notices.is_known(name) else f"USERNOTICE {name}".strip()
    events: list[Event] = []
    if len(line.params) > 1 and line.params[-1]:
        chat, misfits = message(
            line, login, sent_ms=sent, room_id=room_id, new_id=new_id, notice=name
        )
        events.append(chat)
        data["message_id"] = chat.message_id
        if misfits and unknown is None:
            unknown = "emote range"
    if source := source_room(tags, room_id):
        data["source_room_id"] = source
        data["source_message_id"] = tags.get("source-id", "")
    target = f"{name}-{tags.get('user-id') or login}"
    events.append(_event(tags, sent, room_id, Happening(kind, target, data)))
    return Translation(events, unknown)


def _happening(line: Line, room: RoomState) -> tuple[Happening | None, str | None]:
    """What is neither a message nor a notice about a user; and the name of what is unknown."""
    text = line.params[-1] if len(line.params) > 1 else ""
    what: Happening | None = None
    unknown: str | None = None
    match line.command:
        case "CLEARCHAT":
            what = cleared_chat(line.tags, text)
        case "CLEARMSG":
            what = cleared_message(line.tags, unwrapped(text)[0])
            unknown = None if what else "CLEARMSG without target"
        case "ROOMSTATE":
            what = modes(room_state(room, line.tags))
        case "NOTICE":
            what = told(line.tags, text)
            if what is None and not join_failure(line) and not login_failed(line):
                unknown = f"NOTICE {line.tags.get('msg-id', '')}".strip()
        case command if command not in _SILENT:
            unknown = command
    return what, unknown


def _event(tags: dict[str, str], sent: int, room_id: str, what: Happening) -> ChannelEvent:
    # Without an id of its own it gets one that is equal when the platform repeats the line.  A line
    # that does not even say when is never taken for a repeat: better told twice than not at all.
    event_id = tags.get("id") or f"{sent}-{what.target}"
    return ChannelEvent(what.kind, "twitch", iso_time(sent), event_id, room_id, what.data)
