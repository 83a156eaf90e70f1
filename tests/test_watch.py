# SPDX-License-Identifier: MIT
"""The loop and the transition table that the watchers of all platforms share."""

from __future__ import annotations

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from livechat.core.ports import IEventSink, IWatcher, Recovery, Requester
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, Event, LiveInfo
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.watch import MAX_EARLY, STABLE, Input, Pauses, State, Watch
from livechat.platforms.watch_states import TRANSITIONS
from tests.support.fakes import chat, chats

KEY = ChannelKey("twitch", "username", "ann")
INFO = LiveInfo("one")
OVER = ChatError(ErrorCode.STREAM_ENDED, "Over")


@implementer(IEventSink)
class Heard:
    """A sink that keeps what it hears, a word each."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.received_until: float | None = None
        self.infos: list[LiveInfo] = []

    def queued(self) -> None:
        """See `IEventSink`."""
        self.words.append("queued")

    def received(self, events: list[Event]) -> None:  # type: ignore[override]
        """See `IEventSink`."""
        self.words += [getattr(event, "message_id", "event") for event in events]

    def recovered(self, recovery: Recovery) -> None:
        """See `IEventSink`."""
        self.words.append(f"recovered {len(recovery.events)} {recovery.extent}")

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        self.words.append(f"interrupted {reason}" + ("" if since is None else f" {since:g}"))

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self.infos.append(info)
        self.words.append("resumed")

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self.words.append(f"ended {error.code}")

    def taken(self) -> list[str]:
        """What was heard since the last call."""
        words, self.words = self.words, []
        return words


class Scripted:
    """An upstream that does what the test says."""

    def __init__(self) -> None:
        self.attempts: list[Deferred[None]] = []
        self.closed = 0

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`."""
        attempt: Deferred[None] = Deferred()
        self.attempts.append(attempt)
        await attempt

    def close(self) -> None:
        """See `Upstream`."""
        self.closed += 1

    def fail(self, error: Exception) -> None:
        """The attempt under way raises this."""
        self.attempts[-1].errback(error)


class WatchCase(SynchronousTestCase):
    """One watched chat on a clock."""

    def setUp(self) -> None:
        """Not yet started."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.sink = Heard()
        self.upstream = Scripted()
        self.watch = Watch(
            KEY,
            self.upstream,
            self.sink,
            Requester(),
            clock=self.clock,
            random=Random(1),
            metrics=self.metrics,
            start_timeout=30.0,
            pauses=Pauses(1.0, 8.0),
        )

    def tearDown(self) -> None:
        """Whatever happened: after a stop nothing is left on the clock."""
        self.successResultOf(self.watch.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def flowing(self) -> None:
        """Start, successfully."""
        started = self.watch.start()
        self.watch.flows(INFO)
        self.assertEqual(self.successResultOf(started), INFO)

    def failed(self, started: Deferred[LiveInfo]) -> ChatError:
        """The error of a start that has failed."""
        error: ChatError = self.failureResultOf(started, ChatError).value
        return error


class AtOnce:
    """An upstream that brings something in the very call that starts it."""

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`."""
        watch.received([chat("0", "text")])
        watch.flows(INFO)
        watch.received([chat("1", "text")])
        await Deferred()

    def close(self) -> None:
        """See `Upstream`."""


class AtOnceTests(WatchCase):
    """What is reported before `start` has returned."""

    def test_order(self) -> None:
        """Nobody can have heard of the start yet: it is told in the next turn, and in order."""
        self.watch._upstream = AtOnce()
        self.successResultOf(self.watch.start())
        self.assertEqual(self.sink.taken(), [])
        self.watch.received([chat("2", "text")])
        self.clock.advance(0)
        self.watch.received([chat("3", "text")])
        self.assertEqual(self.sink.taken(), ["0", "1", "2", "3"])


class TableTests(SynchronousTestCase):
    """The transition table itself."""

    def test_complete(self) -> None:
        """It says what happens in every state upon every input, and `Watch` can do it."""
        self.assertEqual(set(TRANSITIONS), set(product(State, Input)))
        for _, action in TRANSITIONS.values():
            self.assertTrue(callable(getattr(Watch, action)), action)

    def test_over_is_over(self) -> None:
        """Nothing leads out of Over, and nothing is done there."""
        rows = {TRANSITIONS[State.OVER, what] for what in Input}
        self.assertEqual(rows, {(State.OVER, "_ignore")})


class StartTests(WatchCase):
    """Until messages flow."""

    def test_provides(self) -> None:
        """It is a watcher."""
        self.assertTrue(verifyObject(IWatcher, self.watch))

    def test_succeeds(self) -> None:
        """The start succeeds when messages flow; what came before comes right after it."""
        started = self.watch.start()
        self.watch.received([chat("early")])
        self.assertEqual(self.sink.taken(), [])
        self.watch.flows(INFO)
        self.successResultOf(started)
        self.watch.received([chat("later")])
        self.assertEqual(self.sink.taken(), ["early", "later"])

    def test_tries_again(self) -> None:
        """Passing trouble is tried again until the deadline, which names the last trouble."""
        started = self.watch.start()
        for number in range(3):
            self.upstream.fail(UpstreamError("BLOCKED", f"HTTP {number}"))
            self.clock.advance(8.0)
        self.assertGreaterEqual(len(self.upstream.attempts), 4)
        self.assertNoResult(started)
        self.clock.advance(30.0)
        error = self.failed(started)
        self.assertEqual((error.code, error.details), (ErrorCode.UPSTREAM_UNAVAILABLE, "BLOCKED"))
        self.assertTrue(error.temporary)
        self.assertEqual((self.sink.taken(), self.upstream.closed), ([], 1))

    def test_failing(self) -> None:
        """An upstream that goes on trying by itself may say why it is late."""
        started = self.watch.start()
        self.watch.failing(UpstreamError("REFUSED"))
        self.clock.advance(30.0)
        self.assertEqual(self.failed(started).details, "REFUSED")

    def test_nothing_will_help(self) -> None:
        """Trouble that does not pass, or not in time, ends the start at once."""
        for trouble in (
            UpstreamError("PRIVATE", temporary=False),
            UpstreamError("RATE_LIMITED", retry_after=31.0),
        ):
            self.setUp()
            started = self.watch.start()
            self.upstream.fail(trouble)
            error = self.failed(started)
            self.assertEqual(error.details, trouble.reason)
            self.assertEqual(error.temporary, trouble.temporary)

    def test_told_in_its_own_words(self) -> None:
        """Trouble that brings its own error for clients ends the start with that one."""
        private = ChatError(ErrorCode.STREAM_NOT_FOUND, "Private")
        started = self.watch.start()
        self.upstream.fail(UpstreamError("PRIVATE", temporary=False, error=private))
        self.assertIs(self.failed(started), private)

    def test_nothing_to_watch(self) -> None:
        """A coded error ends the start with itself."""
        started = self.watch.start()
        self.upstream.fail(ChatError(ErrorCode.STREAM_NOT_LIVE, "No"))
        self.assertEqual(self.failed(started).code, ErrorCode.STREAM_NOT_LIVE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancelled(self) -> None:
        """A start that is cancelled stops everything."""
        started = self.watch.start()
        started.cancel()
        self.failureResultOf(started)
        self.assertEqual((self.watch.state, self.upstream.closed), (State.OVER, 1))

    def test_early_is_bounded(self) -> None:
        """What comes before the start is kept up to a bound, and the rest is counted."""
        self.watch.start()
        self.watch.received(chats(MAX_EARLY + 5))
        self.watch.flows(INFO)
        self.assertEqual(len(self.sink.taken()), MAX_EARLY)
        labels = {"platform": "twitch", "kind": "too early"}
        counted = self.metrics.registry.get_sample_value("livechat_unparsed_total", labels)
        self.assertEqual(counted, 5)


class LossTests(WatchCase):
    """From a loss to the next flow."""

    def test_lost_and_found(self) -> None:
        """One loss is one interruption, however many attempts it takes; then messages go on."""
        self.flowing()
        self.upstream.attempts[-1].callback(None)
        for _ in range(4):
            self.clock.advance(8.0)
            self.upstream.fail(UpstreamError("BLOCKED"))
        self.watch.received([chat("meanwhile")])
        self.clock.advance(8.0)
        self.watch.flows(INFO)
        self.assertEqual(self.sink.taken(), ["interrupted LOST", "resumed", "meanwhile"])

    def test_platform_says_so_itself(self) -> None:
        """An upstream that mends itself without ending its attempt may say both."""
        self.flowing()
        self.watch.lost("silent")
        self.watch.lost("still silent")
        self.watch.flows(INFO)
        self.assertEqual(self.sink.taken(), ["interrupted silent", "resumed"])
        self.assertEqual(len(self.upstream.attempts), 1)

    def test_changes(self) -> None:
        """What is known of the stream is told when it changes, and only then."""
        self.flowing()
        self.watch.flows(INFO)
        self.watch.flows(LiveInfo("one", live=False))
        self.watch.flows(LiveInfo("one", live=False))
        self.assertEqual(self.sink.infos, [LiveInfo("one", live=False)])

    def test_any_exception(self) -> None:
        """A fault of ours costs one attempt: it is logged, counted, and tried again."""
        self.flowing()
        self.upstream.fail(ZeroDivisionError("ours"))
        self.assertEqual(self.sink.taken(), ["interrupted INTERNAL"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(
            self.metrics.registry.get_sample_value("livechat_failures_total", {"part": "twitch"}),
            1,
        )
        self.clock.advance(8.0)
        self.assertEqual(len(self.upstream.attempts), 2)

    def test_pauses_grow(self) -> None:
        """Pauses grow to the ceiling, and begin anew only when the chat has flowed for a while."""
        self.flowing()
        for _ in range(6):
            self.upstream.fail(UpstreamError("LOST"))
            self.clock.advance(8.0)
            self.watch.flows(INFO)
        self.upstream.fail(UpstreamError("LOST"))
        (call,) = self.clock.getDelayedCalls()
        self.assertLessEqual(call.getTime() - self.clock.seconds(), 8.0)
        self.clock.advance(8.0)
        self.watch.flows(INFO)
        self.clock.advance(STABLE)
        self.upstream.fail(UpstreamError("LOST"))
        (call,) = self.clock.getDelayedCalls()
        self.assertLessEqual(call.getTime() - self.clock.seconds(), 1.0)

    def test_asked_to_wait(self) -> None:
        """A platform that wants not to be asked for a while is not asked."""
        self.flowing()
        self.upstream.fail(UpstreamError("RATE_LIMITED", retry_after=60.0))
        self.clock.advance(59.9)
        self.assertEqual(len(self.upstream.attempts), 1)
        self.clock.advance(0.1)
        self.assertEqual(len(self.upstream.attempts), 2)

    def test_woken(self) -> None:
        """A pause can be ended early; waking when nothing pauses does nothing."""
        self.flowing()
        self.watch.wake()
        self.upstream.fail(UpstreamError("RATE_LIMITED", retry_after=60.0))
        self.watch.wake()
        self.watch.wake()
        self.assertEqual(len(self.upstream.attempts), 2)

    def test_ends(self) -> None:
        """The end is told once, after what was still kept, and nothing after it."""
        self.flowing()
        self.watch.lost("silent")
        self.watch.received([chat("last")])
        self.upstream.fail(OVER)
        self.watch.flows(INFO)
        self.watch.received([chat("late")])
        self.watch.lost("late")
        self.assertEqual(self.sink.taken(), ["interrupted silent", "last", "ended STREAM_ENDED"])
        self.assertEqual(self.upstream.closed, 1)

    def test_stopped(self) -> None:
        """After a stop nothing is heard, and stopping again does nothing."""
        self.flowing()
        self.watch.stop()
        self.watch.stop()
        self.watch.flows(LiveInfo("two"))
        self.watch.received([chat()])
        self.assertEqual((self.sink.taken(), self.upstream.closed), ([], 1))


class Reporting(Scripted):
    """An upstream that reports in each of its steps, and then waits for the next."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[str] = []

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`."""
        while True:
            watch.flows(INFO)
            watch.received([chat()])
            self.reports.append("reported")
            await super().follow(watch)


class StoppedByTheSinkTests(WatchCase):
    """Whoever is told something may stop the watch at that moment."""

    def setUp(self) -> None:
        """An upstream that reports from within its loop."""
        super().setUp()
        self.upstream = self.reporting = Reporting()
        self.watch._upstream = self.reporting
        self.patch(self.sink, "received", lambda _: self.watch.stop())

    def check(self) -> None:
        """The loop ends where it waits next, and leaves nothing."""
        self.clock.advance(0)
        self.assertEqual((self.watch.state, self.upstream.closed), (State.OVER, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(self.upstream.attempts[-1].called)
        self.assertEqual(self.sink.taken(), [])

    def test_in_the_first_step(self) -> None:
        """Before `start` has returned."""
        self.watch.start()
        self.assertEqual(self.reporting.reports, ["reported"])
        self.check()

    def test_in_a_later_step(self) -> None:
        """While the loop goes on after a wait."""
        stop = self.sink.received
        self.patch(self.sink, "received", lambda _: None)
        self.watch.start()
        self.patch(self.sink, "received", stop)
        self.upstream.attempts[-1].callback(None)
        self.assertEqual(self.reporting.reports, ["reported"] * 2)
        self.check()


class FailingSinkTests(WatchCase):
    """A sink that raises."""

    def test_costs_what_it_was_given(self) -> None:
        """It is logged and counted; the upstream notices nothing, and the watch goes on."""

        def mistake(*_: object) -> None:
            raise ZeroDivisionError

        self.flowing()
        broken = [self.patch(self.sink, name, mistake) for name in ("received", "interrupted")]
        self.watch.received([chat("one")])
        self.watch.lost("x")
        for patch in broken:
            patch.restore()
        self.watch.flows(INFO)
        self.watch.received([chat("two")])
        self.assertEqual(self.sink.taken(), ["resumed", "two"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        name, labels = "livechat_failures_total", {"part": "twitch"}
        self.assertEqual(self.metrics.registry.get_sample_value(name, labels), 2)


class ReasonTests(WatchCase):
    """Who says why."""

    def test_no_answer(self) -> None:
        """A platform says what a start is told that fails without a reason, or by a mistake."""
        error = ChatError(ErrorCode.UPSTREAM_UNAVAILABLE, "Nobody answers", "NOBODY")
        for fault in (None, ZeroDivisionError()):
            self.upstream = Scripted()
            self.watch = Watch(
                KEY,
                self.upstream,
                self.sink,
                Requester(),
                clock=self.clock,
                random=Random(1),
                metrics=self.metrics,
                start_timeout=30.0,
                no_answer=UpstreamError("NOBODY", error=error),
            )
            started = self.watch.start()
            if fault is not None:
                self.upstream.fail(fault)
            self.clock.advance(30.0)
            self.assertEqual(self.failed(started).details, "NOBODY")
        self.flushLoggedErrors(ZeroDivisionError)

    def test_lost_by_its_own_word(self) -> None:
        """Pauses begin anew also where the upstream says itself that a stable chat was lost."""
        self.flowing()
        for _ in range(6):
            self.upstream.fail(UpstreamError("X"))
            self.clock.advance(8.0)
        self.watch.flows(INFO)
        self.clock.advance(STABLE)
        self.watch.lost("why")
        self.upstream.fail(UpstreamError("X"))
        attempts = len(self.upstream.attempts)
        self.clock.advance(1.0)
        self.assertEqual(len(self.upstream.attempts), attempts + 1)
        self.assertEqual(self.sink.taken()[-1], "interrupted why")

    def test_trouble(self) -> None:
        """What operators see: nothing while all is well, else what went wrong last."""
        self.watch.start()
        self.assertEqual(self.watch.trouble, "")
        self.watch.claim.begin()
        self.assertEqual(self.watch.trouble, "QUEUED")
        self.watch.claim.end()
        self.upstream.fail(UpstreamError("BLOCKED", "HTTP 429"))
        self.assertEqual(self.watch.trouble, "BLOCKED: HTTP 429")
        self.watch.flows(INFO)
        self.assertEqual(self.watch.trouble, "")
        self.watch.lost("CONNECTION")
        self.assertEqual(self.watch.trouble, "CONNECTION")
        self.watch.stop()


class AnyOrderTests(SynchronousTestCase):
    """Whatever an upstream reports in whatever order."""

    STEPS = ("flows", "lost", "received", "fail", "fault", "over", "time", "wake", "stop")

    @settings(deadline=None, database=None, max_examples=200)
    @given(st.lists(st.sampled_from(STEPS), max_size=30))
    def test_any_order(self, steps: list[str]) -> None:
        """Losses and returns alternate, nothing follows the end, and nothing is left behind."""
        case = WatchCase()
        case.setUp()
        watch, upstream, sink = case.watch, case.upstream, case.sink
        started = watch.start()
        started.addErrback(lambda _: None)
        actions = {
            "flows": lambda: watch.flows(INFO),
            "lost": lambda: watch.lost("x"),
            "received": lambda: watch.received([chat()]),
            "fail": lambda: upstream.fail(UpstreamError("X")),
            "fault": lambda: upstream.fail(ValueError("x")),
            "over": lambda: upstream.fail(OVER),
            "time": lambda: case.clock.advance(10.0),
            "wake": watch.wake,
            "stop": watch.stop,
        }
        for step in steps:
            under_way = bool(upstream.attempts) and not upstream.attempts[-1].called
            if step in ("fail", "fault", "over") and not under_way:
                continue
            actions[step]()
        watch.stop()
        self.flushLoggedErrors(ValueError)
        self.assertEqual(case.clock.getDelayedCalls(), [])
        self.assertEqual(upstream.closed, 1)
        changes = [word.split()[0] for word in sink.words if word != "m1"]
        expected = ["interrupted", "resumed"] * len(changes)
        if changes and changes[-1] == "ended":
            changes.pop()
        self.assertEqual(changes, expected[: len(changes)])
