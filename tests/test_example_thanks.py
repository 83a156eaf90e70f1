# SPDX-License-Identifier: MIT
"""`docs/examples/thanks.py`: one bot for all platforms."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from itertools import count
from typing import Any

import msgspec
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.event_data import EventData, Gift, Person, Price, Raid, Subscription
from livechat.model.events import ChannelEvent
from livechat.simulator import actions, observed
from tests.test_examples import ANN, BOB, EXAMPLES, ROOT, ExampleCase


class WordsTests(SynchronousTestCase):
    """Its words for whatever events may be like."""

    def setUp(self) -> None:
        """The example without its last line, which starts it."""
        code = ast.parse((EXAMPLES / "thanks.py").read_text())
        del code.body[-1]
        self.bot: dict[str, Any] = {}
        exec(compile(code, "thanks.py", "exec"), self.bot)

    def words(self, data: EventData) -> str:
        """What it prints."""
        event = ChannelEvent.of(data, "twitch", "2026-01-02T03:04:05.678Z", "e", "42")
        with redirect_stdout(StringIO()) as output:
            self.bot["thank"](**msgspec.to_builtins(event))
        return output.getvalue()

    def test_size(self) -> None:
        """Thirty lines of code, none of which names a platform."""
        text = (EXAMPLES / "thanks.py").read_text()
        code = text.split('"""', 2)[2]
        lines = [line for line in code.splitlines() if line.strip()]
        self.assertLessEqual(len(lines), 30)
        self.assertNotRegex(code, "(?i)platform|twitch|youtube|tiktok")

    def test_raids(self) -> None:
        """Those that come are welcomed."""
        bob = Person("7", "bob", "Bob")
        raid = Raid(direction="incoming", user=bob, viewers=55)
        self.assertEqual(self.words(raid), "Bob comes with 55 viewers\n")
        raid = Raid(direction="incoming", user=None, viewers=None)
        self.assertEqual(self.words(raid), "Somebody comes with many viewers\n")
        raid = Raid(direction="incoming")
        self.assertEqual(self.words(raid), "Somebody comes with many viewers\n")
        self.assertEqual(self.words(Raid(direction="outgoing", user=bob)), "")
        self.assertEqual(self.words(Raid(direction="cancelled", user=bob)), "")

    def test_gifts(self) -> None:
        """With what is known of them; once for all parts of a large one."""
        bob, cleo = Person("7", None, "Bob"), Person(None, "cleo", None)
        price = Price(3, "DIAMONDS", None)
        rose = Gift(
            gift_type="virtual", user=bob, recipient=cleo, count=3, name="Rose", price=price
        )
        self.assertEqual(self.words(rose), "Bob gives 3 x Rose to cleo (3 DIAMONDS)\n")
        coin = Gift(
            gift_type="virtual", user=bob, count=1, name="Coin", price=Price(None, "JEWELS", None)
        )
        self.assertEqual(self.words(coin), "Bob gives 1 x Coin\n")
        gift = Gift(gift_type="subscription", user=None, recipient=None, count=None, price=None)
        self.assertEqual(self.words(gift), "Somebody gives some x subscription\n")
        gift = Gift(gift_type="subscription", count=1, gift_id=UNSET)
        self.assertEqual(self.words(gift), "Somebody gives 1 x subscription\n")
        large = Gift(gift_type="subscription", user=bob, count=2, gift_id="g")
        part = Gift(gift_type="subscription", user=bob, recipient=cleo, gift_id="g")
        self.assertEqual(self.words(large), "Bob gives 2 x subscription\n")
        self.assertEqual(self.words(part), "")

    def test_subscriptions(self) -> None:
        """New and old ones."""
        bob = Person("7", "bob", "Bob")
        new = Subscription(status="new", user=bob, months=None)
        self.assertEqual(self.words(new), "Bob subscribes (new, month 1)\n")
        old = Subscription(status="renewed", user=bob, months=7)
        self.assertEqual(self.words(old), "Bob subscribes (renewed, month 7)\n")


CLEO = actions.Author(13, "cleo", "Cleo")


def happenings() -> Iterator[actions.Action]:
    """A raid, a gift, two gifts at once, two subscriptions, and something that costs money."""
    ids = (f"{number:08d}-0000-4000-8000-000000000000" for number in count(1))
    yield actions.Raid(id=next(ids), author=BOB, viewers=55)
    yield actions.Gift(id=next(ids), author=BOB, recipient=CLEO, total=1)
    shower = actions.GiftShower(id=next(ids), author=BOB, count=2, total=3)
    yield shower
    for who in (ANN, CLEO):
        yield actions.Gift(id=next(ids), author=BOB, recipient=who, total=3, shower=shower.id)
    yield actions.Subscribe(id=next(ids), author=CLEO, months=1)
    yield actions.Subscribe(id=next(ids), author=BOB, months=7)
    yield actions.Pay(id=next(ids), author=BOB, amount=100)


class PlatformsTests(ExampleCase):
    """The same happenings on each platform, and what the page says that the bot prints."""

    async def play(self, name: str, url: str, platform: Any, *more: bytes) -> None:
        """All of it on one platform."""
        page = (ROOT / "docs" / "examples.md").read_text()
        lines = re.findall(rf"^{name} +(.*)$", page, re.MULTILINE)
        self.assertGreaterEqual(len(lines), 4)
        program = self.start(sys.executable, "thanks.py", self.address, url)
        await self.started(1)
        for what in (*happenings(), *more):
            platform.say("ann", what)
        await self.says(program, *lines)

    async def test_twitch(self) -> None:
        """On Twitch, where a gift of a combo is what costs money."""
        combo = observed.read("twitch-combos").splitlines()[0].replace(b"#room", b"#ann")
        await self.play("twitch", "https://www.twitch.tv/ann", self.twitch, combo)

    async def test_youtube(self) -> None:
        """On YouTube."""
        await self.play("youtube", "https://www.youtube.com/@ann", self.youtube)

    async def test_tiktok(self) -> None:
        """On TikTok."""
        await self.play("tiktok", "https://www.tiktok.com/@ann", self.tiktok)
