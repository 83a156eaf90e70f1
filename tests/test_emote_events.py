# SPDX-License-Identifier: MIT
"""What the sockets of 7TV and BetterTTV say, and what is said to them.

No such message was found in public recordings; the shapes are those that clients in use read.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.emotes.parse import bttv, seventv_events
from livechat.platforms.emotes.parse.emote_set import Change, Renamed, Unreadable
from livechat.platforms.emotes.parse.messages import Alive, Goodbye, Hello, Stale
from tests.test_emote_sets import entry


def seven(op: int, d: Any = None) -> Any:
    """A message of 7TV, read."""
    return seventv_events.read_message(json.dumps({"op": op, "t": 1, "d": d}).encode())


def set_update(**body: Any) -> Any:
    """A set was changed."""
    return seven(0, {"type": "emote_set.update", "body": {"id": "s1", "kind": 3, **body}})


def better(name: str, **data: Any) -> Any:
    """A message of BetterTTV, read."""
    return bttv.read_message(json.dumps({"name": name, "data": data}).encode())


class SevenTvTests(SynchronousTestCase):
    """7TV's EventAPI."""

    def test_hello(self) -> None:
        """How often it beats and how much it lets us ask for, both within bounds."""
        self.assertEqual(
            seven(1, {"heartbeat_interval": 25000, "subscription_limit": 50, "session_id": "x"}),
            Hello(25.0, 50),
        )
        self.assertEqual(seven(1, {"subscription_limit": 10**6}), Hello(45.0, 100))
        self.assertEqual(
            seven(1, {"heartbeat_interval": 1, "subscription_limit": -1}), Hello(5.0, 1)
        )

    def test_subscriptions(self) -> None:
        """What is asked for, and taken back."""
        topic = seventv_events.set_topic("s1")
        condition = {"type": "emote_set.update", "condition": {"object_id": "s1"}}
        asked = json.loads(seventv_events.subscription(topic))
        self.assertEqual(asked, {"op": 35, "d": condition})
        back = json.loads(seventv_events.unsubscription(topic))
        self.assertEqual(back, {"op": 36, "d": condition})

    def test_pushed(self) -> None:
        """An emote that was added; a hidden one is not."""
        items = [
            {"key": "emotes", "index": 3, "value": entry("catJAM", "60ae")},
            {"key": "emotes", "value": entry("hidden", "60af", data={"listed": False})},
            {"key": "name", "value": "a new name of the set"},
        ]
        change = set_update(pushed=items)
        self.assertEqual((change.topic, change.removed), ("emote_set.update:s1", set()))
        self.assertEqual([emote.value for emote in change.added], ["catJAM"])

    def test_pulled(self) -> None:
        """An emote that was taken out."""
        items = [{"key": "emotes", "old_value": {"id": "60ae", "name": "catJAM"}, "value": None}]
        self.assertEqual(set_update(pulled=items).removed, {"60ae"})

    def test_updated(self) -> None:
        """An emote has another name, or all of it was told anew."""
        named = {"key": "emotes", "old_value": {"id": "60ae", "name": "catJAM"}}
        change = set_update(updated=[{**named, "value": {"id": "60ae", "name": "dogJAM"}}])
        self.assertEqual(change.renamed, [Renamed("60ae", "dogJAM")])
        change = set_update(updated=[{**named, "value": entry("dogJAM", "60ae", flags=1)}])
        self.assertEqual(change.removed, {"60ae"})
        (emote,) = change.added
        self.assertEqual((emote.value, emote.metadata.zero_width), ("dogJAM", True))

    def test_user(self) -> None:
        """A channel that uses another set is to be asked for anew."""
        told = seven(0, {"type": "user.update", "body": {"id": "u1", "updated": []}})
        self.assertEqual(told, Stale(seventv_events.user_topic("u1")))

    def test_ends(self) -> None:
        """It may want to be left: at once, or for some minutes."""
        self.assertEqual(seven(4).pause, 0.0)
        self.assertEqual(seven(7, {"code": 4006, "message": "Restart"}).pause, 0.0)
        self.assertEqual(seven(7, {"code": 4007, "message": "Maintenance"}).pause, 300.0)
        self.assertEqual(seventv_events.pause_after(4004), 300.0)
        self.assertIsInstance(seven(7, {}), Goodbye)

    def test_others(self) -> None:
        """Everything else is a sign of life."""
        self.assertEqual(seven(2, {"count": 4}), Alive())
        self.assertEqual(seven(5, {"command": "SUBSCRIBE"}), Alive())
        self.assertEqual(seven(6, {"message": "?"}), Alive())
        self.assertEqual(seven(99), Alive())
        self.assertEqual(seven(0, {"type": "cosmetic.create", "body": {}}), Alive())

    def test_unreadable(self) -> None:
        """Messages of other shapes."""
        for payload in (
            b"",
            b"[]",
            b'{"op":"x"}',
            b'{"op":0}',
            b'{"op":0,"d":{"type":"emote_set.update","body":{}}}',
            b'{"op":1,"d":7}',
        ):
            self.assertRaises(Unreadable, seventv_events.read_message, payload)
        for items in ([{"key": "emotes", "value": None}], [7], {"0": 1}):
            self.assertRaises(Unreadable, set_update, pushed=items)


class BetterTtvTests(SynchronousTestCase):
    """BetterTTV's socket."""

    def test_subscriptions(self) -> None:
        """What is asked for, and taken back."""
        for request, name in (
            (bttv.subscription, "join_channel"),
            (bttv.unsubscription, "part_channel"),
        ):
            asked = json.loads(request("twitch:1"))
            self.assertEqual(asked, {"name": name, "data": {"name": "twitch:1"}})

    def test_changes(self) -> None:
        """An emote is made, renamed, and deleted."""
        made = better(
            "emote_create", channel="twitch:1", emote={"id": "a1", "code": "x", "animated": True}
        )
        self.assertEqual((made.topic, made.added[0].value), ("twitch:1", "x"))
        renamed = better("emote_update", channel="twitch:1", emote={"id": "a1", "code": "y"})
        self.assertEqual(renamed, Change("twitch:1", renamed=(Renamed("a1", "y"),)))
        deleted = better("emote_delete", channel="twitch:1", emoteId="a1")
        self.assertEqual(deleted, Change("twitch:1", removed={"a1"}))

    def test_others(self) -> None:
        """Badges of users, and changes that change no word."""
        self.assertEqual(better("lookup_user", providerId="7"), Alive())
        self.assertEqual(better("emote_update", channel="twitch:1", emote={"id": "a1"}), Alive())
        bad = {"id": "a1", "code": "two words"}
        self.assertEqual(better("emote_update", channel="twitch:1", emote=bad), Alive())
        self.assertEqual(better("emote_create", channel="twitch:1", emote=bad), Alive())
        self.assertEqual(better("emote_delete", channel="twitch:1", emoteId="../"), Alive())

    def test_unreadable(self) -> None:
        """Messages of other shapes."""
        for payload in (b"", b"[]", b'{"name":7}', b'{"name":"emote_create"}'):
            self.assertRaises(Unreadable, bttv.read_message, payload)
        self.assertRaises(Unreadable, better, "emote_create", channel="twitch:1")


class MutationTests(SynchronousTestCase):
    """Messages with bytes changed are read, or said to be unreadable."""

    def test_no_text(self) -> None:
        """Bytes that are no UTF-8 are unreadable, where a text is expected too."""
        for read in (seventv_events.read_message, bttv.read_message):
            for payload in (b'"\xff"', b'{"op":0,"d":{"type":"\xff"}}', b'{"name":"\xff"}'):
                self.assertRaises(Unreadable, read, payload)

    @given(st.randoms(use_true_random=False))
    @settings(max_examples=100, deadline=None)
    def test_mutations(self, random: Random) -> None:
        """Nothing else is ever raised."""
        item = {"key": "emotes", "old_value": {"id": "1", "name": "x"}, "value": entry()}
        body = {"id": "s", "pushed": [item], "pulled": [item], "updated": [item]}
        payloads = [
            {"op": 0, "d": {"type": "emote_set.update", "body": body}},
            {"op": 1, "d": {"heartbeat_interval": 1}},
            {"name": "emote_create", "data": {"channel": "twitch:1", "emote": entry()}},
        ]
        payload = bytearray(json.dumps(random.choice(payloads)).encode())
        for _ in range(random.randint(1, 5)):
            at = random.randrange(len(payload))
            payload[at : at + random.randint(0, 6)] = random.choice(
                (b"", b"\xff", b"null", b"[]", b"{", b'"', b"-1e99", b"\\ud800", b"7")
            )
        for read in (seventv_events.read_message, bttv.read_message):
            try:
                read(bytes(payload))
            except Unreadable:
                continue
