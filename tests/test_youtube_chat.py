# SPDX-License-Identifier: MIT
"""Answers of `get_live_chat` as a whole: every kind of action, signals of the end, counts."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.events import EVENT_KINDS, ChannelEvent, Event
from livechat.platforms.youtube.parse.chat import IGNORED, Signal, read_answer, read_poll
from livechat.platforms.youtube.parse.items import ITEMS
from livechat.platforms.youtube.parse.panels import ACTIONS, BANNERS, PANELS
from tests.support import golden
from tests.support.events import data_of, fields_of
from tests.test_youtube_items import NOW, VIDEO, answer, happening, item, read, text


def kind(event: Event) -> str:
    """`chat`, or the kind of the event."""
    return event.type if isinstance(event, ChannelEvent) else "chat"


class PollTests(SynchronousTestCase):
    """Polls repeat themselves; pins come and go."""

    @staticmethod
    def update(votes: str, *ratios: float) -> dict[str, Any]:
        """An update of a poll."""
        metadata = {"runs": [{"text": "@Host"}, {"text": "1 min ago"}, {"text": votes}]}
        choices = [{"text": {"simpleText": str(n)}, "voteRatio": r} for n, r in enumerate(ratios)]
        header = {"pollHeaderRenderer": {"metadataText": metadata}}
        poll = {"liveChatPollId": "p", "choices": choices, "header": header}
        return {"updateLiveChatPollAction": {"pollToUpdate": {"pollRenderer": poll}}}

    def test_repetition(self) -> None:
        """An update without news has the id of the one before, one with news another."""
        ids = [
            happening(self.update(votes, *ratios)).event_id
            for votes, *ratios in (
                ("10 votes", 0.5, 0.5),
                ("10 votes", 0.5, 0.5),
                ("11 votes", 0.5, 0.5),
                ("11 votes", 0.4, 0.6),
            )
        ]
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(len(set(ids)), 3)

    def test_opened_once(self) -> None:
        """A poll that is open opens once, whatever its votes are when the chat is opened anew."""
        events = []
        for ratio in (0.0, 0.7):
            poll = self.update("10 votes", ratio)["updateLiveChatPollAction"]["pollToUpdate"]
            renderer = {"liveChatActionPanelRenderer": {"contents": poll}}
            panel = {"showLiveChatActionPanelAction": {"panelToShow": renderer}}
            shown = {"actionId": "banner", "contents": poll}
            banner = {"bannerRenderer": {"liveChatBannerRenderer": shown}}
            events += [happening(panel), happening({"addBannerToLiveChatCommand": banner})]
        self.assertEqual({data_of(event)["status"] for event in events}, {"opened"})
        self.assertEqual(len({event.event_id for event in events}), 1)

    def test_votes(self) -> None:
        """Votes are counted whatever way they are written."""
        for shown, votes in (
            ("1,301 votes", 1301),
            ("1.9K votes", 1900),
            ("1 vote", 1),
            ("none", None),
        ):
            self.assertEqual(fields_of(happening(self.update(shown, 0, 1))).votes, votes)

    def test_bad_ratio(self) -> None:
        """A share that is none is not told."""
        data = fields_of(happening(self.update("1 vote", 2.0, -1.0)))
        self.assertEqual([choice.ratio for choice in data.choices], [None, None])

    def test_timeouts_of_one_person(self) -> None:
        """Two times of putting out the same person are two events."""
        body = msgspec.json.encode(
            answer({"removeChatItemByAuthorAction": {"externalChannelId": "UCx"}})
        )
        first, second = (read_poll(body, VIDEO, now).events[0] for now in (NOW, NOW + 60_000))
        assert isinstance(first, ChannelEvent)
        assert isinstance(second, ChannelEvent)
        self.assertNotEqual(first.event_id, second.event_id)


class EveryKindTests(SynchronousTestCase):
    """One answer of our own making with everything in it."""

    def setUp(self) -> None:
        """Read the answer."""
        body = (golden.ROOT / "youtube" / "every_kind.json").read_bytes()
        self.answer = msgspec.json.decode(body)
        self.poll = read_poll(body, VIDEO, NOW)

    def test_golden(self) -> None:
        """Everything comes out as it did when somebody looked at it."""
        golden.check_whole(self, "youtube/every_kind.read", self.poll)

    def test_accounted(self) -> None:
        """Each action is delivered once or counted once under its name."""
        actions = self.answer["continuationContents"]["liveChatContinuation"]["actions"]
        counted = sum(self.poll.ignored.values()) + sum(self.poll.unread.values())
        memberships = [event for event in self.poll.events if kind(event) == "subscription"]
        self.assertEqual(len(self.poll.events) - len(memberships) + counted, len(actions))

    def test_covers_every_reader(self) -> None:
        """The answer has every renderer and action that can be read or is ignored on purpose."""
        written = msgspec.json.encode(self.answer).decode()
        for name in (*ITEMS, *ACTIONS, *BANNERS, *PANELS, *IGNORED):
            if name in BANNERS and name in ITEMS:
                continue
            self.assertIn(f'"{name}"', written)

    def test_kinds(self) -> None:
        """Every event is of a kind that clients can ask for, with an id and data that encode."""
        kinds = {kind(event) for event in self.poll.events}
        self.assertLessEqual(kinds - {"chat"}, EVENT_KINDS.keys())
        self.assertEqual(
            kinds,
            {
                *("chat", "subscription", "gift", "donation", "notice", "poll", "room"),
                *("deletion", "timeout", "pin", "raid", "question", "goal"),
            },
        )
        for event in self.poll.events:
            msgspec.json.encode(event)
            self.assertTrue(event.event_id if isinstance(event, ChannelEvent) else event.message_id)

    def test_unique_ids(self) -> None:
        """No two things share kind and id, the ticker's copy least of all."""
        ids = [
            (kind(event), event.event_id if isinstance(event, ChannelEvent) else event.message_id)
            for event in self.poll.events
        ]
        self.assertEqual(len(ids), len(set(ids)))

    def test_around(self) -> None:
        """The continuation, the chosen feed and the token for all messages are told."""
        assert self.poll.continuation is not None
        self.assertEqual(self.poll.continuation.token, "next%3D")
        self.assertEqual((self.poll.feed, self.poll.all_token), ("all", "all-token"))
        self.assertIsNone(self.poll.signal)


class SignalTests(SynchronousTestCase):
    """Answers that may mean the end."""

    def test_bodies(self) -> None:
        """Each kind of answer without a chat has its signal, and none raises."""
        sentence = {
            "contents": {"messageRenderer": {"text": {"runs": [{"text": "Chat is disabled"}]}}}
        }
        error = {"error": {"code": 404, "status": "NOT_FOUND", "message": "Gone"}}
        cases: list[tuple[bytes, Signal, str]] = [
            (b'{"responseContext":{},"trackingParams":"x"}', Signal.GONE, ""),
            (b"{}", Signal.GONE, ""),
            (b'{"continuationContents":null}', Signal.GONE, ""),
            (b'{"continuationContents":{"liveChatContinuation":[]}}', Signal.GONE, ""),
            (msgspec.json.encode(sentence), Signal.REFUSED, "Chat is disabled"),
            (msgspec.json.encode(error), Signal.FAILED, "404 NOT_FOUND Gone"),
            (b'{"error":{}}', Signal.FAILED, ""),
            (b"[]", Signal.UNREADABLE, "not an object"),
            (b"null", Signal.UNREADABLE, "not an object"),
        ]
        for body, signal, reason in cases:
            poll = read_poll(body, VIDEO, NOW)
            self.assertEqual((poll.signal, poll.reason), (signal, reason), body)
            self.assertEqual((poll.events, poll.continuation), ([], None))
        for body in (b"", b"<!DOCTYPE html>", b'{"a":', b"\xff\xfe", b"[" * 100_000):
            poll = read_poll(body, VIDEO, NOW)
            self.assertEqual(poll.signal, Signal.UNREADABLE, body[:20])
            self.assertTrue(poll.reason)

    def test_exhausted(self) -> None:
        """Without a continuation the actions still count."""
        useless: list[Any] = [[], None, [{}], "x"]
        for continuations in useless:
            poll = read_answer(answer(text(), continuations=continuations), VIDEO, NOW)
            self.assertEqual((poll.signal, len(poll.events)), (Signal.EXHAUSTED, 1))

    def test_archive(self) -> None:
        """Every mark of a recording is a sign that the stream is over."""
        replay = [{"liveChatReplayContinuationData": {"timeoutMs": 1, "continuation": "r"}}]
        seek = [{"playerSeekContinuationData": {"continuation": "s"}}]
        wrapped = {"replayChatItemAction": {"actions": [text()], "videoOffsetTimeMsec": "1"}}
        for given in (
            answer(continuations=replay),
            answer(continuations=seek),
            answer(isReplay=True),
            answer(wrapped),
        ):
            self.assertEqual(read_answer(given, VIDEO, NOW).signal, Signal.ARCHIVE)

    def test_quiet(self) -> None:
        """An answer without actions is a quiet chat and nothing more."""
        quiet = answer()
        del quiet["continuationContents"]["liveChatContinuation"]["actions"]
        poll = read_answer(quiet, VIDEO, NOW)
        self.assertEqual((poll.events, poll.signal, poll.ignored, poll.unread), ([], None, {}, {}))

    def test_menu(self) -> None:
        """The feed is told by the place of the chosen entry, and stubs are never offered."""

        def menu(*entries: Any) -> dict[str, Any]:
            items = {"sortFilterSubMenuRenderer": {"subMenuItems": list(entries)}}
            return {"liveChatHeaderRenderer": {"viewSelector": items}}

        def entry(selected: bool, token: str) -> dict[str, Any]:
            return {
                "selected": selected,
                "continuation": {"reloadContinuationData": {"continuation": token}},
            }

        stub = "0ofMyAMSGgAwAYIBCAgBGAAgACgBqAEB"
        cases: list[tuple[Any, Any, Any]] = [
            (menu(entry(True, "a"), entry(False, "b")), "top", "b"),
            (menu(entry(False, "a"), entry(True, "b")), "all", "b"),
            (menu(entry(True, stub), entry(False, stub)), "top", None),
            (menu(entry(True, "a")), "top", None),
            (menu(), None, None),
            (None, None, None),
        ]
        for header, feed, token in cases:
            poll = read_answer(answer(header=header), VIDEO, NOW)
            self.assertEqual((poll.feed, poll.all_token), (feed, token))


class CountTests(SynchronousTestCase):
    """What is not passed on is counted by name."""

    def test_names(self) -> None:
        """Unknown renderers and actions are counted under their own names, cut to a sane length."""
        poll = read(
            item("liveChatNewThingRenderer"),
            item("liveChatNewThingRenderer"),
            {"trackingParams": "x", "newAction": {}},
            {"x" * 1000: {}},
            {"addChatItemAction": {"item": {}}},
            {"addChatItemAction": None},
            {"removeChatItemAction": {}},
            {},
            [],
            7,
        )
        self.assertEqual(
            poll.unread,
            {
                "liveChatNewThingRenderer": 2,
                "newAction": 1,
                "x" * 128: 1,
                "addChatItemAction": 2,
                "removeChatItemAction": 1,
                "unnamed": 3,
            },
        )
        self.assertEqual((poll.events, poll.ignored), ([], {}))

    def test_neighbours(self) -> None:
        """A bad item between two good ones costs itself only."""
        poll = read(text(id="1"), text(id=None), text(id="2"))
        found = [event.message_id for event in poll.events if isinstance(event, ChatMessage)]
        self.assertEqual((found, poll.unread), (["1", "2"], {"liveChatTextMessageRenderer": 1}))
