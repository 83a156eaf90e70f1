# SPDX-License-Identifier: MIT
"""The line protocol of Twitch chat: bytes to lines, lines to parts, and the few lines we send.

Sans-I/O and total: whatever bytes arrive, nothing here raises (docs/wire/twitch.md#lines).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

#: Longest line that is read, in bytes.  IRCv3 allows 8,191 of tags and 512 of the rest; a reply
#: repeats the whole text that it answers in a tag.
MAX_LINE: Final = 64 * 1024

#: Longest line that is sent, in bytes, without its CR LF (RFC 2812 section 2.3).
MAX_SENT: Final = 510

#: What Twitch accepts as the name of a channel or user (docs/wire/twitch.md#join).
LOGIN: Final = re.compile("[a-z0-9_]{1,25}")

_CAPABILITIES: Final = b"CAP REQ :twitch.tv/tags twitch.tv/commands\r\n"
_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED: Final = {":": ";", "s": " ", "r": "\r", "n": "\n"}


class Line(Struct, frozen=True):
    """One line of the server in its parts.

    :ivar tags: tag values by name, unescaped; a tag without a value is the empty string.
    :ivar prefix: who it comes from, `nick!user@host` or a server's name; empty when not said.
    :ivar command: a word or three digits.
    :ivar params: the parameters, the last one without its colon.
    """

    tags: dict[str, str]
    prefix: str
    command: str
    params: list[str]

    @property
    def nick(self) -> str:
        """The name before the `!` of the prefix; empty when a server speaks."""
        nick, mark, _ = self.prefix.partition("!")
        return nick if mark else ""

    @property
    def channel(self) -> str:
        """The login of the channel that the line is about; empty when it is about none."""
        params = self.params
        return params[0][1:] if params and params[0][:1] == "#" else ""


def parse_line(line: bytes) -> Line | None:
    """The parts of one line, given without its line end.

    Bytes that are not UTF-8 become U+FFFD.  The colon before a last parameter without spaces may
    be missing (docs/wire/twitch.md#missing-colon).

    :return: None for a line that has no command.
    """
    rest = line.decode("utf-8", "replace")
    tags: dict[str, str] = {}
    if rest[:1] == "@":
        head, _, rest = rest.partition(" ")
        for item in head[1:].split(";"):
            # The first `=` only: values hold more of them.
            name, _, value = item.partition("=")
            tags[name] = value
        if "\\" in head:
            for name, value in tags.items():
                if "\\" in value:
                    tags[name] = _ESCAPE.sub(_unescaped, value)
    rest = rest.lstrip(" ")
    prefix = ""
    if rest[:1] == ":":
        prefix, _, rest = rest[1:].partition(" ")
        rest = rest.lstrip(" ")
    middle, colon, trailing = rest.partition(" :")
    # Only U+0020 separates: not `split()`, which knows tabs and the spaces of Unicode.
    command, *params = middle.split(" ")
    if not (command.isalnum() and command.isascii()):
        return None
    if "" in params:
        params = [param for param in params if param]
    if colon:
        params.append(trailing)
    return Line(tags, prefix, command, params)


def _unescaped(match: re.Match[str]) -> str:
    # One pass from the left; a lone backslash at the end is dropped, `\x` is `x`.
    return _ESCAPED.get(match[1], match[1])


class LineReader:
    """Cuts a stream of bytes into lines, at LF or CR LF.

    Each byte is looked at a bounded number of times, however the stream is cut.  A line longer than
    the limit is dropped and counted; the lines around it are not touched.

    :ivar overflows: how many lines were dropped.
    """

    __slots__ = ("_held", "_limit", "overflows")

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        #: The beginning of a line whose end has not come; None while an overlong line is dropped.
        self._held: bytearray | None = bytearray()
        self.overflows = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes complete, without their ends; empty lines are left out."""
        *ends, rest = data.split(b"\n")
        lines: list[bytes] = []
        for end in ends:
            if self._held is None:
                self._held = bytearray()
                continue
            line = bytes(self._held) + end if self._held else end
            self._held.clear()
            if len(line) > self._limit:
                self.overflows += 1
            elif line and line != b"\r":
                lines.append(line[:-1] if line[-1] == 13 else line)
        if self._held is not None:
            self._held += rest
            if len(self._held) > self._limit:
                self.overflows += 1
                self._held = None
        return lines


def login_lines(nick: str) -> bytes:
    """What an anonymous client says first (docs/wire/twitch.md#connection).

    :param nick: `justinfan` and digits.
    :raises ValueError: not a name that Twitch accepts.
    """
    return _CAPABILITIES + b"NICK " + _login(nick) + b"\r\n"


def join(logins: Iterable[str]) -> bytes:
    """JOIN for these channels, in as few lines as they fit; nothing for no channels.

    :raises ValueError: one of them is not a name that Twitch accepts.
    """
    return _channels(b"JOIN ", logins)


def part(logins: Iterable[str]) -> bytes:
    """PART for these channels, in as few lines as they fit; nothing for no channels.

    :raises ValueError: one of them is not a name that Twitch accepts.
    """
    return _channels(b"PART ", logins)


def ping(token: str = "livechat") -> bytes:
    """PING with a token that the server will send back."""
    return b"PING :" + _word(token) + b"\r\n"


def pong(token: str) -> bytes:
    """The answer to the server's PING with its own token, whatever that holds."""
    return b"PONG :" + _word(token) + b"\r\n"


def _channels(command: bytes, logins: Iterable[str]) -> bytes:
    sent = bytearray()
    line = b""
    for login in logins:
        channel = b"#" + _login(login)
        if line and len(line) + 1 + len(channel) <= MAX_SENT:
            line += b"," + channel
        else:
            sent += line + b"\r\n" if line else b""
            line = command + channel
    sent += line + b"\r\n" if line else b""
    return bytes(sent)


def _login(login: str) -> bytes:
    if not LOGIN.fullmatch(login):
        raise ValueError(f"not a Twitch login: {login!r}")
    return login.encode("ascii")


def _word(token: str) -> bytes:
    kept = "".join(c for c in token[:MAX_SENT] if c.isprintable())
    return kept.encode("utf-8", "replace")[: MAX_SENT - len("PING :")]
