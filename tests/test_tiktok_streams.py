# SPDX-License-Identifier: MIT
"""Whole batches and streams of TikTok, recorded or encoded by others."""

from __future__ import annotations

import json
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.event_data import Price
from livechat.model.events import ChannelEvent, iso_time
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.parse.counts import Counts
from livechat.platforms.tiktok.parse.message_context import Room
from livechat.platforms.tiktok.parse.webcast import Batch, Envelope, Push, read_batch, read_push
from tests.support.corpus import corpus
from tests.support.events import fields_of
from tests.support.golden import check_digests
from tests.support.tiktok_payloads import (
    NOW,
    chat_of,
    event_of,
    kinds_of,
    recorded,
    translated,
)


class StreamTests(SynchronousTestCase):
    """A whole recording as one stream."""

    def test_gift_streaks(self) -> None:
        """Every streak of the busy room is told once, with the highest count that was heard."""
        counts: dict[tuple[str, str], int] = {}
        envelopes = []
        for name, payload in recorded().items():
            if name.startswith("2023-12-05") and payload.method == "WebcastGiftMessage":
                expected = payload.expected
                key = (expected["user"]["display_id"], expected["group_id"])
                counts[key] = max(counts.get(key, 0), expected["repeat_count"])
                envelopes.append(Envelope(payload.method, payload.payload))
        translator = Translator(Room("7309128470994258694"))
        ended = translator.translate(envelopes, NOW, 0.0).events
        self.assertEqual(len(ended), 4)
        events = ended + translator.overdue(15.0)
        told = [
            (fields_of(event).user.username, fields_of(event).count)
            for event in events
            if isinstance(event, ChannelEvent)
        ]
        self.assertEqual(
            sorted(told), sorted((username, count) for (username, _), count in counts.items())
        )
        self.assertEqual(len(told), 7)

    def test_first_batch_of_2026(self) -> None:
        """The first answer of a room of 2026: six old comments, an introduction, a welcome."""
        batch = read_batch(corpus("tiktok/recorded/2026-08-10_first_batch.pb").read_bytes())
        expected = json.loads(corpus("tiktok/expected/2026-08-10_first_batch.json").read_bytes())
        assert isinstance(batch, Batch)
        translation = Translator(Room("7672380630475000596")).translate(batch.messages, NOW, 0.0)
        comments = [event for event in translation.events if isinstance(event, ChatMessage)]
        wanted = [
            (message["msg_id"], message["decoded"]["content"], message["decoded"]["user"]["id"])
            for message in expected["messages"]
            if message["method"] == "WebcastChatMessage"
        ]
        self.assertEqual(
            [
                (comment.message_id, comment.data.content.raw, comment.data.author.id)
                for comment in comments
            ],
            wanted,
        )
        self.assertEqual(len(wanted), 6)
        self.assertEqual(
            Counter(kinds_of(translation.events)), {"chat": 6, "stream": 1, "notice": 1}
        )
        self.assertEqual(translation.counts.unparsed, {})
        self.assertEqual(sum(translation.counts.ignored.values()), 5)
        check_digests(
            self,
            "tiktok/first_batch_2026",
            {str(n): event for n, event in enumerate(translation.events)},
        )

    def test_frame_of_2026(self) -> None:
        """The answer to entering a room of 2026: a welcome, an introduction, a note in seconds."""
        data = corpus("tiktok/recorded/2026-09-17_im_enter_room_resp.frame.bin").read_bytes()
        push = read_push(data)
        assert isinstance(push, Push)
        translation = Translator(Room("7686341765710269205")).translate(
            push.batch.messages, NOW, 0.0
        )
        self.assertEqual(kinds_of(translation.events), ["notice", "stream", "notice"])
        self.assertEqual(translation.events[2].timestamp, iso_time(1_789_616_046_000))
        self.assertEqual(translation.counts, Counts())

    def test_synthetic(self) -> None:
        """Payloads that somebody else encoded from the schema mean what they say."""
        methods = {
            "gift": "WebcastGiftMessage",
            "like": "WebcastLikeMessage",
            "member": "WebcastMemberMessage",
            "room-user": "WebcastRoomUserSeqMessage",
            "social": "WebcastSocialMessage",
        }
        for name, method in methods.items():
            payload = corpus(f"tiktok/synthetic/{name}.pb").read_bytes()
            expected = json.loads(corpus(f"tiktok/synthetic/{name}.expected.json").read_bytes())
            event = event_of(translated(method, payload))
            if "user" in expected:
                author = fields_of(event).user
                user = {
                    "id": author.id,
                    "nickname": author.display_name,
                    "unique_id": author.username,
                }
                self.assertEqual(user, {key: expected["user"][key] for key in user}, name)
            wanted = {
                "gift": ("gift_id", "gift_name", "repeat_count", "diamond_count"),
                "like": ("count", "total"),
                "member": ("member_count",),
                "room-user": ("total", "total_user"),
                "social": ("follow_count",),
            }[name]
            found = {
                "gift": ("item_id", "name", "count", "price"),
                "like": ("count", "total"),
                "member": ("viewers",),
                "room-user": ("viewers", "total_viewers"),
                "social": ("count",),
            }[name]
            values = [str(getattr(event.data, key)) for key in found]
            texts = [expected[key] for key in wanted]
            if name == "gift":
                worth = int(expected["diamond_count"]) * int(expected["repeat_count"])
                texts[-1] = str(Price(worth, "DIAMONDS", None))
            self.assertEqual(values, texts, name)

    def test_single_comment_of_2026(self) -> None:
        """The single comment of 2026 is its text and its author."""
        folder = "tiktok/recorded/2026-08-10_payloads"
        expected = json.loads(corpus(f"{folder}/chat.expected.json").read_bytes())
        message = chat_of(
            translated("WebcastChatMessage", corpus(f"{folder}/chat.pb").read_bytes())
        )
        self.assertEqual(message.data.content.raw, expected["comment"])
        self.assertEqual(message.data.author.id, expected["user"]["id"])
        self.assertEqual(message.data.author.display_name, expected["user"]["nickname"])
        self.assertEqual(message.data.author.username, expected["user"]["unique_id"])
