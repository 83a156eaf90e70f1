# SPDX-License-Identifier: MIT
"""One video's chat: started, asked again and again, mended when it breaks, ended when it is over.

It goes on in steps: each waits, asks one thing and then tells the sink.  A step polls the chat,
checks the watch page because the chat may be over, or renews the token because it may have died
without a word (sheet `youtube` section 3).  Nothing is told while a step is under way, so that
whoever is told may stop us.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IEventSink, IWatcher, Requester
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, Event, LiveInfo
from livechat.pacing import Backoff, sleep
from livechat.platforms.youtube.backlog import Backlog
from livechat.platforms.youtube.chat import Poll, Signal
from livechat.platforms.youtube.mend import Over, Renewal, Unsure, check, renew
from livechat.platforms.youtube.pace import Pace
from livechat.platforms.youtube.poll import Doubt, News, Opening, Trouble, ask
from livechat.platforms.youtube.setback import Setback
from livechat.platforms.youtube.site import Site
from livechat.platforms.youtube.start import FRESH, Attempts, Found, start
from livechat.platforms.youtube.verdict import Reason, Refusal
from livechat.platforms.youtube.viewers import Viewers

_log = Logger()

_RELOAD: Final = "reloadContinuationData"

#: A token is renewed when it is so many seconds old, and earlier when so long nobody has written.
TOKEN_AGE: Final = 600.0
TOKEN_SILENCE: Final = 300.0

#: Seconds before an answer that says that there is no chat is asked for once more.
SECOND_LOOK: Final = 1.5

#: Seconds between two looks at the watch page, however doubtful the answers are.
LOOK_EVERY: Final = 20.0

#: Seconds between two looks at the watch page only because nobody is said to be watching.
HINT_EVERY: Final = 120.0

#: How often the page of a chat that is gone must ask to sign in until that is its end: it was made
#: private.
MAX_VERDICTS: Final = 5

#: Seconds before a step is taken again that failed by a fault of ours.
AFTER_FAULT: Final = 30.0

T = TypeVar("T")


@implementer(IWatcher)
class Follower:
    """The chat of one video, from its start to its end.

    :param key: the video, or a channel that is looked up at the start; another stream that the
        channel begins later is another chat.
    :param requester: whose share of the pages the start takes.
    :param found: the stream of `key`, where it has been looked for already.
    :param now: wall time in seconds.
    :param start_timeout: seconds in which the start must succeed, waiting for turns not counted.
    :param viewers_every: seconds between two looks at viewers and title; 0: never.
    :param count: told every answer, to count what is not passed on.
    :param gone: told when there is nothing left of it.
    """

    def __init__(
        self,
        site: Site,
        key: ChannelKey,
        sink: IEventSink,
        requester: Requester,
        found: Found | None,
        *,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Random,
        count: Callable[[Poll], None],
        start_timeout: float,
        viewers_every: float,
        gone: Callable[[Follower], None],
    ) -> None:
        self._site = site
        self._key = key
        # None once nothing is to be told any more.
        self._sink: IEventSink | None = sink
        self._requester = requester
        self._found = found
        self._clock = clock
        self._now = now
        self._random = random
        self._count = count
        self._start_timeout = start_timeout
        self._viewers_every = viewers_every
        self._gone = gone
        self._starting: Deferred[LiveInfo] | None = None
        self._step: Deferred[Any] | None = None
        self._backoff = Backoff(random, initial=1.0, cap=30.0)
        self._viewers = Viewers(site, clock, now, random, viewers_every, self._tell)
        self._setback = Setback()
        self._pace = Pace(clock.seconds())
        self._backlog = Backlog(0)
        self._opening: Opening
        # How the next poll asks, and what kind of continuation that is.
        self._token = ""
        self._kind = ""
        # When the last poll began, the token was fresh, the page was asked because of a hint.
        self._asked = self._renewed = self._hinted = clock.seconds()
        # When the page was asked last.
        self._looked = -LOOK_EVERY

    # IWatcher

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        starting: Deferred[LiveInfo] = Deferred(lambda _: self._leave())
        self._starting = starting
        seconds, since, live = self._start_timeout, int(self._now() * 1000), None
        found, self._found = self._found, None
        if found is not None and self._clock.seconds() - found.at < FRESH:
            seconds, since, live = found.left, found.since_ms, found.live
        self._backlog = Backlog(since)
        budget = self._site.budget(seconds, self._requester, self._wait_for_turn)
        attempts = Attempts(self._site, budget, self._backoff)
        story = start(self._site, self._key, self._now, attempts, live)
        self._take(story, self._started, self._not_started)
        return starting

    def _wait_for_turn(self) -> None:
        if self._sink is not None:
            self._sink.queued()

    def stop(self) -> Deferred[None]:
        """See `IWatcher`."""
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
        self._leave()
        return succeed(None)

    def _leave(self) -> None:
        self._sink = None
        self._viewers.stop()
        step, self._step = self._step, None
        if step is not None:
            step.cancel()
        self._gone(self)

    def _started(self, opening: Opening) -> None:
        starting, self._starting = self._starting, None
        if starting is None:
            return
        self._asked = self._clock.seconds()
        news = self._adopt(opening)
        starting.callback(self._info())
        self._tell(news)
        self._go_on(opening.news)

    def _not_started(self, reason: Failure) -> None:
        reason.trap(CancelledError, ChatError)
        starting, self._starting = self._starting, None
        if starting is not None:
            self._leave()
            starting.errback(reason)

    def _info(self) -> LiveInfo:
        return LiveInfo(self._opening.live.video_id, feed=self._opening.feed)

    def _adopt(self, opening: Opening) -> Sequence[Event]:
        """Follow this chat from now on; what is new in its first answer."""
        self._opening = opening
        self._renewed = self._clock.seconds()
        if self._viewers_every and self._sink is not None:
            self._viewers.watch(opening.live, 1.0)
        return self._news(opening.news.poll, opening.news.received_ms, is_reload=True)

    # One step after the other.

    def _take(
        self,
        step: Coroutine[Deferred[Any], Any, T],
        then: Callable[[T], None],
        otherwise: Callable[[Failure], None] | None = None,
    ) -> None:
        self._step = taken = Deferred.fromCoroutine(step)
        taken.addCallback(then)
        if otherwise is not None:
            taken.addErrback(otherwise)
        taken.addErrback(self._faulty)

    def _faulty(self, reason: Failure) -> None:
        """Not an answer of YouTube's but a fault of ours: the chat must not stand still for it."""
        if reason.check(CancelledError):
            return
        _log.failure("a step of a YouTube chat failed", reason)
        starting, self._starting = self._starting, None
        if starting is not None:
            self._leave()
            starting.errback(reason)
        elif self._sink is not None:
            self._take(self._poll(AFTER_FAULT), self._polled)

    async def _poll(self, wait: float) -> News | Trouble | Doubt:
        await sleep(self._clock, wait)
        self._asked = self._clock.seconds()
        live = self._opening.live
        return await ask(self._site, live, self._token, self._now, self._site.budget())

    def _polled(self, answer: News | Trouble | Doubt) -> None:
        if isinstance(answer, News):
            self._recover()
            self._tell(self._news(answer.poll, answer.received_ms, self._kind == _RELOAD))
            self._go_on(answer)
        elif isinstance(answer, Trouble):
            self._fail(answer)
        else:
            self._doubt(answer)

    def _go_on(self, news: News) -> None:
        """After a good answer: the next step."""
        if self._sink is None:
            return
        now = self._clock.seconds()
        self._token = news.continuation.token
        self._kind = news.continuation.kind
        happened, timeout_ms = len(news.poll.events), news.continuation.timeout_ms
        wait = self._pace.after(now, happened, timeout_ms, self._random.random())
        age = now - self._renewed
        if self._viewers.is_over and now - self._hinted >= HINT_EVERY:
            self._hinted = now
            self._check(0.0)
        elif age >= TOKEN_AGE or (age >= TOKEN_SILENCE <= self._pace.silence(now)):
            self._renewed = now
            self._take(renew(self._site, self._opening), self._renew)
        else:
            self._take(self._poll(max(0.0, self._asked + wait - now)), self._polled)

    def _renew(self, renewal: Renewal | None) -> None:
        """Go on with the fresh token, or with the old one if there is none."""
        if renewal is not None:
            self._opening = Opening(renewal.live, self._opening.news, self._opening.feed)
            self._token = renewal.token
            # What comes next begins with the past once more.
            self._kind = _RELOAD
        self._take(self._poll(0.0), self._polled)

    # What can go wrong.

    def _fail(self, trouble: Trouble) -> None:
        """No use, this answer: the same question again, a little later each time."""
        now = self._clock.seconds()
        if self._setback.failed(self._asked, now) and self._sink is not None:
            self._sink.interrupted(f"YouTube cannot be read: {trouble.reason}")
        if self._sink is None:
            return
        wait = self._backoff.delay(self._setback.failures)
        if trouble.limited:
            wait = 1.0 + 2.0 * wait
        wait = max(wait, trouble.wait or 0.0)
        if self._setback.is_stale(now):
            self._check(wait)
        else:
            self._take(self._poll(wait), self._polled)

    def _doubt(self, doubt: Doubt) -> None:
        """The chat may be over: once more, for this happens to live ones, then the page."""
        poll = doubt.poll
        if poll.signal is not Signal.ARCHIVE:
            self._tell(self._news(poll, doubt.received_ms, self._kind == _RELOAD))
        if self._sink is None:
            return
        self._setback.doubts += 1
        if self._setback.doubts == 1 and poll.signal not in (Signal.ARCHIVE, Signal.EXHAUSTED):
            self._take(self._poll(SECOND_LOOK), self._polled)
        elif self._clock.seconds() - self._looked < LOOK_EVERY:
            self._fail(Trouble(doubt.reason))
        else:
            self._check(0.0)

    def _check(self, wait: float) -> None:
        self._take(self._checking(wait), self._checked)

    async def _checking(self, wait: float) -> Opening | Trouble | Doubt | Over | Unsure:
        await sleep(self._clock, wait)
        self._asked = self._looked = self._clock.seconds()
        return await check(self._site, self._opening.live, self._now)

    def _checked(self, found: Opening | Trouble | Doubt | Over | Unsure) -> None:
        if isinstance(found, Opening):
            self._reopened(found)
        elif isinstance(found, Over):
            self._end(found.refusal)
        elif isinstance(found, Unsure):
            self._unsure(found)
        elif isinstance(found, Trouble):
            self._fail(found)
        else:
            # On air, says the page; no chat, say the answers.
            self._fail(Trouble(found.reason))

    def _reopened(self, opening: Opening) -> None:
        if self._sink is None:
            return
        before = self._info()
        news = self._adopt(opening)
        if not self._setback.told and self._info() != before:
            # Another feed: nothing was lost, but who comes later must be told the truth.
            self._sink.resumed(self._info())
        self._recover()
        self._tell(news)
        self._go_on(opening.news)

    def _unsure(self, unsure: Unsure) -> None:
        if self._setback.doubts and unsure.refusal.reason is Reason.LOGIN_REQUIRED:
            self._setback.verdicts += 1
            if self._setback.verdicts >= MAX_VERDICTS:
                self._end(unsure.refusal)
                return
        self._fail(Trouble(unsure.refusal.reason))

    def _recover(self) -> None:
        """A good answer: whatever was wrong is over."""
        setback, self._setback = self._setback, Setback()
        if setback.told and self._sink is not None:
            self._sink.resumed(self._info())

    def _end(self, refusal: Refusal) -> None:
        sink = self._sink
        self._leave()
        if sink is not None:
            details = None if refusal.reason in _PLAIN_ENDS else refusal.reason.value
            sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Stream has ended", details))

    # What is told.

    def _news(self, poll: Poll, received_ms: int, is_reload: bool) -> Sequence[Event]:
        self._count(poll)
        if is_reload:
            return self._backlog.reloaded(poll.events, received_ms)
        return self._backlog.continued(poll.events)

    def _tell(self, news: Sequence[Event]) -> None:
        if news and self._sink is not None:
            self._sink.received(news)


#: Ends that need no further word.
_PLAIN_ENDS: Final = frozenset({Reason.ENDED, Reason.OFFLINE, Reason.NOT_A_STREAM})
