# SPDX-License-Identifier: MIT
"""Writing the same bytes to many descriptors: one call in C for each, or one system call for many.

What a system call costs around the sending is a tenth of a delivery.  Linux takes many writes in
one call, `io_submit`: it is made for files, and where it meets a socket that does not block, each
write is tried at once and is done or refused when the call returns.  The C library has no function
for it, so it is called by its number, on machines of which that is known here (io_submit(2),
io_getevents(2); the structures are those of linux/aio_abi.h).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import sys
from array import array
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Final
from weakref import finalize

from msgspec import Struct
from twisted.logger import Logger
from zope.interface import implementer

from livechat.core.ports import IWriter

_log = Logger()

#: For fewer descriptors than this the preparations cost more than they save.
FEW: Final = 32

#: Writes in one system call.  Many more, and the system leaves what it does at the receiving end
#: of a local connection for later, up to a limit beyond which it loses packets.
BATCH: Final = 64

#: Writes in a row whose outcome is fetched at once.
SLOTS: Final = 512


@implementer(IWriter)
class EachWriter:
    """A system call for each descriptor, in a loop in C."""

    def write(self, descriptors: Sequence[int], frames: bytes) -> list[int]:
        """See `IWriter`."""
        written: list[int] = []
        writing = map(os.write, descriptors, repeat(frames))
        while len(written) < len(descriptors):
            try:
                written.extend(writing)
            except OSError:
                written.append(0)
        return written


class _Numbers(Struct, frozen=True):
    """The numbers of the system calls."""

    setup: int
    destroy: int
    getevents: int
    submit: int


#: By machine, as `platform.machine` names it.
_NUMBERS: Final[Mapping[str, _Numbers]] = {
    "x86_64": _Numbers(206, 207, 208, 209),
    "aarch64": _Numbers(0, 1, 4, 2),
    "riscv64": _Numbers(0, 1, 4, 2),
}

_PWRITEV: Final = 8


class _Request(ctypes.Structure):
    """`struct iocb` of a little-endian machine: one write."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("flags_of_write", ctypes.c_uint32),
        ("opcode", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("descriptor", ctypes.c_int32),
        ("buffers", ctypes.c_uint64),
        ("buffer_count", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("told", ctypes.c_uint32),
    )


class _Outcome(ctypes.Structure):
    """`struct io_event`: what became of a request; `result` is a count or a negative `errno`."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("request", ctypes.c_uint64),
        ("result", ctypes.c_int64),
        ("result2", ctypes.c_int64),
    )


class _Buffer(ctypes.Structure):
    """`struct iovec`: the bytes that all requests are to write."""

    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t))


@implementer(IWriter)
class BatchWriter:
    """A system call for each `BATCH` descriptors.

    :raises OSError: on being made, where the system does not do this or does not let us.
    """

    def __init__(self) -> None:
        numbers = _NUMBERS.get(platform.machine())
        if sys.platform != "linux" or numbers is None or sys.maxsize < 1 << 32:
            raise OSError(errno.ENOSYS, "not known on this machine")
        self._each = EachWriter()
        call = ctypes.CDLL(None, use_errno=True).syscall
        call.restype = ctypes.c_long
        # Whatever is passed by number is of a machine word's size.
        call.argtypes = (ctypes.c_long, *[ctypes.c_void_p] * 5)
        self._call = call
        self._numbers = numbers
        context = ctypes.c_void_p()
        if call(numbers.setup, SLOTS, ctypes.addressof(context), None, None, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._context = context
        finalize(self, call, numbers.destroy, context, None, None, None, None)
        self._buffer = _Buffer()
        self._requests = (_Request * SLOTS)()
        for index, request in enumerate(self._requests):
            request.data = index
            request.opcode = _PWRITEV
            request.buffers = ctypes.addressof(self._buffer)
            request.buffer_count = 1
        first, size = ctypes.addressof(self._requests), ctypes.sizeof(_Request)
        self._pointers = (ctypes.c_void_p * SLOTS)(*range(first, first + SLOTS * size, size))
        words = memoryview(self._requests).cast("B").cast("i")
        self._descriptors = words[_Request.descriptor.offset // 4 :: size // 4]
        # Those of the last time: with one channel they are the same again and again.
        self._prepared: Sequence[int] = []
        self._outcomes = (_Outcome * SLOTS)()
        words = memoryview(self._outcomes).cast("B").cast("q")
        step = ctypes.sizeof(_Outcome) // 8
        self._which = words[_Outcome.data.offset // 8 :: step]
        self._results = words[_Outcome.result.offset // 8 :: step]
        self._try()

    def write(self, descriptors: Sequence[int], frames: bytes) -> list[int]:
        """See `IWriter`."""
        if len(descriptors) < FEW:
            return self._each.write(descriptors, frames)
        written: list[int] = []
        for start in range(0, len(descriptors), SLOTS):
            some = descriptors[start : start + SLOTS]
            written += self._write(some, frames) or self._each.write(some, frames)
        return written

    def _write(self, descriptors: Sequence[int], frames: bytes) -> list[int] | None:
        """See `IWriter`; None if the system has taken up nothing."""
        count = len(descriptors)
        if descriptors != self._prepared:
            self._descriptors[:count] = memoryview(array("i", descriptors))
            self._prepared = list(descriptors)
        # Of no use after this call, and not kept: a field that holds the bytes would keep them.
        self._buffer.start = ctypes.cast(ctypes.c_char_p(frames), ctypes.c_void_p).value
        self._buffer.size = len(frames)
        submitted = self._submit(count)
        if not submitted:
            return None
        done = self._fetch(submitted)
        results, size = self._results[:done], len(frames)
        # The usual outcome, without a number for each.
        if results.tobytes() == size.to_bytes(8, sys.byteorder) * count:
            return [size] * count
        written = [0] * count
        for index, result in zip(self._which[:done], results, strict=True):
            written[index] = max(0, result)
        return written

    def _submit(self, count: int) -> int:
        """How many of the first requests have been taken up."""
        first, size = ctypes.addressof(self._pointers), ctypes.sizeof(ctypes.c_void_p)
        submitted = position = 0
        while position < count:
            batch = min(BATCH, count - position)
            pointers = first + position * size
            taken = self._call(self._numbers.submit, self._context, batch, pointers, None, None)
            submitted += max(0, taken)
            # A request that is not even taken up ends the call and has no outcome.
            position += taken if taken > 0 else 1
        return submitted

    def _fetch(self, submitted: int) -> int:
        """Fetch the outcomes of that many requests, all of which are there; how many were."""
        done = 0
        while done < submitted:
            rest = submitted - done
            outcomes = ctypes.addressof(self._outcomes) + done * ctypes.sizeof(_Outcome)
            fetched = self._call(self._numbers.getevents, self._context, rest, rest, outcomes, None)
            if fetched > 0:
                done += fetched
            elif fetched == 0 or ctypes.get_errno() != errno.EINTR:
                raise OSError(ctypes.get_errno(), "the outcome of writes is not to be had")
        return done

    def _try(self) -> None:
        """Write to ourselves: a system that lets us begin may still not do this for sockets.

        :raises OSError: what came out is not what was put in.
        """
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            far.setblocking(False)
            if self._write([near.fileno()] * 2, b"ab") != [2, 2] or far.recv(8) != b"abab":
                raise OSError(errno.EOPNOTSUPP, "does not write to sockets")


@implementer(IWriter)
class BestWriter:
    """The fastest way that this system knows.

    Which it is shows at the first write, not before: what the system gives to a process, its child
    does not have, and `twistd` makes the daemon first and the child that it becomes afterwards.
    """

    def __init__(self) -> None:
        self._writer: IWriter | None = None

    def write(self, descriptors: Sequence[int], frames: bytes) -> list[int]:
        """See `IWriter`."""
        if self._writer is None:
            self._writer = _best_writer()
        try:
            return self._writer.write(descriptors, frames)
        except OSError:
            # Nobody knows what was written; what comes next must not be mistaken for it.
            self._writer = EachWriter()
            raise


def _best_writer() -> IWriter:
    try:
        return BatchWriter()
    except OSError as error:
        _log.info("subscribers are written to one by one: {error}", error=error)
        return EachWriter()
