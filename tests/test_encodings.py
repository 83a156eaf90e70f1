# SPDX-License-Identifier: MIT
"""Encodings: the contract, and how bytes get to descriptors that are full, broken or closed."""

from __future__ import annotations

import os
import socket
import sys
import zlib

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from livechat.access import EVERYTHING, Grant
from livechat.core.ports import IEncoding, ISubscriber, Requester
from livechat.model.errors import CloseCode
from livechat.transports.encodings import DEFLATED, PLAIN, write_each
from tests.contracts.encoding import EncodingContract
from tests.support.fakes import KeptMessages, LineEncoding, unframed
from tests.support.sockets import everything, pair

_DEFLATED_TEXT = 0xC1


def inflated(data: bytes) -> list[bytes]:
    """Payloads of text frames, of which some are compressed."""
    payloads = []
    while data:
        first, size, at = data[0], data[1], 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
        payload = data[at : at + size]
        if first == _DEFLATED_TEXT:
            payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
        else:
            assert first == 0x81, f"not a text frame: {data[:8]!r}"
        payloads.append(payload)
        data = data[at + size :]
    return payloads


@implementer(ISubscriber)
class SocketSubscriber:
    """A subscriber with a descriptor, which keeps what it is given beside that.

    :ivar kept: bytes that did not fit into the descriptor.
    """

    def __init__(self, encoding: IEncoding, near: socket.socket, far: socket.socket) -> None:
        self.encoding: IEncoding = encoding
        self.pending: int = 0
        self.requester: Requester = Requester()
        self.grant: Grant = EVERYTHING
        self.direct = near.fileno()
        self.near, self.far = near, far
        self.kept = b""

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""
        self.write_encoded(self.encoding.encode(message))

    def write_encoded(self, data: bytes) -> None:
        """Keep it; as a transport does that holds bytes, it takes the descriptor away."""
        self.kept += data
        self.direct = -1

    def when_below(self, size: int) -> Deferred[None]:
        """See `ISubscriber`."""
        return succeed(None)

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""


class StreamCase(SynchronousTestCase):
    """Subscribers on real sockets whose buffers hold little."""

    encoding: IEncoding = PLAIN

    def make_encoding(self) -> IEncoding:
        """The encoding under test."""
        return self.encoding

    def make_end(self) -> SocketSubscriber:
        """A subscriber that reads."""
        return SocketSubscriber(self.encoding, *pair(self))

    def full(self) -> SocketSubscriber:
        """One whose buffer takes nothing more."""
        end = self.make_end()
        try:
            while True:
                os.write(end.direct, b"x" * 512)
        except BlockingIOError:
            return end

    def broken(self) -> SocketSubscriber:
        """One whose far end is closed."""
        end = self.make_end()
        end.far.close()
        return end

    def closed(self) -> SocketSubscriber:
        """One whose descriptor is none."""
        end = self.make_end()
        end.direct = os.dup(end.direct)
        os.close(end.direct)
        return end

    def trouble(self) -> list[ISubscriber]:
        """One of each kind, and one without a descriptor."""
        without = self.make_end()
        without.direct = -1
        return [self.full(), self.broken(), self.closed(), without]

    def received(self, subscriber: ISubscriber) -> bytes:
        """What came out at the far end."""
        assert isinstance(subscriber, SocketSubscriber)
        return everything(subscriber.far)


class PlainTests(StreamCase, EncodingContract):
    """`PLAIN` keeps the contract."""

    def decoded(self, data: bytes) -> list[bytes]:
        """Payloads of plain frames."""
        return unframed(data)


class DeflatedTests(StreamCase, EncodingContract):
    """`DEFLATED` keeps the contract."""

    encoding = DEFLATED

    def decoded(self, data: bytes) -> list[bytes]:
        """Payloads of frames, compressed or not."""
        return inflated(data)


class LineTests(EncodingContract, SynchronousTestCase):
    """The encoding that stands in for one in other tests keeps the contract."""

    def setUp(self) -> None:
        """One encoding."""
        self.encoding = LineEncoding()

    def make_encoding(self) -> IEncoding:
        """See the contract."""
        return self.encoding

    def make_end(self) -> KeptMessages:
        """See the contract."""
        return KeptMessages(self.encoding)

    def trouble(self) -> list[ISubscriber]:
        """Nothing ever goes wrong for one that keeps all."""
        return []

    def received(self, subscriber: ISubscriber) -> bytes:
        """What was kept."""
        assert isinstance(subscriber, KeptMessages)
        data, subscriber.writes = b"".join(subscriber.writes), []
        return data

    def decoded(self, data: bytes) -> list[bytes]:
        """One message a line: only messages without line ends are read again."""
        return data.removesuffix(b"\n").split(b"\n") if b"\n" in data else []


class DescriptorTests(StreamCase):
    """Where each byte goes: to the descriptor, or to the subscriber that has it."""

    def test_written(self) -> None:
        """What fits into the descriptor is not given to the subscriber."""
        ends = [self.make_end() for _ in range(3)]
        PLAIN.write(ends, b"12")
        self.assertEqual([(everything(end.far), end.kept) for end in ends], [(b"12", b"")] * 3)

    def test_mixed(self) -> None:
        """Those with a descriptor and those without get the same, wherever they stand."""
        ends = [self.make_end() for _ in range(5)]
        for end in ends[::2]:
            end.direct = -1
        PLAIN.write(ends, b"12")
        self.assertEqual([end.kept for end in ends], [b"12", b"", b"12", b"", b"12"])
        self.assertEqual([everything(end.far) for end in ends], [b"", b"12", b"", b"12", b""])

    def test_asked_anew(self) -> None:
        """A descriptor is used only as long as the subscriber names it."""
        end = self.make_end()
        descriptor = end.direct
        for data, direct in ((b"1", descriptor), (b"2", -1), (b"3", descriptor)):
            end.direct = direct
            PLAIN.write([end], data)
        self.assertEqual((everything(end.far), end.kept), (b"13", b"2"))

    def test_taken_away_meanwhile(self) -> None:
        """Writing to one may take another's descriptor away: then that one is asked, too."""
        first, second = self.make_end(), self.make_end()
        first.direct = -1

        def write_encoded(data: bytes) -> None:
            first.kept += data
            second.direct = -1

        self.patch(first, "write_encoded", write_encoded)
        PLAIN.write([second, first], b"1")
        self.assertEqual((second.kept, everything(second.far), first.kept), (b"1", b"", b"1"))

    def test_part(self) -> None:
        """What does not fit is given to the subscriber, from the very byte on."""
        data = os.urandom(300_000)
        for count in (1, 90):
            ends = [self.make_end() for _ in range(count)]
            PLAIN.write(ends, data)
            for end in ends:
                begun = everything(end.far)
                self.assertGreater(len(begun), 0)
                self.assertLess(len(begun), len(data))
                self.assertEqual(begun + end.kept, data)

    def test_full_or_broken(self) -> None:
        """Who cannot be written to at all is given everything, once."""
        makers = [self.full, self.make_end, self.broken, self.make_end, self.full, self.closed]
        ends = [make() for make in makers]
        PLAIN.write(ends, b"abc")
        for make, end in zip(makers, ends, strict=True):
            if make == self.make_end:
                self.assertEqual((everything(end.far), end.kept), (b"abc", b""))
            else:
                self.assertEqual(end.kept, b"abc")

    def test_counts(self) -> None:
        """How much each descriptor took is counted to the byte; 0 for one that took nothing."""
        ends = [self.make_end(), self.full(), self.make_end(), self.broken(), self.closed()]
        self.assertEqual(write_each([end.direct for end in ends], b"abc"), [3, 0, 3, 0, 0])
        self.assertEqual(write_each([], b"abc"), [])
        self.assertEqual(write_each([-1] * 90, b"abc"), [0] * 90)

    def test_nothing_kept(self) -> None:
        """What was written is let go of: joined messages may be megabytes."""
        ends = [self.make_end() for _ in range(90)]
        data = os.urandom(16)
        before = sys.getrefcount(data)
        PLAIN.write(ends, data)
        self.assertEqual(sys.getrefcount(data), before)
