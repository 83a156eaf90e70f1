# SPDX-License-Identifier: MIT
"""Heads of answers without end, on the HTTP client's own connections."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.iosim import FakeTransport, IOPump, connect, makeFakeClient, makeFakeServer
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent

from livechat.platforms.agent import MAX_BYTES, MAX_LINES, BoundedPool
from livechat.platforms.fetch import Fetched, FetchError, WholeBody, fetch
from tests.support.tls import SecureWire, self_signed

URL = "http://127.0.0.1:1/"
TOO_MANY = "the answer has too many headers"


class Server(Protocol):
    """Answers each request with the next of some answers, each in pieces."""

    answers: Iterator[list[bytes]] = iter(())

    def dataReceived(self, data: bytes) -> None:
        """A request."""
        assert self.transport is not None
        for piece in next(self.answers):
            self.transport.write(piece)


class AgentCase(SynchronousTestCase):
    """An agent, and a server that stays in memory."""

    def setUp(self) -> None:
        """Nobody is connected."""
        self.reactor = MemoryReactorClock()
        self.pool = BoundedPool(self.reactor)
        agent = Agent(self.reactor, pool=self.pool)
        self.http = HTTPClient(agent, data_to_body_producer=WholeBody)
        self.pump: IOPump | None = None
        self.server = Server()

    def fetch(self, method: str = "GET") -> Deferred[Fetched]:
        """Ask."""
        clock: Any = self.reactor
        data = b"question" if method == "POST" else None
        return Deferred.fromCoroutine(
            fetch(self.http, clock, method, URL, limit=1 << 20, deadline=5.0, data=data)
        )

    def connect(self) -> None:
        """Let the last connection be made."""
        client = self.reactor.tcpClients[-1][2].buildProtocol(None)
        self.wire: FakeTransport = makeFakeClient(client)
        self.pump = connect(self.server, makeFakeServer(self.server), client, self.wire)

    def answered(self, *answers: list[bytes], method: str = "GET") -> list[Deferred[Fetched]]:
        """Ask for each answer, one after the other on one connection."""
        self.server.answers = iter(answers)
        results: list[Deferred[Fetched]] = []
        for _ in answers:
            results.append(self.fetch(method))
            if self.pump is None:
                self.connect()
            assert self.pump is not None
            self.pump.flush()
        return results

    def reason(self, asked: Deferred[Fetched]) -> str:
        """Why there is no answer."""
        return str(self.failureResultOf(asked, FetchError).value)


def whole(body: bytes, *headers: bytes) -> bytes:
    """A complete answer."""
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 200 OK", length, *headers, b"", body])


class UsualTests(AgentCase):
    """What real servers send is as it was."""

    def test_one_after_the_other(self) -> None:
        """Any number of answers on one connection, each with a large head, in any pieces."""
        heads = [b"X-Header-%d: %s" % (n, b"x" * 1000) for n in range(5)]
        text = whole(b"hello", *heads)
        for size in (1, 2, 3, 1000, len(text)):
            pieces = [text[at : at + size] for at in range(0, len(text), size)]
            asked = self.answered(pieces, pieces, method="POST")
            bodies = [self.successResultOf(each).body for each in asked]
            self.assertEqual(bodies, [b"hello", b"hello"], size)
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def test_body(self) -> None:
        """A body may have as many lines as it likes, and look like a head."""
        body = b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (2 * MAX_LINES) + b"\r\n" + b"x" * MAX_BYTES
        (asked,) = self.answered([whole(body)])
        self.assertEqual(self.successResultOf(asked).body, body)

    def test_preliminary(self) -> None:
        """A few preliminary answers come before the real one."""
        text = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + whole(b"hello")
        for pieces in ([text], [text[at : at + 1] for at in range(len(text))]):
            (asked,) = self.answered(pieces)
            self.assertEqual(self.successResultOf(asked).body, b"hello")

    def test_bare_line_feeds(self) -> None:
        """Lines may end without a carriage return."""
        (asked,) = self.answered([whole(b"hello").replace(b"\r\n", b"\n"), b"\n" * 2000])
        self.assertEqual(self.successResultOf(asked).body, b"hello")


class SecureTests(AgentCase):
    """Through TLS, as platforms are asked."""

    def test_answer_and_flood(self) -> None:
        """An answer comes through; a head without end is given up."""
        wire = SecureWire(self.reactor)
        agent = Agent.usingEndpointFactory(self.reactor, wire, self.pool)
        self.http = HTTPClient(agent, data_to_body_producer=WholeBody)
        flood = [b"HTTP/1.1 200 OK\r\n", b"a:b\r\n" * MAX_LINES]
        self.server.answers = iter([[whole(b"hello")], flood])
        first = self.fetch("POST")
        client = self.reactor.tcpClients[0][2].buildProtocol(None)
        factory = Factory.forProtocol(lambda: self.server)
        secure = TLSMemoryBIOFactory(self_signed(), False, factory, self.reactor)
        server = secure.buildProtocol(None)
        self.wire = makeFakeClient(client)
        self.pump = connect(server, makeFakeServer(server), client, self.wire)
        self.exchange()
        self.assertEqual(self.successResultOf(first).body, b"hello")
        second = self.fetch("POST")
        self.exchange()
        self.assertEqual(self.reason(second), TOO_MANY)
        self.assertTrue(self.wire.disconnected)
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def exchange(self) -> None:
        """Let bytes flow; TLS gathers small writes until the next turn."""
        assert self.pump is not None
        for _ in range(5):
            self.reactor.advance(0)
            self.pump.flush()


class FloodTests(AgentCase):
    """Heads without end."""

    def flooded(self, *pieces: bytes) -> None:
        """Such an answer is given up, and the connection is cut off."""
        (asked,) = self.answered(list(pieces))
        self.assertEqual(self.reason(asked), TOO_MANY)
        self.assertTrue(self.wire.disconnected)

    def test_many_headers(self) -> None:
        """Any number of them, however small."""
        head = b"HTTP/1.1 200 OK\r\n"
        self.flooded(head, b"a:b\r\n" * MAX_LINES)

    def test_large_headers(self) -> None:
        """Few of them, however large."""
        self.flooded(b"HTTP/1.1 200 OK\r\n", *[b"a: " + b"x" * 16_000 + b"\r\n"] * 5)

    def test_continuations(self) -> None:
        """One of any number of lines."""
        self.flooded(b"HTTP/1.1 200 OK\r\na: b\r\n", b" x\r\n" * MAX_LINES)

    def test_preliminaries(self) -> None:
        """Preliminary answers without end."""
        self.flooded(*[b"HTTP/1.1 102 Processing\r\n\r\n"] * MAX_LINES)

    def test_second_answer(self) -> None:
        """So it is with a later answer on a connection."""
        flood = [b"HTTP/1.1 200 OK\r\n", b"a:b\r\n" * MAX_LINES]
        first, second = self.answered([whole(b"hello")], flood, method="POST")
        self.assertEqual(self.successResultOf(first).body, b"hello")
        self.assertEqual(self.reason(second), TOO_MANY)

    def test_memory(self) -> None:
        """A hundred megabytes of headers take no more memory than the bound."""
        (asked,) = self.answered([b"HTTP/1.1 200 OK\r\n"])
        client = self.wire.protocol
        headers = b"a:b\r\n" * 200
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100_000):
            client.dataReceived(headers)
        peak = tracemalloc.get_traced_memory()[1] - before
        self.assertLess(peak, 1 << 20)
        assert self.pump is not None
        self.pump.flush()
        self.assertEqual(self.reason(asked), TOO_MANY)
