# SPDX-License-Identifier: MIT
"""Chat items one by one: texts, authors, money, times, memberships.

The builders of answers at the top serve the other tests of YouTube's chat too.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.events import (
    Badge,
    ChannelEvent,
    ChatMessage,
    Element,
    EmoteMetadata,
    Money,
    Sticker,
)
from livechat.platforms.youtube.chat import Poll, read_poll

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


class ContentTests(SynchronousTestCase):
    """The table of content fields that was measured on the original, with its bugs put right."""

    def test_text(self) -> None:
        """Plain text is the same in every rendering."""
        content = message(text({"text": "Hello, World!"})).data.content
        self.assertEqual(content.raw, "Hello, World!")
        self.assertEqual(content.formatted, "Hello, World!")
        self.assertEqual(content.sanitized, "Hello, World!")
        self.assertEqual(content.raw_html, '<span class="text">Hello, World!</span>')
        self.assertEqual(content.elements, [Element("text", "Hello, World!", (0, 13))])

    def test_custom_emoji(self) -> None:
        """A channel's emoji is its shortcut, with one pair of colons and its smallest picture."""
        content = message(text(custom())).data.content
        self.assertEqual(content.raw, ":customEmoji:")
        self.assertEqual(content.formatted, ":customEmoji:")
        self.assertEqual(content.sanitized, "")
        metadata = EmoteMetadata("https://custom.emoji.test/24", ":customEmoji:", True)
        self.assertEqual(content.elements, [Element("emote", ":customEmoji:", (0, 13), metadata)])
        self.assertEqual(
            content.raw_html,
            '<img class="emote" src="https://custom.emoji.test/24" alt=":customEmoji:"'
            ' title=":customEmoji:" data-custom="true">',
        )

    def test_standard_emoji(self) -> None:
        """A standard emoji is its character, two UTF-16 units long; formatted, its shortcut."""
        run = standard("👏", shortcuts=[":clapping_hands:", ":clap:"])
        content = message(text(run)).data.content
        self.assertEqual(content.raw, "👏")
        self.assertEqual(content.formatted, ":clapping_hands:")
        self.assertEqual(content.sanitized, "")
        (element,) = content.elements
        self.assertEqual((element.value, element.position), ("👏", (0, 2)))
        assert element.metadata is not UNSET
        self.assertEqual(
            (element.metadata.alt, element.metadata.is_custom), (":clapping_hands:", False)
        )
        self.assertNotIn("data-custom", content.raw_html)

    def test_emoji_without_shortcut(self) -> None:
        """An emoji without a shortcut stays itself, four UTF-16 units long."""
        content = message(text(standard("👏🏿"))).data.content
        self.assertEqual((content.raw, content.formatted, content.sanitized), ("👏🏿", "👏🏿", ""))
        (element,) = content.elements
        self.assertEqual((element.value, element.position), ("👏🏿", (0, 4)))
        assert element.metadata is not UNSET
        self.assertEqual(element.metadata.alt, "")

    def test_sticker(self) -> None:
        """A sticker has no text in any rendering."""
        content = message(item("liveChatPaidStickerRenderer")).data.content
        self.assertEqual(
            (content.raw, content.formatted, content.sanitized, content.raw_html, content.elements),
            ("", "", "", "", []),
        )

    def test_mixture(self) -> None:
        """Elements tile the text: in UTF-16 every value is where its position says."""
        content = message(
            text(
                {"text": "a😀"},
                custom(),
                {"text": "b"},
                {"text": "c"},
                standard("👏🏿"),
                {"text": " "},
            )
        ).data.content
        self.assertEqual(content.raw, "a😀:customEmoji:bc👏🏿 ")
        self.assertEqual(content.sanitized, "a😀bc ")
        units = content.raw.encode("utf-16-le")
        values = [
            units[2 * a : 2 * b].decode("utf-16-le")
            for a, b in (e.position for e in content.elements)
        ]
        self.assertEqual(values, [element.value for element in content.elements])
        self.assertEqual("".join(values), content.raw)

    def test_incomplete_emoji(self) -> None:
        """Shortcuts, picture and label can each be missing, together or alone."""
        label = {"accessibility": {"accessibilityData": {"label": "waving"}}}
        cases = [
            (custom(shortcuts=None), "UC1/key", "UC1/key"),
            (
                custom(shortcuts=[], image={**custom()["emoji"]["image"], **label}),
                ":waving:",
                ":waving:",
            ),
            (custom(image=None), ":customEmoji:", ":customEmoji:"),
            (custom(image={"thumbnails": []}), ":customEmoji:", ":customEmoji:"),
            (standard("👏", image={}), "👏", "👏"),
            (standard("", shortcuts=[":x:"]), ":x:", ":x:"),
            (standard(""), "", ""),
            ({"emoji": {}}, "", ""),
            ({"emoji": None}, "", ""),
        ]
        for run, raw, html_text in cases:
            content = message(text(run)).data.content
            self.assertEqual(content.raw, raw, run)
            self.assertIn(html_text.strip(":"), content.raw_html)
        self.assertEqual(message(text(custom(shortcuts=None))).data.content.formatted, ":UC1/key:")

    def test_spellings(self) -> None:
        """A text may be runs, a simple text, a view model's content, or missing."""
        cases: list[tuple[Any, str]] = [
            ({"simpleText": "a"}, "a"),
            ({"content": "b"}, "b"),
            ({"runs": [{"text": "c"}, {"text": "d"}]}, "cd"),
            ({"runs": []}, ""),
            ({}, ""),
            (None, ""),
            ("bare", ""),
            ({"runs": [7, None, {"text": None}, {"text": "e"}]}, "e"),
        ]
        for spelling, raw in cases:
            action = item("liveChatTextMessageRenderer", message=spelling)
            self.assertEqual(message(action).data.content.raw, raw, spelling)

    def test_links(self) -> None:
        """A shortened address is shown whole; one that is not shortened stays as it was written."""
        whole = "https://example.com/a/very/long/address?x=1"
        redirect = f"/redirect?event=live_chat&q={quote(whole, safe='')}"
        cases = [
            ("https://example.com/a/ve…", f"https://www.youtube.com{redirect}", whole),
            ("example.com/a/very/l...", redirect, whole),
            ("https://example.com/a/ve…", whole, whole),
            ("bit.ly/abc", redirect, "bit.ly/abc"),
            ("https://other.test/a/ve…", redirect, "https://other.test/a/ve…"),
            ("and then…", "https://[broken/redirect", "and then…"),
            ("https://x…", "", "https://x…"),
        ]
        for shown, url, raw in cases:
            run = {"text": shown, "navigationEndpoint": {"urlEndpoint": {"url": url}}}
            self.assertEqual(message(text(run)).data.content.raw, raw, shown)


class AuthorTests(SynchronousTestCase):
    """Names, pictures, badges and roles."""

    def test_name(self) -> None:
        """The handle's `@` is shown but no part of the user name; a missing name is the id."""
        author = message(text()).data.author
        self.assertEqual((author.username, author.display_name), ("Someone", "@Someone"))
        author = message(text(authorName=None)).data.author
        self.assertEqual((author.username, author.display_name), ("UCsomeone", "UCsomeone"))
        author = message(text(authorName={"simpleText": "@"})).data.author
        self.assertEqual(author.username, "@")

    def test_id(self) -> None:
        """The channel id names the author, else the name; an item of nobody is counted."""
        self.assertEqual(message(text()).data.author.id, "UCsomeone")
        self.assertEqual(message(text(authorExternalChannelId=None)).data.author.id, "@Someone")
        poll = read(text(authorExternalChannelId=None, authorName=None))
        self.assertEqual((poll.events, poll.unread), ([], {"liveChatTextMessageRenderer": 1}))

    def test_avatar(self) -> None:
        """The largest picture that can be shown, whatever the order; none rather than a bad one."""
        cases: list[tuple[Any, str | None]] = [
            ([(f"{ADDRESS}1", 32), (f"{ADDRESS}2", 64)], f"{ADDRESS}2"),
            ([(f"{ADDRESS}1", 64), (f"{ADDRESS}2", 32)], f"{ADDRESS}1"),
            ([(f"{ADDRESS}1", None), (f"{ADDRESS}2", None)], f"{ADDRESS}2"),
            ([(f"{ADDRESS}1", 32), ("javascript:alert(1)", 64)], f"{ADDRESS}1"),
            ([("http://yt3.ggpht.com/a", 32)], "https://yt3.ggpht.com/a"),
            ([("//yt3.ggpht.com/a", 32)], "https://yt3.ggpht.com/a"),
            ([("data:image/png;base64,AAAA", 32)], None),
            ([], None),
        ]
        for pictures, chosen in cases:
            thumbnails = [{"url": url, "width": width} for url, width in pictures]
            author = message(text(authorPhoto={"thumbnails": thumbnails})).data.author
            self.assertEqual(author.avatar_url, chosen, pictures)

    def test_badges(self) -> None:
        """Each badge is told with its type, label and picture, and gives its role."""
        pictures = {"thumbnails": [{"url": f"{ADDRESS}16"}, {"url": f"{ADDRESS}32"}]}
        badges: list[tuple[dict[str, Any], Badge | None, str | None]] = [
            (
                {"icon": {"iconType": "OWNER"}, "tooltip": "Owner"},
                Badge("custom", "Owner"),
                "broadcaster",
            ),
            (
                {"icon": {"iconType": "MODERATOR"}, "tooltip": "Modérateur"},
                Badge("moderator", "Modérateur"),
                "moderator",
            ),
            ({"icon": {"iconType": "VERIFIED"}}, Badge("verified", "Verified"), "verified"),
            (
                {"customThumbnail": pictures, "tooltip": "Member (6 months)"},
                Badge("subscriber", "Member (6 months)", f"{ADDRESS}32"),
                "subscriber",
            ),
            (
                {"customThumbnail": {}, "tooltip": "New member"},
                Badge("subscriber", "New member"),
                "subscriber",
            ),
            (
                {"icon": {"iconType": "ARTIST"}, "tooltip": "Artist"},
                Badge("custom", "Artist"),
                None,
            ),
            ({}, None, None),
        ]
        for renderer, badge, role in badges:
            author = message(
                text(authorBadges=[{"liveChatAuthorBadgeRenderer": renderer}])
            ).data.author
            self.assertEqual(author.badges, [] if badge is None else [badge])
            held = {name for name, value in msgspec.structs.asdict(author.roles).items() if value}
            self.assertEqual(held, set() if role is None else {role})
        everything = [{"liveChatAuthorBadgeRenderer": renderer} for renderer, _, _ in badges]
        author = message(text(authorBadges=everything)).data.author
        self.assertEqual(author.badges, [badge for _, badge, _ in badges if badge is not None])
        self.assertTrue(all(msgspec.structs.astuple(author.roles)))

    def test_leaderboard(self) -> None:
        """A rank of the viewers' leaderboard is one more badge; a name in its place is none."""
        rank = {"buttonViewModel": {"iconName": "CROWN", "title": "#3"}}
        name = {"buttonViewModel": {"title": "@Somebody"}}
        author = message(text(beforeContentButtons=[rank, name, None])).data.author
        self.assertEqual(author.badges, [Badge("custom", "#3")])


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

    def both(self, **fields: Any) -> tuple[ChatMessage, ChannelEvent]:
        """The message and the event of one membership item."""
        chat, event = read(item("liveChatMembershipItemRenderer", **fields)).events
        assert isinstance(chat, ChatMessage)
        assert isinstance(event, ChannelEvent)
        self.assertEqual((event.type, event.event_id), ("membership", chat.message_id))
        self.assertEqual(event.data["message_id"], chat.message_id)
        self.assertEqual(event.data["author"], chat.data.author)
        self.assertEqual(event.timestamp, chat.timestamp)
        return chat, event

    def test_header_in_any_language(self) -> None:
        """The chat's text is the header, as the original had it; only English tells the tier."""
        runs = [{"text": "上級エンジニア"}, {"text": " へようこそ\uff01"}]
        chat, event = self.both(headerSubtext={"runs": runs})
        self.assertEqual(chat.data.content.raw, "上級エンジニア へようこそ\uff01")
        self.assertEqual(chat.data.metadata.notice, "membership_new")
        self.assertEqual((event.data["status"], event.data["tier"]), ("new", None))

    def test_header_without_runs(self) -> None:
        """A header that is a simple text, over which the original lost its whole batch, is fine."""
        chat, event = self.both(headerSubtext={"simpleText": "New member"})
        self.assertEqual(chat.data.content.raw, "New member")
        self.assertEqual(event.data["text"], "New member")

    def test_milestone_without_words(self) -> None:
        """A milestone without the member's own words says what it is."""
        header = {"runs": [{"text": "Member for "}, {"text": "27"}, {"text": " months"}]}
        tier = {"simpleText": "Crew"}
        chat, event = self.both(headerPrimaryText=header, headerSubtext=tier, empty=True)
        self.assertEqual(chat.data.content.raw, "Member for 27 months Crew")
        self.assertEqual((event.data["months"], event.data["tier"]), (27, "Crew"))

    def test_milestone(self) -> None:
        """A milestone's chat is what the member wrote."""
        header = {"runs": [{"text": "Member for 2 years"}]}
        chat, event = self.both(headerPrimaryText=header, message={"runs": [{"text": "wow"}]})
        self.assertEqual(chat.data.content.raw, "wow")
        self.assertEqual(event.data["status"], "milestone")
        self.assertNotIn("months", event.data)
