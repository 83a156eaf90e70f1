# SPDX-License-Identifier: MIT
"""A node's part in a channel: following, preparing, leading, yielding, in doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from livechat.core.ahead import PATIENCE
from livechat.core.clients import Place
from livechat.core.hub import Hub
from livechat.core.leader import LOOK, OVERLAP, RESTART_PAUSE
from livechat.core.options import CHATS, Options
from livechat.core.outlet import MAX_HELD
from livechat.core.ports import (
    ChannelState,
    Failed,
    IBroker,
    IMember,
    IMembership,
    Interrupted,
    Live,
    Recovery,
    Start,
)
from livechat.core.publication import Publication
from livechat.core.roles import TRANSITIONS, Role, Turn
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.event_data import Gap
from livechat.model.events import ALL_KINDS, ChannelKey, LiveInfo, Tally, seconds_of
from livechat.protocol.commands import Since
from livechat.statistics.memory import MemoryStats
from tests.support.fakes import (
    KeptMessages,
    ScriptedPlatform,
    ScriptedWatcher,
    chat,
    chats,
    services_on,
)

KEY = ChannelKey("twitch", "username", "ann")
INFO = LiveInfo("live-ann")
UNTIL = "2026-01-02T03:00:00.000Z"


@implementer(IMembership)
class ScriptedMembership:
    """What a member does, as it is seen by the test; it hears itself at once.

    :ivar said: what it answered or asked, in order.
    :ivar published: all that it has published.
    :ivar states: all that it has told.
    """

    def __init__(self, member: IMember, have: Place | None) -> None:
        self.member = member
        self.have = have
        self.certain = True
        self.lag = 0
        self.said: list[str] = []
        self.batches: list[Sequence[Publication]] = []
        self.states: list[ChannelState] = []
        self.released: list[Deferred[None]] = []
        self.stop: Callable[[], Deferred[None]] | None = None

    @property
    def numbers(self) -> list[int]:
        """The numbers of what it has published."""
        return [one.seq for batch in self.batches for one in batch]

    @property
    def kinds(self) -> list[str]:
        """The kinds of what it has published."""
        return [one.kind for batch in self.batches for one in batch]

    @property
    def items(self) -> list[str]:
        """The names of what it has published, gaps left out."""
        return [one.item for batch in self.batches for one in batch if one.kind != "gap"]

    def publish(self, publications: Sequence[Publication]) -> None:
        """See `IMembership`."""
        self.batches.append(publications)
        self.member.published(publications)

    def tell(self, state: ChannelState) -> None:
        """See `IMembership`."""
        self.states.append(state)
        self.member.told(state)

    def look(self) -> None:
        """See `IMembership`."""
        self.said.append("look")

    def prepared(self) -> None:
        """See `IMembership`."""
        self.said.append("prepared")

    def unprepared(self) -> None:
        """See `IMembership`."""
        self.said.append("unprepared")

    def release(self) -> Deferred[None]:
        """See `IMembership`."""
        self.said.append("release")
        self.released.append(Deferred())
        return self.released[-1]

    def leave(self, stop: Callable[[], Deferred[None]]) -> Deferred[None]:
        """See `IMembership`."""
        self.said.append("leave")
        return stop()


@implementer(IBroker)
class ScriptedBroker:
    """A broker that says what the test wants."""

    def __init__(self) -> None:
        self.invited: Callable[[ChannelKey], None] = lambda key: None
        self.health: Mapping[str, object] = {}
        self.memberships: list[ScriptedMembership] = []

    def join(self, key: ChannelKey, member: IMember, have: Place | None = None) -> IMembership:
        """See `IBroker`."""
        self.memberships.append(ScriptedMembership(member, have))
        return self.memberships[-1]

    def recall(self, key: ChannelKey) -> Deferred[Place | None]:
        """See `IBroker`."""
        return succeed(None)

    def drain(self, seconds: float) -> Deferred[int]:
        """See `IBroker`."""
        return succeed(0)


class RoleCase(SynchronousTestCase):
    """One node, one channel, one subscriber; the test plays the broker and the platform."""

    def setUp(self) -> None:
        """Somebody has subscribed, and nobody has said yet who leads."""
        self.clock = Clock()
        self.clock.advance(seconds_of("2026-01-02T05:00:00.000Z"))
        self.broker = ScriptedBroker()
        self.platform = ScriptedPlatform()
        self.store = MemoryStats()
        services = services_on(self.clock, Metrics(), self.broker, self.store)
        self.history = services.history
        self.hub = Hub(services, linger=10.0, max_channels=10)
        self.subscriber, self.subscription = self.subscribe()
        self.its = self.broker.memberships[0]
        self.member = self.its.member

    def subscribe(self, **options: Any) -> tuple[KeptMessages, Subscription]:
        """Somebody subscribes to everything."""
        subscriber = KeptMessages()
        asked = Options(kinds=ALL_KINDS, **options)
        subscription = Subscription(KEY, subscriber, "ann", asked, lambda _: None)
        self.hub.subscribe(self.platform, subscription)
        return subscriber, subscription

    @property
    def role(self) -> Role:
        """The part that the node has."""
        return self.hub._channels[KEY].role

    @property
    def watcher(self) -> ScriptedWatcher:
        """The newest upstream."""
        return self.platform.watchers[-1]

    def turn(self, seconds: float = 0.0) -> None:
        """Let the clock run, and what follows at once."""
        self.clock.advance(seconds)
        self.clock.advance(0)

    def lead(self) -> None:
        """The node leads and its upstream flows; what was said so far is taken."""
        self.member.lead(Start("e", 0))
        self.watcher.live()
        self.turn()
        self.subscriber.taken()

    def follow(self, seq: int = 0) -> None:
        """Another node leads a chat that flows; what was said so far is taken."""
        self.member.follow(Start("e", seq, UNTIL))
        self.member.told(Live(INFO))
        self.turn()
        self.subscriber.taken()

    def hear(self, *names: str, seq: int, epoch: str = "e") -> None:
        """Another node has published chats."""
        batch = [Publication.of(epoch, seq + n, chat(name)) for n, name in enumerate(names)]
        self.member.published(batch)

    def received(self) -> list[tuple[str, int | None]]:
        """What the subscriber was given since the last time: kind or status, and number."""
        self.turn(0.05)
        return [
            (str(one.get("status") or one["type"]), one.get("seq"))
            for one in self.subscriber.taken()
            if one["type"] != "stats"
        ]

    def total(self) -> int:
        """How many messages the store has been given."""
        return self.successResultOf(self.store.snapshot(KEY, 1)).total_messages


class TableTests(SynchronousTestCase):
    """The transition table by itself."""

    def test_left_is_the_end(self) -> None:
        """Every part can be left, and nothing comes after that."""
        for role in Role:
            self.assertEqual((role, Turn.LEAVE) in TRANSITIONS, role is not Role.LEFT)
        self.assertFalse([row for row in TRANSITIONS if row[0] is Role.LEFT])

    def test_another_leads(self) -> None:
        """Whatever part a node has, once another one leads it follows."""
        for role in set(Role) - {Role.LEFT}:
            self.assertIs(TRANSITIONS[role, Turn.FOLLOW][0], Role.FOLLOWING)


class FollowingTests(RoleCase):
    """Another node leads."""

    def test_scripts(self) -> None:
        """The broker of these tests is one by its interface."""
        self.assertTrue(verifyObject(IBroker, self.broker))
        self.assertTrue(verifyObject(IMembership, self.its))
        self.assertTrue(verifyObject(IMember, self.member))

    def test_greeted(self) -> None:
        """Subscribers of a follower are greeted when the chat flows; it starts no upstream."""
        self.hear("old", seq=7)
        self.member.follow(Start("e", 7, UNTIL))
        self.assertEqual(self.received(), [])
        self.member.told(Live(INFO))
        self.assertEqual(self.received(), [("subscribed", None), ("started", 7)])
        self.assertEqual(self.platform.watchers, [])

    def test_what_was_published_before_is_kept(self) -> None:
        """What a follower is given before its part can be read by whoever asks for the past."""
        self.hear("a", "b", seq=6)
        self.member.follow(Start("e", 7, UNTIL))
        self.member.told(Live(INFO))
        self.turn()
        other, _ = self.subscribe(history=10)
        self.turn(0.05)
        said = [one["seq"] for one in other.taken() if one["type"] == "chat"]
        self.assertEqual(said, [6, 7])

    def test_have(self) -> None:
        """The broker is told what the node has of a channel."""
        self.assertIsNone(self.its.have)
        self.follow()
        self.hear("a", seq=1)
        self.hub.unsubscribe(self.subscription)
        self.turn(10)
        self.its.released[0].callback(None)
        self.subscribe()
        self.assertEqual(self.broker.memberships[1].have, Place(KEY, "e", 1))

    def test_statistics(self) -> None:
        """A follower counts nothing, and pushes what the store has learnt from the leader."""
        self.follow()
        self.hear("a", seq=1)
        self.turn(2)
        self.assertEqual(self.total(), 0)
        self.subscriber.taken()
        self.store.add(KEY, Tally(total=5))
        self.turn(1)
        (pushed,) = self.subscriber.taken()
        self.assertEqual(pushed["data"]["totalMessages"], 5)

    def test_waits(self) -> None:
        """As long as nobody can say who leads, the subscriber is told what it waits for."""
        self.member.waits("BROKER")
        (said,) = self.subscriber.taken()
        self.assertEqual((said["status"], said["details"]), ("waiting", "BROKER"))

    def test_broker_is_away(self) -> None:
        """Who is deaf says so, and says where the order goes on when it hears again."""
        self.follow(seq=3)
        self.member.told(Interrupted("BROKER"))
        self.assertEqual(self.received(), [("reconnecting", None)])
        self.hear("a", seq=4)
        self.member.told(Live(INFO))
        self.assertEqual(self.received(), [("chat", 4), ("started", 4)])

    def test_missed(self) -> None:
        """What nobody has any more is told, before what follows it."""
        self.follow(seq=3)
        self.hear("a", seq=4)
        self.member.missed(Start("e", 90))
        self.member.told(Live(INFO))
        self.hear("b", seq=91)
        self.turn(0.05)
        chat_4, away, back, chat_91 = self.subscriber.taken()
        self.assertEqual((chat_4["seq"], chat_91["seq"]), (4, 91))
        self.assertEqual((away["status"], away["reason"]), ("reconnecting", "BROKER"))
        self.assertEqual((back["status"], back["seq"], back["recovered"]), ("started", 90, False))
        # It is said once, and whoever comes back later is told, too.
        self.member.told(Live(INFO))
        self.assertEqual(self.received(), [])
        for seq, recovered in ((4, False), (90, True)):
            other, _ = self.subscribe(since=Since("e", seq))
            self.turn(0.05)
            self.assertEqual(other.taken()[1]["recovered"], recovered)

    def test_missed_while_away(self) -> None:
        """Whoever was told that the broker is away is told once that it is back with a loss."""
        self.follow(seq=3)
        self.member.told(Interrupted("BROKER"))
        self.member.missed(Start("e", 90))
        self.member.told(Live(INFO))
        away, back = self.subscriber.taken()
        self.assertEqual(away["status"], "reconnecting")
        self.assertEqual((back["status"], back["seq"], back["recovered"]), ("started", 90, False))

    def test_another_epoch(self) -> None:
        """What is published in another order comes after it was said that it is another."""
        self.follow(seq=3)
        self.hear("a", "b", seq=50, epoch="f")
        self.member.follow(Start("f", 51))
        self.assertEqual(self.received(), [])
        self.member.told(Live(INFO))
        self.hear("c", seq=52, epoch="f")
        self.turn(0.05)
        away, back, new = self.subscriber.taken()
        self.assertEqual(away["status"], "reconnecting")
        self.assertEqual((back["epoch"], back["seq"], back["recovered"]), ("f", 51, False))
        self.assertEqual(new["seq"], 52)

    def test_another_epoch_flows_at_once(self) -> None:
        """What is published in another order before its state is told waits for no state."""
        self.follow(seq=3)
        self.hear("a", seq=50, epoch="f")
        self.hear("b", seq=51, epoch="f")
        self.hear("c", seq=52, epoch="f")
        self.member.follow(Start("f", 52))
        self.member.told(Live(INFO))
        self.turn(0.05)
        away, back, *chats = self.subscriber.taken()
        self.assertEqual(away["status"], "reconnecting")
        self.assertEqual((back["epoch"], back["seq"], back["recovered"]), ("f", 50, False))
        self.assertEqual([one["seq"] for one in chats], [51, 52])

    def test_leads_alone(self) -> None:
        """A node that goes on in an order of its own says where that begins before its gap."""
        self.follow(seq=3)
        self.member.told(Interrupted("BROKER"))
        self.member.lead(Start("f", 0, why="failover"))
        self.watcher.live()
        self.watcher.sink.received(chats(1))
        self.turn(0.05)
        away, back, new = (one for one in self.subscriber.taken() if one["type"] != "stats")
        self.assertEqual(away["status"], "reconnecting")
        self.assertEqual((back["epoch"], back["seq"], back["recovered"]), ("f", 1, False))
        self.assertEqual((new["type"], new["seq"]), ("chat", 2))

    def test_missed_in_the_middle_of_a_replay(self) -> None:
        """Whoever is just being given the past is told the same, and is delivered what follows."""
        self.follow(seq=0)
        self.hear("a", "b", seq=1)
        other, _ = self.subscribe(history=5)
        self.member.missed(Start("e", 9))
        self.member.told(Live(INFO))
        self.hear("c", seq=10)
        self.turn(0.05)
        said = [one for one in other.taken() if one["type"] != "stats"]
        self.assertEqual([one["seq"] for one in said if one["type"] == "chat"][-1], 10)
        self.assertIn(False, [one.get("recovered") for one in said])


class AheadTests(RoleCase):
    """Somebody comes from a node that has received more than this one."""

    def come(self, seq: int, **options: Any) -> KeptMessages:
        """Somebody has been given everything up to there by another node."""
        subscriber, self.other = self.subscribe(since=Since("e", seq), **options)
        self.turn(0.05)
        return subscriber

    def said(self, subscriber: KeptMessages) -> list[tuple[str, int | None, object]]:
        """Kind or status, number, and whether anything is missing."""
        self.turn(0.05)
        return [
            (str(one.get("status") or one["type"]), one.get("seq"), one.get("recovered"))
            for one in subscriber.taken()
            if one["type"] != "stats"
        ]

    def test_greeted_when_the_node_has_as_much(self) -> None:
        """It is given what it has not, once, and knows that nothing is missing."""
        self.follow(seq=3)
        other = self.come(6)
        self.assertEqual(self.said(other), [])
        self.hear("a", "b", seq=4)
        self.assertEqual(self.said(other), [])
        self.hear("c", "d", seq=6)
        greeting = [("subscribed", None, None), ("started", 7, True), ("chat", 7, None)]
        self.assertEqual(self.said(other), greeting)
        self.hear("e", seq=8)
        self.assertEqual(self.said(other), [("chat", 8, None)])

    def test_the_node_leads_now(self) -> None:
        """What the leader itself has not is nowhere."""
        self.follow(seq=3)
        other = self.come(6)
        self.member.lead(Start("e", 100, UNTIL, why="failover"))
        self.assertEqual(
            self.said(other)[:2], [("subscribed", None, None), ("started", 100, False)]
        )

    def test_a_leader_knows(self) -> None:
        """With a number that was never given it is not waited where this node leads."""
        self.lead()
        self.assertEqual(self.said(self.come(6))[1], ("started", 0, False))

    def test_another_order(self) -> None:
        """The numbers that it has mean nothing any more."""
        self.follow(seq=3)
        other = self.come(6)
        self.hear("a", seq=50, epoch="f")
        self.assertEqual(self.said(other)[1], ("started", 50, False))

    def test_a_number_that_nobody_gave(self) -> None:
        """It is not waited for ever, where the node hears all that is published."""
        self.follow(seq=3)
        other = self.come(6)
        self.turn(PATIENCE)
        self.assertEqual(self.said(other)[1], ("started", 3, False))

    def test_the_node_hears_nothing(self) -> None:
        """As long as the broker is away it is told so, and greeted when all has come."""
        self.follow(seq=3)
        self.member.told(Interrupted("BROKER"))
        other = self.come(6)
        self.turn(PATIENCE)
        self.assertEqual(self.said(other), [("waiting", None, None)])
        self.hear("a", "b", "c", seq=4)
        self.member.told(Live(INFO))
        self.assertEqual(self.said(other)[:2], [("subscribed", None, None), ("started", 6, True)])

    def test_leaves(self) -> None:
        """Whoever leaves meanwhile is given nothing, and nothing stays on the clock."""
        self.follow(seq=3)
        calls = len(self.clock.getDelayedCalls())
        other = self.come(6)
        self.hub.unsubscribe(self.other)
        self.hear("a", "b", "c", seq=4)
        self.turn(0.05)
        self.assertEqual([one for one, _, _ in self.said(other)], [])
        self.assertLessEqual(len(self.clock.getDelayedCalls()), calls)

    def test_options_change(self) -> None:
        """Whoever asks again meanwhile is greeted once, by what it asked for last."""
        self.follow(seq=3)
        other = self.come(6)
        asked = Options(kinds=CHATS, since=Since("e", 5))
        self.hub.change(self.other, "ann", asked)
        self.hear("a", "b", "c", seq=4)
        greeting = [("subscribed", None, None), ("started", 6, True), ("chat", 6, None)]
        self.assertEqual(self.said(other)[-3:], greeting)


class TakeOverTests(RoleCase):
    """The leader is gone."""

    def test_gap_and_numbers(self) -> None:
        """The successor starts an upstream, and a gap stands before whatever it publishes."""
        self.follow(seq=7)
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.assertEqual(self.received(), [("reconnecting", None)])
        self.watcher.live()
        self.watcher.sink.received(chats(2))
        top = 1 << 21
        self.assertEqual(self.its.numbers, [top + 1, top + 2, top + 3])
        self.assertEqual(self.its.kinds, ["gap", "chat", "chat"])
        gap = self.its.batches[0][0].event
        assert isinstance(gap.data, Gap)
        self.assertEqual((gap.data.reason, gap.data.start), ("failover", UNTIL))
        self.assertEqual([one for one, _ in self.received()], ["event", "started", "chat", "chat"])

    def test_it_is_told_where_nobody_watches_here(self) -> None:
        """A successor that only waits for its own greeting tells the others' subscribers, too."""
        self.member.follow(Start("e", 7, UNTIL))
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.assertEqual(self.its.states, [Interrupted("FAILOVER")])

    def test_it_is_told_where_the_node_was_deaf(self) -> None:
        """A successor that had told its own that it hears nothing tells the others all the same."""
        self.follow(seq=7)
        self.member.told(Interrupted("BROKER"))
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.assertEqual(self.its.states, [Interrupted("FAILOVER")])

    def test_it_is_told_after_all_had_left(self) -> None:
        """Until the upstream of a successor flows nobody takes the chat for received."""
        self.member.lead(Start("e", 7, UNTIL))
        self.assertEqual(self.its.states, [Interrupted("FAILOVER")])
        self.assertEqual(self.received(), [])
        self.watcher.live()
        self.assertEqual(self.its.kinds, ["gap"])
        self.assertEqual(self.its.states[1:], [Live(INFO)])

    def test_nobody_knows_since_when(self) -> None:
        """A gap stands after a death also where nothing is known of the time before it."""
        self.member.lead(Start("e", 1 << 21, why="failover"))
        self.watcher.live()
        self.assertEqual(self.its.kinds, ["gap"])

    def test_repetition(self) -> None:
        """What the leader published is recognised when the platform repeats it."""
        self.follow()
        self.hear("m0", "m1", seq=1)
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.watcher.live()
        self.watcher.sink.received(chats(4))
        self.assertEqual(self.its.items, ["m2", "m3"])

    def test_passing_trouble(self) -> None:
        """A successor whose start fails in a passing way tries again, and ends nothing."""
        self.follow()
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        started = self.watcher.started
        assert started is not None
        started.errback(ChatError(ErrorCode.UPSTREAM_UNAVAILABLE, "No", temporary=True))
        self.turn(RESTART_PAUSE)
        self.assertEqual(len(self.platform.watchers), 2)
        self.assertNotIn(Failed, map(type, self.its.states))

    def test_counts(self) -> None:
        """From now on this node counts."""
        self.follow()
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.watcher.live()
        self.watcher.sink.received(chats(3))
        self.turn(1)
        self.assertEqual(self.total(), 3)


class PreparingTests(RoleCase):
    """The leader wants to go, and this node is to be its heir."""

    def prepare(self) -> None:
        """The upstream flows beside the leader's."""
        self.follow(seq=7)
        self.member.prepare()
        self.watcher.live()
        self.turn(OVERLAP)

    def test_overlap(self) -> None:
        """It is ready when what was said before its upstream flowed has reached the leader."""
        self.follow(seq=7)
        self.member.prepare()
        self.watcher.live()
        self.assertEqual(self.its.said, [])
        self.turn(OVERLAP)
        self.assertEqual(self.its.said, ["prepared"])

    def test_handed(self) -> None:
        """What was held is published after it was handed over, less what is known; no gap."""
        self.prepare()
        self.assertEqual(self.its.said, ["prepared"])
        self.watcher.sink.received(chats(4))
        self.hear("m0", "m1", seq=8)
        self.assertEqual(self.its.batches, [])
        self.member.lead(Start("e", 9, why="handed"))
        self.assertEqual((self.its.numbers, self.its.items), ([10, 11], ["m2", "m3"]))
        self.watcher.sink.received([chat("m4")])
        given = [("chat", number) for number in range(8, 13)]
        self.assertEqual(self.received(), given)
        self.assertEqual(len(self.platform.watchers), 1)
        self.turn(1)
        self.assertEqual(self.total(), 3)

    def test_what_was_said_shortly_before(self) -> None:
        """What the platform gives of before is published if it is new, and never what is older."""
        self.follow(seq=7)
        self.member.prepare()
        old = replace(chat("old"), timestamp="2026-01-02T02:59:59.000Z")
        new = replace(chat("new"), timestamp="2026-01-02T03:00:01.000Z")
        self.watcher.sink.recovered(Recovery([old, new], "latest"))
        self.watcher.live()
        self.member.lead(Start("e", 7, why="handed"))
        self.assertEqual(self.its.items, ["new"])
        self.turn(1)
        self.assertEqual(self.total(), 1)

    def test_leader_dies(self) -> None:
        """An heir whose leader dies takes over with what it holds, behind a gap."""
        self.prepare()
        self.watcher.sink.received(chats(2))
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.assertEqual(self.its.kinds, ["gap", "chat", "chat"])
        self.assertEqual(len(self.platform.watchers), 1)

    def test_leader_dies_before_the_upstream_flows(self) -> None:
        """The upstream that is being started is the new leader's."""
        self.follow()
        self.member.prepare()
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.assertEqual(self.its.states, [Interrupted("FAILOVER")])
        self.watcher.live()
        self.watcher.sink.received(chats(1))
        self.assertEqual(self.its.kinds, ["gap", "chat"])
        self.assertEqual(len(self.platform.watchers), 1)

    def test_leader_stays(self) -> None:
        """An heir that is not needed leaves the upstream and drops what it holds."""
        self.prepare()
        self.watcher.sink.received(chats(2))
        self.member.follow(Start("e", 7, UNTIL))
        self.assertEqual((self.watcher.stops, self.role), (1, Role.FOLLOWING))
        self.watcher.sink.received(chats(2))
        self.assertEqual(self.its.batches, [])
        self.turn(1)
        self.assertEqual(self.total(), 0)

    def test_start_fails(self) -> None:
        """An heir that cannot start an upstream says so, and follows on."""
        self.follow()
        self.member.prepare()
        self.watcher.fail()
        self.assertEqual((self.its.said, self.role), (["unprepared"], Role.FOLLOWING))
        self.assertEqual(self.its.states, [])

    def test_upstream_is_lost(self) -> None:
        """An heir that has lost its upstream is none any more."""
        for loss in ("interrupted", "ended"):
            self.setUp()
            self.prepare()
            if loss == "ended":
                self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
            else:
                self.watcher.sink.interrupted("LOST")
            self.assertEqual(self.its.said, ["prepared", "unprepared"])
            self.assertEqual((self.watcher.stops, self.role), (1, Role.FOLLOWING))
            self.assertEqual(self.its.states, [])

    def test_too_much_is_held(self) -> None:
        """What an heir holds is bounded; one that would hold more is none any more."""
        self.prepare()
        self.watcher.sink.received(chats(MAX_HELD))
        self.assertEqual(self.role, Role.PREPARED)
        self.watcher.sink.received(chats(1, MAX_HELD))
        self.assertEqual(self.its.said, ["prepared", "unprepared"])

    def test_handed_too_late(self) -> None:
        """A channel that is handed to a node which has lost its upstream meanwhile has a gap."""
        self.prepare()
        self.watcher.sink.interrupted("LOST")
        self.member.lead(Start("e", 9, UNTIL, why="handed"))
        self.assertEqual(self.role, Role.LEADING)
        self.watcher.live()
        self.assertEqual(self.its.kinds, ["gap"])

    def test_handed_while_the_leader_had_lost_the_upstream(self) -> None:
        """What the leader had not received either is a gap."""
        self.prepare()
        self.member.told(Interrupted("LOST"))
        self.member.lead(Start("e", 9, UNTIL, why="handed"))
        self.assertEqual(self.its.kinds, ["gap"])
        self.assertEqual(self.its.states, [Live(INFO)])


class InvitedHeirTests(RoleCase):
    """An heir on whose node nobody watches."""

    def test_the_leader_had_not_received_the_chat(self) -> None:
        """What was lost before the hand-over is a gap, though nobody here was ever greeted."""
        self.member.follow(Start("e", 7, UNTIL))
        self.member.told(Interrupted("FAILOVER"))
        self.member.prepare()
        self.watcher.live()
        self.turn(OVERLAP)
        self.watcher.sink.received(chats(1))
        self.member.lead(Start("e", 7, UNTIL, why="handed"))
        self.assertEqual(self.its.kinds, ["gap", "chat"])

    def test_nothing_is_known_of_the_leader(self) -> None:
        """A leader of which nothing was told may not have received the chat."""
        self.member.follow(Start("e", 7, UNTIL))
        self.member.prepare()
        self.watcher.live()
        self.turn(OVERLAP)
        self.member.lead(Start("e", 7, UNTIL, why="handed"))
        self.assertEqual(self.its.kinds, ["gap"])

    def test_the_heir_was_deaf_meanwhile(self) -> None:
        """That it heard nothing for a while does not make the leader receive the chat."""
        self.member.follow(Start("e", 7, UNTIL))
        self.member.told(Interrupted("FAILOVER"))
        self.member.told(Interrupted("BROKER"))
        self.member.prepare()
        self.watcher.live()
        self.turn(OVERLAP)
        self.member.lead(Start("e", 7, UNTIL, why="handed"))
        self.assertEqual(self.its.kinds, ["gap"])


class YieldingTests(RoleCase):
    """This node leads and hands over."""

    def test_handed_over(self) -> None:
        """Once it holds it publishes nothing; then it leaves the upstream and follows."""
        self.lead()
        self.watcher.sink.received(chats(1))
        self.member.hold()
        self.watcher.sink.received(chats(2, 1))
        self.member.follow(Start("e", 1))
        self.hear("m1", "m2", seq=2)
        self.assertEqual(self.its.numbers, [1])
        self.assertEqual(self.received(), [("chat", 1), ("chat", 2), ("chat", 3)])
        self.assertEqual((self.watcher.stops, self.role), (1, Role.FOLLOWING))
        self.turn(1)
        self.assertEqual(self.total(), 1)

    def test_nobody_takes_it(self) -> None:
        """What was held is published if the channel was not handed over, in order with the rest."""
        self.lead()
        self.member.hold()
        self.watcher.sink.received(chats(2))
        self.watcher.sink.interrupted("LOST")
        self.watcher.sink.resumed(INFO)
        self.watcher.sink.received(chats(1, 2))
        self.assertEqual((self.its.numbers, len(self.its.states)), ([], 1))
        self.member.resume_publishing()
        self.assertEqual(self.its.kinds, ["chat", "chat", "gap", "chat"])
        self.assertEqual(self.its.states[1:], [Interrupted("LOST"), Live(INFO)])

    def test_the_upstream_starts_meanwhile(self) -> None:
        """A start that succeeds while nothing may be published is told afterwards."""
        self.member.lead(Start("e", 0))
        self.member.hold()
        self.watcher.live()
        self.assertEqual(self.its.states, [])
        self.member.resume_publishing()
        self.assertEqual(self.its.states, [Live(INFO)])

    def test_the_end_comes_meanwhile(self) -> None:
        """An end that is reported while nothing may be published ends the channel afterwards."""
        self.lead()
        self.member.hold()
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(self.received(), [])
        self.member.resume_publishing()
        self.assertEqual([one["type"] for one in self.subscriber.taken()], ["error"])

    def test_back_again(self) -> None:
        """A node that has handed a channel over can be its heir."""
        self.lead()
        self.watcher.sink.received(chats(1))
        self.member.hold()
        self.member.follow(Start("e", 1))
        self.hear("m1", seq=2)
        self.member.prepare()
        self.watcher.live()
        self.watcher.sink.received(chats(3))
        self.member.lead(Start("e", 2, why="handed"))
        self.assertEqual((self.its.numbers, self.its.items), ([1, 3], ["m0", "m2"]))


class DoubtTests(RoleCase):
    """It is not certain that this node still leads."""

    def test_looks_before_it_publishes(self) -> None:
        """A leader whose lease has run out publishes nothing before it knows."""
        self.lead()
        self.its.certain = False
        self.watcher.sink.received(chats(2))
        self.assertEqual((self.its.numbers, self.its.said), ([], ["look"]))
        self.its.certain = True
        self.member.settled()
        self.assertEqual(self.its.numbers, [1, 2])
        self.turn(1)
        self.assertEqual(self.total(), 2)
        self.assertEqual(self.role, Role.LEADING)

    def test_another_leads(self) -> None:
        """What was held is dropped: the other one has it.  The upstream is left at once."""
        self.lead()
        self.its.certain = False
        self.watcher.sink.received(chats(2))
        self.member.follow(Start("e", 1 << 21))
        self.assertEqual((self.watcher.stops, self.its.numbers), (1, []))
        self.hear("m0", "m1", seq=(1 << 21) + 1)
        self.assertEqual([one for one, _ in self.received()], ["chat", "chat"])
        self.turn(1)
        self.assertEqual(self.total(), 0)

    def test_alone(self) -> None:
        """Without an answer it goes on for its own subscribers, within a second."""
        self.lead()
        self.member.doubted()
        self.its.certain = False
        self.watcher.sink.received(chats(2))
        self.turn(LOOK)
        self.assertEqual(self.received(), [("chat", 1), ("chat", 2)])
        self.watcher.sink.received(chats(1, 2))
        self.assertEqual(self.received(), [("chat", 3)])
        self.assertEqual(self.role, Role.ALONE)
        # Whose counts these are is not known.
        self.turn(2)
        self.assertEqual(self.total(), 0)

    def test_ours_after_all(self) -> None:
        """What was counted meanwhile counts when the node has led all the time."""
        self.lead()
        self.watcher.sink.received(chats(1))
        self.member.doubted()
        self.turn(LOOK)
        self.watcher.sink.received(chats(2, 1))
        self.member.settled()
        self.watcher.sink.received(chats(1, 3))
        self.turn(2)
        self.assertEqual((self.total(), self.role), (4, Role.LEADING))

    def test_anothers_after_all(self) -> None:
        """Counts of the doubt are dropped; what it gave its own is not given to them again."""
        self.lead()
        self.watcher.sink.received(chats(1))
        self.member.doubted()
        self.turn(LOOK)
        self.watcher.sink.received(chats(2, 1))
        self.received()
        top = 1 << 21
        self.hear("m1", "m2", "m3", seq=top + 1)
        self.member.follow(Start("e", top + 3))
        self.assertEqual(self.received(), [("chat", top + 3)])
        self.turn(2)
        self.assertEqual((self.total(), self.watcher.stops), (1, 1))

    def test_other_numbers(self) -> None:
        """A leader whose order is lost goes on in another one, and says so before it publishes."""
        self.lead()
        self.member.doubted()
        self.watcher.sink.received(chats(1))
        self.member.lead(Start("f", 0, why="again"))
        self.turn(0.05)
        away, back, new = [one for one in self.subscriber.taken() if one["type"] != "stats"]
        self.assertEqual((away["status"], back["status"]), ("reconnecting", "started"))
        self.assertEqual((back["epoch"], back["seq"], back["recovered"]), ("f", 0, False))
        self.assertEqual((new["seq"], len(self.platform.watchers)), (1, 1))

    def test_jump(self) -> None:
        """Numbers that only jump are no other order: nothing is told."""
        self.lead()
        self.watcher.sink.received(chats(1))
        self.member.lead(Start("e", 1 << 21, why="again"))
        self.watcher.sink.received(chats(1, 1))
        self.assertEqual(self.received(), [("chat", 1), ("chat", (1 << 21) + 1)])

    def test_another_has_led_meanwhile(self) -> None:
        """Who followed that one lacks what was said since it went: a gap stands before the rest."""
        self.lead()
        self.watcher.sink.received(chats(1))
        self.member.doubted()
        self.watcher.sink.received(chats(1, 1))
        top = 1 << 21
        self.member.lead(Start("e", top, UNTIL, why="failover"))
        self.assertEqual(self.its.numbers, [1, top + 1, top + 2])
        self.assertEqual(self.its.kinds, ["chat", "gap", "chat"])
        gap = self.its.batches[1][0].event
        assert isinstance(gap.data, Gap)
        self.assertEqual((gap.data.reason, gap.data.start), ("failover", UNTIL))
        self.assertEqual(len(self.platform.watchers), 1)

    def test_another_has_led_before_the_upstream_flows(self) -> None:
        """Then the gap stands where it begins to flow."""
        self.member.lead(Start("e", 0))
        self.member.doubted()
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        self.assertEqual(self.its.kinds, [])
        self.watcher.live()
        self.assertEqual(self.its.kinds, ["gap"])

    def test_yielding_and_doubt(self) -> None:
        """When it is not known whether the channel was handed over, that is found out."""
        self.lead()
        self.member.hold()
        self.watcher.sink.received(chats(1))
        self.member.doubted()
        self.assertEqual(self.its.said, ["look"])
        self.member.settled()
        self.assertEqual(self.its.numbers, [1])

    def test_a_start_that_failed_is_tried_again(self) -> None:
        """A doubt does not forget that the upstream is to be started."""
        self.follow()
        self.member.lead(Start("e", 1 << 21, UNTIL, why="failover"))
        started = self.watcher.started
        assert started is not None
        started.errback(ChatError(ErrorCode.UPSTREAM_UNAVAILABLE, "No", temporary=True))
        self.member.doubted()
        self.member.settled()
        self.turn(RESTART_PAUSE)
        self.assertEqual(len(self.platform.watchers), 2)

    def test_leaves_in_doubt(self) -> None:
        """A channel that goes in the middle of it leaves nothing on the clock."""
        self.lead()
        self.member.doubted()
        self.hub.shutdown()
        self.assertEqual(self.watcher.stops, 1)
        self.turn(2)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LastSubscriberTests(RoleCase):
    """The last subscriber of this node leaves; others may watch elsewhere."""

    def setUp(self) -> None:
        """This node leads, and nobody here watches any more."""
        super().setUp()
        self.lead()
        self.hub.unsubscribe(self.subscription)
        self.turn(10)

    def test_handed_over(self) -> None:
        """The channel goes when another node leads it, not before."""
        self.assertEqual((self.its.said, self.watcher.stops), (["release"], 0))
        self.watcher.sink.received(chats(1))
        self.assertEqual(self.its.numbers, [1])
        self.member.hold()
        self.member.follow(Start("e", 1))
        self.its.released[0].callback(None)
        self.assertEqual(self.its.said, ["release", "leave"])
        self.assertEqual((self.watcher.stops, self.hub.active_streams), (1, 0))

    def test_somebody_comes_back(self) -> None:
        """The wish to hand over is taken back when somebody subscribes."""
        again, _ = self.subscribe()
        self.turn()
        self.assertTrue(self.its.released[0].called)
        self.assertEqual([one["type"] for one in again.taken()], ["status", "status", "stats"])
        self.assertEqual((self.its.said, self.role), (["release"], Role.LEADING))

    def test_the_end_comes_meanwhile(self) -> None:
        """A channel that ends while it is handed over goes."""
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(self.hub.active_streams, 0)
        self.turn(10)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class InvitationTests(RoleCase):
    """Another node wants to hand over a channel that nobody here watches."""

    def test_kept_for_a_while(self) -> None:
        """The node takes part in it, and keeps it as if somebody had just left."""
        other = ChannelKey("twitch", "username", "bob")
        self.hub.invite(self.platform, other)
        its = self.broker.memberships[1]
        its.member.follow(Start("e", 4))
        its.member.prepare()
        self.watcher.live()
        self.turn(OVERLAP)
        its.member.lead(Start("e", 4, why="handed"))
        self.watcher.sink.received(chats(1))
        self.assertEqual((its.said, its.numbers), (["prepared"], [5]))
        self.turn(10)
        self.assertEqual(its.said, ["prepared", "release"])

    def test_kept_while_it_is_being_handed_over(self) -> None:
        """Whoever hands it over at this moment would leave it to nobody; but not for ever."""
        self.hub.invite(self.platform, ChannelKey("twitch", "username", "bob"))
        its = self.broker.memberships[1]
        its.member.follow(Start("e", 4))
        its.member.prepare()
        self.turn(10)
        self.turn(9)
        self.assertEqual(its.said, [])
        self.turn(1)
        self.assertEqual(its.said, ["release"])

    def test_known_already(self) -> None:
        """One that is watched is not opened again; nor is one above the limit."""
        self.hub.invite(self.platform, KEY)
        self.hub._max_channels = 1
        self.hub.invite(self.platform, ChannelKey("twitch", "username", "bob"))
        self.assertEqual(len(self.broker.memberships), 1)
