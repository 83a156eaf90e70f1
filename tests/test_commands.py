# SPDX-License-Identifier: MIT
"""What clients send: the fields of their commands, and how each is read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import fields
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ChatError, ErrorCode
from livechat.protocol.commands import (
    ClientMessage,
    Command,
    Since,
    SubscribeOptions,
    decode_command,
    read_id,
    read_options,
)
from livechat.protocol.filters import Filter
from livechat.protocol.messages import Status, encode

bounded = settings(deadline=None, database=None, max_examples=300)

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

NAMES = ("type", "platform", "identifier", "identifierType", "events", "id", "since")


def values(command: Command) -> dict[str, object]:
    """The fields of a command that are there and that anybody reads."""
    found = {name: command.value(name) for name in NAMES}
    return {name: value for name, value in found.items() if value is not UNSET}


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
        for text in (
            '{"type":"subscribe","identifier":"ann","identifierType":"username",'
            '"platform":"twitch"}',
            '{"type":"subscribe","identifier":"ann","events":["raid"]}',
            '{"type":"unsubscribe"}',
            ' \r\n\t{ "type" : "get_stats" } \n',
            '{"type":"ping","id":1}',
            "{}",
        ):
            command = decode_command(text.encode())
            self.assertEqual(values(command), json.loads(text))
            self.assertEqual(command.type, json.loads(text).get("type", UNSET))

    def test_absent_is_not_null(self) -> None:
        """A field that was null is told from one that was not there."""
        command = decode_command(b'{"identifier":null}')
        self.assertIsNone(command.value("identifier"))
        self.assertIs(command.type, UNSET)
        self.assertIs(command.value("platform"), UNSET)

    def test_unknown_fields(self) -> None:
        """Fields of a later client do no harm, whatever is in them."""
        text = b'{"type":"get_stats","x":{"y":[1,2,{"z":1e999}]},"identifier_type":"liveId"}'
        self.assertEqual(values(decode_command(text)), {"type": "get_stats"})

    def test_twice(self) -> None:
        """Of a key that comes twice the last one counts."""
        command = decode_command(b'{"type":"subscribe","type":"get_stats"}')
        self.assertEqual(command.type, "get_stats")

    def test_the_error(self) -> None:
        """What is no JSON object is answered with a fixed text that repeats nothing of it."""
        error = self.refused(b'<script>alert("secret")</script>')
        self.assertEqual(
            (error.code, error.error, error.details, error.temporary),
            (
                ErrorCode.INVALID_MESSAGE_TYPE,
                "A message must be a JSON object with a type",
                "subscribe, unsubscribe, get_stats or ping",
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
        for field in (*NAMES, "other"):
            for value in texts:
                command = self.decoded(f'{{"{field}":{value}}}'.encode())
                identifier = command.value("identifier") if command else None
                if isinstance(identifier, str):
                    encode(Status("subscribed", identifier=identifier))

    def test_every_beginning(self) -> None:
        """A command that is cut anywhere is refused; the whole one is not."""
        whole = '{"type":"subscribe","identifier":"é😀\\u00e9","events":[true,1.5e3]}'.encode()
        for size in range(len(whole)):
            self.refused(whole[:size])
        self.assertEqual(
            values(decode_command(whole)),
            {"type": "subscribe", "identifier": "é😀é", "events": [True, 1500.0]},
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
        self.assertEqual(command is not None, isinstance(value, dict))
        if command is not None:
            known = {name: value[name] for name in NAMES if name in value}
            self.assertEqual(values(command), known)

    @bounded
    @given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, _JSON)))
    def test_any_fields(self, sent: dict[str, Any]) -> None:
        """Fields arrive with the values that other code wrote."""
        command = self.decoded(json.dumps(sent).encode())
        assert command is not None
        self.assertEqual(values(command), sent)


class OptionTests(SynchronousTestCase):
    """What each option of a `subscribe` may be; what it may not be is answered with its name."""

    def command(self, **options: Any) -> Command:
        """A `subscribe` with these options."""
        return decode_command(msgspec.json.encode({"type": "subscribe", **options}))

    def check(self, name: str, right: list[Any], wrong: list[Any]) -> None:
        """These values are taken as they are, and those refused; null is as if absent."""
        for value in right:
            options = read_options(self.command(**{name: value}))
            self.assertEqual(getattr(options, name), value)
            self.assertIs(isinstance(getattr(options, name), bool), isinstance(value, bool))
        for value in wrong:
            with self.assertRaises(ChatError, msg=repr(value)) as caught:
                read_options(self.command(**{name: value}))
            self.assertEqual(caught.exception.details, name)
            self.assertIs(caught.exception.code, ErrorCode.INVALID_OPTION)
        self.assertEqual(read_options(self.command(**{name: None})), SubscribeOptions())

    def test_defaults(self) -> None:
        """Without options: chats, statistics, what is mirrored too, and nothing of the past."""
        options = read_options(self.command())
        self.assertEqual(options, SubscribeOptions())
        self.assertEqual(
            (options.id, options.events, options.stats, options.mirrored), (None, None, True, True)
        )
        self.assertEqual((options.history, options.since), (0, None))
        self.assertEqual((options.wait, options.lives), (False, "first"))
        self.assertEqual((options.filter, options.hold), (None, 0))

    def test_id(self) -> None:
        """A text or a number of at most 64 characters; true and false are not numbers."""
        self.check(
            "id",
            ["", "a", "x" * 64, "\N{GRINNING FACE}" * 64, 0, -7, 1.5, 10**63],
            ["x" * 65, True, False, [], {}, [1], 10**64],
        )
        for huge in (b"1e999", b"9" * 5000):
            with self.assertRaises(ChatError):
                read_id(decode_command(b'{"id":' + huge + b"}"))

    def test_readable_id(self) -> None:
        """For an answer a wrong `id` is as if there were none."""
        self.assertEqual(self.command(id=7).id, 7)
        self.assertIsNone(self.command(id=[7]).id)
        self.assertIsNone(self.command().id)

    def test_events(self) -> None:
        """True, false, or a list of texts."""
        self.check("events", [True, False, [], ["raid"]], ["raid", 1, 0, {}, [1], [None], [[]]])

    def test_stats(self) -> None:
        """True, false, or seconds from 1 to 3600."""
        self.check("stats", [True, False, 1, 1.5, 3600], [0, 0.99, 3601, -1, "5", [], {}])

    def test_mirrored(self) -> None:
        """True or false."""
        self.check("mirrored", [True, False], [0, 1, "true", [], {}])

    def test_wait(self) -> None:
        """True or false."""
        self.check("wait", [True, False], [0, 1, "true", [], {}])

    def test_lives(self) -> None:
        """One of two words."""
        self.check("lives", ["first", "all"], ["", "All", "both", True, False, 0, 1, [], {}])

    def test_hold(self) -> None:
        """Seconds from 0 to 60."""
        self.check("hold", [0, 0.5, 1, 60], [-1, -0.1, 60.1, "5", True, False, [], {}])

    def test_filter(self) -> None:
        """An object; what it holds is read condition by condition."""
        self.check("filter", [], ["x", 1, True, False, [], ["only_words"]])
        self.assertEqual(read_options(self.command(filter={})).filter, Filter())
        asked = {"only_users": ["@ann"], "max_length": 7, "only_words": None}
        options = read_options(self.command(filter=asked))
        self.assertEqual(options.filter, Filter(only_users=["@ann"], max_length=7))

    def test_conditions(self) -> None:
        """A wrong or unknown condition is answered with its name: it must not pass everything."""
        lists = [field.name for field in fields(Filter) if field.name != "max_length"]
        of_texts = [name for name in lists if name not in ("only_types", "only_roles")]
        no_lists: list[object] = ["x", 1, True, {}, [1], [None], [[]]]
        no_lengths: list[object] = [-1, 1.5, "5", True, []]
        wrong: list[tuple[str, object]] = [
            *((name, value) for name in lists for value in no_lists),
            *((name, [value]) for name in of_texts for value in ("", "x" * 101)),
            *((name, ["x"] * 101) for name in of_texts),
            ("only_types", ["paid"]),
            ("only_types", ["chat"] * 101),
            ("only_roles", ["Moderator"]),
            *(("max_length", value) for value in no_lengths),
            ("only_word", ["x"]),
            ("", []),
            ("ONLY_WORDS", None),
        ]
        for name, value in wrong:
            with self.assertRaises(ChatError) as caught:
                read_options(self.command(filter={"max_length": 5, name: value}))
            error = caught.exception
            self.assertIs(error.code, ErrorCode.INVALID_OPTION)
            self.assertEqual(error.details, f"filter.{name}", value)
        with self.assertRaises(ChatError) as caught:
            read_options(self.command(filter={"x" * 1000: 1}))
        self.assertEqual(caught.exception.details, "filter." + "x" * 100)
        for name in of_texts:
            most = ["\N{GRINNING FACE}" * 100] * 100
            options = read_options(self.command(filter={name: most}))
            self.assertEqual(getattr(options.filter, name), most)

    def test_history(self) -> None:
        """A whole number from 0 to 1000."""
        self.check("history", [0, 1, 1000], [-1, 1001, 1.5, True, False, "5", [], {}])

    def test_since(self) -> None:
        """An epoch and a number; more keys do no harm."""
        options = read_options(self.command(since={"epoch": "e1", "seq": 5, "x": [1]}))
        self.assertEqual(options.since, Since("e1", 5))
        self.check(
            "since",
            [],
            [
                {},
                {"epoch": "e"},
                {"seq": 1},
                {"epoch": "e", "seq": -1},
                {"epoch": "e", "seq": 1.5},
                {"epoch": "e", "seq": True},
                {"epoch": "e", "seq": "1"},
                {"epoch": "e", "seq": None},
                {"epoch": 1, "seq": 1},
                {"epoch": None, "seq": 1},
                {"epoch": "e" * 65, "seq": 1},
                "e:1",
                5,
                True,
                False,
                [],
                ["e", 1],
            ],
        )


class DescriptionTests(SynchronousTestCase):
    """The structs describe the commands completely, for those who make contracts of them."""

    def test_every_field_is_explained(self) -> None:
        """Each field of each command is named in the docstring of its struct or of its base."""
        for struct in (*ClientMessage.__args__, Since, Filter):
            texts = [base.__doc__ or "" for base in struct.__mro__]
            for field in fields(struct):
                explained = any(f":ivar {field.name}:" in text for text in texts)
                self.assertTrue(explained, f"{struct.__name__}.{field.name}")

    def test_the_options_agree(self) -> None:
        """What the structs accept, the reader accepts, and the reverse."""
        decoder = msgspec.json.Decoder(ClientMessage)
        wanted: list[dict[str, Any]] = [
            {"id": "x" * 64, "events": True, "stats": 5, "mirrored": False, "history": 7},
            {"id": True},
            {"events": 1},
            {"stats": 0},
            {"mirrored": 0},
            {"history": -1},
            {"since": {"epoch": "e", "seq": 0}},
            {"since": {"epoch": "e"}},
            {"wait": True, "lives": "all"},
            {"wait": 1},
            {"lives": "both"},
            {"hold": 60, "filter": {"only_types": ["super_chat"], "only_roles": None}},
            {"hold": 61},
            {"filter": []},
            {"filter": {"only_words": [""]}},
            {"filter": {"only_words": ["x"] * 101}},
            {"filter": {"only_word": []}},
        ]
        for options in wanted:
            text = msgspec.json.encode({"type": "subscribe", "identifier": "ann", **options})
            try:
                decoder.decode(text)
                described = True
            except msgspec.ValidationError:
                described = False
            try:
                read_options(decode_command(text))
                read = True
            except ChatError:
                read = False
            self.assertEqual(described, read, options)
