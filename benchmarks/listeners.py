# SPDX-License-Identifier: MIT
"""Many WebSocket clients that throw away what they are sent: `python -m benchmarks.listeners`.

`PORT COUNT CHANNEL`: subscribes so many to a Twitch channel, says `ready` when all have been
answered, and reads until it is ended.  Plain sockets, read some hundred times a second at most, so
that the clients cost less than what they measure.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import subprocess
import sys
import time

#: Seconds between two signs of life: nobody looks for pings in what is thrown away.
ALIVE = 5.0
_PONG = bytes((0x8A, 0x80)) + bytes(4)

_UPGRADE = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


def listeners(port: int, count: int, channel: str) -> subprocess.Popen[str]:
    """Start them; they are ended by `kill`."""
    command = [sys.executable, "-m", "benchmarks.listeners", str(port), str(count), channel]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _subscribed(port: int, channel: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 20)
    client.sendall(_UPGRADE.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    command = {"type": "subscribe", "platform": "twitch", "identifier": channel}
    said = json.dumps(command).encode()
    # A mask of zeros.
    client.sendall(bytes((0x81, 0x80 | len(said))) + bytes(4) + said)
    answer = b""
    while b'"started"' not in answer:
        answer += client.recv(1 << 16)
    client.setblocking(False)
    return client


def main() -> None:
    """Subscribe, and read."""
    port, count, channel = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    selector = selectors.DefaultSelector()
    clients = [_subscribed(port, channel) for _ in range(count)]
    for client in clients:
        selector.register(client, selectors.EVENT_READ)
    print("ready", flush=True)
    alive = time.monotonic()
    while True:
        if time.monotonic() > alive + ALIVE:
            alive = time.monotonic()
            for client in clients:
                client.sendall(_PONG)
        for key, _ in selector.select():
            if not key.fileobj.recv(1 << 18):  # type: ignore[union-attr]
                sys.exit("a connection was closed")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
