# SPDX-License-Identifier: MIT
"""Chats that are held on a node that follows, or that is about to lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from livechat.brokers.redis.messages import Batch, encode, items_of, read_batch
from livechat.core.options import Options
from livechat.core.ports import Interrupted, Live, Start
from livechat.core.publication import Publication
from livechat.core.subscription import Subscription
from livechat.model.events import ALL_KINDS, Event, iso_time, seconds_of
from livechat.protocol.commands import Since
from tests.contracts.history import deletion, timeout
from tests.support.fakes import KeptMessages, chat
from tests.test_roles import INFO, KEY, UNTIL, RoleCase

HOLD = 5.0


class HeldCase(RoleCase):
    """Another node leads; somebody here holds chats, and nobody else watches here."""

    def setUp(self) -> None:
        """It has been greeted."""
        super().setUp()
        self.hub.unsubscribe(self.subscription)
        self.clock.advance(20)
        self.viewer, _ = self.holding()
        self.its = self.broker.memberships[-1]
        self.member = self.its.member

    def holding(self, hold: float = HOLD, **more: Any) -> tuple[KeptMessages, Subscription]:
        """Somebody subscribes who holds chats."""
        viewer = KeptMessages()
        options = Options(ALL_KINDS, stats=float("inf"), hold=hold, **more)
        subscription = Subscription(KEY, viewer, "ann", options, lambda _: None)
        self.hub.subscribe(self.platform, subscription)
        return viewer, subscription

    def follow(self, seq: int = 0) -> None:
        """Another node leads a chat that flows."""
        self.member.follow(Start("e", seq, UNTIL))
        self.member.told(Live(INFO))
        self.turn()
        self.viewer.taken()

    def arrive(self, *events: Event, seq: int, at: str = "") -> None:
        """What the leader published arrives as it does from another node."""
        self.member.published(self.received_from_elsewhere(events, seq, at))

    def received_from_elsewhere(
        self, events: Sequence[Event], seq: int, at: str = ""
    ) -> Sequence[Publication]:
        """What has gone through the broker; it has the payload and no event.

        :param at: the time that it bears.
        """
        made = [Publication.of("e", seq + n, event) for n, event in enumerate(events)]
        until = at or iso_time(round(self.clock.seconds() * 1000))
        batch = Batch("e", seq - 1, until, "room", items_of(made))
        return read_batch(encode(batch)).publications(0)

    def came(self, viewer: KeptMessages | None = None) -> list[str]:
        """Ids of chats, kinds of events, and statuses since the last time."""
        self.turn(0.05)
        return [
            one.get("status") or one["data"].get("message_id") or one["data"]["type"]
            for one in (viewer or self.viewer).taken()
            if one["type"] != "stats"
        ]


class FollowingTests(HeldCase):
    """What another node publishes is held here."""

    def test_later(self) -> None:
        """Chats come so long after they came to this node; events come at once."""
        self.follow()
        self.arrive(chat("1"), chat("2"), deletion("0"), seq=1)
        self.assertEqual(self.came(), ["deletion"])
        self.turn(HOLD - 0.2)
        self.assertEqual(self.came(), [])
        self.turn(0.2)
        self.assertEqual(self.came(), ["1", "2"])

    def test_removed_meanwhile(self) -> None:
        """A chat that the leader says is deleted, or whose author is timed out, never comes."""
        self.follow()
        self.arrive(chat("1"), chat("2", user="bob"), chat("3"), seq=1)
        self.turn(1)
        self.arrive(deletion("1"), timeout("bob"), seq=4)
        self.assertEqual(self.came(), ["deletion", "timeout"])
        self.turn(HOLD)
        self.assertEqual(self.came(), ["3"])

    def test_broker_is_away(self) -> None:
        """What is held comes when it is due, while the node hears nothing; so does what follows."""
        self.follow()
        self.arrive(chat("1"), seq=1)
        self.member.told(Interrupted("BROKER"))
        self.turn(HOLD)
        self.assertEqual(self.came(), ["reconnecting", "1"])
        self.arrive(chat("2"), chat("3"), deletion("2"), seq=2)
        self.member.told(Live(INFO))
        self.turn(HOLD)
        self.assertEqual(self.came(), ["deletion", "started", "3"])

    def test_missed(self) -> None:
        """What is held is not lost where something after it is."""
        self.follow()
        self.arrive(chat("1"), seq=1)
        self.member.missed(Start("e", 7))
        self.member.told(Live(INFO))
        self.arrive(chat("8"), seq=8)
        self.turn(HOLD)
        self.assertEqual(self.came(), ["reconnecting", "started", "1", "8"])

    def test_another_epoch(self) -> None:
        """What is held of the old order comes before it is said that there is another one."""
        self.follow()
        self.arrive(chat("1"), seq=1)
        self.member.follow(Start("f", 3))
        self.member.told(Live(INFO))
        self.assertEqual(self.came(), ["1", "reconnecting", "started"])


class PastTests(HeldCase):
    """Who holds chats comes to a node that has just learnt of the channel."""

    def enter(self, **asked: Any) -> KeptMessages:
        """The node learns what was published a minute ago and now, and what its part is."""
        viewer, _ = self.holding(**asked)
        now = self.clock.seconds()
        self.arrive(chat("1"), chat("2"), seq=1, at=iso_time(round((now - 60) * 1000)))
        self.arrive(chat("3"), seq=3)
        self.follow(3)
        return viewer

    def test_history(self) -> None:
        """What was published longer ago than it holds chats comes at once; the rest when due."""
        viewer = self.enter(history=10)
        self.assertEqual(self.came(viewer)[2:], ["1", "2"])
        self.turn(HOLD)
        self.assertEqual(self.came(viewer), ["3"])

    def test_resume(self) -> None:
        """The same for what it has missed; a deletion takes away what is still held."""
        viewer = self.enter(since=Since("e", 1))
        self.assertEqual(self.came(viewer)[2:], ["2"])
        self.arrive(deletion("3"), chat("5"), seq=4)
        self.turn(HOLD)
        self.assertEqual(self.came(viewer), ["deletion", "5"])

    def test_times_rise(self) -> None:
        """Clocks of platforms and nodes may differ: what comes later is never kept as older."""
        self.arrive(chat("1"), seq=1)
        self.arrive(chat("2"), seq=2, at=UNTIL)
        kept = self.history.everything_after(KEY, "e", 0)
        self.assertEqual([one.at for one in kept], [self.clock.seconds()] * 2)

    def test_bounded(self) -> None:
        """What bears a time of hours ago is kept for hardly less long than anything else."""
        self.arrive(chat("1"), seq=1, at=UNTIL)
        self.assertGreater(self.clock.seconds() - seconds_of(UNTIL), 3600)
        (kept,) = self.history.everything_after(KEY, "e", 0)
        self.assertEqual(kept.at, self.clock.seconds() - 60)


class TurnTests(HeldCase):
    """The node takes the channel over while chats are held."""

    def test_leader_dies(self) -> None:
        """What the dead leader published comes when it is due, and is not published again."""
        self.follow()
        self.arrive(chat("1"), chat("2"), seq=1)
        self.member.lead(Start("e", 2 << 20, UNTIL, why="failover"))
        self.watcher.live()
        self.watcher.sink.received([chat("2"), chat("3")])
        self.turn(HOLD)
        self.assertEqual(self.came(), ["reconnecting", "gap", "started", "1", "2", "3"])

    def test_handed_over(self) -> None:
        """After a hand-over each chat comes once, and a deletion by the new leader holds."""
        self.follow()
        self.arrive(chat("1"), chat("2"), seq=1)
        self.member.prepare()
        self.watcher.live()
        self.watcher.sink.received([chat("2"), chat("3")])
        self.member.lead(Start("e", 2, UNTIL, why="handed"))
        self.watcher.sink.received([deletion("1")])
        self.turn(HOLD)
        self.assertEqual(self.came(), ["deletion", "2", "3"])

    def test_steps_down(self) -> None:
        """A leader that follows from now on delivers what it held, and what it is given since."""
        self.member.lead(Start("e", 0))
        self.watcher.live()
        self.turn()
        self.viewer.taken()
        self.watcher.sink.received([chat("1")])
        self.member.follow(replace(Start("e", 1), node="another"))
        self.member.told(Live(INFO))
        self.arrive(chat("2"), deletion("1"), seq=2)
        self.turn(HOLD)
        self.assertEqual(self.came(), ["deletion", "2"])
