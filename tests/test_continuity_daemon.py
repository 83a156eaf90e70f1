# SPDX-License-Identifier: MIT
"""The real daemon under load: clients that drop and come back again and again miss nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import SHUT_RDWR
from typing import Any, Final

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from websockets.sync.client import connect

from tests.support.daemon import PATIENCE, Daemon, start_daemon
from tests.support.schema import frames

reactor: Any = _reactor

#: Connections one after the other of each client, and messages that each of them reads.
COMEBACKS: Final = 10
READ: Final = 25

CLIENTS: Final = 8


@contextmanager
def subscribed(port: int, **options: Any) -> Iterator[Callable[[], dict[str, Any]]]:
    """A connection that watches the channel; it gives message by message, and is cut off."""
    command = {"type": "subscribe", "platform": "twitch", "identifier": "ann", "stats": False}
    schema = frames()
    url = f"ws://127.0.0.1:{port}/"
    with connect(
        url, compression=None, max_queue=None, open_timeout=PATIENCE, ping_interval=None
    ) as connection:
        connection.send(msgspec.json.encode(command | options).decode())
        try:
            yield lambda: schema.read(connection.recv(PATIENCE))
        finally:
            # Without a farewell: what was on its way is lost.
            connection.socket.shutdown(SHUT_RDWR)


class Given:
    """What one client was given, over all its connections.

    :ivar numbers: of chats and events, in the order in which they came.
    :ivar unrecovered: how often it was told that something is missing.
    """

    def __init__(self, port: int, **options: Any) -> None:
        self.port = port
        self.options = options
        self.epoch = ""
        self.first = 0
        self.messages: list[dict[str, Any]] = []
        self.unrecovered = 0

    @property
    def numbers(self) -> list[int]:
        """The numbers, in the order in which they came."""
        return [message["seq"] for message in self.messages]

    def read(self, count: int, until: int = 0) -> None:
        """Connect, go on after the last message, read so many, and drop the connection.

        :param until: the number that is enough, if it comes earlier.
        """
        since = {}
        if self.epoch:
            last = self.numbers[-1] if self.messages else self.first
            since = {"since": {"epoch": self.epoch, "seq": last}}
        with subscribed(self.port, **self.options, **since) as receive:
            while count:
                message = receive()
                if message["type"] in ("chat", "event"):
                    self.messages.append(message)
                    count -= 1
                    if until and message["seq"] >= until:
                        return
                elif message.get("status") == "started":
                    self.unrecovered += message.get("recovered") is False
                    if not self.epoch:
                        self.epoch, self.first = message["epoch"], message["seq"]


def removed(messages: list[dict[str, Any]]) -> set[int]:
    """The numbers of the chats that a later event has removed."""
    numbers: set[int] = set()
    for index, message in enumerate(messages):
        event = message["data"]
        if event["type"] not in ("deletion", "timeout"):
            continue
        what = event["data"]
        timed_out = what["user"]["id"] if event["type"] == "timeout" else None
        for earlier in messages[:index]:
            chat = earlier["data"]
            if chat["type"] == "chat" and (
                what.get("scope") == "chat"
                or what.get("message_id") == chat["message_id"]
                or timed_out == chat["data"]["author"]["id"]
            ):
                numbers.add(earlier["seq"])
    return numbers


class ComingBackTests(TestCase):
    """A daemon with its simulator, which says fifty things a second."""

    timeout = 4 * PATIENCE

    def setUp(self) -> Deferred[None]:  # type: ignore[override]
        """Start it."""
        self.daemon: Daemon = start_daemon(reactor, "--demo", "--demo-rate=50")
        return self.daemon.listening

    def tearDown(self) -> Deferred[int | str]:  # type: ignore[override]
        """Stop it."""
        return self.daemon.terminate()

    async def test_nothing_missing(self) -> None:
        """Eight clients drop and resume ten times: every number once, in order, none lost."""
        truth = Given(self.daemon.port, events=True)
        others = [Given(self.daemon.port, events=True) for _ in range(CLIENTS)]

        def come_back(client: Given) -> None:
            for _ in range(COMEBACKS):
                client.read(READ)

        # The one that tells the truth stays connected, longer than all others.
        stays = deferToThread(truth.read, COMEBACKS * READ * 2)
        await gatherResults([deferToThread(come_back, client) for client in others])
        await stays
        last = truth.numbers[-1]
        await gatherResults([deferToThread(one.read, 10**6, last) for one in others])
        self.assertEqual(truth.numbers, list(range(truth.first + 1, last + 1)))
        gone = removed(truth.messages)
        by_number = {message["seq"]: message for message in truth.messages}
        for client in others:
            self.assertEqual((client.unrecovered, client.epoch), (0, truth.epoch))
            numbers = client.numbers
            self.assertEqual(numbers, sorted(set(numbers)), "doubled, or out of order")
            expected = set(range(max(client.first, truth.first) + 1, last + 1))
            self.assertEqual(expected - set(numbers) - gone, set(), "lost")
            for message in client.messages:
                self.assertEqual(message, by_number.get(message["seq"], message))
