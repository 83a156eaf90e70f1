# SPDX-License-Identifier: MIT
"""Black box: attackers on raw sockets, and a witness of another channel who loses nothing."""

from __future__ import annotations

import contextlib
import socket
import struct
from urllib.request import Request, urlopen

from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from benchmarks.attackers import ATTACKS, Attack, masked
from tests.support.daemon import PATIENCE
from tests.test_acceptance import DaemonCase, privmsg
from tests.test_websocket import UPGRADE

#: Bytes that an attacker sends at most.
BUDGET = 4 << 20


def flood(port: int, case: Attack) -> bytes:
    """Send and read until the daemon closes the connection; what it sent."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(case.head)
        while not received.endswith(b"\r\n\r\n"):
            received += connection.recv(1)
        many = case.payload * max(1, 65536 // len(case.payload))
        connection.setblocking(False)
        sent = 0
        while sent < BUDGET and b"\x03\xf0too many frames" not in received:
            try:
                with contextlib.suppress(BlockingIOError):
                    sent += connection.send(many)
                with contextlib.suppress(BlockingIOError):
                    received += connection.recv(1 << 16)
            except OSError:
                break
        connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            while more := connection.recv(1 << 16):
                received += more
    return received


def flood_without_reading(port: int) -> int:
    """Send pings until nothing more is taken for a while; how many bytes were taken."""
    taken = 0
    many = masked(b"x" * 125, 9) * 200
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(1.0)
        connection.connect(("127.0.0.1", port))
        connection.sendall(UPGRADE + b"\r\n")
        with contextlib.suppress(OSError):
            while taken < 16 * BUDGET:
                taken += connection.send(many)
        # Gone at once, whatever waits: no test needs the rest.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return taken


class FloodTests(DaemonCase):
    """Frames of every kind, from several attackers at once."""

    async def test_closed_and_nothing_lost(self) -> None:
        """Every flood ends with 1008 after few frames; the witness gets all its messages."""
        witness = await self.watching("ann")
        floods = [case for case in ATTACKS if case.fault == "H4" and not case.returns]
        self.assertGreater(len(floods), 4)
        attacks = gatherResults([deferToThread(flood, self.daemon.port, case) for case in floods])
        for n in range(200):
            self.twitch.say("ann", privmsg("ann", f"message {n}"))
        texts = [
            (await witness.until("chat"))["data"]["data"]["content"]["raw"] for _ in range(200)
        ]
        self.assertEqual(texts, [f"message {n}" for n in range(200)])
        for case, received in zip(floods, await attacks, strict=True):
            # Commands are answered with codes first, and closed for these or for the frames.
            self.assertIn(b"\x03\xf0too many ", received, case.name)
        self.assertRegex(await self.daemon.metrics(), r'livechat_closed_total\{reason="flood"\} \d')
        self.assertNotIn("Traceback", self.daemon.log)

    async def test_not_read(self) -> None:
        """Pings of one who does not read are neither answered nor kept: memory does not grow."""
        witness = await self.watching("ann")
        before = self.daemon.rss()
        taken = await gatherResults(
            [deferToThread(flood_without_reading, self.daemon.port) for _ in range(4)]
        )
        self.assertLess(max(taken), 16 * BUDGET, "it is read for ever")
        self.twitch.say("ann", privmsg("ann", "still here"))
        await witness.until("chat")
        self.assertLess(self.daemon.rss() - before, len(taken) * ((1 << 20) + (5 << 20)))
        self.assertEqual((await self.health())["status"], "ok")


class RequestTests(DaemonCase):
    """Requests that no browser makes."""

    options = ("--linger=0", "--origins=https://*a*a*a*b.example")

    async def test_answered(self) -> None:
        """Each is answered and its connection closed; the log stays short, without escapes."""
        requests = [case for case in ATTACKS if not case.payload and not case.stays]
        self.assertGreater(len(requests), 4)

        def ask(case: Attack) -> bytes:
            with socket.create_connection(("127.0.0.1", self.daemon.port), PATIENCE) as connection:
                connection.sendall(case.head)
                if case.fault == "H9":
                    return connection.recv(4096)
                received = b""
                while more := connection.recv(1 << 16):
                    received += more
                return received

        for case in requests:
            for _ in range(20):
                status = (await deferToThread(ask, case))[9:12]
                self.assertIn(status, (b"200", b"101", b"400", b"403"), case.name)
        self.assertNotIn("Traceback", self.daemon.log)
        self.assertNotIn("\x1b[2J", self.daemon.log)
        self.assertNotIn("aaaaaaaa", self.daemon.log)
        self.assertLess(len(self.daemon.log), 5000)


class OptionTests(DaemonCase):
    """Options that bound what clients may do, as an operator gives them."""

    options = ("--linger=0", "--command-rate=1", "--origins=https://good.example")

    async def test_command_rate(self) -> None:
        """The rate also bounds what may be sent at once: 6 commands at 1 per second."""
        client = await self.client()
        for _ in range(20):
            await client.send(type="get_stats")
        codes = [(await client.next())["code"] for _ in range(20)]
        self.assertEqual(codes[:6], ["NO_ACTIVE_CHAT"] * 6)
        # Sending takes some seconds where the machine is busy.
        self.assertGreater(codes.count("RATE_LIMITED"), 5)

    async def test_origins(self) -> None:
        """Only the pages that were named may read the answers of the daemon."""

        def allowed(origin: str) -> str | None:
            url = f"http://127.0.0.1:{self.daemon.port}/health"
            with urlopen(Request(url, headers={"Origin": origin}), timeout=PATIENCE) as answer:
                header: str | None = answer.headers["Access-Control-Allow-Origin"]
                return header

        good, evil = "https://good.example", "https://evil.example"
        self.assertEqual(await deferToThread(allowed, good), good)
        self.assertIsNone(await deferToThread(allowed, evil))
