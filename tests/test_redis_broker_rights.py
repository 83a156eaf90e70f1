# SPDX-License-Identifier: MIT
"""The rights that the broker needs: those documented suffice; one that is missing is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from livechat.brokers.redis import layout
from livechat.brokers.redis.broker import RedisBroker
from tests.contracts.broker import KEY, Member
from tests.support.redis import RedisServer, settled
from tests.support.redis_brokers import broker
from tests.test_redis_rights import EXAMPLE

_PAGE = (Path(__file__).parent.parent / "docs" / "cluster.md").read_text()
ADDED = shlex.split(re.search(r"^ACL SETUSER .*$", _PAGE, re.M)[0])  # type: ignore[index]
RULES = (*ADDED[3:], "+publish", "+subscribe", "+hset", "+hdel", "+evalsha")


class RightsTests(TestCase):
    """A user with the documented rights, and without one of them at a time."""

    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]
        """A server with the user of both pages."""
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        await self.server.start(reactor)
        self.assertEqual(self.server.command(*EXAMPLE), "OK")
        self.assertEqual(self.server.command(*ADDED), "OK")

    def started(self) -> RedisBroker:
        """A node that logs in as that user."""
        secret = next(rule[1:] for rule in EXAMPLE if rule.startswith(">"))
        url = self.server.url.replace("//", f"//{EXAMPLE[2]}:{secret}@")
        node = broker(reactor, url, "node")
        node.startService()
        self.addCleanup(node.stopService)
        return node

    async def test_documented(self) -> None:
        """They suffice to lead."""
        member = Member()
        self.started().join(KEY, member)
        await settled(reactor, lambda: member.roles == ["lead"])

    async def without(self, rule: str) -> None:
        """Without one there is no role, and its name stands in the reason."""
        self.server.command("ACL", "SETUSER", EXAMPLE[2], f"-{rule[1:]}")
        node: Any = self.started()
        member = Member()
        node.join(KEY, member)
        parts = (node._link._commands, node._link._topics)
        await settled(reactor, lambda: any(rule in part.reason for part in parts))
        self.assertEqual(member.roles, [])

    async def test_some_keys(self) -> None:
        """Without the keys of one channel Redis is not used, and the log says why, once."""
        lines: list[str] = []

        @implementer(ILogObserver)
        def observer(event: LogEvent) -> None:
            lines.append(formatEvent(event))

        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        names = ("layout", "1:probe*", "1:node:*", "1:marker", "1:{twitch:bob}:*")
        keys = [f"~livechat:{name}" for name in names]
        self.server.command("ACL", "SETUSER", EXAMPLE[2], "resetkeys", *keys)
        node: Any = self.started()
        member = Member()
        node.join(KEY, member)
        await settled(reactor, lambda: "~livechat:*" in node._link.reason)
        await deferLater(reactor, 2)
        self.assertEqual(sum("is ready" in line for line in lines), 1, lines)
        self.assertEqual(member.roles, [])
        self.server.command("ACL", "SETUSER", EXAMPLE[2], "resetkeys", "~livechat:*")
        await settled(reactor, lambda: member.roles == ["lead"])

    def test_every_command_of_the_scripts(self) -> None:
        """What the scripts do is tried when a connection is made."""
        scripts = (
            layout.CLAIM,
            layout.PUBLISH,
            layout.OFFER,
            layout.PASS,
            layout.LEAVE,
            layout.READ,
        )
        used = {
            name.decode()
            for script in scripts
            for name in re.findall(rb"redis\.p?call\('(\w+)'", script.text)
        }
        self.assertLessEqual(used, {probe.command[0] for probe in layout.PROBES})


def _test_without(rule: str) -> Callable[[RightsTests], Deferred[None]]:
    def test(self: RightsTests) -> Deferred[None]:
        return Deferred.fromCoroutine(self.without(rule))

    test.__doc__ = f"Without {rule}."
    return test


for _rule in RULES:
    setattr(RightsTests, f"test_without_{_rule[1:]}", _test_without(_rule))
