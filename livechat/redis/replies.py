# SPDX-License-Identifier: MIT
"""What Redis answers, from bytes to values: version 2 of its protocol, with bounds.

txredisapi's own reading takes a turn of the reactor for each element, and copies for each line all
that is behind it.

Importing this module installs a reactor (txredisapi does).

Source: Redis's description, redis.io/docs/latest/develop/reference/protocol-spec.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from txredisapi import ResponseError

#: Elements of the longest list; ours have three.
MAX_ELEMENTS: Final = 1000

#: Bytes of the longest line.
MAX_LINE: Final = 16 << 10

#: Digits of the longest length, and of the longest number.
_LENGTH: Final = 10
_NUMBER: Final = 19

_BULK, _LIST, _STATUS, _ERROR, _INTEGER = b"$*+-:"


class NotRedis(Exception):
    """What came is not of this protocol, or is too long; a sentence says which."""


class Replies:
    """Takes bytes as they come, and gives answers.

    An answer is bytes, a text (a status), a number, None, a `ResponseError`, or a list of these.

    :param max_reply: bytes of the longest answer.
    """

    def __init__(self, max_reply: int) -> None:
        self._max_reply = max_reply
        # The beginning of an element, and how many bytes more it needs at least.
        self._begun: list[bytes] = []
        self._lacking = 0
        # Of a list: its elements so far, and how many are to come.
        self._items: list[object] = []
        self._missing = 0
        # Bytes of the answer that is not complete.
        self._size = 0

    def feed(self, data: bytes) -> Iterator[object]:
        """The answers that are complete now, one after the other.

        :raises NotRedis: what comes next is none.
        """
        self._size += len(data)
        if self._begun:
            self._begun.append(data)
            self._lacking -= len(data)
            if self._lacking > 0:
                self._check_size()
                return
            data = b"".join(self._begun)
            self._begun = []
        at, end = 0, len(data)
        while at < end:
            begin = at
            stop = data.find(b"\r\n", at, at + MAX_LINE)
            if stop < 0:
                if end - at >= MAX_LINE:
                    raise NotRedis("the answer is not Redis's")
                self._begin(data[begin:], 1)
                break
            kind, line, at = data[at], data[at + 1 : stop], stop + 2
            element: object = None
            if kind == _BULK:
                length = self._length(kind, line, self._max_reply)
                if length >= 0:
                    stop = at + length
                    if stop + 2 > end:
                        self._begin(data[begin:], stop + 2 - end)
                        break
                    element, at = data[at:stop], stop + 2
            elif kind == _LIST:
                if self._missing:
                    raise NotRedis("the answer is not Redis's")
                self._missing = max(0, self._length(kind, line, MAX_ELEMENTS))
                if self._missing:
                    continue
                element = []
            else:
                element = _of_line(kind, line)
            if self._missing:
                self._items.append(element)
                self._missing -= 1
                if self._missing:
                    continue
                element, self._items = self._items, []
            self._size = end - at
            yield element
        self._check_size()

    def _begin(self, data: bytes, lacking: int) -> None:
        self._begun.append(data)
        self._lacking = lacking

    def _check_size(self) -> None:
        if self._size > self._max_reply:
            raise NotRedis(f"the answer is too long: more than {self._max_reply} bytes")

    @staticmethod
    def _length(kind: int, line: bytes, most: int) -> int:
        """How long a text or a list is; -1: there is none."""
        if line == b"-1":
            return -1
        if not line.isdigit() or len(line) > _LENGTH:
            raise NotRedis("the answer is not Redis's")
        length = int(line)
        if length > most:
            raise NotRedis(f"the answer is too long: {chr(kind)}{length}")
        return length


def _of_line(kind: int, line: bytes) -> object:
    """An answer that is one line."""
    if kind == _INTEGER:
        if line[line[:1] == b"-" :].isdigit() and len(line) <= _NUMBER + 1:
            return int(line)
    elif kind in (_STATUS, _ERROR):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise NotRedis("the answer is not Redis's") from None
        return text if kind == _STATUS else ResponseError(text)
    raise NotRedis("the answer is not Redis's")
