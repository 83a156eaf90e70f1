# SPDX-License-Identifier: MIT
"""Whatever happens in whatever order: each client gets each publication once, or is told so.

Clients that remember what they were given, beside the truth of what was published.  How many
stories are tried can be chosen: `LIVECHAT_STORIES=20000`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.json import decode
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.brokers.local import LocalBroker
from livechat.core.hub import Hub
from livechat.core.options import Options, taking_removals
from livechat.core.replay import PART
from livechat.core.subscription import Subscription
from livechat.history.memory import MemoryHistory
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.errors import CloseCode
from livechat.model.events import ALL_KINDS, CHAT_BIT, ChannelKey, Event, LiveInfo, with_mirrored
from livechat.protocol.commands import Since
from tests.contracts.history import deletion, timeout
from tests.support.fakes import KeptMessages, ScriptedPlatform, chat, happening, services_on

STORIES = int(os.environ.get("LIVECHAT_STORIES", "300"))
many = settings(
    deadline=None,
    database=None,
    max_examples=STORIES,
    suppress_health_check=[HealthCheck.too_slow],
)

KEY = ChannelKey("twitch", "username", "ann")
SIZE = 12
TTL = 60.0
LINGER = 1.0
CLIENTS = 4

#: The text of a message that fills a part; it stands in a message five times.
LONG = "x" * (PART // 5)

REMOVALS = ("deletion", "timeout")


class Fact(Struct):
    """One publication as it was, with what it removed."""

    seq: int
    kind: str
    at: float
    item: str
    author: str
    removed_by: int | None = None


class Client(KeptMessages):
    """A client that remembers its place.

    :ivar position: the place of the last publication that it has.
    :ivar seen: the numbers that it was given, by epoch.
    :ivar began: the number in its `started`: up to that it is a replay, after it nothing is left
        out.
    :ivar expected: what the replay must hold.
    """

    def __init__(self, world: World, *, takes_events: bool) -> None:
        super().__init__()
        self.world = world
        self.takes_events = takes_events
        self.subscription: Subscription | None = None
        self.position: tuple[str, int] | None = None
        self.asked: Options = Options()
        self.began = 0
        self.started: dict[str, Any] | None = None
        self.seen: list[int] = []
        self.expected: list[int] = []

    def takes(self, fact: Fact) -> bool:
        """Whether this client is to be given it."""
        return (
            fact.kind == "chat"
            or self.takes_events
            or (self.asked.wants_past and fact.kind in REMOVALS)
        )

    def write(self, data: bytes) -> None:
        """Look at every message at once."""
        if self.subscription is None:
            return
        for line in data.splitlines():
            self.look(decode(line))

    def look(self, message: dict[str, Any]) -> None:
        """Check one message against the truth."""
        world = self.world
        if message.get("status") == "started":
            self.greeted(message)
        elif message.get("status") == "reconnecting" and self.started is None:
            # Comes into a chat that is lost at the moment, and wants what comes from now on.
            world.case.assertFalse(self.asked.wants_past)
            self.greeted({"epoch": world.epoch, "seq": world.top})
        if message["type"] not in ("chat", "event"):
            return
        case, seq = world.case, message["seq"]
        assert self.started is not None, "a message before `started`"
        assert self.position is not None
        epoch, last = self.position
        case.assertGreater(seq, last, "doubled, or backwards")
        fact = world.facts[seq]
        case.assertEqual(epoch, world.epoch)
        case.assertEqual(fact.kind, message["data"]["type"])
        case.assertTrue(self.takes(fact), f"not asked for: {fact}")
        if seq <= self.began and fact.removed_by is not None:
            case.assertGreater(fact.removed_by, self.began, "replayed though it was removed")
        self.position = (epoch, seq)
        self.seen.append(seq)

    def greeted(self, message: dict[str, Any]) -> None:
        """`started`: the first one says what follows, later ones change nothing."""
        world, case = self.world, self.world.case
        if message["epoch"] != world.epoch:
            # A new order, in which nothing was published yet.
            case.assertEqual(message["seq"], 0)
            world.epoch, world.facts = message["epoch"], {}
        case.assertEqual(message["seq"], world.top)
        if self.started is not None:
            return
        self.started = message
        self.began = message["seq"]
        self.seen = []
        since = self.asked.since
        known = [fact for fact in world.facts.values() if world.is_kept(fact)]
        usable = since is not None and since.epoch == world.epoch and since.seq <= world.top
        if since is not None:
            missed = [f for f in world.facts.values() if usable and f.seq > since.seq]
            complete = usable and all(map(world.is_kept, missed))
            case.assertIs(message["recovered"], complete)
        else:
            case.assertNotIn("recovered", message)
        if since is not None and usable:
            wanted = [f for f in known if f.seq > since.seq and self.takes(f)]
        else:
            takes = [f for f in known if self.takes(f) and f.kind not in REMOVALS]
            takes = [f for f in takes if f.removed_by is None]
            wanted = takes[-self.asked.history :] if self.asked.history else []
        self.expected = [fact.seq for fact in wanted if fact.removed_by is None]
        # What the client has is what it resumes from until it is given more.
        position = since.seq if since is not None and usable else 0
        self.position = (world.epoch, position if self.asked.wants_past else self.began)

    def complete(self) -> None:
        """Everything that was published by now was given, and nothing else."""
        world, case = self.world, self.world.case
        if self.started is None or self.subscription is None:
            return
        replayed = [seq for seq in self.seen if seq <= self.began]
        lacking = [seq for seq in self.expected if seq not in replayed]
        for seq in lacking:
            # Only what was removed before its turn came may be left out after all.
            case.assertIsNotNone(world.facts[seq].removed_by, f"{seq} was not replayed")
        case.assertEqual([seq for seq in replayed if seq not in self.expected], [])
        since = [
            fact for fact in world.facts.values() if fact.seq > self.began and self.takes(fact)
        ]
        for fact in since:
            if fact.seq not in self.seen:
                case.assertIsNotNone(fact.removed_by, f"{fact} is missing")
                case.assertTrue(self.asked.wants_past, "live, and left out")


class World:
    """A node, a platform, and the truth."""

    def __init__(self, case: SynchronousTestCase) -> None:
        self.case = case
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.platform = ScriptedPlatform()
        metrics = Metrics()
        services = services_on(
            self.clock,
            metrics,
            broker=LocalBroker(self.clock, self.clock.seconds, Random(1), ttl=TTL),
            history=MemoryHistory(self.clock, size=SIZE, ttl=TTL),
        )
        self.hub = Hub(services, linger=LINGER, max_channels=10)
        self.history = services.history
        self.epoch = ""
        self.facts: dict[int, Fact] = {}
        self.count = 0
        self.is_lost = False
        self.clients = [Client(self, takes_events=number % 2 == 1) for number in range(CLIENTS)]
        # What was published, as the history is told before anybody else.
        append = services.history.append
        services.history.append = self._told(append)  # type: ignore[method-assign]

    def _told(self, append: Any) -> Any:
        def told(key: ChannelKey, publications: Sequence[Any], age: float = 0.0) -> None:
            for one in publications:
                if one.epoch != self.epoch:
                    self.epoch = one.epoch
                    self.facts = {}
                self.publish_fact(one)
            append(key, publications, age)

        return told

    def publish_fact(self, publication: Any) -> None:
        """Keep the truth."""
        event = publication.event
        self.case.assertEqual(publication.seq, self.top + 1)
        if isinstance(event, ChatMessage):
            item, author = event.message_id, event.data.author.id
        else:
            item = author = ""
        now = self.clock.seconds()
        fact = Fact(publication.seq, publication.kind, now, item, author)
        for earlier in self.facts.values():
            if earlier.kind != "chat" or earlier.removed_by is not None:
                continue
            if (fact.kind == "timeout" and event.data.user.id == earlier.author) or (
                fact.kind == "deletion"
                and (event.data.scope == "chat" or event.data.message_id == earlier.item)
            ):
                earlier.removed_by = fact.seq
        self.facts[fact.seq] = fact

    @property
    def top(self) -> int:
        """The last number."""
        return max(self.facts, default=0)

    def is_kept(self, fact: Fact) -> bool:
        """Whether the history has to have it."""
        return fact.seq > self.top - SIZE and self.clock.seconds() - fact.at < TTL

    # What may happen.

    @property
    def flows(self) -> bool:
        """Whether there is an upstream that brings something."""
        watchers = self.platform.watchers
        return bool(
            watchers
            and not watchers[-1].stops
            and watchers[-1].started is not None
            and watchers[-1].started.called
            and not self.is_lost
        )

    def bring(self, events: Sequence[Event]) -> None:
        """The platform brings events."""
        if self.flows:
            self.platform.watchers[-1].sink.received(events)

    def text(self, user: int, long: bool) -> ChatMessage:
        """A new message."""
        self.count += 1
        return chat(f"m{self.count}", LONG if long else "hello", f"user{user}")

    def turn(self, seconds: float) -> None:
        """Let time pass; an upstream that was asked for comes to flow."""
        self.clock.advance(seconds)
        self.clock.advance(0)
        watchers = self.platform.watchers
        if watchers and not watchers[-1].stops:
            starting = watchers[-1].started
            if starting is not None and not starting.called:
                self.is_lost = False
                watchers[-1].live()
        self.clock.advance(0)

    def act(self, action: tuple[str, int, int]) -> None:
        """One step of the story."""
        what, one, two = action
        client = self.clients[one % CLIENTS]
        match what:
            case "chats":
                self.bring([self.text(number % 3, long=two == 7) for number in range(one % 5 + 1)])
            case "event":
                self.count += 1
                self.bring([happening("raid", f"r{self.count}")])
            case "remove":
                self.count += 1
                self.bring([self.removal(one, two)])
            case "lose":
                if self.flows:
                    self.is_lost = True
                    self.platform.watchers[-1].sink.interrupted("LOST")
            case "find":
                if self.is_lost:
                    self.is_lost = False
                    self.platform.watchers[-1].sink.resumed(LiveInfo("live-ann"))
            case "come":
                self.come(client, history=(0, 3, 5, 50)[two % 4], reads=two < 4)
            case "resume":
                if client.position is not None:
                    self.come(client, (0, 3)[two % 2], client.position, reads=two < 4)
            case "leave":
                self.leave(client)
            case "stall":
                client.reads = False
            case "read":
                client.read()
            case "flush":
                self.hub.flush()
            case "time":
                self.turn((0.0, 0.004, 0.02, 1.5, 20.0, 70.0)[two % 6])

    def removal(self, one: int, two: int) -> Event:
        """Something that removes messages."""
        if two == 0:
            return deletion(source=f"never {self.count}") if one == 99 else cleared(self.count)
        if two < 3:
            return renamed(timeout(f"user{one % 3}"), self.count)
        return renamed(deletion(f"m{max(1, self.count - one)}"), self.count)

    def come(
        self,
        client: Client,
        history: int = 0,
        since: tuple[str, int] | None = None,
        *,
        reads: bool = True,
    ) -> None:
        """A client subscribes, on a new connection."""
        self.leave(client)
        client.reads = reads
        client.closed = None
        client.started = None
        kinds = ALL_KINDS if client.takes_events else with_mirrored(CHAT_BIT)
        asked = Options(kinds, history=history, since=None if since is None else Since(*since))
        client.asked = taking_removals(asked)
        client.subscription = Subscription(KEY, client, "ann", client.asked, lambda _: None)
        self.hub.subscribe(self.platform, client.subscription)

    def leave(self, client: Client) -> None:
        """A client's connection is lost; what is written to it from now on does not arrive."""
        subscription, client.subscription = client.subscription, None
        client.below = []
        if subscription is not None:
            self.hub.unsubscribe(subscription)

    def closed(self) -> None:
        """Connections that were closed are gone; only who did not read is closed."""
        for client in self.clients:
            if client.closed is not None and client.subscription is not None:
                self.case.assertEqual(client.closed, (CloseCode.SLOW, "slow"))
                self.case.assertFalse(client.reads)
                self.leave(client)

    def settle(self) -> None:
        """Everybody reads, everything is written: now nothing may be missing anywhere."""
        for client in self.clients:
            client.reads = True
        for _ in range(30):
            for client in self.clients:
                client.read()
            self.turn(0.02)
        if self.is_lost:
            self.act(("find", 0, 0))
        self.turn(0.02)
        for client in self.clients:
            if client.closed is None:
                client.complete()


def cleared(number: int) -> Event:
    """The whole chat was cleared."""
    return renamed(deletion(), number)


def renamed(event: Any, number: int) -> Event:
    """The same with an id of its own."""
    return type(event).of(  # type: ignore[no-any-return]
        event.data, event.platform, event.timestamp, f"e{number}", event.room_id
    )


ACTIONS = st.tuples(
    st.sampled_from(
        [
            *("chats", "chats", "chats", "event", "remove", "lose", "find", "come", "resume"),
            *("resume", "leave", "stall", "read", "read", "flush", "time", "time"),
        ]
    ),
    st.integers(0, 20),
    st.integers(0, 7),
)


class ContinuityTests(SynchronousTestCase):
    """Stories."""

    def play(self, story: Sequence[tuple[str, int, int]]) -> World:
        """Let it happen, and look at what everybody was given."""
        world = World(self)
        world.act(("come", 0, 0))
        world.turn(0.0)
        for action in story:
            world.act(action)
            world.closed()
        world.settle()
        return world

    @many
    @given(st.lists(ACTIONS, min_size=5, max_size=60))
    def test_any_order(self, story: list[tuple[str, int, int]]) -> None:
        """Publishing, coming, resuming, leaving, removing, losing, stalling, in any order."""
        self.play(story)

    def test_slow(self) -> None:
        """A story in which somebody reads so slowly that it is closed: the stories reach that."""
        world = World(self)
        world.act(("come", 0, 0))
        world.turn(0.0)
        world.act(("chats", 4, 7))
        world.come(world.clients[1], history=50, reads=False)
        for _ in range(6):
            world.act(("chats", 4, 0))
            world.turn(1.5)
        world.act(("chats", 4, 0))
        self.assertEqual(world.clients[1].closed, (CloseCode.SLOW, "slow"))
        world.closed()
        world.act(("resume", 1, 0))
        started = world.clients[1].started
        self.assertFalse(started is None or started["recovered"])
        world.settle()
