# SPDX-License-Identifier: MIT
"""Gaps of Twitch and their filling, against the simulated server and service, on a fake clock."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request
from zope.interface import implementer

from livechat.core.ports import Recovery
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.events import Event
from livechat.platforms.budget import Budget, Claim, Deadline
from livechat.platforms.twitch.limits import HISTORY
from livechat.platforms.twitch.parse.history import MARGIN_MS
from livechat.platforms.twitch.recent_messages import LIMIT, MOST, PATIENCE, TURN_PATIENCE, History
from livechat.platforms.twitch.settings import TwitchSettings
from livechat.simulator.actions import Author, Delete, Say, Silence
from livechat.simulator.twitch_faults import Fault
from livechat.simulator.twitch_gql import GraphQL
from livechat.simulator.twitch_history import RecentMessages
from tests.support.corpus import corpus
from tests.support.fakes import KeptMessages, hub_on
from tests.support.twitch_lines import parsed
from tests.test_twitch_watcher import KeptEvents, TwitchCase

ADA, LIN = Author(2, "ada", "Ada"), Author(3, "lin", "Lin")


def said(text: str, author: Author = ADA) -> Say:
    """A message."""
    return Say(id=str(uuid4()), author=author, text=(text,))


def word(event: Event) -> str:
    """A message by its text, another event by its kind."""
    return event.data.content.raw if isinstance(event, ChatMessage) else event.type


def words(recovery: Recovery) -> list[str]:
    """Messages by their text, other events by their kind."""
    return [word(event) for event in recovery.events]


class Canned(Resource):
    """Answers every GET alike.

    :ivar asked: how often it was asked.
    """

    isLeaf = True

    def __init__(self, status: int, body: bytes, **headers: str) -> None:
        super().__init__()
        self.asked = 0
        self._status, self._body, self._headers = status, body, headers

    def render_GET(self, request: Request) -> bytes:
        """Answer."""
        self.asked += 1
        request.setResponseCode(self._status)
        for name, value in self._headers.items():
            request.setHeader(name.replace("_", "-"), value)
        return self._body


class HistoryCase(TwitchCase):
    """Twitch with a service of recent messages, which listens to `ann` already."""

    settings = TwitchSettings(
        gql_url="http://sim.test/gql", history_url="http://sim.test/recent-messages/"
    )

    def site(self) -> IResource:
        """The look-ups and the service."""
        self.service: Any = RecentMessages(self.simulator)
        self.simulator.listener("ann")
        self.root = Resource()
        self.root.putChild(b"gql", GraphQL(self.simulator))
        self.root.putChild(b"recent-messages", self.service)
        return self.root

    def instead(self, status: int, body: bytes, **headers: str) -> Canned:
        """Another service, which answers always alike."""
        self.service = canned = Canned(status, body, **headers)
        self.root.putChild(b"recent-messages", canned)
        return canned

    def tell(self, *texts: str, login: str = "ann") -> None:
        """People write, a second apart."""
        for text in texts:
            self.simulator.say(login, said(text))
            self.run_for(1)

    def lose(self) -> None:
        """The connection is lost, and cannot be had again until `come_back`."""
        self.endpoint.refusing = True
        self.simulator.drop()
        self.run_for(0)

    def come_back(self, seconds: float = 40.0) -> None:
        """The connection can be had again."""
        self.endpoint.refusing = False
        self.run_for(seconds)

    def counted(self, outcome: str) -> float | None:
        """How many questions had this outcome."""
        return self.metrics.registry.get_sample_value(
            "livechat_twitch_history_total", {"outcome": outcome}
        )

    def knowing(self, sink: KeptEvents) -> None:
        """The sink's order has what the service knows until now."""
        sink.received_until = self.clock.seconds()


class WatcherTests(HistoryCase):
    """What the core is told, and when the service is asked."""

    def test_first_watcher(self) -> None:
        """Who comes first gets what was said before, without having waited for it for long."""
        self.tell("one", "two")
        _, sink, started = self.start("ann")
        self.run_for(0.5)
        self.assertEqual(self.successResultOf(started).live_id, "ann")
        (recovery,) = sink.recoveries
        self.assertEqual(words(recovery), ["one", "two"])
        self.assertEqual(list(self.service.asked), [("ann", "")])

    def test_gap(self) -> None:
        """After a loss it is asked once, for what came since; live messages follow."""
        _, sink = self.watched()
        self.tell("one", "two")
        self.knowing(sink)
        self.lose()
        self.tell("three", "four")
        sink.take()
        sink.recoveries.clear()
        self.endpoint.refusing = False
        while not self.simulator.joined("ann"):
            self.run_for(0.25)
        self.simulator.say("ann", said("five"))
        self.run_for(3)
        (recovery,) = sink.recoveries
        self.assertEqual(
            (words(recovery), recovery.extent), (["one", "two", "three", "four", "five"], "all")
        )
        self.assertEqual([h for h in sink.take() if h != "room"], ["resumed", "five"])
        self.assertEqual(len(self.service.asked), 2)
        asked = int(self.service.asked[1][1])
        self.assertLess(asked, (sink.received_until or 0) * 1000 - MARGIN_MS + 1)
        self.assertEqual(self.counted("whole"), 1)

    def test_own_times(self) -> None:
        """What was missed has the times at which it was said."""
        _, sink = self.watched()
        self.tell("one")
        self.knowing(sink)
        self.lose()
        at = self.clock.seconds()
        self.tell("two")
        self.come_back()
        found = sink.recoveries[-1].events[-1]
        self.assertEqual(found.timestamp[14:19], f"{int(at) // 60 % 60:02}:{int(at) % 60:02}")

    def test_quiet(self) -> None:
        """In a chat that was quiet for hours the last line shows that the service has listened."""
        _, sink = self.watched()
        self.tell("one")
        self.run_for(7200, 60.0)
        self.knowing(sink)
        self.lose()
        self.come_back()
        recovery = sink.recoveries[-1]
        self.assertEqual((words(recovery), recovery.extent), (["one"], "all"))

    def test_not_heard_by_us(self) -> None:
        """Where the chat is known from elsewhere, a line of the last minutes is enough."""
        self.tell("one")
        self.run_for(300, 10.0)
        _, sink, _ = self.start("ann")
        sink.received_until = self.clock.seconds() - 60
        self.run_for(2)
        (recovery,) = sink.recoveries
        self.assertEqual((words(recovery), recovery.extent), ([], "all"))

    def test_late_listener(self) -> None:
        """A service that began to listen after the loss does not know everything."""
        _, sink = self.watched("bob")
        self.simulator.say("bob", said("one"))
        self.run_for(60)
        self.knowing(sink)
        self.simulator.close()
        self.lose()
        self.assertIsNone(self.simulator.listener("bob"))
        self.tell("two", login="bob")
        self.come_back()
        recovery = sink.recoveries[-1]
        self.assertEqual((words(recovery), recovery.extent), (["two"], "some"))
        self.assertEqual(self.counted("part"), 2)

    def test_not_listening(self) -> None:
        """One that has not listened at all says so."""
        _, sink, _ = self.start("bob")
        self.run_for(0.5)
        (recovery,) = sink.recoveries
        self.assertEqual((words(recovery), recovery.extent), ([], "some"))

    def test_lost_again(self) -> None:
        """A connection that is lost while the service is asked: it is asked again afterwards."""
        _, sink = self.watched()
        self.tell("one")
        self.knowing(sink)
        self.lose()
        self.tell("two")
        self.simulator.faults = {Fault.HISTORY_HANG}
        self.endpoint.refusing = False
        sink.recoveries.clear()
        while len(self.service.asked) < 2:
            self.run_for(0.25)
        self.lose()
        self.simulator.recover()
        self.tell("three")
        self.assertEqual(sink.take(), ["one", "interrupted"])
        self.come_back()
        (recovery,) = sink.recoveries
        self.assertEqual((words(recovery), recovery.extent), (["one", "two", "three"], "all"))
        self.assertEqual(sink.take()[0], "resumed")

    def test_moves(self) -> None:
        """A move to another connection loses nothing, so nothing is asked."""
        self.watched()
        self.simulator.reconnect()
        self.run_for(20)
        self.assertEqual(len(self.service.asked), 1)

    def test_stop_while_asking(self) -> None:
        """Who leaves while the service is asked leaves nothing behind."""
        self.simulator.faults = {Fault.HISTORY_HANG}
        watcher, sink, started = self.start("ann")
        self.run_for(1)
        self.assertNoResult(started)
        watcher.stop()
        self.run_for(10)
        self.assertEqual((sink.heard, sink.recoveries), ([], []))


class OffTests(TwitchCase):
    """Without the option."""

    def test_default(self) -> None:
        """Nobody is asked anything, and nothing waits."""
        self.assertEqual(self.settings.history_url, "")
        _, sink = self.watched()
        self.simulator.drop()
        self.run_for(40)
        self.assertEqual(sink.recoveries, [])
        self.assertEqual(sink.take(), ["interrupted", "resumed", "room"])


class TroubleTests(HistoryCase):
    """Whatever the service does, messages flow soon, and it is left alone for a while."""

    def gap(self, sink: KeptEvents) -> list[str]:
        """Lose the connection, have it again, and say what was heard and recovered."""
        sink.take()
        sink.recoveries.clear()
        self.knowing(sink)
        self.lose()
        self.simulator.say("ann", said("missed"))
        self.endpoint.refusing = False
        while not self.simulator.joined("ann"):
            self.run_for(0.25)
        self.run_for(0.25)
        self.simulator.say("ann", said("live"))
        self.run_for(1 + PATIENCE + 0.5)
        recovered = [text for recovery in sink.recoveries for text in words(recovery)]
        return [*recovered, *(heard for heard in sink.take() if heard != "room")]

    def test_hangs(self) -> None:
        """A service that does not answer is waited for so long, and what came is kept."""
        _, sink = self.watched()
        self.simulator.faults = {Fault.HISTORY_HANG}
        self.assertEqual(self.gap(sink), ["interrupted", "resumed", "live"])
        self.assertEqual(self.counted("failed"), 1)

    def test_failures(self) -> None:
        """Each way to fail: nothing is told, messages flow, and it rests."""
        huge = json.dumps({"messages": ["x" * LIMIT]}).encode()
        for status, body, headers, outcome, seconds in (
            (500, b"", {}, "failed", 10),
            (429, b"{}", {"retry_after": "60"}, "failed", 60),
            (503, b"{}", {"retry_after": "99999999"}, "failed", 600),
            (429, b"{}", {"retry_after": "Fri, 31 Dec 1999 23:59:59 GMT"}, "failed", 10),
            (302, b"", {"location": "http://elsewhere.test/"}, "failed", 10),
            (200, b"<html>", {}, "failed", 10),
            (200, b'{"messages": {}}', {}, "failed", 10),
            (200, b"[" * 100_000, {}, "failed", 10),
            (200, huge, {}, "failed", 10),
            (404, b"{}", {}, "refused", 0),
            (403, b'{"error_code": "channel_ignored"}', {}, "refused", 0),
        ):
            service = self.instead(status, body, **headers)
            watcher, sink, started = self.start("ann")
            self.run_for(1)
            self.successResultOf(started)
            self.assertEqual(service.asked, 1, (status, body[:20]))
            self.assertEqual(sink.recoveries, [])
            self.assertGreaterEqual(self.counted(outcome) or 0, 1)
            watcher.stop()
            if seconds:
                self.run_for(seconds - 3, 5.0)
                watcher, sink, started = self.start("ann")
                self.run_for(1)
                self.successResultOf(started)
                self.assertEqual(service.asked, 1, (status, body[:20]))
                watcher.stop()
                self.run_for(3)
            watcher, _, _ = self.start("ann")
            self.run_for(1)
            self.assertEqual(service.asked, 2, (status, body[:20]))
            watcher.stop()
            self.run_for(700, 50.0)

    def test_lies(self) -> None:
        """An answer about another channel, from the future and without ids gives nothing."""
        now = int(self.clock.seconds() * 1000)
        lines = [
            f"@id=a;tmi-sent-ts={now} :b!b@b PRIVMSG #bob :elsewhere",
            f"@id=b;tmi-sent-ts={now + 10**9} :b!b@b PRIVMSG #ann :tomorrow",
            f"@tmi-sent-ts={now} :b!b@b PRIVMSG #ann :nameless",
            f"@tmi-sent-ts={now} :x PART #ann",
            f"@id=c;tmi-sent-ts={now} :b!b@b PRIVMSG #ann :right",
        ]
        self.instead(200, json.dumps({"messages": lines * MOST}).encode())
        _, sink, _ = self.start("ann")
        self.run_for(1)
        self.assertEqual(set(words(sink.recoveries[0])), {"right"})
        self.assertLessEqual(len(sink.recoveries[0].events), MOST)

    def test_mistake_of_ours(self) -> None:
        """A step of ours that fails is logged, and messages flow."""

        async def failing(*_: object) -> None:
            raise RuntimeError("ask")

        self.patch(History, "ask", failing)
        _, _, started = self.start("ann")
        self.run_for(0.5)
        self.assertEqual(self.successResultOf(started).live_id, "ann")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_little_time(self) -> None:
        """A start whose time is nearly over is not put at risk for it."""
        budget = Budget(self.clock, HISTORY, self.metrics, "twitch", "of the test")
        http: Any = self.gql
        history = History(
            self.settings.history_url, http, self.clock, self.clock.seconds, Metrics(), budget
        )
        for seconds, asked in ((3.0, 0), (5.0, 1)):
            deadline = Deadline(self.clock, seconds, lambda: None)
            claim = Claim(self.clock, deadline=deadline)
            found = Deferred.fromCoroutine(history.ask("ann", claim, None, lambda _: []))
            self.gql.flush()
            self.assertEqual(self.successResultOf(found) is not None, bool(asked))
            self.assertEqual(len(self.service.asked), asked)
            deadline.cancel()


class ManyTests(HistoryCase):
    """Many channels that come back at once."""

    def test_budget(self) -> None:
        """One question for each channel that is joined again, and never too many in a second."""
        logins = [f"c{number}" for number in range(30)]
        sinks = [self.start(login)[1] for login in logins]
        self.run_for(60)
        self.assertEqual(sorted(login for login, _ in self.service.asked), sorted(logins))
        for sink in sinks:
            self.knowing(sink)
        self.service.asked.clear()
        self.lose()
        self.endpoint.refusing = False
        most = 0
        for _ in range(120):
            before = len(self.service.asked)
            self.run_for(1)
            most = max(most, len(self.service.asked) - before)
        self.assertEqual(sorted(login for login, _ in self.service.asked), sorted(logins))
        self.assertLessEqual(most, HISTORY.count + 1)
        self.assertIsNone(self.counted("busy"))
        self.assertEqual([sink.heard.count("resumed") for sink in sinks], [1] * 30)


class ClientTests(HistoryCase):
    """What a client receives in the end."""

    def setUp(self) -> None:
        """A client that watches `ann` with all events."""
        super().setUp()
        self.client = KeptMessages()
        self.session = Session(
            self.client,
            hub_on(self.clock, self.metrics),
            {"twitch": self.twitch},
            Quotas(),
            self.clock,
            self.metrics,
        )
        self.session.received(
            b'{"type":"subscribe","platform":"twitch","identifier":"ann","events":true}'
        )
        self.run_for(1)

    def tearDown(self) -> None:
        """The client leaves."""
        self.session.closed()
        self.run_for(1)
        super().tearDown()

    def taken(self) -> list[str]:
        """What came: messages by text, `gap` with whether it was filled, statuses, other kinds."""
        found = []
        for message in self.client.taken():
            if message["type"] == "stats":
                self.stats = message["data"]
                continue
            item = message.get("data", {})
            if message["type"] == "chat":
                name = item["data"]["content"]["raw"]
            elif item.get("type") == "gap":
                name = f"gap {item['data']['filled']}"
            else:
                name = message.get("status") or item["type"]
            found.append(name)
        return [name for name in found if name != "room"]

    def test_once_and_in_order(self) -> None:
        """The gap, what was missed, `started`, what is new; all once, and counted once."""
        self.tell("one", "two")
        self.lose()
        self.tell("three", "four")
        self.endpoint.refusing = False
        while not self.simulator.joined("ann"):
            self.run_for(0.25)
        self.tell("five", "six")
        self.run_for(10)
        self.assertEqual(
            self.taken(),
            ["subscribed", "started", "one", "two", "reconnecting", "gap True", "three", "four",
             "five", "started", "six"],
        )  # fmt: skip
        self.assertEqual(self.stats["totalMessages"], 6)

    def test_unfilled(self) -> None:
        """A service that fails: the gap is told, and not filled."""
        self.tell("one")
        self.simulator.faults = {Fault.HISTORY_503}
        self.lose()
        self.tell("two")
        self.come_back()
        self.tell("three")
        self.assertEqual(self.taken()[2:], ["one", "reconnecting", "gap False", "started", "three"])

    def test_recorded(self) -> None:
        """The recorded answer of the real service, as history for the first watcher."""
        name = "twitch/irc/recent_messages_nymn_2024-01-06_first500.json"
        body = corpus(name).read_bytes()
        self.instead(200, body)
        self.client.taken()
        asked = {"type": "subscribe", "platform": "twitch", "identifier": "nymn", "history": 1000}
        self.session.received(json.dumps(asked).encode())
        self.run_for(10)
        chats = [m for m in self.client.taken() if m["type"] == "chat"]
        sent = {
            line.tags["id"]: line
            for line in map(parsed, (text.encode() for text in json.loads(body)["messages"]))
            if line.command == "PRIVMSG" and line.tags.get("rm-deleted") != "1"
        }
        self.assertEqual([chat["data"]["message_id"] for chat in chats], list(sent))
        self.assertEqual(len(chats), 494)
        numbers = [chat["seq"] for chat in chats]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.session.received(b'{"type":"get_stats","platform":"twitch","identifier":"nymn"}')
        self.run_for(1)
        stats = [m["data"] for m in self.client.taken() if m.get("identifier") == "nymn"]
        self.assertEqual(stats[-1]["totalMessages"], 0)

    def test_unwatched(self) -> None:
        """Nobody watched for a while: the order goes on after a gap, which is filled."""
        self.tell("one", "two")
        epoch = next(m["epoch"] for m in self.client.taken() if m.get("status") == "started")
        self.session.received(b'{"type":"unsubscribe"}')
        self.run_for(5)
        self.client.taken()
        self.tell("three")
        asked = {"type": "subscribe", "platform": "twitch", "identifier": "ann", "events": True}
        asked["since"] = {"epoch": epoch, "seq": 2}
        self.session.received(json.dumps(asked).encode())
        self.run_for(5)
        self.assertEqual(self.taken(), ["subscribed", "started", "two", "gap True", "three"])
        self.assertEqual(self.counted("whole"), 1)

    def test_removed(self) -> None:
        """What was removed in the gap is not shown; of what was shown the removal is told."""
        shown, hidden = said("shown"), said("hidden")
        self.simulator.say("ann", shown)
        self.simulator.say("ann", said("of lin", LIN))
        self.run_for(1)
        self.lose()
        self.simulator.say("ann", hidden)
        self.simulator.say("ann", said("of lin, too", LIN))
        self.run_for(1)
        self.simulator.say("ann", Delete(id=str(uuid4()), message=shown))
        self.simulator.say("ann", Delete(id=str(uuid4()), message=hidden))
        self.simulator.say("ann", Silence(id=str(uuid4()), author=LIN, seconds=60))
        self.simulator.say("ann", said("stays"))
        self.come_back()
        self.assertEqual(
            self.taken()[2:],
            ["shown", "of lin", "reconnecting", "gap True", "deletion", "deletion", "timeout",
             "stays", "started"],
        )  # fmt: skip


class LogTests(SynchronousTestCase):
    """What an operator reads."""

    def test_rate(self) -> None:
        """Failures beyond a few are counted, not logged."""
        case = TroubleTests("test_hangs")
        case.setUp()
        self.addCleanup(case.tearDown)
        observed: list[Any] = []

        @implementer(ILogObserver)
        def observe(event: Any) -> None:
            observed.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        case.instead(404, b"")
        started: list[Deferred[Any]] = [case.start(f"c{number}")[2] for number in range(20)]
        case.run_for(60)
        self.assertEqual(case.counted("refused"), 20)
        lines = [event for event in observed if "were not had" in (event["log_format"] or "")]
        self.assertGreater(len(lines), 1)
        self.assertLess(len(lines), 12)
        for start in started:
            self.successResultOf(start)


assert TURN_PATIENCE + PATIENCE < 5, "live messages must not wait for long"
