# SPDX-License-Identifier: MIT
"""Clients that attack a daemon on this machine: raw sockets, in a process of their own.

Every attack is bounded in time, in connections and in bytes per second, and goes to 127.0.0.1 only.
"""

from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct

HOST = "127.0.0.1"

_UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)


def masked(payload: bytes, opcode: int, fin: bool = True) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    width = 0 if size < 126 else 2 if size < 65536 else 8
    short = size if not width else 126 if width == 2 else 127
    head = bytes(((0x80 if fin else 0) | opcode, 0x80 | short))
    return head + (size.to_bytes(width, "big") if width else b"") + bytes(4) + payload


def _bomb() -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflater.compress(b" " * 65000) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return b"\xc1" + masked(data[:-4], 1)[1:]


class Attack(Struct, frozen=True):
    """One kind of attack.

    :ivar name: what the table calls it.
    :ivar fault: the fault that it showed.
    :ivar attackers: connections at once.
    :ivar head: sent first on each connection; `#N` in it is the number of the attacker.
    :ivar payload: then sent again and again; empty: the head is the whole attack.
    :ivar rate: bytes per second of all attackers together; without payload: connections per second.
    :ivar reads: whether what the daemon sends is read.
    :ivar stays: whether a connection without payload stays open and reads, instead of being opened
        again and again.
    :ivar returns: connections per second of all attackers together that come back after a close.
    """

    name: str
    fault: str
    attackers: int
    head: bytes
    payload: bytes = b""
    rate: float = 6.4e6
    reads: bool = True
    stays: bool = False
    returns: float = 0.0


_COMPRESSED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
_OPENED = masked(b"", 1, fin=False)
_NUMBER = b"#N"


def _subscribe(name: str) -> bytes:
    command = f'{{"type":"subscribe","platform":"twitch","identifier":"{name}"}}'
    return masked(command.encode(), 1)


#: As many chats as one connection may have.
_NAMES = b"".join(_subscribe(f"greedy{_NUMBER.decode()}x{chat}") for chat in range(32))
_RANGES = b",".join(b"%d-%d" % (n, n) for n in range(1500))

ATTACKS: Sequence[Attack] = (
    Attack("nobody attacks", "-", 0, b"", b"x"),
    Attack("pings, not read", "H1", 1, _UPGRADE + b"\r\n", masked(b"x" * 125, 9), 2e7, False),
    Attack("pings, not read", "H1", 10, _UPGRADE + b"\r\n", masked(b"x" * 125, 9), 2e7, False),
    Attack("32 chats each", "H3", 50, _UPGRADE + b"\r\n" + _NAMES, stays=True),
    Attack("empty pongs", "H4", 50, _UPGRADE + b"\r\n", masked(b"", 10)),
    Attack("empty pongs, come back", "H4", 50, _UPGRADE + b"\r\n", masked(b"", 10), returns=50),
    Attack("empty fragments", "H4", 50, _UPGRADE + b"\r\n" + _OPENED, masked(b"", 0, fin=False)),
    Attack("1-byte fragments", "H4", 50, _UPGRADE + b"\r\n" + _OPENED, masked(b" ", 0, fin=False)),
    Attack("pings, read", "H4", 50, _UPGRADE + b"\r\n", masked(b"x" * 125, 9)),
    Attack("64,000-byte commands", "H4", 50, _UPGRADE + b"\r\n", masked(b" " * 64000, 1), 6.4e7),
    Attack("inflating commands", "H4", 50, _UPGRADE + _COMPRESSED + b"\r\n", _bomb()),
    Attack(
        "1,500 ranges",
        "H5",
        50,
        b"GET /web/css/test.css HTTP/1.1\r\nHost: x\r\nRange: bytes=" + _RANGES + b"\r\n\r\n",
        rate=200,
    ),
    Attack(
        "refused upgrades",
        "H8",
        50,
        _UPGRADE.replace(b": 13", b": " + b"\x1b[2J" * 3000) + b"\r\n",
        rate=1000,
    ),
    Attack(
        "unknown extensions",
        "H9",
        50,
        _UPGRADE + b"Sec-WebSocket-Extensions: permessage-bzip2\r\n\r\n",
        rate=200,
    ),
    Attack(
        "hosts of 5,000 characters",
        "H10",
        50,
        b"GET /test HTTP/1.1\r\nHost: " + b"a" * 5000 + b"\r\n\r\n",
        rate=200,
    ),
    Attack(
        "origins of 15,000 characters",
        "H16",
        50,
        _UPGRADE + b"Origin: https://" + b"a" * 15000 + b"\r\n\r\n",
        rate=200,
    ),
)


class _Attacker:
    """One connection, opened again when it is lost."""

    def __init__(self, attack: Attack, port: int, number: int) -> None:
        self._attack = attack
        # Two characters, like the mark: the lengths of frames stay right.
        self._head = attack.head.replace(_NUMBER, b"%02d" % number)
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def open(self) -> None:
        """Connect and send the head."""
        self.close()
        connection = socket.create_connection((HOST, self._port), 5)
        connection.sendall(self._head)
        connection.setblocking(False)
        self._socket, self._rest = connection, b""

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""
        return self._socket is not None

    def send(self, size: int) -> int:
        """Send about so many bytes of the payload; how many were taken."""
        connection, payload = self._socket, self._attack.payload
        if connection is None:
            return 0
        try:
            if self._attack.reads:
                self._drain(connection)
            data = self._rest or payload * max(1, size // len(payload))
            sent = connection.send(data)
            self._rest = data[sent:]
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return 0
        return sent

    def read(self) -> None:
        """Take what has come."""
        if self._socket is not None:
            try:
                self._drain(self._socket)
            except BlockingIOError:
                pass
            except OSError:
                self.close()

    def close(self) -> None:
        """Go away."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _drain(self, connection: socket.socket) -> None:
        with suppress(BlockingIOError):
            while not connection.recv(1 << 16):
                raise ConnectionResetError


def attack(which: int, port: int, seconds: float) -> None:
    """Attack the daemon on a port of this machine for so many seconds."""
    chosen = ATTACKS[which]
    attackers = [_Attacker(chosen, port, number) for number in range(chosen.attackers)]
    end = time.monotonic() + seconds
    if chosen.payload:
        _flood(chosen, attackers, end)
    elif chosen.stays:
        _stay(attackers, end)
    else:
        _knock(chosen, attackers, end)
    for attacker in attackers:
        attacker.close()


def _flood(chosen: Attack, attackers: Sequence[_Attacker], end: float) -> None:
    begun = time.monotonic()
    sent = opened = 0
    while (now := time.monotonic()) < end:
        may_open = chosen.attackers + (now - begun) * chosen.returns
        taken = 0
        for attacker in attackers:
            if not attacker.is_open and opened < may_open:
                opened += 1
                with suppress(OSError):
                    attacker.open()
            taken += attacker.send(16384)
        sent += taken
        ahead = sent / chosen.rate - (now - begun)
        time.sleep(min(0.1, max(ahead, 0.0 if taken else 0.005)))


def _stay(attackers: Sequence[_Attacker], end: float) -> None:
    for attacker in attackers:
        attacker.open()
    while time.monotonic() < end:
        for attacker in attackers:
            attacker.read()
        time.sleep(0.02)


def _knock(chosen: Attack, attackers: Sequence[_Attacker], end: float) -> None:
    pause, turn = 1 / chosen.rate, 0
    due = time.monotonic()
    while due < end:
        with suppress(OSError):
            attacker = attackers[turn % len(attackers)]
            attacker.read()
            attacker.open()
        turn += 1
        due += pause
        time.sleep(max(0.0, due - time.monotonic()))
