# SPDX-License-Identifier: MIT
"""Comments: emotes at their places, and hostile text that stays text."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element as Node

import html5lib
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelEvent
from livechat.platforms.tiktok.parse.comments import MAX_EMOTES
from tests.support.events import fields_of
from tests.support.tiktok_payloads import chat_of, common, event_of, translated, wire
from tests.support.tiktok_written import badge, comment, image, text, user

bounded = settings(deadline=None, database=None, max_examples=200)


def sliced(raw: str, start: int, end: int) -> str:
    """What `raw.slice(start, end)` is in JavaScript."""
    return raw.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


class EmoteTests(SynchronousTestCase):
    """Emotes at their places in a comment."""

    def rendered(self, payload: bytes) -> tuple[str, list[str]]:
        """Sanitized text and the values of the elements; positions are checked on the way."""
        content = chat_of(translated("WebcastChatMessage", payload)).data.content
        at = 0
        for element in content.elements:
            self.assertEqual(element.position[0], at)
            self.assertEqual(sliced(content.raw, *element.position), element.value)
            at = element.position[1]
        self.assertEqual(at, len(content.raw.encode("utf-16-le")) // 2)
        return content.sanitized, [element.value for element in content.elements]

    def test_places(self) -> None:
        """A placeholder gives way to its emote; before any other character the emote is put in."""
        table: list[tuple[str, Sequence[int], list[str]]] = [
            ("", [0], [":0:"]),
            ("ab", [], ["ab"]),
            ("ab", [0], [":0:", "ab"]),
            ("ab", [1], ["a", ":0:", "b"]),
            ("ab", [2], ["ab", ":0:"]),
            ("ab", [99], ["ab", ":0:"]),
            ("ab", [-5], [":0:", "ab"]),
            ("a b", [1], ["a", ":0:", "b"]),
            ("a\ufffcb", [1], ["a", ":0:", "b"]),
            ("a\ufffdb", [1], ["a", ":0:", "b"]),
            ("a\u200bb", [1], ["a", ":0:", "b"]),
            ("  ", [0, 1], [":0:", ":1:"]),
            ("  ", [1, 0], [":1:", ":0:"]),
            ("a  b", [1, 1], ["a", ":0:", ":1:", "b"]),
            ("🙂🙂", [0], [":0:", "🙂🙂"]),
            ("🙂🙂x", [1], ["🙂", ":0:", "🙂x"]),
            # Two units each, and nothing but units would reach the placeholder or the end.
            ("🙂\ufffcx", [2], ["🙂", ":0:", "x"]),
            ("🙂🙂", [4], ["🙂🙂", ":0:"]),
            ("🙂ab", [3], ["🙂ab", ":0:"]),
            ("🙂 b 🙂", [2, 7], ["🙂", ":0:", "b 🙂", ":1:"]),
            # Characters of several code points are one, as they were in the recording.
            ("\u2764\ufe0f\u2764\ufe0f go ", [6], ["\u2764\ufe0f\u2764\ufe0f go ", ":0:"]),
            ("e\u0301 x", [1], ["e\u0301", ":0:", "x"]),
            ("\U0001f44d\U0001f3fd x", [1], ["\U0001f44d\U0001f3fd", ":0:", "x"]),
            (
                "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 x",
                [2],
                ["\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", ":0:", "x"],
            ),
            ("\U0001f468\u200d\U0001f469 x", [1], ["\U0001f468\u200d\U0001f469", ":0:", "x"]),
            (
                "\U0001f3f4\U000e0067\U000e007f x",
                [1],
                ["\U0001f3f4\U000e0067\U000e007f", ":0:", "x"],
            ),
            ("\u0e17\u0e35\u0e48 x", [1], ["\u0e17\u0e35\u0e48", ":0:", "x"]),
            ("é" * 2000, [1000], ["é" * 1000, ":0:", "é" * 1000]),
        ]
        for raw, indices, expected in table:
            payload = comment(raw, *((index, str(n)) for n, index in enumerate(indices)))
            self.assertEqual(self.rendered(payload)[1], expected, (raw, indices))

    @bounded
    @given(
        st.text("ab 🙂\ufffcé\u0301", max_size=12),
        st.lists(st.integers(-3, 30), max_size=6),
    )
    def test_any_place(self, raw: str, indices: list[int]) -> None:
        """Wherever emotes are, all are shown, the text loses nothing but placeholders."""
        payload = comment(raw, *((index, f"e{n}") for n, index in enumerate(indices)))
        sanitized, values = self.rendered(payload)
        shown = [value for value in values if value.startswith(":e")]
        self.assertEqual(sorted(shown), sorted(f":e{n}:" for n in range(len(indices))))
        for gone in " \ufffc":
            raw, sanitized = raw.replace(gone, ""), sanitized.replace(gone, "")
        self.assertEqual(sanitized, raw)

    def test_too_many(self) -> None:
        """A comment of a thousand emotes shows the first and keeps its text."""
        sanitized, values = self.rendered(comment("text", *((0, "1") for _ in range(1000))))
        self.assertEqual(values, [":1:"] * MAX_EMOTES + ["text"])
        self.assertEqual(sanitized, "text")

    def test_without_picture(self) -> None:
        """An emote whose picture may not be shown is text."""
        for url in ("", "http://a.example.com/x.png", "javascript:alert(1)", "https://127.0.0.1/x"):
            placed = [(13, [(1, 1), (2, [(1, "9"), (2, image(url))])])]
            payload = wire([(2, user()), (3, "ab"), *placed])
            self.assertEqual(self.rendered(payload), ("a:9:b", ["a:9:b"]), url)


#: Text that wants to be markup, or to confuse who counts characters.
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "</span><b>bold",
    "<!--",
    "<![CDATA[x]]>",
    "&lt;script&gt;",
    "&#x3C;b&#x3E;",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1'>",
    "javascript:alert(1)",
    "`${alert(1)}`",
    "\u202eevil\u202c",
    "a\0b",
    "e" + "\u0301" * 10_000,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "\ufdfa\u200f\u200e",
    "\u2028\u2029\x85",
    "<" * 20_000,
]


class HostileTests(SynchronousTestCase):
    """Text of strangers stays text."""

    def assert_harmless(self, message: ChatMessage, shown: str) -> None:
        """The HTML holds nothing but spans of text and images, and its text is what was written."""
        fragment: Node = html5lib.parseFragment(
            message.data.content.raw_html, namespaceHTMLElements=False
        )
        read = fragment.text or ""
        for node in fragment.iter():
            if node is fragment:
                continue
            self.assertIn((node.tag, node.get("class")), {("span", "text"), ("img", "emote")})
            self.assertLessEqual(
                node.attrib.keys(), {"class", "src", "alt", "title", "data-custom"}
            )
            if node.tag == "img":
                self.assertTrue((node.get("src") or "").startswith("https://"))
            read += (node.text or "") + (node.tail or "")
        # HTML knows no NUL and one kind of line end.
        self.assertEqual(read.replace("\ufffd", "").replace("\0", ""), shown.replace("\0", ""))

    def test_comment(self) -> None:
        """Hostile comments, names and emotes are shown as written, and JSON holds them."""
        for evil in HOSTILE:
            for emotes in ((), ((1, evil),), ((0, "1"), (99, evil))):
                payload = comment(evil, *emotes, who=user(name=evil))
                message = chat_of(translated("WebcastChatMessage", payload))
                self.assert_harmless(message, message.data.content.sanitized)
                self.assertEqual(message.data.author.display_name, evil)
                back = msgspec.json.decode(msgspec.json.encode(message))
                self.assertEqual(back["data"]["author"]["display_name"], evil)
                if not emotes:
                    self.assertEqual(message.data.content.raw, evil)

    def test_addresses(self) -> None:
        """Pictures that are not plain https addresses are not passed on."""
        bad = [
            "http://p16.example.com/a.png",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            'https://p16.example.com/"onerror="x',
            "https://p16.example.com/a b",
            "https://p16.example.com/\n",
            "https://user@p16.example.com/a",
            "https://127.0.0.1/a",
            "https://localhost/a",
            "https://p16.example.com/" + "a" * 100_000,
        ]
        who = [(1, 5), (9, image(*bad)), badge(10, 4, (23, [(2, image(*bad)), (4, "Ⅲ")]))]
        author = chat_of(translated("WebcastChatMessage", comment("hi", who=who))).data.author
        self.assertIsNone(author.avatar_url)
        self.assertEqual([(b.label, b.image_url) for b in author.badges], [("Ⅲ", None)])

    def test_pattern_bomb(self) -> None:
        """A short text cannot be blown up by its own places."""
        piece = [(11, "x" * 100_000)]
        shown = text("{0:string}" * 20_000, *([piece] * 100))
        payload = wire([(1, common("x", text=shown)), (2, " ")])
        event = event_of(translated("WebcastRoomMessage", payload))
        self.assertLess(len(fields_of(event).text), 40_000)

    def test_odd_places(self) -> None:
        """Places without a piece, and what only looks like a place, do no harm."""
        shown = text(
            "{0:user}|{7:string}|{x}|{}|{-1:user}|{99999:user}|{1}", [(11, "A")], [(11, "B")]
        )
        event = event_of(translated("WebcastRoomMessage", wire([(1, common("x", text=shown))])))
        self.assertEqual(event.data.text, "A||{x}|{}|{-1:user}|{99999:user}|B")

    def test_many_badges(self) -> None:
        """A hundred thousand badges or addresses cost no more than the first few."""
        for who in ([(64, b"")] * 100_000, [(9, b"\x0a\x00" * 100_000)]):
            author = chat_of(translated("WebcastChatMessage", comment("hi", who=who))).data.author
            self.assertLessEqual(len(author.badges), 1)

    def test_many_deletions(self) -> None:
        """One message cannot make events without end."""
        translation = translated("WebcastImDeleteMessage", wire([(2, b"\x05" * 100_000)]))
        self.assertEqual(len(translation.events), 256)
        self.assertIsInstance(translation.events[0], ChannelEvent)
