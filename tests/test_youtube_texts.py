# SPDX-License-Identifier: MIT
"""Texts of messages: runs, emoji, links, and what becomes of them in every rendering."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import Element, EmoteMetadata
from tests.test_youtube_items import custom, item, message, standard, text


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
