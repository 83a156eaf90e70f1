# SPDX-License-Identifier: MIT
"""What TikTok adds to its messages is counted by name, in a sample that costs little."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.chat import SAMPLE_EVERY, SAMPLE_FIRST, Translator
from livechat.platforms.tiktok.parse.drift import MAX_LOOK, unknown_fields, unknown_parts
from livechat.platforms.tiktok.parse.webcast import Batch, Envelope, read_batch
from livechat.simulator.tiktok_messages import Written
from tests.support.cpu import within
from tests.support.tiktok_payloads import NOW, ROOM, translated, wire
from tests.support.tiktok_wire import TikTokCase, say
from tests.support.tiktok_written import badge, comment, user

CHAT = "WebcastChatMessage"


class PartsTests(SynchronousTestCase):
    """Fields and values that are unknown."""

    def unparsed(self, payload: bytes, method: str = CHAT) -> dict[str, int]:
        """What is counted of one message."""
        return translated(method, payload).counts.unparsed

    def test_fields(self) -> None:
        """A field that is neither in the schema nor reserved is counted, at every depth."""
        who = [*user((999, "x")), badge(8, 4, (99, 1), (23, [(98, 1)]))]
        payload = wire([(1, [(4, 1), (27, 1)]), (2, who), (3, "hi"), (777, "new"), (777, "again")])
        names = (
            "Common.27",
            "CombineBadge.98",
            "User.999",
            "UserBadge.99",
            "WebcastChatMessage.777",
        )
        self.assertEqual(self.unparsed(payload), dict.fromkeys(names, 1))
        self.assertEqual(len(translated(CHAT, payload).events), 1, "it costs nothing else")

    def test_known_fields(self) -> None:
        """Fields that are known and not read are not counted."""
        payload = wire([(1, [(6, 1)]), (2, user((5, "bio"), (1028, "7"))), (3, "hi"), (14, "en")])
        self.assertEqual(self.unparsed(payload), {})

    def test_other_wire_type(self) -> None:
        """A known field of another wire type is counted, for it cannot be read any more."""
        self.assertEqual(self.unparsed(wire([(3, 5)])), {"WebcastChatMessage.3": 1})

    def test_values(self) -> None:
        """Values of enumerations that only pictures depend on are looked at, too."""
        payload = comment("hi", who=user(badge(15, 5)))
        expected = {"UserBadge.scene_type=15": 1, "UserBadge.display_type=5": 1}
        self.assertEqual(self.unparsed(payload), expected)

    def test_names_of_methods(self) -> None:
        """A message is named as the platform names it, whatever schema reads it."""
        unparsed = self.unparsed(wire([(2, "hello"), (99, 1)]), "RoomMessage")
        self.assertEqual(unparsed, {"RoomMessage.99": 1})

    def test_bounds(self) -> None:
        """Any number of new fields and parts costs a bounded number of names."""
        many = wire([(number, 1) for number in range(2000, 6000)])
        message = schema.ChatMessage.FromString(many)
        self.assertEqual(len(unknown_fields(message, "X")), 32)
        badges = [(64, [(number, 1)]) for number in range(2000, 2100)]
        message = schema.ChatMessage.FromString(wire([(2, badges)]))
        self.assertEqual(len(unknown_parts(message, "X")), 8)

    def test_long(self) -> None:
        """A message of nothing but new fields is read and not looked through, if it is long."""
        many = wire([(3, "hi"), *((number, 1) for number in range(1000, 60_000))])
        self.assertGreater(len(many), MAX_LOOK)
        translation, read = within(0.5, lambda: (translated(CHAT, many), read_batch(many)))
        self.assertEqual(translation.counts.unparsed, {})
        self.assertEqual(read, Batch([], {}))

    def test_long_value(self) -> None:
        """A value of any length is a short name."""
        text = wire([(3, 100), (5, [(1, "k" * 50_000)])])
        (name,) = self.unparsed(text, "WebcastBarrageMessage")
        self.assertEqual(name, "WebcastBarrageMessage.key=" + "k" * 64)


class SampleTests(SynchronousTestCase):
    """Which messages are looked through."""

    def test_sample(self) -> None:
        """The first ones of every method, then one in so many."""
        translator = Translator(ROOM)
        payload = wire([(3, "hi"), (777, 1)])
        found = 0
        for number in range(1, 3 * SAMPLE_EVERY + 1):
            envelopes = [Envelope(CHAT, payload, number)]
            found += len(translator.translate(envelopes, NOW, 0.0).counts.unparsed)
        self.assertEqual(found, SAMPLE_FIRST + 3)
        late = translator.translate([Envelope("WebcastLikeMessage", wire([(99, 1)]), 1)], NOW, 0.0)
        self.assertEqual(late.counts.unparsed, {"WebcastLikeMessage.99": 1})


class CountedTests(TikTokCase):
    """From the socket to the metrics."""

    def test_metrics(self) -> None:
        """Unknown and left out are two series; neither costs a message."""
        _, sink = self.watching("ann")
        for number, (method, payload) in enumerate(
            (
                ("WebcastNeverSeen", b""),
                ("WebcastCaptionMessage", b""),
                (CHAT, wire([(3, "hi"), (777, 1)])),
                ("WebcastMemberMessage", wire([(10, 27)])),
            ),
            1,
        ):
            self.simulator.say("ann", Written(method, payload, number))
        self.simulator.say("ann", say("there", 9))
        self.run_for(0)
        self.assertEqual(sink.take(), ["hi", "there"])
        names = ("WebcastNeverSeen", "WebcastChatMessage.777", "WebcastMemberMessage.action=27")
        self.assertEqual(self.unparsed(), dict.fromkeys(names, 1))
        series = b'livechat_ignored_total{kind="WebcastCaptionMessage",platform="tiktok"} 1.0'
        self.assertIn(series, self.metrics.exposition())
