# SPDX-License-Identifier: MIT
"""A daemon on a passed socket and a Redis that is restarted: it goes on where it stopped."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from livechat.simulator.scenario import Scenario
from livechat.simulator.twitch import TwitchSimulator
from tests.support.daemon import Client, Daemon
from tests.support.redis import RedisServer
from tests.test_systemd import ActivatedCase

reactor: Any = _reactor

LINE = (
    "@id=00000000-0000-4000-8000-{number:012d};display-name=Bob;room-id=4242;user-id=7;"
    "tmi-sent-ts=1767323045678 :bob!bob@bob.tmi.twitch.tv PRIVMSG #ann :chat {number}"
)


class RestartWithRedisTests(ActivatedCase):
    """`--broker=redis`, one node, one channel in which the test speaks."""

    timeout = 120

    async def setUp(self) -> None:  # type: ignore[override]
        """A Redis, a quiet Twitch and a daemon."""
        super().setUp()
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)
        await self.redis.start(reactor)
        self.twitch = TwitchSimulator(reactor, time.time, Scenario(1, 0.0))
        port: IListeningPort = reactor.listenTCP(0, self.twitch, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.options = (
            f"--twitch-irc=tcp:127.0.0.1:{port.getHost().port}",  # type: ignore[attr-defined]
            *("--twitch-gql-url=", "--twitch-history-url=", "--emotes="),
            *("--broker=redis", f"--redis-url={self.redis.url}", "--node=ann", "--linger=0"),
        )
        self.daemon: Daemon = self.systemd.start(reactor, *self.options)
        self.addCleanup(lambda: self.ended(self.daemon))
        await self.systemd.until("READY=1")

    async def subscribed(self, **more: Any) -> tuple[Client, dict[str, Any]]:
        """A client of the channel, and what it was told when the chat had started."""
        client = await Client.open(self.systemd.number)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        await client.subscribe("ann", stats=False, **more)
        return client, await client.until("started")

    async def chats(self, client: Client, count: int) -> list[dict[str, Any]]:
        """The next chats."""
        return [await client.until("chat") for _ in range(count)]

    def say(self, *numbers: int) -> None:
        """Somebody writes."""
        for number in numbers:
            self.twitch.say("ann", LINE.format(number=number).encode())

    async def test_shows_what_it_showed(self) -> None:
        """The next process has the history, goes on with its numbers, and says so."""
        before, started = await self.subscribed()
        self.say(*range(1, 21))
        shown = await self.chats(before, 20)
        self.daemon = await self.systemd.restart(reactor, self.daemon, *self.options)
        self.assertEqual(await before.closed_with(), 1001)
        since = {"epoch": started["epoch"], "seq": shown[9]["seq"]}
        resuming, again = await self.subscribed(since=since, events=True)
        self.assertEqual((again["epoch"], again["recovered"]), (started["epoch"], True))
        missed = await self.chats(resuming, 10)
        self.assertEqual(missed, shown[10:])
        newcomer, _ = await self.subscribed(history=20)
        self.assertEqual(await self.chats(newcomer, 20), shown)
        self.say(21)
        events: list[dict[str, Any]] = []
        last = await resuming.until("chat", events)
        numbers = [message["seq"] for message in [*missed, *events, last] if "seq" in message]
        self.assertEqual(numbers, list(range(missed[0]["seq"], last["seq"] + 1)))
