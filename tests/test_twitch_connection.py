# SPDX-License-Identifier: MIT
"""One connection to Twitch's chat: a server that does not read, owners that fail."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.platforms.twitch.connection import IDLE, ChatConnection, ChatProtocol
from livechat.platforms.twitch.irc import Line


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
