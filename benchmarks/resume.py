# SPDX-License-Identifier: MIT
"""What continuity costs: the order and the history for each message, and clients that come back.

The first part is measured in this process.  The second part starts a daemon with its simulator on
one core and plays clients on raw sockets on another: many that come back at once, and some that
come back all the time beside others that are connected.  Every client checks that it was given each
number once, in order, but for messages that were removed meanwhile.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from twisted.internet.task import Clock

from benchmarks.messages import per_item
from benchmarks.ports import free_port, until_listens
from livechat.core.publication import Publication
from livechat.history.memory import MemoryHistory
from livechat.model.events import ALL_KINDS, ChannelKey
from tests.support.fakes import chat

_CHECKOUT: Final = Path(__file__).resolve().parents[1]
KEY: Final = ChannelKey("twitch", "username", "bench")
RATE: Final = 100
MISSED: Final = 200

#: Of those who are connected beside, so many look at what they are given.
MEASURED: Final = 25

_SEQ: Final = re.compile(rb'"seq":(\d+)\}')
_TOP: Final = re.compile(rb'"status":"started"[^}]*"epoch":"(\w+)","seq":(\d+)([^}]*)\}')
_FRAME: Final = re.compile(rb'\{"type":"(?:chat|event)","data":\{.*?"seq":\d+\}')
_SENT: Final = re.compile(rb'"timestamp":"([^"]+)Z"')


def resident() -> int:
    """Bytes of memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def publications(count: int, size: int, first: int = 1) -> list[Publication]:
    """Messages whose payloads have about so many bytes."""
    made = []
    for number in range(first, first + count):
        event = chat(f"{number:036}", "hello", f"user{number % 50}")
        publication = Publication.of("epoch", number, event)
        publication.payload += b" " * (size - len(publication.payload))
        made.append(publication)
    return made


def kept_memory() -> None:
    """What 500 publications of 1.2 KB take in each of 1,000 channels."""
    print()
    for memory, name in ((1 << 40, "all of it"), (256 << 20, "the default bound")):
        # In a process of its own: memory that was used once tells nothing.
        child = get_context("fork").Process(target=_kept_memory, args=(memory, name))
        child.start()
        child.join()


def _kept_memory(memory: int, name: str) -> None:
    gc.collect()
    before = resident()
    history = MemoryHistory(Clock(), memory=memory)
    for number in range(1000):
        key = ChannelKey("twitch", "username", f"channel{number}")
        history.append(key, publications(500, 1200))
    grown, counted = (resident() - before) / 1e6, history.size / 1e6
    print(
        f"1,000 channels x 500 x 1.2 KB, {name}: {grown:.0f} MB, counted {counted:.0f} MB",
        flush=True,
    )


def costs() -> None:
    """What the order and the history cost for each message, and reading for each client."""
    made = publications(2000, 850)
    history = MemoryHistory(Clock(), ttl=1e9)

    def keep() -> None:
        for publication in made:
            history.append(KEY, (publication,))

    def number() -> None:
        for publication in made:
            publication.message(KEY)

    head, tail = b'{"type":"chat","data":', b',"platform":"twitch","identifier":"bench"}'

    def without() -> None:
        for publication in made:
            head + publication.payload + tail

    print("\nus of CPU           best   middle")
    kept = _print("history, per message", keep, len(made))
    with_number = _print("frame with number", number, len(made))
    plain = _print("frame without", without, len(made))
    print(f"order and history together: {kept + with_number - plain:.2f} us per message")
    reads: Sequence[tuple[str, Callable[[], object]]] = (
        ("since, all 500", lambda: history.after(KEY, "epoch", 1500, ALL_KINDS)),
        ("since, last 200", lambda: history.after(KEY, "epoch", 1800, ALL_KINDS)),
        ("history, last 50", lambda: history.last(KEY, "epoch", 50, ALL_KINDS)),
    )
    for name, read in reads:
        _print(name, lambda read=read: [read() for _ in range(200)], 200)  # type: ignore[misc]


def _print(name: str, work: Callable[[], object], items: int) -> float:
    best, middle = per_item(work, items)
    print(f"{name:20} {best:5.2f}  {middle:6.2f}", flush=True)
    return middle


# The daemon and its clients.


class Client:
    """One connection: the handshake, a subscribe, and a check of every number."""

    def __init__(self, port: int, since: tuple[str, int] | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.since = since
        self.began = time.monotonic()
        self.caught_up: float | None = None
        self.epoch = ""
        self.until = 0
        self.last = since[1] if since else 0
        self.faults = 0
        # It was told that not everything is kept any more.
        self.is_told = False
        self.delays: list[float] = []
        # Numbers that it was not given.
        self.lacking: set[int] = set()
        self.keeps = False
        self.drains = False
        self.chats: list[tuple[int, str, str]] = []
        self.removed: set[int] = set()
        self._rest = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def subscribe(self) -> None:
        """Ask for the chat; the answer to the handshake need not be awaited."""
        command = {"type": "subscribe", "platform": "twitch", "identifier": KEY.identifier}
        command |= {"events": True, "stats": False}  # type: ignore[dict-item]
        if self.since is not None:
            command["since"] = dict(zip(("epoch", "seq"), self.since, strict=True))  # type: ignore[assignment]
        text = json.dumps(command).encode()
        # Masked with zeros.
        size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
        self.began = time.monotonic()
        self.socket.sendall(b"\x81" + size + b"\0\0\0\0" + text)

    def read(self) -> None:
        """Whatever has come."""
        data = self._rest + self.socket.recv(1 << 20)
        if not self.epoch:
            found = _TOP.search(data)
            if found is None:
                self._rest = data
                return
            self.epoch, self.until = found[1].decode(), int(found[2])
            if self.since is None:
                self.last = self.until
            self.is_told = self.since is not None and found[3] != b',"recovered":true'
            data = data[found.end() :]
        end = data.rfind(b'"seq":')
        end = data.find(b"}", end) + 1 if end >= 0 else 0
        whole, self._rest = data[:end], data[end:]
        if self.keeps:
            self._remember(whole)
        for number in map(int, _SEQ.findall(whole)):
            if self.is_told and self.last == (self.since or ("", 0))[1]:
                self.last = number - 1
            if number != self.last + 1:
                self.faults += number <= self.last
                self.lacking.update(range(self.last + 1, number))
            self.last = number
        if self.caught_up is None and self.last >= self.until:
            self.caught_up = time.monotonic() - self.began

    def _remember(self, data: bytes) -> None:
        """Keep what was removed, to know what others need not be given."""
        for found in _FRAME.finditer(data):
            message = json.loads(found[0])
            event, what = message["data"], message["data"]["data"]
            if event["type"] == "chat":
                self.chats.append((message["seq"], event["message_id"], what["author"]["id"]))
            elif event["type"] in ("deletion", "timeout"):
                everything = what.get("scope") == "chat"
                gone = (what.get("message_id"), (what.get("user") or {}).get("id"))
                self.removed.update(
                    number
                    for number, item, author in self.chats
                    if everything or item == gone[0] or author == gone[1]
                )

    def measure(self, now: float) -> None:
        """How old the oldest message is that can be read."""
        data = self.socket.recv(1 << 20, socket.MSG_PEEK)
        sent = _SENT.search(data)
        if sent is not None:
            self.delays.append(now - _seconds(sent[1]))


def _seconds(text: bytes) -> float:
    return datetime.fromisoformat(text.decode() + "+00:00").timestamp()


class Crowd:
    """Many connections, read in one loop."""

    def __init__(self, port: int, server: int) -> None:
        self.port = port
        self.server = server
        self.clients: dict[int, Client] = {}
        self.keeps: Client | None = None
        self._answered = time.monotonic()
        self._poll = select.epoll()

    def add(self, since: tuple[str, int] | None = None) -> Client:
        """One more client."""
        client = Client(self.port, since)
        self.clients[client.socket.fileno()] = client
        self._poll.register(client.socket.fileno(), select.EPOLLIN)
        return client

    def drop(self, client: Client) -> None:
        """One less."""
        self._poll.unregister(client.socket.fileno())
        del self.clients[client.socket.fileno()]
        client.socket.close()

    def read(self, seconds: float = 0.0) -> None:
        """Read what has come, but not for long: there is one whom nobody may keep waiting."""
        if time.monotonic() - self._answered > 5.0:
            self._answered = time.monotonic()
            for each in self.clients.values():
                # Pings are answered before they come.
                each.socket.sendall(b"\x8a\x80\0\0\0\0")
        if self.keeps is not None and select.select([self.keeps.socket], [], [], 0)[0]:
            self.keeps.read()
        for descriptor, _ in self._poll.poll(seconds, 64):
            client = self.clients.get(descriptor)
            if client is not None:
                try:
                    if client.drains:
                        client.socket.recv(1 << 20)
                        continue
                    if client.since is None and client.epoch:
                        client.measure(time.time())
                    client.read()
                except ConnectionResetError:
                    client.faults += 1
                    self.drop(client)

    def read_for(self, seconds: float) -> None:
        """Read for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)


def start() -> tuple[subprocess.Popen[bytes], int]:
    """A daemon, and its port."""
    port = free_port()
    command = ["taskset", "-c", "0", str(Path(sys.executable).with_name("twistd"))]
    command += ["--nodaemon", "--pidfile=", "--logfile=/dev/null", "livechat", "--demo"]
    command += [f"--listen=tcp:{port}:interface=127.0.0.1", f"--demo-rate={RATE}"]
    process = subprocess.Popen(command, cwd=_CHECKOUT)
    until_listens(port)
    return process, port


def watcher(crowd: Crowd) -> Client:
    """Somebody who keeps the chat going, after enough was published."""
    client = crowd.add()
    client.keeps = True
    crowd.keeps = client
    client.subscribe()
    while client.last < client.until + MISSED + 50 or not client.epoch:
        crowd.read(1.0)
    return client


def process_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _faults(client: Client, keeps: Client) -> int:
    return client.faults + len(client.lacking - keeps.removed)


def _told(clients: Sequence[Client]) -> str:
    """How many were told that not everything is kept: this process, or the daemon, is too busy."""
    told = sum(client.is_told for client in clients)
    return f"; told that something is missing: {told}" if told else ""


def comers(crowd: Crowd, keeps: Client, count: int, seconds: float, connected: bool) -> None:
    """So many clients come back within some seconds, each with 200 messages missed."""
    ready = []
    if connected:
        for _ in range(count):
            ready.append(crowd.add((keeps.epoch, 0)))
            crowd.read()
        crowd.read_for(0.5)
    before = process_seconds(crowd.server)
    began = time.monotonic()
    came: list[Client] = []
    while len(came) < count:
        due = count if not seconds else int((time.monotonic() - began) / seconds * count) + 1
        while len(came) < min(due, count):
            since = (keeps.epoch, keeps.last - MISSED)
            client = ready[len(came)] if connected else crowd.add(since)
            client.since, client.last = since, since[1]
            client.subscribe()
            came.append(client)
            if len(came) % 20 == 0:
                crowd.read()
        crowd.read(0.001)
    while any(client.caught_up is None for client in came) and time.monotonic() - began < 60:
        crowd.read(0.1)
    took = time.monotonic() - began
    times = sorted(client.caught_up or 99.0 for client in came)
    used = process_seconds(crowd.server) - before
    # What the same clients cost while nobody comes back.
    before = process_seconds(crowd.server)
    crowd.read_for(2.0)
    live = (process_seconds(crowd.server) - before) / 2.0 * took / 2
    faults = sum(_faults(client, keeps) for client in came)
    middle, late = median(times) * 1000, times[len(times) * 99 // 100] * 1000
    cpu = max(0.0, used - live) / count * 1e6
    print(
        f"{count:,} come back within {seconds:g} s{' on open connections' * connected}: all caught"
        f" up after {took:.2f} s, each after {middle:.0f} ms (p99 {late:.0f}), {cpu:.0f} us of the"
        f" server for each; lost or doubled: {faults}{_told(came)}",
        flush=True,
    )
    for client in came:
        crowd.drop(client)


def beside(crowd: Crowd, keeps: Client, listeners: int, per_second: int, seconds: float) -> None:
    """What others notice of clients that come back all the time."""
    others = [crowd.add() for _ in range(listeners)]
    for client in others:
        client.subscribe()
        crowd.read()
    crowd.read_for(2.0)
    for client in others[MEASURED:]:
        client.drains = True
    p99s: dict[bool, list[float]] = {False: [], True: []}
    came = 0
    gone: list[Client] = []
    for number in range(8):
        resuming = number % 2 == 1
        for client in others:
            client.delays.clear()
        end = time.monotonic() + seconds
        began = time.monotonic()
        done = 0
        present: list[Client] = []
        while (now := time.monotonic()) < end:
            if resuming:
                while done < (now - began) * per_second:
                    client = crowd.add((keeps.epoch, keeps.last - MISSED))
                    client.subscribe()
                    present.append(client)
                    done += 1
                caught_up = [client for client in present[:50] if client.caught_up is not None]
                for client in caught_up:
                    gone.append(client)
                    crowd.drop(client)
                    present.remove(client)
            crowd.read(0.001)
        came += done - len(present)
        delays = [delay for client in others for delay in client.delays]
        p99s[resuming].append(quantiles(delays, n=100)[98])
        for client in present:
            crowd.drop(client)
        crowd.read_for(0.5)
    # Only now: one who came back may have been further than the one who tells the truth.
    faults = sum(_faults(client, keeps) for client in [*others, *gone])
    quiet, busy = median(p99s[False]), median(p99s[True])
    rate = came / seconds / 4
    print(
        f"{listeners} x {RATE} messages/s; {rate:.0f} come back each second: p99 of the others"
        f" {quiet * 1000:.1f} ms without, {busy * 1000:.1f} ms with, ratio {busy / quiet:.2f};"
        f" lost or doubled: {faults}{_told(gone)}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    costs()
    kept_memory()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    process, port = start()
    try:
        crowd = Crowd(port, process.pid)
        keeps = watcher(crowd)
        comers(crowd, keeps, 1000, 0.0, connected=True)
        comers(crowd, keeps, 1000, 0.0, connected=False)
        comers(crowd, keeps, 5000, 2.0, connected=False)
        for per_second in (100, 300, 1000):
            beside(crowd, keeps, 500, per_second, 3.0)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
