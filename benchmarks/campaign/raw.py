# SPDX-License-Identifier: MIT
"""Clients on raw sockets, for the processes of the attackers: they send whatever is wanted."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from benchmarks.attackers import masked
from benchmarks.witness import HOST

PATIENCE: Final = 60.0

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

_UPGRADE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)


def connected(
    port: int, source: str = "", patience: float = PATIENCE, buffer: int = 0
) -> socket.socket:
    """A TCP connection.

    :param buffer: bytes that the system keeps for who does not read; 0: its own choice.
    :param source: the address that it comes from; any in 127.0.0.0/8.
    """
    made = socket.socket()
    made.settimeout(patience)
    if buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    if source:
        # Otherwise the port would be taken for all far ends.
        made.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        made.bind((source, 0))
    made.connect((HOST, port))
    return made


def address(number: int) -> str:
    """One of many addresses of this machine."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class Closed(Exception):
    """The connection was closed.

    :ivar code: of the close frame; 0: there was none.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Raw:
    """A WebSocket connection on a raw socket.

    :ivar status: of the answer to the upgrade.
    """

    def __init__(self, port: int, source: str = "", headers: bytes = b"", buffer: int = 0) -> None:
        self.socket = connected(port, source, PATIENCE, buffer)
        self._data = b""
        self.socket.sendall(_UPGRADE + headers + b"\r\n")
        self.status = int(self._head()[9:12] or b"0")

    def _head(self) -> bytes:
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            more = self.socket.recv(65536)
            if not more:
                break
            self._data += more
        head, self._data = self._data[: end + 4], self._data[end + 4 :]
        return head

    def send(self, payload: bytes, opcode: int = TEXT, fin: bool = True) -> None:
        """One frame."""
        self.socket.sendall(masked(payload, opcode, fin))

    def say(self, **command: Any) -> None:
        """One command."""
        self.send(json.dumps(command).encode())

    def subscribe(self, identifier: str, platform: str = "twitch", **more: Any) -> None:
        """Ask for a chat, without waiting for the answer."""
        self.say(type="subscribe", platform=platform, identifier=identifier, **more)

    def frame(self) -> tuple[int, bytes]:
        """The next frame: its opcode and payload.  A ping is answered.

        :raises Closed: there is none.
        """
        head = self._take(2)
        size = head[1] & 0x7F
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
        payload = self._take(size)
        opcode = head[0] & 0x0F
        if opcode == CLOSE:
            raise Closed(int.from_bytes(payload[:2], "big"))
        if opcode == PING:
            with suppress(OSError):
                self.send(payload, PONG)
        return opcode, payload

    def message(self) -> dict[str, Any]:
        """The next message of the protocol."""
        while True:
            opcode, payload = self.frame()
            if opcode == TEXT:
                decoded: dict[str, Any] = json.loads(payload)
                return decoded

    def until(self, what: Callable[[dict[str, Any]], Any]) -> list[dict[str, Any]]:
        """All messages up to one of which something is true."""
        seen = []
        while True:
            seen.append(self.message())
            if what(seen[-1]):
                return seen

    def started(self) -> list[dict[str, Any]]:
        """All messages up to the one that says that the chat has started, or cannot."""
        return self.until(lambda one: one.get("status") == "started" or one["type"] == "error")

    def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            try:
                more = self.socket.recv(1 << 18)
            except OSError as error:
                if isinstance(error, TimeoutError):
                    raise
                raise Closed(0) from error
            if not more:
                raise Closed(0)
            self._data += more
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def close(self) -> None:
        """Go away, with a reset: nothing is left behind in the system."""
        reset(self.socket)


def reset(connection: socket.socket) -> None:
    """End a connection at once."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def gone_within(sockets: Iterable[socket.socket], seconds: float) -> int:
    """How many of these the far end ends within so many seconds."""
    end = time.monotonic() + seconds
    waiting = list(sockets)
    total = len(waiting)
    for one in waiting:
        one.setblocking(False)
    while waiting and time.monotonic() < end:
        waiting = [one for one in waiting if not _has_ended(one)]
        time.sleep(0.05)
    for one in waiting:
        reset(one)
    return total - len(waiting)


def _has_ended(connection: socket.socket) -> bool:
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    connection.close()
    return True
