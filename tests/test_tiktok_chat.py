# SPDX-License-Identifier: MIT
"""Webcast messages to events: one of every kind, emotes, hostile text, the stream's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element as Node

import html5lib
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.events import EVENT_KINDS, ChannelEvent, ChatMessage
from livechat.platforms.tiktok.chat import StreamState, Translation, Translator
from livechat.platforms.tiktok.comments import MAX_EMOTES
from livechat.platforms.tiktok.occasion import digest, timestamp
from livechat.platforms.tiktok.webcast import Envelope
from tests.support.golden import check_whole
from tests.support.tiktok_payloads import (
    NOW,
    ROOM,
    Value,
    chat_of,
    common,
    event_of,
    kinds_of,
    translated,
    wire,
)

bounded = settings(deadline=None, database=None, max_examples=200)

CDN = "https://p16-webcast.example.com"


def image(*urls: str) -> list[tuple[int, Any]]:
    """A picture with these addresses."""
    return [(1, url) for url in urls]


def badge(scene: int, drawn: int, *parts: tuple[int, Any]) -> tuple[int, Any]:
    """A badge of a user."""
    return (64, [(1, drawn), (3, scene), *parts])


def user(
    *more: tuple[int, Any], number: int = 6820914516086834, name: str = "Golden Tester"
) -> Any:
    """A user with an avatar, and what else is said of them."""
    avatar = image(f"{CDN}/avatar.heic?x=1", f"{CDN}/avatar.webp?x=1&y=2", f"{CDN}/avatar.jpeg")
    return [(1, number), (3, name), (9, avatar), (38, "golden.tester"), *more]


def emote(code: str, *urls: str) -> list[tuple[int, Any]]:
    """An emote with its picture."""
    return [(1, code), (2, image(*(urls or (f"{CDN}/{code}.webp",))))]


def comment(text: str, *emotes: tuple[int, str], who: Value | None = None) -> bytes:
    """A comment with emotes at places."""
    placed = [(13, [(1, index), (2, emote(code))]) for index, code in emotes]
    head = common("WebcastChatMessage")
    return wire([(1, head), (2, user() if who is None else who), (3, text), *placed])


def text(pattern: str, *pieces: Value, key: str = "pm_mt_test") -> Value:
    """A text of the platform."""
    return [(1, key), (2, pattern), *((4, piece) for piece in pieces)]


#: A payload of every kind that is translated, by what it shows.  Numbers are those of the sheet.
WRITTEN: dict[str, tuple[str, bytes]] = {
    "chat": ("WebcastChatMessage", comment("hello <b>world</b> 🙂")),
    "chat with emotes": (
        "WebcastChatMessage",
        comment("a 🙂\ufffcb", (1, "1"), (4, "2"), (5, "3")),
    ),
    "chat of the broadcaster": (
        "WebcastChatMessage",
        wire([(1, common("x")), (2, user()), (3, "hi"), (18, [(6, 1)])]),
    ),
    "chat of the owner": (
        "WebcastChatMessage",
        comment("hi", who=user(number=6800000000000000001)),
    ),
    "chat of a moderator with badges": (
        "WebcastChatMessage",
        wire(
            [
                (1, common("x")),
                (
                    2,
                    user(
                        (12, 1),
                        badge(1, 2, (21, [(2, "pm_mt_moderator_im"), (3, "Moderator")])),
                        badge(4, 1, (20, [(2, image(f"{CDN}/sub.png"))])),
                        badge(
                            8, 4, (12, [(5, "16")]), (23, [(2, image(f"{CDN}/g.png")), (4, "16")])
                        ),
                        badge(1, 4, (23, [(2, image(f"{CDN}/mod.png")), (3, [(2, "Moderator")])])),
                        badge(4, 4, (23, [(2, image(f"{CDN}/other.png")), (4, "WOLF")])),
                        badge(10, 4, (12, [(5, "21")]), (23, [(2, image(f"{CDN}/fan.png"))])),
                        badge(6, 3, (22, [(2, "No. 1")])),
                        badge(99, 7),
                    ),
                ),
                (3, "hi"),
                (18, [(2, 1), (5, 1)]),
            ]
        ),
    ),
    "stickers": (
        "WebcastEmoteChatMessage",
        wire([(1, common("x")), (2, user()), (3, emote("7")), (3, emote("8")), (5, [(2, 1)])]),
    ),
    "gift": (
        "WebcastGiftMessage",
        wire(
            [
                (1, common("x")),
                (2, 7934),
                (4, 1),
                (5, 1),
                (7, user()),
                (
                    15,
                    [(1, image(f"{CDN}/heart.png")), (5, 7934), (11, 4), (12, 1), (16, "Heart Me")],
                ),
            ]
        ),
    ),
    "end of a gift streak for a guest": (
        "WebcastGiftMessage",
        wire(
            [
                (1, common("x")),
                (2, 5655),
                (4, 2),
                (5, 700),
                (7, user()),
                (8, user(number=5, name="Guest")),
                (9, 1),
                (11, 1739382910000),
                (15, [(5, 5655), (11, 1), (12, 1), (16, "Rose"), (21, image(f"{CDN}/rose.png"))]),
                (32, [(5, 1)]),
            ]
        ),
    ),
    "gift of unknown price": ("WebcastGiftMessage", wire([(2, 99), (5, 1), (7, user())])),
    "like": ("WebcastLikeMessage", wire([(1, common("x")), (2, 12), (3, 4821), (5, user())])),
    "follow": (
        "WebcastSocialMessage",
        wire([(1, common("x")), (2, user()), (4, 1), (6, 9312)]),
    ),
    "share": (
        "WebcastSocialMessage",
        wire([(1, common("x", text=text("x"))), (2, user()), (4, 3), (8, 60)]),
    ),
    "share with friends": (
        "WebcastSocialMessage",
        wire(
            [
                (1, common("x", text=text("x", key="pm_mt_guidance_viewer_10_share"))),
                (2, user()),
                (4, 4),
            ]
        ),
    ),
    "join": (
        "WebcastMemberMessage",
        wire([(1, common("x")), (2, user()), (3, 1284), (10, 1)]),
    ),
    "subscription told by a member message": (
        "WebcastMemberMessage",
        wire([(1, common("x")), (2, user()), (10, 3)]),
    ),
    "join of a viewer without account": (
        "WebcastUnauthorizedMemberMessage",
        wire([(1, common("x")), (2, 1), (3, text("Viewer%s")), (4, "743858")]),
    ),
    "subscription": ("WebcastSubNotifyMessage", wire([(1, common("x")), (2, user()), (4, 3)])),
    "level up": (
        "WebcastBarrageMessage",
        wire([(1, common("x")), (3, 8), (100, [(1, 30), (4, user())])]),
    ),
    "fan level up": (
        "WebcastBarrageMessage",
        wire([(1, common("x")), (3, 10), (101, [(1, 21), (4, user())])]),
    ),
    "gifted subscriptions": (
        "WebcastBarrageMessage",
        wire([(1, common("x")), (3, 7), (50, user())]),
    ),
    "super fan": (
        "WebcastBarrageMessage",
        wire(
            [
                (1, common("x")),
                (3, 100),
                (24, text("x", key="ttlive_superfan_join")),
                (50, user()),
            ]
        ),
    ),
    "treasure box": (
        "WebcastEnvelopeMessage",
        wire(
            [
                (
                    1,
                    common(
                        "x",
                        text=text(
                            "{0:user} sent a Treasure Box with {1:image} x {2:string}",
                            [(1, 11), (21, [(1, user())])],
                            [(1, 15)],
                            [(1, 1), (11, "20")],
                        ),
                    ),
                ),
                (2, [(1, "730000"), (2, 1), (4, "golden.tester"), (5, 20), (6, 16), (8, "6820")]),
                (3, 1),
            ]
        ),
    ),
    "paused": ("WebcastControlMessage", wire([(1, common("x")), (2, 1)])),
    "resumed": ("WebcastControlMessage", wire([(1, common("x")), (2, 2)])),
    "ended": ("WebcastControlMessage", wire([(1, common("x")), (2, 3)])),
    "suspended": ("WebcastControlMessage", wire([(1, common("x")), (2, 4)])),
    "viewers": ("WebcastRoomUserSeqMessage", wire([(3, 1284), (6, 2048), (7, 55391), (8, 17)])),
    "question": (
        "WebcastQuestionNewMessage",
        wire([(1, common("x")), (2, [(1, 77), (2, "Why?"), (4, 1_700_000_000), (5, user())])]),
    ),
    "pin of a comment": (
        "WebcastRoomPinMessage",
        wire(
            [
                (1, common("x")),
                (2, comment("pinned", (0, "1"))),
                (30, "WebcastChatMessage"),
                (32, user(number=9)),
                (33, 1),
                (34, 60),
            ]
        ),
    ),
    "pin of a gift": (
        "WebcastRoomPinMessage",
        wire([(1, common("x")), (4, [(1, [(2, 4711)]), (2, 6265)]), (33, 1)]),
    ),
    "unpin": (
        "WebcastRoomPinMessage",
        wire([(1, common("x")), (2, [(1, [(2, 4712)])]), (33, 2)]),
    ),
    "deletions": (
        "WebcastImDeleteMessage",
        # Packed and unpacked, as both are on the wire.
        wire([(1, common("x")), (2, b"\x05\x06"), (2, 7), (3, 8)]),
    ),
    "introduction": (
        "WebcastLiveIntroMessage",
        wire([(1, [(2, 31)]), (2, 32), (4, "Welcome!"), (5, user())]),
    ),
    "system": ("RoomMessage", wire([(1, common("SystemMessage")), (2, " Be kind. ")])),
    "system by its own name": ("WebcastSystemMessage", wire([(1, common("x")), (2, "Be kind.")])),
    "room": ("WebcastRoomMessage", wire([(1, common("x")), (2, "A line"), (6, "a_scene")])),
    "room with a text": (
        "WebcastRoomMessage",
        wire(
            [
                (
                    1,
                    common(
                        "x",
                        text=text(
                            "{0:user} became the No. {1:string} member on the team",
                            [(1, 11), (21, [(1, user())])],
                            [(1, 1), (11, "5153")],
                        ),
                        # The platform now and then writes seconds.
                        create_time=1_700_000_000,
                    ),
                ),
                (2, " "),
            ]
        ),
    ),
    "notice": ("WebcastNoticeMessage", wire([(1, common("x")), (2, "Mind the rules")])),
    "poll opened": (
        "WebcastPollMessage",
        wire(
            [
                (1, common("x")),
                (3, 88),
                (4, [(3, [(2, "yes")]), (3, [(2, "no"), (3, 1)]), (4, "Well?")]),
            ]
        ),
    ),
    "poll moved": (
        "WebcastPollMessage",
        wire([(1, common("x")), (2, 2), (3, 88), (6, [(2, [(1, 36), (2, "yes")])])]),
    ),
    "poll closed": (
        "WebcastPollMessage",
        wire([(1, common("x")), (2, 1), (3, 88), (5, [(2, [(1, 36), (2, "yes")])])]),
    ),
    "goal": (
        "WebcastGoalUpdateMessage",
        wire(
            [
                (1, common("x")),
                (
                    3,
                    [
                        (1, 55),
                        (
                            4,
                            [
                                (2, 5655),
                                (3, 62),
                                (4, 100),
                                (5, [(1, "Rose"), (2, image(f"{CDN}/rose.png"))]),
                            ],
                        ),
                        (5, "A hundred roses"),
                    ],
                ),
                (4, 6820914516086834),
                (6, "golden.tester"),
            ]
        ),
    ),
}

#: Messages that are read and mean nothing that has a kind.
LEFT_OUT: dict[str, tuple[str, bytes]] = {
    "other member action": ("WebcastMemberMessage", wire([(2, user()), (10, 27)])),
    "other social action": ("WebcastSocialMessage", wire([(2, user()), (4, 4)])),
    "other control action": ("WebcastControlMessage", wire([(2, 12)])),
    "entrance": ("WebcastBarrageMessage", wire([(3, 11), (101, [(4, user())])])),
    "box removed": ("WebcastEnvelopeMessage", wire([(2, [(1, "730000")]), (3, 2)])),
    "other pin action": ("WebcastRoomPinMessage", wire([(33, 3)])),
    "nothing deleted": ("WebcastImDeleteMessage", wire([(1, common("x"))])),
    "empty introduction": ("WebcastLiveIntroMessage", wire([(2, 32)])),
    "empty system": ("RoomMessage", wire([(2, " ")])),
    "empty room": ("WebcastRoomMessage", wire([(2, " ")])),
    "empty notice": ("WebcastNoticeMessage", b""),
    "empty poll": ("WebcastPollMessage", wire([(3, 88)])),
    "empty goal": ("WebcastGoalUpdateMessage", wire([(4, 5)])),
}


def sliced(raw: str, start: int, end: int) -> str:
    """What `raw.slice(start, end)` is in JavaScript."""
    return raw.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


class KindTests(SynchronousTestCase):
    """Every message of the sheet."""

    def test_golden(self) -> None:
        """Each written payload becomes what somebody once looked at and agreed with."""
        made = {name: translated(*payload) for name, payload in WRITTEN.items()}
        for name, translation in made.items():
            self.assertEqual(translation.dropped, {}, name)
        check_whole(self, "tiktok/kinds", made)

    def test_kinds_are_documented(self) -> None:
        """Every event is of a kind that clients can ask for."""
        kinds = {
            kind for payload in WRITTEN.values() for kind in kinds_of(translated(*payload).events)
        }
        self.assertEqual(kinds - EVENT_KINDS.keys(), {"chat"})
        self.assertEqual(
            kinds - {"chat"},
            {
                "deletion",
                "follow",
                "gift",
                "goal",
                "join",
                "like",
                "milestone",
                "notice",
                "pin",
                "poll",
                "question",
                "share",
                "stream",
                "subscription",
                "timeout",
                "viewers",
            },
        )

    def test_left_out(self) -> None:
        """What means nothing that has a kind is counted by its method."""
        for name, (method, payload) in LEFT_OUT.items():
            self.assertEqual(translated(method, payload), Translation([], {method: 1}), name)

    def test_unknown_and_unreadable(self) -> None:
        """Unknown methods and unreadable payloads cost themselves and are counted apart."""
        good = Envelope("WebcastChatMessage", comment("hi"), 1)
        messages = [
            good,
            Envelope("WebcastCaptionMessage", b"\x08\x01"),
            Envelope("WebcastNeverSeen", b"\xff"),
            Envelope("WebcastNeverSeen", b""),
            Envelope("WebcastChatMessage", b"\xff", 2),
            Envelope("WebcastGiftMessage", b"\x0a\x09x", 3),
            good,
        ]
        translation = Translator(ROOM).translate(messages, NOW, 0.0)
        self.assertEqual(kinds_of(translation.events), ["chat", "chat"])
        self.assertEqual(
            translation.dropped,
            {
                "WebcastCaptionMessage": 1,
                "WebcastNeverSeen": 2,
                "WebcastChatMessage unreadable": 1,
                "WebcastGiftMessage unreadable": 1,
            },
        )

    def test_empty_payloads(self) -> None:
        """A message without any field is told or left out, and never raises."""
        for method, _ in WRITTEN.values():
            translation = translated(method, b"")
            self.assertEqual(bool(translation.events) or bool(translation.dropped), True, method)
            msgspec.json.encode(translation.events)


class IdentityTests(SynchronousTestCase):
    """Ids and times of messages."""

    def test_message_id(self) -> None:
        """The envelope's id counts before the message's own; without both the bytes decide."""
        payload = comment("hi")
        bare = wire([(3, "hi")])
        table = [
            (Envelope("WebcastChatMessage", payload, 5), "5"),
            (Envelope("WebcastChatMessage", payload), "7300000000000000111"),
            (Envelope("WebcastChatMessage", bare), digest(bare)),
        ]
        for envelope, expected in table:
            translation = Translator(ROOM).translate([envelope], NOW, 0.0)
            self.assertEqual(chat_of(translation).message_id, expected)

    def test_repeated_at_every_connect(self) -> None:
        """What the platform repeats under new ids keeps its own."""
        for name in ("system", "introduction", "question", "goal"):
            method, payload = WRITTEN[name]
            ids = {
                event_of(
                    Translator(ROOM).translate([Envelope(method, payload, n)], NOW, 0)
                ).event_id
                for n in (1, 2)
            }
            self.assertEqual(len(ids), 2 if name == "goal" else 1, name)

    def test_one_subscription(self) -> None:
        """A subscription that three kinds of message tell has one id."""
        names = ("subscription", "subscription told by a member message", "super fan")
        ids = {event_of(translated(*WRITTEN[name])).event_id for name in names}
        self.assertEqual(ids, {"6820914516086834"})

    def test_times(self) -> None:
        """Milliseconds and seconds are understood; nonsense and the far future become now."""
        now = 1_800_000_000_000
        table = {
            1_700_000_000_123: "2023-11-14T22:13:20.123Z",
            1_700_000_000: "2023-11-14T22:13:20.000Z",
            now + 3_600_000: "2027-01-15T09:00:00.000Z",
        }
        odd = (0, -1, 5, 10**9 - 1, 1_700_000_000_123_456, -(1 << 63), (1 << 63) - 1, now + 10**9)
        table |= dict.fromkeys(odd, "2027-01-15T08:00:00.000Z")
        self.assertEqual({time: timestamp(time, now) for time in table}, table)


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
            ("🙂🙂", [2], ["🙂", ":0:", "🙂"]),
            ("🙂🙂", [1], ["🙂", ":0:", "🙂"]),
            ("🙂\ufffcx", [2], ["🙂", ":0:", "x"]),
            ("e\u0301 x", [2], ["e\u0301", ":0:", "x"]),
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


class StateTests(SynchronousTestCase):
    """What a batch says about the stream."""

    def control(self, *actions: int) -> list[Envelope]:
        """Control messages with these actions."""
        return [Envelope("WebcastControlMessage", wire([(2, action)]), 9) for action in actions]

    def test_states(self) -> None:
        """Each action has its state; the last word counts, and an end outlasts it."""
        table: dict[tuple[int, ...], StreamState | None] = {
            (): None,
            (12,): None,
            (1,): StreamState.PAUSED,
            (2,): StreamState.RESUMED,
            (1, 2): StreamState.RESUMED,
            (3,): StreamState.ENDED,
            (4,): StreamState.SUSPENDED,
            (1, 3, 2): StreamState.ENDED,
            (4, 3): StreamState.SUSPENDED,
        }
        for actions, state in table.items():
            translation = Translator(ROOM).translate(self.control(*actions), NOW, 0.0)
            self.assertEqual(translation.state, state, actions)

    def test_last_words(self) -> None:
        """Comments of the batch that ends the stream arrive, also those after the end."""
        chat = Envelope("WebcastChatMessage", comment("bye"), 1)
        translation = Translator(ROOM).translate([chat, *self.control(3), chat], NOW, 0.0)
        self.assertEqual(kinds_of(translation.events), ["chat", "chat"])
        self.assertIs(translation.state, StreamState.ENDED)

    def test_history(self) -> None:
        """A past end is not an end; past comments are comments of their time."""
        ended = translated("WebcastControlMessage", wire([(2, 3)]), is_history=True)
        self.assertEqual(ended, Translation([], {"WebcastControlMessage": 1}))
        chat = chat_of(translated("WebcastChatMessage", comment("old"), is_history=True))
        self.assertEqual(chat.timestamp, "2023-11-14T22:13:20.123Z")

    def test_said_again(self) -> None:
        """An end that was said before is said again: whoever did not believe it hears it twice."""
        translator = Translator(ROOM)
        for _ in range(2):
            translation = translator.translate(self.control(3), NOW, 0.0)
            self.assertIs(translation.state, StreamState.ENDED)

    def test_likes_only_grow(self) -> None:
        """The total of likes never falls, though the platform's does."""
        translator = Translator(ROOM)
        totals = []
        for total in (100, 90, 101, 0, 95, 120):
            envelope = Envelope(
                "WebcastLikeMessage", wire([(2, 3), (3, total), (5, user())]), total
            )
            event = event_of(translator.translate([envelope], NOW, 0.0))
            self.assertEqual(event.data["count"], 3)
            totals.append(event.data["total"])
        self.assertEqual(totals, [100, 100, 101, 101, 101, 120])


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
        self.assertLess(len(event.data["text"]), 40_000)

    def test_odd_places(self) -> None:
        """Places without a piece, and what only looks like a place, do no harm."""
        shown = text(
            "{0:user}|{7:string}|{x}|{}|{-1:user}|{99999:user}|{1}", [(11, "A")], [(11, "B")]
        )
        event = event_of(translated("WebcastRoomMessage", wire([(1, common("x", text=shown))])))
        self.assertEqual(event.data["text"], "A||{x}|{}|{-1:user}|{99999:user}|B")

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
