# SPDX-License-Identifier: MIT
"""The door: who is let in where, how long a first request may take, how large it may be."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.transports.http_or_websocket import MAX_HEAD, Door, Doors
from tests.test_websocket import UPGRADE, Wire


class Inside(Protocol):
    """What stands behind the door, and keeps what it is given."""

    def __init__(self) -> None:
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data


class Room(Factory):
    """A factory that remembers whom it made; full when the test says so."""

    noisy = False

    def __init__(self) -> None:
        self.made: list[Inside] = []
        self.full = False
        self.started = 0
        self.stopped = 0

    def buildProtocol(self, addr: object) -> Inside | None:
        """Another one."""
        if self.full:
            return None
        self.made.append(Inside())
        return self.made[-1]

    def startFactory(self) -> None:
        """Count."""
        self.started += 1

    def stopFactory(self) -> None:
        """Count."""
        self.stopped += 1


class DoorCase(SynchronousTestCase):
    """A door with two rooms behind it."""

    def setUp(self) -> None:
        """Nobody there."""
        self.clock = Clock()
        self.websocket, self.site = Room(), Room()
        self.doors = Doors(self.websocket, self.site, self.clock, 10.0)
        self.doors.doStart()

    def arrive(self) -> tuple[Door, Wire]:
        """Somebody connects."""
        door, wire = self.doors.buildProtocol(None), Wire()
        wire.protocol = door  # type: ignore[attr-defined]
        door.makeConnection(wire)
        return door, wire


class WayTests(DoorCase):
    """Who goes where."""

    def test_upgrade(self) -> None:
        """An upgrade on / or /ws, also with a query, reaches the WebSocket whole."""
        for path in (b"/", b"/ws", b"/ws/", b"/?x=1", b"/ws?token=/ws"):
            request = UPGRADE.replace(b"GET /", b"GET " + path, 1) + b"\r\n"
            door, wire = self.arrive()
            door.dataReceived(request)
            inside = self.websocket.made[-1]
            self.assertEqual(inside.received, request)
            self.assertIs(inside.transport, wire)
            self.assertIs(wire.protocol, inside)  # type: ignore[attr-defined]
        self.assertEqual(len(self.websocket.made), 5)

    def test_everything_else(self) -> None:
        """Pages, other methods, other paths, other upgrades, half words and nonsense: the site."""
        for request in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /health HTTP/1.1\r\n\r\n",
            UPGRADE.replace(b"GET / ", b"GET /other ") + b"\r\n",
            UPGRADE.replace(b"GET / ", b"POST / ") + b"\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nX: websocket\r\n\r\n",
            b"GET / HTTP/1.1\r\nX-Upgrade: websocket\r\n\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: websockets\r\n\r\n",
            b"\r\n\r\n",
            b"\x00\xff\r\n\r\n",
            b"GET /\r\n\r\n",
        ):
            door, _ = self.arrive()
            door.dataReceived(request)
            self.assertEqual(self.site.made[-1].received, request)
        self.assertEqual(self.websocket.made, [])

    def test_any_cut(self) -> None:
        """However the request is cut, it arrives whole, with what follows it."""
        request = UPGRADE + b"\r\n" + b"frame"
        for cut in range(1, len(request)):
            door, wire = self.arrive()
            door.dataReceived(request[:cut])
            rest = request[cut:]
            wire.protocol.dataReceived(rest)  # type: ignore[attr-defined]
            self.assertEqual(self.websocket.made[-1].received, request)
        self.assertEqual(len(self.websocket.made), len(request) - 1)

    def test_capitals_and_spaces(self) -> None:
        """Header names and the word itself are read in any case."""
        door, _ = self.arrive()
        door.dataReceived(b"GET / HTTP/1.1\r\nUPGRADE:   WebSocket \r\n\r\n")
        self.assertEqual(len(self.websocket.made), 1)

    def test_over_tls(self) -> None:
        """Where TLS is a protocol around ours, that one is told of the new protocol."""
        door = self.doors.buildProtocol(None)
        wrapper = ProtocolWrapper(WrappingFactory(Factory()), door)
        wrapper.makeConnection(StringTransport())
        wrapper.dataReceived(UPGRADE + b"\r\n")
        self.assertIs(wrapper.wrappedProtocol, self.websocket.made[0])

    def test_full_room(self) -> None:
        """A room that takes nobody: the connection is dropped."""
        self.websocket.full = True
        door, wire = self.arrive()
        door.dataReceived(UPGRADE + b"\r\n")
        self.assertTrue(wire.lost)


class LimitTests(DoorCase):
    """Those who take too long or say too much."""

    def test_drip(self) -> None:
        """A byte a second keeps nobody at the door beyond the deadline, by the wall."""
        door, wire = self.arrive()
        for _ in range(9):
            self.clock.advance(1)
            door.dataReceived(b"G")
        self.assertFalse(wire.lost)
        self.clock.advance(2)
        self.assertTrue(wire.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silent(self) -> None:
        """Five hundred silent ones are all gone in time; one who came later is not."""
        wires = [self.arrive()[1] for _ in range(500)]
        self.clock.advance(5)
        later, late = self.arrive()
        self.clock.advance(5.5)
        self.clock.advance(1)
        self.assertTrue(all(wire.lost for wire in wires))
        self.assertFalse(late.lost)
        later.dataReceived(UPGRADE + b"\r\n")
        self.assertEqual(len(self.websocket.made), 1)

    def test_too_large(self) -> None:
        """A head beyond the limit, ended or not: 431 and closed."""
        for data in (b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD, b"x" * MAX_HEAD + b"y\r\n\r\n"):
            door, wire = self.arrive()
            for start in range(0, len(data), 1000):
                if not wire.disconnecting:
                    door.dataReceived(data[start : start + 1000])
            self.assertTrue(wire.take().startswith(b"HTTP/1.1 431 "))
            self.assertTrue(wire.disconnecting)
        self.assertEqual(self.site.made + self.websocket.made, [])

    def test_gone(self) -> None:
        """Who leaves before saying anything is forgotten."""
        door, _ = self.arrive()
        door.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.doors.waiting, {})

    def test_clock_set_back(self) -> None:
        """A clock that is set back does not keep them for a day."""
        _, wire = self.arrive()
        self.doors.now = lambda: -86400.0
        self.clock.advance(1)
        self.assertTrue(wire.lost)

    def test_closing_the_port(self) -> None:
        """Both rooms open and close with the port; who stands at the door is sent away."""
        _, wire = self.arrive()
        self.doors.doStop()
        self.assertTrue(wire.lost)
        self.assertEqual((self.websocket.started, self.site.started), (1, 1))
        self.assertEqual((self.websocket.stopped, self.site.stopped), (1, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])
