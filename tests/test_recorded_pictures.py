# SPDX-License-Identifier: MIT
"""Pictures in the recorded data: each that says who or what is passed on, counted by its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from google.protobuf.message import Message
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.image_address import https_url
from livechat.platforms.tiktok import webcast_pb2 as schema
from tests.support.tiktok_payloads import recorded as recorded_payloads
from tests.support.tiktok_payloads import translated
from tests.test_youtube_corpus import actions, polls, recorded

#: What passes pictures on: an action by its name.  Tickers repeat what the chat has said.
PASSED_ON = ("addChatItemAction", "addBannerToLiveChatCommand", "replaceChatItemAction")

#: How many pictures there are at each place.
COUNTED = {
    "authorPhoto": 314,
    "customThumbnail": 69,
    "emoji": 55,
    "sticker": 6,
}

#: A symbol of the announcement of a donation, which shows nobody.
SYMBOLS = {"https://www.gstatic.com/youtube/img/donations/donation_icon.png"}


def pictures(node: Any, under: str = "") -> Iterator[tuple[str, set[str]]]:
    """The pictures below a node: where each stands, and its addresses in all sizes."""
    if isinstance(node, list):
        for child in node:
            yield from pictures(child, under)
    elif isinstance(node, dict):
        for key, child in node.items():
            sizes = child.get("thumbnails") if isinstance(child, dict) else None
            found = {https_url(size.get("url")) for size in sizes or ()} - {None}
            if found:
                yield (under if key == "image" else key), {str(url) for url in found}
            yield from pictures(child, key)


class YouTubeTests(SynchronousTestCase):
    """Avatars, badges of members, emoji and stickers."""

    def test_every_picture(self) -> None:
        """Each is in what is delivered, in one of its sizes; so many at each place."""
        counted: Counter[str] = Counter()
        for file, document in recorded().items():
            told = msgspec.json.encode(polls()[file].events).decode()
            for action in actions(document):
                for name in PASSED_ON:
                    for place, urls in pictures((action or {}).get(name)):
                        if not urls <= SYMBOLS:
                            counted[place] += 1
                            self.assertTrue(any(f'"{url}"' in told for url in urls), (file, urls))
        self.assertEqual(dict(counted), COUNTED)


#: How many pictures there are at each place of TikTok's messages that say something.
TIKTOK_COUNTED = {
    "combine.icon": 243,
    "emote.image": 1,
    "emote_list.image": 10,
    "gift.icon": 51,
    "gift.image": 18,
    "image.image": 20,
    "user.avatar_thumb": 435,
}


def images(message: Message) -> Iterator[tuple[str, set[str]]]:
    """The pictures below a message: the fields around each, and its addresses in all formats."""
    for field, value in message.ListFields():
        for child in [value] if isinstance(value, Message) else value if _repeats(value) else []:
            if isinstance(child, schema.Image):
                found = {str(url) for url in map(https_url, child.url_list) if url}
                if found:
                    yield field.name, found
            else:
                for place, found in images(child):
                    yield f"{field.name}.{place}", found


def _repeats(value: Any) -> bool:
    """Whether this is a list of messages."""
    return not isinstance(value, str | bytes | int | float) and any(
        isinstance(child, Message) for child in value
    )


class TikTokTests(SynchronousTestCase):
    """Avatars, badges, stickers and gifts."""

    def test_every_picture(self) -> None:
        """Each is in what is delivered, in one of its formats; so many at each place.

        One is not: of two badges of one scene, which count as one, the first picture is shown.
        """
        counted: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        for payload in recorded_payloads().values():
            events = translated(payload.method, payload.payload).events
            if not events:
                continue
            message = getattr(schema, payload.method.removeprefix("Webcast"))
            told = msgspec.json.encode(events).decode()
            for place, urls in images(message.FromString(payload.payload)):
                counted[".".join(place.split(".")[-2:])] += 1
                if not any(f'"{url}"' in told for url in urls):
                    lost[f"{payload.method} {place}"] += 1
        self.assertEqual(dict(lost), {"WebcastEmoteChatMessage user.badge_list.combine.icon": 1})
        self.assertEqual(dict(counted), TIKTOK_COUNTED)
