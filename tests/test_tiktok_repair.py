# SPDX-License-Identifier: MIT
"""Texts of TikTok that are not UTF-8."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import ChannelKey
from livechat.platforms.tiktok.parse.repair import MAX_REPAIR
from livechat.platforms.tiktok.parse.webcast import Batch, Envelope, Push, read_batch, read_push
from livechat.protocol.messages import encode_event
from tests.support.tiktok_payloads import Value, chat_of, translated, wire
from tests.support.tiktok_written import WRITTEN

KEY = ChannelKey("tiktok", "username", "ann")


class NotTextTests(SynchronousTestCase):
    """A byte that is not UTF-8 costs itself, wherever it stands."""

    def test_frame(self) -> None:
        """Strings of the frame and of the batch do not cost the batch, nor its acknowledgement."""
        message: Value = [(1, "WebcastChatMessage"), (2, b""), (3, 5)]
        payload = wire(
            [
                (1, message),
                (2, b"cursor\xff"),
                (5, b"ext\xff|1"),
                (7, [(1, b"wr\xffss"), (2, b"x\xff")]),
                (9, 1),
                (10, b"wss://\xff"),
                (12, b"\xff"),
            ]
        )
        odd = wire([(5, [(1, b"compress_type\xff"), (2, b"\xff")]), (6, b"pb\xff")])
        read = read_push(odd + wire([(2, 77), (7, "msg"), (8, payload)]))
        assert isinstance(read, Push)
        self.assertEqual(read.batch.messages, [Envelope("WebcastChatMessage", b"", 5)])
        self.assertEqual(read.batch.cursor, "cursor\ufffd")
        self.assertEqual(read.batch.route_params, {"wr\ufffdss": "x\ufffd"})
        self.assertEqual(
            read.reply, wire([(2, 77), (6, "pb"), (7, "ack"), (8, b"ext\xff|1")]), "byte for byte"
        )

    def test_method(self) -> None:
        """A method that is no text is unknown, and costs its own message only."""
        read = read_batch(wire([(1, wire([(1, name)])) for name in (b"Web\xff", b"Chat")]))
        assert isinstance(read, Batch)
        self.assertEqual([message.method for message in read.messages], ["Web\ufffd", "Chat"])

    def test_comment(self) -> None:
        """A comment keeps its words, its author and its place in the order."""
        who: Value = [
            (1, 6820),
            (3, b"Jo\xffe"),
            (9, [(1, b"https://x.test/\xff.webp")]),
            (38, b"jo\xff"),
        ]
        chat = wire([(1, [(4, 1_700_000_000_123)]), (2, who), (3, b"caf\xe9 and caf\xc3\xa9")])
        message = chat_of(translated("WebcastChatMessage", chat))
        self.assertEqual(message.data.content.raw, "caf\ufffd and caf\u00e9")
        self.assertEqual(message.data.author.id, "6820")
        self.assertEqual(message.data.author.display_name, "Jo\ufffde")
        self.assertEqual(message.timestamp, "2023-11-14T22:13:20.123Z")

    def test_every_kind(self) -> None:
        """Every kind of message says the same with a bad byte in it, but for that byte."""
        spoiled = 0
        for name, (method, payload) in WRITTEN.items():
            bad = payload.replace(b"Golden", b"\xffolden").replace(b"golden", b"\xffolden")
            told = [encode_event(KEY, event) for event in translated(method, bad).events]
            wanted = [
                encode_event(KEY, event)
                .replace(b"Golden", "\ufffdolden".encode())
                .replace(b"golden", "\ufffdolden".encode())
                for event in translated(method, payload).events
            ]
            self.assertEqual(told, wanted, name)
            spoiled += bad != payload
        self.assertGreater(spoiled, 25)

    def test_too_large(self) -> None:
        """A message that is too large to be mended is unreadable."""
        chat = wire([(3, b"\xff" + b"x" * MAX_REPAIR)])
        self.assertEqual(
            translated("WebcastChatMessage", chat).counts.unparsed,
            {"WebcastChatMessage unreadable": 1},
        )
