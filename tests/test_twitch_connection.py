# SPDX-License-Identifier: MIT
"""One connection to Twitch's chat: a server that does not read, an owner that fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Limit
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.connection import ChatConnection
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.wire import IDLE, ChatProtocol
from livechat.simulator.scenario import Scenario
from livechat.simulator.twitch import TwitchSimulator
from tests.support.wire import InMemoryEndpoint


class Narrow(FileDescriptor):
    """Twisted's own buffering before a socket that takes nothing until it is opened.

    :ivar taken: what the socket took.
    """

    def __init__(self, clock: MemoryReactorClock) -> None:
        super().__init__(clock)
        self.connected = 1
        self.opened = False
        self.aborted = False
        self.taken = b""

    def writeSomeData(self, data: bytes) -> int:
        """See `FileDescriptor`."""
        if not self.opened:
            return 0
        self.taken += data
        return len(data)

    def drain(self) -> bytes:
        """Open the socket; what had been held for it, and what that brings."""
        self.opened, self.taken = True, b""
        while True:
            before = len(self.taken)
            self.doWrite()
            if len(self.taken) == before:
                return self.taken

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See `ITCPTransport`."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """See `ITCPTransport`."""

    def abortConnection(self) -> None:
        """See `ITCPTransport`."""
        self.aborted = True


class Owner:
    """What a protocol reports to; keeps the commands of lines."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def read(self, lines: Sequence[Line]) -> None:
        """See `ChatConnection`."""
        self.commands += [line.command for line in lines]


class NotReadingTests(SynchronousTestCase):
    """A server that asks for answers and does not read them."""

    def setUp(self) -> None:
        """A connection whose server reads nothing."""
        self.clock = MemoryReactorClock()
        self.transport = Narrow(self.clock)
        self.owner = Owner()
        owner: ChatConnection = self.owner  # type: ignore[assignment]
        self.protocol = ChatProtocol("justinfan12345", owner, self.clock)
        self.protocol.makeConnection(self.transport)
        self.transport.doWrite()

    def flood(self, first: int, pings: int) -> None:
        """So many PINGs, numbered."""
        self.protocol.dataReceived(
            b"".join(b"PING :token-%d\r\n" % n for n in range(first, first + pings))
        )

    def test_interface(self) -> None:
        """The protocol is what the transport takes it for."""
        self.assertTrue(verifyObject(IPushProducer, self.protocol))

    def test_flood(self) -> None:
        """Answers do not pile up; when the server reads again the last PING is answered."""
        for n in range(100):
            self.flood(10_000 * n, 10_000)
        self.protocol.dataReceived(b":a!a@a PRIVMSG #a :x\r\n")
        self.assertEqual(self.owner.commands, ["PRIVMSG"])
        sent = self.transport.drain()
        self.assertLess(len(sent), 200_000)
        self.assertTrue(sent.endswith(b"PONG :token-999999\r\n"))
        self.flood(7, 1)
        self.assertEqual(self.transport.drain(), b"PONG :token-7\r\n")

    def test_dropped(self) -> None:
        """A server that reads nothing for long is dropped, however much it says."""
        for n in range(60):
            self.flood(10_000 * n, 10_000)
            self.clock.advance(IDLE / 10)
        self.assertTrue(self.transport.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close(self) -> None:
        """Closing does not wait for a server that does not read, and for one that does it does."""
        self.flood(0, 10_000)
        self.protocol.close()
        self.assertTrue(self.transport.aborted)


class FailingOwner:
    """An owner that fails at everything, and counts it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def failing(self, connection: ChatConnection, reason: str) -> None:
        """See `IConnectionOwner`."""
        self.calls["failing"] += 1
        raise RuntimeError("failing")

    def down(self, connection: ChatConnection, reason: str) -> None:
        """See `IConnectionOwner`."""
        self.calls["down"] += 1
        raise RuntimeError("down")

    def read(self, connection: ChatConnection, lines: Sequence[Line]) -> None:
        """See `IConnectionOwner`."""
        self.calls["read"] += 1
        raise RuntimeError("read")

    def leaving(self, connection: ChatConnection) -> None:
        """See `IConnectionOwner`."""
        self.calls["leaving"] += 1
        raise RuntimeError("leaving")


class FailingOwnerTests(SynchronousTestCase):
    """An owner that fails does not end the loop that keeps a connection."""

    def test_goes_on(self) -> None:
        """Whatever the owner fails at, a lost connection is sought again, and stop ends it."""
        clock = Clock()
        twitch = TwitchSimulator(clock, clock.seconds, Scenario(1, 0.0))
        endpoint = InMemoryEndpoint(twitch)
        owner = FailingOwner()
        metrics = Metrics()
        connection = ChatConnection(
            endpoint,
            owner,
            clock,
            Random(1),
            metrics,
            Budget(clock, Limit(10, 1.0), metrics, "twitch", "logins"),
            Steps(clock, metrics, "twitch"),
        )
        endpoint.refusing = True
        connection.start()
        endpoint.refusing = False
        for lives in (1, 2, 3):
            for _ in range(40):
                clock.advance(0.25)
                endpoint.flush()
            self.assertEqual((connection.welcomed, len(twitch.connections)), (True, 1))
            twitch.reconnect()
            endpoint.flush()
            self.assertEqual(owner.calls["leaving"], lives)
            twitch.drop()
            endpoint.flush()
            self.assertEqual(owner.calls["down"], lives)
        connection.stop()
        clock.advance(60)
        self.assertEqual((twitch.connections, clock.getDelayedCalls()), ([], []))
        self.flushLoggedErrors(RuntimeError)
        failed = metrics.registry.get_sample_value("livechat_failures_total", {"part": "twitch"})
        self.assertEqual(owner.calls["failing"], 1)
        self.assertEqual(failed, owner.calls.total())
