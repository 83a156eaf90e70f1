# SPDX-License-Identifier: MIT
"""A queue that shares what it hands out between client addresses, then between connections.

Items leave round robin: by address, within an address by connection, within a connection in the
order in which they came.  Every second item goes to whoever asks for least instead, so that a
client that wants one chat is served before many clients that want thirty each.  How much somebody
asks for is counted over all queues that share a `Demand`: a start waits in one after the other.

Ground floor: imports nothing of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Generic, Protocol, TypeVar

T = TypeVar("T", bound=Hashable)
K = TypeVar("K", bound=Hashable)

#: Items after which it is forgotten who got how many.  A client that comes back with one question
#: after another is not the one that asks for least.
MEMORY: Final = 256

#: One in so many items is one that asks again (a chat that was lost), however many first
#: questions wait: a flood of new chats must not keep lost ones away for ever.
AGAIN_EVERY: Final = 4


class Requester(Protocol):
    """Whose turn an item takes: see `livechat.core.clients.Requester`."""

    @property
    def address(self) -> str:
        """The address of the client."""

    @property
    def connection(self) -> int:
        """A number of its own for each connection."""


class Demand:
    """How many starts each client has asked for that are not over: they wait, or are under way."""

    def __init__(self) -> None:
        self._of_address: Counter[str] = Counter()
        self._of_connection: Counter[int] = Counter()

    def add(self, requester: Requester) -> None:
        """One more."""
        self._of_address[requester.address] += 1
        self._of_connection[requester.connection] += 1

    def remove(self, requester: Requester) -> None:
        """One of them is over."""
        _decrement(self._of_address, requester.address)
        _decrement(self._of_connection, requester.connection)

    def of_address(self, address: str) -> int:
        """Those of all connections of an address."""
        return self._of_address[address]

    def of_connection(self, connection: int) -> int:
        """Those of one connection."""
        return self._of_connection[connection]


class FairQueue(Generic[T]):
    """Items that wait, each once.  First questions come before repeated ones.

    :param demand: what the clients ask for in all; left out: in this queue.
    """

    def __init__(self, demand: Demand | None = None) -> None:
        self._first: _Ring[T] = _Ring(demand or Demand())
        self._again: _Ring[T] = _Ring(demand or Demand())
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

    def __init__(self, demand: Demand) -> None:
        self._demand = demand
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
        address = _next(self._lines, self._of_address, by_least)
        connections = self._lines[address]
        connection = _next(connections, self._of_connection, by_least)
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

    def _of_address(self, address: str) -> int:
        """How much an address asks for."""
        return max(self._asked_by_address[address], self._demand.of_address(address))

    def _of_connection(self, connection: int) -> int:
        """How much a connection asks for."""
        own = self._asked_by_connection[connection]
        return max(own, self._demand.of_connection(connection))

    def _forget(self) -> None:
        self._asked_by_address = Counter(r.address for r in self._where.values())
        self._asked_by_connection = Counter(r.connection for r in self._where.values())


def _next(ring: Iterable[K], asked: Callable[[K], int], by_least: bool) -> K:
    first = next(iter(ring))
    # Nobody who waits can have asked for less than one item.
    return first if not by_least or asked(first) == 1 else min(ring, key=asked)


def _decrement(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
