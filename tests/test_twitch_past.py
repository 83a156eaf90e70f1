# SPDX-License-Identifier: MIT
"""What the answers of a service of recent messages become: the recorded one, and hostile ones."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.events import Event
from livechat.platforms.twitch.parse.chat import translate
from livechat.platforms.twitch.parse.history import MARGIN_MS, Answer, Past, past, read_answer
from livechat.platforms.twitch.parse.irc import Line
from tests.support.corpus import corpus

NOW = 1_704_560_000_000


def events(line: Line) -> Sequence[Event]:
    """What a line becomes."""
    return translate(line, NOW, lambda: "new").events


def read(
    *lines: str, since_ms: int | None = None, error_code: str | None = None, most: int = 500
) -> Past:
    """What these lines of channel `a` become."""
    answer = Answer(list(lines), error_code)
    return past(answer, "a", events, since_ms=since_ms, now_ms=NOW, most=most)


def times(at: int) -> str:
    """The tags of a line that was sent so many ms after a minute before `NOW`."""
    return f"tmi-sent-ts={NOW - 60_000 + at};rm-received-ts={NOW - 59_900 + at}"


def said(text: str, at: int, user: int = 7, more: str = "") -> str:
    """A message whose id is its text."""
    tags = f"id={text};user-id={user};tmi-sent-ts={NOW - 60_000 + at}{more}"
    return (
        f"@{tags};rm-received-ts={NOW - 59_900 + at};historical=1 :u{user}!u@u PRIVMSG #a :{text}"
    )


def moderated(command: str, at: int, tags: str = "", rest: str = "") -> str:
    """What a moderator did at that time."""
    return f"@{times(at)};{tags} :tmi.twitch.tv {command} #a {rest}".rstrip()


def texts(found: Past) -> list[str]:
    """Messages by their text, other events by their kind."""
    return [e.data.content.raw if isinstance(e, ChatMessage) else e.type for e in found.events]


def since(at: int) -> int:
    """The time of a line."""
    return NOW - 60_000 + at


class RecordedTests(SynchronousTestCase):
    """The recorded answer of the real service: 500 lines, of which four were removed."""

    def setUp(self) -> None:
        """The bytes as they came."""
        name = "twitch/irc/recent_messages_nymn_2024-01-06_first500.json"
        self.answer = read_answer(corpus(name).read_bytes())

    def read(self, since_ms: int | None) -> Past:
        """What it becomes."""
        return past(self.answer, "nymn", events, since_ms=since_ms, now_ms=NOW, most=500)

    def test_all(self) -> None:
        """Everything in order, with its own times, but for what was removed."""
        found = self.read(None)
        self.assertEqual(len(found.events), 496)
        self.assertEqual([e.type for e in found.events if not isinstance(e, ChatMessage)],
                         ["timeout", "timeout"])  # fmt: skip
        silenced = {"423574282", "31034458"}
        removed = [
            event.message_id
            for event in found.events
            if isinstance(event, ChatMessage)
            and event.data.author.id in silenced
            and event.timestamp < "2024-01-06T16:22:34"
        ]
        self.assertEqual(removed, [])
        times = [event.timestamp for event in found.events]
        self.assertEqual((times[0], times[-1]),
                         ("2024-01-06T16:19:44.095Z", "2024-01-06T16:24:28.657Z"))  # fmt: skip

    def test_from_the_middle(self) -> None:
        """After a line that was heard live: what came since, and a few seconds before."""
        heard = 1_704_558_140_000
        found = self.read(heard)
        self.assertTrue(found.is_whole)
        whole = self.read(None).events
        self.assertEqual(found.events, whole[-len(found.events) :])
        self.assertLess(len(found.events), len(whole))
        first = found.events[0].timestamp
        self.assertGreaterEqual(first, "2024-01-06T16:22:15")

    def test_not_far_enough(self) -> None:
        """A line that is older than all that is kept: part of the gap is lost."""
        self.assertFalse(self.read(1_704_557_900_000).is_whole)


class RemovedTests(SynchronousTestCase):
    """What was removed is left out, and what removed it is told."""

    def test_marked(self) -> None:
        """What the service marks as removed."""
        self.assertEqual(texts(read(said("x", 0, more=";rm-deleted=1"), said("y", 1))), ["y"])

    def test_by_later_lines(self) -> None:
        """What a later line removes, though the service did not mark it."""
        for line, kept in (
            (moderated("CLEARMSG", 9, "target-msg-id=one;login=u7", ":one"), ["two", "deletion"]),
            (moderated("CLEARCHAT", 9, "target-user-id=7;ban-duration=5", ":u7"),
             ["two", "timeout"]),
            (moderated("CLEARCHAT", 9, "", ":u8"), ["one", "timeout"]),
            (moderated("CLEARCHAT", 9), ["deletion"]),
        ):  # fmt: skip
            found = read(said("one", 1), said("two", 2, user=8), line, said("three", 10))
            self.assertEqual(texts(found), [*kept, "three"], line)

    def test_what_was_delivered(self) -> None:
        """What removes a message that is not in the answer is told all the same."""
        found = read(said("x", 0), moderated("CLEARMSG", 9, "target-msg-id=old;login=b", ":old"),
                     since_ms=since(0))  # fmt: skip
        self.assertEqual(texts(found), ["x", "deletion"])


class WholeTests(SynchronousTestCase):
    """Whether nothing is missing."""

    def test_reaches_back(self) -> None:
        """The answer has a line that is as old as the last one that was heard, or older."""
        self.assertTrue(read(said("x", 0), said("y", 5), since_ms=since(0)).is_whole)
        self.assertFalse(read(said("y", 5), since_ms=since(0)).is_whole)
        self.assertFalse(read(since_ms=since(0)).is_whole)

    def test_removed_line_shows_it_too(self) -> None:
        """The last line that was heard may have been removed since."""
        lines = said("x", 0, more=";rm-deleted=1"), said("y", 5)
        self.assertTrue(read(*lines, since_ms=since(0)).is_whole)

    def test_not_listening(self) -> None:
        """A service that says that it has not listened has told what it could."""
        found = read(said("x", 0), said("y", 5), since_ms=since(0), error_code="channel_not_joined")
        self.assertEqual((texts(found), found.is_whole), (["x", "y"], False))

    def test_cut(self) -> None:
        """More lines than were asked for: the newest count, and show no more than they hold."""
        lines = [said(f"{n}", n) for n in range(20)]
        found = read(*lines, since_ms=since(0), most=10)
        self.assertEqual((texts(found), found.is_whole), ([str(n) for n in range(10, 20)], False))

    def test_margin(self) -> None:
        """Lines shortly before the last one that was heard come again, older ones do not."""
        found = read(said("old", 0), said("near", 100), said("x", MARGIN_MS + 50),
                     since_ms=since(MARGIN_MS + 50))  # fmt: skip
        self.assertEqual((texts(found), found.is_whole), (["near", "x"], True))


class HostileTests(SynchronousTestCase):
    """Answers that lie, and bytes that are none."""

    def test_left_out(self) -> None:
        """Other channels, other commands, no id, no time, the future, and no lines at all."""
        bad = (
            said("x", 0).replace("#a", "#b"),
            said("x", 0).replace("id=x;", ""),
            "@id=x :u!u@u PRIVMSG #a :x",
            said("x", 200_000),
            "@rm-received-ts=1704559999000;slow=5 :tmi.twitch.tv ROOMSTATE #a",
            "@rm-received-ts=1704559999000;msg-id=slow_on :tmi.twitch.tv NOTICE #a :slow",
            ":tmi.twitch.tv 001 me :Welcome",
            "PING :x",
            "",
            "@",
            "\x00\ud800",
        )
        self.assertEqual(texts(read(*bad, said("y", 1))), ["y"])

    def test_order(self) -> None:
        """Lines out of order are put in order, by when the service received them."""
        self.assertEqual(texts(read(said("2", 2), said("3", 3), said("1", 1))), ["1", "2", "3"])

    def test_no_answer(self) -> None:
        """What is no answer is an error of one kind, also when it is nested without end."""
        for body in (b"", b"{", b"[]", b"null", b"\xff", b'{"messages": 7}', b'{"messages": [7]}',
                     b'{"messages": null}', b'{"error_code": []}', b"<html>", b"[" * 200_000,
                     b'{"messages":' + b"[" * 200_000):  # fmt: skip
            self.assertRaises(ValueError, read_answer, body)
        for body in (b"{}", b'{"messages":[],"error":null,"error_code":null,"more":[1,{}]}'):
            self.assertEqual(read_answer(body), Answer())

    @given(
        st.lists(
            st.text(max_size=60)
            | st.sampled_from(
                [said("x", 0), *(moderated(f"CLEAR{what}", 1) for what in ("CHAT", "MSG"))]
            ),
            max_size=8,
        ),
        st.none() | st.integers(0, 2 * NOW),
    )
    def test_anything(self, lines: list[str], since_ms: int | None) -> None:
        """Whatever lines come, each becomes events or nothing."""
        body = json.dumps({"messages": lines}).encode()
        past(read_answer(body), "a", events, since_ms=since_ms, now_ms=NOW, most=500)
