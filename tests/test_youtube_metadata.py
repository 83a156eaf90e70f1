# SPDX-License-Identifier: MIT
"""Viewers and title of a running stream."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import EVENT_KINDS
from livechat.platforms.youtube.parse.continuation import Continuation
from livechat.platforms.youtube.parse.metadata import Metadata, changes, read_metadata
from tests.support.events import data_of

VIDEO = "abcdefghij0"
NOW = 1_790_000_000_000


def viewers(**count: Any) -> Any:
    """An action that tells the number of viewers."""
    return {"updateViewershipAction": {"viewCount": {"videoViewCountRenderer": count}}}


def title(text: str) -> Any:
    """An action that tells the title."""
    return {"updateTitleAction": {"title": {"runs": [{"text": text}]}}}


def read(*actions: Any, **more: Any) -> Metadata:
    """What an answer with these actions tells."""
    return read_metadata(msgspec.json.encode({"actions": actions, **more}))


class ReadTests(SynchronousTestCase):
    """docs/wire/youtube.md#viewers-and-title."""

    def test_all(self) -> None:
        """Viewers, title and how to ask on."""
        timed = {"timedContinuationData": {"continuation": "m", "timeoutMs": 5000}}
        found = read(
            {"updateDateTextAction": {}},
            viewers(originalViewCount="1625", isLive=True),
            title("A title"),
            continuation=timed,
        )
        continuation = Continuation("m", "timedContinuationData", 5000)
        self.assertEqual(found, Metadata(True, 1625, "A title", continuation))

    def test_text_only(self) -> None:
        """Without the plain number the text's is taken."""
        shown = {"simpleText": "1,625 watching now"}
        self.assertEqual(read(viewers(viewCount=shown, isLive=True)).viewers, 1625)

    def test_over(self) -> None:
        """Of a stream that is over the number counts all views ever, and is not passed on."""
        found = read(viewers(originalViewCount="109361"))
        self.assertEqual((found.live, found.viewers), (False, None))

    def test_nothing(self) -> None:
        """Whatever cannot be read tells nothing."""
        for body in (b"", b"{", b"[]", b"null", b'{"actions":7}', b'{"actions":[7,null,{}]}'):
            self.assertEqual(read_metadata(body), Metadata())
        self.assertEqual(read({"updateViewershipAction": {"viewCount": []}}, title("")), Metadata())


class ChangeTests(SynchronousTestCase):
    """Only what changed is an event."""

    def test_changes(self) -> None:
        """The first answer tells all, one like the last nothing, a new number only itself."""
        first = Metadata(True, 5, "T")
        events = changes(Metadata(), first, VIDEO, NOW)
        self.assertEqual(
            [(e.type, e.room_id) for e in events], [("viewers", VIDEO), ("stream", VIDEO)]
        )
        title = data_of(events[1])
        self.assertEqual(title, {"status": "changed", "title": "T", "live_id": VIDEO})
        self.assertEqual(changes(first, first, VIDEO, NOW), [])
        (event,) = changes(first, Metadata(True, 6, "T"), VIDEO, NOW)
        decoded = msgspec.json.decode(msgspec.json.encode(event))
        self.assertEqual((decoded["type"], decoded["data"]), ("viewers", {"viewers": 6}))
        self.assertEqual(decoded["timestamp"], "2026-09-21T14:13:20.000Z")
        self.assertEqual(changes(first, Metadata(), VIDEO, NOW), [])

    def test_back_again(self) -> None:
        """A number that comes back is news again, with an id of its own."""
        low, high = Metadata(True, 5), Metadata(True, 6)
        told = [*changes(low, high, VIDEO, NOW), *changes(high, low, VIDEO, NOW + 1)]
        told += changes(low, high, VIDEO, NOW + 2)
        ids = {msgspec.json.decode(msgspec.json.encode(event))["event_id"] for event in told}
        self.assertEqual(len(ids), 3)
        self.assertLessEqual({"viewers", "stream"}, EVENT_KINDS.keys())
