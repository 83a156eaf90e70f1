# SPDX-License-Identifier: MIT
"""The link to Redis on a fake wire: whatever comes back, it is down or up, and goes on trying."""

from __future__ import annotations

import tracemalloc
from random import Random
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.redis.address import RedisAddress
from livechat.redis.connection import LONGEST_WAIT, STABLE
from livechat.redis.link import RedisDown, RedisLink, RedisRefused
from livechat.redis.script import Script
from livechat.redis.wire import MAX_REPLY, WireFactory
from livechat.statistics.redis_layout import PROBES
from tests.support.scripted_redis import Answer, Conversation, ScriptedRedis, well

SCRIPT = Script.of("return KEYS[1]")


class Ceiling(Random):
    """Draws the longest wait that there may be."""

    def uniform(self, a: float, b: float) -> float:
        """See `Random`."""
        return b


class LinkCase(SynchronousTestCase):
    """A link to a server that answers what a test says."""

    def setUp(self) -> None:
        """A server that is well, and a link that has not been started."""
        self.clock = Clock()
        self.server = ScriptedRedis(self.clock)
        self.link = RedisLink(
            RedisAddress.parse("redis://chat:secret@h/2"),
            self.server,
            self.clock,
            Ceiling(1),
            PROBES,
        )
        self.lines: list[str] = []
        observer = cast(ILogObserver, self._log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.addCleanup(self._stop)

    def _log(self, event: LogEvent) -> None:
        if "Redis" in formatEvent(event):
            self.lines.append(formatEvent(event))

    def _stop(self) -> None:
        if self.link.running:
            self.link.stopService()
        self.run_for(0.1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def run_for(self, seconds: float) -> None:
        """Let time pass, in small steps."""
        self.clock.pump([0.05] * round(seconds / 0.05))

    def started(self, answer: Answer = well) -> None:
        """Start it and let both connections be made."""
        self.server.answer = answer
        self.link.startService()
        self.run_for(0.2)

    def commands(self) -> Conversation:
        """The newest connection for commands."""
        return next(
            each for each in reversed(self.server.conversations) if [b"SELECT", b"2"] in each.asked
        )


class WireTests(SynchronousTestCase):
    """The protocol by itself."""

    @settings(deadline=None, database=None, max_examples=300)
    @given(
        st.lists(
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from((b"*3\r\n", b"*-1\r\n", b"*0\r\n", b"$0\r\n\r\n", b"$-1\r\n")),
                st.sampled_from((b"$7\r\nmessage\r\n", b":1\r\n", b"+OK\r\n", b"-ERR x\r\n")),
            ),
            max_size=20,
        ),
        st.integers(0, 5),
    )
    def test_any_bytes(self, parts: list[bytes], questions: int) -> None:
        """Whatever comes, however it is cut: no exception; what is wrong ends the connection."""
        clock = Clock()
        wire = WireFactory(clock, lambda topic, payload: None).buildProtocol(None)
        transport = StringTransport()
        wire.makeConnection(transport)
        answers = [wire.execute_command("GET", "k") for _ in range(questions)]
        for answer in answers:
            answer.addErrback(lambda _: None)
        for part in parts:
            wire.dataReceived(part)
        self.assertEqual(bool(wire.reason), transport.disconnecting)
        wire.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(clock.getDelayedCalls(), [])
        self.assertTrue(all(answer.called for answer in answers))


class HostileTests(LinkCase):
    """A server that answers what Redis does not is down, with a reason and without a traceback."""

    def is_down(self, answer: Answer, reason: str) -> None:
        """It is never up, says why, tries again, and nothing is logged as an error of ours."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.started(answer)
        self.run_for(20)
        self.assertFalse(self.link.up)
        self.assertIn(reason, self.link.reason)
        self.assertGreater(len(self.server.conversations), 8)
        self.assertEqual(len(self.lines), 1, self.lines)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertLess(tracemalloc.get_traced_memory()[1], MAX_REPLY)

    def test_web_server(self) -> None:
        """It speaks another protocol."""
        self.is_down(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n", "not Redis's")

    def test_always_fine(self) -> None:
        """It agrees to everything."""
        self.is_down(lambda _: b"+OK\r\n", "PING was answered")

    def test_numbers(self) -> None:
        """Every answer is a number."""
        self.is_down(lambda _: b":1\r\n", "PING was answered")

    def test_wrong_type_of_answers(self) -> None:
        """A greeting as it should be, and a number where a script answers a text."""
        self.is_down(lambda c: b":1\r\n" if c[0] == b"EVAL" else well(c), "EVAL was not answered")

    def test_nothing(self) -> None:
        """Nil, and lists of nothing."""
        for answer in (b"$-1\r\n", b"*-1\r\n", b"*0\r\n"):
            self.is_down(lambda _, answer=answer: answer, "PING was answered")  # type: ignore[misc]
            self._stop()
            self.setUp()

    def test_binary(self) -> None:
        """Bytes that are no text."""
        self.is_down(lambda _: b"+\xff\xfe\r\n", "not Redis's")

    def test_broken_numbers(self) -> None:
        """Lengths that are none."""
        for answer in (b"$x\r\n", b"$-7\r\n", b"*-2\r\n", b":\r\n", b"*1e3\r\n", b"$ 1\r\n"):
            self.is_down(lambda _, answer=answer: answer, "not Redis's")  # type: ignore[misc]
            self._stop()
            self.setUp()

    def test_nested(self) -> None:
        """Lists in lists without end."""
        self.is_down(lambda _: b"*1\r\n" * 10_000, "not Redis's")

    def test_endless_line(self) -> None:
        """A line without end."""
        self.is_down(lambda _: b"+" * 100_000, "not Redis's")

    def test_announced_length(self) -> None:
        """A text of a gigabyte is refused before it has come."""
        self.is_down(lambda _: b"$1073741824\r\n", "too long")

    def test_long_list(self) -> None:
        """A list of a billion is refused before it has come."""
        self.is_down(lambda _: b"*1000000000\r\n", "too long")

    def test_endless_list(self) -> None:
        """What has no end in many small parts is bounded as well."""
        self.link._commands._factory._max_reply = 1000
        text = b"$100\r\n" + b"x" * 100 + b"\r\n"
        self.is_down(lambda c: b"*900\r\n" + text * 20 if len(c) < 3 else well(c), "too long")

    def test_more_answers_than_questions(self) -> None:
        """An answer that nobody asked for would be taken for that of the next command."""
        self.is_down(lambda c: well(c) + (b"+OK\r\n" if c[0] == b"EVALSHA" else b""), "PING was")
        self._stop()
        self.setUp()
        self.started()
        self.commands().send(b"+OK\r\n")
        self.run_for(0.1)
        self.assertFalse(self.link.up)
        self.assertIn("no question", self.link.reason)

    def test_silent(self) -> None:
        """It never answers."""
        self.is_down(lambda _: b"", "no answer within 2 s")

    def test_hangs_up(self) -> None:
        """It ends each connection after the first command."""

        def answer(command: list[bytes]) -> bytes:
            self.clock.callLater(0, self.server.conversations[-1].end)
            return b""

        self.is_down(answer, "closed the connection")

    def test_wrong_while_up(self) -> None:
        """An answer of a wrong type later on: it is down from that moment."""
        self.started()
        self.assertTrue(self.link.up)
        self.server.answer = lambda c: b":1\r\n" if c[0] == b"EVALSHA" else well(c)
        outcome = self.link.run(SCRIPT, ["k"], b"")
        self.run_for(0.1)
        self.failureResultOf(outcome, RedisDown)
        self.assertIn("a script was answered", self.link.reason)
        self.assertEqual(len(self.lines), 2, self.lines)
        self.assertEqual(self.flushLoggedErrors(), [])


class LoopTests(LinkCase):
    """Nothing that happens on a connection ends the making of new ones; `up` is true only then."""

    def test_up(self) -> None:
        """Log in, choose the database, try everything: then it is up."""
        self.started()
        self.assertTrue(self.link.up)
        self.assertTrue(self.link.listening)
        asked = self.commands().asked
        self.assertEqual(asked[:3], [[b"AUTH", b"chat", b"secret"], [b"PING"], [b"SELECT", b"2"]])
        for probe in PROBES:
            command = probe.on("livechat:1:probe").command
            self.assertIn([part.encode() for part in command], asked)
        self.assertEqual(self.lines, ["Redis at redis://h:6379/2 is ready"])

    def test_shared(self) -> None:
        """Several parts use one link: it ends when the last of them has stopped it."""
        self.started()
        self.link.startService()
        self.link.stopService()
        self.run_for(0.1)
        self.assertTrue(self.link.up)
        self.assertEqual(len(self.server.conversations), 2)
        self.link.stopService()
        self.run_for(0.1)
        self.assertFalse(self.link.up)

    def test_heard(self) -> None:
        """Whoever listens is told when Redis has agreed to everything before."""
        self.started()
        self.link.listen("topic", lambda payload: None)
        heard = self.link.heard()
        self.assertNoResult(heard)
        self.run_for(0.1)
        self.assertIsNone(self.successResultOf(heard))
        self.link.stopService()
        self.failureResultOf(self.link.heard(), RedisDown)
        self.link.startService()

    def test_another_layout(self) -> None:
        """What lies there is of another version: nothing is written; the log says what to do."""
        self.started(lambda c: b"$1\r\n2\r\n" if c[-1] == b"livechat:layout" else well(c))
        self.run_for(20)
        self.assertFalse(self.link.up)
        self.assertIn("has layout b'2', and this program needs 1", self.link.reason)
        self.assertIn("give it another --redis-prefix", self.link.reason)
        self.assertEqual(len(self.lines), 1, self.lines)

    def test_first_of_all(self) -> None:
        """Where nothing lies our version is written."""
        self.started(lambda c: b"$-1\r\n" if c[-1] == b"livechat:layout" else well(c))
        self.assertTrue(self.link.up)
        asked = [command for each in self.server.conversations for command in each.asked]
        self.assertIn([b"SET", b"livechat:layout", b"1", b"NX"], asked)

    def test_owner_that_raises(self) -> None:
        """An owner that fails at each change is logged; the others are told, the loop goes on."""
        told: list[bool] = []

        def fail() -> None:
            raise LookupError("an owner's mistake")

        self.link.watch(fail)
        self.link.watch(lambda: told.append(self.link.up))
        self.started()
        self.commands().end()
        self.assertFalse(self.link.up)
        self.run_for(1)
        self.assertTrue(self.link.up)
        self.assertEqual(told, [True, False, True])
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 3)

    def test_listener_that_raises(self) -> None:
        """What a listener does with a message ends nothing."""
        heard: list[bytes] = []

        def listener(payload: bytes) -> None:
            heard.append(payload)
            raise LookupError("a listener's mistake")

        self.link.listen("t", listener)
        self.started()
        topics = self.server.conversations[-1]
        self.assertIn([b"SUBSCRIBE", b"t"], topics.asked)
        for _ in range(2):
            topics.send(b"*3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$2\r\nhi\r\n")
        self.run_for(0.1)
        self.assertEqual(heard, [b"hi", b"hi"])
        self.assertTrue(self.link.listening)
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 2)

    def test_mistake_of_ours(self) -> None:
        """An exception that nobody foresaw costs one connection and is logged."""
        greet = self.link._commands.greet
        failing = [True]

        async def broken(wire: object) -> None:
            if failing.pop():
                failing.append(False)
                raise KeyError("ours")
            await greet(wire)

        self.patch(self.link._commands, "greet", broken)
        self.started()
        self.assertFalse(self.link.up)
        self.assertIn("KeyError", self.link.reason)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        failing[:] = [False] * 100
        self.run_for(1)
        self.assertTrue(self.link.up)

    def test_stopped(self) -> None:
        """A link that was stopped is down and makes no more connections."""
        self.started()
        self.link.stopService()
        self.assertFalse(self.link.up)
        made = len(self.server.conversations)
        self.run_for(30)
        self.assertEqual(len(self.server.conversations), made)
        self.assertTrue(all(each.over for each in self.server.conversations))

    def test_having_been_up_is_no_merit(self) -> None:
        """Waits grow while connections come up and fail at once, up to the longest."""
        self.started()
        waits = []
        for _ in range(5):
            self.commands().end()
            made = len(self.server.conversations)
            began = self.clock.seconds()
            while len(self.server.conversations) == made:
                self.clock.advance(0.05)
            waits.append(round(self.clock.seconds() - began, 1))
            self.run_for(0.2)
        self.assertEqual(waits, [0.5, 1.0, 2.0, 4.0, LONGEST_WAIT])
        self.run_for(STABLE)
        self.commands().end()
        made = len(self.server.conversations)
        self.run_for(0.6)
        self.assertEqual(len(self.server.conversations), made + 1)

    def test_scripts(self) -> None:
        """A script goes by its digest, and whole where that is not known."""
        self.started()
        outcome = self.link.run(SCRIPT, ["k"], b"a")
        self.run_for(0.1)
        self.assertEqual(self.successResultOf(outcome), b"\xa11")
        self.assertEqual(
            self.commands().asked[-2:],
            [
                [b"EVALSHA", SCRIPT.digest.encode(), b"1", b"k", b"a"],
                [b"EVAL", SCRIPT.text, b"1", b"k", b"a"],
            ],
        )

    def test_refused(self) -> None:
        """An error that concerns the keys only leaves the link up."""
        self.started()
        self.server.answer = lambda _: b"-WRONGTYPE k is a list\r\n"
        outcome = self.link.run(SCRIPT, ["k"], b"")
        self.run_for(0.1)
        self.failureResultOf(outcome, RedisRefused)
        self.assertTrue(self.link.up)

    def test_this_process_was_late(self) -> None:
        """An answer that has come in time, and was not read in time, is no silence of Redis."""
        self.started()
        self.server.answer = lambda _: b""
        outcome = self.link.ask("GET", "k")
        self.run_for(1)
        # The process stands still; then the time limit is looked at before anything is read.
        self.clock.callLater(2, self.commands()._deliver, b"$1\r\n1\r\n")
        self.clock.rightNow += 3
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(outcome), b"1")
        self.clock.advance(0)
        self.assertTrue(self.link.up)
        self.run_for(3)
        self.assertFalse(self.link.up)

    def test_secret(self) -> None:
        """What a server repeats of the password is not shown."""
        self.started(lambda c: b"-ERR unknown command 'AUTH', with args: secret secret\r\n")
        self.run_for(1)
        self.assertNotIn("secret", self.link.reason + "".join(self.lines))
