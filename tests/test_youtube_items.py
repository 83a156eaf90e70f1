# SPDX-License-Identifier: MIT
"""Chat items one by one: money, times, memberships.

The builders of answers at the top serve the other tests of YouTube's chat too.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage, Money, Sticker
from livechat.model.event_data import Person, Price, Subscription, person
from livechat.model.events import ChannelEvent
from livechat.platforms.youtube.parse.chat import Poll, read_poll
from tests.support.events import data_of, fields_of

VIDEO = "abcdefghij0"
NOW = 1_790_000_000_000
ADDRESS = "https://yt3.ggpht.com/picture"


def answer(*actions: Any, **more: Any) -> dict[str, Any]:
    """An answer with these actions and a continuation."""
    continuations = [{"timedContinuationData": {"timeoutMs": 5000, "continuation": "next"}}]
    chat = {"continuations": continuations, "actions": list(actions), **more}
    return {"continuationContents": {"liveChatContinuation": chat}}


def item(renderer: str, **fields: Any) -> dict[str, Any]:
    """An action that adds an item by an author of our own."""
    common = {
        "id": "id",
        "timestampUsec": "1609459200000000",
        "authorName": {"simpleText": "@Someone"},
        "authorExternalChannelId": "UCsomeone",
    }
    return {"addChatItemAction": {"item": {renderer: {**common, **fields}}}}


def text(*runs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An action that adds a text message."""
    return item("liveChatTextMessageRenderer", message={"runs": list(runs)}, **fields)


def read(*actions: Any) -> Poll:
    """What an answer with these actions says."""
    return read_poll(msgspec.json.encode(answer(*actions)), VIDEO, NOW)


def message(*actions: Any) -> ChatMessage:
    """The only message among what these actions amount to."""
    poll = read(*actions)
    (found,) = [event for event in poll.events if isinstance(event, ChatMessage)]
    return found


def happening(*actions: Any) -> ChannelEvent:
    """The only event among what these actions amount to."""
    poll = read(*actions)
    (found,) = [event for event in poll.events if isinstance(event, ChannelEvent)]
    return found


def custom(**fields: Any) -> dict[str, Any]:
    """A run with a channel's emoji."""
    pictures = [
        {"url": "https://custom.emoji.test/24", "width": 24},
        {"url": "https://custom.emoji.test/48", "width": 48},
    ]
    emoji = {
        "emojiId": "UC1/key",
        "shortcuts": [":customEmoji:", ":other:"],
        "image": {"thumbnails": pictures},
        "isCustomEmoji": True,
    }
    return {"emoji": {**emoji, **fields}}


def standard(character: str, **fields: Any) -> dict[str, Any]:
    """A run with an emoji that everybody has."""
    image = {"thumbnails": [{"url": "https://www.youtube.com/s/gaming/emoji/1/e.svg"}]}
    return {"emoji": {"emojiId": character, "image": image, **fields}}


class PaidTests(SynchronousTestCase):
    """Super chats and stickers."""

    def test_super_chat(self) -> None:
        """The amount as shown, as a number, its currency and the colour of the message."""
        action = item(
            "liveChatPaidMessageRenderer",
            message={"runs": [{"text": "Hello, World!"}]},
            purchaseAmountText={"simpleText": "￥1,000"},
            headerBackgroundColor=4294947584,
            bodyBackgroundColor=4294953512,
        )
        data = message(action).data
        self.assertEqual(data.metadata.type, "super_chat")
        self.assertEqual(
            data.metadata.monetary_data, Money("￥1,000", "￥1,000", "#FFCA28", 1000, "JPY")
        )
        self.assertIs(data.metadata.sticker, UNSET)
        self.assertEqual(data.content.raw, "Hello, World!")

    def test_colors(self) -> None:
        """Colours lose their alpha and keep their zeros; the lowest tier's stands in for none."""
        cases: list[tuple[Any, str]] = [
            (4279592384, "#1565C0"),
            (4278239141, "#00BFA5"),
            (17, "#000011"),
            (0, "#000000"),
            (-1, "#FFFFFF"),
            (None, "#FFB300"),
            ("x", "#FFB300"),
            (True, "#FFB300"),
        ]
        for argb, shade in cases:
            fields = {"bodyBackgroundColor": argb, "headerBackgroundColor": 4294947584}
            money = message(
                item("liveChatPaidMessageRenderer", **fields)
            ).data.metadata.monetary_data
            assert money is not UNSET
            self.assertEqual(money.color, shade, argb)
        money = message(item("liveChatPaidMessageRenderer")).data.metadata.monetary_data
        self.assertEqual(money, Money("", "", "#1E88E5", 0, "XXX"))

    def test_sticker(self) -> None:
        """A sticker's picture is https and the largest, its label the alternative text."""
        sticker = {
            "thumbnails": [
                {"url": "//lh3.test/s72", "width": 72},
                {"url": "//lh3.test/s144", "width": 144},
            ],
            "accessibility": {"accessibilityData": {"label": "A bear"}},
        }
        amount = {"simpleText": "￥90"}
        fields = {"sticker": sticker, "purchaseAmountText": amount, "backgroundColor": 4279592384}
        metadata = message(item("liveChatPaidStickerRenderer", **fields)).data.metadata
        self.assertEqual(metadata.sticker, Sticker("https://lh3.test/s144", "A bear"))
        self.assertEqual(metadata.monetary_data, Money("￥90", "￥90", "#1565C0", 90, "JPY"))
        bad = {"thumbnails": [{"url": "javascript:alert(1)"}]}
        metadata = message(item("liveChatPaidStickerRenderer", sticker=bad)).data.metadata
        self.assertIs(metadata.sticker, UNSET)

    def test_plain_chat_has_no_money(self) -> None:
        """A plain message's JSON has neither `monetary_data` nor `sticker`."""
        encoded = msgspec.json.decode(msgspec.json.encode(message(text())))
        self.assertEqual(encoded["data"]["metadata"], {"type": "chat"})


class TimeTests(SynchronousTestCase):
    """Timestamps."""

    def test_times(self) -> None:
        """Microseconds, as text or number, become ISO 8601; if unbelievable, the arrival."""
        arrival = "2026-09-21T14:13:20.000Z"
        cases: list[tuple[Any, str]] = [
            ("1609459200000000", "2021-01-01T00:00:00.000Z"),
            (1609459200123999, "2021-01-01T00:00:00.123Z"),
            (str((NOW + 1000) * 1000), "2026-09-21T14:13:21.000Z"),
            (str((NOW + 2 * 86_400_000) * 1000), arrival),
            ("1609459200000", arrival),
            ("0", arrival),
            (0, arrival),
            (-5, arrival),
            ("9" * 30, arrival),
            ("", arrival),
            (None, arrival),
            (1.5, arrival),
            ([], arrival),
        ]
        for micros, shown in cases:
            self.assertEqual(message(text(timestampUsec=micros)).timestamp, shown, micros)

    def test_room(self) -> None:
        """Everything is in the room of the video it was asked for."""
        poll = read(text(), {"removeChatItemAction": {"targetItemId": "x"}})
        self.assertEqual([event.room_id for event in poll.events], [VIDEO, VIDEO])
        self.assertEqual({event.platform for event in poll.events}, {"youtube"})


class MembershipTests(SynchronousTestCase):
    """Memberships are a chat for everyone and an event besides."""

    def both(self, **fields: Any) -> tuple[ChatMessage, Subscription]:
        """The message of one membership item, and the data of its event."""
        chat, event = read(item("liveChatMembershipItemRenderer", **fields)).events
        assert isinstance(chat, ChatMessage)
        assert isinstance(event, ChannelEvent)
        self.assertEqual((event.type, event.event_id), ("subscription", chat.message_id))
        self.assertEqual(event.timestamp, chat.timestamp)
        data = event.data
        assert isinstance(data, Subscription)
        self.assertEqual(data.message_id, chat.message_id)
        self.assertEqual(data.user, person(chat.data.author))
        return chat, data

    def test_header_in_any_language(self) -> None:
        """The chat's text is the header, as the original had it; only English tells the tier."""
        runs = [{"text": "上級エンジニア"}, {"text": " へようこそ\uff01"}]
        chat, data = self.both(headerSubtext={"runs": runs})
        self.assertEqual(chat.data.content.raw, "上級エンジニア へようこそ\uff01")
        self.assertEqual(chat.data.metadata.notice, "membership_new")
        self.assertEqual((data.status, data.tier), ("new", None))

    def test_header_without_runs(self) -> None:
        """A header that is a simple text, over which the original lost its whole batch, is fine."""
        chat, data = self.both(headerSubtext={"simpleText": "New member"})
        self.assertEqual(chat.data.content.raw, "New member")
        self.assertEqual(data.text, "New member")

    def test_milestone_without_words(self) -> None:
        """A milestone without the member's own words says what it is."""
        header = {"runs": [{"text": "Member for "}, {"text": "27"}, {"text": " months"}]}
        tier = {"simpleText": "Crew"}
        chat, data = self.both(headerPrimaryText=header, headerSubtext=tier, empty=True)
        self.assertEqual(chat.data.content.raw, "Member for 27 months Crew")
        self.assertEqual((data.months, data.tier), (27, "Crew"))

    def test_milestone(self) -> None:
        """A milestone's chat is what the member wrote."""
        header = {"runs": [{"text": "Member for 2 years"}]}
        chat, data = self.both(headerPrimaryText=header, message={"runs": [{"text": "wow"}]})
        self.assertEqual(chat.data.content.raw, "wow")
        self.assertEqual((data.status, data.months), ("milestone", 24))

    def test_numbers_in_sentences(self) -> None:
        """A number is found however the sentence is cut into runs; one of a name is none."""
        for sentence, months in (
            ({"simpleText": "Member for 1 month"}, 1),
            ({"runs": [{"text": "Member for "}, {"text": "1,001"}, {"text": " months"}]}, 1001),
            ({"runs": [{"text": "Member for 2"}, {"text": "7 months"}]}, 27),
            ({"simpleText": "Member for 1 year"}, 12),
            ({"simpleText": "Member for long"}, None),
        ):
            _, data = self.both(headerPrimaryText=sentence)
            self.assertEqual(data.months, months, sentence)
        for sentence, number in (
            ({"simpleText": "Sent 20 Rust Boss gift memberships"}, 20),
            ({"runs": [{"text": "Sent 1,000 4ever gift memberships"}]}, 1000),
            ({"runs": [{"text": "Sent "}, {"text": "5"}, {"text": " 7th gift memberships"}]}, 5),
            ({"simpleText": "Sent gift memberships"}, None),
        ):
            header = {"authorName": {"simpleText": "@Giver"}, "primaryText": sentence}
            fields = {"header": {"liveChatSponsorshipsHeaderRenderer": header}}
            event = happening(
                item("liveChatSponsorshipsGiftPurchaseAnnouncementRenderer", **fields)
            )
            self.assertEqual(data_of(event)["count"], number, sentence)

    def test_tiers(self) -> None:
        """The tier is read from the whole sentence, in one run or in three."""
        for runs, status, notice, tier in (
            (["Welcome to ", "Crew", "!"], "new", "new", "Crew"),
            (["Welcome to Crew! Mates!"], "new", "new", "Crew! Mates"),
            (["Upgraded membership to ", "Captain", "!"], "upgraded", "upgrade", "Captain"),
            (["Upgraded membership to Captain!"], "upgraded", "upgrade", "Captain"),
            (["New member"], "new", "new", None),
        ):
            chat, data = self.both(headerSubtext={"runs": [{"text": run} for run in runs]})
            self.assertEqual((data.status, data.tier), (status, tier))
            self.assertEqual(chat.data.metadata.notice, f"membership_{notice}")
            self.assertIsNone(data.months)


class PersonTests(SynchronousTestCase):
    """Whom events are about: an id is an id, never a name in its place."""

    def test_jewels(self) -> None:
        """Of the giver of Jewels only handle and picture are known."""
        gift = {
            "id": "gift",
            "text": {"content": "sent Gold coin for 10 Jewels"},
            "authorName": {"content": "@Giver "},
            "authorAvatar": {"avatarViewModel": {"image": {"sources": [{"url": ADDRESS}]}}},
        }
        event = happening({"addChatItemAction": {"item": {"giftMessageViewModel": gift}}})
        self.assertEqual(event.data.user, Person(None, "Giver", "@Giver", ADDRESS))
        self.assertEqual(fields_of(event).price, Price(10, "JEWELS", "10 Jewels"))
        self.assertEqual((fields_of(event).name, fields_of(event).count), ("Gold coin", 1))

    def test_by_name_only(self) -> None:
        """So it is with the giver of a redeemed membership."""
        runs = [{"text": "received a gift membership by "}, {"text": "@Giver", "bold": True}]
        fields = {"message": {"runs": runs}}
        event = happening(item("liveChatSponsorshipsGiftRedemptionAnnouncementRenderer", **fields))
        data = data_of(event)
        giver = {"id": None, "username": "Giver", "display_name": "@Giver"}
        self.assertEqual(data["user"], giver)
        self.assertEqual(data["recipient"]["id"], "UCsomeone")
        self.assertEqual((data["gift_type"], data["count"]), ("subscription", 1))

    def test_without_channel_id(self) -> None:
        """An item without a channel id names its person, without an id."""
        fields = {"authorExternalChannelId": None, "headerSubtext": {"simpleText": "New member"}}
        chat, event = read(item("liveChatMembershipItemRenderer", **fields)).events
        assert isinstance(chat, ChatMessage)
        assert isinstance(event, ChannelEvent)
        self.assertEqual(chat.data.author.id, "@Someone")
        told = data_of(event)["user"]
        self.assertEqual((told["id"], told["username"], told["badges"]), (None, "Someone", []))

    def test_pinned_without_channel_id(self) -> None:
        """So it is with the author of a pinned message."""
        pinned = text({"text": "x"}, authorExternalChannelId=None)["addChatItemAction"]["item"]
        banner = {"liveChatBannerRenderer": {"actionId": "b", "contents": pinned}}
        event = happening({"addBannerToLiveChatCommand": {"bannerRenderer": banner}})
        told = data_of(event)["author"]
        self.assertEqual((event.type, told["id"], told["username"]), ("pin", None, "Someone"))
