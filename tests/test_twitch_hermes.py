# SPDX-License-Identifier: MIT
"""Hermes, Twitch's push service: what is asked of it, what it changes, and what its faults cost."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from livechat.core.ports import Requester
from livechat.core.session import Quotas, Session
from livechat.platforms.kept_socket import LONGEST_PAUSE
from livechat.platforms.twitch.limits import (
    EMPTY_KEPT,
    HERMES_ANSWER,
    HERMES_CONNECTIONS,
    HERMES_MESSAGES_AT_ONCE,
    HERMES_REST,
    HERMES_SUBSCRIPTIONS,
    TOLD_EVERY,
    TOLD_LASTS,
)
from livechat.platforms.twitch.lookup import CLIENT_ID, read_answer
from livechat.platforms.twitch.parse.hermes import (
    KEEPALIVE,
    Alive,
    Answer,
    Goodbye,
    Told,
    Unknown,
    Unreadable,
    Welcome,
    read_message,
    subscription,
    unsubscription,
)
from livechat.platforms.twitch.settings import TwitchSettings
from livechat.simulator import twitch_gql, twitch_hermes
from livechat.simulator.actions import stable_id
from livechat.simulator.twitch_faults import Fault
from livechat.simulator.twitch_hermes import Hermes as HermesSite
from livechat.simulator.twitch_hermes import HermesConnection
from tests.support.fakes import KeptMessages, hub_on
from tests.support.tiktok_wire import QuietSite
from tests.support.wire import InMemoryEndpoint
from tests.test_twitch_watcher import KeptEvents, TwitchCase

URL = "ws://hermes.test/v1"

#: How many stories are played, and what goes wrong in them for a while.
SEEDS = 12
FAULTS = (Fault.HERMES_DOWN, Fault.HERMES_MUTE, Fault.HERMES_GARBAGE)

#: Payloads as they were published by those who saw them, of 2017 and 2026.
SEEN = (
    '{"play_delay": 0, "type": "stream-up", "server_time": 1497116829.584907}',
    '{"type":"viewcount","viewers":583,"server_time":1789245232.108976,'
    '"collaboration_status":"none","collaboration_viewers":0,'
    '"costream_status":"","costream_viewers":0}',
    '{"type": "commercial", "length": 180, "server_time": 1497148003.553933}',
)


def frame(kind: str, **more: Any) -> bytes:
    """A message of the server."""
    about = {"id": "m", "type": kind, "timestamp": "2026-09-12T20:33:52.108976Z"}
    return json.dumps({**more, **about}).encode()


def notification(payload: str, name: str = "s") -> bytes:
    """A message that carries what happened in a channel."""
    body = {"subscription": {"id": name}, "type": "pubsub", "pubsub": payload}
    return frame("notification", notification=body)


class ReadTests(SynchronousTestCase):
    """What the server says."""

    def test_reported(self) -> None:
        """Payloads that were seen are read by their type."""
        read = [read_message(notification(payload)) for payload in SEEN]
        kinds = ("stream-up", "viewcount", "commercial")
        self.assertEqual(read, [Told("s", kind) for kind in kinds])

    def test_welcome(self) -> None:
        """The pause between signs of life is told, within limits; otherwise it is the usual one."""
        told = ((10, 10.0), (0.01, 5.0), (1e9, 300.0), (0, KEEPALIVE), (-1, KEEPALIVE))
        for given_seconds, taken in told:
            welcome = {"keepaliveSec": given_seconds, "recoveryUrl": "wss://x", "sessionId": "s"}
            self.assertEqual(read_message(frame("welcome", welcome=welcome)), Welcome(taken))
        self.assertEqual(read_message(frame("welcome")), Welcome(KEEPALIVE))

    def test_answers(self) -> None:
        """A subscription is accepted or refused, by the id of either message."""
        accepted = {"result": "ok", "subscription": {"id": "s"}}
        self.assertEqual(
            read_message(frame("subscribeResponse", subscribeResponse=accepted)), Answer("s")
        )
        refused = {"result": "error", "error": "too many subscriptions", "errorCode": "X"}
        answer = read_message(frame("subscribeResponse", subscribeResponse=refused, parentId="s"))
        self.assertEqual(answer, Answer("s", "too many subscriptions"))
        assert isinstance(answer, Answer)
        self.assertTrue(answer.is_full)
        self.assertFalse(Answer("s", "not authorized").is_full)

    def test_the_rest(self) -> None:
        """Signs of life, ends, and what we do not know."""
        self.assertEqual(read_message(frame("keepalive")), Alive())
        self.assertEqual(read_message(frame("unsubscribeResponse")), Alive())
        for kind in ("reconnect", "subscriptionRevocation"):
            goodbye = read_message(frame(kind, **{kind: {"url": "wss://evil.test"}}))
            self.assertIsInstance(goodbye, Goodbye)
        self.assertEqual(read_message(frame("novel")), Unknown("novel"))

    def test_nonsense(self) -> None:
        """What makes no sense is refused, whatever it is."""
        for payload in (
            b"",
            b"[]",
            b"{}",
            b"\xff\x00",
            b"[" * 100_000,
            b'{"type":7}',
            b'{"type":"notification","notification":{"pubsub":7}}',
            notification("stream-up"),
            notification("[]"),
            notification("[" * 10_000),
            frame("welcome", welcome={"keepaliveSec": "x"}),
            frame("subscribeResponse", subscribeResponse=[]),
        ):
            with self.assertRaises(Unreadable):
                read_message(payload)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes(self, payload: bytes) -> None:
        """No bytes make anything but a message or `Unreadable`."""
        with contextlib.suppress(Unreadable):
            read_message(payload)

    def test_requests(self) -> None:
        """What is asked, as clients in use ask it."""
        self.assertEqual(
            json.loads(subscription("s", "12", "2026-01-01T00:00:00.000Z")),
            {
                "type": "subscribe",
                "id": "s",
                "timestamp": "2026-01-01T00:00:00.000Z",
                "subscribe": {
                    "id": "s",
                    "type": "pubsub",
                    "pubsub": {"topic": "video-playback-by-id.12"},
                },
            },
        )
        self.assertEqual(
            json.loads(unsubscription("m", "s", "2026-01-01T00:00:00.000Z")),
            {
                "type": "unsubscribe",
                "id": "m",
                "timestamp": "2026-01-01T00:00:00.000Z",
                "unsubscribe": {"id": "s"},
            },
        )


class HermesCase(TwitchCase):
    """Twitch with a simulated Hermes on a wire of its own."""

    settings = TwitchSettings(
        gql_url="http://gql.test/", hermes_url=URL, require_live=True, offline_grace=0.0
    )

    #: Mistakes of ours that a test makes on purpose.
    mistakes = 0

    def setUp(self) -> None:
        """Nothing connected."""
        self.asked_for: list[tuple[str, int, bool]] = []
        super().setUp()
        root = Resource()
        root.putChild(b"v1", HermesSite(self.simulator))
        self.hermes = InMemoryEndpoint(QuietSite(root, reactor=self.clock, timeout=None))
        self.hints: list[str] = []

    def connect(self, host: str, port: int, tls: bool) -> InMemoryEndpoint:
        """The only server there is, whoever is wanted."""
        self.asked_for.append((host, port, tls))
        return self.hermes

    def carry(self) -> None:
        """See `TwitchCase`."""
        super().carry()
        if hasattr(self, "hermes"):
            self.hermes.flush()

    def tearDown(self) -> None:
        """No connection is left, and no mistake of ours has happened."""
        super().tearDown()
        self.assertEqual(self.simulator.pushes, [])
        self.assertEqual(self.value("livechat_failures_total", part="twitch"), self.mistakes)
        self.assertEqual(self.value("livechat_twitch_push_connections"), 0)
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 0)

    def value(self, name: str, **labels: str) -> float:
        """A series of the metrics; 0 if it does not exist yet."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def look(self, login: str) -> str:
        """Look at a channel once; the code of the error, empty if it is live."""
        looking = self.twitch.look(self.twitch.key(login, "username"), Requester(), 0.0)
        codes: list[str] = []
        looking.addCallbacks(
            lambda _: codes.append(""), lambda reason: codes.append(reason.value.code)
        )
        self.run_for(1.5)
        (code,) = codes
        return code

    def wait_for(self, login: str) -> Callable[[], None]:
        """Wait for a channel that was looked at; its hints are kept by its name."""
        self.look(login)
        return self.listen(login)

    def listen(self, login: str) -> Callable[[], None]:
        """The same without a look."""
        key = self.twitch.key(login, "username")
        stop = self.twitch.listen(key, lambda: self.hints.append(login))
        self.run_for(2)
        return stop

    def topics(self) -> list[str]:
        """What the connections have asked for at present, without the beginning."""
        return sorted(
            topic.removeprefix("video-playback-by-id.")
            for connection in self.simulator.pushes
            for topic in connection.topics.values()
        )

    def tell(self, login: str, kind: str) -> None:
        """Something happens in a channel."""
        self.simulator.tell(login, kind)
        self.run_for(0)

    def number(self, login: str) -> str:
        """The number of a channel."""
        return str(stable_id(login))

    def only(self) -> HermesConnection:
        """The only connection."""
        (connection,) = self.simulator.pushes
        return connection


class SubscriptionTests(HermesCase):
    """Who is told of what."""

    def test_nobody_waits(self) -> None:
        """Nothing is connected before somebody waits."""
        self.look("offline_ann")
        self.run_for(60)
        self.assertEqual(self.asked_for, [])

    def test_told(self) -> None:
        """A channel that goes live is told to whoever waits, and only that."""
        self.wait_for("offline_ann")
        self.wait_for("offline_bob")
        self.assertEqual(self.asked_for, [("hermes.test", 80, False)])
        self.assertEqual(
            self.topics(), sorted([self.number("offline_ann"), self.number("offline_bob")])
        )
        self.assertEqual(self.value("livechat_twitch_push_connections"), 1)
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 2)
        for kind in ("viewcount", "commercial", "stream-down"):
            self.tell("offline_ann", kind)
        self.assertEqual(self.hints, [])
        self.tell("offline_bob", "stream-up")
        self.assertEqual(self.hints, ["offline_bob"])
        for kind in ("viewcount", "commercial", "stream-down", "stream-up"):
            self.assertEqual(self.value("livechat_twitch_pushes_total", kind=kind), 1)

    def test_address(self) -> None:
        """The address gets the web player's id, unless it has a query of its own."""
        self.wait_for("offline_ann")
        self.assertEqual(self.only().http_request_params, {"clientId": [CLIENT_ID]})

    def test_number_not_known_yet(self) -> None:
        """A channel whose number is not known is asked for when a look tells it."""
        self.listen("offline_ann")
        self.assertEqual(self.asked_for, [])
        self.look("offline_ann")
        self.run_for(1)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_another_number(self) -> None:
        """A login that belongs to another channel now is asked for anew."""
        self.wait_for("offline_ann")
        self.patch(twitch_gql, "stable_id", lambda login: 4711 if login == "offline_ann" else 1)
        self.look("offline_ann")
        self.run_for(1)
        self.assertEqual(self.topics(), ["4711"])

    def test_numbers_that_lie(self) -> None:
        """What is no number gets into no topic."""
        numbers: tuple[Any, ...] = ("x", "", "1 2", "9" * 30, "1\n", 'a"b', 12, None, [])
        for number in numbers:
            user = {"id": number, "login": "ann", "stream": None}
            body = json.dumps({"data": {"users": [user]}}).encode()
            self.assertEqual(read_answer(body, ["ann"])["ann"].channel_id, "")

    def test_two_who_wait(self) -> None:
        """A channel is asked for once, however many wait; the last one who leaves ends it."""
        first, second = self.wait_for("offline_ann"), self.listen("offline_ann")
        other = self.wait_for("offline_bob")
        self.assertEqual(len(self.only().topics), 2)
        self.tell("offline_ann", "stream-up")
        self.assertEqual(self.hints, ["offline_ann"] * 2)
        first()
        self.run_for(1)
        self.assertEqual(len(self.only().topics), 2)
        second()
        self.run_for(EMPTY_KEPT + 1)
        self.assertEqual(self.topics(), [self.number("offline_bob")])
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 1)
        other()
        self.run_for(EMPTY_KEPT + 1)
        self.assertEqual(self.simulator.pushes, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def broken(self) -> None:
        """A mistake of ours."""
        raise ZeroDivisionError

    def test_back_soon(self) -> None:
        """Who comes back within some seconds, or watches what it waited for, costs nothing."""
        stop = self.wait_for("offline_ann")
        connection, topics = self.only(), dict(self.only().topics)
        for _ in range(3):
            stop()
            self.run_for(EMPTY_KEPT - 1)
            stop = self.listen("offline_ann")
        self.assertEqual((self.only(), self.only().topics), (connection, topics))
        self.tell("offline_ann", "stream-up")
        self.assertEqual(self.hints, ["offline_ann"])

    def test_listener_that_breaks(self) -> None:
        """A mistake of ours costs that step."""
        self.look("offline_ann")
        key = self.twitch.key("offline_ann", "username")
        self.twitch.listen(key, self.broken)
        self.listen("offline_ann")
        self.tell("offline_ann", "stream-up")
        self.assertEqual(self.hints, ["offline_ann"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.mistakes = 1


class ConnectionTests(HermesCase):
    """What a connection that is lost or refused costs."""

    def test_lost(self) -> None:
        """It comes back by itself, and what was asked for is asked for again."""
        self.wait_for("offline_ann")
        first = dict(self.only().topics)
        self.only().drop()
        self.run_for(0.0)
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 0)
        self.run_for(3)
        self.assertEqual(self.topics(), [self.number("offline_ann")])
        self.assertNotEqual(first.keys(), self.only().topics.keys())
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 1)
        self.tell("offline_ann", "stream-up")
        self.assertEqual(self.hints, ["offline_ann"])

    def test_asked_to_reconnect(self) -> None:
        """It connects again where it was told to by the operator, not where the server says."""
        self.wait_for("offline_ann")
        before = self.only()
        before.reconnect()
        self.run_for(3)
        self.assertIsNot(self.only(), before)
        self.assertEqual(self.topics(), [self.number("offline_ann")])
        self.assertEqual(set(self.asked_for), {("hermes.test", 80, False)})

    def test_silent(self) -> None:
        """A connection without a sign of life for two of its pauses is opened again."""
        self.wait_for("offline_ann")
        before = self.only()
        self.run_for(60, 1.0)
        self.assertIs(self.only(), before)
        self.simulator.faults.add(Fault.HERMES_MUTE)
        self.run_for(2 * twitch_hermes.KEEPALIVE + 1, 1.0)
        self.assertNotIn(before, self.simulator.pushes)
        self.simulator.faults.clear()
        self.run_for(40, 1.0)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_no_welcome(self) -> None:
        """A server that does not greet is left after half a minute, and asked ever more seldom."""
        self.simulator.faults.add(Fault.HERMES_MUTE)
        self.wait_for("offline_ann")
        self.assertEqual(self.only().asked, [])
        self.run_for(2 * KEEPALIVE - 3, 1.0)
        self.assertEqual(len(self.asked_for), 1)
        self.run_for(600, 1.0)
        self.assertLess(len(self.asked_for), 20)

    def test_down(self) -> None:
        """A service that is down is asked with growing pauses, and found when it is back."""
        self.simulator.faults.add(Fault.HERMES_DOWN)
        self.wait_for("offline_ann")
        self.run_for(1800, 5.0)
        self.assertLess(len(self.asked_for), 90)
        self.assertGreater(len(self.asked_for), 10)
        self.simulator.faults.clear()
        self.run_for(LONGEST_PAUSE + 5, 1.0)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_refused(self) -> None:
        """A service that does not let us in is left alone for an hour."""
        self.simulator.faults.add(Fault.HERMES_FORBIDDEN)
        self.wait_for("offline_ann")
        self.run_for(HERMES_REST - 60, 30.0)
        self.assertEqual(len(self.asked_for), 1)
        self.assertEqual(self.look("offline_ann"), "STREAM_NOT_LIVE")
        self.simulator.faults.clear()
        self.run_for(120, 5.0)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_subscriptions_refused(self) -> None:
        """One that lets us in and tells nothing is left alone for an hour, too."""
        self.simulator.faults.add(Fault.HERMES_REFUSES)
        self.wait_for("offline_ann")
        self.assertEqual(self.simulator.pushes, [])
        self.assertEqual(self.value("livechat_twitch_push_refused_total"), 1)
        self.run_for(HERMES_REST - 60, 30.0)
        self.assertEqual(len(self.asked_for), 1)
        self.simulator.faults.clear()
        self.run_for(120, 5.0)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_not_answered(self) -> None:
        """A subscription without an answer within 15 s may be lost: all are asked for anew."""
        self.wait_for("offline_ann")
        before = self.only()
        self.simulator.faults.add(Fault.HERMES_MUTE)
        self.wait_for("offline_bob")
        self.simulator.faults.clear()
        self.run_for(8)
        self.assertIs(self.only(), before)
        self.run_for(HERMES_ANSWER)
        self.assertIsNot(self.only(), before)
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 2)

    def test_one_refused(self) -> None:
        """A channel that is refused leaves the others on their connection."""
        self.wait_for("offline_ann")
        self.simulator.faults.add(Fault.HERMES_REFUSES)
        stop = self.wait_for("offline_bob")
        self.assertEqual(self.topics(), [self.number("offline_ann")])
        self.tell("offline_ann", "stream-up")
        self.assertEqual(self.hints, ["offline_ann"])
        stop()
        self.run_for(EMPTY_KEPT + 1)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_garbage(self) -> None:
        """Messages that make no sense cost themselves, and are counted."""
        self.simulator.faults.add(Fault.HERMES_GARBAGE)
        self.wait_for("offline_ann")
        connection = self.only()
        connection.say("novel")
        connection.say("notification", notification={"subscription": {"id": "x"}, "pubsub": "{}"})
        self.tell("offline_ann", "novelty")
        self.tell("offline_ann", "stream-up")
        self.assertEqual(self.hints, ["offline_ann"])
        for kind, count in (("message", 3), ("novel", 1), ("novelty", 1)):
            kept = self.value("livechat_unparsed_total", platform="twitch", kind=f"hermes {kind}")
            self.assertEqual(kept, count)

    def test_flood(self) -> None:
        """A connection that says too much is left, and opened again with growing pauses."""
        self.assertGreater(twitch_hermes._FLOOD, HERMES_MESSAGES_AT_ONCE)
        self.simulator.faults.add(Fault.HERMES_FLOOD)
        self.wait_for("offline_ann")
        self.assertEqual(self.simulator.pushes, [])
        self.run_for(300, 1.0)
        self.assertLess(len(self.asked_for), 15)

    def test_frame_too_long(self) -> None:
        """A message that is too long ends the connection."""
        self.wait_for("offline_ann")
        before = self.only()
        before.say("keepalive", more="x" * 100_000)
        self.run_for(5)
        self.assertNotIn(before, self.simulator.pushes)
        self.assertEqual(self.topics(), [self.number("offline_ann")])

    def test_nobody_answers(self) -> None:
        """Nobody listens there: looks go on, and nothing piles up."""
        self.hermes.refusing = True
        self.wait_for("offline_ann")
        self.run_for(300, 5.0)
        self.assertEqual(self.look("offline_ann"), "STREAM_NOT_LIVE")


class ManyTests(HermesCase):
    """More channels than one connection takes."""

    def learn(self, count: int, first: int = 0) -> list[Callable[[], None]]:
        """Wait for many channels whose numbers are known."""
        stops = []
        for number in range(first, first + count):
            login = f"c{number}"
            self.twitch._hermes.learn(login, str(number))
            key = self.twitch.key(login, "username")
            stops.append(self.twitch.listen(key, lambda: None))
        self.run_for(HERMES_CONNECTIONS + 5)
        return stops

    def test_spread(self) -> None:
        """Connections are filled one after the other, and are opened one in a second."""
        self.learn(HERMES_SUBSCRIPTIONS + 1)
        counts = sorted(len(connection.topics) for connection in self.simulator.pushes)
        self.assertEqual(counts, [1, HERMES_SUBSCRIPTIONS])

    def test_full(self) -> None:
        """Beyond what all connections take channels are only looked at, until there is room."""
        most = HERMES_CONNECTIONS * HERMES_SUBSCRIPTIONS
        stops = self.learn(most + 2)
        self.assertEqual(len(self.simulator.pushes), HERMES_CONNECTIONS)
        self.assertEqual(len(self.topics()), most)
        self.assertNotIn(str(most), self.topics())
        # One that waits for room leaves, and one that has room: the next one gets it.
        stops[most]()
        stops[7]()
        self.run_for(EMPTY_KEPT + 1)
        self.assertEqual(len(self.topics()), most)
        self.assertIn(str(most + 1), self.topics())
        for stop in (*stops[:7], *stops[8:most], stops[most + 1]):
            stop()
        self.run_for(EMPTY_KEPT + 1)
        self.assertEqual(self.simulator.pushes, [])

    def test_server_takes_fewer(self) -> None:
        """A connection that takes fewer keeps these; the others go to another one."""
        self.patch(twitch_hermes, "LIMIT", 20)
        self.learn(45)
        self.assertEqual(len(self.topics()), 45)
        counts = sorted(len(connection.topics) for connection in self.simulator.pushes)
        self.assertEqual(counts, [5, 20, 20])
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), 45)

    def test_stop(self) -> None:
        """Those who leave after the platform was stopped leave nothing behind."""
        stops = self.learn(60)
        self.twitch.stopService()
        self.run_for(1)
        for stop in stops:
            stop()


class RandomTests(HermesCase):
    """Whatever happens, in whichever order: in the end all who wait are told, and nobody else."""

    def test_any_order(self) -> None:
        """Channels come and go while connections are lost, refused, muted and told to reconnect."""
        for seed in range(SEEDS):
            self.play(Random(seed))

    def play(self, random: Random) -> None:
        """One such story, after which all is well again, and nobody waits."""
        self.patch(twitch_hermes, "LIMIT", random.choice((2, 3, 50)))
        waiting: dict[str, Callable[[], None]] = {}
        for _ in range(30):
            name = f"c{random.randrange(8)}"
            connections = self.simulator.pushes
            match random.randrange(8):
                case 0 | 1 | 2 if name not in waiting:
                    self.twitch._hermes.learn(name, self.number(name))
                    key = self.twitch.key(name, "username")
                    heard = partial(self.hints.append, name)
                    waiting[name] = self.twitch.listen(key, heard)
                case 3 if name in waiting:
                    waiting.pop(name)()
                case 4 if connections:
                    random.choice(connections).drop()
                case 5 if connections:
                    random.choice(connections).reconnect()
                case 6:
                    self.simulator.faults ^= {random.choice(FAULTS)}
            self.run_for(random.choice((0.0, 0.3, 3.0, 30.0)), 1.0)
        self.simulator.faults.clear()
        self.run_for(LONGEST_PAUSE + 30, 5.0)
        self.assertEqual(self.topics(), sorted(self.number(name) for name in waiting))
        self.assertEqual(self.value("livechat_twitch_push_subscriptions"), len(waiting))
        self.hints.clear()
        for number in range(8):
            self.simulator.tell(f"c{number}", "stream-up")
        self.run_for(0)
        self.assertEqual(sorted(self.hints), sorted(waiting))
        for stop in waiting.values():
            stop()
        self.run_for(EMPTY_KEPT + 1, 1.0)
        self.assertEqual((self.simulator.pushes, self.clock.getDelayedCalls()), ([], []))


class OffTests(HermesCase):
    """Without an address."""

    settings = TwitchSettings(gql_url="http://gql.test/", require_live=True)

    def test_off(self) -> None:
        """Nobody is asked by default, and whoever waits may leave as ever."""
        stop = self.wait_for("offline_ann")
        self.run_for(60)
        stop()
        self.assertEqual(self.asked_for, [])


class WaitingTests(HermesCase):
    """What somebody who waits is told in the end."""

    def setUp(self) -> None:
        """Somebody waits for a channel."""
        super().setUp()
        self.client = KeptMessages()
        hub = hub_on(self.clock, self.metrics)
        self.session = Session(
            self.client, hub, {"twitch": self.twitch}, Quotas(), self.clock, self.metrics
        )
        self.session.received(
            b'{"type":"subscribe","platform":"twitch","identifier":"offline_ann","wait":true}'
        )
        self.run_for(5)
        self.assertEqual(self.statuses(), ["subscribed", "waiting"])

    def tearDown(self) -> None:
        """It leaves."""
        self.session.closed()
        super().tearDown()

    def statuses(self) -> list[str]:
        """The statuses that it was told since the last time."""
        return [m["status"] for m in self.client.taken() if m["type"] == "status"]

    def test_started(self) -> None:
        """Told at once: the number is known from the start, no look in between is needed."""
        self.assertEqual(self.topics(), [self.number("offline_ann")])
        self.simulator.put_on_air("offline_ann", True)
        self.run_for(1)
        self.assertEqual(self.statuses(), ["started"])

    def test_not_told(self) -> None:
        """What is not told is found by the looks, which go on."""
        self.simulator.put_on_air("offline_ann", True, told=False)
        self.run_for(50, 1.0)
        self.assertEqual(self.statuses(), [])
        self.run_for(15, 1.0)
        self.assertEqual(self.statuses(), ["started"])

    def test_told_before_it_is_seen(self) -> None:
        """What look-ups see later is found by the looks that follow."""
        self.simulator.put_on_air("offline_ann", True, seen=False)
        self.run_for(2)
        self.assertEqual(self.statuses(), [])
        self.simulator.put_on_air("offline_ann", True, told=False)
        self.run_for(16)
        self.assertEqual(self.statuses(), ["started"])

    def test_end_and_begin(self) -> None:
        """A stream that ends and begins again is told at once, both times."""
        for _ in range(2):
            self.simulator.put_on_air("offline_ann", True)
            self.run_for(1)
            self.assertEqual(self.statuses(), ["started"])
            self.simulator.put_on_air("offline_ann", False)
            self.run_for(1)
            # Without grace: first it is known to be offline, and that is the end.
            statuses = self.statuses()
            self.assertEqual(statuses[:3], ["started", "ended", "waiting"])
            # The first look after it comes at any time within some seconds.
            self.assertEqual([s for s in statuses[3:] if s != "waiting"], [])
            self.run_for(TOLD_EVERY)
            self.assertEqual([s for s in self.statuses() if s != "waiting"], [])


class WatchedTests(HermesCase):
    """A watched channel that goes live or offline."""

    settings = TwitchSettings(gql_url="http://gql.test/", hermes_url=URL)

    def watching(self, login: str) -> KeptEvents:
        """A channel that has started, and of which Hermes tells."""
        _, sink = self.watched(login)
        self.run_for(2)
        self.assertEqual(self.topics(), [self.number(login)])
        sink.take()
        return sink

    def test_live_and_offline(self) -> None:
        """Both are known at once."""
        sink = self.watching("offline_ann")
        self.simulator.put_on_air("offline_ann", True)
        self.run_for(1)
        self.assertEqual(sink.take(), ["stream", "resumed"])
        self.run_for(TOLD_EVERY)
        self.simulator.put_on_air("offline_ann", False)
        self.run_for(1)
        self.assertEqual(sink.take(), ["stream", "resumed"])

    def test_known(self) -> None:
        """What is known already costs no look."""
        self.watching("ann")
        asked = self.asked_questions()
        for _ in range(10):
            self.tell("ann", "stream-up")
            self.tell("ann", "viewcount")
        self.run_for(5)
        self.assertEqual(self.asked_questions(), asked)

    def test_told_before_it_is_seen(self) -> None:
        """Looks go on every 15 s, for two minutes, and no longer; then it may be told again."""
        sink = self.watching("offline_ann")
        self.patch(self.twitch._poll, "_pause", 10_000.0)
        self.run_for(70, 1.0)
        asked = self.asked_questions()
        self.simulator.put_on_air("offline_ann", True, seen=False)
        for _ in range(int(TOLD_LASTS) + 60):
            self.run_for(1)
            self.tell("offline_ann", "viewcount")
        self.assertEqual(self.asked_questions() - asked, TOLD_LASTS / TOLD_EVERY + 1)
        self.simulator.put_on_air("offline_ann", True)
        self.run_for(1)
        self.assertEqual(sink.take(), ["stream", "resumed"])

    def test_up_and_down(self) -> None:
        """However fast it changes, one look in 15 s is made for it."""
        self.watching("ann")
        asked = self.asked_questions()
        for number in range(40):
            self.tell("ann", ("stream-down", "stream-up")[number % 2])
            self.run_for(0.75)
        self.assertLessEqual(self.asked_questions() - asked, 4)

    def test_left(self) -> None:
        """Who leaves while it is looked at is told nothing, and nothing stays on the clock."""
        watcher, sink = self.watched("offline_ann")
        self.run_for(2)
        sink.take()
        self.simulator.put_on_air("offline_ann", True)
        watcher.stop()
        self.run_for(20)
        self.assertEqual((sink.take(), self.topics()), ([], []))

    def asked_questions(self) -> int:
        """How many questions the look-ups have asked."""
        return len(self.graphql.asked)
