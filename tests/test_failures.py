# SPDX-License-Identifier: MIT
"""Failed starts are remembered for a while, and asking again costs the platform nothing."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.core.ports import IWatcher, Located
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.platforms.failures import MAX_REMEMBERED, Failures
from tests.support.fakes import ScriptedWatcher

ANN = ChannelKey("twitch", "username", "ann")


class FailuresTests(SynchronousTestCase):
    """What is remembered, for how long, and what it answers."""

    def setUp(self) -> None:
        """Nothing has failed."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.metrics = Metrics()
        self.failures = Failures(self.clock, self.metrics, "twitch")
        self.acts = 0

    def ask(self, outcome: Exception | str, key: ChannelKey = ANN) -> Deferred[str]:
        """Ask for a start which, if it is tried at all, comes to this."""

        def act() -> Deferred[str]:
            self.acts += 1
            return succeed(outcome) if isinstance(outcome, str) else fail(outcome)

        return self.failures.guard(key, act)

    def test_not_found(self) -> None:
        """A channel that does not exist: the same answer for a minute, from one request."""
        error = ChatError(ErrorCode.STREAM_NOT_FOUND, "No such channel", "NOT_FOUND")
        for _ in range(60):
            told = self.failureResultOf(self.ask(error), ChatError).value
            self.assertEqual(str(told), str(error))
            self.clock.advance(1 - 1e-9)
        self.assertEqual(self.acts, 1)
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(self.ask("live")), "live")
        answered = self.metrics.registry.get_sample_value(
            "livechat_remembered_failures_total", {"platform": "twitch"}
        )
        self.assertEqual(answered, 59)

    def test_unavailable(self) -> None:
        """One that could not be reached: a few seconds, with every part of the error."""
        error = ChatError(ErrorCode.UPSTREAM_UNAVAILABLE, "No answer", "BLOCKED", temporary=True)
        self.failureResultOf(self.ask(error), ChatError)
        told = self.failureResultOf(self.ask("live"), ChatError).value
        self.assertEqual(
            (told.code, told.error, told.details, told.temporary),
            (error.code, error.error, error.details, error.temporary),
        )
        self.assertIsNone(told.__context__)
        self.clock.advance(5)
        self.assertEqual(self.successResultOf(self.ask("live")), "live")

    def test_not_remembered(self) -> None:
        """Not live, cancelled or a fault of ours: the next question is asked."""
        for error in (
            ChatError(ErrorCode.STREAM_NOT_LIVE, "Not live"),
            CancelledError(),
            ValueError(),
        ):
            self.failureResultOf(self.ask(error), type(error))
        self.assertEqual(self.successResultOf(self.ask("live")), "live")

    def test_other_channels(self) -> None:
        """A failure says nothing about another channel."""
        self.failureResultOf(self.ask(ChatError(ErrorCode.STREAM_NOT_FOUND, "No")), ChatError)
        bob = ChannelKey("twitch", "username", "bob")
        self.assertEqual(self.successResultOf(self.ask("live", bob)), "live")

    def test_clock_set_back(self) -> None:
        """A clock that was set back makes nothing last longer."""
        self.failureResultOf(self.ask(ChatError(ErrorCode.STREAM_NOT_FOUND, "No")), ChatError)
        self.clock.rightNow -= 3600
        self.assertEqual(self.successResultOf(self.ask("live")), "live")

    def test_bounded(self) -> None:
        """Beyond so many the oldest are forgotten."""
        error = ChatError(ErrorCode.STREAM_NOT_FOUND, "No such channel")
        for number in range(MAX_REMEMBERED + 10):
            key = ChannelKey("twitch", "username", f"n{number}")
            self.failureResultOf(self.ask(error, key), ChatError)
        self.assertEqual(len(self.failures._failed), MAX_REMEMBERED)
        key = ChannelKey("twitch", "username", "n0")
        self.assertEqual(self.successResultOf(self.ask("live", key)), "live")

    def test_watcher(self) -> None:
        """A guarded watcher is a watcher; where its start would fail it is stopped unstarted."""
        error = ChatError(ErrorCode.STREAM_NOT_FOUND, "No such channel")
        self.failureResultOf(self.ask(error), ChatError)
        inner = ScriptedWatcher(Located(ANN), object())  # type: ignore[arg-type]
        watcher = self.failures.watcher(ANN, inner)
        self.assertTrue(verifyObject(IWatcher, watcher))
        self.failureResultOf(watcher.start(), ChatError)
        self.assertEqual(inner.stops, 1)
        self.clock.advance(60)
        inner = ScriptedWatcher(Located(ANN), object())  # type: ignore[arg-type]
        watcher = self.failures.watcher(ANN, inner)
        started = watcher.start()
        inner.live()
        self.assertEqual(self.successResultOf(started).live_id, "live-ann")
        self.successResultOf(watcher.stop())
