# SPDX-License-Identifier: MIT
"""Rights at a real redis-server: the documented example, and each right of it taken away."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from livechat.redis.address import RedisAddress
from livechat.redis.connection import endpoint_of
from livechat.redis.link import RedisLink
from livechat.redis.names import Names
from livechat.redis.rights import advice, is_server_trouble, missing
from livechat.statistics.redis_layout import PROBES, SCRIPT
from livechat.statistics.redis_stats import RedisStats
from tests.contracts.stats_store import KEY, tally
from tests.support.fakes import nobody
from tests.support.redis import RedisServer, settled

KEYS = Names().key_rule
TOPICS = Names().topic_rule

DOCUMENT = Path(__file__).parent.parent / "docs" / "statistics.md"
EXAMPLE = shlex.split(re.search(r"^ACL SETUSER (?:.|\\\n)*?$", DOCUMENT.read_text(), re.M)[0])  # type: ignore[index]
RULES = [rule for rule in EXAMPLE[2:] if rule[0] in "+~&"]

#: Rights without which statistics are kept in Redis all the same.
OPTIONAL = ("+publish", "+pubsub", "+subscribe", "+unsubscribe", TOPICS)


class ErrorTests(SynchronousTestCase):
    """Whose fault an error is."""

    def test_server(self) -> None:
        """These concern everything, also when a script reports them."""
        for error in (
            "READONLY You can't write against a read only replica.",
            "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:9.",
            "MISCONF Redis is configured to save RDB snapshots",
            "LOADING Redis is loading the dataset in memory",
            "NOAUTH Authentication required.",
            "NOPERM this user has no permissions to run the 'eval' command",
            "BUSY Redis is busy running a script.",
            " unknown command 'EVAL', with args beginning with:",
        ):
            self.assertTrue(is_server_trouble(error), error)

    def test_keys(self) -> None:
        """These concern one channel."""
        for error in (
            "WRONGTYPE livechat:1:{twitch:ann}:totals is a string, not ours",
            "MOVED 3999 127.0.0.1:6381",
            " hash value is not an integer script: 1, on @user_script:52.",
        ):
            self.assertFalse(is_server_trouble(error), error)

    def test_missing(self) -> None:
        """What is missing is told from what every generation of Redis says."""
        for error, found in (
            ("NOPERM this user has no permissions to run the 'get' command", "+get"),
            ("NOPERM User chat has no permissions to run the 'get' command", "+get"),
            (
                "NOPERM this user has no permissions to run the 'get' command or its subcommand",
                "+get",
            ),
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments",
                KEYS,
            ),
            ("NOPERM No permissions to access a key", KEYS),
            (
                "NOPERM this user has no permissions to access one of the channels used as"
                " arguments",
                TOPICS,
            ),
            ("NOPERM No permissions to access a channel", TOPICS),
            ("unknown command 'GET', with args beginning with: 'x'", "GET"),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", ""),
        ):
            self.assertEqual(missing("GET", error, Names()), found, error)

    def test_advice(self) -> None:
        """Everything that is missing stands in one sentence, once."""
        self.assertEqual(
            advice("", ["+get", KEYS, "+get", "+set"]),
            f"missing rights, allow them by: ACL SETUSER default +get {KEYS} +set",
        )
        self.assertIn("does not know ZPOPMIN, EVAL: it is older", advice("u", ["ZPOPMIN", "EVAL"]))
        self.assertEqual(advice("u", []), "")


class Soon(Random):
    """Draws the shortest wait but one, so that there are many tries in a short time."""

    def uniform(self, a: float, b: float) -> float:
        """See `Random`."""
        return min(b, 0.02)


class ExampleTests(TestCase):
    """A user with the documented rights, and without one of them at a time."""

    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]
        """A server with the user of the example."""
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        await self.server.start(reactor)
        self.assertEqual(self.server.command(*EXAMPLE), "OK")
        self.lines: list[str] = []
        observer = cast(ILogObserver, self._log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def _log(self, event: LogEvent) -> None:
        if event.get("log_namespace", "").startswith("livechat."):
            self.lines.append(formatEvent(event))

    def started(self) -> RedisStats:
        """A store that logs in as the user of the example."""
        secret = next(rule[1:] for rule in EXAMPLE if rule.startswith(">"))
        url = self.server.url.replace("//", f"//{EXAMPLE[2]}:{secret}@").replace("/0", "/1")
        address = RedisAddress.parse(url)
        endpoint = endpoint_of(reactor, address)
        self.tries = 0
        connect = endpoint.connect

        def counted(factory: Any) -> Any:
            self.tries += 1
            return connect(factory)

        self.patch(endpoint, "connect", counted)
        link = RedisLink(address, endpoint, reactor, Soon(), PROBES)
        store = RedisStats(link, reactor, time.time, "writer")
        store.startService()
        self.addCleanup(store.stopService)
        return store

    async def is_kept(self, store: RedisStats) -> None:
        """What is counted is stored."""
        await settled(reactor, lambda: store.storage_type == "redis")
        store.open(KEY, nobody)
        store.add(KEY, tally({"1": 3}))
        key = "livechat:1:{twitch:ann}:totals"
        await settled(
            reactor, lambda: self.server.command("HGET", key, "total", database=1) == b"3"
        )

    async def test_documented(self) -> None:
        """With the documented rights everything works, and nothing is complained of."""
        store = self.started()
        await self.is_kept(store)
        await settled(reactor, lambda: bool(store.health["redis"]["listening"]))  # type: ignore[index]
        store.forget(KEY, nobody)
        await settled(reactor, lambda: not self.server.command("PUBSUB", "CHANNELS"))
        self.assertEqual(len(self.lines), 1, self.lines)
        self.assertEqual(self.tries, 2)

    async def without(self, rule: str) -> None:
        """The log names what is missing, once, as a command that an administrator can run."""
        taken = {KEYS: "resetkeys", TOPICS: "resetchannels"}.get(rule, f"-{rule[1:]}")
        self.server.command("ACL", "SETUSER", EXAMPLE[2], taken)
        store = self.started()
        if rule in OPTIONAL:
            await self.is_kept(store)
            store.forget(KEY, nobody)
        await settled(reactor, lambda: any("ACL SETUSER" in line for line in self.lines))
        if rule not in OPTIONAL:
            await settled(reactor, lambda: self.tries > 6)
            self.assertEqual(store.storage_type, "memory")
            self.assertIn(rule, store.health["redis"]["reason"])  # type: ignore[index]
        named = [line for line in self.lines if "ACL SETUSER" in line]
        self.assertEqual(len(named), 1, self.lines)
        found = re.search(r"ACL SETUSER [^;)]*", named[0])
        assert found is not None
        self.assertEqual(found[0].split(), ["ACL", "SETUSER", EXAMPLE[2], rule])
        self.server.command(*found[0].split())
        await self.is_kept(store)

    def test_every_command_of_the_script(self) -> None:
        """What the script does is tried when a connection is made, and stands in the example."""
        used = set(re.findall(rb"redis\.p?call\('(\w+)'", SCRIPT.text))
        self.assertLessEqual({name.decode() for name in used}, {p.command[0] for p in PROBES})
        self.assertLessEqual({f"+{p.command[0].lower()}" for p in PROBES}, set(RULES))


def _test_without(rule: str) -> Callable[[ExampleTests], Deferred[None]]:
    def test(self: ExampleTests) -> Deferred[None]:
        return Deferred.fromCoroutine(self.without(rule))

    test.__doc__ = f"Without {rule}."
    return test


for _rule in RULES:
    _name = {KEYS: "keys", TOPICS: "topics"}.get(_rule, _rule[1:])
    setattr(ExampleTests, f"test_without_{_name}", _test_without(_rule))
