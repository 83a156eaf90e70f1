# SPDX-License-Identifier: MIT
"""Texts of messages: runs, emoji, links, and what becomes of them in every rendering."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage, Element, EmoteMetadata
from livechat.platforms.youtube.parse.chat import read_poll
from tests.support.corpus import corpus
from tests.test_youtube_items import NOW, VIDEO, custom, item, message, standard, text


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

    def test_own_links(self) -> None:
        """A shortened address of YouTube itself is whole, in the spelling that was written."""
        video = {"watchEndpoint": {"videoId": "dQw4w9WgXcQ"}}
        at = "/watch?v=dQw4w9WgXcQ&t=42s"
        playlist = {"browseEndpoint": {"browseId": "VLPLabcdefghij"}}
        channel = {"browseEndpoint": {"browseId": "UC0000000000000000000000"}}
        handle = {"browseEndpoint": {"browseId": "UCx", "canonicalBaseUrl": "/@somebody.else"}}
        short = {"reelWatchEndpoint": {"videoId": "dQw4w9WgXcQ"}}
        site, video_link = "https://www.youtube.com", "https://youtu.be/dQw4w9WgXcQ"
        cases: list[tuple[str, str, dict[str, Any], str]] = [
            (f"{site}/watch?v=dQw4w...", at, video, f"{site}{at}"),
            (f"{site}/watch?v=dQw4w...", "", video, f"{site}/watch?v=dQw4w9WgXcQ"),
            ("youtube.com/watch?v=dQw...", at, video, f"https://youtube.com{at}"),
            ("http://m.youtube.com/watch?v=d…", at, video, f"http://m.youtube.com{at}"),
            ("https://youtu.be/dQw4w...", at, video, "https://youtu.be/dQw4w9WgXcQ"),
            # Cut after the video: what the link leads to, without what only counts the sharing.
            (f"{video_link}?si=Ab_cd...", "/watch?v=dQw4w9WgXcQ", video, video_link),
            (f"{video_link}?t=4...", at, video, f"{video_link}?t=42s"),
            (f"{site}/live/dQw4w9WgXcQ?s...", at, video, f"{site}/live/dQw4w9WgXcQ?t=42s"),
            (f"{site}/watch?v=dQw4w9WgXcQ&li...", "", video, f"{site}/watch?v=dQw4w9WgXcQ"),
            (f"{site}/watch?v=dQw4w9WgXcQ&si=A...", at, video, f"{site}{at}"),
            (f"{site}/shorts/dQw4w9WgXcQ?f...", "", short, f"{site}/shorts/dQw4w9WgXcQ"),
            (f"{video_link}4...", at, video, f"{video_link}4..."),
            (
                "https://youtu.be/other678901?si=A...",
                at,
                video,
                "https://youtu.be/other678901?si=A...",
            ),
            (f"{site}/live/dQw4...", at, video, f"{site}/live/dQw4w9WgXcQ"),
            (f"{site}/shorts/dQ...", "", short, f"{site}/shorts/dQw4w9WgXcQ"),
            (f"{site}/playlist?list=P...", "", playlist, f"{site}/playlist?list=PLabcdefghij"),
            (f"{site}/channel/UC00...", "", channel, f"{site}/channel/UC0000000000000000000000"),
            (f"{site}/@somebo...", "", handle, f"{site}/@somebody.else"),
            (f"{site}/hashtag/lon...", "/hashtag/longest", {}, f"{site}/hashtag/longest"),
            # Not what was written: it stays as it is shown.
            (f"{site}/watch?v=other...", at, video, f"{site}/watch?v=other..."),
            ("https://evil.test/watch?v=d...", at, video, "https://evil.test/watch?v=d..."),
            ("https://[broken...", at, video, "https://[broken..."),
            ("and then...", at, video, "and then..."),
            ("#longest", "/hashtag/longest", {}, "#longest"),
        ]
        for shown, url, more, raw in cases:
            endpoint = {"commandMetadata": {"webCommandMetadata": {"url": url}}, **more}
            run = {"text": shown, "navigationEndpoint": endpoint}
            self.assertEqual(message(text(run)).data.content.raw, raw, shown)

    def test_reported_links(self) -> None:
        """The links of a public report are whole, in `raw` and in the text elements."""
        poll = read_poll(corpus("reports/youtube-own-links.json").read_bytes(), VIDEO, NOW)
        raws = [event.data.content.raw for event in poll.events if isinstance(event, ChatMessage)]
        expected = [
            "watch https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s",
            "https://www.youtube.com/playlist?list=PLabcdefghij",
        ]
        self.assertEqual((raws, poll.unread), (expected, {}))
