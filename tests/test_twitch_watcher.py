# SPDX-License-Identifier: MIT
"""Twitch from subscribe to message, against the simulated server, on a fake clock and wire."""

from __future__ import annotations

from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource
from zope.interface.verify import verifyObject

from livechat.core.ports import IPlatform, IWatcher, Located, Recovery, Requester
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelEvent, Event, LiveInfo
from livechat.platforms.budget import Claim
from livechat.platforms.twitch import upstream as upstream_module
from livechat.platforms.twitch.connection import LOGIN_TIMEOUT
from livechat.platforms.twitch.limits import EMPTY_KEPT, JOINS, LOGINS, MAX_CHANNELS
from livechat.platforms.twitch.lookup import ChannelStatus, Lookup
from livechat.platforms.twitch.parse.chat import Translation, translate
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.placement import OVERLAP
from livechat.platforms.twitch.platform import Twitch
from livechat.platforms.twitch.settings import TwitchSettings
from livechat.platforms.twitch.wire import GRACE, IDLE
from livechat.simulator.scenario import Scenario
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import Settings
from livechat.simulator.twitch_faults import Fault, Mishap
from livechat.simulator.twitch_gql import GraphQL
from tests.support.context import context_on
from tests.support.events import fields_of
from tests.support.fakes import KeptMessages, hub_on
from tests.support.wire import InMemoryEndpoint, pass_time


class KeptEvents:
    """A sink that keeps what it hears, one line each."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.events: list[Event] = []
        self.received_until: float | None = None
        self.lost_since: float | None = None
        self.recoveries: list[Recovery] = []

    def queued(self) -> None:
        """The start waits for its turn."""
        self.heard.append("queued")

    def received(self, events: Any) -> None:
        """Messages by their text, other events by their kind."""
        self.events += events
        for event in events:
            chat = isinstance(event, ChatMessage)
            self.heard.append(event.data.content.raw if chat else event.type)

    def recovered(self, recovery: Recovery) -> None:
        """What the platform gave of the time before."""
        self.recoveries.append(recovery)

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """The upstream was lost."""
        self.heard.append("interrupted")
        self.lost_since = since

    def resumed(self, info: LiveInfo) -> None:
        """It is back."""
        self.heard.append("resumed")

    def ended(self, error: ChatError) -> None:
        """It is over."""
        self.heard.append(f"ended {error.code} {error.details}")

    def take(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


class TwitchCase(SynchronousTestCase):
    """Twitch on a wire to a simulator whose channels are silent but for what the test says."""

    settings = TwitchSettings(gql_url="http://gql.test/")
    simulated = Settings(join_limit=0)

    def setUp(self) -> None:
        """Nothing connected."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.simulator = TwitchSimulator(
            self.clock, self.clock.seconds, Scenario(1, 0.0), self.simulated
        )
        self.endpoint = InMemoryEndpoint(self.simulator)
        self.gql = StubTreq(self.site())
        self.metrics = Metrics()
        self.twitch = Twitch(
            context_on(self.clock, self.gql, self.metrics, self.endpoint, self.connect),
            self.settings,
        )
        self.twitch.startService()
        self.starts: list[Deferred[LiveInfo]] = []

    def connect(self, host: str, port: int, tls: bool) -> InMemoryEndpoint:
        """Where sockets lead; by default nobody opens one."""
        raise AssertionError((host, port, tls))

    def carry(self) -> None:
        """Carry bytes and answers."""
        self.endpoint.flush()
        self.gql.flush()

    def site(self) -> IResource:
        """What answers over HTTP."""
        self.graphql = GraphQL(self.simulator)
        return self.graphql

    def tearDown(self) -> None:
        """Whatever happened: a stopped platform leaves nothing on the clock and no connection."""
        self.twitch.stopService()
        self.run_for(0)
        self.simulator.close()
        self.run_for(0)
        self.assertEqual(self.simulator.connections, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        for started in self.starts:
            started.addErrback(lambda reason: reason.trap(CancelledError) and None)

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass in small steps, carrying bytes and answers after each."""
        pass_time(self.clock, self.carry, seconds, step)

    def start(
        self, login: str, requester: Requester | None = None
    ) -> tuple[IWatcher, KeptEvents, Deferred[LiveInfo]]:
        """Begin to watch a channel."""
        sink = KeptEvents()
        located = Located(self.twitch.key(login, "username"))
        watcher = self.twitch.watch(located, sink, requester or Requester())  # type: ignore[arg-type]
        started = watcher.start()
        self.starts.append(started)
        return watcher, sink, started

    def watched(self, login: str = "ann") -> tuple[IWatcher, KeptEvents]:
        """A channel that has started."""
        watcher, sink, started = self.start(login)
        self.run_for(0.5)
        self.assertEqual(self.successResultOf(started).live_id, login)
        sink.take()
        return watcher, sink

    def say(self, login: str, text: str, message_id: str = "") -> None:
        """Somebody writes; the message arrives."""
        tags = f"@id={message_id};room-id=1;user-id=2;tmi-sent-ts=1767000000000 "
        line = f"{tags}:bob!bob@bob.tmi.twitch.tv PRIVMSG #{login} :{text}"
        self.simulator.say(login, line.encode())
        self.endpoint.flush()

    def failed(self, started: Deferred[LiveInfo]) -> ChatError:
        """The coded error that a start failed with."""
        error = self.failureResultOf(started, ChatError).value
        assert isinstance(error, ChatError)
        return error


class PortTests(TwitchCase):
    """What the platform promises to the core."""

    def test_interfaces(self) -> None:
        """Twitch is an IPlatform, its watchers are IWatchers."""
        self.assertTrue(verifyObject(IPlatform, self.twitch))
        watcher, _, _ = self.start("ann")
        self.assertTrue(verifyObject(IWatcher, watcher))

    def test_key(self) -> None:
        """Equal channels have equal keys; other identifier types are refused."""
        keys = {self.twitch.key(n, "username") for n in ("Ann", "@ann", "https://twitch.tv/ANN")}
        self.assertEqual([str(key) for key in keys], ["twitch:ann"])
        error = self.assertRaises(ChatError, self.twitch.key, "ann", "channelId")
        self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER)

    def test_stop_before_start_and_twice(self) -> None:
        """stop is idempotent, before and after the start; room and, later, connection are left."""
        ann = Located(self.twitch.key("ann", "username"))
        watcher = self.twitch.watch(ann, KeptEvents(), Requester())  # type: ignore[arg-type]
        self.successResultOf(watcher.stop())
        watcher, sink = self.watched()
        self.successResultOf(watcher.stop())
        self.successResultOf(watcher.stop())
        self.run_for(1)
        self.assertEqual(self.simulator.joined("ann"), [])
        self.run_for(EMPTY_KEPT, 10.0)
        self.assertEqual(self.simulator.connections, [])
        self.assertEqual(sink.take(), [])

    def test_stop_during_start(self) -> None:
        """A start that is stopped or cancelled fails with CancelledError and leaves nothing."""
        for act in ("stop", "cancel"):
            watcher, sink, started = self.start("ann")
            self.run_for(0)
            if act == "stop":
                watcher.stop()
            else:
                started.cancel()
            self.failureResultOf(started, CancelledError)
            self.run_for(1)
            self.assertEqual((self.simulator.connections, sink.take()), ([], []))


class StartTests(TwitchCase):
    """From nothing to the first message."""

    def test_live_is_told(self) -> None:
        """`live` is what the look-up says: true, false for an offline streamer."""
        for login, live in (("ann", True), ("offline_ann", False)):
            _, _, started = self.start(login)
            self.run_for(0.5)
            self.assertEqual(self.successResultOf(started), LiveInfo(login, live))

    def test_unknown_where_the_lookup_fails(self) -> None:
        """Every kind of failed look-up: the start succeeds soon, and `live` is not known."""
        for fault in (Fault.GQL_ERRORS, Fault.GQL_GARBAGE, Fault.GQL_HANG):
            self.simulator.faults = {fault}
            _, _, started = self.start(f"ann_{fault.value.replace('-', '_')}")
            self.run_for(3)
            self.assertIs(self.successResultOf(started).live, None)

    def test_missing_channel_by_lookup(self) -> None:
        """The look-up knows of no such channel: at once, without waiting for the room."""
        _, sink, started = self.start("missing_ann")
        self.run_for(0.5)
        self.assertEqual(self.failed(started).code, ErrorCode.STREAM_NOT_FOUND)
        self.assertEqual(sink.take(), [])

    def test_missing_channel_by_silence(self) -> None:
        """Nothing can be looked up and two JOINs stay unanswered: STREAM_NOT_FOUND after 20 s."""
        self.simulator.faults = {Fault.GQL_ERRORS}
        _, _, started = self.start("missing_ann")
        self.run_for(19)
        self.assertNoResult(started)
        self.run_for(2)
        error = self.failed(started)
        self.assertEqual((error.code, error.details), (ErrorCode.STREAM_NOT_FOUND, "NO_ANSWER"))

    def test_existing_channel_that_does_not_answer(self) -> None:
        """The channel exists, yet the room stays shut: unavailable, not unknown."""
        self.simulator.faults = {Fault.UNANSWERED_JOIN}
        _, _, started = self.start("ann")
        self.run_for(21)
        error = self.failed(started)
        self.assertEqual(
            (error.code, error.details), (ErrorCode.UPSTREAM_UNAVAILABLE, "JOIN_UNANSWERED")
        )

    def test_suspended(self) -> None:
        """The room says that the channel is suspended."""
        self.simulator.faults = {Fault.GQL_ERRORS}
        _, _, started = self.start("suspended_ann")
        self.run_for(0.5)
        error = self.failed(started)
        self.assertEqual((error.code, error.details), (ErrorCode.STREAM_NOT_FOUND, "SUSPENDED"))

    def test_nobody_answers(self) -> None:
        """Refused until the deadline: UPSTREAM_UNAVAILABLE with the reason, tried several times."""
        self.endpoint.refusing = True
        _, _, started = self.start("ann")
        self.run_for(29)
        self.assertNoResult(started)
        self.run_for(2)
        error = self.failed(started)
        self.assertEqual(error.code, ErrorCode.UPSTREAM_UNAVAILABLE)
        self.assertIn("refused", error.details or "")
        self.assertTrue(error.temporary)
        self.assertGreater(self.endpoint.attempts, 2)

    def test_passing_trouble(self) -> None:
        """Refused, hanging, no login, no capabilities, slow: within the deadline it starts."""
        for trouble in ("refusing", "hanging", Fault.NAK, Fault.LOGIN_FAILURE, Fault.SLOW_WELCOME):
            login = f"ann_{trouble if isinstance(trouble, str) else trouble.name.lower()}"
            if isinstance(trouble, str):
                setattr(self.endpoint, trouble, True)
            else:
                self.simulator.faults = {trouble}
            watcher, _, started = self.start(login)
            self.run_for(4)
            self.assertNoResult(started)
            self.endpoint.refusing = self.endpoint.hanging = False
            self.simulator.faults = set()
            self.run_for(LOGIN_TIMEOUT + 5)
            self.assertEqual(self.successResultOf(started).live_id, login, trouble)
            watcher.stop()
            self.run_for(EMPTY_KEPT + 1)

    def test_slow_lookup(self) -> None:
        """A look-up that hangs holds the start up for two seconds; nothing is joined before."""
        self.simulator.faults = {Fault.GQL_HANG}
        _, _, started = self.start("ann")
        self.run_for(1.75)
        self.assertEqual(self.endpoint.attempts, 0)
        self.run_for(1)
        self.assertEqual(self.successResultOf(started), LiveInfo("ann", None))


class SharingTests(TwitchCase):
    """Connections and the JOIN budget; the simulator drops who exceeds it."""

    simulated = Settings()

    def test_one_connection_for_all(self) -> None:
        """Channels share one connection; each hears its own; PART when one is left."""
        _, ann = self.watched("ann")
        bob_watcher, bob = self.watched("bob")
        self.assertEqual(len(self.simulator.connections), 1)
        self.say("ann", "to ann")
        self.say("bob", "to bob")
        self.assertEqual((ann.take(), bob.take()), (["to ann"], ["to bob"]))
        bob_watcher.stop()
        self.run_for(0)
        self.assertEqual(self.simulator.joined("bob"), [])
        self.assertEqual(len(self.simulator.connections), 1)

    def test_more_connections_beyond_ninety(self) -> None:
        """The ninety-first room opens another connection."""
        for n in range(MAX_CHANNELS + 1):
            self.start(f"c{n}")
        self.run_for(MAX_CHANNELS / JOINS.count * JOINS.period + 10)
        self.assertEqual(len(self.simulator.connections), 2)
        joined = [len(c.channels) for c in self.simulator.connections]
        self.assertEqual(sorted(joined), [1, MAX_CHANNELS])

    def test_join_budget(self) -> None:
        """Never more than 20 JOINs in any 10 s, and a start does not fail for waiting its turn."""
        starts = [self.start(f"c{n}")[2] for n in range(80)]
        self.run_for(80 / JOINS.count * JOINS.period + 5)
        self.assertEqual(len([self.successResultOf(s) for s in starts]), 80)
        self.assertEqual(len(self.simulator.connections), 1)
        self.assertEqual(self.endpoint.attempts, 1)


class BudgetTests(TwitchCase):
    """What goes out to Twitch stays within its budgets, whatever clients ask for."""

    def taken(self, kind: str) -> float:
        """Requests of a kind so far."""
        labels = {"platform": "twitch", "kind": kind}
        registry = self.metrics.registry
        return registry.get_sample_value("livechat_budget_taken_total", labels) or 0.0

    def test_names_that_do_not_exist(self) -> None:
        """200 such names: no login, a few look-ups; asked again within a minute: nothing at all."""
        for again in (False, True):
            starts = [self.start(f"missing_{n}")[2] for n in range(200)]
            self.run_for(10 if not again else 0)
            codes = {self.failed(started).code for started in starts}
            self.assertEqual(codes, {ErrorCode.STREAM_NOT_FOUND})
            self.assertEqual((self.endpoint.attempts, self.taken("lookups")), (0, 4))

    def test_one_name_again_and_again(self) -> None:
        """A name that does not exist, asked for ten times a second: one request in a minute."""
        for _ in range(590):
            started = self.start("missing_ann")[2]
            self.run_for(0.1, 0.1)
            self.assertEqual(self.failed(started).code, ErrorCode.STREAM_NOT_FOUND)
        self.assertEqual((self.endpoint.attempts, self.taken("lookups")), (0, 1))

    def test_churn(self) -> None:
        """100 viewers, each of whom leaves before the next comes, share one login."""
        for n in range(100):
            watcher, _ = self.watched(f"c{n}")
            watcher.stop()
            self.run_for(0.75)
        self.assertEqual(self.endpoint.attempts, 1)

    def test_logins(self) -> None:
        """More rooms than one connection takes: a login every two seconds, told to who waits."""
        sinks = [self.start(f"c{n}")[1] for n in range(5 * MAX_CHANNELS)]
        self.run_for(2)
        begun = self.endpoint.attempts
        self.run_for(6)
        self.assertEqual((begun, self.endpoint.attempts), (1, 4))
        self.assertTrue(all(sink.take() == ["queued"] for sink in sinks[-MAX_CHANNELS:]))

    def test_reconnect_without_end(self) -> None:
        """A server that announces its end after each welcome: a login every two seconds."""
        self.watched()
        for _ in range(300):
            self.simulator.strike(Mishap.RECONNECT)
            self.run_for(0.1, 0.1)
        self.assertLessEqual(self.endpoint.attempts, 17)

    def test_who_waits_is_told(self) -> None:
        """Whoever waits to be joined hears so after two seconds and then every ten."""
        starts = [self.start(f"c{n}") for n in range(60)]
        self.run_for(30)
        told = [sink.take().count("queued") for _, sink, _ in starts]
        self.assertEqual((told[0], told[-1]), (0, 3))
        self.assertEqual(set(told), {0, 1, 2, 3})
        self.run_for(10)
        self.assertEqual(len([self.successResultOf(started) for *_, started in starts]), 60)

    def test_looking_at_ten_thousand(self) -> None:
        """A look at 10,000 channels is 200 requests over minutes; a newcomer does not wait."""
        lookup = self.twitch._lookup
        claim = Claim(self.clock, first=False)
        looks = [lookup.ask(f"c{n}", claim) for n in range(10_000)]
        self.run_for(10)
        self.assertLessEqual(self.taken("lookups"), 22)
        newcomer = self.start("newcomer")[2]
        self.run_for(2)
        self.successResultOf(newcomer)
        self.run_for(200)
        self.assertLessEqual(self.taken("lookups"), 215)
        self.assertEqual({self.successResultOf(look).live for look in looks}, {True})

    def test_newcomer_behind_three_greedy_ones(self) -> None:
        """Three connections ask for 32 rooms each; somebody who comes then waits seconds."""
        self.check_newcomer(3, 32)

    def test_newcomer_behind_fifty_greedy_ones(self) -> None:
        """The same behind fifty connections with six rooms each."""
        self.check_newcomer(50, 6)

    def check_newcomer(self, connections: int, rooms: int) -> None:
        """A newcomer is served within ten seconds."""
        for connection in range(connections):
            for n in range(rooms):
                self.start(f"c{connection}_{n}", Requester("192.0.2.1", connection))
        for seconds in (0.5, 7, 31):
            self.run_for(seconds)
            newcomer = Requester("192.0.2.1", 1000 + int(seconds))
            _, sink, started = self.start(f"newcomer{int(seconds)}", newcomer)
            self.run_for(8)
            self.successResultOf(started)
            self.assertLessEqual(sink.take().count("queued"), 1)

    def test_cancelled_while_queued(self) -> None:
        """Whoever leaves while it waits takes no turn."""
        watchers = [self.start(f"c{n}")[0] for n in range(40)]
        self.run_for(1)
        for watcher in watchers[JOINS.count :]:
            watcher.stop()
        self.run_for(JOINS.period)
        self.watched("ann")
        self.assertEqual(self.taken("joins"), JOINS.count + 1)


class LossTests(TwitchCase):
    """Connections that break."""

    def test_lost_and_back(self) -> None:
        """Interrupted once, resumed when the room is joined again; messages flow."""
        _, sink = self.watched()
        self.simulator.drop()
        self.endpoint.flush()
        self.assertEqual(sink.take(), ["interrupted"])
        self.run_for(5)
        self.assertEqual([h for h in sink.take() if h != "room"], ["resumed"])
        self.say("ann", "again")
        self.assertEqual(sink.take(), ["again"])
        self.assertEqual(len(self.simulator.connections), 1)

    def test_long_outage(self) -> None:
        """Ten minutes without a server: said once, tried at a bounded rate, back without help."""
        _, sink = self.watched()
        self.endpoint.refusing = True
        self.simulator.drop()
        self.run_for(600)
        self.assertEqual(sink.take(), ["interrupted"])
        self.assertLess(self.endpoint.attempts, 80)
        self.endpoint.refusing = False
        self.run_for(40)
        self.assertEqual([h for h in sink.take() if h != "room"], ["resumed"])

    def test_welcome_and_drop(self) -> None:
        """A server that welcomes and drops at once is not hammered."""
        self.watched()
        for _ in range(240):
            self.simulator.drop()
            self.run_for(0.25)
        self.assertLess(self.endpoint.attempts, 240)

    def test_silent_server(self) -> None:
        """A half-open connection is found by the probe and replaced."""
        _, sink = self.watched()
        at = self.clock.seconds()
        self.simulator.stall()
        self.run_for(IDLE + GRACE - 1)
        self.assertEqual(sink.take(), [])
        self.run_for(5)
        assert sink.lost_since is not None
        self.assertLessEqual(sink.lost_since, at)
        self.assertGreater(sink.lost_since, at - 1)
        self.assertEqual([h for h in sink.take() if h != "room"], ["interrupted", "resumed"])
        self.assertEqual(self.endpoint.attempts, 2)
        self.say("ann", "here again")
        self.assertEqual(sink.take()[-1], "here again")

    def test_a_living_but_silent_server_is_kept(self) -> None:
        """Silence that is answered when asked keeps the connection."""
        _, sink = self.watched()
        self.run_for(200)
        self.assertEqual((sink.take(), self.endpoint.attempts), ([], 1))

    def test_reconnect(self) -> None:
        """RECONNECT: joined elsewhere before the old connection is let go; nobody is told."""
        _, sink = self.watched()
        old = self.simulator.connections[0]
        self.simulator.strike(Mishap.RECONNECT)
        self.run_for(2)
        self.run_for(OVERLAP)
        self.assertEqual(len(self.simulator.connections), 1)
        self.assertIsNot(self.simulator.connections[0], old)
        self.assertEqual([h for h in sink.take() if h != "room"], [])
        self.say("ann", "moved")
        self.assertEqual(sink.take(), ["moved"])

    def raw(self, which: int, *lines: bytes) -> None:
        """Lines on one connection only, in one read."""
        connection = self.simulator.connections[which]
        assert connection.transport is not None
        connection.transport.write(b"".join(line + b"\r\n" for line in lines))
        self.endpoint.flush()

    def test_overlap_of_a_reconnect(self) -> None:
        """What comes late on the old connection is still heard."""
        _, sink = self.watched()
        self.run_for(LOGINS.period)
        sink.take()
        self.simulator.strike(Mishap.RECONNECT)
        self.run_for(1)
        self.assertEqual(len(self.simulator.joined("ann")), 2)
        self.raw(0, b":bob!b@b PRIVMSG #ann :in flight")
        self.assertEqual([h for h in sink.take() if h != "room"], ["in flight"])

    def test_reconnect_again_at_once(self) -> None:
        """The replacement is announced to close, too, before its JOIN is answered."""
        _, sink = self.watched()
        self.simulator.settings = Settings(join_limit=0, reconnect_grace=1e6)
        self.simulator.faults = {Fault.UNANSWERED_JOIN}
        self.simulator.strike(Mishap.RECONNECT)
        self.run_for(1)
        self.simulator.strike(Mishap.RECONNECT)
        self.run_for(1)
        self.simulator.faults = set()
        self.run_for(30)
        self.assertEqual(len(self.simulator.connections), 1)
        self.say("ann", "still here")
        self.assertEqual([h for h in sink.take() if h != "room"], ["still here"])

    def test_reconnect_loop(self) -> None:
        """A server that says RECONNECT right after each welcome: few attempts, nothing piles up."""
        _, sink = self.watched()
        self.simulator.settings = Settings(join_limit=0, reconnect_grace=1e6)
        self.simulator.faults = {Fault.RECONNECT_LOOP}
        self.simulator.strike(Mishap.RECONNECT)
        most = 0
        for n in range(480):
            self.run_for(0.25)
            most = max(most, len(self.simulator.connections))
            if n % 40 == 0:
                self.say("ann", f"message {n}", str(n))
        self.assertEqual([h for h in sink.take() if h != "room"][-1], "message 440")
        self.assertLessEqual(most, 2)
        self.assertLess(self.endpoint.attempts, 20)
        self.simulator.faults = set()
        self.run_for(60)
        self.assertEqual(len(self.simulator.connections), 1)
        self.say("ann", "at last")
        self.assertEqual([h for h in sink.take() if h != "room"], ["at last"])

    def test_reconnect_after_every_join(self) -> None:
        """RECONNECT again and again, also once joined: a bounded number of connections."""
        self.watched()
        self.simulator.settings = Settings(join_limit=0, reconnect_grace=1e6)
        most = 0
        for _ in range(480):
            if all("ann" in c.channels for c in self.simulator.connections):
                self.simulator.strike(Mishap.RECONNECT)
            self.run_for(0.25)
            most = max(most, len(self.simulator.connections))
        self.assertLessEqual(most, 3)
        self.assertLess(self.endpoint.attempts, 40)

    def test_reconnect_before_the_welcome(self) -> None:
        """A server that says RECONNECT instead of a welcome has refused the login."""
        self.simulator.faults = {Fault.SLOW_WELCOME}
        _, _, started = self.start("ann")
        self.run_for(1)
        self.simulator.strike(Mishap.RECONNECT)
        self.simulator.faults = set()
        self.run_for(10)
        self.assertEqual(self.successResultOf(started).live_id, "ann")
        self.assertEqual(self.endpoint.attempts, 2)

    def test_reconnect_of_waiting_rooms(self) -> None:
        """Rooms that wait for their JOIN at the server's goodbye end up on one connection."""
        starts = [self.start(f"c{n}")[2] for n in range(40)]
        self.run_for(1)
        self.simulator.settings = Settings(join_limit=0, reconnect_grace=1e6)
        self.simulator.strike(Mishap.RECONNECT)
        self.run_for(60)
        self.assertEqual(len([self.successResultOf(start) for start in starts]), 40)
        self.assertEqual([len(c.channels) for c in self.simulator.connections], [40])

    def test_last_words_in_one_read(self) -> None:
        """A message and the end, or a loss, in one read: the message comes first."""
        _, sink = self.watched()
        nick = self.simulator.connections[0].nick
        part = f":{nick}!{nick}@{nick}.tmi.twitch.tv PART #ann".encode()
        self.raw(0, b":bob!b@b PRIVMSG #ann :before", part)
        self.assertEqual(sink.take(), ["before", "interrupted"])
        _, sink = self.watched("bob")
        notice = b"@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #bob :Suspended."
        self.raw(0, b":ann!a@a PRIVMSG #bob :last words", notice)
        self.assertEqual(sink.take(), ["last words", "ended STREAM_ENDED SUSPENDED"])

    def test_stop_while_connecting(self) -> None:
        """A stop while TCP is still connecting ends the attempt and all later ones."""
        self.endpoint.hanging = True
        watcher, _, _ = self.start("ann")
        self.run_for(1)
        watcher.stop()
        self.run_for(120)
        self.assertEqual(self.endpoint.attempts, 1)

    def test_back_at_once(self) -> None:
        """A room that is left and watched again at once is not taken to be joined by leftovers."""
        watcher, _ = self.watched()
        self.watched("other")
        self.simulator.faults = {Fault.GQL_ERRORS}
        # On its way when we leave, and read after we have come back.
        connection = self.simulator.connections[0]
        assert connection.transport is not None
        connection.transport.write(b":bob!b@b PRIVMSG #ann :leftover\r\n")
        watcher.stop()
        _, sink, started = self.start("ann")
        self.run_for(5)
        self.successResultOf(started)
        self.assertNotIn("interrupted", sink.take())
        self.assertEqual(len(self.simulator.joined("ann")), 1)

    def test_welcomed_and_dropped_again_and_again(self) -> None:
        """A server that never keeps us is asked ever more seldom."""
        self.watched()
        for _ in range(1200):
            self.simulator.drop()
            self.run_for(0.5)
        self.assertLess(self.endpoint.attempts, 100)

    def test_channel_limit(self) -> None:
        """Twitch lets us join no more on a connection: the room is sought on another one."""
        self.watched("first")
        self.simulator.faults = {Fault.UNANSWERED_JOIN, Fault.GQL_ERRORS}
        _, _, started = self.start("ann")
        self.run_for(0.5)
        self.raw(
            0,
            b"@msg-id=msg_concurrent_channel_limit_reached :tmi.twitch.tv NOTICE #ann :Too many.",
        )
        self.simulator.faults = {Fault.GQL_ERRORS}
        self.run_for(5)
        self.successResultOf(started)
        self.assertEqual(
            [list(c.channels) for c in self.simulator.connections], [["first"], ["ann"]]
        )

    def test_capitals(self) -> None:
        """A channel's name is the same channel in any case."""
        _, sink = self.watched()
        self.raw(0, b":bob!b@b PRIVMSG #Ann :capital")
        self.assertEqual(sink.take(), ["capital"])

    def test_reconnect_while_nobody_answers(self) -> None:
        """The old connection closes before a new one is had: interrupted, and resumed later."""
        _, sink = self.watched()
        self.endpoint.refusing = True
        self.simulator.strike(Mishap.RECONNECT)
        self.run_for(35)
        self.assertEqual(sink.take(), ["interrupted"])
        self.endpoint.refusing = False
        self.run_for(40)
        self.assertEqual([h for h in sink.take() if h != "room"], ["resumed"])

    def test_shown_out_of_the_room(self) -> None:
        """An unasked PART: interrupted, and joined again after a pause."""
        _, sink = self.watched()
        connection = self.simulator.connections[0]
        connection.dataReceived(b"PART #ann\r\n")
        self.run_for(0)
        self.assertEqual(sink.take(), ["interrupted"])
        self.run_for(10)
        self.assertEqual([h for h in sink.take() if h != "room"], ["resumed"])

    def test_suspended_while_watched(self) -> None:
        """A channel that is suspended while it is watched has ended."""
        _, sink = self.watched()
        notice = b"@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #ann :Suspended."
        self.simulator.say("ann", notice)
        self.endpoint.flush()
        self.assertEqual(sink.take(), ["ended STREAM_ENDED SUSPENDED"])
        self.run_for(EMPTY_KEPT + 1)
        self.assertEqual(self.simulator.connections, [])


class LiveTests(TwitchCase):
    """Whether the streamer is on air."""

    settings = TwitchSettings(gql_url="http://gql.test/", live_poll=60.0, offline_grace=240.0)
    simulated = Settings(join_limit=0, ending_after=90.0)

    def test_going_offline_is_only_noted(self) -> None:
        """By default an offline streamer's room goes on; the new state is passed on, once."""
        _, sink = self.watched("ending_ann")
        self.run_for(400)
        self.assertEqual(sink.take(), ["stream", "resumed"])

    def test_events(self) -> None:
        """Offline and live again: each an event with an id of its own, before the new state."""
        _, sink = self.watched("ending_ann")
        self.run_for(125)
        self.simulator.settings = Settings(join_limit=0, ending_after=1e6)
        self.run_for(61)
        self.simulator.settings = self.simulated
        self.run_for(61)
        self.assertEqual(sink.take(), ["stream", "resumed"] * 3)
        events = [event for event in sink.events if isinstance(event, ChannelEvent)]
        changes = [event for event in events if event.type == "stream"]
        self.assertEqual(
            [fields_of(event).status for event in changes], ["offline", "live", "offline"]
        )
        self.assertEqual(len({event.event_id for event in changes}), 3)
        self.assertRegex(fields_of(changes[1]).started_at, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual({event.room_id for event in changes}, {events[0].room_id})

    def test_becoming_known(self) -> None:
        """What was not known before is told as the new state, and not as a change of the stream."""
        self.simulator.faults = {Fault.GQL_ERRORS}
        _, sink = self.watched("ann")
        self.simulator.faults = set()
        self.run_for(120)
        self.assertEqual(sink.take(), ["resumed"])

    def test_change_while_lost(self) -> None:
        """A change that is seen while the connection is lost is told when messages flow again."""
        _, sink = self.watched("ending_ann")
        self.run_for(30)
        self.endpoint.refusing = True
        self.simulator.drop()
        self.run_for(100)
        self.assertEqual(sink.take(), ["interrupted"])
        self.endpoint.refusing = False
        self.run_for(40)
        self.assertEqual(sink.take()[:2], ["resumed", "stream"])

    def test_failing_look(self) -> None:
        """A look-up that we fail at is made again the next time, and costs one channel only."""
        _, sink = self.watched("ending_ann")
        _, other = self.watched("ending_bob")
        ask = Lookup.ask

        def failing(lookup: Lookup, login: str, claim: Claim) -> Deferred[ChannelStatus]:
            if login == "ending_ann":
                raise RuntimeError("ask")
            return ask(lookup, login, claim)

        self.patch(Lookup, "ask", failing)
        self.run_for(130)
        self.assertEqual((sink.take(), other.take()), ([], ["stream", "resumed"]))
        self.patch(Lookup, "ask", ask)
        self.run_for(70)
        self.assertEqual(sink.take(), ["stream", "resumed"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)


class RequireLiveTests(TwitchCase):
    """With the option that offline is an error."""

    settings = TwitchSettings(
        gql_url="http://gql.test/", require_live=True, live_poll=60.0, offline_grace=240.0
    )
    simulated = Settings(join_limit=0, ending_after=90.0)

    def test_offline(self) -> None:
        """Offline at the start: STREAM_NOT_LIVE."""
        _, _, started = self.start("offline_ann")
        self.run_for(0.5)
        self.assertEqual(self.failed(started).code, ErrorCode.STREAM_NOT_LIVE)

    def test_unknown_is_not_offline(self) -> None:
        """A look-up that fails never means not live, neither at the start nor later."""
        self.simulator.faults = {Fault.GQL_ERRORS}
        _, sink, started = self.start("offline_ann")
        self.run_for(10)
        self.assertIs(self.successResultOf(started).live, None)
        self.run_for(600)
        self.assertEqual([h for h in sink.take() if h != "room"], [])

    def test_messages_while_waiting_to_know(self) -> None:
        """Messages that come while the look-up is out are kept and follow the start, in order."""
        self.simulator.faults = {Fault.GQL_HANG}
        _, sink, started = self.start("ann")
        self.run_for(3)
        self.say("ann", "one", "1")
        self.say("ann", "two", "2")
        self.assertNoResult(started)
        self.assertEqual(sink.take(), [])
        self.run_for(8)
        self.successResultOf(started)
        self.assertEqual([h for h in sink.take() if h != "room"], ["one", "two"])

    def test_lost_while_waiting_to_know(self) -> None:
        """In the room, the look-up slow, the connection lost: the start still comes to an end."""
        self.simulator.faults = {Fault.GQL_HANG}
        _, _, started = self.start("ann")
        self.run_for(3)
        self.endpoint.refusing = True
        self.simulator.drop()
        self.run_for(8)
        self.assertNoResult(started)
        self.endpoint.refusing = False
        self.run_for(20)
        self.assertEqual(self.successResultOf(started), LiveInfo("ann", None))

    def test_end_after_the_grace(self) -> None:
        """Offline for the whole grace, and only then, is the end."""
        _, sink = self.watched("ending_ann")
        self.run_for(300)
        self.assertEqual(sink.take(), ["stream", "resumed"])
        self.run_for(120)
        self.assertEqual(sink.take(), ["ended STREAM_ENDED OFFLINE"])


class CountingTests(TwitchCase):
    """What was not read is counted by name."""

    def counted(self, series: str, kind: str) -> float | None:
        """How often a name was counted."""
        labels = {"platform": "twitch", "kind": kind}
        return self.metrics.registry.get_sample_value(f"livechat_{series}_total", labels)

    def test_names(self) -> None:
        """Unknown and ignored parts of lines, also of those about no room, have their own count."""
        self.watched()
        line = b"@sparkle=1;badges=premium/1;id=x :bob!bob@x PRIVMSG #ann :hi"
        for _ in range(2):
            self.simulator.say("ann", line)
        (connection,) = self.simulator.connections
        connection.send("@msg-id=never_seen :tmi.twitch.tv NOTICE * :what", ":tmi.twitch.tv NEWS x")
        self.endpoint.flush()
        self.assertEqual(self.counted("unparsed", "tag sparkle"), 2)
        self.assertEqual(self.counted("ignored", "badge premium"), 2)
        self.assertEqual(self.counted("unparsed", "NOTICE never_seen"), 1)
        self.assertEqual(self.counted("unparsed", "NEWS"), 1)


class FailingSink(KeptEvents):
    """A sink that fails at everything it is told, after it has kept it."""

    def received(self, events: Any) -> None:
        """See `IEventSink`."""
        super().received(events)
        raise RuntimeError("received")

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        super().interrupted(reason)
        raise RuntimeError("interrupted")

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        super().resumed(info)
        raise RuntimeError("resumed")

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        super().ended(error)
        raise RuntimeError("ended")


class FailureTests(TwitchCase):
    """A mistake of ours about one room, or one line, costs that and nothing else."""

    def failures(self) -> float | None:
        """How many were counted."""
        labels = {"part": "twitch"}
        return self.metrics.registry.get_sample_value("livechat_failures_total", labels)

    def watched_by(self, sink: KeptEvents, login: str) -> None:
        """A channel that has started, with this sink."""
        located = Located(self.twitch.key(login, "username"))
        started = self.twitch.watch(located, sink, Requester()).start()  # type: ignore[arg-type]
        self.run_for(0.5)
        self.successResultOf(started)
        sink.take()

    def test_sink(self) -> None:
        """One failing sink: the rooms beside it and their connection go on, and so does its own."""
        bad = FailingSink()
        self.watched_by(bad, "ann")
        good = [self.watched(login)[1] for login in ("bob", "cat")]
        self.raw("ann", "bob", "ann", "cat")
        self.assertEqual(bad.take(), ["hi", "hi"])
        self.assertEqual([sink.take() for sink in good], [["hi"], ["hi"]])
        self.assertEqual(self.endpoint.attempts, 1)
        self.simulator.drop()
        self.run_for(10)
        for sink in (bad, *good):
            heard = [h for h in sink.take() if h != "room"]
            self.assertEqual(heard, ["interrupted", "resumed"])
        notice = b"@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #ann :Suspended."
        self.simulator.say("ann", notice)
        self.endpoint.flush()
        self.assertEqual(bad.take(), ["ended STREAM_ENDED SUSPENDED"])
        self.raw("bob")
        self.assertEqual(good[0].take(), ["hi"])
        failed = self.flushLoggedErrors(RuntimeError)
        self.assertEqual(self.failures(), len(failed))

    def test_translator(self) -> None:
        """A line at which the translator fails costs itself; tracebacks are few."""
        _, sink = self.watched()

        def failing(line: Line, *args: Any) -> Translation:
            if "boom" in line.params[-1]:
                raise RuntimeError("boom")
            return translate(line, *args)

        self.patch(upstream_module, "translate", failing)
        before = self.failures() or 0
        for _ in range(50):
            self.raw("ann", text="boom")
            self.raw("ann")
        self.assertEqual(sink.take(), ["hi"] * 50)
        self.assertEqual(self.failures(), before + 50)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 5)

    def raw(self, *logins: str, text: str = "hi") -> None:
        """A message in each of these rooms, all in one read."""
        (connection,) = self.simulator.connections
        connection.send(*(f":zoe!z@z PRIVMSG #{login} :{text}" for login in logins))
        self.endpoint.flush()


class SubscriberTests(TwitchCase):
    """What a client receives in the end."""

    def test_rules_that_change_in_one_read(self) -> None:
        """Each change of a room's rules reaches the client, also there and back in one read."""
        client = KeptMessages()
        hub = hub_on(self.clock, self.metrics)
        session = Session(client, hub, {"twitch": self.twitch}, Quotas(), self.clock, self.metrics)
        session.received(
            b'{"type":"subscribe","platform":"twitch","identifier":"ann","events":["room"]}'
        )
        self.run_for(1)
        client.taken()
        (connection,) = self.simulator.connections
        connection.send(
            *(f"@room-id=1;slow={n} :tmi.twitch.tv ROOMSTATE #ann" for n in (10, 0, 10))
        )
        self.run_for(1)
        told = [m["data"]["data"]["slow"] for m in client.taken() if m["type"] == "event"]
        self.assertEqual(told, [10, 0, 10])
        session.closed()
        self.run_for(1)

    def test_live_and_offline(self) -> None:
        """A client is told that the stream went offline, and `started` again with the new state."""
        client = KeptMessages()
        hub = hub_on(self.clock, self.metrics)
        session = Session(client, hub, {"twitch": self.twitch}, Quotas(), self.clock, self.metrics)
        self.simulator.settings = Settings(join_limit=0, ending_after=90.0)
        session.received(
            b'{"type":"subscribe","platform":"twitch","identifier":"ending_ann",'
            b'"events":["stream"]}'
        )
        self.run_for(1)
        started = [m for m in client.taken() if m.get("status") == "started"]
        self.assertEqual([m["live"] for m in started], [True])
        self.run_for(130)
        told = [m for m in client.taken() if m["type"] != "stats"]
        self.assertEqual([m["type"] for m in told], ["event", "status"])
        self.assertEqual(told[0]["data"]["data"], {"status": "offline"})
        self.assertEqual((told[1]["status"], told[1]["live"]), ("started", False))
        session.closed()
        self.run_for(1)
