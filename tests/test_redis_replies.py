# SPDX-License-Identifier: MIT
"""Answers of Redis from bytes, however they are cut; what is none ends the reading."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from txredisapi import ResponseError

from livechat.redis.replies import MAX_ELEMENTS, NotRedis, Replies

_ELEMENTS = st.one_of(
    st.binary(max_size=40),
    st.none(),
    st.integers(-(10**18), 10**18),
    st.text("abc :$*+-", max_size=10),
)


def written(reply: object) -> bytes:
    """An answer as Redis writes it."""
    match reply:
        case None:
            return b"$-1\r\n"
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case int():
            return b":%d\r\n" % reply
        case str():
            return f"+{reply}\r\n".encode()
        case list():
            return b"*%d\r\n" % len(reply) + b"".join(map(written, reply))
    raise TypeError(reply)


class RepliesTests(SynchronousTestCase):
    """One reader."""

    @settings(deadline=None, database=None, max_examples=100)
    @given(st.lists(st.one_of(_ELEMENTS, st.lists(_ELEMENTS, max_size=4))), st.data())
    def test_cut(self, replies: list[object], data: st.DataObject) -> None:
        """Wherever the bytes are cut, each answer comes once, in order, as soon as it is there."""
        reader, rest = Replies(1 << 20), b"".join(map(written, replies))
        found: list[object] = []
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            found += reader.feed(rest[:size])
            rest = rest[size:]
        self.assertEqual(found, replies)

    def test_complete(self) -> None:
        """An answer is given before the next one is complete."""
        reader = Replies(100)
        self.assertEqual(list(reader.feed(b":1\r\n$2\r\na")), [1])
        self.assertEqual(list(reader.feed(b"b\r\n")), [b"ab"])

    def test_error(self) -> None:
        """An error is a value, also in a list."""
        (alone,) = Replies(100).feed(b"-ERR no\r\n")
        self.assertIsInstance(alone, ResponseError)
        self.assertEqual(str(alone), "ERR no")
        (both,) = Replies(100).feed(b"*1\r\n-no\r\n")
        assert isinstance(both, list)
        self.assertIsInstance(both[0], ResponseError)

    def refused(self, data: bytes, said: str, max_reply: int = 1000) -> None:
        """It is none, at once and byte by byte."""
        for parts in ([data], [bytes([one]) for one in data]):
            reader = Replies(max_reply)
            with self.assertRaisesRegex(NotRedis, said):
                for part in parts:
                    list(reader.feed(part))

    def test_wrong(self) -> None:
        """Other protocols, broken numbers, lists in lists, lines that are no text."""
        for data in (
            b"HTTP/1.1 400\r\n",
            b"$x\r\n",
            b"$-7\r\n",
            b"*1e3\r\n",
            b":\r\n",
            b":1_0\r\n",
        ):
            self.refused(data, "not Redis's")
        for data in (b"*1\r\n*1\r\n", b"+\xff\r\n", b"\r\n", b"$ 1\r\n", b"$00000000001\r\n"):
            self.refused(data, "not Redis's")

    def test_too_long(self) -> None:
        """What is announced, what comes in many parts, and a line without end."""
        self.refused(b"$1001\r\n", "too long: .1001")
        self.refused(b"*%d\r\n" % (MAX_ELEMENTS + 1), "too long")
        self.refused(b"*900\r\n" + b"$100\r\n%b\r\n" % (b"x" * 100) * 12, "more than 1000")
        with self.assertRaisesRegex(NotRedis, "not Redis's"):
            list(Replies(1 << 20).feed(b"+" * 20_000))
