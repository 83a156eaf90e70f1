# SPDX-License-Identifier: MIT
"""The whole recorded corpus of answers: each item delivered, or counted under its name."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.events import EVENT_KINDS, ChannelEvent, Event
from livechat.platforms.youtube.parse.chat import Poll, Signal, read_answer, read_poll
from livechat.platforms.youtube.parse.page import read_page
from tests.support import golden
from tests.support.corpus import corpus
from tests.test_youtube_items import NOW, VIDEO, answer

LIVE_CHAT_PAGE = "live_chat_page/live_chat_page.2023-06-02.html.gz"

TEXT = "liveChatTextMessageRenderer"
PLACEHOLDER = "liveChatPlaceholderItemRenderer"
TICKER = "addLiveChatTickerItemAction"
TOOLTIP = "showLiveChatTooltipCommand"

#: Per file: what is delivered by kind, what is known and not passed on, what cannot be read.
Row = tuple[dict[str, int], dict[str, int], dict[str, int]]
ONE_CHAT: Row = ({"chat": 1}, {}, {})
ONE_MEMBER: Row = ({"chat": 1, "subscription": 1}, {}, {})
NOTHING: Row = ({}, {}, {})

EXPECTED: dict[str, Row] = {
    LIVE_CHAT_PAGE: ({"chat": 74, "notice": 1}, {}, {}),
    "chat-downloader/youtube_actions.json": (
        {
            **{"chat": 3, "poll": 3, "pin": 2, "notice": 1, "subscription": 1},
            **{"donation": 1, "room": 1, "deletion": 1, "timeout": 1},
        },
        {TICKER: 3, PLACEHOLDER: 2, TOOLTIP: 1},
        {},
    ),
    "pytchat/calculator__replay_end.json": NOTHING,
    "pytchat/calculator__superchat_0.json": ({"chat": 50}, {TICKER: 2}, {}),
    "pytchat/chat.json": ONE_CHAT,
    "pytchat/chatreplay.json": ({"chat": 48}, {PLACEHOLDER: 1}, {}),
    "pytchat/compatible__newSponsor.json": ({"chat": 1, "subscription": 1, "notice": 1}, {}, {}),
    "pytchat/compatible__newSponsor_rev.json": ONE_MEMBER,
    "pytchat/compatible__superchat.json": ({"chat": 1}, {TICKER: 1}, {}),
    "pytchat/compatible__supersticker.json": ONE_CHAT,
    "pytchat/compatible__textmessage.json": ONE_CHAT,
    "pytchat/default__newSponsor_current.json": ONE_MEMBER,
    "pytchat/default__newSponsor_lagacy.json": ONE_MEMBER,
    "pytchat/default__replay_member_text.json": ONE_CHAT,
    "pytchat/default__superchat.json": ({"chat": 1}, {TICKER: 1}, {}),
    "pytchat/default__supersticker.json": ONE_CHAT,
    "pytchat/extract_duplcheck__overlap__dp0-1.json": ({"chat": 50}, {}, {}),
    "pytchat/extract_duplcheck__overlap__dp0-2.json": ({"chat": 50}, {}, {}),
    "pytchat/finished_live.json": NOTHING,
    "pytchat/paramgen_firstread.json": ({"chat": 2}, {}, {}),
    "pytchat/speed__speedtest_empty.json": NOTHING,
    # stripped by its authors of all but the time: nobody said nothing, under no id
    "pytchat/speed__speedtest_normal.json": ({}, {}, {TEXT: 15}),
    "pytchat/speed__speedtest_undefined.json": ({}, {PLACEHOLDER: 1}, {"addChatItemAction": 1}),
    "pytchat/test_stream.json": ({"chat": 4}, {PLACEHOLDER: 1, TICKER: 2}, {}),
    "pytchat/unregistered_currency.json": ONE_CHAT,
    "youtube-chat/get_live_chat.custom-emoji.json": ONE_CHAT,
    "youtube-chat/get_live_chat.from-member.json": ONE_CHAT,
    "youtube-chat/get_live_chat.from-moderator.json": ONE_CHAT,
    "youtube-chat/get_live_chat.from-owner.json": ONE_CHAT,
    "youtube-chat/get_live_chat.from-verified.json": ONE_CHAT,
    "youtube-chat/get_live_chat.global-emoji1.json": ONE_CHAT,
    "youtube-chat/get_live_chat.global-emoji2.json": ONE_CHAT,
    "youtube-chat/get_live_chat.no-chat.json": NOTHING,
    "youtube-chat/get_live_chat.normal.json": ONE_CHAT,
    "youtube-chat/get_live_chat.subscribe-member.json": ONE_MEMBER,
    "youtube-chat/get_live_chat.super-chat.json": ONE_CHAT,
    "youtube-chat/get_live_chat.super-sticker.json": ONE_CHAT,
    "ytlivechat/ActionTestData.json": (
        {
            **{"chat": 2, "poll": 7, "notice": 3, "raid": 2, "pin": 2},
            **{"gift": 1, "goal": 1, "deletion": 1, "timeout": 1},
        },
        {},
        {},
    ),
    "ytlivechat/MembershipTestData.json": ({"chat": 3, "subscription": 3}, {}, {}),
    "ytlivechat/RawActionTestData.json": ({}, {TICKER: 3}, {}),
    "ytlivechat/SuperChatTestData.json": ONE_CHAT,
}

_ANSWERS = ("get_live_chat", "get_live_chat_replay", "actions", "live_chat_page")


@cache
def recorded() -> dict[str, Any]:
    """Every recorded answer by its file; single actions are put into an answer of ours."""
    manifest = msgspec.json.decode(corpus("youtube/manifest.json").read_bytes())
    return {
        entry["file"]: _answer(entry["file"], entry["kind"])
        for entry in manifest
        if entry["kind"] in _ANSWERS
    }


@cache
def polls() -> dict[str, Poll]:
    """What each of them says."""
    return {
        file: read_poll(msgspec.json.encode(document), VIDEO, NOW)
        for file, document in recorded().items()
    }


def _answer(file: str, kind: str) -> Any:
    body = corpus(f"youtube/{file}").read_bytes()
    if kind == "live_chat_page":
        return read_page(gzip.decompress(body)).data
    document = msgspec.json.decode(body)
    if kind == "actions":
        return answer(*(_action(entry) for entry in document))
    # Before 2021 an answer was wrapped once more.
    return document.get("response", document)


def _action(entry: Any) -> Any:
    """The action of an entry, which may hold only its item, or only what is inside the item."""
    data = entry.get("data", entry)
    if "headerSubtext" in data:
        data = {"liveChatMembershipItemRenderer": data}
    if next(iter(data)).startswith("liveChat"):
        data = {"addChatItemAction": {"item": data}}
    return data


def actions(document: Any) -> list[Any]:
    """The actions of an answer, those of a recording unwrapped."""
    chat = document.get("continuationContents", {}).get("liveChatContinuation")
    chat = chat or document.get("contents", {}).get("liveChatRenderer", {})
    found: list[Any] = []
    for action in chat.get("actions", []):
        wrapped = (action or {}).get("replayChatItemAction")
        found += [action] if wrapped is None else wrapped["actions"]
    return found


def kind(event: Event) -> str:
    """`chat`, or the kind of the event."""
    return event.type if isinstance(event, ChannelEvent) else "chat"


class CorpusTests(SynchronousTestCase):
    """Every item of the corpus accounted for."""

    def setUp(self) -> None:
        """Read the corpus, once for all tests."""
        self.documents = recorded()
        self.polls = polls()

    def test_every_file(self) -> None:
        """The table below has every recorded answer and action, and no other."""
        self.assertEqual(self.polls.keys(), EXPECTED.keys())

    def test_table(self) -> None:
        """Per file: so many delivered of each kind, so many counted under each name."""
        for file, expected in EXPECTED.items():
            poll = self.polls[file]
            delivered = dict(Counter(kind(event) for event in poll.events))
            self.assertEqual((delivered, poll.ignored, poll.unread), expected, file)

    def test_unparsed(self) -> None:
        """Of what was really sent nothing is unknown, down to the keys of items.

        Two files were stripped or written by their authors: in one the texts have only a time, in
        the other a kind of item lies beside `item`.
        """
        edited = {
            "pytchat/speed__speedtest_normal.json": {TEXT: 15},
            "pytchat/speed__speedtest_undefined.json": {"addChatItemAction": 1},
        }
        found = {file: poll.unread for file, poll in self.polls.items() if poll.unread}
        self.assertEqual(found, edited)

    def test_accounted(self) -> None:
        """Nothing is lost and nothing doubled; a membership alone is told twice, as decided."""
        total = 0
        for file, document in self.documents.items():
            poll = self.polls[file]
            delivered = Counter(kind(event) for event in poll.events)
            counted = sum(poll.ignored.values()) + sum(poll.unread.values())
            once = delivered.total() - delivered["subscription"]
            self.assertEqual(once + counted, len(actions(document)), file)
            total += len(actions(document))
        self.assertEqual(total, 374)

    def test_digests(self) -> None:
        """Every recorded item comes out as it did when somebody looked at it."""
        outputs = {
            f"{file}#{number}": event
            for file, poll in self.polls.items()
            for number, event in enumerate(poll.events)
        }
        golden.check_digests(self, "youtube/corpus", outputs)

    def test_well_formed(self) -> None:
        """All that is delivered encodes, is of a known kind, and has texts that tile in UTF-16."""
        for poll in self.polls.values():
            for event in poll.events:
                encoded = msgspec.json.decode(msgspec.json.encode(event))
                self.assertRegex(encoded["timestamp"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                if isinstance(event, ChannelEvent):
                    self.assertIn(event.type, EVENT_KINDS)
                else:
                    self.check_tiles(event)

    def check_tiles(self, message: ChatMessage) -> None:
        """Elements follow each other without gaps, each value where its position says."""
        content = message.data.content
        units = content.raw.encode("utf-16-le")
        at = 0
        for element in content.elements:
            start, end = element.position
            self.assertEqual(start, at)
            self.assertEqual(units[2 * start : 2 * end].decode("utf-16-le"), element.value)
            at = end
        self.assertEqual(2 * at, len(units))

    def test_signals(self) -> None:
        """Recordings and ends are told from live answers."""
        expected = {
            "pytchat/finished_live.json": Signal.GONE,
            "pytchat/calculator__replay_end.json": Signal.ARCHIVE,
            "pytchat/calculator__superchat_0.json": Signal.ARCHIVE,
            "pytchat/chatreplay.json": Signal.ARCHIVE,
            "pytchat/default__replay_member_text.json": Signal.ARCHIVE,
            "pytchat/extract_duplcheck__overlap__dp0-1.json": Signal.ARCHIVE,
            "pytchat/extract_duplcheck__overlap__dp0-2.json": Signal.ARCHIVE,
        }
        found = {file: poll.signal for file, poll in self.polls.items() if poll.signal is not None}
        self.assertEqual(found, expected)

    def test_continuations(self) -> None:
        """Each answer of a live chat says how to ask on, in kind and time."""
        kinds = Counter(
            (poll.continuation.kind, poll.continuation.timeout_ms)
            for file, poll in self.polls.items()
            if poll.continuation is not None and file.endswith("json") and "/get_" in file
        )
        self.assertEqual(kinds, {("invalidationContinuationData", 10_000): 12})
        stream = self.polls["pytchat/test_stream.json"].continuation
        text = self.polls["pytchat/compatible__textmessage.json"].continuation
        assert stream is not None
        assert text is not None
        self.assertEqual((stream.kind, stream.timeout_ms), ("invalidationContinuationData", 5000))
        self.assertEqual((text.kind, text.timeout_ms), ("timedContinuationData", 5041))

    def test_live_chat_page(self) -> None:
        """The page of a chat alone tells the feed that is on and offers a whole token for all."""
        poll = self.polls[LIVE_CHAT_PAGE]
        self.assertEqual(poll.feed, "top")
        assert poll.all_token is not None
        self.assertGreater(len(poll.all_token), 200)

    def test_ticker_shares_its_id(self) -> None:
        """A super chat's ticker has the id of the message, which is delivered once."""
        poll = self.polls["pytchat/compatible__superchat.json"]
        document = self.documents["pytchat/compatible__superchat.json"]
        (event,) = poll.events
        ticker = actions(document)[1]["addLiveChatTickerItemAction"]["item"]
        assert isinstance(event, ChatMessage)
        self.assertEqual(next(iter(ticker.values()))["id"], event.message_id)

    def test_decoded_alike(self) -> None:
        """An answer reads the same whether it comes as bytes or already decoded."""
        for file, document in self.documents.items():
            self.assertEqual(read_answer(document, VIDEO, NOW), self.polls[file], file)
