# SPDX-License-Identifier: MIT
"""A service that keeps the recent messages of channels (docs/wire/twitch.md#history).

It listens to a channel from the moment when somebody first asks about it, as the real one does.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from livechat.simulator.twitch_connection import LOGIN
from livechat.simulator.twitch_faults import Fault

#: Lines that are kept of a channel.
KEPT: Final = 500

_STORED: Final = re.compile(rb" (PRIVMSG|USERNOTICE|CLEARCHAT|CLEARMSG|NOTICE|ROOMSTATE) #")
_TAG: Final = re.compile(rb"(?:^@|;)(id|target-msg-id|user-id|target-user-id)=([^; ]*)")

_FAILURES: Final[Mapping[Fault, tuple[int, bytes]]] = MappingProxyType(
    {
        Fault.HISTORY_503: (503, b"<html><body>503 Service Unavailable</body></html>"),
        Fault.HISTORY_429: (429, b'{"status":429}'),
        Fault.HISTORY_GARBAGE: (200, b'{"messages": ["@id=x \xff'),
    }
)


class _Kept(NamedTuple):
    """One line, and when it was received, in ms since 1970."""

    received_ms: int
    line: bytes


class Listener:
    """Hears one channel, as a member of it, and keeps its last lines.

    :param now: the time of day, seconds since 1970.
    """

    paused = False

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: deque[_Kept] = deque(maxlen=KEPT)

    def deliver(self, chat: Sequence[bytes], joined: bytes) -> None:
        """Take lines."""
        received = round(self._now() * 1000)
        self._kept += [_Kept(received, line) for line in chat if _STORED.search(line)]

    def told(self, after: int, before: float, most: int) -> list[str]:
        """The lines between two times, oldest first, with the service's own tags."""
        removed: set[int] = set()
        for at, (_, line) in enumerate(self._kept):
            if b" CLEARCHAT #" in line or b" CLEARMSG #" in line:
                removed |= self._removed_by(line, at)
        found = [
            _with_tags(kept, at in removed)
            for at, kept in enumerate(self._kept)
            if after < kept.received_ms < before
        ]
        return found[-most:]

    def _removed_by(self, line: bytes, at: int) -> set[int]:
        tags = dict(_TAG.findall(line.partition(b" ")[0]))
        message, user = tags.get(b"target-msg-id"), tags.get(b"target-user-id")
        removed = set()
        for place, (_, other) in enumerate(self._kept):
            if place >= at or b" PRIVMSG #" not in other:
                continue
            of = dict(_TAG.findall(other.partition(b" ")[0]))
            if message is not None:
                gone = of.get(b"id") == message
            else:
                gone = user is None or of.get(b"user-id") == user
            if gone:
                removed.add(place)
        return removed


class Server(Protocol):
    """The simulated Twitch, as the service sees it."""

    faults: set[Fault]

    def listener(self, login: str) -> Listener | None:
        """Who has listened to a channel until now; None: nobody, and somebody begins."""


class RecentMessages(Resource):
    """Answers `GET .../LOGIN?limit=...&after=...&before=...`.

    :ivar asked: the last questions: login, and `after` as it was asked.
    """

    isLeaf = True

    def __init__(self, twitch: Server) -> None:
        super().__init__()
        self.asked: deque[tuple[str, str]] = deque(maxlen=1000)
        self._twitch = twitch

    def render_GET(self, request: Request) -> bytes | int:
        """Answer, or with the fault that was chosen."""
        login = b"/".join(request.postpath or []).decode(errors="replace")
        self.asked.append((login, _argument(request, b"after", "")))
        if Fault.HISTORY_HANG in self._twitch.faults:
            return NOT_DONE_YET
        for fault, (status, body) in _FAILURES.items():
            if fault in self._twitch.faults:
                if status == 429:
                    request.setHeader(b"retry-after", b"60")
                return _answered(request, status, body)
        if not LOGIN.fullmatch(login):
            body = _body([], "The channel login is not valid", "invalid_channel_login")
            return _answered(request, 400, body)
        listener = self._twitch.listener(login)
        if listener is None:
            # The first question makes it listen from now on.
            reason = "The bot is currently not joined to this channel"
            return _answered(request, 200, _body([], reason, "channel_not_joined"))
        after = _number(request, b"after", -1)
        before = _number(request, b"before", 1 << 62)
        most = _number(request, b"limit", KEPT)
        messages = listener.told(after, before, max(most, 1))
        return _answered(request, 200, _body(messages, None, None))


def _with_tags(kept: _Kept, is_removed: bool) -> str:
    added = f"historical=1;rm-received-ts={kept.received_ms}"
    if is_removed:
        added += ";rm-deleted=1"
    line = kept.line.decode(errors="replace")
    return f"@{added};{line[1:]}" if line.startswith("@") else f"@{added} {line}"


def _argument(request: Request, name: bytes, default: str) -> str:
    values = (request.args or {}).get(name)
    return values[0].decode(errors="replace") if values else default


def _number(request: Request, name: bytes, default: int) -> int:
    text = _argument(request, name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else default


def _body(messages: Sequence[str], error: str | None, error_code: str | None) -> bytes:
    return json.dumps({"messages": messages, "error": error, "error_code": error_code}).encode()


def _answered(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"application/json")
    return body
