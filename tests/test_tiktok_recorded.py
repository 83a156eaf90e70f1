# SPDX-License-Identifier: MIT
"""Recorded TikTok payloads: each is accounted for, and says what another decoder reads in it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.events import ChannelEvent, ChatMessage, iso_time
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.chat import StreamState, Translator
from livechat.platforms.tiktok.occasion import Room
from livechat.platforms.tiktok.webcast import (
    Batch,
    Envelope,
    Push,
    decode,
    read_batch,
    read_push,
)
from tests.support.corpus import corpus
from tests.support.golden import check_digests
from tests.support.tiktok_payloads import (
    NOW,
    Recorded,
    chat_of,
    event_of,
    kinds_of,
    recorded,
    translated,
)

#: What became of every recorded payload, by method: how many of which kind, how many counted.
#: `open` stands for a gift in the middle of its streak.
TABLE = {
    "LinkMicMethod": {"counted": 10},
    "RoomMessage": {"notice": 7},
    "WebcastAccessRecallMessage": {"counted": 10},
    "WebcastAnchorToolModificationMessage": {"counted": 10},
    "WebcastBALeadGenMessage": {"counted": 10},
}


def outcome(payload: Recorded) -> list[str]:
    """What becomes of one payload on its own."""
    translation = translated(payload.method, payload.payload)
    if translation.dropped:
        assert translation.dropped == {payload.method: 1}, translation.dropped
        return ["counted"]
    if translation.state in (StreamState.ENDED, StreamState.SUSPENDED):
        return ["ended"]
    return kinds_of(translation.events) or ["open"]


def avatar(expected: dict[str, Any]) -> str | None:
    """The picture that the other decoder saw first."""
    return expected["avatar_first"] or None


class AccountTests(SynchronousTestCase):
    """No payload is lost unseen."""

    def test_every_payload(self) -> None:
        """Each of 1,209 payloads of 76 methods is translated or counted by its method."""
        table: dict[str, Counter[str]] = {}
        payloads = recorded()
        for payload in payloads.values():
            table.setdefault(payload.method, Counter()).update(outcome(payload))
        self.assertEqual(len(payloads), 1209)
        self.assertEqual(len(table), 76)
        self.assertEqual({method: dict(kinds) for method, kinds in sorted(table.items())}, TABLE)

    def test_digests(self) -> None:
        """What each translated payload becomes is what somebody once looked at."""
        made = {}
        for name, payload in recorded().items():
            translation = translated(payload.method, payload.payload)
            if not translation.dropped:
                made[name] = translation
        check_digests(self, "tiktok/recorded", made)


class ExpectedTests(SynchronousTestCase):
    """The same words and numbers as another decoder's."""

    def each(self, *methods: str) -> list[tuple[str, Recorded, dict[str, Any]]]:
        """The payloads of these methods."""
        found = [
            (name, payload, payload.expected)
            for name, payload in recorded().items()
            if payload.method in methods
        ]
        self.assertNotEqual(found, [])
        return found

    def assert_author(self, author: Any, expected: dict[str, Any], name: str) -> None:
        """An author is the user that the other decoder saw."""
        self.assertEqual(author.id, expected["id"], name)
        self.assertEqual(author.username, expected["display_id"], name)
        self.assertEqual(author.display_name, expected["nickname"], name)
        if avatar(expected) is not None:
            self.assertEqual(author.avatar_url, avatar(expected), name)
        self.assertEqual(author.roles.verified, expected["verified"], name)
        scenes = {badge["scene"] for badge in expected["badges"]}
        if expected["is_admin"] or 1 in scenes:
            self.assertTrue(author.roles.moderator, name)
        if scenes & {4, 7}:
            self.assertTrue(author.roles.subscriber, name)
        self.assertEqual(len(author.badges), len(scenes) + expected["verified"], name)
        shown = {badge["text"] for badge in expected["badges"]} - {""}
        self.assertLessEqual(
            {badge.label for badge in author.badges}
            - shown
            - {
                "Verified",
                "subscriber",
                "top gifter",
                "moderator",
                "new subscriber",
                "activity",
                "friend",
                "new gifter",
            },
            set(),
            name,
        )
        pictures = {badge["image"] for badge in expected["badges"]}
        self.assertLessEqual(
            {badge.image_url for badge in author.badges if badge.image_url}, pictures, name
        )

    def test_chat(self) -> None:
        """Comments: text, author, roles, id and time."""
        for name, payload, expected in self.each("WebcastChatMessage"):
            message = chat_of(translated(payload.method, payload.payload))
            self.assertEqual(message.data.content.raw, expected["content"], name)
            self.assertEqual(message.data.content.sanitized, expected["content"], name)
            self.assertEqual(message.timestamp, iso_time(int(expected["create_time"])), name)
            self.assert_author(message.data.author, expected["user"], name)
            roles = message.data.author.roles
            identity = expected["identity"]
            self.assertEqual(roles.broadcaster, "is_anchor" in identity, name)
            self.assertTrue(roles.moderator or "is_moderator_of_anchor" not in identity, name)
            self.assertTrue(roles.subscriber or "is_subscriber_of_anchor" not in identity, name)

    def test_stickers(self) -> None:
        """Sticker comments: emotes with their pictures, from subscribers."""
        for name, payload, expected in self.each("WebcastEmoteChatMessage"):
            message = chat_of(translated(payload.method, payload.payload))
            content = message.data.content
            self.assertEqual([element.type for element in content.elements], ["emote"], name)
            self.assertRegex(content.raw, r"^:\d+:$")
            self.assertRegex(content.raw_html, r'^<img class="emote" src="https://[^"]+"')
            self.assertTrue(message.data.author.roles.subscriber, name)
            self.assert_author(message.data.author, expected["user"], name)

    def test_gifts(self) -> None:
        """Gift messages: the fields that make a streak and its worth."""
        for name, payload, expected in self.each("WebcastGiftMessage"):
            gift = decode(schema.GiftMessage, payload.payload)
            assert gift is not None
            read = {
                "gift_id": str(gift.gift_id),
                "name": gift.gift.name,
                "diamonds": gift.gift.diamond_count,
                "type": gift.gift.type,
                "repeat_count": gift.repeat_count,
                "group_count": gift.group_count,
                "repeat_end": gift.repeat_end,
                "group_id": str(gift.group_id),
                "to_user": gift.to_user.display_id,
            }
            self.assertEqual(read, {key: expected[key] for key in read}, name)
            for event in translated(payload.method, payload.payload).events:
                assert isinstance(event, ChannelEvent)
                self.assert_author(event.data["author"], expected["user"], name)
                self.assertEqual(event.data["name"], expected["name"], name)
                worth = expected["diamonds"] * expected["repeat_count"]
                self.assertEqual(event.data["value"], worth, name)
                nickname = expected["user"]["nickname"]
                words = f"{nickname} sent {expected['name']} x{expected['repeat_count']}".split()
                self.assertEqual(event.data["text"], " ".join(words), name)

    def test_likes(self) -> None:
        """Likes: how many, and how many in all."""
        for name, payload, expected in self.each("WebcastLikeMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.data["count"], expected["count"], name)
            self.assertEqual(str(event.data["total"]), expected["total"], name)
            self.assert_author(event.data["author"], expected["user"], name)

    def test_social(self) -> None:
        """Follows and shares are told apart."""
        for name, payload, expected in self.each("WebcastSocialMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.type, {1: "follow", 3: "share"}[expected["action"]], name)
            self.assert_author(event.data["author"], expected["user"], name)
            if event.type == "follow":
                self.assertEqual(str(event.data["followers"]), expected["follow_count"], name)
            elif "viewer_10" in expected["display_key"]:
                self.assertEqual(event.data["friends"], 10, name)

    def test_members(self) -> None:
        """Who entered, and how many are there."""
        for name, payload, expected in self.each("WebcastMemberMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.type, "join", name)
            self.assertEqual(event.data["viewers"], expected["member_count"], name)
            self.assert_author(event.data["author"], expected["user"], name)

    def test_viewers(self) -> None:
        """How many watch now, and how many ever came."""
        for name, payload, expected in self.each("WebcastRoomUserSeqMessage"):
            data = event_of(translated(payload.method, payload.payload)).data
            self.assertEqual(str(data["viewers"]), expected["total"], name)
            self.assertEqual(str(data["total_viewers"]), expected["total_user"], name)

    def test_control(self) -> None:
        """Pauses, resumptions and ends are what they say."""
        for name, payload, expected in self.each("WebcastControlMessage"):
            state = translated(payload.method, payload.payload).state
            self.assertEqual(state, StreamState(expected["action"]), name)

    def test_questions(self) -> None:
        """Questions: id, text and asker."""
        for name, payload, expected in self.each("WebcastQuestionNewMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.event_id, expected["question_id"], name)
            self.assertEqual(event.data["text"], expected["content"], name)
            self.assert_author(event.data["author"], expected["user"], name)

    def test_deletions(self) -> None:
        """Whose messages, or which, are gone."""
        for name, payload, expected in self.each("WebcastImDeleteMessage"):
            events = translated(payload.method, payload.payload).events
            gone = [
                (event.type, event.data.get("message_id") or event.data.get("user_id"))
                for event in events
                if isinstance(event, ChannelEvent)
            ]
            self.assertEqual(
                gone,
                [("deletion", number) for number in expected["delete_msg_ids"]]
                + [("timeout", number) for number in expected["delete_user_ids"]],
                name,
            )

    def test_pins(self) -> None:
        """A pin shows an old comment and is none itself."""
        for name, payload, expected in self.each("WebcastRoomPinMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.data["pin_id"], expected["pin_msg_id"], name)
            self.assertNotEqual(event.data["message_id"], "0", name)
            shown = event.data.get("content")
            self.assertEqual(shown.raw if shown else "", expected["chat"], name)

    def test_boxes(self) -> None:
        """Treasure boxes, and their removal left out."""
        for name, payload, expected in self.each("WebcastEnvelopeMessage"):
            translation = translated(payload.method, payload.payload)
            if expected["display"] == 2:
                self.assertEqual(translation.events, [], name)
                continue
            event = event_of(translation)
            self.assertEqual(event.event_id, expected["envelope_id"], name)
            self.assertEqual(event.data["value"], expected["diamonds"], name)
            self.assertRegex(event.data["text"], r" sent a Treasure Box with x \d+$")

    def test_introductions(self) -> None:
        """Introductions: what and by whom."""
        for name, payload, expected in self.each("WebcastLiveIntroMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.data["intro"], expected["content"], name)
            self.assert_author(event.data["author"], expected["user"], name)

    def test_notices(self) -> None:
        """Lines of the platform have words, filled in where they have places."""
        for name, payload, _ in self.each("WebcastRoomMessage", "RoomMessage"):
            text = event_of(translated(payload.method, payload.payload)).data["text"]
            self.assertRegex(text, r"^\S.{10,}\S$", name)
            self.assertNotIn("{", text, name)

    def test_goals_and_polls(self) -> None:
        """Goals have a target and polls have choices."""
        for name, payload, _ in self.each("WebcastGoalUpdateMessage"):
            data = event_of(translated(payload.method, payload.payload)).data
            self.assertGreater(data["parts"][0]["target"], 0, name)
            self.assertNotEqual(data["parts"][0]["name"], "", name)
            self.assertNotEqual(data["text"], "", name)
        statuses = Counter[str]()
        for name, payload, _ in self.each("WebcastPollMessage"):
            data = event_of(translated(payload.method, payload.payload)).data
            self.assertEqual(len(data["choices"]), 2, name)
            self.assertEqual(data["votes"], sum(choice["votes"] for choice in data["choices"]))
            statuses[data["status"]] += 1
        self.assertEqual(statuses, {"updated": 6, "opened": 2, "closed": 2})


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
            (event.data["author"].username, event.data["count"])
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
        self.assertEqual(sum(translation.dropped.values()), 5)
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
        self.assertEqual(translation.dropped, {})

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
                author = event.data["author"]
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
                "gift": ("gift_id", "name", "count", "value"),
                "like": ("count", "total"),
                "member": ("viewers",),
                "room-user": ("viewers", "total_viewers"),
                "social": ("followers",),
            }[name]
            values = [str(event.data[key]) for key in found]
            texts = [expected[key] for key in wanted]
            if name == "gift":
                texts[-1] = str(int(expected["diamond_count"]) * int(expected["repeat_count"]))
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
