# SPDX-License-Identifier: MIT
"""A queue that shares what it hands out between client addresses, then between connections.

Items leave round robin: by address, within an address by connection, within a connection in the
order in which they came.  Every second item goes to whoever asks for least instead, so that a
client that wants one chat is served before many clients that want thirty each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final, Generic, TypeVar

from livechat.core.ports import Requester

T = TypeVar("T", bound=Hashable)
K = TypeVar("K", bound=Hashable)

#: Items after which it is forgotten who got how many.  A client that comes back with one question
#: after another is not the one that asks for least.
MEMORY: Final = 256

#: One in so many items is one that asks again (a chat that was lost), however many first
#: questions wait: a flood of new chats must not keep lost ones away for ever.
AGAIN_EVERY: Final = 4


class FairQueue(Generic[T]):
    """Items that wait, each once.  First questions come before repeated ones."""

    def __init__(self) -> None:
        self._first: _Ring[T] = _Ring()
        self._again: _Ring[T] = _Ring()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._first) + len(self._again)

    def put(self, item: T, requester: Requester, *, first: bool) -> None:
        """Add an item that does not wait yet.

        :param first: somebody waits for it to begin; otherwise it is sought again after a loss.
        """
        (self._first if first else self._again).put(item, requester)

    def remove(self, item: T) -> None:
        """Take out an item, wherever it stands; one that does not wait is ignored."""
        self._first.remove(item)
        self._again.remove(item)

    def take(self) -> T:
        """The next item; there must be one."""
        self._taken += 1
        again_is_due = self._taken % AGAIN_EVERY == 0
        prefers_again = len(self._again) > 0 and (again_is_due or not len(self._first))
        return (self._again if prefers_again else self._first).take()


class _Ring(Generic[T]):
    """Items of one priority, by address and connection; dictionaries keep the order of the ring."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[int, dict[T, None]]] = {}
        self._where: dict[T, Requester] = {}
        # How many items wait and how many were taken lately, together: who asks for how much.
        self._asked_by_address: Counter[str] = Counter()
        self._asked_by_connection: Counter[int] = Counter()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._where)

    def put(self, item: T, requester: Requester) -> None:
        connections = self._lines.setdefault(requester.address, {})
        connections.setdefault(requester.connection, {})[item] = None
        self._where[item] = requester
        self._asked_by_address[requester.address] += 1
        self._asked_by_connection[requester.connection] += 1

    def remove(self, item: T) -> None:
        requester = self._where.pop(item, None)
        if requester is None:
            return
        connections = self._lines[requester.address]
        line = connections[requester.connection]
        del line[item]
        if not line:
            del connections[requester.connection]
        if not connections:
            del self._lines[requester.address]
        _decrement(self._asked_by_address, requester.address)
        _decrement(self._asked_by_connection, requester.connection)

    def take(self) -> T:
        self._taken += 1
        if self._taken % MEMORY == 0:
            self._forget()
        by_least = self._taken % 2 == 0
        address = self._next(self._lines, self._asked_by_address, by_least)
        connections = self._lines[address]
        connection = self._next(connections, self._asked_by_connection, by_least)
        item = next(iter(connections[connection]))
        self.remove(item)
        # It counts as asked for until it is forgotten; and the next turn is somebody else's.
        self._asked_by_address[address] += 1
        self._asked_by_connection[connection] += 1
        if connection in connections:
            connections[connection] = connections.pop(connection)
        if address in self._lines:
            self._lines[address] = self._lines.pop(address)
        return item

    @staticmethod
    def _next(ring: Iterable[K], asked: Counter[K], by_least: bool) -> K:
        first = next(iter(ring))
        # Nobody who waits can have asked for less than one item.
        if not by_least or asked[first] == 1:
            return first
        return min(ring, key=asked.__getitem__)

    def _forget(self) -> None:
        self._asked_by_address = Counter(r.address for r in self._where.values())
        self._asked_by_connection = Counter(r.connection for r in self._where.values())


def _decrement(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
