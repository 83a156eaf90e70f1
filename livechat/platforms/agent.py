# SPDX-License-Identifier: MIT
"""Connections of the HTTP client on which the head of an answer is bounded.

Twisted's client takes headers for as long as a server sends them: any number of them, and one of
any number of lines.  Bodies are bounded where they are read (`fetch`), but nobody gets to see an
answer before its head is over.  So the head is measured below the client.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool
from zope.interface import implementer

from livechat.platforms.fetch import FetchError

#: Bytes and lines that the head of an answer may have.  YouTube and TikTok send some 50 lines, 4 to
#: 8 KB in all.
MAX_BYTES: Final = 64 << 10
MAX_LINES: Final = 256

_END: Final = re.compile(rb"\n\r?\n")
_PRELIMINARY: Final = b"HTTP/1.1 1"


class BoundedPool(HTTPConnectionPool):
    """A pool of such connections."""

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        """See `HTTPConnectionPool`."""
        return super().getConnection(key, _Endpoint(endpoint))


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Connects as another endpoint does, with the measuring in between."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """See `IStreamClientEndpoint`."""
        measuring = WrappingFactory(protocolFactory)
        measuring.protocol = _Measured
        connecting: Deferred[Any] = self._endpoint.connect(measuring)
        # The pool wants its own protocol back.
        return connecting.addCallback(lambda measured: measured.client)


class _Measured(ProtocolWrapper):
    """Measures heads: one is expected from a request on until an empty line."""

    transport: Any

    def __init__(self, factory: Any, client: Any) -> None:
        super().__init__(factory, client)
        self.client = client
        self._is_head = False
        self._start = self._last = b""
        self._bytes = self._lines = 0
        self._is_flood = False

    def write(self, data: bytes) -> None:
        """A request, or more of it."""
        self._expect_head()
        super().write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """A request, or more of it."""
        self._expect_head()
        super().writeSequence(data)

    def dataReceived(self, data: bytes) -> None:
        """Some of an answer."""
        if self._is_flood:
            return
        self._measure(data)
        if self._bytes > MAX_BYTES or self._lines > MAX_LINES:
            self._is_flood = True
            self.transport.abortConnection()
        else:
            super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over; the client is told why where we did it."""
        if self._is_flood:
            reason = Failure(FetchError("the answer has too many headers"))
        super().connectionLost(reason)

    def _expect_head(self) -> None:
        if not self._is_head:
            self._is_head = True
            self._start = self._last = b""
            self._bytes = self._lines = 0

    def _measure(self, data: bytes) -> None:
        while self._is_head and data:
            self._start += data[: len(_PRELIMINARY) - len(self._start)]
            known = len(self._last)
            text = self._last + data
            end = _END.search(text)
            head = data if end is None else text[known : end.end()]
            self._bytes += len(head)
            self._lines += head.count(b"\n")
            self._last = text[-2:]
            if end is None:
                return
            data = text[end.end() :]
            # Others may come before the real one, and count with it.
            self._is_head = self._start == _PRELIMINARY
            self._start = self._last = b""
