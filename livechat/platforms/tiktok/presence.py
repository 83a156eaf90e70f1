# SPDX-License-Identifier: MIT
"""One watched account: finds its room, enters it, reads until the feed is lost, and begins again.

It ends by itself only when the stream is over.  Its pauses are drawn with full jitter and grow
until the room has really been seen for a while.  A mistake in one attempt costs that attempt.
"""

from __future__ import annotations

from math import inf
from typing import Final, NoReturn

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IEventSink, IWatcher, Requester
from livechat.model.errors import ChatError
from livechat.model.events import LiveInfo
from livechat.pacing import Backoff, sleep
from livechat.platforms.budget import Claim, Deadline
from livechat.platforms.tiktok.chat import StreamState, Translator
from livechat.platforms.tiktok.connection import IFeed
from livechat.platforms.tiktok.delivery import Delivery
from livechat.platforms.tiktok.occasion import Room
from livechat.platforms.tiktok.owner import IOwner
from livechat.platforms.tiktok.refusals import (
    VERDICTS,
    Denied,
    Reason,
    Refused,
    ended,
    error_of,
    not_live,
    refused,
)
from livechat.platforms.tiktok.room import Answer, Live, NotLive, error_for
from livechat.platforms.tiktok.webcast import Batch, Push

_log = Logger()

#: Seconds after which an open socket that has only answered heartbeats is as good as it gets.
QUIET_START: Final = 10.0

#: Pauses between attempts, in seconds: first ceiling and highest (sheet `tiktok` section 4).
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 60.0

#: Seconds for which a room must have been seen before the pauses begin anew: a server that lets us
#: in and drops us at once must not be hammered either, and every attempt may cost a signature.
STABLE: Final = 30.0

#: How often an announced end is looked into, and seconds between two looks.
END_LOOKS: Final = 3
END_PAUSE: Final = 2.0

#: Seconds between two looks for gifts whose end was lost.
GIFT_LOOK: Final = 5.0


@implementer(IWatcher)
class Presence:
    """Our presence in the room of one account."""

    def __init__(self, owner: IOwner, handle: str, sink: IEventSink, requester: Requester) -> None:
        self.handle = handle
        self._requester = requester
        self._claim = Claim(owner.clock, requester)
        self._lookup = owner.lookup
        self._owner = owner
        self._sink = sink
        self._backoff = Backoff(owner.random, FIRST_PAUSE, LONGEST_PAUSE)
        self._starting: Deferred[LiveInfo] | None = None
        self._deadline: Deadline | None = None
        self._watching: Deferred[NoReturn] | None = None
        self._nap: Deferred[None] | None = None
        self._gifts: IDelayedCall | None = None
        self._live: Live | None = None
        self._translator: Translator | None = None
        self._feed: IFeed | None = None
        self._opened = inf
        self._answered = False
        self._delivery = Delivery(
            sink,
            handle,
            owner.steps,
            lambda number: owner.count_unparsed({"too early": number}),
        )
        self._started = False
        self._seeing = False
        self._state: StreamState | None = None
        self._trouble: Refused | None = None
        self._gone = False

    # IWatcher

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        starting: Deferred[LiveInfo] = Deferred(lambda _: self._leave())
        self._starting = starting
        self._owner.enter(self)
        clock = self._owner.clock
        self._deadline = Deadline(clock, self._owner.start_timeout, self._late)
        self._wait_as(
            Claim(clock, self._requester, queued=self._sink.queued, deadline=self._deadline)
        )
        self._watching = Deferred.fromCoroutine(self._keep())
        self._watching.addErrback(self._over)
        return starting

    def stop(self) -> Deferred[None]:
        """See `IWatcher`."""
        starting = self._starting
        self._leave()
        if starting is not None:
            starting.cancel()
        return succeed(None)

    def relay_came(self) -> None:
        """Somebody relays our room now: use that, unless we see already."""
        if self._seeing or self._gone:
            return
        if self._feed is not None:
            self._feed.drop("a relay has come")
        elif self._nap is not None:
            self._nap.callback(None)

    # What feeds bring (`IRoom`).

    def heard(self, push: Push) -> None:
        """See `IRoom`."""
        if self._gone:
            return
        self._answered = True
        if push.carries:
            self._see()
            self.brought(push.batch)
            return
        if push.batch.dropped:
            self._owner.count_unparsed(push.batch.dropped)
        if self._starting is not None and self._seconds() - self._opened >= QUIET_START:
            self._succeed()

    def brought(self, batch: Batch) -> None:
        """See `IRoom`."""
        translator = self._translator
        if translator is None:
            return
        messages = batch.messages
        if not self._owner.history:
            messages = [message for message in messages if not message.is_history]
        translation = translator.translate(messages, self._owner.milliseconds(), self._seconds())
        counts = translation.counts
        for unparsed in (batch.dropped, counts.unparsed):
            if unparsed:
                self._owner.count_unparsed(unparsed)
        if counts.ignored:
            self._owner.count_ignored(counts.ignored)
        state = translation.state
        self._delivery.pass_on(translation.events)
        if state is not None and state.over and self._feed is not None:
            self._state = state
            self._feed.drop("the stream has ended")

    def unread(self, name: str) -> None:
        """See `IRoom`."""
        self._answered = True
        self._owner.count_unparsed({name: 1})

    # The loop.

    async def _keep(self) -> NoReturn:
        """Watch until the stream is over.

        :raises ChatError: why there is nothing to watch, or no more.
        """
        failures = 0
        while True:
            try:
                failures = await self._attempt(failures)
            except ChatError:
                raise
            except Exception as error:
                if self._gone:
                    raise
                # A request that somebody else has cancelled is no mistake of ours.
                if not isinstance(error, CancelledError):
                    self._owner.steps.failed(self.handle)
                failures += 1
                self._lost("internal error")
                await self._pause(failures, refused(Reason.UPSTREAM, "internal error"))

    async def _attempt(self, failures: int) -> int:
        """Enter the room, read until it is lost, and wait before the next attempt.

        :return: how many attempts in a row have failed.
        :raises ChatError: why there is nothing to watch, or no more.
        """
        try:
            feed = await self._go_in()
        except Denied as denied:
            failures += 1
            # Who began to relay while we were asking need not wait.
            if self._gone or self._owner.relayed(self.handle) is None:
                await self._pause(failures, denied.refusal)
            return failures
        self._feed = feed
        self._opened = self._seconds()
        try:
            # What a feed brought at once may have made its hearer leave.
            self._check_wanted()
            why = await feed.lost
        finally:
            self._feed = None
            feed.drop("left")
        if self._state is not None:
            await self._make_sure_of_the_end()
        stable = self._seeing and self._seconds() - self._opened >= STABLE
        failures = 1 if stable else failures + 1
        restriction = None if self._seeing else await self._restriction()
        self._lost(f"{why} ({restriction})" if restriction else why)
        await self._pause(failures, refused(restriction or Reason.UPSTREAM, why))
        return failures

    async def _go_in(self) -> IFeed:
        """A feed of the room.

        :raises Denied: not at the moment.
        :raises ChatError: there is nothing to watch.
        """
        self._answered = False
        self._opened = inf
        relayed = self._owner.relayed(self.handle)
        if relayed is not None:
            self._settle_in(relayed)
            feed = self._owner.relay(self.handle, self)
            if feed is not None:
                return feed
        live = await self._find()
        self._settle_in(live)
        return await self._owner.open(live.room_id, self, self._claim)

    async def _find(self) -> Live:
        """The room to enter.

        :raises Denied: nobody says at the moment.
        :raises ChatError: there is nothing to watch.
        """
        lookup = self._lookup
        answer: Answer
        if self._started and self._live is not None:
            answer = await lookup.find_again(self.handle, self._live)
        else:
            answer = await lookup.find(self.handle)
        self._check_wanted()
        if isinstance(answer, Live):
            return answer
        if isinstance(answer, NotLive):
            raise ended(suspended=False) if self._started else not_live()
        refusal = answer if isinstance(answer, Refused) else refused(Reason.UNCLEAR)
        if refusal.reason in VERDICTS:
            raise error_for(refusal)
        raise Denied(refusal)

    def _settle_in(self, live: Live) -> None:
        """This is the room from now on; gifts and likes of another are not its own."""
        if self._live is None or live.room_id != self._live.room_id:
            self._delivery.pass_on(self._translator.overdue(inf) if self._translator else [])
            self._translator = Translator(Room(live.room_id, live.owner_id))
        self._live = live

    async def _restriction(self) -> Reason | None:
        """What keeps the room silent, if TikTok says so."""
        live = self._live
        if live is None:
            return None
        restriction = live.restriction or await self._lookup.restriction(live.room_id)
        self._check_wanted()
        return restriction

    async def _make_sure_of_the_end(self) -> None:
        """The room has announced the end: that stands unless two sources deny it, again and again.

        :raises ChatError: it is over.
        """
        assert self._live is not None
        for look in range(END_LOOKS):
            if look:
                await sleep(self._owner.clock, END_PAUSE)
            if not await self._lookup.denies_end(self.handle, self._live.room_id):
                self._check_wanted()
                raise ended(suspended=self._state is StreamState.SUSPENDED)
        self._state = None

    async def _pause(self, failures: int, refusal: Refused) -> None:
        """Wait before the next attempt.

        :raises ChatError: while starting, when no attempt would come in time or change anything.
        """
        self._check_wanted()
        self._trouble = refusal
        seconds = max(self._backoff.delay(failures), refusal.wait)
        if self._starting is not None:
            left = self._deadline.left if self._deadline is not None else inf
            if refusal.reason in VERDICTS or refusal.wait >= left:
                raise error_of(refusal)
        _log.info(
            "TikTok: {reason} {note}; trying again in {seconds:.1f} s",
            reason=refusal.reason,
            note=refusal.note,
            seconds=seconds,
        )
        nap: Deferred[None] = Deferred()
        self._nap = nap
        timer = self._owner.clock.callLater(seconds, nap.callback, None)
        try:
            await nap
        finally:
            self._nap = None
            if timer.active():
                timer.cancel()

    def _wait_as(self, claim: Claim) -> None:
        """Wait for turns in the name of this claim from now on."""
        self._claim = claim
        self._lookup = self._owner.lookup.claimed_by(claim)

    def _check_wanted(self) -> None:
        """Go no further once we have left, however a request answered its cancellation."""
        if self._gone:
            raise CancelledError

    # What the sink learns.

    def _see(self) -> None:
        """Something came from the room itself."""
        if self._seeing:
            return
        self._seeing = True
        self._trouble = None
        self._succeed()

    def _succeed(self) -> None:
        """We are in; said again when that changes."""
        assert self._live is not None
        info = LiveInfo(self._live.room_id, receiving=self._seeing)
        starting, self._starting = self._starting, None
        if starting is None:
            self._delivery.resume(info)
            return
        self._started = True
        self._disarm()
        self._wait_as(Claim(self._owner.clock, self._requester, first=False))
        self._gifts = self._owner.clock.callLater(GIFT_LOOK, self._look_for_gifts)
        self._delivery.begin(info, starting.callback)

    def _lost(self, why: str) -> None:
        """The feed is gone."""
        self._seeing = False
        self._delivery.interrupt(why)

    def _look_for_gifts(self) -> None:
        self._gifts = self._owner.clock.callLater(GIFT_LOOK, self._look_for_gifts)
        if self._translator is not None:
            self._delivery.pass_on(self._translator.overdue(self._seconds()))

    def _late(self) -> None:
        """The deadline of the start."""
        self._deadline = None
        if self._feed is not None and self._answered:
            self._succeed()
            return
        starting, self._starting = self._starting, None
        trouble = self._trouble or refused(Reason.UPSTREAM, "no answer in time")
        self._leave()
        if starting is not None:
            starting.errback(error_of(trouble))

    def _over(self, reason: Failure) -> None:
        """The loop has ended."""
        self._watching = None
        if reason.check(CancelledError):
            return
        error = reason.value
        if not isinstance(error, ChatError):
            _log.failure("watching a TikTok room failed", reason)
            error = error_of(refused(Reason.UPSTREAM, "internal error"))
        starting, started = self._starting, self._started
        rest = self._translator.overdue(inf) if self._translator and started else []
        self._leave(keep=started)
        if starting is not None:
            starting.errback(error)
        elif started:
            self._delivery.end(rest, error)

    def _leave(self, *, keep: bool = False) -> None:
        """Let go of everything; idempotent.

        :param keep: there is something to be passed on yet.
        """
        self._gone = True
        self._starting = None
        if not keep:
            self._delivery.close()
        self._disarm()
        if self._gifts is not None:
            self._gifts.cancel()
            self._gifts = None
        self._translator = None
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
        self._owner.leave(self)

    def _disarm(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()

    def _seconds(self) -> float:
        return self._owner.clock.seconds()
