# SPDX-License-Identifier: MIT
"""What every platform keeps to, whatever it is made of (`IPlatform`, `IWatcher`, `IEventSink`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import IService
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, Recovery, Requester
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    _Case = object

#: Identifiers that are nobody's, on any platform.
NOBODY = (
    "",
    " ",
    "@",
    "a b",
    "ann\r\nQUIT",
    "ann,bob",
    "#ann",
    "\x00",
    "x" * 300,
    "@" * 3000,
    "https://evil.test/ann",
    "//",
    "http://[::1",
    "\u212aelvin",
    "\ud800",
)


@implementer(IEventSink)
class Kept:
    """A sink that keeps the names of what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.received_until: float | None = None
        self.error: ChatError | None = None

    def queued(self) -> None:
        """The start waits for its turn."""
        self.heard.append("queued")

    def received(self, events: Any) -> None:
        """Events, of which there must be some."""
        assert len(events) > 0, "an empty-handed call"
        self.heard.append("received")

    def recovered(self, recovery: Recovery) -> None:
        """What was written before; may be empty."""
        self.heard.append("recovered")

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """Lost, for a reason."""
        assert reason, "no reason"
        self.heard.append("interrupted")

    def resumed(self, info: LiveInfo) -> None:
        """Back."""
        self.heard.append("resumed")

    def ended(self, error: ChatError) -> None:
        """Over."""
        self.heard.append("ended")
        self.error = error


class PlatformContract(_Case):
    """The contract, to be mixed into a test case that says how this platform is moved.

    :ivar clock: the platform's clock.
    :ivar live: identifier of a channel that is live.
    :ivar missing: identifier of one that does not exist.
    :ivar spellings: identifiers that all mean `live`.
    :ivar nobody: identifiers that mean nobody.
    :ivar kept: seconds for which the platform keeps what the next viewer can use.
    """

    clock: Clock
    live: str
    missing: str
    spellings: tuple[str, ...]
    nobody: tuple[str, ...] = NOBODY
    kept: float = 0.0

    # What a test case gives.

    def the_platform(self) -> Any:
        """The platform, started."""
        raise NotImplementedError

    def run_for(self, seconds: float) -> None:
        """Let time pass and bytes flow."""
        raise NotImplementedError

    def speak(self, text: str) -> None:
        """Somebody writes in the live channel."""
        raise NotImplementedError

    def cut(self) -> None:
        """Every connection is cut."""
        raise NotImplementedError

    def refuse(self) -> None:
        """From now on the platform lets nobody in."""
        raise NotImplementedError

    def admit(self) -> None:
        """It lets everybody in again."""
        raise NotImplementedError

    def begin(self, identifier: str) -> tuple[Any, Kept, Deferred[LiveInfo]]:
        """Begin to watch."""
        sink = Kept()
        platform = self.the_platform()
        watcher = platform.watch(Located(platform.key(identifier, "username")), sink, Requester())
        return watcher, sink, watcher.start()

    def begun(self) -> tuple[Any, Kept]:
        """Watch the live channel; what came with the start is not kept."""
        watcher, sink, started = self.begin(self.live)
        self.run_for(5)
        self.successResultOf(started)
        sink.heard.clear()
        return watcher, sink

    def at_rest(self, before: int) -> None:
        """There is no more on the clock than there was, when nothing is kept any more."""
        self.run_for(self.kept)
        self.assertEqual(len(self.clock.getDelayedCalls()), before)

    def test_provides(self) -> None:
        """Platform and watcher provide what they say; the platform is a service by its name."""
        platform = self.the_platform()
        verifyObject(IPlatform, platform)
        verifyObject(IService, platform)
        watcher, sink, started = self.begin(self.live)
        verifyObject(IWatcher, watcher)
        verifyObject(IEventSink, sink)
        self.assertEqual(platform.key(self.live, "username").platform, platform.name)
        self.run_for(5)
        self.successResultOf(started)
        watcher.stop()

    def test_keys(self) -> None:
        """All spellings of a channel are one key, which is its own canonical identifier."""
        platform = self.the_platform()
        key = platform.key(self.live, "username")
        self.assertEqual(key, ChannelKey(platform.name, "username", self.live))
        for spelling in self.spellings:
            self.assertEqual(platform.key(spelling, "username"), key)
        self.assertEqual(platform.key(key.identifier, key.identifier_type), key)

    def test_nobody(self) -> None:
        """What is nobody's identifier, or of an unknown kind, is said to be so, with the code."""
        platform = self.the_platform()
        for identifier in self.nobody:
            error = self.assertRaises(ChatError, platform.key, identifier, "username")
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER, repr(identifier))
        for kind in ("", "liveID", "nonsense", "\ud800"):
            error = self.assertRaises(ChatError, platform.key, self.live, kind)
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER, repr(kind))

    def test_start(self) -> None:
        """Passing trouble is waited for, silently until the start has fired; then all is heard."""
        self.refuse()
        _, sink, started = self.begin(self.live)
        heard: list[list[str]] = []

        def fired(info: LiveInfo) -> LiveInfo:
            heard.append(list(sink.heard))
            return info

        started.addCallback(fired)
        self.run_for(1)
        self.assertNoResult(started)
        self.admit()
        self.run_for(25)
        self.assertEqual(heard, [[]])
        info = self.successResultOf(started)
        self.assertEqual((type(info.live_id), info.live_id != ""), (str, True))
        sink.heard.clear()
        self.speak("hello")
        self.run_for(0)
        self.assertEqual(sink.heard, ["received"])

    def resolved(self, identifier: str) -> Deferred[Located]:
        """Ask which chat an identifier means."""
        platform = self.the_platform()
        key = platform.key(identifier, "username")
        located: Deferred[Located] = platform.resolve(key, Requester(), lambda: None)
        return located

    def test_resolve(self) -> None:
        """All spellings of a channel mean one chat, which starts; its key is its own result."""
        platform = self.the_platform()
        waiting = [self.resolved(spelling) for spelling in (self.live, *self.spellings)]
        self.run_for(5)
        found = [self.successResultOf(located) for located in waiting]
        self.assertEqual(len({located.key for located in found}), 1)
        again = platform.resolve(found[0].key, Requester(), lambda: None)
        self.assertEqual(self.successResultOf(again).key, found[0].key)
        started = platform.watch(found[0], Kept(), Requester()).start()
        self.run_for(5)
        self.successResultOf(started)

    def test_resolve_cancelled(self) -> None:
        """Whoever asks which chat a channel is may give up, and nothing is left behind."""
        before = len(self.clock.getDelayedCalls())
        self.refuse()
        located = self.resolved(self.live)
        self.run_for(1)
        if not located.called:
            located.cancel()
            self.failureResultOf(located, CancelledError)
        self.run_for(5)
        self.at_rest(before)

    def looked(self, identifier: str) -> Deferred[Located]:
        """Look once whether a channel is live."""
        platform = self.the_platform()
        located: Deferred[Located] = platform.look(
            platform.key(identifier, "username"), Requester(), self.clock.seconds()
        )
        return located

    def test_look(self) -> None:
        """A look finds the chat that is live, which starts."""
        platform = self.the_platform()
        self.assertGreater(platform.looks.per_second, 0)
        located = self.looked(self.live)
        self.run_for(5)
        found = self.successResultOf(located)
        started = platform.watch(found, Kept(), Requester()).start()
        self.run_for(5)
        self.successResultOf(started)

    def test_look_in_vain(self) -> None:
        """A look says that there is no such channel; it does not try again what is refused."""
        before = len(self.clock.getDelayedCalls())
        located = self.looked(self.missing)
        self.run_for(10)
        error = self.failureResultOf(located, ChatError).value
        self.assertEqual(error.code, ErrorCode.STREAM_NOT_FOUND)
        self.refuse()
        refused = self.looked(self.live)
        refused.addErrback(lambda reason: reason.trap(ChatError) and reason.value)
        self.run_for(20)
        answer = self.successResultOf(refused)
        if isinstance(answer, ChatError):
            self.assertEqual(answer.code, ErrorCode.UPSTREAM_UNAVAILABLE)
        self.at_rest(before)

    def test_look_cancelled(self) -> None:
        """A look can be given up, and leaves nothing behind."""
        before = len(self.clock.getDelayedCalls())
        located = self.looked(self.live)
        if not located.called:
            located.cancel()
            self.failureResultOf(located, CancelledError)
        self.run_for(5)
        self.at_rest(before)

    def test_all_lives(self) -> None:
        """The key of all lives of a channel is of the platform, and is its own."""
        platform = self.the_platform()
        key = platform.all_lives(platform.key(self.live, "username"))
        self.assertEqual((key.platform, platform.all_lives(key)), (platform.name, key))

    def test_missing(self) -> None:
        """A channel that does not exist fails with the code; the watcher is then finished."""
        before = len(self.clock.getDelayedCalls())
        watcher, sink, started = self.begin(self.missing)
        self.run_for(40)
        error = self.failureResultOf(started, ChatError).value
        self.assertEqual(error.code, ErrorCode.STREAM_NOT_FOUND)
        self.assertEqual(sink.heard, [])
        self.at_rest(before)
        self.successResultOf(watcher.stop())

    def test_refused(self) -> None:
        """A platform that lets nobody in fails a start in time, coded, with a reason."""
        self.refuse()
        before = len(self.clock.getDelayedCalls())
        watcher, sink, started = self.begin(self.live)
        self.run_for(60)
        error = self.failureResultOf(started, ChatError).value
        self.assertEqual(error.code, ErrorCode.UPSTREAM_UNAVAILABLE)
        self.assertEqual((bool(error.details), error.temporary), (True, True))
        self.assertEqual(sink.heard, [])
        self.at_rest(before)
        self.successResultOf(watcher.stop())

    def test_cancel(self) -> None:
        """A cancelled start has stopped: nothing is heard any more, nothing is on the clock."""
        for wait in (0.0, 0.25, 1.0):
            before = len(self.clock.getDelayedCalls())
            self.refuse()
            _, sink, started = self.begin(self.live)
            self.run_for(wait)
            if not started.called:
                started.cancel()
                self.failureResultOf(started, CancelledError)
            self.assertEqual(sink.heard, [])
            self.run_for(5)
            self.at_rest(before)

    def test_stop(self) -> None:
        """A stop never fails, whenever and however often; the sink hears nothing after it."""
        before = len(self.clock.getDelayedCalls())
        watcher, sink = self.begun()
        for _ in range(3):
            self.successResultOf(watcher.stop())
        self.speak("too late")
        self.cut()
        self.run_for(10)
        self.assertEqual(sink.heard, [])
        self.at_rest(before)

    def test_stop_before_the_start(self) -> None:
        """A watcher that was never started can be stopped."""
        platform = self.the_platform()
        sink = Kept()
        watcher = platform.watch(Located(platform.key(self.live, "username")), sink, Requester())
        self.successResultOf(watcher.stop())
        self.assertEqual(sink.heard, [])

    def test_stop_during_the_start(self) -> None:
        """A stop during the start ends it; the start is cancelled and not left without a result."""
        before = len(self.clock.getDelayedCalls())
        self.refuse()
        watcher, sink, started = self.begin(self.live)
        self.run_for(1)
        self.assertNoResult(started)
        self.successResultOf(watcher.stop())
        self.failureResultOf(started, CancelledError)
        self.run_for(5)
        self.assertEqual(sink.heard, [])
        self.at_rest(before)

    def test_lost_and_found(self) -> None:
        """A lost upstream is told once, however long it takes, and again when messages flow.

        What the platform gives of the time in between comes before that, if at all.
        """
        _, sink = self.begun()
        self.cut()
        self.run_for(30)
        heard = [name for name in sink.heard if name != "received"]
        if "recovered" in heard:
            self.assertEqual(heard.pop(1), "recovered")
        self.assertEqual(heard, ["interrupted", "resumed"])
        sink.heard.clear()
        self.speak("again")
        self.run_for(0)
        self.assertEqual(sink.heard, ["received"])

    def test_lost_for_long(self) -> None:
        """As long as nobody is let in, `interrupted` is said once; the watcher never gives up."""
        _, sink = self.begun()
        self.refuse()
        self.cut()
        self.run_for(300)
        self.assertEqual(sink.heard, ["interrupted"])

    def test_stop_from_within(self) -> None:
        """Whoever is told something may stop the watcher at once; nothing is left behind."""
        for told in ("received", "interrupted", "resumed"):
            before = len(self.clock.getDelayedCalls())
            watcher, sink = self.begun()
            tell = getattr(sink, told)

            def stop(*said: Any, tell: Any = tell, watcher: Any = watcher) -> None:
                tell(*said)
                self.successResultOf(watcher.stop())

            setattr(sink, told, stop)
            self.speak(f"then {told}")
            self.run_for(0)
            if told != "received":
                self.cut()
            self.run_for(30)
            self.assertEqual(sink.heard[-1], told)
            self.at_rest(before)

    def test_stop_from_the_start(self) -> None:
        """So may whoever waited for the start, however it ends."""
        for identifier in (self.live, self.missing):
            before = len(self.clock.getDelayedCalls())
            self.refuse()
            watcher, sink, started = self.begin(identifier)
            ends: list[object] = []

            def stop(result: object, watcher: Any = watcher, ends: Any = ends) -> None:
                ends.append(result)
                self.successResultOf(watcher.stop())

            started.addBoth(stop)
            self.run_for(1)
            self.admit()
            self.run_for(40)
            self.assertEqual(len(ends), 1)
            self.assertEqual(sink.heard, [])
            self.at_rest(before)

    def test_stop_while_lost(self) -> None:
        """A watcher that seeks its upstream can be stopped and leaves nothing behind."""
        before = len(self.clock.getDelayedCalls())
        watcher, sink = self.begun()
        self.refuse()
        self.cut()
        self.run_for(3)
        self.successResultOf(watcher.stop())
        sink.heard.clear()
        self.run_for(60)
        self.assertEqual(sink.heard, [])
        self.at_rest(before)
