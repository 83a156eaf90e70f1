# SPDX-License-Identifier: MIT
"""Writing to many at once: both ways keep the contract, and what a system may refuse."""

from __future__ import annotations

import ctypes
import errno
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from twisted.trial.unittest import SynchronousTestCase

from livechat.core.ports import IWriter
from livechat.transports import writers
from livechat.transports.writers import BatchWriter, BestWriter, EachWriter
from tests.contracts.writer import WriterContract
from tests.support.sockets import pair

ROOT: Final = Path(__file__).resolve().parents[1]


class EachWriterTests(WriterContract, SynchronousTestCase):
    """A system call for each."""

    def make_writer(self) -> IWriter:
        """The plain one."""
        return EachWriter()


class BatchWriterTests(WriterContract, SynchronousTestCase):
    """A system call for many."""

    def make_writer(self) -> IWriter:
        """One with its usual measures: many are one and a half batches."""
        return BatchWriter()


class BestWriterTests(WriterContract, SynchronousTestCase):
    """Whichever is the best here."""

    def make_writer(self) -> IWriter:
        """The one that the daemon has."""
        return BestWriter()

    def test_made_before_a_fork(self) -> None:
        """A process that becomes a daemon after it was made has the best all the same."""
        command = [sys.executable, "-c", FORKED]
        done = subprocess.run(command, cwd=ROOT, timeout=30, check=False)
        self.assertEqual(done.returncode, 0)


#: Exits with 0 if a child writes to 40 at once, with a writer that its parent made.
FORKED: Final = """
import os, socket
from livechat.transports.writers import BatchWriter, BestWriter
writer = BestWriter()
child = os.fork()
if child:
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
pairs = [socket.socketpair() for _ in range(40)]
for near, _ in pairs:
    near.setblocking(False)
written = writer.write([near.fileno() for near, _ in pairs], b"abc")
os._exit(written != [3] * 40 or not isinstance(writer._writer, BatchWriter))
"""


class RefusingTests(SynchronousTestCase):
    """A system that stops doing it in the middle of the day."""

    def setUp(self) -> None:
        """Forty to write to, and a writer that has written to them."""
        pairs = [pair(self) for _ in range(40)]
        self.near = [near.fileno() for near, _ in pairs]
        self.far = [far for _, far in pairs]
        self.writer = BestWriter()
        self.assertEqual(self.writer.write(self.near, b"abc"), [3] * 40)

    def refuse(self, name: str, answer: int) -> None:
        """From now on one of the calls fails."""
        writer: Any = self.writer._writer
        self.assertIsInstance(writer, BatchWriter)
        number, call = getattr(writer._numbers, name), writer._call

        def refusing(asked: int, *arguments: Any) -> int:
            if asked != number:
                return int(call(asked, *arguments))
            ctypes.set_errno(answer)
            return -1

        self.patch(writer, "_call", refusing)

    def test_takes_up_nothing(self) -> None:
        """Then each is written to in turn."""
        self.refuse("submit", errno.EINVAL)
        self.assertEqual(self.writer.write(self.near, b"def"), [3] * 40)
        self.assertEqual([end.recv(9) for end in self.far], [b"abcdef"] * 40)

    def test_says_nothing(self) -> None:
        """What became of that is unknown and raised; what comes after it is told rightly."""
        self.refuse("getevents", errno.EFAULT)
        with self.assertRaises(OSError):
            self.writer.write(self.near, b"def")
        self.assertEqual(self.writer.write(self.near, b"ghijk"), [5] * 40)
        self.assertEqual([end.recv(99) for end in self.far], [b"abcdefghijk"] * 40)


class SmallBatchWriterTests(WriterContract, SynchronousTestCase):
    """A system call for few, so that some are several batches and many are several rounds."""

    def make_writer(self) -> IWriter:
        """One with small measures."""
        self.patch(writers, "FEW", 1)
        self.patch(writers, "BATCH", 7)
        self.patch(writers, "SLOTS", 25)
        return BatchWriter()


class System:
    """A C library whose `syscall` answers as the test says, by the number of the call.

    :ivar asked: the numbers of the calls.
    """

    def __init__(self, **answers: int) -> None:
        names = writers._NUMBERS["x86_64"]
        self.answers = {getattr(names, name): answer for name, answer in answers.items()}
        self.asked: list[int] = []
        self.syscall = self.Function(self)

    class Function:
        """A function of it: ctypes' have attributes that are set."""

        restype: Any
        argtypes: Any

        def __init__(self, system: System) -> None:
            self.system = system

        def __call__(self, number: int, *arguments: object) -> int:
            """A system call."""
            self.system.asked.append(number)
            answer = self.system.answers.get(number, 0)
            if answer < 0:
                ctypes.set_errno(-answer)
            return max(-1, answer)


class RefusedTests(SynchronousTestCase):
    """Where it cannot be had, the plain way is taken."""

    def on(self, **answers: int) -> System:
        """Stand on a system of which is known what it answers."""
        system = System(**answers)
        self.patch(platform, "machine", lambda: "x86_64")
        self.patch(ctypes, "CDLL", lambda *_, **__: system)
        return system

    def best(self) -> IWriter:
        """What is taken at the first write."""
        writer = BestWriter()
        self.assertEqual(writer.write([], b""), [])
        chosen = writer._writer
        assert chosen is not None
        return chosen

    def test_here(self) -> None:
        """Where the tests run it can be had, or they show little."""
        self.assertIsInstance(self.best(), BatchWriter)

    def test_unknown_machine(self) -> None:
        """Other machines have other numbers: none is guessed."""
        self.patch(platform, "machine", lambda: "pdp11")
        self.assertIsInstance(self.best(), EachWriter)

    def test_forbidden(self) -> None:
        """A system that forbids it, or has no room for it, says so when it is asked."""
        for why in (errno.EPERM, errno.ENOSYS, errno.EAGAIN):
            self.on(setup=-why)
            with self.assertRaises(OSError) as caught:
                BatchWriter()
            self.assertEqual(caught.exception.errno, why)
            self.assertIsInstance(self.best(), EachWriter)

    def test_pretended(self) -> None:
        """A system that lets us begin and then writes nothing is found out before it matters."""
        for answer in (0, -errno.EINVAL):
            self.on(submit=answer)
            self.assertIsInstance(self.best(), EachWriter)

    def test_outcome_lost(self) -> None:
        """So is one that takes writes and does not say what became of them."""
        for answer in (0, -errno.EFAULT):
            self.on(submit=2, getevents=answer)
            self.assertIsInstance(self.best(), EachWriter)

    def test_given_back(self) -> None:
        """What the system set aside is given back with the writer."""
        system = self.on(submit=-errno.EINVAL)
        self.best()
        numbers = writers._NUMBERS["x86_64"]
        self.assertEqual((system.asked[0], system.asked[-1]), (numbers.setup, numbers.destroy))
