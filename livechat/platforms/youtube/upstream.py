# SPDX-License-Identifier: MIT
"""The chat of one video: opened, polled again and again, reopened after trouble, left at its end.

`follow` is the loop.  Each answer is reported and leads to a plan: how long to wait and what to ask
next.  That is the chat itself (a poll), its watch page (a check whether the stream is still live),
or a fresh token for it, because a token may stop working without notice
(docs/wire/youtube.md#end-and-trouble).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import CancelledError

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey, LiveInfo, seconds_of
from livechat.pacing import Backoff, sleep
from livechat.platforms.description import PlatformContext
from livechat.platforms.steps import Steps
from livechat.platforms.watch import State, Watch
from livechat.platforms.youtube.backlog import Backlog, Reload
from livechat.platforms.youtube.client import YouTubeClient
from livechat.platforms.youtube.liveness import (
    Inconclusive,
    StreamEnded,
    check_liveness,
    refresh_token,
)
from livechat.platforms.youtube.outage import Answer, Outage, Remedy
from livechat.platforms.youtube.pace import Pace
from livechat.platforms.youtube.parse.chat import Poll, Signal
from livechat.platforms.youtube.parse.verdict import Reason, Refusal
from livechat.platforms.youtube.poll import OpenChat, PollOk, PossiblyEnded, TransientError, ask
from livechat.platforms.youtube.start import Start
from livechat.platforms.youtube.viewers import Viewers

_RELOAD: Final = "reloadContinuationData"

_HOLE: Final = "YouTube gave no messages for a while, and more than it repeats"

#: A token is renewed when it is so many seconds old, and earlier when so long nobody has written.
TOKEN_AGE: Final = 600.0
TOKEN_SILENCE: Final = 300.0

#: Seconds for which a token certainly gives all that was written since it was given out.
TRUSTED: Final = 120.0

#: Seconds that YouTube takes at most to show a message.
SHOWN_AFTER: Final = 5.0

#: Seconds before an answer that says that there is no chat is asked for once more.
ASK_AGAIN_AFTER: Final = 1.5

#: Seconds between two checks, however doubtful the answers are.
CHECK_EVERY: Final = 20.0

#: Seconds between two checks only because nobody is said to be watching.
HINT_EVERY: Final = 120.0

#: Seconds before a step is taken again that failed by a fault of ours.
AFTER_FAULT: Final = 30.0

#: Signals that need no second answer to be believed.
_FINISHED: Final = frozenset({Signal.ARCHIVE, Signal.EXHAUSTED})

#: Ends that need no further word.
_PLAIN_ENDS: Final = frozenset({Reason.ENDED, Reason.OFFLINE, Reason.NOT_A_STREAM})

_Outcome = OpenChat | PollOk | TransientError | PossiblyEnded | StreamEnded | Inconclusive


class Step(Enum):
    """What is asked next.

    :cvar POLL: what is new in the chat.
    :cvar CHECK: whether the stream is still live; a chat that is, is opened anew.
    :cvar REFRESH: a fresh token, and with it what is new.
    """

    POLL = "poll"
    CHECK = "check"
    REFRESH = "refresh"


class Plan(Struct, frozen=True):
    """What to do next, and after how many seconds."""

    step: Step
    wait: float = 0.0


class Times:
    """When things were last done, on the clock of the platform.

    :ivar asked: the last poll or check began.
    :ivar refreshed: the token was fresh.
    :ivar hinted: a check was made because nobody was said to be watching.
    :ivar checked: a check was made.
    """

    __slots__ = ("asked", "checked", "hinted", "refreshed")

    def __init__(self, now: float) -> None:
        self.asked = self.refreshed = self.hinted = now
        self.checked = now - CHECK_EVERY


class ChatUpstream:
    """The `Upstream` of one chat; a later stream of the same channel is another chat.

    :param start: opens it.
    :ivar backlog: what was already there, or was received.
    :param viewers: beside the chat.
    :param steps: logs and counts a step that fails by a fault of ours.
    :param count: given every answer, to count what is not passed on.
    :param closed: called when nothing is left of it.
    """

    def __init__(
        self,
        client: YouTubeClient,
        key: ChannelKey,
        context: PlatformContext,
        start: Start,
        backlog: Backlog,
        viewers: Viewers,
        steps: Steps,
        count: Callable[[Poll], None],
        closed: Callable[[ChatUpstream], None],
    ) -> None:
        self._client = client
        self._key = key
        self._clock = context.clock
        self._now = context.now
        self._random = context.random
        self._start = start
        self._viewers = viewers
        self._steps = steps
        self._count = count
        self._closed = closed
        self.backlog = backlog
        self._backoff = Backoff(context.random)
        self._outage = Outage()
        self._pace = Pace(context.clock.seconds())
        self._times = Times(context.clock.seconds())
        # The chat as it was opened last, with the newest answer in it; None until it is open.
        self._chat: OpenChat | None = None
        # When it was certainly received last, in seconds since 1970.
        self._heard = context.now()
        # The time of the newest message or event.
        self._newest = ""

    # Upstream

    @property
    def channel_id(self) -> str:
        """The channel of the video; empty until the chat is open."""
        return "" if self._chat is None else self._chat.live.channel_id

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`: open the chat, and poll it until its stream has ended."""
        chat = self._chat
        if chat is None:
            outcome: _Outcome = await self._start.attempt(watch.claim)
            self._times.asked = self._clock.seconds()
        else:
            outcome = await self._check(watch, chat)
        while True:
            plan = self._report(watch, outcome)
            await sleep(self._clock, plan.wait)
            outcome = await self._take(watch, plan.step)

    def close(self) -> None:
        """See `Upstream`."""
        self._viewers.stop()
        self._closed(self)

    # What is asked.

    async def _take(self, watch: Watch, step: Step) -> _Outcome:
        """One step; a fault of ours in it is logged, and answered like trouble of YouTube's."""
        try:
            assert self._chat is not None
            if step is Step.CHECK:
                return await self._check(watch, self._chat)
            if step is Step.REFRESH:
                self._chat = await self._refreshed(watch, self._chat)
            return await self._poll(self._chat)
        except CancelledError:
            raise
        except Exception:
            self._steps.failed(str(self._key))
            return TransientError("a fault of ours", AFTER_FAULT)

    async def _poll(self, chat: OpenChat) -> PollOk | TransientError | PossiblyEnded:
        self._times.asked = self._clock.seconds()
        return await ask(self._client, chat.live, chat.answer.continuation.token, self._now)

    async def _check(self, watch: Watch, chat: OpenChat) -> _Outcome:
        self._times.asked = self._times.checked = self._clock.seconds()
        return await check_liveness(self._client, chat.live, self._now, watch.claim)

    async def _refreshed(self, watch: Watch, chat: OpenChat) -> OpenChat:
        """The chat with a fresh token, or with the old one if there is none."""
        fresh = await refresh_token(self._client, chat, watch.claim)
        if fresh is None:
            return chat
        # More may have been written meanwhile than what comes next repeats of the past.
        last = await self._poll(chat)
        if isinstance(last, PollOk):
            chat = replace(chat, answer=last)
            self._pass_on(watch, chat, is_reload=False)
        continuation = replace(chat.answer.continuation, token=fresh.token, kind=_RELOAD)
        return OpenChat(fresh.live, replace(chat.answer, continuation=continuation), chat.feed)

    # What its answers mean.

    def _report(self, watch: Watch, outcome: _Outcome) -> Plan:
        """Tell what an answer brought, and plan the next step.

        :raises ChatError: the stream has ended.
        """
        if isinstance(outcome, OpenChat):
            self._times.refreshed = self._clock.seconds()
            self._viewers.watch(outcome.live, watch.received)
            return self._go_on(watch, outcome, is_reload=True)
        if isinstance(outcome, PollOk):
            assert self._chat is not None
            is_reload = self._chat.answer.continuation.kind == _RELOAD
            return self._go_on(watch, replace(self._chat, answer=outcome), is_reload=is_reload)
        if isinstance(outcome, PossiblyEnded):
            return self._doubt(watch, outcome)
        if isinstance(outcome, TransientError):
            self._outage.answered(Answer.FAILED)
            return self._retry(watch, outcome)
        if isinstance(outcome, StreamEnded):
            raise _end(outcome.refusal)
        reason = outcome.refusal.reason
        if reason is Reason.LOGIN_REQUIRED and self._outage.asked_to_sign_in():
            raise _end(outcome.refusal)
        self._outage.answered(Answer.FAILED)
        return self._retry(watch, TransientError(reason))

    def _go_on(self, watch: Watch, chat: OpenChat, *, is_reload: bool) -> Plan:
        """A good answer: whatever was wrong is over."""
        before, self._chat = self._chat, chat
        self._outage.answered(Answer.GOOD)
        is_filtered = before is not None and before.feed == "all" != chat.feed
        self._pass_on(watch, chat, is_reload=is_reload, is_filtered=is_filtered)
        times, now = self._times, self._clock.seconds()
        happened, timeout_ms = len(chat.answer.poll.events), chat.answer.continuation.timeout_ms
        wait = self._pace.after(now, happened, timeout_ms, self._random.random())
        age = now - times.refreshed
        if self._viewers.is_over and now - times.hinted >= HINT_EVERY:
            times.hinted = now
            return Plan(Step.CHECK)
        if age >= TOKEN_AGE or (age >= TOKEN_SILENCE <= self._pace.silence(now)):
            times.refreshed = now
            return Plan(Step.REFRESH)
        return Plan(Step.POLL, max(0.0, times.asked + wait - now))

    def _pass_on(
        self, watch: Watch, chat: OpenChat, *, is_reload: bool, is_filtered: bool = False
    ) -> None:
        """What an answer brings; after a time without one it belongs to that time.

        :param is_filtered: messages are left out from now on.
        """
        answer = chat.answer
        self._count(answer.poll)
        brought = self._brought(answer, is_reload)
        if brought.has_hole and watch.has_started:
            silence = self._pace.silence(self._clock.seconds())
            watch.lost(_HOLE, self._whole_until(answer.received_ms / 1000 - silence))
        info = LiveInfo(chat.live.video_id, feed=chat.feed)
        if _is_absent(watch):
            watch.recovered(brought.written, "some" if is_filtered else brought.extent)
            watch.flows(info)
            watch.received(brought.repeated)
        else:
            watch.flows(info)
            watch.received(brought.news)
        self._heard = answer.received_ms / 1000
        if brought.news:
            self._newest = brought.news[-1].timestamp

    def _whole_until(self, heard: float) -> float:
        """Until when all was received that was written, if the chat was heard so long.

        What was written just before may not have been shown yet.
        """
        newest = seconds_of(self._newest) if self._newest else 0.0
        return max(min(newest, heard), heard - SHOWN_AFTER)

    def _doubt(self, watch: Watch, answer: PossiblyEnded) -> Plan:
        """There may be no chat any more; what the answer still holds is passed on.

        An archive holds the whole stream once more, and none of it is new.
        """
        poll = answer.poll
        if poll.signal is not Signal.ARCHIVE:
            chat = self._chat
            is_reload = chat is not None and chat.answer.continuation.kind == _RELOAD
            self._count(poll)
            watch.received(self._brought(answer, is_reload).news)
        says = Answer.FINISHED if poll.signal in _FINISHED else Answer.NO_CHAT
        remedy = self._outage.answered(says)
        if remedy is Remedy.ASK_AGAIN:
            return Plan(Step.POLL, ASK_AGAIN_AFTER)
        if self._clock.seconds() - self._times.checked < CHECK_EVERY:
            return self._retry(watch, TransientError(answer.reason))
        return Plan(Step.CHECK)

    def _retry(self, watch: Watch, error: TransientError) -> Plan:
        """No use, this answer: the same question again, a little later each time."""
        now = self._clock.seconds()
        if self._outage.failed(self._times.asked, now):
            watch.lost(f"YouTube cannot be read: {error.reason}", self._whole_until(self._heard))
        wait = self._backoff.delay(self._outage.failures)
        if error.limited:
            wait = 1.0 + 2.0 * wait
        step = Step.CHECK if self._outage.needs_check(now) else Step.POLL
        return Plan(step, max(wait, error.retry_after))

    def _brought(self, answer: PollOk | PossiblyEnded, is_reload: bool) -> Reload:
        if is_reload:
            return self.backlog.reloaded(answer.poll.events, answer.received_ms)
        # Asked on with the token of the last answer, YouTube gives all since then.
        is_trusted = answer.received_ms / 1000 - self._heard <= TRUSTED
        news = self.backlog.continued(answer.poll.events)
        return Reload(news, "all" if is_trusted else "some")


def _is_absent(watch: Watch) -> bool:
    """Whether the chat was received before and is not received now."""
    if watch.state is State.STARTING:
        return watch.received_until is not None
    return watch.state is State.LOST


def _end(refusal: Refusal) -> ChatError:
    details = None if refusal.reason in _PLAIN_ENDS else refusal.reason.value
    return error_catalogue.ended(details)
