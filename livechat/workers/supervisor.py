# SPDX-License-Identifier: MIT
"""The process that keeps so many workers running.

A worker that ends is started again; one whose event loop stands still is ended first.  One that
ends at once again and again ends everything: what is wrong then does not pass by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from livechat.log_output import LoggedService
from livechat.systemd import Notifier
from livechat.workers.exposition import merged, united
from livechat.workers.messages import (
    CHANNELS,
    METRICS,
    Alive,
    Ask,
    Enter,
    Gather,
    Joined,
    Leave,
    Part,
)
from livechat.workers.ports import SharedPorts
from livechat.workers.process import Orders, WorkerProcess
from livechat.workers.turns import SharedBudgets

_log = Logger()

#: Seconds that a worker must have served so that its end is no failure to start.
QUICK: Final = 5.0

#: So many failures to start in a row end everything.
MAX_FAILURES: Final = 5

#: Seconds before a worker is started again: at once, and then more and more slowly.
PAUSES: Final = (0.0, 0.5, 1.0, 2.0)

#: Seconds without a sign of life after which a worker is ended, and from one look to the next.
DEAF: Final = 30.0
LOOK: Final = 5.0

#: Seconds that the answers of all workers may take; who has not answered then is left out.
ANSWER: Final = 2.0


class _Worker:
    """One place for a worker: the process that fills it, one after another."""

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name
        self.process: WorkerProcess | None = None
        self.restart: IDelayedCall | None = None
        # When it last gave a sign of life, and the first one; None: not yet.
        self.alive = 0.0
        self.since: float | None = None
        self.failures = 0


class Supervisor(LoggedService, Service):
    """Runs workers as long as it runs.

    :param command: starts a worker, when its orders are added.
    :param words: the options of the daemon.
    :param stop_patience: seconds that workers have to stop; who runs on then is killed.
    :param give_up: called with an exit code when the workers cannot be kept running.
    """

    def __init__(
        self,
        reactor: Any,
        ports: SharedPorts,
        notifier: Notifier,
        names: Sequence[str],
        command: Sequence[str],
        words: Sequence[str],
        environ: dict[str, str],
        stop_patience: float,
        give_up: Callable[[int], object],
    ) -> None:
        self._reactor = reactor
        self._ports = ports
        self._notifier = notifier
        self._command = command
        self._words = words
        # What the service manager has passed was for this process.
        self._environ = {
            name: value for name, value in environ.items() if name not in _FOR_THE_FIRST
        }
        self._stop_patience = stop_patience
        self._give_up = give_up
        self._workers = [_Worker(index, name) for index, name in enumerate(names)]
        self._budgets = SharedBudgets(reactor)
        self._gathered: dict[int, _Gathered] = {}
        self._number = 0
        self._look: IDelayedCall | None = None
        self._all_ended: Deferred[None] | None = None
        self._is_ready = False

    def startService(self) -> None:
        """Start all workers."""
        super().startService()
        self._ports.announce()
        for worker in self._workers:
            self._start(worker)
        self._look = self._reactor.callLater(LOOK, self._look_after)

    def stopService(self) -> Deferred[None]:
        """Stop all workers; fires when they have ended."""
        super().stopService()
        self._notifier.stopping()
        if self._look is not None:
            self._look.cancel()
        for worker in self._workers:
            if worker.restart is not None:
                worker.restart.cancel()
                worker.restart = None
        self.signal("TERM")
        kill = self._reactor.callLater(self._stop_patience, self.signal, "KILL")
        ended = self._all_ended = Deferred()
        self._check_ended()

        def stopped(_: None) -> None:
            if kill.active():
                kill.cancel()
            self._ports.close()
            self._notifier.stopped()
            _log.info("all workers have stopped")

        return ended.addCallback(stopped)

    def reload(self) -> None:
        """Have every worker read its files again."""
        self._notifier.reloading()
        self.signal("HUP")
        self._notifier.ready()

    def hurry(self) -> None:
        """End the stop that is under way."""
        self.signal("TERM")

    def signal(self, name: str) -> None:
        """Send every worker a signal."""
        for worker in self._workers:
            if worker.process is not None:
                worker.process.signal(name)

    @property
    def serving(self) -> int:
        """How many workers serve."""
        return sum(worker.since is not None for worker in self._workers)

    def _start(self, worker: _Worker) -> None:
        worker.restart = None
        worker.alive = self._reactor.seconds()
        worker.since = None
        process = WorkerProcess(
            worker.name,
            lambda message: self._received(worker, message),
            lambda code: self._ended(worker, code),
        )
        worker.process = process
        orders = Orders(
            worker.index + 1,
            worker.name,
            type(self._reactor).__module__,
            self._ports.of(worker.index),
            self._words,
        )
        process.spawn(self._reactor, self._command, orders, self._environ)

    def _ended(self, worker: _Worker, code: int) -> None:
        served = 0.0 if worker.since is None else self._reactor.seconds() - worker.since
        worker.process = None
        worker.since = None
        self._budgets.gone(worker.index)
        for asked in list(self._gathered.values()):
            asked.without(worker.index)
        if self._all_ended is not None:
            self._check_ended()
            return
        worker.failures = 0 if served >= QUICK else worker.failures + 1
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if worker.failures >= MAX_FAILURES:
            _log.critical(
                "{name} ended {times} times at once, last by {how}: giving up",
                name=worker.name,
                times=worker.failures,
                how=how,
            )
            self._give_up(1)
            return
        pause = PAUSES[min(worker.failures, len(PAUSES) - 1)]
        _log.error("{name} has ended by {how} and is started again", name=worker.name, how=how)
        worker.restart = self._reactor.callLater(pause, self._start, worker)

    def _check_ended(self) -> None:
        if self._all_ended is not None and all(one.process is None for one in self._workers):
            ended, self._all_ended = self._all_ended, None
            ended.callback(None)

    def _look_after(self) -> None:
        """End workers whose event loop stands still."""
        now = self._reactor.seconds()
        for worker in self._workers:
            if worker.process is not None and now - worker.alive > DEAF:
                _log.error(
                    "{name} has given no sign of life for {seconds} s and is ended",
                    name=worker.name,
                    seconds=round(now - worker.alive),
                )
                worker.alive = now
                worker.process.signal("KILL")
        self._look = self._reactor.callLater(LOOK, self._look_after)

    def _received(self, worker: _Worker, message: object) -> None:
        match message:
            case Alive():
                self._is_alive(worker)
            case Enter():
                self._budgets.enter(worker.index, message, self._sender(worker))
            case Leave():
                self._budgets.leave(worker.index, message)
            case Gather(number, what):
                send = self._sender(worker)
                self._gather(what).addCallback(lambda body: send(Joined(number, body)))
            case Part(number, body):
                asked = self._gathered.get(number)
                if asked is not None:
                    asked.add(worker.index, body)

    def _sender(self, worker: _Worker) -> Callable[[Any], object]:
        """Sends to the process that a worker is now, and to none after it."""
        process = worker.process
        return process.link.send if process is not None else _nowhere

    def _is_alive(self, worker: _Worker) -> None:
        worker.alive = self._reactor.seconds()
        if worker.since is None:
            worker.since = worker.alive
            if not self._is_ready and self.serving == len(self._workers):
                self._is_ready = True
                _log.info("{count} workers serve", count=self.serving)
                self._notifier.ready()

    def _gather(self, what: str) -> Deferred[bytes]:
        """What all workers that serve say of something, as one."""
        serving = [one for one in self._workers if one.since is not None and one.process]
        if not serving:
            return succeed(b"")
        self._number += 1
        number = self._number
        asked = self._gathered[number] = _Gathered(one.index for one in serving)
        for worker in serving:
            self._sender(worker)(Ask(number, what))
        late = self._reactor.callLater(ANSWER, asked.finish)

        def answered(bodies: list[bytes]) -> bytes:
            if late.active():
                late.cancel()
            del self._gathered[number]
            return _JOIN[what](bodies)

        return asked.done.addCallback(answered)


#: How what all workers say becomes one.
_JOIN: Final[Mapping[str, Callable[[Iterable[bytes]], bytes]]] = {
    METRICS: merged,
    CHANNELS: united,
}

#: Variables by which a service manager speaks to the process that it started.
_FOR_THE_FIRST: Final = frozenset(
    {"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}
)


class _Gathered:
    """What all workers say of something, while it is gathered.

    :ivar done: fires with all of it.
    """

    def __init__(self, workers: Any) -> None:
        self.done: Deferred[list[bytes]] = Deferred()
        self._missing = set(workers)
        self._bodies: list[bytes] = []

    def add(self, worker: int, body: bytes) -> None:
        """One worker has answered."""
        self._bodies.append(body)
        self.without(worker)

    def without(self, worker: int) -> None:
        """One worker will not answer any more."""
        self._missing.discard(worker)
        if not self._missing:
            self.finish()

    def finish(self) -> None:
        """Who has not answered is left out."""
        if not self.done.called:
            self.done.callback(self._bodies)


def _nowhere(message: object) -> None:
    """Where messages to a process go that has ended."""
