# SPDX-License-Identifier: MIT
"""Broken answers and pages: nothing raises, and nothing but the broken item is lost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import ChannelKey
from livechat.platforms.youtube.parse.chat import Poll, Signal, read_answer, read_poll
from livechat.platforms.youtube.parse.innertube import mended
from livechat.platforms.youtube.parse.metadata import Metadata, read_metadata
from livechat.platforms.youtube.parse.page import Page
from livechat.platforms.youtube.parse.streams import candidates, read_streams
from livechat.platforms.youtube.parse.verdict import verdict
from livechat.protocol.messages import encode_event
from tests.support import golden
from tests.support.schema import frames
from tests.test_youtube_corpus import actions, recorded
from tests.test_youtube_items import NOW, VIDEO, answer, read, text
from tests.test_youtube_streams import lockup, tab, video
from tests.test_youtube_verdict import MEMBERS, ON_AIR, SCHEDULED, chat, player, watch

KEY = ChannelKey("youtube", "username", "name")

#: What a node may turn into.
REPLACEMENTS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: [],
    dict,
    lambda: "text",
    lambda: "\ud800",
    lambda: 7,
    lambda: -(10**17),
    lambda: 1.5,
    lambda: True,
    lambda: [{}],
    lambda: {"runs": [{"text": []}, {"emoji": 3}]},
)

Place = tuple[Any, Any]


def places(node: Any) -> Iterator[Place]:
    """Every place in a value that holds another, as holder and key."""
    members: Any = []
    if isinstance(node, dict):
        members = node.items()
    elif isinstance(node, list):
        members = enumerate(node)
    for key, child in list(members):
        yield node, key
        yield from places(child)


def broken(whole: Any) -> Iterator[tuple[Place, object]]:
    """A value with one node after the other missing or replaced; each is put back afterwards."""
    for holder, key in list(places(whole)):
        kept = holder.copy()
        for make in (None, *REPLACEMENTS):
            if make is None:
                del holder[key]
            else:
                holder[key] = make()
            yield (key, make and make()), whole
            holder.clear()
            holder.update(kept) if isinstance(holder, dict) else holder.extend(kept)


def copied(node: Any) -> Any:
    """A value that shares nothing with the first."""
    return msgspec.json.decode(msgspec.json.encode(node))


def encoded(poll: Poll) -> list[bytes]:
    """Everything in it as subscribers receive it, which must be UTF-8 and fit the schema."""
    messages = [encode_event(KEY, event) for event in poll.events]
    for one in messages:
        frames().read(one.decode("utf-8"))
    return messages


class MutationTests(SynchronousTestCase):
    """One node missing, null or of another kind costs one action at most."""

    def setUp(self) -> None:
        """Two good actions, and what they amount to."""
        self.around = [text(id="before"), text(id="after")]
        self.expected = encoded(read(*self.around))
        self.tried = 0

    def assert_neighbours(self, action: Any, note: object) -> None:
        """An action between two good ones, whatever it is, leaves both."""
        document = answer(self.around[0], mended(action), self.around[1])
        messages = encoded(read_answer(document, VIDEO, NOW))
        self.assertEqual([messages[0], messages[-1]], self.expected, note)
        self.tried += 1

    def test_every_node(self) -> None:
        """Every node of every kind of action, in every way: the neighbours are delivered."""
        body = (golden.ROOT / "youtube" / "every_kind.json").read_bytes()
        for whole in actions(msgspec.json.decode(body)):
            for note, action in broken(whole):
                self.assert_neighbours(action, note)
        self.assertGreater(self.tried, 12_000)

    def test_recorded(self) -> None:
        """The same with recorded actions, seeded: as many mutations again, several at once."""
        random = Random(20261123)
        whole = [action for document in recorded().values() for action in actions(document)]
        for _ in range(3000):
            action = copied(random.choice(whole))
            for _ in range(random.randint(1, 3)):
                found = list(places(action))
                if not found:
                    break
                holder, key = random.choice(found)
                holder[key] = random.choice(REPLACEMENTS)()
            self.assert_neighbours(action, action)

    def test_through_bytes(self) -> None:
        """Read from bytes, the lone surrogates that JSON can spell do not cost the answer."""
        action = text({"text": "x"}, id="bad")
        renderer = action["addChatItemAction"]["item"]["liveChatTextMessageRenderer"]
        renderer["message"]["runs"][0]["text"] = "@@"
        renderer["@@"] = "@@"
        body = msgspec.json.encode(answer(self.around[0], action, self.around[1]))
        for spelling in (b"\\ud800", b"\\udfff\\ud800", b"a\\ud83d", b"\\u0000", b"\\ud83d\\ude00"):
            messages = encoded(read_poll(body.replace(b"@@", spelling), VIDEO, NOW))
            self.assertEqual([messages[0], messages[-1]], self.expected, spelling)
            self.assertEqual(len(messages), 3)

    def test_numbers(self) -> None:
        """Numbers that JSON can spell and we cannot hold do not cost the answer."""
        action = text({"text": "x"}, id="bad", extra="@@")
        body = msgspec.json.encode(answer(self.around[0], action, self.around[1]))
        for number in (b"1" * 5000, b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 19):
            messages = encoded(read_poll(body.replace(b'"@@"', number), VIDEO, NOW))
            self.assertEqual(len(messages), 3, number[:20])

    def test_envelope(self) -> None:
        """The envelope's nodes, in every way: a signal perhaps, never an exception."""
        document = {"responseContext": {}, **answer(text(), header={"liveChatHeaderRenderer": {}})}
        for _, whole in broken(document):
            encoded(read_answer(mended(whole), VIDEO, NOW))
        metadata: Any = {"actions": [{"updateTitleAction": {"title": {"runs": [{"text": "T"}]}}}]}
        for _, whole in broken(metadata):
            read_metadata(msgspec.json.encode(mended(whole)))

    def test_pages(self) -> None:
        """The nodes that verdicts and lists are made of, in every way: no exception."""
        pages = [
            Page(watch(chat(), counted_live=True), player(details=ON_AIR)),
            Page(watch(chat()), player("UNPLAYABLE", details=ON_AIR, playability=MEMBERS)),
            Page(watch(), player(details={"isUpcoming": True}, playability=SCHEDULED)),
        ]
        for page in pages:
            for value in (page.data, page.player):
                for _ in broken(value):
                    found = verdict(page)
                    self.assertIsNotNone(found)
        entries = tab(video("aaaaaaaaaa0", "LIVE", "1"), lockup("bbbbbbbbbb0", "LIVE", "LIVE", "5"))
        page = Page({"contents": {"twoColumnBrowseResultsRenderer": {"tabs": [entries]}}})
        for _ in broken(page.data):
            self.assertLessEqual(len(candidates(read_streams(page))), 2)


class NestingTests(SynchronousTestCase):
    """Depth."""

    def test_deep(self) -> None:
        """An item that nests deeply is read; one beyond all sense makes the answer unreadable."""
        body = msgspec.json.encode(answer(text(id="a", extra="@@"), text(id="b")))
        deep = b'{"a":' * 400 + b"1" + b"}" * 400
        self.assertEqual(len(read_poll(body.replace(b'"@@"', deep), VIDEO, NOW).events), 2)
        for depth in range(100, 1200, 50):
            half = b'{"a":' * depth + b'"\\ud800"' + b"}" * depth
            poll = read_poll(body.replace(b'"@@"', half), VIDEO, NOW)
            self.assertIn((poll.signal, len(poll.events)), ((None, 2), (Signal.UNREADABLE, 0)))
        for bottom in (b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
            poll = read_poll(body.replace(b'"@@"', bottom), VIDEO, NOW)
            self.assertEqual((poll.signal, poll.events), (Signal.UNREADABLE, []))

    def test_small_values(self) -> None:
        """An answer of millions of small values is given up before they are objects."""
        for small in (b"{}", b"0", b"[]", b'"x"'):
            body = b'{"continuationContents":[' + b",".join([small] * 2_000_000) + b"]}"
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            before = tracemalloc.get_traced_memory()[0]
            poll = read_poll(body, VIDEO, NOW)
            known = read_metadata(body)
            peak = tracemalloc.get_traced_memory()[1] - before
            tracemalloc.stop()
            self.assertEqual((poll.signal, poll.reason), (Signal.UNREADABLE, "too many values"))
            self.assertEqual(known, Metadata())
            self.assertLess(peak, 1 << 20)

    def test_replays_in_replays(self) -> None:
        """A wrapping in a wrapping is not followed."""
        inner: Any = text()
        for _ in range(50):
            inner = {"replayChatItemAction": {"actions": [inner]}}
        poll = read_answer(answer(inner), VIDEO, NOW)
        self.assertEqual((poll.events, poll.unread), ([], {"replayChatItemAction": 1}))

    @settings(max_examples=200, deadline=None)
    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=4),
                st.dictionaries(
                    st.sampled_from(
                        [
                            *("continuationContents", "liveChatContinuation", "actions", "error"),
                            *("addChatItemAction", "item", "liveChatTextMessageRenderer", "id"),
                            *("message", "runs", "emoji", "authorName", "text", "continuations"),
                            *("contents", "liveChatRenderer", "thumbnails", "url", "header"),
                        ]
                    ),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=30,
        )
    )
    def test_any_value(self, value: Any) -> None:
        """Any value at all, as an answer or as an action, raises nothing."""
        encoded(read_answer(value, VIDEO, NOW))
        encoded(read_answer(answer(value), VIDEO, NOW))
