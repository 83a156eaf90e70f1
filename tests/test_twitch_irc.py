# SPDX-License-Identifier: MIT
"""The line protocol of Twitch chat: bytes to lines, lines to parts, and the lines we send."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.twitch.parse import irc
from livechat.platforms.twitch.parse.irc import Line, LineReader, parse_line
from tests.support.corpus import corpus
from tests.support.twitch_lines import recorded

bounded = settings(deadline=None, database=None, max_examples=200)

_KEYS = st.text("abcdefghijklmnopqrstuvwxyz-/0123456789", min_size=1, max_size=12)
_VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_WORDS = st.text("abcXYZ#!@.:;=\\~0123456789\téü😂", min_size=1, max_size=12).filter(
    lambda word: word[0] != ":"
)
_NAMES = st.from_regex(r"[a-z0-9_]{1,25}", fullmatch=True)


def escaped(value: str) -> str:
    """A tag value as it stands on the wire."""
    pairs = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
    return "".join(pairs.get(c, c) for c in value)


class ParseTests(SynchronousTestCase):
    """A line falls into tags, prefix, command and parameters."""

    def test_vectors(self) -> None:
        """All vectors of the IRC community come out as they say."""
        text = corpus("twitch/irc/ircdocs_msg-split.yaml").read_text()
        vectors = yaml.safe_load(text)["tests"]
        for vector in vectors:
            atoms = vector["atoms"]
            expected = Line(
                atoms.get("tags", {}),
                atoms.get("source", ""),
                atoms["verb"],
                atoms.get("params", []),
            )
            self.assertEqual(parse_line(vector["input"].encode()), expected, vector["input"])
        self.assertEqual(len(vectors), 35)

    def test_recorded_lines(self) -> None:
        """Every recorded line has its parts, and the commands are those of the recordings."""
        commands = Counter[str]()
        for name, raw in recorded().items():
            line = parse_line(raw)
            assert line is not None, name
            commands[line.command] += 1
        self.assertEqual(
            commands,
            {
                "PRIVMSG": 3537,
                "CLEARCHAT": 67,
                "USERNOTICE": 48,
                "NOTICE": 13,
                "ROOMSTATE": 7,
                "CLEARMSG": 4,
                "USERSTATE": 4,
                "WHISPER": 3,
                "GLOBALUSERSTATE": 2,
                "HOSTTARGET": 2,
                "MODE": 2,
                "376": 1,
                "JOIN": 1,
                "PART": 1,
                "PING": 1,
                "PONG": 1,
                "RECONNECT": 1,
            },
        )

    def test_no_command(self) -> None:
        """What has no command is no line."""
        for raw in (
            b"",
            b" ",
            b":",
            b"@",
            b"@a=b",
            b"@a=b ",
            b":src",
            b":src ",
            b"@a :b ",
            b"::x :y",
        ):
            self.assertIsNone(parse_line(raw), raw)

    def test_first_equals_sign(self) -> None:
        """A tag value may hold more equals signs."""
        line = parse_line("@display-name=display-name=테스트;empty;b== PING".encode())
        assert line is not None
        self.assertEqual(line.tags, {"display-name": "display-name=테스트", "empty": "", "b": "="})

    def test_escapes_in_one_pass(self) -> None:
        """An escaped backslash before an `s` is a backslash and an `s`."""
        line = parse_line(rb"@a=\\s;b=\\\s;c=\s\:\r\n\x\\;d=end\ PING")
        assert line is not None
        self.assertEqual(line.tags, {"a": r"\s", "b": "\\ ", "c": " ;\r\nx\\", "d": "end"})

    def test_not_utf8(self) -> None:
        """Bytes that are not UTF-8 cost themselves, not the line."""
        line = parse_line(b"@a=\xff PRIVMSG #b :c\xc3\x28d")
        self.assertEqual(line, Line({"a": "\ufffd"}, "", "PRIVMSG", ["#b", "c\ufffd(d"]))

    def test_names(self) -> None:
        """Nick and channel are read off where there are such."""
        line = parse_line(b":ada!ada@ada.tmi.twitch.tv JOIN #hopper")
        assert line is not None
        self.assertEqual((line.nick, line.channel), ("ada", "hopper"))
        line = parse_line(b":tmi.twitch.tv NOTICE * :x")
        assert line is not None
        self.assertEqual((line.nick, line.channel), ("", ""))
        line = parse_line(b"RECONNECT")
        assert line is not None
        self.assertEqual((line.nick, line.channel), ("", ""))

    @bounded
    @given(
        st.dictionaries(_KEYS, _VALUES, max_size=6),
        st.sampled_from(["", "tmi.twitch.tv", "ada!ada@ada.tmi.twitch.tv"]),
        st.tuples(st.sampled_from(["PRIVMSG", "001"]), st.lists(_WORDS, max_size=3)),
        st.none() | st.text("ab :;@=\\😂", max_size=12),
        st.sampled_from([" ", "  ", "    "]),
    )
    def test_what_was_written_is_read(
        self,
        tags: dict[str, str],
        prefix: str,
        words: tuple[str, list[str]],
        trailing: str | None,
        gap: str,
    ) -> None:
        """A line put together by the grammar comes apart into the same parts."""
        command, middle = words
        written = "@" + ";".join(f"{k}={escaped(v)}" for k, v in tags.items()) + gap if tags else ""
        written += f":{prefix}{gap}" if prefix else ""
        written += gap.join([command, *middle])
        written += "" if trailing is None else f" :{trailing}"
        params = middle if trailing is None else [*middle, trailing]
        self.assertEqual(parse_line(written.encode()), Line(tags, prefix, command, params))

    @bounded
    @given(st.binary(max_size=200) | st.text("@;=\\: #!\r\t\x01aZ0é", max_size=60).map(str.encode))
    def test_any_bytes(self, raw: bytes) -> None:
        """No bytes make the reader raise, and a command is always a word."""
        line = parse_line(raw)
        self.assertTrue(line is None or line.command.isalnum())


class LineReaderTests(SynchronousTestCase):
    """A stream of bytes becomes lines, however it is cut."""

    def test_ends(self) -> None:
        """CR LF and bare LF end a line; empty lines are none; the rest waits for its end."""
        reader = LineReader()
        self.assertEqual(reader.feed(b"a\r\nb\n\r\n\nc\r\r\nd"), [b"a", b"b", b"c\r"])
        self.assertEqual(reader.feed(b""), [])
        self.assertEqual(reader.feed(b"e\r"), [])
        self.assertEqual(reader.feed(b"\n"), [b"de"])

    def test_overlong(self) -> None:
        """An overlong line is dropped and counted once; its neighbours are not touched."""
        reader = LineReader(8)
        self.assertEqual(reader.feed(b"12345678\n123456789\nok\n12345678"), [b"12345678", b"ok"])
        self.assertEqual(reader.overflows, 1)
        self.assertEqual(reader.feed(b"9"), [])
        self.assertEqual(reader.overflows, 2)
        self.assertEqual(reader.feed(b"more of it" * 10), [])
        self.assertEqual(reader.feed(b" and its end\nnext\n"), [b"next"])
        self.assertEqual(reader.overflows, 2)

    def test_default_limit(self) -> None:
        """64 KiB are read, one byte more is not."""
        reader = LineReader()
        fits = b"x" * 65536
        self.assertEqual(reader.feed(fits + b"\n" + fits + b"y\n"), [fits])
        self.assertEqual(reader.overflows, 1)

    def test_byte_by_byte(self) -> None:
        """A long line that drips in one byte at a time is the same line."""
        reader = LineReader()
        raw = bytes(range(32, 127)) * 600 + b"\r\n"
        lines = [line for at in range(len(raw)) for line in reader.feed(raw[at : at + 1])]
        self.assertEqual(lines, [raw[:-2]])

    @bounded
    @given(
        st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"\r\n", b"\r", b"x" * 15])),
        st.lists(st.integers(0, 200), max_size=20),
    )
    def test_any_split(self, parts: list[bytes], cuts: list[int]) -> None:
        """Any split of a stream gives the same lines and the same count."""
        stream = b"".join(parts)
        whole, cut = LineReader(10), LineReader(10)
        places = sorted({min(at, len(stream)) for at in (0, *cuts, len(stream))})
        pieces = [stream[a:b] for a, b in pairwise(places)]
        self.assertEqual([line for p in pieces for line in cut.feed(p)], whole.feed(stream))
        self.assertEqual(cut.overflows, whole.overflows)

    def test_any_split_of_the_recording(self) -> None:
        """The recorded busy channel gives the same 3,000 lines whole and in odd-sized pieces."""
        stream = corpus("twitch/irc/xqcow_2019-09-15_first3000.txt").read_bytes()
        expected = stream.rstrip(b"\n").split(b"\n")
        self.assertEqual(len(expected), 3000)
        for size in (1, 7, 1460, 16384, len(stream)):
            reader = LineReader()
            lines = [
                line
                for at in range(0, len(stream), size)
                for line in reader.feed(stream[at : at + size])
            ]
            self.assertEqual(lines, expected)


class SentTests(SynchronousTestCase):
    """The lines that we send."""

    def test_login(self) -> None:
        """One capability line, then the nick; no password."""
        self.assertEqual(
            irc.login_lines("justinfan12345"),
            b"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan12345\r\n",
        )

    def test_channels(self) -> None:
        """Several channels go into one line; none give no line."""
        self.assertEqual(irc.join(["a", "b_1"]), b"JOIN #a,#b_1\r\n")
        self.assertEqual(irc.part(["a"]), b"PART #a\r\n")
        self.assertEqual(irc.join([]), b"")

    @bounded
    @given(st.lists(_NAMES, max_size=90))
    def test_no_line_too_long(self, logins: list[str]) -> None:
        """However many channels, no line is longer than 510 bytes and none is lost or reordered."""
        lines = irc.join(logins).split(b"\r\n")
        self.assertEqual(lines.pop(), b"")
        named = [c for line in lines for c in line.removeprefix(b"JOIN #").split(b",#")]
        self.assertEqual(named, [login.encode() for login in logins])
        self.assertTrue(all(len(line) <= 510 for line in lines))
        # As few lines as they fit: the first channel of a line had no room in the line before.
        for line, after in pairwise(lines):
            self.assertGreater(len(line) + 1 + len(after[5:].split(b",")[0]), 510)

    def test_full_line(self) -> None:
        """A line is filled to its last byte before the next one is begun."""
        logins = ["x" * 25] * 18 + ["y" * 18]
        self.assertEqual(len(irc.join(logins)), 512)
        self.assertEqual(irc.join([*logins[:-1], "y" * 19]).count(b"JOIN"), 2)

    def test_bad_names(self) -> None:
        """What is not a login can neither join another room nor become a command."""
        for bad in ("", "Upper", "a,#b", "a b", "a\r\nPART #b", "a\n", "ä", "x" * 26, "#a", "K"):
            for send in (irc.join, irc.part):
                self.assertRaises(ValueError, send, ["ok", bad])
            self.assertRaises(ValueError, irc.login_lines, bad)

    def test_ping(self) -> None:
        """The server's token comes back as it was, short of what would end the line."""
        self.assertEqual(irc.ping(), b"PING :livechat\r\n")
        self.assertEqual(irc.pong("tmi.twitch.tv"), b"PONG :tmi.twitch.tv\r\n")
        self.assertEqual(irc.pong("a b\r\nQUIT\0"), b"PONG :a bQUIT\r\n")
        self.assertEqual(len(irc.pong("é" * 600)), 512)
