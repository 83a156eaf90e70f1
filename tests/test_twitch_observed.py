# SPDX-License-Identifier: MIT
"""What people observed on Twitch, and what it must become."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.platforms.twitch.parse.chat import Translation
from livechat.simulator import observed
from livechat.statistics.memory import MemoryStats
from tests.support.events import data_of, fields_of
from tests.support.twitch_lines import chat_of, event_of, translated
from tests.test_stats import KEY, StatsCase


def lines(name: str) -> list[Translation]:
    """What the lines of an observed file become."""
    return [translated(line) for line in observed.read(f"twitch-{name}").splitlines()]


def emotes(message: ChatMessage) -> list[str]:
    """The codes of the pictures in a message."""
    return [element.value for element in message.data.content.elements if element.type == "emote"]


class ObservedTests(SynchronousTestCase):
    """One file of observed lines each."""

    def test_everything_is_known(self) -> None:
        """Nothing in the observed lines is unknown to us."""
        for name in observed.names():
            if name.startswith("twitch-"):
                for found in lines(name.removeprefix("twitch-")):
                    self.assertEqual(list(found.unknown), [], name)

    def test_gif(self) -> None:
        """A GIF is a picture, not its caption, wherever the places are counted from."""
        for found, captions, rest in zip(
            lines("gif"),
            (["[Y A Yes GIF by Zoe B]"], ["Kappa", "[gif]"], ["[a gif]"]),
            ("", " ", "\U0001f602 "),
            strict=True,
        ):
            content = chat_of(found).data.content
            self.assertEqual(emotes(chat_of(found)), captions)
            self.assertEqual(content.sanitized, rest)
            metadata = content.elements[-1].metadata
            assert metadata is not UNSET
            self.assertEqual((metadata.gif, metadata.is_custom), (True, True))
            self.assertTrue(metadata.url.startswith("https://media"))
            self.assertIn(f'<img class="emote" src="{metadata.url[:20]}', content.raw_html)

    def test_combos(self) -> None:
        """A combo's gift is a gift of so many bits; what else is told of combos keeps its words."""
        gift, expired, reached = (event_of(found) for found in lines("combos"))
        self.assertEqual(gift.type, "gift")
        data = data_of(gift)
        self.assertEqual(data["user"]["display_name"], "Bob")
        self.assertEqual((data["gift_type"], data["name"], data["count"]), ("virtual", "heart", 1))
        self.assertEqual(data["price"], {"value": 5, "currency": "BITS", "formatted": "5 bits"})
        self.assertEqual(data["platform_kind"], "onetapgiftredeemed")
        self.assertEqual((expired.type, reached.type), ("notice", "notice"))
        self.assertEqual(expired.data.platform_kind, "onetapstreakexpired")
        self.assertEqual(fields_of(expired).params["streak-size-bits"], "150")
        self.assertEqual(fields_of(expired).params["contributor-1"], "Bob")
        self.assertEqual(expired.data.text, "Ann's community sent 30!")
        self.assertEqual(
            fields_of(reached).params,
            {"breakpoint-number": "2", "breakpoint-threshold-bits": "100", "gift-id": "heart"},
        )

    def test_powerups(self) -> None:
        """A message says with what power-up it was sent; one that costs bits is a gift, too."""
        told = [chat_of(found).data.metadata for found in lines("powerups")]
        self.assertEqual(
            [(metadata.effect, metadata.animation) for metadata in told],
            [
                ("gigantified-emote-message", UNSET),
                ("animated-message", "rainbow-eclipse"),
                ("skip-subs-mode-message", UNSET),
            ],
        )
        *bought, free = lines("powerups")
        self.assertEqual(len(free.events), 1)
        for found in bought:
            message, gift = chat_of(found), event_of(found)
            data = data_of(gift)
            self.assertEqual((gift.type, data["gift_type"]), ("gift", "virtual"))
            self.assertEqual(data["platform_kind"], message.data.metadata.effect)
            self.assertEqual(data["message_id"], message.message_id)
            self.assertEqual((data["user"]["id"], data["user"]["username"]), ("7", "ann"))
            self.assertEqual((data["count"], data["price"]), (1, None))

    def test_badge_info(self) -> None:
        """A subscriber's badge tells the exact months, and its tier where it shows one."""
        badges = [chat_of(found).data.author.badges[-1] for found in lines("badge-info")]
        self.assertEqual([badge.months for badge in badges], [28, 41, 14])
        self.assertEqual([badge.tier for badge in badges], [UNSET, UNSET, "3000"])

    def test_shared_chat(self) -> None:
        """Whatever came from another room says so."""
        for found in lines("shared-chat"):
            for event in found.events:
                if isinstance(event, ChatMessage):
                    self.assertEqual(event.data.metadata.source_room_id, "77")
                else:
                    self.assertEqual(event.data.source_room_id, "77")

    def test_action_in_a_notice(self) -> None:
        """Ranges that count the `/me` wrapper are found where they are meant."""
        resub, announcement = (chat_of(found) for found in lines("notice-action"))
        self.assertEqual(emotes(resub), ["Kappa", "Kappa", ":)"])
        self.assertEqual(resub.data.content.raw, "Kappa TEST TEST Kappa :)")
        self.assertEqual(emotes(announcement), ["Kappa"])


class TotalsTests(StatsCase):
    """What observed lines add to the totals of their channel."""

    def snapshot(self, name: str) -> dict[str, Any]:
        """The statistics after the lines of a file."""
        channel = self.stats(MemoryStats(now=self.clock.seconds))
        for found in lines(name):
            for event in found.events:
                if isinstance(event, ChatMessage):
                    channel.count(event)
                else:
                    channel.count_event(event)
        return self.data(self.successResultOf(channel.snapshot()).message(KEY))

    def test_combos(self) -> None:
        """The bits of a combo are in the money, what is told of combos is not."""
        totals = self.snapshot("combos")
        self.assertEqual(totals["money"], {"BITS": 5})
        self.assertEqual(totals["events"], {"gift": 1, "notice": 2})

    def test_shared_chat(self) -> None:
        """Bits, donations and gifts of another room are in no total; its messages are."""
        totals = self.snapshot("shared-chat")
        self.assertNotIn("money", totals)
        self.assertNotIn("events", totals)
        self.assertEqual(totals["totalMessages"], 2)
