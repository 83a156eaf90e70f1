# SPDX-License-Identifier: MIT
"""File descriptors: the limit that is raised, the share of clients, and what is left for others."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.descriptors import SELECT, UNLIMITED, Share, raise_limit, share
from livechat.service import most_clients
from tests.support.program import COMMAND, PATIENCE, Program, get

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class System:
    """A system with limits."""

    RLIMIT_NOFILE = 7

    def __init__(self, soft: int, hard: int, most: int = 1 << 30) -> None:
        self.limits = (soft, hard)
        self._most = most

    def getrlimit(self, kind: int) -> tuple[int, int]:
        """See `resource`."""
        assert kind == self.RLIMIT_NOFILE
        return self.limits

    def setrlimit(self, kind: int, limits: tuple[int, int]) -> None:
        """See `resource`; some refuse what their hard limit seems to allow."""
        assert kind == self.RLIMIT_NOFILE
        if not 0 <= limits[0] <= self._most:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


class SelectReactor:
    """Named as Twisted's."""


class LimitTests(SynchronousTestCase):
    """Raising the limit."""

    def test_hard(self) -> None:
        """The soft limit becomes the hard one, which stays as it is."""
        system = System(1024, 524288)
        self.assertEqual(raise_limit(object(), system), 524288)
        self.assertEqual(system.limits, (524288, 524288))

    def test_unlimited(self) -> None:
        """Where the hard limit is no number, as much as the system takes."""
        system = System(256, -1, 10240)
        self.assertEqual(raise_limit(object(), system), 10240)

    def test_refused(self) -> None:
        """A system that lets nothing be changed keeps its soft limit."""
        system = System(256, 4096, 0)
        self.assertEqual(raise_limit(object(), system), 256)

    def test_without_limits(self) -> None:
        """A system that has none."""
        self.assertEqual(raise_limit(object(), None), UNLIMITED)

    def test_select(self) -> None:
        """Twisted's select reactor takes no greater numbers."""
        self.assertEqual(raise_limit(SelectReactor(), System(1024, 524288)), SELECT)


class ShareTests(SynchronousTestCase):
    """What clients may take."""

    def test_numbers(self) -> None:
        """A quarter is kept where descriptors are few, where there are many what is needed."""
        self.assertEqual(share(1024, 10000), Share(768, 896))
        self.assertEqual(share(20000, 10000), Share(15000, 17500))
        self.assertEqual(share(1 << 20, 10000), Share((1 << 20) - 10256, (1 << 20) - 5128))
        self.assertEqual(share(1, 10000), Share(1, 2))


class DaemonTests(SynchronousTestCase):
    """The daemon with few descriptors."""

    def start(self, limit: str, *options: str) -> tuple[Program, int, int]:
        """Start it under `ulimit`: the program, its port, and how many clients fit."""
        directory = Path(self.mktemp()).resolve()
        directory.mkdir()
        command = f'ulimit {limit} && exec "$@"'
        listen = "--listen=tcp:0:interface=127.0.0.1"
        program = Program(self, directory, "sh", "-c", command, "sh", *COMMAND, listen, *options)
        found = re.search(r"port=(\d+)", program.until("listening on"))
        clients = re.search(r"at most (\d+) clients", program.until("at most"))
        assert found
        assert clients
        return program, int(found[1]), int(clients[1])

    def connect(self, port: int, data: bytes = b"") -> socket.socket:
        """A connection on which this was sent."""
        made = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(made.close)
        made.sendall(data)
        return made

    def answer(self, connection: socket.socket) -> bytes:
        """The first line of the answer."""
        return connection.recv(1 << 16).partition(b"\r\n")[0]

    def end(self, program: Program) -> None:
        """It ends as ever."""
        program.send(signal.SIGTERM)
        self.assertEqual(program.ended(), -signal.SIGTERM)
        self.assertNotIn("Traceback", program.log)

    def test_soft_limit_is_raised(self) -> None:
        """A low soft limit does not matter."""
        _, _, clients = self.start("-S -n 100")
        self.assertGreater(clients, 100)

    def test_all_clients(self) -> None:
        """With every client slot taken an upgrade is refused, and `/health` answers."""
        program, port, clients = self.start("-n 200")
        self.assertEqual(clients, 150)
        taken = [self.connect(port, UPGRADE) for _ in range(clients)]
        for one in taken:
            self.assertIn(b" 101 ", self.answer(one))
        self.assertIn(b" 503 ", self.answer(self.connect(port, UPGRADE)))
        self.assertIn(f'"clients":{clients}', get(port))
        taken[0].close()
        for one in taken[1:]:
            one.close()
        self.end(program)

    def test_idle_connections(self) -> None:
        """More connections that say nothing than there are descriptors: `/health` answers.

        So do clients: the idle ones are displaced, the oldest first.
        """
        program, port, _ = self.start("-n 200")
        first = self.connect(port)
        idle = [self.connect(port) for _ in range(400)]
        for _ in range(5):
            self.assertIn('"status":"ok"', get(port))
            idle += [self.connect(port) for _ in range(20)]
        self.assertRaises(ConnectionResetError, first.recv, 1)
        self.assertIn(b" 101 ", self.answer(self.connect(port, UPGRADE)))
        self.end(program)

    def test_unread_answers(self) -> None:
        """So it is with connections that ask for a page and do not take it."""
        program, port, _ = self.start("-n 200")
        ask = b"POST /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
        slow = [self.connect(port, ask) for _ in range(250)]
        page = b"GET /web/js/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        slow += [self.connect(port, page) for _ in range(250)]
        for _ in range(5):
            self.assertIn('"status":"ok"', get(port))
        self.assertIn(b" 101 ", self.answer(self.connect(port, UPGRADE)))
        self.end(program)

    def test_too_many_wanted(self) -> None:
        """A number that does not fit is cut, and the log says so."""
        program, _, clients = self.start("-n 200", "--max-clients=5000")
        self.assertEqual(clients, 150)
        self.assertIn("--max-clients 5000 is more than", program.log)


class KindTests(SynchronousTestCase):
    """What the numbers mean to the operator."""

    def test_fewer_wanted(self) -> None:
        """A smaller number is the operator's choice."""
        cases: list[tuple[int, Any]] = [(0, 768), (10, 10), (768, 768), (900, 768)]
        for wanted, expected in cases:
            self.assertEqual(most_clients(wanted, 768), expected)
