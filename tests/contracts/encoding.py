# SPDX-License-Identifier: MIT
"""What every `IEncoding` does, however its subscribers are written to."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.core.clients import IEncoding, ISubscriber, Place
from livechat.model.events import ChannelKey

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    _Case = object

#: Nobody, one, several, and more than a few at once.
COUNTS = (0, 1, 21, 90)

#: Messages of every size of a frame's head, empty and hard to compress.
MESSAGES = (
    b"",
    b"{}",
    b"a" * 125,
    b"b" * 126,
    Random(1).randbytes(600).replace(b"\n", b"n"),
    b"c" * 70_000,
)


class EncodingContract(_Case):
    """The contract; a test case beside it makes an encoding and its subscribers."""

    def make_encoding(self) -> IEncoding:
        """The encoding."""
        raise NotImplementedError

    def make_end(self) -> ISubscriber:
        """A subscriber of the encoding that reads."""
        raise NotImplementedError

    def trouble(self) -> list[ISubscriber]:
        """Subscribers that cannot take anything now: full, broken, closed."""
        raise NotImplementedError

    def received(self, subscriber: ISubscriber) -> bytes:
        """All bytes that have reached the far end since the last call."""
        raise NotImplementedError

    def decoded(self, data: bytes) -> list[bytes]:
        """The messages in encoded bytes."""
        raise NotImplementedError

    def test_provides(self) -> None:
        """It provides the port, and its subscribers name it."""
        encoding = self.make_encoding()
        self.assertTrue(verifyObject(IEncoding, encoding))
        self.assertIs(self.make_end().encoding, encoding)

    def test_encode(self) -> None:
        """The same message is the same bytes each time, and can be read again."""
        encoding = self.make_encoding()
        for message in MESSAGES:
            data = encoding.encode(message)
            self.assertEqual(encoding.encode(message), data)
            self.assertEqual(self.decoded(data), [message])

    def test_publications(self) -> None:
        """A publication can be told that it is one, and is read like every message."""
        encoding = self.make_encoding()
        place = Place(ChannelKey("twitch", "username", "ann"), "epoch", 7)
        for message in MESSAGES:
            data = encoding.encode(message, place)
            self.assertEqual(encoding.encode(message, place), data)
            self.assertEqual(self.decoded(data), [message])

    def test_joined(self) -> None:
        """Encoded messages may be joined: they are read one after the other."""
        encoding = self.make_encoding()
        data = b"".join(encoding.encode(message) for message in MESSAGES)
        self.assertEqual(self.decoded(data), list(MESSAGES))

    def test_all(self) -> None:
        """Each of them has all of it, and what is written later comes behind it."""
        encoding = self.make_encoding()
        for count in COUNTS:
            ends = [self.make_end() for _ in range(count)]
            for data in (b"one", b"\x00two"):
                encoding.write(ends, data)
            self.assertEqual([self.received(end) for end in ends], [b"one\x00two"] * count)

    def test_others(self) -> None:
        """It is given others each time, also in the same list."""
        encoding = self.make_encoding()
        ends = [self.make_end() for _ in range(6)]
        given = ends[:2]
        encoding.write(given, b"1")
        encoding.write(ends[::-1], b"2")
        given[:] = ends[4:]
        encoding.write(given, b"3")
        self.assertEqual(
            [self.received(end) for end in ends], [b"12"] * 2 + [b"2"] * 2 + [b"23"] * 2
        )

    def test_trouble(self) -> None:
        """Subscribers that can take nothing raise nothing and cost no other a byte."""
        encoding = self.make_encoding()
        ends = [self.make_end() for _ in range(4)]
        troubled = self.trouble()
        mixed = [*troubled, *ends[:2], *troubled, *ends[2:], *troubled]
        for _ in range(3):
            encoding.write(mixed, b"abc")
        encoding.write(troubled, b"abc")
        self.assertEqual([self.received(end) for end in ends], [b"abc" * 3] * 4)
