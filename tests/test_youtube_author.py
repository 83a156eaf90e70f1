# SPDX-License-Identifier: MIT
"""Who wrote an item: names, pictures, badges, roles."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import Badge
from tests.test_youtube_items import ADDRESS, message, read, text


class AuthorTests(SynchronousTestCase):
    """Names, pictures, badges and roles."""

    def test_name(self) -> None:
        """The handle's `@` is shown but no part of the user name; a missing name is the id."""
        author = message(text()).data.author
        self.assertEqual((author.username, author.display_name), ("Someone", "@Someone"))
        author = message(text(authorName=None)).data.author
        self.assertEqual((author.username, author.display_name), ("UCsomeone", "UCsomeone"))
        author = message(text(authorName={"simpleText": "@"})).data.author
        self.assertEqual(author.username, "@")

    def test_id(self) -> None:
        """The channel id names the author, else the name; an item of nobody is counted."""
        self.assertEqual(message(text()).data.author.id, "UCsomeone")
        self.assertEqual(message(text(authorExternalChannelId=None)).data.author.id, "@Someone")
        poll = read(text(authorExternalChannelId=None, authorName=None))
        self.assertEqual((poll.events, poll.unread), ([], {"liveChatTextMessageRenderer": 1}))

    def test_avatar(self) -> None:
        """The largest picture that can be shown, whatever the order; none rather than a bad one."""
        cases: list[tuple[Any, str | None]] = [
            ([(f"{ADDRESS}1", 32), (f"{ADDRESS}2", 64)], f"{ADDRESS}2"),
            ([(f"{ADDRESS}1", 64), (f"{ADDRESS}2", 32)], f"{ADDRESS}1"),
            ([(f"{ADDRESS}1", None), (f"{ADDRESS}2", None)], f"{ADDRESS}2"),
            ([(f"{ADDRESS}1", 32), ("javascript:alert(1)", 64)], f"{ADDRESS}1"),
            ([("http://yt3.ggpht.com/a", 32)], "https://yt3.ggpht.com/a"),
            ([("//yt3.ggpht.com/a", 32)], "https://yt3.ggpht.com/a"),
            ([("data:image/png;base64,AAAA", 32)], None),
            ([], None),
        ]
        for pictures, chosen in cases:
            thumbnails = [{"url": url, "width": width} for url, width in pictures]
            author = message(text(authorPhoto={"thumbnails": thumbnails})).data.author
            self.assertEqual(author.avatar_url, chosen, pictures)

    def test_badges(self) -> None:
        """Each badge is told with its type, label and picture, and gives its role."""
        pictures = {"thumbnails": [{"url": f"{ADDRESS}16"}, {"url": f"{ADDRESS}32"}]}
        badges: list[tuple[dict[str, Any], Badge | None, str | None]] = [
            (
                {"icon": {"iconType": "OWNER"}, "tooltip": "Owner"},
                Badge("custom", "Owner"),
                "broadcaster",
            ),
            (
                {"icon": {"iconType": "MODERATOR"}, "tooltip": "Modérateur"},
                Badge("moderator", "Modérateur"),
                "moderator",
            ),
            ({"icon": {"iconType": "VERIFIED"}}, Badge("verified", "Verified"), "verified"),
            (
                {"customThumbnail": pictures, "tooltip": "Member (6 months)"},
                Badge("subscriber", "Member (6 months)", f"{ADDRESS}32"),
                "subscriber",
            ),
            (
                {"customThumbnail": {}, "tooltip": "New member"},
                Badge("subscriber", "New member"),
                "subscriber",
            ),
            (
                {"icon": {"iconType": "ARTIST"}, "tooltip": "Artist"},
                Badge("custom", "Artist"),
                None,
            ),
            # An icon says what the badge is, whatever picture comes with it.
            (
                {"icon": {"iconType": "MODERATOR"}, "customThumbnail": pictures, "tooltip": "Mod"},
                Badge("moderator", "Mod", f"{ADDRESS}32"),
                "moderator",
            ),
            (
                {"icon": {"iconType": "ARTIST"}, "customThumbnail": pictures},
                Badge("custom", "Artist", f"{ADDRESS}32"),
                None,
            ),
            ({}, None, None),
        ]
        for renderer, badge, role in badges:
            author = message(
                text(authorBadges=[{"liveChatAuthorBadgeRenderer": renderer}])
            ).data.author
            self.assertEqual(author.badges, [] if badge is None else [badge])
            held = {name for name, value in msgspec.structs.asdict(author.roles).items() if value}
            self.assertEqual(held, set() if role is None else {role})
        everything = [{"liveChatAuthorBadgeRenderer": renderer} for renderer, _, _ in badges]
        author = message(text(authorBadges=everything)).data.author
        self.assertEqual(author.badges, [badge for _, badge, _ in badges if badge is not None])
        self.assertTrue(all(msgspec.structs.astuple(author.roles)))

    def test_leaderboard(self) -> None:
        """A rank of the viewers' leaderboard is one more badge; a name in its place is none."""
        rank = {"buttonViewModel": {"iconName": "CROWN", "title": "#3"}}
        name = {"buttonViewModel": {"title": "@Somebody"}}
        author = message(text(beforeContentButtons=[rank, name, None])).data.author
        self.assertEqual(author.badges, [Badge("custom", "#3")])
