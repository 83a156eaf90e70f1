# SPDX-License-Identifier: MIT
"""What the query of an address stands for: commands, as a client of a WebSocket sends them.

Pure: reads text.  Wrong values are left as they are, so that they are answered like those of a
command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, convert
from msgspec.structs import fields

from livechat.model import error_catalogue
from livechat.protocol.commands import MAX_HISTORY, Since, SubscribeOptions

#: Stands for a chat of which nothing has come, in a list of places.
NOWHERE: Final = "-"

_LIMIT: Final = re.compile(r"[0-9]{1,6}")
_PLACE: Final = re.compile(r"[^\s,]{0,64}:[0-9]{1,18}")

#: Given for each identifier, or once for all.
_PAIRED: Final = ("platform", "identifierType")

_OPTIONS: Final = frozenset(field.encode_name for field in fields(SubscribeOptions))


def subscribes(query: str, last_event_id: str = "") -> list[dict[str, object]]:
    """The `subscribe` commands that a query stands for, one for each `identifier`, in their order.

    `platform` and `identifierType` are given for each identifier, or once for all; `since` names a
    place for each.  All other options hold for all chats.

    :param last_event_id: the places of the last events that the client has; it wins over `since`.
    :raises ChatError: `INVALID_OPTION`, there are not as many platforms as identifiers.
    """
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    identifiers = given.get("identifier", [])
    count = max(1, len(identifiers))
    options = {name: _value(name, values[-1]) for name, values in given.items() if name in _OPTIONS}
    commands: list[dict[str, object]] = [{"type": "subscribe", **options} for _ in range(count)]
    for command, identifier in zip(commands, identifiers, strict=False):
        command["identifier"] = identifier
    for name in _PAIRED:
        values = given.get(name, [])
        if len(values) not in (0, 1, count):
            raise error_catalogue.NO_PAIRS.error(name)
        for number, command in enumerate(commands):
            if values:
                command[name] = values[number % len(values)]
    since = _places(last_event_id, count) or _places(given.get("since", [""])[-1], count)
    if since is not None:
        for command, place in zip(commands, since, strict=True):
            command["since"] = place
    return commands


class Window(Struct, frozen=True):
    """A part of what is kept of a channel.

    :ivar limit: at most so many.
    :ivar since: only what came after it.
    """

    limit: int = MAX_HISTORY
    since: Since | None = None


def window(query: Mapping[str, str]) -> Window:
    """The part that the `limit` and `since` of a query mean; empty ones are as if absent.

    :raises ChatError: `INVALID_OPTION`.
    """
    limit, since = query.get("limit", ""), query.get("since", "")
    found = place_of(since)
    if since and found is None:
        raise error_catalogue.WRONG_SINCE.error()
    if limit and not (_LIMIT.fullmatch(limit) and int(limit) <= MAX_HISTORY):
        raise error_catalogue.WRONG_LIMIT.error()
    return Window(
        int(limit) if limit else MAX_HISTORY, None if found is None else convert(found, Since)
    )


def place_of(text: str) -> dict[str, object] | None:
    """A place as a command has it, of `<epoch>:<seq>`; None if the text is none."""
    if not _PLACE.fullmatch(text):
        return None
    epoch, _, seq = text.rpartition(":")
    return {"epoch": epoch, "seq": int(seq)}


def _places(text: str, count: int) -> Sequence[dict[str, object] | None] | None:
    """So many places, of which each may be nowhere; None if the text is anything else."""
    parts = text.split(",")
    places = [place_of(part) for part in parts]
    if len(parts) != count or any(
        place is None and part != NOWHERE for place, part in zip(places, parts, strict=True)
    ):
        return None
    return places


def _value(name: str, text: str) -> object:
    """An option as a command has it: the JSON value that the text is, or else the text."""
    if name == "id":
        return text
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        value = text
    if name == "events" and value == text:
        return [kind for kind in text.split(",") if kind]
    # An option that is empty is as if it were absent.
    return None if text == "" else value
