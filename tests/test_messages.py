# SPDX-License-Identifier: MIT
"""The client protocol, byte for byte."""

from __future__ import annotations

import json
import zlib
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from livechat.model.chat import (
    Author,
    Badge,
    ChatData,
    ChatMessage,
    ChatMetadata,
    Money,
    Reply,
    Roles,
    Sticker,
)
from livechat.model.error_catalogue import CATALOGUE
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.event_data import Person, Raid
from livechat.model.events import ChannelEvent, ChannelKey, LiveInfo, StatsData, UserTally
from livechat.model.text import Emote, content
from livechat.protocol.messages import (
    Chat,
    EventMessage,
    Failure,
    ServerMessage,
    Stats,
    Status,
    encode,
    encode_event,
    failure,
    started,
)
from livechat.transports.frames import MIN_DEFLATED, deflated_frame, frame

bounded = settings(deadline=None, database=None, max_examples=300)

KEY = ChannelKey("youtube", "liveId", "abcdefghijk")
URL = "https://cdn.example.org/a.png"


class EncodeTests(SynchronousTestCase):
    """Every kind of server message, as a client receives it."""

    def check(self, message: ServerMessage, text: str) -> None:
        """The message is exactly this JSON."""
        self.assertEqual(encode(message).decode(), text)

    def test_subscribed(self) -> None:
        """`subscribed` with all that we add to it, and as bare as it can be."""
        self.check(
            Status(
                "subscribed",
                identifier="@Ann",
                platform="twitch",
                channel="ann",
                storage_type="memory",
            ),
            '{"type":"status","status":"subscribed","identifier":"@Ann","platform":"twitch",'
            '"channel":"ann","storage_type":"memory"}',
        )
        self.check(Status("subscribed"), '{"type":"status","status":"subscribed"}')

    def test_started(self) -> None:
        """`started` says what the watcher learnt, and nothing that it did not."""
        self.check(
            started(
                "https://youtu.be/abcdefghijk", KEY, LiveInfo("abcdefghijk", feed="top"), "e1", 7
            ),
            '{"type":"status","status":"started","liveId":"abcdefghijk",'
            '"identifier":"https://youtu.be/abcdefghijk","platform":"youtube",'
            '"channel":"abcdefghijk","feed":"top","epoch":"e1","seq":7}',
        )
        key = ChannelKey("twitch", "username", "ann")
        for live, shown in (
            (True, ',"live":true'),
            (False, ',"live":false'),
            (None, ',"live":null'),
            (UNSET, ""),
        ):
            self.check(
                started("Ann", key, LiveInfo("ann", live), "e1", 0),
                '{"type":"status","status":"started","liveId":"ann","identifier":"Ann",'
                f'"platform":"twitch","channel":"ann"{shown},"epoch":"e1","seq":0}}',
            )

    def test_reconnecting(self) -> None:
        """`reconnecting` may say why."""
        self.check(
            Status(
                "reconnecting", identifier="Ann", platform="twitch", channel="ann", reason="lost"
            ),
            '{"type":"status","status":"reconnecting","identifier":"Ann","platform":"twitch",'
            '"channel":"ann","reason":"lost"}',
        )

    def test_unsubscribed(self) -> None:
        """`unsubscribed` names the chat."""
        self.check(
            Status("unsubscribed", identifier="Ann", platform="twitch", channel="ann"),
            '{"type":"status","status":"unsubscribed","identifier":"Ann","platform":"twitch",'
            '"channel":"ann"}',
        )

    def test_error(self) -> None:
        """An error has a sentence and a code; the rest only if there is something to say."""
        self.check(
            failure(ChatError(ErrorCode.NO_ACTIVE_CHAT, "No active chat connection")),
            '{"type":"error","error":"No active chat connection","code":"NO_ACTIVE_CHAT"}',
        )
        self.check(
            failure(ChatError(ErrorCode.STREAM_ENDED, "Over", ""), "", None),
            '{"type":"error","error":"Over","code":"STREAM_ENDED","temporary":true}',
        )
        self.check(
            failure(
                ChatError(
                    ErrorCode.STREAM_NOT_LIVE,
                    "Not live",
                    "UPCOMING",
                    temporary=True,
                    scheduled_start="2026-01-02T03:04:05.000Z",
                ),
                "youtube",
                "abcdefghijk",
            ),
            '{"type":"error","error":"Not live","code":"STREAM_NOT_LIVE","details":"UPCOMING",'
            '"platform":"youtube","identifier":"abcdefghijk",'
            '"scheduledStart":"2026-01-02T03:04:05.000Z","temporary":true}',
        )

    def test_error_with_empty_identifier(self) -> None:
        """An empty identifier is what the client sent, and is said back to it."""
        made = failure(ChatError(ErrorCode.INVALID_IDENTIFIER, "Needed"), "twitch", "")
        self.assertEqual(
            made,
            Failure("Needed", ErrorCode.INVALID_IDENTIFIER, platform="twitch", identifier=""),
        )
        self.check(
            made,
            '{"type":"error","error":"Needed","code":"INVALID_IDENTIFIER","platform":"twitch",'
            '"identifier":""}',
        )

    def test_every_code(self) -> None:
        """Every code is written as its name; errors about a chat say whether they pass."""
        temporary = {
            ErrorCode.STREAM_NOT_LIVE: ',"temporary":true',
            ErrorCode.STREAM_ENDED: ',"temporary":true',
            ErrorCode.STREAM_NOT_FOUND: ',"temporary":false',
            ErrorCode.UPSTREAM_UNAVAILABLE: ',"temporary":false',
            ErrorCode.TOO_MANY_CHATS: ',"temporary":false',
            ErrorCode.TOO_MANY_FILTERS: ',"temporary":false',
            ErrorCode.RATE_LIMITED: ',"temporary":true',
        }
        for code in ErrorCode:
            self.check(
                failure(ChatError(code, "E")),
                f'{{"type":"error","error":"E","code":"{code.name}"{temporary.get(code, "")}}}',
            )

    def test_every_entry(self) -> None:
        """Every error of the catalogue has its code, sentence, details and `temporary`."""
        for name, entry in CATALOGUE.items():
            about = dict(json.loads(encode(failure(entry.error()))))
            temporary = about.pop("temporary", None)
            expected = {"type": "error", "error": entry.sentence, "code": entry.code.value}
            if entry.details is not None:
                expected["details"] = entry.details
            self.assertEqual(about, expected, name)
            is_about_the_command = entry.code in (
                ErrorCode.INVALID_MESSAGE_TYPE,
                ErrorCode.INVALID_IDENTIFIER,
                ErrorCode.INVALID_OPTION,
                ErrorCode.UNSUPPORTED_PLATFORM,
                ErrorCode.NO_ACTIVE_CHAT,
                ErrorCode.FORBIDDEN,
            )
            self.assertEqual(temporary is None, is_about_the_command, name)

    def test_temporary(self) -> None:
        """Whether asking again may help is the error's own where the code does not say it."""
        for code in (ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.TOO_MANY_CHATS):
            for temporary in (True, False):
                made = failure(ChatError(code, "E", temporary=temporary))
                self.assertIs(made.temporary, temporary)
        # A stream that is not live is not asked for again while it starts, but may be later.
        self.assertIs(failure(ChatError(ErrorCode.STREAM_NOT_LIVE, "E")).temporary, True)
        made = failure(ChatError(ErrorCode.INVALID_IDENTIFIER, "E", temporary=True))
        self.assertIs(made.temporary, UNSET)

    def test_chat(self) -> None:
        """A plain message: the nested envelope, and no key for what it has not."""
        message = ChatMessage(
            "twitch",
            "2024-03-20T12:34:56.789Z",
            "m1",
            "r1",
            ChatData(
                Author("1", "ann", "Ann", None, Roles(), []),
                content(["hi"]),
                ChatMetadata(),
            ),
        )
        key = ChannelKey("twitch", "username", "ann")
        expected = (
            '{"type":"chat","data":{"type":"chat","platform":"twitch",'
            '"timestamp":"2024-03-20T12:34:56.789Z","message_id":"m1","room_id":"r1","data":{'
            '"author":{"id":"1","username":"ann","display_name":"Ann","avatar_url":null,"roles":{'
            '"broadcaster":false,"moderator":false,"subscriber":false,"verified":false},'
            '"badges":[]},"content":{"raw":"hi","formatted":"hi","sanitized":"hi",'
            '"rawHtml":"<span class=\\"text\\">hi</span>",'
            '"elements":[{"type":"text","value":"hi","position":[0,2]}]},'
            '"metadata":{"type":"chat"}}},"platform":"twitch","identifier":"ann","seq":7}'
        )
        self.assertEqual(encode_event(key, message, 7).decode(), expected)
        self.check(Chat(message, "twitch", "ann", 7), expected)

    def test_super_chat(self) -> None:
        """A message with all that one can have, as the specification nests it."""
        message = ChatMessage(
            "youtube",
            "2024-03-20T12:34:56.789Z",
            "m2",
            "abcdefghijk",
            ChatData(
                Author(
                    "UC1",
                    "@ann",
                    "Ann",
                    URL,
                    Roles(True, True, True, True),
                    [Badge("subscriber", "Member (1 year)", URL), Badge("custom", "Turbo")],
                    "#FF0000",
                ),
                content([Emote(":wave:", URL, "wave", "wave", True, 5)]),
                ChatMetadata(
                    "super_chat",
                    Money("￥1,000", "￥1,000", "#FFCA28", 1000, "JPY"),
                    Sticker(URL, "A cat"),
                    True,
                    True,
                    True,
                    True,
                    "resub",
                    "reward",
                    Reply("m0", "2", "bob", "Bob", "hey"),
                    "r2",
                    "m3",
                ),
            ),
        )
        self.assertEqual(
            encode_event(KEY, message).decode(),
            '{"type":"chat","data":{"type":"chat","platform":"youtube",'
            '"timestamp":"2024-03-20T12:34:56.789Z","message_id":"m2","room_id":"abcdefghijk",'
            f'"data":{{"author":{{"id":"UC1","username":"@ann","display_name":"Ann",'
            f'"avatar_url":"{URL}","roles":{{"broadcaster":true,"moderator":true,'
            f'"subscriber":true,"verified":true}},"badges":[{{"type":"subscriber",'
            f'"label":"Member (1 year)","image_url":"{URL}"}},{{"type":"custom","label":"Turbo",'
            f'"image_url":null}}],"color":"#FF0000"}},"content":{{"raw":":wave:",'
            f'"formatted":":wave:","sanitized":"","rawHtml":"<img class=\\"emote\\" '
            f'src=\\"{URL}\\" alt=\\"wave\\" title=\\"wave\\" data-custom=\\"true\\">",'
            f'"elements":[{{"type":"emote","value":":wave:","position":[0,6],"metadata":{{'
            f'"url":"{URL}","alt":"wave","is_custom":true,"bits":5}}}}]}},"metadata":{{'
            '"type":"super_chat","monetary_data":{"amount":"￥1,000","formatted":"￥1,000",'
            f'"color":"#FFCA28","value":1000,"currency":"JPY"}},"sticker":{{"url":"{URL}",'
            '"alt":"A cat"},"action":true,"first_message":true,"highlighted":true,'
            '"anonymous":true,"notice":"resub","reward_id":"reward","reply":{"message_id":"m0",'
            '"user_id":"2","username":"bob","display_name":"Bob","text":"hey"},'
            '"source_room_id":"r2","source_message_id":"m3"}}},'
            '"platform":"youtube","identifier":"abcdefghijk","seq":1}',
        )

    def test_event(self) -> None:
        """What is no message of a user comes as `event`."""
        data = Raid(direction="incoming", user=Person(None, "bob", "Bob"), viewers=3)
        event = ChannelEvent.of(data, "twitch", "2024-03-20T12:34:56.789Z", "e1", "r1")
        expected = (
            '{"type":"event","data":{"type":"raid","platform":"twitch",'
            '"timestamp":"2024-03-20T12:34:56.789Z","event_id":"e1","room_id":"r1",'
            '"data":{"user":{"id":null,"username":"bob","display_name":"Bob"},'
            '"direction":"incoming","viewers":3}},"platform":"twitch","identifier":"ann","seq":8}'
        )
        key = ChannelKey("twitch", "username", "ann")
        self.assertEqual(encode_event(key, event, 8).decode(), expected)
        self.check(EventMessage(event, "twitch", "ann", 8), expected)

    def test_stats(self) -> None:
        """Statistics, with users and without."""
        users = [UserTally("1", "ann", "Ann", Roles(subscriber=True), 2)]
        self.check(
            Stats(StatsData(users, 3, 1), "twitch", "ann"),
            '{"type":"stats","data":{"uniqueUsers":[{"id":"1","username":"ann",'
            '"display_name":"Ann","roles":{"broadcaster":false,"moderator":false,'
            '"subscriber":true,"verified":false},"messageCount":2}],"totalMessages":3,'
            '"uniqueUserCount":1},"platform":"twitch","identifier":"ann"}',
        )
        self.check(
            Stats(StatsData([], 0, 0), "twitch", "ann"),
            '{"type":"stats","data":{"uniqueUsers":[],"totalMessages":0,"uniqueUserCount":0},'
            '"platform":"twitch","identifier":"ann"}',
        )

    def test_unencodable(self) -> None:
        """A half character cannot be sent: it is an error, never broken bytes."""
        with self.assertRaises(UnicodeEncodeError):
            encode(Status("subscribed", identifier="\ud800"))

    @bounded
    @given(st.text())
    def test_any_identifier(self, identifier: str) -> None:
        """Whatever a client called its chat, other code reads it back the same."""
        read = json.loads(encode(Status("subscribed", identifier=identifier)))
        self.assertEqual(read, {"type": "status", "status": "subscribed", "identifier": identifier})


class FrameTests(SynchronousTestCase):
    """Frames are what a WebSocket client understands."""

    def received(self, data: bytes) -> list[Frame]:
        """What a client makes of bytes from its server; it fails on masked or broken frames."""
        client = Protocol(Side.CLIENT, state=OPEN, max_size=None)
        # Our side keeps no context, and has the largest window; the client's own does not matter.
        client.extensions = [PerMessageDeflate(True, False, 15, 15)]
        client.receive_data(data)
        frames = client.events_received()
        self.assertIsNone(client.close_exc if client.state is not OPEN else None)
        self.assertIsNone(client.parser_exc)
        self.assertTrue(all(isinstance(event, Frame) for event in frames))
        return [event for event in frames if isinstance(event, Frame)]

    def test_sizes(self) -> None:
        """One whole text frame at both sides of each limit, with the shortest header there is."""
        for size, header in (
            (0, "8100"),
            (1, "8101"),
            (125, "817d"),
            (126, "817e007e"),
            (127, "817e007f"),
            (65_535, "817effff"),
            (65_536, "817f0000000000010000"),
            (1_000_000, "817f00000000000f4240"),
        ):
            payload = b"x" * size
            made = frame(payload)
            self.assertEqual(made, bytes.fromhex(header) + payload)
            self.assertEqual(self.received(made), [Frame(Opcode.TEXT, payload, fin=True)])

    def test_joined(self) -> None:
        """Frames that are written together come apart again."""
        payloads = [b"", "é😀".encode(), b"x" * 126, b"y" * 70_000, b"{}"]
        self.assertEqual(
            self.received(b"".join(map(frame, payloads))),
            [Frame(Opcode.TEXT, payload, fin=True) for payload in payloads],
        )

    @bounded
    @given(st.lists(st.binary(max_size=300), max_size=5))
    def test_any_payloads(self, payloads: list[bytes]) -> None:
        """Every payload arrives as it was, in order."""
        received = self.received(b"".join(map(frame, payloads)))
        self.assertEqual([event.data for event in received], payloads)

    def test_deflated(self) -> None:
        """A compressed frame is marked, smaller, and means the same; each one by itself."""
        payload = b'{"text":"' + b"again and " * 100 + b'"}'
        made = deflated_frame(payload)
        self.assertEqual(made[0], 0xC1)
        self.assertLess(len(made), 100)
        # The end that every flushed block has is left out, and has to be put back (RFC 7692 7.2).
        deflated, end = made[2:], b"\x00\x00\xff\xff"
        self.assertFalse(deflated.endswith(end))
        self.assertEqual(zlib.decompressobj(-15).decompress(deflated + end), payload)
        for together in (made, made * 3, made + frame(b"x") + made):
            frames = self.received(together)
            self.assertEqual(frames[0].data, payload)
            self.assertEqual(frames[-1].data, payload)

    def test_not_worth_it(self) -> None:
        """Small payloads, and those that do not shrink, are sent as they are."""
        self.assertEqual(MIN_DEFLATED, 256)
        noise = Random(1).randbytes(5000)
        for payload in (b"", b"x", b"x" * (MIN_DEFLATED - 1), noise):
            self.assertEqual(deflated_frame(payload), frame(payload))
        self.assertNotEqual(deflated_frame(b"x" * MIN_DEFLATED), frame(b"x" * MIN_DEFLATED))

    def test_deflated_sizes(self) -> None:
        """Whatever the size before and after, the client reads what was meant."""
        random = Random(2)
        for size in (256, 1000, 65_535, 65_536, 300_000):
            for letters in (1, 3, 60, 256):
                payload = bytes(random.randrange(letters) for _ in range(size // 10)) * 10
                made = deflated_frame(payload)
                self.assertLessEqual(len(made), len(frame(payload)))
                (read,) = self.received(made)
                self.assertEqual(read.data, payload)

    @bounded
    @given(st.lists(st.binary(max_size=30).map(lambda part: part * 40), max_size=5))
    def test_any_deflated(self, payloads: list[bytes]) -> None:
        """Every payload arrives as it was, in order, compressed and plain by turns."""
        data = b"".join(deflated_frame(p) + frame(p) for p in payloads)
        expected = [payload for payload in payloads for _ in range(2)]
        self.assertEqual([event.data for event in self.received(data)], expected)
