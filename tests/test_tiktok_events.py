# SPDX-License-Identifier: MIT
"""What is in TikTok's events: the fields that mean the same on all platforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import Message
from msgspec import to_builtins
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import ChannelEvent
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.platforms.tiktok.parse.webcast import decode
from tests.support.events import data_of
from tests.support.tiktok_payloads import event_of, recorded, translated, wire
from tests.support.tiktok_written import WRITTEN, user


def written(name: str) -> dict[str, Any]:
    """The data of the one event that a written payload means."""
    return data_of(event_of(translated(*WRITTEN[name])))


#: What is told of a person in full.
PERSON: Final = {"id", "username", "display_name", "avatar_url", "roles", "badges"}


class PeopleTests(SynchronousTestCase):
    """Whoever did something is `user`."""

    def test_same_name(self) -> None:
        """In every kind in which somebody does something, and nowhere under another name."""
        for name in (
            *("gift", "like", "follow", "share", "join", "subscription", "level up"),
            *("super fan", "question", "introduction", "gifted subscriptions"),
        ):
            data = written(name)
            self.assertEqual(set(data["user"]), PERSON, name)
            self.assertNotEqual(data["user"]["id"], None, name)
            self.assertNotIn("author", data, name)

    def test_hidden(self) -> None:
        """Whom a message does not name is null; what of a person is not told is null, too."""
        like = event_of(translated("WebcastLikeMessage", wire([(2, 12), (3, 48)])))
        self.assertIsNone(data_of(like)["user"])
        nameless = wire([(2, 12), (5, [(3, "Ann")])])
        data = data_of(event_of(translated("WebcastLikeMessage", nameless)))
        names = [data["user"][name] for name in ("id", "username", "display_name")]
        self.assertEqual(names, [None, None, "Ann"])

    def test_without_account(self) -> None:
        """A viewer without account has only a name to show."""
        data = written("join of a viewer without account")
        person = {"id": None, "username": None, "display_name": data["user"]["display_name"]}
        self.assertEqual(data, {"user": person, "viewers": None})
        self.assertTrue(person["display_name"])

    def test_unknown_audience(self) -> None:
        """Somebody who enters is there, so that nobody watches is never told: it is null."""
        entered = schema.MemberMessage(user=schema.User(id=7), action=1)
        for count, viewers in ((0, None), (7, 7)):
            entered.member_count = count
            event = event_of(translated("WebcastMemberMessage", entered.SerializeToString()))
            self.assertEqual(data_of(event)["viewers"], viewers)

    def test_put_out(self) -> None:
        """Who was put out is known by id only; whose message was removed is not told."""
        events = translated(*WRITTEN["deletions"]).events
        shown = [data_of(event) for event in events if isinstance(event, ChannelEvent)]
        deletion = next(data for data in shown if "scope" in data)
        timeout = next(data for data in shown if "scope" not in data)
        message_id = deletion["message_id"]
        self.assertEqual(deletion, {"message_id": message_id, "scope": "message", "author": None})
        user_id = timeout["user"]["id"]
        person = {"id": user_id, "username": None, "display_name": None}
        self.assertEqual(timeout, {"user": person, "seconds": None})
        self.assertRegex(message_id + user_id, r"^\d+$")

    def test_notice(self) -> None:
        """A line about somebody names them."""
        text = [(2, "{0:user} came"), (4, [(1, 11), (21, [(1, user())])])]
        payload = wire([(1, [(8, text)]), (6, "a_scene")])
        data = data_of(event_of(translated("WebcastRoomMessage", payload)))
        self.assertEqual((data["text"], data["platform_kind"]), ("Golden Tester came", "a_scene"))
        self.assertEqual(data["user"]["display_name"], "Golden Tester")
        self.assertNotIn("user", written("room"))


class GivenTests(SynchronousTestCase):
    """What is given, and what it costs."""

    def test_gift(self) -> None:
        """A virtual gift: of which kind, how many, for whom, and what all together cost."""
        data = written("end of a gift streak for a guest")
        self.assertEqual(data["gift_type"], "virtual")
        self.assertEqual(data["item_id"], "5655")
        self.assertNotIn("gift_id", data)
        self.assertEqual(data["price"]["currency"], "DIAMONDS")
        self.assertEqual(data["price"]["formatted"], None)
        self.assertGreaterEqual(data["price"]["value"], data["count"])
        self.assertEqual(set(data["recipient"]), PERSON)
        self.assertIsNone(written("gift")["recipient"])

    def test_price_unknown(self) -> None:
        """Without a price in the message there is none."""
        data = written("gift of unknown price")
        self.assertEqual((data["price"], data["item_id"], data["name"]), (None, "99", None))
        self.assertNotIn("text", data)

    def test_subscriptions_for_others(self) -> None:
        """Banners and boxes that give subscriptions are gifts of subscriptions."""
        data = written("box of subscriptions")
        kept = {name: data[name] for name in ("gift_type", "recipient", "price", "tier")}
        told = {"gift_type": "subscription", "recipient": None, "price": None}
        self.assertEqual(kept, {**told, "tier": "super fan"})
        self.assertIsInstance(data["count"], int)
        data = written("gifted subscriptions")
        self.assertEqual((data["gift_type"], data["count"]), ("subscription", None))

    def test_boxes(self) -> None:
        """A box of diamonds is a notice; what is in it and for how many are `params`, as texts."""
        data = written("treasure box of TikTok")
        params = {"people": "10", "value": "100", "currency": "DIAMONDS"}
        self.assertEqual((data["platform_kind"], data["params"]), ("treasure_box", params))
        data = written("box of another kind")
        params = {"people": "10", "business_type": "4"}
        self.assertEqual(
            (data["platform_kind"], data["params"]), ("WebcastEnvelopeMessage", params)
        )

    def test_subscription(self) -> None:
        """For how many months says whether it is new."""
        data = written("subscription")
        self.assertEqual((data["status"], data["months"], data["tier"]), ("renewed", 3, None))
        self.assertIs(data["gifted"], False)
        data = written("super fan")
        self.assertEqual((data["status"], data["months"], data["tier"]), ("new", None, "super fan"))


class StreamTests(SynchronousTestCase):
    """What becomes of the stream, its goals, polls and pins."""

    def test_levels(self) -> None:
        """Levels are milestones with a value."""
        for name, category in (("level up", "level"), ("fan level up", "fan_level")):
            data = written(name)
            self.assertEqual(data["category"], category)
            self.assertIsInstance(data["value"], int)

    def test_status(self) -> None:
        """A pause, its end, and an introduction, whose words are the text."""
        self.assertEqual(written("paused"), {"status": "paused"})
        self.assertEqual(written("resumed"), {"status": "resumed"})
        data = written("introduction")
        self.assertEqual(data["status"], "changed")
        self.assertTrue(data["text"])

    def goal(self, *parts: tuple[int, int]) -> dict[str, Any]:
        """The data of a goal with parts of so many of so many."""
        made = [
            (4, [(2, number), (3, progress), (4, target), (5, [(1, "Rose")])])
            for number, (progress, target) in enumerate(parts, 1)
        ]
        payload = wire([(3, [(1, 9), *made, (5, "More roses")])])
        return data_of(event_of(translated("WebcastGoalUpdateMessage", payload)))

    def test_goal(self) -> None:
        """A goal is as far as its parts; more of one does not stand in for another."""
        data = self.goal((7, 5), (1, 10))
        self.assertEqual((data["progress"], data["target"], data["unit"]), (6, 15, "gifts"))
        part = {"item_id": "1", "name": "Rose", "image_url": None, "progress": 7, "target": 5}
        self.assertEqual(data["parts"][0], part)
        self.assertEqual((data["goal_id"], data["text"], data["user"]), ("9", "More roses", None))
        data = self.goal()
        told = (data["progress"], data["target"], data["unit"], data["parts"])
        self.assertEqual(told, (None, None, None, []))
        self.assertEqual(set(written("goal")["user"]), {"id", "username", "display_name"})

    def test_poll(self) -> None:
        """A poll's choices add up to its votes; the question is told when it opens."""
        self.assertIsInstance(written("poll opened")["question"], str)
        data = written("poll moved")
        self.assertIsNone(data["question"])
        self.assertEqual(data["votes"], sum(choice["votes"] for choice in data["choices"]))
        self.assertEqual(written("poll closed")["status"], "closed")

    def test_pins(self) -> None:
        """Who wrote what is pinned is `author`; a gift that is pinned is told like a gift."""
        data = written("pin of a comment")
        self.assertEqual(set(data["author"]), PERSON)
        self.assertTrue(data["content"]["raw"])
        data = written("pin of a gift")
        self.assertEqual(data["gift"]["gift_type"], "virtual")
        self.assertEqual(data["gift"]["user"], data["author"])
        for field in ("content", "gift"):
            self.assertNotIn(field, written("pin of a share"))
        down = written("unpin")
        self.assertEqual(down["status"], "unpinned")
        self.assertLessEqual(set(down), {"user", "status", "pin_id", "message_id"})

    def test_pinned_by(self) -> None:
        """Who pinned it is `user`; a pin of nothing that has an id names no message."""
        payload = wire([(32, user()), (33, 1), (35, 7)])
        data = data_of(event_of(translated("WebcastRoomPinMessage", payload)))
        self.assertEqual(data["user"]["display_name"], "Golden Tester")
        self.assertEqual((data["author"], data["seconds"]), (None, None))
        self.assertNotIn("message_id", data)

    def test_question(self) -> None:
        """A question that somebody asks."""
        data = written("question")
        self.assertEqual(data["status"], "asked")
        self.assertEqual(set(data), {"user", "text", "status", "question_id"})


#: The parts of recorded messages that are not in their events, and why.
_UNTOLD: Final = {
    # They decide which event it is.
    "ControlMessage.action", "Gift.type", "GiftMessage.repeat_end", "MemberMessage.action",
    "PollMessage.message_type", "RoomPinMessage.action", "RoomPinMessage.method",
    "SocialMessage.action", "TreasureBox.business_type", "EnvelopeMessage.display",
    "UnauthorizedMemberMessage.action",
    # They are parts of a value: of a price, a name, a place in a text.
    "Gift.diamond_count", "GiftMessage.group_count", "PlacedEmote.index", "PollOption.index",
    "Text.default_pattern", "Text.key", "UnauthorizedMemberMessage.nick_name",
    # They are in the id of the event, or in its code.
    "Emote.emote_id", "GiftMessage.group_id",
    # Times of something else than the event.
    "PollStart.end_time", "PollStart.start_time", "Question.create_time", "RoomPinMessage.pin_time",
    "TreasureBox.unpack_at",
}  # fmt: skip


class NothingLostTests(SynchronousTestCase):
    """The recorded messages that become events."""

    def test_values(self) -> None:
        """Every value that our schema reads in a recorded message is in its event."""
        checked = Counter[str]()
        for name, payload in recorded().items():
            events = translated(payload.method, payload.payload).events
            told = set(leaves(to_builtins(events)))
            if not events or not all(isinstance(event, ChannelEvent) for event in events):
                continue
            message = decode(READERS[payload.method], payload.payload)
            assert message is not None
            for field, value in values(message):
                if field not in _UNTOLD and str(value).strip():
                    self.assertIn(str(value).strip(), told, (name, field))
                    checked[type(message).__name__] += 1
        self.assertEqual(len(checked), 14, checked)
        self.assertGreater(checked.total(), 1400)

    def test_typed(self) -> None:
        """Every recorded event is of its kind's struct."""
        seen = 0
        for name, payload in recorded().items():
            for event in translated(payload.method, payload.payload).events:
                if isinstance(event, ChannelEvent):
                    self.assertEqual(type(event.data).kind, event.type, name)
                    seen += 1
        self.assertEqual(seen, 391)


#: What to read the recorded messages with that become events.
READERS: Final[dict[str, type[Message]]] = {
    "RoomMessage": schema.SystemMessage,
    **{
        f"Webcast{kind.__name__}": kind
        for kind in (
            schema.ControlMessage, schema.GiftMessage, schema.GoalUpdateMessage,
            schema.ImDeleteMessage, schema.LikeMessage, schema.LiveIntroMessage,
            schema.MemberMessage, schema.PollMessage, schema.QuestionNewMessage,
            schema.RoomMessage, schema.RoomPinMessage, schema.RoomUserSeqMessage,
            schema.SocialMessage, schema.UnauthorizedMemberMessage,
        )
    },
    "WebcastEnvelopeMessage": schema.EnvelopeMessage,
}  # fmt: skip

#: What is read by other tests: the head of a message, pictures and badges.
_ELSEWHERE: Final = frozenset({"common", "badge_list", "avatar_thumb", "image", "icon"})


def values(message: Message) -> Iterator[tuple[str, Any]]:
    """Every number and text in a decoded message, with the name of its field."""
    for field, value in message.ListFields():
        if field.name in _ELSEWHERE:
            continue
        for one in value if field.is_repeated else (value,):
            if isinstance(one, Message):
                yield from values(one)
            elif not isinstance(one, bool):
                yield f"{type(message).__name__}.{field.name}", one


def leaves(node: Any) -> Iterator[str]:
    """Every value in decoded JSON, as text."""
    if isinstance(node, list | tuple | dict):
        for child in node.values() if isinstance(node, dict) else node:
            yield from leaves(child)
    else:
        yield str(node).strip()
