# SPDX-License-Identifier: MIT
"""Log events as lines: text or JSON, with secrets masked and without what people wrote.

Whatever calls the logger hands in no texts of chats, headers or tokens.  What could still hold
them, because somebody else made it, is left out or masked here: the values of exceptions that quote
their input, and the secret parts of addresses.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from twisted.logger import eventAsText, formatEvent
from twisted.python.failure import Failure

Event = dict[str, Any]

#: Makes the line of an event, without its end; empty: there is nothing to say.
Form = Callable[[Event], str]

#: From the least to the most important.
LEVELS: Final = ("debug", "info", "warn", "error", "critical")

#: Exceptions that say what was missing or of the wrong kind, and quote no input.
_QUOTE_NOTHING: Final = (AttributeError, ImportError, IndexError, KeyError, OSError, TypeError)

#: Characters of the longest message and of the longest value of a field.
_LONGEST: Final = 4000

#: Keys of Twisted's older events that say nothing more.
_OLD_KEYS: Final = frozenset(
    {"time", "message", "isError", "system", "format", "failure", "why", "printed", "logLevel"}
)
_OURS: Final = frozenset({"time", "level", "namespace", "message", "error", "traceback"})

_IN_ADDRESS: Final = re.compile(r"(?<=://)[^/@\s]*@")
_IN_QUERY: Final = re.compile(
    r"(?i)\b((?:access_|api_?)?(?:token|key)|password|secret|signature|cookie)=[^&\s\"']+"
)
_IN_HEADER: Final = re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{4,}")


def level_of(event: Event) -> str:
    """One of `LEVELS`; older events have none, and are errors or not."""
    level = event.get("log_level")
    name = getattr(level, "name", "")
    if name in LEVELS:
        return str(name)
    return "critical" if event.get("isError") else "info"


def masker(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """What hides secrets in a text.

    :param secrets: words that were chosen; the secret parts of addresses are found anyway.
    """
    words = sorted({word for word in secrets if len(word) >= 6}, key=len, reverse=True)
    chosen = re.compile("|".join(map(re.escape, words))) if words else None

    def masked(text: str) -> str:
        text = _IN_ADDRESS.sub("***@", text)
        text = _IN_QUERY.sub(r"\1=***", text)
        text = _IN_HEADER.sub(r"\1 ***", text)
        return text if chosen is None else chosen.sub("***", text)

    return masked


def text_form(masked: Callable[[str], str]) -> Form:
    """As `twistd` writes it: time, namespace and level, message; a traceback is indented."""

    def line(event: Event) -> str:
        text = eventAsText(event, includeTraceback=False)
        failure = event.get("log_failure")
        if isinstance(failure, Failure):
            head = text or eventAsText({**event, "log_format": "an error"}, includeTraceback=False)
            text = f"{head[:_LONGEST]}\n{_traceback(failure)}"
        return _printable(masked(text[: 4 * _LONGEST])).rstrip().replace("\n", "\n\t")

    return line


def json_form(masked: Callable[[str], str]) -> Form:
    """One JSON object: `time`, `level`, `namespace`, `message`, then the fields of the event."""

    def line(event: Event) -> str:
        message = formatEvent(event)
        failure = event.get("log_failure")
        if not message and failure is None:
            return ""
        said: Event = {
            "time": _iso(event.get("log_time")),
            "level": level_of(event),
            "namespace": event.get("log_namespace") or "-",
            "message": masked(message[:_LONGEST]),
        }
        if event.get("log_system"):
            # Which worker it was.
            said["system"] = masked(str(event["log_system"]))
        for name, value in event.items():
            if name.startswith("log_") or name in _OLD_KEYS or name in _OURS:
                continue
            if isinstance(value, str):
                said[name] = masked(value[:_LONGEST])
            elif value is None or isinstance(value, bool | int | float):
                said[name] = value
        if isinstance(failure, Failure):
            said["error"] = _name(failure)
            said["traceback"] = masked(_traceback(failure)[: 4 * _LONGEST])
        # NaN and infinity are no JSON.
        return _printable(json.dumps(said, ensure_ascii=False, default=str).replace("\x7f", ""))

    return line


def _traceback(failure: Failure) -> str:
    """Where an exception came from, and which it was; what it says only if it quotes no input."""
    try:
        frames = traceback.format_list(
            [
                traceback.FrameSummary(file, number, function)
                for function, file, number, *_ in failure.frames
            ]
        )
    except (AttributeError, TypeError, ValueError):
        # It came from another process.
        frames = []
    value = failure.value
    said = f": {value}" if isinstance(value, _QUOTE_NOTHING) else ""
    return f"{''.join(frames)}{_name(failure)}{said[:_LONGEST]}"


def _name(failure: Failure) -> str:
    kind = failure.type
    return f"{kind.__module__}.{kind.__qualname__}" if kind is not None else "unknown"


def _iso(seconds: object) -> str:
    when = datetime.fromtimestamp(seconds if isinstance(seconds, float) else 0.0, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _printable(text: str) -> str:
    """Half characters, which an identifier may hold, cannot be written."""
    return text.encode("utf-8", "backslashreplace").decode()
