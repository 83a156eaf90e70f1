# SPDX-License-Identifier: MIT
"""Events of Twitch in the language of all platforms: every field, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha1
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.event_data import EventData
from livechat.model.events import ChannelEvent, ChannelKey
from livechat.platforms.twitch.parse.chat import translate
from livechat.protocol.messages import encode_event
from livechat.simulator import observed
from tests.support.events import data_of
from tests.support.schema import frames
from tests.support.twitch_lines import (
    RECEIVED,
    event,
    event_of,
    parsed,
    recorded,
    translated,
    written,
)

KEY = ChannelKey("twitch", "username", "hopper")
ADA = {
    "id": "2002",
    "username": "ada",
    "display_name": "Ada",
    "avatar_url": None,
    "roles": {"broadcaster": False, "moderator": False, "subscriber": True, "verified": False},
    "badges": [
        {"type": "subscriber", "label": "subscriber/24", "image_url": None, "months": 27},
        {"type": "custom", "label": "bits/1000", "image_url": None},
    ],
    "color": "#FF7F50",
}
LINUS = {"id": "4004", "username": "linus", "display_name": "Linus"}


def told(name: str, /, **tags: str) -> dict[str, Any]:
    """The data of the event in one of our own lines, with some parameters changed."""
    line = parsed(written()[name])
    for parameter, value in tags.items():
        line.tags["msg-param-" + parameter.replace("_", "-")] = value
    return data_of(event_of(translate(line, RECEIVED, lambda: "new")))


class PersonTests(SynchronousTestCase):
    """Whom an event is about."""

    def test_as_in_chat(self) -> None:
        """A notice has the tags of its user: roles, badges and colour are as in a message."""
        self.assertEqual(told("sub")["user"], ADA)
        self.assertEqual(told("announcement")["user"], ADA)

    def test_no_id(self) -> None:
        """A login never stands for an id that is not told."""
        line = parsed(written()["sub"])
        del line.tags["user-id"]
        user = data_of(event_of(translate(line, RECEIVED, str)))["user"]
        self.assertEqual((user["id"], user["username"]), (None, "ada"))

    def test_nobody(self) -> None:
        """A line that names nobody, and the stand-in accounts, are null."""
        self.assertIsNone(told("notice without anything")["user"])
        for login, user_id in (
            ("ananonymousgifter", "274598607"),
            ("ananonymouscheerer", "407665396"),
        ):
            line = parsed(written()["bitsbadgetier"])
            line.tags.update({"login": login, "user-id": user_id})
            self.assertIsNone(data_of(event_of(translate(line, RECEIVED, str)))["user"])


class SubscriptionTests(SynchronousTestCase):
    """Subscriptions: what became of them, and who is part of it."""

    def test_status(self) -> None:
        """Each of the platform's names says whether it is new, renewed or upgraded."""
        self.assertEqual(
            {name: told(name)["status"] for name in written() if told_kind(name) == "subscription"},
            {
                "sub": "new",
                "resub": "renewed",
                "primepaidupgrade": "upgraded",
                "giftpaidupgrade": "upgraded",
                "anongiftpaidupgrade": "upgraded",
                "extendsub": "renewed",
                "standardpayforward": "renewed",
                "communitypayforward": "renewed",
            },
        )

    def test_months_and_tier(self) -> None:
        """They apply to every subscription, so they are null where they are not told."""
        self.assertEqual((told("sub")["months"], told("sub")["tier"]), (1, "Prime"))
        for name in ("anongiftpaidupgrade", "communitypayforward"):
            data = told(name)
            self.assertEqual((data["months"], data["tier"]), (None, None), name)

    def test_presents(self) -> None:
        """Who gave it is told of presents only, and null where they hide."""
        self.assertNotIn("gifter", told("sub"))
        gifted = {"was_gifted": "true", "gift_months": "3", "gift_month_being_redeemed": "2"}
        data = told("sub", **gifted)
        self.assertEqual((data["gifted"], data["gift_months"], data["gift_month"]), (True, 3, 2))
        self.assertIsNone(data["gifter"])
        named = {"gifter_id": "4004", "gifter_login": "linus", "gifter_name": "Linus"}
        self.assertEqual(told("sub", **gifted, **named)["gifter"], LINUS)
        self.assertIsNone(told("sub", **gifted, **named, anon_gift="true")["gifter"])

    def test_upgrades(self) -> None:
        """The gift that is upgraded came from somebody, or from somebody who hides."""
        self.assertNotIn("gifter", told("primepaidupgrade"))
        self.assertIsNone(told("anongiftpaidupgrade")["gifter"])
        self.assertEqual(
            told("giftpaidupgrade", sender_login="linus", sender_name="Linus")["gifter"],
            {"id": None, "username": "linus", "display_name": "Linus"},
        )

    def test_paid_forward(self) -> None:
        """To somebody, or to the whole community, of whom there is no recipient."""
        data = told("standardpayforward")
        self.assertEqual(data["recipient"]["display_name"], "Linus")
        self.assertEqual(data["user"], ADA)
        self.assertNotIn("recipient", told("communitypayforward"))
        self.assertIsNone(told("standardpayforward", prior_gifter_anonymous="true")["gifter"])


class GiftTests(SynchronousTestCase):
    """Gifts: of subscriptions, and virtual ones."""

    def test_months(self) -> None:
        """`months` were given; for how long the recipient has subscribed is another number."""
        data = told("subgift", gift_months="6")
        self.assertEqual((data["months"], data["recipient_months"]), (6, 12))
        self.assertEqual((data["gift_type"], data["count"]), ("subscription", 1))
        self.assertEqual((data["recipient"], data["user"]), (LINUS, ADA))
        self.assertEqual((data["total"], data["tier"]), (11, "1000"))
        self.assertEqual(data["tier_name"], "Channel Subscription (hopper)")

    def test_parts(self) -> None:
        """Parts of a large gift have one id, whichever of its two names the platform uses."""
        self.assertEqual(told("subgift")["gift_id"], told("submysterygift")["gift_id"])
        line = parsed(written()["subgift"])
        del line.tags["msg-param-community-gift-id"]
        data = data_of(event_of(translate(line, RECEIVED, str)))
        self.assertEqual(data["gift_id"], "aa bb cc")

    def test_single_gifts_have_nothing_in_common(self) -> None:
        """Single gifts of some years all bear the same hash, that of nothing."""
        line = parsed(written()["subgift"])
        del line.tags["msg-param-community-gift-id"]
        line.tags["msg-param-origin-id"] = sha1(b"", usedforsecurity=False).digest().hex(" ")
        found = translate(line, RECEIVED, str)
        self.assertNotIn("gift_id", data_of(event_of(found)))
        self.assertEqual(list(found.unknown), [])

    def test_older_recipient(self) -> None:
        """A recipient whose login has the name of former years."""
        line = parsed(written()["subgift"])
        line.tags["msg-param-recipient-name"] = line.tags.pop("msg-param-recipient-user-name")
        self.assertEqual(data_of(event_of(translate(line, RECEIVED, str)))["recipient"], LINUS)

    def test_types(self) -> None:
        """What is no subscription is a virtual gift."""
        self.assertEqual(
            {name: told(name)["gift_type"] for name in written() if told_kind(name) == "gift"},
            {
                "subgift": "subscription",
                "anonsubgift": "subscription",
                "submysterygift": "subscription",
                "anonsubmysterygift": "subscription",
                "rewardgift": "virtual",
                "primecommunitygiftreceived": "virtual",
            },
        )


class OtherTests(SynchronousTestCase):
    """Raids, milestones, donations and notices."""

    def test_raid(self) -> None:
        """The other side comes here: who that is, with how many, and where they come from."""
        data = told("raid")
        picture = "https://static-cdn.jtvnw.net/jtv_user_pictures/ada-profile_image-70x70.png"
        self.assertEqual(data["user"], ADA | {"avatar_url": picture})
        self.assertEqual((data["direction"], data["viewers"]), ("incoming", 15))
        self.assertEqual(data["room_id"], "2002")
        self.assertIsNone(told("raid", viewerCount="")["viewers"])

    def test_raid_by_its_parameters(self) -> None:
        """A line without the tags of a sender names the other side in its parameters."""
        line = parsed(written()["raid"])
        for tag in ("login", "display-name", "user-id"):
            del line.tags[tag]
        user = data_of(event_of(translate(line, RECEIVED, str)))["user"]
        self.assertEqual((user["id"], user["username"], user["display_name"]), (None, "ada", "Ada"))

    def test_unraid(self) -> None:
        """A raid that is called off: whom it was for is not told; the speaker is our own."""
        data = told("unraid")
        self.assertEqual(
            (data["direction"], data["user"], data["viewers"]), ("cancelled", None, None)
        )

    def test_milestones(self) -> None:
        """Each milestone has its category, and one value."""
        self.assertEqual(
            {
                name: (told(name)["category"], told(name)["value"])
                for name in written()
                if told_kind(name) == "milestone"
            },
            {
                "viewermilestone": ("watch_streak", 7),
                "bitsbadgetier": ("bits_badge", 1000),
                "modiversary": ("moderator_anniversary", 18),
                "socialsharingbadge": ("sharing", 3),
            },
        )

    def test_new_milestone(self) -> None:
        """A milestone of a sort that is new to us is a notice with everything, and is counted."""
        line = parsed(written()["viewermilestone"])
        line.tags["msg-param-category"] = "clapping"
        found = translate(line, RECEIVED, str)
        self.assertEqual(event_of(found).type, "notice")
        self.assertEqual(data_of(event_of(found))["params"]["category"], "clapping")
        self.assertEqual(list(found.unknown), ["USERNOTICE.msg-param-category=clapping"])

    def test_next_door(self) -> None:
        """What moderators of another room of a shared chat did is marked, like messages are."""
        for line in (
            b"target-msg-id=m :x CLEARMSG #a :gone",
            b"target-user-id=7 :x CLEARCHAT #a :bob",
            b"x= :x CLEARCHAT #a",
            b"msg-id=slow_on :x NOTICE #a :This room is now in slow mode.",
        ):
            mirrored = translated(b"@room-id=1;source-room-id=2;source-id=s;" + line)
            data = data_of(event_of(mirrored))
            self.assertEqual((data["source_room_id"], data["source_message_id"]), ("2", "s"), line)
            own = data_of(event_of(translated(b"@room-id=1;source-room-id=1;source-id=s;" + line)))
            self.assertNotIn("source_room_id", own, line)

    def test_donation(self) -> None:
        """What was given is a price, or null where it cannot be read."""
        self.assertEqual(
            told("charitydonation", donation_amount="2550", exponent="2")["price"],
            {"value": 25.5, "currency": "EUR", "formatted": "25.50 EUR"},
        )
        self.assertIsNone(told("charitydonation", exponent="x")["price"])

    def test_notice(self) -> None:
        """Whatever has no kind has all its parameters, without the words before their names."""
        data = told("brandnewkind")
        self.assertEqual((data["platform_kind"], data["params"]), ("brandnewkind", {"thing": "1"}))


def told_kind(name: str) -> str:
    """The kind of the event in one of our own lines that are named after their notice."""
    line = parsed(written()[name])
    return event(name).type if line.tags.get("msg-id") == name else ""


class NothingLostTests(SynchronousTestCase):
    """Every value of every parameter of all notices that we have stands in the event."""

    #: Parameters whose value stands in the event in another form, and how.
    OTHERWISE: ClassVar[dict[str, Callable[[str], str]]] = {
        "category": lambda value: value.replace("-", "_"),
        "profileImageURL": lambda value: value.replace("%s", "70x70"),
        "color": str.upper,
        "was-gifted": lambda value: str(value in ("1", "true")),
        "donation-amount": lambda value: str(int(value) / 100),
    }

    #: Parameters that are not needed where there is another, and which.
    BETTER: ClassVar[dict[str, str]] = {
        "msg-param-months": "msg-param-cumulative-months",
        "msg-param-origin-id": "msg-param-community-gift-id",
    }

    #: Parameters that say how others are to be read, or that somebody hides.
    SAID_BY_OTHERS = frozenset({"exponent", "anon-gift", "prior-gifter-anonymous"})

    def test_typed(self) -> None:
        """Everything that is not a message is one of the structs, and all fits the schema."""
        for name, line in lines():
            for found in translated(line).events:
                frames().read(encode_event(KEY, found))
                if isinstance(found, ChannelEvent):
                    self.assertIsInstance(found.data, EventData, name)
                    self.assertEqual(found.type, found.data.kind, name)

    def test_parameters(self) -> None:
        """Of each notice, each parameter that is not counted as unknown or ignored."""
        compared = 0
        for name, line in lines():
            tags = parsed(line).tags
            if parsed(line).command != "USERNOTICE":
                continue
            found = translated(line)
            held = set(scalars(data_of(event_of(found))))
            for tag, value in tags.items():
                parameter = tag.removeprefix("msg-param-")
                counted = f"tag {tag}" in (*found.unknown, *found.ignored)
                if parameter == tag or counted or parameter in self.SAID_BY_OTHERS:
                    continue
                if tags.get(self.BETTER.get(tag, "")):
                    continue  # It says what the other says.
                if value in ("", "0", "false") and event_of(found).type != "notice":
                    continue  # It does not apply.
                self.assertIn(self.OTHERWISE.get(parameter, str)(value), held, (name, tag))
                compared += 1
        self.assertGreater(compared, 200)

    def test_sentences(self) -> None:
        """Of each notice, its sentence, its name, and who it is about."""
        for name, line in lines():
            tags = parsed(line).tags
            if parsed(line).command != "USERNOTICE":
                continue
            data = data_of(event_of(translated(line)))
            self.assertIn(tags.get("system-msg", "").strip(), data.get("text", ""), name)
            kinds = (tags.get("msg-id", ""), tags.get("source-msg-id"))
            self.assertIn(data["platform_kind"], kinds, name)
            if data["user"] is None:
                self.assertIn(
                    (data["platform_kind"], tags.get("user-id")),
                    {
                        ("anonsubgift", "274598607"),
                        ("anonsubmysterygift", "274598607"),
                        ("subgift", "274598607"),
                        ("unraid", "2002"),
                        ("", None),
                    },
                    name,
                )
            else:
                self.assertEqual(data["user"]["id"], tags.get("user-id"), name)


def scalars(value: object) -> Iterator[str]:
    """Every value in JSON that is neither list nor object, as a string."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from scalars(part)
    else:
        yield str(value)


def lines() -> Iterator[tuple[str, bytes]]:
    """All lines that we have: recorded, observed and written by us."""
    yield from recorded().items()
    yield from written().items()
    for name in observed.names():
        if name.startswith("twitch-"):
            for line in observed.read(name).splitlines():
                yield name, line
