# SPDX-License-Identifier: MIT
"""`--workers`: real processes behind one port, with a real Redis."""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.support.daemon import PATIENCE, Client, Daemon, start_daemon
from tests.support.redis import RedisServer, settled

reactor: Any = _reactor

WORKERS = 3


def children(process: int) -> list[int]:
    """The processes that a process has started and that run."""
    tasks = Path(f"/proc/{process}/task")
    return [
        int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()
    ]


class WorkersCase(TestCase):
    """A daemon of several workers."""

    timeout = 120

    async def setUp(self) -> None:  # type: ignore[override]
        """A Redis."""
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)
        await self.redis.start(reactor)

    async def start(self, *options: str) -> Daemon:
        """Start the daemon, and wait until all workers serve."""
        daemon = self.launch("--demo", *options)
        await daemon.listening
        await self.come_true(lambda: f"{WORKERS} workers serve" in daemon.log)
        return daemon

    def launch(self, *options: str) -> Daemon:
        """Start the daemon."""
        shared = ("--broker=redis", f"--redis-url={self.redis.url}", "--node=ann")
        daemon = start_daemon(reactor, f"--workers={WORKERS}", *shared, *options)
        self.addCleanup(lambda: daemon.ended)
        self.addCleanup(daemon.kill)
        return daemon

    def come_true(self, what: Any) -> Deferred[None]:
        """Wait until something holds."""
        return settled(reactor, what).addTimeout(PATIENCE, reactor)

    def pid(self, daemon: Daemon) -> int:
        """The number of the first process."""
        assert daemon.transport is not None
        assert daemon.transport.pid is not None
        return int(daemon.transport.pid)


class LifeTests(WorkersCase):
    """Started, watched, stopped as one."""

    async def test_connections_and_metrics(self) -> None:
        """Clients are spread over all workers; any of these knows what all have."""
        daemon = await self.start()
        clients = await gatherResults(
            [Deferred.fromCoroutine(Client.open(daemon.port)) for _ in range(60)]
        )
        while "livechat_clients 60.0" not in await daemon.metrics():
            await deferLater(reactor, 0.05)
        shares: Counter[int] = Counter()
        for _ in range(60):
            body = await deferToThread(self.health, daemon.port)
            shares[body["clients"]] += 1
        self.assertLess(max(shares), 45)
        for number, client in enumerate(clients[:12]):
            await client.subscribe(f"channel{number}")
            await client.until("started")
        for _ in range(6):
            body = await deferToThread(self.read, daemon.port, "channels")
            self.assertEqual(len({one["identifier"] for one in body["channels"]}), 12)
            self.assertGreater(len({one["node"] for one in body["channels"]}), 1)
        await gatherResults([Deferred.fromCoroutine(client.close()) for client in clients])

    async def test_a_worker_dies(self) -> None:
        """It is started again, and nobody is refused meanwhile."""
        daemon = await self.start()
        before = children(self.pid(daemon))
        self.assertEqual(len(before), WORKERS)
        os.kill(before[0], signal.SIGKILL)

        def connect_all() -> int:
            """Connect again and again, without waiting for answers; how often it failed."""
            failed = 0
            for _ in range(300):
                with socket.socket() as client:
                    failed += client.connect_ex(("127.0.0.1", daemon.port)) != 0
            return failed

        self.assertEqual(await deferToThread(connect_all), 0)
        await self.come_true(lambda: len(children(self.pid(daemon))) == WORKERS)
        await self.come_true(lambda: daemon.log.count("at most") > WORKERS)
        self.assertIn("has ended by signal 9 and is started again", daemon.log)
        self.assertEqual((await deferToThread(self.health, daemon.port))["status"], "ok")

    async def test_stop(self) -> None:
        """SIGTERM to the first process closes every client with 1001 and ends all processes."""
        daemon = await self.start()
        clients = await gatherResults(
            [Deferred.fromCoroutine(Client.open(daemon.port)) for _ in range(12)]
        )
        workers = children(self.pid(daemon))
        closed = gatherResults([Deferred.fromCoroutine(client.closed_with()) for client in clients])
        self.assertEqual(await daemon.terminate(), "SIGTERM")
        self.assertEqual(set(await closed), {1001})
        await gatherResults([Deferred.fromCoroutine(client.close()) for client in clients])
        self.assertEqual([one for one in workers if Path(f"/proc/{one}").exists()], [])
        self.assertIn("all workers have stopped", daemon.log)

    async def test_the_first_process_dies(self) -> None:
        """Workers that nobody looks after any more end, so that the port is free again."""
        daemon = await self.start()
        workers = children(self.pid(daemon))
        daemon.kill()
        await daemon.ended
        await self.come_true(lambda: not any(Path(f"/proc/{one}").exists() for one in workers))

    async def test_reload(self) -> None:
        """SIGHUP reaches every worker, and ends none."""
        path = Path(self.mktemp())
        path.write_text("secret-of-ann\n")
        daemon = await self.start(f"--tokens={path.resolve()}")
        os.kill(self.pid(daemon), signal.SIGHUP)
        await self.come_true(lambda: daemon.log.count("the tokens were read again") == WORKERS)
        self.assertEqual(len(children(self.pid(daemon))), WORKERS)

    async def test_log(self) -> None:
        """What workers log stands in one log; as JSON, each line is an object, also of a death."""
        daemon = await self.start("--log-format=json")
        workers = children(self.pid(daemon))
        os.kill(workers[0], signal.SIGABRT)
        await self.come_true(lambda: "has ended by signal" in daemon.log)
        await daemon.terminate()
        lines = [msgspec.json.decode(line) for line in daemon.log.splitlines()]
        self.assertEqual({line.get("system") for line in lines}, {None, "ann/1", "ann/2", "ann/3"})
        started = [line["system"] for line in lines if line["message"].startswith("at most")]
        self.assertEqual(set(started), {"ann/1", "ann/2", "ann/3"})

    @classmethod
    def health(cls, port: int) -> dict[str, Any]:
        """What one of the workers says of itself."""
        return cls.read(port, "health")

    @staticmethod
    def read(port: int, what: str) -> dict[str, Any]:
        """What one of the workers answers."""
        with urlopen(f"http://127.0.0.1:{port}/{what}", timeout=PATIENCE) as answer:
            found: dict[str, Any] = msgspec.json.decode(answer.read())
        return found


class FailureTests(WorkersCase):
    """What cannot work ends, and says why."""

    async def test_cannot_start(self) -> None:
        """A worker that ends at once five times ends all, with exit code 1."""
        intake = ("--tiktok-intake=tcp:0:interface=127.0.0.2", "--tiktok-intake-token=" + "a" * 32)
        daemon = self.launch(*intake)
        daemon.listening.addErrback(lambda _: None)
        self.assertEqual(await daemon.ended, 1)
        self.assertIn("workers do not share this port", daemon.log)
        self.assertIn("ended 5 times at once, last by exit code 1: giving up", daemon.log)
        self.assertNotIn("Traceback", daemon.log)
