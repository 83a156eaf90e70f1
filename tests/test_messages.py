# SPDX-License-Identifier: MIT
"""The client protocol, byte for byte."""

from __future__ import annotations

import json
import zlib
from random import Random
from typing import Any

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
from livechat.model.events import ChannelEvent, ChannelKey, LiveInfo, StatsData, UserTally
from livechat.model.text import Emote, content
from livechat.protocol.messages import (
    Chat,
    Command,
    EventMessage,
    Failure,
    ServerMessage,
    Stats,
    Status,
    decode_command,
    encode,
    encode_event,
    failure,
    started,
)
from livechat.transports.frames import MIN_DEFLATED, deflated_frame, frame

bounded = settings(deadline=None, database=None, max_examples=300)

KEY = ChannelKey("youtube", "liveId", "abcdefghijk")
URL = "https://cdn.example.org/a.png"

#: Any JSON value: no half characters, which UTF-8 cannot hold, and none of Python's odd numbers.
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


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
            started("https://youtu.be/abcdefghijk", KEY, LiveInfo("abcdefghijk", feed="top")),
            '{"type":"status","status":"started","liveId":"abcdefghijk",'
            '"identifier":"https://youtu.be/abcdefghijk","platform":"youtube",'
            '"channel":"abcdefghijk","feed":"top"}',
        )
        key = ChannelKey("twitch", "username", "ann")
        for live, shown in (
            (True, ',"live":true'),
            (False, ',"live":false'),
            (None, ',"live":null'),
            (UNSET, ""),
        ):
            self.check(
                started("Ann", key, LiveInfo("ann", live)),
                '{"type":"status","status":"started","liveId":"ann","identifier":"Ann",'
                f'"platform":"twitch","channel":"ann"{shown}}}',
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
            made, Failure("Needed", "INVALID_IDENTIFIER", platform="twitch", identifier="")
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
            '"metadata":{"type":"chat"}}},"platform":"twitch","identifier":"ann"}'
        )
        self.assertEqual(encode_event(key, message).decode(), expected)
        self.check(Chat(message, "twitch", "ann"), expected)

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
            '"platform":"youtube","identifier":"abcdefghijk"}',
        )

    def test_event(self) -> None:
        """What is no message of a user comes as `event`."""
        event = ChannelEvent(
            "raid", "twitch", "2024-03-20T12:34:56.789Z", "e1", "r1", {"viewers": 3, "from": "bob"}
        )
        expected = (
            '{"type":"event","data":{"type":"raid","platform":"twitch",'
            '"timestamp":"2024-03-20T12:34:56.789Z","event_id":"e1","room_id":"r1",'
            '"data":{"viewers":3,"from":"bob"}},"platform":"twitch","identifier":"ann"}'
        )
        key = ChannelKey("twitch", "username", "ann")
        self.assertEqual(encode_event(key, event).decode(), expected)
        self.check(EventMessage(event, "twitch", "ann"), expected)

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


class DecodeTests(SynchronousTestCase):
    """What a client sent becomes a command, or one error."""

    def refused(self, payload: bytes) -> ChatError:
        """The error for a payload that is no command."""
        with self.assertRaises(ChatError, msg=repr(payload[:80])) as caught:
            decode_command(payload)
        error: ChatError = caught.exception
        return error

    def decoded(self, payload: bytes) -> Command | None:
        """The command, or None for the one error there may be; anything else fails the test."""
        try:
            command = decode_command(payload)
        except ChatError as error:
            self.assertIs(error.code, ErrorCode.INVALID_MESSAGE_TYPE)
            return None
        self.assertIsInstance(command, Command)
        return command

    def test_commands(self) -> None:
        """The specification's commands, with and without their optional fields."""
        for text, command in (
            (
                '{"type":"subscribe","identifier":"ann","identifierType":"username",'
                '"platform":"twitch"}',
                Command("subscribe", "twitch", "ann", "username"),
            ),
            (
                '{"type":"subscribe","identifier":"ann","events":["raid"]}',
                Command("subscribe", identifier="ann", events=["raid"]),
            ),
            ('{"type":"unsubscribe"}', Command("unsubscribe")),
            ('{"type":"get_stats"}', Command("get_stats")),
            (' \r\n\t{ "type" : "get_stats" } \n', Command("get_stats")),
            ("{}", Command()),
        ):
            self.assertEqual(decode_command(text.encode()), command)

    def test_absent_is_not_null(self) -> None:
        """A field that was null is told from one that was not there."""
        command = decode_command(b'{"identifier":null}')
        self.assertIsNone(command.identifier)
        self.assertIs(command.type, UNSET)
        self.assertIs(command.platform, UNSET)
        self.assertIs(command.identifier_type, UNSET)
        self.assertIs(command.events, UNSET)

    def test_unknown_fields(self) -> None:
        """Fields of a later client do no harm, whatever is in them."""
        text = b'{"type":"get_stats","x":{"y":[1,2,{"z":null}]},"identifier_type":"liveId"}'
        self.assertEqual(decode_command(text), Command("get_stats"))

    def test_twice(self) -> None:
        """Of a key that comes twice the last one counts."""
        self.assertEqual(
            decode_command(b'{"type":"subscribe","type":"get_stats"}'), Command("get_stats")
        )

    def test_the_error(self) -> None:
        """What is no JSON object is answered with a fixed text that repeats nothing of it."""
        error = self.refused(b'<script>alert("secret")</script>')
        self.assertEqual(
            (error.code, error.error, error.details, error.temporary),
            (
                ErrorCode.INVALID_MESSAGE_TYPE,
                "A message must be a JSON object with a type",
                "subscribe, unsubscribe or get_stats",
                False,
            ),
        )
        self.assertTrue(error.__suppress_context__)

    def test_not_an_object(self) -> None:
        """JSON that is no object, and what is no JSON, is refused."""
        payloads: list[bytes] = [
            b"",
            b" ",
            b"null",
            b"true",
            b"false",
            b"0",
            b"-1",
            b"1.5",
            b'"subscribe"',
            b"[]",
            b'[{"type":"subscribe"}]',
            b"{",
            b"}",
            b"{]",
            b"{}{}",
            b"{} x",
            b'{"type"}',
            b'{"type":}',
            b'{"type":"subscribe",}',
            b"{type:'subscribe'}",
            b"{'type':'subscribe'}",
            b'{"type":"subscribe"',
            b'{"type":"subscribe}',
            b'{"type":"sub\nscribe"}',
            b'{"type":"\\x41"}',
            b'{"type":"\\u12"}',
            b'{1:"subscribe"}',
            b'{"type":undefined}',
            b'{"type":NaN}',
            b'{"type":Infinity}',
            b'{"type":-Infinity}',
            b'{"type":01}',
            b'{"type":.5}',
            b'{"type":+1}',
            b'{"type":0x10}',
            b'{"type":1e999}',
            b'{"type":-1e999}',
            b'{"type":"\\ud800"}',
            b'{"type":"\\udc00\\ud800"}',
            b'{"type":"\xff"}',
            b'{"type":"\xed\xa0\x80"}',
            b'{"type":"\xc0\xaf"}',
            b'{"type":"\xf5\x80\x80\x80"}',
            b'{"type":"\xe2\x82"}',
            b'\xef\xbb\xbf{"type":"subscribe"}',
            '{"type":"subscribe"}'.encode("utf-16"),
            '{"type":"subscribe"}'.encode("utf-16-le"),
            '{"type":"subscribe"}'.encode("utf-32"),
            b'/* x */{"type":"subscribe"}',
            b'{"type":"subscribe"}\x00',
            b"\x00" * 1000,
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"undefined",
            b"NaN",
            b'{"type":' + b"9" * 5000 + b"}",
            b'{"type":-' + b"9" * 60000 + b"}",
            b'{"type":' + b"9" * 5000 + b".5}",
            b'{"type":1e' + b"9" * 5000 + b"}",
            b'{"events":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
            b'{"unknown":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
            b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
            b"[" * 65_000,
            b'{"a":' * 13_000,
            b'{"type":"' + b"x" * 65_000,
            b"{" * 65_536,
        ]
        for payload in payloads:
            self.assertIs(self.refused(payload).code, ErrorCode.INVALID_MESSAGE_TYPE)

    def test_hostile_values(self) -> None:
        """Every hostile value in every field is a command or the one error, and can be answered."""
        values = [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1",
            "1.5",
            "1e308",
            "-1e308",
            "123456789012345678901234567890",
            "[]",
            "{}",
            "[[]]",
            '""',
            '"',
            '"',
            '"\\u0000"',
            '"\\u202e"',
            '"\\ud83d\\ude00"',
            '"\\ud83d"',
            '"\\n\\r"',
            '"\\/"',
            '"__proto__"',
            '{"type":"subscribe"}',
            '["raid",1]',
            "[null]",
            '{"$ne":1}',
            '"a:b"',
            '"../.."',
            '"%00"',
            '"\'--"',
            '"<b>"',
        ]
        texts = [value for value in values if value] + ['"' + "x" * 65_000 + '"']
        for field in ("type", "platform", "identifier", "identifierType", "events", "other"):
            for value in texts:
                command = self.decoded(f'{{"{field}":{value}}}'.encode())
                identifier = command.identifier if command else None
                if isinstance(identifier, str):
                    encode(Status("subscribed", identifier=identifier))

    def test_every_beginning(self) -> None:
        """A command that is cut anywhere is refused; the whole one is not."""
        whole = '{"type":"subscribe","identifier":"é😀\\u00e9","events":[true,1.5e3]}'.encode()
        for size in range(len(whole)):
            self.refused(whole[:size])
        self.assertEqual(
            decode_command(whole), Command("subscribe", identifier="é😀é", events=[True, 1500.0])
        )

    def test_every_changed_byte(self) -> None:
        """A command with one byte changed is a command or the one error."""
        whole = b'{"type":"subscribe","identifier":"x"}'
        for at in range(len(whole)):
            for byte in (0, 9, 34, 44, 92, 123, 125, 127, 128, 195, 255):
                self.decoded(whole[:at] + bytes([byte]) + whole[at + 1 :])

    @bounded
    @given(st.binary(max_size=200))
    def test_garbage(self, payload: bytes) -> None:
        """Whatever bytes come, the outcome is a command or the one error."""
        self.decoded(payload)

    @bounded
    @given(_JSON)
    def test_any_json(self, value: Any) -> None:
        """Any JSON value is decoded as other code decodes it, if it is an object."""
        command = self.decoded(json.dumps(value, ensure_ascii=False).encode())
        expected = None
        if isinstance(value, dict):
            names = ("type", "platform", "identifier", "identifierType", "events")
            expected = Command(*(value.get(name, UNSET) for name in names))
        self.assertEqual(command, expected)

    @bounded
    @given(st.fixed_dictionaries({}, optional=dict.fromkeys(("type", "platform", "events"), _JSON)))
    def test_any_fields(self, fields: dict[str, Any]) -> None:
        """Fields arrive with the values that other code wrote."""
        command = self.decoded(json.dumps(fields).encode())
        assert command is not None
        for name in ("type", "platform", "events"):
            self.assertEqual(getattr(command, name), fields.get(name, UNSET))


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
