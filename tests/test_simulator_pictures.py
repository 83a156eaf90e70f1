# SPDX-License-Identifier: MIT
"""The pictures of the simulated platforms: every address that is sent has one."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import fromstring

from hypothesis import given, settings
from hypothesis import strategies as st
from treq.testing import StubTreq
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.description import for_pages, installed
from livechat.platforms.twitch.parse.pictures import (
    COLORS,
    GLOBAL,
    read_colors,
    read_global,
    read_room,
    room_question,
)
from livechat.simulator.drawings import emote as emote_drawing
from livechat.simulator.emote_sets import SimulatedEmote
from livechat.simulator.pictures import Pictures, badge_id, drawing
from livechat.simulator.twitch_lines import EMOTES
from livechat.simulator.twitch_pictures import answer
from livechat.transports.files import FILE_HEADERS, OVERLAY_HEADERS, with_pictures

SVG = "{http://www.w3.org/2000/svg}svg"


class DrawingTests(SynchronousTestCase):
    """What is drawn at which address."""

    def test_all_kinds(self) -> None:
        """Addresses as the simulated platforms send them have drawings that differ."""
        addresses = [
            *(
                f"static-cdn.jtvnw.net/emoticons/v2/{number}/default/dark/2.0"
                for _, number in EMOTES.values()
            ),
            *(
                f"static-cdn.jtvnw.net/badges/v1/{badge_id(name, 0, 0)}/2"
                for name in ("broadcaster", "moderator", "vip", "partner", "premium", "founder")
            ),
            *(
                f"static-cdn.jtvnw.net/badges/v1/{badge_id('subscriber', months, 7)}/2"
                for months in (0, 6, 12, 24, 60)
            ),
            *(
                f"d3aqoihi2n8ty8.cloudfront.net/actions/cheer/dark/animated/{bits}/2.gif"
                for bits in (1, 100, 1000, 5000, 10000)
            ),
            "media.giphy.com/media/0123/giphy.gif",
            "yt4.ggpht.com/12345=s64-c-k",
            "lh3.googleusercontent.com/sticker=s80",
            "p16-webcast.example.com/img/rose.webp",
            "p16-webcast.example.com/img/lion.webp",
            "p16-webcast.example.com/img/avatar_7.webp",
        ]
        drawn = [drawing(address) for address in addresses]
        self.assertEqual(len(set(drawn)), len(addresses))
        for picture in drawn:
            self.assertEqual(fromstring(picture).tag, SVG)

    def test_one_picture_at_several_addresses(self) -> None:
        """What is the same on all platforms looks the same."""
        self.assertEqual(
            drawing("yt3.ggpht.com/laugh=w48-h48-c-k"),
            drawing("p16-webcast.example.com/img/laugh.webp"),
        )
        self.assertIn("<svg", drawing("yt4.ggpht.com/badge-ann=s32-c-k"))
        for point in ("1f602", "1f967"):
            self.assertIn("<svg", drawing(f"www.youtube.com/s/gaming/emoji/7ff/emoji_u{point}.svg"))

    @settings(deadline=None, database=None)
    @given(st.text(max_size=40))
    def test_any_address(self, address: str) -> None:
        """Whatever is asked for is drawn, and never becomes part of the drawing."""
        self.assertEqual(fromstring(drawing(address)).tag, SVG)
        self.assertEqual(fromstring(drawing(f"static-cdn.jtvnw.net/{address}")).tag, SVG)

    def test_providers(self) -> None:
        """Emotes of providers are drawn by their words, whatever their ids are."""
        emote = SimulatedEmote("catJAM")
        for host, number in (("7tv.app", emote.id), ("frankerfacez.com", str(emote.number))):
            self.assertEqual(drawing(f"cdn.{host}/emote/{number}/2x.webp"), emote_drawing("catJAM"))

    def test_over_http(self) -> None:
        """Each is served as a picture."""
        client: Any = StubTreq(Pictures())
        response = self.successResultOf(client.get("http://pictures.test/cdn.example/%F0%9F%98%80"))
        self.assertEqual(response.headers.getRawHeaders(b"content-type"), [b"image/svg+xml"])
        self.assertIn(b"<svg", self.successResultOf(response.content()))


class AnswerTests(SynchronousTestCase):
    """What the simulated GraphQL says, read as Twitch's would be."""

    def test_global(self) -> None:
        """Badges of roles, cheermotes and colours."""
        found = read_global(answer(GLOBAL))
        assert found is not None
        self.assertLessEqual({"moderator/1", "vip/1", "partner/1"}, found.badges[0].keys())
        self.assertLessEqual({"cheer", "anon"}, found.cheermotes.keys())
        self.assertEqual(read_colors(answer(COLORS))[-1], (1, "#979797"))

    def test_room(self) -> None:
        """A room's own badges differ from another's; what is no room has none."""
        rooms = [read_room(answer(room_question(i)["query"], i)) for i in ("7", "8")]
        first, second = (room.badges[0]["subscriber/12"].url for room in rooms if room)
        self.assertNotEqual(first, second)
        self.assertIsNone(read_room(answer(room_question("x")["query"], "x")))
        self.assertIsNone(answer("query{other}"))


class PageTests(SynchronousTestCase):
    """Only a demonstration lets pages show these pictures."""

    BASE = "http://127.0.0.1:40001/pictures/"

    def test_policy(self) -> None:
        """The policy of a page allows this address and no other; without one it is as it was."""
        for headers in (FILE_HEADERS, OVERLAY_HEADERS):
            self.assertIs(with_pictures(headers, ""), headers)
            before = headers[b"content-security-policy"]
            after = with_pictures(headers, self.BASE)[b"content-security-policy"]
            self.assertEqual(after.replace(self.BASE.encode() + b" ", b""), before)
            self.assertEqual(after.count(b"http:"), 1)

    def test_platforms(self) -> None:
        """Pages are told where pictures are in a demonstration, and nothing else."""
        descriptions = installed()
        hosts: dict[str, list[str]] = {name: [] for name in descriptions}
        for pictures in ("", self.BASE):
            told = json.loads(for_pages(descriptions, hosts, pictures))
            self.assertEqual({one.get("pictures", "") for one in told.values()}, {pictures})
