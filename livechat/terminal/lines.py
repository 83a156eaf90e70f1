# SPDX-License-Identifier: MIT
"""What a message of the protocol is in a terminal: a line of text, or a row of a table.

Pure.  Whatever chatters wrote is text: nothing of it reaches a terminal that it would obey.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import msgspec

#: The columns of the table.
COLUMNS: Final = (
    "timestamp",
    "platform",
    "identifier",
    "type",
    "id",
    "author_id",
    "author",
    "paid",
    "text",
)

_HEX: Final = re.compile("#([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})")

#: What turns the direction of whatever stands beside it.
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def harmless(text: str) -> str:
    """A text on one line, without what a terminal obeys: controls, and marks that turn the line."""
    return "".join(
        "\ufffd" if unicodedata.category(one) in ("Cc", "Zl", "Zp", "Cs") or one in _TURNS else one
        for one in text
    )


def line(message: Mapping[str, Any], *, colour: bool) -> str:
    """A chat or an event on one line, without its end; empty for every other message.

    :param message: of the protocol, decoded.
    :param colour: whether the terminal shows colours.
    """
    if message["type"] not in ("chat", "event"):
        return ""
    time, _, where, kind, _, _, author, paid, text = row(message)
    channel = f"{message['platform']}:{where}"
    name = _painted(author, _color(message)) if colour else author
    said = f"{name}: {text}" if kind in ("chat", "super_chat") else f"* {kind} {text}"
    paid = f" [{paid}]" if paid else ""
    return f"{time[11:19]} {channel}{paid} {said}"


def row(message: Mapping[str, Any]) -> tuple[str, ...]:
    """A chat or an event, by the columns of the table; each harmless in a terminal."""
    data = message["data"]
    inner = data["data"]
    if message["type"] == "chat":
        author, metadata = inner["author"], inner["metadata"]
        paid = metadata.get("monetary_data", {}).get("formatted", "")
        cells = (data["message_id"], author["id"], author["display_name"], paid)
        kind, text = metadata["type"], inner["content"]["raw"]
    else:
        cells, kind = (data["event_id"], "", "", ""), data["type"]
        text = msgspec.json.encode(inner).decode()
    where = message["identifier"]
    found = (data["timestamp"], message["platform"], where, kind, *cells, text)
    return tuple(map(harmless, found))


def csv_line(cells: tuple[str, ...]) -> str:
    """A row as CSV (RFC 4180), without the end of the line."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def note(message: Mapping[str, Any]) -> str:
    """What a status or an error says, on one line; empty for every other message."""
    if message["type"] == "status":
        said = " ".join(filter(None, (message["status"], message.get("details"))))
    elif message["type"] == "error":
        details = message.get("details")
        said = f"{message['code']}: {message['error']}" + (f" ({details})" if details else "")
    else:
        return ""
    named = message.get("identifier")
    return harmless(f"{message['platform']}:{named}: {said}" if named else said)


def _color(message: Mapping[str, Any]) -> str:
    author = message["data"]["data"].get("author")
    return author.get("color", "") if message["type"] == "chat" else ""


def _painted(text: str, color: str) -> str:
    found = _HEX.fullmatch(color)
    if found is None:
        return f"\x1b[1m{text}\x1b[0m"
    red, green, blue = (int(part, 16) for part in found.groups())
    return f"\x1b[1;38;2;{red};{green};{blue}m{text}\x1b[0m"
