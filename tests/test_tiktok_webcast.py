# SPDX-License-Identifier: MIT
"""The push socket's bytes: real frames, our own frames, and everything that is not a frame."""

from __future__ import annotations

import json
import re
from pathlib import Path

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.tiktok import webcast_pb2
from livechat.platforms.tiktok.parse import webcast
from livechat.platforms.tiktok.parse.webcast import (
    MAX_BATCH,
    MAX_FRAME,
    MAX_MESSAGE,
    MAX_MESSAGES,
    Batch,
    Envelope,
    Push,
    Unread,
    read_batch,
    read_envelope,
    read_push,
)
from tests.support.corpus import corpus
from tests.support.cpu import within
from tests.support.tiktok_payloads import batch, gzipped, push, varint, wire

PROTO = Path(webcast_pb2.__file__).with_name("webcast.proto")

_SCALARS = {
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_INT32: "int32",
    FieldDescriptorProto.TYPE_INT64: "int64",
    FieldDescriptorProto.TYPE_STRING: "string",
}


class SchemaTests(SynchronousTestCase):
    """The generated module is what the schema file says."""

    def test_generated(self) -> None:
        """Every field of the file is in the module under its number and type, and no other is."""
        file = FileDescriptorProto()
        webcast_pb2.DESCRIPTOR.CopyToProto(file)
        made = set()
        for message in file.message_type:
            for field in message.field:
                kind = _SCALARS.get(field.type) or field.type_name.rpartition(".")[2]
                if kind == "RouteParamsEntry":
                    kind = "map<string, string>"
                elif field.label == FieldDescriptorProto.LABEL_REPEATED:
                    kind = f"repeated {kind}"
                made.add((message.name, kind, field.name, field.number))
        text = re.sub(r"//.*", "", PROTO.read_text())
        written = {
            (message, " ".join(kind.split()), name, int(number))
            for message, body in re.findall(r"message (\w+) \{(.*?)\n\}", text, re.DOTALL)
            for kind, name, number in re.findall(r"([\w<>, ]+?) (\w+) = (\d+);", body)
        }
        self.assertEqual(made, written)
        self.assertEqual(
            {message.name for message in file.message_type},
            set(re.findall(r"message (\w+)", text)),
        )


class RecordedTests(SynchronousTestCase):
    """What TikTok really sent."""

    def test_frame(self) -> None:
        """The recorded frame opens into its kind and the three messages that it holds."""
        data = corpus("tiktok/recorded/2026-09-17_im_enter_room_resp.frame.bin").read_bytes()
        expected = json.loads(
            corpus("tiktok/expected/2026-09-17_im_enter_room_resp.json").read_bytes()
        )
        frame = read_push(data)
        assert isinstance(frame, Push)
        self.assertEqual(frame.kind, expected["payload_type"])
        self.assertIsNone(frame.reply)
        self.assert_batch(frame.batch, expected["inner"])
        self.assertEqual(frame.batch.heartbeat, 15.0)

    def test_first_batch(self) -> None:
        """The recorded first answer opens into its messages, six of them history."""
        data = corpus("tiktok/recorded/2026-08-10_first_batch.pb").read_bytes()
        expected = json.loads(corpus("tiktok/expected/2026-08-10_first_batch.json").read_bytes())
        opened = read_batch(data)
        assert isinstance(opened, Batch)
        self.assert_batch(opened, expected)
        self.assertEqual(sum(message.is_history for message in opened.messages), 6)
        self.assertEqual(opened.push_server, expected["push_server"])
        self.assertEqual(opened.route_params, expected["route_params"])
        self.assertIsNone(opened.heartbeat)
        self.assertEqual(
            [len(message.payload) for message in opened.messages],
            [message["bytes"] for message in expected["messages"]],
        )

    def assert_batch(self, opened: Batch, expected: dict[str, object]) -> None:
        """A batch says what somebody else's decoder reads in it."""
        messages = [
            {
                "method": message.method,
                "msg_id": str(message.message_id),
                "is_history": message.is_history,
            }
            for message in opened.messages
        ]
        wanted = expected["messages"]
        assert isinstance(wanted, list)
        keys = ("method", "msg_id", "is_history")
        self.assertEqual(messages, [{key: message[key] for key in keys} for message in wanted])
        self.assertEqual(opened.cursor, expected["cursor"])
        self.assertEqual(opened.internal_ext, expected["internal_ext"])
        self.assertEqual(opened.need_ack, expected["need_ack"])
        self.assertEqual(opened.dropped, {})


class ReadTests(SynchronousTestCase):
    """Frames in all their forms."""

    def test_plain_and_compressed(self) -> None:
        """A batch is found whether it is compressed or not, whatever the headers say."""
        payload = batch([("WebcastChatMessage", b"\x1a\x02hi")])
        messages = [Envelope("WebcastChatMessage", b"\x1a\x02hi", 1)]
        for body in (payload, gzipped(payload)):
            for kind in ("msg", "im_enter_room_resp"):
                self.assertEqual(read_push(push(body, kind)), Push(kind, Batch(messages, {})))

    def test_heartbeat_answer(self) -> None:
        """The answer to a heartbeat holds nothing, whatever its payload is."""
        for payload in (b"", b"\xff\xff", gzipped(b"\x08\x01")):
            self.assertEqual(read_push(push(payload, "hb")), Push("hb", Batch([], {})))

    def test_unknown_kind(self) -> None:
        """A frame of an unknown kind is no error and is counted by its kind, cut short."""
        for kind in ("", "close", "x" * 500):
            self.assertEqual(
                read_push(push(b"anything", kind)),
                Push(kind, Batch([], {f"frame {kind[:32]}": 1})),
            )

    def test_unknown_fields(self) -> None:
        """Numbers and wire types that the schema does not know are skipped, and counted."""
        odd = wire([(999, 5), (1000, "text")]) + b"\xa1\x1f12345678" + b"\xa5\x1f1234"
        message = wire([(1, wire([(1, "A"), (3, 1), (7, 2), (8, 3)]))])
        read = read_push(odd + push(message + odd + wire([(13, 1), (14, 1)])))
        dropped = {
            "Batch.999": 1,
            "Batch.1000": 1,
            "Batch.500": 2,
            "Batch.14": 1,
            "Envelope.8": 1,
            "PushFrame.999": 1,
            "PushFrame.1000": 1,
            "PushFrame.500": 2,
        }
        self.assertEqual(read, Push("msg", Batch([Envelope("A", b"", 1)], dropped)))

    def test_acknowledgement(self) -> None:
        """A batch that wants an acknowledgement gets one: its internal_ext, else a dash."""
        for internal, said in (
            (b"", b"-"),
            (wire([(5, "ext|1")]), b"ext|1"),
            (wire([(5, "-")]), b"-"),
        ):
            frame = read_push(push(internal + wire([(9, 1)]), "msg", 3370164404512357695))
            assert isinstance(frame, Push)
            self.assertEqual(
                frame.reply, wire([(2, 3370164404512357695), (6, "pb"), (7, "ack"), (8, said)])
            )

    def test_bad_envelope(self) -> None:
        """A bad envelope costs itself; those before and after it arrive."""
        good = wire([(1, "A"), (2, b""), (3, 9)])
        too_large = wire([(1, "B"), (2, b"x" * MAX_MESSAGE)])
        opened = read_batch(wire([(1, good), (1, b"\x0a\x05AB"), (1, too_large), (1, good)]))
        self.assertEqual(
            opened,
            Batch(
                [Envelope("A", b"", 9)] * 2,
                {"envelope unreadable": 1, "envelope too large": 1},
            ),
        )

    def test_heartbeat_interval(self) -> None:
        """The interval is understood in seconds and in milliseconds, and kept within bounds."""
        cases = {0: None, -5: None, 1: 5.0, 15: 15.0, 10_000: 10.0, 999: 60.0, 2**62: 60.0}
        for duration, seconds in cases.items():
            opened = read_batch(wire([(8, duration)]))
            assert isinstance(opened, Batch)
            self.assertEqual(opened.heartbeat, seconds, duration)


class HostileTests(SynchronousTestCase):
    """Bytes that are no frame cost nothing but themselves, and little time."""

    def assert_read(self, data: bytes, expected: Push | Unread) -> None:
        """The frame is read as expected without much CPU, however it swells."""
        self.assertEqual(within(0.5, lambda: read_push(data)), expected)

    def test_every_truncation(self) -> None:
        """A frame cut anywhere is unread or holds less, and never raises."""
        frame = push(gzipped(batch([("WebcastChatMessage", b"\x1a\x02hi")])))
        for end in range(len(frame)):
            read = read_push(frame[:end])
            if isinstance(read, Push):
                self.assertEqual(read.batch.messages, [])

    def test_long_varint(self) -> None:
        """A varint of eleven bytes is not one."""
        eleven = b"\x80" * 10 + b"\x01"
        for frame in (b"\x08" + eleven, eleven, b"\x42" + eleven):
            self.assert_read(frame, Unread("frame unreadable"))
        self.assert_read(push(b"\x18" + eleven), Unread("batch unreadable"))

    def test_length_beyond_the_end(self) -> None:
        """A length that points beyond the frame is not believed."""
        for length in (10, 1 << 31, 1 << 62, (1 << 64) - 1):
            self.assert_read(b"\x42" + varint(length) + b"abc", Unread("frame unreadable"))

    def test_deep_nesting(self) -> None:
        """Ten thousand levels, of messages or of groups, end the message and not the process."""
        groups = b"\x7b" * 10_000
        self.assert_read(groups, Unread("frame unreadable"))
        self.assert_read(push(groups), Unread("batch unreadable"))
        nested = b""
        for _ in range(10_000):
            nested = wire([(8, nested)])
        self.assertIsInstance(read_push(nested), Push | Unread)

    def test_too_large(self) -> None:
        """A frame beyond the limit is not looked at; neither is a batch."""
        self.assert_read(b"\x08" * (MAX_FRAME + 1), Unread("frame too large"))
        self.assertEqual(read_batch(b"\x10" * (MAX_BATCH + 1)), Unread("batch too large"))
        self.assertEqual(
            read_envelope(b"\x10" * (MAX_MESSAGE + 1), {}), Unread("envelope too large")
        )

    def test_gzip_bomb(self) -> None:
        """A small frame that would inflate to 200 MB is given up at the limit."""
        bomb = gzipped(bytes(200 * 1024 * 1024))
        self.assertLess(len(bomb), MAX_FRAME)
        self.assert_read(push(bomb), Unread("batch too large"))

    def test_bad_gzip(self) -> None:
        """Compressed data that is cut, damaged or empty is unread."""
        whole = gzipped(batch([("A", b"hello" * 50)]))
        damaged = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
        for payload in (whole[:-1], whole[:20], whole[:3], damaged):
            self.assert_read(push(payload), Unread("gzip unreadable"))

    def test_many_pieces(self) -> None:
        """A batch of nothing but tiny pieces is cut at a limit, and the rest counted."""
        number = MAX_BATCH // 2
        read = read_push(push(gzipped(b"\x0a\x00" * number)))
        assert isinstance(read, Push)
        self.assertEqual(len(read.batch.messages), MAX_MESSAGES)
        self.assertEqual(read.batch.dropped, {"envelope beyond the limit": number - MAX_MESSAGES})


class SentTests(SynchronousTestCase):
    """The frames that we send, byte for byte by their field numbers."""

    def test_enter_room(self) -> None:
        """The request for a room's messages."""
        payload = wire([(1, 7300000000000000001), (4, 12), (5, "audience"), (9, "0")])
        self.assertEqual(
            webcast.enter_room("7300000000000000001"),
            wire([(6, "pb"), (7, "im_enter_room"), (8, payload)]),
        )

    def test_heartbeat(self) -> None:
        """A heartbeat carries the room and its number."""
        self.assertEqual(
            webcast.heartbeat("7300000000000000001", 3),
            wire([(6, "pb"), (7, "hb"), (8, wire([(1, 7300000000000000001), (2, 3)]))]),
        )
