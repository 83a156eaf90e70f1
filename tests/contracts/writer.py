# SPDX-License-Identifier: MIT
"""What every `IWriter` does, however many it writes to at once."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Final

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.core.ports import IWriter
from tests.support.sockets import everything, pair

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    _Case = object

#: How many descriptors are written to: one, some, and more than a few batches.
SOME: Final = 21
MANY: Final = 90


class WriterContract(_Case):
    """The contract; a test case beside it says how to make one."""

    def make_writer(self) -> IWriter:
        """A writer."""
        raise NotImplementedError

    def ends(self, count: int) -> tuple[list[int], list[socket.socket]]:
        """Descriptors to write to, whose buffers hold little, and their far ends."""
        pairs = [pair(self) for _ in range(count)]
        return [near.fileno() for near, _ in pairs], [far for _, far in pairs]

    def test_provides(self) -> None:
        """It provides the port."""
        self.assertTrue(verifyObject(IWriter, self.make_writer()))

    def test_all(self) -> None:
        """Nobody, one, some or many: each has all of it, and what comes later comes behind it."""
        writer = self.make_writer()
        for count in (0, 1, SOME, MANY):
            near, far = self.ends(count)
            for frames in (b"a", b"\x81\x03b\0c"):
                self.assertEqual(writer.write(near, frames), [len(frames)] * count)
            self.assertEqual([everything(end) for end in far], [b"a\x81\x03b\0c"] * count)

    def test_others(self) -> None:
        """It is asked about others each time, also in the same list."""
        writer = self.make_writer()
        near, far = self.ends(MANY)
        asked = near[:SOME]
        writer.write(asked, b"1")
        writer.write(near[SOME : 2 * SOME], b"2")
        writer.write(near[::-1], b"3")
        asked[:] = near[-SOME:]
        writer.write(asked, b"4")
        expected = [b"13"] * SOME + [b"23"] * SOME + [b"3"] * (MANY - 3 * SOME) + [b"34"] * SOME
        self.assertEqual([everything(end) for end in far], expected)

    def test_part(self) -> None:
        """What does not fit is counted to the byte."""
        writer = self.make_writer()
        frames = os.urandom(300_000)
        for count in (1, MANY):
            near, far = self.ends(count)
            written = writer.write(near, frames)
            for taken, end in zip(written, far, strict=True):
                self.assertGreater(taken, 0)
                self.assertLess(taken, len(frames))
                self.assertEqual(everything(end), frames[:taken])

    def test_troubled(self) -> None:
        """Full, broken, closed, none at all: 0 each, and it costs no other a byte."""
        writer = self.make_writer()
        for count in (SOME, MANY):
            near, far = self.ends(count)
            troubled = {0, 4, 7, 8, count - 2, count - 1}
            for index in (0, 8):
                while self.fill(near[index]):
                    pass
            for index in (4, count - 1):
                far[index].close()
            near[7] = os.dup(near[7])
            os.close(near[7])
            near[count - 2] = -1
            written = writer.write(near, b"abc")
            for index in range(count):
                if index in troubled:
                    self.assertEqual(written[index], 0)
                else:
                    self.assertEqual((written[index], everything(far[index])), (3, b"abc"))

    def fill(self, descriptor: int) -> bool:
        """Put something into a buffer, unless it is full."""
        try:
            return bool(os.write(descriptor, b"x" * 512))
        except BlockingIOError:
            return False

    def test_nobody_can(self) -> None:
        """Everybody in trouble is no trouble."""
        writer = self.make_writer()
        self.assertEqual(writer.write([-1] * MANY, b"abc"), [0] * MANY)

    def test_nothing_kept(self) -> None:
        """What was written is let go of: joined frames may be megabytes."""
        writer = self.make_writer()
        near, _ = self.ends(MANY)
        frames = os.urandom(16)
        before = sys.getrefcount(frames)
        writer.write(near, frames)
        self.assertEqual(sys.getrefcount(frames), before)
