# SPDX-License-Identifier: MIT
"""What a service that keeps recent messages answers (docs/wire/twitch.md#history).

Pure and total for whatever bytes come: an answer is read as far as it can be, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from livechat.model.chat import ChatMessage
from livechat.model.event_data import Deletion, EventData, Person, Timeout
from livechat.model.events import Event
from livechat.platforms.twitch.parse.irc import MAX_LINE, Line, parse_line
from livechat.platforms.twitch.parse.tags import number, sent_ms

#: Commands that tell what happened.  The rules of a chat and the notices about them are left out:
#: they have no id and no time, and the rules as they are now come with the JOIN.
_COMMANDS: Final = frozenset({"PRIVMSG", "USERNOTICE", "CLEARCHAT", "CLEARMSG"})

_REMOVALS: Final = frozenset({"CLEARCHAT", "CLEARMSG"})

#: How long before the last line that we heard is looked, in ms: lines do not come strictly in the
#: order in which they were sent, and that line itself shows that the service has listened.
MARGIN_MS: Final = 5_000

#: How far in the future a line may have been sent, in ms, by clocks that differ.
_AHEAD_MS: Final = 60_000


class Answer(Struct, frozen=True):
    """An answer of the service.

    :ivar messages: lines as the chat server sent them, with tags of the service's own.
    :ivar error_code: why the service has less than was asked for, or nothing.
    """

    messages: list[str] = []
    error_code: str | None = None


class Past(Struct, frozen=True):
    """What the service knows of a stretch of time.

    :ivar events: in order, without what was removed since.
    :ivar is_whole: by what the service says, nothing is missing between what was known and now.
    """

    events: list[Event]
    is_whole: bool


_DECODER: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer:
    """The answer in a body.

    :raises ValueError: it is none.
    """
    try:
        return _DECODER.decode(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def past(
    answer: Answer,
    login: str,
    translate: Callable[[Line], Sequence[Event]],
    *,
    since_ms: int | None,
    now_ms: int,
    most: int,
) -> Past:
    """The events of an answer, and whether it reaches back to what was known.

    What was heard live shortly before is among them again, with the same ids.

    :param since_ms: when the last line was sent that is known; None: none is, and everything is
        wanted.
    :param most: how many lines were asked for; no more are read.
    """
    lines = _lines(answer.messages[-most:], login, now_ms)
    reaches_back = since_ms is not None and any(_sent(line) <= since_ms for line in lines)
    kept: list[Event] = []
    for line in lines:
        too_old = since_ms is not None and _sent(line) < since_ms - MARGIN_MS
        if too_old or not _may_be_shown(line):
            continue
        for event in translate(line):
            if not isinstance(event, ChatMessage):
                kept = _without_removed(kept, event.data)
            kept.append(event)
    return Past(kept, not answer.error_code and reaches_back)


def _lines(messages: Sequence[str], login: str, now_ms: int) -> list[Line]:
    """The lines about this channel, in the order in which the service received them."""
    found: list[Line] = []
    for text in messages:
        line = parse_line(text[:MAX_LINE].encode("utf-8", "replace"))
        if line is None or line.channel.lower() != login:
            continue
        sent = sent_ms(line.tags)
        if sent is not None and sent <= now_ms + _AHEAD_MS:
            found.append(line)
    # The service has them in order; one that has not must not turn the chat upside down.
    found.sort(key=_received)
    return found


def _may_be_shown(line: Line) -> bool:
    """Whether a line tells what happened and was not removed."""
    if line.tags.get("rm-deleted") == "1" or line.command not in _COMMANDS:
        return False
    # Without an id nobody can tell a message from one that was delivered already.
    return bool(line.tags.get("id")) or line.command in _REMOVALS


def _sent(line: Line) -> int:
    return sent_ms(line.tags) or 0


def _received(line: Line) -> int:
    received = number(line.tags.get("rm-received-ts"))
    return _sent(line) if received is None else received


def _without_removed(events: list[Event], data: EventData) -> list[Event]:
    """What remains when a moderator removed something: messages only, not what else happened."""
    if isinstance(data, Deletion):
        if data.scope == "chat":
            return [event for event in events if not isinstance(event, ChatMessage)]
        gone = data.message_id
        return [
            event
            for event in events
            if not (isinstance(event, ChatMessage) and event.message_id == gone)
        ]
    if isinstance(data, Timeout) and isinstance(data.user, Person):
        user = data.user
        return [
            event
            for event in events
            if not (isinstance(event, ChatMessage) and _is_by(event, user.id, user.username))
        ]
    return events


def _is_by(message: ChatMessage, user_id: str | None, username: str | None) -> bool:
    author = message.data.author
    return author.id == user_id if user_id else author.username == username
