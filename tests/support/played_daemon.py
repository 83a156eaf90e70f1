# SPDX-License-Identifier: MIT
"""A daemon's WebSocket whose every word a test decides, for a page in a browser."""

from __future__ import annotations

import json
import re
import time
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.support.daemon import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

_numbers = count(1)
_ABOUT_CHATS = ("chat", "event", "stats")


class PlayedDaemon:
    """In place of the daemon's WebSocket: what it is told is kept, what it says a test decides.

    :ivar heard: the commands of the page, decoded.
    """

    def __init__(self, page: Page) -> None:
        self.heard: list[dict[str, Any]] = []
        self._page = page
        self._about: dict[str, Any] = {}
        self._socket: Any = None
        page.route_web_socket(re.compile("/ws$"), self._connected)

    def _connected(self, socket: Any) -> None:
        self._socket = socket
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def hears(self, count: int) -> list[dict[str, Any]]:
        """Wait, bounded, until the page has sent so many commands; what was heard so far."""
        until = time.monotonic() + PATIENCE
        while len(self.heard) < count:
            if time.monotonic() > until:
                raise AssertionError(f"heard only {self.heard}")
            self._page.wait_for_timeout(20)
        return self.heard

    def say(self, *messages: dict[str, Any]) -> None:
        """Send messages, once the page has said what it wants.

        Those that name no chat are about the one that was greeted last.
        """
        self.hears(1)
        for message in messages:
            self._socket.send(json.dumps(self._addressed(message)))

    def _addressed(self, message: Any) -> Any:
        # A test may say anything, so this may be no dictionary at all.
        is_about_chat = isinstance(message, dict) and message.get("type") in _ABOUT_CHATS
        return {**self._about, **message} if is_about_chat else message

    def close(self, code: int) -> None:
        """Close the connection."""
        self._socket.close(code=code)

    def greet(self, **more: Any) -> None:
        """Subscribed and started, for whatever was asked for."""
        self.hears(1)
        asked = [heard for heard in self.heard if heard["type"] == "subscribe"][-1]
        self._about = {name: asked[name] for name in ("platform", "identifier")}
        about = {**self._about, "channel": asked["identifier"], "id": asked["id"]}
        self.say(
            {"type": "status", "status": "subscribed", "storage_type": "redis", **about},
            {"type": "status", "status": "started", "liveId": "live", **about, **more},
        )


def chat(text: str = "hello", *, html: str | None = None, **more: Any) -> dict[str, Any]:
    """A `chat` message as the daemon sends it.

    :param html: `rawHtml`; without it the text, escaped.
    :param more: replaces fields of the author, the metadata or the envelope, by their names.
    """
    author: dict[str, Any] = {
        "id": "42",
        "username": "ann",
        "display_name": "Ann",
        "avatar_url": None,
        "roles": {"broadcaster": False, "moderator": False, "subscriber": False, "verified": False},
        "badges": [],
    }
    envelope: dict[str, Any] = {
        "type": "chat",
        "platform": "youtube",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "message_id": f"message-{next(_numbers)}",
        "room_id": "room",
    }
    metadata: dict[str, Any] = {"type": "chat"}
    for name, value in more.items():
        place = author if name in {*author, "color"} else envelope if name in envelope else metadata
        place[name] = value
    rendered = f'<span class="text">{escape(text)}</span>' if html is None else html
    content = {"raw": text, "formatted": text, "sanitized": text, "rawHtml": rendered}
    envelope["data"] = {"author": author, "content": content, "metadata": metadata}
    return {"type": "chat", "data": envelope}


def event(kind: str, **data: Any) -> dict[str, Any]:
    """An `event` message as the daemon sends it."""
    envelope = {
        "type": kind,
        "platform": "youtube",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "event_id": f"event-{next(_numbers)}",
        "room_id": "room",
        "data": data,
    }
    return {"type": "event", "data": envelope}
