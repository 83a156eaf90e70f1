# SPDX-License-Identifier: MIT
"""What is in YouTube's events: the fields that mean the same on all platforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.event_data import Choice, Poll
from livechat.model.events import ChannelEvent
from tests.support.events import data_of
from tests.test_youtube_corpus import actions, polls, recorded
from tests.test_youtube_items import ADDRESS, happening, item, read, text


def runs(*texts: str) -> dict[str, Any]:
    """A text of these runs."""
    return {"runs": [{"text": part} for part in texts]}


def banner(name: str, renderer: Any, **fields: Any) -> dict[str, Any]:
    """An action that shows a banner."""
    shown = {"actionId": "banner", "contents": {name: renderer}, **fields}
    renderers = {"bannerRenderer": {"liveChatBannerRenderer": shown}}
    return {"addBannerToLiveChatCommand": renderers}


class RoomTests(SynchronousTestCase):
    """Rules of the chat, as far as a sentence tells them for sure."""

    def rules(self, sentence: str, more: str = "", icon: str = "X") -> dict[str, Any]:
        """The data of a change of rules."""
        fields = {"icon": {"iconType": icon}, "text": runs(sentence), "subtext": runs(more)}
        event = happening(item("liveChatModeChangeMessageRenderer", **fields))
        self.assertEqual((event.type, event.event_id), ("room", "id"))
        return data_of(event)

    def test_told(self) -> None:
        """Slow mode with its seconds and members-only mode are known; the rest is null."""
        nothing = dict.fromkeys(
            ("emote_only", "followers_only", "slow", "subscribers_only", "unique")
        )
        for sentence, more, icon, told in (
            ("Slow mode is on", "Send a message every 60 seconds", "SLOW_MODE", {"slow": 60}),
            ("Slow mode is on", "Send a message every 1 second", "SLOW_MODE", {"slow": 1}),
            ("Slow mode is on", "Send a message every 5 minutes", "SLOW_MODE", {"slow": 300}),
            ("@Host turned off slow mode", "", "QUESTION_ANSWER", {"slow": 0}),
            ("Slow mode is off", "", "SLOW_MODE", {"slow": 0}),
            ("Slow mode is on", "", "SLOW_MODE", {}),
            ("Langsamer Modus ist aktiviert", "Alle 60 Sekunden", "SLOW_MODE", {}),
            ("Members-only mode is on", "", "X", {"subscribers_only": True}),
            ("@Host turned off members-only mode", "", "X", {"subscribers_only": False}),
            # Those who subscribe without paying are followers elsewhere; no time is told.
            ("@Host turned off subscribers-only mode", "", "QUESTION_ANSWER", {}),
            ("Subscribers-only mode is on", "", "QUESTION_ANSWER", {}),
        ):
            data = self.rules(sentence, more, icon)
            rules = {name: data[name] for name in nothing}
            self.assertEqual(rules, {**nothing, **told}, sentence)
            self.assertEqual(data["platform_kind"], icon)

    def test_sentences(self) -> None:
        """Both sentences are in the text, one below the other."""
        data = self.rules("Slow mode is on", "Send a message every 60 seconds", "SLOW_MODE")
        self.assertEqual(data["text"], "Slow mode is on\nSend a message every 60 seconds")
        self.assertEqual(self.rules("Slow mode is off")["text"], "Slow mode is off")


class DonationTests(SynchronousTestCase):
    """Donations to charity."""

    def donated(self, who: str, amount: str, to: Any) -> dict[str, Any]:
        """The data of a donation."""
        fields = {"text": runs(who, amount), "subtext": to}
        return data_of(happening(item("liveChatDonationAnnouncementRenderer", **fields)))

    def test_told(self) -> None:
        """Who gave how much for what."""
        data = self.donated("@ann donated ", "$50.00", runs("to ", "A Good Cause"))
        person = {"id": None, "username": "ann", "display_name": "@ann"}
        price = {"value": 50.0, "currency": "USD", "formatted": "$50.00"}
        expected = {
            "user": person,
            "text": "@ann donated $50.00 to A Good Cause",
            "charity": "A Good Cause",
            "price": price,
        }
        self.assertEqual(data, expected)

    def test_hidden(self) -> None:
        """Who hides, and what cannot be read, is null."""
        data = self.donated("Anonymous donated ", "?", runs("für etwas Gutes"))
        price = {"value": None, "currency": None, "formatted": "?"}
        self.assertEqual((data["user"], data["charity"], data["price"]), (None, None, price))


class BannerTests(SynchronousTestCase):
    """What stands above the chat for a while."""

    def raid(self, command: Any, **fields: Any) -> dict[str, Any]:
        """The data of a redirect."""
        button = {"buttonRenderer": {"command": command}}
        renderer = {"inlineActionButton": button, **fields}
        return data_of(happening(banner("liveChatBannerRedirectRenderer", renderer)))

    def test_raids(self) -> None:
        """The other side is `user` with its picture, in both directions; null if not told."""
        photo = {"thumbnails": [{"url": ADDRESS}]}
        message = {"runs": [{"text": "go to "}, {"text": "@friend", "bold": True}]}
        data = self.raid(
            {"watchEndpoint": {"videoId": "abcdefghijk"}}, bannerMessage=message, authorPhoto=photo
        )
        person = {"id": None, "username": "friend", "display_name": "@friend"}
        expected = {
            "user": {**person, "avatar_url": ADDRESS},
            "text": "go to @friend",
            "direction": "outgoing",
            "viewers": None,
            "live_id": "abcdefghijk",
            "pin_id": "banner",
        }
        self.assertEqual(data, expected)
        data = self.raid({"urlEndpoint": {}}, bannerMessage=message)
        self.assertEqual((data["direction"], data["user"]), ("incoming", person))
        self.assertNotIn("live_id", data)
        self.assertIsNone(self.raid({}, bannerMessage=runs("go"))["user"])
        nameless = self.raid({}, bannerMessage=runs("go"), authorPhoto=photo)["user"]
        self.assertEqual((nameless["display_name"], nameless["avatar_url"]), (None, ADDRESS))

    def test_pin(self) -> None:
        """Who pinned is `user`, who wrote is `author`."""
        pinned = text({"text": "x"})["addChatItemAction"]["item"]["liveChatTextMessageRenderer"]
        for header, who in ((runs("Pinned by ", "@mod"), "mod"), (runs("Angepinnt"), None)):
            renderer = {"liveChatBannerHeaderRenderer": {"text": header}}
            action = banner("liveChatTextMessageRenderer", pinned, header=renderer)
            data = data_of(happening(action))
            self.assertEqual((data["user"] or {}).get("username"), who)
            self.assertEqual(data["author"]["username"], "Someone")
            self.assertEqual(
                (data["status"], data["pin_id"], data["message_id"]), ("pinned", "banner", "id")
            )
            self.assertEqual((data["content"]["raw"], data["seconds"]), ("x", None))
        down = happening({"removeBannerForLiveChatCommand": {"targetActionId": "banner"}})
        self.assertEqual(data_of(down), {"status": "unpinned", "pin_id": "banner"})

    def test_notices(self) -> None:
        """A notice tells its kind, its words and everything else in `params`."""
        product = {"title": "A mug", "price": "$12.00"}
        data = data_of(happening(banner("liveChatProductItemRenderer", product)))
        params = {"pin_id": "banner", "price": "$12.00"}
        self.assertEqual(data, {"text": "A mug", "platform_kind": "product", "params": params})
        welcome = {"icon": {"iconType": "YOUTUBE_ROUND"}, "message": runs("Welcome!")}
        data = data_of(happening(item("liveChatViewerEngagementMessageRenderer", **welcome)))
        params = {"icon": "YOUTUBE_ROUND"}
        self.assertEqual(
            data, {"text": "Welcome!", "platform_kind": "engagement", "params": params}
        )
        bought = {"message": runs("Mug bought by @Someone")}
        data = data_of(happening(item("liveChatPurchasedProductMessageRenderer", **bought)))
        self.assertEqual((data["user"]["id"], data["params"]), ("UCsomeone", {}))

    def test_question(self) -> None:
        """A call for questions has the id under which its banner is taken down."""
        renderer = {"questionMessage": runs("Ask me anything")}
        data = data_of(happening(banner("liveChatCallForQuestionsRenderer", renderer)))
        expected = {"text": "Ask me anything", "status": "opened", "question_id": "banner"}
        self.assertEqual(data, expected)


class ResultTests(SynchronousTestCase):
    """Results of polls, which come as notices."""

    def result(self, *lines: str) -> Poll:
        """The data of a result."""
        fields = {"icon": {"iconType": "POLL"}, "message": runs("\n".join(lines))}
        data = happening(item("liveChatViewerEngagementMessageRenderer", **fields)).data
        assert isinstance(data, Poll)
        return data

    def test_closed(self) -> None:
        """A result is a closed poll; which one it was is not told."""
        data = self.result("Tea (61%)", "Coffee (39%)", "", "Poll complete: 1.9K votes")
        self.assertEqual((data.status, data.poll_id, data.votes), ("closed", None, 1900))
        self.assertEqual(data.choices, [Choice("Tea", None, 0.61), Choice("Coffee", None, 0.39)])
        self.assertIsNone(self.result("Tea (61%)", "Coffee (39%)").votes)


class PutOutTests(SynchronousTestCase):
    """Deletions and time-outs."""

    def test_people(self) -> None:
        """Who was put out is known by id only; whose message was removed is not told."""
        action = {"externalChannelId": "UCx", "deletedStateMessage": runs("[gone]")}
        data = data_of(happening({"markChatItemsByAuthorAsDeletedAction": action}))
        person = {"id": "UCx", "username": None, "display_name": None}
        self.assertEqual(data, {"user": person, "seconds": None, "shown": "[gone]"})
        data = data_of(happening({"removeChatItemAction": {"targetItemId": "m"}}))
        self.assertEqual(data, {"message_id": "m", "scope": "message", "author": None})


#: What people do not read in a chat: menus, buttons, texts for screen readers, marks of time.
_UNREAD = frozenset(
    {
        *("contextMenuEndpoint", "contextMenuAccessibility", "accessibility", "timestampText"),
        *("actionButton", "replyButton", "inlineActionButton", "onCollapseCommand"),
        *("onExpandCommand", "votePercentage", "pollVoteButton", "displayVoteResults", "tooltip"),
        *("icon", "image", "giftImage", "authorPhoto", "thumbnail", "creatorGoalEntityKey"),
        *("metadataText", "titleText", "beforeContentButtons", "initialTickerText"),
        *("onClickCommand", "command"),
    }
)


def sentences(node: Any) -> Iterator[str]:
    """Every text for people in an action."""
    if isinstance(node, list):
        for child in node:
            yield from sentences(child)
    elif isinstance(node, dict):
        for spelling in ("simpleText", "content"):
            if isinstance(node.get(spelling), str):
                yield node[spelling]
        if isinstance(node.get("text"), str):
            yield node["text"]
        for key, child in node.items():
            if key not in _UNREAD:
                yield from sentences(child)


class NothingLostTests(SynchronousTestCase):
    """The recorded actions that become events."""

    def test_texts(self) -> None:
        """Every text that people read in a recorded event is in its data, and every id of one."""
        checked = 0
        for file, document in recorded().items():
            for action in actions(document):
                events = read(action).events
                told = [to_builtins(event.data) for event in events if is_event(event)]
                if not told:
                    continue
                strings = list(leaves([told, [to_builtins(event) for event in events]]))
                for sentence in sentences(action):
                    found = any(sentence.strip() in string for string in strings)
                    self.assertTrue(found, (file, sentence, told))
                    checked += 1
        self.assertGreater(checked, 90)

    def test_typed(self) -> None:
        """Every recorded event is of its kind's struct."""
        events = [event for poll in polls().values() for event in poll.events if is_event(event)]
        self.assertGreater(len(events), 30)
        for event in events:
            assert isinstance(event, ChannelEvent)
            self.assertEqual(type(event.data).kind, event.type)


def is_event(event: object) -> bool:
    """Whether it is no message."""
    return not isinstance(event, ChatMessage)


def leaves(node: Any) -> Iterator[str]:
    """Every string in a decoded value."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list | dict):
        for child in node.values() if isinstance(node, dict) else node:
            yield from leaves(child)
