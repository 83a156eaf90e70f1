# SPDX-License-Identifier: MIT
"""One worker: the daemon in a process of its own, started and told what to do by a supervisor.

    python -m livechat.worker ORDERS

`ORDERS` is the JSON of `livechat.workers.process.Orders`.  It is not for people.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.logger import globalLogBeginner, jsonFileLogObserver

from livechat.surroundings import Surroundings
from livechat.workers.messages import (
    Alive,
    Ask,
    Entered,
    Gather,
    Joined,
    Link,
    Part,
)
from livechat.workers.ports import Inherited, InheritedPorts
from livechat.workers.process import LINK, Orders
from livechat.workers.turns import SharedGates

#: Seconds from one sign of life to the next.
ALIVE_EVERY: Final = 5.0


class SupervisorLink:
    """What a worker has of its supervisor.

    :ivar gates: of the budgets that all workers share.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.link = Link(self._received, self._lost)
        self.gates = SharedGates(self.link.send)
        self._own: dict[str, Callable[[], bytes]] = {}
        self._asked: dict[int, Deferred[bytes]] = {}
        self._number = 0

    def connect(self, descriptor: int) -> None:
        """Take the end of the link that we inherited."""
        with socket.socket(fileno=descriptor) as inherited:
            inherited.setblocking(False)
            factory = Factory.forProtocol(lambda: self.link)
            self._reactor.adoptStreamConnection(inherited.fileno(), socket.AF_UNIX, factory)

    def live(self) -> None:
        """Say that the event loop turns, now and from time to time."""
        self.link.send(Alive())
        self._reactor.callLater(ALIVE_EVERY, self.live)

    def surroundings(self, ports: Sequence[Inherited]) -> Surroundings:
        """What our daemon takes from its supervisor."""

        return Surroundings(
            lambda reactor: InheritedPorts(reactor, ports), self.gates.gate, self.joined
        )

    def joined(self, what: str, own: Callable[[], bytes]) -> Callable[[], Deferred[bytes]]:
        """See `Surroundings`."""
        self._own[what] = own
        return lambda: self._gather(what)

    def _gather(self, what: str) -> Deferred[bytes]:
        """What all workers say of something."""
        self._number += 1
        asked = self._asked[self._number] = Deferred()
        self.link.send(Gather(self._number, what))
        return asked

    def _received(self, message: object) -> None:
        match message:
            case Entered():
                self.gates.entered(message)
            case Ask(number, what):
                self.link.send(Part(number, self._own[what]()))
            case Joined(number, body):
                self._asked.pop(number).callback(body)

    def _lost(self) -> None:
        """Nobody looks after us any more: the ports belong to whoever is started next."""
        if self._reactor.running:
            self._reactor.stop()


def main() -> None:
    """Run the worker that the command line describes."""
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    import_module(orders.reactor).install()
    from twisted.internet import reactor as installed  # noqa: PLC0415

    # Only now: parts of it install a reactor.
    from livechat import service  # noqa: PLC0415

    reactor: Any = installed
    globalLogBeginner.beginLoggingTo([jsonFileLogObserver(sys.stdout)], redirectStandardIO=False)
    # Control-C goes to all processes of a terminal; the supervisor says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervisor = SupervisorLink(reactor)
    supervisor.connect(LINK)
    daemon = service.worker(
        reactor, orders.words, orders.name, supervisor.surroundings(orders.ports)
    )
    reactor.addSystemEventTrigger("before", "shutdown", daemon.stopService)
    daemon.startService()
    reactor.callWhenRunning(supervisor.live)
    reactor.run(installSignalHandlers=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
