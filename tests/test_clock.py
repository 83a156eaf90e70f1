# SPDX-License-Identifier: MIT
"""The machine's clock is set back while chats go on: nothing waits for it to come again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase, TestCase
from websockets.sync.client import ClientConnection, connect

from livechat.model.events import ChannelKey, Tally
from livechat.service import use_monotonic_clock
from livechat.statistics.memory import MemoryStats
from tests.support.program import PATIENCE, TWISTD, Program
from tests.support.schema import frames

PLATFORMS = ("tiktok", "twitch", "youtube")
FAKETIME = "usr/lib/*/faketime/libfaketime.so.1"


class ClockCase(SynchronousTestCase):
    """A daemon with simulated platforms whose wall clock the test sets."""

    def setUp(self) -> None:
        """The clock is right at first."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()
        self.control = self.directory / "clock"
        self.set_clock(0)

    def set_clock(self, hours: int) -> None:
        """Put the daemon's wall clock forward or back."""
        self.control.write_text(f"{hours * 3600:+d}s\n")

    def start(self, *reactor: str) -> ClientConnection:
        """Start it; a connected client."""
        (library, *_) = Path("/").glob(FAKETIME)
        program = Program(
            self,
            self.directory,
            *TWISTD[:-1],
            *reactor,
            TWISTD[-1],
            "--demo",
            "--listen=tcp:0:interface=127.0.0.1",
            LD_PRELOAD=str(library),
            FAKETIME_TIMESTAMP_FILE=str(self.control),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )
        found = re.search(r"port=(\d+)", program.until("listening on"))
        assert found
        address = f"ws://127.0.0.1:{found[1]}/"
        client = self.enterContext(
            connect(address, compression=None, open_timeout=PATIENCE, ping_interval=None)
        )
        assert isinstance(client, ClientConnection)
        return client

    def subscribe(self, client: ClientConnection, platform: str, name: str) -> None:
        """Ask for a chat."""
        command = {"type": "subscribe", "platform": platform, "identifier": name}
        client.send(msgspec.json.encode(command).decode())

    def until_all(self, client: ClientConnection, what: Any) -> None:
        """Read until a message of each platform is what is looked for."""
        missing = set(PLATFORMS)
        while missing:
            message = frames().read(client.recv(PATIENCE))
            if what(message):
                missing.discard(message["platform"])


class SetBackTests(ClockCase):
    """One hour back, while chats of all three platforms go on."""

    def check(self, *reactor: str) -> None:
        """Chats and statistics go on, new chats start, and messages bear the time of the clock."""
        client = self.start(*reactor)
        for platform in PLATFORMS:
            self.subscribe(client, platform, "busy_one")
        self.until_all(client, lambda message: message["type"] == "chat")
        self.set_clock(-1)
        past = f"{datetime.now(UTC) - timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}"
        counts: dict[str, int] = {}

        def is_dated_back(message: dict[str, Any]) -> bool:
            if message["type"] == "stats":
                counts[message["platform"]] = message["data"]["totalMessages"]
            return bool(message["type"] == "chat" and message["data"]["timestamp"] < past)

        self.until_all(client, is_dated_back)
        before = dict(counts)

        def has_grown(message: dict[str, Any]) -> bool:
            total = message.get("data", {}).get("totalMessages", 0)
            return bool(message["type"] == "stats" and total > before.get(message["platform"], 0))

        self.until_all(client, has_grown)
        for platform in PLATFORMS:
            self.subscribe(client, platform, "busy_two")
        self.until_all(
            client,
            lambda message: message["type"] == "chat" and message["identifier"] == "busy_two",
        )

    def test_default(self) -> None:
        """On the reactor that the system gets by default."""
        self.check()

    def test_asyncio(self) -> None:
        """On `--reactor=asyncio`."""
        self.check("--reactor=asyncio")

    def test_select(self) -> None:
        """On `--reactor=select`, which macOS gets by default."""
        self.check("--reactor=select")


class MinuteTests(SynchronousTestCase):
    """Messages per minute are counted by wall time, whatever the timers' clock says."""

    def test_dated_by_the_store(self) -> None:
        """What is handed over now counts for this minute."""
        store = MemoryStats(now=lambda: 29_000_000 * 60 + 59.0)
        key = ChannelKey("twitch", "username", "ann")
        day = "2025-02-18T21:20:59.000Z"
        store.add(key, Tally(3, first=day, last=day))
        data = self.successResultOf(store.snapshot(key, 1))
        self.assertEqual((data.messages_per_minute, data.peak_messages_per_minute), (3, 3))


class ReactorTests(TestCase):
    """The clock of a reactor's timers."""

    def test_monotonic(self) -> None:
        """A timer that is made afterwards counts by the monotonic clock."""
        from twisted.internet.selectreactor import SelectReactor  # noqa: PLC0415

        made = SelectReactor()
        use_monotonic_clock(made)
        call = made.callLater(100, lambda: None)
        self.assertLess(abs(call.getTime() - made.seconds() - 100), 10)
        call.cancel()
