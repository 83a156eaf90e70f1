# SPDX-License-Identifier: MIT
"""How long the loop stands still while thousands of clients that came at once are pinged.

The server's objects run in this process, on real loopback sockets; the clients, in another one,
answer pings.  Besides, the loop looks at the clock every millisecond: the longest gaps are printed,
in CPU time, so that other programs on the machine do not count, and as seen on the wall.  Python's
collector, which looks through all objects now and then, is off: it is not what is measured.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import select
import socket
import time
from typing import Any, Final

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import Site

from benchmarks.attackers import HOST, masked
from livechat.metrics import Metrics
from livechat.transports.client_registry import ClientRegistry, Limits
from livechat.transports.direct import prepare_port
from livechat.transports.http_or_websocket import PortFactory
from livechat.transports.websocket import ClientFactory

CLIENTS: Final = 8000
SECONDS: Final = 28.0

_UPGRADE: Final = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def _raise_limit() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _clients(port: int, opened: Any, done: Any) -> None:
    _raise_limit()
    poll = select.epoll()
    connections: dict[int, socket.socket] = {}

    def answer(timeout: float) -> None:
        for descriptor, _ in poll.poll(timeout):
            data = connections[descriptor].recv(4096)
            pings = data.count(b"\x89\x00")
            if pings:
                connections[descriptor].sendall(masked(b"", 10) * pings)
            elif not data:
                poll.unregister(descriptor)

    for _ in range(CLIENTS):
        connection = socket.create_connection((HOST, port))
        connection.sendall(_UPGRADE)
        connections[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
        answer(0)
    opened.set()
    while not done.is_set():
        answer(0.2)


class _Deaf:
    """In place of a session."""

    def received(self, payload: bytes) -> None:
        """Nothing is asked for here."""

    def closed(self) -> None:
        """Nothing is held."""


def measure_pings() -> None:
    """Measure and print."""
    from twisted.internet import reactor as _reactor  # noqa: PLC0415

    reactor: Any = _reactor
    _raise_limit()
    gc.disable()
    context = multiprocessing.get_context("spawn")
    opened, done = context.Event(), context.Event()
    session: Any = _Deaf()
    registry = ClientRegistry(reactor, Limits(), Metrics(), lambda _: session)
    transports = [ClientFactory(reactor, registry)]
    public_port = PortFactory(transports, Site(Resource()), reactor, 60.0)
    clocks = {"CPU": time.thread_time, "wall": time.perf_counter}
    gaps: dict[str, list[float]] = {name: [] for name in clocks}
    last: dict[str, float] = {}

    def tick() -> None:
        for name, clock in clocks.items():
            now = clock()
            gaps[name].append(now - last.get(name, now))
            last[name] = now
        reactor.callLater(0.001, tick)

    def finish() -> None:
        print(f"{len(registry)} clients, {SECONDS:.0f} s; longest stops of the loop in ms:")
        for name, found in gaps.items():
            longest = ", ".join(f"{gap * 1e3:.1f}" for gap in sorted(found, reverse=True)[:5])
            print(f"  {name}: {longest}")
        done.set()
        reactor.stop()

    def begin() -> None:
        if not opened.is_set():
            reactor.callLater(0.2, begin)
            return
        # What came last is still being answered.
        reactor.callLater(2.0, tick)
        reactor.callLater(2.0 + SECONDS, finish)

    def listening(port: IListeningPort) -> None:
        prepare_port(port)
        number = port.getHost().port  # type: ignore[attr-defined]
        context.Process(target=_clients, args=(number, opened, done), daemon=True).start()
        begin()

    TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(public_port).addCallback(listening)
    reactor.run()
