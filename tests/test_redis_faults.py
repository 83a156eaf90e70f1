# SPDX-License-Identifier: MIT
"""Black box: what clients of the daemon see while something is wrong with a real Redis.

Each test writes one row of a table to the log: fault, chat latency, totals in and out.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from operator import itemgetter
from typing import Any
from urllib.request import urlopen

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from livechat.redis.wire import REPLY_TIMEOUT
from tests.support.daemon import PATIENCE, Client
from tests.support.redis import RedisServer
from tests.support.schema import frames
from tests.test_acceptance import DaemonCase, privmsg

_log = Logger()

STEM = "livechat:1:{twitch:ann}:"

#: Longest that a chat message may take, whatever Redis does; the machine may be slow.  A message
#: that waits for Redis takes at least as long as Redis is given for an answer.
LATENCY = REPLY_TIMEOUT


class RedisDaemonCase(DaemonCase):
    """A daemon whose statistics are in a Redis that tests harm."""

    timeout = 240
    password = ""

    async def setUp(self) -> None:  # type: ignore[override]
        """Start the server, unless the test wants to do so later, and the daemon."""
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        if getattr(getattr(self, self._testMethodName), "redis", True):
            await self.server.start(reactor)
        await self.prepare()
        self.options = (
            "--linger=0",
            "--stats-storage=redis",
            f"--redis-url={self.url}",
        )
        self.sent = 0
        self.slowest = 0.0
        await super().setUp()

    async def prepare(self) -> None:
        """What is to be done before the daemon starts."""

    @property
    def url(self) -> str:
        """What the daemon is told."""
        return self.server.url

    async def chat(self, client: Client, messages: int = 20) -> None:
        """Say messages of five people; each one reaches the client, soon."""
        for _ in range(messages):
            self.sent += 1
            text = f"message {self.sent}"
            began = time.monotonic()
            self.twitch.say("ann", privmsg("ann", text, user_id=str(self.sent % 5)))
            message = await client.until("chat")
            took = time.monotonic() - began
            self.assertEqual(message["data"]["data"]["content"]["raw"], text)
            self.slowest = max(self.slowest, took)
            self.assertLess(took, LATENCY)

    async def asked(self, client: Client) -> dict[str, Any]:
        """The statistics that a client is told when it asks."""
        await client.settled()
        await client.send(type="get_stats")
        message = await client.until("stats")
        data: dict[str, Any] = message["data"]
        return data

    async def newcomer(self) -> str:
        """The storage that somebody is told who subscribes now."""
        client = await self.client()
        await client.subscribe("ann")
        kind: str = (await client.until("subscribed"))["storage_type"]
        await client.close()
        return kind

    async def is_stored(self, kind: str) -> bool:
        """Whether the daemon says that statistics go there, to people and to machines."""
        metrics = await self.daemon.metrics()
        gauge = f"livechat_redis_up {float(kind == 'redis')}"
        stored = bool((await self.health())["storage"] == kind and gauge in metrics)
        if stored and kind == "redis":
            # Each time that it became usable is counted.
            self.assertNotIn("livechat_redis_connects_total 0.0", metrics)
        return stored

    def total(self) -> int:
        """What Redis holds."""
        answer = self.server.command("HGET", f"{STEM}totals", "total")
        return int(answer) if isinstance(answer, bytes) else 0

    def changes(self) -> list[str]:
        """What the daemon's log says of Redis."""
        return [
            line.partition("] ")[2]
            for line in self.daemon.log.splitlines()
            if "Redis at" in line or "in Redis" in line
        ]

    def row(self, fault: str, seen: int) -> None:
        """One row of the table."""
        _log.info(
            "fault table: | {fault} | {slowest:.0f} ms | {seen} | {sent} | {total} |",
            fault=fault,
            slowest=self.slowest * 1000,
            seen=seen,
            sent=self.sent,
            total=self.total(),
        )


class FaultTests(RedisDaemonCase):
    """Chat goes on as if nothing were, totals are told all the time, and are exact in the end."""

    async def through(
        self,
        fault: str,
        harm: Callable[[], Any],
        heal: Callable[[], Any],
        reason: str,
    ) -> None:
        """Chat before, during and after a fault that makes Redis unusable."""
        client = await self.watching("ann")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        self.assertEqual(await self.newcomer(), "redis")
        await self.come_true(lambda: self.total() == self.sent)

        await self._do(harm)
        await self.chat(client)
        await self.come_true(lambda: self.is_stored("memory"))
        await self.chat(client)
        self.assertEqual(await self.newcomer(), "memory")
        during = await self.asked(client)
        self.assertEqual(during["totalMessages"], self.sent)
        self.assertEqual(sum(u["messageCount"] for u in during["uniqueUsers"]), self.sent)

        async def is_told() -> bool:
            redis = (await self.health())["redis"]
            return not redis["up"] and reason in redis["reason"]

        await self.come_true(is_told)

        await self._do(heal)
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        self.assertEqual(await self.newcomer(), "redis")
        await self.come_true(lambda: self.total() == self.sent)
        after = await self.asked(client)
        self.assertEqual((after["totalMessages"], after["uniqueUserCount"]), (self.sent, 5))
        self.assertEqual([u["messageCount"] for u in after["uniqueUsers"]], [self.sent // 5] * 5)
        changes = self.changes()
        self.assertEqual(len(changes), 3, changes)
        self.row(fault, during["totalMessages"])

    async def _do(self, what: Callable[[], Any]) -> None:
        result = what()
        if hasattr(result, "__await__"):
            await result

    async def test_killed(self) -> None:
        """Killed, and started again with nothing."""
        await self.through(
            "killed, back empty", self.server.kill, lambda: self.server.start(reactor), "refused"
        )

    async def test_killed_and_restored(self) -> None:
        """Killed, and started again with an older copy."""

        def harm() -> None:
            self.server.command("SAVE")
            self.server.kill()

        await self.through(
            "killed, back with a copy", harm, lambda: self.server.start(reactor), "refused"
        )

    async def test_hung(self) -> None:
        """Stopped by a signal, and continued: what it was sent meanwhile it does late."""
        await self.through("hangs (SIGSTOP)", self.server.pause, self.server.resume, "")

    async def test_read_only(self) -> None:
        """Made a replica, which takes no writes."""
        await self.through(
            "read-only replica",
            lambda: self.server.command("REPLICAOF", "127.0.0.1", "1"),
            lambda: self.server.command("REPLICAOF", "NO", "ONE"),
            "READONLY",
        )

    async def test_out_of_memory(self) -> None:
        """At the end of its memory."""
        await self.through(
            "out of memory",
            lambda: self.server.command("CONFIG", "SET", "maxmemory", "1"),
            lambda: self.server.command("CONFIG", "SET", "maxmemory", "0"),
            "OOM",
        )

    async def test_disk_full(self) -> None:
        """It cannot save, and takes no writes for that."""

        async def harm() -> None:
            self.server.command("CONFIG", "SET", "save", "3600 1")
            shutil.rmtree(self.server.directory)
            self.server.command("BGSAVE")
            info = "rdb_last_bgsave_status:err"
            await self.come_true(lambda: info in self.server.command("INFO").decode())

        await self.through(
            "cannot save (MISCONF)",
            harm,
            lambda: self.server.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"),
            "MISCONF",
        )

    async def test_password_changed(self) -> None:
        """Restarted with a password that we do not have, and again without."""

        async def harm() -> None:
            self.server.kill()
            await self.server.start(reactor, "--requirepass", "other")

        async def heal() -> None:
            self.server.kill()
            await self.server.start(reactor)

        await self.through("wants a password", harm, heal, "NOAUTH")

    async def test_loading(self) -> None:
        """Restarted with a copy that it takes long to load."""

        async def harm() -> None:
            for number in range(300):
                self.server.command("SET", f"other{number}", "x" * 1000)
            self.server.command("SAVE")
            self.server.kill()
            slow = ("--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024")
            await self.server.start(reactor, *slow)

        await self.through(
            "loads",
            harm,
            lambda: self.server.command("CONFIG", "SET", "key-load-delay", "0"),
            "",
        )

    async def test_emptied(self) -> None:
        """Emptied under our hands: it was never away, and is given everything back."""
        client = await self.watching("ann")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        await self.come_true(lambda: self.total() == self.sent)
        self.server.command("FLUSHALL")
        self.assertEqual((await self.asked(client))["totalMessages"], self.sent)
        await self.chat(client)
        await self.come_true(lambda: self.total() == self.sent)
        seen = (await self.asked(client))["totalMessages"]
        self.assertEqual(seen, self.sent)
        self.assertEqual(len(self.changes()), 1)
        self.row("emptied (FLUSHALL)", seen)

    async def test_wrong_type(self) -> None:
        """Another type under our key: this channel is counted in memory, the key is left alone."""
        self.server.command("SET", f"{STEM}totals", "mine")
        client = await self.watching("ann")
        other = await self.watching("bob")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        self.twitch.say("bob", privmsg("bob", "hello"))
        await other.until("chat")
        await self.come_true(
            lambda: self.server.command("HGET", "livechat:1:{twitch:bob}:totals", "total") == b"1"
        )
        self.assertEqual(await self.newcomer(), "memory")
        self.assertEqual((await self.health())["redis"]["refused"], 1)
        seen = (await self.asked(client))["totalMessages"]
        self.assertEqual(seen, self.sent)
        self.assertEqual(self.server.command("GET", f"{STEM}totals"), b"mine")
        self.server.command("DEL", f"{STEM}totals")
        await self.come_true(lambda: self.total() == self.sent)
        await self.chat(client)
        await self.come_true(lambda: self.total() == self.sent)
        self.assertEqual(await self.newcomer(), "redis")
        self.assertEqual(len(self.changes()), 3, self.changes())
        self.row("wrong type under one key", seen)

    async def test_down_at_start(self) -> None:
        """Not there when the daemon starts: the first chat comes at once, Redis may come later."""
        client = await self.watching("ann")
        await self.chat(client)
        self.assertEqual(await self.newcomer(), "memory")
        seen = (await self.asked(client))["totalMessages"]
        self.assertEqual(seen, self.sent)
        await self.server.start(reactor)
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        await self.come_true(lambda: self.total() == self.sent)
        self.assertEqual(len(self.changes()), 2, self.changes())
        self.row("down at start", seen)

    test_down_at_start.redis = False  # type: ignore[attr-defined]

    async def test_flapping(self) -> None:
        """Killed and started five times in a row under load."""
        client = await self.watching("ann")
        for _ in range(5):
            await self.come_true(lambda: self.is_stored("redis"))
            await self.chat(client)
            self.server.kill()
            await self.chat(client)
            await self.server.start(reactor)
        await self.chat(client)
        await self.come_true(lambda: self.total() == self.sent)
        seen = (await self.asked(client))["totalMessages"]
        self.assertEqual(seen, self.sent)
        self.row("five restarts in a row", seen)


class SecretTests(RedisDaemonCase):
    """A Redis that wants a password."""

    @property
    def url(self) -> str:
        """A user and a wrong password, both of which need escaping in a URL."""
        return f"redis://us%40er:s%2Fecret@127.0.0.1:{self.server.port}/3"

    async def test_wrong_password(self) -> None:
        """It is said that the password is wrong, once, and neither here nor there which."""
        client = await self.watching("ann")
        await self.chat(client)
        await self.come_true(lambda: len(self.changes()) == 1)
        self.assertEqual(await self.newcomer(), "memory")
        reason = (await self.health())["redis"]["reason"]
        self.assertIn("WRONGPASS", reason)
        for secret in ("s/ecret", "s%2Fecret"):
            self.assertNotIn(secret, self.daemon.log)
            self.assertNotIn(secret, reason)
        self.server.command("ACL", "SETUSER", "us@er", "on", ">s/ecret", "~*", "+@all")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        await self.come_true(lambda: self.total() == self.sent)
        self.row("wrong password, then right", self.sent)

    def total(self) -> int:
        """What the third database holds."""
        answer = self.server.command("HGET", f"{STEM}totals", "total", database=3)
        return int(answer) if isinstance(answer, bytes) else 0


class UselessTests(RedisDaemonCase):
    """A Redis that can never be used, until somebody does something about it."""

    async def is_quiet(self, client: Client, reason: str) -> None:
        """Chat and statistics go on, and one line of the log says what is wrong, however long."""
        for _ in range(4):
            await self.chat(client)
            self.assertEqual(await self.newcomer(), "memory")
            await deferLater(reactor, 1.0)
        self.assertEqual(len(self.changes()), 1, self.changes())
        self.assertIn(reason, self.changes()[0])
        self.assertIn(reason, (await self.health())["redis"]["reason"])
        self.assertNotIn("Traceback", self.daemon.log)
        self.assertEqual((await self.asked(client))["totalMessages"], self.sent)

    async def test_without_a_right(self) -> None:
        """A user who may not run EVALSHA; an administrator does what the log says."""
        client = await self.watching("ann")
        await self.is_quiet(client, "ACL SETUSER chat +evalsha")
        self.server.command("ACL", "SETUSER", "chat", "+evalsha")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.come_true(lambda: self.total() == self.sent)
        self.assertEqual(len(self.changes()), 2, self.changes())

    test_without_a_right.rights = ("+@all", "-evalsha")  # type: ignore[attr-defined]

    async def test_not_redis(self) -> None:
        """Something that answers each command with a number."""
        client = await self.watching("ann")
        await self.is_quiet(client, "PING was answered by something that Redis does not answer")

    test_not_redis.redis = False  # type: ignore[attr-defined]

    async def setUp(self) -> None:  # type: ignore[override]
        """Make the user, or the server that is none, before the daemon starts."""
        self.port = self.listen(Numbers())
        await super().setUp()

    async def prepare(self) -> None:
        """See above."""
        rights = getattr(getattr(self, self._testMethodName), "rights", ())
        if rights:
            secret = ("on", ">s3cret", "~livechat:*", "&livechat:*")
            self.server.command("ACL", "SETUSER", "chat", *secret, *rights)

    @property
    def url(self) -> str:
        """Of the server of the test."""
        if not getattr(getattr(self, self._testMethodName), "redis", True):
            return f"redis://127.0.0.1:{self.port}"
        return f"redis://chat:s3cret@127.0.0.1:{self.server.port}/0"


class _Number(Protocol):
    def dataReceived(self, data: bytes) -> None:
        """A number for each command."""
        assert self.transport is not None
        self.transport.write(b":1\r\n" * len(re.findall(rb"(?m)^\*\d", data)))


class Numbers(Factory):
    """Answers everything with a number."""

    protocol = _Number


class RestartTests(RedisDaemonCase):
    """The daemon ends and comes again."""

    async def test_totals_go_on(self) -> None:
        """What was counted up to the last message is there after a restart, and goes on."""
        client = await self.watching("ann")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        await self.daemon.terminate()
        self.assertEqual(self.total(), self.sent)
        await DaemonCase.setUp(self)
        await self.come_true(lambda: self.is_stored("redis"))
        client = await self.watching("ann")
        await self.come_true(lambda: self.tells_all(client))
        self.assertEqual((await self.asked(client))["uniqueUserCount"], 5)
        await self.chat(client)
        self.assertEqual((await self.asked(client))["totalMessages"], self.sent)

    async def test_left_and_watched_again(self) -> None:
        """Nobody watches for a while: the next one finds the totals."""
        client = await self.watching("ann")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        await client.close()
        await self.come_true(lambda: self.active(0))
        client = await self.watching("ann")
        await self.come_true(lambda: self.tells_all(client))

    async def tells_all(self, client: Client) -> bool:
        """Whether a client is told of everything that was ever said.

        The first statistics wait only a moment for Redis, which may be slow on a busy machine.
        """
        return bool((await self.asked(client))["totalMessages"] == self.sent)

    async def test_stop_while_hung(self) -> None:
        """A hung Redis does not keep the daemon from ending."""
        client = await self.watching("ann")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        self.server.pause()
        await self.chat(client)
        closing = client.closed_with()
        await self.daemon.terminate().addTimeout(PATIENCE, reactor)
        self.assertEqual(await closing, 1001)

    async def test_read_over_http(self) -> None:
        """Statistics are read over HTTP, also those of a channel that nobody watches now."""
        client = await self.watching("ann")
        await self.come_true(lambda: self.is_stored("redis"))
        await self.chat(client)
        pushed = await self.asked(client)
        self.assertEqual((await self.read("/stats/twitch/@Ann"))["data"], pushed)
        await client.close()
        await self.come_true(lambda: self.active(0))

        async def is_answered() -> bool:
            read = (await self.read("/stats/twitch/ann"))["data"]
            return bool(read["totalMessages"] == self.sent)

        # An answer waits only a moment for Redis, which may be slow on a busy machine.
        await self.come_true(is_answered)
        data = (await self.read("/stats/twitch/ann"))["data"]
        for told in (data, pushed):
            del told["messagesPerMinute"]
            # All five wrote as much; who of them comes first is nobody's business.
            told["uniqueUsers"].sort(key=itemgetter("id"))
        self.assertEqual(data, pushed)

    async def read(self, path: str) -> dict[str, Any]:
        """What a path answers."""
        url = f"http://127.0.0.1:{self.daemon.port}{path}"
        body = await deferToThread(lambda: urlopen(url, timeout=PATIENCE).read())
        return frames().read(body)
