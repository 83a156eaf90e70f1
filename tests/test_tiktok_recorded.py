# SPDX-License-Identifier: MIT
"""Recorded TikTok payloads: each is accounted for, and says what another decoder reads in it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.event_data import Person, Price
from livechat.model.events import ChannelEvent, iso_time
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.chat import StreamState, Translator
from livechat.platforms.tiktok.parse.counts import Counts
from livechat.platforms.tiktok.parse.webcast import (
    Batch,
    Envelope,
    Push,
    decode,
    read_batch,
    read_push,
)
from tests.support.corpus import corpus
from tests.support.events import data_of, fields_of
from tests.support.golden import check_digests
from tests.support.tiktok_payloads import (
    NOW,
    ROOM,
    Recorded,
    chat_of,
    event_of,
    kinds_of,
    recorded,
    translated,
)

#: What becomes of the recorded payloads that mean something, by method: how many of which kind.
#: `open` stands for a gift in the middle of its streak, `counted` for what is left out.
TRANSLATED = {
    "RoomMessage": {"notice": 7},
    "WebcastChatMessage": {"chat": 59},
    "WebcastControlMessage": {"stream": 8, "ended": 4},
    "WebcastEmoteChatMessage": {"chat": 10},
    "WebcastEnvelopeMessage": {"counted": 13, "notice": 6},
    "WebcastGiftMessage": {"open": 39, "gift": 13},
    "WebcastGoalUpdateMessage": {"goal": 33},
    "WebcastImDeleteMessage": {"timeout": 10},
    "WebcastLikeMessage": {"like": 52},
    "WebcastLiveIntroMessage": {"stream": 7},
    "WebcastMemberMessage": {"join": 64},
    "WebcastPollMessage": {"poll": 10},
    "WebcastQuestionNewMessage": {"question": 10},
    "WebcastRoomMessage": {"notice": 25},
    "WebcastRoomPinMessage": {"pin": 11},
    "WebcastRoomUserSeqMessage": {"viewers": 73},
    "WebcastSocialMessage": {"follow": 40, "share": 12},
    "WebcastUnauthorizedMemberMessage": {"join": 10},
}

#: How many payloads there are of each method that is counted and nothing else.
COUNTED = {
    "LinkMicMethod": 10,
    "WebcastAccessRecallMessage": 10,
    "WebcastAnchorToolModificationMessage": 10,
    "WebcastBALeadGenMessage": 10,
    "WebcastBarrageMessage": 10,
    "WebcastBottomMessage": 10,
    "WebcastCapsuleMessage": 10,
    "WebcastCaptionMessage": 10,
    "WebcastDonationStickerModifyMethod": 4,
    "WebcastEcShortItemRefreshMessage": 8,
    "WebcastEcTaskRegisterMessage": 10,
    "WebcastEnvelopePortalMessage": 10,
    "WebcastGiftBroadcastMessage": 10,
    "WebcastGiftCollectionUpdateMessage": 10,
    "WebcastGoodyBagMessage": 10,
    "WebcastHashtagMessage": 10,
    "WebcastHourlyRankMessage": 10,
    "WebcastHourlyRankRewardMessage": 10,
    "WebcastInRoomBannerMessage": 10,
    "WebcastInRoomBannerRefreshMessage": 1,
    "WebcastLinkLayerMessage": 32,
    "WebcastLinkMessage": 26,
    "WebcastLinkMicAnchorGuideMessage": 10,
    "WebcastLinkMicArmies": 10,
    "WebcastLinkMicBattle": 10,
    "WebcastLinkMicBattleItemCard": 10,
    "WebcastLinkMicBattlePunishFinish": 10,
    "WebcastLinkMicFanTicketMethod": 52,
    "WebcastLinkMicMethod": 52,
    "WebcastLinkScreenChangeMessage": 10,
    "WebcastLinkmicBattleNoticeMessage": 10,
    "WebcastLinkmicBattleTaskMessage": 10,
    "WebcastMarqueeAnnouncementMessage": 10,
    "WebcastMsgDetectMessage": 10,
    "WebcastOecLiveShoppingMessage": 10,
    "WebcastPaidContentLiveShoppingMessage": 10,
    "WebcastPartnershipCardChangeMessage": 1,
    "WebcastPartnershipDownloadCountMessage": 10,
    "WebcastPartnershipDropsUpdateMessage": 6,
    "WebcastPerceptionMessage": 10,
    "WebcastPictionaryEndMessage": 10,
    "WebcastPictionaryExitMessage": 10,
    "WebcastPictionaryStartMessage": 10,
    "WebcastPictionaryUpdateMessage": 10,
    "WebcastQuestionDeleteMessage": 10,
    "WebcastQuestionSelectedMessage": 10,
    "WebcastQuestionSlideDownMessage": 10,
    "WebcastQuestionSwitchMessage": 1,
    "WebcastRankTextMessage": 19,
    "WebcastRankUpdateMessage": 31,
    "WebcastRoomNotifyMessage": 10,
    "WebcastRoomStickerMessage": 10,
    "WebcastRoomVerifyMessage": 10,
    "WebcastSubPinEventMessage": 10,
    "WebcastSubTimerStickerMessage": 10,
    "WebcastSubWaveMessage": 10,
    "WebcastSubscriptionGuideMessage": 10,
    "WebcastWeeklyRankRewardMessage": 10,
}

#: What badges are called that show neither a text nor a level.
UNNAMED = {"subscriber", "top gifter"}


def outcome(payload: Recorded) -> list[str]:
    """What becomes of one payload on its own."""
    translation = translated(payload.method, payload.payload)
    assert translation.counts.unparsed == {}, translation.counts
    if translation.counts.ignored:
        return ["counted"]
    if translation.state in (StreamState.ENDED, StreamState.SUSPENDED):
        return ["ended"]
    return kinds_of(translation.events) or ["open"]


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
        counted = {method: {"counted": number} for method, number in COUNTED.items()}
        self.assertEqual(table, TRANSLATED | counted)

    def test_nothing_is_unparsed(self) -> None:
        """Of what was recorded at most one percent is unknown, so that a change is seen.

        Each name that is left has its reason here; at present there is none.
        """
        payloads = [(payload.method, payload.payload) for payload in recorded().values()]
        first = read_batch(corpus("tiktok/recorded/2026-08-10_first_batch.pb").read_bytes())
        frame = read_push(
            corpus("tiktok/recorded/2026-09-17_im_enter_room_resp.frame.bin").read_bytes()
        )
        assert isinstance(first, Batch)
        assert isinstance(frame, Push)
        unparsed = Counter(first.dropped) + Counter(frame.batch.dropped)
        ignored = Counter[str]()
        envelopes = [Envelope(*payload) for payload in payloads]
        envelopes += first.messages + frame.batch.messages
        for envelope in envelopes:
            # Each with a translator of its own, so that all are looked through.
            translation = Translator(ROOM).translate([envelope], NOW, 0.0)
            unparsed.update(translation.counts.unparsed)
            ignored.update(translation.counts.ignored)
        explained: dict[str, int] = {}
        self.assertEqual(unparsed, explained)
        self.assertLessEqual(unparsed.total(), len(envelopes) // 100)
        self.assertEqual((len(envelopes), ignored.total()), (1225, 711))

    def test_digests(self) -> None:
        """What each translated payload becomes is what somebody once looked at."""
        made = {}
        for name, payload in recorded().items():
            translation = translated(payload.method, payload.payload)
            if translation.counts == Counts():
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
        # A name that is missing is empty in a message and null in an event.
        username = expected["display_id"] or (None if isinstance(author, Person) else "")
        self.assertEqual(author.username, username, name)
        self.assertEqual(author.display_name, expected["nickname"], name)
        self.assertEqual(author.avatar_url, expected["avatar_first"] or None, name)
        self.assertEqual(author.roles.verified, expected["verified"], name)
        scenes = {badge["scene"] for badge in expected["badges"]}
        if expected["is_admin"] or 1 in scenes:
            self.assertTrue(author.roles.moderator, name)
        if scenes & {4, 7}:
            self.assertTrue(author.roles.subscriber, name)
        self.assertEqual(len(author.badges), len(scenes) + expected["verified"], name)
        shown = {badge["text"] for badge in expected["badges"]} | UNNAMED
        self.assertLessEqual({badge.label for badge in author.badges} - {"Verified"}, shown, name)
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
                self.assert_author(event.data.user, expected["user"], name)
                self.assertEqual(fields_of(event).name, expected["name"], name)
                worth = expected["diamonds"] * expected["repeat_count"]
                self.assertEqual(fields_of(event).price, Price(worth, "DIAMONDS", None), name)
                self.assertEqual(fields_of(event).item_id, expected["gift_id"], name)
                self.assertEqual(fields_of(event).gift_type, "virtual", name)
                nickname = expected["user"]["nickname"]
                words = f"{nickname} sent {expected['name']} x{expected['repeat_count']}".split()
                self.assertEqual(event.data.text, " ".join(words), name)

    def test_likes(self) -> None:
        """Likes: how many, and how many in all."""
        for name, payload, expected in self.each("WebcastLikeMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(fields_of(event).count, expected["count"], name)
            self.assertEqual(str(fields_of(event).total), expected["total"], name)
            self.assert_author(event.data.user, expected["user"], name)

    def test_social(self) -> None:
        """Follows and shares are told apart."""
        for name, payload, expected in self.each("WebcastSocialMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.type, {1: "follow", 3: "share"}[expected["action"]], name)
            self.assert_author(event.data.user, expected["user"], name)
            if event.type == "follow":
                self.assertEqual(str(fields_of(event).count), expected["follow_count"], name)
            elif "viewer_10" in expected["display_key"]:
                self.assertEqual(fields_of(event).friends, 10, name)

    def test_members(self) -> None:
        """Who entered, and how many are there."""
        for name, payload, expected in self.each("WebcastMemberMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.type, "join", name)
            self.assertEqual(fields_of(event).viewers, expected["member_count"], name)
            self.assert_author(event.data.user, expected["user"], name)

    def test_viewers(self) -> None:
        """How many watch now, and how many ever came."""
        for name, payload, expected in self.each("WebcastRoomUserSeqMessage"):
            data = fields_of(event_of(translated(payload.method, payload.payload)))
            self.assertEqual(str(data.viewers), expected["total"], name)
            self.assertEqual(str(data.total_viewers), expected["total_user"], name)

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
            self.assertEqual(event.data.text, expected["content"], name)
            self.assert_author(event.data.user, expected["user"], name)

    def test_deletions(self) -> None:
        """Whose messages, or which, are gone."""
        for name, payload, expected in self.each("WebcastImDeleteMessage"):
            events = translated(payload.method, payload.payload).events
            gone = [
                (event.type, fields_of(event).message_id or fields_of(event).user.id)
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
            self.assertEqual(fields_of(event).pin_id, expected["pin_msg_id"], name)
            self.assertRegex(fields_of(event).message_id, r"^[1-9]\d+$", name)
            if fields_of(event).status == "pinned":
                self.assertTrue(fields_of(event).author.id, name)
                self.assertIn("gift" if not expected["chat"] else "content", data_of(event), name)
            shown = fields_of(event).content
            self.assertEqual(shown.sanitized if shown else "", expected["chat"], name)

    def test_recorded_emote(self) -> None:
        """The one recorded emote stands at the end of its comment, after hearts of two units."""
        payload = recorded()["2023-10-04/WebcastRoomPinMessage/1"]
        content = fields_of(event_of(translated(payload.method, payload.payload))).content
        text, emote = content.elements
        self.assertEqual(text.value, payload.expected["chat"])
        self.assertEqual(emote.value, ":7285343547883195169:")
        self.assertEqual(emote.position, (25, 46))

    def test_boxes(self) -> None:
        """Treasure boxes, and their removal left out."""
        for name, payload, expected in self.each("WebcastEnvelopeMessage"):
            translation = translated(payload.method, payload.payload)
            if expected["display"] == 2:
                self.assertEqual(translation.events, [], name)
                continue
            event = event_of(translation)
            self.assertEqual(event.event_id, expected["envelope_id"], name)
            self.assertEqual(event.data.platform_kind, "treasure_box", name)
            self.assertEqual(fields_of(event).params["value"], str(expected["diamonds"]), name)
            self.assertEqual(fields_of(event).params["currency"], "DIAMONDS", name)
            self.assertRegex(fields_of(event).text, r" sent a Treasure Box with x \d+$")

    def test_introductions(self) -> None:
        """Introductions: what and by whom."""
        for name, payload, expected in self.each("WebcastLiveIntroMessage"):
            event = event_of(translated(payload.method, payload.payload))
            self.assertEqual(event.data.text, expected["content"], name)
            self.assert_author(event.data.user, expected["user"], name)

    def test_notices(self) -> None:
        """Lines of the platform have words, filled in where they have places."""
        for name, payload, _ in self.each("WebcastRoomMessage", "RoomMessage"):
            text = fields_of(event_of(translated(payload.method, payload.payload))).text
            self.assertRegex(text, r"^\S.{10,}\S$", name)
            self.assertNotIn("{", text, name)

    def test_goals_and_polls(self) -> None:
        """Goals have a target and polls have choices."""
        for name, payload, _ in self.each("WebcastGoalUpdateMessage"):
            data = fields_of(event_of(translated(payload.method, payload.payload)))
            self.assertGreater(data.parts[0].target, 0, name)
            self.assertNotEqual(data.parts[0].name, "", name)
            self.assertNotEqual(data.text, "", name)
            self.assertEqual(data.target, sum(part.target for part in data.parts), name)
            self.assertEqual(data.unit, "gifts", name)
        statuses = Counter[str]()
        for name, payload, _ in self.each("WebcastPollMessage"):
            data = fields_of(event_of(translated(payload.method, payload.payload)))
            self.assertEqual(len(data.choices), 2, name)
            self.assertEqual(data.votes, sum(choice.votes for choice in data.choices))
            statuses[data.status] += 1
        self.assertEqual(statuses, {"updated": 6, "opened": 2, "closed": 2})
