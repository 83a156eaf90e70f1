# SPDX-License-Identifier: MIT
"""Recorded IRC lines, played again byte for byte with the timing they had."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final

from twisted.logger import Logger

_log: Final = Logger()
_LINE: Final = re.compile(rb"(?:@(?P<tags>\S*) +)?(?::\S+ +)?(?P<command>\S+) +(?P<channel>#\S+)")
_SENT: Final = re.compile(rb"(?:^|;)tmi-sent-ts=(\d{1,15})(?=;|$)")


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line of a channel, without its end.

    :ivar sent: when it was sent, milliseconds since 1970; None: it does not say.
    """

    line: bytes
    command: bytes
    channel: str
    sent: int | None


@dataclass(slots=True)
class Played:
    """How much of a channel's recording was sent."""

    lines: int = 0
    messages: int = 0


def read_lines(path: Path) -> list[bytes]:
    """The IRC lines of a file, without their ends.

    :param path: text with one line each, or JSON `{"messages": [line, ...]}` as the recent-messages
        service answers.
    :raises OSError: it cannot be read.
    :raises ValueError: JSON of another shape.
    """
    data = path.read_bytes()
    if not data.lstrip().startswith(b"{"):
        # Only the ends of lines that IRC knows: a message may hold other separators.
        return [line for part in data.split(b"\n") if (line := part.removesuffix(b"\r"))]
    document = json.loads(data)
    messages = document.get("messages")
    if not isinstance(messages, list) or not all(isinstance(line, str) for line in messages):
        raise ValueError("no list of lines under `messages`")
    return [line.encode() for line in messages if line]


class Recording:
    """A recording of one or more channels, each played once (or for ever) on its own time.

    :ivar channels: logins that it has lines of.
    :ivar left_out: lines that name no channel: they are the connection's, not a chat's.
    :ivar played: what was sent so far, by login.

    :param channel: play all lines into this channel instead of those that they name.
    :param speed: 1 is the original timing, 2 twice as fast; 0: as fast as readers take it.
    :param loop: begin again at the end.  The ids repeat, too.
    :raises ValueError: no line names a channel, or a negative speed.
    """

    def __init__(
        self, lines: Sequence[bytes], channel: str = "", speed: float = 1.0, loop: bool = False
    ) -> None:
        if not 0.0 <= speed < inf:
            raise ValueError(f"not a speed: {speed}")
        recorded = [_recorded(line, channel) for line in lines]
        self._lines: dict[str, list[RecordedLine]] = {}
        for line in recorded:
            if line is not None:
                self._lines.setdefault(line.channel, []).append(line)
        if not self._lines:
            raise ValueError("no line names a channel")
        self.channels = frozenset(self._lines)
        self.left_out = recorded.count(None)
        self.played = {login: Played() for login in self._lines}
        self._speed = speed
        self._loop = loop

    def feed(self, channel: str) -> Iterator[tuple[float, bytes]]:
        """The lines of a channel, each with the seconds that pass before it."""
        played = self.played[channel]
        while True:
            latest: int | None = None
            for line in self._lines[channel]:
                pause = 0.0
                if line.sent is not None:
                    if latest is not None and self._speed:
                        pause = max(0, line.sent - latest) / 1000 / self._speed
                    latest = max(line.sent, latest or 0)
                yield pause, line.line
                played.lines += 1
                played.messages += line.command == b"PRIVMSG"
            _log.info(
                "played {lines} lines, of them {messages} PRIVMSG, into #{channel}",
                lines=played.lines,
                messages=played.messages,
                channel=channel,
            )
            if not self._loop:
                return


def _recorded(line: bytes, channel: str) -> RecordedLine | None:
    match = _LINE.match(line)
    if match is None:
        return None
    if channel:
        line = (
            line[: match.start("channel")] + f"#{channel}".encode() + line[match.end("channel") :]
        )
    sent = _SENT.search(match["tags"] or b"")
    login = channel or match["channel"][1:].decode(errors="replace").lower()
    return RecordedLine(line, match["command"], login, int(sent[1]) if sent else None)
