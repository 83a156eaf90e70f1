# SPDX-License-Identifier: MIT
"""The clients of all transports: who is admitted, who is connected, and how all are closed.

What holds for a client whatever carries its messages stands here: the limits on connections, the
allowed origins, the client's address, its session, the counts, and draining.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from livechat.access import EVERYTHING, Access, AccessError, Grant
from livechat.addresses import Addresses, Network
from livechat.core.ports import ISubscriber, Requester
from livechat.core.session import Session
from livechat.metrics import Metrics
from livechat.model.errors import CloseCode
from livechat.pacing import sleep
from livechat.transports.origins import ANY, Origins


class Limits(Struct, frozen=True):
    """What one client, and all together, may cost.

    :ivar message: bytes of the largest client message, after decompression.
    :ivar pending: bytes held for a client that does not read.
    :ivar connections: open at once; 0 for no limit.
    :ivar per_address: open at once from one address; 0 for no limit.
    :ivar trusted_proxies: networks whose word about a client's address is taken.
    :ivar origins: allowed `Origin` values or patterns; `*` for all.
    :ivar handshake: seconds for the first request of a connection.
    :ivar compression: whether clients may ask for compressed frames.
    :ivar frames_per_second: frames of any kind that a client may send in the long run; a large one
        costs as much as several.
    :ivar frames_burst: at once.
    """

    message: int = 65536
    pending: int = 1 << 20
    connections: int = 0
    per_address: int = 0
    trusted_proxies: tuple[Network, ...] = ()
    origins: tuple[str, ...] = (ANY,)
    handshake: float = 10.0
    compression: bool = True
    frames_per_second: float = 100.0
    frames_burst: float = 256.0


class AdmissionError(Exception):
    """A client may not connect.

    :param status: the HTTP status that it is answered with.
    :param reason: why, in a few words.
    :param word: why, as the metrics have it.
    """

    def __init__(self, status: int, reason: str, word: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.word = word


class Connection(Protocol):
    """A client's connection, as the registry sees it: an `ISubscriber` that can be dropped.

    Hashable by identity.
    """

    requester: Requester
    grant: Grant
    pending: int

    def close(self, code: CloseCode, reason: str) -> None:
        """Say goodbye; see `ISubscriber`."""

    def abort(self) -> None:
        """Drop the connection at once.  It reports its end as always."""


#: Seconds from one part of the clients that are closed to the next.
DRAIN_STEP: Final = 0.1

#: Numbers for the connections of this process.
_numbers: Final = itertools.count(1)


class ClientRegistry:
    """Admits clients, makes their sessions, counts them and closes them.

    A transport calls `permit` and `admit` before it accepts a connection, `opened` when messages
    may be sent on it, and `left` when it has ended.

    :param make_session: makes the session of a subscriber.
    :param access: who may read what; left out: everybody everything.
    :ivar addresses: tell whose each connection is.
    :ivar draining: the daemon is shutting down, and nobody is admitted.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        metrics: Metrics,
        make_session: Callable[[ISubscriber], Session],
        access: Access | None = None,
    ) -> None:
        self.limits = limits
        self._access = access or Access()
        self.metrics = metrics
        self.origins = Origins(limits.origins)
        self.draining = False
        self._clock = clock
        self._make_session = make_session
        self.addresses = Addresses(limits.trusted_proxies)
        self._clients: dict[Connection, None] = {}
        self._of_address: Counter[str] = Counter()
        self._of_token: Counter[bytes] = Counter()
        self._drained: Deferred[None] | None = None

    def __len__(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    @property
    def clients(self) -> list[Connection]:
        """The clients that are connected, in the order in which they came."""
        return list(self._clients)

    def permit(self, headers: Mapping[str, str], token: str) -> Grant:
        """What a client may read.

        :param headers: of its request, names in lower case.
        :param token: of the query of its request; empty: none.
        :raises AdmissionError: nothing; or it has given no good token.
        """
        try:
            grant = self._access.grant(headers, token)
        except AccessError as error:
            raise AdmissionError(error.status, error.reason, "token") from None
        if not grant.reads_anything:
            raise AdmissionError(403, "this token does not have the scope read", "scope")
        return grant

    def admit(self, peer: str, headers: Mapping[str, str], grant: Grant = EVERYTHING) -> Requester:
        """Decide whether one more client may connect, and who it is.

        :param peer: address of the far end; empty where it has none.
        :param headers: of its request, names in lower case.
        :param grant: what its token allows.
        :raises AdmissionError: it may not: the daemon is shutting down, there are too many clients
            altogether, of its address or with its token, or its origin is not allowed.
        """
        if self.draining:
            raise AdmissionError(503, "shutting down", "stopping")
        limits = self.limits
        if limits.connections and len(self._clients) >= limits.connections:
            raise AdmissionError(503, "maximum number of connections reached", "clients")
        address = self.addresses.of(peer, headers)
        if limits.per_address and self._of_address[address] >= limits.per_address:
            raise AdmissionError(503, "too many connections from this address", "address")
        if grant.clients and self._of_token[grant.holder] >= grant.clients:
            raise AdmissionError(503, "too many connections with this token", "token_clients")
        if not self.origins.allows(headers.get("origin")):
            raise AdmissionError(403, "origin not allowed", "origin")
        return Requester(address, next(_numbers))

    def opened(self, client: Any) -> Session:
        """A client that was admitted is connected.

        :param client: a `Connection` that provides `ISubscriber`.
        :return: its session.
        """
        session = self._make_session(client)
        self._clients[client] = None
        self._of_address[client.requester.address] += 1
        if client.grant.holder:
            self._of_token[client.grant.holder] += 1
        self.metrics.clients.inc()
        return session

    def left(self, client: Connection) -> None:
        """A client's connection has ended."""
        del self._clients[client]
        address = client.requester.address
        self._of_address[address] -= 1
        if not self._of_address[address]:
            del self._of_address[address]
        holder = client.grant.holder
        if holder:
            self._of_token[holder] -= 1
            if not self._of_token[holder]:
                del self._of_token[holder]
        self.metrics.clients.dec()
        if self._drained is not None and not self._clients:
            drained, self._drained = self._drained, None
            drained.callback(None)

    def drain(self, deadline: float, spread: float = 0.0) -> Deferred[None]:
        """Close every client with 1001 and admit no new ones.

        :param deadline: seconds after which clients that have not closed are dropped.
        :param spread: seconds over which the closes are spread, so that not all come back at once;
            whoever is not closed yet is served on.
        :return: fires when no client is left; never fails unless it is cancelled.
        """
        self.draining = True
        return Deferred.fromCoroutine(self._drain(deadline, spread))

    async def _drain(self, deadline: float, spread: float) -> None:
        waiting = self.clients
        size = -(-len(waiting) // max(1, round(spread / DRAIN_STEP)))
        while waiting:
            part, waiting = waiting[:size], waiting[size:]
            for client in part:
                if client in self._clients:
                    client.close(CloseCode.GOING_AWAY, "server is shutting down")
            if waiting:
                await sleep(self._clock, DRAIN_STEP)
        if not self._clients:
            return
        drained = self._drained = Deferred()
        call = self._clock.callLater(deadline, self._abort_all)
        try:
            await drained
        finally:
            if call.active():
                call.cancel()

    def _abort_all(self) -> None:
        for client in self.clients:
            client.abort()
