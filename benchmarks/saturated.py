# SPDX-License-Identifier: MIT
"""A server that makes its own messages as fast as subscribers drain them, through our fan-out.

`python -m benchmarks.saturated PORT SUBSCRIBERS MESSAGES BURST RATE`: the arguments of the other
servers of the fan-out benchmark.  One flush per reactor turn, encoding included; no upstream, no
statistics: what is measured is the delivery alone.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from twisted.internet import reactor
from twisted.internet.protocol import Factory

from livechat.core.fanout import Fanout
from livechat.core.options import Options
from livechat.core.publication import Publication
from livechat.core.session import Session
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.chat import Author, Badge, ChatData, ChatMessage, ChatMetadata, Roles
from livechat.model.events import ChannelKey
from livechat.model.text import content
from livechat.transports.client_registry import ClientRegistry, Limits
from livechat.transports.direct import prepare_port
from livechat.transports.http_or_websocket import PortFactory
from livechat.transports.websocket import ClientConnection, ClientFactory

_KEY: Final = ChannelKey("twitch", "username", "bench")
_TAIL: Final = (
    "hello chat this is a benchmark message of ordinary length with a few words KEKW KEKW"
)
_AUTHOR: Final = Author(
    "100001",
    "quiet_otter",
    "quiet_otter",
    None,
    Roles(subscriber=True),
    [Badge("subscriber", "subscriber"), Badge("custom", "premium")],
)


class Listener(Session):
    """A conversation in which the client only listens."""

    __slots__ = ("_client",)

    def __init__(self, bench: Bench, client: ClientConnection) -> None:
        self._client = client
        bench.fanout.add(Subscription(_KEY, client, "bench", Options(), lambda _: None))
        bench.came()

    def received(self, payload: bytes) -> None:
        """Nothing is asked for here."""

    def closed(self) -> None:
        """Nothing is held."""


class Bench:
    """Counts subscribers, and begins when all are there."""

    def __init__(self, subscribers: int, messages: int, burst: int, rate: float) -> None:
        metrics = Metrics()
        self.fanout = Fanout(reactor, 0.0, metrics)
        self._missing = subscribers
        self._left = messages
        self._burst = burst
        self._pause = 1 / rate if rate else 0.0
        self._sent = 0
        limits = Limits(pending=1 << 28)

        def listener(client: Any) -> Session:
            return Listener(self, client)

        self.clients = ClientRegistry(reactor, limits, metrics, listener)

    def came(self) -> None:
        """Another subscriber."""
        self._missing -= 1
        if self._missing == 0 and self._left:
            reactor.callLater(0.3, self._turn)

    def _turn(self) -> None:
        count = min(self._burst, self._left)
        if self._pause or not any(client.pending for client in self.clients.clients):
            self.fanout.publish([self._message() for _ in range(count)])
            self.fanout.flush()
            self._left -= count
        if self._left:
            reactor.callLater(self._pause, self._turn)

    def _message(self) -> Publication:
        text = f"zSQ{self._sent:010d}T{time.monotonic_ns()}z {_TAIL}"
        self._sent += 1
        data = ChatData(_AUTHOR, content([text]), ChatMetadata())
        message = ChatMessage("twitch", "2024-03-20T12:34:56.789Z", "id", "71092938", data)
        return Publication.of("bench", self._sent, message)


def main() -> None:
    """Serve until killed."""
    port, subscribers, messages, burst = map(int, sys.argv[1:5])
    bench = Bench(subscribers, messages, burst, float(sys.argv[5]))
    public_port = PortFactory([ClientFactory(reactor, bench.clients)], Factory(), reactor, 10.0)
    listening = reactor.listenTCP(port, public_port, backlog=4096, interface="127.0.0.1")
    prepare_port(listening)
    reactor.callWhenRunning(lambda: print("ready", flush=True))
    reactor.run()


if __name__ == "__main__":
    main()
