# SPDX-License-Identifier: MIT
"""Unknown parts of known items are counted by name; known ones without use are not."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.youtube.parse.chat import read_poll
from livechat.platforms.youtube.parse.items import ITEMS
from livechat.platforms.youtube.parse.known import PARTS
from livechat.platforms.youtube.parse.panels import ACTIONS, BANNERS, PANELS
from tests.support.youtube import YouTubeCase
from tests.test_youtube_items import answer, custom, item, read, standard, text

PURCHASE = "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer"
BADGE = "liveChatAuthorBadgeRenderer"


def unknown(*actions: Any) -> dict[str, int]:
    """What is counted of these actions, all of which are passed on."""
    poll = read(*actions)
    assert poll.events
    assert not poll.ignored
    return poll.unread


def bare(kind: str, **fields: Any) -> dict[str, Any]:
    """An action that adds an item without an author."""
    return {"addChatItemAction": {"item": {kind: {"id": "id", **fields}}}}


class KeyTests(SynchronousTestCase):
    """Keys that no reader knows."""

    def test_items(self) -> None:
        """A new key of each kind of item is counted under the name of the kind."""
        for kind in ITEMS:
            fields: dict[str, Any] = {"newKey": 1, "text": {"content": "x"}}
            if kind == PURCHASE:
                header = {"authorName": {"simpleText": "@a"}}
                fields = {"newKey": 1, "header": {"liveChatSponsorshipsHeaderRenderer": header}}
            if kind == "giftMessageViewModel":
                fields["authorName"] = {"content": "@a"}
            counted = unknown(item(kind, **fields))
            self.assertEqual(counted[f"{kind}.newKey"], 1, kind)

    def test_every_reader(self) -> None:
        """Whatever has a reader has a list of its known keys."""
        self.assertLessEqual({*ITEMS, *ACTIONS}, PARTS.keys())
        self.assertLessEqual({*BANNERS, *PANELS}, PARTS.keys())

    def test_inside(self) -> None:
        """So it is with what lies in an item: texts, runs, links, emoji, badges, headers."""
        link = {"text": "x", "navigationEndpoint": {"newEndpoint": {}, "commandMetadata": {}}}
        badge = {BADGE: {"icon": {"iconType": "OWNER", "newKey": 1}, "newKey": 1}}
        header = {"authorName": {"simpleText": "@a"}, "newKey": 1}
        purchase = item(PURCHASE, header={"liveChatSponsorshipsHeaderRenderer": header})
        for action, name in (
            (text(link), "navigationEndpoint.newEndpoint"),
            (text({"text": "x", "newKey": 1}), "run.newKey"),
            (text({"newRun": {}}), "run.newRun"),
            (text(custom(newKey=1)), "emoji.newKey"),
            (text(authorBadges=[{"newBadgeRenderer": {}}]), "authorBadges.newBadgeRenderer"),
            (text(beforeContentButtons=[{"newButton": {}}]), "beforeContentButtons.newButton"),
            (purchase, "liveChatSponsorshipsHeaderRenderer.newKey"),
            ({**text(), "newAction": {}}, "action.newAction"),
        ):
            self.assertEqual(unknown(action), {name: 1})
        self.assertEqual(unknown(text(authorBadges=[badge])), {f"{BADGE}.newKey": 2})
        message = item("liveChatTextMessageRenderer", message={"newText": []})
        self.assertEqual(unknown(message), {"text.newText": 1})

    def test_around(self) -> None:
        """So it is with what lies around items, and with the answer itself."""
        added = text()
        added["addChatItemAction"]["newKey"] = 1
        self.assertEqual(unknown(added), {"addChatItemAction.newKey": 1})
        poll = {"liveChatPollId": "p", "choices": [{"newKey": 1}], "newKey": 1}
        panel = {"contents": {"pollRenderer": poll}, "newKey": 1}
        shown = {"panelToShow": {"liveChatActionPanelRenderer": panel}}
        self.assertEqual(
            unknown({"showLiveChatActionPanelAction": shown}),
            {
                "liveChatActionPanelRenderer.newKey": 1,
                "pollChoice.newKey": 1,
                "pollRenderer.newKey": 1,
            },
        )
        pinned = text({"text": "x"}, newKey=1)["addChatItemAction"]["item"]
        banner = {"actionId": "b", "contents": pinned, "newKey": 1}
        added = {"bannerRenderer": {"liveChatBannerRenderer": banner}}
        self.assertEqual(
            unknown({"addBannerToLiveChatCommand": added}),
            {"liveChatBannerRenderer.newKey": 1, "liveChatTextMessageRenderer.newKey": 1},
        )
        removed = {"removeChatItemAction": {"targetItemId": "x", "newKey": 1}}
        self.assertEqual(unknown(removed), {"removeChatItemAction.newKey": 1})

    def test_answer(self) -> None:
        """A new part of the answer is counted."""
        poll = read_poll(msgspec.json.encode(answer(newKey=1)), "abcdefghij0", 1)
        self.assertEqual(poll.unread, {"liveChatContinuation.newKey": 1})


class ValueTests(SynchronousTestCase):
    """Values of enumerations that no reader knows."""

    def test_values(self) -> None:
        """A new icon is counted with its name; the item is passed on."""
        engagement = "liveChatViewerEngagementMessageRenderer"
        mode = "liveChatModeChangeMessageRenderer"
        badge = {BADGE: {"icon": {"iconType": "ARTIST"}, "tooltip": "Artist"}}
        crown = {"buttonViewModel": {"iconName": "CROWN", "title": "#1"}}
        star = {"buttonViewModel": {"iconName": "STAR", "title": "x"}}
        for action, counted in (
            (text(authorBadges=[badge]), {f"{BADGE}.iconType=ARTIST": 1}),
            (text(beforeContentButtons=[crown]), {}),
            (text(beforeContentButtons=[star]), {"buttonViewModel.iconName=STAR": 1}),
            (bare(engagement, icon={"iconType": "POLL"}), {}),
            (bare(engagement, icon={"iconType": "NEW"}), {f"{engagement}.iconType=NEW": 1}),
            (bare(mode, icon={"iconType": "SLOW_MODE"}), {}),
            (bare(mode, icon={"iconType": "NEW"}), {f"{mode}.iconType=NEW": 1}),
        ):
            self.assertEqual(unknown(action), counted)


class UselessTests(SynchronousTestCase):
    """What is known and of no use is not counted as unknown."""

    def test_useless(self) -> None:
        """Menus, colours, buttons and tracking."""
        run = {"text": "x", "bold": True, "fontFace": "F", "textColor": 1, "deemphasize": True}
        message = text(
            run,
            standard("x", searchTerms=[], variantIds=[], supportsSkinTone=True, shortcuts=[":x:"]),
            contextMenuEndpoint={"anything": {}},
            contextMenuAccessibility={},
            timestampText={},
            trackingParams="x",
        )
        paid = item("liveChatPaidMessageRenderer", creatorHeartButton={}, pdgLikeButton={})
        poll = read(message, paid, {**text(), "clickTrackingParams": "x"})
        self.assertEqual((len(poll.events), poll.unread, poll.ignored), (3, {}, {}))


class BoundsTests(SynchronousTestCase):
    """Whatever an upstream sends, names are short and few."""

    def test_names(self) -> None:
        """A name is cut; from some number of names on the rest is `other`."""
        counted = unknown(text(**{"x" * 5000: 1}))
        self.assertEqual({len(name) for name in counted}, {128})
        counted = unknown(text(**{f"key{n}": n for n in range(5000)}))
        self.assertLessEqual(len(counted), 201)
        self.assertEqual(sum(counted.values()), 5000)
        self.assertEqual(counted["other"], 4800)

    def test_any_shape(self) -> None:
        """Parts of another shape than expected are passed over."""
        nodes: list[Any] = [None, 1, "x", [], [[]], [[[{"x": 1}]]], {}, [None, 1]]
        for node in nodes:
            poll = read(
                text(authorBadges=node, beforeContentButtons=node),
                item("liveChatTextMessageRenderer", message=node),
                item("liveChatTextMessageRenderer", message={"runs": node}),
            )
            self.assertEqual(len(poll.events), 3)


class MetricsTests(YouTubeCase):
    """What an operator sees."""

    def test_counted(self) -> None:
        """An unknown key of a message is in the metrics by its name, and the message is there."""
        _, sink = self.watched()
        action = item(PURCHASE, optOutPrompt=1)
        header = {"authorName": {"simpleText": "@a"}}
        renderer = action["addChatItemAction"]["item"][PURCHASE]
        renderer["header"] = {"liveChatSponsorshipsHeaderRenderer": header}
        renderer["timestampUsec"] = str(int(self.clock.seconds() * 1e6))
        del renderer["authorName"]
        self.simulator.say("ann", action)
        self.run_for(3)
        self.assertEqual(sink.take(), ["gift"])
        self.assertIn(
            f'livechat_unparsed_total{{kind="{PURCHASE}.optOutPrompt",platform="youtube"}} 1.0',
            self.metrics.exposition().decode(),
        )
